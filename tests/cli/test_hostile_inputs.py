"""Whatever a user names as an input, each command ends with a documented exit code and says what is wrong in words."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from catalogs.errors import MOST_FAULTS, Fault, Faults, InputError
from catalogs.inputs import MOST_NESTING, parsed_json, parsed_toml, read_bytes
from catalogs.visible import unseen
from tests.support.commands import DOCUMENTED, LINES, FileOption, commands, file_options, known_files, run
from tests.support.long import one_in

INPUTS = [x for x in file_options() if not x.output]
linux = pytest.mark.skipif(sys.platform != "linux", reason="files of Linux")


def deep(path: Path) -> None:
    """Lists within lists: JSON and TOML alike."""
    path.write_text("[" * 100_000 if path.suffix == ".json" else "a = " + "[" * 50_000, encoding="utf-8")


def nested(path: Path) -> None:
    """Closed, and deeper than any file of ours."""
    text = "[" * 500 + "]" * 500
    path.write_text(text if path.suffix == ".json" else f"a = {text}", encoding="utf-8")


def huge_number(path: Path) -> None:
    path.write_text('{"a": %s}' % ("9" * 5000) if path.suffix == ".json" else "a = " + "9" * 5000, encoding="utf-8")


def half_a_character(path: Path) -> None:
    path.write_text('{"request": "\\ud800"}', encoding="utf-8")


def folder(path: Path) -> None:
    path.mkdir()


def a_socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's name has room for 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path.name)
    finally:
        os.chdir(here)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def of_proc(path: Path) -> None:
    """`stat` says 0 bytes of it."""
    path.symlink_to("/proc/self/environ")


def no_memory_of_ours(path: Path) -> None:
    """Opens, and fails at the first byte."""
    path.symlink_to("/proc/self/mem")


def loop(path: Path) -> None:
    path.symlink_to(path.name)


def missing(path: Path) -> None:
    pass


def empty(path: Path) -> None:
    path.write_bytes(b"")


def wide(path: Path) -> None:
    """A header of 50,000 columns."""
    path.write_text(",".join(f"c{i}" for i in range(50_000)) + "\n" + "1,2\n" * 50, encoding="utf-8")


def junk(path: Path) -> None:
    path.write_bytes(bytes((i * 7919 + i * i) % 256 for i in range(5000)))


FILES: tuple[Callable[[Path], None], ...] = (
    deep, nested, huge_number, half_a_character, folder, a_socket, endless, of_proc, no_memory_of_ours, loop, missing,
    empty, wide, junk,
)  # fmt: skip


def test_every_command_is_attacked() -> None:
    assert set(LINES) == {name for name, _ in commands()}
    assert len(INPUTS) > 40


def hostile_name(make: Callable[[Path], None], option: FileOption) -> str:
    """A name that would colour the screen and turn the direction of writing."""
    ending = ".json" if option.name in ("file", "files", "model_config") else ".toml"
    csv = option.name in ("avl", "fx", "own", "measured", "batch", "calibrate", "spares", "support") or make is wide
    return f"{make.__name__}\x1b[31m[red]\u202e{'.csv' if csv else ending}"


@linux
@pytest.mark.parametrize("option", one_in(13, INPUTS), ids=lambda x: f"{x.command} {x.name}")
def test_any_input_is_refused_in_words(option: FileOption, tmp_path: Path) -> None:
    known = known_files(tmp_path)
    Path(known["result"]).write_text("{}", encoding="utf-8")
    for make in FILES:
        path = tmp_path / hostile_name(make, option)
        make(path)
        start = time.process_time()
        code, out, err = run(*option.line(str(path), known))
        assert time.process_time() - start < 10
        said = f"{make.__name__}: {code} {err[-500:]}"
        assert code in DOCUMENTED - {0} or make in (empty, of_proc, missing, folder), said
        assert "internal error" not in err and "Traceback" not in err, said
        for line in (out + err).splitlines():
            assert not unseen(line), (make.__name__, line)
        assert code not in (2, 3) or any(x.startswith(("dsopt: error: [", "Error")) for x in err.splitlines()), said


def test_a_name_of_no_file_is_told_the_nearest(tmp_path: Path) -> None:
    for name in ("result.json", "resulting.csv", "other.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    for typed, says in (
        ("reslt.json", "Nearest: " + str(tmp_path / "result.json")),
        ("result.jsn", "Nearest: " + str(tmp_path / "result.json")),
        ("zzzz.toml", f"No name in {tmp_path} is like it."),
        ("none/result.json", f"There is no folder {tmp_path / 'none'}."),
    ):
        code, _out, err = run("verify", str(tmp_path / typed))
        assert code == 3 and "[no-file]" in err and says in " ".join(err.split()), (typed, err)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("{}", encoding="utf-8")
    path.chmod(0)
    code, _, err = run("verify", str(path))
    assert code == 3 and "unreadable-file" in err and "Permission denied" in err


@linux
@pytest.mark.parametrize("name", ["/dev/zero", "/proc/kcore"])
def test_a_size_is_never_believed(name: str) -> None:
    if not os.access(name, os.R_OK):
        pytest.skip("not readable here")
    with pytest.raises(InputError) as e:
        read_bytes(Path(name), 1_000_000)
    assert e.value.faults[0].code in ("too-large", "unreadable-file")


def test_the_limit_is_the_last_byte_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * 1000)
    assert len(read_bytes(path, 1000)) == 1000
    with pytest.raises(InputError, match="too-large"):
        read_bytes(path, 999)


@linux
def test_a_pipe_is_read_to_its_end() -> None:
    """`--own <(command)`: what a shell gives is no regular file."""
    reading, writing = os.pipe()
    os.write(writing, b"part,qty\n")
    os.close(writing)
    try:
        assert read_bytes(Path(f"/dev/fd/{reading}"), 100) == b"part,qty\n"
    finally:
        os.close(reading)


@pytest.mark.parametrize("read", [parsed_json, lambda text, path: parsed_toml(f"a = {text}", path)])
def test_nesting(read: Callable[[str, str], object]) -> None:
    room = MOST_NESTING - 2
    assert read("[" * room + "]" * room, "x")
    for many in (MOST_NESTING + 1, 900, 100_000):
        with pytest.raises(InputError, match="deep"):
            read("[" * many + "]" * many, "x")


def test_a_fault_is_one_line() -> None:
    fault = Fault("bad-value", "is\nwrong", "a\x1b]0;title\x07\ndsopt: error", 3, "c\u2028d", "\u202evalue", "do\tit")
    assert len(str(fault).splitlines()) == 1 and not unseen(str(fault))


def test_faults_beyond_the_hundredth_are_counted() -> None:
    many = [Fault("bad-value", str(i)) for i in range(1234)]
    found = InputError(many)
    assert [f.text for f in found.faults] == [str(i) for i in range(MOST_FAULTS)]
    assert str(found).splitlines()[-1] == f"and {1234 - MOST_FAULTS:,} more faults"
    two = Faults(many)
    two += Faults(many)
    assert (len(two), two.more) == (MOST_FAULTS, 2 * 1234 - MOST_FAULTS)


@pytest.mark.parametrize(
    ("option", "head", "row"),
    one_in(
        3,
        [
            ("--own", "part,qty", "nosuch{i},x"),
            ("--avl", "part,status", "nosuch{i},barred"),
            ("--fx", "currency,usd_per_unit,date,source", "X{i},a,b,c"),
        ],
    ),
)
def test_many_bad_rows_end_soon(option: str, head: str, row: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("\n".join([head, *(row.format(i=i) for i in range(60_000))]) + "\n", encoding="utf-8")
    start = time.process_time()
    code, _, err = run("solve", *LINES["solve"], option, str(path))
    assert time.process_time() - start < 10
    assert code == 3 and len(err.splitlines()) == MOST_FAULTS + 1
    assert "more" in err.splitlines()[-1]


@pytest.mark.parametrize(
    "row", one_in(2, ["o{i},nosuch,abc,USD,x,new,list,s,t", "o{i},nosuch{i},1.00,USD,2026-01-01,new,list,s,t"])
)
def test_a_catalog_of_bad_rows_ends_soon(row: str, tmp_path: Path) -> None:
    head = "id,part,price,currency,date,condition,confidence,seller,source"
    rows = (row.format(i=i) for i in range(100_000))
    (tmp_path / "offers.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    start = time.process_time()
    code, _, err = run("catalog", "validate", "--catalog", str(tmp_path))
    assert time.process_time() - start < 20
    assert code == 3 and len(err.splitlines()) == MOST_FAULTS + 1
    assert "more" in err.splitlines()[-1]
