"""Other people's programs, run for one test each on ports of their own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Program", "free_port", "listening", "running"]


def free_port(*, more: int = 0) -> int:
    """Find a port that is free for UDP and TCP both, and so many after it."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
        if all(_is_free(port + number) for number in range(more + 1)):
            return port


def _is_free(port: int) -> bool:
    with contextlib.ExitStack() as stack:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                each = stack.enter_context(socket.socket(type=kind))
                each.bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                return False
    return True


def is_listening(transport: str, port: int) -> bool:
    """Tell whether something listens on a port of 127.0.0.1."""
    sockets = Path(f"/proc/net/{transport}").read_text()
    return f"0100007F:{port:04X}" in sockets


@dataclass
class Program:
    """A program that runs."""

    process: asyncio.subprocess.Process
    log: Path

    async def succeeded(self) -> None:
        """Wait for it to end, and fail if it did."""
        async with asyncio.timeout(20):
            code = await self.process.wait()
        assert code == 0, f"it says {code}: {self.said()}"

    def said(self) -> str:
        """Return what it has printed."""
        return self.log.read_text(errors="replace")


async def listening(program: Program, transport: str, port: int) -> None:
    """Wait until a program listens on a port of 127.0.0.1."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(15):
            while not is_listening(transport, port):
                if program.process.returncode is not None:
                    break
                await asyncio.sleep(0.02)
    assert is_listening(transport, port), program.said()


@asynccontextmanager
async def running(directory: Path, *command: str) -> AsyncIterator[Program]:
    """Run a program, with all that it starts, and end it.

    Args:
        directory: Where it runs; what it prints goes into a file there.
        command: The program and its arguments.
    """
    log = directory / f"{Path(command[0]).name}.out"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=directory,
            env={**os.environ, "TERM": "dumb"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield Program(process, log)
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a program and its children, which have a process group of their own.

    Now and then Kamailio never ends of itself, so nobody waits long for that.
    """
    for number, patience in ((signal.SIGTERM, 0.5), (signal.SIGKILL, 3.0)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await process.wait()
                break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
