from __future__ import annotations

import dataclasses

import pytest

import sdp
from msrp.errors import LocalProtocolError, NegotiationError
from msrp.negotiation import (
    Fingerprint,
    MediaDescription,
    answer_media,
    is_message_line,
    offer_media,
)
from msrp.uri import MsrpUri
from tests.msrp.sections import (
    ALICE,
    BOB,
    BOB_TLS,
    OTHER_CERTIFICATE,
    RELAY,
    SHA_256,
    answer_to,
    as_answerer,
    as_offerer,
    plain,
    tls,
    whole,
)


@pytest.mark.rule("COM-3", "COM-4", "MSRP-108")
@pytest.mark.parametrize(
    ("offered", "answered", "offerer_connects"),
    [
        ("active", "passive", True),
        ("actpass", "passive", True),
        ("actpass", "active", False),
        ("passive", "active", False),
        (None, "passive", True),
        (None, None, True),
        ("active", None, True),
        ("actpass", None, True),
        ("holdconn", "passive", True),
        ("actpass", "holdconn", True),
        ("actpass", "garbage", True),
        ("garbage", "passive", True),
        ("garbage", None, True),
    ],
)
def test_exactly_one_side_connects(
    offered: str | None, answered: str | None, offerer_connects: bool
) -> None:
    offer = plain(*([f"setup:{offered}"] if offered else []), path=ALICE)
    answer = plain(*([f"setup:{answered}"] if answered else []), path=BOB)
    assert as_offerer(offer, answer).is_active is offerer_connects
    assert as_answerer(offer, answer).is_active is not offerer_connects


@pytest.mark.rule("COM-3")
@pytest.mark.parametrize(
    ("offered", "answered"),
    [("active", "active"), ("passive", "passive"), ("holdconn", "active")],
)
def test_two_who_both_connect_or_both_wait_have_no_session(
    offered: str, answered: str
) -> None:
    with pytest.raises(NegotiationError, match="both"):
        as_offerer(plain(f"setup:{offered}"), plain(f"setup:{answered}", path=BOB))


@pytest.mark.rule("MSRP-34", "MSRP-101", "MSRP-102", "COM-6")
def test_the_path_says_where_to_connect_and_nothing_else_does() -> None:
    far = "msrp://hidden.example.com:1234/fuige;tcp"
    answer = MediaDescription.parse(
        "m=message 1 TCP/MSRP *\r\n"
        "c=IN IP4 203.0.113.99\r\n"
        f"a=path:{RELAY}  msrp://second.example.com:9001/x;tcp   {far}\r\n"
        "a=accept-types:*\r\n"
        "a=msrp-cema\r\n"
    )
    session = as_offerer(plain(), answer)
    assert session.is_active
    assert session.connect_to == ("relay.example.com", 9000)
    assert len(session.remote_path) == 3
    assert str(session.remote_path[-1]) == far
    assert session.local_path == (ALICE,)
    assert session.local_uri == ALICE


@pytest.mark.rule("MSRP-102")
def test_several_uris_of_ours_make_the_last_one_the_session() -> None:
    session = as_offerer(plain(path=f"{RELAY} {ALICE}"), plain(path=BOB))
    assert session.local_path == (MsrpUri.parse(RELAY), ALICE)
    assert session.local_uri == ALICE


@pytest.mark.rule("MSRP-34")
def test_a_transport_in_upper_case_is_the_same() -> None:
    answer = plain(path="msrp://192.0.2.9:2855/x;TCP")
    assert as_offerer(plain(), answer).connect_to == ("192.0.2.9", 2855)


@pytest.mark.rule("MSRP-34")
def test_an_ipv6_address_is_connected_to_without_its_brackets() -> None:
    answer = plain(path="msrp://[2001:db8::2]:2855/x;tcp")
    assert as_offerer(plain(), answer).connect_to == ("2001:db8::2", 2855)


UNREACHABLE = [
    pytest.param("msrp://df7jal23ls0d.invalid:2855/98cjs;ws", id="websocket"),
    pytest.param("msrp://192.0.2.9:2855/98cjs;dc", id="data-channel"),
    pytest.param("msrp://192.0.2.9:0/98cjs;tcp", id="port-0"),
]


@pytest.mark.rule("MSRP-34", "COM-3", "COM-6")
@pytest.mark.parametrize("path", UNREACHABLE)
def test_a_peer_that_cannot_be_connected_to_must_connect(path: str) -> None:
    offered = plain("setup:actpass", path=path)
    answered = answer_to(offered, prefer_active=True)
    assert answered.first("setup") == "passive"
    assert not as_answerer(offered, answered).is_active
    assert answer_media(plain("setup:passive", path=path), BOB) is None
    with pytest.raises(NegotiationError, match="path of the answer"):
        as_offerer(plain(), plain(path=path))
    with pytest.raises(NegotiationError, match="path of the offer"):
        as_answerer(plain("setup:passive", path=path), plain("setup:active", path=BOB))


