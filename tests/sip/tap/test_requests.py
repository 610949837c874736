"""Requests are told once, when it is known what became of them."""

from __future__ import annotations

import datetime

import pytest

from recording import Direction, Endpoint, MessageRecord, Outcome, Protocol
from sip.message import Request
from sip.sansio.timers import Timers
from sip.tap import Draft, Heard, Requests, record_of
from sip.tap import requests as module
from sip.wire import parse_message

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
PEER = Endpoint("192.0.2.7", 5060)
SENT, RECEIVED = Direction.SENT, Direction.RECEIVED


def request(
    method: str = "OPTIONS", number: int = 1, branch: str = "z9hG4bKa", more: str = ""
) -> bytes:
    return (
        f"{method} sip:bob@example.net SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch}\r\n"
        "From: <sip:alice@example.org>;tag=1\r\nTo: Bob <sip:bob@example.net>\r\n"
        f"Call-ID: x@y\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n{more}\r\n"
    ).encode()


def response(status: int, method: str = "OPTIONS", branch: str = "z9hG4bKa") -> bytes:
    return (
        f"SIP/2.0 {status} Some words\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.1:5060;branch={branch};received=192.0.2.9\r\n"
        "From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.net>;tag=2\r\n"
        f"Call-ID: x@y\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


class Ear:
    """Hears messages, and keeps what is told of them."""

    def __init__(self) -> None:
        self.told: list[MessageRecord] = []
        self.requests = Requests(self._tell, Timers().timeout)
        self.now = NOON

    def _tell(self, draft: Draft) -> None:
        self.told.append(record_of(draft))

    def hears(self, direction: Direction, *messages: bytes) -> None:
        for octets in messages:
            self.requests.heard(
                Heard(
                    direction=direction,
                    message=parse_message(octets),
                    octets=octets,
                    peer=PEER,
                    began=self.now,
                    ended=self.now,
                )
            )
            self.now += SECOND

    def settle(self) -> list[MessageRecord]:
        self.requests.settle()
        return self.told


@pytest.mark.parametrize("direction", Direction, ids=str)
def test_it_is_told_when_it_is_answered(direction: Direction) -> None:
    ear = Ear()
    other = SENT if direction is RECEIVED else RECEIVED
    ear.hears(direction, request())
    assert ear.settle() == []
    ear.hears(other, response(200))
    [record] = ear.settle()
    assert (record.protocol, record.method) == (Protocol.SIP, "OPTIONS")
    assert (record.direction, record.outcome, record.code) == (
        direction,
        Outcome.ARRIVED,
        200,
    )
    assert (record.sender, record.recipient) == (
        "sip:alice@example.org",
        "sip:bob@example.net",
    )
    assert record.transaction_id == "z9hG4bKa"
    assert record.call.sip_call_id == "x@y"
    assert (record.raw, record.peer) == (request(), PEER)
    assert (record.first_octet, record.last_octet) == (NOON, NOON)
    assert record.answered == NOON + SECOND
    assert record.content_type is None


def test_what_is_repeated_is_told_once() -> None:
    ear = Ear()
    ear.hears(SENT, request(), request())
    ear.hears(RECEIVED, response(100), response(404), response(404))
    ear.settle()
    ear.hears(SENT, request())
    ear.hears(RECEIVED, response(404))
    [record] = ear.settle()
    assert (record.outcome, record.code) == (Outcome.REFUSED, 404)
    assert record.problem == "it was refused with 404 (Not Found)"
    assert record.first_octet == NOON


def test_a_request_and_its_cancel_and_its_ack_are_three() -> None:
    ear = Ear()
    ear.hears(SENT, request("INVITE"))
    ear.hears(RECEIVED, response(180, "INVITE"))
    ear.hears(SENT, request("CANCEL"))
    ear.hears(RECEIVED, response(200, "CANCEL"), response(487, "INVITE"))
    ear.hears(SENT, request("ACK"))
    told = {each.method: each for each in ear.settle()}
    assert told.keys() == {"INVITE", "CANCEL", "ACK"}
    assert told["INVITE"].code == 487
    assert told["ACK"].outcome is Outcome.UNKNOWN
    assert told["ACK"].answered is None


def test_a_message_has_its_text() -> None:
    ear = Ear()
    octets = request("MESSAGE", more="Content-Type: text/plain;charset=utf-8\r\n")
    octets += "Grüße".encode()
    ear.hears(RECEIVED, octets)
    ear.requests.handed_over(Request("x", "y", parse_message(octets).headers), NOON)
    parsed = parse_message(octets)
    assert isinstance(parsed, Request)
    ear.requests.handed_over(parsed, NOON + SECOND)
    ear.hears(SENT, response(200, "MESSAGE"))
    [record] = ear.settle()
    assert (record.text, record.size) == ("Grüße", 7)
    assert record.contents == "Grüße".encode()
    assert record.handed_over == NOON + SECOND


def test_whom_nobody_answers_has_failed_after_as_long_as_the_core_waits() -> None:
    ear = Ear()
    ear.hears(SENT, request())
    due = ear.requests.next_timeout()
    assert due is not None
    assert due > NOON + Timers().timeout * SECOND
    ear.requests.handle_timeout(due - SECOND)
    assert ear.told == []
    ear.requests.handle_timeout(due)
    [record] = ear.told
    assert (record.outcome, record.code) == (Outcome.FAILED, 408)
    assert record.problem == "nobody answered in time"


def test_what_rings_has_time() -> None:
    ear = Ear()
    ear.hears(SENT, request("INVITE"))
    ear.hears(RECEIVED, response(180, "INVITE"))
    assert ear.requests.next_timeout() is None
    ear.requests.finish()
    [record] = ear.told
    assert (record.outcome, record.code) == (Outcome.UNKNOWN, 180)


@pytest.mark.parametrize("was_sent", [True, False])
def test_what_can_t_be_sent_has_failed(was_sent: bool) -> None:
    ear = Ear()
    if was_sent:
        ear.hears(SENT, request())
    parsed = parse_message(request())
    assert isinstance(parsed, Request)
    for _ in range(2):
        ear.requests.failed(parsed, "connection refused")
    [record] = ear.told
    assert (record.outcome, record.problem) == (Outcome.FAILED, "connection refused")
    assert record.first_octet == (NOON if was_sent else None)
    assert record.call.sip_call_id == "x@y"


def test_the_identifiers_of_a_call_are_those_that_came_first() -> None:
    ear = Ear()
    urn = "urn:emergency:uid:{}:1234567890:bcf.example"
    more = "".join(
        f"Call-Info: <{urn.format(kind.lower())}>;purpose=emergency-{kind}\r\n"
        for kind in ("CallId", "IncidentId")
    )
    ear.hears(RECEIVED, request("INVITE", more=more))
    ear.hears(RECEIVED, request("INFO", number=2, branch="z9hG4bKb"))
    ear.requests.finish()
    for record in ear.told:
        assert record.call.call_id == urn.format("callid")
        assert record.call.incident_id == urn.format("incidentid")
    assert len(ear.told) == 2


def test_credentials_are_not_told() -> None:
    ear = Ear()
    ear.hears(SENT, request(more='Authorization: Digest response="secret"\r\n'))
    ear.requests.finish()
    assert b"secret" not in ear.told[0].raw
    assert len(ear.told[0].raw) == len(
        request(more='Authorization: Digest response="secret"\r\n')
    )


def test_a_flood_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MAX_OPEN", "MAX_REMEMBERED", "MAX_KNOWN_CALLS"):
        monkeypatch.setattr(module, name, 10)
    ear = Ear()
    info = "Call-Info: <urn:emergency:uid:callid:1234567890:a.example>"
    for number in range(100):
        octets = request(
            branch=f"z9hG4bK{number}", more=f"{info};purpose=nena-CallId\r\n"
        )
        ear.hears(RECEIVED, octets.replace(b"x@y", b"%d@y" % number))
    assert len(ear.told) == 90
    assert len(ear.requests._calls) == 10
    assert len(ear.requests._told) == 10


def test_what_can_t_be_told_apart_is_left_alone() -> None:
    ear = Ear()
    ear.hears(RECEIVED, b"OPTIONS sip:a SIP/2.0\r\nVia: junk\r\n\r\n")
    ear.hears(RECEIVED, response(200))
    ear.requests.finish()
    assert ear.told == []
