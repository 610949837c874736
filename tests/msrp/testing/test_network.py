"""The bad network of the test kit, and sessions that get over it."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

import msrp
from msrp.testing import Ending, FlakyProxy, Plan
from tests.msrp.sections import moved

LOOPBACK = "127.0.0.1"
PATIENCE = 10.0
PICTURE = random.Random(1).randbytes(300_000)


@dataclass(slots=True, eq=False)
class Echo:
    """A server that remembers what it has read, and sends it back."""

    port: int = 0
    octets: bytes = b""
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    error: OSError | None = None

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            while data := await reader.read(65536):
                self.octets += data
                writer.write(data)
                await writer.drain()
            writer.write(b"bye")
        except OSError as error:
            self.error = error
        self.ended.set()
        writer.close()


@pytest_asyncio.fixture
async def echo() -> AsyncIterator[Echo]:
    echo = Echo()
    tasks: set[asyncio.Task[None]] = set()

    def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(echo.serve(reader, writer)))

    server = await asyncio.start_server(taken, LOOPBACK, 0)
    echo.port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(PATIENCE):
        yield echo
    server.close()
    if tasks:
        await asyncio.wait(tasks, timeout=PATIENCE)
    await asyncio.sleep(0)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.002)


async def exchange(proxy: FlakyProxy, data: bytes) -> bytes:
    """Write through a proxy, and return what comes back."""
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    try:
        writer.write(data)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def read_until_end(reader: asyncio.StreamReader) -> tuple[bytes, bool]:
    """Return what comes, and whether a RST was the end of it."""
    octets = b""
    try:
        while data := await reader.read(65536):
            octets += data
    except ConnectionResetError:
        return octets, True
    return octets, False


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(), id="good"),
        pytest.param(Plan(max_segment=50), id="cut"),
        pytest.param(Plan(delay=0.02), id="delayed"),
        pytest.param(Plan(delay=0.01, max_segment=1000), id="both"),
    ],
)
async def test_octets_are_carried_as_they_are(echo: Echo, plan: Plan) -> None:
    data = random.Random(2).randbytes(50_000)
    async with FlakyProxy(LOOPBACK, echo.port, plan=plan) as proxy:
        assert await exchange(proxy, data) == data + b"bye"
        assert proxy.connections == 1
        await until(lambda: not proxy.open_connections)
    assert proxy.forward.statistics.octets == len(data)
    assert proxy.forward.statistics.carried == len(data)
    assert proxy.backward.statistics.carried == len(data) + len(b"bye")
    if plan.max_segment is not None:
        assert proxy.forward.statistics.segments >= len(data) / plan.max_segment


@pytest.mark.usefixtures("time_flies")
async def test_a_delay_takes_at_least_its_time(echo: Echo) -> None:
    loop = asyncio.get_running_loop()
    plan = Plan(delay=0.1)
    async with FlakyProxy(LOOPBACK, echo.port, plan=plan) as proxy:
        began = loop.time()
        await exchange(proxy, b"hello")
        assert loop.time() - began >= 0.19  # Both ways.


async def test_a_seed_cuts_alike(echo: Echo) -> None:
    counts = []
    for seed in (1, 1, 2):
        plan = Plan(max_segment=100)
        async with FlakyProxy(LOOPBACK, echo.port, plan=plan, seed=seed) as proxy:
            await exchange(proxy, bytes(20_000))
            counts.append(proxy.forward.statistics.segments)
    assert counts[0] == counts[1] != counts[2]


@pytest.mark.parametrize("after", [0, 1, 1000, 70_000])
async def test_a_reset_comes_after_its_octet_at_both_ends(
    echo: Echo, after: int
) -> None:
    plan = Plan(after=after, ending=Ending.RESET)
    async with FlakyProxy(LOOPBACK, echo.port, plan=plan, backward=Plan()) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(bytes(200_000))
        _, was_reset = await read_until_end(reader)
        writer.transport.abort()
        await echo.ended.wait()
        assert was_reset
        assert isinstance(echo.error, ConnectionResetError)
        assert proxy.forward.statistics.carried == after
        assert len(echo.octets) <= after


@pytest.mark.parametrize("after", [0, 5, 1000])
async def test_a_half_close_leaves_the_other_direction(echo: Echo, after: int) -> None:
    data = random.Random(3).randbytes(5000)
    plan = Plan(after=after, ending=Ending.HALF_CLOSE)
    async with FlakyProxy(LOOPBACK, echo.port, plan=plan, backward=Plan()) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(data)  # And no end: the proxy makes one.
        assert await reader.read() == data[:after] + b"bye"
        writer.close()
        assert echo.octets == data[:after]


async def test_a_close_ends_both_directions_in_good_order(echo: Echo) -> None:
    plan = Plan(after=5, ending=Ending.CLOSE)
    async with FlakyProxy(LOOPBACK, echo.port, plan=plan, backward=Plan()) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(b"hello, world")
        octets, was_reset = await read_until_end(reader)
        assert (octets, was_reset) == (b"", False)
        await echo.ended.wait()
        assert echo.error is None
        assert echo.octets == b"hello"
        writer.close()
        await until(lambda: not proxy.open_connections)


async def test_what_is_swallowed_is_read_and_gone(echo: Echo) -> None:
    plan = Plan(after=5, ending=Ending.SWALLOW)
    async with FlakyProxy(LOOPBACK, echo.port, plan=plan, backward=Plan()) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(bytes(1_000_000))
        writer.write_eof()
        await until(lambda: proxy.forward.statistics.octets == 1_000_000)
        assert await reader.readexactly(5) == bytes(5)
        assert not echo.ended.is_set()
        assert echo.octets == bytes(5)
        writer.close()


async def test_who_is_not_read_waits_and_loses_nothing(echo: Echo) -> None:
    size = 30_000_000
    async with FlakyProxy(LOOPBACK, echo.port, backward=Plan()) as proxy:
        proxy.backward.plan = Plan(after=0, ending=Ending.SWALLOW)
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        proxy.forward.stop_reading()
        writer.write(bytes(size))
        writing = asyncio.create_task(writer.drain())
        await asyncio.sleep(0.1)
        assert not writing.done()
        assert proxy.forward.statistics.octets < size
        proxy.forward.go_on_reading()
        await writing
        writer.write_eof()
        await echo.ended.wait()
        assert len(echo.octets) == size
        writer.close()
        await reader.read()


async def test_an_end_that_resets_resets_the_other(echo: Echo) -> None:
    async with FlakyProxy(LOOPBACK, echo.port) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(b"x")
        assert await reader.readexactly(1) == b"x"
        proxy.reset()
        assert await read_until_end(reader) == (b"", True)
        await echo.ended.wait()
        assert isinstance(echo.error, ConnectionResetError)
        writer.close()
        assert await exchange(proxy, b"again") == b"againbye"
        assert proxy.connections == 2


async def test_nobody_at_the_target_is_a_reset() -> None:
    with socket.socket() as unused:
        unused.bind((LOOPBACK, 0))
        async with FlakyProxy(LOOPBACK, unused.getsockname()[1]) as proxy:
            reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
            assert await read_until_end(reader) == (b"", True)
            writer.close()


async def test_leaving_ends_what_is_delayed_or_held_back(echo: Echo) -> None:
    async with FlakyProxy(LOOPBACK, echo.port, plan=Plan(delay=3600.0)) as proxy:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(bytes(10))
        await until(lambda: proxy.forward.statistics.octets)
        proxy.forward.stop_reading()
    await read_until_end(reader)
    writer.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay": -1.0},
        {"after": -1, "ending": Ending.RESET},
        {"max_segment": 0},
        {"after": 1},
        {"ending": Ending.CLOSE},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_an_impossible_plan_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"octet|other"):
        Plan(**wrong)  # type: ignore[arg-type]


# Sessions through it.


@dataclass(slots=True, eq=False)
class Line:
    """The two ends of a session, with a proxy between them."""

    active: msrp.MsrpConnection
    passive: msrp.MsrpConnection
    proxy: FlakyProxy


async def connect(
    stack: AsyncExitStack,
    *,
    plan: Plan | None = None,
    config: msrp.SessionConfig | None = None,
) -> Line:
    """Start a session through a proxy; its active end writes forward."""
    caller = await stack.enter_async_context(msrp.MsrpListener(LOOPBACK, 0))
    called = await stack.enter_async_context(msrp.MsrpListener(LOOPBACK, 0))
    proxy = await stack.enter_async_context(
        FlakyProxy(LOOPBACK, called.port, plan=plan)
    )
    offered = caller.offer(accept_types=["*"])
    answered = called.answer(offered, accept_types=["*"])
    assert answered is not None
    passive = msrp.MsrpConnection.create_from_sdp(
        offered, answered, is_incoming=True, listener=called, config=config
    )
    active = msrp.MsrpConnection.create_from_sdp(
        offered,
        moved(answered, LOOPBACK, proxy.port),
        is_incoming=False,
        listener=caller,
        config=config,
    )
    for end in (passive, active):
        end.max_message_length = 20_000_000
        await end.start()
        stack.push_async_callback(end.shutdown, timeout=0.0)
    await passive.established()
    return Line(active, passive, proxy)


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(Plan(max_segment=7), id="tiny"),
        pytest.param(Plan(max_segment=1460, delay=0.005), id="as-on-a-net"),
        pytest.param(Plan(max_segment=50_000, delay=0.05), id="far-away"),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("time_flies")
async def test_text_and_a_picture_get_through_both_ways(plan: Plan, seed: int) -> None:
    picture = random.Random(seed).randbytes(60_000)
    async with asyncio.timeout(30), AsyncExitStack() as stack:
        line = await connect(stack, plan=plan)
        ends = (line.active, line.passive)
        for end in ends:
            text = await end.send_text("hello")
            shown = await end.send_message("image/png", picture)
            await text.delivered()
            await shown.delivered()
        for end in ends:
            received = {(await anext(end)).contents for _ in range(2)}
            assert received == {b"hello", picture}


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("octets", [1, 5000, 100_000])
async def test_a_reset_ends_a_session_and_what_is_under_way(octets: int) -> None:
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        line = await connect(stack)
        already = line.proxy.forward.statistics.octets
        line.proxy.forward.plan = Plan(after=already + octets, ending=Ending.RESET)
        sent = await line.active.send_message("image/png", PICTURE)
        with pytest.raises(msrp.SessionEnded):
            await sent.delivered()
        for end in (line.active, line.passive):
            assert (await end.closed()).reason is msrp.CloseReason.LOST


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("ending", [Ending.CLOSE, Ending.HALF_CLOSE])
async def test_a_close_in_a_message_leaves_it_unfinished(ending: Ending) -> None:
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        line = await connect(stack)
        line.proxy.forward.plan = Plan(after=50_000, ending=ending)
        sent = await line.active.send_message("image/png", PICTURE)
        end = await line.passive.closed()
        assert end.reason is msrp.CloseReason.LOST
        assert len(end.incomplete) == 1
        with pytest.raises(msrp.SessionEnded):
            await sent.delivered()


@pytest.mark.rule("MSRP-59")
@pytest.mark.usefixtures("time_flies")
async def test_what_disappears_is_missed_when_its_response_is() -> None:
    config = msrp.SessionConfig(response_timeout=0.2)
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as stack:
        line = await connect(stack, config=config)
        line.proxy.forward.plan = Plan(after=0, ending=Ending.SWALLOW)
        sent = await line.active.send_text("hello?")
        with pytest.raises(msrp.ResponseTimeout):
            await sent.delivered()


@pytest.mark.usefixtures("time_flies")
async def test_while_nothing_is_read_the_sender_waits_and_nothing_is_lost() -> None:
    body = random.Random(4).randbytes(15_000_000)
    async with asyncio.timeout(30), AsyncExitStack() as stack:
        line = await connect(stack, config=msrp.SessionConfig(chunk_size=None))
        line.proxy.forward.stop_reading()
        sent = await line.active.send_message("image/png", body)
        delivered = asyncio.create_task(sent.delivered())
        await asyncio.sleep(0.2)
        held = line.proxy.forward.statistics.octets
        assert held < len(body)
        assert not delivered.done()
        line.proxy.forward.go_on_reading()
        await delivered
        assert (await anext(line.passive)).contents == body
