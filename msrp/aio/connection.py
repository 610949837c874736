"""The object that an application holds: one message session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self, assert_never

from msrp.aio.certificates import LocalCertificate
from msrp.aio.connector import Manner, describe, format_address, open_stream, reach
from msrp.aio.dispatch import ConnectionHooks
from msrp.aio.inbox import Inbox
from msrp.aio.incoming import Reception
from msrp.aio.listener import MsrpListener
from msrp.aio.outgoing import Outbox
from msrp.aio.own_ports import OwnPorts
from msrp.aio.recovery import Recovery, check_same_party
from msrp.aio.sending import Sending
from msrp.aio.sockets import SocketOptions
from msrp.aio.stream import StreamProtocol
from msrp.aio.tls_policy import TlsPolicy
from msrp.config import SessionConfig
from msrp.content import MessageReceived
from msrp.errors import (
    CloseReason,
    ConnectionFailed,
    LocalProtocolError,
    MsrpError,
    SessionClosed,
)
from msrp.events import (
    BindingFailed,
    ClosedEvent,
    ConnectionEstablished,
    ConnectionFailedEvent,
    ConnectionLost,
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageRefused,
    MessageSent,
    MessageStored,
    ReportReceived,
    SessionOver,
)
from msrp.negotiation import Description, Negotiated, Resolver, negotiate
from msrp.policy import Policy
from msrp.sansio.session import Session, SessionState
from msrp.uri import MsrpUri

__all__ = ["MsrpConnection"]

logger = logging.getLogger("msrp.connection")


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a connection has once it is started."""

    session: Session
    inbox: Inbox
    outbox: Outbox
    reception: Reception


