from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpim import escape, unescape

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
escapes = st.text('\\u0bnrtq"d8D8c4aé', max_size=40)


@pytest.mark.rule("CPIM-10")
@pytest.mark.parametrize(
    ("plain", "escaped"),
    [
        ("a\\b", r"a\\b"),
        ("\b\t\n\r", r"\b\t\n\r"),
        ("\0\x07\x0b\x0c\x0e\x1f\x7f", r"\u0000\u0007\u000B\u000C\u000E\u001F\u007F"),
        ("x\r\nTo: <im:evil>", r"x\r\nTo: <im:evil>"),
    ],
)
def test_controls_and_backslashes_are_escaped(plain: str, escaped: str) -> None:
    assert escape(plain) == escaped


@pytest.mark.rule("CPIM-10", "CPIM-11")
def test_double_quotes_are_escaped_within_strings_only() -> None:
    assert escape('"it\'s"') == '"it\'s"'
    assert escape('"it\'s"', in_string=True) == r"\"it's\""


@pytest.mark.rule("CPIM-11")
def test_nothing_else_is_escaped() -> None:
    harmless = "".join(map(chr, range(0x20, 0x7F))).replace("\\", "")
    assert escape(harmless) == harmless
    assert escape("é\x80\u2028日😀") == "é\x80\u2028日😀"


@pytest.mark.rule("CPIM-12")
@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        pytest.param(r"a\\b", "a\\b", id="backslash"),
        pytest.param(r"\u0007", "\x07", id="bell"),
        pytest.param(r"\b\t\n\r", "\b\t\n\r", id="named"),
        pytest.param(r"\"\'", "\"'", id="quotes"),
        pytest.param(r"\q", "q", id="unknown"),
        pytest.param("\\é", "é", id="unknown-not-ascii"),
        pytest.param("abc\\", "abc", id="lone-at-end"),
        pytest.param("\\\n", "\n", id="line-feed"),
        pytest.param(r"\u00E9\u00e9", "éé", id="either-case"),
        pytest.param(r"\u12", "u12", id="too-few-digits"),
        pytest.param(r"\u00g9", "u00g9", id="not-hexadecimal"),
        pytest.param(r"\uFFFF", "\uffff", id="last-of-the-plane"),
        pytest.param(r"\U0041", "U0041", id="upper-case-u"),
        pytest.param(r"\\u0041", r"\u0041", id="escaped-backslash-first"),
        pytest.param(r"\u005cn", r"\n", id="decoded-once-only"),
        pytest.param(r"\uD83D\uDE00", "😀", id="surrogate-pair"),
        pytest.param(r"a\uD83Db", "a\ufffdb", id="high-half"),
        pytest.param(r"a\uDE00b", "a\ufffdb", id="low-half"),
        pytest.param(r"\uD83D", "\ufffd", id="half-at-end"),
        pytest.param(r"\uDE00\uD83D", "\ufffd\ufffd", id="halves-swapped"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_every_escape_is_decoded(escaped: str, plain: str) -> None:
    assert unescape(escaped) == plain


@pytest.mark.rule("CPIM-10", "CPIM-12", "CPIM-13")
@settings(deadline=None)
@given(text)
def test_what_is_escaped_decodes_to_the_same(plain: str) -> None:
    for in_string in (False, True):
        escaped = escape(plain, in_string=in_string)
        assert unescape(escaped) == plain
        assert not any(octet < 0x20 or octet == 0x7F for octet in escaped.encode())


@pytest.mark.rule("CPIM-12", "CPIM-33")
@settings(deadline=None)
@given(escapes | text)
def test_anything_can_be_decoded_to_text_that_can_be_encoded(escaped: str) -> None:
    unescape(escaped).encode()
