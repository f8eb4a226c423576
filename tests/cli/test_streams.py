"""stdout and stderr of the command: closed, full, read by someone who leaves, in a narrow encoding."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optimizer.cli.streams import Stream, obeyed
from tests.support.long import one_in

COMMAND = [sys.executable, "-c", "from optimizer.cli import main; main()"]
posix = pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")


def shell(line: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """A line of a shell in which `dsopt` is this program; its exit code is that of the first command of a pipe."""
    script = (
        f'set -o pipefail; dsopt() {{ "{sys.executable}" -c "from optimizer.cli import main; main()" "$@"; }}; {line}'
    )
    return subprocess.run(["bash", "-c", script], capture_output=True, timeout=120, env={**os.environ, **env})


@posix
@pytest.mark.parametrize(
    ("line", "code"),
    one_in(
        5,
        [
            ("dsopt schema result | head -1", 0),
            ("dsopt schema result 2>&1 | head -c 1", 0),
            ("dsopt catalog list | head -1", 0),
            ("dsopt --help | true", 0),
            ("dsopt verify /no/such 2>&1 | true", 3),
            ("dsopt schema result >&-", 0),
            ("dsopt catalog list gpu >&-", 0),
            ("dsopt verify /no/such 2>&-", 3),
            ("dsopt verify /no/such >&- 2>&- <&-", 3),
            ("dsopt verify /no/such 2>/dev/full", 3),
            ("dsopt bogus 2>&-", 2),
            ("dsopt schema result >/dev/full", 3),
            ("dsopt catalog list gpu >/dev/full", 3),
            ("dsopt --help >/dev/full", 3),
        ],
    ),
)
def test_ends_with_the_code_of_the_answer(line: str, code: int) -> None:
    done = shell(line)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr and b"internal" not in done.stderr and b"Exception" not in done.stderr
    assert (b"not-writable" in done.stderr) == (">/dev/full" in line and "2>" not in line)


@posix
def test_a_closed_stdout_takes_no_file_of_ours(tmp_path: Path) -> None:
    """The next file to be opened would get descriptor 1, and with it whatever is printed."""
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text("model,gpu,n_gpus\nr1-671b,H200,8\n")
    done = shell(f"dsopt size --batch {rows} -o {out} >&- 2>&-")
    assert done.returncode == 0 and out.read_text().startswith("model,gpu,n_gpus,")


@posix
@pytest.mark.parametrize("encoding", one_in(3, ["ascii", "latin-1", "cp936"]))
def test_json_is_utf8_and_text_is_readable(encoding: str) -> None:
    done = shell("dsopt --lang zh models show v3-671b --json", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and json.loads(done.stdout.decode("utf-8"))
    done = shell("dsopt --lang zh models show v3-671b", PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and b"v3-671b" in done.stdout
    done.stdout.decode(encoding)


@posix
@pytest.mark.parametrize("wait", [0.15, 0.3, 0.5, 0.8])
def test_ctrl_c_ends_without_a_trace(wait: float) -> None:
    """While modules are imported too."""
    process = subprocess.Popen(
        [*COMMAND, "size", "--model", "v3-671b", "--gpu", "8xH200"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(wait)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    ours = b"optimizer" in err or b"Traceback" not in err  # before our first line runs, Python speaks for itself
    assert process.returncode in (130, 0, -2) and ours, err


def test_ctrl_c_is_handled_before_anything_is_imported() -> None:
    """Between Python's own start and our handler nothing is loaded but the two packages on the way to it."""
    code = "import sys; before = set(sys.modules); import optimizer.cli; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) <= {"optimizer", "optimizer.cli", "__future__"}


def test_only_our_own_escapes_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with Stream(path.open("wb"), encoding="utf-8") as stream:
        print("a\x1b[31mb\u202e[red]\x9bc", file=stream)
        print("\x1b[31mours\x1b[0m", file=obeyed(stream))
    assert path.read_bytes().decode() == "a\\u001b[31mb\\u202e[red]\\u009bc\n\x1b[31mours\x1b[0m\n"
