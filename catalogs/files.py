"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from catalogs.errors import Fault, InputError


def write_text(path: Path, text: str, remedy: str = "Name a writable place.") -> None:
    """UTF-8 text, written beside the target and then renamed; raises InputError where that can't be."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as f:
            f.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except (OSError, ValueError) as e:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise InputError(Fault("not-writable", f"cannot write: {e}", str(path), remedy=remedy)) from None
