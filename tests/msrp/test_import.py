"""What ``import msrp`` brings along, and what it leaves for later."""

from __future__ import annotations

import subprocess
import sys

import pytest

import msrp

IMPORTED = """
import sys, msrp
{use}
late = {{"asyncio", "cryptography", "OpenSSL", "aiofiles", "email_validator", "sdp"}}
print(*sorted(late & sys.modules.keys()))
"""


def imported_by(use: str) -> set[str]:
    """Tell which of the expensive modules a new interpreter has imported."""
    command = [sys.executable, "-c", IMPORTED.format(use=use)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        pytest.param("msrp.MsrpUri.parse('msrp://a/b;tcp')", set(), id="values"),
        pytest.param("msrp.offer_media", {"sdp"}, id="negotiation"),
        pytest.param(
            "msrp.MsrpConnection, msrp.MsrpListener, msrp.MsrpMedia, msrp.TlsPolicy",
            {"asyncio", "sdp"},
            id="shell",
        ),
        pytest.param("msrp.LocalCertificate", {"sdp"}, id="certificates"),
        pytest.param(
            "import asyncio\n"
            "async def listen():\n"
            "    async with msrp.MsrpListener('127.0.0.1', 0) as listener:\n"
            "        listener.answer(listener.offer())\n"
            "asyncio.run(listen())",
            {"asyncio", "sdp"},
            id="tcp",
        ),
        pytest.param(
            "msrp.LocalCertificate.self_signed()",
            {"sdp", "cryptography"},
            id="certificate",
        ),
    ],
)
def test_only_what_is_used_is_imported(use: str, expected: set[str]) -> None:
    assert imported_by(use) == expected


def test_every_name_can_be_imported_by_a_star() -> None:
    names: dict[str, object] = {}
    exec("from msrp import *", names)
    assert set(msrp.__all__) <= names.keys()
    assert set(msrp.__all__) <= set(dir(msrp))


def test_a_name_that_is_not_there_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="'msrp' has no attribute 'smrp'"):
        msrp.smrp  # type: ignore[attr-defined]  # noqa: B018


def test_what_comes_later_is_all_exported() -> None:
    later = [name for names in msrp._LATER.values() for name in names]
    assert len(later) == len(set(later))
    assert set(later) <= set(msrp.__all__)
