from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mime import ContentType, MimeError

tokens = st.text("abcXYZ019!#$%&'*+-.^_`{|}~", min_size=1, max_size=12)
values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)


@pytest.mark.rule("MIME-1", "MIME-10")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("text/plain; charset=utf-8", id="usual"),
        pytest.param("text/plain;charset=utf-8", id="no-space"),
        pytest.param('text/plain ; charset = "utf-8"', id="odd-spacing"),
        pytest.param("Text/PLAIN; Charset=utf-8", id="case"),
        pytest.param("text / plain; charset=utf-8", id="spaced-slash"),
        pytest.param("text/plain; charset=utf-8 (Unicode)", id="comment"),
        pytest.param("text/plain;\r\n charset=utf-8", id="folded"),
        pytest.param(b"text/plain; charset=utf-8", id="octets"),
    ],
)
def test_spellings_of_one_type_are_equal(value: str | bytes) -> None:
    parsed = ContentType.parse(value)
    expected = ContentType("text", "plain", (("charset", "utf-8"),))
    assert parsed == expected
    assert hash(parsed) == hash(expected)
    assert str(parsed) == "text/plain; charset=utf-8"


def test_the_order_of_parameters_does_not_count() -> None:
    assert ContentType.parse("a/b;c=1;d=2") == ContentType.parse("a/b;d=2;c=1")
    assert ContentType.parse("a/b;c=1") != ContentType.parse("a/b;c=2")
    assert ContentType("a", "b") != "a/b"


@pytest.mark.rule("CPIM-1")
def test_the_case_of_the_type_does_not_count() -> None:
    assert ContentType.parse("Message/CPIM").essence == "message/cpim"


@pytest.mark.rule("MIME-1")
def test_a_boundary_keeps_its_case_while_a_charset_does_not() -> None:
    content_type = ContentType.parse('multipart/mixed; BOUNDARY="aB:c"; charset=UTF-8')
    assert content_type.boundary == "aB:c"
    assert content_type.charset == "utf-8"
    assert content_type.parameter("Boundary") == "aB:c"
    assert content_type.parameter("x") is None
    assert ContentType("text", "plain").charset is None


@pytest.mark.parametrize(
    "value",
    ["", "text", "text/", "/plain", "te xt/plain", "text/plain/x", "a/b\0", "é/b"],
)
def test_what_is_no_type_is_an_error(value: str) -> None:
    with pytest.raises(MimeError):
        ContentType.parse(value)


@pytest.mark.rule("MIME-16")
def test_a_type_that_would_add_a_header_cannot_be_made() -> None:
    with pytest.raises(MimeError):
        ContentType("text", "plain\r\nX: y")
    with pytest.raises(MimeError):
        ContentType("text", "plain", (("charset", "x\r\nX: y"),))


@pytest.mark.parametrize(
    ("pattern", "does"),
    [
        ("*", True),
        ("*/*", True),
        ("text/*", True),
        ("TEXT/Plain", True),
        (" text/plain;charset=utf-8", True),
        ("text/html", False),
        ("image/*", False),
        ("text", False),
        ("tex*/plain", False),
        ("", False),
    ],
)
def test_a_type_matches_patterns_of_accept_types(pattern: str, does: bool) -> None:
    assert ContentType.parse("Text/plain;a=b").matches(pattern) is does


@settings(deadline=None)
@given(tokens, tokens, st.lists(st.tuples(tokens, values), max_size=4))
def test_what_is_written_reads_back_equal(
    type_: str, subtype: str, parameters: list[tuple[str, str]]
) -> None:
    written = ContentType(type_, subtype, tuple(parameters))
    assert ContentType.parse(str(written)) == written


@settings(deadline=None)
@given(st.binary(max_size=60) | st.text('ab/;=" ()\\\r\n\t', max_size=40))
def test_anything_reads_or_is_a_mime_error(value: bytes | str) -> None:
    try:
        parsed = ContentType.parse(value)
    except MimeError:
        return
    assert ContentType.parse(str(parsed)) == parsed
