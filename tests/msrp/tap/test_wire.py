"""Requests and responses found in what goes over a wire."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.sansio.parser import Parser
from msrp.tap import WireMessage, WireReader
from recording import Direction

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
PATHS = (
    b"To-Path: msrp://a.example:1/ann;tcp\r\nFrom-Path: msrp://b.example:2/bob;tcp\r\n"
)
MESSAGES = [
    b"MSRP 1abc SEND\r\n" + PATHS + b"-------1abc$\r\n",
    b"MSRP 2abc SEND\r\n" + PATHS + b"Content-Type: text/plain\r\n\r\n"
    b"Hello\r\n-------2abx$\r\n-------2abc+\r\n",
    b"MSRP 3abc SEND\r\n" + PATHS + b"Content-Type: x/y\r\n\r\n\r\n-------3abc#\r\n",
    b"MSRP 4abc 200 OK, \xc3\xbc\r\n" + PATHS + b"-------4abc$\r\n",
    b"MSRP 5abc 481\r\n" + PATHS + b"-------5abc$\r\n",
    b"MSRP 6abc REPORT\r\n" + PATHS + b"Status: 000 200 OK\r\n-------6abc$\r\n",
    b"MSRP 7abc SEND\r\n-------7abc$\r\n",
    b"MSRP 8abc SEND\r\n\r\n\r\nno header at all\r\n-------8abc$\r\n",
]


class Log(list[WireMessage]):
    """What has ended, or broken off."""

    def tap(
        self,
        direction: Direction = Direction.SENT,
        max_body: int = 1000,
        parser: Parser | None = None,
    ) -> WireReader:
        return WireReader(direction, self, max_body=max_body, parser=parser)

    def began(self, message: WireMessage) -> None:
        assert message not in self

    def went_on(self, message: WireMessage, time: datetime.datetime) -> None:
        assert message not in self

    def ended(self, message: WireMessage) -> None:
        self.append(message)


def is_cut(message: WireMessage) -> bool:
    return message.kept < message.size


@pytest.mark.rule("NG-13", "NT-6")
@given(st.lists(st.integers(0, 900), max_size=12), st.permutations(MESSAGES))
@settings(deadline=None, max_examples=60)
def test_each_message_is_told_once_and_as_it_was_however_it_is_cut(
    cuts: list[int], messages: list[bytes]
) -> None:
    log, stream = Log(), b"".join(messages)
    tap, at = log.tap(), 0
    for cut in [*sorted(cuts), len(stream)]:
        tap.feed(stream[at:cut], NOON)
        at = max(at, cut)
    tap.close()
    assert [each.octets for each in log] == messages
    assert [each.size for each in log] == list(map(len, messages))
    assert all(each.ended and not is_cut(each) for each in log)


@pytest.mark.rule("NG-13")
@pytest.mark.parametrize(
    ("direction", "session_id"),
    [(Direction.SENT, "bob"), (Direction.RECEIVED, "ann")],
)
def test_it_says_when_which_way_and_to_which_session_of_ours(
    direction: Direction, session_id: str
) -> None:
    log = Log()
    log.tap(direction).feed(b"".join(MESSAGES), NOON)
    assert {(each.began, each.ended) for each in log} == {(NOON, NOON)}
    assert {each.direction for each in log} == {direction}
    assert [each.session_id for each in log] == [session_id] * 6 + [None] * 2


def test_of_a_large_body_the_beginning_is_kept_and_the_rest_counted() -> None:
    log = Log()
    tap = log.tap(max_body=1500)
    head = b"MSRP 1abc SEND\r\n" + PATHS + b"Content-Type: x/y\r\n\r\n"
    tap.feed(head, NOON)
    for _ in range(1000):
        tap.feed(bytes(1000), NOON)
    tap.feed(b"\r\n-------1abc$\r\n" + MESSAGES[0], NOON)
    large, small = log
    assert large.octets == head + bytes(1500) + b"\r\n-------1abc$\r\n"
    assert large.size == len(head) + 1_000_000 + len(b"\r\n-------1abc$\r\n")
    assert is_cut(large)
    assert small.octets == MESSAGES[0]


def test_what_breaks_off_is_told_at_the_end() -> None:
    log = Log()
    tap = log.tap()
    tap.feed(MESSAGES[1][:-20], NOON)
    assert log == []
    tap.close()
    (told,) = log
    assert told.ended is None
    assert MESSAGES[1].startswith(told.octets)
    assert told.octets.endswith(b"\r\n\r\nHello")


def test_what_is_no_msrp_is_no_message() -> None:
    log = Log()
    tap = log.tap()
    tap.feed(MESSAGES[0] + b"GET / HTTP/1.1\r\n\r\n", NOON)
    tap.feed(MESSAGES[0], NOON)
    tap.close()
    assert [each.octets for each in log] == MESSAGES[:1]


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=100)
def test_whatever_comes_is_logged_or_ignored(junk: bytes) -> None:
    log = Log()
    tap = log.tap()
    tap.feed(MESSAGES[0] + junk, NOON)
    tap.close()
    assert log[0].octets == MESSAGES[0]


@pytest.mark.rule("NG-13")
@pytest.mark.parametrize("step", [1, 7, 40, 1000])
def test_it_knows_when_the_first_octet_went_by_and_when_the_last(step: int) -> None:
    log, second = Log(), datetime.timedelta(seconds=1)
    tap, stream = log.tap(), MESSAGES[1] + MESSAGES[2]
    reads = range(0, len(stream), step)
    for number, at in enumerate(reads):
        tap.feed(stream[at : at + step], NOON + number * second)
    sizes = [0, len(MESSAGES[1]), len(stream)]
    for told, start, stop in zip(log, sizes, sizes[1:], strict=False):
        assert told.began == NOON + start // step * second
        assert told.ended == NOON + (stop - 1) // step * second


@given(st.integers(0, len(b"".join(MESSAGES))))
@settings(deadline=None, max_examples=60)
def test_who_begins_to_read_along_in_the_middle_is_in_step(cut: int) -> None:
    stream = b"".join(MESSAGES)
    parser, log, every = Parser(), Log(), Log()
    parser.receive_data(stream[:cut])
    log.tap(parser=parser).feed(stream[cut:], NOON)
    every.tap().feed(stream, NOON)
    told = [each.octets for each in every]
    assert [each.octets for each in log] == told[len(told) - len(log) :]
    assert len(log) >= sum(told_at >= cut for told_at in starts())


def starts() -> list[int]:
    return [sum(map(len, MESSAGES[:number])) for number in range(len(MESSAGES))]


def test_who_begins_in_a_body_waits_for_its_end() -> None:
    log = Log()
    tap = log.tap(parser=Parser.in_body("2abc"))
    tap.feed(b"more of it\r\n-------2abc+\r\n" + MESSAGES[0], NOON)
    assert [each.octets for each in log] == MESSAGES[:1]
