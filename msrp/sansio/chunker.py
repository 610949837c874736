"""A message on its way out, cut into chunks (:rfc:`4975#section-7.1.1`).

The body is *pulled*: octets are asked for when the wire takes them, so that a file
of any size is never in memory.  A chunk of at most 2,048 octets is written whole
and says where it ends; a longer one is *interruptible*: it says ``*``, is written
as the transport takes it, and can be ended at any octet to let something else pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from msrp.errors import LocalProtocolError
from msrp.headers import ByteRange, ContinuationFlag, FailureReport
from msrp.sansio.encoder import encode_end, encode_head, new_transaction_id

__all__ = [
    "MAX_NUMERIC_CHUNK",
    "BodySource",
    "BytesBody",
    "Chunk",
    "Chunker",
    "SeekableBody",
]

MAX_NUMERIC_CHUNK = 2048
"""Octets of body above which a chunk must be interruptible."""

_READ_SIZE = 64 * 1024
"""Octets to ask a source for at a time while a long chunk is written."""

_REPORT_WANTED = ("Success-Report", "yes")

_ID_TRIES = 8
"""Transaction ids to try before a chunk is cut so that none of them occurs in it."""


class BodySource(Protocol):
    """Where the octets of a message come from."""

    @property
    def size(self) -> int | None:
        """How many octets there are in all, ``None`` if nobody knows yet."""

    def read(self, limit: int) -> bytes | None:
        """Return the next octets, at most ``limit``.

        ``b""`` means that there are no more; ``None`` that there are none *yet*:
        whoever holds the source says so to the stream when there are.
        """


@runtime_checkable
class SeekableBody(BodySource, Protocol):
    """A source that can give octets once more, on another session."""

    def seek(self, offset: int) -> None:
        """Go to a zero-based offset: :meth:`read` gives the octets from there on."""


class BytesBody:
    """A body that is in memory already."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def size(self) -> int:
        """How many octets the body has."""
        return len(self._data)

    def read(self, limit: int) -> bytes:
        """Return the next octets, ``b""`` at the end."""
        data = self._data
        if self._at == 0 and limit >= len(data):
            self._at = len(data)
            return data
        piece = data[self._at : self._at + limit]
        self._at += len(piece)
        return piece

    def seek(self, offset: int) -> None:
        """Go on from a zero-based offset."""
        self._at = offset


