"""What ``c=`` and ``m=`` say, and whether a path says so too (:rfc:`6714#section-4.4`).

Two hosts are compared as addresses, and names therefore by what they resolve to;
the comparison is a proof that they differ, and where there is none they don't.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable, Collection
from typing import Self, TypeAlias

from msrp.uri import MsrpUri
from sdp import ConnectionData, MediaDescription

__all__ = ["DISCARD_PORT", "MediaAddress", "Resolver"]

Resolver: TypeAlias = Callable[[str], Collection[str]]
"""Gives the IP addresses of a host name, as text; none if it knows of none."""

DISCARD_PORT = 9
"""The port of an ``m=`` line whose author connects (:rfc:`4145#section-4.1`)."""

_IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclasses.dataclass(frozen=True, slots=True)
class MediaAddress:
    """The host of a ``c=`` line and the port of its ``m=`` line."""

    host: str
    """A name or an IP address; an IPv6 address without brackets."""

    port: int | None
    """None if it is 9, which is no port to connect to (:rfc:`4145#section-4.1`)."""

    @classmethod
    def read(cls, media: MediaDescription) -> Self | None:
        """Read a section.

        Args:
            media: As :meth:`sdp.SessionDescription.effective_media` gives it.

        Returns:
            None if it has no address, or none that TCP can connect to.
        """
        connection = media.connection
        if connection is None or not _is_tcp_address(connection):
            return None
        port = None if media.port == DISCARD_PORT else media.port
        return cls(connection.address, port)

    def differs_from(self, path: tuple[MsrpUri, ...], resolve: Resolver | None) -> bool:
        """Tell whether this certainly is the address of no URI of a path.

        Args:
            path: What to compare with.
            resolve: Asked for the addresses of a host name that isn't the same
                word in both places.  If it is None, or knows of none, the name
                may be any address.

        Raises:
            ValueError: ``resolve`` has given something that isn't an IP address.
        """
        return not any(self._may_be(uri, resolve) for uri in path)

    def _may_be(self, uri: MsrpUri, resolve: Resolver | None) -> bool:
        if self.port is not None and self.port != uri.port:
            return False
        # What makes two hosts the same is left to the URI (RFC 4975 §6.1).
        if dataclasses.replace(uri, host=self.host) == uri:
            return True
        ours, theirs = _resolved(self.host, resolve), _resolved(uri.host, resolve)
        if not ours or not theirs:
            return True
        return not ours.isdisjoint(theirs)


def _is_tcp_address(connection: ConnectionData) -> bool:
    return connection.is_internet and not (
        connection.is_multicast or connection.is_unspecified
    )


def _resolved(host: str, resolve: Resolver | None) -> frozenset[_IpAddress]:
    try:
        return frozenset({_canonical(host)})
    except ValueError:
        texts = () if resolve is None else resolve(host)
    return frozenset(map(_canonical, texts))


def _canonical(text: str) -> _IpAddress:
    """Read an address; one is only equal to another spelling of itself."""
    address = ipaddress.ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
