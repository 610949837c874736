from __future__ import annotations

import string

import pytest

from sdp import MediaDescription, SdpError
from sdp.grammar import MAX_DIGITS, check_text, check_word, encode, is_token, number

TOKEN_CHARS = set(string.ascii_letters + string.digits + "!#$%&'*+-.^_`{|}~")


@pytest.mark.rule("SDP-12")
def test_tokens_are_made_of_the_characters_of_the_grammar() -> None:
    for char in map(chr, range(0x100)):
        assert is_token(f"a{char}b") is (char in TOKEN_CHARS), repr(char)
    assert not is_token("")


@pytest.mark.rule("SDP-12", "SDP-11")
def test_an_asterisk_is_a_format() -> None:
    assert MediaDescription.parse("m=message 9 TCP/MSRP *\r\n").formats == ("*",)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("a\0b", id="nul"),
        pytest.param("a\rb", id="cr"),
        pytest.param("a\nb", id="lf"),
        pytest.param("a\ud800b", id="surrogate-of-no-octet"),
    ],
)
@pytest.mark.rule("SDP-10")
def test_what_no_line_can_hold_is_no_text(text: str) -> None:
    with pytest.raises(SdpError):
        check_text(text, "it")


@pytest.mark.parametrize("char", [" ", "\t", "\x0b", "\x7f", "\x01"], ids=repr)
def test_words_hold_no_white_space_and_no_controls(char: str) -> None:
    check_word("w\u00f6rd\udcff", "it")
    with pytest.raises(SdpError):
        check_word(f"a{char}b", "it")


@pytest.mark.rule("SDP-13")
def test_octets_that_are_not_utf8_keep_their_value() -> None:
    assert encode("\udce9t\u00e9") == b"\xe9t\xc3\xa9"


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", " 1", "1 ", "1_0", "0x1", "\u0661", "\u00b2"]
)
def test_numbers_are_decimal_digits_and_nothing_else(text: str) -> None:
    with pytest.raises(SdpError):
        number(text, "it")


@pytest.mark.rule("SDP-6", "SDP-15")
def test_numbers_have_a_bounded_number_of_digits() -> None:
    assert number("9" * MAX_DIGITS, "it") == 10**MAX_DIGITS - 1
    with pytest.raises(SdpError, match="more than"):
        number("9" * (MAX_DIGITS + 1), "it")
