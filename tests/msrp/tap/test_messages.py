"""Messages put together from their chunks and from what becomes of them."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import msrp
from msrp.errors import FailureReported, MessageAborted, RequestRefused
from msrp.events import (
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageRefused,
)
from msrp.tap import Draft, Messages, Parties, WireMessage, WireReader, record_of
from msrp.tap import messages as module
from recording import CallIdentity, Direction, Endpoint, MessageRecord, Outcome

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)
SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
PARTIES = Parties(local="im:us@x", remote="im:them@y", call=CallIdentity())
PATHS = "To-Path: msrp://a.example:1/{};tcp\r\nFrom-Path: msrp://b.example:2/{};tcp\r\n"


def request(
    body: bytes | None = b"Hello",
    *,
    name: str = "aaaa",
    message_id: str | None = "12345678",
    start: int = 1,
    total: str = "*",
    flag: str = "$",
    method: str = "SEND",
    more: str = "",
) -> bytes:
    lines = f"MSRP {name} {method}\r\n" + PATHS.format("ann", "bob")
    if message_id is not None:
        lines += f"Message-ID: {message_id}\r\n"
    lines += f"Byte-Range: {start}-*/{total}\r\n{more}"
    if body is None:
        return f"{lines}-------{name}{flag}\r\n".encode()
    head = f"{lines}Content-Type: text/plain\r\n\r\n".encode()
    return head + body + f"\r\n-------{name}{flag}\r\n".encode()


def response(code: int = 200, name: str = "aaaa") -> bytes:
    paths = PATHS.format("bob", "ann")
    return f"MSRP {name} {code}\r\n{paths}-------{name}$\r\n".encode()


def report(status: str = "000 200 OK", message_id: str = "12345678") -> bytes:
    fields = f"Message-ID: {message_id}\r\nByte-Range: 1-5/5\r\nStatus: {status}\r\n"
    paths = PATHS.format("bob", "ann")
    return f"MSRP rrrr REPORT\r\n{paths}{fields}-------rrrr$\r\n".encode()


class Ear:
    """Hears both directions of a connection, and keeps what it is told."""

    def __init__(self, *, max_octets: int = 10_000, is_alone: bool = False) -> None:
        self.now = NOON
        self.told: list[MessageRecord] = []
        self.messages = Messages(self._tell, max_octets=max_octets, is_alone=is_alone)
        self.readers = {
            each: WireReader(each, self, max_body=max_octets) for each in Direction
        }

    def hears(self, direction: Direction, *pieces: bytes) -> None:
        for piece in pieces:
            self.readers[direction].feed(piece, self.now)
            self.now += SECOND

    def happens(self, event: CoreEvent) -> None:
        self.messages.happened(event, self.now)
        self.now += SECOND

    def completes(self, message_id: str = "12345678", size: int = 5) -> None:
        self.happens(MessageCompleted(message_id, "text/plain", bytes(size)))

    def began(self, message: WireMessage) -> None:
        self.messages.began(message, Endpoint("192.0.2.1", 2855))

    def went_on(self, message: WireMessage, time: datetime.datetime) -> None:
        self.messages.went_on(message, time)

    def ended(self, message: WireMessage) -> None:
        self.messages.ended(message)

    def _tell(self, draft: Draft) -> None:
        self.told.append(record_of(draft, PARTIES))


def test_a_message_of_the_peer_is_told_when_the_application_has_it() -> None:
    ear = Ear()
    octets = request()
    ear.hears(RECEIVED, octets[:40], octets[40:-3], octets[-3:])
    ear.hears(SENT, response())
    ear.completes()
    assert ear.told == []
    ear.messages.handed_over("12345678", ear.now)
    [record] = ear.told
    assert record.first_octet == NOON
    assert record.last_octet == NOON + 2 * SECOND
    assert record.answered == NOON + 3 * SECOND
    assert record.handed_over == NOON + 5 * SECOND
    assert (record.text, record.raw, record.size) == ("Hello", octets, 5)
    assert (record.sender, record.recipient) == ("im:them@y", "im:us@x")
    assert (record.session_id, record.transaction_id) == ("ann", "aaaa")
    assert ear.messages.is_idle


def test_the_response_may_come_after_that() -> None:
    ear = Ear()
    ear.hears(RECEIVED, request())
    ear.completes()
    ear.messages.handed_over("12345678", ear.now)
    assert ear.told == []
    ear.hears(SENT, response())
    assert ear.told[0].answered == NOON + 2 * SECOND


@pytest.mark.parametrize("handed_over", [True, False])
def test_what_stays_away_isn_t_waited_for_for_ever(handed_over: bool) -> None:
    ear = Ear()
    ear.hears(RECEIVED, request())
    ear.completes()
    if handed_over:
        ear.messages.handed_over("12345678", ear.now)
    else:
        ear.hears(SENT, response())
    due = ear.messages.next_timeout()
    assert due == NOON + SECOND + module.PATIENCE
    ear.messages.handle_timeout(due - SECOND)
    assert ear.told == []
    ear.messages.handle_timeout(due)
    [record] = ear.told
    assert record.outcome is Outcome.ARRIVED
    assert (record.handed_over is None) is not handed_over
    assert ear.messages.next_timeout() is None
    ear.messages.handed_over("12345678", ear.now)
    assert len(ear.told) == 1


def test_nobody_waits_for_a_response_that_isn_t_wanted() -> None:
    ear = Ear()
    ear.hears(RECEIVED, request(more="Failure-Report: no\r\n"))
    ear.completes()
    ear.messages.handed_over("12345678", ear.now)
    assert ear.told[0].answered is None


def test_what_is_none_for_the_application_isn_t_waited_for() -> None:
    ear = Ear()
    ear.hears(RECEIVED, request())
    ear.completes()
    ear.messages.kept_back("12345678")
    ear.hears(SENT, response())
    assert ear.told[0].handed_over is None


def test_a_message_of_ours_is_told_when_the_session_says_what_became_of_it() -> None:
    ear = Ear()
    ear.hears(SENT, request())
    ear.hears(RECEIVED, response(), report())
    assert ear.told == []
    ear.happens(MessageDelivered("12345678"))
    [record] = ear.told
    assert (record.outcome, record.code) == (Outcome.ARRIVED, 200)
    assert record.answered == NOON + 2 * SECOND
    assert (record.sender, record.recipient) == ("im:us@x", "im:them@y")
    ear.hears(SENT, request())  # Again, elsewhere.
    ear.hears(RECEIVED, response(), report())
    ear.happens(MessageDelivered("12345678"))
    assert len(ear.told) == 1


@pytest.mark.parametrize(
    ("error", "code", "outcome"),
    [
        (RequestRefused("12345678", 413, ""), 413, Outcome.REFUSED),
        (FailureReported("12345678", 480, ""), 480, Outcome.FAILED),
        (MessageAborted("12345678"), None, Outcome.ABORTED),
        (msrp.SessionEnded("12345678"), None, Outcome.FAILED),
        (msrp.ResponseTimeout("12345678"), 408, Outcome.FAILED),
    ],
    ids=lambda each: type(each).__name__,
)
@pytest.mark.parametrize("was_sent", [True, False])
def test_what_fails_says_why(
    error: msrp.DeliveryError, code: int | None, outcome: Outcome, was_sent: bool
) -> None:
    ear = Ear()
    if was_sent:
        ear.hears(SENT, request(flag="+"))
    event = MessageDeliveryFailed("12345678", code, str(error), error)
    ear.happens(event)
    ear.happens(event)
    [record] = ear.told
    assert (record.outcome, record.code) == (outcome, code)
    assert record.problem == str(error)
    assert (record.first_octet is not None) is was_sent


@pytest.mark.parametrize("told_by", ["response", "event"])
def test_what_is_refused_is_told_at_once(told_by: str) -> None:
    ear = Ear()
    octets = request(b"x" * 100)
    ear.hears(RECEIVED, octets[:-50])
    if told_by == "response":
        ear.hears(SENT, response(413))
    ear.happens(MessageRefused("12345678", "text/plain", 413, True))
    [record] = ear.told
    assert (record.outcome, record.code) == (Outcome.REFUSED, 413)
    assert 0 < record.size < 100
    assert octets.startswith(record.raw)
    ear.hears(RECEIVED, octets[-50:])
    assert ear.told == [record]
    assert ear.messages.is_idle


def test_what_is_given_up_and_what_is_incomplete_are_told_apart() -> None:
    ear = Ear()
    ear.hears(
        RECEIVED, request(flag="#"), request(name="bbbb", message_id="other", flag="+")
    )
    for name in ("12345678", "other"):
        ear.happens(IncompleteMessage(name, "text/plain", (), "no more came"))
    assert [each.outcome for each in ear.told] == [Outcome.ABORTED, Outcome.INCOMPLETE]


def test_what_carries_no_message_is_none() -> None:
    ear = Ear()
    ear.hears(SENT, request(None), report(), request(None, method="AUTH", name="cccc"))
    ear.hears(RECEIVED, response(), response(name="xxxx"))
    ear.messages.finish()
    assert ear.told == []


@pytest.mark.parametrize(("code", "outcome"), [(200, "ARRIVED"), (501, "REFUSED")])
@pytest.mark.parametrize("direction", Direction, ids=str)
def test_other_requests_are_told_when_they_are_answered(
    direction: Direction, code: int, outcome: str
) -> None:
    ear = Ear()
    nickname = request(None, method="NICKNAME", more='Use-Nickname: "Ann"\r\n')
    ear.hears(direction, nickname)
    ear.hears(SENT if direction is RECEIVED else RECEIVED, response(code))
    [record] = ear.told
    assert (record.method, record.outcome) == ("NICKNAME", Outcome[outcome])
    assert record.raw == nickname


@pytest.mark.parametrize(
    ("more", "answer", "outcome"),
    [
        ("", 481, Outcome.REFUSED),
        ("Failure-Report: no\r\n", None, Outcome.UNKNOWN),
        ("", 200, Outcome.ARRIVED),
    ],
)
def test_what_is_for_no_session_is_judged_by_its_answer(
    more: str, answer: int | None, outcome: Outcome
) -> None:
    ear = Ear(is_alone=True)
    ear.hears(RECEIVED, request(more=more))
    if answer is not None:
        ear.hears(SENT, response(answer))
    assert [each.outcome for each in ear.told] == [outcome]


def test_what_is_malformed_is_told_with_its_refusal() -> None:
    ear = Ear()
    ear.hears(RECEIVED, request(message_id=None, more="Byte-Range: no\r\n"))
    ear.hears(SENT, response(400))
    [record] = ear.told
    assert (record.outcome, record.code, record.message_id) == (
        Outcome.REFUSED,
        400,
        None,
    )


@given(st.permutations(range(6)))
@settings(deadline=None, max_examples=50)
def test_the_order_of_chunks_doesn_t_matter(order: list[int]) -> None:
    ear, text = Ear(), b"The house is on fire, all of it!"
    for number in order:
        piece = text[number * 6 : number * 6 + 6]
        flag = "$" if number == 5 else "+"
        ear.hears(
            RECEIVED,
            request(piece, name=f"name{number}", start=number * 6 + 1, flag=flag),
        )
    ear.messages.finish()
    [record] = ear.told
    assert (record.contents, record.size) == (text, len(text))


def test_a_gap_ends_what_can_be_read() -> None:
    ear = Ear()
    ear.hears(RECEIVED, request(b"Hello", flag="+"))
    ear.hears(RECEIVED, request(b"world", name="bbbb", start=1_000_000_000, flag="+"))
    ear.messages.finish()
    assert ear.told[0].text == "Hello"
    assert ear.told[0].size == 1_000_000_004


def test_what_is_kept_of_one_message_is_bounded() -> None:
    ear = Ear(max_octets=1000)
    for number in range(100):
        ear.hears(
            RECEIVED,
            request(b"x" * 300, name=f"n{number:03}", start=number * 300 + 1, flag="+"),
        )
    ear.messages.finish()
    [record] = ear.told
    assert record.size == 30_000
    assert record.is_cut
    assert 500 < len(record.raw) <= 1000


def test_what_is_kept_of_all_messages_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_HELD", 10_000)
    monkeypatch.setattr(module, "MAX_OPEN", 20)
    ear = Ear()
    for number in range(50):
        ear.hears(
            RECEIVED,
            request(
                b"x" * 900, name=f"n{number:03}", message_id=f"{number:08}", flag="+"
            ),
        )
    assert len(ear.told) == 30  # The oldest, as they are.
    ear.messages.finish()
    assert [each.message_id for each in ear.told] == [f"{n:08}" for n in range(50)]
    assert any(each.is_cut for each in ear.told)
    assert ear.messages._held == 0
    assert not ear.messages._requests


def test_those_that_were_told_are_remembered_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MAX_REMEMBERED", 2)
    ear = Ear()
    for name in ("one1", "two2", "three3", "three3", "two2", "one1"):
        ear.hears(RECEIVED, request(message_id=name, name=name))
        ear.messages.finish()
    assert [each.message_id for each in ear.told] == ["one1", "two2", "three3", "one1"]


def test_when_the_session_is_over_only_the_application_is_waited_for() -> None:
    ear = Ear()
    ear.hears(RECEIVED, request(), request(name="bbbb", message_id="other", flag="+"))
    ear.completes()
    ear.messages.give_up()
    assert [each.message_id for each in ear.told] == ["other"]
    ear.hears(SENT, response())
    ear.messages.handed_over("12345678", ear.now)
    assert ear.messages.is_idle


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_whatever_goes_by_harms_nobody(junk: bytes) -> None:
    for direction in Direction:
        ear = Ear()
        ear.hears(direction, request(junk, flag="+"), junk)
        ear.messages.finish()
        assert len(ear.told) >= 1
