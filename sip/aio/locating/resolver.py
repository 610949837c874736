"""From a URI to the hops that it may mean (:rfc:`3263`).

Numeric hosts never touch the DNS, nor does ``localhost``.  For a name with a
port only its addresses are asked; for a name alone its NAPTR and SRV records,
and its addresses only if there are none.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from sip.aio.locating.system_dns import SystemDns
from sip.errors import TransportError
from sip.sansio.hop import Hop, Transport, is_numeric
from sip.sansio.locate import (
    Naptr,
    Service,
    Srv,
    Target,
    check_target,
    default_services,
    order_servers,
    services_of,
    target_of,
)
from sip.uri import SipUri, Uri

__all__ = ["Dns", "Resolver", "hops_without_dns", "usable_transports"]

_log = logging.getLogger("sip.resolver")

_MOST_HOPS = 16
"""How many hops to try for one request, however many records there are."""


class Dns(Protocol):
    """What a resolver asks; a name that isn't there has no records."""

    async def naptr(self, name: str) -> Sequence[Naptr]:
        """Return the NAPTR records of a name."""

    async def srv(self, name: str) -> Sequence[Srv]:
        """Return the SRV records of a name."""

    async def addresses(self, name: str) -> Sequence[str]:
        """Return the IPv4 and IPv6 addresses of a name, the best first.

        Raises:
            TransportError: There is no telling: the DNS doesn't answer.
        """


class Resolver:
    """Finds the hops of URIs.

    Args:
        transports: What we can use, the one we like best first.
        dns: What to ask.
    """

    def __init__(self, transports: Sequence[Transport], dns: Dns | None = None) -> None:
        self._transports = tuple(transports)
        self._dns = dns or SystemDns()

    def check(self, uri: Uri) -> None:
        """Find out whether a URI can lead anywhere, before anything is sent.

        Raises:
            LocalError: It can't: we have no such transport, or no host can have
                that name.
        """
        check_target(uri, self._transports)

    def resolve_now(self, uri: Uri) -> Sequence[Hop] | None:
        """Return the hops of a URI if nobody need be asked, else ``None``."""
        return hops_without_dns(uri, self._transports)

    async def resolve(self, uri: Uri) -> Sequence[Hop]:
        """Return the hops of a URI, the best first; none if it can't be reached.

        Raises:
            TransportError: There are none because the DNS doesn't answer.
        """
        known = self.resolve_now(uri)
        if known is not None:
            return known
        assert isinstance(uri, SipUri)
        target = target_of(uri, self._transports)
        if target is None:
            return ()
        hops = [] if target.is_settled else await self._by_service(target)
        if not hops:
            hops = await self._by_address(target)
        return hops[:_MOST_HOPS]

    async def _by_service(self, target: Target) -> list[Hop]:
        services: list[Service] = []
        if target.transport is None or target.secure:
            records = await self._dns.naptr(target.host)
            services = services_of(records, target, self._transports)
        if not services:
            services = default_services(target, self._transports)
        hops: list[Hop] = []
        for service in services:
            for record in order_servers(await self._dns.srv(service.name)):
                if len(hops) < _MOST_HOPS and record.target not in ("", "."):
                    hops += await self._at_server(record, service.transport, target)
        return hops

    async def _at_server(
        self, record: Srv, transport: Transport, target: Target
    ) -> list[Hop]:
        try:
            return await self._at(record.target, record.port, transport, target)
        except TransportError as exc:
            # There may be others.
            _log.info("a server of %s: %s", target.host, exc.problem)
            return []

    async def _by_address(self, target: Target) -> list[Hop]:
        transport = target.transport
        if transport is None:
            can_udp = Transport.UDP in self._transports
            transport = Transport.UDP if can_udp else self._transports[0]
        port = target.port or transport.default_port
        return await self._at(target.host, port, transport, target)

    async def _at(
        self, name: str, port: int, transport: Transport, target: Target
    ) -> list[Hop]:
        addresses = [name] if is_numeric(name) else await self._dns.addresses(name)
        return [
            Hop(transport, address, port, target.server_name) for address in addresses
        ]


def hops_without_dns(uri: Uri, transports: Sequence[Transport]) -> Sequence[Hop] | None:
    """Return the hops of a URI if it says everything itself, else ``None``."""
    if not isinstance(uri, SipUri):
        return ()
    target = target_of(uri, transports)
    if target is None:
        return ()
    host = "127.0.0.1" if target.host.lower() == "localhost" else target.host
    if not is_numeric(host):
        return None
    transport = target.transport or transports[0]
    port = target.port or transport.default_port
    return (Hop(transport, host, port, target.server_name),)


def usable_transports(listen: Sequence[Hop]) -> list[Transport]:
    """Return what we can send by, what we listen on first.

    UDP needs a socket to get responses on; a stream brings its own.
    """
    order = [Transport.UDP, Transport.TCP, Transport.TLS]
    heard = {hop.transport for hop in listen}
    if Transport.UDP in heard:
        return order
    return sorted(order[1:], key=lambda transport: transport not in heard)
