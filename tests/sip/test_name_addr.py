from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import SipParseError
from sip.headers import Headers
from sip.name_addr import NameAddr, parse_contacts, parse_name_addrs
from sip.parameters import Parameters
from sip.uri import OtherUri, SipUri, parse_uri

BOB = parse_uri("sip:bob@biloxi.com")


@pytest.mark.parametrize(
    ("text", "name", "parameters"),
    [
        pytest.param("<sip:bob@biloxi.com>", None, (), id="brackets"),
        pytest.param("sip:bob@biloxi.com", None, (), id="bare"),
        pytest.param("sip:bob@biloxi.com;tag=x", None, (("tag", "x"),), id="bare-tag"),
        pytest.param(
            "sip:bob@biloxi.com ;  tag  =  x", None, (("tag", "x"),), id="bare-spaces"
        ),
        pytest.param("Bob <sip:bob@biloxi.com>", "Bob", (), id="token"),
        pytest.param("T. Watson <sip:bob@biloxi.com>", "T. Watson", (), id="tokens"),
        pytest.param("caller<sip:bob@biloxi.com>", "caller", (), id="no-space"),
        pytest.param(
            "José (work) <sip:bob@biloxi.com>", "José (work)", (), id="letters"
        ),
        pytest.param('"" <sip:bob@biloxi.com>', "", (), id="empty-quoted"),
        pytest.param('"Bell, A" <sip:bob@biloxi.com>', "Bell, A", (), id="comma"),
        pytest.param('"J \\\\\\""<sip:bob@biloxi.com>', 'J \\"', (), id="escapes"),
        pytest.param(
            '"<sip:x@y>" <sip:bob@biloxi.com>', "<sip:x@y>", (), id="uri-name"
        ),
        pytest.param(
            '"B" <sip:bob@biloxi.com> ; tag=a;x="<;>"',
            "B",
            (("tag", "a"), ("x", "<;>")),
            id="parameters",
        ),
        pytest.param(
            'sip:bob@biloxi.com;+sip.instance="<urn:uuid:0>"',
            None,
            (("+sip.instance", "<urn:uuid:0>"),),
            id="bare-with-brackets-in-a-parameter",
        ),
    ],
)
@pytest.mark.rule("SIP-5", "SIP-67")
def test_an_address_is_read(
    text: str, name: str | None, parameters: Parameters
) -> None:
    address = NameAddr.parse(text)
    assert address == NameAddr(name, BOB, parameters)
    assert NameAddr.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("<>", id="no-uri"),
        pytest.param("Bob", id="no-uri-at-all"),
        pytest.param("<sip:a@b", id="bracket-not-closed"),
        pytest.param('"Mr. J. User <sip:j.user@example.com>', id="quote-not-closed"),
        pytest.param('"Bob" sip:a@b', id="name-without-brackets"),
        pytest.param("Bell, Alexander <sip:a@b>", id="comma-in-name"),
        pytest.param("a\\b <sip:a@b>", id="backslash-in-name"),
        pytest.param("< sip:a@b >", id="spaces-in-brackets"),
        pytest.param("<sip:a@b>x", id="text-after-brackets"),
        pytest.param("<sip:a@b>;;", id="empty-parameter"),
        pytest.param("sip:a@b?Route=%3Csip:c%3E", id="question-mark-needs-brackets"),
        pytest.param("sip:a,b@c", id="comma-needs-brackets"),
        pytest.param("sip:a@b;tag=x;tag=y", id="two-tags"),
        pytest.param("sip:a@b, sip:c@d", id="two-addresses"),
        pytest.param("<sip:a@b>;tag=x, <sip:c@d>", id="two-addresses-in-brackets"),
        pytest.param("\n<sip:a@b>", id="line-end"),
    ],
)
@pytest.mark.rule("SIP-5", "SIP-67")
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        NameAddr.parse(text)


