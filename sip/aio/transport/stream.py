"""One TCP or TLS connection: octets in, messages out, and the other way round."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from sip.aio.tapping import AgentTap, StreamTap
from sip.aio.transport.pings import PONG, Pings
from sip.aio.transport.tls import check_certificate, identities_of
from sip.errors import SipParseError
from sip.message import Message
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.sansio.limits import Limits
from sip.wire import KeepAlive, StreamFramer

__all__ = ["MessageSink", "Stream"]

_log = logging.getLogger("sip.transport")

_REMEMBERED = 64
"""How many requests to remember until something comes back.  More than that are
not on their way at once but under load, and then something does come back."""


class MessageSink(Protocol):
    """Who takes what arrives."""

    def message_received(self, message: Message, source: Hop) -> None:
        """Take a message."""

    def invalid_received(self, error: SipParseError, source: Hop) -> None:
        """Take octets that are no message."""


class Stream(asyncio.Protocol):
    """One connection.

    Args:
        transport: TCP or TLS.
        flow: The number of the connection.
        sink: Who takes the messages.
        on_open: Called when the connection stands.
        on_close: Called when it is gone.
        on_message: Called with each message, before the sink.
        limits: How much to hold, and how long.

    Attributes:
        hop: The peer, once the connection stands.
        identities: The SIP domains and addresses that the peer has proved to be its
            own, with a certificate.
        is_theirs: Whether the peer has opened the connection.
        tap: What hears all that goes over it, while anybody listens.
        pings: Finds out whether the peer is still there, once it is started.
        last_used: When the last message came or went, by the loop's clock.  Pings
            don't count, nor do parts of messages.
        was_used: Whether anything has come from the peer that is SIP.
        unanswered: The requests that were sent since the last message came, each
            with whether the connection had been used before.  If that turns out
            to be dead they were sent to nobody.
        ended_by: The error that ended the connection, if one did.
        not_sip: The first octets of what came and is no SIP, if something did.
    """

    def __init__(
        self,
        transport: Transport,
        flow: int,
        sink: MessageSink,
        *,
        on_open: Callable[[Stream], None],
        on_close: Callable[[Stream], None],
        on_message: Callable[[Stream, Message], None],
        limits: Limits,
    ) -> None:
        self.kind = transport
        self.flow = flow
        self.hop = Hop(transport, "", 0, flow=flow)
        self.last_used = 0.0
        self.was_used = False
        self.unanswered: deque[tuple[Outgoing, bool]] = deque(maxlen=_REMEMBERED)
        self.ended_by: Exception | None = None
        self.not_sip: bytes | None = None
        self.identities: frozenset[str] = frozenset()
        self.is_theirs = False
        self.tap: StreamTap | None = None
        self.pings = Pings(self.send, self._flow_failed, self._is_reading, limits)
        self._sink = sink
        self._on_open = on_open
        self._on_close = on_close
        self._on_message = on_message
        self._limits = limits
        self._framer = StreamFramer()
        self._incomplete_since: float | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._closed = self._loop.create_future()

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def near_end(self) -> Hop:
        """Our end of the connection."""
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return Hop(self.kind, host, port)

    def tap_by(self, agent: AgentTap | None) -> None:
        """Have somebody listen from now on, or nobody."""
        self.tap = None
        if agent is not None and self._transport is not None:
            self.tap = StreamTap(agent, self.near_end, self.hop, self._framer)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note that the connection stands."""
        # Not every event loop derives its transports from asyncio's.
        self._transport = transport = cast("asyncio.Transport", transport)
        peer = transport.get_extra_info("peername")
        if peer is None:
            transport.abort()  # It has gone again already.
            return
        host, port = peer[:2]
        sock = transport.get_extra_info("socket")
        # A peer that vanishes without a word is noticed in the end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # asyncio does this only for sockets that it has made itself.  Else a message
        # behind another waits some 40 ms until the peer has acknowledged that.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.hop = Hop(self.kind, host, port, flow=self.flow)
        self.last_used = self._loop.time()
        self.identities = identities_of(transport)
        self._on_open(self)

    def data_received(self, data: bytes) -> None:
        """Take what was read."""
        if self.tap is not None:
            self.tap.received(data)
        for event in self._framer.receive_data(data):
            self._incomplete_since = None
            if not isinstance(event, SipParseError):
                self.was_used = True
            match event:
                case KeepAlive.PING:
                    self.send(PONG)
                case KeepAlive():
                    self.pings.pong()
                case SipParseError():
                    self.last_used = self._loop.time()
                    _log.info("%s sent what is no message: %s", self.hop, event)
                    self._sink.invalid_received(event, self.hop)
                case _:
                    self.last_used = self._loop.time()
                    self.unanswered.clear()
                    self._on_message(self, event)
                    self._sink.message_received(event, self.hop)
        if self._framer.broken:
            # Where the next message begins can't be told any more.
            self.not_sip = self.not_sip or data[:1]
            self.close()
        elif self._framer.mid_message:
            self._check_progress()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the connection is gone."""
        _log.debug("the connection with %s is closed", self.hop)
        self.ended_by = self.ended_by or exc
        self.pings.stop()
        if self._deadline is not None:
            self._deadline.cancel()
        if not self._closed.done():
            self._closed.set_result(None)
        self._on_close(self)

    def check_certificate(self, domain: str) -> Exception | None:
        """Say what is wrong with the certificate of a server, if anything is."""
        assert self._transport is not None
        return check_certificate(self._transport, self.identities, domain)

    def refuse(self, error: Exception) -> None:
        """Close the connection at once, for a reason of ours."""
        self.ended_by = error
        self.abort()

    def _is_reading(self) -> bool:
        return self._framer.mid_message

    def _flow_failed(self) -> None:
        _log.info("%s doesn't answer our ping; closing the connection", self.hop)
        self.refuse(TimeoutError("no answer to our ping"))

    def _check_progress(self) -> None:
        """Hang up on a peer that takes too long to send one message."""
        now = self._loop.time()
        if self._incomplete_since is None:
            self._incomplete_since = now
        elif now - self._incomplete_since > self._limits.message_time:
            _log.info("%s sends too slowly; closing the connection", self.hop)
            self.abort()

    def send(self, data: bytes) -> bool:
        """Send octets.

        Returns:
            False if the connection is gone, or has been closed because the peer
            doesn't read.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() > self._limits.unsent_octets:
            _log.info("%s doesn't read; closing the connection", self.hop)
            self._transport.abort()
            return False
        if data.strip():  # Pings and pongs are no use of it.
            self.last_used = self._loop.time()
        if self.tap is not None:
            self.tap.sent(data)
        self._transport.write(data)
        return True

    def close(self) -> None:
        """Close the connection when what was sent is written.

        A peer that doesn't read it, or doesn't end TLS, gets a few seconds.
        """
        if self._transport is not None and self._deadline is None:
            self._transport.close()
            seconds = self._limits.closing_time
            self._deadline = self._loop.call_later(seconds, self._transport.abort)

    def abort(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        await asyncio.shield(self._closed)
