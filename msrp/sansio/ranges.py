"""Which octets of a message have arrived.

Chunks may arrive in any order, twice, or cut differently from how they were
sent, since every relay on the path may cut them again
(:rfc:`4975#section-7.3.1`).  Offsets are zero-based and half-open here, as
everywhere in :mod:`msrp.sansio`.
"""

from __future__ import annotations

from collections.abc import Iterator

from msrp.sansio.offsets import OffsetMap

__all__ = ["RangeSet"]


class _Range:
    """The offsets from one up to, but not including, another."""

    __slots__ = ("start", "stop")

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop


class RangeSet:
    """A set of octet offsets, kept as sorted, disjoint, non-adjacent ranges."""

    __slots__ = ("_last", "_ranges", "octets")

    def __init__(self) -> None:
        self._ranges: OffsetMap[_Range] = OffsetMap()
        self._last: _Range | None = None
        self.octets = 0
        """How many are here."""

    def add(self, start: int, stop: int) -> None:
        """Add the offsets from ``start`` up to, but not including, ``stop``."""
        if not 0 <= start <= stop:
            raise ValueError(f"not a range: {start}..{stop}")
        if start == stop:
            return
        # In order, as nearly always: the last range grows.
        last = self._last
        if last is not None and last.stop == start:
            last.stop = stop
            self.octets += stop - start
            return
        ranges = self._ranges
        before, behind = ranges.around(start)
        grown = None if before is None else before[1]
        if grown is None or grown.stop < start:
            grown = _Range(start, start)
            ranges.set(start, grown)
        elif grown.stop >= stop:
            return
        self.octets += stop - grown.stop
        grown.stop = stop
        # Every range behind that it touches is swallowed by it.
        while behind is not None and behind[0] <= stop:
            swallowed = behind[1]
            ranges.delete(swallowed.start)
            self.octets -= min(swallowed.stop, stop) - swallowed.start
            if swallowed.stop > stop:
                grown.stop = swallowed.stop
                if swallowed is self._last:
                    self._last = grown
                return  # Behind that one there is a gap.
            _, behind = ranges.around(start)
        if behind is None:
            self._last = grown

    def remove(self, start: int, stop: int) -> None:
        """Take out the offsets from ``start`` up to, but not including, ``stop``."""
        if not 0 <= start <= stop:
            raise ValueError(f"not a range: {start}..{stop}")
        if start == stop:
            return
        ranges = self._ranges
        before, behind = ranges.around(start)
        if before is not None and before[1].stop > start:
            behind = before
        while behind is not None and behind[0] < stop:
            cut = behind[1]
            # Of the first and the last something may be left.
            ranges.delete(cut.start)
            self.octets -= min(cut.stop, stop) - max(cut.start, start)
            for left in (_Range(cut.start, start), _Range(stop, cut.stop)):
                if left.start < left.stop:
                    ranges.set(left.start, left)
            _, behind = ranges.around(start)
        self._last = ranges.last

    def covers(self, total: int) -> bool:
        """Tell whether every octet of a message of ``total`` octets is here."""
        return self.prefix >= total

    @property
    def prefix(self) -> int:
        """How many octets there are from the very first one on without a gap."""
        first = self._ranges.first
        return first.stop if first is not None and not first.start else 0

    @property
    def stop(self) -> int:
        """The offset behind the last octet that has arrived."""
        return self._last.stop if self._last is not None else 0

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((one.start, one.stop) for one in self._ranges)

    def __len__(self) -> int:
        """Count the ranges; it is what an attacker could make grow."""
        return self._ranges.length

    def __repr__(self) -> str:
        return f"<RangeSet {' '.join(f'{a}..{b}' for a, b in self)}>"
