"""Two programs, listen and call, as separate processes."""

from __future__ import annotations

import hashlib
import signal
import socket
from pathlib import Path

import pytest

from tests.samples.certificates import write_certificate
from tests.samples.processes import PICTURE, Chats, Result

DIGEST = hashlib.sha256(PICTURE.read_bytes()).hexdigest()


_ENDS = [
    (signal.SIGHUP, 129, "the terminal went away"),
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "terminated"),
]


def both(*, tls: bool) -> list[str]:
    return ["--tls"] if tls else []


@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
async def test_pictures_go_both_ways_at_once_while_texts_pass(
    chats: Chats, tmp_path: Path, tls: bool
) -> None:
    for party, other in (("ann", "bob"), ("bob", "ann")):
        # The texts are said when the picture is on its way already.
        (tmp_path / party).write_text(
            f"text {party} is ready\nexpect {other} is ready\n"
            f"file {PICTURE}\ntext {party} is sending\ncpim {party} goes on\n"
            f"expect {other} goes on\nexpect picture.jpg\ntext {party} has got it\n"
            f"expect {other} has got it\n" + ("quit\n" if party == "ann" else "")
        )
    listener, uri = await chats.listen(
        "--script", tmp_path / "bob", "--save", tmp_path / "to bob", *both(tls=tls)
    )
    ann = await chats.run(
        "call", uri, "--script", tmp_path / "ann", "--save", tmp_path / "to ann",
        "--json", *both(tls=tls),
    )  # fmt: skip
    bob = await listener.result()

    assert (ann.code, bob.code) == (0, 0), ann.stderr + bob.stderr
    sent, delivered = {}, {}
    for name, result, other in (("ann", ann, "bob"), ("bob", bob, "ann")):
        assert [event["tls"] for event in result.every("opened")] == [tls]
        (file,) = result.every("file")
        assert file["sha256"] == DIGEST
        assert file["path"].endswith(f"/to {name}/picture.jpg")
        saved = tmp_path / f"to {name}" / "picture.jpg"
        assert saved.read_bytes() == PICTURE.read_bytes()
        texts = [event["text"] for event in result.every("text")]
        assert texts == [
            f"{other} {does}"
            for does in ("is ready", "is sending", "goes on", "has got it")
        ]  # fmt: skip
        # A line of text isn't stuck behind a picture.
        (text,) = (e for e in result.every("text") if "sending" in e["text"])
        assert result.events.index(text) < result.events.index(file)
        (sending,) = (e for e in result.every("sending") if e["kind"] == "file")
        sent[name] = sending["time"]
        (done,) = (
            e for e in result.every("delivered")
            if e["message_id"] == sending["message_id"]
        )  # fmt: skip
        delivered[name] = done["time"]
    assert max(sent.values()) < min(delivered.values()), "not at the same time"


@pytest.mark.rule("MSRP-110")
async def test_a_call_is_told_from_invite_to_bye(chats: Chats, tmp_path: Path) -> None:
    listener, uri = await chats.listen()
    caller = await chats.run(
        "call",
        uri,
        "--wait",
        "0",
        "--json",
        "--from",
        "Ann <ann@example.com>",
        "--text",
        "Hello",
    )
    listened = await listener.result()
    assert caller.code == listened.code == 0
    told = [e["event"] for e in caller.events]
    assert told == [
        "calling", "ringing", "answered", "opened", "sending", "sent", "delivered",
        "ended", "summary",
    ]  # fmt: skip
    assert caller.every("ringing")[0]["status"] == 180
    assert caller.every("ended")[0]["reason"] == "we hung up"
    assert listened.every("invited")[0]["sender"] == "sip:ann@example.com"
    assert listened.every("text")[0]["text"] == "Hello"
    assert listened.every("ended")[0]["reason"] == "the peer hung up"
    assert caller.complaints == listened.complaints == []


async def test_sip_goes_over_tls_too(chats: Chats, tmp_path: Path) -> None:
    pem = tmp_path / "console.pem"
    write_certificate(pem)
    listener, _ = await chats.listen("--tls", "--cert", pem, "--sips-port", "0")
    hop = (await listener.line("transport=tls")).partition("console@")[2]
    address = hop.partition(";")[0]
    sips = f"sips:console@{address}"

    stranger = await chats.run("call", sips, "--tls", "--text", "secret")
    assert stranger.code == 3
    (complaint,) = stranger.complaints
    assert complaint.startswith(f"cannot reach {address} over TLS: ")
    assert "certificate" in complaint
    caller = await chats.run(
        "call", sips, "--wait", "0", "--json", "--tls", "--ca", pem, "--text", "Hello"
    )
    listened = await listener.result()
    assert caller.code == listened.code == 0
    assert [e["uri"] for e in listened.every("invited")] == [sips]
    assert [e["text"] for e in listened.every("text")] == ["Hello"]


