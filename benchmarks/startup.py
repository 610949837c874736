"""How long it takes until a program is there, whole processes."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import time
from pathlib import Path

from benchmarks.channel import BenchmarkFailed
from benchmarks.effort import Effort
from benchmarks.figures import Measured, ratios
from benchmarks.rows import row

__all__ = ["startup"]

_ROOT = Path(__file__).parent.parent

_BASELINE = ("-c", "import asyncio, ssl")
_COMMANDS = {
    "import": ("-c", "import msrp"),
    # What isn't imported before it is asked for.
    "import-connection": ("-c", "import msrp; msrp.MsrpConnection"),
    "help": ("-m", "msrp_chat", "--help"),
}
_TIMES = 2
"""Each run starts each so often, and the shortest counts."""


async def startup(effort: Effort) -> list[Measured]:
    """Start each program in turn."""
    for command in (_BASELINE, *_COMMANDS.values()):
        await _seconds(command)  # Compiles what isn't yet.
    bare: list[float] = []
    ours: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for _ in range(effort.runs):
        bare.append(await _shortest(_BASELINE))
        for name, command in _COMMANDS.items():
            ours[name].append(await _shortest(command))
    return [
        Measured(
            row(name),
            tuple(ratios(took, bare)),
            f"{_TIMES} processes",
            f"{statistics.median(took) * 1000:.0f} and"
            f" {statistics.median(bare) * 1000:.0f} ms",
        )
        for name, took in ours.items()
    ]


async def _shortest(command: tuple[str, ...]) -> float:
    return min([await _seconds(command) for _ in range(_TIMES)])


async def _seconds(command: tuple[str, ...]) -> float:
    paths = os.pathsep.join([str(_ROOT), str(_ROOT / "samples")])
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    if await process.wait():
        raise BenchmarkFailed(f"{' '.join(command)!r} has failed")
    return time.perf_counter() - began
