from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sdp
from msrp.accept_types import AcceptTypes
from msrp.errors import InvalidUri, LocalProtocolError, NegotiationError
from msrp.negotiation import (
    DEFAULT_ACCEPT_TYPES,
    DEFAULT_ACCEPT_WRAPPED_TYPES,
    Fingerprint,
    MediaDescription,
    Negotiated,
    answer_media,
    is_message_line,
    negotiate,
    offer_media,
    uses_tls,
)
from msrp.uri import MsrpUri, new_session_id

ALICE = MsrpUri.parse("msrp://192.0.2.1:2855/alice2s93i9ek2a;tcp")
BOB = MsrpUri.parse("msrp://198.51.100.2:30100/bob9di4ba0sx1;tcp")
ALICE_TLS = MsrpUri.parse("msrps://192.0.2.1:2855/alice2s93i9ek2a;tcp")
BOB_TLS = MsrpUri.parse("msrps://198.51.100.2:30100/bob9di4ba0sx1;tcp")
RELAY = "msrp://relay.example.com:9000/hjdhfha;tcp"

CERTIFICATE = b"the certificate in DER"
OTHER_CERTIFICATE = b"another one"
SHA_256 = Fingerprint.of_certificate(CERTIFICATE)


def section(
    *attributes: str,
    port: int = 2855,
    proto: str = "TCP/MSRP",
    formats: tuple[str, ...] = ("*",),
    media: str = "message",
) -> MediaDescription:
    return MediaDescription(
        media,
        port,
        proto,
        formats,
        attributes=tuple(map(sdp.Attribute.parse, attributes)),
    )


def plain(*more: str, path: object = ALICE, types: str = "*") -> MediaDescription:
    return section(f"path:{path}", f"accept-types:{types}", *more)


def tls(*more: str, path: object = ALICE_TLS) -> MediaDescription:
    return section(f"path:{path}", "accept-types:*", *more, proto="TCP/TLS/MSRP")


