"""Measure what MSRP costs beside a plain asyncio stream on the same loopback.

`python -m benchmarks` prints a table of ratios: each is the rate of a piece of work
over MSRP divided by the rate of the same octets, in the same pattern, between two
`asyncio.Protocol`s that parse nothing, taken in the same run.  Sender and receiver
are separate processes; the sender is this module again.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msrp
import sdp
from benchmarks.bare import BareReceiver, send_bare

RUNS = 5


@dataclass(frozen=True)
class Work:
    """A piece of work, and what the bare peers do in its place."""

    name: str
    messages: int
    size: int
    chunk_size: int | None
    records: int
    """How many answered records the bare sender writes."""
    record_size: int
    answer_size: int

    @property
    def config(self) -> msrp.SessionConfig:
        return msrp.SessionConfig(
            chunk_size=self.chunk_size, max_message_length=self.messages * self.size
        )


MIB = 1024 * 1024
WORKS = [
    Work("one 64 MiB message, one long chunk", 1, 64 * MIB, None, 1, 64 * MIB, 160),
    Work("one 16 MiB message, 2,048-octet chunks", 1, 16 * MIB, 2048, 8192, 2300, 160),
    Work("10,000 texts of 100 octets", 10_000, 100, 2048, 10_000, 340, 160),
]


async def receive_msrp(work: Work) -> float:
    """Take in the work from a sender of its own; return how long it took."""
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        uri = msrp.MsrpUri("msrp", "127.0.0.1", 9, "benchmark")
        offered = msrp.offer_media(uri, setup="active", accept_types=["*"])
        answered = listener.answer(offered, accept_types=["*"])
        assert answered is not None
        connection = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=True, listener=listener, config=work.config
        )
        left = work.messages
        done = asyncio.Event()

        @connection.on_message_received
        def count(event: msrp.MessageReceived) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        await connection.start()
        descriptions = [str(offered), str(answered)]
        return await _time_sender(work, descriptions, done.wait)


async def send_msrp(work: Work, descriptions: list[str]) -> float:
    """Do the work; return how long it took until all of it had arrived."""
    offered, answered = map(sdp.MediaDescription.parse, descriptions)
    connection = msrp.MsrpConnection.create_from_sdp(
        offered, answered, is_incoming=False, config=work.config
    )
    async with connection:
        body = bytes(work.size)
        began = time.perf_counter()
        sent = [
            await connection.send_message("application/octet-stream", body)
            for _ in range(work.messages)
        ]
        for message in sent:
            await message.delivered()
        return time.perf_counter() - began


async def receive_bare(work: Work) -> float:
    """The same octets between two protocols that parse nothing."""
    receiver = BareReceiver(work.record_size, work.answer_size)
    server = await asyncio.get_running_loop().create_server(
        lambda: receiver, "127.0.0.1", 0
    )
    async with server:
        port = server.sockets[0].getsockname()[1]
        return await _time_sender(work, [str(port)], receiver.wait_closed)


async def _time_sender(
    work: Work, arguments: list[str], finished: Callable[[], Awaitable[object]]
) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks", "--send", str(WORKS.index(work)),
        json.dumps(arguments), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"the sender of {work.name!r} failed")
    await finished()
    return float(output)


async def send(work: Work, arguments: list[str]) -> float:
    if len(arguments) == 2:
        return await send_msrp(work, arguments)
    sizes = work.record_size, work.answer_size
    return await send_bare(int(arguments[0]), work.records, *sizes)


async def measure() -> None:
    print(f"{'work':44} {'ratio':>6}  {'spread':>12}")
    for work in WORKS:
        ratios = []
        for _ in range(RUNS):
            bare, ours = await receive_bare(work), await receive_msrp(work)
            ratios.append(bare / ours)
        middle = statistics.median(ratios)
        print(f"{work.name:44} {middle:6.2f}  {min(ratios):.2f} – {max(ratios):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--send", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.send:
        number, texts = arguments.send
        print(asyncio.run(send(WORKS[int(number)], json.loads(texts))))
    else:
        asyncio.run(measure())


if __name__ == "__main__":
    main()
