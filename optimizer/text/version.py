"""The version of dsopt itself."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def own_version() -> str:
    """As the installed package has it; `?` where dsopt runs without having been installed."""
    try:
        return version("dsopt")
    except PackageNotFoundError:
        return "?"
