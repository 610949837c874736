"""Calls work the same on uvloop, whose transports are of its own kind."""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol

import pytest

import sip
from sip.testing import RecordingMedia

uvloop = pytest.importorskip("uvloop")


class Tls(Protocol):
    server: ssl.SSLContext
    client: ssl.SSLContext


@pytest.mark.rule("SIP-11")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_call_goes_by_each_transport_and_ends(tls: Tls, transport: str) -> None:
    async def main() -> sip.EndReason:
        calls: list[sip.IncomingCall] = []
        async with (
            sip.UserAgent(
                "sip:bob@127.0.0.1",
                listen=[f"{transport}://127.0.0.1:0"],
                server_ssl=tls.server,
            ) as bob,
            sip.UserAgent(
                "sip:alice@127.0.0.1",
                # Without a port for TLS, which makes for a connection of its own kind.
                listen=["udp://127.0.0.1:0"],
                client_ssl=tls.client,
            ) as alice,
        ):

            @bob.on_invite
            async def answer(call: sip.IncomingCall) -> None:
                calls.append(call)
                await call.answer([RecordingMedia()])

            point = next(p for p in bob.listening if p.transport.value == transport)
            uri = f"sip:bob@127.0.0.1:{point.port};transport={transport}"
            silent = await asyncio.open_connection(
                "127.0.0.1", next(p.port for p in bob.listening)
            )
            call = await alice.invite(uri, media=[RecordingMedia()], timeout=5)
            await calls[0].bye()
            silent[1].transport.abort()
            return await call.ended()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(main()) is sip.EndReason.REMOTE_BYE
