"""A port where peers connect with TLS.

asyncio's own servers tell nobody of a handshake that has begun, so whoever connects
and says nothing couldn't be counted.  Here each handshake has an owner that can count
them and end them, and the oldest make way for new ones: whoever means it is done
after two round trips, and whoever doesn't keeps nobody out.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from sip.aio.reasons import why_no_handshake
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits

__all__ = ["TlsServer"]

_log = logging.getLogger("sip.transport")

_BACKLOG = 100
"""Connections that the system takes before we do, as many as asyncio asks for."""

_PAUSE = 1.0
"""Seconds to wait when the system gives no connection, because it has no more
files for us: as long as asyncio waits."""


@dataclass(eq=False)
class _Handshake:
    """A handshake under way."""

    peer: Hop
    sock: socket.socket
    task: asyncio.Task[None] | None = None
    has_begun: bool = False

    def give_up(self) -> None:
        assert self.task is not None
        self.task.cancel()
        if not self.has_begun:
            self.sock.close()


class TlsServer:
    """Takes the connections of one address.

    Args:
        new_stream: Makes what takes a connection once it is secure.
        context: The context of our certificate.
        limits: How many handshakes there may be, and how long they may take.
    """

    def __init__(
        self,
        new_stream: Callable[[], asyncio.Protocol],
        context: ssl.SSLContext,
        limits: Limits,
    ) -> None:
        self._new_stream = new_stream
        self._context = context
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._accepting: list[asyncio.Task[None]] = []
        self._handshakes: dict[_Handshake, None] = {}  # The oldest first.

    async def listen(self, host: str, port: int) -> list[Hop]:
        """Begin to take connections.

        Returns:
            The addresses that we listen on, with their real ports.

        Raises:
            OSError: The address isn't free, or isn't ours.
        """
        found = await self._loop.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listeners: list[socket.socket] = []
        try:
            for family, _, _, _, address in dict.fromkeys(found):
                listener = socket.create_server(
                    address, family=family, backlog=_BACKLOG
                )
                listener.setblocking(False)
                listeners.append(listener)
        except OSError:
            for listener in listeners:
                listener.close()
            raise
        self._accepting += [
            self._loop.create_task(self._accept(listener)) for listener in listeners
        ]
        return [Hop(Transport.TLS, *sock.getsockname()[:2]) for sock in listeners]

    def close(self) -> None:
        """Take no more connections, and give up those that aren't secure yet."""
        for task in self._accepting:
            task.cancel()
        for handshake in list(self._handshakes):
            handshake.give_up()

    async def wait_closed(self) -> None:
        """Wait until no task of ours is left."""
        handshakes = [h.task for h in self._handshakes if h.task is not None]
        await asyncio.gather(*self._accepting, *handshakes, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        with listener:
            while True:
                try:
                    sock, address = await self._loop.sock_accept(listener)
                except ConnectionAbortedError:
                    continue  # Whoever it was has thought better of it.
                except OSError as exc:
                    _log.warning("no connections over TLS for now: %s", exc.strerror)
                    await asyncio.sleep(_PAUSE)
                else:
                    self._begin(sock, Hop(Transport.TLS, *address[:2]))

    def _begin(self, sock: socket.socket, peer: Hop) -> None:
        handshake = _Handshake(peer, sock)
        task = handshake.task = self._loop.create_task(self._shake_hands(handshake))
        self._handshakes[handshake] = None
        task.add_done_callback(lambda _: self._handshakes.pop(handshake, None))
        self._make_room(peer.host)

    def _make_room(self, host: str) -> None:
        """Give up the oldest handshake of this host, or of all, if need be."""
        same = [h for h in self._handshakes if h.peer.host == host]
        if len(same) > self._limits.handshakes_per_host:
            oldest = same[0]
        elif len(self._handshakes) > self._limits.handshakes:
            oldest = next(iter(self._handshakes))
        else:
            return
        _log.info("too many TLS handshakes; giving up %s", oldest.peer)
        del self._handshakes[oldest]
        oldest.give_up()

    async def _shake_hands(self, handshake: _Handshake) -> None:
        handshake.has_begun = True
        try:
            await self._loop.connect_accepted_socket(
                self._new_stream,
                handshake.sock,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.handshake_time,
                ssl_shutdown_timeout=self._limits.closing_time,
            )
        except OSError as exc:  # As all errors of ssl are.
            why = why_no_handshake(exc, handshake.peer, self._limits)
            _log.info("a connection from %s: %s", handshake.peer, why)