def whole(
    *media: MediaDescription, lines: Sequence[str] = ()
) -> sdp.SessionDescription:
    head = ["v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    body = "".join(line + "\r\n" for line in [*head, *lines])
    return sdp.SessionDescription.parse(body + "".join(map(str, media)))


def as_offerer(
    offered: MediaDescription | sdp.SessionDescription,
    answered: MediaDescription | sdp.SessionDescription,
) -> Negotiated:
    return negotiate(offered, answered, is_incoming=False)


def as_answerer(
    offered: MediaDescription | sdp.SessionDescription,
    answered: MediaDescription | sdp.SessionDescription,
) -> Negotiated:
    return negotiate(offered, answered, is_incoming=True)


def answer_to(
    offered: MediaDescription, uri: MsrpUri = BOB, *, prefer_active: bool = False
) -> MediaDescription:
    answered = answer_media(offered, uri, prefer_active=prefer_active)
    assert answered is not None
    return answered


# What an offer looks like.


@pytest.mark.rule("MSRP-100", "MSRP-101", "MSRP-102", "MSRP-103", "COM-1", "COM-2")
def test_an_offer_is_written_as_the_rfc_says() -> None:
    assert str(offer_media(ALICE, max_size=10_485_760)) == (
        "m=message 2855 TCP/MSRP *\r\n"
        "c=IN IP4 192.0.2.1\r\n"
        "a=path:msrp://192.0.2.1:2855/alice2s93i9ek2a;tcp\r\n"
        "a=accept-types:message/cpim text/plain *\r\n"
        "a=accept-wrapped-types:*\r\n"
        "a=max-size:10485760\r\n"
        "a=setup:actpass\r\n"
    )


@pytest.mark.rule("MSRP-100", "MSRP-118", "FP-1")
def test_an_offer_of_tls_has_the_scheme_the_proto_and_the_fingerprints() -> None:
    offered = offer_media(ALICE_TLS, fingerprints=[SHA_256])
    digest = hashlib.sha256(CERTIFICATE).hexdigest().upper()
    pairs = ":".join(digest[i : i + 2] for i in range(0, 64, 2))
    assert offered.proto == "TCP/TLS/MSRP"
    assert (offered.first("path") or "").startswith("msrps://")
    assert offered.all("fingerprint") == (f"sha-256 {pairs}",)


def test_a_fingerprint_is_not_offered_without_tls() -> None:
    assert not offer_media(ALICE, fingerprints=[SHA_256]).has("fingerprint")


@pytest.mark.rule("FP-2")
@pytest.mark.parametrize("name", ["md5", "md2"])
def test_a_fingerprint_of_a_broken_hash_function_is_not_offered(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="hash function"):
        offer_media(ALICE_TLS, fingerprints=[SHA_256, Fingerprint(name, bytes(16))])


@pytest.mark.rule("MSRP-101", "COM-2")
def test_who_only_connects_offers_port_9_and_a_path_with_a_port() -> None:
    offered = offer_media(ALICE, setup="active")
    assert offered.port == 9
    assert offered.first("setup") == "active"
    assert offered.first("path") == str(ALICE)


@pytest.mark.rule("COM-1", "COM-2")
@pytest.mark.parametrize("setup", ["passive", "holdconn", "existing", ""])
def test_nothing_but_actpass_and_active_is_offered(setup: str) -> None:
    with pytest.raises(LocalProtocolError, match="actpass or active"):
        offer_media(ALICE, setup=setup)


@pytest.mark.rule("COM-5")
def test_neither_offer_nor_answer_says_anything_of_reusing_connections() -> None:
    offered = offer_media(ALICE)
    assert not offered.has("connection")
    asked = dataclasses.replace(
        offered,
        attributes=(*offered.attributes, sdp.Attribute("connection", "existing")),
    )
    assert not answer_to(asked).has("connection")
    assert as_answerer(asked, answer_to(asked)).connect_to == ("192.0.2.1", 2855)


@pytest.mark.rule("MSRP-101")
@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "IN IP4 192.0.2.7"),
        ("[2001:db8::7]", "IN IP6 2001:db8::7"),
        ("psap.example.net", "IN IP4 psap.example.net"),
    ],
)
def test_the_address_is_the_host_of_the_path(host: str, address: str) -> None:
    offered = offer_media(MsrpUri.parse(f"msrp://{host}:2855/abc;tcp"))
    assert str(offered.connection) == address
    assert offered.port == 2855


@pytest.mark.rule("MSRP-103")
def test_by_default_cpim_is_preferred_and_everything_taken() -> None:
    assert DEFAULT_ACCEPT_TYPES[0] == "message/cpim"
    assert DEFAULT_ACCEPT_TYPES[-1] == "*"
    assert DEFAULT_ACCEPT_WRAPPED_TYPES == ("*",)


@pytest.mark.rule("MSRP-104")
def test_no_wrapped_types_make_no_attribute() -> None:
    offered = offer_media(ALICE, accept_wrapped_types=())
    assert not offered.has("accept-wrapped-types")
    answered = answer_to(offered)
    assert as_answerer(offered, answered).remote_accept_wrapped_types == AcceptTypes(())


@pytest.mark.rule("MSRP-109")
@pytest.mark.parametrize("direction", ["sendrecv", "sendonly", "recvonly", "inactive"])
def test_a_direction_is_offered_when_asked_for(direction: str) -> None:
    assert offer_media(ALICE, direction=direction).attributes[-1] == sdp.Attribute(
        direction
    )


def uri(text: str) -> MsrpUri:
    return MsrpUri.parse(text)


