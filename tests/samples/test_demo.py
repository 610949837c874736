"""The demo, as people run it first."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from pathlib import Path

import pytest

from tests.samples.processes import PICTURE, Chats

HASHES = re.compile(r"  sent     ([0-9a-f]{64})\n  received ([0-9a-f]{64})  ok\n")


async def test_demo_shows_two_calls_and_saves_the_pictures(
    chats: Chats, tmp_path: Path
) -> None:
    result = await chats.run("demo", "--save", tmp_path)
    assert result.code == 0, result.stdout + result.stderr
    assert result.stderr == ""
    for shown in (
        "Call 1 of 2: MSRP over TCP",
        "Call 2 of 2: MSRP over TLS",
        "message session: MSRP over TCP",
        "message session: MSRP over TLS",
        "caller   INVITE urn:service:sos",
        "console  180 Ringing",
        "200 OK, ACK",
        "console  9-1-1. What is the address?  (text/plain)",
        "(message/cpim)",
        "picture.jpg [##############################] 100 %",
        "console  delivery report: all 1,168,849 octets",
        "(multipart/mixed)",
        "caller   BYE",
        f"  saved in {tmp_path}",
    ):
        assert shown in result.stdout
    hashes = HASHES.findall(result.stdout)
    assert len(hashes) == 6
    assert {sent for sent, _ in hashes} == {received for _, received in hashes}
    for transport in ("tcp", "tls"):
        for name in (
            "console/picture.jpg",
            "console/picture-1.jpg",
            "caller/picture.jpg",
        ):
            saved = tmp_path / transport / name
            assert saved.read_bytes() == PICTURE.read_bytes()


async def test_demo_takes_one_transport_and_any_file(
    chats: Chats, tmp_path: Path, temporary: Path
) -> None:
    odd = tmp_path / "an odd | name.bin"
    odd.write_bytes(os.urandom(3000))
    result = await chats.run("demo", "--tls", "--json", "--file", odd)
    assert result.code == 0, result.stdout + result.stderr
    files = result.every("file")
    assert len(files) == 3
    expected = hashlib.sha256(odd.read_bytes()).hexdigest()
    assert {file["sha256"] for file in files} == {expected}
    opened = result.every("opened")
    assert [event["tls"] for event in opened] == [True, True]
    assert {event["party"] for event in opened} == {"caller", "console"}
    assert result.every("summary")[-1]["sessions"] == 1
    # Where the files are is told to whoever didn't say where they should go.
    base = files[0]["path"].partition("/tls/")[0]
    assert f"  saved in {base}\n" in result.stderr
    assert os.listdir(temporary) == [Path(base).name]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_demo_that_is_ended_leaves_nothing_behind(
    chats: Chats, temporary: Path, number: signal.Signals
) -> None:
    demo = await chats.start("demo")
    await demo.line("Call 1 of 2")
    demo.send_signal(number)
    assert (await demo.result()).code == 128 + number
    assert os.listdir(temporary) == []


async def test_demo_fails_when_it_cannot_save(chats: Chats, tmp_path: Path) -> None:
    (tmp_path / "tcp").mkdir()
    (tmp_path / "tcp" / "console").write_text("no directory, so nothing is saved")
    result = await chats.run("demo", "--tcp", "--save", tmp_path)
    assert result.code == 1
    (complaint,) = result.complaints
    assert complaint.startswith("the console did not start: cannot save anything in")