class MsrpConnection(ConnectionHooks, Sending):
    """One message session.

    It is inert until :meth:`start`: create it, set the hooks, start it, and no
    event can slip in between.  Leaving ``async with`` shuts it down.

    Attributes:
        max_message_length: Octets of the largest message that is taken; more is
            refused with 413 and the session lives.  Set it before :meth:`start`.
        policy: Decides where each message goes, see :mod:`msrp.policy`; without
            one all are gathered in memory.  Set it before :meth:`start`.
    """

    def __init__(
        self,
        negotiated: Negotiated,
        *,
        local_cert: LocalCertificate | None = None,
        listener: MsrpListener | None = None,
        config: SessionConfig | None = None,
        connect_timeout: float = 30.0,
        tls: TlsPolicy | None = None,
        sockets: SocketOptions | None = None,
    ) -> None:
        """Make a connection from what is negotiated already.

        Args:
            negotiated: See :func:`msrp.negotiate`.
            local_cert: What to show over TLS; by default the listener's.
            listener: Where the peer connects to, if it is the active side;
                without one the connection listens itself.
            config: How to send and what to take.
            connect_timeout: Seconds until a session that isn't there has failed.
            tls: How the peer is verified; by default as the listener says.
            sockets: How the connection is marked, and where it comes from; by
                default as the listener says.
        """
        ConnectionHooks.__init__(self)
        Sending.__init__(self, negotiated)
        self.connect_timeout = connect_timeout
        # What we take is what we have announced, whatever else is configured.
        self._config = replace(
            config or SessionConfig(), accept_types=negotiated.accept_types
        )
        self.max_message_length = self._config.max_message_length
        self.policy: Policy | None = None
        self._manner = Manner.of(
            listener,
            local_cert=local_cert,
            tls=tls,
            sockets=sockets,
            limits=self._config.limits,
        )
        self._listener = listener
        self._ports = OwnPorts(self._manner, self._config.limits)
        self._parts: _Parts | None = None
        self._stream: StreamProtocol | None = None
        self._former: list[StreamProtocol] = []
        self._recovery = Recovery(self._config.recovery_time, self._not_recovered)
        self._opening: asyncio.Timeout | None = None
        self._established = asyncio.Event()
        self._turned_away = asyncio.Event()
        self._over = asyncio.Event()
        self._end: ClosedEvent | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._closing: asyncio.Task[None] | None = None

    @classmethod
    def create_from_sdp(
        cls,
        offered: Description,
        answered: Description,
        *,
        is_incoming: bool,
        local_cert: LocalCertificate | None = None,
        listener: MsrpListener | None = None,
        config: SessionConfig | None = None,
        connect_timeout: float = 30.0,
        tls: TlsPolicy | None = None,
        sockets: SocketOptions | None = None,
        resolve: Resolver | None = None,
    ) -> Self:
        """Make a connection from an offer and its answer, once the call is answered.

        Args:
            offered: The offer: the whole SDP, or the m-line in question.
            answered: The answer, likewise.
            is_incoming: Whether the offer came from the peer.
            local_cert: What to show over TLS; by default the listener's.
            listener: Where the peer connects to, if it is the active side;
                without one the connection listens itself, at our URI's address.
            config: How to send and what to take.
            connect_timeout: Seconds until a session that isn't there has failed.
            tls: How the peer is verified; by default as the listener says.
            sockets: How the connection is marked, and where it comes from; by
                default as the listener says.
            resolve: Gives the addresses of a host name, as for
                :func:`msrp.negotiate`.

        Raises:
            NegotiationError: The two don't add up to a session.
        """
        return cls(
            negotiate(offered, answered, is_incoming=is_incoming, resolve=resolve),
            local_cert=local_cert,
            listener=listener,
            config=config,
            connect_timeout=connect_timeout,
            tls=tls,
            sockets=sockets,
        )

    # Its life.

    async def start(self) -> None:
        """Set the session up.

        The active side connects, and returns when the session can carry messages.
        The passive side returns as soon as the peer can connect; messages may be
        sent at once and wait for it, see :meth:`established`.

        Raises:
            ConnectionFailed: The peer can't be reached, or our own address can't
                be listened on.
            CertificateRejected: Somebody answers who isn't the peer.
            CertificateUnusable: Ours can't be used for TLS, or the authorities' file.
            SessionClosed: It was shut down meanwhile.
            LocalProtocolError: It was started or shut down before.
        """
        if self._parts is not None or self._end is not None:
            raise LocalProtocolError("this connection was started or shut down before")
        for warning in self.negotiated.warnings:
            logger.warning("in the peer's SDP: %s", warning)
        config = replace(self._config, max_message_length=self.max_message_length)
        session = Session(
            self.negotiated.local_uri,
            self.negotiated.remote_path,
            is_active=self.negotiated.is_active,
            config=config,
        )
        inbox = Inbox(self._config.limits, self.deliver, self._flow_changed)
        reception = Reception(config, self.policy, inbox.put, self._flow_changed)
        session.incoming.has_room = lambda: not inbox.overfull
        session.incoming.open_store = reception.open_store
        self._parts = _Parts(
            session,
            inbox,
            Outbox(session, self.negotiated, self._flush, self._flow_changed),
            reception,
        )
        inbox.start()
        await self._open()

    async def reestablish(
        self,
        offered: Description,
        answered: Description,
        *,
        is_incoming: bool,
        allow_other_party: bool = False,
        from_the_start: bool = False,
        resolve: Resolver | None = None,
    ) -> None:
        """Go on over another connection, after a further offer and its answer.

        For a session that was lost and waits (``recovery_time``), and for one that
        is open and has got another path in a re-INVITE (:rfc:`4975#section-5.4`).
        Nothing is lost and nothing is shown twice if the peer does likewise:
        messages keep their ids, those that aren't known to have arrived go on
        where nobody has confirmed them, and so do those that are half received.
        A peer that has forgotten the first part of a message, as its process is
        another one, can't report it as a whole, and so it fails with
        :exc:`~msrp.ResponseTimeout`; who knows of that says ``from_the_start``.

        It connects or waits as :meth:`start` does.  Where that fails, or is
        cancelled, the session is lost once more and waits for the rest of its
        ``recovery_time``; without one it is over.

        Args:
            offered: The offer: the whole SDP, or the m-line in question.
            answered: The answer, likewise.
            is_incoming: Whether the offer came from the peer.
            allow_other_party: Whether what has not arrived may go to somebody of
                whom it isn't evident that he is the peer of before: over TLS by
                the fingerprint of his certificate, else by the host in his path.
            from_the_start: Whether to send again also what was confirmed of messages
                that are on their way, for a peer that may have forgotten it.
            resolve: Gives the addresses of a host name, as for
                :func:`msrp.negotiate`.

        Raises:
            NegotiationError: The two don't add up to a session.
            ConnectionFailed: The peer can't be reached, or our own address can't
                be listened on.
            CertificateRejected: Somebody answers who isn't the peer.
            CertificateUnusable: Ours can't be used for TLS, or the authorities' file.
            SessionClosed: It was shut down meanwhile.
            LocalProtocolError: It is over, was never established, is being
                reestablished already, or the peer may be another one.
        """
        negotiated = negotiate(
            offered, answered, is_incoming=is_incoming, resolve=resolve
        )
        if self._end is not None:
            raise LocalProtocolError("this connection is over")
        if not self.session.was_open:
            raise LocalProtocolError("this connection was never established")
        if not allow_other_party:
            check_same_party(self.negotiated, negotiated)
        with self._recovery.attempt():
            self._replace_session(negotiated, from_the_start)
            await self._open()

    async def established(self) -> None:
        """Wait until messages can flow, also when a lost session waits for that.

        Raises:
            ConnectionFailed: They never can.
            SessionClosed: It was shut down before.
        """
        await _any_of(self._established, self._over)
        if self._established.is_set() or self._end is None:
            return  # Or it was, and is lost since; that is told elsewhere.
        raise self._end.error or SessionClosed(self._end.reason)

    async def closed(self) -> ClosedEvent:
        """Wait until the session is over, and return how it ended."""
        await self._over.wait()
        assert self._end is not None
        return self._end

    async def shutdown(self, *, timeout: float = 5.0) -> None:
        """End the session.

        What has been sent gets a while to arrive; what then isn't known to have
        arrived fails with :exc:`~msrp.SessionEnded`.  Handlers have been called
        for everything when this returns, unless one of them called it.

        Args:
            timeout: Seconds to wait for messages that are on their way.
        """
        if self._parts is None:
            self._finish(ClosedEvent(CloseReason.BY_US, None))
            self._forget(self.negotiated.local_uri)
            return
        try:
            if self.is_open:
                async with asyncio.timeout(timeout):
                    await self._parts.outbox.drained()
        except TimeoutError:
            logger.info("session ends with messages on their way")
        finally:
            self._end_session(CloseReason.BY_US)
        if self._closing is not None and self._closing is not asyncio.current_task():
            await asyncio.shield(self._closing)
        await self._parts.inbox.join()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.shutdown()

    @property
    def is_open(self) -> bool:
        """Whether messages can flow now."""
        parts = self._parts
        return parts is not None and parts.session.state is SessionState.OPEN

    # Receiving.

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> MessageReceived:
        """Return the next message that no hook has taken.

        Raises:
            StopAsyncIteration: The session has ended in good order.
            SessionClosed: It was lost.
            ConcurrencyError: Another task is waiting for a message.
        """
        message = await self._started().inbox.get()
        if message is not None:
            return message
        end = await self.closed()
        if end.error is None:
            raise StopAsyncIteration
        raise SessionClosed(end.reason) from end.error

    def handlers_changed(self) -> None:
        """Offer what has waited to the hooks."""
        if self._parts is not None:
            self._parts.inbox.hooks_changed()

    # What the listener and the stream ask and tell.

    @property
    def session(self) -> Session:
        """The protocol state."""
        return self._started().session

    @property
    def reading_wanted(self) -> bool:
        """Whether there is room for more messages, or somebody waits for the peer."""
        parts = self._parts
        if parts is None:
            return True
        if parts.reception.full:
            return False
        return not parts.inbox.full or parts.outbox.is_awaited

    def carried_by(self, stream: StreamProtocol) -> None:
        """Be told which connection the session is on."""
        self._stream = stream

    def rejected(self, error: MsrpError) -> None:
        """Be told that somebody connected who isn't the peer."""
        if self.session.state is not SessionState.LOST:  # It waits for nobody here.
            self._not_opened(CloseReason.LOST, error)

    def events_arrived(self, events: list[CoreEvent]) -> None:
        """Take what happened in the session."""
        for event in events:
            self._take(event, events)

    def _take(self, event: CoreEvent, events: list[CoreEvent]) -> None:
        parts = self._started()
        match event:
            case MessageCompleted():
                parts.reception.completed(event)
            case MessageStored():
                parts.reception.stored(event)
            case MessageSent():
                parts.outbox.was_sent(event)
            case MessageDelivered():
                parts.outbox.was_delivered(event)
            case MessageDeliveryFailed():
                told = bool(self.on_message_delivery_failed)
                parts.outbox.has_failed(event, told=told)
                parts.inbox.put(event)
            case ConnectionEstablished() | ConnectionLost():
                self._turned(event)
                parts.inbox.put(event)
            case BindingFailed():
                logger.info("a shared connection doesn't take it: %s", event.error)
                self._stream = None
                self._turned_away.set()
            case IncompleteMessage() | ReportReceived() | MessageRefused():
                parts.inbox.put(event)
            case SessionOver():
                self._session_over(event, _last_incomplete(events))
            case _:
                assert_never(event)

    def _turned(self, event: ConnectionEstablished | ConnectionLost) -> None:
        self._cancel_deadline()
        if isinstance(event, ConnectionLost):
            self._established.clear()
            self._recovery.lost(event.error)
            return
        self._recovery.found()
        self._established.set()
        for stream in self._former:
            stream.close_if_unused()  # The peer has left it as well.

    # Inside.

    async def _open(self) -> None:
        """Connect or wait for the peer, for the first time or once more."""
        try:
            await (self._connect() if self.session.is_active else self._listen())
        except MsrpError as error:
            self._not_opened(CloseReason.LOST, error)
            raise
        except BaseException:
            self._not_opened(CloseReason.BY_US)
            raise

    def _replace_session(self, negotiated: Negotiated, from_the_start: bool) -> None:
        parts, lost = self._started(), self.session
        self._cancel_deadline()
        self._established.clear()
        lost.let_go()
        self._flush()  # What is half written ends; what has happened is told.
        if self._stream is not None and lost.is_active:
            self._former = [each for each in self._former if not each.is_gone]
            self._former.append(self._stream)
        self._forget(lost.local_uri)
        session = Session(
            negotiated.local_uri,
            negotiated.remote_path,
            is_active=negotiated.is_active,
            config=replace(lost.config, accept_types=negotiated.accept_types),
        )
        now = asyncio.get_running_loop().time()
        session.replace(lost, now, from_the_start=from_the_start)
        self.negotiated, self._stream = negotiated, None
        self._parts = replace(parts, session=session)
        parts.outbox.moved(session, negotiated)
        self.events_arrived(session.events_received())

    def _not_opened(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        session = self.session
        if session.was_open and reason is CloseReason.BY_US:
            reason, error = CloseReason.LOST, ConnectionFailed("", "it was given up")
        session.not_bound(reason, error)
        self._tell()

    def _not_recovered(self) -> None:
        logger.info("nobody has reestablished a lost session in time")
        self.session.give_up()
        self._tell()

    def _forget(self, uri: MsrpUri) -> None:
        self._ports.forget(uri)
        if self._listener is not None:
            self._listener.forget(uri)

    async def _connect(self) -> None:
        if self._listener is not None:
            # Whoever calls this session there is told that it is bound elsewhere.
            self._listener.add(self)
        await self._connect_by(partial(reach, avoid=self._former))
        if self._turned_away.is_set() and self._end is None:
            await self._connect_by(open_stream)
        if self._recovery.failed is not None:
            raise self._recovery.failed
        await self.established()

    async def _connect_by(
        self, opener: Callable[..., Awaitable[StreamProtocol]]
    ) -> None:
        try:
            async with asyncio.timeout(None) as self._opening:
                stream = await opener(
                    self.negotiated,
                    self._manner,
                    limits=self._config.limits,
                    response_timeout=self._config.response_timeout,
                    timeout=self.connect_timeout,
                )
        except TimeoutError:
            raise self.session.closed_error() from None
        finally:
            self._opening = None
        if self._end is not None:
            await _close_if_unused(stream)
            raise self.session.closed_error()
        tentative = stream.in_use
        self._turned_away.clear()
        stream.attach(self.session, self, tentative=tentative)
        await _any_of(
            self._established, self._over, self._recovery.is_lost, self._turned_away
        )

    async def _listen(self) -> None:
        listener, manner = self._listener, self._manner
        if listener is None:
            listener = await self._ports.listen(self.negotiated)
        elif listener.secure and manner.tls != listener.tls:
            raise LocalProtocolError("the listener verifies peers by another policy")
        self._deadline = asyncio.get_running_loop().call_later(
            self.connect_timeout, self._nobody_came
        )
        listener.add(self)

    def _nobody_came(self) -> None:
        self._deadline = None
        problem = (
            f"the peer did not connect within {self.connect_timeout:g} s, though offer"
            " and answer leave that to it: does it wait for us?"
        )
        self._not_opened(CloseReason.LOST, ConnectionFailed("", problem))

    def _cancel_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _outbox(self) -> Outbox:
        return self._started().outbox

    def _started(self) -> _Parts:
        if self._parts is None:
            raise LocalProtocolError("start the connection first")
        return self._parts

    def _flush(self) -> None:
        if self._stream is not None:
            self._stream.flush()
        else:  # A message may fail before anybody has connected.
            self.events_arrived(self._started().session.events_received())

    def _flow_changed(self) -> None:
        if self._stream is not None:
            self._stream.update_reading()

    def _end_session(self, reason: CloseReason, error: MsrpError | None = None) -> None:
        session = self._started().session
        if session.state is SessionState.LOST:
            session.give_up()
        else:
            session.end(reason, error)
        self._tell()

    def _tell(self) -> None:
        self._flush()  # Which also has the events delivered.
        self.events_arrived(self.session.events_received())

    def _session_over(
        self, event: SessionOver, incomplete: tuple[IncompleteMessage, ...]
    ) -> None:
        inbox = self._started().inbox
        error = event.error
        if not event.was_open and event.reason is not CloseReason.BY_US:
            error = self._failure(error)
            inbox.put(ConnectionFailedEvent(error))
        if self._opening is not None:
            self._opening.reschedule(asyncio.get_running_loop().time())
        end = ClosedEvent(event.reason, error, incomplete)
        self._finish(end)
        if not self._started().reception.busy:
            inbox.put(end)
            inbox.finish()
        self._closing = asyncio.create_task(self._close_up(end), name="msrp close")

    def _failure(self, error: MsrpError | None) -> ConnectionFailed:
        """Put into words why there never was a session."""
        if isinstance(error, ConnectionFailed):
            return error
        target = ""
        if self.negotiated.is_active:
            target = format_address(*self.negotiated.connect_to)
        if error is None:
            problem = "the peer closed the connection before there was a session"
        elif isinstance(error.__cause__, OSError):
            problem = describe(error.__cause__)
        else:
            problem = str(error)
        failure = ConnectionFailed(target, problem)
        failure.__cause__ = error
        return failure

    def _finish(self, end: ClosedEvent) -> None:
        if self._end is None:
            self._end = end
        self._cancel_deadline()
        self._recovery.stop()
        self._over.set()

    async def _close_up(self, end: ClosedEvent) -> None:
        """Let go of what only this session has used."""
        parts = self._started()
        if not parts.inbox.finished:
            await parts.reception.drained()  # The end is told after all messages.
            parts.inbox.put(end)
            parts.inbox.finish()
        self._forget(self.negotiated.local_uri)
        await self._ports.close()
        await self._started().outbox.close()
        if self._stream is not None and self.negotiated.is_active:
            if not self._stream.in_use:
                await self._stream.wait_closed()
        for stream in self._former:
            await _close_if_unused(stream)


async def _close_if_unused(stream: StreamProtocol) -> None:
    """Close a connection and wait for it, unless other sessions are on it."""
    stream.close_if_unused()
    if not stream.in_use:
        await stream.wait_closed()


async def _any_of(*events: asyncio.Event) -> None:
    """Wait until one of several is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()


def _last_incomplete(events: list[CoreEvent]) -> tuple[IncompleteMessage, ...]:
    """Return the messages that were given up since the session is over."""
    last: list[IncompleteMessage] = []
    for event in reversed(events[:-1]):
        if not isinstance(event, IncompleteMessage):
            break
        last.append(event)
    return tuple(reversed(last))
