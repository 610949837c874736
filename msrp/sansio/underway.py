"""The messages of one session that are on their way out (:rfc:`4975#section-7.1`).

Here it is decided whose octets go next, and what responses and reports mean for the
messages that they speak of.  A message is here until it is known what has become of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msrp.errors import (
    CloseReason,
    DeliveryError,
    FailureReported,
    LocalProtocolError,
    MessageAborted,
    RequestRefused,
    ResponseTimeout,
    SessionEnded,
)
from msrp.events import (
    MessageDelivered,
    MessageDeliveryFailed,
    MessageSent,
    ReportReceived,
)
from msrp.headers import ContinuationFlag, FailureReport, RequestHead
from msrp.sansio.chunk import Chunk, SentChunk
from msrp.sansio.chunker import MAX_NUMERIC_CHUNK
from msrp.sansio.encoder import encode_paths
from msrp.sansio.outgoing import Outgoing, OutgoingState
from msrp.sansio.queues import SendQueues
from msrp.sansio.refusals import ENDS_SESSION, NOT_RECEIVED, code_of, error_of
from msrp.sansio.session_state import SessionState
from msrp.sansio.shortcut_out import Written, write_chunks, write_lines
from msrp.status import StatusCode, reason_phrase

if TYPE_CHECKING:
    from msrp.sansio.session import Session
    from msrp.sansio.transactions import Transaction

__all__ = ["Underway"]

MAX_RELAYED_CHUNK = 10_000
"""Octets of body in a chunk that goes through a relay, whatever is configured: the
relay that is met most often refuses more, and closes the connection."""

# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_BINDING, _OPEN = SessionState.BINDING, SessionState.OPEN
_LOST, _REPLACED = SessionState.LOST, SessionState.REPLACED
_CLOSED = SessionState.CLOSED
_OK = StatusCode.OK
_END = ContinuationFlag.END
_YES = FailureReport.YES


class Underway:
    """What one session has to send, and what isn't known to have arrived.

    Args:
        session: The session; its config and its paths are there already.
    """

    __slots__ = (
        "_chunk_size",
        "_given_up",
        "_messages",
        "_paths",
        "_queues",
        "_session",
        "binding",
        "refused_types",
        "usual_answer",
    )

    def __init__(self, session: Session) -> None:
        self._session = session
        self.refused_types: frozenset[str] = frozenset()
        """Kinds of content that the peer answered with 415, see :class:`Outgoing`."""
        self.usual_answer: bytes | None = None
        """What the peer's 200s say between the two places of the transaction id."""
        self.binding: Outgoing | None = None
        """The first, empty SEND of who has connected."""
        self._messages: dict[str, Outgoing] = {}
        """All that isn't finished, by Message-ID; but not the first SEND."""
        self._given_up: list[Outgoing] = []
        """Half sent when they were given up, with no connection to say so on."""
        self._paths: bytes | None = None
        """Both as they are written, once something was: many sessions are silent."""
        config, window = session.config, session.config.window
        self._chunk_size = config.chunk_size
        if len(session.remote_path) > 1:
            wish = self._chunk_size or MAX_RELAYED_CHUNK
            self._chunk_size = min(wish, MAX_RELAYED_CHUNK)
            relayed = config.relayed_window // self._chunk_size
            window = min(window, max(1, relayed))
        self._queues = SendQueues(window)

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[str]:
        """Give the Message-IDs."""
        return iter(self._messages)

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._messages

    # What its session asks for.

    def add(self, message: Outgoing) -> None:
        """Queue a message.

        Raises:
            LocalProtocolError: A message with this id is on its way.
        """
        if message.message_id in self._messages:
            raise LocalProtocolError("a message with this Message-ID is on its way")
        self._messages[message.message_id] = message
        if self._queues.add(message):
            self._changed()

    def abort(self, message_id: str, problem: str | None) -> None:
        """Give up a message; what is left of it won't be sent."""
        message = self._messages.get(message_id)
        if message is not None:
            self._fail(message, MessageAborted(message_id, problem))

    def bind(self, binding: Outgoing) -> None:
        """Send this before all else, and nothing else until it is answered."""
        self.binding = binding
        self._queues.add_first(binding)
        self._changed()

    def unbind(self) -> None:
        """Take back the first SEND, before which nothing else was sent."""
        assert self.binding is not None
        self._queues.remove(self.binding)
        self._queues.none_unanswered()
        self.binding = None

    def binding_overdue(self) -> None:
        """Wait no more for the answer to the first SEND, lest it fill the window."""
        assert self.binding is not None
        self._answered(self.binding)

    def tell_given_up(self) -> None:
        """Tell the peer what it will hear no more of, now that it can be told."""
        given_up, self._given_up = self._given_up, []
        for message in given_up:
            self._cut_short(message)

    def go_on_with(self, lost: Underway, *, from_the_start: bool) -> None:
        """Send what is left of another session, in the place of which this one is.

        Args:
            lost: Its messages, which leave it.
            from_the_start: Whether they go back to their first octet.
        """
        self._given_up = lost._given_up
        self.refused_types = lost.refused_types
        self._messages, lost._messages = lost._messages, {}
        for message in list(self._messages.values()):
            self._resume(message, from_the_start)

    def _resume(self, message: Outgoing, from_the_start: bool) -> None:
        try:
            message.resume(from_the_start=from_the_start)
        except LocalProtocolError as error:
            self._fail(message, MessageAborted(message.message_id, str(error)))
        else:
            self._queues.add(message)

    def end(self) -> None:
        """Have all fail that aren't known to have arrived: the session is over."""
        self._queues.clear()
        for message in list(self._messages.values()):
            self._fail(message, SessionEnded(message.message_id))

    # What the writer asks for.

    def write_at_once(self, most: int, budget: int, now: float) -> Written | None:
        """Write what can go the short way out, see :mod:`~msrp.sansio.shortcut_out`.

        For the long one, see :meth:`next_chunk`.

        Args:
            most: How many chunks at most.
            budget: How many octets, about.
            now: The time.

        Returns:
            ``None`` if what is next has to go the long way.
        """
        session, queues = self._session, self._queues
        if session.state is not _OPEN:
            return None
        if self._paths is None:
            self._paths = encode_paths(session.to_path, session.from_path)
        paths, size = self._paths, self._chunk_size or MAX_NUMERIC_CHUNK
        if queues.has_only_lines:
            limit = min(size, MAX_NUMERIC_CHUNK)
            written = write_lines(session, queues, paths, limit, most, budget)
            session.tell_all(
                [MessageSent(each.message.message_id) for each in written.sent]
            )
        elif self._chunk_size is not None and size <= MAX_NUMERIC_CHUNK:
            written = write_chunks(session, queues, paths, size, most, budget)
        else:
            return None
        if not written.sent:
            return None
        assert session.stream is not None, "an open session has one"
        session.stream.writer.transactions.begin_many(written.sent, now)
        return written

    def next_chunk(self) -> tuple[Outgoing, Chunk] | None:
        """Choose whose turn it is and begin its next chunk; ``None`` if nobody's."""
        size = self._chunk_size
        to, from_ = self._session.to_path, self._session.from_path
        for message in self._candidates():
            try:
                chunk = message.chunker.next_chunk(to, from_, size)
            except LocalProtocolError as error:
                self._fail(message, MessageAborted(message.message_id, str(error)))
                return self.next_chunk()  # The next in line may go now.
            if chunk is not None:
                message.begin()
                answered = message.failure_report is _YES
                self._queues.begun(message, answered=answered)
                return message, chunk
        return None

    @property
    def has_queued(self) -> bool:
        """Whether a message has octets that may go now or later."""
        return bool(self._queues)

    def wants_to_send(self, besides: Outgoing | None = None) -> bool:
        """Tell whether another message has octets that may go now."""
        return any(message is not besides for message in self._candidates())

    def _candidates(self) -> list[Outgoing]:
        state = self._session.state
        if state is _OPEN:
            return self._queues.candidates()
        # Until the peer knows the session, only what tells it of that goes out.
        first = self._queues.first if state is _BINDING else None
        return [first] if first is not None and first is self.binding else []

    def chunk_written(self, message: Outgoing, chunk: Chunk) -> None:
        """Note that the end-line of a chunk is out."""
        if message.finished or self._session.state in (_LOST, _REPLACED):
            return
        if chunk.flag is _END:
            self._queues.remove(message)
            message.all_written()
            if message is not self.binding:
                self._session.tell(MessageSent(message.message_id))
            self._confirm(message)
        else:
            self._queues.turn_over(message)

    # What is heard of them.

    def response_received(
        self, message: Outgoing, code: int, chunk: Chunk | SentChunk | None = None
    ) -> None:
        """Take in the answer to one chunk of a message (:rfc:`4975#section-7.3.2`)."""
        self._answered(message)
        if message is self.binding:
            self._session.binding_answered(code)
            return
        if code == _OK:
            self._confirm(message)
            if chunk is not None:
                self._acknowledged(message, chunk)
            return
        error = RequestRefused(message.message_id, code, reason_phrase(code))
        self._failed_with(message, code, error)

    def chunks_accepted(self, transactions: Iterable[Transaction]) -> None:
        """Take in the 200s to some chunks, as :meth:`response_received` does each."""
        session, queues = self._session, self._queues
        delivered: list[MessageDelivered] = []
        for each in transactions:
            message, chunk = each.message, each.chunk
            queues.answered(message)
            if message is self.binding:
                session.binding_answered(_OK)  # Nothing else was sent before it.
            elif message.confirm():
                del self._messages[message.message_id]
                delivered.append(MessageDelivered(message.message_id))
            if chunk is not None:
                self._acknowledged(message, chunk)
        session.tell_all(delivered)
        self._has_room()

    def response_missing(self, message: Outgoing) -> None:
        """Note that a chunk was not answered, or a message not reported, in time."""
        self._answered(message)
        if message is self.binding:
            self._session.binding_unanswered()
        else:
            self._fail(message, ResponseTimeout(message.message_id))

    def report_received(self, head: RequestHead) -> None:
        """Take in a REPORT (:rfc:`4975#section-7.3.2`).

        One that says of certain octets that they weren't received speaks of the
        path to the peer: the session is lost, and those octets are sent again on
        the one that takes its place.  Any other failure is the message's own.
        """
        if head.message_id is None or head.status is None:
            return
        session, message = self._session, self._messages.get(head.message_id)
        session.tell(ReportReceived(head.message_id, head.byte_range, head.status))
        if head.status.namespace != "000":
            return
        code = head.status.code
        if message is None:
            binding = self.binding
            if binding is not None and head.message_id == binding.message_id:
                session.binding_reported(code)
            return
        if code == _OK:
            message.success_reported(head.byte_range)
            self._confirm(message)
        else:
            error = FailureReported(message.message_id, code, reason_phrase(code))
            if head.byte_range is None or code not in NOT_RECEIVED:
                self._failed_with(message, code, error)
                return
            if session.config.recovery_time > 0:
                message.not_received(head.byte_range)
            else:
                self._fail(message, error_of(message, code, error))
            session.lose(CloseReason.LOST, error)

    # Inside.

    def _changed(self) -> None:
        """Have the stream look here again: for events, and for octets to send."""
        if self._session.stream is not None:
            self._session.stream.session_changed(self._session)

    def _answered(self, message: Outgoing) -> None:
        self._queues.answered(message)
        self._has_room()

    def _has_room(self) -> None:
        """Note that there is room in the window again."""
        stream = self._session.stream
        if self._queues and stream is not None:
            stream.writer.may_send(self._session)

    def _acknowledged(self, message: Outgoing, chunk: Chunk | SentChunk) -> None:
        if chunk.finished and not message.finished:
            # A relay answers for itself only.
            if len(self._session.remote_path) == 1:
                message.acknowledged(chunk.start, chunk.stop)

    def _confirm(self, message: Outgoing) -> None:
        if message.confirm() and message is not self.binding:
            del self._messages[message.message_id]
            self._session.tell(MessageDelivered(message.message_id))

    def _failed_with(self, message: Outgoing, code: int, error: DeliveryError) -> None:
        error = error_of(message, code, error)
        if code == StatusCode.UNSUPPORTED_MEDIA_TYPE and message.kind:
            self.refused_types |= {message.kind}
        self._fail(message, error)
        if code in ENDS_SESSION:
            self._session.end(CloseReason.BY_THEM, error)

    def _fail(self, message: Outgoing, error: DeliveryError) -> None:
        half_sent = message.state is OutgoingState.SENDING
        # What was written when the connection broke may have arrived in part.
        half_known = half_sent or message.state is OutgoingState.SENT
        if not message.fail(error):
            return
        if self._messages.get(message.message_id) is message:
            del self._messages[message.message_id]
        self._queues.remove(message)
        # And what goes on in the middle, and isn't reported, waits for its beginning.
        waited_for = half_sent or (half_known and message.resumed)
        if waited_for and self._session.stream is not None:
            self._cut_short(message)
        elif half_known and self._session.state is not _CLOSED:
            self._given_up.append(message)
        self._session.tell(
            MessageDeliveryFailed(message.message_id, code_of(error), str(error), error)
        )

    def _cut_short(self, message: Outgoing) -> None:
        stream = self._session.stream
        assert stream is not None, "else it is told on the next one"
        stream.cut_short(self._session, message)
