"""Header fields as attributes of a message."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest

from sip.errors import SipParseError
from sip.fields import MediaRange, MinSE, Refresher, ResourcePriority
from sip.fields.field import Field
from sip.fields.table import ExtensionFields, HeaderFields
from sip.headers import Headers
from sip.message import Request
from sip.uri import parse_uri

HEADERS = [
    ("Accept", "application/sdp, text/*;q=0.5"),
    ("Accept-Encoding", "gzip"),
    ("Accept-Language", "en, es;q=0.2"),
    ("u", "refer, presence"),
    ("Call-Info", "<cid:1@example.com>;purpose=icon"),
    ("Call-Info", 'https://example.com/;purpose="EmergencyCallData.Comment"'),
    ("Contact", "<sip:a@example.com>;q=0.5;expires=60"),
    ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
    ("o", "refer;id=7"),
    ("Flow-Timer", "120"),
    ("Geolocation", "<cid:loc@example.com>, <https://lis.example/1>;a=b"),
    ("Geolocation-Error", "100"),
    ("Geolocation-Routing", "Yes"),
    ("History-Info", "<sip:a@example.com>;index=1, <sip:b@example.com>;index=1.1"),
    ("Min-Expires", "60"),
    ("Min-SE", "90"),
    ("P-Asserted-Identity", '"A" <sip:a@example.com>, <tel:+15550100>'),
    ("P-Preferred-Identity", "<sip:a@example.com>"),
    ("Path", "<sip:p1.example.com;lr>,<sip:p2.example.com;lr>"),
    ("Priority", "Emergency"),
    ("Privacy", "id;critical"),
    ("Proxy-Require", "sec-agree"),
    ("RAck", "1 2 INVITE"),
    ("Reason", 'SIP;cause=200, Q.850;cause=16;text="a, b"'),
    ("r", "<sip:b@example.com;method=INVITE>"),
    ("b", "<sip:c@example.com>;cid=x"),
    ("Replaces", "abc;to-tag=1;from-tag=2"),
    ("Resource-Priority", "esnet.1, WPS.0"),
    ("Retry-After", "5"),
    ("RSeq", "988789"),
    ("Service-Route", "<sip:s.example.com;lr>"),
    ("x", "1800;refresher=uas"),
    ("s", "Help, \u00e9"),
    ("Subscription-State", "active;expires=60"),
    ("Unsupported", "foo, bar"),
    ("Warning", '399 a "b, c", 304 d "e"'),
]


@pytest.fixture
def message() -> Request:
    return Request.build("INVITE", "urn:service:sos", HEADERS)


@pytest.mark.rule("SIP-3", "SIP-4", "NG-3", "NG-5", "NG-7", "NG-8")
def test_every_header_field_is_read_as_what_it_is(message: Request) -> None:
    assert message.accept is not None
    assert [str(r) for r in message.accept] == ["application/sdp", "text/*;q=0.5"]
    assert [str(r) for r in message.accept_encoding or ()] == ["gzip"]
    assert [r.q for r in message.accept_language or ()] == [1.0, 0.2]
    assert message.allow_events == ("refer", "presence")
    assert [info.purpose for info in message.call_info] == [
        "icon",
        "EmergencyCallData.Comment",
    ]
    (contact,) = message.contacts
    assert (contact.q, contact.expires) == (0.5, 60)
    assert message.date == datetime(2010, 11, 13, 23, 29, tzinfo=UTC)
    assert message.event is not None
    assert (message.event.package, message.event.id) == ("refer", "7")
    assert message.flow_timer == 120
    assert [str(value) for value in message.geolocation] == [
        "<cid:loc@example.com>",
        "<https://lis.example/1>;a=b",
    ]
    assert message.geolocation_error is not None
    assert message.geolocation_error.code == 100
    assert message.geolocation_routing is True
    assert [entry.index for entry in message.history_info] == ["1", "1.1"]
    assert (message.min_expires, message.min_se) == (60, MinSE(90))
    assert [str(who.uri) for who in message.p_asserted_identity] == [
        "sip:a@example.com",
        "tel:+15550100",
    ]
    assert len(message.p_preferred_identity) == 1


@pytest.mark.rule("SIP-3", "SIP-4", "SIP-55", "SIP-57", "SIP-58")
def test_every_other_header_field_is_too(message: Request) -> None:
    assert [str(proxy.uri) for proxy in message.path] == [
        "sip:p1.example.com;lr",
        "sip:p2.example.com;lr",
    ]
    assert message.priority == "emergency"
    assert message.privacy == ("id", "critical")
    assert message.proxy_require == ("sec-agree",)
    assert str(message.rack) == "1 2 INVITE"
    assert [(r.cause, r.text) for r in message.reasons] == [(200, None), (16, "a, b")]
    assert message.refer_to is not None
    assert message.refer_to.uri == parse_uri("sip:b@example.com;method=INVITE")
    assert message.referred_by is not None
    assert message.referred_by.parameter("cid") == "x"
    assert message.replaces is not None
    assert message.replaces.to_tag == "1"
    assert message.resource_priority == (
        ResourcePriority("esnet", "1"),
        ResourcePriority("wps", "0"),
    )
    assert message.retry_after is not None
    assert message.retry_after.seconds == 5
    assert message.rseq == 988789
    assert len(message.service_route) == 1
    assert message.session_expires is not None
    assert message.session_expires.refresher is Refresher.UAS
    assert message.subject == "Help, \u00e9"
    assert message.subscription_state is not None
    assert message.subscription_state.expires == 60
    assert message.unsupported == ("foo", "bar")
    assert [w.code for w in message.warning] == [399, 304]


FIELDS = sorted(name for name, f in vars(ExtensionFields).items() if type(f) is Field)


@pytest.mark.parametrize("name", FIELDS)
def test_what_isnt_there_is_none_or_empty(name: str) -> None:
    message = Request.build("INVITE", "sip:a@example.com")
    assert getattr(message, name) in (None, ())


def test_taking_nothing_isnt_the_same_as_not_saying() -> None:
    message = Request.build("OPTIONS", "sip:a@example.com", [("Accept", "")])
    assert message.accept is not None
    assert not message.accept
    message.headers.set("Accept", "a/b")
    assert message.accept == (MediaRange("a", "b"),)
    message.headers.remove("Accept")
    assert message.accept is None


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.rule("SIP-68")
def test_a_bad_value_is_reported_with_its_header_when_it_is_looked_at(
    name: str,
) -> None:
    header = {"reasons": "reason"}.get(name, name.replace("_", "-"))
    message = Request.build("INVITE", "sip:a@example.com", [(header, '<"\\')])
    with contextlib.suppress(SipParseError):
        assert getattr(message, name) in (('<"\\',), '<"\\', False)
        return
    with pytest.raises(SipParseError) as caught:
        getattr(message, name)
    assert caught.value.header is not None
    assert caught.value.header.lower() == header


def test_an_attribute_is_remembered_until_a_field_changes(message: Request) -> None:
    first = message.session_expires
    assert message.session_expires is first
    message.headers.set("Session-Expires", "90")
    assert message.session_expires is not None
    assert message.session_expires.interval == 90
    with pytest.raises(AttributeError):
        message.session_expires = None  # type: ignore[misc]


ALL_FIELDS = [
    field
    for owner in (ExtensionFields, HeaderFields)
    for field in vars(owner).values()
    if type(field) is Field
]


@pytest.mark.parametrize("name", sorted(field.name for field in ALL_FIELDS))
@pytest.mark.rule("SIP-3")
def test_each_field_is_known_by_its_usual_spelling(name: str) -> None:
    headers = Headers([(name.lower(), "x")])
    assert list(headers) == [(name, "x")]
    assert name in headers


def test_the_attribute_of_the_class_is_the_field() -> None:
    assert isinstance(Request.refer_to, Field)
    assert isinstance(HeaderFields.from_, Field)


@pytest.mark.parametrize(
    "uri",
    [
        "geo:46.5,6.6;u=10",
        "pres:a@example.com",
        "tel:+1-555-0100;phone-context=x",
        "urn:emergency:uid:callid:abcdefghij:bcf.example",
        "cid:a%25b@example.com",
        "https://example.com/a?b=c#d",
        "data:text/plain;base64,QQ==",
        "x-new.scheme+1:anything",
    ],
)
@pytest.mark.rule("NG-3", "NG-5")
def test_uris_of_any_scheme_come_through(uri: str) -> None:
    message = Request.build(
        "INVITE", uri, [("Geolocation", f"<{uri}>"), ("Call-Info", f"<{uri}>;a=b")]
    )
    (location,), (info,) = message.geolocation, message.call_info
    assert str(message.uri) == str(location.uri) == str(info.uri) == uri
