from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import SipParseError
from sip.grammar import (
    end_of_quoted_string,
    is_one_line,
    is_token,
    parse_host,
    parse_host_port,
    parse_number,
    quote,
    split_list,
    unquote,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("INVITE", True, id="letters"),
        pytest.param("-.!%*_+`'~09", True, id="all-that-is-no-letter"),
        pytest.param("", False, id="empty"),
        pytest.param("a b", False, id="space"),
        pytest.param("a\n", False, id="line-end"),
        pytest.param("é", False, id="not-ascii"),
        pytest.param("a/b", False, id="separator"),
    ],
)
@pytest.mark.rule("SIP-1")
def test_a_token_is_made_of_the_characters_of_the_rfc(
    text: str, expected: bool
) -> None:
    assert is_token(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("0", 0, id="zero"),
        pytest.param("0068", 68, id="leading-zeros"),
        pytest.param("0" * 10_000 + "7", 7, id="very-many-leading-zeros"),
        pytest.param("255", 255, id="maximum"),
        pytest.param("256", None, id="above"),
        pytest.param("9" * 10_000, None, id="thousands-of-digits"),
    ],
)
@pytest.mark.rule("SIP-67", "SIP-68")
def test_a_number_is_read_or_is_above_its_maximum(
    text: str, expected: int | None
) -> None:
    assert parse_number(text, 255) == expected


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1 ", "five", "²", "١", "1_0"])
@pytest.mark.rule("SIP-67")
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_number(text, 255)


@pytest.mark.parametrize(
    ("text", "separator", "parts"),
    [
        pytest.param("a,b", ",", ["a", "b"], id="plain"),
        pytest.param(" a\t, b ", ",", ["a", "b"], id="white-space"),
        pytest.param("a,,b,", ",", ["a", "", "b", ""], id="empty-parts"),
        pytest.param('"a,b",c', ",", ['"a,b"', "c"], id="quoted-separator"),
        pytest.param('"a\\",b",c', ",", ['"a\\",b"', "c"], id="quoted-quote"),
        pytest.param('"a\\\\",b', ",", ['"a\\\\"', "b"], id="quoted-backslash"),
        pytest.param("<a,b>;x,<c>", ",", ["<a,b>;x", "<c>"], id="brackets"),
        pytest.param('<a"b>,c', ",", ['<a"b>', "c"], id="quote-in-brackets"),
        pytest.param(';a="x;y";b', ";", ["", 'a="x;y"', "b"], id="semicolons"),
        pytest.param("", ",", [""], id="empty"),
    ],
)
@pytest.mark.rule("SIP-5")
def test_separators_in_quotes_and_brackets_dont_split(
    text: str, separator: str, parts: list[str]
) -> None:
    assert split_list(text, separator) == parts


@pytest.mark.parametrize("text", ['a,"b', '"a\\",b', "a,<b", '<a>,"'])
@pytest.mark.rule("SIP-5")
def test_what_isnt_closed_cant_be_split(text: str) -> None:
    with pytest.raises(SipParseError):
        split_list(text, ",")


@given(st.lists(st.text('ab \\";,<>=', max_size=6), min_size=1, max_size=5))
@settings(deadline=None, max_examples=60)
@pytest.mark.rule("SIP-5")
def test_quoted_parts_come_back_as_they_were(parts: list[str]) -> None:
    text = ",".join(map(quote, parts))
    assert [unquote(part) for part in split_list(text, ",")] == parts


@given(st.text())
@settings(deadline=None, max_examples=100)
@pytest.mark.rule("SIP-5")
def test_a_quoted_string_says_what_was_quoted_and_ends_where_it_ends(
    text: str,
) -> None:
    quoted = quote(text)
    assert unquote(quoted) == text
    assert end_of_quoted_string(quoted + '"', 0) == len(quoted)


@pytest.mark.rule("SIP-5")
def test_control_characters_are_quoted_with_a_backslash() -> None:
    assert quote("NUL:\0 TAB:\t") == '"NUL:\\\0 TAB:\t"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("plain text", True, id="text"),
        pytest.param("\\\0", True, id="NUL-in-a-quoted-pair"),
        pytest.param("a\0", False, id="NUL"),
        pytest.param("a\rb", False, id="CR"),
        pytest.param("a\nb", False, id="LF"),
        pytest.param("\\\n", False, id="LF-after-a-backslash"),
    ],
)
@pytest.mark.rule("SIP-68")
def test_one_line_has_nothing_in_it_that_ends_a_line(text: str, expected: bool) -> None:
    assert is_one_line(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("example.com", ("example.com", None), id="name"),
        pytest.param("my_host:5060", ("my_host", 5060), id="underscore"),
        pytest.param("192.0.2.1 : 05070", ("192.0.2.1", 5070), id="white-space"),
        pytest.param("[2001:db8::10]", ("2001:db8::10", None), id="ipv6"),
        pytest.param("[2001:db8::10]:5070", ("2001:db8::10", 5070), id="ipv6-port"),
        pytest.param(
            "[2001:db8::10:5070]", ("2001:db8::10:5070", None), id="port-in-address"
        ),
        pytest.param("[::ffff:192.0.2.1]", ("::ffff:192.0.2.1", None), id="mapped"),
        pytest.param(
            "[2001:db8:::192.0.2.1]", ("2001:db8::192.0.2.1", None), id="three-colons"
        ),
    ],
)
@pytest.mark.rule("SIP-7", "SIP-67")
def test_a_host_may_have_a_port(text: str, expected: tuple[str, int | None]) -> None:
    assert parse_host_port(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(":5060", id="port-alone"),
        pytest.param("host:", id="no-port"),
        pytest.param("host:65536", id="port-too-high"),
        pytest.param("host:x", id="port-of-letters"),
        pytest.param("2001:db8::10", id="ipv6-without-brackets"),
        pytest.param("[2001:db8::10", id="bracket-not-closed"),
        pytest.param("[192.0.2.1]", id="ipv4-in-brackets"),
        pytest.param("[fe80::1%eth0]", id="zone"),
        pytest.param("%65xample.com", id="escaped"),
        pytest.param("exämple.com", id="not-ascii"),
        pytest.param("a b", id="space"),
    ],
)
@pytest.mark.rule("SIP-7", "SIP-67")
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        parse_host_port(text)


@given(st.text("0123456789abcdef:.[]%x", max_size=30))
@settings(deadline=None, max_examples=100)
@pytest.mark.rule("SIP-68")
def test_a_host_is_read_or_refused(text: str) -> None:
    try:
        host = parse_host(text)
    except SipParseError:
        return
    assert host.replace("::", "") in text.replace("::", "")
