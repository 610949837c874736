"""Calls to a chat room, and what its page says of them."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

import msrp
import sip
from sip.testing import RecordingMedia
from tests.msrp.aio.conftest import Board
from tests.msrp.aio.small_room import SmallRoom
from tests.sip.aio.calls.focus import Focus

ROOT = Path(__file__).parent.parent.parent.parent.parent

pytestmark = pytest.mark.timeout(30)


@dataclass
class Conference:
    """A room that can be called, and those who call it."""

    focus: Focus
    stack: AsyncExitStack

    async def join(
        self, name: str, profile: msrp.Profile | None = None
    ) -> tuple[sip.Call, msrp.MsrpConnection]:
        enter = self.stack.enter_async_context
        listener = await enter(msrp.MsrpListener("127.0.0.1", 0, profile=profile))
        agent = await enter(
            sip.UserAgent(f"sip:{name}@example.com", listen=["udp://127.0.0.1:0"])
        )
        call = await agent.invite(self.focus.uri, media=[msrp.MsrpMedia(listener)])
        medium = call.media[0]
        assert isinstance(medium, msrp.MsrpMedia)
        async with asyncio.timeout(10):
            await medium.connection.established()
        return call, medium.connection


@pytest_asyncio.fixture
async def conference() -> AsyncIterator[Conference]:
    async with SmallRoom() as room, Focus(room) as focus, AsyncExitStack() as stack:
        yield Conference(focus, stack)


@pytest.mark.rule("CHAT-2", "CHAT-3", "CHAT-8", "NG-12", "XT-7")
async def test_a_call_to_a_conference_is_one_to_a_room(conference: Conference) -> None:
    call, alice = await conference.join("alice", msrp.Profile.EMERGENCY)
    _, bob = await conference.join("bob", msrp.Profile.EMERGENCY)
    assert call.is_conference
    assert alice.in_room
    await Board.until(lambda: alice.nickname and bob.nickname)
    assert (alice.nickname, bob.nickname) == ("alice", "bob")
    address = msrp.Address("sip:bob@example.com")
    await (await alice.send_text("psst", to=address)).delivered()
    await (await alice.send_text("hello")).delivered()
    messages = [await anext(bob) for _ in range(2)]
    assert [(m.text, m.is_private) for m in messages] == [
        ("psst", True),
        ("hello", False),
    ]
    assert {m.sender for m in messages} == {"sip:alice@example.com"}


@pytest.mark.rule("CHAT-2")
async def test_a_call_may_become_a_conference_and_cease_to_be_one(
    conference: Conference,
) -> None:
    conference.focus.is_focus = False
    call, alice = await conference.join("alice")
    assert not call.is_conference
    assert not alice.in_room
    for is_focus in (True, False):
        conference.focus.is_focus = is_focus
        audio = RecordingMedia("a", "audio")
        await call.change([*call.media, audio], timeout=5)  # It is refused.
        assert call.is_conference is is_focus
        assert alice.in_room is is_focus
    assert alice.is_open


@pytest.mark.rule("NG-12")
async def test_the_program_of_the_page_says_what_it_says(
    conference: Conference,
) -> None:
    page = (ROOT / "docs" / "rooms.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [program] = [block for block in blocks if "asyncio.run" in block]
    text = program.replace("sip:room@example.net", conference.focus.uri)
    _, bob = await conference.join("bob", msrp.Profile.EMERGENCY)
    conference.focus.room.reserve("Alice the great")
    process = await create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", text),
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=PIPE,
        stderr=PIPE,
    )
    said, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")
    assert said.decode().splitlines() == [
        "the nickname can't be used: it is reserved, or somebody else's (425)",
        "known as alice",
    ]
    heard = [await anext(bob) for _ in range(2)]
    assert [(m.text, m.is_private) for m in heard] == [
        ("Hello everybody", False),
        ("Hello Bob", True),
    ]


def test_the_profile_of_the_page_says_what_it_says() -> None:
    page = (ROOT / "docs" / "rooms.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [program] = [block for block in blocks if "asyncio.run" not in block]
    exec(program, {})
