"""What falls due, and when: many deadlines behind one timer.

The shell keeps a single timer for the whole user agent (see the seam in
:mod:`sip.sansio`), while each transaction and call has a deadline of its own
that moves often and is mostly cancelled.  A heap with entries that are
invalidated rather than removed makes each move cost the logarithm of the
number of entries.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Agenda", "earliest"]

K = TypeVar("K", bound=Hashable)

# Below this many entries a clean-up isn't worth its time.
_SMALL = 64


def earliest(*times: float | None) -> float | None:
    """Return the first of these times, leaving out those that aren't set."""
    # A loop takes a third of the time of min() with a generator, and this is asked
    # after whatever happens to a call.
    first: float | None = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first


class Agenda(Generic[K]):
    """A set of keys, each with the time at which it falls due."""

    __slots__ = ("_due", "_heap", "_number")

    def __init__(self) -> None:
        self._due: dict[K, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._number = 0

    def set(self, key: K, when: float | None) -> None:
        """Let ``key`` fall due at ``when``, or not at all if that is ``None``."""
        if when is None:
            self._due.pop(key, None)
            return
        known = self._due.get(key)
        if known is not None and known[0] == when:
            return
        self._number += 1
        self._due[key] = (when, self._number)
        heapq.heappush(self._heap, (when, self._number, key))
        if len(self._heap) > 2 * len(self._due) + _SMALL:
            self._heap = [(due, n, key) for key, (due, n) in self._due.items()]
            heapq.heapify(self._heap)

    def next(self) -> float | None:
        """Return when the first key falls due, or ``None`` if none ever does."""
        heap = self._heap
        while heap:
            when, number, key = heap[0]
            known = self._due.get(key)
            if known is not None and known[1] == number:
                return when
            heapq.heappop(heap)
        return None

    def pop_due(self, now: float) -> list[K]:
        """Remove and return the keys that are due at ``now``, earliest first."""
        due: list[K] = []
        while (when := self.next()) is not None and when <= now:
            key = heapq.heappop(self._heap)[2]
            del self._due[key]
            due.append(key)
        return due

    def __len__(self) -> int:
        """Count the keys that will fall due."""
        return len(self._due)
