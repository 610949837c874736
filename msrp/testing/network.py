"""A network that is bad on purpose.

A :class:`FlakyProxy` carries TCP connections from a port of the loopback to another
address.  Each direction follows a :class:`Plan` of its own: it may delay octets, cut
them into other pieces, and at a chosen octet reset the connection, close it, or let
everything that follows disappear.  What it carries it doesn't understand, so it does
for TLS as well.

One task carries each direction.  A direction holds what it reads at a time and what
its delay keeps back, at most :data:`MAX_DELAYED` octets; beyond that it doesn't read,
so that whoever writes is held back, as by a real network.
"""

from __future__ import annotations

import asyncio
import enum
import random
import socket
import struct
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

__all__ = ["Direction", "Ending", "FlakyProxy", "Plan", "Statistics"]

MAX_DELAYED = 1024 * 1024
"""Octets that a delay keeps back in one direction before no more are read."""

MAX_CONNECTIONS = 1000
"""Connections carried at a time; a test that needs more has lost count of them."""

_READ_SIZE = 64 * 1024
"""Octets read at a time."""

_LINGER_NOT = struct.pack("ii", 1, 0)
"""SO_LINGER with no time: to close is to reset."""


class Ending(enum.Enum):
    """What happens at the octet :attr:`Plan.after` of a direction."""

    RESET = enum.auto()
    """Both ends get a RST; what was not yet delivered to them is gone."""

    CLOSE = enum.auto()
    """Both ends get a FIN; what they still write is read and thrown away."""

    HALF_CLOSE = enum.auto()
    """The reader gets a FIN; the other direction is carried on."""

    SWALLOW = enum.auto()
    """What follows is read and thrown away, its end too, and nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How bad one direction is.

    Raises:
        ValueError: A number is negative, or no octet could ever pass; or one of
            ``after`` and ``ending`` is there without the other.
    """

    delay: float = 0.0
    """Seconds that each octet is under way; their order stays."""

    max_segment: int | None = None
    """Octets per write at most; each write has a random number of them from 1 to
    this.  ``None`` to write what was read."""

    after: int | None = None
    """Octets of one connection that are carried before :attr:`ending`; ``None`` if
    it doesn't come to that."""

    ending: Ending | None = None
    """What happens then."""

    def __post_init__(self) -> None:
        if self.delay < 0 or (self.after is not None and self.after < 0):
            raise ValueError("neither a delay nor a number of octets is negative")
        if self.max_segment is not None and self.max_segment < 1:
            raise ValueError("a segment has at least one octet")
        if (self.after is None) != (self.ending is None):
            raise ValueError("after and ending need each other")


@dataclass(slots=True)
class Statistics:
    """What a direction has carried so far, of all connections."""

    octets: int = 0
    """Octets that were read."""

    carried: int = 0
    """Octets of them that were written to the other end."""

    segments: int = 0
    """Writes that it took."""


@dataclass(slots=True, eq=False)
class Direction:
    """One of the two ways through a proxy."""

    plan: Plan = field(default_factory=Plan)
    """How bad it is.  It may be replaced at any time, also for connections that are
    there already: :attr:`Plan.after` counts from the first octet of each.  An ending
    that has happened to a connection stays."""

    statistics: Statistics = field(default_factory=Statistics)
    """What it has carried."""

    _reading: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._reading.set()

    def stop_reading(self) -> None:
        """Read no more, so that whoever writes is held back; nothing is lost.

        One read that is under way may still end.
        """
        self._reading.clear()

    def go_on_reading(self) -> None:
        """Read again."""
        self._reading.set()

    async def reading(self) -> None:
        """Wait until it may be read."""
        await self._reading.wait()


class FlakyProxy:
    """Carries TCP connections badly.

    Use it with ``async with``; :attr:`port` is there from then on.  Leaving resets
    the connections that are left.  An end that breaks makes the other break, and who
    connects while nobody is at the target is reset.

    Args:
        target_host: Where it carries them to.
        target_port: The port there.  It may be set later, before somebody connects.
        plan: How bad it is, both ways.
        backward: How bad it is on the way back, if that is different.
        seed: Makes the same random segments each time.
        host: Where it listens.
    """

    def __init__(
        self,
        target_host: str,
        target_port: int,
        *,
        plan: Plan | None = None,
        backward: Plan | None = None,
        seed: int = 0,
        host: str = "127.0.0.1",
    ) -> None:
        plan = plan or Plan()
        self.target_host = target_host
        self.target_port = target_port
        self.forward = Direction(plan)
        """From whoever connects to the target."""
        self.backward = Direction(backward or plan)
        """From the target to whoever connects."""
        self.port = 0
        """The port where it listens."""
        self.connections = 0
        """Connections that it has taken so far."""
        self.host = host
        self._seed = seed
        self._server: asyncio.Server | None = None
        self._carried: dict[asyncio.Task[None], _Carried | None] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._take, self.host, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.reset()
        tasks = list(self._carried)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    @property
    def open_connections(self) -> int:
        """How many connections it carries now."""
        return len(self._carried)

    def reset(self) -> None:
        """Reset all connections that there are; whoever connects later is carried."""
        for task, carried in self._carried.items():
            if carried is not None:
                carried.reset()
                task.cancel()

    async def _take(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._carried) >= MAX_CONNECTIONS or not self._serving:
            writer.transport.abort()
            return
        self.connections += 1
        rng = random.Random(f"{self._seed}/{self.connections}")
        self._carried[task] = None
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._carry(task, reader, writer, rng)
        finally:
            del self._carried[task]
            _reset(writer)  # Nothing, if it is closed by now.

    @property
    def _serving(self) -> bool:
        return self._server is not None and self._server.is_serving()

    async def _carry(
        self,
        task: asyncio.Task[None],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        rng: random.Random,
    ) -> None:
        far = await asyncio.open_connection(self.target_host, self.target_port)
        carried = self._carried[task] = _Carried((writer, far[1]))
        ways = (
            _Way(self.forward, reader, far[1], carried, random.Random(rng.random())),
            _Way(self.backward, far[0], writer, carried, random.Random(rng.random())),
        )
        try:
            async with asyncio.TaskGroup() as group:
                for way in ways:
                    group.create_task(way.carry(), name="flaky proxy")
                    group.create_task(way.deliver(), name="flaky proxy")
        except* OSError:
            carried.reset()  # One end is gone, and the other shall know.
        finally:
            await carried.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    with suppress(OSError):  # It may be closed by now.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
    writer.transport.abort()


class _Carried:
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
            _reset(writer)

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


class _Way:
    """One direction of one connection: a task that reads, and one that writes.

    Both are there so that a delay holds octets back, and not the reading of more.
    """

    def __init__(
        self,
        direction: Direction,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        carried: _Carried,
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
