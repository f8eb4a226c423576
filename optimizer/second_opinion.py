"""Figures of another engine beside ours, where its package is installed: NVIDIA's AIConfigurator (Apache-2.0).

Its command `aiconfigurator cli estimate` answers one configuration; it is run as a program, so that its dependencies
stay apart. Not needed by anything else.
"""

from __future__ import annotations

from catalogs.errors import InputError
from optimizer.size_schema import SizeReport


def with_opinion(report: SizeReport, engine: str) -> SizeReport:
    """The report with the other engine's figure per setup. Raises InputError where it is unknown or not installed."""
    raise InputError(f"no engine {engine!r}", "unknown-engine", "One of: aiconfigurator.")
