"""Two processes that do a piece of work between them, and the one that tells them to.

`python -m benchmarks.channel` is a worker: it hears of jobs as lines of JSON on its
standard input, does them, and says what came out on its standard output.  A
:class:`Pair` is a sender and a receiver which stay for many runs, so that neither
starting up nor warming up is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import cProfile
import gc
import importlib
import json
import resource
import sys
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Protocol, Self, TypeAlias

__all__ = ["BenchmarkFailed", "Channel", "Json", "Pair", "Worker"]

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_LINE_LIMIT = 64 * 1024 * 1024
"""Octets of one line: the descriptions of thousands of sessions are long."""

_PATIENCE = 300.0
"""Seconds until a worker that says nothing has failed."""


class BenchmarkFailed(Exception):
    """A piece of work did not come out as it should, so that its time says nothing."""


class Channel:
    """What a job in a worker says to whom has started it, and hears from it."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    @classmethod
    async def open(cls) -> Self:
        reader = asyncio.StreamReader(_LINE_LIMIT)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        return cls(reader)

    async def hear(self) -> Json:
        """Return what is said next.

        Raises:
            EOFError: Nobody is there any more.
        """
        line = await self._reader.readline()
        if not line:
            raise EOFError
        heard: Json = json.loads(line)
        return heard

    def tell(self, what: Json) -> None:
        sys.stdout.write(json.dumps(what) + "\n")
        sys.stdout.flush()


class Job(Protocol):
    """What a worker does: it talks over the channel, and returns when it is done."""

    def __call__(self, channel: Channel, **arguments: Json) -> Awaitable[None]: ...


class Worker:
    """Another process, as the first one sees it.

    Args:
        uvloop: Whether its event loop is uvloop's.
        profile: Where it writes what took how long, if that's of interest.
        collect_after: How many more objects there are until Python's collector of
            garbage looks through the young ones; without it Python's own number.
    """

    def __init__(
        self,
        *,
        uvloop: bool = False,
        profile: Path | None = None,
        collect_after: int | None = None,
    ) -> None:
        self._options = ["--uvloop"] if uvloop else []
        if collect_after is not None:
            self._options += ["--collect-after", str(collect_after)]
        if profile is not None:
            self._options += ["--profile", str(profile)]
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.channel", *self._options,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parent.parent, limit=_LINE_LIMIT,
        )  # fmt: skip
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        if exc_info[0] is not None:
            self.kill()
        await self._process.wait()

    def kill(self) -> None:
        """End it, whatever it does."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def begin(self, job: str, **arguments: Json) -> None:
        """Have it do a job, such as ``texts:send``."""
        await self.tell({"job": job, "arguments": arguments})

    async def tell(self, what: Json) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()

    async def hear(self) -> Json:
        """Return what it says next.

        Raises:
            BenchmarkFailed: It has ended, or is silent for too long.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise BenchmarkFailed("a worker doesn't answer") from None
        if not line:
            raise BenchmarkFailed("a worker has ended before its work was done")
        heard: Json = json.loads(line)
        return heard


class Pair:
    """A sender and a receiver.

    Args:
        uvloop: Whether both run on uvloop.
        profile: The directory for the profiles ``sender`` and ``receiver``.
        collect_after: As for :class:`Worker`.
    """

    def __init__(
        self,
        *,
        uvloop: bool = False,
        profile: Path | None = None,
        collect_after: int | None = None,
    ) -> None:
        self.sender, self.receiver = (
            Worker(
                uvloop=uvloop,
                profile=None if profile is None else profile / name,
                collect_after=collect_after,
            )
            for name in ("sender", "receiver")
        )
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self.sender)
            await stack.enter_async_context(self.receiver)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.__aexit__(*exc_info)  # type: ignore[arg-type]

    async def run(
        self, receive: str, send: str, **arguments: Json
    ) -> tuple[Json, Json]:
        """Do a piece of work once.

        The receiver says where it can be reached, and the sender is told so.  Once
        the sender has said what came out the receiver is told to end.

        Args:
            receive: The receiver's job, ``module:function``.
            send: The sender's.
            arguments: For both.

        Returns:
            What the sender and what the receiver say in the end.
        """
        await self.receiver.begin(receive, **arguments)
        where = await self.receiver.hear()
        await self.sender.begin(send, where=where, **arguments)
        sent = await self.sender.hear()
        await self.receiver.tell("done")
        return sent, await self.receiver.hear()


async def _work(profile: cProfile.Profile | None) -> None:
    channel = await Channel.open()
    warm = False
    while True:
        try:
            told = await channel.hear()
        except EOFError:
            return
        assert isinstance(told, dict)
        job, arguments = told["job"], told["arguments"]
        assert isinstance(job, str)
        assert isinstance(arguments, dict)
        module, _, name = job.partition(":")
        do: Job = getattr(importlib.import_module(f"benchmarks.{module}"), name)
        gc.collect()  # What the last job has left shall not be paid for by this one.
        if profile is not None and warm:
            profile.enable()
        await do(channel, **arguments)
        if profile is not None:
            profile.disable()
        warm = True  # What is imported and compiled on first use is so by now.


def _raise_file_limit() -> None:
    """Allow as many connections at a time as the system lets us have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.channel")
    parser.add_argument("--uvloop", action="store_true")
    parser.add_argument("--profile", type=Path)
    parser.add_argument("--collect-after", type=int)
    arguments = parser.parse_args()
    profile = None if arguments.profile is None else cProfile.Profile()
    factory = None
    if arguments.uvloop:
        factory = importlib.import_module("uvloop").new_event_loop
    _raise_file_limit()
    if arguments.collect_after is not None:
        gc.set_threshold(arguments.collect_after)
    with (
        contextlib.suppress(KeyboardInterrupt),  # Who has started it says so.
        asyncio.Runner(loop_factory=factory) as runner,
    ):
        runner.run(_work(profile))
    if profile is not None:
        profile.dump_stats(arguments.profile)


if __name__ == "__main__":
    main()
