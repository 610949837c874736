"""Session descriptions, and what offer and answer make of them.

Whatever the octets are:

* they are read or refused with :exc:`SdpError`, and the strict reader refuses just
  what the tolerant one warns of;
* what was read can be written, and reads back equal;
* what an attribute means can be asked, and any offer can be answered and followed by
  another.
"""

from __future__ import annotations

import contextlib
import dataclasses

from sdp import (
    MediaDescription,
    SdpError,
    SessionDescription,
    accepted,
    answer_direction,
    answer_languages,
    answer_setup,
    build_answer,
    check_answer,
    direction_of,
    fingerprints_of,
    languages_of,
    next_offer,
    reject,
    setup_of,
    with_direction,
)

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"v=0\r\n",
    b"o=- 1 2 IN IP4 192.0.2.1\r\n",
    b"s=-\r\n",
    b"t=0 0\r\n",
    b"c=IN IP6 2001:db8::1\r\n",
    b"c=IN IP4 224.2.1.1/127/3\r\n",
    b"b=AS:64\r\n",
    b"r=7d 1h 0 25h\r\n",
    b"z=3730928400 -1h\r\n",
    b"k=clear:x\r\n",
    b"i=x\r\n",
    b"m=message 2855 TCP/TLS/MSRP *\r\n",
    b"m=audio 49170/2 RTP/AVP 0 96\r\n",
    b"a=path:msrps://a:2855/s;tcp\r\n",
    b"a=accept-types:message/cpim text/plain\r\n",
    b"a=setup:actpass\r\n",
    b"a=sendonly\r\n",
    b"a=inactive\r\n",
    b"a=fingerprint:SHA-1 " + b":".join([b"4A"] * 20) + b"\r\n",
    b"a=hlang-send:en fr*\r\n",
    b"a=mid:1\r\n",
    b"a=group:BUNDLE 1\r\n",
    b"a=rtpmap:96 t140/1000\r\n",
    b" \r\n",
    b"\r\n\r\n",
    b"\n",
    b"\0",
    b"\xff",
)

ADDRESS = "192.0.2.1"


def fuzz(data: bytes) -> None:
    try:
        description = SessionDescription.parse(data)
    except SdpError:
        check_refused(data)
        return
    check_written(data, description)
    check_meaning(description)
    check_negotiation(description)


def check_refused(data: bytes) -> None:
    with contextlib.suppress(SdpError):
        SessionDescription.parse(data, strict=True)
        raise AssertionError("the strict reader takes what the tolerant one refuses")
    with contextlib.suppress(SdpError):
        section = MediaDescription.parse(data)
        assert MediaDescription.parse(bytes(section)) == section


def check_written(data: bytes, description: SessionDescription) -> None:
    written = bytes(description)
    again = SessionDescription.parse(written)
    assert again == description
    assert bytes(again) == written
    try:
        strict = SessionDescription.parse(data, strict=True)
    except SdpError:
        assert description.warnings
    else:
        assert strict == description
        assert not description.warnings


def check_meaning(description: SessionDescription) -> None:
    for index in range(len(description.media)):
        section = description.effective_media(index)
        answer_setup(setup_of(section))
        direction = direction_of(section, description)
        assert direction_of(with_direction(section, direction)) is direction
        wanted = answer_direction(direction, direction.reversed)
        assert direction.may_be_answered(wanted)
        answer_languages(languages_of(section), ["en", "fr"])
        with contextlib.suppress(SdpError):
            fingerprints_of(section)


def check_negotiation(offer: SessionDescription) -> None:
    slots = [mirrored(section) for section in offer.media]
    try:
        answer = build_answer(offer, slots, address=ADDRESS)
    except SdpError:
        # Not every stream can be answered in kind, but all can be refused.
        slots = [None] * len(slots)
        answer = build_answer(offer, slots, address=ADDRESS)
    check_answer(offer, answer)
    assert [stream.slot for stream in accepted(offer, answer)] == [
        index for index, slot in enumerate(slots) if slot is not None
    ]
    assert SessionDescription.parse(bytes(answer)) == answer
    again = next_offer(answer, answer.media)
    assert again is answer
    without = next_offer(answer, [None] * len(answer.media))
    assert all(section.is_rejected for section in without.media)


def mirrored(offered: MediaDescription) -> MediaDescription | None:
    """Return a section that says the same, or None for what can't be accepted."""
    if offered.is_rejected or offered.proto.startswith("RTP"):
        return None
    bare = dataclasses.replace(reject(offered), port=9)
    return dataclasses.replace(bare, connections=(), attributes=())
