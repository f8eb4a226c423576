"""Files written: whole or not at all, into devices and through links, with the modes they had, never over another
without --force, and refused before the work is done."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import catalogs.load
from catalogs import files
from catalogs.errors import InputError
from catalogs.files import check_writable, write_bytes, write_text, written_json
from tests.support.commands import FileOption, file_options, known_files, run

OUTPUTS = [x for x in file_options() if x.output]
posix = pytest.mark.skipif(sys.platform == "win32", reason="modes, pipes and devices of POSIX")

ENDINGS = {"report": ".html", "plot": ".svg"}
"""Of outputs by command, where they are no workbook."""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_modes(tmp_path: Path) -> None:
    """A new file has the umask's mode; one that is there keeps its own."""
    path = tmp_path / "x"
    for umask, wanted in ((0o022, 0o644), (0o077, 0o600), (0o002, 0o664)):
        before = os.umask(umask)
        try:
            write_bytes(path, b"new")
        finally:
            os.umask(before)
        assert mode(path) == wanted
        path.chmod(0o640)
        write_bytes(path, b"again")
        assert (mode(path), path.read_bytes()) == (0o640, b"again")
        path.unlink()


@posix
def test_links_are_followed(tmp_path: Path) -> None:
    real, link, far = tmp_path / "real", tmp_path / "link", tmp_path / "far"
    real.write_text("old")
    link.symlink_to("real")
    far.symlink_to(link)
    write_text(far, "new")
    assert far.is_symlink() and link.is_symlink() and real.read_text() == "new"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "made")
    write_text(dangling, "made")
    assert dangling.is_symlink() and (tmp_path / "made").read_text() == "made"
    loop = tmp_path / "loop"
    loop.symlink_to("loop")
    with pytest.raises(InputError, match="not-writable"):
        check_writable(loop, force=True)


@posix
def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    path, got = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()))
    reader.start()
    assert check_writable(path, force=False).stream
    write_bytes(path, b"x" * 300_000)
    reader.join(20)
    assert got == [b"x" * 300_000] and stat.S_ISFIFO(path.stat().st_mode)


@posix
def test_devices_are_written_into() -> None:
    before = os.stat("/dev/null")
    check_writable(Path("/dev/null"), force=False)
    write_bytes(Path("/dev/null"), b"x")
    assert (os.stat("/dev/null").st_ino, os.stat("/dev/null").st_rdev) == (before.st_ino, before.st_rdev)
    with pytest.raises(InputError, match="No space left"):
        check_writable(Path("/dev/full"), force=True)


@posix
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_the_own_stdout_is_written_into(name: str, tmp_path: Path) -> None:
    """As root it once became a regular file; a file that stdout is redirected to is not replaced either."""
    path = tmp_path / "link"
    path.symlink_to("/dev/stdout")
    code = (
        "from pathlib import Path\nfrom catalogs.files import check_writable, write_text\nprint('before')\n"
        f"p = Path({str(path) if name == 'link' else name!r})\n"
        "check_writable(p, force=False)\nwrite_text(p, 'data\\n')\n"
        "print('after')"
    )
    target = tmp_path / "out"
    for out in (subprocess.PIPE, target.open("wb")):
        done = subprocess.run([sys.executable, "-c", code], stdout=out, stderr=subprocess.PIPE, text=True, check=True)
        assert (done.stdout if out == subprocess.PIPE else target.read_text()) == "before\ndata\nafter\n"
    assert Path("/dev/stdout").is_symlink() and path.is_symlink()


def test_nothing_is_left_of_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    for error in (KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError):

        def fails(*_: object, error: object = error) -> None:
            raise error  # type: ignore[misc]

        monkeypatch.setattr(files.os, "replace", fails)
        with pytest.raises((KeyboardInterrupt, InputError, MemoryError)):
            write_bytes(path, b"x" * 1000)
        assert [p.name for p in tmp_path.iterdir()] == ["x"] and path.read_text() == "old"


def test_a_file_that_came_meanwhile_stays(tmp_path: Path) -> None:
    path = tmp_path / "x"
    check_writable(path, force=False)
    path.write_text("of someone else")
    with pytest.raises(InputError, match="output-exists"):
        write_bytes(path, b"mine", force=False)
    assert path.read_text() == "of someone else" and len(list(tmp_path.iterdir())) == 1


def test_trying_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "x", force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes everywhere")
def test_without_permission(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    mine = tmp_path / "mine"
    mine.write_text("x")
    mine.chmod(0o444)
    for path in (tmp_path / "closed" / "x", mine):
        with pytest.raises(InputError, match="Permission denied"):
            check_writable(path, force=True)


def test_json_holds_no_unseen_character() -> None:
    data = {"a\x1b": "\u202e\x9b\u2028\U000e0041", "b": "\ud800", "plain": "中文 é"}
    text = written_json(data)
    assert json.loads(text) == data and text.isprintable() is False and "中文 é" in text
    assert all(c == "\n" or c.isprintable() for c in text)


def test_every_output_is_known() -> None:
    assert {x.command for x in OUTPUTS} >= {"solve", "check", "quote", "compare", "size"}


def place(folder: Path, kind: str, option: FileOption) -> Path:
    ending = ".csv" if option.name == "review" or option.command == "size" else ENDINGS.get(option.command, ".xlsx")
    ending = ".json" if option.command == "solve" else ending
    path = folder / f"out{ending}"
    if kind == "missing folder":
        return folder / "none" / path.name
    if kind == "folder":
        path.mkdir()
    elif kind == "under a file":
        (folder / "file").write_text("")
        return folder / "file" / path.name
    elif kind == "exists":
        path.write_text("old")
    elif kind == "link to a file":
        (folder / "other").write_text("old")
        path.symlink_to(folder / "other")
    elif kind == "full":
        path.symlink_to("/dev/full")
    elif kind == "socket":
        path.symlink_to("/dev/fd/999")
    return path


@posix
@pytest.mark.parametrize("option", OUTPUTS, ids=lambda x: f"{x.command} {x.name}")
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("missing folder", "not-writable"), ("folder", "not-writable"), ("under a file", "not-writable"),
        ("exists", "output-exists"), ("link to a file", "output-exists"), ("full", "not-writable"),
        ("socket", "not-writable"),
    ],
)  # fmt: skip
def test_refused_before_the_work(
    option: FileOption, kind: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def worked(*_: object) -> None:
        raise AssertionError("the work began")

    known = known_files(tmp_path)
    Path(known["result"]).write_text("{}")
    path = place(tmp_path, kind, option)
    monkeypatch.setattr(catalogs.load, "load", worked)
    before = sorted(tmp_path.rglob("*"))
    status, out, err = run(*option.line(str(path), known))
    assert (status, out) == (3, ""), err
    assert f"[{code}]" in err and path.name in err
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("option", OUTPUTS, ids=lambda x: f"{x.command} {x.name}")
def test_no_input_is_overwritten(option: FileOption, tmp_path: Path) -> None:
    """Nor under another name of it, nor with --force."""
    known = known_files(tmp_path)
    own = place(tmp_path, "new", option)
    own.write_text("part,qty\n")
    link = own.with_stem("link")
    link.symlink_to(own)
    for path in (own, link):
        # Every other command that writes a file may read a measured table; an export reads a folder of tables.
        read_too = ["--catalog", str(tmp_path)] if option.command == "catalog export" else ["--measured", str(own)]
        more = [*read_too, "--force"]
        words = option.line(str(path), known)
        Path(known["result"]).write_text("{}")
        code, _, err = run(*words, *more)
        assert code == 3 and "output-is-input" in err, err
    assert own.read_text() == "part,qty\n"
