"""The program in a chat room, with another that is in there, too."""

from __future__ import annotations

from pathlib import Path

from tests.msrp.aio.small_room import SmallRoom
from tests.samples.processes import Chats
from tests.sip.aio.calls.focus import Focus


async def test_two_are_in_a_room_and_one_has_something_to_say_in_private(
    chats: Chats, tmp_path: Path
) -> None:
    bob_says, ann_says = tmp_path / "bob", tmp_path / "ann"
    bob_says.write_text("expect Hello\nexpect Psst\ntext Bye all\nquit\n")
    ann_says.write_text(
        "nick Ann of Bath\ntext Hello all\nprivate sip:bob@example.com Psst\n"
        "expect Bye\nquit\n"
    )
    async with SmallRoom() as room, Focus(room) as focus:
        profile = ("--json", "--profile", "emergency")
        bob = await chats.start(
            "call", focus.uri, *profile, "--from", "bob@example.com",
            "--script", bob_says,
        )  # fmt: skip
        await bob.event("opened")
        ann = await chats.run(
            "call", focus.uri, *profile, "--from", "ann@example.com",
            "--script", ann_says,
        )  # fmt: skip
        bobs = await bob.result()
    assert (ann.code, bobs.code) == (0, 0), ann.stderr + bobs.stderr
    heard = [
        (text["text"], text["speaker"], text["private"]) for text in bobs.every("text")
    ]
    assert heard == [
        ("Hello all", "sip:ann@example.com", False),
        ("Psst", "sip:ann@example.com", True),
    ]
    assert "ann      Hello all  (message/cpim)" in bobs.stderr
    assert "ann      Psst  (to you alone)" in bobs.stderr
    (private,) = (sent for sent in ann.every("sending") if "to" in sent)
    assert private["to"] == "sip:bob@example.com"
