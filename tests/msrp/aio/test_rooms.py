"""What a participant does in a chat room, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

import msrp
from msrp.chatroom import Chatroom
from tests.msrp.aio.conftest import Board
from tests.msrp.aio.small_room import SmallRoom

pytestmark = pytest.mark.timeout(20)

ALL = Chatroom(nickname=True, private_messages=True)
ALICE, BOB, CAROL = (
    msrp.Address(f"sip:{name}@example.test") for name in ("alice", "bob", "carol")
)
ROOM = msrp.Address(SmallRoom.uri)


class Guests:
    """Lets people into a room."""

    def __init__(self, stack: AsyncExitStack, room: SmallRoom) -> None:
        self._stack = stack
        self.room = room

    async def enter(
        self,
        who: msrp.Address,
        *,
        chatroom: Chatroom | None = ALL,
        claims: msrp.Address | None = None,
        config: msrp.SessionConfig | None = None,
        nickname: str | None = None,
    ) -> msrp.MsrpConnection:
        """Let somebody in, who says in From what he claims to be."""
        listener = await self._stack.enter_async_context(
            msrp.MsrpListener("127.0.0.1", 0)
        )
        offered = listener.offer(setup="active", chatroom=chatroom)
        answered = self.room.answer(who.uri, offered)
        assert answered is not None
        connection = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=False, listener=listener, config=config
        )
        connection.local_address = claims or who
        connection.remote_address = ROOM
        connection.in_room = True
        connection.offered_nickname = nickname
        self._stack.push_async_callback(connection.shutdown, timeout=0.0)
        await connection.start()
        return connection


@pytest_asyncio.fixture
async def room() -> AsyncIterator[SmallRoom]:
    async with SmallRoom() as room:
        yield room


@pytest_asyncio.fixture
async def guests(room: SmallRoom) -> AsyncIterator[Guests]:
    async with AsyncExitStack() as stack:
        yield Guests(stack, room)


async def refusal(sent: msrp.OutgoingMessage) -> msrp.RequestRefused:
    with pytest.raises(msrp.RequestRefused) as refused:
        await sent.delivered()
    return refused.value


# Messages.


@pytest.mark.rule("CHAT-1", "CHAT-3", "XT-7")
async def test_what_is_said_in_a_room_is_to_all_and_from_whom_is_told(
    guests: Guests,
) -> None:
    alice, bob, carol = [await guests.enter(who) for who in (ALICE, BOB, CAROL)]
    texts: list[msrp.TextMessageReceived] = []
    carol.on_text_message_received = texts.append
    sent = await alice.send_text("hello everybody")
    await sent.delivered()
    heard = await anext(bob)
    assert heard.text == "hello everybody"
    assert heard.cpim is not None
    assert (heard.sender, heard.recipient) == (ALICE.uri, ROOM.uri)
    assert len(heard.cpim.to) == 1
    assert not heard.is_private
    await Board.until(lambda: texts)
    [text] = texts
    assert (text.sender, text.recipient, text.is_private) == (
        ALICE.uri,
        ROOM.uri,
        False,
    )


@pytest.mark.rule("CHAT-8", "XT-7")
async def test_a_private_message_is_for_one_and_known_as_such(guests: Guests) -> None:
    alice, bob, carol = [await guests.enter(who) for who in (ALICE, BOB, CAROL)]
    texts: list[msrp.TextMessageReceived] = []
    files: list[msrp.AttachmentReceived] = []
    bob.on_text_message_received = texts.append
    bob.on_attachment_received = files.append
    await (await alice.send_text("psst", to=BOB)).delivered()
    await (await alice.send_message("image/png", b"\x89PNG", to=BOB)).delivered()
    await (await alice.send_text("for all")).delivered()
    heard = await anext(carol)
    assert heard.text == "for all"
    await Board.until(lambda: len(texts) == 2)
    assert [text.is_private for text in texts] == [True, False]
    assert texts[0].recipient == BOB.uri
    [file] = files
    assert file.is_private
    assert (file.sender, file.recipient) == (ALICE.uri, BOB.uri)


@pytest.mark.rule("CHAT-8")
async def test_a_file_and_several_parts_can_be_private_too(
    guests: Guests, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("x" * 5000)
    alice, bob = await guests.enter(ALICE), await guests.enter(BOB)
    parts = [msrp.Part.build("text/plain", b"look")]
    with pytest.raises(msrp.LocalProtocolError, match="takes no content"):
        await alice.send_multipart(parts, to=BOB)  # The room takes no multipart.
    await alice.send_file(tmp_path / "notes.txt", to=BOB)
    heard = await anext(bob)
    assert heard.is_private
    assert heard.filename == "notes.txt"


@pytest.mark.rule("CHAT-8")
async def test_nothing_private_is_said_where_the_room_does_not_declare_it(
    guests: Guests,
) -> None:
    guests.room.allows = Chatroom(nickname=True)
    alice, bob = await guests.enter(ALICE), await guests.enter(BOB)
    with pytest.raises(msrp.LocalProtocolError, match="private"):
        await alice.send_text("psst", to=BOB)
    envelope = msrp.CpimMessage.build("text/plain", b"psst", sender=ALICE, to=BOB)
    with pytest.raises(msrp.LocalProtocolError, match="private"):
        await alice.send_cpim(envelope)
    await alice.send_text("to the room, by its name", to=ROOM)
    assert not (await anext(bob)).is_private


@pytest.mark.rule("CHAT-3")
async def test_an_envelope_of_our_own_has_one_recipient(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    envelope = msrp.CpimMessage.build(
        "text/plain", b"hello", sender=ALICE, to=[ROOM, BOB]
    )
    with pytest.raises(msrp.LocalProtocolError, match="to the room, or to one"):
        await alice.send_cpim(envelope)


@pytest.mark.rule("XT-7")
async def test_what_a_room_refuses_comes_back_in_words(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    await guests.enter(CAROL, chatroom=Chatroom())
    mallory = await guests.enter(msrp.Address("sip:mallory@example.test"), claims=ALICE)
    unknown = await refusal(await alice.send_text("psst", to=BOB))
    assert unknown.code == 404
    assert "resolve recipient's uri" in str(unknown).lower()
    unable = await refusal(await alice.send_text("psst", to=CAROL))
    assert unable.code == 428
    assert "private messages not supported" in str(unable).lower()
    assert (await refusal(await mallory.send_text("I am Alice"))).code == 403
    assert alice.is_open
    assert mallory.is_open


@pytest.mark.rule("XT-7")
async def test_a_peer_that_does_not_know_rooms_is_refused_by_the_room(
    guests: Guests,
) -> None:
    alice = await guests.enter(ALICE)
    alice.in_room = False
    two = msrp.CpimMessage.build("text/plain", b"hello", sender=ALICE, to=[ROOM, BOB])
    assert (await refusal(await alice.send_cpim(two))).code == 403
    takes_all = replace(
        alice.negotiated,
        remote_chatroom=None,
        remote_accept_types=msrp.AcceptTypes(("text/plain",)),
    )
    assert alice.renegotiated(takes_all)
    assert (await refusal(await alice.send_text("bare"))).code == 415


@pytest.mark.rule("CHAT-1")
async def test_in_a_room_everything_goes_in_an_envelope(guests: Guests) -> None:
    alice, bob = await guests.enter(ALICE), await guests.enter(BOB)
    lenient = replace(
        alice.negotiated, remote_accept_types=msrp.AcceptTypes(("*", "message/cpim"))
    )
    assert alice.renegotiated(lenient)
    await (await alice.send_message("image/png", b"\x89PNG")).delivered()
    assert (await anext(bob)).content_type == "message/cpim"


@pytest.mark.rule("CHAT-1", "CHAT-2")
async def test_our_descriptions_have_the_types_that_a_room_asks_for(
    guests: Guests,
) -> None:
    listener = msrp.MsrpListener("127.0.0.1", 2855)
    for profile in (msrp.Profile(), msrp.Profile.EMERGENCY):
        offered = listener.offer(profile=profile)
        types = (offered.first("accept-types") or "").split()
        assert types[0] == "message/cpim"
        assert offered.first("accept-wrapped-types")
        assert guests.room.answer(ALICE.uri, offered) is not None
    plain = listener.offer(profile=msrp.Profile.PLAIN)
    assert guests.room.answer(ALICE.uri, plain) is None


async def test_without_a_room_no_message_is_private(guests: Guests) -> None:
    alice, bob = await guests.enter(ALICE), await guests.enter(BOB)
    bob.in_room = False
    await alice.send_text("psst", to=BOB)
    assert not (await anext(bob)).is_private
    bob.in_room, bob.remote_address = True, None  # It doesn't know the room's name.
    await alice.send_text("psst", to=BOB)
    await alice.send_text("hello")
    assert [(await anext(bob)).is_private for _ in range(2)] == [True, False]


# Nicknames.


@pytest.mark.rule("CHAT-9", "CHAT-10", "XT-7")
async def test_a_nickname_is_given_changed_refused_and_removed(guests: Guests) -> None:
    alice, bob = await guests.enter(ALICE), await guests.enter(BOB)
    assert alice.nickname is None
    await alice.use_nickname("Alice the great")
    assert alice.nickname == "Alice the great"
    with pytest.raises(msrp.NicknameFailed, match="somebody else's") as clash:
        await bob.use_nickname("ALICE  the great")
    assert clash.value.code == 425
    assert bob.nickname is None
    await bob.use_nickname("Bob")
    with pytest.raises(msrp.NicknameFailed) as reserved:
        await bob.use_nickname("admin")
    assert reserved.value.code == 425
    assert bob.nickname == "Bob"
    with pytest.raises(msrp.NicknameFailed, match="takes it for none") as malformed:
        await bob.use_nickname("a\u200db")
    assert malformed.value.code == 424
    assert str(bob.nickname) == "Bob"
    await alice.use_nickname("")
    assert alice.nickname is None
    await bob.use_nickname("Alice the great")
    assert bob.nickname == "Alice the great"
    again = await guests.enter(BOB)  # The same user from another device.
    await again.use_nickname("alice the great")
    guests.room.forbids_nicknames = True
    with pytest.raises(msrp.NicknameFailed, match="aren't allowed") as forbidden:
        await bob.use_nickname("Robert")
    assert forbidden.value.code == 403
    assert bob.nickname == "Alice the great"


@pytest.mark.rule("CHAT-9")
async def test_the_request_has_both_paths_and_one_field(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    await alice.use_nickname('"Al" \\ Zoë')
    block = guests.room.blocks[-1]
    names = [line.partition(b":")[0] for line in block.split(b"\r\n")]
    assert names == [b"To-Path", b"From-Path", b"Use-Nickname"]
    assert block.endswith('Use-Nickname: "\\"Al\\" \\\\ Zoë"'.encode())


@pytest.mark.rule("CHAT-10")
@pytest.mark.parametrize("octets", [1, 1023])
async def test_the_shortest_and_the_longest_are_taken(
    guests: Guests, octets: int
) -> None:
    alice = await guests.enter(ALICE)
    await alice.use_nickname("x" * octets)
    assert alice.nickname == "x" * octets


@pytest.mark.rule("CHAT-10")
async def test_1024_octets_are_refused_before_they_are_sent(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    with pytest.raises(msrp.LocalProtocolError, match="1023 octets"):
        await alice.use_nickname("x" * 1024)
    with pytest.raises(msrp.LocalProtocolError, match="control character"):
        await alice.use_nickname("a\r\nFrom-Path: b")
    assert guests.room.requests == []
    assert alice.is_open


@pytest.mark.rule("CHAT-9", "CHAT-12")
@pytest.mark.parametrize("allows", [None, Chatroom(private_messages=True)])
async def test_nothing_is_asked_of_a_peer_that_has_not_declared_it(
    guests: Guests, allows: Chatroom | None
) -> None:
    guests.room.allows = allows
    alice = await guests.enter(ALICE, nickname="Alice")
    with pytest.raises(msrp.LocalProtocolError, match="not declared"):
        await alice.use_nickname("Alice")
    await (await alice.send_text("hello")).delivered()
    assert guests.room.requests == []


@pytest.mark.rule("CHAT-12")
async def test_what_is_not_declared_any_more_is_not_used_any_more(
    guests: Guests,
) -> None:
    alice = await guests.enter(ALICE)
    await alice.use_nickname("Alice")
    assert alice.renegotiated(replace(alice.negotiated, remote_chatroom=None))
    with pytest.raises(msrp.LocalProtocolError, match="not declared"):
        await alice.use_nickname("Alicia")
    with pytest.raises(msrp.LocalProtocolError, match="private"):
        await alice.send_text("psst", to=BOB)


async def test_two_wishes_are_said_one_after_the_other(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    await asyncio.gather(alice.use_nickname("One"), alice.use_nickname("Two"))
    assert alice.nickname == "Two"
    asked = [head.others["use-nickname"] for head in guests.room.requests]
    assert asked == ['"One"', '"Two"']


@pytest.mark.usefixtures("time_flies")
async def test_no_answer_is_a_failure_and_the_session_goes_on(guests: Guests) -> None:
    config = replace(msrp.SessionConfig(), response_timeout=0.1)
    alice = await guests.enter(ALICE, config=config)
    guests.room.mute = True
    with pytest.raises(msrp.NicknameFailed, match="no answer") as silence:
        await alice.use_nickname("Alice")
    assert silence.value.code is None
    guests.room.mute = False
    await alice.use_nickname("Alice")


async def test_whoever_waits_is_told_that_the_session_is_over(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    guests.room.mute = True
    asking = asyncio.create_task(alice.use_nickname("Alice"))
    await Board.until(lambda: guests.room.requests)
    await alice.shutdown()
    with pytest.raises(msrp.NicknameFailed):
        await asking
    with pytest.raises(msrp.SessionClosed):
        await alice.use_nickname("Alice")


async def test_an_answer_counts_though_nobody_waits_for_it(guests: Guests) -> None:
    alice = await guests.enter(ALICE)
    asking = asyncio.create_task(alice.use_nickname("Alice"))
    await Board.turns(3)
    asking.cancel()
    await asyncio.wait([asking])
    await alice.use_nickname("Alicia")
    assert alice.nickname == "Alicia"


async def test_a_nickname_can_be_had_while_messages_wait_to_be_read(
    guests: Guests,
) -> None:
    limits = msrp.Limits(max_undelivered_octets=1000)
    config = msrp.SessionConfig(limits=limits)
    alice, bob = await guests.enter(ALICE), await guests.enter(BOB, config=config)
    for _ in range(4):
        await (await alice.send_text("x" * 400)).delivered()
    await bob.use_nickname("Bob")
    assert bob.nickname == "Bob"


async def test_before_the_start_there_is_nobody_to_ask() -> None:
    offered = msrp.offer_media(msrp.MsrpUri("msrp", "127.0.0.1", 9, "one"))
    answered = msrp.answer_media(offered, msrp.MsrpUri("msrp", "127.0.0.1", 9, "two"))
    assert answered is not None
    connection = msrp.MsrpConnection.create_from_sdp(
        offered, answered, is_incoming=False
    )
    assert (connection.nickname, connection.remote_nickname) == (None, None)
    with pytest.raises(msrp.LocalProtocolError, match="start"):
        await connection.use_nickname("Alice")
    await connection.shutdown()


@pytest.mark.rule("NG-12")
async def test_a_nickname_is_offered_when_the_session_opens(guests: Guests) -> None:
    alice = await guests.enter(ALICE, nickname="Alice")
    await Board.until(lambda: alice.nickname)
    assert alice.nickname == "Alice"
    other = await guests.enter(BOB, nickname="alice")
    await Board.until(lambda: len(guests.room.requests) == 2)
    await (await other.send_text("called nothing, and heard")).delivered()
    assert other.nickname is None


@pytest.mark.rule("NG-12")
async def test_a_nickname_is_offered_once_the_peer_declares_it(guests: Guests) -> None:
    guests.room.allows = Chatroom()
    alice = await guests.enter(ALICE, nickname="Alice")
    assert alice.renegotiated(replace(alice.negotiated, remote_chatroom=ALL))
    await Board.until(lambda: alice.nickname)
    assert alice.renegotiated(replace(alice.negotiated, remote_chatroom=ALL))
    await Board.turns()
    assert len(guests.room.requests) == 1


async def test_after_a_move_the_nickname_is_asked_for_again(guests: Guests) -> None:
    config = msrp.SessionConfig(recovery_time=10.0)
    alice = await guests.enter(ALICE, config=config)
    await alice.use_nickname("Alice")
    for name in ("Alice", None):
        guests.room.cut()
        assert await alice.lost()
        guests.room.participants.clear()
        if name is None:  # Somebody was faster.
            await (await guests.enter(BOB)).use_nickname("Alice")
        guests.room.requests.clear()
        async with msrp.MsrpListener("127.0.0.1", 0) as listener:
            offered = listener.offer(setup="active", chatroom=ALL)
        answered = guests.room.answer(ALICE.uri, offered)
        assert answered is not None
        await alice.reestablish(offered, answered, is_incoming=False)
        await Board.until(lambda: guests.room.requests)
        await (await alice.send_text("here again")).delivered()
        assert alice.nickname == name
