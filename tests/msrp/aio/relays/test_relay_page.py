"""The program on the page about relays does what it says."""

from __future__ import annotations

import os
import re
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from pathlib import Path

from tests.msrp.aio.relays.test_relay import make_trust
from tests.msrp.aio.small_relay import SmallRelay

ROOT = Path(__file__).parents[4]


async def test_two_parties_talk_in_one_program(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "relays.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [program] = [block for block in blocks if "asyncio.run" in block]
    trust = make_trust(tmp_path, "localhost")
    async with SmallRelay(trust.server, trust.client) as relay:
        text = program.replace("msrps://relay.example.net;tcp", relay.uri)
        text = text.replace("authorities.pem", str(tmp_path / "authority.pem"))
        process = await create_subprocess_exec(
            *(sys.executable, "-W", "error", "-c", text),
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=PIPE,
            stderr=PIPE,
        )
        said, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")
    assert b"text='Hello'" in said
