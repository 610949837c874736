"""What a caller puts into an emergency call, and what calls them back."""

from __future__ import annotations

from itertools import count
from urllib.parse import unquote

import pytest

import mime
import sdp
from sip.emergency import (
    Access,
    Circle,
    DataBlock,
    EmergencyCall,
    EmergencyDetails,
    EmergencyIdentifier,
    IdentifierKind,
    Position,
    call_back,
    describe_emergency,
    transfer_target,
    write_pidf,
)
from sip.errors import LocalError
from sip.fields import Replaces
from sip.media import compose_body, find_session_description
from sip.message import Request
from sip.name_addr import NameAddr
from sip.uri import SipUri, parse_uri
from tests.sip.emergency.invites import SDP, make_invite

CIRCLE = Circle(Position(42.5463, -73.2512), 850.24)
PIDF = write_pidf("pres:a@example.com", shape=CIRCLE, method="GPS")
IDENTIFIER = EmergencyIdentifier.new(IdentifierKind.CALL, "bcf.example")


def describe() -> EmergencyDetails:
    numbers = count(1)
    return describe_emergency(
        domain="example.com",
        locations=[PIDF, parse_uri("sips:lis@example.com"), "https://lis.example/1"],
        data=[
            DataBlock("ProviderInfo", b"<ProviderInfo/>"),
            DataBlock("SubscriberInfo", parse_uri("https://example.com/s")),
            DataBlock("Picture", b"\xff\xd8\xff", "image/jpeg"),
        ],
        identifiers=[IDENTIFIER],
        new_content_id=lambda domain: f"part{next(numbers)}@{domain}",
    )


def invite_with(details: EmergencyDetails) -> Request:
    offer = sdp.SessionDescription.parse(SDP)
    octets, content_type = compose_body(offer, details.parts)
    headers = [("From", "<sip:a@example.com>;tag=1"), *details.headers]
    return Request.build("INVITE", "urn:service:sos", headers, octets, content_type)


@pytest.mark.rule("NG-3", "NG-4", "NG-5", "NG-6", "NG-8", "NG-14")
def test_what_a_caller_says_is_what_a_console_reads() -> None:
    request = invite_with(describe())
    call = EmergencyCall.from_request(request)
    assert call.warnings == ()
    value, presence, http = call.locations
    assert (value.raw, value.shapes) == (PIDF, (CIRCLE,))
    assert [presence.access, http.access] == [Access.PRESENCE, Access.HTTP]
    assert call.routing_by_location is True
    assert [(data.kind, data.value) for data in call.data] == [
        ("ProviderInfo", b"<ProviderInfo/>"),
        ("SubscriberInfo", None),
        ("Picture", b"\xff\xd8\xff"),
    ]
    assert call.call_identifier == IDENTIFIER
    assert call.priority == 1
    assert request.supported == ("geolocation-sip", "geolocation-http")
    assert find_session_description(request) is not None


@pytest.mark.rule("NG-3", "NG-5")
def test_the_headers_are_those_of_the_rfcs() -> None:
    details = describe()
    assert details.headers[:6] == (
        (
            "Geolocation",
            "<cid:part1@example.com>, <sips:lis@example.com>, <https://lis.example/1>",
        ),
        ("Geolocation-Routing", "yes"),
        ("Supported", "geolocation-sip"),
        ("Supported", "geolocation-http"),
        ("Call-Info", "<cid:part2@example.com>;purpose=EmergencyCallData.ProviderInfo"),
        ("Call-Info", "<https://example.com/s>;purpose=EmergencyCallData.SubscriberInfo"),
    )  # fmt: skip
    assert details.headers[-1] == ("Resource-Priority", "esnet.1")
    assert bytes(details.parts[1]) == (
        b"Content-Type: application/EmergencyCallData.ProviderInfo+xml\r\n"
        b"Content-ID: <part2@example.com>\r\n"
        b"Content-Disposition: by-reference;handling=optional\r\n\r\n<ProviderInfo/>"
    )


@pytest.mark.rule("NG-8", "NG-14")
def test_a_caller_without_a_location_says_nothing_of_it() -> None:
    details = describe_emergency(domain="example.com", priority=None)
    assert details == EmergencyDetails((), ())
    only = describe_emergency(domain="example.com", locations=[PIDF], routing=None)
    assert [name for name, _ in only.headers] == ["Geolocation", "Resource-Priority"]
    assert only.parts[0].content == PIDF


@pytest.mark.parametrize(
    ("locations", "data", "priority"),
    [
        (["not a uri"], [], 1),
        ([], [DataBlock("Comment", parse_uri("http://example.com/"))], 1),
        ([], [], 5),
        ([], [], -1),
    ],
)
def test_what_may_not_be_sent_is_refused(
    locations: list[str], data: list[DataBlock], priority: int
) -> None:
    with pytest.raises(LocalError):
        describe_emergency(
            domain="example.com", locations=locations, data=data, priority=priority
        )


