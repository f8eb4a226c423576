"""Files are opened in child processes, whose memory and time are limited."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from optimizer.procurement.reading.opening import cells, documents
from optimizer.procurement.reading.opening.guard import AS_TABLE, SAVE_AGAIN, refuse

CHILD_MB = 420
CHILD_SECONDS = 60 if sys.platform != "win32" else 9
"""Of wall time; processor time is limited in the child where the system can."""
WORKBOOK, DOCUMENT = cells.__file__, documents.__file__
"""The programs of the children."""


def opened(path: Path, program: str, *more: str) -> list[dict[str, Any]]:
    """What a child process finds in a file, within CHILD_MB and CHILD_SECONDS. `more`: its kind, for what cells.py does
    not tell (hidden rows) and for documents.py."""
    command = [sys.executable, "-I", program, str(path.resolve()), str(CHILD_MB), *more]
    try:
        done = subprocess.run(command, capture_output=True, timeout=CHILD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        text = f"takes more than {CHILD_SECONDS} s to open"
        raise refuse("too-slow", text, path, "Give the sheet that is meant, saved as .csv.") from None
    if done.returncode:
        code, _, text = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0].partition(" ")
        if done.returncode != 3:
            code, text = _crashed(done.returncode, done.stderr, program)
        remedy = AS_TABLE if code == "encrypted-file" or program == DOCUMENT else SAVE_AGAIN
        raise refuse(code, text, path, remedy)
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines() if line]


def _crashed(status: int, said: bytes, program: str) -> tuple[str, str]:
    """Native code that runs out of memory or processor time ends the child without words of ours."""
    if status == -24:  # SIGXCPU
        return (
            "too-slow",
            f"takes more than {cells.CPU_SECONDS if program == WORKBOOK else documents.CPU_SECONDS} s to open",
        )
    if status < 0 or b"memory" in said.lower():
        return "huge-sheet", f"needs more than {CHILD_MB} MB of memory"
    return "damaged-file", f"can't be read as a {'workbook' if program == WORKBOOK else 'document'}"
