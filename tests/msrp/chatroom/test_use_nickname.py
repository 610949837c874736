"""The header field that asks for a nickname."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.chatroom import MAX_NICKNAME, read_use_nickname, write_use_nickname
from msrp.errors import InvalidNickname


@pytest.mark.rule("CHAT-9", "CHAT-10")
@pytest.mark.parametrize(
    ("nickname", "value"),
    [
        ("Alice the great", '"Alice the great"'),
        ("", '""'),
        ("A", '"A"'),
        ('a "b" \\c', '"a \\"b\\" \\\\c"'),
        ("\tZoë ☎", '"\tZoë ☎"'),
        ("x" * MAX_NICKNAME, '"' + "x" * MAX_NICKNAME + '"'),
        ('"' * MAX_NICKNAME, '"' + '\\"' * MAX_NICKNAME + '"'),
    ],
    ids=["plain", "none", "one", "escaped", "unicode", "longest", "longest-escaped"],
)
def test_a_nickname_is_a_quoted_string(nickname: str, value: str) -> None:
    assert write_use_nickname(nickname) == value
    assert read_use_nickname(value) == nickname


@pytest.mark.rule("CHAT-9", "CHAT-10")
@pytest.mark.parametrize(
    "nickname",
    ["x" * 1024, "é" * 512, "a\nb", "a\rb", "a\0b", "a\x7fb", "\ud800"],
    ids=["1024", "1024-octets", "lf", "cr", "nul", "del", "surrogate"],
)
def test_what_is_no_nickname_is_not_written(nickname: str) -> None:
    with pytest.raises(InvalidNickname):
        write_use_nickname(nickname)


def test_what_is_no_text_is_not_written() -> None:
    with pytest.raises(TypeError, match="not bytes"):
        write_use_nickname(b"Alice")  # type: ignore[arg-type]


@pytest.mark.rule("CHAT-10")
@pytest.mark.parametrize(
    "value",
    [
        *("Alice", '"Alice', 'Alice"', '"', "", '"a"b"', '"a\\b"', '"a\\"', "'a'"),
        *('"a" ', '"a" "b"', '"a\x01b"', '"' + "x" * 1024 + '"'),
    ],
)
def test_what_is_none_is_not_read(value: str) -> None:
    with pytest.raises(InvalidNickname):
        read_use_nickname(value)


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=40) | st.text(alphabet='ab"\\ é', max_size=20))
def test_what_can_be_written_is_read_back(nickname: str) -> None:
    try:
        value = write_use_nickname(nickname)
    except InvalidNickname:
        return
    assert read_use_nickname(value) == nickname


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=40) | st.text(alphabet='ab"\\', max_size=20).map('"{}"'.format))
def test_whatever_comes_is_read_or_refused(value: str) -> None:
    try:
        nickname = read_use_nickname(value)
    except InvalidNickname:
        return
    assert write_use_nickname(nickname) == value
