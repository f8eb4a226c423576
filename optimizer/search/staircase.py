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
        """The most that a build of this throughput may cost and still be missing; -1 where none can be."""
        # A build counts when it costs less than the cheapest known one that is at least as fast. Costs ascend with
        # throughput, so that this is the first point that is not slower; one unit below its cost, for costs are
        # integers. A build of equal cost and throughput is a tie, which the proof says nothing of.
        at_least_as_fast = 0 if self.flat else bisect_left(self.tenths, tenths)
        if at_least_as_fast == len(self.costs):
            return self.limit
        return min(self.limit, self.costs[at_least_as_fast] - 1)

    def add(self, found: Found) -> None:
        """Takes a point in, and drops those that it beats. What is added lies under the staircase or is a tie with one
        of its points (whose place it takes), so that nothing known beats it."""
        tenths = found.row.perf.tenths
        if self.flat:
            self.points = []
        # Known points that the new one is as fast as and no dearer than are beaten.
        keep = [point for point in self.points if point.row.perf.tenths > tenths or point.cost < found.cost]
        self.points = sorted([*keep, found], key=lambda point: point.row.perf.tenths)
        self.tenths = [point.row.perf.tenths for point in self.points]
        self.costs = [point.cost for point in self.points]
