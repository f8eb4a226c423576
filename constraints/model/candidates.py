"""The parts that a family's model may be made of, by class."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalogs.schema import Bridge, Cooling, Cpu, Drive, GpuBoard, Memory, Nic, Pdu, Platform, Psu, Rack


class Candidates:
    """Parts that may stand in a node of a family. A subclass or caller may prune; `everything` does not."""

    def __init__(self, parts: Iterable[Any]) -> None:
        by: dict[type, list[Any]] = {}
        for part in parts:
            by.setdefault(type(part), []).append(part)
        self.platforms: list[Platform] = by.get(Platform, [])
        self.cpus: list[Cpu] = by.get(Cpu, [])
        self.memory: list[Memory] = by.get(Memory, [])
        self.psus: list[Psu] = by.get(Psu, [])
        self.drives: list[Drive] = by.get(Drive, [])
        self.nics: list[Nic] = by.get(Nic, [])
        self.boards: list[GpuBoard] = by.get(GpuBoard, [])
        self.bridges: list[Bridge] = by.get(Bridge, [])
        self.cooling: list[Cooling] = by.get(Cooling, [])
        self.racks: list[Rack] = by.get(Rack, [])
        self.pdus: list[Pdu] = by.get(Pdu, [])
