"""Which streams of an emergency call run, in any mix."""

from __future__ import annotations

import dataclasses

import pytest

import mime
import sdp
from sip.media import find_session_description, make_answer
from tests.sip.emergency.invites import PIDF, make_invite, part

# A telephone that can do everything.
OFFER = b"""v=0\r
o=- 3960000001 1 IN IP4 192.0.2.10\r
s=-\r
c=IN IP4 192.0.2.10\r
t=0 0\r
m=audio 40000 RTP/AVP 0 101\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=hlang-send:es en\r
a=hlang-recv:es en\r
m=text 40002 RTP/AVP 98\r
a=rtpmap:98 t140/1000\r
a=hlang-send:es\r
m=message 2855 TCP/TLS/MSRP *\r
a=path:msrps://ua.example:2855/s;tcp\r
a=accept-types:message/cpim text/plain\r
a=setup:active\r
"""


class Stream:
    """A medium that takes what is of its kind, in a language that is spoken here."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.port = port

    async def offer(self) -> sdp.MediaDescription:
        raise AssertionError("nothing is offered here")

    async def answer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        if offered.media != self.kind:
            return None
        languages = sdp.answer_languages(sdp.languages_of(offered), ["en", "es"])
        kept = [a for a in offered.attributes if not a.name.startswith("hlang-")]
        attributes = (*kept, *languages.attributes)
        return dataclasses.replace(offered, port=self.port, attributes=attributes)

    async def start(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None: ...

    async def stop(self) -> None: ...


AUDIO, TEXT, MESSAGE = Stream("audio", 1000), Stream("text", 2000), Stream("message", 3)


@pytest.mark.parametrize(
    ("media", "ports"),
    [
        pytest.param([MESSAGE], [0, 0, 3], id="messages-only"),
        pytest.param([MESSAGE, TEXT], [0, 2000, 3], id="messages-and-real-time-text"),
        pytest.param([AUDIO], [1000, 0, 0], id="audio-only"),
        pytest.param([TEXT, AUDIO, MESSAGE], [1000, 2000, 3], id="everything"),
    ],
)
@pytest.mark.rule("NG-11", "NT-3")
async def test_any_mix_of_media_may_be_answered_and_each_keeps_its_slot(
    media: list[Stream], ports: list[int]
) -> None:
    content = mime.build_multipart(
        [part("application/pidf+xml", PIDF, "l@x"), part("application/sdp", OFFER)]
    )
    offer = find_session_description(make_invite(content=content))
    assert offer is not None
    answer, agreed = await make_answer(media, offer, address="192.0.2.20")
    assert [stream.port for stream in answer.media] == ports
    assert [stream.media for stream in answer.media] == ["audio", "text", "message"]
    assert [found.offered.media for found in agreed] == [
        stream.media
        for stream in offer.media
        if stream.media in {m.kind for m in media}
    ]
    for found in agreed:
        assert isinstance(found.media, Stream)
        assert found.media.kind == found.offered.media


@pytest.mark.rule("NG-11")
async def test_each_stream_is_answered_in_a_language_of_the_caller() -> None:
    offer = sdp.SessionDescription.parse(OFFER)
    answer, _ = await make_answer([AUDIO, TEXT, MESSAGE], offer, address="192.0.2.20")
    assert [sdp.languages_of(stream) for stream in answer.media] == [
        sdp.Languages(("es",), ("es",)),
        sdp.Languages((), ("es",)),
        sdp.Languages(),
    ]
