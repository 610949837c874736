"""One connection through a bad network: two sockets, and two ways between them."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import suppress

from msrp.testing.plan import Direction, Ending

__all__ = ["MAX_DELAYED", "Carried", "Way", "reset"]

MAX_DELAYED = 1024 * 1024
"""Octets that a delay keeps back in one direction before no more are read."""

_READ_SIZE = 64 * 1024
"""Octets read at a time."""

_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: to close is to reset."""


def reset(writer: asyncio.StreamWriter) -> None:
    """Close one socket with a RST."""
    sock = writer.get_extra_info("socket")
    with suppress(OSError):  # It may be closed by now.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


class Carried:
    """The two sockets of one connection."""

    def __init__(
        self, writers: tuple[asyncio.StreamWriter, asyncio.StreamWriter]
    ) -> None:
        self.ended = False
        """Whether both directions are closed."""
        self._writers = writers
        for writer in writers:
            # What we cut shall arrive as it was cut, and at once.
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reset(self) -> None:
        """Close both with a RST."""
        for writer in self._writers:
            reset(writer)

    def end(self) -> None:
        """Send a FIN both ways, after which nothing may be written any more."""
        self.ended = True
        for writer in self._writers:
            writer.write_eof()

    async def wait_closed(self) -> None:
        """Close both, and wait until what was written is with the ends."""
        for writer in self._writers:
            writer.close()
        for writer in self._writers:
            with suppress(OSError):
                await writer.wait_closed()


class Way:
    """One direction of one connection: a task that reads, and one that writes.

    Both are there so that a delay holds octets back, and not the reading of more.
    """

    def __init__(
        self,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        carried: Carried,
        rng: random.Random,
    ) -> None:
        self._direction = direction
        self._reader = reader
        self._writer = writer
        self._carried = carried
        self._rng = rng
        self._passed = 0
        self._ended = False
        self._held = 0
        self._queue: deque[tuple[float, bytes]] = deque()
        self._changed = asyncio.Event()

    async def carry(self) -> None:
        """Read until the writer ends."""
        clock = asyncio.get_running_loop().time
        while True:
            await self._direction.reading()
            data = await self._reader.read(_READ_SIZE)
            self._direction.statistics.octets += len(data)
            self._queue.append((clock() + self._direction.plan.delay, data))
            self._held += len(data)
            self._changed.set()
            if not data:
                return
            while self._held >= MAX_DELAYED:
                await self._change()

    async def deliver(self) -> None:
        """Write until the writer has ended, or the plan says so."""
        clock = asyncio.get_running_loop().time
        while True:
            while not self._queue:
                await self._change()
            due, data = self._queue.popleft()
            if (seconds := due - clock()) > 0:
                await asyncio.sleep(seconds)
            if not data:
                if not self._over:
                    self._writer.write_eof()
                return
            await self._write(data)
            self._held -= len(data)
            self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    @property
    def _over(self) -> bool:
        return self._ended or self._carried.ended

    async def _write(self, data: bytes) -> None:
        if self._over:
            return
        for segment in self._cut(self._allowed(data)):
            self._writer.write(segment)
            self._direction.statistics.segments += 1
            self._direction.statistics.carried += len(segment)
            await self._writer.drain()
            if self._direction.plan.max_segment is not None:
                await asyncio.sleep(0)  # So that it is read as it was written.
            if self._carried.ended:
                return
        plan = self._direction.plan
        if plan.after is not None and self._passed >= plan.after:
            self._end(plan.ending)

    def _allowed(self, data: bytes) -> bytes:
        after = self._direction.plan.after
        if after is not None:
            data = data[: max(0, after - self._passed)]
        self._passed += len(data)
        return data

    def _cut(self, data: bytes) -> Iterator[bytes]:
        most = self._direction.plan.max_segment
        at = 0
        while at < len(data):
            size = len(data) if most is None else self._rng.randint(1, most)
            yield data[at : at + size]
            at += size

    def _end(self, ending: Ending | None) -> None:
        self._ended = True
        match ending:
            case Ending.RESET:
                raise ConnectionResetError  # As if an end had done it.
            case Ending.CLOSE:
                self._carried.end()
            case Ending.HALF_CLOSE:
                self._writer.write_eof()
            case Ending.SWALLOW | None:
                pass
