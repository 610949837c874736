"""To read a record costs no event loop."""

from __future__ import annotations

import subprocess
import sys

import pytest

import recording


def test_the_values_come_without_an_event_loop() -> None:
    program = (
        "import sys, recording\n"
        "recording.to_json_line, recording.PcapngEncoder, recording.MessageRecord\n"
        "assert 'asyncio' not in sys.modules\n"
        "recording.Tap, recording.JsonLinesFile\n"
        "assert 'asyncio' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)


def test_a_name_that_isn_t_there_is_an_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Tape'"):
        recording.Tape  # type: ignore[attr-defined]  # noqa: B018  # That is tested.
    assert "PcapngFile" in dir(recording)
