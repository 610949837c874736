"""The README of the sample says what is so."""

from __future__ import annotations

import dataclasses
import re

import pytest

from msrp_chat import events
from msrp_chat.conversation import script
from tests.samples.processes import ROOT

README = (ROOT / "samples" / "msrp_chat" / "README.md").read_text(encoding="utf-8")

EVENTS = [
    kind
    for name in events.__all__
    if isinstance(kind := getattr(events, name), type)
    and issubclass(kind, events.Event)
    and kind is not events.Event
]


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_is_documented_with_its_members(kind: type[events.Event]) -> None:
    row = re.search(rf"^\| `{kind.name}` \|(.*)$", README, re.MULTILINE)
    assert row is not None
    members = re.findall(r"`(\w+)`", row[1].rpartition(" | ")[2])
    for field in dataclasses.fields(kind):
        assert field.name in members


def test_no_event_is_documented_that_is_none() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\|.*\|$", README, re.MULTILINE)
    assert {kind.name for kind in EVENTS} == set(rows) - {
        "demo",
        "event",
        "listen",
        "session",
    }


def test_the_script_in_the_readme_is_one() -> None:
    block = README.partition("## Scripts")[2].partition("## Exit codes")[0]
    lines = re.findall(r"^    (.*?)  +\S.*$", block, re.MULTILINE)
    assert len(script.parse_script(lines)) == len(script.LANGUAGE)
