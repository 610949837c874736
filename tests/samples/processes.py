"""Runs ``msrp-chat`` as people do, and ends whatever it has started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.samples.forking import Forked, ForkServer

__all__ = ["Chats", "Result", "Running", "open_chats"]

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "samples" / "msrp_chat" / "demo" / "picture.jpg"

TIMEOUT = 30.0
"""Seconds for anything.  Nothing takes more than a few, even on a slow machine."""


_COMMAND = (sys.executable, "-m", "msrp_chat")

_HASTY = {
    "msrp_chat.commands.party._RECOVERY_TIME": 0.2,
    "msrp_chat.commands.party._SIP_GRACE": 0.2,
}
"""What is waited for in vain where the other side was killed."""


@dataclass(frozen=True)
class Result:
    """How a process has ended."""

    code: int
    stdout: str
    stderr: str
    events: list[dict[str, Any]]

    @property
    def complaints(self) -> list[str]:
        """What it has written to stderr that is no event for people."""
        start = "msrp-chat: "
        lines = self.stderr.splitlines()
        return [line.removeprefix(start) for line in lines if line.startswith(start)]

    def every(self, name: str) -> list[dict[str, Any]]:
        """Return all events of one name."""
        return [event for event in self.events if event["event"] == name]


class Running:
    """A process that may still run."""

    def __init__(self, process: Process | Forked) -> None:
        self.process = process
        self._lines: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._errors: list[str] = []
        self._readers = [
            asyncio.create_task(self._read_stdout()),
            asyncio.create_task(self._read_stderr()),
        ]

    async def event(self, name: str, **members: object) -> dict[str, Any]:
        """Wait for an event."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                for event in self._events:
                    if event["event"] == name and members.items() <= event.items():
                        return event
                await self._more()

    async def line(self, text: str) -> str:
        """Wait for a line of stdout that has a text in it."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                for line in self._lines:
                    if text in line:
                        return line
                await self._more()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def stop(self) -> None:
        """Have it do nothing more, not even answer, until it is ended."""
        self.process.send_signal(signal.SIGSTOP)

    async def result(self) -> Result:
        """Wait until it has ended."""
        async with asyncio.timeout(TIMEOUT):
            await asyncio.wait(self._readers)
            code = await self.process.wait()
        return Result(
            code, "".join(self._lines), "".join(self._errors), list(self._events)
        )

    async def end(self) -> None:
        """End it."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
        await asyncio.wait(self._readers)
        await self.process.wait()

    async def _more(self) -> None:
        assert not all(reader.done() for reader in self._readers), (
            f"it has ended: {self._lines} {self._errors}"
        )
        self._news.clear()
        await self._news.wait()

    async def _read_stdout(self) -> None:
        assert self.process.stdout is not None
        async for octets in self.process.stdout:
            line = octets.decode()
            self._lines.append(line)
            if line.startswith("{"):
                self._events.append(json.loads(line))
            self._news.set()
        self._news.set()

    async def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        async for octets in self.process.stderr:
            self._errors.append(octets.decode())
        self._news.set()


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "samples")])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDEVMODE": ""}


class Chats:
    """Starts processes.

    Args:
        stack: What ends them.
        server: What forks them; without one they are started as people do.
    """

    def __init__(
        self, stack: contextlib.AsyncExitStack, server: ForkServer | None
    ) -> None:
        self._stack = stack
        self._server = server

    async def start(self, *arguments: str | Path, hasty: bool = False) -> Running:
        """Start ``msrp-chat``.

        Args:
            arguments: Those of the program.
            hasty: Whether it hardly waits for whoever is gone.
        """
        if self._server is None or arguments[0] == "demo":
            assert not hasty
            return await self._start(*_COMMAND, *arguments)
        words, constants = list(map(str, arguments)), _HASTY if hasty else {}
        return self._own(await self._server.start(words, _environment(), constants))

    async def _start(self, *command: str | Path) -> Running:
        return self._own(
            await asyncio.create_subprocess_exec(
                *map(str, command),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                env=_environment(),
            )
        )

    def _own(self, process: Process | Forked) -> Running:
        running = Running(process)
        self._stack.push_async_callback(running.end)
        return running

    async def run_in_shell(self, redirection: str, *arguments: str | Path) -> Result:
        """Start it with its streams as a shell makes them; wait until it has ended."""
        command = f'exec "$@" {redirection}'
        return await (
            await self._start("sh", "-c", command, "sh", *_COMMAND, *arguments)
        ).result()

    async def run(self, *arguments: str | Path) -> Result:
        """Start it and wait until it has ended."""
        return await (await self.start(*arguments)).result()

    async def listen(self, *arguments: str | Path) -> tuple[Running, str]:
        """Start a listener that talks JSON, and wait for the URI to call."""
        running = await self.start("listen", "--json", "--once", *arguments)
        listening = await running.event("listening")
        return running, str(listening["uri"])


@contextlib.asynccontextmanager
async def open_chats(server: ForkServer | None = None) -> AsyncIterator[Chats]:
    """Give out processes, and end them at the end."""
    async with contextlib.AsyncExitStack() as stack:
        yield Chats(stack, server)
