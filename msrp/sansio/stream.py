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

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, assert_never

from msrp.config import Limits
from msrp.errors import (
    CloseReason,
    LimitExceeded,
    LocalProtocolError,
    MsrpError,
    RemoteProtocolError,
)
from msrp.events import CoreEvent
from msrp.headers import (
    ByteRange,
    ContinuationFlag,
    FailureReport,
    RequestHead,
    ResponseHead,
    salvage_path,
    salvage_value,
)
from msrp.sansio.chunker import Chunk
from msrp.sansio.encoder import encode_response, new_transaction_id
from msrp.sansio.incoming import IncomingChunk
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    FramingEvent,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from msrp.sansio.reports import encode_report
from msrp.sansio.session import Session, SessionState
from msrp.sansio.transactions import Transaction, Transactions
from msrp.status import StatusCode
from msrp.uri import MsrpUri, format_path

__all__ = ["SessionDirectory", "Stream"]

_MAX_LEFT = 64
"""URIs of lost sessions that one connection remembers; a handful is to be expected,
and what is forgotten gets a 481."""

MIN_INTERRUPTED = 2048
"""Octets of a chunk that are written before it makes way for something else."""


class SessionDirectory(Protocol):
    """Who may be called on a connection."""

    def find(self, uri: MsrpUri) -> Session | None:
        """Return the session with this local URI, if there is one."""

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether a session with this URI is being negotiated.

        The peer may connect before its answer has reached us.  What it sends is
        then kept unread until :meth:`Stream.retry`.
        """


@dataclass(slots=True, eq=False)
class _Request:
    """The request that is being received."""

    transaction_id: str
    head: RequestHead | None = None
    session: Session | None = None
    chunk: IncomingChunk | None = None
    refusal: int | None = None
    from_path: tuple[MsrpUri, ...] = ()
    to_uri: str = ""
    answered: bool = False


@dataclass(slots=True, eq=False)
class _OpenChunk:
    """The request that is being written."""

    session: Session
    message: Outgoing
    chunk: Chunk
    aborted: bool = False
    left: bool = False
    """Whether its message goes on elsewhere, on another connection."""


class Stream:
    """The protocol state of one connection.

    Args:
        directory: Finds the sessions that may be called on it.
        now: The time, in seconds of any clock that doesn't go back.
        limits: Bounds on the peer.
        response_timeout: Seconds until a missing response is a failure.
        on_probation: Whether the peer has opened the connection and must soon
            name a session.
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
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        self.limits = limits or Limits()
        self.sessions: dict[Session, None] = {}
        """The sessions bound to this connection."""
        self.error: MsrpError | None = None
        """Why the connection is given up, when it wasn't in good order."""
        self._directory = directory
        self._parser = Parser(self.limits.max_head_size)
        self._transactions = Transactions(response_timeout)
        self._owners: dict[str, Session] = {}
        self._turns: deque[Session] = deque()
        self._control: deque[bytes] = deque()
        self._control_size = 0
        self._open: _OpenChunk | None = None
        self._request: _Request | None = None
        self._backlog: deque[FramingEvent] = deque()
        self._held = False
        self._eof = False
        self._over = False
        self._touched = now
        self._probation_until = now + self.limits.probation_time
        self._on_probation = on_probation
        # Who has opened a connection closes it; the other side leaves it open for
        # a while, to answer 481 to what is still under way.
        self._linger = self.limits.linger if on_probation else 0.0
        self._used = False
        self._unheard = False
        """Whether a response is overdue and the peer hasn't said a word since."""
        self._turns_away = False
        """Whether the peer has refused a session because of others here."""
        self._idle_since: float | None = None
        self._paused = False
        self._left: dict[MsrpUri, None] = {}
        """Sessions that were lost here: what the peer still sends to them, before it
        has noticed, must be neither taken nor refused."""
        self._ended: list[tuple[Session, list[CoreEvent]]] = []
        self._new_id = new_id

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
        session.open_actively(self, now, tentative=tentative)
        if self._over:
            # It broke since somebody chose it; nothing would ever tell the session.
            session.end(CloseReason.LOST, self.error)

    def retry(self, now: float) -> None:
        """Go on with what was kept back until a session is there."""
        self._held = False
        while self._backlog and not self._held:
            self._handle(self._backlog.popleft(), now)
        self._check_parser(now)
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

    # The wire.

    def receive_data(self, data: bytes, now: float) -> None:
        """Take in what the transport has read."""
        if self._over:
            return
        self._touched = now
        self._unheard = False
        for event in self._parser.receive_data(data):
            if self._held:
                self._backlog.append(event)
            else:
                self._handle(event, now)
        self._check_parser(now)

    def receive_eof(self, now: float) -> None:
        """Note that the peer will send no more."""
        if self._held:
            self._eof = True  # What it has sent before comes first.
        elif self._parser.in_message or self._request is not None:
            problem = "the peer closed the connection in the middle of a message"
            self.connection_lost(RemoteProtocolError(problem))
        else:
            self._give_up(CloseReason.BY_THEM, None, broken=True)

    def events_received(self) -> list[tuple[Session, list[CoreEvent]]]:
        """Return what happened in each session, and forget it."""
        told = self._ended
        self._ended = []
        for session in self.sessions:
            events = session.events_received()
            if events:
                told.append((session, events))
        return told

    def data_to_send(self, budget: int, now: float) -> bytes:
        """Return octets to write now: whole requests as far as possible.

        Args:
            budget: How many, about.  Call again while the transport takes more.
            now: The time; a response is due 30 s after its request was returned.
        """
        pieces: list[bytes] = []
        while budget > 0:
            piece = self._next_piece(budget, now)
            if not piece:
                break
            pieces.append(piece)
            budget -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

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
        return len(self.sessions) < self.limits.max_sessions_per_stream

    @property
    def reading_wanted(self) -> bool:
        """Whether the transport should read on.

        Not while the peer lets our responses pile up, nor while what it has sent
        waits for a session that is being negotiated.
        """
        return not self._held and self._control_size < self.limits.max_unsent_responses

    def pause(self, now: float) -> None:
        """Note that we have stopped reading: nothing of the peer's can be overdue."""
        self._paused = True
        self._transactions.pause(now)
        for session in self.sessions:
            session.incoming.pause(now)

    def resume(self, now: float) -> None:
        """Note that we read again."""
        self._paused = False
        self._touched = now
        self._transactions.resume(now)
        for session in self.sessions:
            session.incoming.resume(now)

    # The clock.

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        if self._over:
            return None
        times = [session.next_timeout() for session in self.sessions]
        times.append(self._transactions.next_timeout())
        if self._on_probation:
            times.append(self._probation_until)
        if self.idle:
            times.append(self._idle_until())
        if self._parser.in_message and not self._paused:
            times.append(self._touched + self.limits.stall_time)
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due."""
        for transaction in self._transactions.timed_out(now):
            self._unheard = True
            session = self._owners.pop(transaction.transaction_id)
            if not transaction.silent:
                session.response_missing(transaction.message)
        for session in list(self.sessions):
            session.handle_timeout(now)
        if self._on_probation and self._probation_until <= now:
            problem = "the peer connected but named no session in time"
            self.abandon(CloseReason.LOST, LimitExceeded(problem))
        if self.idle:
            self._check_idle(now)
        stalled = self._touched + self.limits.stall_time <= now
        if self._parser.in_message and not self._paused and stalled:
            # That is what a path looks like which has silently gone.
            problem = "the peer left a message unfinished for too long"
            self.connection_lost(LimitExceeded(problem))

    def _idle_until(self) -> float:
        if self._idle_since is None:
            return self._touched  # Look at once: who ends a session doesn't say when.
        return max(self._idle_since, self._touched) + self._linger

    def _check_idle(self, now: float) -> None:
        if self._idle_since is None:
            self._idle_since = now
        if self._idle_until() <= now:
            self.abandon(CloseReason.BY_US)

    # What its sessions tell it.

    def session_ended(self, session: Session) -> None:
        """Let go of a session; its last events are kept for the next look."""
        self.sessions.pop(session, None)
        self._turns.remove(session)
        if session.state is SessionState.LOST:
            self._leave(session)
        elif session.state is SessionState.NEW:
            self._turns_away = True
        self._ended.append((session, session.events_received()))
        for transaction in self._transactions:
            if self._owners[transaction.transaction_id] is session:
                del self._owners[transaction.transaction_id]
                self._transactions.end(transaction.transaction_id)

    def _leave(self, session: Session) -> None:
        """Stop to carry a session without ending its messages."""
        self._left[session.local_uri] = None
        if len(self._left) > _MAX_LEFT:
            del self._left[next(iter(self._left))]
        if self._open is not None and self._open.session is session:
            self._open.left = True
        # The peer may be on its way to another connection, too.  Should this one be
        # closed before it is there, it would take that for the end of the session.
        self._linger = max(self._linger, self.limits.probation_time)

    def cut_short(self, session: Session, message: Outgoing) -> None:
        """Tell the peer that no more will come of a message (``#``)."""
        if self._open is not None and self._open.message is message:
            self._open.aborted = True
        elif not self._over:
            chunker = message.chunker
            self._queue(chunker.abort_chunk(session.to_path, session.from_path))

    # Receiving.

    def _check_parser(self, now: float) -> None:
        if self._parser.error is not None and not self._held:
            self.abandon(CloseReason.LOST, self._parser.error)

    def _handle(self, event: FramingEvent, now: float) -> None:
        if self._over:
            return
        match event:
            case BodyReceived():
                self._body_received(event.data, now)
            case EndReceived():
                self._end_received(event.flag, now)
            case RequestReceived():
                self._request_received(event, now)
            case ResponseReceived():
                self._response_received(event.head)
            case _:
                assert_never(event)

    def _request_received(self, event: RequestReceived, now: float) -> None:
        request = _Request(event.transaction_id)
        try:
            head = RequestHead.parse(event.transaction_id, event.method, event.block)
        except RemoteProtocolError as error:
            request.from_path = salvage_path(event.block, b"from-path")
            to_path = salvage_path(event.block, b"to-path") or request.from_path
            request.to_uri = format_path(to_path[:1])
            wish = salvage_value(event.block, b"failure-report") or b""
            silent = event.method == "REPORT" or wish.lower() == b"no"
            request.answered = silent or not request.from_path
            request.refusal = error.status
            self._request = request
            self._answer_refusal(request)
            return
        uri = head.to_path[0]
        # A path of several URIs is for a relay, which this isn't.
        session = self._directory.find(uri) if len(head.to_path) == 1 else None
        if session is None and self._directory.expects(uri):
            self._held = True
            self._backlog.appendleft(event)  # Before its body, if that is there.
            return
        request.head, request.from_path, request.to_uri = head, head.from_path, str(uri)
        self._request = request
        request.answered = head.method == "REPORT"
        self._route(request, session, event.has_body, now)
        self._answer_refusal(request)

    def _route(
        self, request: _Request, session: Session | None, has_body: bool, now: float
    ) -> None:
        """Let the session that a request is for judge its head."""
        head = request.head
        assert head is not None
        if head.to_path[0] in self._left:
            request.answered = True
            return
        if session is None:
            request.refusal = StatusCode.SESSION_DOES_NOT_EXIST
            return
        if session.stream not in (None, self):
            request.refusal = StatusCode.WRONG_CONNECTION
            return
        if head.method == "REPORT":
            request.session = session if session.stream is self else None
            return
        if head.method != "SEND":
            request.refusal = StatusCode.UNKNOWN_METHOD
            return
        if session.stream is None and not self._accept(session, request):
            return
        request.session = session
        request.chunk = session.incoming.begin(head, has_body=has_body, now=now)
        request.refusal = request.chunk.refusal

    def _accept(self, session: Session, request: _Request) -> bool:
        """Bind a session to this connection: the peer has shown that it knows it."""
        if session.is_active or session.state is not SessionState.NEW:
            request.refusal = StatusCode.SESSION_DOES_NOT_EXIST
        elif len(self.sessions) >= self.limits.max_sessions_per_stream:
            request.refusal = StatusCode.FORBIDDEN
        else:
            session.stream = self
            self._bind(session)
            # Who has opened the connection has said it when it made the stream.
            self._transactions.timeout = session.config.response_timeout
            return True
        return False

    def _bind(self, session: Session) -> None:
        self.sessions[session] = None
        self._turns.append(session)
        self._on_probation = False
        self._used = True
        self._idle_since = None

    def _body_received(self, data: bytes, now: float) -> None:
        request = self._request
        if request is None:
            return
        self._check_session(request)
        if request.chunk is None or request.session is None:
            return
        if request.refusal is None:
            request.session.incoming.add(request.chunk, data, now)
            request.refusal = request.chunk.refusal
            # The sender of a long chunk can stop at once.
            self._answer_refusal(request)

    def _end_received(self, flag: ContinuationFlag, now: float) -> None:
        request, self._request = self._request, None
        if request is None:
            return
        self._check_session(request)
        if request.session is None:
            return
        session, head = request.session, request.head
        assert head is not None
        if request.chunk is None:
            session.report_received(head)
            return
        if request.refusal is None:
            session.incoming.end(request.chunk, flag, now)
            request.refusal = request.chunk.refusal
        self._answer(request, request.refusal or StatusCode.OK)
        session.bound()
        for event in request.chunk.events:
            session.tell(event)
        if request.chunk.completed is not None and head.success_report:
            self._report_success(session, head, request.chunk.completed)

    def _check_session(self, request: _Request) -> None:
        """Let go of a session that has ended since the request began."""
        session = request.session
        if session is None or session.stream is self:
            return
        request.session = None
        if session.state is SessionState.CLOSED:
            self._answer(request, StatusCode.SESSION_DOES_NOT_EXIST)

    def _response_received(self, head: ResponseHead) -> None:
        transaction = self._transactions.end(head.transaction_id)
        if transaction is None:
            return  # Late, doubled, or nobody's: peers send such things.
        session = self._owners.pop(head.transaction_id)
        session.response_received(transaction.message, head.code, transaction.chunk)

    # Answering.

    def _answer_refusal(self, request: _Request) -> None:
        if request.refusal is not None:
            self._answer(request, request.refusal)

    def _answer(self, request: _Request, code: int) -> None:
        if request.answered:
            return
        request.answered = True
        head = request.head
        wish = FailureReport.YES if head is None else head.failure_report
        if wish is FailureReport.NO:
            return
        if wish is FailureReport.PARTIAL and code == StatusCode.OK:
            return
        # Hop by hop for a SEND, all the way back for anything else.
        hop_by_hop = head is None or head.method == "SEND"
        to_path = request.from_path[:1] if hop_by_hop else request.from_path
        path = format_path(to_path)
        self._queue(encode_response(request.transaction_id, code, path, request.to_uri))

    def _report_success(self, session: Session, head: RequestHead, size: int) -> None:
        assert head.message_id is not None
        self._queue(
            encode_report(
                self._new_id(),
                format_path(head.from_path),
                session.from_path,
                message_id=head.message_id,
                byte_range=ByteRange(1, size, size),
                code=StatusCode.OK,
            )
        )

    def _queue(self, data: bytes) -> None:
        self._control.append(data)
        self._control_size += len(data)

    # Sending.

    def _next_piece(self, budget: int, now: float) -> bytes | None:
        if self._open is not None:
            piece = self._write_open(budget, now)
            if piece is not None:
                return piece
        if self._open is None and not self._control and self._begin_chunk():
            return self._write_open(budget, now)
        # A message that could not be begun may have left its end here.
        if self._open is None and self._control:
            piece = self._control.popleft()
            self._control_size -= len(piece)
            return piece
        return None

    def _write_open(self, budget: int, now: float) -> bytes | None:
        """Go on with the request that is being written, or end it here."""
        open_ = self._open
        assert open_ is not None
        chunk = open_.chunk
        if open_.aborted:
            piece: bytes | None = chunk.interrupt(ContinuationFlag.ABORT)
        elif open_.left:
            piece = chunk.interrupt()
        elif chunk.written >= MIN_INTERRUPTED and self._others_wait(open_.message):
            piece = chunk.interrupt()
        else:
            piece = self._write_body(open_, budget)
            if piece is None and (self._control or self._others_wait(open_.message)):
                piece = chunk.interrupt()
        if chunk.finished:
            self._open = None
            self._transactions.written(chunk.transaction_id, now)
            open_.session.chunk_written(open_.message, chunk)
            if open_.message.resumed and chunk.flag is ContinuationFlag.END:
                self._await_report(open_, now)
        return piece

    def _await_report(self, open_: _OpenChunk, now: float) -> None:
        """Have the message fail if it isn't reported as soon as it is answered."""
        # No response can end this: the blank is in no transaction id.
        name = f"report {open_.chunk.transaction_id}"
        self._transactions.begin(Transaction(name, open_.message, silent=False))
        self._transactions.written(name, now)
        self._owners[name] = open_.session

    def _write_body(self, open_: _OpenChunk, budget: int) -> bytes | None:
        try:
            return open_.chunk.write(budget)
        except LocalProtocolError as error:
            message_id = open_.message.message_id
            open_.session.abort(message_id, str(error))
            return open_.chunk.interrupt(ContinuationFlag.ABORT)

    def _others_wait(self, message: Outgoing) -> bool:
        return bool(self._control) or any(
            session.wants_to_send(besides=message) for session in self._turns
        )

    def _begin_chunk(self) -> bool:
        """Begin the next request of the next session that has one."""
        for _ in range(len(self._turns)):
            session = self._turns[0]
            self._turns.rotate(-1)
            begun = session.next_chunk()
            if begun is None:
                continue
            message, chunk = begun
            self._open = _OpenChunk(session, message, chunk)
            if message.failure_report is not FailureReport.NO:
                silent = message.failure_report is FailureReport.PARTIAL
                self._transactions.begin(
                    Transaction(chunk.transaction_id, message, silent, chunk=chunk)
                )
                self._owners[chunk.transaction_id] = session
            return True
        return False
