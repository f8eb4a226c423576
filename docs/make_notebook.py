"""Runs examples/library.ipynb and keeps its outputs: `python docs/make_notebook.py` after what moves figures."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parent.parent / "examples" / "library.ipynb"
TIMEOUT_S = 300
"""Of one cell."""


def stored() -> nbformat.NotebookNode:
    """The notebook as it stands in the file."""
    return nbformat.read(NOTEBOOK, as_version=4)


def executed() -> nbformat.NotebookNode:
    """The notebook run anew from its folder, in a kernel of its own; raises CellExecutionError."""
    book, folder = stored(), {"metadata": {"path": NOTEBOOK.parent}}
    NotebookClient(
        book, timeout=TIMEOUT_S, kernel_name="python3", record_timing=False, coalesce_streams=True, resources=folder
    ).execute()
    book.metadata.pop("language_info", None)
    return book


if __name__ == "__main__":
    nbformat.write(executed(), NOTEBOOK)
