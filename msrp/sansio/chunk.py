"""One SEND request on its way to the wire (:rfc:`4975#section-7.1.1`).

A :class:`WholeChunk` says where it ends, and is written at one go.  A
:class:`LongChunk` says ``*``, is written as the transport takes it, and can be
ended at any octet to let something else pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msrp.headers import ContinuationFlag
from msrp.sansio.encoder import encode_end

if TYPE_CHECKING:
    from msrp.sansio.chunker import Chunker

__all__ = ["Chunk", "LongChunk", "SentChunk", "WholeChunk"]


class WholeChunk:
    """A chunk of which all octets are at hand.

    Args:
        transaction_id: Its transaction id.
        octets: All that goes to the wire.
        start: The zero-based offset of its first octet of body.
        stop: That behind its last one.
        flag: How it ends.
    """

    __slots__ = ("_octets", "finished", "flag", "start", "stop", "transaction_id")

    def __init__(
        self,
        transaction_id: str,
        octets: bytes,
        start: int,
        stop: int,
        flag: ContinuationFlag,
    ) -> None:
        self.transaction_id = transaction_id
        self.start = start
        self.stop = stop
        self.flag = flag
        self.finished = False
        """Whether it has been written."""
        self._octets = octets

    def write(self, budget: int = 0) -> bytes:
        """Return all of it, whatever the budget is."""
        assert not self.finished
        self.finished = True
        # Who waits for the response needs to know what was sent, not the octets.
        octets, self._octets = self._octets, b""
        return octets


class SentChunk:
    """What has to be known of a chunk that is out.

    Args:
        start: The zero-based offset of its first octet of body.
        stop: That behind its last one.
    """

    __slots__ = ("start", "stop")

    finished = True
    """Whether it has been written."""

    def __init__(self, start: int, stop: int) -> None:
        self.start = start
        self.stop = stop


class LongChunk:
    """An interruptible chunk.

    Args:
        chunker: The message.
        to_path: What to write as To-Path.
        from_path: What to write as From-Path.
        transaction_id: Its transaction id.
        max_size: Octets of body at most; ``None`` for all that there are.
    """

    __slots__ = (
        "_chunker",
        "_head",
        "_max_size",
        "_needle",
        "_tail",
        "finished",
        "flag",
        "start",
        "transaction_id",
        "written",
    )

    def __init__(
        self,
        chunker: Chunker,
        to_path: str,
        from_path: str,
        transaction_id: str,
        max_size: int | None,
    ) -> None:
        self._chunker = chunker
        self._max_size = max_size
        self._needle = b"-------" + transaction_id.encode()
        self._tail = b""
        self.transaction_id = transaction_id
        self.start = chunker.offset
        self.written = 0
        """Octets of body so far."""
        self.finished = False
        """Whether the end-line has been written."""
        self.flag = ContinuationFlag.MORE
        self._head = chunker.head(to_path, from_path, transaction_id, self.start, None)

    @property
    def stop(self) -> int:
        """The zero-based offset behind the chunk's last octet so far."""
        return self.start + self.written

    @property
    def has_begun(self) -> bool:
        """Whether its head has been written."""
        return not self._head

    def write(self, budget: int) -> bytes | None:
        """Return the next octets for the wire, about ``budget`` at most.

        ``None`` means that the source has no octets yet.

        Raises:
            LocalProtocolError: The source has fewer octets than it said.
        """
        assert not self.finished
        limit = budget
        if self._max_size is not None:
            limit = min(self._max_size - self.written, budget)
        data = self._chunker.take(limit) if limit > 0 else b""
        if data is None:
            return None
        clash = self._clash(data)
        if clash is not None:
            self._chunker.put_back(data[clash:])
            data = data[:clash]
        self.written += len(data)
        piece = self._take_head() + data
        if self._chunker.at_end:
            return piece + self._end(ContinuationFlag.END)
        full = self._max_size is not None and self.written >= self._max_size
        if full or clash is not None:
            return piece + self._end(ContinuationFlag.MORE)
        return piece

    def interrupt(self, flag: ContinuationFlag = ContinuationFlag.MORE) -> bytes:
        """End the chunk here and return what has to be written for that."""
        assert not self.finished
        return self._take_head() + self._end(flag)

    def _take_head(self) -> bytes:
        head, self._head = self._head, b""
        return head

    def _end(self, flag: ContinuationFlag) -> bytes:
        self.finished = True
        self.flag = flag
        return encode_end(self.transaction_id, flag)

    def _clash(self, data: bytes) -> int | None:
        """Return how much of ``data`` may be written before our id occurs in it.

        That is up to the last octet but one of the look-alike.
        """
        needle, tail, last = self._needle, self._tail, len(self._needle) - 1
        seam = (tail + data[:last]).find(needle)
        if seam >= 0:
            return seam + last - len(tail)
        found = data.find(needle)
        if found >= 0:
            return found + last
        self._tail = (tail + data if len(data) < last else data)[-last:]
        return None


Chunk = WholeChunk | LongChunk
