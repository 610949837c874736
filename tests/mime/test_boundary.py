from __future__ import annotations

from collections.abc import Iterator

import pytest

from mime import MimeError, MimeLimitExceeded
from mime.boundary import MAX_BOUNDARY_TRIES, choose_boundary, split_sections


def sections_of(body: bytes, boundary: str = "abc") -> list[bytes]:
    found = split_sections(body, boundary, max_parts=100)
    return [body[start:stop] for start, stop in found.spans]


@pytest.mark.rule("MIME-2", "MIME-3", "MIME-5")
@pytest.mark.parametrize(
    ("body", "sections"),
    [
        pytest.param(b"--abc\r\nx\r\n--abc--", [b"x"], id="smallest"),
        pytest.param(b"\r\n--abc\r\nx\r\n--abc--\r\n", [b"x"], id="crlf-first"),
        pytest.param(b"--abc\r\nx\r\n\r\n--abc--", [b"x\r\n"], id="own-line-end"),
        pytest.param(b"pre\r\n--abc\r\nx\r\n--abc--\r\npost", [b"x"], id="preamble"),
        pytest.param(
            b"--abc\r\nx\r\n--abc--\r\n--abc\r\ny\r\n--abc--", [b"x"], id="epilogue"
        ),
        pytest.param(b"--abc \t\r\nx\r\n--abc--  ", [b"x"], id="transport-padding"),
        pytest.param(b"--abc\r\nx\r\n--abc\r\ny\r\n--abc--", [b"x", b"y"], id="two"),
        pytest.param(b"--abc\r\n--abc--", [b""], id="shared-line-end"),
        pytest.param(b"--abc\r\n\r\n--abc--", [b""], id="no-octets"),
        pytest.param(
            b"--abc\r\n--abcd\r\n\r\n--abc--x\r\n--ab\r\n--abc--",
            [b"--abcd\r\n\r\n--abc--x\r\n--ab"],
            id="longer-lines",
        ),
        pytest.param(b"--abc\r\nx --abc--\r\n--abc--", [b"x --abc--"], id="mid-line"),
        pytest.param(b"--abc\r\nx\n--abc--\r\n--abc--", [b"x\n--abc--"], id="bare-lf"),
        pytest.param(b"--abc\r\nx\r--abc\r\n--abc--", [b"x\r--abc"], id="bare-cr"),
        pytest.param(
            b"--abcd\r\n\r\n--abc\r\nx\r\n--abc--", [b"x"], id="near-miss-at-start"
        ),
        pytest.param(b"--abc\r\n\0\xff\r\r\n--abc--", [b"\0\xff\r"], id="binary"),
    ],
)
def test_parts_are_what_is_between_delimiter_lines(
    body: bytes, sections: list[bytes]
) -> None:
    assert sections_of(body) == sections
    assert split_sections(body, "abc", max_parts=9).is_closed


@pytest.mark.rule("MIME-7")
@pytest.mark.parametrize(
    ("body", "sections"),
    [
        pytest.param(b"--abc\r\nx", [b"x"], id="no-delimiter"),
        pytest.param(b"--abc\r\nx\r\n--ab", [b"x\r\n--ab"], id="cut-within-delimiter"),
        pytest.param(b"--abc\r\nx\r\n--abc", [b"x"], id="cut-after-boundary"),
        pytest.param(b"--abc\r\nx\r\n--abc\r\n", [b"x"], id="cut-after-delimiter"),
        pytest.param(b"--abc\r\nx\r\n--abc\r\ny", [b"x", b"y"], id="cut-in-second"),
    ],
)
def test_without_the_closing_delimiter_what_is_there_counts(
    body: bytes, sections: list[bytes]
) -> None:
    assert sections_of(body) == sections
    assert not split_sections(body, "abc", max_parts=9).is_closed


