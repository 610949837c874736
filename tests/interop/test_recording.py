"""What taps have written is read by programs that aren't ours."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import msrp
import sip
from recording import (
    Direction,
    JsonLinesFile,
    LogElement,
    PcapngFile,
    Protocol,
    Transport,
    WireRecord,
)
from sip.aio import IncomingCall

pytestmark = pytest.mark.timeout(120)

needs_tshark = pytest.mark.skipif(
    shutil.which("tshark") is None,
    reason="tshark is missing (Debian package tshark)",
)
needs_jq = pytest.mark.skipif(
    shutil.which("jq") is None, reason="jq is missing (Debian package jq)"
)

CALL_ID = "urn:emergency:uid:callid:1234567890:bcf.example"
CONFIG = msrp.SessionConfig(chunk_size=None, max_message_length=1_000_000)


@dataclass
class Recorded:
    """A call of which Bob's side was recorded."""

    capture: Path
    log: Path
    wire: list[WireRecord] = field(default_factory=list)

    @property
    def decoding(self) -> Iterator[str]:
        """Tell tshark what is on which port of Bob's."""
        for port, protocol in {
            (each.local.port, each.protocol.value.lower())
            for each in self.wire
            if each.transport is not Transport.UDP
        }:
            yield from ("-d", f"tcp.port=={port},{protocol}")
        for port in {
            each.local.port for each in self.wire if each.transport is Transport.UDP
        }:
            yield from ("-d", f"udp.port=={port},sip")

    def fields(self, display: str, *names: str) -> list[list[str]]:
        wanted = [argument for name in names for argument in ("-e", name)]
        output = subprocess.run(
            [
                *("tshark", "-r", str(self.capture), *self.decoding),
                *("-Y", display, "-T", "fields", *wanted),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        return [line.split("\t") for line in output.splitlines()]

    def starts(self, protocol: Protocol) -> list[str]:
        """Return the method or the code of each message, in order."""
        found = []
        for each in self.wire:
            if each.protocol is protocol:
                first, second, third = each.octets.split(None, 3)[:3]
                word = third if protocol is Protocol.MSRP else first
                if first == b"SIP/2.0":
                    word = second
                found.append(word.decode())
        return found


async def record_a_call(directory: Path, transport: str, secure: bool) -> Recorded:
    recorded = Recorded(directory / "call.pcapng", directory / "call.jsonl")
    cert = msrp.LocalCertificate.self_signed() if secure else None
    element = LogElement(element_id="console.example", agency_id="psap.example")
    listen = [f"{transport}://127.0.0.1:0"]
    with (
        PcapngFile(recorded.capture) as capture,
        JsonLinesFile(recorded.log, element) as log,
    ):
        async with (
            sip.UserAgent("sip:bob@127.0.0.1", listen=listen) as bob,
            sip.UserAgent("sip:alice@127.0.0.1", listen=listen) as alice,
            msrp.MsrpListener("127.0.0.1", 0, local_cert=cert) as theirs,
            msrp.MsrpListener("127.0.0.1", 0, local_cert=cert) as ours,
        ):
            for tapped in (bob, theirs):
                tapped.add_tap(log)
                tapped.add_wire_tap(capture)
                tapped.add_wire_tap(recorded.wire.append)
            await _talk(alice, bob, ours, theirs, transport)
    return recorded


async def _talk(
    alice: sip.UserAgent,
    bob: sip.UserAgent,
    ours: msrp.MsrpListener,
    theirs: msrp.MsrpListener,
    transport: str,
) -> None:
    media = msrp.MsrpMedia(theirs, config=CONFIG)
    heard: asyncio.Queue[str] = asyncio.Queue()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.answer([media])

    hop = next(h for h in bob.listening if h.transport.value == transport)
    own = msrp.MsrpMedia(ours, config=CONFIG)
    call = await alice.invite(
        f"sip:bob@127.0.0.1:{hop.port};transport={transport}",
        media=[own],
        headers=[("Call-Info", f"<{CALL_ID}>;purpose=emergency-CallId")],
        timeout=10,
    )
    await own.connection.established()
    await media.connection.established()
    media.connection.on_text_message_received(
        lambda event: heard.put_nowait(event.text)
    )
    for text in ("My house is on fire.", "Grüße ☎ 🚒"):
        await (await own.connection.send_text(text, success_report=True)).delivered()
        assert await asyncio.wait_for(heard.get(), 10) == text
    await (await media.connection.send_text("Help is coming.")).delivered()
    large = await own.connection.send_message("image/jpeg", bytes(range(256)) * 800)
    await large.delivered()
    await call.bye()
    for each in bob.calls:
        await each.ended()


@pytest.fixture(
    scope="module",
    params=[("udp", False), ("tcp", True)],
    ids=["sip over udp, msrp over tcp", "sip over tcp, msrp over tls"],
)
def recorded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Recorded:
    directory = tmp_path_factory.mktemp("recorded")
    transport, secure = request.param
    return asyncio.run(record_a_call(directory, transport, secure))


@needs_tshark
@pytest.mark.rule("NG-13")
def test_tshark_dissects_every_message_of_msrp(recorded: Recorded) -> None:
    dissected = recorded.fields(
        "msrp",
        *("msrp.method", "msrp.status.code", "msrp.transaction.id", "_ws.malformed"),
    )
    expected = recorded.starts(Protocol.MSRP)
    assert [method or code for method, code, _, _ in dissected] == expected
    assert not [each for each in dissected if each[3]]
    counted = Counter(expected)
    assert counted["REPORT"] == 2
    assert counted["SEND"] >= 5
    sent = [each for each in recorded.wire if each.protocol is Protocol.MSRP]
    names = [each.octets.split(None, 2)[1].decode() for each in sent]
    assert [name.split(",")[0] for _, _, name, _ in dissected] == names


@needs_tshark
def test_tshark_dissects_every_message_of_sip(recorded: Recorded) -> None:
    dissected = recorded.fields(
        "sip", "sip.Method", "sip.Status-Code", "_ws.malformed", "sdp.media"
    )
    expected = recorded.starts(Protocol.SIP)
    assert [method or code for method, code, *_ in dissected] == expected
    assert not [each for each in dissected if each[2]]
    assert [word for word in expected if not word.isdigit()] == ["INVITE", "ACK", "BYE"]
    assert [each for each in dissected if each[3]]


@needs_tshark
def test_tshark_finds_no_gap_and_no_repetition(recorded: Recorded) -> None:
    odd = "tcp.analysis.flags || ip.checksum.status == 0"
    wrong = "_ws.malformed || _ws.expert.severity >= 0x800000"
    names = ("frame.number", "tcp.analysis.flags", "_ws.expert.message")
    assert recorded.fields(f"{odd} || {wrong}", *names) == []


@needs_tshark
def test_what_is_larger_than_a_packet_is_split_and_whole(recorded: Recorded) -> None:
    large = max(recorded.wire, key=lambda each: each.size)
    assert large.size > 200_000
    port, own = large.peer.port, large.local.port
    assert large.direction is Direction.RECEIVED
    pieces = recorded.fields(
        f"tcp.srcport == {port} && tcp.dstport == {own}", "tcp.payload"
    )
    payload = b"".join(bytes.fromhex(piece) for (piece,) in pieces)
    assert large.octets in payload
    assert len(large.octets) == large.size


@needs_tshark
def test_the_times_are_those_of_the_records(recorded: Recorded) -> None:
    times = recorded.fields("frame", "frame.time_epoch")
    told = {each.time.timestamp() for each in recorded.wire}
    assert {round(float(time), 6) for (time,) in times} == {
        round(time, 6) for time in told
    }


@needs_tshark
def test_what_was_decrypted_says_so(recorded: Recorded) -> None:
    secure = any(each.transport is Transport.TLS for each in recorded.wire)
    comments = recorded.fields('frame.comment contains "decrypted"', "frame.number")
    assert bool(comments) is secure


@needs_jq
@pytest.mark.rule("NG-13")
def test_jq_reads_what_was_said(recorded: Recorded) -> None:
    def jq(program: str) -> list[object]:
        output = subprocess.run(
            ["jq", "-c", program, str(recorded.log)],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        ).stdout
        return [json.loads(line) for line in output.splitlines()]

    said = jq('select(.protocol == "MSRP") | [.direction, .text]')
    assert said == [
        ["incoming", "My house is on fire."],
        ["incoming", "Grüße ☎ 🚒"],
        ["outgoing", "Help is coming."],
        ["incoming", ""],
    ]
    assert jq(".callId") == [CALL_ID] * 7
    assert len(set(map(str, jq(".callIdSIP")))) == 1
    signalling = jq('select(.logEventType == "CallSignalingMessageLogEvent")')
    assert len(signalling) == 3
    assert sorted(jq('select(.protocol == "SIP") | .extension.method')) == [  # type: ignore[type-var]  # They are texts.
        *("ACK", "BYE", "INVITE")
    ]
    assert jq('select(.extension.outcome != "arrived")') == []
