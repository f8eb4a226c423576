"""Files written whole or not at all, and saved results read back."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from catalogs import json_text
from catalogs.errors import Fault, InputError


def write_text(path: Path, text: str, remedy: str = "Name a writable place.") -> None:
    """UTF-8 text, written beside the target and then renamed; raises InputError where that can't be."""
    try:
        data = text.encode("utf-8")
    except ValueError as e:
        raise InputError(Fault("not-writable", f"cannot write: {e}", str(path), remedy=remedy)) from None
    write_bytes(path, data, remedy)


def write_bytes(path: Path, data: bytes, remedy: str = "Name a writable place.") -> None:
    """Bytes, written beside the target and then renamed; raises InputError where that can't be. Nothing is left of a
    write that was cut short."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as f:
            f.write(data)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except (OSError, ValueError) as e:
        _drop(temporary)
        raise InputError(Fault("not-writable", f"cannot write: {e}", str(path), remedy=remedy)) from None
    except BaseException:
        _drop(temporary)
        raise


def _drop(temporary: str) -> None:
    if temporary:
        Path(temporary).unlink(missing_ok=True)


def read_result(path: Path) -> Any:
    """The JSON of a saved result, not yet judged. Raises InputError for what is none."""
    try:
        return json_text.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as e:
        raise InputError(Fault("no-file", f"cannot read: {e.strerror}", str(path))) from None
    except (ValueError, RecursionError) as e:
        remedy = "Write it with `dsopt solve ... -o result.json`."
        raise InputError(Fault("not-json", f"is not JSON: {e}", str(path), remedy=remedy)) from None
