"""By how much a file that is on its way makes its sender and its receiver grow."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.big import MIB, SPARE, Outcome, transfer
from benchmarks.effort import Effort
from benchmarks.figures import Measured
from benchmarks.rows import row

__all__ = ["big_file", "file_peaks"]

_TIMEOUT = 900.0


async def big_file(effort: Effort) -> list[Measured]:
    """The same for a file that is far bigger than any buffer."""
    first = await _transfer(128 * MIB)
    size = effort.size(4096 * MIB, 256 * MIB, 2.5 * first.seconds / (128 * MIB), 3.0)
    outcomes = [await _transfer(size) for _ in range(effort.runs)]
    growth = [max(one.sender_growth, one.receiver_growth) / MIB for one in outcomes]
    seconds = sorted(one.seconds for one in outcomes)[len(outcomes) // 2]
    rate = f"{size / MIB / seconds:,.0f} MiB/s"
    return [Measured(row("big-file"), tuple(growth), f"{size // MIB:,} MiB", rate)]


async def file_peaks(effort: Effort) -> list[Measured]:
    """A file of 100 MiB: each of the two by itself."""
    size = 100 * MIB
    outcomes = [await _transfer(size) for _ in range(effort.runs)]
    said = f"{size // MIB} MiB"
    return [
        Measured(
            row("sender-peak"), tuple(o.sender_growth / MIB for o in outcomes), said
        ),
        Measured(
            row("receiver-peak"), tuple(o.receiver_growth / MIB for o in outcomes), said
        ),
    ]


async def _transfer(size: int) -> Outcome:
    with tempfile.TemporaryDirectory() as directory:
        if shutil.disk_usage(directory).free < 2 * size + SPARE:
            raise OSError(f"no room for two files of {size} octets and 8 GiB more")
        return await transfer(Path(directory), size, chunk_size=None, timeout=_TIMEOUT)
