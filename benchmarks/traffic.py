"""The rows where octets move: how long they take beside bare asyncio.

Each run does the same work with both, one right after the other, so that what else
the machine has to do falls on both; a ratio is made of each run by itself.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives import serialization

import msrp
from benchmarks import octets
from benchmarks.channel import BenchmarkFailed, Json, Pair
from benchmarks.effort import Effort
from benchmarks.figures import Measured, percentile, ratios
from benchmarks.rows import row
from benchmarks.sessions import MIB, TEXT_SIZE

__all__ = [
    "busy_sessions",
    "chat_in_bulk",
    "check",
    "chunks",
    "measure_bulk",
    "measure_bulk_tls",
    "pings",
    "seconds",
    "send_texts",
    "text_messages",
    "write_certificate",
]

WINDOW = msrp.SessionConfig().window
CHUNK = 2048

_FAST_PART = 4
"""With uvloop a run does a quarter of the work: no aim depends on it."""

_TURNS = 10
"""How often bare and our own pings take turns in a run: what wakes a process, and how
fast, is another thing each second where others use the machine, too."""


class Peers:
    """The workers of a row: a pair on asyncio's loop, and one on uvloop if there is."""

    def __init__(self, plain: Pair, fast: Pair | None) -> None:
        self.plain = plain
        self.fast = fast

    @classmethod
    @asynccontextmanager
    async def start(cls, effort: Effort) -> AsyncIterator[Self]:
        async with AsyncExitStack() as stack:
            plain = await stack.enter_async_context(Pair())
            fast = None
            if effort.uvloop:
                fast = await stack.enter_async_context(Pair(uvloop=True))
            yield cls(plain, fast)


@dataclass(slots=True)
class _Times:
    """The seconds of each run; those with uvloop as if it had done all of the work."""

    bare: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)
    fast: list[float] = field(default_factory=list)

    def to_measured(self, name: str, size: str, amount: float, unit: str) -> Measured:
        return Measured(
            row(name),
            tuple(ratios(self.bare, self.ours)),
            size,
            f"{amount / statistics.median(self.ours):,.0f} of"
            f" {amount / statistics.median(self.bare):,.0f} {unit}",
            uvloop=tuple(ratios(self.bare, self.fast)) if self.fast else (),
        )


_Work = Callable[[Pair, int], Awaitable[float]]


