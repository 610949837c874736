from __future__ import annotations

import dataclasses
import hashlib

import pytest

import sdp
from msrp import composing, imdn
from msrp.accept_types import AcceptTypes
from msrp.errors import InvalidUri, LocalProtocolError
from msrp.negotiation import (
    CONTROL_TYPES,
    DEFAULT_ACCEPT_TYPES,
    DEFAULT_ACCEPT_WRAPPED_TYPES,
    Fingerprint,
    answer_media,
    offer_media,
)
from msrp.uri import MsrpUri, new_session_id
from tests.msrp.sections import (
    ALICE,
    ALICE_TLS,
    BOB,
    BOB_TLS,
    CERTIFICATE,
    SHA_256,
    answer_to,
    as_answerer,
    as_offerer,
    plain,
    tls,
)

TYPING = "application/im-iscomposing+xml"
CONTROL = f"{TYPING} message/imdn+xml"


@pytest.mark.rule("MSRP-100", "MSRP-101", "MSRP-102", "MSRP-103", "COM-1", "COM-2")
@pytest.mark.rule("CEMA-1", "CEMA-2")
def test_an_offer_is_written_as_the_rfc_says() -> None:
    assert str(offer_media(ALICE, max_size=10_485_760)) == (
        "m=message 2855 TCP/MSRP *\r\n"
        "c=IN IP4 192.0.2.1\r\n"
        "a=path:msrp://192.0.2.1:2855/alice2s93i9ek2a;tcp\r\n"
        "a=accept-types:message/cpim text/plain *\r\n"
        "a=accept-wrapped-types:application/im-iscomposing+xml message/imdn+xml *\r\n"
        "a=max-size:10485760\r\n"
        "a=setup:actpass\r\n"
        "a=msrp-cema\r\n"
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


@pytest.mark.rule("IMDN-8", "TYP-5")
@pytest.mark.parametrize(
    ("types", "wrapped", "expected"),
    [
        ("message/cpim", "text/plain", f"text/plain {CONTROL}"),
        ("text/plain message/*", "image/png *", f"image/png {CONTROL} *"),
        ("*", "", CONTROL),
        ("message/cpim", f"message/imdn+xml {TYPING}", f"message/imdn+xml {TYPING}"),
        ("text/plain", "image/png", "image/png"),
        ("text/plain", "", None),
    ],
)
def test_typing_and_notifications_are_named_whatever_else_is(
    types: str, wrapped: str, expected: str | None
) -> None:
    own, inside = types.split(), wrapped.split()
    offered = offer_media(ALICE, accept_types=own, accept_wrapped_types=inside)
    assert offered.first("accept-wrapped-types") == expected
    answered = answer_media(
        offer_media(ALICE), BOB, accept_types=own, accept_wrapped_types=inside
    )
    assert answered is not None
    assert answered.first("accept-wrapped-types") == expected


def test_they_are_those_that_are_understood() -> None:
    assert CONTROL_TYPES == (composing.CONTENT_TYPE, imdn.CONTENT_TYPE)


@pytest.mark.rule("MSRP-104")
def test_no_wrapped_types_make_no_attribute() -> None:
    offered = offer_media(ALICE, accept_wrapped_types=(), control_types=())
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
        pytest.param(["text/plain;a=b c"], id="space-in-parameter"),
        pytest.param(['text/plain;a="b c'], id="quote-left-open"),
        pytest.param(['text/plain;a="b"', 'a/b;c="'], id="last-quote-left-open"),
        pytest.param(['text/plain;a="b\\"'], id="quote-closed-by-an-escaped-one"),
        pytest.param([" text/plain"], id="space-before"),
        pytest.param(["text/plain;a=\0"], id="nul"),
        pytest.param(["text/plain text/html"], id="two-in-one"),
    ],
)
def test_an_own_list_that_cannot_be_read_back_is_refused(types: list[str]) -> None:
    with pytest.raises(LocalProtocolError):
        offer_media(ALICE, accept_types=types)


@pytest.mark.rule("MSRP-103")
def test_a_space_in_a_quoted_parameter_is_written_and_read_back() -> None:
    types = ('text/plain;a="b c"', 'a/b;c="\\" d"', "*")
    offered = offer_media(ALICE, accept_types=types)
    assert offered.first("accept-types") == 'text/plain;a="b c" a/b;c="\\" d" *'
    session = as_answerer(offered, answer_to(offered))
    assert session.remote_accept_types.entries == types
    assert session.warnings == ()


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
