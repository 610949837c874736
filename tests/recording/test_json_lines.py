"""Messages as log events that others read."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording import (
    Direction,
    LogElement,
    MessageRecord,
    Outcome,
    Protocol,
    log_event,
    to_json_line,
)
from tests.recording.records import TEXT

ELEMENT = LogElement(
    element_id="console1.psap.example",
    agency_id="psap.example",
    agent_id="agent7@psap.example",
    position_id="3",
)


@pytest.mark.rule("NG-13")
def test_a_message_has_the_members_of_a_log_event() -> None:
    assert json.loads(to_json_line(TEXT, ELEMENT)) == {
        "logEventType": "NonRtpMediaMessageLogEvent",
        "timestamp": "2026-01-01T12:00:00.123456+00:00",
        "elementId": "console1.psap.example",
        "agencyId": "psap.example",
        "agencyAgentId": "agent7@psap.example",
        "agencyPositionId": "3",
        "callId": "urn:emergency:uid:callid:a56e556d871:bcf.example",
        "incidentId": "urn:emergency:uid:incidentid:b56e556d871:bcf.example",
        "callIdSIP": "3848276298220188511@atlanta.example.com",
        "ipAddressPort": "192.0.2.7:2855",
        "direction": "incoming",
        "protocol": "MSRP",
        "text": "Hilfe! ☎",
        "extension": {
            "method": "SEND",
            "outcome": "arrived",
            "code": 200,
            "messageId": "12345678",
            "transactionId": "d93kswow",
            "sessionId": "ann",
            "from": "im:bob@example.net",
            "to": "im:alice@example.org",
            "contentType": "text/plain",
            "size": 9,
            "firstOctet": "2026-01-01T12:00:00.123456+00:00",
            "lastOctet": "2026-01-01T12:00:01.123456+00:00",
            "handedOver": "2026-01-01T12:00:02.123456+00:00",
            "answered": "2026-01-01T12:00:03.123456+00:00",
        },
    }


@pytest.mark.parametrize(
    ("method", "kind", "text"),
    [
        ("INVITE", "CallSignalingMessageLogEvent", "INVITE sip:a@b SIP/2.0\r\n\r\nHi"),
        ("MESSAGE", "MessageLogEvent", "Hi"),
    ],
)
def test_a_request_of_sip_is_another_event(method: str, kind: str, text: str) -> None:
    record = MessageRecord(
        protocol=Protocol.SIP,
        direction=Direction.SENT,
        method=method,
        outcome=Outcome.FAILED,
        text="Hi",
        raw=b"INVITE sip:a@b SIP/2.0\r\n\r\nHi",
    )
    event = log_event(record)
    assert event["logEventType"] == kind
    assert event["text"] == text
    assert (event["protocol"], event["direction"]) == ("SIP", "outgoing")
    assert "timestamp" not in event


def test_what_is_no_text_is_there_in_base64_if_that_is_wanted() -> None:
    picture = replace(TEXT, text=None, content_type="image/png", contents=b"\x89PNG")
    assert log_event(picture)["text"] == ""
    assert "contents" not in str(log_event(picture))
    extension = log_event(picture, with_contents=True)["extension"]
    assert isinstance(extension, dict)
    assert extension["contents"] == "iVBORw=="


def test_the_loss_is_told() -> None:
    extension = log_event(replace(TEXT, lost=7, is_cut=True))["extension"]
    assert isinstance(extension, dict)
    assert (extension["lost"], extension["isCut"]) == (7, True)


@given(st.text(max_size=100))
@settings(deadline=None, max_examples=100)
def test_any_text_is_one_line_and_comes_back(text: str) -> None:
    line = to_json_line(replace(TEXT, text=text))
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line)["text"] == text


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is missing (Debian jq)")
def test_jq_reads_it() -> None:
    lines = b"".join(
        to_json_line(replace(TEXT, text=text)) for text in ("Hello", "a\nb\u2028☎")
    )
    said = subprocess.run(
        ["jq", "-r", "[.direction, .extension.from, .text] | @json"],
        input=lines,
        capture_output=True,
        check=True,
        timeout=20,
    ).stdout
    assert [json.loads(line) for line in said.decode().split("\n") if line] == [
        ["incoming", "im:bob@example.net", "Hello"],
        ["incoming", "im:bob@example.net", "a\nb\u2028☎"],
    ]
