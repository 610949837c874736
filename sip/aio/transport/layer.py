"""The transport layer: which socket takes a message (:rfc:`3261#section-18`).

The core names hops; this finds the socket for each or makes one.  A connection
is reused for everything that goes to the same address by the same transport,
whoever opened it; a TLS connection that a peer opened is not, since it showed no
certificate for the address it came from.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from sip.aio.reasons import cannot_reach, why_closed, why_not_connected
from sip.aio.tapping import AgentTap
from sip.aio.transport.connector import ConnectionKey, Connector, connection_key
from sip.aio.transport.datagrams import Datagrams
from sip.aio.transport.flows import alias_keys, wanted_pings
from sip.aio.transport.listeners import Listeners
from sip.aio.transport.routes import Routes
from sip.aio.transport.stream import MessageSink, Stream
from sip.aio.transport.stun_pings import StunPings
from sip.aio.transport.tls import check_context
from sip.errors import TransportError
from sip.message import Message, Request, Response
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.sansio.limits import Limits

__all__ = ["TransportLayer"]

_log = logging.getLogger("sip.transport")


@dataclass(eq=False)
class _Opening:
    """A connection that is being opened, and what waits for it."""

    task: asyncio.Task[None]
    waiting: list[Outgoing] = field(default_factory=list)


class TransportLayer:
    """All sockets of one user agent.

    Args:
        sink: Who takes what arrives.
        on_failure: Called, never from within :meth:`send`, with each message
            that couldn't be sent, and why.
        limits: How much to hold.
        server_ssl: The context of our certificate, for listening with TLS.
        client_ssl: The context that checks the certificates of others; by
            default that of the system's authorities.
        pings: Whether to ping on every connection that we open, because the servers
            that we speak to are known to answer.

    Attributes:
        listening: The addresses that we listen on.
        on_lost: Called with the address of each connection that we had opened when
            it is no more, and of each registrar that doesn't answer pings over UDP,
            if set.

    Raises:
        LocalError: A context takes TLS of before 1.2.
    """

    def __init__(
        self,
        sink: MessageSink,
        on_failure: Callable[[Outgoing, TransportError], None],
        *,
        limits: Limits,
        server_ssl: ssl.SSLContext | None = None,
        client_ssl: ssl.SSLContext | None = None,
        pings: bool = False,
    ) -> None:
        check_context(server_ssl)
        check_context(client_ssl)
        self.on_lost: Callable[[Hop], None] | None = None
        self._sink = sink
        self._on_failure = on_failure
        self._limits = limits
        self._connector = Connector(client_ssl, limits)
        self._pings = pings
        self._stun_pings = StunPings(self._send_stun, self._flow_failed, limits)
        self._loop = asyncio.get_running_loop()
        self._flows = itertools.count(1)
        self._listeners = Listeners(
            lambda transport: self._new_stream(transport, self._accepted),
            self._new_datagrams,
            server_ssl,
            limits,
        )
        self.listening = self._listeners.addresses
        self._streams: dict[int, Stream] = {}
        self._by_address: dict[ConnectionKey, Stream] = {}
        self._openings: dict[ConnectionKey, _Opening] = {}
        self._routes = Routes()
        self._tap: AgentTap | None = None
        self._closing = False

    def tap_by(self, tap: AgentTap | None) -> None:
        """Have somebody listen to all sockets from now on, or nobody."""
        self._tap = tap
        for datagrams in self._listeners.datagrams.values():
            datagrams.tap = tap
        for stream in self._streams.values():
            stream.tap_by(tap)

    async def listen(self, wanted: Hop) -> None:
        """Listen on an address; UDP brings TCP with it (:rfc:`3261#section-18.2.1`).

        Raises:
            TransportError: It isn't free, or isn't ours.
            LocalError: It is for TLS and there is no certificate.
        """
        await self._listeners.listen(wanted)

    def local_host(self, hop: Hop) -> str:
        """Tell which of our addresses is on the way to ``hop``."""
        return self._listening_point(hop).host

    def local_point(self, hop: Hop) -> Hop:
        """Tell by which of our addresses the peer at ``hop`` reaches us.

        That is where we listen, or the near end of our connection if that is with
        TLS and we don't listen for that.
        """
        point = self._listening_point(hop)
        if hop.transport is not Transport.TLS or point.transport is Transport.TLS:
            return point
        stream = self._stream_for(hop)
        if stream is not None and stream.is_open:
            return stream.near_end
        local_host = self._routes.local_host(hop)
        return self._connector.near_end(hop, local_host) or point

    def _listening_point(self, hop: Hop) -> Hop:
        is_ipv6 = ":" in hop.host

        def fit(point: Hop) -> int:
            same_family = (":" in point.host) is is_ipv6
            return 2 * same_family + (point.transport is hop.transport)

        point = self.listening[0]
        if fit(point) < 3:  # Nothing fits better.
            point = max(self.listening, key=fit)
        if point.host not in ("0.0.0.0", "::"):
            return point
        return Hop(point.transport, self._routes.local_host(hop), point.port)

    def send(self, outgoing: Outgoing) -> None:
        """Send a message, now or when its connection stands."""
        if self._closing:
            return
        hop = outgoing.hop
        if hop.transport is Transport.UDP:
            self._send_datagram(outgoing)
        elif self._send_on(self._stream_for(hop), outgoing):
            pass
        elif hop.flow is None:
            self._open(outgoing)
        elif outgoing.fallback is not None:
            self._open(Outgoing(outgoing.message, outgoing.fallback))
        else:
            self._failed(outgoing, "the connection is gone")

    async def close(self) -> None:
        """Close all sockets; what was sent is written first, for a short time."""
        self._closing = True
        self._stun_pings.stop()
        self._listeners.stop()
        openings = [opening.task for opening in self._openings.values()]
        for task in openings:
            task.cancel()
        await asyncio.gather(*openings, return_exceptions=True)
        self._connector.close()
        streams = list(self._streams.values())
        for stream in streams:
            stream.close()
        if streams:
            waits = [asyncio.ensure_future(stream.wait_closed()) for stream in streams]
            await asyncio.wait(waits, timeout=1.0)
            for stream in streams:
                stream.abort()
            await asyncio.gather(*waits)
        await self._listeners.close()

    # Streams.

    def _new_stream(
        self, transport: Transport, on_open: Callable[[Stream], None]
    ) -> Stream:
        return Stream(
            transport,
            next(self._flows),
            self._sink,
            on_open=on_open,
            on_close=self._lost,
            on_message=self._heard,
            limits=self._limits,
        )

    def _accepted(self, stream: Stream) -> None:
        host = stream.hop.host
        same = [s for s in self._streams.values() if s.hop.host == host and s.is_theirs]
        if (
            self._closing
            or len(same) >= self._limits.connections_per_host
            or not self._make_room()
        ):
            _log.info("too many connections; refusing %s", stream.hop)
            stream.abort()
            return
        stream.is_theirs = True
        self._streams[stream.flow] = stream
        if self._tap is not None:
            stream.tap_by(self._tap)
        if stream.kind is not Transport.TLS:
            self._by_address.setdefault(connection_key(stream.hop), stream)

    def _lost(self, stream: Stream) -> None:
        self._streams.pop(stream.flow, None)
        for key, known in list(self._by_address.items()):
            if known is stream:
                del self._by_address[key]
        if self._closing:
            return
        if self.on_lost is not None and not stream.is_theirs:
            self._loop.call_soon(self.on_lost, stream.hop)
        for outgoing, was_used in stream.unanswered:
            # A connection that was idle may have been dead already when the
            # request was sent, which a new one is not.
            if was_used:
                self._open(outgoing)
            else:
                error = stream.ended_by
                why = why_closed(stream.hop, error, stream.not_sip)
                self._failed(outgoing, why, error)

    def _send_on(self, stream: Stream | None, outgoing: Outgoing) -> bool:
        message = outgoing.message
        if stream is None or not stream.send(bytes(message)):
            return False
        if isinstance(message, Request) and message.method != "ACK":
            stream.unanswered.append((outgoing, stream.was_used))
        return True

    def _make_room(self) -> bool:
        """Close the connection that was idle for longest, if there are too many."""
        if len(self._streams) + len(self._openings) < self._limits.connections:
            return True
        oldest = min(self._streams.values(), key=lambda s: s.last_used, default=None)
        if oldest is None:
            return False
        if self._loop.time() - oldest.last_used < self._limits.idle_connection:
            return False
        oldest.unanswered.clear()
        self._lost(oldest)
        oldest.close()
        return True

    def _stream_for(self, hop: Hop) -> Stream | None:
        if hop.flow is not None:
            return self._streams.get(hop.flow)
        return self._by_address.get(connection_key(hop))

    def _open(self, outgoing: Outgoing) -> None:
        key = connection_key(outgoing.hop)
        if self._send_on(self._by_address.get(key), outgoing):
            return
        opening = self._openings.get(key)
        if opening is None:
            if not self._make_room():
                _log.info("too many connections; not opening %s", outgoing.hop)
                self._failed(outgoing, "we have too many connections already")
                return
            opening = _Opening(self._loop.create_task(self._connect(outgoing.hop)))
            self._openings[key] = opening
        if len(opening.waiting) < self._limits.waiting_messages:
            opening.waiting.append(outgoing)
        else:
            self._failed(outgoing, "too much waits for the connection already")

    async def _connect(self, hop: Hop) -> None:
        key = connection_key(hop)
        stream: Stream | None = None
        problem, cause = "it closed the connection", None
        try:
            stream = await self._connector.connect(
                hop,
                lambda name: self._new_stream(
                    hop.transport, lambda stream: self._opened(stream, name)
                ),
            )
        except (OSError, ValueError) as exc:  # ValueError: a bad name.
            problem, cause = why_not_connected(exc, hop, self._limits), exc
            _log.info("no connection to %s: %s", hop, problem)
        opening = self._openings.pop(key)
        if stream is not None and stream.is_open:
            self._by_address[key] = stream
        for outgoing in opening.waiting:
            if not self._send_on(stream, outgoing):
                self._failed(outgoing, problem, cause)

    def _opened(self, stream: Stream, name: str | None) -> None:
        _log.debug("connected to %s", stream.hop)
        if name is not None and (error := stream.check_certificate(name)) is not None:
            # Before an octet of what it says is believed, or one of ours is sent.
            stream.refuse(error)
            return
        self._streams[stream.flow] = stream
        if self._tap is not None:
            stream.tap_by(self._tap)
        if self._pings:
            stream.pings.start()

    def _heard(self, stream: Stream, message: Message) -> None:
        """Take note of what a message says about its connection."""
        if isinstance(message, Response):
            flow_timer = None if stream.is_theirs else wanted_pings(message)
            if flow_timer is not None:
                stream.pings.start(flow_timer or None)
        elif stream.is_theirs:
            for hop in alias_keys(message, stream.hop, stream.identities):
                self._by_address.setdefault(connection_key(hop), stream)

    # Datagrams.

    def _new_datagrams(self) -> Datagrams:
        datagrams = Datagrams(
            next(self._flows), self._sink, self._undeliverable, self._stun_pings
        )
        datagrams.tap = self._tap
        return datagrams

    def _send_datagram(self, outgoing: Outgoing) -> None:
        datagrams = self._socket_for(outgoing.hop)
        if datagrams is None:
            family = "IPv6" if ":" in outgoing.hop.host else "IPv4"
            self._failed(outgoing, f"we don't listen on UDP with {family}")
            return
        try:
            datagrams.send(bytes(outgoing.message), outgoing)
        except OSError as exc:
            self._undeliverable(outgoing, exc)

    def _send_stun(self, data: bytes, hop: Hop) -> None:
        datagrams = self._socket_for(hop)
        if datagrams is not None:
            datagrams.send_octets(data, hop)

    def _flow_failed(self, hop: Hop) -> None:
        _log.info("%s doesn't answer our pings as before", hop)
        if self.on_lost is not None and not self._closing:
            self._loop.call_soon(self.on_lost, hop)

    def _undeliverable(self, outgoing: Outgoing, error: OSError) -> None:
        why = why_not_connected(error, outgoing.hop, self._limits)
        self._failed(outgoing, why, error)

    def _socket_for(self, hop: Hop) -> Datagrams | None:
        sockets = self._listeners.datagrams
        if hop.flow is not None and hop.flow in sockets:
            return sockets[hop.flow]
        wants_ipv6 = ":" in hop.host
        for datagrams in sockets.values():
            if datagrams.is_ipv6 == wants_ipv6:
                return datagrams
        return None

    def _failed(
        self, outgoing: Outgoing, problem: str, cause: Exception | None = None
    ) -> None:
        error = cannot_reach(outgoing.hop, problem, cause)
        self._loop.call_soon(self._on_failure, outgoing, error)
