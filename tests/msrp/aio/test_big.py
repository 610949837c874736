"""A big file goes from disk to disk and is never in memory, on neither side."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.big import BOUND, MIB, transfer

SIZE = 64 * MIB


@pytest.mark.parametrize(
    "chunk_size",
    [pytest.param(None, id="one-chunk"), pytest.param(2048, id="small-chunks")],
)
async def test_memory_does_not_grow_with_the_file(
    tmp_path: Path, chunk_size: int | None
) -> None:
    assert 2 * BOUND <= SIZE  # Else this would show nothing.
    outcome = await transfer(tmp_path, SIZE, chunk_size=chunk_size, timeout=50.0)
    assert outcome.sender_growth < BOUND
    assert outcome.receiver_growth < BOUND
