"""User agents that call each other over real sockets on the loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import sip
from sip.aio import IncomingCall
from sip.sansio.locate import Naptr, Srv
from sip.testing import RecordingMedia

__all__ = ["QUICK", "StubDns", "Switchboard", "Tls", "answering", "until", "uri_of"]


# T1 is 50 ms, so that what takes 32 s takes 3.2 s.
QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)


class Tls(Protocol):
    @property
    def server(self) -> ssl.SSLContext: ...

    @property
    def client(self) -> ssl.SSLContext: ...


class Switchboard:
    """Makes user agents that are closed after the test."""

    def __init__(self, stack: AsyncExitStack, tls: Tls) -> None:
        self._stack = stack
        self._tls = tls

    async def agent(self, transport: str = "udp", **options: Any) -> sip.UserAgent:
        return await self._stack.enter_async_context(
            sip.UserAgent(
                "sip:console@127.0.0.1",
                listen=[f"{transport}://127.0.0.1:0"],
                server_ssl=self._tls.server,
                client_ssl=self._tls.client,
                timers=options.pop("timers", QUICK),
                **options,
            )
        )


def uri_of(agent: sip.UserAgent, transport: str = "udp") -> str:
    for hop in agent.listening:
        if hop.transport.value == transport:
            return f"sip:bob@127.0.0.1:{hop.port};transport={transport}"
    raise AssertionError(f"it doesn't listen on {transport}")


def answering(agent: sip.UserAgent) -> tuple[list[IncomingCall], RecordingMedia]:
    """Let an agent answer each call."""
    calls: list[IncomingCall] = []
    medium = RecordingMedia("bob")

    @agent.on_invite
    async def ring(call: IncomingCall) -> None:
        calls.append(call)
        await call.ringing()
        await call.answer([medium])

    return calls, medium


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


class StubDns:
    """A DNS with two servers for example.com."""

    def __init__(self, *ports: int) -> None:
        self.ports = ports

    async def naptr(self, name: str) -> list[Naptr]:
        return [Naptr(1, 1, "SIP+D2T", "_sip._tcp.example.com")]

    async def srv(self, name: str) -> list[Srv]:
        return [Srv(n, 0, port, "host") for n, port in enumerate(self.ports)]

    async def addresses(self, name: str) -> list[str]:
        return ["127.0.0.1"]