@pytest.mark.rule("SIP-68")
def test_nothing_can_be_smuggled_into_headers() -> None:
    block = DataBlock("Comment", b"x", "text/plain\r\nX-Evil: 1")
    details = describe_emergency(domain="example.com", data=[block])
    with pytest.raises(mime.MimeError):
        mime.build_multipart(details.parts)
    with pytest.raises(mime.MimeError):
        describe_emergency(domain="exam\r\nple", data=[DataBlock("Comment", b"x")])
    evil = describe_emergency(domain="x", data=[DataBlock("A\r\nX-Evil: 1", b"x")])
    with pytest.raises(LocalError):
        Request.build("INVITE", "urn:service:sos", evil.headers)


# Calling back.


@pytest.mark.rule("NG-6", "NG-9", "NT-5")
def test_the_caller_is_called_back_by_what_the_network_asserts() -> None:
    call = EmergencyCall.from_request(make_invite())
    callback = call_back(call, "+1 202-555-0911", "psap.example")
    assert str(callback.uri) == "sip:+12025550123@example.com;user=phone"
    assert str(callback.sender) == "<sip:+12025550911@psap.example;user=phone>"
    assert callback.headers[:3] == (
        ("P-Asserted-Identity", "<sip:+12025550911@psap.example;user=phone>"),
        ("Priority", "psap-callback"),
        ("Resource-Priority", "esnet.0"),
    )
    request = Request.build("INVITE", callback.uri, callback.headers)
    assert request.priority == "psap-callback"
    assert [value.esnet for value in request.resource_priority] == [0]
    identifiers = EmergencyCall.from_request(request).identifiers
    assert identifiers == call.identifiers


@pytest.mark.rule("NG-9", "NT-5")
def test_a_number_that_is_to_be_hidden_is_only_told_to_the_network() -> None:
    call = EmergencyCall.from_request(make_invite())
    callback = call_back(call, "911", "psap.example", restricted=True)
    assert str(callback.sender) == '"Anonymous" <sip:anonymous@anonymous.invalid>'
    request = Request.build("INVITE", callback.uri, callback.headers)
    assert request.privacy == ("id",)
    assert str(request.p_asserted_identity[0].uri) == "sip:911@psap.example;user=phone"


@pytest.mark.rule("NG-9", "NT-5")
@pytest.mark.parametrize(
    ("asserted", "target"),
    [
        (["<tel:+12025550123>"], "tel:+12025550123"),
        (["<tel:9115550123>"], "sip:caller@example.com"),
        ([], "sip:caller@example.com"),
        (["<sip:9115550123@x;user=phone>", "<tel:+12025550123>"], "tel:+12025550123"),
        (["<sip:a@x;method=BYE?Subject=y>"], "sip:a@x"),
    ],
)
def test_what_cant_be_dialled_isnt(asserted: list[str], target: str) -> None:
    more = [("P-Asserted-Identity", value) for value in asserted]
    invite = make_invite(without=("P-Asserted-Identity",), more=more)
    callback = call_back(EmergencyCall.from_request(invite), "911", "psap.example")
    assert str(callback.uri) == target


@pytest.mark.rule("NG-9")
def test_nobody_is_called_back_who_cant_be() -> None:
    invite = make_invite(
        without=("P-Asserted-Identity", "From"),
        more=[("From", str(NameAddr.parse("<sip:anonymous@anonymous.invalid>;tag=1")))],
    )
    call = EmergencyCall.from_request(invite)
    with pytest.raises(LocalError, match="no address that can be called"):
        call_back(call, "911", "psap.example")
    good = EmergencyCall.from_request(make_invite())
    with pytest.raises(LocalError, match="not a telephone number"):
        call_back(good, "operator", "psap.example")
    with pytest.raises(LocalError, match="not a domain"):
        call_back(good, "911", "psap example")


# Handing on.


@pytest.mark.rule("NG-6", "SIP-55")
def test_a_call_is_handed_on_with_what_is_known_of_it() -> None:
    call = EmergencyCall.from_request(make_invite())
    uri = SipUri.parse("sip:bridge@psap.example;transport=tls")
    replaces = Replaces("abc@host", "1", "2")
    address = NameAddr.parse(str(transfer_target(call, uri, replaces=replaces)))
    target = address.uri
    assert isinstance(target, SipUri)
    assert target.parameter("serviceurn") == "urn:service:sos"
    assert Replaces.from_uri(target) == replaces
    embedded = [
        ("Call-Info", unquote(value))
        for name, value in target.headers
        if name == "Call-Info"
    ]
    request = Request.build("INVITE", target.for_request_line(), embedded)
    assert EmergencyCall.from_request(request).identifiers == call.identifiers
    nothing = EmergencyCall.from_request(Request.build("INVITE", "sip:a@b"))
    assert transfer_target(nothing, uri) == NameAddr(None, uri)
