"""Who taps a user agent hears each request once, whatever carried it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any, Protocol, cast

import pytest
import pytest_asyncio

import sip
from recording import (
    CallIdentity,
    Direction,
    MessageRecord,
    Outcome,
    Tap,
    Transport,
    WireRecord,
)
from sip.aio import IncomingCall
from sip.testing import RecordingMedia
from sip.wire import parse_message

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)
CALL_INFO = [
    (
        "Call-Info",
        f"<urn:emergency:uid:{word.lower()}:1234567890:a.example>;purpose={p}",
    )
    for word, p in (
        ("callid", "emergency-CallId"),
        ("incidentid", "emergency-IncidentId"),
    )
]


class Tls(Protocol):
    server: Any
    client: Any


class Agents:
    """Makes user agents that are closed after the test, and taps them."""

    def __init__(self, stack: AsyncExitStack, tls: Tls) -> None:
        self._stack, self._tls = stack, tls

    async def agent(self, transport: str, **options: Any) -> sip.UserAgent:
        return await self._stack.enter_async_context(
            sip.UserAgent(
                "sip:console@127.0.0.1",
                listen=[f"{transport}://127.0.0.1:0"],
                server_ssl=self._tls.server,
                client_ssl=self._tls.client,
                timers=QUICK,
                **options,
            )
        )


@pytest_asyncio.fixture
async def agents(tls: Tls) -> AsyncIterator[Agents]:
    async with AsyncExitStack() as stack:
        yield Agents(stack, tls)


class Heard(list[MessageRecord]):
    """What a tap was told."""

    def __init__(self, agent: sip.UserAgent) -> None:
        self.tap: Tap[MessageRecord] = agent.add_tap(self.append)

    async def methods(self, count: int) -> list[str]:
        """Wait until so many were told, and return their methods, sorted."""
        async with asyncio.timeout(10):
            while len(self) < count:  # noqa: ASYNC110  # It is another thread.
                await asyncio.sleep(0.002)
        assert await self.tap.drained()
        return sorted(each.method for each in self)

    def one(self, method: str) -> MessageRecord:
        [record] = [each for each in self if each.method == method]
        return record


class IdentifiedMedia(RecordingMedia):
    """Notes which call it is in."""

    identity: CallIdentity | None = None

    def identify(self, call: CallIdentity) -> None:
        self.identity = call


def uri_of(agent: sip.UserAgent, transport: str) -> str:
    hop = next(h for h in agent.listening if h.transport.value == transport)
    return f"sip:bob@127.0.0.1:{hop.port};transport={transport}"


@pytest.mark.rule("NG-13")
@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_each_request_of_a_call_is_told_once_on_both_sides(
    agents: Agents, transport: str
) -> None:
    bob, alice = await agents.agent(transport), await agents.agent(transport)
    theirs, ours = Heard(bob), Heard(alice)
    media = IdentifiedMedia("bob"), IdentifiedMedia("alice")

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        await call.answer([media[0]])

    call = await alice.invite(
        uri_of(bob, transport), media=[media[1]], headers=CALL_INFO, timeout=10
    )
    async with asyncio.timeout(10):
        while "start as answerer" not in media[0].log:  # noqa: ASYNC110
            await asyncio.sleep(0.002)
    await call.bye()
    assert await ours.methods(3) == ["ACK", "BYE", "INVITE"]
    assert await theirs.methods(3) == ["ACK", "BYE", "INVITE"]
    for method in ("ACK", "BYE", "INVITE"):
        one, other = ours.one(method), theirs.one(method)
        assert one.raw == other.raw
        assert one.raw.startswith(method.encode())
        assert (one.direction, other.direction) == (Direction.SENT, Direction.RECEIVED)
        assert one.call == other.call
        assert one.call.sip_call_id == call.call_id
        assert one.call.call_id == "urn:emergency:uid:callid:1234567890:a.example"
        assert one.sender == other.sender == "sip:console@127.0.0.1"
    for record in (*ours, *theirs):
        assert record.first_octet is not None
        assert record.last_octet is not None
        assert record.first_octet <= record.last_octet
        if record.method != "ACK":
            assert (record.outcome, record.code) == (Outcome.ARRIVED, 200)
            assert record.answered is not None
            assert record.last_octet <= record.answered
    invite = theirs.one("INVITE")
    assert invite.content_type == "application/sdp"
    assert invite.handed_over is not None
    assert invite.last_octet is not None
    assert invite.last_octet <= invite.handed_over
    assert theirs.one("BYE").handed_over is not None
    for medium in media:
        assert medium.identity == invite.call


class DeafPeer(asyncio.DatagramProtocol):
    """Answers when it is asked for the second time."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard.append(data)
        request = parse_message(data)
        if len(self.heard) == 2 and isinstance(request, sip.Request):
            answer = bytes(sip.response_to(request, 200, to_tag="1"))
            self.transport.sendto(answer, addr)
            self.transport.sendto(answer, addr)


