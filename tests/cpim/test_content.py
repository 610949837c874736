from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import CpimError
from cpim.content import build_content_head, parse_content, read_content, with_crlf
from mime import Part

MISSING = "the headers or the blank line after them are missing"
UNTYPED = "the content has no Content-Type"
DOUBLED = "a blank line too many before the headers of the content"


@pytest.mark.rule("CPIM-2", "CPIM-31", "CPIM-32")
@pytest.mark.parametrize(
    ("data", "essence", "content", "problems"),
    [
        pytest.param(b"Content-Type: a/b\r\n\r\nx", "a/b", b"x", (), id="usual"),
        pytest.param(b"content-type:a/b\r\n\r\nx", "a/b", b"x", (), id="mime-case"),
        pytest.param(b"Content-Type: a/b\r\n\r\n", "a/b", b"", (), id="empty"),
        pytest.param(b"Content-Type: a/b", "a/b", b"", (), id="no-blank-line"),
        pytest.param(
            b"Content-Type: a/b\r\n\r\n\0\xff\n", "a/b", b"\0\xff\n", (), id="binary"
        ),
        pytest.param(b"Content-Type: a/b\n\nx", "a/b", b"x", (), id="bare-lf"),
        pytest.param(
            b"\r\nContent-Type: a/b\r\n\r\nx", "a/b", b"x", (DOUBLED,), id="doubled"
        ),
        pytest.param(
            b"Content-Type: a/b\r\nContent-Length: 1\r\n\r\nlonger",
            "a/b",
            b"longer",
            (),
            id="length-ignored",
        ),
        pytest.param(
            b"X: y\r\n\r\nx", "text/plain", b"x", (UNTYPED,), id="no-content-type"
        ),
        pytest.param(b"\r\nx", "text/plain", b"x", (UNTYPED,), id="no-headers"),
        pytest.param(
            b"hello", "text/plain", b"hello", (MISSING, UNTYPED), id="text-at-once"
        ),
        pytest.param(b"", "text/plain", b"", (UNTYPED,), id="nothing"),
    ],
)
def test_the_content_is_what_follows_its_headers(
    data: bytes, essence: str, content: bytes, problems: tuple[str, ...]
) -> None:
    before = b"From: <im:a@b>\r\n\r\n"
    for head in (b"", before):
        headers, start, found = read_content(head + data, len(head))
        assert Part(headers, b"").content_type.essence == essence
        assert (head + data)[start:] == content
        assert found == problems


def test_too_many_mime_headers_are_a_cpim_error() -> None:
    with pytest.raises(CpimError, match="in the headers of the content"):
        read_content(b"Content-Type: a/b\r\n" + b"X: y\r\n" * 1000 + b"\r\n", 0)


@pytest.mark.rule("CPIM-28")
def test_bare_line_feeds_become_crlf_where_there_are_no_others() -> None:
    assert with_crlf(b"a\nb\n\n") == b"a\r\nb\r\n\r\n"
    assert with_crlf(b"a\r\nb\n") == b"a\r\nb\n"


PIECES = [
    b"Content-Type: text/plain",
    b"content-type:a/b",
    b"Content-Length: 5",
    b"X: " + b"y" * 100,
    b" folded",
    b"no field",
    b":",
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\n\n",
    b"\r",
    b"\0\xff",
]


@pytest.mark.rule("CPIM-2", "CPIM-28")
@settings(deadline=None, max_examples=500)
@given(
    st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    st.sampled_from([b"", b"\n", b"\r\n\r\n", b"To: <im:a@b>\r\n\r\n"]),
)
def test_headers_are_remembered_as_what_they_would_be_read_as(
    data: bytes, before: bytes
) -> None:
    assert read_content(before + data, len(before)) == parse_content(
        before + data, len(before)
    )


@pytest.mark.parametrize(
    ("content_type", "fields", "head"),
    [
        ("text/plain;charset=utf-8", (), b"Content-Type: text/plain; charset=utf-8"),
        ("Text/Plain", (("X", "y"),), b"Content-Type: text/plain\r\nX: y"),
        ("a/" + "b" * 200, (), b"Content-Type: a/" + b"b" * 200),
    ],
)
def test_headers_are_written_as_those_of_a_part(
    content_type: str, fields: tuple[tuple[str, str], ...], head: bytes
) -> None:
    for _ in range(2):
        assert build_content_head(content_type, fields) == head + b"\r\n\r\n"
    assert build_content_head(Part.build(content_type, b"").content_type, fields) == (
        head + b"\r\n\r\n"
    )


def test_headers_that_cannot_be_written_are_a_cpim_error_each_time() -> None:
    for _ in range(2):
        with pytest.raises(CpimError):
            build_content_head("text", ())
        with pytest.raises(CpimError):
            build_content_head("text/plain", (("X", "a\r\nb"),))
