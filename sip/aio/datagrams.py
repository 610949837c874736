"""One UDP socket: datagrams in, messages out, and the other way round."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, cast

from sip.errors import SipParseError
from sip.sansio.hop import Hop, Transport
from sip.wire import parse_message

if TYPE_CHECKING:
    from sip.aio.stream import MessageSink

__all__ = ["Datagrams"]

_log = logging.getLogger("sip.transport")

# A datagram of empty lines keeps a NAT open (RFC 5626 §3.5.1) and says nothing.
_KEEP_ALIVE = frozenset(b"\r\n\x00")


class Datagrams(asyncio.DatagramProtocol):
    """One UDP socket.

    Args:
        flow: The number of the socket.
        sink: Who takes the messages.
    """

    def __init__(self, flow: int, sink: MessageSink) -> None:
        self.flow = flow
        self._sink = sink
        self._full = False
        self._transport: asyncio.DatagramTransport | None = None
        self._refused = False
        self._closed = asyncio.get_running_loop().create_future()

    @property
    def is_ipv6(self) -> bool:
        """Whether it reaches IPv6 addresses, and only those."""
        assert self._transport is not None
        family = self._transport.get_extra_info("socket").family
        return bool(family == socket.AF_INET6)

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
        """Take note that the last datagram was refused by the system."""
        _log.debug("a datagram could not be sent: %s", exc)
        self._refused = True

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note that the socket is gone."""
        if not self._closed.done():
            self._closed.set_result(None)

    def send(self, data: bytes, hop: Hop) -> bool:
        """Send a datagram.

        Returns:
            False if the system refuses it.
        """
        if self._transport is None or self._transport.is_closing():
            return False
        if self._full:
            return True  # Lost, as datagrams may be: it will be repeated.
        self._refused = False
        # What the system says at once arrives in error_received, within the call.
        self._transport.sendto(data, (hop.host, hop.port))
        return not self._refused

    async def close(self) -> None:
        """Close the socket."""
        if self._transport is not None:
            self._transport.close()
            await asyncio.shield(self._closed)
