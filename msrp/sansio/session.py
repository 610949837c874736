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

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msrp.config import SessionConfig
from msrp.errors import (
    CloseReason,
    LocalProtocolError,
    MsrpError,
    SessionClosed,
)
from msrp.events import (
    BindingFailed,
    ConnectionEstablished,
    ConnectionLost,
    CoreEvent,
    ReportReceived,
    SessionOver,
)
from msrp.headers import RequestHead
from msrp.sansio.chunker import BytesBody
from msrp.sansio.ids import new_transaction_id
from msrp.sansio.incoming import Incoming
from msrp.sansio.nicknames import read_request
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.refusals import (
    FATAL,
    no_session,
)
from msrp.sansio.session_state import NEXT, SessionState, Trigger
from msrp.sansio.underway import Underway
from msrp.status import StatusCode, reason_phrase
from msrp.uri import MsrpUri, format_path

if TYPE_CHECKING:
    from msrp.sansio.stream import Stream

__all__ = ["Session", "SessionState"]

# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_NEW, _BINDING, _OPEN, _LOST, _REPLACED, _CLOSED = SessionState
_OK = StatusCode.OK


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
        self.from_path = str(local_uri)
        self.to_path = format_path(remote_path)
        self.incoming = Incoming(self.config)
        """The peer's messages."""
        self.underway = Underway(self)
        """Ours."""
        self._new_id = new_id
        self._events: list[CoreEvent] = []
        self._binding_until: float | None = None
        self._tentative = False
        self._over: tuple[CloseReason, MsrpError | None] | None = None
        self._was_open = False
        self._lost_by: tuple[CloseReason, MsrpError | None] | None = None
        self._heir: Session | None = None

    # The application's wishes.

    def send(self, message: Outgoing) -> None:
        """Queue a message; its octets are asked for when the wire takes them.

        Raises:
            SessionClosed: The session is over.
            LocalProtocolError: A message with this id is on its way, or another
                session has taken the place of this.
        """
        if self.state is _CLOSED:
            raise self.closed_error()
        if self.state is _REPLACED:
            raise LocalProtocolError("another session has taken the place of this")
        self.underway.add(message)

    def abort(self, message_id: str, problem: str | None = None) -> None:
        """Give up a message; what is left of it won't be sent."""
        self.underway.abort(message_id, problem)

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
        return len(self.underway)

    @property
    def refused_types(self) -> frozenset[str]:
        """Kinds of content that the peer answered with 415, see :class:`Outgoing`."""
        return self.underway.refused_types

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
        self.incoming = lost.incoming
        self.incoming.carried_on(self.config, now)
        self._events = lost.events_received()
        self.underway.go_on_with(lost.underway, from_the_start=from_the_start)

    def let_go(self) -> None:
        """Be without a connection, and tell nobody; nothing if that is so already."""
        if self.state in (_NEW, _BINDING, _OPEN):
            self._step(Trigger.LOSE)
            self.underway.binding = self._binding_until = None
            self._leave_stream()

    def give_up(self) -> None:
        """End a lost session, for the reason that it was lost for."""
        self.end(*(self._lost_by or (CloseReason.LOST, None)))

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
        self._binding_until = now + self.config.binding_patience
        self.underway.bind(Outgoing(None, None, BytesBody(b""), new_id=self._new_id))

    def bound(self) -> None:
        """Note that the peer knows, or has shown, which session this is."""
        if self.state in (_NEW, _BINDING):
            self._step(Trigger.BOUND)
            self._was_open = True
            self._lost_by = None
            self._binding_until = None
            self.tell(ConnectionEstablished(not self.is_active, self.remote_path))
            self.underway.tell_given_up()

    def tell(self, event: CoreEvent) -> None:
        """Add to what happened."""
        # Else the stream knows already that there is something to ask for.
        if not self._events and self.stream is not None:
            self.stream.session_changed(self)
        self._events.append(event)

    def tell_all(self, events: Sequence[CoreEvent]) -> None:
        """Add some things that happened one after the other."""
        if events:
            self.tell(events[0])
            self._events += events[1:]

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
        if head.message_id in self.latest.underway:
            return []
        return [ReportReceived(head.message_id, head.byte_range, head.status)]

    # What becomes of the first SEND.

    def binding_answered(self, code: int) -> None:
        """Take in the answer to the first SEND."""
        if code in FATAL:
            words = f"the peer refused the session with {code} ({reason_phrase(code)})"
            self._not_bound_here(CloseReason.BY_THEM, no_session(words))
        else:
            self.bound()

    def binding_unanswered(self) -> None:
        """Note that the peer has not answered the first SEND in time."""
        if self.state is _BINDING:
            error = no_session("the peer never answered")
            self._not_bound_here(CloseReason.LOST, error)

    def binding_reported(self, code: int) -> None:
        """Hear from behind a relay, which had taken the first SEND for its part."""
        if code in FATAL:
            words = f"the peer refused the session with {code} ({reason_phrase(code)})"
            self.end(CloseReason.BY_THEM, no_session(words))

    # Its end.

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
        unconfirmed = bool(self.unfinished) or self.incoming.unfinished
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
        unfinished = tuple(self.underway)
        self.tell(ConnectionLost(error or SessionClosed(reason), unfinished))
        self.let_go()

    def end(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        """Be over; every message that isn't known to have arrived fails."""
        if self.state in (_CLOSED, _REPLACED):
            return
        self._step(Trigger.END)
        self._over = (reason, error)
        self.underway.end()
        self.tell_all(self.incoming.give_up_all("the session ended"))
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
            self.underway.binding_overdue()
            self.bound()
        self.tell_all(self.incoming.stale(now))

    # Inside.

    def _not_bound_here(self, reason: CloseReason, error: MsrpError | None) -> None:
        """Leave a connection on which the session could not be opened."""
        tentative = self._tentative and self.state is _BINDING
        if not tentative or reason is CloseReason.BY_US:
            self.not_bound(reason, error)
            return
        self._step(Trigger.GO_BACK)
        self._binding_until = None
        self.underway.unbind()
        self.tell(BindingFailed(error))
        self._leave_stream()

    def _leave_stream(self) -> None:
        if self.stream is not None:
            self.stream.session_ended(self)
            self.stream = None

    def _step(self, trigger: Trigger) -> None:
        self.state = NEXT[self.state, trigger]
