from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import msrp
from msrp.aio.file_transfer import shared_files
from msrp.aio.file_transfer.hashing import FileDigest, hash_file


def by_hash(data: bytes) -> msrp.FileSelector:
    return msrp.FileSelector(hashes=(msrp.FileHash.sha1(hashlib.sha1(data).digest()),))


@pytest.mark.rule("FT-9")
async def test_none_one_or_several_are_found(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", ".hidden.txt"):
        (tmp_path / name).write_text("same")
    (tmp_path / "c.jpg").write_text("other")
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "d.txt").write_text("same")
    shared = msrp.SharedFiles(tmp_path)

    async def found(selector: msrp.FileSelector) -> list[str]:
        return [path.name for path in await shared.find(selector)]

    assert await found(by_hash(b"same")) == ["a.txt", "b.txt"]
    assert await found(by_hash(b"other")) == ["c.jpg"]
    assert await found(by_hash(b"neither")) == []
    assert await found(msrp.FileSelector("a.txt")) == ["a.txt"]
    assert await found(msrp.FileSelector("../a.txt")) == []
    assert await found(msrp.FileSelector(".hidden.txt")) == []
    assert await found(msrp.FileSelector(size=5)) == ["c.jpg"]
    jpeg = msrp.ContentType.parse("image/jpeg")
    assert await found(msrp.FileSelector(type=jpeg)) == ["c.jpg"]
    assert await found(msrp.FileSelector(size=4, type=jpeg)) == []
    assert await msrp.SharedFiles(tmp_path / "nowhere").find(by_hash(b"")) == []


async def test_a_file_is_hashed_once_and_again_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []

    async def counted(path: Path) -> FileDigest:
        hashed.append(path.name)
        return await hash_file(path)

    monkeypatch.setattr(shared_files, "hash_file", counted)
    (tmp_path / "a.txt").write_text("one")
    shared = msrp.SharedFiles(tmp_path)
    await shared.find(msrp.FileSelector("a.txt"))
    assert hashed == []  # Nobody has asked for a hash.
    for _ in range(3):
        assert len(await shared.find(by_hash(b"one"))) == 1
    assert hashed == ["a.txt"]
    (tmp_path / "a.txt").write_text("changed")
    assert await shared.find(by_hash(b"one")) == []
    assert len(await shared.find(by_hash(b"changed"))) == 1
    assert hashed == ["a.txt", "a.txt"]
    (tmp_path / "a.txt").unlink()
    assert await shared.find(by_hash(b"changed")) == []
    assert shared._digests == {}
