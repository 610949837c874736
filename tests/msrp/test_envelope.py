"""Envelopes that are opened while they arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from msrp.content import MAX_ENVELOPE, EnvelopeOpener
from msrp.errors import RemoteProtocolError

HEAD = (
    b"From: <im:a@b>\r\nTo: <im:c@d>\r\nDateTime: 2006-05-15T15:02:31-03:00\r\n\r\n"
    b"Content-Type: image/jpeg\r\n"
    b'Content-Disposition: attachment; filename="../a.jpg"\r\n\r\n'
)


@given(st.binary(max_size=40), st.lists(st.integers(0, 260), max_size=5), st.booleans())
def test_however_it_is_cut_the_content_comes_out(
    content: bytes, cuts: list[int], bare: bool
) -> None:
    octets = (HEAD.replace(b"\r\n", b"\n") if bare else HEAD) + content
    opener = EnvelopeOpener()
    places = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    pieces = [octets[a:b] for a, b in itertools.pairwise(places)]
    assert b"".join(map(opener.feed, pieces)) == content
    assert opener.is_open
    assert opener.content_type == "image/jpeg"
    assert opener.filename == "a.jpg"


@pytest.mark.parametrize(
    ("mime_head", "content_type"),
    [(b"", "text/plain"), (b"Content-Type: a/b;c=d\r\n", "a/b; c=d")],
)
def test_what_isn_t_said_is_as_in_any_envelope(
    mime_head: bytes, content_type: str
) -> None:
    opener = EnvelopeOpener()
    data = b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n" + mime_head + b"\r\nbody"
    assert opener.feed(data) == b"body"
    assert opener.content_type == content_type
    assert opener.filename is None


def test_a_head_has_an_end() -> None:
    opener = EnvelopeOpener()
    for _ in range(MAX_ENVELOPE):
        assert opener.feed(b"x") == b""
    with pytest.raises(RemoteProtocolError, match="too long"):
        opener.feed(b"x")


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: HEAD[:90] + b))
def test_any_octets_are_an_envelope_or_refused(data: bytes) -> None:
    opener = EnvelopeOpener()
    try:
        opener.feed(data)
        opener.feed(b"\r\n\r\n\r\n\r\n\n\n\n")
    except RemoteProtocolError:
        return
    assert opener.is_open
