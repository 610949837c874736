from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import SipParseError
from sip.message import Request
from sip.uri import OtherUri, SipUri, Uri, parse_uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:alice@atlanta.com",
        "sip:alice:secretword@atlanta.com;transport=tcp",
        "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:+1-212-555-1212:1234@gateway.com;user=phone",
        "sips:1212@gateway.com",
        "sip:alice@192.0.2.4",
        "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
        "sip:alice;day=tuesday@atlanta.com",
        "sip:[2001:db8::10]:5070",
        "sip:sips%3Auser%40example.com@example.net",
        "sip:a%3Bb@example.net",
        "sip:%00@host5.example.com",
        "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31",
        "sip:p1.example.com;lr;ftag=Ab:c/d;did=%3D",
    ],
)
@pytest.mark.rule("SIP-7")
def test_a_uri_is_written_as_it_was_read(text: str) -> None:
    assert str(SipUri.parse(text)) == text


@pytest.mark.rule("SIP-7")
def test_the_parts_of_a_uri() -> None:
    uri = SipUri.parse(
        "SIPS:al%69ce;x=1:pw@[::1]:5071;transport=TCP;lr?Subject=a%20b&X=y"
    )
    assert uri.scheme == "sips"
    assert uri.secure
    assert uri.user == "alice;x=1"
    assert uri.password == "pw"
    assert uri.host == "::1"
    assert uri.port == 5071
    assert uri.parameters == (("transport", "TCP"), ("lr", None))
    assert uri.headers == (("Subject", "a%20b"), ("X", "y"))
    assert uri.transport == "tcp"
    assert uri.loose_routing
    assert uri.header("subject") == "a b"
    assert uri.header("X") == "y"
    assert uri.header("To") is None


def test_what_a_uri_doesnt_say_is_none() -> None:
    uri = SipUri.parse("sip:p1.example.com;x")
    assert uri.user is None
    assert uri.port is None
    assert uri.transport is None
    assert uri.parameter("x") == ""
    assert not uri.loose_routing
    assert not uri.secure


@pytest.mark.rule("SIP-7", "SIP-67")
def test_escapes_are_undone_once() -> None:
    uri = SipUri.parse("sip:a%2541@h;%6C%72;n%61me=v%61lue%25%34%31")
    assert uri.user == "a%41"
    assert uri.loose_routing
    assert uri.parameter("name") == "value%41"


@pytest.mark.rule("SIP-67")
def test_a_user_may_contain_semicolons_and_an_escaped_at() -> None:
    uri = SipUri.parse("sip:user;par=u%40example.net@example.com")
    assert uri.user == "user;par=u@example.net"
    assert uri.host == "example.com"
    assert uri.parameters == ()


def test_octets_of_a_user_that_are_no_utf8_survive() -> None:
    uri = SipUri.parse("sip:%FF%C3%A9@h")
    assert uri.user == "\udcffé"
    assert str(replace(uri, raw_user=None)) == "sip:%FF%C3%A9@h"


def test_a_user_that_should_have_been_escaped_is_escaped_when_written() -> None:
    uri = SipUri.parse("sip:jörg|x@example.com")
    assert uri.user == "jörg|x"
    assert str(uri) == "sip:j%C3%B6rg%7Cx@example.com"


def test_an_escaping_counts_only_as_long_as_it_says_the_user() -> None:
    uri = SipUri.parse("sip:a%3Bb@h")
    assert (uri.user, uri.raw_user) == ("a;b", "a%3Bb")
    assert str(replace(uri, user="c;d")) == "sip:c;d@h"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("sip:", id="nothing"),
        pytest.param("sip:alice@", id="no-host"),
        pytest.param("sip:@host", id="no-user"),
        pytest.param("sip::pw@host", id="password-without-user"),
        pytest.param("sip:a@b@c", id="two-ats"),
        pytest.param("sip:2001:db8::10", id="ipv6-without-brackets"),
        pytest.param("sip:host:99999", id="port"),
        pytest.param("sip:a%4@host", id="broken-escape-in-user"),
        pytest.param("sip:host;a=%zz", id="broken-escape-in-parameter"),
        pytest.param("sip:host?a=%zz", id="broken-escape-in-header"),
        pytest.param("sip:%68ost", id="escape-in-host"),
        pytest.param("sip:a b@host", id="space"),
        pytest.param("sip:host; lr", id="space-before-parameter"),
        pytest.param("<sip:host>", id="brackets"),
        pytest.param("sip:host;", id="empty-parameter"),
        pytest.param("sip:host;=x", id="parameter-without-name"),
        pytest.param("sip:host;lr;LR", id="parameter-twice"),
        pytest.param("sip:host;lr;%6Cr", id="parameter-twice-escaped"),
        pytest.param("sip:host?", id="no-header"),
        pytest.param("sip:host?a", id="header-without-value"),
        pytest.param("sip:host?=a", id="header-without-name"),
        pytest.param("sip:host;x=é", id="parameter-not-ascii"),
        pytest.param("sip:a:é@host", id="password-not-ascii"),
        pytest.param("sip:host?x=é", id="header-not-ascii"),
        pytest.param("sip:a\r\n@host", id="line-end"),
        pytest.param("sip:\ud800@host", id="half-surrogate"),
        pytest.param("tel:+1", id="another-scheme"),
        pytest.param("", id="empty"),
    ],
)
@pytest.mark.rule("SIP-7", "SIP-67")
def test_what_is_no_sip_uri_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        SipUri.parse(text)


