"""Pings on connections that we opened, and what becomes of those without a pong."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

import sip
from sip.aio.transport.flows import wanted_pings
from sip.aio.transport.pings import Pings
from sip.message import Request, Response, response_to
from sip.wire import parse_message

LISTEN = ["tcp://127.0.0.1:0"]
# Often, that is: each wait is four fifths of this or more.
QUICK = sip.Limits(ping_interval=0.05, pong_time=2.0)
IMPATIENT = sip.Limits(ping_interval=0.05, pong_time=0.2)


class Registrar:
    """Answers every request, and pings if it is told so."""

    def __init__(self) -> None:
        self.headers: list[tuple[str, str]] = []
        self.answers_pings = True
        self.pings = 0
        self.connections = 0
        self.uri = ""
        self.pinged = asyncio.Event()
        self.hung_up = asyncio.Event()

    async def accept(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionResetError):
            await self._serve(reader, writer)
        self.hung_up.set()
        writer.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        buffer = b""
        while data := await reader.read(65536):
            buffer += data
            while buffer.startswith(b"\r\n\r\n"):
                buffer = buffer[4:]
                self.pings += 1
                if self.answers_pings:
                    writer.write(b"\r\n")
                if self.pings >= 3:
                    self.pinged.set()
            head, end, rest = buffer.partition(b"\r\n\r\n")
            if end and head:
                request = parse_message(head + end)
                assert isinstance(request, Request)
                response = response_to(request, 200, to_tag="r", headers=self.headers)
                writer.write(bytes(response))
                buffer = rest


@pytest_asyncio.fixture
async def registrar() -> AsyncIterator[Registrar]:
    registrar = Registrar()
    async with await asyncio.start_server(registrar.accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        registrar.uri = f"sip:127.0.0.1:{port};transport=tcp"
        yield registrar
        await asyncio.sleep(0)


def agent(limits: sip.Limits = QUICK) -> sip.UserAgent:
    return sip.UserAgent("sip:a@127.0.0.1", listen=LISTEN, limits=limits)


@pytest.mark.rule("SIP-17", "ST-13")
@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([("Flow-Timer", "0")], id="flow-timer"),
        pytest.param([("Require", "outbound")], id="outbound"),
    ],
)
@pytest.mark.usefixtures("time_flies")
async def test_where_a_registrar_answers_pings_it_is_pinged(
    registrar: Registrar, headers: list[tuple[str, str]]
) -> None:
    registrar.headers = headers
    async with agent() as alice:
        assert (await alice.request("REGISTER", registrar.uri)).status == 200
        async with asyncio.timeout(5):
            await registrar.pinged.wait()
        assert (await alice.options(registrar.uri)).status == 200
    assert registrar.connections == 1


@pytest.mark.rule("SIP-17")
@pytest.mark.usefixtures("time_flies")
async def test_where_nobody_says_that_pings_are_answered_there_are_none(
    registrar: Registrar,
) -> None:
    async with agent() as alice:
        assert (await alice.request("REGISTER", registrar.uri)).status == 200
        await asyncio.sleep(0.15)
    assert registrar.pings == 0


@pytest.mark.rule("SIP-17", "SIP-18")
@pytest.mark.usefixtures("time_flies")
async def test_without_a_pong_the_flow_has_failed(registrar: Registrar) -> None:
    registrar.answers_pings = False
    registrar.headers = [("Flow-Timer", "0")]
    async with agent(IMPATIENT) as alice:
        await alice.request("REGISTER", registrar.uri)
        async with asyncio.timeout(5):
            await registrar.hung_up.wait()
        assert alice._driver is not None
        assert alice._driver.transport._streams == {}
        # The next request has a new connection.
        assert (await alice.request("REGISTER", registrar.uri)).status == 200
    assert registrar.connections == 2


class Wire:
    """Remembers when it was pinged."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.is_open = True
        self.mid_message = False
        self.failed = asyncio.Event()

    def is_reading(self) -> bool:
        return self.mid_message

    def send(self, data: bytes) -> bool:
        assert data == b"\r\n\r\n"
        self.times.append(asyncio.get_running_loop().time())
        return self.is_open


@pytest.mark.rule("SIP-17")
async def test_pings_come_at_random_within_a_fifth() -> None:
    wire = Wire()
    pings = Pings(wire.send, wire.failed.set, wire.is_reading, sip.Limits())
    waits = set()
    for flow_timer, longest in ((None, 120.0), (600.0, 600.0), (3.0, 10.0)):
        for _ in range(20):
            pings.start(flow_timer)
            assert pings._next is not None
            waits.add(wait := pings._next.when() - asyncio.get_running_loop().time())
            assert 0.79 * longest <= wait <= longest
            pings.stop()
    assert len(waits) == 60
    assert not pings.running
    assert wire.times == []


@pytest.mark.rule("SIP-17")
@pytest.mark.parametrize("mid_message", [False, True])
@pytest.mark.usefixtures("time_flies")
async def test_a_pong_may_wait_behind_a_message(mid_message: bool) -> None:
    wire = Wire()
    wire.mid_message = mid_message
    limits = sip.Limits(ping_interval=0.02, pong_time=0.2)
    loop = asyncio.get_running_loop()
    pings = Pings(wire.send, wire.failed.set, wire.is_reading, limits)
    pings.start()
    async with asyncio.timeout(5):
        await wire.failed.wait()
    waited = loop.time() - wire.times[0]
    # One that is in the middle of a message is given as long again, and no longer.
    assert waited > (0.39 if mid_message else 0.19)
    assert not pings.running


@pytest.mark.rule("SIP-17")
@pytest.mark.usefixtures("time_flies")
async def test_the_application_may_know_that_pings_are_answered(
    registrar: Registrar,
) -> None:
    async with sip.UserAgent(
        "sip:a@127.0.0.1", listen=LISTEN, limits=QUICK, pings=True
    ) as alice:
        assert (await alice.options(registrar.uri)).status == 200
        async with asyncio.timeout(5):
            await registrar.pinged.wait()


@pytest.mark.rule("SIP-17")
async def test_the_same_flow_timer_again_changes_nothing() -> None:
    wire = Wire()
    pings = Pings(wire.send, wire.failed.set, wire.is_reading, sip.Limits())
    pings.start(100.0)
    first = pings._next
    pings.start(100.0)
    assert pings._next is first
    pings.start(200.0)
    assert pings._next is not first
    pings.stop()


@pytest.mark.usefixtures("time_flies")
async def test_a_connection_that_is_gone_is_pinged_no_more() -> None:
    wire = Wire()
    wire.is_open = False
    pings = Pings(wire.send, wire.failed.set, wire.is_reading, QUICK)
    pings.start()
    await asyncio.sleep(0.15)
    assert len(wire.times) == 1
    assert not pings.running
    assert not wire.failed.is_set()


@pytest.mark.rule("SIP-17")
@pytest.mark.parametrize(
    ("status", "method", "headers", "expected"),
    [
        (200, "REGISTER", [("Flow-Timer", "120")], 120),
        (200, "REGISTER", [("Require", "outbound")], 0),
        (200, "OPTIONS", [("Require", "outbound")], None),
        (200, "REGISTER", [], None),
        (200, "REGISTER", [("Flow-Timer", "soon")], None),
        (400, "REGISTER", [("Flow-Timer", "120")], None),
    ],
)
def test_a_response_says_whether_pings_are_answered(
    status: int, method: str, headers: list[tuple[str, str]], expected: int | None
) -> None:
    response = Response.build(status, headers=[("CSeq", f"1 {method}"), *headers])
    assert wanted_pings(response) == expected
