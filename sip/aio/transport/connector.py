"""Connections that we open, and where they begin.

Who listens for TLS tells peers to come there.  Who doesn't can be reached by the
connection alone that it has opened itself, so Via and Contact name the end of that:
proxies and peers look for a connection with that address and use it
(:rfc:`5630#section-3.1.1`).  A port where we speak no TLS would lead nowhere.  Both
headers are written before there is a connection, so its port is chosen then.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
from collections import OrderedDict
from collections.abc import Callable

from sip.aio.transport.stream import Stream
from sip.aio.transport.tls import tls_client_context
from sip.sansio.hop import Hop, Transport, is_numeric
from sip.sansio.limits import Limits

__all__ = ["ConnectionKey", "Connector", "connection_key"]

ConnectionKey = tuple[Transport, str, int, str]
"""What must be the same for requests to share a connection."""

_MOST_CHOSEN = 64
"""Ports that may be chosen for connections which aren't begun.  Each is begun at
once, unless there is no room for its request."""


def connection_key(hop: Hop) -> ConnectionKey:
    """Tell by which connection a hop may be reached."""
    name = ""
    if hop.transport is Transport.TLS:
        name = (hop.server_name or hop.host).lower()
    return hop.transport, hop.host, hop.port, name


class Connector:
    """Opens connections.

    Args:
        client_ssl: The context that checks the certificates of others; by default
            that of the system's authorities.
        limits: How long it may take.
    """

    def __init__(self, client_ssl: ssl.SSLContext | None, limits: Limits) -> None:
        self._client_ssl = client_ssl
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._chosen: OrderedDict[ConnectionKey, socket.socket] = OrderedDict()
        self._begun: dict[ConnectionKey, Hop] = {}

    def near_end(self, hop: Hop, host: str) -> Hop | None:
        """Tell where the connection to ``hop`` will begin, by choosing that.

        Args:
            hop: Where it will lead.
            host: The address of ours on the way there.

        Returns:
            ``None`` if that can't be known.
        """
        key = connection_key(hop)
        if key in self._begun:
            return self._begun[key]
        if key not in self._chosen and not self._choose(key, host):
            return None
        return _near_end(self._chosen[key], hop.transport)

    async def connect(
        self, hop: Hop, new_stream: Callable[[str | None], Stream]
    ) -> Stream:
        """Open a connection.

        Args:
            hop: Where to.
            new_stream: Makes what takes it; gets the name that the certificate of
                the peer must show, if it must.

        Raises:
            OSError: There is none.
            ValueError: The name of the host is bad.
        """
        key = connection_key(hop)
        sock = self._chosen.pop(key, None)
        try:
            async with asyncio.timeout(self._limits.connect_time):
                if sock is not None:
                    self._begun[key] = _near_end(sock, hop.transport)
                    await self._loop.sock_connect(sock, (hop.host, hop.port))
                return await self._begin(hop, sock, new_stream)
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        finally:
            self._begun.pop(key, None)

    def close(self) -> None:
        """Give up the ports of connections that weren't begun."""
        while self._chosen:
            self._chosen.popitem()[1].close()

    async def _begin(
        self,
        hop: Hop,
        sock: socket.socket | None,
        new_stream: Callable[[str | None], Stream],
    ) -> Stream:
        connect = functools.partial(
            self._loop.create_connection,
            lambda: new_stream(None),
        )
        if hop.transport is Transport.TLS:
            name = hop.server_name or hop.host
            connect = functools.partial(
                self._loop.create_connection,
                lambda: new_stream(name),
                ssl=self._context(),
                server_hostname=name,
                ssl_handshake_timeout=self._limits.handshake_time,
                ssl_shutdown_timeout=self._limits.closing_time,
            )
        stream: Stream
        if sock is None:
            _, stream = await connect(hop.host, hop.port)
        else:
            _, stream = await connect(sock=sock)
        if stream.ended_by is not None:
            raise stream.ended_by
        return stream

    def _context(self) -> ssl.SSLContext:
        if self._client_ssl is None:
            self._client_ssl = tls_client_context()
        return self._client_ssl

    def _choose(self, key: ConnectionKey, host: str) -> bool:
        if not is_numeric(key[1]):
            return False
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            sock.bind((host, 0))
        except OSError:
            sock.close()
            return False
        self._chosen[key] = sock
        if len(self._chosen) > _MOST_CHOSEN:
            self._chosen.popitem(last=False)[1].close()
        return True


def _near_end(sock: socket.socket, transport: Transport) -> Hop:
    return Hop(transport, *sock.getsockname()[:2])
