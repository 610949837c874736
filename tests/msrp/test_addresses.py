"""Addresses as people type them, and im: URIs."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.addresses import MAX_ADDRESS_LENGTH, ImUri, InvalidAddress, parse_address
from msrp.content import Address
from msrp.errors import MsrpError


@pytest.mark.rule("IM-1")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("im:fred@example.com", ImUri("fred@example.com"), id="mailbox"),
        pytest.param("IM:fred@example.com", ImUri("fred@example.com"), id="any-case"),
        pytest.param("im:a%2Fb@x", ImUri("a/b@x"), id="escaped-slash"),
        pytest.param("im:zo%C3%A9@x", ImUri("zoé@x"), id="escaped-utf-8"),
        pytest.param("im:zoé@x", ImUri("zoé@x"), id="utf-8"),
        pytest.param("im:%22a@b%22@x", ImUri('"a@b"@x'), id="quoted-local-part"),
        pytest.param(
            "im:?subject=x", ImUri(None, (("subject", "x"),)), id="no-mailbox"
        ),
        pytest.param("im:", ImUri(None), id="nothing"),
        pytest.param(
            "im:a@x?subject=a%26b&body=1=2",
            ImUri("a@x", (("subject", "a&b"), ("body", "1=2"))),
            id="two-parameters",
        ),
        pytest.param("im:a@x?=", ImUri("a@x", (("", ""),)), id="empty-parameter"),
        pytest.param(
            "im:pepp=example.com/fred@relay-domain",
            ImUri("pepp=example.com/fred@relay-domain"),
            id="source-route",
        ),
    ],
)
def test_an_im_uri_is_read(text: str, expected: ImUri) -> None:
    uri = ImUri.parse(text)
    assert uri == expected
    assert uri.mailbox == expected.mailbox
    assert uri.parameters == expected.parameters


@pytest.mark.rule("IM-1")
@pytest.mark.parametrize(
    ("uri", "text"),
    [
        pytest.param(ImUri("fred@example.com"), "im:fred@example.com", id="plain"),
        pytest.param(ImUri("a/b?c@x"), "im:a%2Fb%3Fc@x", id="reserved"),
        pytest.param(ImUri('"a@b"@x'), "im:%22a%40b%22@x", id="quoted-local-part"),
        pytest.param(ImUri("zoé@x"), "im:zo%C3%A9@x", id="non-ascii"),
        pytest.param(ImUri("50%@x"), "im:50%25@x", id="percent"),
        pytest.param(
            ImUri("a@x", (("s", "a&b=c"),)), "im:a@x?s=a%26b%3Dc", id="parameter"
        ),
        pytest.param(ImUri(None), "im:", id="nothing"),
    ],
)
def test_an_im_uri_is_written_with_its_escapes(uri: ImUri, text: str) -> None:
    assert str(uri) == text
    assert ImUri.parse(text) == uri


@pytest.mark.rule("IM-1")
@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        pytest.param("im:fred@X.com", "im:fred@x.COM", True, id="domain-in-any-case"),
        pytest.param("im:Fred@x.com", "im:fred@x.com", False, id="local-part-exactly"),
        pytest.param("im:%66red@x", "im:fred@x", True, id="escapes"),
        pytest.param("im:a@x?Subject=s", "im:a@x?subject=s", True, id="name"),
        pytest.param("im:a@x?subject=S", "im:a@x?subject=s", False, id="value"),
        pytest.param("im:a@x", "im:", False, id="mailbox-or-none"),
    ],
)
def test_mailboxes_are_compared_as_mailboxes(
    one: str, other: str, is_equal: bool
) -> None:
    left, right = ImUri.parse(one), ImUri.parse(other)
    assert (left == right) is is_equal
    assert (len({left, right}) == 1) is is_equal
    assert left != one


@pytest.mark.rule("IM-1")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("sip:a@x", "start with im:", id="another-scheme"),
        pytest.param("im", "start with im:", id="no-colon"),
        pytest.param("im:fred", "local@domain", id="no-domain"),
        pytest.param("im:@x", "local@domain", id="no-local-part"),
        pytest.param("im:fred@", "local@domain", id="empty-domain"),
        pytest.param("im:a b@x", "can't have", id="space"),
        pytest.param("im:<a@x>", "can't have", id="brackets"),
        pytest.param("im:a@x#y", "can't have", id="fragment"),
        pytest.param("im:a\r\n@x", "can't have", id="line-break"),
        pytest.param("im:a%0D%0AX@x", "control characters", id="escaped-line-break"),
        pytest.param("im:a@x?s=%00", "control characters", id="escaped-NUL"),
        pytest.param("im:a%2@x", "hexadecimal", id="half-an-escape"),
        pytest.param("im:a%zz@x", "hexadecimal", id="no-escape"),
        pytest.param("im:a%FF@x", "UTF-8", id="not-utf-8"),
        pytest.param("im:a@x?", "name=value", id="no-parameter"),
        pytest.param("im:a@x?s=1&t", "name=value", id="no-value"),
    ],
)
def test_what_is_no_im_uri_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidAddress, match=problem):
        ImUri.parse(text)


def test_half_a_character_has_no_im_uri() -> None:
    with pytest.raises(InvalidAddress):
        ImUri("\ud83d@x")


@pytest.mark.rule("IM-2")
@pytest.mark.parametrize(
    ("text", "sip_uri"),
    [
        pytest.param("im:fred@example.com", "sip:fred@example.com", id="mailbox"),
        pytest.param("im:fred@x?subject=y", "sip:fred@x", id="without-parameters"),
        pytest.param("im:a%2Fb@x", "sip:a%2Fb@x", id="escapes"),
        pytest.param("im:a@%5B192.0.2.1%5D", "sip:a@192.0.2.1", id="ipv4"),
        pytest.param("im:a@[IPv6:2001:db8::1]", "sip:a@[2001:db8::1]", id="ipv6"),
        pytest.param("im:?subject=y", None, id="no-mailbox"),
        pytest.param("im:a@exämple.com", None, id="domain-unfit"),
    ],
)
def test_an_im_uri_is_mapped_to_sip(text: str, sip_uri: str | None) -> None:
    assert ImUri.parse(text).sip_uri == sip_uri


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param(
            "alice@example.com", Address("im:alice@example.com"), id="mailbox"
        ),
        pytest.param("  a@EXAMPLE.com\n", Address("im:a@example.com"), id="trimmed"),
        pytest.param("a@psap", Address("im:a@psap"), id="private-domain"),
        pytest.param("a/b@x.org", Address("im:a%2Fb@x.org"), id="reserved-character"),
        pytest.param(
            "zoé@exämple.com", Address("im:zo%C3%A9@xn--exmple-cua.com"), id="idn"
        ),
        pytest.param(
            "Alice <sip:alice@example.com>",
            Address("sip:alice@example.com", "Alice"),
            id="name",
        ),
        pytest.param(
            "Alice Smith<alice@example.com>",
            Address("im:alice@example.com", "Alice Smith"),
            id="name-and-mailbox",
        ),
        pytest.param(
            r'"A \"x\" \\, <B>" <tel:+15551234>',
            Address("tel:+15551234", 'A "x" \\, <B>'),
            id="quoted-name",
        ),
        pytest.param(
            "Zoé 👩\u200d🚒 <im:z@x>", Address("im:z@x", "Zoé 👩\u200d🚒"), id="emoji"
        ),
        pytest.param("<sip:a@x>", Address("sip:a@x"), id="brackets-only"),
        pytest.param("< sip:a@x >", Address("sip:a@x"), id="spaces-in-brackets"),
        pytest.param('"" <sip:a@x>', Address("sip:a@x"), id="empty-name"),
        pytest.param("im:FRED@x", Address("im:FRED@x"), id="im"),
        pytest.param(
            "sip:192.0.2.1:5060", Address("sip:192.0.2.1:5060"), id="sip-host"
        ),
        pytest.param(
            "SIPS:a@[2001:db8::1];transport=tcp",
            Address("SIPS:a@[2001:db8::1];transport=tcp"),
            id="sips",
        ),
        pytest.param(
            "tel:+1-(555)-1234", Address("tel:+1-(555)-1234"), id="tel-separators"
        ),
        pytest.param(
            "tel:911;phone-context=+1", Address("tel:911;phone-context=+1"), id="tel"
        ),
        pytest.param("urn:service:sos", Address("urn:service:sos"), id="urn"),
        pytest.param("mailto:a@x", Address("mailto:a@x"), id="another-scheme"),
    ],
)
def test_an_address_is_read_as_people_type_it(text: str, address: Address) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", "neither a URI", id="empty"),
        pytest.param("alice", "neither a URI", id="name-only"),
        pytest.param("alice@", "neither a URI", id="no-domain"),
        pytest.param("@example.com", "neither a URI", id="no-local-part"),
        pytest.param("alice@a@b.org", "neither a URI", id="two-ats"),
        pytest.param("alice@example..com", "neither a URI", id="no-domain-name"),
        pytest.param("alice smith@x.org", "neither a URI", id="space-in-mailbox"),
        pytest.param("Alice <>", "neither a URI", id="empty-brackets"),
        pytest.param("alice@x.org>", "never opened", id="closed-only"),
        pytest.param("Alice <sip:a@x", "neither a URI", id="opened-only"),
        pytest.param("A <b> <sip:a@x>", "must be quoted", id="brackets-in-name"),
        pytest.param('A "b" <sip:a@x>', "must be quoted", id="quotes-in-name"),
        pytest.param("sip:", "follows the scheme", id="empty-sip"),
        pytest.param("sip:a@", "follows the scheme", id="sip-without-host"),
        pytest.param("sip:a@b@c", "follows the scheme", id="sip-with-two-ats"),
        pytest.param("tel:+", "follows the scheme", id="tel-without-digits"),
        pytest.param("tel:alice", "follows the scheme", id="tel-with-a-name"),
        pytest.param("urn:service", "follows the scheme", id="half-a-urn"),
        pytest.param("example.com:5060", "follows the scheme", id="host-and-port"),
        pytest.param("im:alice", "local@domain", id="im-without-domain"),
        pytest.param("sip:a b@x", "no spaces", id="space-in-a-uri"),
        pytest.param("sip:a\u200b@x", "no spaces", id="invisible-in-a-uri"),
        pytest.param("A\r\nB <sip:a@x>", "control", id="line-break"),
        pytest.param("A\x1b[31m <sip:a@x>", "control", id="escape-sequence"),
        pytest.param("\ud83d <sip:a@x>", "control", id="half-a-character"),
        pytest.param("a" * (MAX_ADDRESS_LENGTH + 1), "longer", id="too-long"),
    ],
)
def test_nonsense_is_refused_in_one_sentence(text: str, problem: str) -> None:
    with pytest.raises(InvalidAddress, match=problem) as caught:
        parse_address(text)
    assert str(caught.value) == f"not an address: {caught.value.problem}"
    assert "\n" not in str(caught.value)


def test_the_error_can_be_caught_as_ours_and_as_a_value_error() -> None:
    assert issubclass(InvalidAddress, MsrpError)
    assert issubclass(InvalidAddress, ValueError)


def test_the_slow_import_waits_for_a_mailbox() -> None:
    code = (
        "import sys; from msrp.addresses import parse_address; "
        "parse_address('sip:a@example.com'); "
        "assert 'email_validator' not in sys.modules; "
        "parse_address('a@example.com'); "
        "assert 'email_validator' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


PIECES = [
    "im:",
    "sip:",
    "tel:",
    "a",
    "@",
    "x.org",
    "<",
    ">",
    '"',
    "\\",
    "%41",
    "?",
    "=",
]
typed = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from([*PIECES, " ", "&", "%", "é", "+1"]), max_size=8).map(
        "".join
    ),
)


@settings(max_examples=200, deadline=None)
@given(typed)
def test_any_text_is_an_address_or_an_invalid_one(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddress:
        return
    # What was made of it is fit for a header, and stands for the same again.
    assert Address.parse(str(address), strict=True) == address
    assert parse_address(address.uri) == Address(address.uri)


@settings(max_examples=200, deadline=None)
@given(typed.map("im:".__add__))
def test_what_parses_as_an_im_uri_can_be_written_and_parses_back(text: str) -> None:
    try:
        uri = ImUri.parse(text)
    except InvalidAddress:
        return
    again = ImUri.parse(str(uri))
    assert (again.mailbox, again.parameters) == (uri.mailbox, uri.parameters)
    assert str(uri).isascii()


mailboxes = st.builds(
    "{}@{}".format, st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20)
)


@settings(max_examples=100, deadline=None)
@given(
    st.none() | mailboxes,
    st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=3),
)
def test_what_can_be_made_can_be_written_and_read(
    mailbox: str | None, parameters: list[tuple[str, str]]
) -> None:
    try:
        uri = ImUri(mailbox, tuple(parameters))
    except InvalidAddress:
        return
    assert ImUri.parse(str(uri)) == uri
