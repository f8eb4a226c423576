"""Compiles each dsopt.po to its dsopt.mo: `python optimizer/locale/compile.py`. Only this needs Babel; the dates in
the .po's head make the same .po give the same bytes."""

from __future__ import annotations

import io
from pathlib import Path

HERE = Path(__file__).parent


def compiled(source: Path) -> bytes:
    """The .mo of a .po."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    out = io.BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


if __name__ == "__main__":
    for po in sorted(HERE.glob("*/LC_MESSAGES/*.po")):
        po.with_suffix(".mo").write_bytes(compiled(po))