@pytest.mark.parametrize(
    "own",
    [
        pytest.param(uri("msrp://192.0.2.1/abc;tcp"), id="no-port"),
        pytest.param(uri("msrp://192.0.2.1:0/abc;tcp"), id="port-0"),
        pytest.param(uri("msrp://192.0.2.1:2855;tcp"), id="no-session-id"),
        pytest.param(uri("msrp://192.0.2.1:2855/abc;ws"), id="not-tcp"),
        pytest.param(uri("msrp://192.0.2.1:2855/abc;TCP"), id="upper-case-tcp"),
        pytest.param(uri("msrp://0.0.0.0:2855/abc;tcp"), id="unspecified"),
        pytest.param(uri("msrp://[::]:2855/abc;tcp"), id="unspecified-ipv6"),
        pytest.param(uri("msrp://224.0.1.1:2855/abc;tcp"), id="multicast"),
        pytest.param(uri("msrp://[ff0e::1]:2855/abc;tcp"), id="multicast-ipv6"),
        pytest.param(MsrpUri("msrp", "a.example", 2855, "a", "tcp", "u@v"), id="user"),
        pytest.param(MsrpUri("msrp", "a.example", 2855, "a b"), id="space"),
        pytest.param(MsrpUri("msrp", "a.example", 2855, "a;tcp;b"), id="semicolon"),
        pytest.param(MsrpUri("msrp", "a.example", 2855, "a\r\na=b"), id="new-line"),
    ],
)
@pytest.mark.rule("MSRP-25", "MSRP-102", "OA-10", "FIELD-2")
def test_an_own_uri_that_is_no_path_is_refused(own: MsrpUri) -> None:
    with pytest.raises((LocalProtocolError, InvalidUri)):
        offer_media(own)
    with pytest.raises((LocalProtocolError, InvalidUri)):
        answer_media(plain(path=BOB), own)


@pytest.mark.rule("MSRP-103")
@pytest.mark.parametrize(
    "types",
    [
        pytest.param([], id="none"),
        pytest.param(["text"], id="no-subtype"),
        pytest.param(["text/"], id="empty-subtype"),
        pytest.param(["/plain"], id="empty-type"),
        pytest.param(["text/plain\r\na=x"], id="new-line"),
        pytest.param(["text/plain;a=\r\na=x"], id="new-line-in-parameter"),
        pytest.param(['text/plain;a="b c"'], id="space-in-parameter"),
        pytest.param(["text/plain;a=\0"], id="nul"),
        pytest.param(["text/plain text/html"], id="two-in-one"),
    ],
)
def test_an_own_list_that_cannot_be_read_back_is_refused(types: list[str]) -> None:
    with pytest.raises(LocalProtocolError):
        offer_media(ALICE, accept_types=types)


def test_a_negative_size_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="negative"):
        offer_media(ALICE, max_size=-1)


def test_an_unknown_direction_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="sendrecv, sendonly"):
        offer_media(ALICE, direction="both")


@pytest.mark.rule("MSRP-28", "MSRP-102")
def test_each_message_line_gets_an_unguessable_uri_of_its_own() -> None:
    ids = {new_session_id() for _ in range(100)}
    assert len(ids) == 100
    # Hexadecimal digits carry four bits each.
    assert all(set(each) <= set("0123456789abcdef") for each in ids)
    assert min(map(len, ids)) * 4 >= 80
    paths = {
        offer_media(dataclasses.replace(ALICE, session_id=each)).first("path")
        for each in ids
    }
    assert len(paths) == 100


# What is a message line.


@pytest.mark.rule("MSRP-100", "MSRP-111")
@pytest.mark.parametrize(
    ("line", "is_one", "over_tls"),
    [
        ("message 2855 TCP/MSRP *", True, False),
        ("message 2855 TCP/TLS/MSRP *", True, True),
        ("message 2855 tcp/tls/msrp *", True, True),
        ("message 0 TCP/MSRP *", True, False),
        ("message 2855 TCP/MSRP 0", False, False),
        ("message 2855 TCP/MSRP * *", False, False),
        ("message 2855 UDP/DTLS/SCTP *", False, False),
        ("message 2855 TCP *", False, False),
        ("text 2855 TCP/MSRP *", False, False),
        ("audio 2855 RTP/AVP 0", False, False),
    ],
)
def test_tells_message_lines_from_others(
    line: str, is_one: bool, over_tls: bool
) -> None:
    media = MediaDescription.parse(
        f"m={line}\r\na=path:{BOB_TLS if over_tls else BOB}\r\na=accept-types:*\r\n"
    )
    assert is_message_line(media) is is_one
    assert uses_tls(media) is over_tls
    accepts = answer_media(media, ALICE_TLS if over_tls else ALICE) is not None
    assert accepts is (is_one and not media.is_rejected)


