"""The programs of docs/recording.md do what the page says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recording import PcapngEncoder

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "recording.md").read_text()
CONSOLE, NOTING, IDENTIFIED = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(program: str, directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.rule("NG-13")
def test_a_console_has_its_calls_recorded(tmp_path: Path) -> None:
    run(CONSOLE, tmp_path)
    lines = (tmp_path / "call.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    said = [each for each in events if each["protocol"] == "MSRP"]
    # Both parties are in this program.
    assert [each["text"] for each in said] == ["My house is on fire."] * 2
    assert {each["direction"] for each in said} == {"incoming", "outgoing"}
    assert {each["elementId"] for each in events} == {"console1.psap.example"}
    methods = [e["extension"]["method"] for e in events if e["protocol"] == "SIP"]
    assert sorted(methods) == sorted(["INVITE", "ACK", "BYE"] * 2)
    capture = (tmp_path / "call.pcapng").read_bytes()
    assert capture.startswith(PcapngEncoder().head())
    assert capture.count(b"My house is on fire.") == 2


@pytest.mark.parametrize("program", [NOTING, IDENTIFIED], ids=["noting", "identified"])
def test_the_others_run_as_they_stand(program: str, tmp_path: Path) -> None:
    assert run(program, tmp_path) == ""


def test_the_page_names_only_what_a_record_has() -> None:
    for name in re.findall(r"`record\.(\w+)`", PAGE):
        assert f"{name}:" in (ROOT / "recording" / "records.py").read_text(), name
