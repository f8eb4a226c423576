"""Python's cycle collector set aside while millions of objects are made that all stay.

It runs whenever enough objects are new, and looks through all that live: a quarter of a large solve, for nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No cycle is looked for inside; reference counts free memory as ever. What was on before is on afterwards."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
