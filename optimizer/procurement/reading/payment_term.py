"""The buyer's term of what is paid by time, as typed."""

from __future__ import annotations

from catalogs.errors import Fault, InputError
from optimizer.procurement.reading.mapping import Mapping

MOST_MONTHS = 600


def with_term(given: Mapping, text: str) -> Mapping:
    """A mapping with the buyer's term: `36` months, `stated` for the file's own, or `once` for a purchase. Raises
    InputError for anything else."""
    plain = text.strip().casefold()
    if plain == "once":
        return given.model_copy(update={"period": "once", "term_months": None})
    if plain == "stated":
        return given.model_copy(update={"term_stated": True})
    if not plain.isascii() or not plain.isdigit() or not 1 <= int(plain) <= MOST_MONTHS:
        remedy = (
            f"Months, 1 to {MOST_MONTHS}: --term 36, of one bid --term A=36; stated (as the file says); once (bought)."
        )
        raise InputError(Fault("bad-term", "is no term", column="--term", value=text[:80], remedy=remedy))
    return given.model_copy(update={"term_months": int(plain)})
