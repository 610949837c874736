"""Pings over UDP: who gets them, and what is made of the answers."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

import sip
from sip.aio.transport.stun_pings import StunPings
from sip.message import Request, response_to
from sip.sansio.hop import Hop, Transport
from sip.stun import StunMessage
from sip.wire import parse_message

UDP = ["udp://127.0.0.1:0"]
QUICK = sip.Limits(stun_interval=0.03, pong_time=0.03)
IMPATIENT = replace(QUICK, stun_rto=0.002)
TARGET = Hop(Transport.UDP, "192.0.2.1", 5060, flow=1)


@pytest.mark.rule("SIP-17", "SIP-68")
async def test_an_agent_tells_who_asks_from_where_it_asked() -> None:
    loop = asyncio.get_running_loop()
    async with sip.UserAgent("sip:b@127.0.0.1", listen=UDP) as agent:
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.setblocking(False)
            client.bind(("127.0.0.1", 0))
            request = bytes(StunMessage(b"123456789012"))
            client.sendto(request, ("127.0.0.1", agent.listening[0].port))
            async with asyncio.timeout(5):
                answer = await loop.sock_recv(client, 1000)
            address = client.getsockname()
    message = StunMessage.parse(answer)
    assert message == StunMessage(b"123456789012", False, address)
    # What is sent to an address that somebody else has given is hardly more.
    assert len(answer) <= len(request) + 12


class Registrar(asyncio.DatagramProtocol):
    """Grants every registration, and answers pings."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self.headers = headers
        self.pings = 0
        self.pinged = asyncio.Event()
        self.transport: asyncio.DatagramTransport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        ping = StunMessage.parse(data)
        if ping is not None:
            self.pings += 1
            if self.pings == 3:
                self.pinged.set()
            answer = StunMessage(ping.transaction_id, False, addr)
            self.transport.sendto(bytes(answer), addr)
            return
        request = parse_message(data)
        assert isinstance(request, Request)
        headers = self.headers
        self.transport.sendto(
            bytes(response_to(request, 200, to_tag="r", headers=headers)), addr
        )


@pytest.mark.rule("SIP-17")
@pytest.mark.parametrize(
    ("headers", "pinged"),
    [
        pytest.param([("Flow-Timer", "0")], True, id="flow-timer"),
        pytest.param([("Require", "outbound")], True, id="outbound"),
        pytest.param([], False, id="neither"),
    ],
)
@pytest.mark.usefixtures("time_flies")
async def test_a_registrar_that_understands_pings_is_pinged(
    headers: list[tuple[str, str]], pinged: bool
) -> None:
    registrar = Registrar(headers)
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: registrar, local_addr=("127.0.0.1", 0)
    )
    registrar.transport = transport
    port = transport.get_extra_info("sockname")[1]
    async with sip.UserAgent("sip:a@127.0.0.1", listen=UDP, limits=QUICK) as agent:
        uri = f"sip:127.0.0.1:{port}"
        assert (await agent.request("REGISTER", uri)).status == 200
        if pinged:
            async with asyncio.timeout(5):
                await registrar.pinged.wait()
        else:
            await asyncio.sleep(0.1)
        assert agent._driver is not None
        assert len(agent._driver.transport._stun_pings) == pinged
    transport.close()
    assert (registrar.pings > 0) == pinged


class Wire:
    """Takes pings, and remembers which flows have failed."""

    def __init__(self, limits: sip.Limits = QUICK) -> None:
        self.sent: asyncio.Queue[tuple[bytes, Hop]] = asyncio.Queue()
        self.failed: list[Hop] = []
        self.pings = StunPings(self._send, self.failed.append, limits)

    def _send(self, data: bytes, hop: Hop) -> None:
        self.sent.put_nowait((data, hop))

    async def ping(self) -> StunMessage:
        async with asyncio.timeout(5):
            data, _ = await self.sent.get()
        message = StunMessage.parse(data)
        assert message is not None
        assert message.is_request
        return message

    def answer(self, ping: StunMessage, address: tuple[str, int] | None) -> None:
        answer = StunMessage(ping.transaction_id, False, address)
        self.pings.received(bytes(answer), TARGET)


@pytest.mark.rule("SIP-17")
async def test_a_registrar_that_is_silent_is_asked_seven_times() -> None:
    wire = Wire(IMPATIENT)
    wire.pings.start(TARGET)
    pings = [await wire.ping() for _ in range(7)]
    assert len({ping.transaction_id for ping in pings}) == 1
    async with asyncio.timeout(5):
        while not wire.failed:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert wire.failed == [TARGET]
    assert wire.sent.empty()
    assert len(wire.pings) == 0


@pytest.mark.rule("SIP-17")
@pytest.mark.parametrize("second", [("203.0.113.9", 5060), ("203.0.113.1", 5061), None])
@pytest.mark.usefixtures("time_flies")
async def test_another_way_or_a_refusal_is_a_failure(
    second: tuple[str, int] | None,
) -> None:
    wire = Wire()
    wire.pings.start(TARGET)
    wire.answer(await wire.ping(), ("203.0.113.1", 5060))
    assert wire.failed == []
    wire.answer(await wire.ping(), second)
    assert wire.failed == [TARGET]


async def test_answers_to_what_nobody_asked_are_ignored() -> None:
    wire = Wire()
    wire.pings.start(TARGET)
    stray = StunMessage(b"x" * 12, False, None)
    wire.pings.received(bytes(stray), TARGET)
    ping = await wire.ping()
    wire.pings.received(bytes(stray), TARGET)
    other = replace(TARGET, port=5061)
    answer = StunMessage(ping.transaction_id, False, None)
    wire.pings.received(bytes(answer), other)
    wire.pings.received(b"junk", TARGET)
    assert wire.failed == []
    wire.pings.stop()


@pytest.mark.rule("SIP-17")
async def test_pings_come_each_24_to_29_seconds_or_as_the_registrar_says() -> None:
    loop = asyncio.get_running_loop()
    for flow_timer, least, most in ((None, 24.0, 29.0), (100.0, 80.0, 100.0)):
        waits = set()
        for _ in range(20):
            wire = Wire(sip.Limits())
            wire.pings.start(TARGET, flow_timer)
            timer = wire.pings._targets[TARGET].timer
            assert timer is not None
            waits.add(wait := timer.when() - loop.time())
            assert least - 0.5 <= wait <= most
            wire.pings.stop()
        assert len(waits) == 20


@pytest.mark.rule("SIP-68")
async def test_few_registrars_are_pinged_and_none_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sip.aio.transport.stun_pings._LIFE", 0.0)
    wire = Wire()
    for port in range(1, 100):
        wire.pings.start(replace(TARGET, port=port))
    assert len(wire.pings) == 32
    async with asyncio.timeout(5):
        while len(wire.pings):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    assert wire.sent.empty()
    assert wire.failed == []
