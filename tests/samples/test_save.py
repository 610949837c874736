"""Received files on disk."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from msrp_chat.conversation.save import Saver, digest


def names_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


async def test_a_file_is_saved_under_its_name(tmp_path: Path) -> None:
    saved = await Saver(tmp_path / "new").save("a.jpg", "image/jpeg", b"octets")
    assert saved.path == tmp_path / "new" / "a.jpg"
    assert saved.path.read_bytes() == b"octets"
    assert saved.sha256 == hashlib.sha256(b"octets").hexdigest() == digest(saved.path)


async def test_no_file_takes_the_place_of_another(tmp_path: Path) -> None:
    saver = Saver(tmp_path)
    contents = [b"%d" % number for number in range(5)]
    saved = await asyncio.gather(
        *(saver.save("a.tar.gz", "application/gzip", each) for each in contents)
    )
    assert [each.path.read_bytes() for each in saved] == contents
    numbered = [f"a.tar-{number}.gz" for number in range(1, 5)]
    assert names_in(tmp_path) == [*numbered, "a.tar.gz"]


@pytest.mark.parametrize(
    ("name", "saved_as"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\windows\\win.ini", "win.ini"),
        (".profile", "profile"),
        ("..", "attachment"),
        ("exe.gpj\u202egnp", "exe.gpjgnp"),
        (None, "attachment.png"),
    ],
)
async def test_a_name_from_a_stranger_is_made_harmless(
    tmp_path: Path, name: str | None, saved_as: str
) -> None:
    saved = await Saver(tmp_path).save(name, "image/png; x=y", b"")
    assert saved.path == tmp_path / saved_as


async def test_nothing_is_left_of_what_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_room(*paths: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("aiofiles.os.replace", no_room)
    with pytest.raises(OSError, match="No space left"):
        await Saver(tmp_path).save("a.jpg", "image/jpeg", b"octets")
    assert names_in(tmp_path) == []


async def test_without_a_directory_there_is_a_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    saver = Saver(None)
    await saver.prepare()
    assert names_in(tmp_path) == [], "it is made when it is needed"
    one, two = await asyncio.gather(*(saver.save("a", "x/y", b"") for _ in range(2)))
    assert one.path.parent == two.path.parent
    assert one.path.parent.parent == tmp_path
