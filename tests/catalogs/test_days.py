"""Days before and after a day end with the calendar, and nothing overflows."""

from __future__ import annotations

from datetime import date

import pytest

from catalogs.days import days_after, days_before
from catalogs.errors import InputError
from optimizer.procurement.quotation.quote_terms import Party


def test_the_calendar_ends() -> None:
    assert days_before(date(2026, 3, 1), 1) == date(2026, 2, 28)
    assert days_before(date(1, 1, 5), 4) == days_before(date(1, 1, 5), 10**9) == date.min
    assert days_after(date(2026, 2, 28), 1) == date(2026, 3, 1)
    assert days_after(date(9999, 12, 30), 1) == date.max
    assert days_after(date(9999, 12, 30), 2) is None


def test_a_quote_that_never_ends_is_refused() -> None:
    assert Party("", "", date(2026, 11, 24), 15).valid_until == date(2026, 12, 9)
    with pytest.raises(InputError, match="beyond the calendar"):
        _ = Party("", "", date.max, 1).valid_until
