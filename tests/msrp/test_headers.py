from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import RemoteProtocolError
from msrp.headers import (
    MAX_RANGE_DIGITS,
    ByteRange,
    FailureReport,
    RequestHead,
    Status,
    is_ident,
    parse_fields,
    salvage_path,
    salvage_value,
)
from msrp.uri import parse_path

TO = "msrp://bob.example:2855/b;tcp"
FROM = "msrp://alice.example:2855/a;tcp"
PATHS = f"To-Path: {TO}\r\nFrom-Path: {FROM}"


def parse(*lines: str) -> RequestHead:
    block = "\r\n".join([PATHS, *lines])
    return RequestHead.parse("tid1", "SEND", block.encode())


def refuse(block: bytes, problem: str) -> None:
    with pytest.raises(RemoteProtocolError, match=problem) as caught:
        RequestHead.parse("tid1", "SEND", block)
    assert caught.value.status == 400


@pytest.mark.rule("MSRP-3")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("abcd", id="four"),
        pytest.param("a" * 32, id="thirty-two"),
        pytest.param("0.-+%=", id="every-other-character"),
    ],
)
def test_idents(text: str) -> None:
    assert is_ident(text)
    assert parse(f"Message-ID: {text}").message_id == text


@pytest.mark.rule("MSRP-3")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("abc", id="three"),
        pytest.param("a" * 33, id="thirty-three"),
        pytest.param(".abcd", id="leading-dot"),
        pytest.param("-abcd", id="leading-hyphen"),
        pytest.param("ab_cd", id="underscore"),
        pytest.param("ab/cd", id="slash"),
        pytest.param("ab~cd", id="tilde"),
        pytest.param("ab cd", id="space"),
        pytest.param("abcd\n", id="newline-at-the-end"),
        pytest.param("abcdé", id="not-ascii"),
        pytest.param("abcd٣", id="another-script's-digit"),
    ],
)
def test_no_idents(text: str) -> None:
    assert not is_ident(text)
    refuse(f"{PATHS}\r\nMessage-ID: {text}".encode(), "malformed")


@pytest.mark.rule("MSRP-10", "FIELD-16")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1-*/*", ByteRange(1, None, None), id="nothing-known"),
        pytest.param("5-8/8", ByteRange(5, 8, 8), id="all-known"),
        pytest.param("1-0/0", ByteRange(1, 0, 0), id="empty"),
        pytest.param("1-*/8", ByteRange(1, None, 8), id="total-known"),
        pytest.param("1-8/*", ByteRange(1, 8, None), id="end-known"),
        pytest.param("0-0/0", ByteRange(0, 0, 0), id="seen-in-the-wild"),
        pytest.param("9-3/2", ByteRange(9, 3, 2), id="nonsense-to-be-judged-later"),
        pytest.param(
            "9" * MAX_RANGE_DIGITS + "-*/*",
            ByteRange(int("9" * MAX_RANGE_DIGITS), None, None),
            id="huge",
        ),
    ],
)
def test_byte_ranges(text: str, expected: ByteRange) -> None:
    assert ByteRange.parse(text) == expected
    assert str(expected) == text
    assert parse(f"Byte-Range: {text}").byte_range == expected


@pytest.mark.rule("MSRP-10")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("*-5/5", id="asterisk-as-start"),
        pytest.param("-1-5/5", id="negative"),
        pytest.param("1-5", id="no-total"),
        pytest.param("1-5/", id="empty-total"),
        pytest.param("1/5", id="no-end"),
        pytest.param("1 - 5/5", id="spaces"),
        pytest.param("1-5/5 ", id="space-after"),
        pytest.param("+1-5/5", id="sign"),
        pytest.param("1-5/5\n", id="newline-at-the-end"),
        pytest.param("٣-5/5", id="another-script's-digit"),
        pytest.param("1-5/1" + "0" * MAX_RANGE_DIGITS, id="one-digit-too-many"),
    ],
)
def test_no_byte_ranges(text: str) -> None:
    with pytest.raises(RemoteProtocolError, match="malformed Byte-Range"):
        ByteRange.parse(text)


@pytest.mark.rule("MSRP-10", "MSRP-68")
def test_a_million_digits_are_not_made_a_number() -> None:
    # int() alone would refuse it with a ValueError of its own.
    with pytest.raises(RemoteProtocolError):
        ByteRange.parse("1-*/" + "9" * 1_000_000)


