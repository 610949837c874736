"""How the cost grows with the work: with the size of messages, with the number of
sessions, with the chunks in a read, with the pieces of a message.

Each row has a plot.  Its figure says by how much the last part of the line bends the
wrong way, in comparison to the rest of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence

from benchmarks import octets
from benchmarks.channel import Json, Pair
from benchmarks.effort import Effort
from benchmarks.figures import Measured
from benchmarks.plot import Line, plot
from benchmarks.rows import row
from benchmarks.sessions import TEXT_SIZE
from benchmarks.traffic import check, seconds, send_texts

__all__ = ["Curve", "bends", "growth", "per_read", "reassembly", "sessions", "sizes"]

SIZES = [1, 10, 100, 1_000, 10_000, 100_000, 1024 * 1024]
SESSIONS = [1, 10, 100, 1_000, 5_000]
CHUNKS_PER_READ = [1, 3, 10, 30, 100, 300, 1_000]
PIECES = [1_000, 10_000, 100_000]

_COLLECT_AFTER = 50_000
"""Objects, more than there are of the texts that 5,000 sessions have under way."""

Curve = list[tuple[float, float]]
"""How much work, and the seconds that each unit of it took."""


async def sizes(effort: Effort) -> list[Measured]:
    """Texts of one octet to 1 MiB; no octet of a bigger one shall cost more."""
    async with Pair() as pair:
        await send_texts(pair, 500)

        async def cost(size: int) -> float:
            number = max(32, min(1_500, 16 * 1024 * 1024 // size))
            return await send_texts(pair, number, size=size) / number

        curves: list[Curve] = [
            [(size, await cost(size)) for size in SIZES] for _ in range(effort.runs)
        ]
    drawn = _draw(
        "sizes", "Texts per second by their size", "octets", "texts per second",
        curves, lambda _size, cost: 1 / cost,
    )  # fmt: skip
    # What an octet of the biggest costs, of what one of those before costs.
    per_octet: list[Curve] = [
        [(size, cost / size) for size, cost in one] for one in curves
    ]
    return [_measured("scale-sizes", per_octet, "1 octet to 1 MiB", drawn)]


async def sessions(effort: Effort) -> list[Measured]:
    """Texts over one session and over thousands, and lines over as many bare
    connections, each with one under way at a time: only the number of them grows.

    The collector of garbage is set as docs/console.md has it for so many sessions.
    """
    cost = await octets.count(TEXT_SIZE)
    ours: list[list[float]] = []
    bare: list[list[float]] = []
    async with Pair(collect_after=_COLLECT_AFTER) as pair:
        for count in SESSIONS:
            # One session alone waits for each of its texts, so it says fewer.
            texts = max(min(500 * count, 2_000), count)
            said, got = await pair.run(
                "bare:answer", "bare:send_over_many", connections=count,
                records=texts, rounds=effort.runs, record=cost.request,
                answer=cost.response, window=1,
            )  # fmt: skip
            check(got, "records", texts * effort.runs)
            bare.append([took / texts for took in _rounds(said)])
            said, got = await pair.run(
                "sessions:take_texts", "sessions:rounds_of_waves", sessions=count,
                texts=texts, rounds=effort.runs,
            )  # fmt: skip
            check(got, "texts", count + texts * effort.runs)
            ours.append([took / texts for took in _rounds(said)])
    curves, bare_curves = _by_run(ours), _by_run(bare)
    drawn = _draw(
        "sessions", "Texts per second of all sessions, one at a time in each",
        "sessions", "texts per second",
        curves, lambda _count, cost: 1 / cost, bare_curves,
    )  # fmt: skip
    size = f"{SESSIONS[0]} to {SESSIONS[-1]:,} sessions"
    rates = (
        f"{1 / statistics.median(ours[-1]):,.0f} of"
        f" {1 / statistics.median(bare[-1]):,.0f} texts/s"
    )
    return [_measured("scale-sessions", curves, size, drawn, rates)]


def _rounds(said: Json) -> list[float]:
    assert isinstance(said, dict)
    took = said["seconds"]
    assert isinstance(took, list)
    return [one for one in took if isinstance(one, float)]


def _by_run(by_count: list[list[float]]) -> list[Curve]:
    return [
        list(zip(map(float, SESSIONS), costs, strict=True))
        for costs in zip(*by_count, strict=True)
    ]


async def per_read(effort: Effort) -> list[Measured]:
    """Chunks that come one by one, and up to a thousand in a read."""
    async with Pair() as pair:

        async def cost(count: int) -> float:
            number = max(1_000, min(10_000, 500 * count))
            said, got = await pair.run(
                "wire:take_chunks", "wire:send_batches", per_read=count, chunks=number
            )
            check(got, "octets", number * 16)
            return seconds(said) / number

        await cost(10)
        curves: list[Curve] = [
            [(count, await cost(count)) for count in CHUNKS_PER_READ]
            for _ in range(effort.runs)
        ]
    drawn = _draw(
        "chunks-per-read", "Chunks per second by how many come in a read",
        "chunks per read", "chunks per second", curves, lambda _count, cost: 1 / cost,
    )  # fmt: skip
    return [_measured("scale-per-read", curves, "1 to 1,000 chunks per read", drawn)]


async def reassembly(effort: Effort) -> list[Measured]:
    """A message in pieces that come in random order."""
    async with Pair() as pair:

        async def cost(pieces: int) -> float:
            said, got = await pair.run(
                "wire:take_whole", "wire:send_shuffled", chunks=pieces
            )
            check(got, "whole", 1)
            return seconds(said)

        async def point(pieces: int) -> tuple[float, float]:
            # As often as makes the short ones as sure as the long one.
            times = 5 if pieces < PIECES[-1] else 1
            return pieces, statistics.median([await cost(pieces) for _ in range(times)])

        await cost(1_000)
        curves: list[Curve] = [
            [await point(pieces) for pieces in PIECES] for _ in range(effort.runs)
        ]
    drawn = _draw(
        "reassembly", "One message in pieces of random order", "pieces", "seconds",
        curves, lambda _pieces, cost: cost,
    )  # fmt: skip
    figures = tuple(growth(curve[-2], curve[-1]) for curve in curves)
    whole = statistics.median(curve[-1][1] for curve in curves)
    rate = f"{PIECES[-1] / whole:,.0f} pieces/s"
    size = f"{PIECES[-1]:,} pieces"
    return [Measured(row("reassembly"), figures, size, rate, plot=drawn)]


def growth(smaller: tuple[float, float], bigger: tuple[float, float]) -> float:
    """Return how much faster than n log n a cost grows from one n to another."""
    (n, cost), (more, more_cost) = smaller, bigger
    return (more_cost / cost) / (more * math.log(more) / (n * math.log(n)))


def bends(curves: Sequence[Curve]) -> tuple[float, ...]:
    """Return the cost of a unit at the end of each curve, of what it was at its lowest.

    It is 1 or less where a line never bends the wrong way.  The lowest is one of
    medians: the lowest of many that spread would be lower than any of them really is.
    """
    *before, ends = zip(*curves, strict=True)
    lowest = min(statistics.median(cost for _, cost in column) for column in before)
    return tuple(cost / lowest for _, cost in ends)


def _measured(
    name: str, curves: list[Curve], size: str, drawn: tuple[str, str], rates: str = ""
) -> Measured:
    return Measured(row(name), bends(curves), size, rates, plot=drawn)


def _draw(
    name: str,
    title: str,
    x_label: str,
    y_label: str,
    curves: list[Curve],
    value: Callable[[float, float], float],
    bare: Sequence[Curve] = (),
) -> tuple[str, str]:
    """Return the name of a plot, and the plot."""
    columns = list(zip(*curves, strict=True))
    picks: dict[str, Callable[[list[float]], float]] = {
        "median": statistics.median, "slowest run": max, "fastest run": min,
    }  # fmt: skip
    lines = [
        Line(kind, [_point(column, pick, value) for column in columns])
        for kind, pick in picks.items()
    ]
    if bare:
        bare_columns = zip(*bare, strict=True)
        points = [_point(one, statistics.median, value) for one in bare_columns]
        lines.append(Line("bare asyncio", points))
    return name, plot(title, x_label, y_label, lines)


def _point(
    column: Sequence[tuple[float, float]],
    pick: Callable[[list[float]], float],
    value: Callable[[float, float], float],
) -> tuple[float, float]:
    amount = column[0][0]
    return amount, value(amount, pick([cost for _, cost in column]))
