"""Calls with SIPp, which knows nothing of us.

It is Debian's package ``sip-tester``; without it these tests are skipped.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import sip
from sip.aio import IncomingCall
from sip.testing import RecordingMedia
from tests.interop.programs import Program, free_port, listening, running

SIPP = shutil.which("sipp")
SCENARIOS = Path(__file__).parent / "sipp"
MODE = {"udp": "u1", "tcp": "t1"}


@dataclass
class Sipp:
    """A running SIPp."""

    program: Program
    port: int
    directory: Path

    async def succeeded(self) -> None:
        """Wait for it to end, and fail if its scenario failed."""
        async with asyncio.timeout(20):
            code = await self.program.process.wait()
        errors = "\n".join(
            path.read_text(errors="replace") for path in self.directory.glob("*.log")
        )
        assert code == 0, f"sipp says {code}: {errors}"


pytestmark = pytest.mark.skipif(
    SIPP is None, reason="sipp is missing; it is in Debian's package sip-tester"
)


@asynccontextmanager
async def sipp(
    directory: Path, transport: str, scenario: str, *arguments: str
) -> AsyncIterator[Sipp]:
    """Run a scenario for one call."""
    assert SIPP is not None
    port = free_port()
    command = [
        *(SIPP, "-sf", str(SCENARIOS / scenario), "-i", "127.0.0.1", "-p", str(port)),
        *("-t", MODE[transport], "-m", "1", "-nostdin", "-trace_err", "-trace_logs"),
        *("-timeout", "20", *arguments),
    ]
    async with running(directory, *command) as program:
        yield Sipp(program, port, directory)


@pytest.mark.rule("SIP-11", "SIP-20", "SIP-46", "SIP-48")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_we_call_sipp(tmp_path: Path, transport: str) -> None:
    medium = RecordingMedia()
    async with (
        sipp(tmp_path, transport, "uas_msrp.xml") as peer,
        sip.UserAgent(
            "sip:console@127.0.0.1", listen=[f"{transport}://127.0.0.1:0"]
        ) as agent,
    ):
        await listening(peer.program, transport, peer.port)
        uri = f"sip:uas@127.0.0.1:{peer.port};transport={transport}"
        progress: list[int] = []
        call = await agent.invite(
            uri,
            media=[medium],
            timeout=10,
            on_progress=lambda response: progress.append(response.status),
        )
        assert progress == [180]
        await call.bye()
        await peer.succeeded()
    assert medium.log == ["offer", "start as offerer", "stop"]
    assert medium.answered is not None
    assert medium.answered.port == 2855
    assert medium.answered.first("setup") == "passive"


@pytest.mark.rule("SIP-11", "SIP-23", "SIP-38", "SIP-48")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_sipp_calls_us(tmp_path: Path, transport: str) -> None:
    medium = RecordingMedia()
    calls: list[IncomingCall] = []
    async with sip.UserAgent(
        "sip:psap@127.0.0.1", listen=[f"{transport}://127.0.0.1:0"]
    ) as agent:

        @agent.on_invite
        async def ring(call: IncomingCall) -> None:
            calls.append(call)
            await call.ringing()
            await call.answer([medium])

        port = agent.listening[0].port
        arguments = (f"127.0.0.1:{port}", "-s", "psap", "-d", "100")
        async with sipp(tmp_path, transport, "uac_msrp.xml", *arguments) as peer:
            await peer.succeeded()
        assert await calls[0].ended() is sip.EndReason.REMOTE_BYE
    assert calls[0].request.headers.get("Geolocation-Routing") == "yes"
    assert medium.log == ["answer", "start as answerer", "stop"]
    assert medium.offered is not None
    assert (medium.offered.first("path") or "").startswith("msrp://127.0.0.1:2856/uac")
