"""What ``a=chatroom`` says."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.chatroom import Chatroom
from msrp.errors import LocalProtocolError

TOKEN = st.from_regex(r"[A-Za-z0-9.!%*_+`'~-]{1,12}", fullmatch=True)


@pytest.mark.rule("CHAT-12")
@pytest.mark.parametrize(
    ("value", "chatroom"),
    [
        (None, Chatroom()),
        ("", Chatroom()),
        ("nickname", Chatroom(nickname=True)),
        ("nicknames", Chatroom(nickname=True)),
        ("private-messages", Chatroom(private_messages=True)),
        ("nickname private-messages", Chatroom(nickname=True, private_messages=True)),
        ("Nickname PRIVATE-Messages", Chatroom(nickname=True, private_messages=True)),
        ("nickname com.example.chat.foo", Chatroom(nickname=True, others=("com.example.chat.foo",))),  # noqa: E501
        ("nickname nickname nicknames", Chatroom(nickname=True)),
        ("a.b A.B", Chatroom(others=("a.b",))),
        ("  private-messages   @@ ", Chatroom(private_messages=True)),
    ],
)  # fmt: skip
def test_the_tokens_of_a_peer_are_read(value: str | None, chatroom: Chatroom) -> None:
    assert Chatroom.parse(value) == chatroom


@pytest.mark.rule("CHAT-12")
@pytest.mark.parametrize(
    ("chatroom", "value"),
    [
        (Chatroom(), ""),
        (Chatroom(nickname=True), "nickname"),
        (Chatroom(nickname=True, private_messages=True), "nickname private-messages"),
        (Chatroom(others=("com.example.foo",)), "com.example.foo"),
    ],
)
def test_what_is_written_is_the_token_of_the_grammar(
    chatroom: Chatroom, value: str
) -> None:
    assert str(chatroom) == value


@pytest.mark.rule("CHAT-12")
@pytest.mark.parametrize(
    "others", [("nickname",), ("nicknames",), ("a", "A"), ("a b",), ("",), ("é",)]
)
def test_what_peers_could_not_read_is_not_said(others: tuple[str, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        Chatroom(others=others)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=60) | st.lists(TOKEN, max_size=6).map(" ".join))
def test_whatever_comes_is_read_and_can_be_said_again(value: str) -> None:
    chatroom = Chatroom.parse(value)
    assert Chatroom.parse(str(chatroom)) == chatroom
