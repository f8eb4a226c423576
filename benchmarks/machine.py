"""The machine that a benchmark ran on."""

from __future__ import annotations

import importlib.metadata
import os
import platform

PACKAGES = ("ortools", "numpy", "pydantic")


def processor() -> str:
    """Name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            return next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


def machine() -> str:
    """Processor, cores, Python and the packages that decide the speed, in a line."""
    versions = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in PACKAGES)
    return f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"
