"""What the page for those who know SipLib says of ours is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

import msrp

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "coming-from-siplib.md").read_text()
NAMES = sorted(
    set(re.findall(r"`(?:await )?((?:msrp|sip|sdp|cpim|mime)(?:\.\w+)+)", PAGE))
)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_ours_is_there(name: str) -> None:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return
    raise AssertionError(name)


def test_hooks_and_verbs_are_those_of_a_connection() -> None:
    hooks = set(re.findall(r"`(on_\w+|send_\w+)", PAGE))
    assert len(hooks) > 10
    assert {each for each in hooks if not hasattr(msrp.MsrpConnection, each)} == set()
