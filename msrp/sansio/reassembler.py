"""Messages on their way in, put together from chunks (:rfc:`4975#section-7.3.1`).

What a chunk says of its length and of the whole is a hint; what counts is which
octets really came, and where the chunk with the ``$`` ended.  Nothing is ever
allocated by a number that a peer wrote.
"""

from __future__ import annotations

import bisect

from msrp.errors import LimitExceeded, RemoteProtocolError
from msrp.policy import Store
from msrp.sansio.ranges import RangeSet
from msrp.status import StatusCode

__all__ = ["MemoryStore", "PartialMessage"]


class MemoryStore:
    """Keeps the octets of a message in memory.

    They lie in pieces sorted by offset that never overlap.  One that comes in
    order grows the piece before it; any other becomes a piece of its own, so that
    no order of arrival makes us copy the same octets again and again.

    Args:
        max_length: Octets that the message may have.
        max_ranges: Pieces that it may consist of.
    """

    __slots__ = (
        "_finished",
        "_max_ranges",
        "_pieces",
        "_starts",
        "held",
        "max_length",
    )

    def __init__(self, max_length: int, max_ranges: int) -> None:
        self.max_length: int | None = max_length
        self._max_ranges = max_ranges
        self._finished = False
        self._starts: list[int] = []
        self._pieces: list[bytearray] = []
        self.held = 0
        """Octets that it takes up."""

    def write(self, offset: int, data: bytes) -> None:
        """Put octets where they belong; those that came last win.

        Raises:
            LimitExceeded: The message is too scattered; status 413.
        """
        stop = self._starts[-1] + len(self._pieces[-1]) if self._pieces else 0
        if offset == stop and self._pieces:
            self._grow(-1, data)
        elif offset >= stop:
            self._insert(len(self._starts), offset, data)
        else:
            self._write_over(offset, data)

    def finish(self, size: int) -> None:
        """Be told that all octets are here."""
        assert self.held == size
        self._finished = True

    def give_up(self, *, keep: bool) -> None:
        """Be told that no more will come."""

    def contents(self) -> bytes:
        """Return the whole message; it must be complete."""
        assert self._finished
        return b"".join(self._pieces)

    def ranges(self) -> tuple[tuple[int, bytes], ...]:
        """Return what has arrived, as offsets and the octets from there on."""
        joined: list[tuple[int, list[bytes]]] = []
        stop = -1
        for start, piece in zip(self._starts, self._pieces, strict=True):
            if start == stop:
                joined[-1][1].append(bytes(piece))
            else:
                joined.append((start, [bytes(piece)]))
            stop = start + len(piece)
        return tuple((start, b"".join(pieces)) for start, pieces in joined)

    def _grow(self, at: int, data: bytes | memoryview) -> None:
        self._pieces[at] += data
        self.held += len(data)

    def _insert(self, at: int, offset: int, data: bytes | memoryview) -> None:
        if not data:
            return
        if len(self._starts) >= self._max_ranges:
            raise _too_scattered(self._max_ranges)
        self._starts.insert(at, offset)
        self._pieces.insert(at, bytearray(data))
        self.held += len(data)

    def _write_over(self, offset: int, octets: bytes) -> None:
        """Write into pieces that are there and between them."""
        data = memoryview(octets)
        at = bisect.bisect_right(self._starts, offset) - 1
        if at >= 0 and offset > self._starts[at] + len(self._pieces[at]):
            at += 1
        at = max(at, 0)
        while data:
            if at == len(self._starts) or offset < self._starts[at]:
                room = len(data)
                if at < len(self._starts):
                    room = min(room, self._starts[at] - offset)
                self._fill_gap(at, offset, data[:room])
                # What was filled may have grown the piece before, or be a new one.
                at = bisect.bisect_right(self._starts, offset) - 1
            else:
                within = offset - self._starts[at]
                room = min(len(data), max(0, len(self._pieces[at]) - within))
                self._pieces[at][within : within + room] = data[:room]
            offset, data = offset + room, data[room:]
            at += 1

    def _fill_gap(self, at: int, offset: int, data: memoryview) -> None:
        before = at - 1
        if before >= 0 and offset == self._starts[before] + len(self._pieces[before]):
            self._grow(before, data)
        else:
            self._insert(at, offset, data)


class PartialMessage:
    """One message of which some octets have arrived.

    Args:
        store: Where they are kept.
        max_ranges: Gaps that there may be between them.
    """

    __slots__ = ("_max_ranges", "_received", "_total", "store")

    def __init__(self, store: Store, max_ranges: int) -> None:
        self.store = store
        self._max_ranges = max_ranges
        self._received = RangeSet()
        self._total: int | None = None

    @property
    def size(self) -> int:
        """Octets of the whole, once it is complete."""
        assert self._total is not None
        return self._total

    def write(self, offset: int, data: bytes) -> None:
        """Put octets where they belong; those that came last win.

        Raises:
            LimitExceeded: The message is too long or too scattered; status 413.
            RemoteProtocolError: They lie behind the end of the message.
        """
        stop = offset + len(data)
        self._check_length(stop)
        if self._total is not None and stop > self._total:
            raise RemoteProtocolError("octets behind the end of the message")
        self.store.write(offset, data)
        self._received.add(offset, stop)
        if len(self._received) > self._max_ranges:
            raise _too_scattered(self._max_ranges)

    def end_at(self, total: int) -> None:
        """Fix the length: the chunk with the last octets ends here.

        Raises:
            LimitExceeded: The message is too long; status 413.
            RemoteProtocolError: It contradicts what has arrived.
        """
        self._check_length(total)
        if self._total is not None and self._total != total:
            raise RemoteProtocolError("the message ends at two places")
        if self._received.stop > total:
            raise RemoteProtocolError("octets behind the end of the message")
        self._total = total

    @property
    def complete(self) -> bool:
        """Whether every octet has arrived."""
        return self._total is not None and self._received.covers(self._total)

    def _check_length(self, length: int) -> None:
        limit = self.store.max_length
        if limit is not None and length > limit:
            raise LimitExceeded(
                f"the message has more than {limit} octets",
                status=StatusCode.STOP_SENDING,
            )


def _too_scattered(max_ranges: int) -> LimitExceeded:
    return LimitExceeded(
        f"the message is in more than {max_ranges} pieces",
        status=StatusCode.STOP_SENDING,
    )
