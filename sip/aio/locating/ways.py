"""Where requests go, and which of our addresses is on the way there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sip.aio.locating.resolver import Dns, Resolver, usable_transports
from sip.aio.transport.layer import TransportLayer
from sip.errors import LocalError, SipParseError
from sip.name_addr import NameAddr
from sip.sansio.hop import Hop, Transport
from sip.uri import SipUri, Uri, parse_uri

__all__ = ["Ways"]

_SOMEWHERE = Hop(Transport.UDP, "192.0.2.1", 5060)
"""An address that is nobody's (:rfc:`5737`): the way to it is the default route."""


class Ways:
    """What a user agent knows of ways to peers.

    Args:
        listen: Where it listens.
        outbound_proxy: Where to send all requests that have no route of their own.
        dns: What to ask for the addresses of names.

    Attributes:
        resolver: Finds the hops of URIs.
        transport: The sockets, once they are open.
        service_route: Tells which proxies our registrar wants us to go by
            (:rfc:`3608`).
    """

    def __init__(
        self, listen: Sequence[Hop], outbound_proxy: str | None, dns: Dns | None
    ) -> None:
        self.resolver = Resolver(usable_transports(listen), dns)
        self.transport: TransportLayer | None = None
        self.service_route: Callable[[], tuple[NameAddr, ...]] = tuple
        self._outbound_proxy = outbound_proxy

    def target(self, uri: str, outbound_proxy: str | None = None) -> Uri:
        """Read whom to send to, and find out whether that can lead anywhere.

        Args:
            uri: Whom.
            outbound_proxy: The proxy to go by, if not that of the agent.

        Raises:
            LocalError: It is no URI, or one that leads nowhere.
        """
        target = self.read(uri)
        route_set = self.route_set(outbound_proxy)
        self.resolver.check(route_set[0].uri if route_set else target)
        return target

    def read(self, uri: str) -> Uri:
        """Read a URI that the application gave.

        Raises:
            LocalError: It is none.
        """
        return _read_uri(uri)

    def route_set(self, outbound_proxy: str | None = None) -> tuple[NameAddr, ...]:
        """Return the proxies to go by, the first one first.

        Those that our registrar wants come after our own, unless a request is to go
        by another (:rfc:`3608#section-5`).
        """
        own = self.way_out(outbound_proxy)
        if outbound_proxy is not None:
            return own
        wanted = self.service_route()
        if own and wanted and own[0].uri.equals(wanted[0].uri):
            return wanted  # It is ours that it names first.
        return own + wanted

    def way_out(self, outbound_proxy: str | None = None) -> tuple[NameAddr, ...]:
        """Return the proxy to go by whatever a registrar says: the way to it."""
        proxy = outbound_proxy or self._outbound_proxy
        if proxy is None:
            return ()
        uri = _read_uri(proxy)
        if isinstance(uri, SipUri) and not uri.loose_routing:
            uri = uri.with_parameter("lr")
        return (NameAddr(None, uri),)

    def local_point(self, hop: Hop) -> Hop:
        """Return by which of our addresses the peer at ``hop`` can reach us."""
        assert self.transport is not None
        return self.transport.local_point(hop)

    def local_host(self, hop: Hop) -> str:
        """Return which of our addresses is on the way to ``hop``."""
        assert self.transport is not None
        return self.transport.local_host(hop)

    def media_address(self, *uris: Uri) -> str:
        """Return our address for session descriptions.

        Args:
            uris: Whom the media are for, and the proxies on the way: the first of
                them that is an address tells.
        """
        for uri in uris:
            if hops := self.resolver.resolve_now(uri):
                return self.local_host(hops[0])
        return self.local_host(_SOMEWHERE)


def _read_uri(text: str) -> Uri:
    try:
        return parse_uri(text)
    except SipParseError as exc:
        raise LocalError(f"{text!r} is no URI: {exc.problem}") from exc
