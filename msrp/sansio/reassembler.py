"""Messages on their way in, put together from chunks (:rfc:`4975#section-7.3.1`).

What a chunk says of its length and of the whole is a hint; what counts is which
octets really came, and where the chunk with the ``$`` ended.  Nothing is ever
allocated by a number that a peer wrote.
"""

from __future__ import annotations

from msrp.errors import LimitExceeded, RemoteProtocolError
from msrp.policy import Store
from msrp.sansio.offsets import OffsetMap
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
        "_last",
        "_max_ranges",
        "_pieces",
        "held",
        "max_length",
        "stop",
    )

    def __init__(self, max_length: int, max_ranges: int) -> None:
        self.max_length: int | None = max_length
        self._max_ranges = max_ranges
        self._finished = False
        # Nothing but octets: objects of ours would be looked through by the garbage
        # collector, again and again while a message grows.
        self._pieces: OffsetMap[bytearray] = OffsetMap()
        self._last: bytearray | None = None
        self.stop = 0
        """Where the last one ends."""
        self.held = 0
        """Octets that it takes up: those of the message that are here, each once."""

    @property
    def octets(self) -> int:
        """How many of the message are here."""
        return self.held

    def write(self, offset: int, data: bytes) -> None:
        """Put octets where they belong; those that came last win.

        Raises:
            LimitExceeded: The message is too scattered; status 413.
        """
        last = self._last
        if offset == self.stop and last is not None:  # In order, as nearly always.
            last += data
            size = len(data)
            self.stop += size
            self.held += size
        elif offset < self.stop:
            self._write_over(offset, data)
        else:
            self._append(None, offset, data)

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
        for start, octets in self._pieces.items():
            if start == stop:
                joined[-1][1].append(bytes(octets))
            else:
                joined.append((start, [bytes(octets)]))
            stop = start + len(octets)
        return tuple((start, b"".join(pieces)) for start, pieces in joined)

    def _append(
        self, before: bytearray | None, offset: int, data: bytes | memoryview
    ) -> None:
        """Put octets where none are yet, behind a piece or where there is none."""
        size = len(data)
        if not size:
            return
        if before is not None:
            before += data
        else:
            if self._pieces.length >= self._max_ranges:
                raise _too_scattered(self._max_ranges)
            piece = bytearray(data)
            self._pieces.set(offset, piece)
            if offset >= self.stop:
                self._last = piece
        self.held += size
        self.stop = max(self.stop, offset + size)

    def _write_over(self, offset: int, octets: bytes) -> None:
        """Write into pieces that are there and between them."""
        data = memoryview(octets)
        while data:
            before, behind = self._pieces.around(offset)
            start, piece = before or (offset, None)
            stop = start if piece is None else start + len(piece)
            room = len(data)
            if piece is not None and offset < stop:
                room = min(room, stop - offset)
                piece[offset - start : offset - start + room] = data[:room]
            else:
                if behind is not None:
                    room = min(room, behind[0] - offset)
                self._append(piece if stop == offset else None, offset, data[:room])
            offset, data = offset + room, data[room:]


class PartialMessage:
    """One message of which some octets have arrived.

    Args:
        store: Where they are kept.
        max_ranges: Pieces that they may form; what is in memory has its own bound.
    """

    __slots__ = ("_max_ranges", "_received", "_total", "store")

    def __init__(self, store: Store, max_ranges: int) -> None:
        self.store = store
        self._max_ranges = max_ranges
        # What does nothing but keep them in memory knows by itself which are there.
        self._received: MemoryStore | RangeSet
        self._received = store if isinstance(store, MemoryStore) else RangeSet()
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
        stop, total, limit = offset + len(data), self._total, self.store.max_length
        # What is passed first, lest it depend on how many octets are read at a time.
        if total is not None and (limit is None or total <= limit) and stop > total:
            raise RemoteProtocolError("octets behind the end of the message")
        self._check_length(stop)
        self._put(offset, data)

    def grow(self, offset: int, data: bytes) -> bool:
        """Add octets with which the message can't be complete; tell whether it can't.

        Where it might, or there is something wrong with them, nothing is done, and
        :meth:`write` has to be called.

        Raises:
            RemoteProtocolError: The store takes no more of it.
        """
        stop, total, limit = offset + len(data), self._total, self.store.max_length
        received = self._received
        if offset < 0 or (limit is not None and stop > limit):
            return False
        if total is not None:
            if stop > total or received.octets + len(data) >= total:
                return False
        if isinstance(received, RangeSet) and len(received) >= self._max_ranges:
            return False
        self._put(offset, data)
        return True

    def _put(self, offset: int, data: bytes) -> None:
        self.store.write(offset, data)
        received = self._received
        if isinstance(received, RangeSet):
            received.add(offset, offset + len(data))
            if len(received) > self._max_ranges:
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
        # None of those that are here lies behind the end.
        return self._received.octets == self._total

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
