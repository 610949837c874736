from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

import sdp
from sdp import (
    AcceptedMedia,
    Attribute,
    ConnectionData,
    Direction,
    MediaDescription,
    SdpError,
    SessionDescription,
    TimeDescription,
    accepted,
    answer_direction,
    build_answer,
    capabilities,
    check_answer,
    direction_of,
    next_offer,
    reject,
    with_direction,
)

VECTORS = Path(__file__).parent / "vectors"
G1 = SessionDescription.parse((VECTORS / "g1_emergency_offer.sdp").read_bytes())
G2 = SessionDescription.parse((VECTORS / "g2_text_only_answer.sdp").read_bytes())

AUDIO = MediaDescription("audio", 40000, "RTP/AVP", ("0", "8"))
MESSAGE = MediaDescription(
    "message", 2855, "TCP/MSRP", ("*",), attributes=(Attribute("path", "p"),)
)
CHAT = dataclasses.replace(MESSAGE, attributes=(Attribute("path", "q"),))


def offering(*media: MediaDescription) -> SessionDescription:
    return SessionDescription.build(media, address="192.0.2.1", session_id=1)


def answering(
    offer: SessionDescription, *slots: MediaDescription | None
) -> SessionDescription:
    return build_answer(offer, slots, address="192.0.2.2", session_id=2)


# --- Answers


@pytest.mark.rule("OA-6", "OA-7", "OA-12", "OA-13")
def test_the_answer_of_a_text_only_position_to_an_emergency_call() -> None:
    (message,) = (media for media in G2.media if not media.is_rejected)
    answer = build_answer(
        G1,
        [None, None, message],
        address="198.51.100.5",
        session_id=77001,
        username="psap",
    )
    assert [m.port for m in answer.media] == [0, 0, 30100]
    assert str(answer.origin) == str(G2.origin)
    assert accepted(G1, answer) == accepted(G1, G2)
    # What G2 writes is one legal way to reject, what we write is another.
    assert [m.formats for m in answer.media] == [m.formats for m in G1.media]
    assert check_answer(G1, G2) == check_answer(G1, answer) == ()


@pytest.mark.rule("OA-6", "OA-13")
def test_an_unknown_stream_is_rejected_by_itself() -> None:
    unknown = MediaDescription.parse("m=x-hologram 9 QUIC/HOLO 1 2\r\na=x\r\n")
    offer = offering(AUDIO, unknown, MESSAGE)
    answer = answering(offer, AUDIO, None, CHAT)
    assert str(answer.media[1]) == "m=x-hologram 0 QUIC/HOLO 1 2\r\n"
    assert [stream.slot for stream in accepted(offer, answer)] == [0, 2]


@pytest.mark.rule("OA-6")
def test_an_answer_has_the_times_of_the_offer_and_an_origin_of_its_own() -> None:
    times = (TimeDescription(3724394400, 3754123200, ("7d 1h 0",)),)
    offer = dataclasses.replace(offering(MESSAGE), times=times)
    answer = answering(offer, CHAT)
    assert answer.times == times
    assert str(answer.origin) == "- 2 1 IN IP4 192.0.2.2"
    assert str(answer.connection) == "IN IP4 192.0.2.2"


@pytest.mark.rule("OA-6")
@pytest.mark.parametrize("slots", [[], [None], [None, MESSAGE, None]])
def test_an_answer_has_as_many_slots_as_the_offer(
    slots: list[MediaDescription | None],
) -> None:
    with pytest.raises(SdpError):
        answering(offering(AUDIO, MESSAGE), *slots)


@pytest.mark.rule("OA-7")
def test_a_rejected_stream_has_port_0_and_the_formats_of_the_offer() -> None:
    assert str(reject(G1.media[0])) == "m=audio 0 RTP/AVP 0 8 101\r\n"


