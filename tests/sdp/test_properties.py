"""What holds for all input, and not only for the examples we thought of."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sdp import (
    Attribute,
    Bandwidth,
    ConnectionData,
    Fingerprint,
    MediaDescription,
    Origin,
    SdpError,
    SessionDescription,
    TimeDescription,
    accepted,
    build_answer,
    check_answer,
    direction_of,
    fingerprints_of,
    languages_of,
    next_offer,
    setup_of,
    with_direction,
)

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.sdp"))
SAMPLES = [path.read_bytes() for path in VECTORS]

TOKEN_CHARS = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`{|}~"
)
tokens = st.text(TOKEN_CHARS, min_size=1, max_size=8)
# By way of octets, so that what stands for an octet does so canonically.
texts = (
    st.binary(min_size=1, max_size=20)
    .map(lambda octets: octets.translate(None, b"\0\r\n") or b"x")
    .map(lambda octets: octets.decode("utf-8", "surrogateescape"))
)
words = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)
numbers = st.integers(0, 10**25)
addresses = st.ip_addresses().map(str)
connections = st.one_of(
    addresses.filter(
        lambda address: not address.startswith("0.") and address != "::"
    ).map(
        lambda address: ConnectionData(
            "IN",
            "IP6" if ":" in address else "IP4",
            address,
            ttl=7
            if ":" not in address and 224 <= int(address.split(".")[0]) < 240
            else None,
        )
    ),
    st.builds(ConnectionData, st.just("X"), tokens, words),
)
attributes = st.lists(
    st.builds(Attribute, tokens, st.none() | texts).filter(
        lambda a: a.name not in ("sendrecv", "sendonly", "recvonly", "inactive")
    ),
    max_size=4,
).map(tuple)
bandwidths = st.lists(st.builds(Bandwidth, tokens, numbers), max_size=2).map(tuple)
media = st.builds(
    MediaDescription,
    tokens,
    st.integers(0, 65535),
    st.lists(tokens, min_size=1, max_size=3).map("/".join),
    st.lists(tokens, min_size=1, max_size=4).map(tuple),
    port_count=st.none() | st.integers(1, 99),
    information=st.none() | texts,
    connections=connections.map(lambda connection: (connection,)),
    bandwidths=bandwidths,
    attributes=attributes,
)
times = st.just(0) | st.integers(10**9, 10**11)
descriptions = st.builds(
    SessionDescription,
    st.builds(Origin, words, numbers, numbers, st.just("X"), tokens, words),
    st.lists(media, max_size=4).map(tuple),
    name=texts,
    information=st.none() | texts,
    uri=st.none() | texts,
    emails=st.lists(texts, max_size=2).map(tuple),
    phones=st.lists(texts, max_size=2).map(tuple),
    connection=st.none() | connections,
    bandwidths=bandwidths,
    times=st.lists(
        st.builds(
            TimeDescription,
            times,
            times,
            st.lists(st.just("7d 1h 0 25h"), min_size=1, max_size=2).map(tuple),
            st.none() | st.just("3730928400 -1h"),
        )
        | st.builds(TimeDescription, times, times),
        min_size=1,
        max_size=3,
    ).map(tuple),
    attributes=attributes,
)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """Draw a description of the corpus with a few lines or octets changed."""
    octets = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 4))):
        lines = octets.splitlines(keepends=True) or [b""]
        at = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "double", "swap", "octet", "cut"]))
        if change == "drop":
            del lines[at]
        elif change == "double":
            lines.insert(at, lines[draw(st.integers(0, len(lines) - 1))])
        elif change == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[at], lines[other] = lines[other], lines[at]
        else:
            line = lines[at]
            place = draw(st.integers(0, len(line)))
            new = draw(
                st.sampled_from([b" ", b":", b"/", b"=", b"\0", b"\r", b"\n"])
                | st.binary(min_size=1, max_size=2)
            )
            rest = line[place + 1 :] if change == "octet" else b""
            lines[at] = line[:place] + new + rest
        octets = b"".join(lines)
    return octets


def use(description: SessionDescription) -> None:
    """Look at everything, as an application would."""
    for index in range(len(description.media)):
        section = description.effective_media(index)
        setup_of(section)
        direction_of(section, description)
        languages_of(section)
        str(section.connection)
        with contextlib.suppress(SdpError):
            fingerprints_of(section)


def read_and_write(octets: bytes) -> None:
    try:
        description = SessionDescription.parse(octets)
    except SdpError:
        return
    use(description)
    written = bytes(description)
    again = SessionDescription.parse(written)
    assert again == description
    assert bytes(again) == written
    try:
        strict = SessionDescription.parse(octets, strict=True)
    except SdpError:
        assert description.warnings
    else:
        assert strict == description
        assert not description.warnings


@pytest.mark.rule("SDP-15", "SDP-13")
@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_arbitrary_octets_are_read_or_refused(octets: bytes) -> None:
    read_and_write(octets)
    read_and_write(SAMPLES[0] + octets)


@pytest.mark.rule("SDP-15", "SDP-16")
@given(mutants())
@settings(max_examples=400, deadline=None)
def test_what_is_read_can_be_written_and_is_the_same(octets: bytes) -> None:
    read_and_write(octets)


@pytest.mark.rule("SDP-16")
@given(descriptions)
@settings(max_examples=150, deadline=None)
def test_what_is_made_can_be_written_and_read(description: SessionDescription) -> None:
    if not (description.connection or all(m.connections for m in description.media)):
        return
    assert SessionDescription.parse(bytes(description), strict=True) == description
    assert SessionDescription.parse(str(description), strict=True) == description


@pytest.mark.rule("SDP-15")
@pytest.mark.parametrize(
    "parse",
    [
        Origin.parse,
        ConnectionData.parse,
        Bandwidth.parse,
        TimeDescription.parse,
        Attribute.parse,
        Fingerprint.parse,
        MediaDescription.parse,
    ],
    ids=lambda parse: parse.__qualname__,
)
@given(st.data())
@settings(max_examples=60, deadline=None)
def test_arbitrary_values_are_read_or_refused(
    parse: object, data: st.DataObject
) -> None:
    assert callable(parse)
    value = data.draw(st.text() | texts | st.text("IN 4P6:/.0fa-\r\n", max_size=30))
    try:
        parsed = parse(value)
    except SdpError:
        return
    assert parse(str(parsed)) == parsed


@pytest.mark.rule("OA-6", "OA-7", "OA-13")
@given(descriptions, st.data())
@settings(max_examples=100, deadline=None)
def test_any_offer_can_be_answered(
    offer: SessionDescription, data: st.DataObject
) -> None:
    # We say the same, in reverse, or reject.
    slots = [
        None
        if data.draw(st.booleans()) or section.is_rejected or "RTP" in section.proto
        else MediaDescription(section.media, 9, section.proto, section.formats)
        for section in offer.media
    ]
    answer = build_answer(offer, slots, address="192.0.2.1")
    assert check_answer(offer, answer) == ()
    assert [stream.slot for stream in accepted(offer, answer)] == [
        index for index, slot in enumerate(slots) if slot is not None
    ]


@pytest.mark.rule("OA-15", "OA-16")
@given(descriptions, media, st.data())
@settings(max_examples=100, deadline=None)
def test_a_later_offer_has_the_next_version_exactly_if_it_says_something_else(
    previous: SessionDescription, new: MediaDescription, data: st.DataObject
) -> None:
    slots: list[MediaDescription | None] = [
        data.draw(st.sampled_from([section, new, None])) for section in previous.media
    ]
    slots += data.draw(st.lists(st.just(new), max_size=2))
    offer = next_offer(previous, slots)
    same = bytes(offer) == bytes(previous)
    assert offer.origin.version == previous.origin.version + (not same)
    assert same is (offer.media == previous.media)


@given(media)
@settings(max_examples=50, deadline=None)
def test_a_direction_that_is_set_is_the_one_that_is_read(
    section: MediaDescription,
) -> None:
    direction = direction_of(section)
    assert direction_of(with_direction(section, direction.reversed)) is (
        direction.reversed
    )
