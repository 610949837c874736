"""One UDP socket: datagrams in, messages out, and the other way round.

Linux tells of an ICMP error, such as that nobody listens on a port, only if it is
asked to (``IP_RECVERR``); then the error comes with the address it is about, and a
call to a dead port fails at once instead of after 32 seconds
(:rfc:`3261#section-18.4`).  Elsewhere it takes those 32 seconds.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import sys
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from recording import Direction
from sip.aio.tapping import AgentTap
from sip.aio.transport.flows import wanted_pings
from sip.aio.transport.stun_pings import StunPings
from sip.errors import SipParseError
from sip.message import Response
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.stun import is_stun
from sip.wire import parse_message

if TYPE_CHECKING:
    from sip.aio.transport.stream import MessageSink

__all__ = ["Datagrams"]

_log = logging.getLogger("sip.transport")

# A datagram of empty lines or zeros keeps a NAT open (RFC 5626 §3.5.1) and says
# nothing.
_KEEP_ALIVE = frozenset(b"\r\n\x00")

# From <linux/in.h> and <linux/in6.h>; Python's socket module has neither.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_MSG_ERRQUEUE = 0x2000

_RECEIVED = 1 << 20
"""Octets that the system is asked to keep while the loop is busy elsewhere: some
hundred requests, where the default has room for some dozen.  What it has no room for
is sent again after half a second, which is when a loop is busiest."""

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
        on_failure: Called with the last message to an address where nobody is,
            and with what the system says.
        pings: What takes STUN, and pings the registrars that understand it.

    Attributes:
        tap: What hears all that goes through it, while anybody listens.
    """

    def __init__(
        self,
        flow: int,
        sink: MessageSink,
        on_failure: Callable[[Outgoing, OSError], None],
        pings: StunPings,
    ) -> None:
        self.flow = flow
        self._sink = sink
        self._on_failure = on_failure
        self._pings = pings
        self.tap: AgentTap | None = None
        self._near = Hop(Transport.UDP, "", 0)
        self._socket: socket.socket | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._last: OrderedDict[_Address, Outgoing] = OrderedDict()
        self._full = False
        self._error: Exception | None = None
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
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVED)
            sock.bind(address)
            await loop.create_datagram_endpoint(lambda: self, sock=sock)
        except BaseException:
            sock.close()
            raise
        self._socket = sock
        self._near = Hop(Transport.UDP, *sock.getsockname()[:2])
        return self._near

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
        if is_stun(data):
            self._pings.received(data, source)
            return
        if self.tap is not None:
            self.tap.heard(Direction.RECEIVED, data, self._near, source)
        try:
            message = parse_message(data)
        except SipParseError as exc:
            _log.info("%s sent what is no message: %s", source, exc)
            self._sink.invalid_received(exc, source)
        else:
            if isinstance(message, Response):
                flow_timer = wanted_pings(message)
                if flow_timer is not None:
                    self._pings.start(source, flow_timer or None)
            self._sink.message_received(message, source)

    def error_received(self, exc: Exception) -> None:
        """Take note of an error of this datagram, or of one before."""
        _log.debug("a datagram could not be delivered: %s", exc)
        self._error = exc
        for address, error in self._failed_addresses():
            outgoing = self._last.pop(address, None)
            if outgoing is not None:
                self._on_failure(outgoing, error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the socket is gone."""
        if not self._closed.done():
            self._closed.set_result(None)

    def send(self, data: bytes, outgoing: Outgoing) -> None:
        """Send a datagram.

        Raises:
            OSError: The system refuses it.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the socket is closed")
        if self._full:
            return  # Lost, as datagrams may be: it will be repeated.
        address = (outgoing.hop.host, outgoing.hop.port)
        # The system may report an error of an earlier datagram instead of sending
        # this one, and does so within the call; asked again it sends.
        error = self._hand_over(data, address) and self._hand_over(data, address)
        if error is not None:
            raise error
        if self.tap is not None:
            self.tap.heard(Direction.SENT, data, self._near, outgoing.hop)
        self._remember(address, outgoing)

    def send_octets(self, data: bytes, hop: Hop) -> None:
        """Send what is no message; that it doesn't arrive is noticed otherwise."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, (hop.host, hop.port))

    async def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            await asyncio.shield(self._closed)

    def _hand_over(self, data: bytes, address: _Address) -> Exception | None:
        """Give a datagram to the system and return what it says against it."""
        assert self._transport is not None
        self._error = None
        self._transport.sendto(data, address)
        return self._error

    def _remember(self, address: _Address, outgoing: Outgoing) -> None:
        self._last[address] = outgoing
        self._last.move_to_end(address)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)

    def _failed_addresses(self) -> list[tuple[_Address, OSError]]:
        """Ask the system which addresses its errors are about."""
        found: list[tuple[_Address, OSError]] = []
        if self._socket is None or not sys.platform.startswith("linux"):
            return found
        # There is one for each datagram that failed, and not many wait here.
        while len(found) < _REMEMBERED:
            try:
                _, said, _, address = self._socket.recvmsg(0, 512, _MSG_ERRQUEUE)
            except OSError:
                break
            failed = (str(address[0]), int(address[1]))
            found.append((failed, _error_in(said)))
        return found


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