@pytest.mark.rule("MSRP-11")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("000 200", Status(200), id="no-comment"),
        pytest.param("000 413 stop it", Status(413, "stop it"), id="comment"),
        pytest.param("001 123", Status(123, "", "001"), id="another-namespace"),
        pytest.param("000 099 é\t☺", Status(99, "é\t☺"), id="comment-in-utf-8"),
    ],
)
def test_statuses(text: str, expected: Status) -> None:
    assert Status.parse(text) == expected
    assert str(expected) == text
    assert parse(f"Status: {text}").status == expected


@pytest.mark.rule("MSRP-11")
@pytest.mark.parametrize(
    "text", ["", "200", "000", "00 200", "000 20", "000  200", "000 2000", "xyz 200"]
)
def test_no_statuses(text: str) -> None:
    with pytest.raises(RemoteProtocolError, match="malformed Status"):
        Status.parse(text)


@pytest.mark.rule("MSRP-7")
def test_header_names_and_words_are_read_in_any_case() -> None:
    block = (
        f"to-path: {TO}\r\nFROM-PATH: {FROM}\r\nmessage-id: AbCd\r\n"
        "success-REPORT: Yes\r\nFAILURE-REPORT: NO\r\nbyte-range: 1-*/*\r\n"
        "content-type: Text/Plain\r\nstatus: 000 200"
    )
    head = RequestHead.parse("tid1", "SEND", block.encode())
    assert head == RequestHead(
        "tid1",
        "SEND",
        parse_path(TO),
        parse_path(FROM),
        "AbCd",
        ByteRange(1, None, None),
        "Text/Plain",
        True,
        FailureReport.NO,
        Status(200),
    )


@pytest.mark.rule("MSRP-48")
def test_defaults_of_the_report_fields() -> None:
    head = parse()
    assert head.success_report is False
    assert head.failure_report is FailureReport.YES


@pytest.mark.rule("MSRP-7", "MSRP-48")
@pytest.mark.parametrize("word", ["yes", "no", "partial", "YES", "No", "pArTiAl"])
def test_words_of_failure_report(word: str) -> None:
    head = parse(f"Failure-Report: {word}")
    assert head.failure_report is FailureReport(word.lower())


@pytest.mark.parametrize(
    "line",
    [
        "Success-Report: maybe",
        "Success-Report: partial",
        "Success-Report:",
        "Failure-Report: maybe",
        "Failure-Report: ja",
    ],
)
def test_other_words_are_refused(line: str) -> None:
    refuse(f"{PATHS}\r\n{line}".encode(), "malformed")


@pytest.mark.rule("MSRP-8", "FIELD-11")
def test_unknown_fields_are_kept_and_change_nothing() -> None:
    head = parse("X-Foo: bar: baz", "Message-ID: abcd", "Min-Expires: 1")
    assert head.message_id == "abcd"
    assert head.others == {"x-foo": "bar: baz", "min-expires": "1"}


@pytest.mark.rule("MSRP-5")
def test_paths_may_come_in_any_place() -> None:
    block = f"Message-ID: abcd\r\nFrom-Path: {FROM}\r\nTo-Path: {TO}"
    head = RequestHead.parse("tid1", "SEND", block.encode())
    assert head.to_path == parse_path(TO)
    assert head.from_path == parse_path(FROM)


