"""Typing between two sessions, and with peers that want none of it."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.composing import CONTENT_TYPE, Composer, ComposingState, IsComposing
from msrp.content import MessageReceived

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

ACTIVE = bytes(IsComposing(ComposingState.ACTIVE, "text/plain", 90))
IDLE = bytes(IsComposing(ComposingState.IDLE))
OFF = msrp.SessionConfig(composing=False)


class Seen:
    """What the hooks of a session were called with."""

    def __init__(self, connection: msrp.MsrpConnection) -> None:
        self.told: list[bool] = []
        self.events: list[msrp.ComposingChanged] = []
        self.messages: list[MessageReceived] = []
        connection.on_composing(self._composing)
        connection.on_message_received(self.messages.append)

    def _composing(self, event: msrp.ComposingChanged) -> None:
        self.told.append(event.is_composing)
        self.events.append(event)


def timers() -> int:
    """Return how many timers of typing there are."""
    loop = asyncio.get_running_loop()
    scheduled = getattr(loop, "_scheduled", ())
    return sum("_time_out" in repr(t) and "Composing" in repr(t) for t in scheduled)


@pytest.mark.rule("TYP-3", "TYP-4")
async def test_a_peer_sees_who_types_until_the_message_comes(board: Board) -> None:
    one, two = await board.pair()
    seen = Seen(two)
    assert not two.peer_is_composing
    for _ in range(100):
        one.composing()
    await board.until(lambda: two.peer_is_composing)
    assert two.composers == (None,)
    await one.send_text("hello")
    await board.until(lambda: seen.messages)
    assert not two.peer_is_composing
    await board.until(lambda: len(seen.told) == 2)
    assert seen.told == [True, False]
    begun, over = seen.events
    assert (begun.content_type, begun.sender) == ("text/plain", None)
    assert begun.since == over.since
    assert [each.text for each in seen.messages] == ["hello"]


@pytest.mark.rule("TYP-6")
async def test_it_costs_no_answer_and_is_not_in_what_the_user_sees(
    board: Board,
) -> None:
    heard: list[dict[str, str]] = []

    async def serve(peer: RawPeer) -> None:
        while True:
            request = await peer.next()
            if request.body:
                heard.append(request.headers)
            else:
                peer.respond(request)

    connection = board.calling(await board.raw_server(serve))
    log = board.log(connection)
    await connection.start()
    connection.composing("audio")
    await board.until(lambda: heard)
    [headers] = heard
    assert headers["failure-report"] == "partial"
    assert "success-report" not in headers
    assert headers["content-type"] == CONTENT_TYPE
    await connection.shutdown(timeout=0.0)
    assert log.of(msrp.MessageDeliveryFailed) == []


@pytest.mark.rule("TYP-5")
@pytest.mark.parametrize("how", ["response", "report"])
async def test_after_415_nothing_more_is_said_and_the_session_lives(
    board: Board, how: str
) -> None:
    statuses, texts = 0, 0

    async def serve(peer: RawPeer) -> None:
        nonlocal statuses, texts
        while True:
            request = await peer.next()
            if request.headers.get("content-type") != CONTENT_TYPE:
                texts += bool(request.body)
                peer.respond(request)
                continue
            statuses += 1
            if how == "response":
                peer.respond(request, 415)
            else:
                peer.request(
                    request.headers["from-path"].split()[0],
                    method="REPORT",
                    message_id=request.headers["message-id"],
                    fields=(("Byte-Range", "1-*/*"), ("Status", "000 415")),
                )

    connection = board.calling(await board.raw_server(serve))
    log = board.log(connection)
    await connection.start()
    for number in range(3):
        connection.composing()
        await (await connection.send_text(f"line {number}")).delivered()
        await board.turns()
    assert (statuses, texts) == (1, 3)
    assert connection.is_open
    assert log.of(msrp.MessageDeliveryFailed) == []
    assert log.of(msrp.ReportReceived) == []


@pytest.mark.rule("TYP-5")
async def test_a_refused_status_in_an_envelope_doesnt_stop_texts_in_one(
    board: Board,
) -> None:
    asked = 0

    async def serve(peer: RawPeer) -> None:
        nonlocal asked
        while True:
            request = await peer.next()
            is_status = CONTENT_TYPE.encode() in request.body
            asked += is_status
            peer.respond(request, 415 if is_status else 200)

    port = await board.raw_server(serve)
    listener = await board.listener()
    offered = listener.offer(setup="active")
    answered = msrp.answer_media(
        offered,
        msrp.MsrpUri("msrp", "127.0.0.1", port, "rawpeer"),
        accept_types=("message/cpim",),
        accept_wrapped_types=("text/plain", CONTENT_TYPE),
    )
    assert answered is not None
    connection = board.connection(
        offered, answered, is_incoming=False, listener=listener
    )
    await connection.start()
    for _ in range(3):
        connection.composing()
        await (await connection.send_text("hello")).delivered()
        await board.turns()
    assert asked == 1


@pytest.mark.rule("TYP-5")
@pytest.mark.parametrize(
    "types",
    [("text/plain",), ("text/*", "image/png"), ("message/cpim", "text/plain")],
    ids=["text", "others", "envelope only"],
)
async def test_who_doesnt_take_it_isnt_told(
    board: Board, types: tuple[str, ...]
) -> None:
    one, two = await _pair(board, types)
    seen = Seen(two)
    one.composing()
    assert timers() == 0
    await (await one.send_text("hello")).delivered()
    await board.until(lambda: seen.messages)
    assert seen.told == []


@pytest.mark.rule("TYP-5")
async def test_who_wants_envelopes_gets_it_in_one(board: Board) -> None:
    one, two = await _pair(board, ("message/cpim", "text/plain", "*"))
    one.local_address = msrp.Address("im:alice@example.com", "Alice")
    seen = Seen(two)
    one.composing()
    await board.until(lambda: seen.told)
    assert two.composers == ("im:alice@example.com",)
    [event] = seen.events
    assert event.sender == "im:alice@example.com"
    await one.send_text("hello")
    await board.until(lambda: len(seen.told) == 2)
    assert seen.told == [True, False]


async def _pair(
    board: Board, types: tuple[str, ...]
) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
    """Return a session of which the second party takes these types, wrapped none."""
    caller, called = await board.listener(), await board.listener()
    offered = caller.offer()
    answered = msrp.answer_media(
        offered,
        called.new_uri(),
        accept_types=types,
        accept_wrapped_types=("text/plain",),
        control_types=(),
    )
    assert answered is not None
    one = board.connection(offered, answered, is_incoming=False, listener=caller)
    two = board.connection(offered, answered, is_incoming=True, listener=called)
    await two.start()
    await one.start()
    await two.established()
    return one, two


async def test_one_switch_turns_it_off_in_both_directions(board: Board) -> None:
    one, two = await board.pair(active=OFF)
    ours, theirs = Seen(one), Seen(two)
    one.composing()
    two.composing()
    assert timers() == 1  # That of the other side.
    await (await one.send_text("hello")).delivered()
    await (await two.send_text("hello")).delivered()
    await board.until(lambda: ours.messages and theirs.messages)
    assert (ours.told, theirs.told) == ([], [])
    assert [each.text for each in ours.messages] == ["hello"]
    assert not one.peer_is_composing


async def test_key_presses_at_any_time_do_no_harm(board: Board) -> None:
    one, two = await board.pair(start=False)
    one.composing()
    await two.start()
    two.composing()
    await one.start()
    await two.established()
    with pytest.raises(ValueError, match="type"):
        one.composing("no type")
    assert timers() == 0
    one.composing(None)
    await board.until(lambda: two.peer_is_composing)
    await one.shutdown()
    one.composing()
    await two.closed()
    assert not two.peer_is_composing


async def test_nobody_types_into_a_stream_that_is_held(board: Board) -> None:
    one, two = await board.pair()
    held = msrp.negotiate(*await _held_descriptions(board, one, two), is_incoming=False)
    assert one.renegotiated(held)
    one.composing()
    assert timers() == 0
    assert not two.peer_is_composing


async def _held_descriptions(
    board: Board, one: msrp.MsrpConnection, two: msrp.MsrpConnection
) -> tuple[msrp.negotiation.MediaDescription, msrp.negotiation.MediaDescription]:
    offered = msrp.offer_media(one.negotiated.local_uri, direction="inactive")
    answered = msrp.answer_media(offered, two.negotiated.local_uri)
    assert answered is not None
    return offered, answered


async def test_no_timer_is_there_before_and_after(board: Board) -> None:
    one, two = await board.pair()
    assert timers() == 0
    one.composing()
    await board.until(lambda: two.peer_is_composing)
    assert timers() == 2
    await one.shutdown()
    await two.closed()
    assert timers() == 0


async def test_the_timer_tells_who_has_stopped(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = partial(Composer, idle_timeout=0.05)
    monkeypatch.setattr("msrp.aio.features.composing.Composer", hasty)
    one, two = await board.pair()
    seen = Seen(two)
    one.composing()
    await board.until(lambda: seen.told == [True, False])
    assert timers() == 0


async def test_the_timer_forgets_whom_nobody_has_heard_of(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msrp.composing.composers.DEFAULT_TIMEOUT", 0.05)
    one, two = await board.pair()
    seen = Seen(two)
    active = bytes(IsComposing(ComposingState.ACTIVE))
    await one.send_message(CONTENT_TYPE, active)
    await board.until(lambda: seen.told == [True, False])
    assert seen.messages == []


async def test_a_policy_for_messages_is_not_asked(board: Board, tmp_path: Path) -> None:
    one, two = await board.pair(start=False)
    asked: list[msrp.Announcement] = []

    def policy(announcement: msrp.Announcement) -> msrp.IntoDirectory:
        asked.append(announcement)
        return msrp.IntoDirectory(tmp_path)

    two.policy = policy
    await two.start()
    await one.start()
    one.composing()
    await board.until(lambda: two.peer_is_composing)
    assert asked == []


XML = b'<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing"><state>'


@pytest.mark.rule("TYP-1")
@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE x [<!ENTITY a "active">]>' + XML + b"&a;</state></isComposing>",
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x">' + XML + b"active</state></x>",
        XML + b"active</state>" + b" " * 10_000 + b"</isComposing>",
        b"active",
        b"",
    ],
    ids=["entity", "doctype", "oversize", "text", "empty"],
)
async def test_what_makes_no_sense_is_shown_to_nobody_and_counted(
    board: Board, document: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    one, two = await board.pair()
    seen = Seen(two)
    attachments: list[object] = []
    two.on_attachment_received(attachments.append)
    for _ in range(3):
        await (await one.send_message(CONTENT_TYPE, document)).delivered()
    await (await one.send_text("hello")).delivered()
    await board.until(lambda: seen.messages)
    assert [each.text for each in seen.messages] == ["hello"]
    assert (seen.told, attachments) == ([], [])
    assert two.unreadable_notices == 3
    assert one.unreadable_notices == 0
    [words] = [
        each.getMessage() for each in caplog.records if each.levelname == "WARNING"
    ]
    assert "active" not in words  # Nothing of the peer's octets.


@pytest.mark.rule("TYP-5")
async def test_in_a_room_it_says_who_types(board: Board) -> None:
    one, two = await board.pair()
    one.local_address = msrp.Address("im:alice@example.com")
    one.remote_address = msrp.Address("im:room@example.com")
    one.in_room = True
    one.composing()
    await board.until(lambda: two.peer_is_composing)
    assert two.composers == ("im:alice@example.com",)
