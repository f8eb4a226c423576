"""The notebook of the library runs as a reader would run it; its asserts hold; its outputs are what it gives today."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from docs.make_notebook import executed, stored


def texts(book: Any) -> list[str]:
    """What the cells show as plain text; the kernel's own warnings on stderr left out."""
    found = [o for c in book.cells if c.cell_type == "code" for o in c.outputs if o.get("name") != "stderr"]
    return [str(o["text"] if o.output_type == "stream" else o["data"]["text/plain"]) for o in found]


def test_cells_compile_import_what_is_there_and_show_no_error() -> None:
    """The quick look of every run: the notebook as kept, its imports alone executed."""
    book = stored()
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    imported = 0
    for cell in cells:
        tree = ast.parse(cell.source)
        imports = [x for x in ast.walk(tree) if isinstance(x, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(list(imports), []), "notebook", "exec"), {})
        imported += len(imports)
        assert all(output.output_type != "error" for output in cell.outputs), cell.source
    assert imported and len(texts(book)) >= 10


@pytest.mark.long
def test_outputs_are_those_of_today() -> None:
    before, now = texts(stored()), texts(executed())
    assert len(now) >= 10
    assert before == now, "python docs/make_notebook.py"
