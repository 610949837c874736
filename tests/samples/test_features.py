"""Typing, receipts, nicknames and private messages, between two programs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.samples.processes import PICTURE, Chats


async def test_typing_and_display_are_told_to_both(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("typing\ntext Hello\nexpect Hi\nwait 0.3\nquit\n")
    listener, uri = await chats.listen("--receipts", "--text", "Hi")
    caller = await chats.run("call", uri, "--json", "--receipts", "--script", script)
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr
    assert [e["active"] for e in listened.every("composing")] == [True, False]
    for party in (caller, listened):
        (said,) = party.every("sending")
        assert said["receipt"] is True
        (seen,) = party.every("displayed")
        assert (seen["message_id"], seen["status"]) == (said["message_id"], "displayed")


async def test_the_plain_profile_asks_nobody_and_tells_nobody(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text("typing\ntext Hello\nexpect Hi\nquit\n")
    listener, uri = await chats.listen("--profile", "plain", "--text", "Hi")
    caller = await chats.run(
        "call", uri, "--json", "--receipts", "--script", script, "--profile", "plain",
        "--trace",
    )  # fmt: skip
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr
    assert listened.every("composing") == caller.every("displayed") == []
    offer = next(e["text"] for e in caller.every("trace") if "m=message" in e["text"])
    assert "a=accept-types:text/plain\r\n" in offer
    assert "accept-wrapped-types" not in offer
    assert "msrp-cema" not in offer


async def test_a_nickname_is_offered_and_changed(chats: Chats, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("nick Ann of Bath\ntext Hello\nquit\n")
    emergency = ("--profile", "emergency", "--trace")
    listener, uri = await chats.listen(*emergency, "--nick", "Call taker 7")
    caller = await chats.run("call", uri, "--json", "--script", script, *emergency)
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr
    assert "you are Ann of Bath now" in [e["text"] for e in caller.every("notice")]
    names = [
        line
        for e in listened.every("trace")
        for line in e["text"].splitlines()
        if line.startswith("Use-Nickname: ")
    ]
    assert 'Use-Nickname: "Ann of Bath"' in names
    assert 'Use-Nickname: "Call taker 7"' in names
    (text,) = listened.every("text")
    assert text["content_type"] == "message/cpim", "as that profile has it"


async def test_a_picture_in_an_envelope_is_known_by_its_name_while_it_comes(
    chats: Chats, tmp_path: Path
) -> None:
    picture = tmp_path / "fire.jpg"
    picture.write_bytes(bytes(400_000))
    emergency = ("--profile", "emergency")
    listener, uri = await chats.listen(*emergency, "--save", tmp_path / "there")
    caller = await chats.run(
        "call", uri, "--json", "--file", picture, "--wait", "0", *emergency
    )
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr
    told = listened.every("receiving")
    assert {(e["filename"], e["content_type"], e["total"]) for e in told} == {
        ("fire.jpg", "image/jpeg", 400_000)
    }
    (file,) = listened.every("file")
    assert (tmp_path / "there" / "fire.jpg").read_bytes() == bytes(400_000)
    assert file["octets"] == 400_000


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("nick Ann", "no nickname: the peer has not declared"),
        ("private bob@b.example Psst", "cannot send this: the peer has not declared"),
        ("private nobody Psst", "cannot send this: "),
    ],
)
async def test_what_the_peer_does_not_know_is_not_sent(
    chats: Chats, tmp_path: Path, step: str, words: str
) -> None:
    script = tmp_path / "script"
    script.write_text(f"{step}\n")
    _, uri = await chats.listen()
    caller = await chats.run("call", uri, "--script", script)
    assert caller.code == 1
    (complaint,) = caller.complaints
    assert complaint.startswith(f"{script}, line 1, '{step}': {words}")


async def test_a_file_is_offered_in_the_call_and_comes_with_its_hash(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text(
        f"offer {PICTURE}\ntext Look\ndelivered\nexpect picture.jpg\n"
        "expect You have it\nquit\n"
    )
    answer = tmp_path / "answer"
    # Who hangs up sooner may be faster than the word that the picture is there.
    answer.write_text(
        f"expect picture.jpg\noffer {PICTURE}\ndelivered\ntext You have it\n"
    )
    listener, uri = await chats.listen(
        "--script", answer, "--save", tmp_path / "there", "--trace"
    )
    caller = await chats.run(
        "call", uri, "--json", "--script", script, "--save", tmp_path / "here"
    )
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr + listened.stderr
    for party, place in ((caller, "here"), (listened, "there")):
        (offer,) = (e for e in party.every("sending") if e["kind"] == "offer")
        (file,) = party.every("file")
        assert file["path"] == str(tmp_path / place / "picture.jpg")
        assert file["sha256"] == offer["sha256"]
        assert (file["width"], file["height"]) == (1800, 1200)
        assert {e["message_id"] for e in party.every("progress")} == {
            offer["message_id"]
        }
        assert offer["message_id"] in {
            e["message_id"] for e in party.every("delivered")
        }
    sdp = [e["text"] for e in listened.every("trace") if "a=file-selector" in e["text"]]
    assert any('name:"picture.jpg"' in text and "hash:sha-1:" in text for text in sdp)


async def test_a_file_that_is_too_large_is_not_taken_and_the_call_goes_on(
    chats: Chats, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text(f"offer {PICTURE}\ntext Hello\nquit\n")
    listener, uri = await chats.listen("--max-size", "4K", "--wait", "0")
    caller = await chats.run("call", uri, "--script", script)
    assert caller.code == 1
    (complaint,) = caller.complaints
    assert complaint == "picture.jpg was not delivered: the peer did not take it"
    listened = await listener.result()
    assert listened.every("file") == []
    assert [e["text"] for e in listened.every("text")] == ["Hello"]
