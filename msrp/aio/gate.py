"""The TLS handshake of a connection that somebody has opened to us.

asyncio would do it as well, but tells nobody of one that fails or hangs.  Here each
has an owner, who can count them and end them: a peer that opens connections and
says nothing is held to the same bounds with TLS as without.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from msrp.aio.sockets import peer_of
from msrp.aio.tls import tls_words

if TYPE_CHECKING:
    from msrp.aio.tls_context import TlsContext

__all__ = ["TlsGate"]

logger = logging.getLogger("msrp.listener")


class TlsGate(asyncio.Protocol):
    """Takes one connection through the handshake, then hands it on.

    Args:
        context: With what certificate, and what to ask for.
        handshake_time: Seconds that it may take.
        closing_time: Seconds that the end of TLS may take, later.
        new_protocol: Makes what gets the connection once it is secure; it is told
            where it comes from.
        on_done: Called when the handshake is over, either way.
    """

    def __init__(
        self,
        context: TlsContext,
        *,
        handshake_time: float,
        closing_time: float,
        new_protocol: Callable[[str], asyncio.Protocol],
        on_done: Callable[[TlsGate], None],
    ) -> None:
        self._context = context
        self._handshake_time = handshake_time
        self._closing_time = closing_time
        self._new_protocol = new_protocol
        self._on_done = on_done
        self._next: asyncio.Protocol | None = None
        self._early: list[bytes] = []
        self._eof = False
        self._given_up = False
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self.failure: str | None = None
        """Why it has failed, and with whom, unless we have ended it."""

    # What asyncio calls: for the TCP connection, and between the end of the
    # handshake and the handing on for what comes over TLS.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        # uvloop's transports are no subclass of asyncio's, and the same otherwise.
        self._transport = transport = cast(asyncio.Transport, transport)
        if self._given_up:
            transport.abort()
            return
        transport.pause_reading()  # The first octet is for TLS already.
        self._task = asyncio.get_running_loop().create_task(
            self._shake_hands(transport), name="msrp TLS handshake"
        )
        self._task.add_done_callback(lambda task: self._on_done(self))

    def data_received(self, data: bytes) -> None:
        """Keep what comes in the same read as the end of the handshake."""
        self._early.append(data)

    def eof_received(self) -> bool:
        """Keep in mind that nothing follows."""
        self._eof = True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on, if it is somebody else's connection by now."""
        if self._next is not None:
            self._next.connection_lost(exc)

    # What the owner calls.

    def abort(self) -> None:
        """End the handshake, and the connection with it."""
        self._given_up = True
        if self._task is None:
            self._on_done(self)
        else:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the handshake is over."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _shake_hands(self, transport: asyncio.Transport) -> None:
        # uvloop begins to read all the same.
        hello = b"".join(self._early)
        self._early.clear()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                self._context.sending_alerts(transport.write, hello),
                server_side=True,
                ssl_handshake_timeout=self._handshake_time,
                ssl_shutdown_timeout=self._closing_time,
            )
        except OSError as error:  # As all errors of ssl are.
            peer = peer_of(transport)
            self.failure = f"a TLS handshake with {peer} failed: {tls_words(error)}"
            logger.info("%s", self.failure)
            transport.abort()
        else:
            # asyncio has no transport for a connection that is lost by now.
            if secured is not None and not transport.is_closing():
                self._hand_on(secured)

    def _hand_on(self, secured: asyncio.Transport) -> None:
        self._next = protocol = self._new_protocol(peer_of(secured))
        secured.set_protocol(protocol)
        protocol.connection_made(secured)
        for data in self._early:
            protocol.data_received(data)
        if self._eof:
            protocol.eof_received()
