"""A process of our own that tells what it does as JSON, and never outlives us."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence

from msrp_chat.events import Event, from_json

__all__ = ["Child", "Listener", "start_child"]

Listener = Callable[[Event, datetime.datetime], None]
"""Called with each event, and when it was."""

_LONGEST_LINE = 1 << 20
"""Octets of one event; only the texts that are said make it long."""

_COMPLAINT = b"msrp-chat: "

_ENDING_TIME = 5.0
"""Seconds to hang up after being told to end."""


class Child:
    """A running ``msrp-chat``.

    Attributes:
        complaint: What it said at last was wrong, if anything.
    """

    def __init__(self, process: Process, listener: Listener) -> None:
        self.complaint = ""
        self._process = process
        self._listener = listener
        self._readers = [
            asyncio.create_task(self._read_events()),
            asyncio.create_task(self._read_complaints()),
        ]

    async def wait(self) -> int:
        """Wait until it has ended and all was read; return its exit code."""
        await asyncio.wait(self._readers)
        return await self._process.wait()

    async def end(self) -> None:
        """See to it that it ends."""
        for how in (self._process.terminate, self._process.kill):
            if self._process.returncode is not None:
                break
            with contextlib.suppress(ProcessLookupError, TimeoutError):
                how()
                async with asyncio.timeout(_ENDING_TIME):
                    await self._process.wait()
        for reader in self._readers:
            reader.cancel()
        await asyncio.wait(self._readers)

    async def _read_events(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            # Anything else would be a fault of ours; the checks will miss it.
            with contextlib.suppress(ValueError):
                self._listener(*from_json(line.decode()))

    async def _read_complaints(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            # The rest is the same as the events, for people.
            if line.startswith(_COMPLAINT):
                self.complaint = line.removeprefix(_COMPLAINT).decode().strip()


@contextlib.asynccontextmanager
async def start_child(
    arguments: Sequence[str], listener: Listener
) -> AsyncIterator[Child]:
    """Run ``msrp-chat`` with ``--json``, and end it at the end.

    Args:
        arguments: The command and its options.
        listener: Who is told what happens.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "msrp_chat",
        *arguments,
        "--json",
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=PIPE,
        limit=_LONGEST_LINE,
        # It finds the packages wherever we have found them.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    child = Child(process, listener)
    try:
        yield child
    finally:
        await child.end()