@pytest.mark.rule("MSRP-24", "MSRP-102")
def test_an_unknown_transport_behind_a_relay_is_none_of_our_business() -> None:
    answer = plain(path=f"{RELAY} msrp://x.invalid:2855/98cjs;ws")
    assert as_offerer(plain(), answer).connect_to == ("relay.example.com", 9000)


@pytest.mark.rule("MSRP-102")
def test_both_sides_cannot_have_the_same_uri() -> None:
    with pytest.raises(NegotiationError, match="same URI"):
        as_offerer(plain(), plain())


@pytest.mark.rule("OA-40", "COM-3")
def test_an_offer_that_knows_nothing_of_setup_has_its_author_connect() -> None:
    offer = MediaDescription.parse(
        "m=message 7394 TCP/MSRP *\r\n"
        "a=accept-types:text/plain\r\n"
        "a=path:msrp://alice.example.com:7394/2s93i9ek2a;tcp\r\n"
    )
    answer = answer_to(offer, prefer_active=True)
    assert not answer.has("msrp-cema")
    assert as_offerer(offer, answer).connect_to == ("198.51.100.2", 30100)
    assert not as_answerer(offer, answer).is_active


# Content types, size, direction.


@pytest.mark.rule("MSRP-103", "MSRP-104", "MSRP-105", "MSRP-107", "OA-12")
def test_each_side_learns_what_the_other_takes() -> None:
    offer = plain(
        "accept-wrapped-types:image/*", "max-size:5000", types="message/cpim text/*"
    )
    answer = plain(path=BOB, types="text/plain;charset=utf-8 image/png")
    ours, theirs = as_offerer(offer, answer), as_answerer(offer, answer)
    assert ours.accept_types == theirs.remote_accept_types
    assert ours.accept_types.entries == ("message/cpim", "text/*")
    assert ours.accept_wrapped_types == theirs.remote_accept_wrapped_types
    assert ours.accept_wrapped_types.entries == ("image/*",)
    assert ours.remote_accept_types.entries == (
        "text/plain;charset=utf-8",
        "image/png",
    )
    assert ours.remote_accept_types.covers("text/plain")
    assert not theirs.remote_accept_types.covers("image/png")
    assert theirs.remote_accept_wrapped_types.covers("image/png")
    assert ours.remote_accept_wrapped_types.entries == ()
    assert (ours.remote_max_size, theirs.remote_max_size) == (None, 5000)


@pytest.mark.rule("MSRP-103")
@pytest.mark.parametrize(
    ("value", "entries"),
    [
        (" message/cpim  text/plain ", ("message/cpim", "text/plain")),
        ("text/plain text", ("text/plain",)),
        ('text/plain;x="a b" text/html', ('text/plain;x="a b"', "text/html")),
        ("text/plain; charset=utf-8", ("text/plain;",)),
        ("*", ("*",)),
        ("text/* *", ("text/*", "*")),
    ],
)
def test_what_is_no_type_is_passed_over(value: str, entries: tuple[str, ...]) -> None:
    session = as_offerer(plain(), plain(path=BOB, types=value))
    assert session.remote_accept_types.entries == entries


@pytest.mark.rule("MSRP-107")
@pytest.mark.parametrize(
    ("value", "octets"),
    [
        ("max-size:0", 0),
        ("max-size: 10485760", 10_485_760),
        ("max-size:" + "9" * 18, 10**18 - 1),
        ("max-size:" + "9" * 5000, None),
        ("max-size:-1", None),
        ("max-size:1e6", None),
        ("max-size:\u0664\u0662", None),
        ("max-size", None),
    ],
)
def test_a_size_that_cannot_be_read_is_no_limit(value: str, octets: int | None) -> None:
    assert as_offerer(plain(), plain(value, path=BOB)).remote_max_size == octets


@pytest.mark.rule("MSRP-109")
@pytest.mark.parametrize(
    ("offered", "answered", "offerer_sends", "answerer_sends"),
    [
        (None, None, True, True),
        ("sendrecv", "sendrecv", True, True),
        ("sendonly", "recvonly", True, False),
        ("recvonly", "sendonly", False, True),
        ("sendrecv", "inactive", False, False),
        ("inactive", "inactive", False, False),
        # An answer that goes beyond the offer changes nothing.
        ("sendonly", None, True, False),
        ("inactive", "sendrecv", False, False),
    ],
)
def test_directions_say_who_may_send(
    offered: str | None,
    answered: str | None,
    offerer_sends: bool,
    answerer_sends: bool,
) -> None:
    offer = plain(*([offered] if offered else []))
    answer = plain(*([answered] if answered else []), path=BOB)
    ours, theirs = as_offerer(offer, answer), as_answerer(offer, answer)
    assert (ours.may_send, ours.may_receive) == (offerer_sends, answerer_sends)
    assert (theirs.may_send, theirs.may_receive) == (answerer_sends, offerer_sends)


