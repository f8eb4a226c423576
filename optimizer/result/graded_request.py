"""The request of a saved result: one from before there were grades was made by what makes a build work."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from constraints.request import Request


def of_its_day(request: Any) -> Any:
    """A stored request without a grade is of grade floor: no other rules were known (docs/grades.md)."""
    return {**request, "grade": "floor"} if isinstance(request, dict) and "grade" not in request else request


GradedRequest = Annotated[Request, BeforeValidator(of_its_day)]
