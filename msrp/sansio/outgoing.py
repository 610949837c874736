"""One message of ours, and what is known of its arrival (:rfc:`4975#section-7.3.2`).

How much has to be known is the sender's choice: with ``Failure-Report: yes`` each
chunk is answered, with ``Success-Report: yes`` the far end reports which octets it
has; without either, a message counts as delivered once it is out.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

from msrp.errors import DeliveryError, LocalProtocolError
from msrp.headers import ByteRange, FailureReport, is_ident
from msrp.sansio.chunker import MAX_NUMERIC_CHUNK, BodySource, BytesBody, Chunker
from msrp.sansio.encoder import encode_tail
from msrp.sansio.ids import new_message_id, new_transaction_id
from msrp.sansio.ranges import RangeSet

__all__ = ["Outgoing", "OutgoingState"]

MAX_REPORT_GAPS = 8192
"""Gaps between the octets that responses and reports have named; relays reorder a
handful of chunks, and a peer that reports every other octet isn't to be remembered."""


class OutgoingState(enum.Enum):
    """How far a message has come."""

    __hash__ = object.__hash__  # Enum's own is slow, and this is looked up often.

    QUEUED = enum.auto()
    """Nothing of it has been written."""

    SENDING = enum.auto()
    """Some of it has been written."""

    SENT = enum.auto()
    """All of it has been written; not yet known to have arrived."""

    DELIVERED = enum.auto()
    """As much is known of its arrival as was asked for."""

    FAILED = enum.auto()
    """It did not arrive, or nobody knows."""


class _Step(enum.Enum):
    __hash__ = object.__hash__

    BEGIN = enum.auto()
    LAST_OCTET = enum.auto()
    CONFIRM = enum.auto()
    WRITE_WHOLE = enum.auto()
    RESUME = enum.auto()
    FAIL = enum.auto()


# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_QUEUED, _SENDING, _SENT, _DELIVERED, _FAILED = OutgoingState
_BEGIN, _LAST_OCTET, _CONFIRM, _WRITE_WHOLE, _RESUME, _FAIL = _Step
_YES = FailureReport.YES

NEXT = {
    (_QUEUED, _BEGIN): _SENDING,
    (_QUEUED, _WRITE_WHOLE): _SENT,
    (_QUEUED, _RESUME): _QUEUED,
    (_QUEUED, _FAIL): _FAILED,
    (_SENDING, _LAST_OCTET): _SENT,
    (_SENDING, _RESUME): _SENDING,
    (_SENDING, _FAIL): _FAILED,
    (_SENT, _CONFIRM): _DELIVERED,
    (_SENT, _RESUME): _SENDING,
    (_SENT, _FAIL): _FAILED,
    # With Failure-Report: partial, silence means success, until somebody speaks.
    (_DELIVERED, _FAIL): _FAILED,
}


