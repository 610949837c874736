"""Whom a certificate speaks for (:rfc:`5922#section-7`).

A certificate may show a SIP domain as a URI, ``sip:example.com``, and if it shows
none, as the name of a host.  Names are compared whole: what HTTP makes of an
asterisk counts for nothing here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

__all__ = ["shows_domain", "sip_identities"]

_MOST_IDENTITIES = 100
"""How many names of a certificate to look at; one with more is a mistake, or is
there to cost us time."""


def sip_identities(subject_alt_names: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Give the SIP domains that a certificate shows, and its addresses.

    Args:
        subject_alt_names: Pairs of type and value as :mod:`ssl` has them: ``"DNS"``,
            ``"URI"`` or ``"IP Address"``.

    Returns:
        Names in lower case, and addresses in their shortest form.
    """
    uris: set[str] = set()
    names: set[str] = set()
    addresses: set[str] = set()
    for kind, value in list(subject_alt_names)[:_MOST_IDENTITIES]:
        if kind == "URI":
            scheme, _, host = value.partition(":")
            # One with a user speaks for that user, and sips isn't a scheme for it.
            if scheme.lower() == "sip" and host and "@" not in host:
                uris.add(_plain(host.partition(";")[0]))
        elif kind == "DNS":
            names.add(_plain(value))
        elif kind == "IP Address":
            addresses.add(_plain(value))
    return frozenset((uris or names) | addresses)


def shows_domain(identities: frozenset[str], domain: str) -> bool:
    """Tell whether a certificate with these identities is one of ``domain``.

    Args:
        identities: What :func:`sip_identities` gave.
        domain: The host of the URI that led to the peer: a name or an address.
    """
    return _plain(domain) in identities


def _plain(host: str) -> str:
    """Write the same host the same way always."""
    bare = host.strip("[]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return host.lower().removesuffix(".")
