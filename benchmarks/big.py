"""Send a big file from disk to disk, and see that nobody holds it in memory.

`python -m benchmarks.big --size 4G` has one process send a generated file to another
over the loopback, compares the two files, and prints the throughput and by how much
the memory of each process has grown at most.  Sender and receiver are this module
again; they speak with the first process in lines of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import shutil
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msrp
import sdp

__all__ = [
    "BOUND",
    "MIB",
    "Outcome",
    "Peer",
    "TransferFailed",
    "generate",
    "is_beginning_of",
    "is_same",
    "parse_size",
    "transfer",
]

MIB = 1024 * 1024

BOUND = 32 * MIB
"""Octets by which the memory of neither process should grow, whatever the size."""

SPARE = 8 * 1024 * MIB
"""Octets of the disk that are left to others."""

_UNITS = {"K": 1024, "M": MIB, "G": 1024 * MIB}


class TransferFailed(Exception):
    """The file did not arrive as it was."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transfer has cost."""

    seconds: float
    sender_growth: int
    """Octets by which its peak is above what it had before the transfer."""
    receiver_growth: int


async def transfer(
    directory: Path, size: int, *, chunk_size: int | None, timeout: float
) -> Outcome:
    """Have a generated file sent, and compare what arrives.

    Args:
        directory: Where both files go.
        size: Octets of the file.
        chunk_size: As in :class:`msrp.SessionConfig`.
        timeout: Seconds that sending may take.

    Raises:
        TransferFailed: A process failed, or the files differ.
        TimeoutError: It took longer.
    """
    source = directory / "source.bin"
    generate(source, size)
    async with AsyncExitStack() as stack:
        sender = await stack.enter_async_context(
            Peer("send", str(source), str(chunk_size or 0))
        )
        receiver = await stack.enter_async_context(
            Peer("receive", str(directory / "received"))
        )
        await receiver.tell(await sender.hear())
        await sender.tell(await receiver.hear())
        idle = [int(await peer.hear()) for peer in (sender, receiver)]
        began = time.perf_counter()
        await sender.tell("go")
        async with asyncio.timeout(timeout):
            stored = await receiver.hear()
        seconds = time.perf_counter() - began
        peaks = [int(await peer.hear()) for peer in (sender, receiver)]
    if not is_same(Path(stored), source):
        raise TransferFailed("what arrived is not what was sent")
    return Outcome(seconds, peaks[0] - idle[0], peaks[1] - idle[1])


class Peer:
    """A process that sends or receives, and what it is told and says.

    Args:
        arguments: ``send FILE CHUNK_SIZE`` or ``receive DIRECTORY``.
        module: What it runs, if it isn't this.
    """

    def __init__(self, *arguments: str, module: str = "benchmarks.big") -> None:
        self._arguments = arguments
        self._module = module
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, "--peer", *self._arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        if exc_info[0] is not None:
            self.kill()
        await self._process.wait()

    async def hear(self) -> str:
        """Return what it says next.

        Raises:
            TransferFailed: It has ended.
        """
        assert self._process is not None
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise TransferFailed(f"no more from who should {self._arguments[0]}")
        said: str = json.loads(line)
        return said

    async def tell(self, what: str) -> None:
        """Say something to it."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what).encode() + b"\n")
        await self._process.stdin.drain()

    def kill(self) -> None:
        """End it as the kernel does when memory runs out: not a word more."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.kill()


def generate(path: Path, size: int) -> None:
    """Write a file of which no two pieces are alike."""
    rest = random.Random(size).randbytes(MIB - 8)
    with path.open("wb") as file:
        for number in range(-(-size // MIB)):
            block = number.to_bytes(8, "big") + rest
            file.write(block[: size - number * MIB])


def is_beginning_of(path: Path, whole: Path) -> bool:
    """Tell whether a file is the beginning of another one, or all of it."""
    with path.open("rb") as file, whole.open("rb") as other:
        while block := file.read(MIB):
            if other.read(len(block)) != block:
                return False
    return True


def is_same(path: Path, other: Path) -> bool:
    """Tell whether two files have the same octets."""
    return path.stat().st_size == other.stat().st_size and is_beginning_of(path, other)


def parse_size(text: str) -> int:
    """Read a number of octets such as ``256M``."""
    unit = _UNITS.get(text[-1:].upper(), 1)
    return int(text if unit == 1 else text[:-1]) * unit


# What the two processes do.


async def _send(file: str, chunk_size: str) -> None:
    uri = msrp.MsrpUri("msrp", "127.0.0.1", 9, "sender")
    offered = msrp.offer_media(uri, setup="active", accept_types=["*"])
    _say(str(offered))
    answered = sdp.MediaDescription.parse(await _hear())
    connection = msrp.MsrpConnection.create_from_sdp(
        offered,
        answered,
        is_incoming=False,
        config=msrp.SessionConfig(chunk_size=int(chunk_size) or None),
    )
    async with connection:
        _say(str(_resident("VmRSS")))
        await _hear()
        sent = await connection.send_file(file)
        await sent.delivered()
        _say(str(_resident("VmHWM")))
        await _hear()


async def _receive(directory: str) -> None:
    offered = sdp.MediaDescription.parse(await _hear())
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        answered = listener.answer(offered, accept_types=["*"])
        assert answered is not None
        connection = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=True, listener=listener
        )
        connection.policy = lambda _: msrp.IntoDirectory(Path(directory))
        async with connection:
            _say(str(answered))
            await connection.established()
            _say(str(_resident("VmRSS")))
            message = await anext(connection)
            _say(str(message.path))
            _say(str(_resident("VmHWM")))
            await _hear()


async def _hear() -> str:
    """Return what the first process says; nothing once it is gone or done."""
    line = await asyncio.to_thread(sys.stdin.readline)
    said: str = json.loads(line) if line else ""
    return said


def _say(what: str) -> None:
    print(json.dumps(what), flush=True)


def _resident(field: str) -> int:
    """Return the octets of memory this process has, or has had at most."""
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
        return int(lines[field].split()[0]) * 1024
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.big", description=__doc__)
    parser.add_argument("--size", default="4G", help="octets, such as 256M")
    parser.add_argument("--chunk-size", type=int, help="octets; by default one chunk")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds")
    parser.add_argument("--directory", type=Path, help="on which disk")
    parser.add_argument("--peer", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        what, *rest = arguments.peer
        asyncio.run(_send(*rest) if what == "send" else _receive(*rest))
        return
    size = parse_size(arguments.size)
    with tempfile.TemporaryDirectory(dir=arguments.directory) as directory:
        if shutil.disk_usage(directory).free < 2 * size + SPARE:
            raise SystemExit(f"no room for two files of {size} octets and 8 GiB more")
        work = transfer(
            Path(directory),
            size,
            chunk_size=arguments.chunk_size,
            timeout=arguments.timeout,
        )
        try:
            outcome = asyncio.run(work)
        except (TransferFailed, TimeoutError) as error:
            raise SystemExit(str(error) or "it took too long") from error
    print(
        f"{size / MIB:.0f} MiB in {outcome.seconds:.1f} s,"
        f" {size / MIB / outcome.seconds:.0f} MiB/s;"
        f" the sender grew by {outcome.sender_growth / MIB:.1f} MiB,"
        f" the receiver by {outcome.receiver_growth / MIB:.1f} MiB"
    )
    if max(outcome.sender_growth, outcome.receiver_growth) > BOUND:
        raise SystemExit(f"that is more than {BOUND // MIB} MiB")


if __name__ == "__main__":
    main()
