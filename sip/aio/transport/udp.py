"""A UDP socket on an event loop: datagrams, and what the system says about them.

asyncio's own datagram endpoints read one datagram each time round the loop, into
256 KiB that the allocator has to find for it.  A user agent that is busy has many
waiting, and the reading costs as much as what is read.  So we read for ourselves where
the loop lets us, and some at a time.

Linux tells of an ICMP error, such as that nobody listens on a port, only if it is
asked to (``IP_RECVERR``); then the error comes with the address it is about, and a
call to a dead port fails at once instead of after 32 seconds
(:rfc:`3261#section-18.4`).  Elsewhere it takes those 32 seconds.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TypeAlias, cast

__all__ = ["Address", "UdpSocket"]

Address: TypeAlias = tuple[str, int]
"""A host and a port."""

# From <linux/in.h> and <linux/in6.h>; Python's socket module has neither.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000

_KEPT = 1 << 20
"""Octets that the system is asked to keep while the loop is busy elsewhere: some
hundred requests, where the default has room for some dozen.  What it has no room for
is sent again after half a second, which is when a loop is busiest.  As many may wait
for the network to take them."""

_LARGEST = 65_535
"""No datagram has more octets."""

_IN_A_ROW = 16
"""Datagrams that are read before others on the loop have their turn."""

_ERRORS_IN_A_ROW = 64
"""Errors that are asked for at once.  There is one for each datagram that failed, and
not many wait."""


class UdpSocket:
    """One UDP socket.

    Args:
        on_datagram: Called with the octets of each datagram, and where it is from.
        on_errors: Called with an error of the socket, and with the addresses that the
            system says are to blame, if it does.

    Attributes:
        is_ipv6: Whether it reaches IPv6 addresses, and only those.
    """

    def __init__(
        self,
        on_datagram: Callable[[bytes, Address], None],
        on_errors: Callable[[OSError, list[tuple[Address, OSError]]], None],
    ) -> None:
        self._on_datagram = on_datagram
        self._on_errors = on_errors
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self.is_ipv6 = False
        self._endpoint: _Endpoint | None = None

    async def bind(self, host: str, port: int) -> Address:
        """Open the socket.

        Returns:
            The address with its real port.

        Raises:
            OSError: The address isn't free, or isn't ours.
        """
        found = await self._loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, _, _, _, address = found[0]
        self.is_ipv6 = family == socket.AF_INET6
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if self.is_ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            _ask_for_errors(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KEPT)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _KEPT)
            sock.bind(address)
            await self._begin_to_read(sock)
        except BaseException:
            self._socket = None
            sock.close()
            raise
        name = sock.getsockname()
        return str(name[0]), int(name[1])

    @property
    def is_open(self) -> bool:
        """Whether it can send."""
        return self._socket is not None

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram; one that the network has no room for is lost.

        Raises:
            OSError: The system refuses it, or the socket is closed.
        """
        if self._socket is None:
            raise ConnectionError("the socket is closed")
        # The system may report an error of an earlier datagram instead of sending this
        # one; asked again it sends.
        if self._hand_over(data, address) is not None:
            error = self._hand_over(data, address)
            if error is not None:
                raise error

    async def close(self) -> None:
        """Close the socket."""
        sock, self._socket = self._socket, None
        if self._endpoint is not None:
            await self._endpoint.close()
        elif sock is not None:
            self._loop.remove_reader(sock)
            sock.close()

    def _failed_to_read(self, error: OSError) -> None:
        """Take note of an error that was met in reading."""
        if self._socket is not None:
            self._report(error)

    def _hand_over(self, data: bytes, address: Address) -> OSError | None:
        """Give a datagram to the system and return what it says against it."""
        assert self._socket is not None
        try:
            self._socket.sendto(data, address)
        except (BlockingIOError, InterruptedError):
            pass  # Lost, as datagrams may be: it will be repeated.
        except OSError as exc:
            self._report(exc)
            return exc
        return None

    async def _begin_to_read(self, sock: socket.socket) -> None:
        self._socket = sock
        try:
            self._loop.add_reader(sock, self._read)
        except NotImplementedError:
            # A loop that reads by itself, as that of Windows does.
            self._endpoint = endpoint = _Endpoint(
                self._on_datagram, self._failed_to_read
            )
            await self._loop.create_datagram_endpoint(lambda: endpoint, sock=sock)

    def _read(self) -> None:
        for number in range(_IN_A_ROW):
            sock = self._socket
            if sock is None:
                return  # What was read last has had it closed.
            try:
                data, address = sock.recvfrom(_LARGEST)
            except (BlockingIOError, InterruptedError) as exc:
                if number == 0:
                    # It isn't for a datagram that we were called, so it is for an
                    # error; and would be again, as long as that isn't asked for.
                    self._report(exc)
                return
            except OSError as exc:
                self._report(exc)
            else:
                self._on_datagram(data, (address[0], address[1]))  # IPv6 has more.

    def _report(self, error: OSError) -> None:
        self._on_errors(error, self._failed_addresses())

    def _failed_addresses(self) -> list[tuple[Address, OSError]]:
        """Ask the system which addresses its errors are about."""
        found: list[tuple[Address, OSError]] = []
        if self._socket is None or not sys.platform.startswith("linux"):
            return found
        while len(found) < _ERRORS_IN_A_ROW:
            try:
                _, said, _, address = self._socket.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                break
            failed = (str(address[0]), int(address[1]))
            found.append((failed, _error_in(said)))
        return found


class _Endpoint(asyncio.DatagramProtocol):
    """Reads the socket where the loop doesn't tell when there is something to read."""

    def __init__(
        self,
        on_datagram: Callable[[bytes, Address], None],
        on_error: Callable[[OSError], None],
    ) -> None:
        self._on_datagram = on_datagram
        self._on_error = on_error
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not every event loop derives its transports from asyncio's.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._on_datagram(data, (str(addr[0]), int(addr[1])))

    def error_received(self, exc: Exception) -> None:
        if isinstance(exc, OSError):
            self._on_error(exc)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._closed.done():
            self._closed.set_result(None)

    async def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            await asyncio.shield(self._closed)


def _error_in(said: Sequence[tuple[int, int, bytes]]) -> OSError:
    """Read the error from a ``sock_extended_err``, which begins with its number."""
    for _, _, data in said:
        if len(data) >= 4:
            number = int.from_bytes(data[:4], sys.byteorder)
            return OSError(number, os.strerror(number))
    return ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))


def _ask_for_errors(sock: socket.socket) -> None:
    if not sys.platform.startswith("linux"):
        return
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