async def test_people_read_lines_and_no_json(chats: Chats, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("text Hello\nexpect Hi\nquit\n")
    listener = await chats.start("listen", "--once", "--text", "Hi")
    uri = (await listener.line("waiting at ")).split()[3]
    caller = await chats.run("call", uri, "--script", tmp_path / "script")
    listened = await listener.result()
    assert caller.code == listened.code == 0
    assert caller.stderr == listened.stderr == ""
    assert "you      Hello  (text/plain)" in caller.stdout
    assert "console  Hi  (text/plain)" in caller.stdout
    assert "caller   Hello  (text/plain)" in listened.stdout
    assert "{" not in caller.stdout + listened.stdout
    assert "\x1b" not in caller.stdout + listened.stdout


async def test_every_message_comes_back_from_an_echo(
    chats: Chats, tmp_path: Path
) -> None:
    small = tmp_path / "small.bin"
    small.write_bytes(bytes(range(256)))
    (tmp_path / "script").write_text(
        f"text one\nexpect one\ncpim two\nexpect two\nfile {small}\n"
        f"expect small.bin\nmultipart three | {small}\nexpect small.bin\nquit\n"
    )
    listener, uri = await chats.listen("--echo", "--save", tmp_path / "there")
    caller = await chats.run(
        "call", uri, "--json", "--script", tmp_path / "script", "--save", tmp_path
    )
    assert caller.code == (await listener.result()).code == 0
    assert [e["text"] for e in caller.every("text")] == ["one", "two", "three"]
    assert [e["path"] for e in caller.every("file")] == [
        str(tmp_path / "small-1.bin"), str(tmp_path / "small-2.bin"),
    ]  # fmt: skip
    assert (tmp_path / "small-2.bin").read_bytes() == small.read_bytes()


async def test_what_is_too_large_is_refused_and_the_call_goes_on(
    chats: Chats, tmp_path: Path
) -> None:
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(5000))
    listener, uri = await chats.listen("--max-size", "4K")
    caller = await chats.run(
        "call", uri, "--wait", "0", "--json", "--text", "A", "--file", big
    )
    listened = await listener.result()
    assert caller.code == 1
    assert "4096 octets" in caller.complaints[0]
    assert listened.every("file") == []
    assert [e["text"] for e in listened.every("text")] == ["A"]


async def test_whoever_is_interrupted_says_goodbye(chats: Chats) -> None:
    listener = await chats.start("listen", "--json")
    uri = str((await listener.event("listening"))["uri"])
    callers = [await chats.start("call", uri, "--json") for _ in _ENDS]
    for caller in callers:
        await caller.event("opened")
    for caller, (number, _, _) in zip(callers, _ENDS, strict=True):
        caller.send_signal(number)
    for caller, (_, code, words) in zip(callers, _ENDS, strict=True):
        result = await caller.result()
        assert result.code == code
        assert result.complaints == [words]
        assert "Traceback" not in result.stderr
        assert result.every("ended")[0]["reason"] == "we hung up"
    for call in range(1, len(_ENDS) + 1):
        ended = await listener.event("ended", call=call)
        assert ended["reason"] == "the peer hung up"


