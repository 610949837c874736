"""Where a message goes next, and where it came from (:rfc:`3261#section-18`).

A :class:`Hop` is what the transport layer needs to send one message: the core
names hops, the shell reaches them.  The rules that choose the hop of a response
are here; those that choose the hop of a request begin with a URI
(:mod:`sip.sansio.requests.route`) that the shell resolves.
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlsplit

from sip.errors import LocalError
from sip.frozen import quick_init
from sip.grammar import split_list
from sip.message import Message, Request
from sip.parameters import Parameters
from sip.via import Via

__all__ = [
    "MTU_LIMIT",
    "Hop",
    "Outgoing",
    "Transport",
    "is_numeric",
    "response_hops",
    "same_address",
    "stamp_via",
    "too_big_for_datagram",
]

MTU_LIMIT = 1300
"""The largest request to send over UDP while the path MTU is unknown
(:rfc:`3261#section-18.1.1`)."""


class Transport(enum.Enum):
    """What carries SIP messages; the value is its name in URIs."""

    __hash__ = object.__hash__  # The default is written in Python.

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"

    @property
    def reliable(self) -> bool:
        """Whether what is sent arrives, so that nothing need be repeated."""
        return self is not Transport.UDP

    @property
    def secure(self) -> bool:
        """Whether it may carry requests to ``sips`` URIs."""
        return self is Transport.TLS

    @property
    def default_port(self) -> int:
        """The port that is meant where none is given."""
        return 5061 if self is Transport.TLS else 5060


@quick_init
@dataclass(frozen=True, slots=True)
class Hop:
    """One address to send to, or from which something came."""

    transport: Transport
    """What carries the messages."""

    host: str
    """A numeric address without brackets, or a name to be looked up."""

    port: int
    """The port there."""

    server_name: str = ""
    """The domain that was asked for, which a TLS certificate must show
    (:rfc:`5922#section-7`)."""

    flow: int | None = None
    """The connection or socket to use, by the shell's number for it."""

    @classmethod
    def parse(cls, text: str) -> Hop:
        """Read an address such as ``tcp://[::1]:5060``; the port may be left out.

        Raises:
            LocalError: It isn't one.
        """
        parts = urlsplit(text)
        names = {transport.value: transport for transport in Transport}
        transport = names.get(parts.scheme)
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if transport is None or not host:
            raise LocalError(f"not the address of a transport: {text}")
        return cls(transport, host, transport.default_port if port is None else port)

    def __str__(self) -> str:
        """Give it as text for logs, as in ``tcp://192.0.2.1:5060``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.transport.value}://{host}:{self.port}"

    def is_same_end(self, other: Hop) -> bool:
        """Tell whether both are one address, by whatever name or connection."""
        return (
            self.transport is other.transport
            and self.port == other.port
            and same_address(self.host, other.host)
        )

    @property
    def words(self) -> str:
        """The address as people write it, as in ``192.0.2.1:5060 over TCP``."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port} over {self.transport.name}"


@dataclass(slots=True, eq=False)  # Not frozen: one is made for every message.
class Outgoing:
    """A message to send now."""

    message: Message
    """What to send."""

    hop: Hop
    """Where to send it."""

    fallback: Hop | None = None
    """Where to try if that fails: for responses, when the connection on which
    the request came is gone."""

    others: Sequence[Hop] | None = None
    """Where to try then, if that has been looked up: see
    :func:`~sip.sansio.locate.way_back`."""


@lru_cache(maxsize=256)
def is_numeric(host: str) -> bool:
    """Tell whether ``host`` is an IP address, without brackets."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def same_address(one: str, other: str) -> bool:
    """Tell whether two hosts are the same address or the same name."""
    if one.lower() == other.lower():
        return True
    try:
        return ipaddress.ip_address(one) == ipaddress.ip_address(other)
    except ValueError:
        return False


def stamp_via(request: Request, source: Hop) -> None:
    """Write into the top Via of ``request`` where it came from.

    ``received`` is added if the sent-by is a name or another address, and
    always where the client asked for its port with ``rport``
    (:rfc:`3261#section-18.2.1`, :rfc:`3581#section-4`).

    Raises:
        SipParseError: The request has no Via that can be read.
    """
    via = request.via
    asked = via.rport is not None
    if not asked and same_address(via.host, source.host):
        return
    parameters = _stamped(via.parameters, source, str(source.port) if asked else None)
    via = Via(via.transport, via.host, via.port, parameters, via.protocol)
    text = str(via)
    first = request.headers.get("Via") or ""
    if "," in first:
        _, *others = split_list(first, ",")
        text = ", ".join([text, *others])
    vias = (via, *request.vias[1:])
    request.headers.replace_first("Via", text)
    Request.vias.remember(request, vias)


def _stamped(parameters: Parameters, source: Hop, port: str | None) -> Parameters:
    """Give parameters of a Via with where it came from, and the port if asked for."""
    stamped: list[tuple[str, str | None]] = []
    received: tuple[str, str] | None = ("received", source.host)
    for name, value in parameters:
        lower = name.lower()
        if lower == "rport" and port is not None:
            stamped.append(("rport", port))
        elif lower == "received" and received is not None:
            stamped.append(received)
            received = None
        else:
            stamped.append((name, value))
    if received is not None:
        stamped.append(received)
    return tuple(stamped)


def response_hops(via: Via, source: Hop) -> tuple[Hop, Hop | None]:
    """Tell where to send the response to a request, and where else if that fails.

    Args:
        via: The top Via of the request, after :func:`stamp_via`.
        source: Where the request came from.

    Returns:
        The hop to use and, for streams, the one to connect to if the connection
        is gone (:rfc:`3261#section-18.2.2`).
    """
    sent_by_port = via.port or source.transport.default_port
    host = via.received or via.host
    if source.transport.reliable:
        # A server name makes the certificate of a new connection be checked.
        fallback = Hop(source.transport, host, sent_by_port, via.host)
        return source, fallback
    maddr = via.parameter("maddr")
    if maddr and is_numeric(maddr.strip("[]")):
        return _at(source, maddr.strip("[]"), sent_by_port), None
    if via.received and isinstance(via.rport, int):
        return _at(source, host, via.rport), None
    return _at(source, host, sent_by_port), None


def _at(source: Hop, host: str, port: int) -> Hop:
    """Give the hop of another address that is reached by the same socket."""
    if host == source.host and port == source.port:
        return source
    return replace(source, host=host, port=port)


def too_big_for_datagram(message: Message) -> bool:
    """Tell whether a request must go over a stream (:rfc:`3261#section-18.1.1`)."""
    return len(bytes(message)) > MTU_LIMIT