# Answers.


@pytest.mark.rule("COM-1", "COM-3")
@pytest.mark.parametrize(
    ("offered", "prefer_active", "answered"),
    [
        ("setup:active", False, "passive"),
        ("setup:active", True, "passive"),
        ("setup:passive", False, "active"),
        ("setup:passive", True, "active"),
        ("setup:actpass", False, "passive"),
        ("setup:actpass", True, "active"),
        ("setup:holdconn", False, "passive"),
        ("setup:holdconn", True, "passive"),
        ("setup:garbage", True, "passive"),
        ("setup", True, "passive"),
        (None, False, "passive"),
        (None, True, "passive"),
    ],
)
def test_an_answer_always_says_who_connects(
    offered: str | None, prefer_active: bool, answered: str
) -> None:
    offer = plain(*([] if offered is None else [offered]))
    answer = answer_to(offer, prefer_active=prefer_active)
    assert answer.first("setup") == answered
    assert answer.port == (9 if answered == "active" else 30100)
    is_active = answered == "active"
    assert as_answerer(offer, answer).is_active is is_active
    assert as_offerer(offer, answer).is_active is not is_active


@pytest.mark.rule("OA-12", "MSRP-103", "MSRP-107")
def test_an_answer_says_what_the_answerer_takes_whatever_was_offered() -> None:
    offered = plain("max-size:5000", types="message/cpim text/plain text/html")
    answered = answer_media(
        offered,
        BOB,
        accept_types=["text/plain", "image/jpeg"],
        accept_wrapped_types=["image/png"],
        max_size=7,
    )
    assert answered is not None
    assert answered.first("accept-types") == "text/plain image/jpeg"
    assert answered.first("accept-wrapped-types") == "image/png"
    assert answered.first("max-size") == "7"


@pytest.mark.rule("OA-12")
@pytest.mark.parametrize("proto", ["TCP/TLS/MSRP", "tcp/tls/msrp"])
def test_an_answer_keeps_the_protocol_to_the_letter(proto: str) -> None:
    offered = dataclasses.replace(tls(), proto=proto)
    assert answer_to(offered, BOB_TLS).proto == proto


@pytest.mark.rule("OA-12")
def test_an_answer_cannot_add_or_drop_tls() -> None:
    with pytest.raises(LocalProtocolError, match="scheme"):
        answer_media(tls(), BOB)
    with pytest.raises(LocalProtocolError, match="scheme"):
        answer_media(plain(), BOB_TLS)


@pytest.mark.rule("OA-10", "MSRP-101")
@pytest.mark.parametrize("direction", ["sendonly", "inactive"])
def test_an_answer_has_address_and_port_whatever_the_direction(direction: str) -> None:
    answered = answer_to(plain(direction))
    assert str(answered.connection) == "IN IP4 198.51.100.2"
    assert answered.port == 30100


@pytest.mark.rule("OA-10")
def test_a_multicast_offer_gets_a_unicast_answer() -> None:
    offered = dataclasses.replace(
        plain(), connections=(sdp.ConnectionData.parse("IN IP4 224.2.1.1/127"),)
    )
    connection = answer_to(offered).connection
    assert connection is not None
    assert not connection.is_multicast


@pytest.mark.rule("OA-17")
def test_a_removed_stream_stays_removed() -> None:
    assert answer_media(dataclasses.replace(plain(), port=0), BOB) is None


@pytest.mark.rule("OA-40", "CEMA-9")
def test_cema_is_not_answered() -> None:
    offered = plain("msrp-cema", "setup:actpass")
    assert not answer_to(offered).has("msrp-cema")


