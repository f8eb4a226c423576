"""The catalog as an import leaves it, loaded before anything is written: what would not load is not written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from catalogs.load import Catalog, load
from catalogs.records import csv_files
from optimizer.procurement.importing.run import Prepared


def catalog_after(prepared: Prepared, folder: Path, under: Sequence[Path]) -> Catalog:
    """The shipped catalog, `under` laid over it, then the folder with the import's files. Raises InputError for what
    would be wrong in it."""
    with tempfile.TemporaryDirectory(prefix="dsopt-") as name:
        made = Path(name)
        for path in csv_files(folder) if folder.is_dir() else []:
            shutil.copyfile(path, made / path.name)
        for path, content in prepared.files.items():
            if path.parent == folder:
                (made / path.name).write_bytes(content)
        return load([*under, made])
