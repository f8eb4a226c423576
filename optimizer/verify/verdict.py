"""The verdict on a result in sentences: what was found, and what limits it."""

from __future__ import annotations

from dataclasses import dataclass

from constraints.rule import counted
from optimizer.text.languages import Words
from optimizer.verify.schema import ProvenAgain


@dataclass(frozen=True)
class Verdict:
    """What the sentences are made of; `unchecked` are English sentences."""

    wrong: int
    points: int
    unchecked: list[str]
    proof: ProvenAgain | None

    def said(self, words: Words) -> str:
        """In one language. A caveat that limits the verdict is part of it."""
        if self.wrong:
            return words.apart.join([self._wrong(words), *self._caveat(words)])
        return words.apart.join([self._consistent(words), *self._complete(words)])

    def _wrong(self, words: Words) -> str:
        return words("1 thing wrong.") if self.wrong == 1 else words("{n} things wrong.", n=self.wrong)

    def _caveat(self, words: Words) -> list[str]:
        """What more may be wrong."""
        caveats = words.list(self.unchecked, "; ")
        return [words("Not checked: {list}.", list=caveats)] if self.unchecked else []

    def _consistent(self, words: Words) -> str:
        if self.unchecked:
            return words(
                "Consistent as far as it could be checked: {points}. Not checked: {list}.",
                points=counted(self.points, "point"),
                list=words.list(self.unchecked, "; "),
            )
        return words(
            "Consistent: {points}, every price, sum, throughput and rule that could be checked agrees.",
            points=counted(self.points, "point"),
        )

    def _complete(self, words: Words) -> list[str]:
        if (proof := self.proof) is None:
            return []
        text = words(
            "Complete: {bound} hardware families ruled out by a bound and {solver} by {engine} in {seconds} s; "
            "no cheaper or faster valid build was overlooked.",
            bound=proof.closed_by_bound,
            solver=proof.closed_by_solver,
            engine=proof.engine,
            seconds=f"{proof.seconds:.2f}",
        )
        return [text]