@pytest.mark.rule("FT-10", "FT-13")
def test_whoever_refuses_or_ends_a_file_transfer_says_which() -> None:
    named = ("file-selector:size:7", "file-transfer-id:abc")
    others = ("path:msrp://a:1/b;tcp", "file-icon:cid:a@b", "sendonly")
    media = MediaDescription(
        "message",
        2855,
        "TCP/MSRP",
        ("*",),
        attributes=tuple(map(sdp.Attribute.parse, (*others, *named))),
    )
    offer = offering(media)
    refused = answering(offer, None).media[0]
    assert refused.port == 0
    assert tuple(map(str, refused.attributes)) == named
    ended = sdp.next_offer(offer, [None])
    assert tuple(map(str, ended.media[0].attributes)) == named
    assert sdp.next_offer(ended, [None]) is ended


@pytest.mark.rule("OA-8", "OA-1")
def test_an_answer_without_streams_agrees_on_nothing() -> None:
    offer = offering(AUDIO, MESSAGE)
    assert accepted(offer, answering(offer, None, None)) == []
    assert accepted(offering(), answering(offering())) == []


@pytest.mark.rule("OA-6", "OA-12")
@pytest.mark.parametrize(
    "change",
    [
        {"media": "text"},
        {"proto": "TCP/TLS/MSRP"},
        {"media": "text", "port": 0},
        {"proto": "TCP/TLS/MSRP", "port": 0},
    ],
    ids=str,
)
def test_we_answer_no_other_type_or_protocol(change: dict[str, str]) -> None:
    slot = dataclasses.replace(MESSAGE, **change)  # type: ignore[arg-type]  # by name
    with pytest.raises(SdpError, match="slot 1"):
        answering(offering(MESSAGE), slot)


@pytest.mark.rule("OA-3", "OA-17")
def test_what_is_offered_with_port_0_is_answered_with_it() -> None:
    offer = offering(AUDIO, reject(MESSAGE))
    assert SessionDescription.parse(bytes(offer), strict=True) == offer
    assert answering(offer, AUDIO, None).media[1].port == 0
    # A slot that says so itself may say more.
    said = dataclasses.replace(MESSAGE, port=0)
    assert answering(offer, AUDIO, said).media[1] == said
    with pytest.raises(SdpError, match="slot 2"):
        answering(offer, AUDIO, MESSAGE)


@pytest.mark.rule("OA-4", "OA-34")
def test_several_streams_of_a_type_are_live_at_once() -> None:
    offer = offering(MESSAGE, CHAT, G1.media[1])
    answer = answering(offer, CHAT, MESSAGE, G1.media[1])
    streams = accepted(offer, answer)
    assert [stream.slot for stream in streams] == [0, 1, 2]
    assert [s.offered.first("path") for s in streams] == ["p", "q", None]
    assert [s.answered.first("path") for s in streams] == ["q", "p", None]


@pytest.mark.rule("OA-9")
def test_a_direction_beyond_the_offer_is_neither_sent_nor_overlooked() -> None:
    for offered, answered in itertools.product(Direction, Direction):
        offer = offering(with_direction(MESSAGE, offered))
        slot = with_direction(CHAT, answered)
        flawed = dataclasses.replace(answering(offering(MESSAGE), CHAT), media=(slot,))
        if offered.may_be_answered(answered):
            assert answering(offer, slot) == flawed
            assert check_answer(offer, flawed) == ()
        else:
            with pytest.raises(SdpError, match="direction"):
                answering(offer, slot)
            (problem,) = check_answer(offer, flawed)
            assert "direction" in problem


@pytest.mark.rule("OA-9", "SDP-14")
def test_the_direction_of_the_whole_session_counts() -> None:
    held = dataclasses.replace(offering(MESSAGE), attributes=(Attribute("inactive"),))
    with pytest.raises(SdpError, match="direction"):
        answering(held, CHAT)
    slot = with_direction(CHAT, Direction.INACTIVE)
    answer = answering(held, slot)
    assert direction_of(accepted(held, answer)[0].offered) is Direction.INACTIVE
    # Our own session may say it for the slot, too.
    previous = dataclasses.replace(answer, attributes=held.attributes)
    continued = build_answer(held, [CHAT], address="192.0.2.2", previous=previous)
    assert check_answer(held, continued) == ()


