"""What does not add up in one line, as it turns up."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from optimizer.procurement.reading.document import Issue
from optimizer.procurement.reading.line.amounts import cents


class Trouble:
    """Issues of one line, as they turn up."""

    def __init__(self, row: int, found: tuple[Issue, ...]) -> None:
        self.row, self.issues = row, list(found)

    def add(self, code: str, severity: str, text: str, **amounts: Decimal | None) -> None:
        """An issue; `stated` as the file says it, `computed` rounded to the cent."""
        if (computed := amounts.get("computed")) is not None:
            amounts["computed"] = cents(computed)
        issue: dict[str, Any] = {"code": code, "severity": severity, "text": text, "row": self.row, **amounts}
        self.issues.append(Issue(**issue))

    def has(self, *codes: str) -> bool:
        """Whether one of these has turned up."""
        return any(issue.code in codes for issue in self.issues)
