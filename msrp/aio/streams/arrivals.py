"""Who has connected to a port, and how far they have come.

A connection over TLS is at a gate until the handshake is done, then a stream that has
not named a session, and then one that has.  The first two are strangers: there may be
only so many of them, and the oldest make way.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from msrp.aio.streams.called import SessionOwner, StreamDirectory
from msrp.aio.streams.closing import CLOSING_TIME
from msrp.aio.streams.directory import UriDirectory
from msrp.aio.streams.sockets import SocketOptions, peer_of
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.taps.tapping import PortTaps
from msrp.aio.tls.wrapping import HANDSHAKE_TIME, tls_words
from msrp.config import Limits
from msrp.errors import LimitExceeded, ProtocolError
from msrp.sansio.session import Session
from msrp.uri import MsrpUri

if TYPE_CHECKING:
    from msrp.aio.tls.context import TlsContext
    from msrp.aio.tls.transport import TlsTransport

__all__ = ["Arrivals"]

logger = logging.getLogger("msrp.listener")


class Arrivals(StreamDirectory):
    """The connections of one port.

    Args:
        uris: Finds the sessions that are called.
        context: For handshakes; ``None`` without TLS.
        limits: Bounds on all peers together.
        sockets: How connections are marked.
        any_host: Whether a session id alone names a session.
        port: Whose taps hear them.
    """

    def __init__(
        self,
        uris: UriDirectory,
        context: TlsContext | None,
        *,
        limits: Limits,
        sockets: SocketOptions,
        any_host: bool,
        port: PortTaps,
    ) -> None:
        self._uris = uris
        self._context = context
        self._limits = limits
        self._sockets = sockets
        self._any_host = any_host
        self.port = port
        self.gates: dict[TlsTransport, None] = {}
        """Those whose handshake is under way, the oldest first."""
        self.streams: set[StreamProtocol] = set()
        """All others."""
        self.unbound: dict[StreamProtocol, str] = {}
        """Those of them that have not named a session, the oldest first; and where
        those over TLS come from, for who waits will be told about them."""
        self._closing = False
        self._failure = ""
        self._failed_at = 0.0

    def new(self) -> TlsTransport | StreamProtocol:
        """Return what takes a connection that somebody opens."""
        return self._new_stream() if self._context is None else self._new_gate()

    def failure_since(self, time: float) -> str | None:
        """Say what was the matter with the last one who got no further than TLS.

        Args:
            time: What was before isn't told, by the clock of the loop.
        """
        return self._failure if self._failure and self._failed_at >= time else None

    async def close(self) -> None:
        """End them all."""
        self._closing = True
        while self.gates:
            self._close_oldest_gate()
        for stream in list(self.streams):
            stream.close()
        await asyncio.sleep(0)  # In which asyncio closes the sockets of the gates.
        for stream in list(self.streams):
            await stream.wait_closed()

    # What streams ask and tell.

    def find_for(
        self, stream: StreamProtocol, uri: MsrpUri
    ) -> tuple[Session, SessionOwner] | None:
        """Return the session with this URI, if the stream may carry it."""
        return self._uris.find_for(stream, uri)

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether this URI was given out and no session has come yet."""
        return self._uris.expects(uri)

    def stream_bound(self, stream: StreamProtocol) -> None:
        """Take note that a connection has named a session."""
        self.unbound.pop(stream, None)

    def stream_closed(self, stream: StreamProtocol) -> None:
        """Let go of a connection."""
        self.streams.discard(stream)
        peer = self.unbound.pop(stream, "")
        if peer and not self._closing and not isinstance(stream.error, ProtocolError):
            self._left(peer)
        self._uris.let_go(stream)

    # Inside.

    def _new_gate(self) -> TlsTransport:
        # Not above: who does without TLS needn't wait for OpenSSL.
        from msrp.aio.tls.transport import TlsTransport

        assert self._context is not None
        gate = TlsTransport(
            self._context.server(),
            lambda gate: self._new_stream(peer_of(gate)),
            handshake_time=HANDSHAKE_TIME,
            closing_time=CLOSING_TIME,
            on_handshake=lambda error: self._gate_done(gate, error),
        )
        self.gates[gate] = None
        if len(self.gates) > self._limits.max_unbound_connections:
            logger.warning("too many TLS handshakes: giving up the oldest")
            self._close_oldest_gate()
        return gate

    def _close_oldest_gate(self) -> None:
        oldest = next(iter(self.gates))
        del self.gates[oldest]  # First: that we end it is no failure.
        oldest.abort()

    def _gate_done(self, gate: TlsTransport, error: OSError | None) -> None:
        if gate in self.gates:
            del self.gates[gate]
            if error is not None:
                peer = peer_of(gate)
                failure = f"a TLS handshake with {peer} failed: {tls_words(error)}"
                logger.info("%s", failure)
                self._note(failure)

    def _left(self, peer: str) -> None:
        """Say that somebody has closed a connection over TLS without a word."""
        # Whoever compares our certificate with SDP does so after the handshake, and
        # may have no way to say that it doesn't believe it.
        failure = (
            f"{peer} has closed a TLS connection without naming a session:"
            " perhaps it does not believe our certificate"
        )
        logger.info("%s", failure)
        self._note(failure)

    def _note(self, failure: str) -> None:
        self._failure = failure
        self._failed_at = asyncio.get_running_loop().time()

    def _new_stream(self, peer: str = "") -> StreamProtocol:
        stream = StreamProtocol(
            self,
            limits=self._limits,
            sockets=self._sockets,
            any_host=self._any_host,
            port=self.port,
        )
        self.streams.add(stream)
        self.unbound[stream] = peer
        self._make_room()
        return stream

    def _make_room(self) -> None:
        """Give up the connection that has kept silent longest, if need be."""
        many = len(self.streams) > self._limits.max_connections
        silent = len(self.unbound) > self._limits.max_unbound_connections
        if (many or silent) and self.unbound:
            oldest = next(iter(self.unbound))
            del self.unbound[oldest]
            logger.warning("too many connections: giving up %s", oldest.peer)
            oldest.abort(LimitExceeded("too many connections"))