@pytest.mark.rule("OA-9")
def test_gives_as_much_of_a_direction_as_the_offer_allows() -> None:
    for offered, wanted in itertools.product(Direction, Direction):
        answer = answer_direction(offered, wanted)
        assert offered.may_be_answered(answer)
        assert (answer.sends, answer.receives) == (
            wanted.sends and offered.receives,
            wanted.receives and offered.sends,
        )
    assert answer_direction(Direction.SENDONLY, Direction.SENDRECV) is (
        Direction.RECVONLY
    )


@pytest.mark.rule("OA-10")
def test_an_answer_is_unicast_and_has_an_address_even_if_it_only_sends() -> None:
    multicast = ConnectionData("IN", "IP4", "233.252.0.1", 127)
    slot = dataclasses.replace(CHAT, connections=(multicast,))
    with pytest.raises(SdpError, match="multicast"):
        answering(offering(MESSAGE), slot)
    offer = offering(with_direction(MESSAGE, Direction.RECVONLY))
    answer = answering(offer, with_direction(CHAT, Direction.SENDONLY))
    (stream,) = accepted(offer, answer)
    assert str(stream.answered.connection) == "IN IP4 192.0.2.2"
    assert stream.answered.port == 2855


@pytest.mark.rule("OA-11")
@pytest.mark.parametrize(
    ("section", "legal"),
    [
        ("m=text 5 RTP/AVP 98\r\na=rtpmap:98 t140/1000\r\n", True),
        ("m=text 5 RTP/AVP 98 99\r\na=rtpmap:98 t140/1000\r\n", False),
        ("m=text 5 RTP/AVP 98\r\n", False),
        ("m=text 5 RTP/AVP 0\r\n", True),
        ("m=text 5 UDP/TLS/RTP/SAVP 127\r\n", False),
        ("m=text 5 udp 98\r\n", True),
    ],
)
def test_a_dynamic_payload_type_has_a_rtpmap(section: str, legal: bool) -> None:
    media = MediaDescription.parse(section)
    if legal:
        assert answering(offering(media), media).media == (media,)
    else:
        with pytest.raises(SdpError, match="rtpmap"):
            answering(offering(media), media)


@pytest.mark.rule("OA-11", "OA-4")
def test_formats_keep_the_order_they_are_given_in() -> None:
    media = dataclasses.replace(AUDIO, formats=("8", "0"))
    assert answering(offering(media), media).media[0].formats == ("8", "0")
    assert reject(media).formats == ("8", "0")


@pytest.mark.rule("OA-32")
def test_real_time_text_goes_through_untouched() -> None:
    text = G1.media[1]
    answer = answering(offering(text), text)
    again = SessionDescription.parse(bytes(answer), strict=True)
    assert again.media == (text,)
    assert again.media[0].all("rtpmap") == ("98 t140/1000", "100 red/1000")
    assert again.media[0].first("fmtp") == "100 98/98/98"


@pytest.mark.rule("OA-32")
def test_a_mixer_is_only_answered_if_one_was_offered() -> None:
    mixing = G1.media[1]
    plain = dataclasses.replace(
        mixing, attributes=tuple(a for a in mixing.attributes if a.name != "rtt-mixer")
    )
    assert answering(offering(mixing), mixing).media == (mixing,)
    assert answering(offering(mixing), plain).media == (plain,)
    with pytest.raises(SdpError, match="rtt-mixer"):
        answering(offering(plain), mixing)


@pytest.mark.rule("OA-35")
def test_a_stream_keeps_its_name_if_the_offer_groups_by_name() -> None:
    named = dataclasses.replace(
        MESSAGE, attributes=(*MESSAGE.attributes, Attribute("mid", "1"))
    )
    grouped = dataclasses.replace(
        offering(named, MESSAGE), attributes=(Attribute("group", "LS 1"),)
    )
    answer = answering(grouped, CHAT, CHAT)
    assert [m.all("mid") for m in answer.media] == [("1",), ()]
    own = dataclasses.replace(CHAT, attributes=(Attribute("mid", "1"),))
    assert answering(grouped, own, None).media[0] == own
    assert not answering(offering(named), CHAT).media[0].has("mid")


# --- Answers of others


