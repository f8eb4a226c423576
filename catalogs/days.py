"""Days before and after a day, within the calendar that dates have."""

from __future__ import annotations

from datetime import date


def days_before(day: date, days: int) -> date:
    """The first day of the calendar where there are not as many before it."""
    return date.fromordinal(max(1, day.toordinal() - days))


def days_after(day: date, days: int) -> date | None:
    """None beyond the calendar's last day, 9999-12-31."""
    last = date.max.toordinal() - day.toordinal()
    return date.fromordinal(day.toordinal() + days) if days <= last else None
