"""One connection: octets and time in, octets and events out.

The machine is driven by three things: the application (:meth:`Stream.attach`, and
the verbs of each :class:`~msrp.sansio.session.Session`), the wire
(:meth:`Stream.receive_data`, :meth:`Stream.receive_eof`,
:meth:`Stream.data_to_send`) and the clock (:meth:`Stream.handle_timeout`).  It does
no I/O of its own and never raises on the peer's account.

A connection belongs to no address and to no session: what arrives is given to the
session that its To-Path names (:rfc:`4975#section-5.4`), and those that have
something to send take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from msrp.config import Limits
from msrp.errors import CloseReason, LimitExceeded, MsrpError, RemoteProtocolError
from msrp.events import CoreEvent
from msrp.sansio.ids import new_transaction_id
from msrp.sansio.inquiries import Inquiries, OnAnswer
from msrp.sansio.left import LeftSessions
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.parser import Parser
from msrp.sansio.receiver import Receiver
from msrp.sansio.session import Session
from msrp.sansio.session_state import SessionState
from msrp.sansio.writer import ANY_NUMBER, Writer
from msrp.uri import MsrpUri

__all__ = ["SessionDirectory", "Stream"]


class SessionDirectory(Protocol):
    """Who may be called on a connection."""

    def find(self, uri: MsrpUri) -> Session | None:
        """Return the session with this local URI, if there is one."""

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether a session with this URI is being negotiated.

        The peer may connect before its answer has reached us.  What it sends is
        then kept unread until :meth:`Stream.retry`.
        """