@pytest.mark.rule("SIP-8")
def test_equality_of_values_is_stricter_than_equivalence() -> None:
    assert parse_uri("sip:a@H") != parse_uri("sip:a@h")
    assert parse_uri("sip:a@h") == SipUri("sip", "a", None, "h")


def test_parameters_can_be_changed() -> None:
    uri = SipUri.parse("sip:p1;lr;transport=tcp")
    assert str(uri.with_parameter("Transport", "tls")) == "sip:p1;lr;Transport=tls"
    assert str(uri.without_parameter("LR")) == "sip:p1;transport=tcp"
    assert str(uri.with_parameters(("ob", None), ("x", "a b;c"))) == (
        "sip:p1;lr;transport=tcp;ob;x=a%20b%3Bc"
    )


def test_headers_are_escaped_when_they_are_added() -> None:
    uri = SipUri.parse("sip:a@h").with_header("Replaces", "x@y;to-tag=1")
    assert str(uri) == "sip:a@h?Replaces=x%40y%3Bto-tag%3D1"
    assert uri.header("replaces") == "x@y;to-tag=1"


def test_a_request_uri_has_no_headers_and_no_method() -> None:
    uri = SipUri.parse("sip:a@h;method=BYE;lr?Subject=x")
    assert str(uri.for_request_line()) == "sip:a@h;lr"


@pytest.mark.parametrize(
    ("text", "scheme", "rest"),
    [
        ("tel:+1-201-555-0123", "tel", "+1-201-555-0123"),
        ("urn:service:sos", "urn", "service:sos"),
        ("CID:abc@example.com", "cid", "abc@example.com"),
        ("soap.beep://192.0.2.103:3002", "soap.beep", "//192.0.2.103:3002"),
        ("sipx:a", "sipx", "a"),
        ("sipsx:a", "sipsx", "a"),
    ],
)
@pytest.mark.rule("SIP-67", "NG-1")
def test_any_other_uri_is_kept(text: str, scheme: str, rest: str) -> None:
    uri = parse_uri(text)
    assert uri == OtherUri(scheme, rest)
    assert str(uri) == f"{scheme}:{rest}"


@pytest.mark.parametrize(
    "text", ["", "tel:", ":x", "a b:c", "1x:y", "urn:a b", "x:<y>"]
)
def test_what_is_no_uri_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_uri(text)


alphabet = "sip:@;?&=%4aA[]. \"<>é\x00,+$/'\udcff"


@given(st.text(alphabet, max_size=40).map(lambda text: f"sip:{text}"))
@settings(deadline=None, max_examples=300)
@pytest.mark.rule("SIP-7", "SIP-68")
def test_a_uri_is_read_or_refused_and_what_is_read_can_be_sent(text: str) -> None:
    try:
        uri = SipUri.parse(text)
    except SipParseError:
        return
    assert SipUri.parse(str(uri)) == uri
    assert uri.equals(SipUri.parse(str(uri)))
    assert Request.build("OPTIONS", uri).uri == uri


users = st.text(min_size=1, max_size=8)
plain = st.text("aZ09-_.~", min_size=1, max_size=6)
uris = st.builds(
    SipUri,
    st.sampled_from(["sip", "sips"]),
    st.none() | users,
    st.none(),
    st.sampled_from(["example.com", "192.0.2.1", "2001:db8::1"]),
    st.none() | st.integers(0, 65535),
    st.lists(
        st.tuples(plain, st.none() | plain),
        unique_by=lambda p: p[0].lower(),
        max_size=3,
    ).map(tuple),
    st.lists(st.tuples(plain, plain), max_size=2).map(tuple),
)


@given(uris)
@settings(deadline=None, max_examples=150)
@pytest.mark.rule("SIP-7")
def test_a_uri_that_was_put_together_is_read_back(uri: SipUri) -> None:
    again: Uri = parse_uri(str(uri))
    assert again == uri


@given(uris)
@settings(deadline=None, max_examples=100)
def test_the_short_way_to_read_a_uri_gives_what_the_grammar_gives(uri: SipUri) -> None:
    text = str(uri)
    assert SipUri.parse(text) == SipUri._parse_fully(text)
