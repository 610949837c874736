from __future__ import annotations

import pytest

from cpim import CpimError
from cpim.content import read_content, with_crlf

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
    part, found = read_content(data)
    assert part.content_type.essence == essence
    assert part.body == content
    assert found == problems


def test_too_many_mime_headers_are_a_cpim_error() -> None:
    with pytest.raises(CpimError, match="in the headers of the content"):
        read_content(b"Content-Type: a/b\r\n" + b"X: y\r\n" * 1000 + b"\r\n")


@pytest.mark.rule("CPIM-28")
def test_bare_line_feeds_become_crlf_where_there_are_no_others() -> None:
    assert with_crlf(b"a\nb\n\n") == b"a\r\nb\r\n\r\n"
    assert with_crlf(b"a\r\nb\n") == b"a\r\nb\n"
