"""What comes is handed on: to hooks, to readers, and slowly if they are slow."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import msrp

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board


async def test_messages_come_in_wire_order_one_at_a_time(board: Board) -> None:
    active, passive = await board.pair()
    seen: list[str] = []

    @passive.on_message_received
    async def slowly(event: msrp.MessageReceived) -> None:
        seen.append(f"begin {event.text}")
        await asyncio.sleep(0.001)
        seen.append(f"end {event.text}")

    sent = [await active.send_text(str(number)) for number in range(20)]
    for message in sent:
        await message.delivered()
    await active.shutdown()
    await passive.shutdown()
    assert seen == [f"{word} {n}" for n in range(20) for word in ("begin", "end")]


async def test_async_for_gets_what_no_hook_takes_and_ends_with_the_session(
    board: Board,
) -> None:
    active, passive = await board.pair()
    for word in ("one", "two", "three"):
        await active.send_text(word)
    await active.shutdown()
    assert [message.text async for message in passive] == ["one", "two", "three"]
    with pytest.raises(StopAsyncIteration):
        await anext(passive)


async def test_async_for_tells_that_the_session_was_lost(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    peer.request(passive.negotiated.local_uri, b"one")
    assert (await anext(passive)).text == "one"
    peer.reset()
    with pytest.raises(msrp.SessionClosed) as caught:
        await anext(passive)
    assert caught.value.reason is msrp.CloseReason.LOST
    assert caught.value.__cause__ is (await passive.closed()).error


async def test_two_readers_are_one_too_many(board: Board) -> None:
    active, passive = await board.pair()
    reading = asyncio.create_task(passive.__anext__())
    await asyncio.sleep(0)
    with pytest.raises(msrp.ConcurrencyError):
        await anext(passive)
    await active.send_text("one")
    assert (await reading).text == "one"


async def test_a_hook_that_is_set_late_gets_what_has_waited(board: Board) -> None:
    active, passive = await board.pair()
    await (await active.send_text("one")).delivered()
    await (await active.send_text("two")).delivered()
    await board.turns()
    log = board.log(passive)
    await board.until(lambda: log.texts == ["one", "two"])


async def test_on_closed_comes_last_and_once(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log(passive)

    @passive.on_text_message_received
    async def slow(event: msrp.TextMessageReceived) -> None:
        await asyncio.sleep(0.01)

    for number in range(5):
        await active.send_text(str(number))
    await active.shutdown()
    await passive.shutdown()
    assert len(log.texts) == 5
    assert len(log.of(msrp.ClosedEvent)) == 1
    assert isinstance(log.events[-1], msrp.ClosedEvent)


async def test_a_handler_that_raises_leaves_the_session_alive(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log()

    @passive.on_text_message_received
    async def fails(event: msrp.TextMessageReceived) -> None:
        log.events.append(event)
        raise ValueError("mine")

    await (await active.send_text("one")).delivered()
    await (await active.send_text("two")).delivered()
    await board.until(lambda: log.texts == ["one", "two"])
    assert [p["message"] for p in board.take_problems()] == [
        "handler of TextMessageReceived failed"
    ] * 2
    assert passive.is_open


@pytest.mark.usefixtures("time_flies")
async def test_a_slow_handler_pauses_reading_and_the_clock_of_responses(
    board: Board,
) -> None:
    limits = msrp.Limits(max_undelivered_octets=50_000)
    impatient = msrp.SessionConfig(response_timeout=0.4, limits=limits)
    active, passive = await board.pair(passive=impatient)
    gate, got = asyncio.Event(), []

    @passive.on_message_received
    async def blocked(event: msrp.MessageReceived) -> None:
        got.append(len(event.contents))
        await gate.wait()

    async def flood() -> None:
        sent = [await active.send_message("x/y", bytes(500_000)) for _ in range(10)]
        await sent[-1].delivered()

    flooding = asyncio.create_task(flood())
    await board.until(lambda: not passive._started().reading_wanted)
    sent = await passive.send_text("its 200 is behind the flood")
    await asyncio.sleep(1.0)
    assert sent.error is None
    assert not flooding.done()
    assert got == [500_000]
    gate.set()
    await sent.delivered()
    await flooding
    assert passive._started().reading_wanted


@pytest.mark.parametrize("what", ["delivered", "sent", "room"])
async def test_a_handler_may_wait_for_the_peer_whatever_waits_behind_it(
    board: Board, what: str
) -> None:
    limits = msrp.Limits(max_undelivered_octets=50_000)
    config = msrp.SessionConfig(limits=limits, send_high_water=10_000)
    active, passive = await board.pair(passive=config)
    answered: list[int] = []

    @passive.on_message_received
    async def answer(event: msrp.MessageReceived) -> None:
        await asyncio.sleep(0.01)  # So that the next ones are here.
        sent = await passive.send_message("x/y", event.contents)
        if what == "delivered":
            await sent.delivered()
        elif what == "sent":
            await sent.sent()
        answered.append(len(event.contents))

    for _ in range(5):
        await active.send_message("x/y", bytes(40_000))
    await board.until(lambda: len(answered) == 5)


async def test_what_is_too_much_while_a_handler_waits_is_refused(board: Board) -> None:
    limits = msrp.Limits(max_undelivered_octets=50_000)
    config = msrp.SessionConfig(limits=limits)
    active, passive = await board.pair(passive=config)
    answered: list[int] = []
    begun, gate = asyncio.Event(), asyncio.Event()

    @passive.on_message_received
    async def answer(event: msrp.MessageReceived) -> None:
        begun.set()
        # Behind the 413 to what comes after it: somebody has to read on.
        await gate.wait()
        await (await passive.send_text("thanks")).delivered()
        answered.append(len(event.contents))

    waiting = asyncio.create_task(_until_refused(active, begun, gate))
    await board.until(lambda: begun.is_set())
    hold = await passive.send_message("x/y", bytes(3_000_000))
    holding = asyncio.create_task(hold.delivered())
    accepted = await waiting
    await holding
    await board.until(lambda: len(answered) == accepted)
    await (await active.send_text("and on it goes")).delivered()


async def _until_refused(
    connection: msrp.MsrpConnection, begun: asyncio.Event, gate: asyncio.Event
) -> int:
    """Send until a message is refused, and return how many were not."""
    refused: tuple[int, int] | None = None
    for number in range(100):
        sent = await connection.send_message("x/y", bytes(40_000))
        await begun.wait()
        try:
            await sent.delivered()
        except msrp.RequestRefused as error:
            refused = number, error.code
            break
    gate.set()
    assert refused is not None
    assert refused[0] >= 5
    assert refused[1] == 413
    return refused[0]


async def test_messages_of_the_peer_come_as_texts_and_attachments(
    board: Board,
) -> None:
    active, passive = await board.pair(accept_types=("message/cpim",))
    log = board.log(passive)
    await active.send_multipart(
        [
            msrp.Part.build("text/plain", b"look"),
            msrp.Part.build("image/png", b"\x89PNG", disposition="attachment"),
        ]
    )
    await board.until(lambda: log.of(msrp.AttachmentReceived))
    [text], [picture] = (
        log.of(msrp.TextMessageReceived),
        log.of(msrp.AttachmentReceived),
    )
    assert log.events.index(text) < log.events.index(picture)
    assert (text.text, picture.contents) == ("look", b"\x89PNG")
    assert text.sender == "sip:anonymous@anonymous.invalid"


async def test_a_message_is_kept_until_hooks_have_had_all_of_it(board: Board) -> None:
    active, passive = await board.pair()
    texts: list[str] = []
    passive.on_text_message_received = lambda event: texts.append(event.text)
    await active.send_multipart(
        [
            msrp.Part.build("text/plain", b"look"),
            msrp.Part.build("image/png", b"\x89PNG"),
        ]
    )
    await board.until(lambda: texts)
    message = await anext(passive)
    assert [part.content for part in message.parts] == [b"look", b"\x89PNG"]
    assert texts == ["look"]


@pytest.mark.rule("MSRP-45")
async def test_a_send_without_a_body_keeps_alive_and_is_not_shown(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    assert await peer.response_to(peer.request(uri, message_id="keepalive")) == 200
    assert [type(event) for event in log.events] == [msrp.ConnectionEstablished]
