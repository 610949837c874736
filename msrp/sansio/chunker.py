"""A message on its way out, cut into chunks (:rfc:`4975#section-7.1.1`).

The body is *pulled*: octets are asked for when the wire takes them, so that a file
of any size is never in memory.  A chunk of at most 2,048 octets is written whole
and says where it ends; a longer one is *interruptible*, see :mod:`msrp.sansio.chunk`.
"""

from __future__ import annotations

from collections.abc import Callable

from msrp.errors import LocalProtocolError
from msrp.headers import ByteRange, ContinuationFlag, FailureReport
from msrp.sansio.body import BodySource, BytesBody, SeekableBody
from msrp.sansio.chunk import Chunk, LongChunk, WholeChunk
from msrp.sansio.encoder import (
    encode_end,
    encode_fields,
    encode_head,
    encode_paths,
    encode_tail,
)
from msrp.sansio.ids import new_transaction_id

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

_READ_SIZE = 256 * 1024
"""Octets to ask a source for at most while a long chunk is written."""

_REPORT_WANTED = ("Success-Report", "yes")

_ID_TRIES = 8
"""Transaction ids to try before a chunk is cut so that none of them occurs in it."""


# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_END, _MORE = ContinuationFlag.END, ContinuationFlag.MORE


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
        "_lead",
        "_new_id",
        "_pending",
        "_source_ended",
        "_tail",
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
        self._lead: bytes | None = None
        self._tail = b""
        if success_report:
            self._fields.append(_REPORT_WANTED)
        if failure_report is not FailureReport.YES:
            self._fields.append(("Failure-Report", failure_report.value))
        self._tail_fields = fields

    def ask_for_report(self) -> None:
        """Ask for a success report with all chunks from now on."""
        if _REPORT_WANTED not in self._fields:
            self._fields.append(_REPORT_WANTED)
            self._lead = None

    def next_chunk(
        self,
        to_path: str,
        from_path: str,
        max_size: int | None,
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
        limit = MAX_NUMERIC_CHUNK
        if max_size is not None and max_size < limit:
            limit = max_size
        if not self._fill(limit):
            return None
        # Or what is left fits in a chunk that says where it ends.
        if max_size is not None and max_size <= MAX_NUMERIC_CHUNK:
            return self._whole_chunk(to_path, from_path, limit)
        if self.total is not None and self.total - self.offset <= MAX_NUMERIC_CHUNK:
            return self._whole_chunk(to_path, from_path, limit)
        # Both ends look for it in all that follows, and skip as many octets at a time
        # as they look for.
        transaction_id = self._new_id() + self._new_id()
        return LongChunk(self, to_path, from_path, transaction_id, max_size)

    def _whole_chunk(self, to_path: str, from_path: str, limit: int) -> Chunk:
        start = self.offset
        body = self.take(limit) or b""
        transaction_id, fits = self._id_for(body)
        if fits < len(body):
            self.put_back(body[fits:])
            body = body[:fits]
        stop = start + len(body)
        head = self._head(to_path, from_path, transaction_id, start, stop)
        flag = _END if self.at_end else _MORE
        octets = b"".join((*head, body, encode_end(transaction_id, flag)))
        return WholeChunk(transaction_id, octets, start, stop, flag)

    def take(self, limit: int) -> bytes | None:
        """Return the next octets for a chunk; ``None`` if there are none yet."""
        if len(self._pending) < limit and not self._source_ended:
            if not self._fill(min(limit, _READ_SIZE)) and not self._pending:
                return None
        data = self._pending
        if len(data) > limit:
            data, self._pending = data[:limit], data[limit:]
        else:
            self._pending = b""
        self.offset += len(data)
        return data

    def ahead(self, size: int, most: int) -> bytes:
        """Return the octets of the next chunks, as far as these are like all others.

        That is: each is full, isn't the last one of the message, and holds nothing
        that an end-line could begin with.  To be followed by :meth:`take`, with as
        many of the octets as are put into chunks.

        Args:
            size: Octets of each chunk.
            most: How many chunks at most.
        """
        if self.total is None:
            return b""
        wanted = size * min(most, (self.total - self.offset - 1) // size)
        lack = wanted - len(self._pending)
        # A source that is at its end, or has nothing yet, is asked once more by who
        # comes the long way, and believed there.
        if lack > 0 and (piece := self._body.read(lack)):
            self._pending = self._pending + piece if self._pending else piece
        stop = min(wanted, len(self._pending))
        clash = self._pending.find(b"-------", 0, max(stop, 0))
        if clash >= 0:
            stop = clash
        return self._pending[: max(stop - stop % size, 0)]

    def around(self, paths: bytes) -> tuple[bytes, bytes]:
        """Write what all heads have in common, before and behind the offsets.

        Args:
            paths: As :func:`~msrp.sansio.encoder.encode_paths` writes them.
        """
        lead = self._lead or self._encode_lead()
        before = b" SEND%b%b\r\nByte-Range: " % (paths, lead)
        return before, b"/%d%b" % (self.total or 0, self._tail)

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
            ask = wanted - len(self._pending)
            if self.total is not None:
                left = self.total - self.offset - len(self._pending)
                if left == 0:
                    self._source_ended = True
                    break
                ask = min(ask, left)
            piece = self._body.read(ask)
            if piece is None:
                # A chunk of what there is would be needlessly short.
                return self.total is None and bool(self._pending)
            if not piece:
                self._end_of_source()
            self._pending = self._pending + piece if self._pending else piece
        return True

    def _end_of_source(self) -> None:
        self._source_ended = True
        if self.total is None:
            self.total = self.offset + len(self._pending)
        else:
            raise LocalProtocolError("the source has fewer octets than it said")

    def head(
        self,
        to_path: str,
        from_path: str,
        transaction_id: str,
        start: int,
        stop: int | None,
    ) -> bytes:
        """Write the head of a chunk.

        Args:
            to_path: What to write as To-Path.
            from_path: What to write as From-Path.
            transaction_id: Its transaction id.
            start: The zero-based offset of its first octet.
            stop: That behind its last one; ``None`` if it isn't known yet.
        """
        return b"".join(self._head(to_path, from_path, transaction_id, start, stop))

    def _head(
        self,
        to_path: str,
        from_path: str,
        transaction_id: str,
        start: int,
        stop: int | None,
    ) -> tuple[bytes, ...]:
        end = "*" if stop is None else stop
        total = "*" if self.total is None else self.total
        return (
            f"MSRP {transaction_id} SEND".encode(),
            encode_paths(to_path, from_path),
            self._lead or self._encode_lead(),
            f"\r\nByte-Range: {start + 1}-{end}/{total}".encode(),
            self._tail,
        )

    def _encode_lead(self) -> bytes:
        """Write once what is the same in every chunk, before and after Byte-Range."""
        self._lead = encode_fields(self._fields)
        self._tail = encode_tail(self._tail_fields, self.content_type)
        return self._lead

    def abort_chunk(self, to_path: str, from_path: str) -> bytes:
        """Write a SEND without a body that gives the message up between chunks."""
        transaction_id = self._new_id()
        byte_range = ByteRange(self.offset + 1, None, self.total)
        fields = [*self._fields, ("Byte-Range", str(byte_range))]
        head = encode_head(transaction_id, "SEND", to_path, from_path, fields)
        return head + encode_end(transaction_id, ContinuationFlag.ABORT)

    def _id_for(self, data: bytes) -> tuple[str, int]:
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
