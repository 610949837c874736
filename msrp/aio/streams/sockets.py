"""The sockets under the connections: how they are marked, and where they come from."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from msrp.errors import ConnectionFailed

__all__ = [
    "Openings",
    "SocketOptions",
    "connect",
    "format_address",
    "is_internet",
    "peer_of",
]

_MAX_DSCP = 63

_CAN_REUSE_PORT = hasattr(socket, "SO_REUSEPORT")
"""Not so on Windows, where SO_REUSEADDR means the same."""

_ANY_ADDRESS = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketOptions:
    """What to ask of the system for each connection.

    Raises:
        ValueError: The DSCP is not between 0 and 63.
    """

    dscp: int | None = None
    """The differentiated services code point of what we send (:rfc:`2474`), from 0
    to 63; ``None`` leaves it to the system."""

    connect_from_own_port: bool = False
    """Whether a connection that we open leaves from the port of our own path, for
    peers that let in nobody else.

    Where a listener has that port it has to be given this option too, since the
    two share it; so then may other programs of the same user.  There can be only
    one connection at a time to each address and port of a peer."""

    def __post_init__(self) -> None:
        if self.dscp is not None and not 0 <= self.dscp <= _MAX_DSCP:
            raise ValueError(f"a DSCP is a number from 0 to {_MAX_DSCP}")

    @property
    def reuse_port(self) -> bool | None:
        """What a listener says to asyncio: ``None`` leaves it to the system."""
        return True if self.connect_from_own_port and _CAN_REUSE_PORT else None

    def apply(self, sock: socket.socket) -> None:
        """Mark what will be sent on a socket."""
        if self.dscp is None:
            return
        # The two bits below are for congestion (RFC 3168), and the system's.
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self.dscp << 2)
        elif sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self.dscp << 2)


class Openings:
    """The connections that are being opened, counted."""

    def __init__(self) -> None:
        self._count = 0

    @contextlib.contextmanager
    def one_more(self, target: str, limit: int) -> Iterator[None]:
        """Count one that is opened inside of ``with``.

        Args:
            target: Where to, for the words of the error.
            limit: How many there may be.

        Raises:
            ConnectionFailed: There are as many already.
        """
        if self._count >= limit:
            problem = f"{self._count} others, as many as may be, are being opened"
            raise ConnectionFailed(target, problem)
        self._count += 1
        try:
            yield
        finally:
            self._count -= 1


async def connect(
    host: str, port: int, options: SocketOptions, own_port: int
) -> socket.socket:
    """Open a TCP connection; a name with several addresses is tried at each.

    Args:
        host: The name or address to connect to.
        port: Its port.
        options: How to mark it, and whether it leaves from our own port.
        own_port: That port.

    Raises:
        OSError: There is nobody, with the reason of the first address.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failures: list[OSError] = []
    for family, kind, proto, _, address in found:
        sock = socket.socket(family, kind, proto)
        try:
            sock.setblocking(False)
            options.apply(sock)  # Before the first packet leaves.
            if options.connect_from_own_port:
                _leave_from(sock, own_port)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failures.append(_in_words(error))
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failures[0] if failures else OSError("the name has no address")


def is_internet(sock: socket.socket | None) -> bool:
    """Tell whether this is a socket of IP, and not of the local machine."""
    return sock is not None and sock.family in _ANY_ADDRESS


def format_address(host: str, port: int) -> str:
    """Write an address for messages to people."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def peer_of(transport: asyncio.BaseTransport | None) -> str:
    """Say where a connection comes from or goes to, for messages to people."""
    name = transport and transport.get_extra_info("peername")
    return format_address(name[0], name[1]) if name else "somewhere"


def _in_words(error: OSError) -> OSError:
    if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL):
        return error
    problem = "our own port is taken, perhaps by another connection to the same peer"
    return OSError(error.errno, problem)


def _leave_from(sock: socket.socket, port: int) -> None:
    # A port that is listened on can be shared only by those who all say so.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if _CAN_REUSE_PORT:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind((_ANY_ADDRESS[socket.AddressFamily(sock.family)], port))
