"""The sockets that a user agent listens on."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from sip.aio.transport.datagrams import Datagrams
from sip.aio.transport.tls_server import TlsServer
from sip.errors import LocalError, TransportError
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits

__all__ = ["Listeners"]

# How often to look for a port that is free for UDP and TCP both.
_PORT_TRIALS = 16


class Listeners:
    """All sockets that a user agent listens on.

    Args:
        new_stream: Makes what takes a connection that comes in.
        new_datagrams: Makes what takes the datagrams of a socket.
        server_ssl: The context of our certificate, for listening with TLS.
        limits: How many handshakes there may be, and how long they may take.

    Attributes:
        addresses: What we listen on.
        datagrams: The UDP sockets, by their numbers.
    """

    def __init__(
        self,
        new_stream: Callable[[Transport], asyncio.Protocol],
        new_datagrams: Callable[[], Datagrams],
        server_ssl: ssl.SSLContext | None,
        limits: Limits,
    ) -> None:
        self.addresses: list[Hop] = []
        self.datagrams: dict[int, Datagrams] = {}
        self._new_stream = new_stream
        self._new_datagrams = new_datagrams
        self._server_ssl = server_ssl
        self._limits = limits
        self._servers: list[asyncio.Server | TlsServer] = []

    async def listen(self, wanted: Hop) -> None:
        """Listen on an address; UDP brings TCP with it (:rfc:`3261#section-18.2.1`).

        Raises:
            TransportError: It isn't free, or isn't ours.
            LocalError: It is for TLS and there is no certificate.
        """
        try:
            if wanted.transport is Transport.UDP:
                await self._listen_to_both(wanted)
            elif not self._listens_on(wanted):
                await self._listen_to_streams(wanted)
        except OSError as exc:
            reason = exc.strerror or str(exc)
            raise TransportError(reason, target=str(wanted), doing="listen on") from exc

    def stop(self) -> None:
        """Take no more connections."""
        for server in self._servers:
            server.close()

    async def close(self) -> None:
        """Close all sockets; the connections that came in are closed already."""
        self.stop()
        for datagrams in self.datagrams.values():
            await datagrams.close()
        await asyncio.gather(*(server.wait_closed() for server in self._servers))

    async def _listen_to_both(self, wanted: Hop) -> None:
        for trial in range(_PORT_TRIALS):
            try:
                await self._listen_to_pair(wanted)
                return
            except OSError:
                if wanted.port != 0 or trial == _PORT_TRIALS - 1:
                    raise

    async def _listen_to_pair(self, wanted: Hop) -> None:
        datagrams = self._new_datagrams()
        found = await datagrams.bind(wanted.host, wanted.port)
        companion = Hop(Transport.TCP, found.host, found.port)
        try:
            if not self._listens_on(companion):
                await self._listen_to_streams(companion)
        except OSError:
            await datagrams.close()
            raise
        self.datagrams[datagrams.flow] = datagrams
        self.addresses.append(found)

    async def _listen_to_streams(self, wanted: Hop) -> None:
        if wanted.transport is Transport.TLS:
            await self._listen_with_tls(wanted)
            return
        server = await asyncio.get_running_loop().create_server(
            lambda: self._new_stream(Transport.TCP), wanted.host, wanted.port
        )
        self._servers.append(server)
        for listener in server.sockets:
            host, port = listener.getsockname()[:2]
            self.addresses.append(Hop(Transport.TCP, host, port))

    async def _listen_with_tls(self, wanted: Hop) -> None:
        if self._server_ssl is None:
            raise LocalError("listening with TLS needs a certificate (server_ssl)")
        server = TlsServer(
            lambda: self._new_stream(Transport.TLS), self._server_ssl, self._limits
        )
        self.addresses += await server.listen(wanted.host, wanted.port)
        self._servers.append(server)

    def _listens_on(self, wanted: Hop) -> bool:
        return wanted.port != 0 and any(
            (point.transport, point.host, point.port)
            == (wanted.transport, wanted.host, wanted.port)
            for point in self.addresses
        )
