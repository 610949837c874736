"""Addresses of this machine, and how URIs have them."""

from __future__ import annotations

import asyncio
import contextlib
import socket

__all__ = ["own_address", "uri_host"]

_NOBODY = "192.0.2.1"
"""An address that nobody has (RFC 5737): the way there is the default route."""


async def own_address(host: str | None) -> str:
    """Return the address by which this machine reaches a host.

    A name that has no address may still be found by SIP's own ways; then it is the
    address of the default route.
    """
    loop = asyncio.get_running_loop()
    found = None
    if host is not None:
        with contextlib.suppress(OSError, UnicodeError):
            found = await loop.getaddrinfo(host, 5060, type=socket.SOCK_DGRAM)
    family, target = (
        (socket.AF_INET, (_NOBODY, 5060)) if not found else (found[0][0], found[0][4])
    )
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(target)  # Which sends nothing.
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def uri_host(host: str) -> str:
    """Return a host as URIs have it."""
    return f"[{host}]" if ":" in host else host
