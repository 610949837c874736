"""Which octets of a message have arrived.

Chunks may arrive in any order, twice, or cut differently from how they were
sent, since every relay on the path may cut them again
(:rfc:`4975#section-7.3.1`).  Offsets are zero-based and half-open here, as
everywhere in :mod:`msrp.sansio`.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator

__all__ = ["RangeSet"]


class RangeSet:
    """A set of octet offsets, kept as sorted, disjoint, non-adjacent ranges."""

    __slots__ = ("_starts", "_stops")

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._stops: list[int] = []

    def add(self, start: int, stop: int) -> None:
        """Add the offsets from ``start`` up to, but not including, ``stop``."""
        if not 0 <= start <= stop:
            raise ValueError(f"not a range: {start}..{stop}")
        if start == stop:
            return
        stops = self._stops
        # In order, as nearly always: the last range grows.
        if stops and stops[-1] == start:
            stops[-1] = stop
            return
        # Every range that touches the new one is swallowed by it.
        first = bisect.bisect_left(stops, start)
        last = bisect.bisect_right(self._starts, stop)
        if first < last:
            start = min(start, self._starts[first])
            stop = max(stop, stops[last - 1])
        self._starts[first:last] = [start]
        stops[first:last] = [stop]

    def remove(self, start: int, stop: int) -> None:
        """Take out the offsets from ``start`` up to, but not including, ``stop``."""
        if not 0 <= start <= stop:
            raise ValueError(f"not a range: {start}..{stop}")
        first = bisect.bisect_right(self._stops, start)
        last = bisect.bisect_left(self._starts, stop)
        if start == stop or first >= last:
            return
        # Of the first and the last range something may be left.
        left = [(self._starts[first], start), (stop, self._stops[last - 1])]
        kept = [(a, b) for a, b in left if a < b]
        self._starts[first:last] = [a for a, _ in kept]
        self._stops[first:last] = [b for _, b in kept]

    def covers(self, total: int) -> bool:
        """Tell whether every octet of a message of ``total`` octets is here."""
        return total == 0 or (self._starts[:1] == [0] and self._stops[0] >= total)

    @property
    def prefix(self) -> int:
        """How many octets there are from the very first one on without a gap."""
        return self._stops[0] if self._starts[:1] == [0] else 0

    @property
    def stop(self) -> int:
        """The offset behind the last octet that has arrived."""
        return self._stops[-1] if self._stops else 0

    @property
    def octets(self) -> int:
        """How many octets are here."""
        return sum(self._stops) - sum(self._starts)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._stops, strict=True))

    def __len__(self) -> int:
        """Count the ranges; it is what an attacker could make grow."""
        return len(self._starts)

    def __repr__(self) -> str:
        return f"<RangeSet {' '.join(f'{a}..{b}' for a, b in self)}>"
