"""What is known of a build before it is made: what every rule's `may` sees."""

from __future__ import annotations

from dataclasses import dataclass

from catalogs.llm import Llm
from catalogs.load import Catalog
from catalogs.schema import Gpu, Part, Platform
from constraints.plan import Row
from constraints.policy import Policy
from constraints.request import Request


@dataclass(slots=True)  # not frozen: made for every question, and freezing takes longer than most answers
class Facts:
    """A family (`gpu`, `per_node` of it), a platform, a part that is bought for a node, a performance row: those that
    are known. What is None, or 0 GPUs, is open."""

    catalog: Catalog
    request: Request
    policy: Policy
    llm: Llm
    gpu: Gpu | None = None
    per_node: int = 0
    platform: Platform | None = None
    part: Part | None = None
    row: Row | None = None
