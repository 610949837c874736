"""Messages in datagrams: in, out, and back as an error."""

from __future__ import annotations

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from recording import Direction
from sip.aio.tapping import AgentTap
from sip.aio.transport.flows import wanted_pings
from sip.aio.transport.stun_pings import StunPings
from sip.aio.transport.udp import Address, UdpSocket
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

_REMEMBERED = 64
"""How many addresses to remember the last message to.  An ICMP error comes within
a round trip, so only addresses used in that time matter; one that is forgotten
means a call that fails later."""


class Datagrams:
    """The messages of one UDP socket.

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
        self._socket = UdpSocket(self._received, self._not_delivered)
        self._last: OrderedDict[Address, Outgoing] = OrderedDict()

    async def bind(self, host: str, port: int) -> Hop:
        """Open the socket.

        Returns:
            The address with its real port.

        Raises:
            OSError: The address isn't free, or isn't ours.
        """
        self._near = Hop(Transport.UDP, *await self._socket.bind(host, port))
        return self._near

    @property
    def is_ipv6(self) -> bool:
        """Whether it reaches IPv6 addresses, and only those."""
        return self._socket.is_ipv6

    def send(self, data: bytes, outgoing: Outgoing) -> None:
        """Send a datagram.

        Raises:
            OSError: The system refuses it.
        """
        address = (outgoing.hop.host, outgoing.hop.port)
        self._socket.send(data, address)
        if self.tap is not None:
            self.tap.heard(Direction.SENT, data, self._near, outgoing.hop)
        self._remember(address, outgoing)

    def send_octets(self, data: bytes, hop: Hop) -> None:
        """Send what is no message; that it doesn't arrive is noticed otherwise."""
        with contextlib.suppress(OSError):
            self._socket.send(data, (hop.host, hop.port))

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.close()

    def _received(self, data: bytes, address: Address) -> None:
        """Take a datagram."""
        source = Hop(Transport.UDP, address[0], address[1], flow=self.flow)
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

    def _not_delivered(
        self, error: OSError, failed: list[tuple[Address, OSError]]
    ) -> None:
        """Take note of an error of a datagram, mostly of one before."""
        _log.debug("a datagram could not be delivered: %s", error)
        for address, why in failed:
            outgoing = self._last.pop(address, None)
            if outgoing is not None:
                self._on_failure(outgoing, why)

    def _remember(self, address: Address, outgoing: Outgoing) -> None:
        self._last[address] = outgoing
        self._last.move_to_end(address)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
