"""The object that an application holds: one message session."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Self

from msrp.aio.features.gathering import Features
from msrp.aio.listener import MsrpListener
from msrp.aio.relays.relay import MsrpRelay
from msrp.aio.relays.sessions import RelayBinding
from msrp.aio.sending.verbs import Sending
from msrp.aio.session.binding import Binding
from msrp.aio.session.dispatch import ConnectionHooks
from msrp.aio.session.nicknames import Nicknamed, Nicknames
from msrp.aio.session.progress import Milestone, Progress
from msrp.aio.session.recovery import check_same_party
from msrp.aio.session.running import RunningSession, announced
from msrp.aio.streams.connector import Manner
from msrp.aio.streams.sockets import SocketOptions
from msrp.aio.taps.tapping import PortTaps
from msrp.aio.tls.certificates import LocalCertificate
from msrp.aio.tls.policy import TlsPolicy
from msrp.config import SessionConfig
from msrp.content import MessageReceived
from msrp.errors import CloseReason, LocalProtocolError, SessionClosed
from msrp.events import ClosedEvent
from msrp.negotiation import (
    Description,
    Negotiated,
    Resolver,
    negotiate,
    with_news_of,
)
from msrp.policy import Policy
from msrp.profile import Profile
from msrp.sansio.session import Session, SessionState
from msrp.tap import Parties
from recording import CallIdentity, Tappable, Taps

__all__ = ["MsrpConnection"]

_UNKNOWN_CALL = CallIdentity()

logger = logging.getLogger("msrp.connection")


class MsrpConnection(ConnectionHooks, Sending, Nicknamed, Tappable):
    """One message session.

    It is inert until :meth:`start`: create it, set the hooks, start it, and no
    event can slip in between.  Leaving ``async with`` shuts it down.

    Attributes:
        policy: Decides where each message goes, see :mod:`msrp.policy`; without
            one all are gathered in memory.  Set it before :meth:`start`.
        call_identity: Which call the session belongs to, as records shall have it.
    """

    def __init__(
        self,
        negotiated: Negotiated,
        *,
        local_cert: LocalCertificate | None = None,
        listener: MsrpListener | MsrpRelay | None = None,
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
                without one the connection listens itself.  Or the relay whose
                description of ours it is.
            config: How to send and what to take; by default as the profile of the
                listener has it.
            connect_timeout: Seconds until a session that isn't there has failed.
            tls: How the peer is verified; by default as the listener says.
            sockets: How the connection is marked, and where it comes from; by
                default as the listener says.
        """
        ConnectionHooks.__init__(self)
        Sending.__init__(self, negotiated)
        self.connect_timeout = connect_timeout
        self._listener: MsrpListener | None = None
        self._relay = listener if isinstance(listener, MsrpRelay) else None
        if bool(negotiated.relays) is not (self._relay is not None):
            raise LocalProtocolError(
                "a session through a relay needs that relay, and no other needs one"
            )
        # What we take is what we have announced, whatever else is configured.
        if config is None:
            profile = Profile() if listener is None else listener.profile
            config = profile.session_config
        self._config = announced(config, negotiated)
        self.max_message_length = self._config.max_message_length
        self.policy: Policy | None = None
        self.call_identity = _UNKNOWN_CALL
        if not isinstance(listener, MsrpRelay):
            self._listener = listener
        limits = self._config.limits
        self.port_taps = PortTaps(limits) if listener is None else listener.port_taps
        """What hears the port where it comes in or goes out."""
        self.taps = Taps(self, self.port_taps.taps)
        self._manner = Manner.of(
            self._listener,
            local_cert=local_cert,
            tls=tls,
            sockets=sockets,
            limits=limits,
            port=self.port_taps,
        )
        self._progress = Progress()
        self._running: RunningSession | None = None

    @classmethod
    def create_from_sdp(
        cls,
        offered: Description,
        answered: Description,
        *,
        is_incoming: bool,
        local_cert: LocalCertificate | None = None,
        listener: MsrpListener | MsrpRelay | None = None,
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

    @property
    def max_message_length(self) -> int:
        """Octets of the largest message that is taken.

        More is refused with 413 and the session lives.  Set it before :meth:`start`.
        """
        return self._max_message_length

    @max_message_length.setter
    def max_message_length(self, octets: int) -> None:
        if not isinstance(octets, int):
            kind = type(octets).__name__
            raise TypeError(f"max_message_length is a number of octets, not {kind}")
        self._max_message_length = octets

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
        if self._running is not None or self._progress.end is not None:
            raise LocalProtocolError("this connection was started or shut down before")
        for warning in self.negotiated.warnings:
            logger.warning("in the peer's SDP: %s", warning)
        config = self._config
        if self.max_message_length != config.max_message_length:
            config = replace(config, max_message_length=self.max_message_length)
        self._running = RunningSession(
            self.negotiated,
            config=config,
            policy=self.policy,
            hooks=self,
            progress=self._progress,
            new_binding=self._new_binding,
            party=self,
            tapped=self,
        )
        if self.offered_nickname:
            nicknames = Nicknames(self._running, self.offered_nickname)
            self._running.known_nicknames = nicknames
        await self._running.open()

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
        if self._progress.end is not None:
            raise LocalProtocolError("this connection is over")
        running = self._started()
        if not running.session.was_open:
            raise LocalProtocolError("this connection was never established")
        if not allow_other_party:
            check_same_party(self.negotiated, negotiated)
        with running.recovery.attempt():
            running.move(negotiated, from_the_start=from_the_start)
            self.negotiated = negotiated
            await running.open()

    def renegotiated(self, negotiated: Negotiated) -> bool:
        """Take in a further offer and answer that leave the session where it is.

        That is so if both paths are the same as before: then the connection is not
        touched, and directions, types and sizes are those of the new descriptions.

        Args:
            negotiated: What they say; see :func:`msrp.negotiate`.

        Returns:
            False if they don't, and nothing has changed: see :meth:`reestablish`.
        """
        if not negotiated.continues(self.negotiated):
            return False
        self.negotiated = with_news_of(negotiated, self.negotiated)
        if self._running is not None:
            self._running.renegotiated(self.negotiated)
        return True

    async def lost(self) -> bool:
        """Wait until the session has lost its connection, and waits for another.

        Returns:
            False if it is over instead, and will not be had back.
        """
        await self._progress.wait(Milestone.LOST | Milestone.OVER)
        return Milestone.OVER not in self._progress

    @property
    def is_lost(self) -> bool:
        """Whether the session has lost its connection, and waits for another."""
        return Milestone.LOST in self._progress

    @property
    def is_over(self) -> bool:
        """Whether the session is over, or has failed to begin."""
        return Milestone.OVER in self._progress

    async def established(self) -> None:
        """Wait until messages can flow, also when a lost session waits for that.

        Raises:
            ConnectionFailed: They never can.
            SessionClosed: It was shut down before.
        """
        await self._progress.established()

    async def closed(self) -> ClosedEvent:
        """Wait until the session is over, and return how it ended."""
        return await self._progress.closed()

    async def shutdown(self, *, timeout: float = 5.0) -> None:
        """End the session.

        What has been sent gets a while to arrive; what then isn't known to have
        arrived fails with :exc:`~msrp.SessionEnded`.  Handlers have been called
        for everything when this returns, unless one of them called it.

        Args:
            timeout: Seconds to wait for messages that are on their way.
        """
        if self._running is None:
            self._progress.finish(ClosedEvent(CloseReason.BY_US, None))
            port = self._relay or self._listener
            if port is not None:
                port.forget(self.negotiated.local_uri)
            self.taps.end()
            self.session_over()
            return
        await self._running.shutdown(timeout)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.shutdown()

    @property
    def is_open(self) -> bool:
        """Whether messages can flow now."""
        running = self._running
        return running is not None and running.session.state is SessionState.OPEN

    @property
    def session(self) -> Session:
        """The protocol state, once it is started."""
        return self._started().session

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
        running = self._started()
        message = await running.inbox.get()
        if message is not None:
            if running.tap is not None:
                running.tap.handed_over(message.message_id)
            return message
        end = await self.closed()
        if end.error is None:
            raise StopAsyncIteration
        raise SessionClosed(end.reason) from end.error

    def handlers_changed(self) -> None:
        """Offer what has waited to the hooks."""
        if self._running is not None:
            self._running.inbox.hooks_changed()

    # Inside.

    def _new_binding(self) -> Binding | RelayBinding:
        if self._relay is not None:
            return self._relay.new_binding(self.connect_timeout, self._progress)
        return Binding(
            self._manner,
            self._listener,
            self._config,
            self.connect_timeout,
            self._progress,
        )

    def taps_changed(self) -> None:
        """Listen if somebody wants to hear something, and else don't."""
        if self._running is not None:
            self._running.taps_changed()
            if self._running.stream is not None:
                self.port_taps.check(self._running.stream)

    def session_over(self) -> None:
        """Let go of who listens to the port, if that was ours alone."""
        if self._listener is None and self._relay is None:
            self.port_taps.close()

    def parties(self) -> Parties:
        """Say who talks to whom, for records of messages that don't."""
        local, remote = self.local_address, self.remote_address
        return Parties(
            local=local.uri if local else str(self.negotiated.local_uri),
            remote=remote.uri if remote else str(self.negotiated.to_path[-1]),
            call=self.call_identity,
        )

    @property
    def _is_running(self) -> bool:
        return self._running is not None

    @property
    def _features(self) -> Features:
        return self._started().features

    def _running_session(self) -> RunningSession | None:
        return self._running

    def _started(self) -> RunningSession:
        if self._running is None:
            raise LocalProtocolError("start the connection first")
        return self._running
