from __future__ import annotations

import pytest

from sip.cseq import CSeq
from sip.errors import LocalError, SipParseError
from sip.headers import Headers
from sip.message import Request, Response, response_to
from sip.name_addr import NameAddr
from sip.uri import OtherUri, SipUri, parse_uri
from sip.via import Via
from sip.wire import parse_message

FIELDS = [
    ("Via", "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK1, SIP/2.0/TCP b"),
    ("Via", "SIP/2.0/UDP c"),
    ("Max-Forwards", "70"),
    ("To", "Bob <sip:bob@biloxi.com>"),
    ("From", "Alice <sip:alice@atlanta.com>;tag=1928301774"),
    ("Call-ID", "a84b4c76e66710@pc33.atlanta.com"),
    ("CSeq", "314159 INVITE"),
    ("Contact", "<sip:alice@pc33.atlanta.com>"),
    ("Record-Route", "<sip:p2;lr>, <sip:p1;lr>"),
    ("Route", "<sip:p3;lr>"),
    ("Require", "100rel"),
    ("Supported", "timer, replaces"),
    ("Allow", "INVITE, ACK"),
    ("Allow", "BYE"),
    ("Expires", "120"),
    ("Timestamp", "54.2"),
]


def invite(*more: tuple[str, str]) -> Request:
    return Request.build("INVITE", "sip:bob@biloxi.com", [*FIELDS, *more])


def test_what_a_request_says() -> None:
    request = invite(("Content-Type", "application/sdp"))
    assert request.uri == parse_uri("sip:bob@biloxi.com")
    assert request.via == Via(
        "UDP", "pc33.atlanta.com", None, (("branch", "z9hG4bK1"),)
    )
    assert [via.host for via in request.vias] == ["pc33.atlanta.com", "b", "c"]
    assert request.from_.tag == "1928301774"
    assert request.to == NameAddr("Bob", SipUri("sip", "bob", None, "biloxi.com"))
    assert request.call_id == "a84b4c76e66710@pc33.atlanta.com"
    assert request.cseq == CSeq(314159, "INVITE")
    assert request.max_forwards == 70
    assert request.expires == 120
    assert [str(contact) for contact in request.contacts] == [
        "<sip:alice@pc33.atlanta.com>"
    ]
    assert not request.contact_is_wildcard
    assert [str(route.uri) for route in request.routes] == ["sip:p3;lr"]
    assert [str(route.uri) for route in request.record_routes] == [
        "sip:p2;lr",
        "sip:p1;lr",
    ]
    assert request.require == ("100rel",)
    assert request.supported == ("timer", "replaces")
    assert request.allow == ("INVITE", "ACK", "BYE")
    assert request.content_type == "application/sdp"
    assert repr(request) == "<Request INVITE>"


def test_what_is_absent_is_none_or_nothing() -> None:
    request = Request.build("OPTIONS", "sip:h")
    assert request.max_forwards is None
    assert request.expires is None
    assert request.content_type is None
    assert request.vias == ()
    assert request.contacts == ()
    assert request.routes == ()
    assert request.require == request.supported == request.allow == ()


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
@pytest.mark.rule("SIP-10")
def test_what_must_be_there_is_an_error_with_its_name(name: str) -> None:
    request = invite()
    request.headers.remove(name)
    attribute = {"Call-ID": "call_id", "From": "from_"}.get(name, name.lower())
    with pytest.raises(SipParseError) as caught:
        getattr(request, attribute)
    assert caught.value.header == name


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("Via", "SIP/2.0/UDP 192.0.2.15;;,;,,", "vias"),
        ("From", '"a <sip:b@c>', "from_"),
        ("Call-ID", "two words", "call_id"),
        ("CSeq", "INVITE", "cseq"),
        ("Max-Forwards", "many", "max_forwards"),
        ("Expires", "-1", "expires"),
        ("Contact", '"Joe" <sip:joe@example.org>;;;;', "contacts"),
        ("Record-Route", "<sip:p1;lr>,", "record_routes"),
        ("Supported", 'a, "b', "supported"),
    ],
)
def test_what_is_malformed_is_an_error_with_its_name(
    name: str, value: str, attribute: str
) -> None:
    request = invite()
    request.headers.set(name, value)
    for _ in range(2):
        with pytest.raises(SipParseError) as caught:
            getattr(request, attribute)
        assert caught.value.header == name


