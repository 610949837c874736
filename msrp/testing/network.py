"""A network that is bad on purpose.

A :class:`FlakyProxy` carries TCP connections from a port of the loopback to another
address.  Each direction follows a :class:`Plan` of its own: it may delay octets, cut
them into other pieces, and at a chosen octet reset the connection, close it, or let
everything that follows disappear.  What it carries it doesn't understand, so it does
for TLS as well.

One task carries each direction.  A direction holds what it reads at a time and what
its delay keeps back, at most :data:`~msrp.testing.carrying.MAX_DELAYED` octets; beyond
that it doesn't read, so that whoever writes is held back, as by a real network.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from types import TracebackType
from typing import Self

from msrp.testing.carrying import Carried, Way, reset
from msrp.testing.plan import Direction, Plan

__all__ = ["FlakyProxy"]

MAX_CONNECTIONS = 1000
"""Connections carried at a time; a test that needs more has lost count of them."""


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
        self._carried: dict[asyncio.Task[None], Carried | None] = {}

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
            reset(writer)  # Nothing, if it is closed by now.

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
        carried = self._carried[task] = Carried((writer, far[1]))
        ways = (
            Way(self.forward, reader, far[1], carried, random.Random(rng.random())),
            Way(self.backward, far[0], writer, carried, random.Random(rng.random())),
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