class Stream:
    """The protocol state of one connection.

    Args:
        directory: Finds the sessions that may be called on it.
        now: The time, in seconds of any clock that doesn't go back.
        limits: Bounds on the peer.
        response_timeout: Seconds until a missing response is a failure.
        on_probation: Whether the peer has opened the connection and must soon
            name a session.
        idle_time: Seconds that it stays open without a session, once there was one;
            by default it is closed at once if we have opened it.
        new_id: Makes transaction ids.
    """

    def __init__(
        self,
        directory: SessionDirectory,
        now: float,
        *,
        limits: Limits | None = None,
        response_timeout: float = 30.0,
        on_probation: bool = False,
        idle_time: float | None = None,
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        self.limits = limits or Limits()
        self.sessions: dict[Session, None] = {}
        """The sessions bound to this connection."""
        self.error: MsrpError | None = None
        """Why the connection is given up, when it wasn't in good order."""
        self.directory = directory
        self.writer = Writer(response_timeout)
        """The sending half."""
        self.inquiries = Inquiries()
        """Requests that belong to no session and wait for an answer."""
        self._receiver = Receiver(self, self.limits.max_head_size, new_id)
        self._by_uri: dict[MsrpUri, Session] = {}
        self._news: dict[Session, None] = {}
        """The sessions in which something may have happened."""
        self._clocked: dict[Session, None] = {}
        """Those in which something may become due."""
        self._shortest = min(self.limits.stall_time, self.limits.max_message_age)
        self._eof = False
        self._over = False
        self._touched = now
        self._probation_until = now + self.limits.probation_time
        self._on_probation = on_probation
        # Who has opened a connection closes it; the other side leaves it open for
        # a while, to answer 481 to what is still under way.
        if idle_time is None:
            idle_time = self.limits.linger if on_probation else 0.0
        self._linger = idle_time
        self._used = False
        self._unheard = False
        """Whether a response is overdue and the peer hasn't said a word since."""
        self._turns_away = False
        """Whether the peer has refused a session because of others here."""
        self._idle_since: float | None = None
        self._paused = False
        self.left = LeftSessions()
        """Sessions that were lost here, or have moved: what the peer still sends to
        them, before it has noticed, is received for those who took their place."""
        self._ended: list[tuple[Session, list[CoreEvent]]] = []

    # The application.

    def attach(self, session: Session, now: float, *, tentative: bool = False) -> None:
        """Open a session from our side, on this new or shared connection.

        Args:
            session: A new one.
            now: The time.
            tentative: Whether it is new again, and nothing is lost, if the peer
                doesn't take it on this connection or closes it: it may then be
                attached to another, see :class:`~msrp.events.BindingFailed`.
        """
        assert session.state is SessionState.NEW
        self._bind(session)
        self._shortest = min(self._shortest, session.config.binding_patience)
        session.open_actively(self, now, tentative=tentative)
        if self._over:
            # It broke since somebody chose it; nothing would ever tell the session.
            session.end(CloseReason.LOST, self.error)

    def ask(
        self, transaction_id: str, octets: bytes, on_answer: OnAnswer, now: float
    ) -> None:
        """Send a request that belongs to no session.

        Args:
            transaction_id: Its transaction id.
            octets: The whole of it.
            on_answer: Is told the answer, or that there won't be any.
            now: The time.
        """
        if self._over:
            on_answer(None)
            return
        deadline = now + self.writer.transactions.timeout
        self.inquiries.begin(transaction_id, on_answer, deadline)
        self.writer.queue(octets)

    def retry(self, now: float) -> None:
        """Go on with what was kept back until a session is there."""
        self._receiver.retry(now)
        self._go_on(now)

    def _go_on(self, now: float) -> None:
        self._check_parser()
        if self._eof:
            self.receive_eof(now)

    def abandon(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        """Give the connection up; all its sessions are over."""
        self._give_up(reason, error, broken=False)

    def connection_lost(self, error: MsrpError) -> None:
        """Note that the transport has failed; its sessions may be recovered."""
        self._give_up(CloseReason.LOST, error, broken=True)

    def _give_up(
        self, reason: CloseReason, error: MsrpError | None, *, broken: bool
    ) -> None:
        if self._over:
            return
        self._over = True
        self.error = error
        for session in list(self.sessions):
            session.disconnected(reason, error, broken=broken)
        self.inquiries.fail_all()

    # The wire.

    def receive_data(self, data: bytes, now: float) -> None:
        """Take in what the transport has read."""
        if self._over:
            return
        self._touched = now
        self._unheard = False
        self._receiver.receive(data, now)
        self._check_parser()

    @property
    def in_long_message(self) -> bool:
        """Whether a chunk is arriving of a message of which much is here already."""
        return self._receiver.in_long_message

    def receive_eof(self, now: float) -> None:
        """Note that the peer will send no more."""
        if self._receiver.held:
            self._eof = True  # What it has sent before comes first.
        elif self._receiver.in_request:
            problem = "the peer closed the connection in the middle of a message"
            self.connection_lost(RemoteProtocolError(problem))
        else:
            self._give_up(CloseReason.BY_THEM, None, broken=True)

    def events_received(self) -> list[tuple[Session, list[CoreEvent]]]:
        """Return what happened in each session, and forget it."""
        told = self._ended
        if not (told or self._news):
            return told
        self._ended = []
        news, self._news = self._news, {}
        for session in news:
            events = session.events_received()
            if events:
                told.append((session, events))
        return told

    def data_to_send(self, budget: int, now: float, chunks: int = ANY_NUMBER) -> bytes:
        """Return octets to write now: whole requests as far as possible.

        Args:
            budget: How many, about.  Call again while the transport takes more.
            now: The time; a response is due 30 s after its request was returned.
            chunks: How many may begin in them, lest the peer wait for the last one
                before it hears of the first.
        """
        return self.writer.data_to_send(budget, now, chunks)

    @property
    def in_long_chunk(self) -> bool:
        """Whether a chunk is being written that is written bit by bit."""
        return self.writer.in_long_chunk

    @property
    def closing(self) -> bool:
        """Whether nothing more will come: write what there is, then close."""
        return self._over

    @property
    def idle(self) -> bool:
        """Whether there were sessions and none is left."""
        return self._used and not self.sessions

    @property
    def takes_another(self) -> bool:
        """Whether one more session may be attached, with a chance to be served."""
        if self._over or self.idle or self._unheard or self._turns_away:
            return False
        return self.has_room

    @property
    def reading_wanted(self) -> bool:
        """Whether the transport should read on.

        Not while the peer lets our responses pile up, nor while what it has sent
        waits for a session that is being negotiated.
        """
        if self._receiver.held:
            return False
        return self.writer.unsent < self.limits.max_unsent_responses

    def pause(self, now: float) -> None:
        """Note that we have stopped reading: nothing of the peer's can be overdue."""
        self._paused = True
        self.writer.transactions.pause(now)
        self.inquiries.pause(now)
        for session in self.sessions:
            session.incoming.pause(now)

    def resume(self, now: float) -> None:
        """Note that we read again."""
        self._paused = False
        self._touched = now
        self.writer.transactions.resume(now)
        self.inquiries.resume(now)
        for session in self.sessions:
            session.incoming.resume(now)

    @property
    def is_holding(self) -> bool:
        """Whether what has been read waits for a session that is negotiated."""
        return self._receiver.held

    def parsers_in_step(self) -> tuple[Parser, Parser]:
        """Return parsers for who wants to read along from now on.

        Returns:
            One for what is received, and one for what is sent.
        """
        half_written = self.writer.half_written
        if half_written is None:
            sent = Parser(self.limits.max_head_size)
        else:
            sent = Parser.in_body(half_written, self.limits.max_head_size)
        return self._receiver.parser, sent

    # The clock.

    @property
    def shortest_wait(self) -> float:
        """Seconds that pass at least from anything that happens until it is due.

        Nothing that starts a clock makes :meth:`next_timeout` come sooner than that.
        """
        if not self.sessions and self._used and self._idle_since is None:
            return 0.0  # Whoever was last here doesn't say when it left.
        return min(self._shortest, self.writer.transactions.timeout)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        if self._over:
            return None
        times = [self.writer.transactions.next_timeout(), self.inquiries.next_timeout()]
        times.append(self.left.next_timeout(self._touched))
        if self._clocked:
            due = {each: each.next_timeout() for each in self._clocked}
            # The others have nothing that time could bring about.
            self._clocked = {each: None for each, at in due.items() if at is not None}
            times += due.values()
        if self._on_probation:
            times.append(self._probation_until)
        if self._receiver.held:
            times.append(self._receiver.held_since + self.limits.probation_time)
        if self.idle:
            times.append(self._idle_until())
        if self._receiver.in_message and not self._paused:
            times.append(self._touched + self.limits.stall_time)
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        for transaction in self.writer.transactions.timed_out(now):
            self._unheard = True
            if not transaction.silent:
                transaction.session.underway.response_missing(transaction.message)
        self.inquiries.handle_timeout(now)
        for session in list(self.sessions):
            session.handle_timeout(now)
        if self._on_probation and self._probation_until <= now:
            problem = "the peer connected but named no session in time"
            self.abandon(CloseReason.LOST, LimitExceeded(problem))
        self._check_held(now)
        self._forgotten(self.left.handle_timeout(now))
        if self.idle:
            self._check_idle(now)
        stalled = self._touched + self.limits.stall_time <= now
        if self._receiver.in_message and not self._paused and stalled:
            # That is what a path looks like which has silently gone.
            problem = "the peer left a message unfinished for too long"
            self.connection_lost(LimitExceeded(problem))

    def _check_held(self, now: float) -> None:
        """Let nobody hold up the sessions that are here by naming one that isn't."""
        held = self._receiver
        if held.held and held.held_since + self.limits.probation_time <= now:
            held.stop_waiting(now)
            self._go_on(now)

    def _idle_until(self) -> float:
        if self._idle_since is None:
            return self._touched  # Look at once: who ends a session doesn't say when.
        return max(self._idle_since, self._touched) + self._linger

    def _check_idle(self, now: float) -> None:
        if self._idle_since is None:
            self._idle_since = now
        if self._idle_until() <= now:
            self.abandon(CloseReason.BY_US)

    def session_at(self, uri: MsrpUri) -> Session | None:
        """Return the session with this local URI, if it is bound here."""
        return self._by_uri.get(uri)

    # What its sessions tell it.

    def session_changed(self, session: Session) -> None:
        """Look there again, for events and for octets to send."""
        self._news[session] = None
        if session.underway.has_queued:
            self.writer.may_send(session)

    def session_ended(self, session: Session) -> None:
        """Let go of a session; its last events are kept for the next look."""
        self.sessions.pop(session, None)
        if self._by_uri.get(session.local_uri) is session:
            del self._by_uri[session.local_uri]
        self._news.pop(session, None)
        self._clocked.pop(session, None)
        self._receiver.forget(session)
        lost = session.state is SessionState.LOST
        if lost:
            self.leave(session)
        elif session.state is SessionState.NEW:
            self._turns_away = True
        self._ended.append((session, session.events_received()))
        self.writer.leave(session, message_goes_on=lost)

    def leave(self, session: Session) -> None:
        """Stop to carry a session without ending its messages.

        What comes for it is received for a while (:rfc:`3264#section-8.3.1`).  No
        relay would send it a second time, nor does anybody who wants no responses.
        """
        self._forgotten(self.left.add(session))
        # The peer may be on its way to another connection, too.  Should this one be
        # closed before it is there, it would take that for the end of the session.
        self._linger = max(self._linger, self.limits.probation_time)

    def _forgotten(self, sessions: list[Session]) -> None:
        """Have it noticed outside that sessions have left for good."""
        self._ended += [(session, []) for session in sessions]

    def close_soon(self) -> None:
        """Have it closed when the peer has been silent for a while.

        To be called when the peer has left as well: what it had sent before is here
        then, and nothing is lost if it was never answered.
        """
        self._linger, self._idle_since = self.limits.linger, None

    def cut_short(self, session: Session, message: Outgoing) -> None:
        """Tell the peer that no more will come of a message (``#``)."""
        if not self.writer.cut_short(message) and not self._over:
            chunker = message.chunker
            self.writer.queue(chunker.abort_chunk(session.to_path, session.from_path))

    # What its receiver asks and tells.

    def received_late(self, session: Session, events: Sequence[CoreEvent]) -> None:
        """Note what has happened in a session that has left."""
        self._ended.append((session, list(events)))

    @property
    def has_room(self) -> bool:
        """Whether another session may be put on this connection."""
        return len(self.sessions) < self.limits.max_sessions_per_stream

    def chunk_received(self, session: Session) -> None:
        """Note that a message may have begun, which may be left unfinished."""
        self._clocked[session] = None

    def accept(self, session: Session) -> None:
        """Bind a session that the peer calls."""
        session.stream = self
        self._bind(session)
        # Who has opened the connection has said it when it made the stream.
        self.writer.transactions.timeout = session.config.response_timeout

    # Inside.

    def _bind(self, session: Session) -> None:
        self._forgotten(self.left.forget(session.local_uri))
        self.sessions[session] = None
        self._clocked[session] = None
        self._shortest = min(self._shortest, session.config.limits.max_message_age)
        self._by_uri.setdefault(session.local_uri, session)
        self.session_changed(session)
        self._on_probation = False
        self._used = True
        self._idle_since = None

    def _check_parser(self) -> None:
        if self._receiver.error is not None:
            self.abandon(CloseReason.LOST, self._receiver.error)
