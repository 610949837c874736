"""What records say of themselves."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from recording import Endpoint, RecordingFailed
from tests.recording.records import CHUNK, TEXT


def test_an_endpoint_is_written_as_people_write_it() -> None:
    assert str(Endpoint("192.0.2.1", 2855)) == "192.0.2.1:2855"
    assert str(Endpoint("2001:db8::1", 2855)) == "[2001:db8::1]:2855"


def test_a_record_says_whether_it_is_all() -> None:
    assert not CHUNK.is_cut
    assert replace(CHUNK, size=1000).is_cut


def test_octets_don_t_show_where_records_are_printed() -> None:
    assert "SEND" not in repr(CHUNK)
    assert "secret" not in repr(replace(TEXT, raw=b"secret", contents=b"secret"))


def test_nobody_changes_a_record() -> None:
    with pytest.raises(FrozenInstanceError):
        TEXT.text = "other"  # type: ignore[misc]  # That is what is tested.


def test_a_failure_is_one_sentence() -> None:
    error = RecordingFailed("call.jsonl", "No space left on device")
    assert str(error) == "can't write a record to call.jsonl: No space left on device"
