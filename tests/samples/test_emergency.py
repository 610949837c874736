"""Calls for help, and what passes: traces, logs, captures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from msrp_chat.cli import main
from tests.samples.processes import PICTURE, Chats


async def test_a_call_for_help_says_where_and_in_which_language(chats: Chats) -> None:
    listener, uri = await chats.listen("--lang", "es,en")
    at = uri.removeprefix("sip:console@")
    caller = await chats.run(
        "call", f"sip:urn:service:test.sos@{at}", "--json", "--text", "A test",
        "--location", "42.5463,-73.2512,30", "--lang", "en-US,fr", "--wait", "0",
        "--trace",
    )  # fmt: skip
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr
    (wanted,) = listened.every("emergency")
    assert wanted["service"] == "urn:service:test.sos"
    assert wanted["test"] is True
    assert wanted["locations"] == ["42.5463, -73.2512 ± 30 m"]
    assert wanted["languages"] == ["en-US", "fr"]
    assert wanted["warnings"] == []
    assert "urn:service:test.sos (a test); from 42.5463" in listened.stderr
    sip = [e["text"] for e in caller.every("trace") if e["protocol"] == "SIP"]
    assert any("a=hlang-send:en-US" in text for text in sip), "of the answer"
    assert any("Geolocation: <cid:" in text for text in sip)


async def test_all_that_passes_is_traced_logged_and_captured(
    chats: Chats, tmp_path: Path
) -> None:
    log, capture = tmp_path / "log.jsonl", tmp_path / "call.pcapng"
    (tmp_path / "script").write_text(
        f"text Hello\nexpect Hello\nfile {PICTURE}\nexpect picture.jpg\nquit\n"
    )
    listener, uri = await chats.listen("--echo", "--log", log)
    caller = await chats.run(
        "call", uri, "--json", "--script", tmp_path / "script",
        "--trace", "--pcap", capture,
    )  # fmt: skip
    listened = await listener.result()
    assert (caller.code, listened.code) == (0, 0), caller.stderr
    traces = caller.every("trace")
    first_lines = [trace["text"].split("\r\n")[0] for trace in traces]
    assert any(line.startswith("INVITE sip:console@") for line in first_lines)
    assert "SIP/2.0 200 OK" in first_lines
    assert any(line.endswith(" SEND") for line in first_lines)
    assert any(line.endswith(" REPORT") for line in first_lines)
    assert any(line.startswith("BYE ") for line in first_lines)
    assert {trace["direction"] for trace in traces} == {"sent", "received"}
    assert all(len(trace["text"]) < 5000 for trace in traces), "bodies are cut"
    assert "→ MSRP 127.0.0.1:" in caller.stderr
    logged = [json.loads(line) for line in log.read_text().splitlines()]
    assert len([each for each in logged if "Hello" in json.dumps(each)]) >= 2
    assert capture.read_bytes()[:4] == b"\x0a\x0d\x0d\x0a"
    assert capture.stat().st_size > PICTURE.stat().st_size


async def test_a_session_without_sip_is_traced_too(chats: Chats) -> None:
    bob = await chats.start(
        "session", "--passive", "--json", "--remote-path", "msrp://127.0.0.1:9/a;tcp",
        "--local-path", "msrp://127.0.0.1:0/b;tcp", "--trace",
    )  # fmt: skip
    there = (await bob.event("listening"))["uri"]
    ann = await chats.run(
        "session", "--active", "--json", "--remote-path", there,
        "--local-path", "msrp://127.0.0.1:9/a;tcp", "--text", "Hello", "--wait", "0",
    )  # fmt: skip
    assert ann.code == 0
    texts = [trace["text"] for trace in (await bob.result()).every("trace")]
    assert any("\r\n\r\nHello\r\n" in text for text in texts)


@pytest.mark.parametrize("option", ["--log", "--pcap"])
def test_a_record_that_cannot_be_written_is_told_before_anybody_is_called(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing" / "record"
    assert main(["listen", "--echo", option, str(path)]) == 2
    assert f"msrp-chat: {path}: No such file" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["somewhere", "91,0", "1,2,0", "1", "1,2,3,4", "nan,0"]
)
def test_a_place_that_is_none_is_refused(
    place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["call", "urn:service:sos", "--proxy", "sip:127.0.0.1", "--location", place]
    assert main(call) == 2
    assert "is no place such as" in capsys.readouterr().err
