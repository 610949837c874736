"""What an emergency call brings, in order and in disorder."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mime
import sdp
from sip.emergency import (
    Access,
    Circle,
    EmergencyCall,
    IdentifierKind,
    Point,
    Position,
    ServiceUrn,
    service_of,
)
from sip.emergency.lenient import MAX_VALUES
from sip.message import Request
from sip.wire import parse_message
from tests.sip.emergency.invites import (
    CALL_ID_URN,
    HEADERS,
    INCIDENT_URN,
    PICTURE,
    PIDF,
    PROVIDER,
    body,
    make_invite,
    part,
)


def read(request: Request) -> EmergencyCall:
    """Read a call as it comes from the wire."""
    received = parse_message(bytes(request))
    assert isinstance(received, Request)
    return EmergencyCall.from_request(received)


# In order.


@pytest.mark.rule("NG-1", "NG-3", "NG-4", "NT-1")
def test_the_location_comes_as_octets_and_as_a_place() -> None:
    call = read(make_invite())
    assert call.service == ServiceUrn(("sos",))
    assert not call.is_test
    first, second, third = call.locations
    assert first.access is Access.VALUE
    assert first.raw == PIDF
    assert first.part is not None
    assert first.part.content_id == "loc@home@example.com"
    assert first.shapes == (Circle(Position(42.5463, -73.2512), 850.24),)
    assert str(first.addresses[0]) == (
        "123 Broadway, floor 2, New York, NY, 10027-0401, US"
    )
    assert first.reference is not None
    assert first.reference.parameters == (("x", "y"),)
    assert (second.access, str(second.uri)) == (Access.PRESENCE, "sip:lis@example.com")
    assert third.access is Access.HTTP
    assert (third.raw, third.shapes, third.addresses) == (None, (), ())
    assert call.routing_by_location is True
    assert call.geolocation_error is None
    assert call.warnings == ()


@pytest.mark.rule("NG-5", "NT-1")
def test_blocks_of_data_come_by_value_and_by_reference() -> None:
    call = read(make_invite())
    assert [(data.kind, data.by_value) for data in call.data] == [
        ("ProviderInfo", True),
        ("DeviceInfo", True),
        ("SubscriberInfo", False),
        ("Comment", True),
        ("ServiceInfo", False),
        ("Comment", True),
    ]
    provider, device, subscriber, _, service, comment = call.data
    assert provider.value == PROVIDER
    assert provider.element is not None
    assert provider.element.find_text("DataProviderString") == "Example VoIP Provider"
    assert device.value == b"<d/>"
    assert (str(subscriber.uri), subscriber.element) == ("https://example.com/s", None)
    assert str(service.uri) == "https://example.com/ref2"
    assert comment.element is not None
    assert comment.element.find_text("Comment") == "Fire & smoke"


@pytest.mark.rule("NG-6", "NG-7", "NG-8", "NT-1")
def test_identifiers_callers_and_priority_are_there() -> None:
    call = read(make_invite())
    assert str(call.call_identifier) == CALL_ID_URN
    assert str(call.incident_identifier) == INCIDENT_URN
    assert [found.kind for found in call.identifiers] == [
        IdentifierKind.CALL,
        IdentifierKind.INCIDENT,
    ]
    assert [str(who.uri) for who in call.identities] == [
        "sip:+12025550123@example.com;user=phone",
        "tel:+12025550123",
        "sip:caller@example.com",
    ]
    assert call.callback_address == call.identities[0]
    assert call.priority == 1
    assert len(call.call_infos) == 7


@pytest.mark.rule("NG-2", "NT-1")
def test_every_part_of_the_body_is_there_octet_by_octet() -> None:
    call = read(make_invite())
    assert [str(p.content_type.essence) for p in call.parts] == [
        "application/sdp",
        "application/pidf+xml",
        "application/emergencycalldata.providerinfo+xml",
        "application/emergencycalldata.deviceinfo+xml",
        "image/jpeg",
        "application/emergencycalldata.comment+xml",
        "application/x-unheard-of",
    ]
    assert call.parts[4].content == PICTURE
    assert call.parts[6].content == b"\0\1\2"


@pytest.mark.rule("NG-11")
def test_the_languages_of_each_stream_are_there() -> None:
    call = read(make_invite())
    assert call.languages == (
        sdp.Languages(("es", "eu", "en"), ("es", "en")),
        sdp.Languages(("es",), ()),
    )
    answered = sdp.answer_languages(call.languages[0], ["en", "fr"])
    assert answered == sdp.Languages(("en",), ("en",))


@pytest.mark.rule("NG-1")
@pytest.mark.parametrize(
    ("uri", "headers", "service"),
    [
        ("urn:service:sos.fire", [], "urn:service:sos.fire"),
        ("URN:SERVICE:Test.SOS", [], "urn:service:test.sos"),
        ("sip:psap@192.0.2.9", [("To", "<urn:service:sos>")], "urn:service:sos"),
        ("sip:psap@192.0.2.9", [("t", "urn:service:sos.police")],
         "urn:service:sos.police"),
        ("sip:psap@192.0.2.9", [
            ("To", "<sip:911@example.com>"),
            ("History-Info", "<urn:service:sos>;index=1,<sip:psap@x>;index=1.1"),
        ], "urn:service:sos"),
        ("sip:psap@192.0.2.9", [("To", "<sip:psap@192.0.2.9>")], None),
        ("urn:service:counseling", [("To", "<urn:service:counseling>")], None),
        ("urn:service:sos.", [("To", "<")], None),
    ],
)  # fmt: skip
def test_the_service_is_found_where_it_is_left(
    uri: str, headers: list[tuple[str, str]], service: str | None
) -> None:
    request = Request.build("INVITE", uri, headers)
    found = service_of(request)
    assert (None if found is None else str(found)) == service
    call = EmergencyCall.from_request(request)
    assert call.service == found
    assert call.is_test is (service == "urn:service:test.sos")


@pytest.mark.rule("NG-7")
def test_an_assertion_of_a_peer_that_isnt_trusted_says_nothing() -> None:
    call = EmergencyCall.from_request(make_invite(), trusts_peer=False)
    assert [str(who.uri) for who in call.identities] == ["sip:caller@example.com"]


# In disorder.


@pytest.mark.rule("NG-2", "NG-3", "NG-4", "NT-2")
@pytest.mark.parametrize(
    "pidf",
    [b"", b"<presence", PIDF[:700], b"\xff\0", b"<!DOCTYPE x [<!ENTITY a 'b'>]>"],
)
def test_a_garbled_location_is_kept_and_reported(pidf: bytes) -> None:
    call = read(make_invite(content=body(pidf=pidf)))
    location = call.locations[0]
    assert location.access is Access.VALUE
    assert location.raw == pidf
    assert (location.pidf, location.shapes) == (None, ())
    assert call.warnings[0].startswith("a location can't be understood: ")
    assert call.geolocation_error is not None
    assert str(call.geolocation_error) == '100;code="Cannot Process Location"'
    assert len(call.data) == 4


@pytest.mark.rule("NG-2", "NG-3", "NT-2")
def test_a_dangling_cid_a_strange_scheme_and_missing_brackets_are_reported() -> None:
    invite = make_invite(
        without=("Geolocation", "Call-Info"),
        more=[
            ("Geolocation", "<cid:nowhere@example.com>, <xyz:what>,"),
            ("Geolocation", "https://lis.example/x?y=z;a=b, nonsense"),
            ("Call-Info", "https://example.com/a?b;purpose=EmergencyCallData.Comment"),
            ("Call-Info", 'cid:provider@example.com; purpose="EmergencyCallData.X"'),
            ("Call-Info", "<cid:gone@example.com>;purpose=EmergencyCallData.Comment"),
            ("Call-Info", ";;"),
        ],
    )
    call = read(invite)
    assert [location.access for location in call.locations] == [
        Access.UNKNOWN,
        Access.UNKNOWN,
        Access.HTTP,
        Access.VALUE,
    ]
    assert str(call.locations[2].reference) == "<https://lis.example/x?y=z>;a=b"
    assert call.locations[3].reference is None
    assert call.locations[3].shapes
    assert [(str(data.uri), data.by_value) for data in call.data[:3]] == [
        ("https://example.com/a?b", False),
        ("cid:provider@example.com", True),
        ("cid:gone@example.com", False),
    ]
    found = "but Geolocation doesn't say so"
    assert {
        "a location isn't in the body, where its cid: URI points",
        "a location is to be had by a scheme that isn't known",
        "Geolocation is malformed: not a URI",
        "Call-Info is malformed: not a URI",
        "a block of data isn't in the body, where its cid: URI points",
        f"a location is in the body, {found}",
        "a block of data is in the body, but Call-Info doesn't say so",
    } == set(call.warnings)


@pytest.mark.rule("NG-5")
def test_the_example_of_rfc_7852_is_read_although_it_lacks_a_comma() -> None:
    value = (
        "<http://wwww.example.com/hannes/photo.jpg>; purpose=icon,"
        " <http://www.example.com/hannes/>; purpose=info,"
        " <cid:1234567890@atlanta.example.com>;"
        " purpose=EmergencyCallData.ProviderInfo"
        " <cid:0123456789@atlanta.example.com>;"
        " purpose=EmergencyCallData.DeviceInfo"
    )
    call = read(make_invite(without=("Call-Info",), more=[("Call-Info", value)]))
    assert [info.purpose for info in call.call_infos] == [
        "icon",
        "info",
        "EmergencyCallData.ProviderInfo",
        "EmergencyCallData.DeviceInfo",
    ]
    assert "Call-Info lacks a comma: a parameter has no proper value" in call.warnings


@pytest.mark.rule("NG-2")
def test_a_location_that_nothing_names_isnt_answered_with_an_error() -> None:
    call = read(make_invite(without=("Geolocation",)))
    (location,) = call.locations
    assert location.reference is None
    assert location.warnings
    assert call.geolocation_error is None


@pytest.mark.rule("NG-3")
def test_a_body_that_is_the_location_is_found_by_its_content_id() -> None:
    request = Request.build(
        "INVITE",
        "urn:service:sos",
        [
            ("Geolocation", "<cid:here@x>, <cid:there@x>"),
            ("Content-ID", "<here@x>"),
        ],
        PIDF,
        "application/pidf+xml",
    )
    first, second = EmergencyCall.from_request(request).locations
    assert first.raw == PIDF
    assert second.access is Access.UNKNOWN


@pytest.mark.rule("NG-3", "NG-4")
def test_a_location_of_another_type_is_taken_for_one_and_reported() -> None:
    content = mime.build_multipart([part("text/xml", PIDF, "l@x")])
    request = make_invite(
        headers=[("Geolocation", "<cid:l@x>"), ("From", "<sip:a@b>")], content=content
    )
    (location,) = EmergencyCall.from_request(request).locations
    assert location.shapes
    assert location.warnings == (
        "the part of a location has another type than a location",
    )


@pytest.mark.parametrize(
    ("uri", "point"),
    [
        ("geo:46.5,6.6", Point(Position(46.5, 6.6))),
        ("geo:46.5,6.6,300;crs=wgs84", Point(Position(46.5, 6.6, 300))),
        ("geo:46.5,6.6;u=25", Circle(Position(46.5, 6.6), 25)),
        ("geo:46.5,6.6;u=-1", Point(Position(46.5, 6.6))),
        ("geo:46.5", None),
        ("geo:46.5,x", None),
        ("geo:99,6", None),
        ("geo:nan,6", None),
        ("geo:46.5,6.6;crs=moon", None),
        ("geo:46.5,6.6;u=x", None),
        ("geo:1," + "0" * 300, None),
    ],
)
@pytest.mark.rule("NG-3")
def test_a_geo_uri_is_a_location_in_itself(
    uri: str, point: Point | Circle | None
) -> None:
    request = Request.build("INVITE", "urn:service:sos", [("Geolocation", f"<{uri}>")])
    (location,) = EmergencyCall.from_request(request).locations
    assert location.point == point
    assert location.shapes == (() if point is None else (point,))
    assert location.access is (Access.UNKNOWN if point is None else Access.VALUE)


@pytest.mark.rule("NG-6", "NT-2")
@pytest.mark.parametrize("length", [9, 33])
def test_an_identifier_of_a_wrong_length_is_exposed_and_reported(length: int) -> None:
    urn = f"urn:emergency:uid:callid:{'a' * length}:bcf.example"
    more = [("Call-Info", f"<{urn}>;purpose=emergency-CallId")]
    call = read(make_invite(without=("Call-Info",), more=more))
    assert str(call.call_identifier) == urn
    assert call.incident_identifier is None
    assert call.warnings[-1] == (
        "an identifier of the call is odd: "
        "its unique part isn't 10 to 32 characters long"
    )


@pytest.mark.rule("NG-2")
def test_what_is_there_twice_or_not_at_all_is_no_obstacle() -> None:
    nothing = EmergencyCall.from_request(Request.build("INVITE", "urn:service:sos"))
    assert (nothing.locations, nothing.data, nothing.identities) == ((), (), ())
    assert (nothing.routing_by_location, nothing.priority) == (None, None)
    assert nothing.callback_address is None
    assert nothing.warnings == ("From: the header field is missing",)
    odd = make_invite(
        more=[
            ("Geolocation-Routing", "no"),
            ("P-Asserted-Identity", "<sip:third@example.com>"),
        ],
        content=(mime.ContentType.parse("multipart/mixed;boundary=x"), b"no parts"),
    )
    call = read(odd)
    assert call.routing_by_location is True
    assert len(call.parts) == 1
    assert "Geolocation-Routing is there more than once" in call.warnings
    assert "there are too many asserted identities" in call.warnings
    assert any("can't be taken apart" in warning for warning in call.warnings)


@pytest.mark.rule("NG-2")
def test_a_session_description_that_is_no_good_is_reported() -> None:
    content = (mime.ContentType.parse("application/sdp"), b"v=0\r\nnonsense\r\n")
    call = read(make_invite(content=content))
    assert call.languages == ()
    assert any("session description is malformed" in text for text in call.warnings)


@pytest.mark.rule("NG-2", "NT-2")
def test_octets_that_are_no_text_and_types_that_contradict_are_no_obstacle() -> None:
    octets = bytes(make_invite()).replace(b"<cid:loc%40home@", b"<cid:\xff@")
    octets = octets.replace(
        b"Content-Type: ", b"Content-Type: x/y\r\nContent-Type: ", 1
    )
    received = parse_message(octets)
    assert isinstance(received, Request)
    call = EmergencyCall.from_request(received)
    assert call.locations[0].access is Access.UNKNOWN
    assert "Content-Type: the header field is there twice" in call.warnings


@pytest.mark.rule("SIP-68")
def test_the_number_of_values_that_are_looked_at_is_bounded() -> None:
    value = ", ".join(["<https://x.example/>"] * (MAX_VALUES + 50))
    call = read(make_invite(more=[("Geolocation", value)]))
    assert len(call.locations) <= MAX_VALUES + 3
    assert "there are too many values of Geolocation" in call.warnings
    missing = " ".join(["<a:b>;c"] * 5000)
    assert read(make_invite(more=[("Call-Info", missing)])).call_identifier


NAMES = sorted({name for name, _ in HEADERS if name not in ("Via",)})
NOISE = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30)
BITS = st.text('"<>;,=\\% @:/ab0', max_size=12)


@given(
    st.dictionaries(st.sampled_from(NAMES), NOISE | BITS, max_size=4),
    st.binary(max_size=60),
    st.integers(0, 3000),
    st.sampled_from(["multipart/mixed;boundary=b", "application/pidf+xml", "x", "a/b"]),
)
@settings(deadline=None, max_examples=300)
@pytest.mark.rule("NG-2", "NT-2", "SIP-68")
def test_nothing_that_is_wrong_with_a_call_raises(
    changed: dict[str, str], noise: bytes, where: int, other_type: str
) -> None:
    content_type, octets = body()
    headers = [
        (name, value[: where % 50] + changed[name] if name in changed else value)
        for name, value in HEADERS
    ]
    noisy = octets[:where] + noise + octets[where + len(noise) :]
    for kind in (str(content_type), other_type):
        request = Request.build("INVITE", "urn:service:sos", headers, noisy, kind)
        call = EmergencyCall.from_request(request)
        assert call.service is not None
        assert all(isinstance(warning, str) for warning in call.warnings)
        assert call.parts