# Later offers.


@pytest.mark.rule("MSRP-108")
def test_a_refresh_has_the_same_answer_and_keeps_the_connection() -> None:
    offered = offer_media(ALICE)
    first, second = answer_to(offered), answer_to(offered)
    assert bytes(first) == bytes(second)
    before, after = as_answerer(offered, first), as_answerer(offered, second)
    assert after.continues(before)


@pytest.mark.rule("MSRP-108")
def test_a_refresh_by_the_other_side_keeps_the_connection() -> None:
    offered, reoffered = offer_media(ALICE), offer_media(BOB)
    before = as_offerer(offered, answer_to(offered))
    after = as_answerer(reoffered, answer_to(reoffered, ALICE))
    assert before.is_active is not after.is_active
    assert after.continues(before)


@pytest.mark.rule("MSRP-108")
def test_another_path_on_either_side_asks_for_another_connection() -> None:
    moved = dataclasses.replace(BOB, session_id="another")
    before = as_offerer(plain(), plain(path=BOB))
    assert not as_offerer(plain(), plain(path=moved)).continues(before)
    assert not as_answerer(plain(path=BOB), plain(path=moved)).continues(before)


@pytest.mark.rule("MSRP-108", "MSRP-120")
def test_a_connection_without_tls_does_not_serve_where_there_was_one_with_it() -> None:
    alice, bob = tls("setup:actpass"), plain("setup:active", path=BOB)
    before = as_offerer(alice, bob)
    alice, bob = tls("setup:active"), plain("setup:actpass", path=BOB)
    after = as_answerer(bob, alice)
    assert after.remote_path == before.remote_path
    assert (before.secure, after.secure) == (True, False)
    assert not after.continues(before)


@pytest.mark.rule("FP-7")
def test_another_certificate_asks_for_another_connection() -> None:
    other = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    before = as_offerer(tls(), tls(f"fingerprint:{SHA_256}", path=BOB_TLS))
    for fingerprints, goes_on in [
        ([SHA_256], True),
        ([SHA_256, SHA_256], True),
        ([other], False),
        ([SHA_256, other], False),
        ([], False),
    ]:
        lines = [f"fingerprint:{each}" for each in fingerprints]
        after = as_offerer(tls(), tls(*lines, path=BOB_TLS))
        assert after.continues(before) is goes_on


# Whole descriptions.

AUDIO = MediaDescription("audio", 40000, "RTP/AVP", ("0", "8"))
NO_AUDIO = sdp.reject(AUDIO)


@pytest.mark.rule("MSRP-101", "MSRP-111")
def test_the_first_message_stream_that_is_live_counts() -> None:
    first, second = plain(), plain(path="msrp://192.0.2.1:2855/second;tcp")
    offer = whole(AUDIO, first, second)
    both = whole(NO_AUDIO, plain(path=BOB), plain(path="msrp://b.example:1/x;tcp"))
    assert as_answerer(offer, both).remote_path == (ALICE,)
    later = whole(NO_AUDIO, sdp.reject(first), plain(path=BOB))
    assert as_answerer(offer, later).remote_path[0].session_id == "second"


@pytest.mark.rule("COM-3", "MSRP-109")
def test_what_the_session_says_holds_for_the_stream() -> None:
    offer = whole(plain(), lines=["a=setup:actpass", "a=sendonly"])
    answer = whole(plain(path=BOB), lines=["a=setup:active", "a=recvonly"])
    session = as_offerer(offer, answer)
    assert not session.is_active
    assert (session.may_send, session.may_receive) == (True, False)


@pytest.mark.parametrize(
    ("offered", "answered", "problem"),
    [
        pytest.param([AUDIO], [AUDIO], "no message stream", id="none-offered"),
        pytest.param(
            [sdp.reject(plain())],
            [sdp.reject(plain())],
            "no message stream",
            id="none-live",
        ),
        pytest.param(
            [plain()], [sdp.reject(plain())], "the answer refuses", id="refused"
        ),
        pytest.param([plain()], [], "media sections", id="too-few-slots"),
        pytest.param([plain()], [AUDIO], "media type", id="another-media"),
        pytest.param(
            [plain()],
            [dataclasses.replace(plain(path=BOB), proto="TCP")],
            "not for MSRP",
            id="another-proto",
        ),
    ],
)
@pytest.mark.rule("MSRP-100", "OA-17")
def test_descriptions_without_a_common_message_stream_have_no_session(
    offered: list[MediaDescription], answered: list[MediaDescription], problem: str
) -> None:
    with pytest.raises(NegotiationError, match=problem):
        as_offerer(whole(*offered), whole(*answered))


