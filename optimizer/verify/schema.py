"""Typed shape of what `verify_result` finds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from optimizer.result.document import Text
from optimizer.result.strict import Strict


class WrongPlace(Strict):
    """One thing wrong."""

    where: Text = Field(description="place in the document, such as front[2].bom[5].unit_price")
    text: Text

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


class ProvenAgain(Strict):
    """The proof that no build is missing, made anew."""

    engine: Literal["CP-SAT", "HiGHS"]
    thorough: bool
    closed_by_bound: int = Field(description="families (GPU, GPUs per node)")
    closed_by_solver: int = Field(description="families")
    deterministic_time: float = Field(description="of CP-SAT, in its own unit")
    seconds: float = Field(description="of the whole proof")


class Verified(Strict):
    """A result judged again."""

    ok: bool = Field(description="nothing is wrong; `unchecked` limits what that means")
    verdict: Text = Field(description="in a sentence, with what could not be checked")
    wrong: list[WrongPlace]
    unchecked: list[Text] = Field(description="sentences on what could not be checked, and why")
    points: int = Field(description="of the front")
    proof: ProvenAgain | None = Field(description="null where none was asked for, or none could be made")
