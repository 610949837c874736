"""Files of records, and what happens where they can't be written."""

from __future__ import annotations

import io
import json
import logging
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from recording import (
    JsonLinesFile,
    LogElement,
    MessageRecord,
    PcapngEncoder,
    PcapngFile,
    RecordingFailed,
    Tappable,
    Taps,
    to_json_line,
)
from recording.aio import files
from tests.recording.records import CHUNK, TEXT


class Thing(Tappable):
    """Something that can be tapped."""

    def __init__(self) -> None:
        self.taps = Taps(self)

    def taps_changed(self) -> None:
        pass


def test_lines_are_added_to_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    path.write_text('{"text":"first"}\n')
    with JsonLinesFile(str(path), LogElement(element_id="a.example")) as log:
        log(TEXT)
        log(replace(TEXT, text="second"))
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [each["text"] for each in events] == ["first", TEXT.text, "second"]
    assert events[1]["elementId"] == "a.example"


def test_a_capture_begins_with_its_head_each_time(tmp_path: Path) -> None:
    path, encoder = tmp_path / "call.pcapng", PcapngEncoder()
    for _ in range(2):
        with PcapngFile(path) as capture:
            capture(CHUNK)
            capture(CHUNK)
    packets = encoder.packets(CHUNK) + encoder.packets(CHUNK)
    assert path.read_bytes() == 2 * (encoder.head() + packets)


def test_nothing_is_opened_before_there_is_something_to_write(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "log"), PcapngFile(tmp_path / "capture"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    with JsonLinesFile(tmp_path / "missing" / "log") as log:
        with pytest.raises(RecordingFailed, match=r"log: No such file or directory$"):
            log(TEXT)


def test_a_file_that_was_closed_takes_nothing(tmp_path: Path) -> None:
    log = JsonLinesFile(tmp_path / "log")
    log(TEXT)
    log.close()
    log.close()
    with pytest.raises(RecordingFailed, match="it was closed before"):
        log(TEXT)


class SmallDisk(io.FileIO):
    """A file on a disk that is full at times."""

    room = 10

    @staticmethod
    def open(path: Path, mode: str, buffering: int) -> SmallDisk:
        return SmallDisk(path, mode)

    def write(self, data: object) -> int:
        octets = bytes(data)  # type: ignore[call-overload]  # It is a memoryview.
        if not self.room:
            raise OSError(28, "No space left on device")
        written = super().write(octets[: self.room])
        SmallDisk.room -= written
        return written


def contents_of(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def test_a_full_disk_leaves_no_half_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", SmallDisk.open)
    line = len(to_json_line(TEXT))
    SmallDisk.room = line + 10
    with JsonLinesFile(tmp_path / "log") as log:
        log(TEXT)
        for _ in range(2):
            with pytest.raises(RecordingFailed, match="No space left on device"):
                log(TEXT)
        SmallDisk.room = 10_000
        log(TEXT)
    assert contents_of(tmp_path / "log") == 2 * to_json_line(TEXT)


def test_a_full_disk_at_the_beginning_leaves_no_half_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "open", SmallDisk.open)
    SmallDisk.room = 10
    encoder = PcapngEncoder()
    with PcapngFile(tmp_path / "capture") as capture:
        with pytest.raises(RecordingFailed):
            capture(CHUNK)
        SmallDisk.room = 10_000
        capture(CHUNK)
    written = contents_of(tmp_path / "capture")
    assert written.startswith(encoder.head())
    assert written.endswith(encoder.packets(CHUNK)[-20:])


async def test_what_taps_still_have_is_written_when_it_is_closed(
    tmp_path: Path,
) -> None:
    one, other = Thing(), Thing()
    log = JsonLinesFile(tmp_path / "log")
    taps = [each.add_tap(log) for each in (one, other)]
    for number in range(500):
        for each in (one, other):
            record = replace(TEXT, message_id=f"{number}")
            each.taps.tell(lambda record=record: record, 0)  # type: ignore[misc]  # As above.
    one.taps.end()
    log.close()
    assert len((tmp_path / "log").read_text().splitlines()) == 1000
    other.taps.end()
    assert all([await tap.drained() for tap in taps])


async def test_who_can_t_write_harms_nobody_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    thing = Thing()
    with JsonLinesFile(tmp_path / "missing" / "log") as log:
        tap = thing.add_tap(log)
        with caplog.at_level(logging.WARNING, "recording"):
            for _ in range(3):
                thing.taps.tell(lambda: TEXT, 0)
            assert await tap.drained()
            assert len(caplog.records) == 1
            (tmp_path / "missing").mkdir()
            thing.taps.tell(lambda: TEXT, 0)
            assert await tap.drained()
        thing.taps.end()
    [line] = (tmp_path / "missing" / "log").read_text().splitlines()
    assert json.loads(line)["extension"]["lost"] == 3


async def test_a_tap_that_is_stuck_doesn_t_keep_the_file_open_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CLOSING_TIME", 0.02)
    thing, go_on = Thing(), threading.Event()
    log = JsonLinesFile(tmp_path / "log")
    tap = thing.add_tap(log)

    def make() -> MessageRecord:
        assert go_on.wait(10)
        return TEXT

    thing.taps.tell(make, 0)
    log.close()
    go_on.set()
    thing.taps.end()
    assert await tap.drained()
    assert tap.lost == 1
