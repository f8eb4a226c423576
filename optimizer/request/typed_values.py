"""What was typed: values of options by their parameters' names."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Any

from catalogs.load import Catalog


@dataclass(frozen=True)
class Given:
    """Values of a command's options. `typed`: parameters that stand on the command line, not by default or by an
    environment variable. An option that the command does not have is one that was not given."""

    values: Mapping[str, Any]
    catalog: Catalog
    typed: Set[str] = field(default_factory=frozenset)

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)