@pytest.mark.rule("SIP-5", "SIP-67")
def test_parameters_of_the_uri_and_of_the_header_field_are_kept_apart() -> None:
    bare = NameAddr.parse("sip:+19725552222@gw1.example.net;unknownparam")
    assert bare.parameters == (("unknownparam", None),)
    inside = NameAddr.parse("<sip:+19725552222@gw1.example.net;unknownparam>")
    assert inside.parameters == ()
    assert isinstance(inside.uri, SipUri)
    assert inside.uri.parameters == (("unknownparam", None),)
    header = NameAddr.parse("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>")
    assert isinstance(header.uri, SipUri)
    assert header.uri.header("route") == "<sip:sip.example.com>"


def test_the_tag_is_a_parameter() -> None:
    address = NameAddr.parse("<sip:bob@biloxi.com>;x=y")
    assert address.tag is None
    assert address.with_tag("abc").tag == "abc"
    assert str(address.with_tag("abc")) == "<sip:bob@biloxi.com>;x=y;tag=abc"
    assert address.with_tag("abc").without_parameter("TAG") == address
    assert NameAddr.parse("<sip:bob@biloxi.com>;tag").tag is None


@pytest.mark.rule("SIP-68")
def test_a_display_name_cant_smuggle_an_address() -> None:
    address = NameAddr('Bob" <sip:mallory@x>, "', BOB)
    assert NameAddr.parse(str(address)) == address


@pytest.mark.rule("SIP-5")
def test_lists_are_split_outside_quotes_and_brackets() -> None:
    addresses = parse_name_addrs(
        ['"A, B" <sip:a,b@c>;q=1, sip:d@e', "<cid:x@y>;purpose=z"]
    )
    assert [address.display_name for address in addresses] == ["A, B", None, None]
    assert addresses[2] == NameAddr(None, OtherUri("cid", "x@y"), (("purpose", "z"),))


@pytest.mark.rule("NG-5")
def test_a_list_of_uris_may_lack_brackets_and_quote_its_parameters() -> None:
    (address,) = parse_name_addrs(
        ['cid:123@h.example;purpose="EmergencyCallData.ProviderInfo"']
    )
    assert str(address.uri) == "cid:123@h.example"
    assert address.parameter("purpose") == "EmergencyCallData.ProviderInfo"


@pytest.mark.parametrize("values", [["<sip:a@b>,"], [""], [",<sip:a@b>"]])
def test_a_list_has_no_empty_addresses(values: list[str]) -> None:
    with pytest.raises(SipParseError):
        parse_name_addrs(values)


def test_a_lone_star_is_no_contact() -> None:
    assert parse_contacts(["*"]) == ()


@pytest.mark.parametrize("values", [["*", "<sip:a@b>"], ["*, <sip:a@b>"], ["*", "*"]])
def test_a_star_stands_alone(values: list[str]) -> None:
    with pytest.raises(SipParseError):
        parse_contacts(values)


addresses = st.text('"<>sip:ab@;= ,\\\té\0\x01tag?', max_size=40)


@given(addresses)
@settings(deadline=None, max_examples=300)
@pytest.mark.rule("SIP-5", "SIP-68")
def test_an_address_is_read_or_refused_and_what_is_read_can_be_sent(tail: str) -> None:
    for text in (tail, f"<sip:a@b>{tail}", f'"{tail}" <sip:a@b>'):
        try:
            address = NameAddr.parse(text)
        except SipParseError:
            continue
        assert NameAddr.parse(str(address)) == address
        if "\r" not in text and "\n" not in text:
            assert Headers([("To", str(address))]).get("To") == str(address)


@given(
    st.from_regex(
        r'("[a ,;<>]*" ?|[a-z .]*)<sip:[ab]{1,2}@h(;lr)?>(;[a-c](=[a-z"]+)?)*',
        fullmatch=True,
    )
)
@settings(deadline=None, max_examples=50)
def test_the_short_way_to_read_an_address_gives_what_the_grammar_gives(
    text: str,
) -> None:
    try:
        expected = NameAddr._parse_fully(text.strip(" "))
    except SipParseError:
        with pytest.raises(SipParseError):
            NameAddr.parse(text)
    else:
        assert NameAddr.parse(text) == expected