@pytest.mark.rule("MSRP-109")
@pytest.mark.parametrize(
    ("offered", "wanted", "answered"),
    [
        ([], "sendrecv", None),
        (["sendrecv"], "sendrecv", "sendrecv"),
        (["sendonly"], "sendrecv", "recvonly"),
        (["recvonly"], "sendrecv", "sendonly"),
        (["inactive"], "sendrecv", "inactive"),
        ([], "sendonly", "sendonly"),
        (["sendonly"], "sendonly", "inactive"),
        ([], "inactive", "inactive"),
    ],
)
def test_an_answer_takes_what_the_offer_allows(
    offered: list[str], wanted: str, answered: str | None
) -> None:
    answer = answer_media(plain(*offered), BOB, direction=wanted)
    assert answer is not None
    names = {"sendrecv", "sendonly", "recvonly", "inactive"}
    written = [a.name for a in answer.attributes if a.name in names]
    assert written == ([] if answered is None else [answered])


def test_an_unknown_direction_is_not_answered() -> None:
    with pytest.raises(LocalProtocolError):
        answer_media(plain(), BOB, direction="both")


UNUSABLE = [
    pytest.param(section("accept-types:*"), id="no-path"),
    pytest.param(section("path", "accept-types:*"), id="path-without-a-value"),
    pytest.param(plain(path=" "), id="empty-path"),
    pytest.param(plain(path="sip:alice@example.com"), id="no-msrp-uri"),
    pytest.param(plain(path=f"{ALICE} x"), id="far-uri-malformed"),
    pytest.param(plain(path="msrp://10.0.0.1/x;tcp"), id="no-port"),
    pytest.param(plain(path=f"{RELAY} msrp://10.0.0.1/x;tcp"), id="far-uri-no-port"),
    pytest.param(plain(path=" ".join([RELAY] * 17)), id="path-too-long"),
    pytest.param(section(f"path:{ALICE}"), id="no-accept-types"),
    pytest.param(section(f"path:{ALICE}", "accept-types"), id="types-without-a-value"),
    pytest.param(plain(types=" "), id="empty-accept-types"),
    pytest.param(plain(types="text plain"), id="no-type-in-accept-types"),
    pytest.param(plain(path=ALICE_TLS), id="msrps-without-tls"),
    pytest.param(tls(path=ALICE), id="msrp-over-tls"),
    pytest.param(tls("fingerprint:sha-256 00"), id="fingerprint-too-short"),
    pytest.param(tls("fingerprint:sha-256"), id="fingerprint-without-digest"),
    pytest.param(tls("fingerprint"), id="fingerprint-without-a-value"),
    pytest.param(dataclasses.replace(plain(), port=0), id="port-0"),
    pytest.param(dataclasses.replace(plain(), proto="TCP"), id="proto"),
    pytest.param(dataclasses.replace(plain(), formats=("0",)), id="format"),
    pytest.param(dataclasses.replace(plain(), media="text"), id="media"),
]


@pytest.mark.rule("MSRP-25", "MSRP-100", "MSRP-102", "MSRP-103", "MSRP-111", "OA-17")
@pytest.mark.parametrize("media", UNUSABLE)
def test_an_unusable_section_is_rejected_and_never_makes_a_session(
    media: MediaDescription,
) -> None:
    own = BOB_TLS if uses_tls(media) else BOB
    assert answer_media(media, own) is None
    good = (tls if uses_tls(media) else plain)(path=own)
    for offered, answered, whose in [(media, good, "offer"), (good, media, "answer")]:
        with pytest.raises(NegotiationError, match=f"the {whose}"):
            as_offerer(offered, answered)
        with pytest.raises(NegotiationError, match=f"the {whose}"):
            as_answerer(offered, answered)


