"""What a profile says."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest

import msrp
from msrp.chatroom import Chatroom
from msrp.config import SessionConfig
from msrp.negotiation import DEFAULT_ACCEPT_TYPES, DEFAULT_ACCEPT_WRAPPED_TYPES
from msrp.profile import Profile


@pytest.mark.rule("NG-12", "CHAT-1")
def test_the_profile_for_emergencies_can_be_read_whole() -> None:
    profile = msrp.Profile.EMERGENCY
    assert profile.accept_types[0] == "message/cpim"
    assert {"text/plain", "message/imdn+xml", "application/im-iscomposing+xml"} <= set(
        profile.accept_wrapped_types
    )
    assert profile.chatroom == Chatroom(nickname=True, private_messages=True)
    assert profile.offer_nickname
    assert profile.languages == ("en",)
    assert profile.aes_256_only
    for each in fields(profile):
        assert f"{each.name}=" in repr(profile)


@pytest.mark.rule("FIELD-4", "FIELD-5")
def test_the_plain_one_asks_for_nothing_that_any_peer_could_lack() -> None:
    plain = msrp.Profile.PLAIN
    assert plain.accept_types == ("text/plain",)
    assert plain.accept_wrapped_types == ()
    assert (plain.chatroom, plain.languages, plain.cema) == (None, (), False)
    assert (plain.chunk_size, plain.window) == (2048, 1)
    assert not plain.offer_nickname
    assert not plain.aes_256_only
    assert not plain.session_config.composing
    assert not plain.session_config.notifications


def test_without_one_all_is_as_it_would_be_anyway() -> None:
    none, config = Profile(), SessionConfig()
    assert none.accept_types == DEFAULT_ACCEPT_TYPES
    assert none.accept_wrapped_types == DEFAULT_ACCEPT_WRAPPED_TYPES
    assert none.session_config == config
    assert none.cema


def test_it_can_be_changed_only_by_making_another() -> None:
    with pytest.raises(FrozenInstanceError):
        Profile.EMERGENCY.languages = ("fr",)  # type: ignore[misc]
    ours = replace(Profile.EMERGENCY, languages=("fr",))
    assert (ours.languages, Profile.EMERGENCY.languages) == (("fr",), ("en",))


def test_an_argument_wins_over_it_and_nothing_is_no_argument() -> None:
    assert Profile.PLAIN.but(cema=False) is Profile.PLAIN
    changed = Profile.PLAIN.but(
        accept_types=["text/html"], languages=["fr"], cema=True, chatroom=Chatroom()
    )
    assert changed == replace(
        Profile.PLAIN,
        accept_types=("text/html",),
        languages=("fr",),
        cema=True,
        chatroom=Chatroom(),
    )
    assert Profile.EMERGENCY.but(accept_wrapped_types=()).accept_wrapped_types == ()
    assert not Profile().but(cema=False).cema


def test_a_listener_says_what_its_profile_has() -> None:
    listener = msrp.MsrpListener("127.0.0.1", 2855, profile=Profile.EMERGENCY)
    offered = listener.offer()
    assert offered.first("chatroom") == "nickname private-messages"
    assert offered.first("hlang-recv") == "en"
    assert offered.has("msrp-cema")
    other = listener.offer(profile=Profile.PLAIN, languages=("fr",))
    assert not other.has("chatroom")
    assert not other.has("msrp-cema")
    assert not other.has("accept-wrapped-types")
    assert other.first("hlang-send") == "fr"
    answered = listener.answer(other)
    assert answered is not None
    assert answered.first("hlang-send") == "en"
    assert answered.first("chatroom") == "nickname private-messages"
    plain = listener.answer(offered, profile=Profile.PLAIN)
    assert plain is not None
    assert plain.first("accept-types") == "text/plain"
