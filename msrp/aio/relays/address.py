"""Where a relay is (:rfc:`4976#section-8`).

A URI with a port says it; one without is looked up in the DNS, which only URIs in
AUTH requests may need: SRV records of ``_msrps._tcp``, in the order of :rfc:`2782`.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, TypeAlias

from msrp.errors import ConnectionFailed, LocalProtocolError
from msrp.uri import MsrpUri

__all__ = [
    "DEFAULT_PORT",
    "LookUp",
    "Server",
    "in_order",
    "look_up_srv",
    "places_of",
]

DEFAULT_PORT = 2855
"""The port of a relay that has no SRV records."""

_MAX_SERVERS = 16
"""Servers that are tried: farms are smaller, and each costs seconds if it is down."""

_DNS_TIME = 10.0
"""Seconds to wait for the DNS."""


class Server(NamedTuple):
    """One SRV record."""

    priority: int
    weight: int
    port: int
    target: str


LookUp: TypeAlias = Callable[[str], Awaitable[Sequence[Server]]]
"""Gives the SRV records of a name; none if there are none."""


async def places_of(
    uri: MsrpUri, look_up: LookUp | None = None
) -> list[tuple[str, int]]:
    """Return hosts and ports where a relay may be found, the first to try first.

    Args:
        uri: The relay's.
        look_up: By default, the DNS.

    Raises:
        LocalProtocolError: It is an IP address without a port.
        ConnectionFailed: The DNS says that there is no such service, or nothing.
    """
    if uri.port is not None:
        return [(uri.host, uri.port)]
    if _is_address(uri.host):
        raise LocalProtocolError(
            "the URI of a relay that is an IP address needs a port", section="4976#8"
        )
    if not uri.secure:  # There is no service without TLS to look up.
        return [(uri.host, DEFAULT_PORT)]
    servers = await (look_up or look_up_srv)(f"_msrps._tcp.{uri.host}")
    if not servers:
        return [(uri.host, DEFAULT_PORT)]
    places = [
        (server.target.rstrip("."), server.port)
        for server in in_order(servers)
        if server.target.rstrip(".")
    ]
    if not places:
        raise ConnectionFailed(uri.host, "the DNS says that there is no relay")
    return places[:_MAX_SERVERS]


def in_order(
    servers: Sequence[Server], choose: Callable[[int], int] | None = None
) -> list[Server]:
    """Put SRV records into the order in which they are tried (:rfc:`2782`).

    Args:
        servers: The records.
        choose: Gives a random number from 0 to the given one.
    """
    choose = choose or (lambda most: random.randint(0, most))
    ordered: list[Server] = []
    for priority in sorted({server.priority for server in servers}):
        # Those of no weight first, so that they have a small chance.
        left = sorted(
            (server for server in servers if server.priority == priority),
            key=lambda server: server.weight,
        )
        while left:
            mark = choose(sum(server.weight for server in left))
            passed = 0
            for server in left:
                passed += server.weight
                if passed >= mark:
                    break
            left.remove(server)
            ordered.append(server)
    return ordered


async def look_up_srv(name: str) -> list[Server]:
    """Ask the DNS for SRV records.

    Raises:
        ConnectionFailed: It doesn't answer, or ``name`` is no name.
    """
    # Not above: who names a port needs no DNS.
    import dns.asyncresolver
    import dns.exception
    import dns.rdatatype
    import dns.resolver
    from dns.rdtypes.IN.SRV import SRV

    try:
        answer = await dns.asyncresolver.resolve(
            name, dns.rdatatype.SRV, lifetime=_DNS_TIME
        )
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        problem = "the DNS can't be asked where the relay is"
        raise ConnectionFailed(name, problem) from error
    return [
        Server(record.priority, record.weight, record.port, record.target.to_text())
        for record in answer
        if isinstance(record, SRV)
    ]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