@pytest.mark.parametrize("media", UNUSABLE)
def test_an_error_is_one_line_without_the_octets_of_the_peer(
    media: MediaDescription,
) -> None:
    hostile = dataclasses.replace(
        media,
        attributes=tuple(
            dataclasses.replace(a, value=a.value and f"ZQZ{a.value}")
            for a in media.attributes
        ),
    )
    with pytest.raises(NegotiationError) as caught:
        as_offerer(plain(path=BOB), hostile)
    assert str(caught.value)
    assert "ZQZ" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.rule("MSRP-106")
@pytest.mark.parametrize(
    ("offered", "ours", "is_accepted"),
    [
        ("text/plain", ["text/plain"], True),
        ("image/png text/plain", ["text/plain"], True),
        ("Text/Plain;charset=utf-8", ["text/plain"], True),
        ("text/*", ["text/plain"], True),
        ("text/plain", ["text/*"], True),
        ("image/png", ["*"], True),
        ("image/png *", ["text/plain"], True),
        ("image/png", ["text/plain"], False),
        ("image/*", ["text/*"], False),
    ],
)
def test_an_offer_without_a_type_that_we_know_is_rejected(
    offered: str, ours: list[str], is_accepted: bool
) -> None:
    answered = answer_media(plain(types=offered), BOB, accept_types=ours)
    assert (answered is not None) is is_accepted


@pytest.mark.rule("MSRP-102")
def test_an_offer_of_our_own_uri_is_rejected() -> None:
    assert answer_media(plain(path=BOB), BOB) is None


# Who connects, and where to.


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


@pytest.mark.rule("MSRP-102")
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
        ('text/plain;x="a b" text/html', ('text/plain;x="a', "text/html")),
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


# TLS and certificates.


@pytest.mark.rule("MSRP-118", "FP-1", "FP-3", "COM-7")
def test_the_certificate_must_be_the_one_announced() -> None:
    offer = offer_media(ALICE_TLS, fingerprints=[SHA_256])
    answer = answer_media(
        offer, BOB_TLS, fingerprints=[Fingerprint.of_certificate(OTHER_CERTIFICATE)]
    )
    assert answer is not None
    ours, theirs = as_offerer(offer, answer), as_answerer(offer, answer)
    assert ours.secure
    assert theirs.secure
    assert ours.certificate_matches(OTHER_CERTIFICATE)
    assert not ours.certificate_matches(CERTIFICATE)
    assert theirs.certificate_matches(CERTIFICATE)
    assert not theirs.certificate_matches(OTHER_CERTIFICATE)


@pytest.mark.rule("FP-3")
def test_only_the_best_hash_function_counts() -> None:
    wrong = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    right = Fingerprint.of_certificate(CERTIFICATE, "sha-1")
    answer = tls(f"fingerprint:{right}", f"fingerprint:{wrong}", path=BOB_TLS)
    session = as_offerer(tls(), answer)
    assert session.remote_fingerprints == (right, wrong)
    assert not session.certificate_matches(CERTIFICATE)


@pytest.mark.rule("FP-2")
def test_md5_is_announced_in_vain() -> None:
    digest = hashlib.md5(CERTIFICATE, usedforsecurity=False).digest()
    answer = tls(f"fingerprint:MD5 {digest.hex(':').upper()}", path=BOB_TLS)
    session = as_offerer(tls(), answer)
    assert session.remote_fingerprints
    assert not session.certificate_matches(CERTIFICATE)


@pytest.mark.rule("FP-1")
def test_a_digest_in_lower_case_is_read() -> None:
    answer = tls(f"fingerprint:SHA-256 {SHA_256.digest.hex(':')}", path=BOB_TLS)
    assert as_offerer(tls(), answer).certificate_matches(CERTIFICATE)


@pytest.mark.rule("MSRP-118", "FP-1")
def test_no_fingerprint_is_left_for_the_caller_to_judge() -> None:
    session = as_offerer(tls(), tls(path=BOB_TLS))
    assert session.secure
    assert session.remote_fingerprints == ()
    assert not session.certificate_matches(CERTIFICATE)


