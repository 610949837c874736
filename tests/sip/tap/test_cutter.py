"""Messages cut out of a stream."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.tap import MessageCutter
from sip.wire import StreamFramer

NOON = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
SECOND = datetime.timedelta(seconds=1)

MESSAGES = [
    b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 5\r\n\r\nHello",
    b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n",
    b"MESSAGE sip:a@b SIP/2.0\r\nL :  10\r\nX: content-length: 7\r\n\r\n\r\n\r\n 12345",
    b"BYE sip:a@b SIP/2.0\r\nNo-Length: 5\r\n\r\n",
]


def cut(cutter: MessageCutter, data: bytes, step: int) -> list[bytes]:
    found = []
    for at in range(0, len(data), step):
        found += cutter.feed(data[at : at + step], NOON)
    return [each.octets for each in found]


@pytest.mark.parametrize("step", [1, 3, 50, 1000])
@pytest.mark.parametrize("between", [b"", b"\r\n\r\n"], ids=["", "pings"])
def test_each_is_found_however_the_stream_comes(step: int, between: bytes) -> None:
    assert cut(MessageCutter(), between.join(MESSAGES), step) == MESSAGES


def test_it_knows_when_each_began() -> None:
    cutter, stream = MessageCutter(), b"".join(MESSAGES)
    seen = []
    for at in range(0, len(stream), 10):
        seen += cutter.feed(stream[at : at + 10], NOON + at // 10 * SECOND)
    starts = [sum(map(len, MESSAGES[:number])) for number in range(len(MESSAGES))]
    assert [each.began for each in seen] == [NOON + at // 10 * SECOND for at in starts]


@given(st.integers(0, sum(map(len, MESSAGES))))
@settings(deadline=None, max_examples=100)
def test_who_begins_in_the_middle_is_in_step(at: int) -> None:
    whole = [
        b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\nContent-Length: 3\r\n\r\nabc"
    ]
    stream = b"".join(whole * 5)
    at = min(at, len(stream))
    framer = StreamFramer()
    framer.receive_data(stream[:at])
    found = cut(MessageCutter(*framer.unread), stream[at:], 7)
    in_head = framer.unread[1] == 0
    assert found == whole * (5 - at // len(whole[0]) - (0 if in_head else 1))


@pytest.mark.parametrize(
    "junk",
    [b"x" * 200_000, b"A\r\nContent-Length: 9999999999\r\n\r\n"],
    ids=["endless", "huge"],
)
def test_what_has_no_end_is_not_held(junk: bytes) -> None:
    cutter = MessageCutter()
    cutter.feed(junk, NOON)
    assert cutter.broken
    assert cutter.feed(MESSAGES[0], NOON) == []


@given(st.lists(st.binary(max_size=40), max_size=10))
@settings(deadline=None, max_examples=100)
def test_anything_may_come(pieces: list[bytes]) -> None:
    cutter = MessageCutter()
    found = [each.octets for piece in pieces for each in cutter.feed(piece, NOON)]
    assert sum(map(len, found)) <= sum(map(len, pieces))
