"""What goes wrong between two parties costs one line, and the right exit code."""

from __future__ import annotations

import signal
from pathlib import Path

from tests.samples.processes import Chats, Result


def assert_one_line(result: Result, code: int, *words: str) -> None:
    assert result.code == code, result.stderr
    assert result.stderr.startswith("msrp-chat: ")
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr


async def test_a_refused_call_is_told_on_both_sides(chats: Chats) -> None:
    listener, uri = await chats.listen("--reject", "603")
    result = await chats.run("call", uri, "--text", "A")
    assert_one_line(result, 1, uri, "refused with 603 (Decline)")
    assert (await listener.result()).every("ended")[0]["reason"].endswith("603")


async def test_a_call_for_something_else_is_refused_with_a_hint(chats: Chats) -> None:
    # It offers TLS only, and the other side has none.
    listener, uri = await chats.listen()
    result = await chats.run("call", uri, "--tls", "--text", "A")
    assert_one_line(result, 1, "refused with 488", "perhaps it works without --tls")
    listened = await listener.result()
    assert listened.code == 1
    assert listened.every("answered") == []


async def test_what_the_peer_does_not_take_is_not_sent(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("text Hello\ncpim Hello\n")
    listener, uri = await chats.listen("--accept-types", "text/plain")
    result = await chats.run("call", uri, "--script", script)
    assert_one_line(result, 1, "cannot send this: the peer takes no content")
    assert [e["text"] for e in (await listener.result()).every("text")] == ["Hello"]


async def test_to_hang_up_before_all_is_said_is_a_failure(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("text Hello\nexpect an answer that never comes\n")
    listener, uri = await chats.listen("--script", script)
    assert (
        await chats.run("call", uri, "--wait", "0.1", "--json", "--text", "A")
    ).code == 0
    listened = await listener.result()
    assert listened.code == 1
    assert listened.complaints == [
        f"{script}, line 2, 'expect an answer that never comes':"
        " the other side hung up before all was said"
    ]


async def test_whoever_finds_the_other_side_gone_does_not_say_that_it_hung_up(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("text Hello\nexpect an answer that never comes\n")
    listener, uri = await chats.listen()
    said = ("--script", script)
    caller = await chats.start("call", uri, "--json", *said, hasty=True)
    await listener.event("text", text="Hello")
    listener.send_signal(signal.SIGKILL)
    result = await caller.result()
    assert result.code == 1
    (complaint,) = result.complaints
    assert complaint.startswith(f"{script}, line 2, 'expect an answer that")
    assert "hung up" not in complaint
    assert "lost" in complaint or "closed the message session" in complaint
