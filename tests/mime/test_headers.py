from __future__ import annotations

import pytest

from mime import MimeError, MimeLimitExceeded
from mime.headers import MAX_HEAD_SIZE, MAX_HEADERS, Head, format_head, line_end_of


@pytest.mark.rule("MIME-4", "MIME-10")
@pytest.mark.parametrize(
    ("data", "headers", "body"),
    [
        pytest.param(b"A: b\r\n\r\nbody", (("A", "b"),), b"body", id="usual"),
        pytest.param(b"A:b\r\n\r\n", (("A", "b"),), b"", id="no-space-no-body"),
        pytest.param(b"A : b \r\n\r\n", (("A", "b"),), b"", id="odd-spacing"),
        pytest.param(b"A:\r\n\r\n", (("A", ""),), b"", id="empty-value"),
        pytest.param(b"\r\nbody", (), b"body", id="no-fields"),
        pytest.param(
            b"A: b\r\n c\r\n\td\r\n\r\n", (("A", "b c\td"),), b"", id="folded"
        ),
        pytest.param(b"A: b\n\nbody", (("A", "b"),), b"body", id="bare-lf"),
        pytest.param(b"\nbody", (), b"body", id="bare-lf-no-fields"),
        pytest.param("A: é\r\n\r\n".encode(), (("A", "é"),), b"", id="utf-8"),
        pytest.param(b"A: \xe9\r\n\r\n", (("A", "é"),), b"", id="latin-1"),
        pytest.param(
            b"A: b\r\n\r\n\r\nx", (("A", "b"),), b"\r\nx", id="blank-body-line"
        ),
        pytest.param(
            b"Content-ID: <a>", (("Content-ID", "<a>"),), b"", id="fields-only"
        ),
        pytest.param(
            b"content-id: <a>\r\n", (("content-id", "<a>"),), b"", id="with-line-end"
        ),
        pytest.param(b"", (), b"", id="nothing"),
    ],
)
def test_fields_are_told_from_the_body(
    data: bytes, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    head = Head.parse(data)
    assert head.headers == headers
    assert data[len(head.raw) :] == body
    assert data.startswith(head.raw)
    assert head.problems == ()


@pytest.mark.rule("MIME-4")
@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"just text", id="one-line"),
        pytest.param(b"just text\r\n\r\nmore of it", id="paragraphs"),
        pytest.param(b"Note: see below\r\nNothing", id="colon-in-text"),
        pytest.param(b"Note: see below", id="colon-in-a-line"),
        pytest.param(b"Content-Type: a/b\r\nbut then text", id="no-blank-line"),
        pytest.param(b"\xff\xd8\xff\xe0" * 30_000, id="binary"),
    ],
)
def test_a_part_without_fields_or_blank_line_is_all_body(data: bytes) -> None:
    head = Head.parse(data)
    assert head.headers == ()
    assert head.raw == b""
    assert head.problems == ("the headers or the blank line after them are missing",)


def test_a_line_that_is_no_field_is_flagged_and_the_others_count() -> None:
    head = Head.parse(b"A: b\r\nwhat\r\nC: d\r\n\r\n")
    assert head.headers == (("A", "b"), ("C", "d"))
    assert head.problems == ("a line that isn't a header field",)


def test_control_characters_do_not_reach_the_value() -> None:
    head = Head.parse(b"A: b\nX: y\x00\r\n\r\n", newline=b"\r\n")
    assert head.headers == (("A", "b X: y"),)
    assert head.problems == ("a control character in a header field",)


def test_a_head_beyond_its_limits_is_refused() -> None:
    with pytest.raises(MimeLimitExceeded, match="octets"):
        Head.parse(b"A: " + b"b" * MAX_HEAD_SIZE + b"\r\n\r\n")
    with pytest.raises(MimeLimitExceeded, match="fields"):
        Head.parse(b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n")
    assert len(Head.parse(b"A: b\r\n" * MAX_HEADERS + b"\r\n").headers) == MAX_HEADERS


@pytest.mark.rule("MIME-15")
def test_fields_are_written_with_a_blank_line_after_them() -> None:
    assert format_head([("A", "b"), ("C", "é")]) == "A: b\r\nC: é\r\n\r\n".encode()
    assert format_head([]) == b"\r\n"


@pytest.mark.rule("MIME-16")
@pytest.mark.parametrize(
    "field",
    [
        pytest.param(("A", "b\r\nC: d"), id="crlf"),
        pytest.param(("A", "b\nC: d"), id="lf"),
        pytest.param(("A", "b\rC: d"), id="cr"),
        pytest.param(("A", "\0"), id="nul"),
        pytest.param(("A\r\nB", "c"), id="name"),
        pytest.param(("A:", "c"), id="colon-in-name"),
        pytest.param(("", "c"), id="no-name"),
        pytest.param(("A", "\ud800"), id="surrogate"),
    ],
)
def test_a_field_that_would_not_be_one_line_is_refused(field: tuple[str, str]) -> None:
    with pytest.raises(MimeError):
        format_head([field])


@pytest.mark.parametrize(
    ("data", "newline"),
    [
        (b"", b"\r\n"),
        (b"a", b"\r\n"),
        (b"a\r\nb\n", b"\r\n"),
        (b"a\nb\r\n", b"\n"),
        (b"\n", b"\n"),
        (b"\r\n", b"\r\n"),
    ],
)
def test_the_first_line_says_how_lines_end(data: bytes, newline: bytes) -> None:
    assert line_end_of(data) == newline
