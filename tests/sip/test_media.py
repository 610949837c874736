"""Session descriptions for the media of a call."""

from __future__ import annotations

import pytest

import mime
import sdp
import sip
from sip.media import (
    Media,
    compose_body,
    find_session_description,
    make_answer,
    make_offer,
    match_answer,
    why_refused,
)
from sip.message import Request
from sip.testing import RecordingMedia

ADDRESS = "192.0.2.1"
SDP = (
    b"v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=message 2855 TCP/MSRP *\r\n"
)
OTHER = SDP.replace(b"o=- 7", b"o=- 8")


def carrying(
    body: bytes, content_type: str | None, disposition: str | None = None
) -> Request:
    headers = [("Content-Disposition", disposition)] if disposition else []
    return Request.build("INVITE", "sip:b", headers, body, content_type)


def found_in(request: Request) -> int | None:
    description = find_session_description(request)
    return None if description is None else description.origin.session_id


def multipart(*parts: mime.Part) -> Request:
    content_type, body = mime.build_multipart(list(parts))
    return carrying(body, str(content_type))


LOCATION = mime.Part.build("application/pidf+xml", b"<presence/>")


@pytest.mark.rule("OA-30")
def test_the_body_is_the_session_description_or_has_it() -> None:
    plain = mime.Part.build("application/sdp", SDP)
    inner_type, inner = mime.build_multipart([LOCATION, plain])
    nested = mime.Part.build(str(inner_type), inner)
    assert found_in(carrying(SDP, "Application/SDP")) == 7
    assert found_in(carrying(SDP, "application/sdp", "session")) == 7
    assert found_in(multipart(LOCATION, plain)) == 7
    assert found_in(multipart(LOCATION, nested)) == 7


@pytest.mark.rule("OA-30")
def test_what_is_for_another_purpose_is_no_offer() -> None:
    aside = mime.Part.build(
        "application/sdp",
        SDP,
        disposition=mime.ContentDisposition.build("early-session"),
    )
    real = mime.Part.build("application/sdp", OTHER)
    assert found_in(carrying(SDP, "application/sdp", "early-session")) is None
    assert found_in(multipart(aside)) is None
    assert found_in(multipart(aside, real)) == 8


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(carrying(b"", None), id="none"),
        pytest.param(carrying(b"hello", "text/plain"), id="text"),
        pytest.param(carrying(b"hello", "not a type"), id="no-type"),
        pytest.param(carrying(b"hello", "multipart/mixed"), id="no-boundary"),
        pytest.param(multipart(LOCATION), id="location-only"),
    ],
)
def test_other_bodies_have_none(request_: Request) -> None:
    assert found_in(request_) is None


def test_a_session_description_that_is_none_is_an_error() -> None:
    with pytest.raises(sdp.SdpError):
        find_session_description(carrying(b"nonsense", "application/sdp"))


@pytest.mark.rule("OA-12", "OA-13")
async def test_each_stream_goes_to_the_first_that_takes_it() -> None:
    audio, one, two = RecordingMedia("a", "audio"), *map(RecordingMedia, "12")
    text = RecordingMedia("t", "text")
    offer = await make_offer([two, text, one, audio], address=ADDRESS)
    answer, agreed = await make_answer([audio, one, two], offer, address=ADDRESS)
    assert [m.is_rejected for m in answer.media] == [False, True, False, False]
    assert [stream.media for stream in agreed] == [one, two, audio]
    assert agreed[0].offered.first("path") == "msrp://127.0.0.1:2855/2;tcp"
    assert agreed[0].answered.first("path") == "msrp://127.0.0.1:2855/1;tcp"
    assert [m.media for m in (s.offered for s in agreed)] == [
        "message",
        "message",
        "audio",
    ]


@pytest.mark.rule("OA-3", "OA-17")
async def test_a_stream_offered_with_port_0_is_offered_to_nobody() -> None:
    medium = RecordingMedia()
    offer = sdp.SessionDescription.build(
        [sdp.reject(await medium.offer())], address=ADDRESS
    )
    medium.log.clear()
    answer, agreed = await make_answer([medium], offer, address=ADDRESS)
    assert agreed == []
    assert answer.media[0].port == 0
    assert medium.log == []


async def test_an_answer_with_port_0_is_a_refusal_for_all() -> None:
    class Refusing(RecordingMedia):
        async def answer(
            self, offered: sdp.MediaDescription
        ) -> sdp.MediaDescription | None:
            answered = await super().answer(offered)
            return None if answered is None else sdp.reject(answered)

    other = RecordingMedia("other")
    offer = await make_offer([RecordingMedia()], address=ADDRESS)
    answer, agreed = await make_answer([Refusing(), other], offer, address=ADDRESS)
    assert agreed == []
    assert answer.media[0].is_rejected
    assert other.log == []


