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

_FULL, _LEAST = 4096 * MIB, 128 * MIB


async def big_file(effort: Effort) -> list[Measured]:
    """The same for a file that is far bigger than any buffer.

    It is of the full size in the first run, if the disk has room for it, and in the
    others if there is time: what would grow with a file is seen in the difference.
    """
    most = _FULL if _has_room(_FULL) else _LEAST
    first = await _transfer(most)
    size = effort.size(most, _LEAST, 2.5 * first.seconds / most, 3.0)
    outcomes = [first, *[await _transfer(size) for _ in range(effort.runs - 1)]]
    growth = [max(one.sender_growth, one.receiver_growth) / MIB for one in outcomes]
    said = f"{most // MIB:,} MiB, then {size // MIB:,}"
    rate = f"{most / MIB / first.seconds:,.0f} MiB/s"
    return [Measured(row("big-file"), tuple(growth), said, rate)]


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


def _has_room(size: int) -> bool:
    """Tell whether the disk has room for the file and for what arrives of it."""
    return shutil.disk_usage(tempfile.gettempdir()).free >= 2 * size + SPARE


async def _transfer(size: int) -> Outcome:
    if not _has_room(size):
        raise OSError(f"no room for two files of {size} octets and 8 GiB more")
    with tempfile.TemporaryDirectory() as directory:
        return await transfer(Path(directory), size, chunk_size=None, timeout=_TIMEOUT)
