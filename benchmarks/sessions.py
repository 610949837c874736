"""The work over MSRP: what a worker that receives does, and one that sends."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import msrp
import sdp
from benchmarks.channel import Channel, Json

__all__ = [
    "MIB",
    "bulk",
    "chat",
    "connect",
    "listen",
    "noise",
    "ping",
    "rounds_of_waves",
    "take_bulk",
    "take_texts",
    "texts",
]

MIB = 1024 * 1024

_PIECE = 256 * 1024
"""Octets that an iterable gives at a time."""

_AT_A_TIME = 100
"""Sessions to open at a time, fewer than a listener's backlog."""

TEXT_SIZE = 100
"""Octets of a text, unless something else is said."""


def noise(size: int) -> bytes:
    """Return octets among which there are as many line ends as in any picture."""
    return (random.Random(1).randbytes(MIB) * -(-size // MIB))[:size]


@asynccontextmanager
async def listen(
    count: int,
    config: msrp.SessionConfig,
    *,
    certificate: str | None = None,
    prepare: Callable[[msrp.MsrpConnection], None] = lambda _: None,
) -> AsyncIterator[tuple[list[Json], list[msrp.MsrpConnection]]]:
    """Wait for a number of sessions on one port.

    Args:
        count: How many.
        config: What each takes.
        certificate: The PEM file for TLS; without it there is none.
        prepare: Sets the hooks of each.

    Returns:
        The offer and the answer of each, as text, and the connections.
    """
    own = None if certificate is None else msrp.LocalCertificate.load(certificate)
    async with msrp.MsrpListener("127.0.0.1", 0, local_cert=own) as listener:
        descriptions: list[Json] = []
        connections = []
        for number in range(count):
            scheme = "msrp" if own is None else "msrps"
            offered = msrp.offer_media(
                msrp.MsrpUri(scheme, "127.0.0.1", 9, f"benchmark{number}"),
                setup="active",
                accept_types=["*"],
                fingerprints=[] if own is None else [own.fingerprint],
            )
            answered = listener.answer(offered, accept_types=["*"])
            assert answered is not None
            connection = msrp.MsrpConnection.create_from_sdp(
                offered, answered, is_incoming=True, listener=listener, config=config
            )
            prepare(connection)
            connections.append(connection)
            descriptions.append([str(offered), str(answered)])
        try:
            await _all(connection.start for connection in connections)
            yield descriptions, connections
        finally:
            await _all(connection.shutdown for connection in connections)


@asynccontextmanager
async def connect(
    where: Json, config: msrp.SessionConfig, *, certificate: str | None = None
) -> AsyncIterator[list[msrp.MsrpConnection]]:
    """Open the sessions that a worker has said it waits for."""
    own = None if certificate is None else msrp.LocalCertificate.load(certificate)
    assert isinstance(where, list)
    connections = []
    for both in where:
        assert isinstance(both, list)
        offered, answered = (sdp.MediaDescription.parse(str(one)) for one in both)
        connection = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=False, config=config, local_cert=own
        )
        connections.append(connection)
    try:
        await _all(connection.start for connection in connections)
        yield connections
    finally:
        await _all(connection.shutdown for connection in connections)


async def _all(verbs: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do something with many sessions, some at a time."""
    waiting = list(verbs)
    for first in range(0, len(waiting), _AT_A_TIME):
        await asyncio.gather(*(verb() for verb in waiting[first : first + _AT_A_TIME]))


class _Counter:
    """A sink that counts."""

    def __init__(self) -> None:
        self.octets = 0

    def write(self, data: bytes, /) -> None:
        self.octets += len(data)


# One big message.


async def take_bulk(
    channel: Channel, *, certificate: str | None = None, **_: Json
) -> None:
    """Count the octets of what isn't text; say how many there were."""
    counter = _Counter()

    def decide(announcement: msrp.Announcement) -> msrp.InMemory | msrp.IntoWriter:
        if announcement.content_type.startswith("text/"):
            return msrp.InMemory()
        return msrp.IntoWriter(counter)

    def prepare(connection: msrp.MsrpConnection) -> None:
        connection.policy = decide
        connection.on_message_received(lambda _: None)

    config = msrp.SessionConfig()
    async with listen(1, config, certificate=certificate, prepare=prepare) as (
        uris,
        _s,
    ):
        channel.tell(uris)
        await channel.hear()
    channel.tell({"octets": counter.octets})


async def bulk(
    channel: Channel,
    *,
    where: Json,
    size: int,
    chunk_size: int | None,
    certificate: str | None = None,
    **_: Json,
) -> None:
    """Send one message; say how many seconds it took until it was answered."""
    config = msrp.SessionConfig(chunk_size=chunk_size)
    contents = noise(size)
    async with connect(where, config, certificate=certificate) as (connection,):
        began = time.perf_counter()
        sent = await connection.send_message("application/octet-stream", contents)
        await sent.delivered()
        channel.tell({"seconds": time.perf_counter() - began})


async def chat(
    channel: Channel, *, where: Json, size: int, lines: int, interval: float, **_: Json
) -> None:
    """Send a line each interval, until a message of some size has gone as well.

    Without such a message (``size`` is 0) there are as many lines as it says; with
    one there are no more than that either.
    """
    config = msrp.SessionConfig(chunk_size=None)
    latencies: list[Json] = []

    async def say(connection: msrp.MsrpConnection) -> None:
        began = time.perf_counter()
        sent = await connection.send_text("x" * TEXT_SIZE)
        await sent.delivered()
        latencies.append(time.perf_counter() - began)

    async with connect(where, config) as (connection,):
        file = asyncio.create_task(_send_pieces(connection, size))
        loop = asyncio.get_running_loop()
        began, said = loop.time(), []
        for number in itertools.count(1):
            if number > lines or (size and file.done()):
                break
            said.append(asyncio.create_task(say(connection)))
            await asyncio.sleep(began + number * interval - loop.time())
        await asyncio.gather(*said)
        await file
    channel.tell({"latencies": latencies})


async def _send_pieces(connection: msrp.MsrpConnection, size: int) -> None:
    """Send a big message that isn't in memory as a whole."""
    piece = noise(_PIECE)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // _PIECE):
            yield piece

    if size:
        sent = await connection.send_message(
            "application/octet-stream", pieces(), size=size
        )
        await sent.delivered()


# Many small ones.


async def take_texts(
    channel: Channel, *, sessions: int = 1, size: int = TEXT_SIZE, **_: Json
) -> None:
    """Have a hook called for each text; say how many there were."""
    texts = octets = 0

    def count(event: msrp.TextMessageReceived) -> None:
        nonlocal texts, octets
        texts += 1
        octets += len(event.text)

    def prepare(connection: msrp.MsrpConnection) -> None:
        connection.on_text_message_received(count)

    config = msrp.SessionConfig(max_message_length=max(10_000, size))
    async with listen(sessions, config, prepare=prepare) as (uris, _s):
        channel.tell(uris)
        await channel.hear()
    channel.tell({"texts": texts, "octets": octets})


async def texts(
    channel: Channel, *, where: Json, texts: int, size: int = TEXT_SIZE, **_: Json
) -> None:
    """Send texts, in turn over all sessions there are; say how long it took."""
    line = "x" * size

    async with connect(where, msrp.SessionConfig()) as connections:
        channel.tell({"seconds": await _say_all(connections, line, texts)})


async def rounds_of_waves(
    channel: Channel, *, where: Json, texts: int, rounds: int, **_: Json
) -> None:
    """Send one text over each session there is, and when all have arrived one more
    over each, until there are as many; do so several times, and say how long each
    took.  Before that each has said one, and what is made on first use is there."""
    line = "x" * TEXT_SIZE
    async with connect(where, msrp.SessionConfig()) as connections:
        await _say_one_each(connections, line)
        took: list[Json] = []
        for _number in range(rounds):
            began = time.perf_counter()
            for _wave in range(texts // len(connections)):
                await _say_one_each(connections, line)
            took.append(time.perf_counter() - began)
        channel.tell({"seconds": took})


async def _say_one_each(connections: list[msrp.MsrpConnection], line: str) -> None:
    sent = [await connection.send_text(line) for connection in connections]
    for message in sent:
        await message.delivered()


async def _say_all(
    connections: list[msrp.MsrpConnection], line: str, texts: int
) -> float:
    async def say(connection: msrp.MsrpConnection, times: int) -> None:
        sent = [await connection.send_text(line) for _ in range(times)]
        for message in sent:
            await message.delivered()

    each, more = divmod(texts, len(connections))
    times = [each + (number < more) for number in range(len(connections))]
    began = time.perf_counter()
    await asyncio.gather(*map(say, connections, times))
    return time.perf_counter() - began


async def ping(channel: Channel, *, where: Json, times: int, **_: Json) -> None:
    """Send a text, wait for its response, and again; say how long each took."""
    took: list[Json] = []
    async with connect(where, msrp.SessionConfig()) as (connection,):
        for _number in range(times):
            began = time.perf_counter()
            sent = await connection.send_text("x" * TEXT_SIZE)
            await sent.delivered()
            took.append(time.perf_counter() - began)
    channel.tell({"latencies": took})
