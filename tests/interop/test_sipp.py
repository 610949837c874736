"""Calls with SIPp, which knows nothing of us.

It is Debian's package ``sip-tester``; without it these tests are skipped.
"""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import digest
import sdp
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

    def logged(self) -> str:
        """Return what its scenario has logged, and its errors."""
        files = self.directory.glob("*.log")
        return "\n".join(path.read_text(errors="replace") for path in files)

    async def succeeded(self) -> None:
        """Wait for it to end, and fail if its scenario failed."""
        async with asyncio.timeout(20):
            code = await self.program.process.wait()
        assert code == 0, f"sipp says {code}: {self.logged()}"


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


class Telephone:
    """An audio stream that is agreed to and never flows."""

    async def offer(self) -> sdp.MediaDescription:
        return sdp.MediaDescription("audio", 9, "RTP/AVP", ("0",))

    async def answer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        # The attributes tell which way it would flow.
        ours = dataclasses.replace(await self.offer(), attributes=offered.attributes)
        return ours if offered.media == "audio" else None

    async def start(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        pass

    async def stop(self) -> None:
        pass


@asynccontextmanager
async def console(
    transport: str, authenticator: sip.Authenticator | None = None
) -> AsyncIterator[sip.UserAgent]:
    """Run a user agent of ours."""
    async with sip.UserAgent(
        "sip:alice@127.0.0.1",
        listen=[f"{transport}://127.0.0.1:0"],
        credentials=("alice", "wonderland"),
        authenticator=authenticator,
    ) as agent:
        yield agent


@pytest.mark.rule("SIP-53", "SIP-60", "SIP-61", "SIP-62")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_we_register_with_sipp_and_leave(tmp_path: Path, transport: str) -> None:
    async with sipp(tmp_path, transport, "uas_registrar.xml") as peer:
        await listening(peer.program, transport, peer.port)
        registrar = f"sip:127.0.0.1:{peer.port};transport={transport}"
        async with console(transport) as agent:
            async with agent.register(registrar) as registration:
                assert registration.is_registered
                assert 50 < (registration.expires_in or 0) <= 60
            await peer.succeeded()


@pytest.mark.rule("SIP-54")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_sipp_takes_our_message(tmp_path: Path, transport: str) -> None:
    async with (
        sipp(tmp_path, transport, "uas_message.xml") as peer,
        console(transport) as agent,
    ):
        await listening(peer.program, transport, peer.port)
        uri = f"sip:uas@127.0.0.1:{peer.port};transport={transport}"
        await agent.send_message(uri, "in short: help")
        await peer.succeeded()
        assert "IM body: in short: help" in peer.logged()


@pytest.mark.rule("SIP-54", "SIP-60")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("qop", digest.Qop)
async def test_sipp_has_to_say_who_sends_a_message(
    tmp_path: Path, transport: str, qop: digest.Qop
) -> None:
    said: list[bytes] = []
    server = digest.DigestServer(
        "psap",
        digest.Passwords({"caller": "secret"}),
        algorithms=[digest.Algorithm.MD5],
        qop=[qop],
        uris_match=lambda uri, request: True,  # SIPp leaves the user out.
    )
    authenticator = sip.Authenticator(server)
    async with console(transport, authenticator) as agent:

        @agent.on_message
        async def take(message: sip.IncomingRequest) -> None:
            said.append(message.request.body)

        port = agent.listening[0].port
        arguments = (f"127.0.0.1:{port}", "-s", "psap", "-au", "caller")
        async with sipp(
            tmp_path, transport, "uac_message.xml", *arguments, "-ap", "secret"
        ) as peer:
            await peer.succeeded()
    assert said == [b"Hello pager mode 1\r\n"]


@pytest.mark.rule("SIP-55")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_sipp_refers_us(tmp_path: Path, transport: str) -> None:
    targets: list[str] = []
    async with console(transport) as agent:

        @agent.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            await call.answer([Telephone()])

        @agent.on_refer
        async def refer(refer: sip.IncomingRefer) -> None:
            assert refer.call is not None
            targets.append(str(refer.target.uri))
            refer.accept()

        port = agent.listening[0].port
        arguments = (f"127.0.0.1:{port}", "-s", "alice", "-key", "referto")
        async with sipp(
            tmp_path, transport, "uac_ctd.xml", *arguments, "sip:x@127.0.0.1"
        ) as peer:
            await peer.succeeded()
    assert targets == ["sip:x@127.0.0.1"]
