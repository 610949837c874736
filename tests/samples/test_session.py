"""A message session without SIP, in two processes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.samples.processes import PICTURE, Chats, Running

WRONG = "wrong version number"
NEVER_OURS = "sha-256 " + ":".join(["5A"] * 32)


async def passive(
    chats: Chats, *arguments: str | Path, tls: bool = False
) -> tuple[Running, list[str], str | None]:
    """Start a passive side; return what the active one has to be told."""
    scheme = "msrps" if tls else "msrp"
    ann = f"{scheme}://127.0.0.1:9/ann;tcp"
    running = await chats.start(
        "session", "--passive", "--json", "--remote-path", ann,
        "--local-path", f"{scheme}://127.0.0.1:0/bob;tcp", *arguments,
    )  # fmt: skip
    listening = await running.event("listening")
    paths = ["--local-path", ann, "--remote-path", str(listening["uri"])]
    return (
        running,
        ["session", "--active", "--json", *paths],
        listening.get("fingerprint"),
    )


async def test_an_echo_gives_all_of_it_back(chats: Chats, tmp_path: Path) -> None:
    bob, to_bob, _ = await passive(chats, "--echo")
    (tmp_path / "script").write_text(
        f"text Hello\nexpect Hello\nfile {PICTURE}\nexpect picture.jpg\nquit\n"
    )
    ann = await chats.run(*to_bob, "--script", tmp_path / "script", "--save", tmp_path)
    assert ann.code == (await bob.result()).code == 0
    assert [event["active"] for event in ann.every("opened")] == [True]
    assert (tmp_path / "picture.jpg").read_bytes() == PICTURE.read_bytes()


@pytest.mark.rule("MSRP-118")
async def test_tls_with_the_right_fingerprint(chats: Chats, tmp_path: Path) -> None:
    (tmp_path / "script").write_text("text Hello\nexpect Hello\nquit\n")
    script = ("--script", tmp_path / "script")
    bob, to_bob, fingerprint = await passive(chats, "--echo", tls=True)
    assert fingerprint is not None
    ann = await chats.run(*to_bob, "--fingerprint", fingerprint, *script)
    assert ann.code == (await bob.result()).code == 0
    assert [event["tls"] for event in ann.every("opened")] == [True]
    assert [event["text"] for event in ann.every("text")] == ["Hello"]


@pytest.mark.rule("MSRP-118")
async def test_nothing_is_said_to_whoever_has_another_certificate(
    chats: Chats,
) -> None:
    bob, to_bob, _ = await passive(chats, "--patience", "60", tls=True)
    ann = await chats.run(*to_bob, "--fingerprint", NEVER_OURS, "--text", "secret")
    assert ann.code == 3
    (complaint,) = ann.complaints
    assert "does not match --fingerprint" in complaint
    assert "127.0.0.1:" in complaint
    assert ann.every("opened") == ann.every("sending") == []
    bob.send_signal(signal.SIGTERM)
    listened = await bob.result()
    assert listened.code == 143
    assert listened.every("opened") == listened.every("message") == []
    assert "secret" not in listened.stdout + listened.stderr


@pytest.mark.rule("MSRP-118")
async def test_nothing_is_taken_from_whoever_has_another_certificate(
    chats: Chats,
) -> None:
    bob, to_bob, fingerprint = await passive(
        chats, "--fingerprint", NEVER_OURS, tls=True
    )
    assert fingerprint is not None
    ann = await chats.run(*to_bob, "--fingerprint", fingerprint, "--text", "secret")
    listened = await bob.result()
    assert listened.code == 3
    assert "does not match --fingerprint" in listened.complaints[0]
    assert listened.every("opened") == listened.every("message") == []
    assert ann.code != 0
    assert ann.every("delivered") == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(chats: Chats) -> None:
    _, to_bob, _ = await passive(chats, tls=True)
    ann = await chats.run(*to_bob, "--text", "secret")
    assert ann.code == 3
    assert "--fingerprint says which to expect" in ann.complaints[0]


async def test_a_text_goes_out_bare_and_is_counted_as_it_is(chats: Chats) -> None:
    bob, to_bob, _ = await passive(chats)
    ann = await chats.run(*to_bob, "--wait", "0", "--text", "Hello")
    listened = await bob.result()
    (message,) = listened.every("message")
    assert message["content_type"].startswith("text/plain")
    assert message["octets"] == ann.every("summary")[0]["octets_sent"] == 5
    assert {e.get("call") for e in ann.events} == {1}


async def test_whoever_mixes_tls_and_tcp_is_told_so_on_both_sides(
    chats: Chats,
) -> None:
    bob, to_bob, _ = await passive(chats, tls=True)
    plain = [argument.replace("msrps:", "msrp:") for argument in to_bob]
    ann = await chats.run(*plain, "--text", "A")
    assert ann.code == 3
    assert "both paths must be msrps:" in ann.complaints[0]
    assert "a TLS handshake with 127.0.0.1:" in await bob.line(f"failed: {WRONG}")