def test_a_whole_description_and_a_section_do_not_pair() -> None:
    with pytest.raises(LocalProtocolError):
        as_offerer(whole(plain()), plain(path=BOB))
    with pytest.raises(LocalProtocolError):
        as_offerer(plain(), whole(plain(path=BOB)))


@pytest.mark.rule("OA-41", "MSRP-102", "MSRP-103")
def test_the_oddities_of_the_examples_in_the_rfcs_are_understood() -> None:
    offer = sdp.SessionDescription.parse(
        "v=0\n"
        "o=usera 2890844526 2890844527 IN IP4 alice.example.com\n"
        "s= -\n"
        "c=IN IP4 alice.example.com\n"
        "t=0 0\n"
        "m=message 7394 TCP/MSRP *\n"
        "a=accept-types: message/cpim text/plain text/html\n"
        "c=IN IP4 alice.example.com\n"
        "a=path:msrp://alice.example.com:7394/2s93i93idj;tcp\n"
        "a=path:msrp://other.example.com:1/x;tcp\n"
    )
    answer = sdp.build_answer(
        offer, [answer_to(offer.effective_media(0))], address="198.51.100.2"
    )
    session = as_answerer(offer, answer)
    assert session.connect_to == ("alice.example.com", 7394)
    assert session.warnings == ("the offer has more than one a=path: the first counts",)
    assert session.remote_accept_types.entries == (
        "message/cpim",
        "text/plain",
        "text/html",
    )


@pytest.mark.rule("OA-41", "MSRP-103", "MSRP-107")
@pytest.mark.parametrize(
    ("lines", "warnings"),
    [
        pytest.param([], (), id="nothing-odd"),
        pytest.param(["max-size:5000"], (), id="a-size"),
        pytest.param(
            [f"path:{ALICE}", "path:x"],
            ("the answer has more than one a=path: the first counts",),
            id="three-paths",
        ),
        pytest.param(
            ["max-size:lots"], ("the a=max-size of the answer is no limit",), id="size"
        ),
        pytest.param(
            ["accept-wrapped-types:* text"],
            ("the a=accept-wrapped-types of the answer lists what is no type",),
            id="types",
        ),
    ],
)
def test_what_is_passed_over_is_told_to_who_reads_the_peer(
    lines: list[str], warnings: tuple[str, ...]
) -> None:
    answer = plain(*lines, path=BOB)
    session = as_offerer(plain(), answer)
    assert session.remote_path == (BOB,)
    assert session.warnings == warnings
    # It is for the log of who got it, and not of who wrote it.
    assert as_answerer(plain(), answer).warnings == ()


def test_a_warning_says_nothing_in_the_words_of_the_peer() -> None:
    answer = plain("max-size:ZQZ", "path:ZQZ", path=BOB, types="* ZQZ")
    warnings = as_offerer(plain(), answer).warnings
    assert len(warnings) == 3
    assert not any("ZQZ" in warning for warning in warnings)


@pytest.mark.rule("OA-12", "COM-3", "COM-4", "MSRP-118")
def test_an_emergency_call_with_three_streams_gets_its_text() -> None:
    caller = tls(
        "accept-wrapped-types:*",
        "max-size:10485760",
        "setup:actpass",
        "msrp-cema",
        f"fingerprint:{SHA_256}",
        "hlang-send:es en",
    )
    text = MediaDescription("text", 40002, "RTP/AVP", ("100", "98"))
    offer = whole(AUDIO, text, caller)
    position = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    slots = [
        answer_media(media, BOB_TLS, fingerprints=[position])
        if is_message_line(media)
        else None
        for media in map(offer.effective_media, range(3))
    ]
    answer = sdp.build_answer(offer, slots, address="198.51.100.2")
    assert [m.port for m in answer.media] == [0, 0, 30100]
    received = sdp.SessionDescription.parse(bytes(answer), strict=True)
    session = as_offerer(offer, received)
    assert session.is_active
    assert session.secure
    assert session.connect_to == ("198.51.100.2", 30100)
    assert session.certificate_matches(OTHER_CERTIFICATE)
    assert as_answerer(offer, answer).remote_max_size == 10_485_760
