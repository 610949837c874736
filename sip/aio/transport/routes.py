"""By which of this host's addresses a peer is reached."""

from __future__ import annotations

import asyncio
import socket

from sip.sansio.hop import Hop

__all__ = ["Routes"]

_ROUTE_TIME = 5.0
"""Seconds for which the way to an address is taken to stay the same."""

_REMEMBERED = 256
"""To how many addresses the way is remembered; then all are forgotten."""


class Routes:
    """What the system says of the ways to other hosts."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, float]] = {}
        self._loop = asyncio.get_running_loop()

    def local_host(self, hop: Hop) -> str:
        """Tell from which address the system would send to ``hop``."""
        now = self._loop.time()
        known = self._known.get(hop.host)
        if known is not None and now - known[1] < _ROUTE_TIME:
            return known[0]
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        found = _ask(hop)
        self._known[hop.host] = found, now
        return found


def _ask(hop: Hop) -> str:
    family = socket.AF_INET6 if ":" in hop.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Connecting a UDP socket sends nothing.
            probe.connect((hop.host, hop.port or 5060))
            return str(probe.getsockname()[0])
    except OSError:
        return "127.0.0.1" if family == socket.AF_INET else "::1"
