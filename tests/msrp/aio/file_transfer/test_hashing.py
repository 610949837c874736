from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path

import pytest

import msrp
from msrp.aio.file_transfer import hash_file, hashing


@pytest.mark.rule("FT-2")
@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 2_500_000])
async def test_all_octets_count(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(data := os.urandom(size))
    digest = await hash_file(path)
    assert digest.sha1 == hashlib.sha1(data).digest()
    assert digest.size == size


@pytest.mark.parametrize("name", ["missing", ".", "nul\0"])
async def test_what_can_t_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(msrp.FileUnreadable):
        await hash_file(tmp_path / name)


async def test_the_loop_goes_on_and_nobody_has_to_wait_for_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "_BLOCK", 1)
    path = tmp_path / "file"
    path.write_bytes(bytes(30_000_000))
    task = asyncio.create_task(hash_file(path))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
