"""A peer that writes chunks which it has made beforehand, as they should be read.

An MSRP session decides itself how it cuts what it sends.  To say how many chunks
come in one read, and in what order those of a message come, this peer writes the
octets itself; the receiver is a real one.
"""

from __future__ import annotations

import asyncio
import random
import time

import msrp
import sdp
from benchmarks.channel import Channel, Json
from benchmarks.sessions import listen

__all__ = ["send_batches", "send_shuffled", "take_chunks", "take_whole"]

BODY = 16
"""Octets of body in each chunk."""


class _Peer:
    """The sending side of a session, written by hand."""

    def __init__(
        self, where: Json, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self._writer = writer
        to_path, from_path = _paths(where)
        self._paths = f"To-Path: {to_path}\r\nFrom-Path: {from_path}\r\n"

    @classmethod
    async def connect(cls, where: Json) -> _Peer:
        to_path, _ = _paths(where)
        port = to_path.port
        assert port is not None
        self = cls(where, *await asyncio.open_connection("127.0.0.1", port))
        await self.exchange(self.chunk(0, 0, 0), 1)
        return self

    def chunk(self, number: int, start: int, total: int, *, message: int = 0) -> bytes:
        """Write the chunk whose body starts at an offset."""
        size = min(BODY, total - start)
        flag = b"$" if start + size >= total else b"+"
        head = (
            f"MSRP t{number:09} SEND\r\n{self._paths}Message-ID: message{message}\r\n"
        )
        if total:
            head += (
                f"Byte-Range: {start + 1}-{start + size}/{total}\r\n"
                "Content-Type: application/octet-stream\r\n\r\n"
            )
            head += "x" * size + "\r\n"
        return head.encode() + b"-------t%09d%s\r\n" % (number, flag)

    async def exchange(self, chunks: bytes, count: int) -> None:
        """Write some chunks in one go, and wait for their responses."""
        self._writer.write(chunks)
        while count > 0:
            data = await self._reader.read(1 << 18)
            if not data:
                raise EOFError("the receiver has hung up")
            count -= data.count(b" 200 OK\r\n")

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def take_chunks(channel: Channel, **_: Json) -> None:
    """Count the octets that come."""
    octets = 0

    class Counter:
        def write(self, data: bytes, /) -> None:
            nonlocal octets
            octets += len(data)

    def prepare(connection: msrp.MsrpConnection) -> None:
        connection.policy = lambda _: msrp.IntoWriter(Counter())

    async with listen(1, msrp.SessionConfig(), prepare=prepare) as (uris, _s):
        channel.tell(uris)
        await channel.hear()
    channel.tell({"octets": octets})


async def take_whole(channel: Channel, *, chunks: int, **_: Json) -> None:
    """Take messages in memory, in any number of pieces; count those complete."""
    whole = 0

    def count(event: msrp.MessageReceived) -> None:
        nonlocal whole
        whole += len(event.contents) == chunks * BODY

    def prepare(connection: msrp.MsrpConnection) -> None:
        connection.on_message_received(count)

    config = msrp.SessionConfig(
        max_message_length=chunks * BODY, limits=msrp.Limits(max_ranges=chunks)
    )
    async with listen(1, config, prepare=prepare) as (uris, _s):
        channel.tell(uris)
        await channel.hear()
    channel.tell({"whole": whole})


async def send_batches(
    channel: Channel, *, where: Json, per_read: int, chunks: int, **_: Json
) -> None:
    """Send some chunks at once, wait for their responses, and again."""
    peer = await _Peer.connect(where)
    total = chunks * BODY
    all_of_them = [
        peer.chunk(number + 1, number * BODY, total) for number in range(chunks)
    ]
    channel.tell({"seconds": await _exchange_all(peer, all_of_them, per_read)})


async def send_shuffled(
    channel: Channel, *, where: Json, chunks: int, **_: Json
) -> None:
    """Send the chunks of a message in random order, a hundred at a time."""
    peer = await _Peer.connect(where)
    total = chunks * BODY
    all_of_them = [
        peer.chunk(number + 1, number * BODY, total) for number in range(chunks)
    ]
    random.Random(1).shuffle(all_of_them)
    channel.tell({"seconds": await _exchange_all(peer, all_of_them, 100)})


async def _exchange_all(peer: _Peer, chunks: list[bytes], at_once: int) -> float:
    """Send chunks, some at a time; return how many seconds it took."""
    # Joined beforehand: it is no part of what is measured.
    lots = [chunks[first : first + at_once] for first in range(0, len(chunks), at_once)]
    joined = [(b"".join(lot), len(lot)) for lot in lots]
    began = time.perf_counter()
    for octets, count in joined:
        await peer.exchange(octets, count)
    took = time.perf_counter() - began
    await peer.close()
    return took


def _paths(where: Json) -> tuple[msrp.MsrpUri, msrp.MsrpUri]:
    """Return the receiver's path and the sender's."""
    assert isinstance(where, list)
    both = where[0]
    assert isinstance(both, list)
    offered, answered = (sdp.MediaDescription.parse(str(one)) for one in both)
    negotiated = msrp.negotiate(offered, answered, is_incoming=False)
    return negotiated.remote_path[0], negotiated.local_uri
