from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from msrp.aio.file_transfer.part_file import PartFile, octets_on_disk, part_path

DATA = b"0123456789" * 1000
SHA1 = hashlib.sha1(DATA).digest()


def test_it_gets_its_name_at_the_end(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "directory"
    part = PartFile(directory, SHA1)
    part.write(DATA)
    assert [p.name[0] for p in directory.iterdir()] == ["."]
    assert (part.size, part.sha1) == (len(DATA), SHA1)
    assert part.place("a.txt") == directory / "a.txt"
    assert [p.name for p in directory.iterdir()] == ["a.txt"]
    assert (directory / "a.txt").read_bytes() == DATA


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    part = PartFile(tmp_path, None)
    part.write(DATA)
    assert part.place("a.txt").name == "a-1.txt"
    assert (tmp_path / "a.txt").read_text() == "mine"


@pytest.mark.rule("FT-2")
@pytest.mark.parametrize("there", [1, 5000, len(DATA)])
def test_the_hash_is_that_of_the_whole_file(tmp_path: Path, there: int) -> None:
    first = PartFile(tmp_path, SHA1)
    first.write(DATA[:6000] if there < 6000 else DATA)
    first.keep()
    assert octets_on_disk(tmp_path, SHA1) >= there
    second = PartFile(tmp_path, SHA1, there)
    assert second.size == there
    second.write(DATA[there:])
    assert second.sha1 == SHA1
    assert second.place("a.txt").read_bytes() == DATA


def test_what_isn_t_there_can_t_be_gone_on_with(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no longer there"):
        PartFile(tmp_path, SHA1, 10)
    assert octets_on_disk(tmp_path, None) == 0
    assert octets_on_disk(tmp_path / "nowhere", SHA1) == 0


def test_two_transfers_of_the_same_file_don_t_write_into_one(tmp_path: Path) -> None:
    first, second = PartFile(tmp_path, SHA1), PartFile(tmp_path, SHA1)
    assert first.can_be_resumed
    assert not second.can_be_resumed
    first.write(DATA)
    second.write(DATA[:10])
    with pytest.raises(OSError, match="in use"):
        PartFile(tmp_path, SHA1, 10)
    second.discard()
    assert first.place("a.txt").read_bytes() == DATA
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_that_has_got_its_name_meanwhile_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = PartFile(tmp_path, SHA1)
    first.write(DATA)
    opened = os.open

    def open_slowly(path: Path, *args: int) -> int:
        number = opened(path, *args)
        first.place("a.txt")
        return number

    monkeypatch.setattr("os.open", open_slowly)
    second = PartFile(tmp_path, SHA1)
    monkeypatch.undo()
    assert not second.can_be_resumed
    second.write(b"other")
    second.discard()
    assert (tmp_path / "a.txt").read_bytes() == DATA


def test_what_isn_t_wanted_is_removed(tmp_path: Path) -> None:
    part = PartFile(tmp_path, None)
    assert not part.can_be_resumed
    part.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "important"
    target.write_text("mine")
    part_path(tmp_path, SHA1).symlink_to(target)
    with pytest.raises(OSError):  # noqa: PT011  # ELOOP has other words elsewhere.
        PartFile(tmp_path, SHA1)
    assert target.read_text() == "mine"


def test_a_directory_that_can_t_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="exists"):
        PartFile(tmp_path / "file", None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("what", ["place", "keep", "discard"])
def test_a_disk_that_is_full_at_the_end_leaves_no_file_open(
    tmp_path: Path, what: str
) -> None:
    part = PartFile(tmp_path, SHA1)
    part.write(b"the last octets")
    with open("/dev/full", "r+b", buffering=0) as full:
        os.dup2(full.fileno(), part._file.fileno())
    if what == "discard":
        part.discard()
        assert list(tmp_path.iterdir()) == []
    else:
        with pytest.raises(OSError, match="No space left"):
            part.place("name") if what == "place" else part.keep()
        assert [path.name for path in tmp_path.iterdir()] == [part.path.name]
    assert part._file.closed