class Outgoing:
    """A message that is to be sent.

    Args:
        message_id: Its id, which no other message may ever have; ``None`` makes one.
        content_type: The type of the body; ``None`` for a SEND without one.
        body: The octets, or where they come from.
        success_report: Whether to ask the far end for a success report.
        failure_report: What to hear of failures.
        fields: Further header fields of each chunk.
        new_id: Makes transaction ids.
        kind: What the peer refuses if it answers 415, where that isn't the type: of
            a message in an envelope, the content.

    Raises:
        LocalProtocolError: The id isn't one.
    """

    __slots__ = (
        "_body",
        "_chunker",
        "_confirmed",
        "_content_type",
        "_fields",
        "_heard",
        "_reported",
        "error",
        "failure_report",
        "kind",
        "message_id",
        "new_id",
        "resumed",
        "state",
        "success_report",
        "unanswered",
    )

    def __init__(
        self,
        message_id: str | None,
        content_type: str | None,
        body: BodySource | bytes,
        *,
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
        fields: tuple[tuple[str, str], ...] = (),
        new_id: Callable[[], str] = new_transaction_id,
        kind: str | None = None,
    ) -> None:
        if message_id is None:
            message_id = new_message_id()
        elif not is_ident(message_id):
            raise LocalProtocolError("malformed Message-ID", section="4975#9")
        self.message_id = message_id
        self.kind = kind or content_type
        self.success_report = success_report
        self.failure_report = failure_report
        self.state = _QUEUED
        self.error: DeliveryError | None = None
        """Why it failed."""
        self.unanswered = 0
        """Chunks that still wait for a response."""
        # Most messages are delivered before either has anything in it.
        self._reported: RangeSet | None = None
        self._confirmed: RangeSet | None = None
        self.resumed = False
        """Whether it goes on in the middle of its octets: only a success report tells
        that the far end still had those before."""
        self._heard = False
        self._content_type = content_type
        self._body = body
        self._fields = fields
        self.new_id = new_id
        """Makes transaction ids."""
        self._chunker: Chunker | None = None

    @property
    def chunker(self) -> Chunker:
        """What cuts it into chunks; made when it is needed."""
        chunker, body = self._chunker, self._body
        if chunker is None:
            chunker = self._chunker = Chunker(
                self.message_id,
                self._content_type,
                BytesBody(body) if isinstance(body, bytes) else body,
                success_report=self.success_report,
                failure_report=self.failure_report,
                fields=self._fields,
                new_id=self.new_id,
            )
            if self.state is _SENT:  # Without it, by write_whole().
                chunker.take(MAX_NUMERIC_CHUNK)
        return chunker

    @property
    def size(self) -> int | None:
        """Octets of the whole; ``None`` if nobody knows yet."""
        if type(self._body) is bytes:
            return len(self._body)
        return self.chunker.total

    def write_whole(self, paths: bytes, limit: int) -> tuple[str, bytes] | None:
        """Write a message that is at hand, and fits into one chunk.

        Most do, and this writes what the chunker would write, in half of the time.

        Args:
            paths: As :func:`~msrp.sansio.encoder.encode_paths` writes them.
            limit: Octets of body that a chunk may have.

        Returns:
            The transaction id and the octets; ``None`` if the chunker has to do it.
        """
        body = self._body
        if type(body) is not bytes or len(body) > limit or self._chunker is not None:
            return None
        if self.failure_report is not _YES or self._content_type is None:
            return None
        if b"-------" in body:  # Perhaps an end-line, for which nobody looks here.
            return None
        self.state = NEXT[self.state, _WRITE_WHOLE]
        transaction_id = self.new_id()
        octets, size = transaction_id.encode(), len(body)
        report = b"\r\nSuccess-Report: yes" if self.success_report else b""
        written = (
            b"MSRP %b SEND%b\r\nMessage-ID: %b%b\r\nByte-Range: 1-%d/%d%b%b"
            b"\r\n-------%b$\r\n"
        ) % (
            octets, paths, self.message_id.encode(), report, size, size,
            encode_tail(self._fields, self._content_type), body, octets,
        )  # fmt: skip
        return transaction_id, written

    @property
    def reported(self) -> RangeSet:
        """Octets that success reports have covered."""
        if self._reported is None:
            self._reported = RangeSet()
        return self._reported

    @property
    def confirmed(self) -> RangeSet:
        """Octets that the far end is known to have."""
        if self._confirmed is None:
            self._confirmed = RangeSet()
        return self._confirmed

    @property
    def finished(self) -> bool:
        """Whether nothing more will become known of it."""
        return self.state in (_DELIVERED, _FAILED)

    @property
    def _may_yet_fail(self) -> bool:
        is_partial = self.failure_report is FailureReport.PARTIAL
        return is_partial and self.state is _DELIVERED and not self.success_report

    def begin(self) -> None:
        """Note that octets of it are about to be written."""
        if self.state is _QUEUED:
            self._step(_BEGIN)

    def all_written(self) -> None:
        """Note that the last chunk is out."""
        self._step(_LAST_OCTET)

    def confirm(self) -> bool:
        """Become delivered if enough is known; tell whether that happened now."""
        if self.state is not _SENT:
            return False
        if self.success_report or self.resumed:
            # It says more than a response, and may well come first.
            # That nothing is missing of an empty message is no report of it.
            if not self._heard or not self.reported.covers(self.chunker.offset):
                return False
        elif self.unanswered:
            return False
        self.state = NEXT[_SENT, _CONFIRM]
        return True

    def success_reported(self, byte_range: ByteRange | None) -> None:
        """Add what a success report says has arrived (:rfc:`4975#section-7.1.3`).

        The range need not match any chunk; without one, and without an end, it
        speaks of all that has been sent.
        """
        self._heard = True
        sent = self.chunker.offset
        if byte_range is None:
            self._has_arrived(0, sent)
            return
        start = max(0, byte_range.start - 1)
        stop = sent if byte_range.end is None else min(byte_range.end, sent)
        if start < stop:
            self._has_arrived(start, stop)
        if len(self.reported) > MAX_REPORT_GAPS:
            self._reported = None

    def acknowledged(self, start: int, stop: int) -> None:
        """Add what a 200 from the far end itself says has arrived."""
        confirmed = self.confirmed
        confirmed.add(start, stop)
        if len(confirmed) > MAX_REPORT_GAPS:
            self._confirmed = None

    def not_received(self, byte_range: ByteRange) -> None:
        """Take back what was said to have arrived (:rfc:`4975#section-7.3.2`)."""
        start = max(0, byte_range.start - 1)
        stop = self.chunker.offset if byte_range.end is None else byte_range.end
        if start < stop:
            self.confirmed.remove(start, stop)
            self.reported.remove(start, stop)

    def resume(self, *, from_the_start: bool = False) -> None:
        """Go back to what has to be sent again on another session.

        That is what begins at the first octet of which nobody has said that it
        arrived.  If all have, only the report of that is missing, and the last
        octets ask for it once more.

        Whether the far end still has what came before, no response says: it speaks
        of one chunk.  So the rest asks for a success report, which speaks of the
        whole message (:rfc:`4975#section-7.1.2`), also if nobody else wants one.

        Args:
            from_the_start: Whether to send everything again, as nothing that has
                arrived is still there.

        Raises:
            LocalProtocolError: The source can give its octets only once.
        """
        if from_the_start:
            self._confirmed = None
        # What was reported on another session, somebody else may have received.
        self._reported, self._heard = None, False
        at, sent = self.confirmed.prefix, self.chunker.offset
        if self.state is _SENT and at >= sent:
            at = max(0, sent - MAX_NUMERIC_CHUNK)
        self._step(_RESUME)
        self.unanswered = 0
        self.resumed = at > 0
        if self.resumed:
            self.chunker.ask_for_report()
        self.chunker.seek(at)

    def _has_arrived(self, start: int, stop: int) -> None:
        self.reported.add(start, stop)
        self.acknowledged(start, stop)

    def fail(self, error: DeliveryError) -> bool:
        """Become failed, unless it is over; tell whether that happened now.

        What counted as delivered since nobody had said otherwise still may.
        """
        if self.finished and not self._may_yet_fail:
            return False
        self.error = error
        self._step(_FAIL)
        return True

    def _step(self, step: _Step) -> None:
        self.state = NEXT[self.state, step]