@pytest.mark.rule("SIP-67")
def test_numbers_out_of_range_count_as_absent() -> None:
    request = Request.build(
        "REGISTER", "sip:h", [("Max-Forwards", "300"), ("Expires", "1" + "0" * 100)]
    )
    assert request.max_forwards is None
    assert request.expires is None


def test_values_follow_the_header_fields() -> None:
    request = invite()
    assert request.to.tag is None
    request.headers.set("To", "<sip:bob@biloxi.com>;tag=x")
    assert request.to.tag == "x"
    request.raw_uri = "tel:+1"
    assert request.uri == OtherUri("tel", "+1")


def test_a_wildcard_contact_gives_no_addresses() -> None:
    request = Request.build("REGISTER", "sip:h", [("Contact", "*")])
    assert request.contact_is_wildcard
    assert request.contacts == ()


@pytest.mark.rule("SIP-1", "SIP-6")
def test_a_request_is_written_with_the_length_of_its_body() -> None:
    request = Request.build(
        "MESSAGE",
        parse_uri("sip:bob@h"),
        [("l", "999"), ("s", "Grüße"), ("X-own", "y"), ("Content-Length", "7")],
        "é\0".encode(),
        "text/plain",
    )
    assert bytes(request) == (
        b"MESSAGE sip:bob@h SIP/2.0\r\n"
        b"Content-Length: 3\r\n"
        b"Subject: Gr\xc3\xbc\xc3\x9fe\r\n"
        b"X-own: y\r\n"
        b"Content-Type: text/plain\r\n"
        b"\r\n"
        b"\xc3\xa9\0"
    )


@pytest.mark.rule("SIP-2", "SIP-6")
def test_a_response_is_written_with_the_length_of_its_body() -> None:
    response = Response.build(486, headers=[("To", "<sip:a@b>")])
    assert bytes(response) == (
        b"SIP/2.0 486 Busy Here\r\nTo: <sip:a@b>\r\nContent-Length: 0\r\n\r\n"
    )
    assert bytes(Response.build(299)).startswith(b"SIP/2.0 299 \r\n")
    assert repr(response) == "<Response 486>"


@pytest.mark.rule("SIP-67")
def test_octets_that_are_no_utf8_are_written_as_they_came() -> None:
    data = b"SIP/2.0 200 \xff\r\nX-A: \xfe\xc3\xa9\r\nContent-Length: 0\r\n\r\n"
    assert bytes(parse_message(data)) == data


@pytest.mark.parametrize(
    "uri", ["sip:a b@h", "sip:h SIP/2.0\r\nX: y", "<sip:h>", "sip:é", "sip:h\0"]
)
@pytest.mark.rule("SIP-68")
def test_a_request_uri_cant_end_the_line(uri: str) -> None:
    with pytest.raises(LocalError):
        Request.build("OPTIONS", uri)


@pytest.mark.rule("SIP-68")
def test_a_uri_that_was_put_together_cant_end_the_line() -> None:
    with pytest.raises(LocalError):
        Request.build("OPTIONS", SipUri("sip", None, None, "h\r\nX: y"))


@pytest.mark.parametrize("method", ["", "IN VITE", "INVITE\r\n"])
@pytest.mark.rule("SIP-1", "SIP-68")
def test_a_method_is_a_token(method: str) -> None:
    with pytest.raises(LocalError):
        Request.build(method, "sip:h")


@pytest.mark.parametrize("reason", ["a\r\nX: y", "a\nb", "\0"])
@pytest.mark.rule("SIP-2", "SIP-68")
def test_a_reason_phrase_cant_end_the_line(reason: str) -> None:
    with pytest.raises(LocalError):
        Response.build(200, reason)


@pytest.mark.parametrize("status", [-1, 0, 99, 700, 4294967301])
@pytest.mark.rule("SIP-2")
def test_a_status_code_is_100_to_699(status: int) -> None:
    with pytest.raises(LocalError):
        Response.build(status)


def test_a_body_needs_a_type() -> None:
    with pytest.raises(LocalError):
        Request.build("INFO", "sip:h", (), b"x")
    request = Request.build("INFO", "sip:h", [("c", "text/plain")], b"x")
    assert request.content_type == "text/plain"