async def test_ctrl_c_ends_all_calls_of_a_listener(chats: Chats) -> None:
    listener = await chats.start("listen", "--json")
    uri = str((await listener.event("listening"))["uri"])
    callers = [await chats.start("call", uri, "--json") for _ in range(2)]
    for caller in callers:
        await caller.event("opened")
    listener.send_signal(signal.SIGINT)
    assert (await listener.result()).code == 130
    for caller in callers:
        result = await caller.result()
        assert result.every("ended")[0]["reason"] == "the peer hung up"
        assert result.code == 0


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return a file that takes longer to send than a test to look at it."""
    path = tmp_path / "film.bin"
    with path.open("wb") as file:
        file.truncate(60_000_000)
    return path


def assert_lost(result: Result) -> None:
    """Check that it is told in one line; which is chance, as the system closes."""
    assert len(result.stderr.splitlines()) == 1
    assert any(
        words in result.stderr
        for words in ("connection to the other side was lost", "without hanging up")
    )


async def test_a_caller_that_is_killed_leaves_what_it_has_sent(
    chats: Chats, tmp_path: Path, film: Path
) -> None:
    saved = tmp_path / "saved"
    listener = await chats.start("listen", "--once", "--save", saved, hasty=True)
    uri = (await listener.line("waiting at ")).split()[3]
    caller = await chats.start(
        "call", uri, "--json", "--file", PICTURE, "--text", "Look", "--file", film
    )
    await listener.line("picture.jpg")
    await caller.event("progress", filename="film.bin")
    caller.send_signal(signal.SIGKILL)

    listened = await listener.result()
    assert listened.code == 1
    assert_lost(listened)
    assert (saved / "picture.jpg").read_bytes() == PICTURE.read_bytes()
    assert "Look" in listened.stdout
    assert "a message broke off after" in listened.stdout
    assert len(list(saved.glob("incomplete-*"))) == 1


async def test_a_listener_that_is_killed_is_told_in_one_line(
    chats: Chats, film: Path
) -> None:
    listener, uri = await chats.listen()
    caller = await chats.start("call", uri, "--file", film, hasty=True)
    await caller.line("25 %")
    listener.send_signal(signal.SIGKILL)
    result = await caller.result()
    assert result.code == 1
    assert_lost(result)


async def test_a_listener_that_is_interrupted_hangs_up_on_a_transfer(
    chats: Chats, film: Path
) -> None:
    listener, uri = await chats.listen()
    caller = await chats.start("call", uri, "--file", film)
    await caller.line("25 %")
    listener.send_signal(signal.SIGINT)
    assert (await listener.result()).code == 130
    result = await caller.result()
    assert result.code == 1
    assert "the peer hung up" in result.stdout
    (complaint,) = result.complaints
    assert complaint in {
        "a message was not delivered: the other side has ended the session",
        "the other side hung up before all was said",
    }


async def test_an_unanswered_call_ends_with_ctrl_c_and_says_so(chats: Chats) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"sip:bob@127.0.0.1:{silent.getsockname()[1]};transport=tcp"
        caller = await chats.start("call", uri, "--json")
        await caller.event("calling")
        caller.send_signal(signal.SIGINT)
        result = await caller.result()
    assert result.code == 130
    assert result.every("notice")[0]["text"] == "interrupted: hanging up"
    assert result.complaints == ["interrupted"]


async def test_two_calls_at_once_are_told_apart(chats: Chats) -> None:
    listener = await chats.start("listen", "--json", "--text", "Hi")
    uri = str((await listener.event("listening"))["uri"])
    callers = [await chats.start("call", uri, "--json") for _ in range(2)]
    for caller in callers:
        await caller.event("text", text="Hi")
    await listener.event("sending", call=2)
    refused = await chats.run("call", uri, "--tls", "--text", "A")
    assert refused.code == 1
    listener.send_signal(signal.SIGTERM)
    result = await listener.result()
    for name in ("opened", "sending", "ended", "summary"):
        assert sorted(e["call"] for e in result.every(name)) == [1, 2]
    assert "call" not in result.every("listening")[0]
    assert [e.get("call") for e in result.every("error")] == [3, None]
    assert result.complaints[0].startswith("call 3: refused the call")
    assert "it needs --tls here" in result.complaints[0]
    assert "you 2    Hi" in result.stderr


@pytest.mark.parametrize(
    "redirection", ["<&-", ">&-", "2>&-"], ids=["no-stdin", "no-stdout", "no-stderr"]
)
async def test_a_call_works_without_one_of_the_streams(
    chats: Chats, redirection: str
) -> None:
    listener, uri = await chats.listen()
    said = ("--text", "Hello", "--wait", "0")
    caller = await chats.run_in_shell(redirection, "call", uri, *said)
    assert (caller.code, caller.stderr) == (0, "")
    assert [e["text"] for e in (await listener.result()).every("text")] == ["Hello"]


async def test_what_cannot_be_written_costs_one_line_and_not_the_call(
    chats: Chats,
) -> None:
    listener, uri = await chats.listen()
    said = ("--text", "Hello", "--wait", "0")
    caller = await chats.run_in_shell(">/dev/full", "call", uri, *said)
    assert caller.code == 1
    assert caller.stderr == (
        "msrp-chat: cannot write to stdout: No space left on device\n"
    )
    assert [e["text"] for e in (await listener.result()).every("text")] == ["Hello"]