async def _compare(
    peers: Peers, effort: Effort, bare: _Work, ours: _Work, size: int
) -> _Times:
    times = _Times()
    for _run in range(effort.runs):
        times.bare.append(await bare(peers.plain, size))
        times.ours.append(await ours(peers.plain, size))
        if peers.fast is not None:
            times.fast.append(await ours(peers.fast, size // _FAST_PART) * _FAST_PART)
    return times


async def _sized(
    peers: Peers,
    effort: Effort,
    bare: _Work,
    ours: _Work,
    *,
    full: int,
    least: int,
    budget: float,
) -> int:
    """Do a part of the least twice, which warms up, and see what there's time for."""
    part = max(1, least // 4)
    took = 0.0
    for _ in range(2):
        took = await bare(peers.plain, part) + await ours(peers.plain, part)
        if peers.fast is not None:
            took += await ours(peers.fast, part)
    return effort.size(full, least, took / part, budget)


async def measure_bulk(effort: Effort) -> list[Measured]:
    """One big message over TCP."""
    return [await _bulk(effort, "bulk-tcp", None)]


async def measure_bulk_tls(effort: Effort) -> list[Measured]:
    """The same over TLS."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "certificate.pem"
        write_certificate(path)
        return [await _bulk(effort, "bulk-tls", str(path))]


async def _bulk(effort: Effort, name: str, certificate: str | None) -> Measured:
    cost = await octets.count(TEXT_SIZE)

    async def bare(pair: Pair, size: int) -> float:
        return await _bare(pair, 1, size, cost.response, certificate)

    async def ours(pair: Pair, size: int) -> float:
        return await _message(pair, size, None, certificate)

    async with Peers.start(effort) as peers:
        size = await _sized(
            peers, effort, bare, ours,
            full=1024 * MIB, least=256 * MIB, budget=3.5 if certificate else 2.5,
        )  # fmt: skip
        times = await _compare(peers, effort, bare, ours, size)
    return times.to_measured(name, f"{size // MIB:,} MiB", size / MIB, "MiB/s")


async def chunks(effort: Effort) -> list[Measured]:
    """One message in small chunks."""
    cost = await octets.count(CHUNK)

    async def bare(pair: Pair, size: int) -> float:
        records = -(-size // CHUNK)
        return await _bare(pair, records, cost.request, cost.response)

    async def ours(pair: Pair, size: int) -> float:
        return await _message(pair, size, CHUNK)

    async with Peers.start(effort) as peers:
        size = await _sized(
            peers, effort, bare, ours, full=100 * MIB, least=25 * MIB, budget=2.0
        )
        times = await _compare(peers, effort, bare, ours, size)
    return [
        times.to_measured(
            "chunks-2048", f"{size // MIB:,} MiB", size / CHUNK, "chunks/s"
        )
    ]


async def text_messages(effort: Effort) -> list[Measured]:
    """Many short texts."""
    cost = await octets.count(TEXT_SIZE)

    async def bare(pair: Pair, number: int) -> float:
        return await _bare(pair, number, cost.request, cost.response)

    async with Peers.start(effort) as peers:
        number = await _sized(
            peers, effort, bare, send_texts, full=50_000, least=12_500, budget=2.5
        )
        times = await _compare(peers, effort, bare, send_texts, number)
    return [times.to_measured("texts", f"{number:,} texts", number, "texts/s")]


async def busy_sessions(effort: Effort, sessions: int = 200) -> list[Measured]:
    """As many texts over many sessions as over one."""

    async def one(pair: Pair, number: int) -> float:
        return await send_texts(pair, number)

    async def many(pair: Pair, number: int) -> float:
        return await send_texts(pair, number, sessions=sessions)

    async with Peers.start(effort) as peers:
        number = await _sized(
            peers, effort, one, many, full=40_000, least=10_000, budget=2.0
        )
        times = await _compare(peers, effort, one, many, number)
    measured = times.to_measured(
        "busy-sessions", f"{number:,} texts", number, "texts/s"
    )
    return [measured]


async def pings(effort: Effort) -> list[Measured]:
    """One text after the other."""
    cost = await octets.count(TEXT_SIZE)
    number = 5_000
    figures: dict[str, list[list[float]]] = {"bare": [], "ours": [], "fast": []}

    async def bare(pair: Pair, times: int) -> list[float]:
        said, _ = await pair.run(
            "bare:answer", "bare:ping", times=times, record=cost.request,
            answer=cost.response,
        )  # fmt: skip
        return _latencies(said)

    async def ours(pair: Pair, times: int) -> list[float]:
        said, got = await pair.run("sessions:take_texts", "sessions:ping", times=times)
        check(got, "texts", times)
        return _latencies(said)

    async with Peers.start(effort) as peers:
        await bare(peers.plain, 500)
        await ours(peers.plain, 500)
        for _run in range(effort.runs):
            for side in ("bare", "ours"):
                figures[side].append([])
            for _turn in range(_TURNS):
                figures["bare"][-1] += await bare(peers.plain, number // _TURNS)
                figures["ours"][-1] += await ours(peers.plain, number // _TURNS)
            if peers.fast is not None:
                figures["fast"].append(await ours(peers.fast, number // _FAST_PART))
    size = f"{number:,} texts"
    return [
        _latency("ping-median", figures, 0.5, size),
        _latency("ping-p99", figures, 0.99, size),
    ]


async def chat_in_bulk(effort: Effort) -> list[Measured]:
    """A line now and then beside a big message."""
    interval = 0.01
    lines = 150
    figures: dict[str, list[list[float]]] = {"bare": [], "ours": [], "fast": []}

    async def chat(pair: Pair, size: int) -> list[float]:
        said, got = await pair.run(
            "sessions:take_bulk", "sessions:chat", size=size,
            lines=1_000_000 if size else lines, interval=interval,
        )  # fmt: skip
        check(got, "octets", size)
        return _latencies(said)

    async with Peers.start(effort) as peers:
        began = time.perf_counter()
        await chat(peers.plain, 128 * MIB)
        took = time.perf_counter() - began
        size = effort.size(1024 * MIB, 512 * MIB, took / (128 * MIB), 5.0)
        for _run in range(effort.runs):
            figures["bare"].append(await chat(peers.plain, 0))
            figures["ours"].append(await chat(peers.plain, size))
            if peers.fast is not None:
                # All of it: how bad the worst is depends on how many there are.
                figures["fast"].append(await chat(peers.fast, size))
    count = statistics.median(len(each) for each in figures["ours"])
    return [
        _latency(
            "chat-in-bulk", figures, 0.99, f"{size // MIB:,} MiB, {count:.0f} lines"
        )
    ]


def _latency(
    name: str, figures: dict[str, list[list[float]]], part: float, size: str
) -> Measured:
    bare, ours, fast = (
        [percentile(run, part) for run in figures[side]]
        for side in ("bare", "ours", "fast")
    )
    return Measured(
        row(name),
        tuple(ratios(ours, bare)),
        size,
        f"{statistics.median(ours) * 1e6:,.0f} and"
        f" {statistics.median(bare) * 1e6:,.0f} µs",
        uvloop=tuple(ratios(fast, bare)) if fast else (),
    )


# One run of one side.


async def _bare(
    pair: Pair,
    records: int,
    record: int,
    answer: int,
    certificate: str | None = None,
) -> float:
    said, got = await pair.run(
        "bare:answer", "bare:send", records=records, record=record, answer=answer,
        window=WINDOW, certificate=certificate,
    )  # fmt: skip
    check(got, "records", records)
    return seconds(said)


async def _message(
    pair: Pair, size: int, chunk_size: int | None, certificate: str | None = None
) -> float:
    said, got = await pair.run(
        "sessions:take_bulk", "sessions:bulk", size=size, chunk_size=chunk_size,
        certificate=certificate,
    )  # fmt: skip
    check(got, "octets", size)
    return seconds(said)


async def send_texts(
    pair: Pair, number: int, *, sessions: int = 1, size: int = TEXT_SIZE
) -> float:
    """Send texts over MSRP; return how many seconds it took."""
    said, got = await pair.run(
        "sessions:take_texts", "sessions:texts", texts=number, sessions=sessions,
        size=size,
    )  # fmt: skip
    check(got, "texts", number)
    return seconds(said)


def check(got: Json, what: str, expected: int) -> None:
    """See to it that all of the work was done.

    Raises:
        BenchmarkFailed: It wasn't.
    """
    assert isinstance(got, dict)
    if got[what] != expected:
        raise BenchmarkFailed(f"{got[what]} {what} arrived, and not {expected}")


def seconds(said: Json) -> float:
    """Return how long a sender says that it took."""
    assert isinstance(said, dict)
    took = said["seconds"]
    assert isinstance(took, float)
    return took


def _latencies(said: Json) -> list[float]:
    assert isinstance(said, dict)
    latencies = said["latencies"]
    assert isinstance(latencies, list)
    return [float(one) for one in latencies if isinstance(one, int | float)]


def write_certificate(path: Path) -> None:
    """Make a certificate, and write it and its key into a PEM file."""
    certificate = msrp.LocalCertificate.self_signed()
    key = certificate.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(
        key + certificate.certificate.public_bytes(serialization.Encoding.PEM)
    )
