"""What the program about messages outside of sessions shows, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.rule("IMDN-9")
def test_a_notification_follows_a_200_and_no_error() -> None:
    page = (ROOT / "docs" / "typing-and-receipts.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [program] = [block for block in blocks if "import sip" in block]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "refused: 415 0 0",  # No message was taken, and nothing told.
        "taken: 1 0",  # The 200 is here, and no notification yet.
        "told: failed",
    ]
