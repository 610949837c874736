"""The programs on the pages run as they stand, and somebody runs each of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

import msrp

ROOT = Path(__file__).parent.parent.parent
PAGES = ROOT / "docs"

WITH_TESTS_OF_THEIR_OWN = {
    "emergency.md": "tests/sip/aio/test_emergency_guide.py",
    "recording.md": "tests/recording/test_page.py",
    "relays.md": "tests/msrp/aio/relays/test_relay_page.py",
    "rooms.md": "tests/sip/aio/calls/test_rooms.py",
    "sip.md": "tests/sip/aio/test_guide.py",
    "testing.md": "tests/msrp/testing/test_guide.py",
    "tutorial.md": "tests/docs/test_tutorial.py",
}
"""Their programs need somebody to talk to, who is not on the page."""


def programs(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)


def run_here() -> list[object]:
    return [
        pytest.param(program, id=f"{page.stem}-{number}")
        for page in sorted(PAGES.glob("*.md"))
        if page.name not in WITH_TESTS_OF_THEIR_OWN
        for number, program in enumerate(programs(page))
    ]


@pytest.mark.parametrize("program", run_here())
def test_a_program_runs_by_itself(program: str, tmp_path: Path) -> None:
    own = msrp.LocalCertificate.self_signed()
    shown = own.certificate.public_bytes(Encoding.PEM)
    for name, pem in (
        ("authorities.pem", shown),
        ("console.pem", shown),
        (
            "console.key",
            own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ),
    ):
        (tmp_path / name).write_bytes(pem)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_pages_with_tests_of_their_own_have_them() -> None:
    for page, test in WITH_TESTS_OF_THEIR_OWN.items():
        assert programs(PAGES / page), page
        assert page in (ROOT / test).read_text(), test
