"""One UDP socket: datagrams in, messages out, and the other way round.

Linux tells of an ICMP error, such as that nobody listens on a port, only if it is
asked to (``IP_RECVERR``); then the error comes with the address it is about, and a
call to a dead port fails at once instead of after 32 seconds
(:rfc:`3261#section-18.4`).  Elsewhere it takes those 32 seconds.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from sip.errors import SipParseError
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.wire import parse_message

if TYPE_CHECKING:
    from sip.aio.stream import MessageSink

__all__ = ["Datagrams"]

_log = logging.getLogger("sip.transport")

# A datagram of empty lines or zeros keeps a NAT open (RFC 5626 §3.5.1) and says
# nothing.
_KEEP_ALIVE = frozenset(b"\r\n\x00")

# From <linux/in.h> and <linux/in6.h>; Python's socket module has neither.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000

_REMEMBERED = 64
"""How many addresses to remember the last message to.  An ICMP error comes within
a round trip, so only addresses used in that time matter; one that is forgotten
means a call that fails later."""

_Address = tuple[str, int]


class Datagrams(asyncio.DatagramProtocol):
    """One UDP socket.

    Args:
        flow: The number of the socket.
        sink: Who takes the messages.
        on_failure: Called with the last message to an address where nobody is.
    """

    def __init__(
        self, flow: int, sink: MessageSink, on_failure: Callable[[Outgoing], None]
    ) -> None:
        self.flow = flow
        self._sink = sink
        self._on_failure = on_failure
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._last: OrderedDict[_Address, Outgoing] = OrderedDict()
        self._full = False
        self._refused = False
        self._closed = asyncio.get_running_loop().create_future()

    async def bind(self, host: str, port: int) -> Hop:
        """Open the socket.

        Returns:
            The address with its real port.

        Raises:
            OSError: The address isn't free, or isn't ours.
        """
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, _, _, _, address = found[0]
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            _ask_for_errors(sock)
            sock.bind(address)
            await loop.create_datagram_endpoint(lambda: self, sock=sock)
        except BaseException:
            sock.close()
            raise
        self._socket = sock
        return Hop(Transport.UDP, *sock.getsockname()[:2])

    @property
    def is_ipv6(self) -> bool:
        """Whether it reaches IPv6 addresses, and only those."""
        return self._socket is not None and self._socket.family == socket.AF_INET6

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note that the socket is there."""
        # Not every event loop derives its transports from asyncio's.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def pause_writing(self) -> None:
        """Take note that the system takes no more for now."""
        self._full = True

    def resume_writing(self) -> None:
        """Take note that the system takes more."""
        self._full = False

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """Take a datagram."""
        source = Hop(Transport.UDP, str(addr[0]), int(addr[1]), flow=self.flow)
        if not data or _KEEP_ALIVE.issuperset(data[:4]):
            return
        try:
            message = parse_message(data)
        except SipParseError as exc:
            _log.info("%s sent what is no message: %s", source, exc)
            self._sink.invalid_received(exc, source)
        else:
            self._sink.message_received(message, source)

    def error_received(self, exc: Exception) -> None:
        """Take note of an error of this datagram, or of one before."""
        _log.debug("a datagram could not be delivered: %s", exc)
        self._refused = True
        for address in self._failed_addresses():
            outgoing = self._last.pop(address, None)
            if outgoing is not None:
                self._on_failure(outgoing)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the socket is gone."""
        if not self._closed.done():
            self._closed.set_result(None)

    def send(self, data: bytes, outgoing: Outgoing) -> bool:
        """Send a datagram.

        Returns:
            False if the system refuses it.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        if self._full:
            return True  # Lost, as datagrams may be: it will be repeated.
        address = (outgoing.hop.host, outgoing.hop.port)
        # The system may report an error of an earlier datagram instead of sending
        # this one, and does so within the call; asked again it sends.
        for _ in range(2):
            self._refused = False
            self._transport.sendto(data, address)
            if not self._refused:
                self._remember(address, outgoing)
                return True
        return False

    async def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            await asyncio.shield(self._closed)

    def _remember(self, address: _Address, outgoing: Outgoing) -> None:
        self._last[address] = outgoing
        self._last.move_to_end(address)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)

    def _failed_addresses(self) -> list[_Address]:
        """Ask the system which addresses its errors are about."""
        found: list[_Address] = []
        if self._socket is None or not sys.platform.startswith("linux"):
            return found
        # There is one for each datagram that failed, and not many wait here.
        while len(found) < _REMEMBERED:
            try:
                _, _, _, address = self._socket.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                break
            found.append((str(address[0]), int(address[1])))
        return found


def _ask_for_errors(sock: socket.socket) -> None:
    if not sys.platform.startswith("linux"):
        return
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
