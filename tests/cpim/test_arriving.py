"""Heads of messages that are still arriving."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import CpimError, CpimMessage, read_head

HEADERS = b"From: <im:a@b>\r\nTo: <im:c@d>\r\nSubject: x\r\n"
MIME = b"Content-Type: image/jpeg\r\nContent-ID: <a@b>\r\n"

HEADS = {
    "as it should be": HEADERS + b"\r\n" + MIME + b"\r\n",
    "bare line feeds": (HEADERS + b"\r\n" + MIME + b"\r\n").replace(b"\r\n", b"\n"),
    "line ends of two kinds": HEADERS + b"\r\n" + MIME.replace(b"\r\n", b"\n") + b"\n",
    "no blank line": HEADERS + MIME + b"\r\n",
    "a blank line too many": HEADERS + b"\r\n\r\n" + MIME + b"\r\n",
    "one in front": b"\r\n" + HEADERS + b"\r\n" + MIME + b"\r\n",
    "no headers of the content": HEADERS + b"\r\n\r\n",
    "other headers of the content": HEADERS + b"\r\nX-Y: z\r\n\r\n",
    "nothing but content": HEADERS + b"\r\nhello\r\n\r\n",
    "a blank line of another kind": HEADERS + b"\r\n\r\nmime-version:\n\r\n\n",
}

CONTENTS = st.one_of(
    st.binary(max_size=30),
    st.lists(
        st.sampled_from([b"\r\n", b"\n", b"Content-", b"mime-version:", b"a: b", b"x"]),
        max_size=8,
    ).map(b"".join),
)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(HEADS)), CONTENTS)
def test_it_is_read_as_in_the_whole_as_soon_as_it_is_here(
    kind: str, content: bytes
) -> None:
    data = HEADS[kind] + content
    whole = CpimMessage.parse(data)
    for stop in range(len(data) + 1):
        message = read_head(data[:stop])
        if message is None:
            continue
        there = stop - len(message.content)
        assert there == len(data) - len(whole.content)
        assert message.headers == whole.headers
        assert message.content_headers == whole.content_headers


@pytest.mark.parametrize("kind", sorted(HEADS))
def test_it_is_here_at_its_last_octet_or_soon_after(kind: str) -> None:
    head = HEADS[kind]
    message = read_head(head + b"what follows")
    assert message is not None
    assert message.content.endswith(b"what follows")
    if "no headers" not in kind:
        assert read_head(head) is not None


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [b"\r\n", b"\n", b"From: <im:a@b>", b"Content-Type: a/b", b": ", b"x"]
        ),
        max_size=14,
    ).map(b"".join)
    | st.binary(max_size=60)
)
def test_any_octets_are_a_head_or_none_or_no_cpim(data: bytes) -> None:
    try:
        message = read_head(data)
    except CpimError:
        return
    if message is not None:
        assert data.endswith(message.content)


def test_a_head_of_blank_lines_only_is_none() -> None:
    with pytest.raises(CpimError, match="line end"):
        read_head(HEADERS + b"a" + b"\n" * 10_000)


def test_a_head_that_isn_t_all_here_is_awaited() -> None:
    head = HEADS["as it should be"]
    assert all(read_head(head[:stop]) is None for stop in range(len(head)))