def test_copies_are_changed_on_their_own() -> None:
    request = invite()
    copy = request.copy()
    assert copy == request
    copy.headers.remove("Via")
    assert copy != request
    response = Response.build(200)
    assert response.copy() == response
    assert response.copy() is not response
    assert response != request
    assert request != "INVITE"


@pytest.mark.rule("SIP-38")
def test_a_response_copies_what_ties_it_to_its_request() -> None:
    data = (
        b"INVITE sip:bob@biloxi.com SIP/2.0\r\n"
        b"v:  SIP / 2.0 / UDP  a;branch=z9hG4bK1 ,SIP/2.0/UDP b\r\n"
        b"Via: SIP/2.0/UDP c\r\n"
        b'f: "A \\"" <sip:a@b> ; tag = 1\r\n'
        b"To : sip:bob@biloxi.com\r\n"
        b"i: x\r\n"
        b"CSeq: 007 INVITE\r\n"
        b"Record-Route: <sip:p;lr;x=%3D>\r\n"
        b"Timestamp: 54\r\n\r\n"
    )
    request = parse_message(data)
    assert isinstance(request, Request)
    copied = [
        ("Via", "SIP / 2.0 / UDP  a;branch=z9hG4bK1 ,SIP/2.0/UDP b"),
        ("Via", "SIP/2.0/UDP c"),
    ]
    ties = [
        ("From", '"A \\"" <sip:a@b> ; tag = 1'),
        ("To", "sip:bob@biloxi.com"),
        ("Call-ID", "x"),
        ("CSeq", "007 INVITE"),
    ]
    trying = response_to(request, 100)
    assert list(trying.headers) == [*copied, *ties, ("Timestamp", "54")]
    refusal = response_to(request, 404, to_tag="t1")
    ties[1] = ("To", "sip:bob@biloxi.com;tag=t1")
    assert list(refusal.headers) == [*copied, *ties]
    ringing = response_to(request, 180, to_tag="t1")
    assert list(ringing.headers) == [
        *copied,
        ("Record-Route", "<sip:p;lr;x=%3D>"),
        *ties,
    ]


@pytest.mark.parametrize(
    ("method", "status", "copied"),
    [
        ("INVITE", 100, False),
        ("INVITE", 183, True),
        ("INVITE", 200, True),
        ("INVITE", 300, False),
        ("SUBSCRIBE", 202, True),
        ("REFER", 202, True),
        ("BYE", 200, False),
        ("OPTIONS", 200, False),
    ],
)
@pytest.mark.rule("SIP-38")
def test_record_route_is_copied_where_a_dialog_is_made(
    method: str, status: int, copied: bool
) -> None:
    request = invite()
    request.method = method
    assert ("Record-Route" in response_to(request, status).headers) is copied


@pytest.mark.rule("SIP-38")
def test_a_tag_that_is_there_is_kept() -> None:
    request = invite()
    request.headers.set("To", "<sip:bob@biloxi.com>;tag=old")
    assert response_to(request, 200, to_tag="new").to.tag == "old"


@pytest.mark.rule("SIP-38", "SIP-67")
def test_a_request_with_a_malformed_to_is_answered_with_the_same() -> None:
    request = invite()
    request.headers.set("To", '"a <sip:b@c>')
    assert response_to(request, 400, to_tag="t").headers.get("To") == '"a <sip:b@c>'


@pytest.mark.rule("SIP-38", "SIP-67")
def test_a_request_that_lacks_everything_is_answered_with_what_there_is() -> None:
    response = response_to(Request("INVITE", "sip:h", Headers()), 400, to_tag="t")
    assert len(response.headers) == 0


def test_a_response_has_what_is_added_to_it() -> None:
    response = response_to(
        invite(),
        200,
        "Fine",
        "t",
        [("Contact", "<sip:bob@192.0.2.4>")],
        b"v=0\r\n",
        "application/sdp",
    )
    assert response.start_line == "SIP/2.0 200 Fine"
    assert response.to.tag == "t"
    assert response.contacts[0].uri == parse_uri("sip:bob@192.0.2.4")
    assert response.content_type == "application/sdp"
    assert parse_message(bytes(response)).body == b"v=0\r\n"


@pytest.mark.rule("SIP-68")
def test_an_answer_cant_carry_a_broken_tag() -> None:
    with pytest.raises(LocalError):
        response_to(invite(), 200, to_tag="a;b")
