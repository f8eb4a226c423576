"""The staircase of known points that the search brings down and the proof closes."""

from __future__ import annotations

from bisect import bisect_left

from optimizer.search.front import Found


class Staircase:
    """Known points by throughput; `ceiling(tenths)` is the most that a still missing build may cost.

    A flat one keeps only the cheapest point, whatever its speed."""

    def __init__(self, limit: int, flat: bool = False) -> None:
        self.limit, self.flat = limit, flat
        self.tenths: list[int] = []
        self.costs: list[int] = []
        self.points: list[Found] = []

    def ceiling(self, tenths: int) -> int:
        # A build counts when it costs less than the cheapest known one that is at least as fast: one unit below its
        # cost.
        i = 0 if self.flat else bisect_left(self.tenths, tenths)
        return min(self.limit, self.costs[i] - 1 if i < len(self.costs) else self.limit)

    def add(self, found: Found) -> None:
        tenths = found.row.perf.tenths
        if self.flat:
            self.points = []
        # Known points that the new one is as fast as and no dearer than are beaten.
        keep = [point for point in self.points if point.row.perf.tenths > tenths or point.cost < found.cost]
        self.points = sorted([*keep, found], key=lambda p: p.row.perf.tenths)
        self.tenths = [point.row.perf.tenths for point in self.points]
        self.costs = [point.cost for point in self.points]