@pytest.mark.rule("MSRP-5", "MSRP-6", "MSRP-9", "MSRP-20")
@pytest.mark.parametrize(
    ("block", "problem"),
    [
        pytest.param(b"", "a path is missing", id="nothing"),
        pytest.param(f"To-Path: {TO}".encode(), "a path is missing", id="no-from"),
        pytest.param(f"From-Path: {FROM}".encode(), "a path is missing", id="no-to"),
        pytest.param(
            f"To-Path:\r\nFrom-Path: {FROM}".encode(), "no valid", id="empty-path"
        ),
        pytest.param(
            f"To-Path: {TO}\r\nFrom-Path: msrp://h:1/\xe9;tcp".encode(),
            "no valid",
            id="path-not-ascii",
        ),
        pytest.param(PATHS.encode() + b"\r\nX: \xff", "not UTF-8", id="not-utf-8"),
        pytest.param(PATHS.encode() + b"\r\n folded", "malformed header", id="folded"),
        pytest.param(PATHS.encode() + b"\r\n X: y", "malformed header", id="indented"),
        pytest.param(PATHS.encode() + b"\r\nX", "header line", id="no-colon"),
        pytest.param(PATHS.encode() + b"\r\n: y", "header name", id="no-name"),
        pytest.param(PATHS.encode() + b"\r\nX : y", "header name", id="space-in-name"),
        pytest.param(PATHS.encode() + b"\r\n1X: y", "header name", id="digit-first"),
        pytest.param(PATHS.encode() + b"\r\nX: y\nz", "header line", id="bare-lf"),
        pytest.param(PATHS.encode() + b"\r\nX: y\rz", "header line", id="bare-cr"),
        pytest.param(PATHS.encode() + b"\r\nX: y\0z", "header line", id="nul"),
        pytest.param(PATHS.encode() + b"\r\nX\n: y", "header name", id="lf-in-name"),
        pytest.param(PATHS.encode() + b"\r\nX: 1\r\nx: 1", "repeated", id="repeated"),
        pytest.param(
            f"{PATHS}\r\nto-path: {TO}".encode(), "repeated", id="two-to-paths"
        ),
    ],
)
def test_malformed_header_sections(block: bytes, problem: str) -> None:
    refuse(block, problem)


def test_white_space_around_a_value_is_dropped() -> None:
    assert parse_fields(b"X:y\r\nY: \tz \t") == {"x": "y", "y": "z"}
    assert parse_fields(b"") == {}


@pytest.mark.rule("MSRP-79")
@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param(f"junk\r\nFROM-path:{FROM}\r\n\xff", FROM, id="amid-junk"),
        pytest.param(f"From-Path: \t{FROM} ", FROM, id="white-space"),
        pytest.param(f"From-Path: {FROM} {TO}", f"{FROM} {TO}", id="two-uris"),
        pytest.param(f"From-Path: {FROM}\r\nFrom-Path: {TO}", FROM, id="two-fields"),
    ],
)
def test_a_path_is_salvaged_from_a_malformed_section(block: str, expected: str) -> None:
    found = salvage_path(block.encode("latin-1"), b"from-path")
    assert found == parse_path(expected)


@pytest.mark.rule("MSRP-79")
@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(PATHS.encode()[1:60], id="another-field"),
        pytest.param(b"From-Path: nonsense", id="no-uri"),
        pytest.param(b"From-Path: msrp://\xff:1/a;tcp", id="not-ascii"),
    ],
)
def test_no_path_can_be_salvaged(block: bytes) -> None:
    assert salvage_path(block, b"from-path") == ()


def test_a_value_is_salvaged_as_octets() -> None:
    assert salvage_value(b"X\r\nfailure-REPORT:\t\xff \r\n", b"failure-report") == (
        b"\xff"
    )
    assert salvage_value(b"X: y", b"failure-report") is None


@given(st.integers(0, 10**19 - 1), st.none() | st.integers(0), st.none() | st.just(0))
@settings(max_examples=50, deadline=None)
def test_ranges_read_back(start: int, end: int | None, total: int | None) -> None:
    end = None if end is None else end % 10**MAX_RANGE_DIGITS
    byte_range = ByteRange(start, end, total)
    assert ByteRange.parse(str(byte_range)) == byte_range


lines = st.lists(
    st.sampled_from(
        [
            f"To-Path: {TO}".encode(),
            f"From-Path: {FROM}".encode(),
            b"Message-ID: abcd",
            b"Byte-Range: 1-2/3",
            b"Status: 000 200",
            b"Content-Type: a/b",
            b"Failure-Report: no",
            b"Success-Report: yes",
            b"X: \xff",
            b":",
            b"\n",
        ]
    )
    | st.binary(max_size=20)
).map(b"\r\n".join)


@given(st.binary() | lines)
@settings(max_examples=300, deadline=None)
def test_any_section_is_read_or_refused(block: bytes) -> None:
    try:
        head = RequestHead.parse("tid1", "SEND", block)
    except RemoteProtocolError:
        salvage_path(block, b"from-path")
    else:
        assert salvage_path(block, b"from-path") == head.from_path
        assert salvage_path(block, b"to-path") == head.to_path
