"""Qualified pairs: the GPUs that the maker of a machine lists for it (`qualified_gpus.csv`)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalogs.offers import PRICE_FILES


class QualifiedGpu(BaseModel):
    """A GPU in a machine, as the machine's maker lists it; a row for each pair.

    `most`: GPUs of this kind in one node; None where the maker states no number. `complete_for`: vendors whose GPUs the
    list names in full, so that those that it leaves out are not qualified; none where the maker is read of this GPU
    alone. `leaves_open`: GPUs of these vendors, by id, of which the list as it was read says nothing. `list_date`: the
    day as of which the list holds; it says nothing of a GPU that came out later."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")
    platform: str
    gpu: str
    most: Annotated[int, Field(gt=0, le=1024)] | None = None
    complete_for: tuple[str, ...] = ()
    leaves_open: tuple[str, ...] = ()
    list_date: date
    read_date: date
    source: str = Field(min_length=1)
    link: str = ""
    notes: str = ""

    @property
    def id(self) -> str:
        """The pair: a row of an overlay replaces that of the same pair."""
        return pair_of(self.platform, self.gpu)

    @model_validator(mode="after")
    def _read_after_it_was_made(self) -> QualifiedGpu:
        if self.read_date < self.list_date:
            raise ValueError("a list is read on its own day or later: read_date is before list_date")
        return self


def pair_of(platform: str, gpu: str) -> str:
    """The key of a pair, by the ids of both."""
    return f"{platform} with {gpu}"


RECORD_FILES: dict[str, type[BaseModel]] = {**PRICE_FILES, "qualified_gpus": QualifiedGpu}
"""Files of a catalog that hold no parts."""
