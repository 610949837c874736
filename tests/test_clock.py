"""Time that is skipped is skipped for all, and nothing is missed on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.clock import skipped_silence

HOUR = 3600.0


@pytest_asyncio.fixture(autouse=True)
async def _skipping() -> AsyncIterator[None]:
    with skipped_silence(100 * HOUR):
        yield


async def test_a_day_is_over_at_once() -> None:
    began = asyncio.get_running_loop().time()
    await asyncio.sleep(24 * HOUR)
    assert asyncio.get_running_loop().time() - began >= 24 * HOUR


async def test_what_is_due_first_comes_first() -> None:
    order: list[str] = []

    async def note(delay: float, name: str) -> None:
        await asyncio.sleep(delay)
        order.append(name)

    await asyncio.gather(
        note(HOUR, "hour"),
        note(0.001, "instant"),
        note(60, "minute"),
        note(1, "second"),
    )
    assert order == ["instant", "second", "minute", "hour"]


async def test_a_peer_is_heard_before_anybody_gives_up_on_it() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await asyncio.sleep(HOUR)
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(5):
            writer.write(b"%d\n" % number)
            async with asyncio.timeout(HOUR + 0.1):
                assert await reader.readline() == b"%d\n" % number
        writer.close()
        await writer.wait_closed()


async def test_nobody_gives_up_on_a_thread_that_works() -> None:
    async with asyncio.timeout(1):
        assert await asyncio.to_thread(_work) == "done"


def _work() -> str:
    time.sleep(0.1)  # Much longer than a silence.
    return "done"


async def test_what_takes_too_long_is_told() -> None:
    with (
        pytest.raises(AssertionError, match="nobody waits 3600 s"),
        skipped_silence(60.0),
    ):
        await asyncio.sleep(HOUR)