class Desk(RecordingMedia):
    """Stands for any number of streams."""

    def __init__(self) -> None:
        super().__init__("desk")
        self.made: list[RecordingMedia] = []

    def another(self) -> RecordingMedia:
        self.made.append(RecordingMedia(f"made-{len(self.made)}"))
        return self.made[-1]


@pytest.mark.rule("OA-14")
async def test_one_medium_may_stand_for_any_number_of_streams() -> None:
    desk = Desk()
    assert isinstance(desk, sip.MultipleMedia)
    offered = [RecordingMedia("a"), RecordingMedia("b")]
    offer = await make_offer(offered, address=ADDRESS)
    _, agreed = await make_answer([desk], offer, address=ADDRESS)
    assert [stream.media for stream in agreed] == desk.made
    assert [stream.slot for stream in agreed] == [0, 1]
    assert desk.log == []


async def test_what_only_answers_isn_t_offered() -> None:
    medium = RecordingMedia("only")
    offer = await make_offer([Desk(), medium], address=ADDRESS)
    assert len(offer.media) == 1
    answer, _ = await make_answer([RecordingMedia("b")], offer, address=ADDRESS)
    (stream,) = match_answer([Desk(), medium], offer, answer)
    assert stream.media is medium


PICTURE = mime.Part.build("image/png", b"icon", content_id="i@x", disposition="icon")
PLACE = mime.Part.build("application/pidf+xml", b"<presence/>")


@pytest.mark.rule("FT-15")
@pytest.mark.parametrize("parts", [(), (PLACE,)], ids=["alone", "beside-a-location"])
async def test_what_an_offer_points_at_goes_along_in_multipart_related(
    parts: tuple[mime.Part, ...],
) -> None:
    offer = await make_offer([RecordingMedia()], address=ADDRESS)
    body, content_type = compose_body(offer, parts, [PICTURE])
    assert content_type is not None
    request = carrying(body, content_type)
    whole = mime.parse_multipart(content_type, body)
    related = whole if not parts else whole.parts[0].multipart
    assert related is not None
    assert related.subtype == "related"
    assert related.content_type.parameter("type") == "application/sdp"
    assert related.root.content == bytes(offer)
    found = sip.resolve_cid(request, "cid:i@x")
    assert found is not None
    assert found.content == b"icon"
    assert sip.resolve_cid(request, "cid:another@x") is None
    assert find_session_description(request) == offer


@pytest.mark.rule("OA-14")
async def test_the_offerer_learns_which_of_its_media_run() -> None:
    audio, message = RecordingMedia("a", "audio"), RecordingMedia("m")
    offer = await make_offer([audio, message], address=ADDRESS)
    answer, _ = await make_answer([RecordingMedia("b")], offer, address=ADDRESS)
    (stream,) = match_answer([audio, message], offer, answer)
    assert stream.media is message
    assert stream.answered.connection is not None
    with pytest.raises(sdp.SdpError):
        match_answer([audio], offer, sdp.SessionDescription.parse(SDP))


def test_the_recording_medium_is_a_medium() -> None:
    assert isinstance(RecordingMedia(), Media)


class Reticent(RecordingMedia):
    """A medium that takes nothing and says why, if it knows."""

    def __init__(self, refusal: str | None) -> None:
        super().__init__()
        self.refusal = refusal


@pytest.mark.rule("OA-29")
@pytest.mark.parametrize(
    ("lines", "media", "words"),
    [
        pytest.param(
            ["message 1 TCP/TLS/MSRP *"],
            [RecordingMedia()],
            "none of the streams offered can be used (message over TCP/TLS/MSRP)",
            id="no-reason",
        ),
        pytest.param(
            ["audio 1 RTP/AVP 0", "message 0 TCP/MSRP *"],
            [Reticent("it is too late"), Reticent("it is too late"), Reticent(None)],
            "none of the streams offered can be used (audio over RTP/AVP, message that "
            "is switched off): it is too late",
            id="reason",
        ),
        pytest.param(
            ["hush 1 hush/hush 0"] * 5,
            [],
            "none of the streams offered can be used ("
            + "something over an unknown protocol, " * 4
            + "more)",
            id="the-peers-own-words-are-not-repeated",
        ),
    ],
)
def test_why_an_offer_is_refused_is_said_in_our_words(
    lines: list[str], media: list[Media], words: str
) -> None:
    head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    body = head + "".join(f"m={line}\r\n" for line in lines)
    offer = sdp.SessionDescription.parse(body.encode())
    assert why_refused(media, offer) == words
