"""The notebook of the library runs as a reader would run it; its asserts hold; its outputs are what it gives today."""

from __future__ import annotations

from typing import Any

import pytest

from docs.make_notebook import executed, stored


def texts(book: Any) -> list[str]:
    """What the cells show as plain text; the kernel's own warnings on stderr left out."""
    found = [o for c in book.cells if c.cell_type == "code" for o in c.outputs if o.get("name") != "stderr"]
    return [str(o["text"] if o.output_type == "stream" else o["data"]["text/plain"]) for o in found]


@pytest.mark.long
def test_outputs_are_those_of_today() -> None:
    before, now = texts(stored()), texts(executed())
    assert len(now) >= 10
    assert before == now, "python docs/make_notebook.py"