async def test_what_is_repeated_is_told_once(agents: Agents) -> None:
    bob, alice = await agents.agent("udp"), await agents.agent("udp")
    theirs, ours = Heard(bob), Heard(alice)
    wire: list[WireRecord] = []
    tap = alice.add_wire_tap(wire.append)

    @bob.on_message
    async def take(message: sip.IncomingRequest) -> None:
        pass

    loop = asyncio.get_running_loop()
    transport, peer = await loop.create_datagram_endpoint(
        DeafPeer, local_addr=("127.0.0.1", 0)
    )
    try:
        port = transport.get_extra_info("sockname")[1]
        await alice.send_message(f"sip:bob@127.0.0.1:{port};transport=udp", "Hello")
        assert await ours.methods(1) == ["MESSAGE"]
        assert (ours[0].text, ours[0].code) == ("Hello", 200)
        # The wire has it as often as it was sent.
        assert await tap.drained()
        assert [each.octets[:7] for each in wire[:3]] == [b"MESSAGE"] * 2 + [b"SIP/2.0"]
        assert peer.heard == [each.octets for each in wire[:2]]
        for _ in range(3):
            bobs = next(h.port for h in bob.listening if h.transport.value == "udp")
            transport.sendto(peer.heard[0], ("127.0.0.1", bobs))
        assert await theirs.methods(1) == ["MESSAGE"]
        await asyncio.sleep(0.01)
        assert await theirs.methods(1) == ["MESSAGE"]
        assert theirs[0].handed_over is not None
    finally:
        transport.close()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_the_wire_is_told_octet_by_octet(agents: Agents, transport: str) -> None:
    bob, alice = await agents.agent(transport), await agents.agent(transport)
    logs: list[list[WireRecord]] = [[], []]
    taps = [
        agent.add_wire_tap(log.append)
        for agent, log in zip((alice, bob), logs, strict=True)
    ]
    await alice.options(uri_of(bob, transport))
    await alice.options(uri_of(bob, transport))
    for tap in taps:
        assert await tap.drained()
    one, other = logs
    assert [each.octets for each in one] == [each.octets for each in other]
    assert [each.direction for each in one] == [Direction.SENT, Direction.RECEIVED] * 2
    assert {each.transport for each in (*one, *other)} == {Transport[transport.upper()]}
    for each in one:
        parse_message(each.octets)
        assert not each.is_cut
        assert each.peer.port != each.local.port
    assert [each.time for each in one] == sorted(each.time for each in one)
    if transport != "udp":
        assert len({each.connection for each in one}) == 1
        assert (one[0].local, one[0].peer) == (other[0].peer, other[0].local)


async def test_a_tap_may_come_late_and_leave_early(agents: Agents) -> None:
    bob, alice = await agents.agent("tcp"), await agents.agent("tcp")
    await alice.options(uri_of(bob, "tcp"))
    heard = Heard(bob)
    await alice.options(uri_of(bob, "tcp"))
    assert await heard.methods(1) == ["OPTIONS"]
    heard.tap.remove()
    await alice.options(uri_of(bob, "tcp"))
    assert await heard.tap.drained()
    assert len(heard) == 1
    assert bob._driver is not None
    assert bob._driver.transport._tap is None
    assert all(s.tap is None for s in bob._driver.transport._streams.values())


async def test_nobody_at_home_is_a_failure(agents: Agents) -> None:
    alice = await agents.agent("tcp")
    heard = Heard(alice)
    with pytest.raises(sip.SipError):
        await alice.options("sip:bob@127.0.0.1:1;transport=tcp")
    assert await heard.methods(1) == ["OPTIONS"]
    assert heard[0].outcome is Outcome.FAILED
    assert heard[0].first_octet is None
    assert "127.0.0.1:1" in (heard[0].problem or "")


async def test_who_has_to_show_who_it_is_shows_it_to_no_tap(agents: Agents) -> None:
    authenticator = sip.Authenticator.with_passwords("a", {"alice": "secret"})
    bob = await agents.agent("udp", authenticator=authenticator)
    alice = await agents.agent("udp", credentials=("alice", "secret"))
    heard, wire = Heard(alice), list[WireRecord]()
    tap = alice.add_wire_tap(wire.append)
    await alice.options(uri_of(bob, "udp"))
    assert await heard.methods(2) == ["OPTIONS", "OPTIONS"]
    assert [each.code for each in heard] == [401, 480]
    assert await tap.drained()
    for octets in (*(each.raw for each in heard), *(each.octets for each in wire)):
        assert b"response=" not in octets
        assert b"username=" not in octets


async def test_what_is_malformed_is_on_the_wire_and_refused(agents: Agents) -> None:
    bob = await agents.agent("tcp")
    heard, wire = Heard(bob), list[WireRecord]()
    tap = bob.add_wire_tap(wire.append)
    port = bob.listening[0].port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    bad = (
        b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx\r\n"
        b"From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n"
        b"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    writer.write(bad)
    assert (await reader.readuntil(b"\r\n")).startswith(b"SIP/2.0 400 ")
    assert await tap.drained()
    assert wire[0].octets == bad
    assert wire[1].octets.startswith(b"SIP/2.0 400 ")
    writer.close()
    await writer.wait_closed()
    assert await heard.tap.drained()


async def test_a_tap_that_raises_harms_no_call(
    agents: Agents, caplog: pytest.LogCaptureFixture
) -> None:
    bob, alice = await agents.agent("udp"), await agents.agent("udp")

    def broken(record: MessageRecord) -> None:
        raise RuntimeError("broken")

    tap = bob.add_tap(broken)
    with caplog.at_level(logging.ERROR, "asyncio"):
        for _ in range(3):
            await alice.options(uri_of(bob, "udp"))
        await asyncio.sleep(0.01)
        assert await tap.drained()
        await asyncio.sleep(0)
    assert tap.lost == 3
    assert len([r for r in caplog.records if "a tap has raised" in r.message]) == 1


async def test_a_tap_that_blocks_holds_no_call_up(agents: Agents) -> None:
    bob, alice = await agents.agent("udp"), await agents.agent("udp")
    go_on, seen = threading.Event(), list[MessageRecord]()

    def slow(record: MessageRecord) -> None:
        go_on.wait(10)
        seen.append(record)

    tap = bob.add_tap(slow, max_waiting=2)
    for _ in range(10):
        await alice.options(uri_of(bob, "udp"))
    await bob.close()
    assert tap.is_removed
    go_on.set()
    assert await tap.drained()
    assert len(seen) + tap.lost == 10
    assert tap.lost >= 7
