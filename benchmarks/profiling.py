"""Where the time goes: the profiles of sender and receiver in one piece of work.

`python -m benchmarks.profiling texts` prints the functions in which most time is
spent, without what they call.  Profiling slows small functions down more than big
ones: take it for the order, and `python -m benchmarks` for the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import io
import pstats
import tempfile
from pathlib import Path

from benchmarks.channel import Json, Pair
from benchmarks.sessions import MIB
from benchmarks.traffic import write_certificate
from benchmarks.values import VALUES

__all__ = ["profile", "profile_value"]

WORKS: dict[str, tuple[str, str, dict[str, Json]]] = {
    "bulk": (
        "sessions:take_bulk",
        "sessions:bulk",
        {"size": 512 * MIB, "chunk_size": None},
    ),
    "bulk-tls": (
        "sessions:take_bulk",
        "sessions:bulk",
        {"size": 512 * MIB, "chunk_size": None},
    ),
    "chunks": (
        "sessions:take_bulk",
        "sessions:bulk",
        {"size": 32 * MIB, "chunk_size": 2048},
    ),
    "texts": ("sessions:take_texts", "sessions:texts", {"texts": 20_000}),
    "ping": ("sessions:take_texts", "sessions:ping", {"times": 5_000}),
}


async def profile(name: str, directory: Path, lines: int) -> dict[str, str]:
    """Do a piece of work twice, and return what both did the second time."""
    receive, send, arguments = WORKS[name]
    if name == "bulk-tls":
        certificate = directory / "certificate.pem"
        write_certificate(certificate)
        arguments = {**arguments, "certificate": str(certificate)}
    async with Pair(profile=directory) as pair:
        for _ in range(2):
            await pair.run(receive, send, **arguments)
    return {side: _top(directory / side, lines) for side in ("sender", "receiver")}


def _top(path: Path, lines: int) -> str:
    output = io.StringIO()
    stats = pstats.Stats(str(path), stream=output)
    return _print(stats, output, lines)


def profile_value(name: str, lines: int) -> str:
    """Read and write a value some hundred times, and return what was done."""
    value = VALUES[name]()
    work = cProfile.Profile()
    value.ours()
    work.enable()
    for _ in range(200):
        value.ours()
    work.disable()
    output = io.StringIO()
    return _print(pstats.Stats(work, stream=output), output, lines)


def _print(stats: pstats.Stats, output: io.StringIO, lines: int) -> str:
    stats.strip_dirs().sort_stats("tottime").print_stats(lines)
    text = output.getvalue()
    return text[text.index("ncalls") - 3 :].rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.profiling", description=__doc__)
    parser.add_argument("work", choices=[*WORKS, *VALUES])
    parser.add_argument("--lines", type=int, default=25)
    arguments = parser.parse_args()
    if arguments.work in VALUES:
        print(profile_value(arguments.work, arguments.lines))
        return
    with tempfile.TemporaryDirectory() as directory:
        work = profile(arguments.work, Path(directory), arguments.lines)
        for side, text in asyncio.run(work).items():
            print(f"{side}\n{text}\n")


if __name__ == "__main__":
    main()