@pytest.mark.rule("OA-14", "OA-6")
@pytest.mark.parametrize(
    "media",
    [
        pytest.param((), id="nothing"),
        pytest.param((AUDIO,), id="fewer"),
        pytest.param((AUDIO, MESSAGE, AUDIO), id="more"),
        pytest.param((MESSAGE, AUDIO), id="other-order"),
        pytest.param((reject(MESSAGE), MESSAGE), id="other-type-rejected"),
    ],
)
def test_an_answer_with_other_slots_has_failed(
    media: tuple[MediaDescription, ...],
) -> None:
    offer, answer = offering(AUDIO, MESSAGE), offering(*media)
    with pytest.raises(SdpError):
        check_answer(offer, answer)
    with pytest.raises(SdpError):
        accepted(offer, answer)


@pytest.mark.rule("OA-12", "OA-14")
def test_another_protocol_is_tolerated_and_mentioned() -> None:
    # As in RFC 4976 §11.
    secure = dataclasses.replace(MESSAGE, proto="TCP/TLS/MSRP")
    offer = offering(AUDIO, secure)
    answer = dataclasses.replace(answering(offer, None, secure), media=(AUDIO, MESSAGE))
    assert check_answer(offer, answer) == ("slot 2: another protocol than offered",)
    assert [stream.slot for stream in accepted(offer, answer)] == [0, 1]


@pytest.mark.rule("OA-17", "OA-14")
def test_a_stream_that_was_not_offered_is_not_accepted() -> None:
    offer = offering(AUDIO, reject(MESSAGE))
    answer = dataclasses.replace(answering(offer, AUDIO, None), media=(AUDIO, MESSAGE))
    assert check_answer(offer, answer) == ("slot 2: accepted though not offered",)
    assert [stream.slot for stream in accepted(offer, answer)] == [0]


@pytest.mark.rule("OA-6", "OA-14")
def test_other_times_are_mentioned() -> None:
    offer = offering(MESSAGE)
    answer = dataclasses.replace(
        answering(offer, CHAT), times=(TimeDescription(3724394400, 0),)
    )
    assert check_answer(offer, answer) == ("the times are not those of the offer",)


@pytest.mark.rule("OA-14", "SDP-8")
def test_an_accepted_stream_is_complete_in_itself() -> None:
    assert accepted(G1, G2) == [
        AcceptedMedia(2, G1.effective_media(2), G2.effective_media(2))
    ]
    ((slot, offered, answered),) = accepted(G1, G2)
    assert slot == 2
    assert str(offered.connection) == "IN IP4 192.0.2.10"
    assert str(answered.connection) == "IN IP4 198.51.100.5"


# --- Later offers


@pytest.mark.rule("OA-15", "OA-18", "OA-21")
def test_hold_and_resume_count_the_versions() -> None:
    first = offering(AUDIO, MESSAGE)
    hold = next_offer(first, [AUDIO, with_direction(MESSAGE, Direction.SENDONLY)])
    resume = next_offer(hold, [AUDIO, MESSAGE])
    assert [d.origin.version for d in (first, hold, resume)] == [1, 2, 3]
    assert resume == dataclasses.replace(first, origin=resume.origin)
    # Each says everything.
    assert [len(d.media) for d in (first, hold, resume)] == [2, 2, 2]
    answer = answering(hold, AUDIO, with_direction(CHAT, Direction.RECVONLY))
    assert check_answer(hold, answer) == ()


@pytest.mark.rule("OA-15", "OA-16", "OA-37", "OA-38", "OA-39")
def test_a_call_that_begins_with_text_gets_more_streams_one_by_one() -> None:
    audio, text, message = G1.media
    first = dataclasses.replace(G1, media=(reject(audio), text, message))
    with_audio = next_offer(first, [audio, text, message])
    assert str(with_audio.origin) == "- 3960000001 2 IN IP4 192.0.2.10"
    assert with_audio.media[1:] == first.media[1:]
    held = with_direction(message, Direction.SENDONLY)
    with_hold = next_offer(with_audio, [audio, text, held])
    wanted = answer_direction(direction_of(held), Direction.SENDRECV)
    answer = build_answer(
        with_hold,
        [None, None, with_direction(G2.media[2], wanted)],
        address="198.51.100.5",
        previous=G2,
    )
    assert direction_of(answer.media[2]) is Direction.RECVONLY
    assert answer.origin.version == 2
    with_file = next_offer(with_hold, [*with_hold.media, held])
    assert (with_file.origin.version, len(with_file.media)) == (4, 4)