@pytest.mark.rule("MIME-7")
@pytest.mark.parametrize(
    "body", [b"", b"text", b"--abc--\r\n", b"--abc", b"--abc\r\n", b"\n--abc--\nx"]
)
def test_a_body_without_parts_is_an_error(body: bytes) -> None:
    with pytest.raises(MimeError, match="without parts"):
        sections_of(body)


@pytest.mark.rule("MIME-13")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"--abc\nx\n--abc\ny\n--abc--\n", id="all-bare"),
        pytest.param(b"pre\n--abc \nx\n--abc\ny\n--abc--", id="preamble"),
        pytest.param(b"--abc\nx\n--abc\ny\n--abc--\r\n", id="last-line-crlf"),
    ],
)
def test_bare_line_feeds_are_accepted_if_there_is_nothing_better(body: bytes) -> None:
    assert sections_of(body) == [b"x", b"y"]
    assert split_sections(body, "abc", max_parts=9).newline == b"\n"


@pytest.mark.rule("MIME-1")
@pytest.mark.parametrize("boundary", ["", "a" * 71, "a ", "a\r\nb", "é", 'a"', "a;b"])
def test_an_illegal_boundary_is_an_error(boundary: str) -> None:
    with pytest.raises(MimeError, match="boundary"):
        split_sections(b"--a\r\n\r\n--a--", boundary, max_parts=9)


@pytest.mark.rule("MIME-1")
@pytest.mark.parametrize("boundary", ["a", "a" * 70, "a b", "'()+_,-./:=?", "0", "--"])
def test_a_legal_boundary_separates(boundary: str) -> None:
    body = f"--{boundary}\r\nx\r\n--{boundary}--\r\n".encode()
    assert sections_of(body, boundary) == [b"x"]


@pytest.mark.rule("MIME-6")
@pytest.mark.parametrize("end", [b"--abc--", b""])
def test_more_parts_than_allowed_are_refused(end: bytes) -> None:
    body = b"--abc\r\nx\r\n" * 10 + end
    assert len(split_sections(body, "abc", max_parts=10).spans) == 10
    with pytest.raises(MimeLimitExceeded):
        split_sections(body, "abc", max_parts=9)


@pytest.mark.rule("MIME-9")
@pytest.mark.parametrize(
    "unit",
    [
        pytest.param(b"\r\n--abc_", id="near-boundaries"),
        pytest.param(b"\r\n--abc \t x", id="padded-near-boundaries"),
        pytest.param(b"\r\n--abc-", id="nearly-closed"),
        pytest.param(b"\r\n--", id="hyphens"),
        pytest.param(b"\r\n", id="blank-lines"),
        pytest.param(b" ", id="spaces"),
    ],
)
def test_hostile_bodies_are_read_to_their_end(unit: bytes) -> None:
    # A million candidates: any quadratic step would run into the timeout.
    content = unit * 300_000 + b"!"
    body = b"--abc\r\n" + content + b"\r\n--abc--"
    assert sections_of(body) == [content]


@pytest.mark.rule("MIME-14")
def test_a_boundary_is_not_in_the_parts() -> None:
    tokens = iter(["one", "two", "inner-and-more", "inn", "four"])
    chosen = choose_boundary(
        [b"x one y", b"\r\n--two", b"--inner\r\n"], ["inner"], lambda: next(tokens)
    )
    assert chosen == "four"


@pytest.mark.rule("MIME-14")
def test_a_source_of_boundaries_that_never_fit_is_given_up() -> None:
    calls: list[int] = []

    def token() -> str:
        calls.append(1)
        return "same"

    with pytest.raises(MimeError, match="no boundary"):
        choose_boundary([b"the same"], [], token)
    assert len(calls) == MAX_BOUNDARY_TRIES


@pytest.mark.rule("MIME-1", "MIME-14")
def test_an_illegal_token_is_an_error() -> None:
    tokens: Iterator[str] = iter(["a\r\nb"])
    with pytest.raises(MimeError, match="token"):
        choose_boundary([b""], [], lambda: next(tokens))
