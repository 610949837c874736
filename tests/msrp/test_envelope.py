"""Envelopes that are opened while they arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpim import CpimMessage, read_head
from msrp.content import MAX_ENVELOPE, MAX_NESTING, EnvelopeOpener
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


def test_a_head_that_comes_octet_by_octet_is_read_a_few_times_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read: list[int] = []

    def count(octets: bytes) -> CpimMessage | None:
        read.append(len(octets))
        return read_head(octets)

    monkeypatch.setattr("msrp.content.envelope.read_head", count)
    head = HEAD.replace(b"Content-Type", b"X: y\r\n" * 200 + b"Content-Type")
    opener = EnvelopeOpener()
    for octet in head:
        assert opener.feed(bytes([octet])) == b""
    assert opener.is_open
    assert len(read) < 40


@given(st.binary(max_size=40), st.lists(st.integers(0, 400), max_size=5))
def test_an_envelope_within_another_is_opened_too(
    content: bytes, cuts: list[int]
) -> None:
    outer = b"From: <im:room@x>\r\n\r\nContent-Type: message/cpim\r\n\r\n"
    octets = outer + HEAD + content
    opener = EnvelopeOpener()
    places = [0, *sorted(min(cut, len(octets)) for cut in cuts), len(octets)]
    pieces = [octets[a:b] for a, b in itertools.pairwise(places)]
    assert b"".join(map(opener.feed, pieces)) == content
    assert opener.size == len(outer) + len(HEAD)
    senders = [each.sender for each in opener.envelopes]
    assert [each and each.uri for each in senders] == ["im:room@x", "im:a@b"]
    assert (opener.content_type, opener.filename) == ("image/jpeg", "a.jpg")
    assert opener.problem is None


@pytest.mark.parametrize(
    ("inner", "problem"),
    [
        pytest.param(b"\r\n\r\nno head", "can't be read", id="no-head"),
        pytest.param(
            b"Require: NoSuch\r\n\r\n\r\n????????????", "requires", id="required"
        ),
        pytest.param(b"From: " + b"x" * MAX_ENVELOPE, "too long", id="too-long"),
    ],
)
def test_what_is_in_a_good_envelope_is_content_even_if_it_is_a_bad_one(
    inner: bytes, problem: str
) -> None:
    outer = b"From: <im:a@b>\r\n\r\nContent-Type: message/cpim\r\n\r\n"
    opener = EnvelopeOpener()
    assert opener.feed(outer + inner) + opener.end() == inner
    assert opener.content_type == "message/cpim"
    assert opener.problem is not None
    assert problem in opener.problem


def test_how_deep_it_goes_has_an_end() -> None:
    opener = EnvelopeOpener()
    level = b"From: <im:a@b>\r\n\r\nContent-Type: message/cpim\r\n\r\n"
    rest = opener.feed(level * (MAX_NESTING + 2))
    assert rest == level * 2
    assert len(opener.envelopes) == MAX_NESTING


@given(st.binary(max_size=60))
def test_at_the_end_it_is_what_any_envelope_is(content: bytes) -> None:
    octets = b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n" + content
    opener = EnvelopeOpener()
    try:
        found = opener.feed(octets) + opener.end()
    except RemoteProtocolError:
        return
    assert found == CpimMessage.parse(octets).content
    assert opener.end() == b""


@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: HEAD[:90] + b))
def test_any_octets_are_an_envelope_or_refused(data: bytes) -> None:
    opener = EnvelopeOpener()
    try:
        opener.feed(data)
        opener.end()
    except RemoteProtocolError:
        return
    assert opener.is_open
