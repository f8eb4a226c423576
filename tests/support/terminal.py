"""A command at a real terminal: a pseudo-terminal whose other end is read to the end."""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
WIPED = re.compile(r"[^\n]*\r\x1b\[K")
"""A line of progress, and what takes it away."""
STYLED = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def at_terminal(
    words: Sequence[str], size: tuple[int, int] | None = None, environment: Mapping[str, str] = {},
    folder: Path | None = None,
) -> str:  # fmt: skip
    """What stands on a terminal when `dsopt` has answered with exit 0, without progress and colours.

    `size`: rows and columns of the terminal; `environment`: added to this process's own, which says nothing of a size;
    `folder`: where it is typed."""
    import fcntl
    import pty
    import termios

    master, slave = pty.openpty()
    if size is not None:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    own = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    plain = {"NO_COLOR": "1", "TERM": "xterm", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", "from optimizer.cli import main; main()", *words]
    started = subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env={**own, **plain, **environment}, cwd=folder
    )
    os.close(slave)
    seen = b""
    while select.select([master], [], [], 120)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not data:
            break
        seen += data
    os.close(master)
    assert started.wait(60) == 0
    return STYLED.sub("", WIPED.sub("", seen.decode().replace("\r\n", "\n")))
