"""What descriptions say of chat rooms and of languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from msrp.chatroom import Chatroom
from msrp.errors import LocalProtocolError
from msrp.negotiation import (
    Languages,
    answer_again,
    answer_media,
    negotiate,
    offer_media,
    with_news_of,
)
from sdp import Attribute, MediaDescription
from tests.msrp.sections import ALICE, BOB

ALL = Chatroom(nickname=True, private_messages=True)


@pytest.mark.rule("CHAT-12")
@pytest.mark.parametrize(
    ("chatroom", "line"),
    [
        (ALL, "a=chatroom:nickname private-messages\r\n"),
        (Chatroom(), "a=chatroom\r\n"),
        (Chatroom(nickname=True), "a=chatroom:nickname\r\n"),
    ],
)
def test_what_is_known_of_rooms_is_offered(chatroom: Chatroom, line: str) -> None:
    assert line in str(offer_media(ALICE, chatroom=chatroom))
    assert "chatroom" not in str(offer_media(ALICE))


@pytest.mark.rule("CHAT-12")
@pytest.mark.parametrize("offered", [None, Chatroom(), ALL])
@pytest.mark.parametrize("answered", [None, Chatroom(nickname=True), ALL])
def test_each_side_declares_its_own(
    offered: Chatroom | None, answered: Chatroom | None
) -> None:
    offer = offer_media(ALICE, chatroom=offered)
    answer = answer_media(offer, BOB, chatroom=answered)
    assert answer is not None
    ours = negotiate(offer, answer, is_incoming=False)
    assert (ours.chatroom, ours.remote_chatroom) == (offered, answered)
    theirs = negotiate(offer, answer, is_incoming=True)
    assert (theirs.chatroom, theirs.remote_chatroom) == (answered, offered)


@pytest.mark.rule("CHAT-12")
def test_what_is_left_out_later_is_known_no_longer() -> None:
    offer = offer_media(ALICE, chatroom=ALL)
    answer = answer_media(offer, BOB, chatroom=ALL)
    assert answer is not None
    before = negotiate(offer, answer, is_incoming=True)
    silent = replace(
        offer, attributes=tuple(a for a in offer.attributes if a.name != "chatroom")
    )
    again = answer_again(answer, silent, before)
    after = with_news_of(negotiate(silent, again, is_incoming=True), before)
    assert (after.remote_chatroom, after.chatroom) == (None, ALL)


def test_a_list_that_is_too_long_to_remember_is_read_too() -> None:
    others = " ".join(f"com.example.n{n}" for n in range(200))
    offer = offer_media(ALICE)
    offer = replace(
        offer,
        attributes=(*offer.attributes, Attribute("chatroom", f"nickname {others}")),
    )
    answer = answer_media(offer, BOB)
    assert answer is not None
    declared = negotiate(offer, answer, is_incoming=True).remote_chatroom
    assert declared is not None
    assert declared.nickname
    assert len(declared.others) == 200


def languages_of(described: MediaDescription | None) -> tuple[str | None, str | None]:
    assert described is not None
    return described.first("hlang-send"), described.first("hlang-recv")


def test_languages_are_offered_and_one_is_answered() -> None:
    offer = offer_media(ALICE, languages=("es", "fr", "en"))
    assert languages_of(offer) == ("es fr en", "es fr en")
    answer = answer_media(offer, BOB, languages=("en", "fr"))
    assert languages_of(answer) == ("fr", "fr")
    assert languages_of(answer_media(offer, BOB, languages=("ta",))) == ("ta", "ta")
    assert languages_of(answer_media(offer, BOB)) == (None, None)
    assert answer is not None
    ours = negotiate(offer, answer, is_incoming=False)
    assert ours.remote_languages == Languages(("fr",), ("fr",))


def test_nothing_is_answered_about_languages_that_was_not_asked() -> None:
    answer = answer_media(offer_media(ALICE), BOB, languages=("en",))
    assert languages_of(answer) == (None, None)


def test_what_is_no_language_is_not_said() -> None:
    with pytest.raises(LocalProtocolError, match="language tag"):
        offer_media(ALICE, languages=("not a tag",))
    with pytest.raises(LocalProtocolError, match="language tag"):
        answer_media(offer_media(ALICE), BOB, languages=("",))