@pytest.mark.rule("OA-15")
def test_an_unchanged_offer_is_the_same_octets() -> None:
    first = SessionDescription.parse(bytes(G1))
    assert bytes(next_offer(first, first.media)) == bytes(first)
    assert bytes(next_offer(first, first.media, address="192.0.2.10")) == bytes(first)


@pytest.mark.rule("OA-15", "OA-16")
def test_all_but_the_version_of_the_origin_stays_for_good() -> None:
    moved = next_offer(G1, G1.media, address="2001:db8::1")
    assert str(moved.origin) == "- 3960000001 2 IN IP4 192.0.2.10"
    assert str(moved.connection) == "IN IP6 2001:db8::1"
    assert moved.media == G1.media


@pytest.mark.rule("OA-15")
def test_an_offer_continues_an_answer_and_an_answer_an_offer() -> None:
    theirs = offering(MESSAGE)
    answer = answering(theirs, CHAT)
    ours = next_offer(answer, [CHAT, AUDIO])
    assert str(ours.origin) == "- 2 2 IN IP4 192.0.2.2"
    later = offering(MESSAGE, AUDIO, AUDIO)
    again = build_answer(later, [CHAT, AUDIO, None], address="192.0.2.2", previous=ours)
    assert str(again.origin) == "- 2 3 IN IP4 192.0.2.2"
    same = build_answer(later, [CHAT, AUDIO, None], address="192.0.2.2", previous=again)
    assert same == again


@pytest.mark.rule("OA-16")
def test_slots_never_become_fewer() -> None:
    with pytest.raises(SdpError):
        next_offer(offering(AUDIO, MESSAGE), [AUDIO])
    # Neither do those of the peer.
    previous = answering(offering(AUDIO, MESSAGE), AUDIO, CHAT)
    with pytest.raises(SdpError, match="fewer"):
        build_answer(offering(AUDIO), [AUDIO], address="192.0.2.2", previous=previous)


@pytest.mark.rule("OA-16", "OA-17")
def test_a_stream_is_removed_with_port_0_and_its_slot_used_again() -> None:
    first = offering(AUDIO, MESSAGE)
    removed = next_offer(first, [AUDIO, None])
    assert str(removed.media[1]) == "m=message 0 TCP/MSRP *\r\n"
    assert next_offer(removed, [AUDIO, None]) == removed
    reused = next_offer(removed, [AUDIO, CHAT])
    assert reused.media == (AUDIO, CHAT)
    assert reused.origin.version == 3


@pytest.mark.rule("OA-16")
def test_new_streams_come_at_the_end() -> None:
    first = offering(MESSAGE)
    more = next_offer(first, [MESSAGE, AUDIO, CHAT])
    assert more.media == (MESSAGE, AUDIO, CHAT)
    with pytest.raises(SdpError):
        next_offer(first, [MESSAGE, None])


@pytest.mark.rule("OA-20", "OA-16")
def test_a_slot_may_change_its_type() -> None:
    changed = next_offer(offering(AUDIO), [MESSAGE])
    assert changed.media == (MESSAGE,)
    assert changed.origin.version == 2


# --- What we can do


@pytest.mark.rule("OA-24")
def test_capabilities_offer_nothing() -> None:
    can = capabilities([AUDIO, MESSAGE], address="192.0.2.1")
    assert [m.port for m in can.media] == [0, 0]
    assert [m.attributes for m in can.media] == [(), MESSAGE.attributes]
    assert can.times == (TimeDescription(0, 0),)
    assert SessionDescription.parse(bytes(can), strict=True) == can
    other = capabilities([AUDIO, MESSAGE], address="192.0.2.1")
    assert can.origin.session_id != other.origin.session_id
    known = capabilities([AUDIO], address="192.0.2.1", session_id=5)
    assert known.origin.session_id == 5
