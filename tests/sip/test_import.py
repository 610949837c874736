"""What `import sip` brings along, and what it leaves for later."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sip

IMPORTED = """
import sys, sip
{use}
late = {{"asyncio", "ssl", "dns", "sdp", "mime", "sip.sansio", "sip.aio"}}
print(*sorted(late & sys.modules.keys()))
"""


def imported_by(use: str) -> set[str]:
    """Tell which of the expensive modules a new interpreter has imported."""
    code = IMPORTED.format(use=use)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        pytest.param("sip.parse_message", set(), id="values"),
        pytest.param("sip.Limits", {"sip.sansio"}, id="core"),
        pytest.param("sip.aio", {"asyncio", "ssl", "sip.aio", "sip.sansio"}, id="aio"),
        pytest.param(
            "sip.aio.Resolver([], sip.aio.SystemDns())",
            {"asyncio", "ssl", "sip.aio", "sip.sansio"},
            id="resolver",
        ),
    ],
)
def test_only_what_is_used_is_imported(use: str, expected: set[str]) -> None:
    assert imported_by(use) - {"sdp", "mime"} == expected


def test_reading_messages_needs_no_session_descriptions() -> None:
    assert imported_by("sip.Request") == set()


def test_every_name_can_be_imported_by_a_star() -> None:
    names: dict[str, object] = {}
    exec("from sip import *", names)
    assert set(sip.__all__) <= names.keys()
    assert set(sip.__all__) <= set(dir(sip))


def test_a_name_that_is_not_there_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="'sip' has no attribute 'sop'"):
        sip.sop  # type: ignore[attr-defined]  # noqa: B018


def test_what_comes_later_is_all_exported_and_where_it_is_said_to_be() -> None:
    later = {name for names in sip._LATER.values() for name in names}
    assert later <= set(sip.__all__)
    assert sip.UserAgent is sip.aio.UserAgent
