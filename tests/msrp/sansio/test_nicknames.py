"""NICKNAME on the wire: what we ask, and what we answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from msrp.chatroom import write_use_nickname
from msrp.config import SessionConfig
from msrp.errors import LocalProtocolError, NicknameFailed
from msrp.events import NicknameReceived
from msrp.headers import ResponseHead
from msrp.sansio.inquiries import Answer
from msrp.sansio.nicknames import check_answer, write_request
from msrp.testing import Pair, read_messages

TO = "msrps://relay.example:2855/s1;tcp msrp://chat.example:12763/kjhd37s2;tcp"
FROM = "msrp://client.example:7654/jshA7weztas;tcp"


def answer(code: int) -> Answer:
    return Answer(ResponseHead("d93kswow", code), b"")


@pytest.mark.rule("CHAT-9")
def test_the_request_is_the_one_of_the_rfc() -> None:
    name, octets = write_request(TO, FROM, "Alice the great", lambda: "d93kswow")
    assert name == "d93kswow"
    assert octets.decode() == (
        "MSRP d93kswow NICKNAME\r\n"
        f"To-Path: {TO}\r\n"
        f"From-Path: {FROM}\r\n"
        'Use-Nickname: "Alice the great"\r\n'
        "-------d93kswow$\r\n"
    )


@pytest.mark.rule("CHAT-10")
@pytest.mark.parametrize("nickname", ["x" * 1024, "a\nb"])
def test_what_is_no_nickname_is_not_asked_for(nickname: str) -> None:
    with pytest.raises(LocalProtocolError, match="not a nickname") as refused:
        write_request(TO, FROM, nickname)
    assert refused.value.section == "7701#7.1"


@pytest.mark.rule("CHAT-10")
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (403, "aren't allowed"),
        (424, "takes it for none"),
        (425, "somebody else's"),
        (501, "knows nothing of nicknames"),
        (481, "Session Does Not Exist"),
        (599, "the peer refuses"),
    ],
)
def test_each_refusal_has_its_words(code: int, words: str) -> None:
    with pytest.raises(NicknameFailed, match=words) as failed:
        check_answer(answer(code))
    assert failed.value.code == code


def test_200_is_no_refusal_and_silence_is_one() -> None:
    check_answer(answer(200))
    with pytest.raises(NicknameFailed, match="no answer") as failed:
        check_answer(None)
    assert failed.value.code is None


def asked(pair: Pair, value: str | None, path: str | None = None) -> tuple[str, str]:
    """Have the active end ask; return the code and To-Path of the answer."""
    session = pair.active.session
    field = "" if value is None else f"\r\nUse-Nickname: {value}"
    octets = (
        f"MSRP nick1 NICKNAME\r\nTo-Path: {session.to_path}\r\n"
        f"From-Path: {path or session.from_path}{field}\r\n-------nick1$\r\n"
    )
    answers: list[Answer | None] = []
    pair.active.stream.ask("nick1", octets.encode(), answers.append, pair.clock.now)
    pair.run()
    [told] = answers
    assert told is not None
    fields = dict(line.split(": ") for line in told.block.decode().split("\r\n"))
    return str(told.head.code), fields["To-Path"]


def new_pair(*, takes_nicknames: bool = True) -> Pair:
    config = replace(SessionConfig(), takes_nicknames=takes_nicknames)
    pair = Pair(None, config)
    pair.run()
    return pair


@pytest.mark.rule("CHAT-9", "NG-12")
@pytest.mark.parametrize("nickname", ["Alice", 'a "b" \\c', "Zoë", ""])
def test_who_has_declared_it_hears_the_nickname_of_the_peer(nickname: str) -> None:
    pair = new_pair()
    path = f"msrp://relay.example:2855/s1;tcp {pair.active.session.from_path}"
    code, to_path = asked(pair, write_use_nickname(nickname), path)
    assert (code, to_path) == ("200", path)  # All of it, unlike that of a SEND.
    assert NicknameReceived(nickname) in pair.passive.events
    assert pair.passive.session.stream is not None


@pytest.mark.rule("CHAT-10")
@pytest.mark.parametrize("value", [None, "Alice", '"Alice', '"' + "x" * 1024 + '"'])
def test_what_is_malformed_gets_424_and_changes_nothing(value: str | None) -> None:
    pair = new_pair()
    assert asked(pair, value)[0] == "424"
    assert not any(isinstance(e, NicknameReceived) for e in pair.passive.events)


@pytest.mark.rule("MSRP-77")
def test_who_has_not_declared_it_knows_no_such_method() -> None:
    assert asked(new_pair(takes_nicknames=False), '"Alice"')[0] == "501"


def test_a_session_that_is_not_open_yet_has_no_nicknames() -> None:
    pair = Pair(None, replace(SessionConfig(), takes_nicknames=True))
    session, stream = pair.passive.session, pair.passive.stream
    octets = (
        f"MSRP nick1 NICKNAME\r\nTo-Path: {session.from_path}\r\n"
        f'From-Path: {session.to_path}\r\nUse-Nickname: "A"\r\n-------nick1$\r\n'
    )
    stream.receive_data(octets.encode(), 0.0)
    [response] = read_messages(stream.data_to_send(4096, 0.0))
    assert response.what == "501"
    assert session.stream is None