@pytest.mark.rule("FP-1")
@pytest.mark.parametrize("in_media", [True, False])
def test_a_fingerprint_of_the_whole_session_holds_unless_the_stream_has_one(
    in_media: bool,
) -> None:
    own = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    media = tls(*([f"fingerprint:{own}"] if in_media else []), path=BOB_TLS)
    answer = whole(media, lines=[f"a=fingerprint:{SHA_256}"])
    session = as_offerer(whole(tls()), answer)
    assert session.remote_fingerprints == ((own,) if in_media else (SHA_256,))


@pytest.mark.rule("COM-7")
def test_the_fingerprint_of_a_peer_does_not_name_the_certificate_of_its_relay() -> None:
    path = f"msrps://relay.example.com:9000/hjdhfha;tcp {BOB_TLS}"
    session = as_offerer(tls(), tls(f"fingerprint:{SHA_256}", path=path))
    assert session.secure
    assert session.remote_fingerprints == ()


@pytest.mark.rule("FP-1")
def test_a_fingerprint_without_tls_means_nothing_however_malformed() -> None:
    session = as_offerer(plain(), plain("fingerprint:sha-256 0", path=BOB))
    assert not session.secure
    assert session.remote_fingerprints == ()


@pytest.mark.rule("OA-12", "OA-41")
def test_an_answer_may_bring_in_tls_by_way_of_a_relay() -> None:
    """RFC 4976 section 11 shows it."""
    offer = MediaDescription.parse(
        "m=message 1234 TCP/MSRP *\n"
        "c=IN IP4 a.example.com\n"
        "a=accept-types: message/cpim text/plain text/html\n"
        "a=path:msrp://a.example.com:1234/agic456;tcp\n"
    )
    answer = MediaDescription.parse(
        "m=message 1234 TCP/TLS/MSRP *\n"
        "c=IN IP4 bob.example.com\n"
        "a=accept-types: message/cpim text/plain\n"
        "a=path:msrps://relay.example.com:9000/hjdhfha;tcp  "
        "msrps://bob.example.com:1234/fuige;tcp\n"
    )
    session = as_offerer(offer, answer)
    assert session.is_active
    assert session.secure
    assert session.connect_to == ("relay.example.com", 9000)
    assert session.remote_accept_types.first == "message/cpim"
    assert session.accept_types.entries == ("message/cpim", "text/plain", "text/html")


@pytest.mark.rule("MSRP-120")
def test_an_answer_must_not_take_tls_away() -> None:
    with pytest.raises(NegotiationError, match="gives up the TLS"):
        as_offerer(tls(), plain(path=BOB))


def test_whose_uri_is_connected_to_decides_about_tls() -> None:
    offer = tls("setup:actpass")
    answer = plain("setup:active", path=BOB)
    assert as_offerer(offer, answer).secure
    offer = plain("setup:actpass")
    answer = tls("setup:active", f"fingerprint:{SHA_256}", path=BOB_TLS)
    session = as_offerer(offer, answer)
    assert not session.secure
    assert session.remote_fingerprints == ()


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
    assert session.remote_accept_types.entries == (
        "message/cpim",
        "text/plain",
        "text/html",
    )


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


# Properties.

hosts = st.sampled_from(["192.0.2.1", "[2001:db8::1]", "alice.example.com"])
uris = st.builds(
    "{}://{}:{}/{};{}".format,
    st.sampled_from(["msrp", "msrps", "MSRP", "sip"]),
    hosts,
    st.integers(0, 65540),
    st.text("abc123-._~+=/", min_size=1, max_size=8),
    st.sampled_from(["tcp", "TCP", "ws", "dc"]),
)
texts = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20
)
attributes = st.one_of(
    st.lists(uris, min_size=1, max_size=3).map(lambda each: "path:" + " ".join(each)),
    st.sampled_from(["*", "text/plain *", "text", 'a/b;c="d e"']).map(
        "accept-types:{}".format
    ),
    st.sampled_from(["active", "passive", "actpass", "holdconn", "x"]).map(
        "setup:{}".format
    ),
    st.sampled_from(["sendonly", "recvonly", "inactive", "setup", "path"]),
    st.tuples(
        st.sampled_from(
            ["path", "accept-types", "max-size", "fingerprint", "accept-wrapped-types"]
        ),
        texts.filter(bool),
    ).map(":".join),
)
sections = st.builds(
    lambda lines, port, proto: section(*lines, port=port, proto=proto),
    st.lists(attributes, max_size=6),
    st.sampled_from([0, 9, 2855]),
    st.sampled_from(["TCP/MSRP", "TCP/TLS/MSRP", "TCP"]),
)