class Chunker:
    """Cuts one message into chunks.

    Args:
        message_id: The id that all chunks carry.
        content_type: The type of the body, ``None`` for a message without one.
        body: Where the octets come from.
        success_report: Whether to ask for a success report.
        failure_report: What to hear of failures.
        fields: Further header fields, such as Content-Disposition.
        new_id: Makes transaction ids.
    """

    __slots__ = (
        "_body",
        "_fields",
        "_new_id",
        "_pending",
        "_source_ended",
        "_tail_fields",
        "content_type",
        "offset",
        "total",
    )

    def __init__(
        self,
        message_id: str,
        content_type: str | None,
        body: BodySource,
        *,
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
        fields: tuple[tuple[str, str], ...] = (),
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        self.content_type = content_type
        self.total = body.size
        self.offset = 0
        """How many octets have been put into chunks."""
        self._body = body
        self._new_id = new_id
        self._pending = b""
        self._source_ended = False
        # Only what differs from the default, and the same in every chunk.
        self._fields: list[tuple[str, str]] = [("Message-ID", message_id)]
        if success_report:
            self.ask_for_report()
        if failure_report is not FailureReport.YES:
            self._fields.append(("Failure-Report", failure_report.value))
        self._tail_fields = fields

    def ask_for_report(self) -> None:
        """Ask for a success report with all chunks from now on."""
        if _REPORT_WANTED not in self._fields:
            self._fields.append(_REPORT_WANTED)

    def next_chunk(
        self, to_path: str, from_path: str, max_size: int | None
    ) -> Chunk | None:
        """Begin the next chunk.

        Args:
            to_path: What to write as To-Path.
            from_path: What to write as From-Path.
            max_size: Octets of body at most, ``None`` for all that there are.

        Returns:
            The chunk, or ``None`` when the source has no octets yet.

        Raises:
            LocalProtocolError: The source has fewer octets than it said.
        """
        numeric = max_size is not None and max_size <= MAX_NUMERIC_CHUNK
        if not self._fill(max_size if numeric and max_size else MAX_NUMERIC_CHUNK):
            return None
        if not numeric and self.total is not None:
            # What is left fits in a chunk that says where it ends.
            numeric = self.total - self.offset <= MAX_NUMERIC_CHUNK
        return Chunk(self, to_path, from_path, numeric, max_size)

    def take(self, limit: int) -> bytes | None:
        """Return the next octets for a chunk; ``None`` if there are none yet."""
        if not self._fill(min(limit, _READ_SIZE)) and not self._pending:
            return None
        data, self._pending = self._pending[:limit], self._pending[limit:]
        self.offset += len(data)
        return data

    def put_back(self, data: bytes) -> None:
        """Undo a :meth:`take`, or its end."""
        self._pending = data + self._pending
        self.offset -= len(data)

    def seek(self, offset: int) -> None:
        """Put into the next chunk what begins at an offset.

        Raises:
            LocalProtocolError: The source can give its octets only once.
        """
        if offset == self.offset:
            return
        if not isinstance(self._body, SeekableBody):
            raise LocalProtocolError(
                "octets of it have to be sent again, and its source has them no more"
            )
        self._body.seek(offset)
        self._pending = b""
        self._source_ended = False
        self.offset = offset

    @property
    def at_end(self) -> bool:
        """Whether every octet is in a chunk, as far as can be known now."""
        if self._pending:
            return False
        if self.total is not None:
            return self.offset >= self.total
        # One octet ahead, so that the last chunk can say that it is the last.
        self._fill(1)
        return self._source_ended and not self._pending

    def _fill(self, wanted: int) -> bool:
        """Read ahead up to ``wanted`` octets; tell whether there is something to go on.

        The end of the body is something, too.
        """
        while len(self._pending) < wanted and not self._source_ended:
            left = None if self.total is None else self._left_to_read()
            if left == 0:
                self._source_ended = True
                break
            ask = wanted - len(self._pending)
            piece = self._body.read(ask if left is None else min(ask, left))
            if piece is None:
                # A chunk of what there is would be needlessly short.
                return self.total is None and bool(self._pending)
            if not piece:
                self._end_of_source()
            self._pending = self._pending + piece if self._pending else piece
        return True

    def _left_to_read(self) -> int:
        assert self.total is not None
        return self.total - self.offset - len(self._pending)

    def _end_of_source(self) -> None:
        self._source_ended = True
        if self.total is None:
            self.total = self.offset + len(self._pending)
        else:
            raise LocalProtocolError("the source has fewer octets than it said")

    def head(
        self, to_path: str, from_path: str, transaction_id: str, end: int | None
    ) -> bytes:
        """Write the head of a chunk that starts at the current offset."""
        byte_range = ByteRange(self.offset + 1, end, self.total)
        return encode_head(
            transaction_id,
            "SEND",
            to_path,
            from_path,
            [*self._fields, ("Byte-Range", str(byte_range)), *self._tail_fields],
            self.content_type,
        )

    def abort_chunk(self, to_path: str, from_path: str) -> bytes:
        """Write a SEND without a body that gives the message up between chunks."""
        transaction_id = self._new_id()
        byte_range = ByteRange(self.offset + 1, None, self.total)
        fields = [*self._fields, ("Byte-Range", str(byte_range))]
        head = encode_head(transaction_id, "SEND", to_path, from_path, fields)
        return head + encode_end(transaction_id, ContinuationFlag.ABORT)

    def new_id_for(self, data: bytes) -> tuple[str, int]:
        """Choose a transaction id and how much of ``data`` may follow under it.

        Seven hyphens and the id must not occur in the body at all: two stacks end
        the chunk even where no flag follows.
        """
        tries = _ID_TRIES
        while True:
            transaction_id = self._new_id()
            found = data.find(b"-------" + transaction_id.encode())
            if found < 0:
                return transaction_id, len(data)
            tries -= 1
            if not tries:
                # Only a broken source of randomness gets here: cut it in two.
                return transaction_id, found + 1


class Chunk:
    """One SEND request on its way to the wire."""

    __slots__ = (
        "_chunker",
        "_head",
        "_max_size",
        "_needle",
        "_numeric",
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
        numeric: bool,
        max_size: int | None,
    ) -> None:
        self._chunker = chunker
        self._max_size = max_size
        self._numeric = numeric
        self._tail = b""
        self.start = chunker.offset
        self.written = 0
        """Octets of body so far."""
        self.finished = False
        """Whether the end-line has been written."""
        self.flag = ContinuationFlag.MORE
        body = b""
        if numeric:
            limit = min(max_size or MAX_NUMERIC_CHUNK, MAX_NUMERIC_CHUNK)
            body = chunker.take(limit) or b""
            chunker.put_back(body)
        self.transaction_id, fits = chunker.new_id_for(body)
        self._needle = b"-------" + self.transaction_id.encode()
        if numeric:
            self._max_size = fits
        end = chunker.offset + fits if numeric else None
        self._head = chunker.head(to_path, from_path, self.transaction_id, end)

    @property
    def stop(self) -> int:
        """The zero-based offset behind the chunk's last octet so far."""
        return self.start + self.written

    def write(self, budget: int) -> bytes | None:
        """Return the next octets for the wire, about ``budget`` at most.

        A chunk that isn't interruptible comes whole.  ``None`` means that the
        source has no octets yet.

        Raises:
            LocalProtocolError: The source has fewer octets than it said.
        """
        assert not self.finished
        limit = budget
        if self._max_size is not None:
            limit = self._max_size - self.written
            limit = limit if self._numeric else min(limit, budget)
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
        if self._numeric:
            return None  # The id was chosen with the octets at hand.
        needle, tail, last = self._needle, self._tail, len(self._needle) - 1
        seam = (tail + data[:last]).find(needle)
        if seam >= 0:
            return seam + last - len(tail)
        found = data.find(needle)
        if found >= 0:
            return found + last
        self._tail = (tail + data if len(data) < last else data)[-last:]
        return None
