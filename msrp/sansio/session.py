"""One MSRP session: what both parties have agreed on, and the messages in it.

A session has no wire of its own.  It is carried by a
:class:`~msrp.sansio.stream.Stream`, which finds it by the To-Path of what arrives
and asks it for chunks when there is room to send; several may share one.

A session whose connection is lost is over, and all that is in it, unless
:attr:`~msrp.config.SessionConfig.recovery_time` says otherwise: then it keeps what
isn't finished until another session, with the paths of a new SDP exchange, takes
its place (:meth:`Session.replace`).  Messages keep their ids across sessions, in
both directions, so that none gets lost and none is shown twice
(:rfc:`4975#section-5.4`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from msrp.config import SessionConfig
from msrp.errors import (
    CloseReason,
    DeliveryError,
    FailureReported,
    LocalProtocolError,
    MessageAborted,
    MsrpError,
    RequestRefused,
    ResponseTimeout,
    SessionClosed,
    SessionEnded,
)
from msrp.events import (
    BindingFailed,
    ConnectionEstablished,
    ConnectionLost,
    CoreEvent,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageSent,
    ReportReceived,
    SessionOver,
)
from msrp.headers import ContinuationFlag, FailureReport, RequestHead, is_ident
from msrp.sansio.chunk import Chunk, SentChunk
from msrp.sansio.chunker import MAX_NUMERIC_CHUNK, BytesBody
from msrp.sansio.encoder import encode_paths
from msrp.sansio.ids import new_message_id, new_transaction_id
from msrp.sansio.incoming import Incoming
from msrp.sansio.nicknames import read_request
from msrp.sansio.outgoing import Outgoing, OutgoingState
from msrp.sansio.queues import SendQueues
from msrp.sansio.refusals import (
    ENDS_SESSION,
    FATAL,
    NOT_RECEIVED,
    code_of,
    error_of,
    no_session,
)
from msrp.sansio.session_state import NEXT, SessionState, Trigger
from msrp.sansio.shortcut_out import Written, write_chunks, write_lines
from msrp.status import StatusCode, reason_phrase
from msrp.uri import MsrpUri, format_path

if TYPE_CHECKING:
    from msrp.sansio.stream import Stream
    from msrp.sansio.transactions import Transaction

__all__ = ["Session", "SessionState"]

MAX_RELAYED_CHUNK = 10_000
"""Octets of body in a chunk that goes through a relay, whatever is configured: the
relay that is met most often refuses more, and closes the connection."""


# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_NEW, _BINDING, _OPEN, _LOST, _REPLACED, _CLOSED = SessionState
_OK = StatusCode.OK
_END = ContinuationFlag.END
_YES = FailureReport.YES


class Session:
    """The protocol state of one session.

    Args:
        local_uri: The URI that the peer puts into To-Path.
        remote_path: The way to the peer: our relays, and its path from its SDP.
        is_active: Whether we open the connection (:rfc:`6135`).
        config: How to send, and what to take.
        new_id: Makes transaction ids.
    """

    def __init__(
        self,
        local_uri: MsrpUri,
        remote_path: tuple[MsrpUri, ...],
        *,
        is_active: bool,
        config: SessionConfig | None = None,
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        self.local_uri = local_uri
        self.remote_path = remote_path
        self.is_active = is_active
        self.config = config or SessionConfig()
        self.state = _NEW
        self.stream: Stream | None = None
        """The connection that the session is bound to."""
        self.incoming = Incoming(self.config)
        self.from_path = str(local_uri)
        self.to_path = format_path(remote_path)
        self.refused_types: frozenset[str] = frozenset()
        """Kinds of content that the peer answered with 415, see :class:`Outgoing`."""
        self.usual_answer: bytes | None = None
        """What the peer's 200s say between the two places of the transaction id."""
        self._paths: bytes | None = None
        """Both as they are written, once something was: many sessions are silent."""
        self._chunk_size, window = self.config.chunk_size, self.config.window
        if len(remote_path) > 1:
            wish = self._chunk_size or MAX_RELAYED_CHUNK
            self._chunk_size = min(wish, MAX_RELAYED_CHUNK)
            relayed = self.config.relayed_window // self._chunk_size
            window = min(window, max(1, relayed))
        self._new_id = new_id
        self._events: list[CoreEvent] = []
        self._messages: dict[str, Outgoing] = {}
        """All that isn't finished, by Message-ID."""
        self._queues = SendQueues(window)
        self._binding: Outgoing | None = None
        self._binding_until: float | None = None
        self._tentative = False
        self._over: tuple[CloseReason, MsrpError | None] | None = None
        self._was_open = False
        self._lost_by: tuple[CloseReason, MsrpError | None] | None = None
        self._given_up: list[Outgoing] = []
        """Half sent when they were given up, with no connection to say so on."""
        self._heir: Session | None = None

    # The application's wishes.

    def send(self, message: Outgoing) -> None:
        """Queue a message; its octets are asked for when the wire takes them.

        Raises:
            SessionClosed: The session is over.
            LocalProtocolError: A message with this id is on its way, or the id isn't
                one; or another session has taken the place of this.
        """
        if self.state is _CLOSED:
            raise self.closed_error()
        if self.state is _REPLACED:
            raise LocalProtocolError("another session has taken the place of this")
        if not is_ident(message.message_id):
            raise LocalProtocolError("malformed Message-ID", section="4975#9")
        if message.message_id in self._messages:
            raise LocalProtocolError("a message with this Message-ID is on its way")
        self._messages[message.message_id] = message
        if self._queues.add(message):
            self._changed()

    def abort(self, message_id: str, problem: str | None = None) -> None:
        """Give up a message; what is left of it won't be sent."""
        message = self._messages.get(message_id)
        if message is not None:
            self._fail(message, MessageAborted(message_id, problem))

    def events_received(self) -> list[CoreEvent]:
        """Return what happened, oldest first, and forget it."""
        events, self._events = self._events, []
        return events

    def closed_error(self) -> SessionClosed:
        """Return what to raise for a wish that comes after the end."""
        assert self._over is not None
        reason, cause = self._over
        if isinstance(cause, SessionClosed):
            return cause
        error = SessionClosed(reason)
        error.__cause__ = cause
        return error

    @property
    def unfinished(self) -> int:
        """How many messages are not yet known to have arrived."""
        return len(self._messages)

    @property
    def was_open(self) -> bool:
        """Whether it, or a session whose place it took, ever could carry messages."""
        return self._was_open

    # Its replacement.

    @property
    def latest(self) -> Session:
        """The one that goes on with what was begun here, after all replacements."""
        session = self
        while session._heir is not None:
            session = session._heir
        return session

    def replace(
        self, lost: Session, now: float, *, from_the_start: bool = False
    ) -> None:
        """Take the place of a session and go on with what is left of it.

        Messages of ours that aren't known to have arrived are sent on under their
        ids; what the peer has half sent may go on here; and what it sends twice
        is known.  The first session, should it be open, ends without a word; but what
        the peer sends there, as it moves later than we do, comes in here.

        A message that goes on in the middle has arrived when the peer reports so of
        all its octets.  If that report is missing as long as a response may be, the
        peer has forgotten the first part, and the message fails.

        Args:
            lost: The session that was there before.
            now: The time.
            from_the_start: Whether messages of ours go back to their first octet.

        Raises:
            LocalProtocolError: That session is over, or has never been open.
        """
        assert self.state is _NEW
        if lost.state is _CLOSED or not lost.was_open:
            raise LocalProtocolError("there is no open or lost session to replace")
        lost.let_go()
        lost._step(Trigger.REPLACE)
        lost._heir = self
        self._was_open = True
        self._lost_by = lost._lost_by
        self._given_up = lost._given_up
        self.refused_types = lost.refused_types
        self.incoming = lost.incoming
        self.incoming.carried_on(self.config, now)
        self._events = lost.events_received()
        self._messages, lost._messages = lost._messages, {}
        for message in list(self._messages.values()):
            self._resume(message, from_the_start)

    def let_go(self) -> None:
        """Be without a connection, and tell nobody; nothing if that is so already."""
        if self.state in (_NEW, _BINDING, _OPEN):
            self._step(Trigger.LOSE)
            self._binding = self._binding_until = None
            self._leave_stream()

    def give_up(self) -> None:
        """End a lost session, for the reason that it was lost for."""
        self.end(*(self._lost_by or (CloseReason.LOST, None)))

    def _resume(self, message: Outgoing, from_the_start: bool) -> None:
        try:
            message.resume(from_the_start=from_the_start)
        except LocalProtocolError as error:
            self._fail(message, MessageAborted(message.message_id, str(error)))
        else:
            self._queues.add(message)

    # What its stream tells it.

    def open_actively(
        self, stream: Stream, now: float, *, tentative: bool = False
    ) -> None:
        """Queue the first, empty SEND, which tells the peer who has connected.

        Args:
            stream: The connection.
            now: The time.
            tentative: As for :meth:`~msrp.sansio.stream.Stream.attach`.
        """
        self.stream = stream
        self._tentative = tentative
        self._step(Trigger.OPEN_ACTIVELY)
        binding = Outgoing(new_message_id(), None, BytesBody(b""), new_id=self._new_id)
        self._binding = binding
        self._binding_until = now + self.config.binding_patience
        self._queues.add_first(binding)
        self._changed()

    def bound(self) -> None:
        """Note that the peer knows, or has shown, which session this is."""
        if self.state in (_NEW, _BINDING):
            self._step(Trigger.BOUND)
            self._was_open = True
            self._lost_by = None
            self._binding_until = None
            self.tell(ConnectionEstablished(not self.is_active, self.remote_path))
            given_up, self._given_up = self._given_up, []
            assert self.stream is not None, "that is where the peer has shown it"
            for message in given_up:
                self.stream.cut_short(self, message)

    def tell(self, event: CoreEvent) -> None:
        """Add to what happened."""
        # Else the stream knows already that there is something to ask for.
        if not self._events and self.stream is not None:
            self.stream.session_changed(self)
        self._events.append(event)

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
        if self.state is not _OPEN:
            return None
        paths = self._paths = self._paths or encode_paths(self.to_path, self.from_path)
        size = self._chunk_size or MAX_NUMERIC_CHUNK
        if self._queues.has_only_lines:
            limit = min(size, MAX_NUMERIC_CHUNK)
            written = write_lines(self, self._queues, paths, limit, most, budget)
            self._tell_all(
                [MessageSent(each.message.message_id) for each in written.sent]
            )
        elif self._chunk_size is not None and size <= MAX_NUMERIC_CHUNK:
            written = write_chunks(self, self._queues, paths, size, most, budget)
        else:
            return None
        if not written.sent:
            return None
        assert self.stream is not None, "an open session has one"
        self.stream.writer.transactions.begin_many(written.sent, now)
        return written

    def next_chunk(self) -> tuple[Outgoing, Chunk] | None:
        """Choose whose turn it is and begin its next chunk; ``None`` if nobody's."""
        size, to, from_ = self._chunk_size, self.to_path, self.from_path
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
        if self.state is _OPEN:
            return self._queues.candidates()
        # Until the peer knows the session, only what tells it of that goes out.
        first = self._queues.first if self.state is _BINDING else None
        return [first] if first is not None and first is self._binding else []

    def chunk_written(self, message: Outgoing, chunk: Chunk) -> None:
        """Note that the end-line of a chunk is out."""
        if message.finished or self.state in (_LOST, _REPLACED):
            return
        if chunk.flag is _END:
            self._queues.remove(message)
            message.all_written()
            if message is not self._binding:
                self.tell(MessageSent(message.message_id))
            self._confirm(message)
        else:
            self._queues.turn_over(message)

    def response_received(
        self, message: Outgoing, code: int, chunk: Chunk | SentChunk | None = None
    ) -> None:
        """Take in the answer to one chunk of a message (:rfc:`4975#section-7.3.2`)."""
        self._answered(message)
        if message is self._binding:
            self._binding_answered(code)
            return
        if code == _OK:
            self._accepted(message, chunk)
            return
        error = RequestRefused(message.message_id, code, reason_phrase(code))
        self._failed_with(message, code, error)

    def chunks_accepted(self, transactions: Iterable[Transaction]) -> None:
        """Take in the 200s to some chunks, as :meth:`response_received` does each."""
        queues = self._queues
        for each in transactions:
            message = each.message
            queues.answered(message)
            if message is self._binding:
                self._binding_answered(_OK)
            else:
                self._accepted(message, each.chunk)
        self._has_room()

    def response_missing(self, message: Outgoing) -> None:
        """Note that a chunk was not answered, or a message not reported, in time."""
        self._answered(message)
        if message is not self._binding:
            self._fail(message, ResponseTimeout(message.message_id))
        elif self.state is _BINDING:
            error = no_session("the peer never answered")
            self._not_bound_here(CloseReason.LOST, error)

    def report_received(self, head: RequestHead) -> None:
        """Take in a REPORT (:rfc:`4975#section-7.3.2`).

        One that says of certain octets that they weren't received speaks of the
        path to the peer: the session is lost, and those octets are sent again on
        the one that takes its place.  Any other failure is the message's own.
        """
        if head.message_id is None or head.status is None:
            return
        message = self._messages.get(head.message_id)
        self.tell(ReportReceived(head.message_id, head.byte_range, head.status))
        if head.status.namespace != "000":
            return
        code = head.status.code
        if message is None:
            binding = self._binding
            if binding is not None and head.message_id == binding.message_id:
                self._binding_reported(code)
            return
        if code == _OK:
            message.success_reported(head.byte_range)
            self._confirm(message)
        else:
            error = FailureReported(message.message_id, code, reason_phrase(code))
            if head.byte_range is None or code not in NOT_RECEIVED:
                self._failed_with(message, code, error)
                return
            if self.config.recovery_time > 0:
                message.not_received(head.byte_range)
            else:
                self._fail(message, error_of(message, code, error))
            self.lose(CloseReason.LOST, error)

    def request_received(self, head: RequestHead) -> int:
        """Take in what is neither SEND nor REPORT, and return the code to answer."""
        if head.method != "NICKNAME" or not self.config.takes_nicknames:
            return StatusCode.UNKNOWN_METHOD
        asked = read_request(head)
        if asked is None:
            return StatusCode.NICKNAME_MALFORMED
        self.tell(asked)
        return _OK

    def late_report_received(self, head: RequestHead) -> list[CoreEvent]:
        """Return what a REPORT says on a connection that the session has left.

        What isn't finished has been sent again since, and will be reported again; it
        may even have gone to somebody else.
        """
        if head.message_id is None or head.status is None:
            return []
        if head.message_id in self.latest._messages:
            return []
        return [ReportReceived(head.message_id, head.byte_range, head.status)]

    def disconnected(
        self, reason: CloseReason, error: MsrpError | None, *, broken: bool
    ) -> None:
        """Be told that there is no connection any more.

        Args:
            reason: Who ended it.
            error: Why, when it wasn't in good order.
            broken: Whether the transport is to blame, and neither party.
        """
        if self.state in (_NEW, _BINDING):
            self._not_bound_here(reason, error)
            return
        # Who closes while something is under way has not ended the session.
        unconfirmed = bool(self._messages) or self.incoming.unfinished
        # Nor has a relay, which can't speak for the peer.
        relayed = len(self.remote_path) > 1
        if broken and (reason is CloseReason.LOST or unconfirmed or relayed):
            self.lose(reason, error)
        else:
            self.end(reason, error)

    def not_bound(self, reason: CloseReason, error: MsrpError | None) -> None:
        """End the attempt to open a session; what it was to replace stays lost."""
        if self._was_open and reason is not CloseReason.BY_US:
            self.lose(reason, error)
        else:
            self.end(reason, error)

    def lose(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        """Be without a connection, and keep what isn't finished for another session.

        Without a ``recovery_time`` this is the end.
        """
        if self.config.recovery_time <= 0:
            self.end(reason, error)
        if self.state in (_CLOSED, _REPLACED):
            return
        self._lost_by = self._lost_by or (reason, error)
        self.tell(ConnectionLost(error or SessionClosed(reason), tuple(self._messages)))
        self.let_go()

    def end(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        """Be over; every message that isn't known to have arrived fails."""
        if self.state in (_CLOSED, _REPLACED):
            return
        self._step(Trigger.END)
        self._over = (reason, error)
        self._queues.clear()
        for message in list(self._messages.values()):
            self._fail(message, SessionEnded(message.message_id))
        self._tell_all(self.incoming.give_up_all("the session ended"))
        self.tell(SessionOver(reason, error, self._was_open))
        self._leave_stream()

    # The clock.

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        until, stale = self._binding_until, self.incoming.next_timeout()
        if until is None or stale is None:
            return stale if until is None else until
        return min(until, stale)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        if self._binding_until is not None and self._binding_until <= now:
            # Some stacks never answer an empty SEND; it shall not fill the window.
            assert self._binding is not None
            self._answered(self._binding)
            self.bound()
        self._tell_all(self.incoming.stale(now))

    # Inside.

    def _tell_all(self, events: Sequence[CoreEvent]) -> None:
        if events:
            self.tell(events[0])
            self._events += events[1:]

    def _changed(self) -> None:
        """Have the stream look here again: for events, and for octets to send."""
        if self.stream is not None:
            self.stream.session_changed(self)

    def _answered(self, message: Outgoing) -> None:
        self._queues.answered(message)
        self._has_room()

    def _has_room(self) -> None:
        """Note that there is room in the window again."""
        if self._queues and self.stream is not None:
            self.stream.writer.may_send(self)

    def _binding_answered(self, code: int) -> None:
        if code in FATAL:
            words = f"the peer refused the session with {code} ({reason_phrase(code)})"
            self._not_bound_here(CloseReason.BY_THEM, no_session(words))
        else:
            self.bound()

    def _binding_reported(self, code: int) -> None:
        """Hear from behind a relay, which had taken the first SEND for its part."""
        if code in FATAL:
            words = f"the peer refused the session with {code} ({reason_phrase(code)})"
            self.end(CloseReason.BY_THEM, no_session(words))

    def _not_bound_here(self, reason: CloseReason, error: MsrpError | None) -> None:
        """Leave a connection on which the session could not be opened."""
        tentative = self._tentative and self.state is _BINDING
        if not tentative or reason is CloseReason.BY_US:
            self.not_bound(reason, error)
            return
        self._step(Trigger.GO_BACK)
        assert self._binding is not None
        self._queues.remove(self._binding)
        self._binding = self._binding_until = None
        self._queues.none_unanswered()  # Nothing else was sent before it.
        self.tell(BindingFailed(error))
        self._leave_stream()

    def _leave_stream(self) -> None:
        if self.stream is not None:
            self.stream.session_ended(self)
            self.stream = None

    def _accepted(self, message: Outgoing, chunk: Chunk | SentChunk | None) -> None:
        self._confirm(message)
        if chunk is not None and chunk.finished and not message.finished:
            # A relay answers for itself only.
            if len(self.remote_path) == 1:
                message.acknowledged(chunk.start, chunk.stop)

    def _confirm(self, message: Outgoing) -> None:
        if message.confirm() and message is not self._binding:
            del self._messages[message.message_id]
            self.tell(MessageDelivered(message.message_id))

    def _failed_with(self, message: Outgoing, code: int, error: DeliveryError) -> None:
        error = error_of(message, code, error)
        if code == StatusCode.UNSUPPORTED_MEDIA_TYPE and message.kind:
            self.refused_types |= {message.kind}
        self._fail(message, error)
        if code in ENDS_SESSION:
            self.end(CloseReason.BY_THEM, error)

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
        if waited_for and self.stream is not None:
            self.stream.cut_short(self, message)
        elif half_known and self.state is not _CLOSED:
            self._given_up.append(message)
        self.tell(
            MessageDeliveryFailed(message.message_id, code_of(error), str(error), error)
        )

    def _step(self, trigger: Trigger) -> None:
        self.state = NEXT[self.state, trigger]