@settings(deadline=None, max_examples=150)
@given(sections, sections, st.booleans())
def test_any_two_sections_negotiate_or_fail_in_words(
    offered: MediaDescription, answered: MediaDescription, is_incoming: bool
) -> None:
    try:
        session = negotiate(offered, answered, is_incoming=is_incoming)
    except NegotiationError:
        return
    assert session.local_uri == session.local_path[-1]
    assert not session.is_active or session.connect_to[1] > 0


@settings(deadline=None, max_examples=200)
@given(st.lists(attributes, max_size=2), uris, st.booleans(), st.booleans())
def test_whatever_is_answered_is_a_session_to_both_sides(
    more: list[str], path: str, over_tls: bool, prefer_active: bool
) -> None:
    offered = section(
        f"path:{path}",
        "accept-types:text/plain *",
        *more,
        proto="TCP/TLS/MSRP" if over_tls else "TCP/MSRP",
    )
    own = BOB_TLS if over_tls else BOB
    answered = answer_media(offered, own, prefer_active=prefer_active)
    if answered is None:
        return
    received = MediaDescription.parse(bytes(answered), strict=True)
    assert received == answered
    theirs = as_answerer(offered, received)
    assert theirs.local_uri == own
    assert theirs.is_active is not as_offerer(offered, received).is_active
    assert theirs.secure is over_tls


VALID = bytes(
    whole(
        offer_media(
            ALICE_TLS, max_size=5000, fingerprints=[SHA_256], direction="sendrecv"
        )
    )
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, len(VALID) - 1), st.binary(max_size=3)), max_size=4
    )
)
def test_a_damaged_offer_is_answered_or_rejected_and_nothing_else(
    damages: list[tuple[int, bytes]],
) -> None:
    octets = VALID
    for at, replacement in damages:
        octets = octets[:at] + replacement + octets[at + 1 :]
    try:
        offer = sdp.SessionDescription.parse(octets)
    except sdp.SdpError:
        return
    for index, media in enumerate(map(offer.effective_media, range(len(offer.media)))):
        own = BOB_TLS if uses_tls(media) else BOB
        answered = answer_media(media, own)
        if answered is not None:
            assert as_answerer(media, answered).local_uri == own
            assert media == offer.effective_media(index)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["actpass", "active"]),
    st.lists(
        st.sampled_from(["*", "text/plain", "text/*", "a/b;c=d"]),
        min_size=1,
        max_size=4,
    ),
    st.none() | st.integers(0, 10**18 - 1),
    st.none() | st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]),
)
def test_what_is_offered_is_read_as_it_was_meant(
    setup: str, types: list[str], max_size: int | None, direction: str | None
) -> None:
    offered = offer_media(
        ALICE,
        setup=setup,
        accept_types=types,
        accept_wrapped_types=types,
        max_size=max_size,
        direction=direction,
    )
    received = MediaDescription.parse(bytes(offered), strict=True)
    session = as_answerer(received, answer_to(received))
    assert session.remote_path == (ALICE,)
    assert session.remote_accept_types.entries == tuple(types)
    assert session.remote_accept_wrapped_types.entries == tuple(types)
    assert session.remote_max_size == max_size
    assert session.may_send is (direction in (None, "sendrecv", "recvonly"))
    assert session.may_receive is (direction in (None, "sendrecv", "sendonly"))
