from __future__ import annotations

import pytest

from msrp.errors import CloseReason
from msrp.headers import ResponseHead
from msrp.sansio.inquiries import MAX_OPEN, Answer, Inquiries
from msrp.sansio.session import Session
from msrp.sansio.stream import Stream
from msrp.testing import Directory
from msrp.uri import MsrpUri

AUTH = (
    b"MSRP 49fh AUTH\r\nTo-Path: msrps://r;tcp\r\nFrom-Path: msrps://a:1/b;tcp\r\n"
    b"-------49fh$\r\n"
)
ANSWER = (
    b"MSRP 49fh 401 Unauthorized\r\nTo-Path: msrps://a:1/b;tcp\r\n"
    b"WWW-Authenticate: Digest x\r\n-------49fh$\r\n"
)


class Asked:
    """A connection that was asked something."""

    def __init__(self) -> None:
        self.answers: list[Answer | None] = []
        self.stream = Stream(Directory(), 0.0)
        self.stream.ask("49fh", AUTH, self.answers.append, 0.0)


@pytest.mark.parametrize("step", [1, 7, len(ANSWER)])
def test_a_request_goes_out_and_its_answer_is_told(step: int) -> None:
    asked = Asked()
    assert asked.stream.data_to_send(4096, 0.0) == AUTH
    for at in range(0, len(ANSWER), step):
        asked.stream.receive_data(ANSWER[at : at + step], 1.0)
    [answer] = asked.answers
    assert answer == Answer(
        ResponseHead("49fh", 401, "Unauthorized"),
        b"To-Path: msrps://a:1/b;tcp\r\nWWW-Authenticate: Digest x",
    )
    asked.stream.receive_data(ANSWER, 1.0)
    assert len(asked.answers) == 1


def test_an_answer_to_something_else_is_passed_over() -> None:
    asked = Asked()
    asked.stream.receive_data(ANSWER.replace(b"49fh", b"49fi"), 1.0)
    assert asked.answers == []
    assert not asked.stream.closing


def test_no_answer_in_time_is_told() -> None:
    asked = Asked()
    assert asked.stream.next_timeout() == 30.0
    asked.stream.handle_timeout(29.9)
    assert asked.answers == []
    asked.stream.handle_timeout(30.0)
    assert asked.answers == [None]
    assert asked.stream.next_timeout() is None


def test_an_answer_that_we_do_not_read_is_not_overdue() -> None:
    asked = Asked()
    asked.stream.pause(10.0)
    asked.stream.pause(11.0)
    assert asked.stream.next_timeout() is None
    asked.stream.handle_timeout(100.0)
    asked.stream.resume(110.0)
    assert asked.answers == []
    assert asked.stream.next_timeout() == 130.0


def test_the_end_of_the_connection_is_told() -> None:
    asked = Asked()
    asked.stream.abandon(CloseReason.BY_THEM)
    assert asked.answers == [None]
    asked.stream.ask("49fi", AUTH, asked.answers.append, 1.0)
    assert asked.answers == [None, None]


def test_only_so_many_are_open() -> None:
    open_ = Inquiries()
    answers: list[Answer | None] = []
    for number in range(MAX_OPEN + 2):
        open_.begin(f"tid{number}", answers.append, 1.0)
    assert len(open_) == MAX_OPEN
    assert answers == [None, None]
    open_.fail_all()
    assert len(answers) == MAX_OPEN + 2


@pytest.mark.rule("RLY-13")
def test_a_connection_to_a_relay_stays_open_between_sessions() -> None:
    stream = Stream(Directory(), 0.0, idle_time=3600.0)
    session = Session(
        MsrpUri.parse("msrps://a:1/b;tcp"),
        (MsrpUri.parse("msrps://r:1/s;tcp"), MsrpUri.parse("msrp://c:1/d;tcp")),
        is_active=True,
    )
    stream.attach(session, 0.0)
    session.end(CloseReason.BY_US)
    stream.handle_timeout(1.0)
    assert not stream.closing
    stream.inquiries.resume(1.0)  # Nothing was paused.
    assert stream.next_timeout() == 3601.0
    stream.handle_timeout(3601.0)
    assert stream.closing
