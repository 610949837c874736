"""Which nicknames there can be, and which are the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.chatroom import comparable_nickname, enforce_nickname, is_same_nickname
from msrp.errors import InvalidNickname


@pytest.mark.rule("CHAT-11")
@pytest.mark.parametrize(
    ("nickname", "compared"),
    [
        ("Foo", "foo"),
        ("foo", "foo"),
        ("Foo Bar", "foo bar"),
        ("foo bar", "foo bar"),
        ("\u03a3", "\u03c3"),
        ("\u03c3", "\u03c3"),
        ("\u03c2", "\u03c3"),
        ("\u265a", "\u265a"),
        ("Richard \u2163", "richard iv"),
    ],
)
def test_the_examples_of_rfc_7700(nickname: str, compared: str) -> None:
    assert comparable_nickname(nickname) == compared


@pytest.mark.rule("CHAT-11")
@pytest.mark.parametrize(
    ("nickname", "kept"),
    [
        ("Alice", "Alice"),
        ("stpeter ", "stpeter"),
        ("  St  Peter ", "St Peter"),
        ("St\u00a0\u3000Peter", "St Peter"),
        ("\uff21lice", "Alice"),  # Full width.
        ("e\u0301", "\u00e9"),
        ("\u00a8x", "\u0308x"),  # Normalization makes a space at the beginning.
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),  # After a virama.
        ("a\tb", None),
        ("a\x00b", None),
        ("a\u200db", None),
        ("\u200d", None),
        ("a\u2028b", None),
        ("a\ue000b", None),  # For private use.
        ("a\u0378b", None),  # Not assigned.
        ("a\ufe0f", None),
        ("a\u1100", None),
        ("\ud800", None),
        ("", None),
        ("   ", None),
    ],
)
def test_a_nickname_is_kept_in_one_form(nickname: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(InvalidNickname):
            enforce_nickname(nickname)
    else:
        assert enforce_nickname(nickname) == kept


@pytest.mark.rule("CHAT-11")
def test_case_width_and_spaces_make_no_difference() -> None:
    assert is_same_nickname("Alice  the GREAT", " \uff41lice the great")
    assert not is_same_nickname("BOY", "B0Y")
    assert not is_same_nickname("", "")


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=12))
def test_what_is_kept_is_kept_as_it_is_and_is_the_same(nickname: str) -> None:
    try:
        kept = enforce_nickname(nickname)
    except InvalidNickname:
        return
    assert kept
    assert is_same_nickname(nickname, nickname)
    if kept == nickname:
        assert enforce_nickname(kept) == kept
