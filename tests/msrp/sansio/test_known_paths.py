from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import RemoteProtocolError
from msrp.headers import RequestHead
from msrp.sansio import known_paths
from msrp.sansio.known_paths import KnownPaths

PATHS = b"To-Path: msrp://a.example:9/x;tcp\r\nFrom-Path: msrp://b.example:9/y;tcp"
USUAL = PATHS + b"\r\nMessage-ID: m123\r\nByte-Range: 1-5/5\r\nContent-Type: text/plain"


def parse(block: bytes) -> RequestHead:
    return RequestHead.parse("t123", "SEND", block)


def that_know(block: bytes) -> KnownPaths:
    known = KnownPaths()
    known.remember(block, parse(block))
    return known


@pytest.mark.parametrize(
    "rest",
    [
        b"Message-ID: m123",
        b"Message-ID: m123\r\nByte-Range: 3-*/*\r\nContent-Type: text/plain; a=b",
        b"Message-ID: other\r\nSuccess-Report: yes\r\nFailure-Report: partial"
        b"\r\nByte-Range: 1-9/9\r\nContent-Type: message/cpim",
        b"Message-ID: m123\r\nSuccess-Report: no\r\nFailure-Report: no",
    ],
)
def test_a_head_behind_known_paths_is_what_the_long_way_would_read(rest: bytes) -> None:
    block = PATHS + b"\r\n" + rest
    head = that_know(USUAL).parse("t123", block)
    assert head == parse(block)


def test_paths_that_are_known_are_the_same_objects_each_time() -> None:
    known = that_know(USUAL)
    first, second = known.parse("t123", USUAL), known.parse("t124", USUAL)
    assert first is not None
    assert second is not None
    assert first.to_path is second.to_path
    assert first.from_path is second.from_path


@pytest.mark.parametrize(
    "block",
    [
        USUAL.replace(b"a.example", b"c.example"),
        USUAL.replace(b"Message-ID", b"message-id"),
        USUAL.replace(b"1-5/5", b"1-5"),
        USUAL + b"\r\nX-Other: field",
    ],
    ids=["other paths", "another spelling", "malformed", "another field"],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_long_way(block: bytes) -> None:
    assert that_know(USUAL).parse("t123", block) is None


def test_nothing_is_known_at_first() -> None:
    assert KnownPaths().parse("t123", USUAL) is None


@pytest.mark.parametrize(
    "block",
    [
        PATHS + b"\r\nX-Other: field\r\nMessage-ID: m123",
        PATHS + b"\r\nByte-Range: 1-5/5\r\nMessage-ID: m123",
        PATHS + b"\r\nByte-Range: 1-5/5",
        PATHS.replace(b"/x;", b"/" + b"x" * 600 + b";") + b"\r\nMessage-ID: m123",
    ],
    ids=["a field between", "a range between", "no Message-ID", "long"],
)
def test_only_paths_that_stand_before_the_message_id_are_remembered(
    block: bytes,
) -> None:
    assert that_know(block).parse("t123", block) is None


def test_a_peer_cannot_have_any_number_of_paths_remembered() -> None:
    blocks = [
        USUAL.replace(b"/y;", b"/y%d;" % number)
        for number in range(known_paths._MAX_KNOWN + 1)
    ]
    known = KnownPaths()
    for block in blocks:
        known.remember(block, parse(block))
    assert known.parse("t123", blocks[0]) is None
    assert known.parse("t123", blocks[-1]) is not None


@settings(deadline=None, max_examples=150)
@given(
    at=st.integers(0, len(USUAL)), octets=st.binary(max_size=4), cut=st.integers(0, 4)
)
def test_a_changed_head_is_read_as_the_long_way_reads_it_or_not_at_all(
    at: int, octets: bytes, cut: int
) -> None:
    block = USUAL[:at] + octets + USUAL[at + cut :]
    head = that_know(USUAL).parse("t123", block)
    try:
        expected = parse(block)
    except RemoteProtocolError:
        assert head is None
        return
    assert head in (None, expected)
    known = KnownPaths()
    known.remember(block, expected)
    assert known.parse("t123", block) in (None, expected)
