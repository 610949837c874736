"""The DNS as this host sees it.

Addresses come from the system, which knows its hosts file; NAPTR and SRV records
come from dnspython, which is imported with the first question: most calls of a
console go to a numeric address or to a proxy that is one.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sip.errors import TransportError
from sip.sansio.locate import Naptr, Srv

if TYPE_CHECKING:
    import dns.asyncresolver

__all__ = ["SystemDns"]

_log = logging.getLogger("sip.resolver")

_DNS_TIME = 5.0
"""Seconds for one question.  Three in a row must leave time for the call."""

_MOST_ANSWERS = 256
"""How many answers to remember, each until its time to live is over.  A user agent
speaks to its proxies and to a few domains; whoever makes it ask for more, as by a
Contact, pushes out what was used least recently."""

_NO_SUCH_NAME = frozenset(
    getattr(socket, name)
    for name in ("EAI_NONAME", "EAI_NODATA")
    if hasattr(socket, name)
)
"""How the system says that a name is not there; everything else may pass."""


class SystemDns:
    """The DNS as this host sees it, and its hosts file for addresses.

    NAPTR and SRV records, and that there are none, are remembered as long as the DNS
    allows.

    Args:
        nameservers: The addresses of the servers to ask for NAPTR and SRV records,
            if not those of the system.
        port: The port of ``nameservers``.
    """

    def __init__(self, nameservers: Sequence[str] = (), port: int = 53) -> None:
        self._nameservers = list(nameservers)
        self._port = port
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def naptr(self, name: str) -> Sequence[Naptr]:
        """Return the NAPTR records of a name."""
        answers = await self._ask(name, "NAPTR")
        from dns.rdtypes.IN.NAPTR import NAPTR

        return [
            Naptr(
                record.order,
                record.preference,
                record.service.decode("ascii", "replace"),
                record.replacement.to_text(omit_final_dot=True),
                record.flags.decode("ascii", "replace"),
            )
            for record in answers
            if isinstance(record, NAPTR)
        ]

    async def srv(self, name: str) -> Sequence[Srv]:
        """Return the SRV records of a name."""
        answers = await self._ask(name, "SRV")
        from dns.rdtypes.IN.SRV import SRV

        return [
            Srv(
                record.priority,
                record.weight,
                record.port,
                record.target.to_text(omit_final_dot=True),
            )
            for record in answers
            if isinstance(record, SRV)
        ]

    async def addresses(self, name: str) -> Sequence[str]:
        """Return the IPv4 and IPv6 addresses of a name, the best first.

        Raises:
            TransportError: There is no telling: the DNS doesn't answer.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_DNS_TIME):
                found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
        except UnicodeError:
            return []
        except TimeoutError as exc:
            problem = f"the DNS gave no address for {name} within {_DNS_TIME:g} s"
            raise TransportError(problem, target=name) from exc
        except socket.gaierror as exc:
            if exc.errno in _NO_SUCH_NAME:
                return []
            problem = f"the DNS can't be asked for {name}: {exc.strerror}"
            raise TransportError(problem, target=name) from exc
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def _ask(self, name: str, kind: str) -> Sequence[object]:
        from dns.exception import DNSException

        try:
            answer = await self._open().resolve(
                name, kind, lifetime=_DNS_TIME, raise_on_no_answer=False
            )
        except (DNSException, OSError) as exc:
            _log.debug("no %s records of %s: %s", kind, name, type(exc).__name__)
            return ()
        return list(answer) if answer.rrset is not None else ()

    def _open(self) -> dns.asyncresolver.Resolver:
        """Read the system's configuration when it is first needed.

        Raises:
            DNSException: There is none.
        """
        if self._resolver is None:
            from dns.asyncresolver import Resolver
            from dns.resolver import LRUCache

            resolver = Resolver(configure=not self._nameservers)
            if self._nameservers:
                resolver.nameservers = self._nameservers
                resolver.port = self._port
            resolver.cache = LRUCache(_MOST_ANSWERS)
            self._resolver = resolver
        return self._resolver
