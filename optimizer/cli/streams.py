"""stdout and stderr that nothing breaks: what others wrote can't steer the terminal, a reader may leave early, letters
that an encoding lacks are replaced, and a stream that is closed is as good as /dev/null."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from catalogs.errors import Fault, InputError
from catalogs.visible import visible

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Raw(io.RawIOBase):
    """Bytes to a descriptor. A reader that left (`| head -1`) has had enough: the work goes on and ends with the exit
    code of its answer. Anything else that goes wrong on stdout is told, for data would be missing; on stderr there is
    nowhere to tell it."""

    def __init__(self, descriptor: int, name: str) -> None:
        self.descriptor, self.called, self.gone = descriptor, name, False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        size = memoryview(data).nbytes
        if self.gone:
            return size
        try:
            return os.write(self.descriptor, data)
        except BlockingIOError:
            import select

            select.select([], [self.descriptor], [])
            return 0
        except OSError as e:
            self.gone = True
            if isinstance(e, BrokenPipeError) or self.called == "stderr":
                return size
            raise InputError(
                Fault("not-writable", f"cannot write: {e.strerror}", self.called, remedy="Name a place with room.")
            ) from None


class Stream(io.TextIOWrapper):
    """Text of which each unseen character (catalogs/visible.py) is written as an escape."""

    def write(self, text: str, /) -> int:
        super().write(visible(text))
        return len(text)

    def obeyed(self, text: str) -> int:
        """Writes our own text, colours and cursor moves with it."""
        return super().write(text)


class Obeyed:
    """A stream for what is made by us alone: its escape sequences reach the terminal."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.encoding = stream, stream.encoding

    def write(self, text: str) -> int:
        return self.stream.obeyed(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()


def obeyed(stream: TextIO) -> TextIO:
    """A stream for our own colours and cursor moves, every cell of others already made visible."""
    return Obeyed(stream) if isinstance(stream, Stream) else stream  # type: ignore[return-value]


def guard() -> None:
    """Puts guarded streams in the place of stdout and stderr; descriptors 0 to 2 that are closed become /dev/null, so
    that no file that we open takes their number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    sys.stdout = _guarded(sys.stdout, 1, "stdout")
    sys.stderr = _guarded(sys.stderr, 2, "stderr")


def _guarded(stream: TextIO | None, descriptor: int, name: str) -> Stream:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    buffer: io.BufferedIOBase
    if sys.platform == "win32" and stream is not None:
        buffer = stream.buffer  # type: ignore[assignment]  # the console takes Unicode, not bytes
    else:
        buffer = io.BufferedWriter(Raw(descriptor, name))
    errors = "replace" if name == "stdout" else "backslashreplace"
    return Stream(buffer, encoding=encoding, errors=errors, line_buffering=name == "stderr" or buffer.isatty())
