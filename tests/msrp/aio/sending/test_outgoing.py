from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.headers import ContinuationFlag

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer


async def silent_peer(board: Board) -> tuple[msrp.MsrpConnection, RawPeer]:
    """Make a passive session whose peer answers only what the test answers."""
    listener = await board.listener()
    session = board.waiting(listener)
    await session.start()
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    return session, peer


def message() -> OutgoingMessage:
    return OutgoingMessage("abcd", 5)


def is_over(sent: OutgoingMessage) -> bool:
    return sent.error is not None or "delivered" in repr(sent)


async def test_a_message_tells_how_far_it_is() -> None:
    sent = message()
    assert repr(sent) == "<OutgoingMessage abcd sending>"
    sent.was_sent()
    assert repr(sent) == "<OutgoingMessage abcd sent>"
    assert sent.is_out
    sent.was_delivered()
    assert repr(sent) == "<OutgoingMessage abcd delivered>"
    assert sent.error is None
    await sent.sent()
    await sent.delivered()
    await sent.delivered()


async def test_a_failure_before_the_last_octet_is_told_twice() -> None:
    sent = message()
    error = msrp.RequestRefused("abcd", 413)
    sent.has_failed(error)
    assert repr(sent) == "<OutgoingMessage abcd failed>"
    assert sent.error is error
    for waiting in (sent.sent(), sent.delivered()):
        with pytest.raises(msrp.RequestRefused):
            await waiting


async def test_a_failure_after_the_last_octet_leaves_it_sent() -> None:
    sent = message()
    sent.was_sent()
    sent.has_failed(msrp.RequestRefused("abcd", 413))
    await sent.sent()
    with pytest.raises(msrp.RequestRefused):
        await sent.delivered()


async def test_it_is_sent_when_it_is_out_and_delivered_when_it_is_answered(
    board: Board,
) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_text("hello")
    assert sent.size == 5
    await sent.sent()
    waiting = asyncio.create_task(sent.delivered())
    request = await peer.next()
    await board.turns()
    assert not waiting.done()
    peer.respond(request)
    await waiting


@pytest.mark.rule("MSRP-73")
@pytest.mark.parametrize("wish", [msrp.FailureReport.NO, msrp.FailureReport.PARTIAL])
async def test_what_nobody_answers_is_delivered_when_it_is_out(
    board: Board, wish: msrp.FailureReport
) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_message("text/plain", b"hello", failure_report=wish)
    await sent.delivered()
    assert (await peer.next()).headers["failure-report"] == wish.value


@pytest.mark.rule("FIELD-9", "MSRP-60")
async def test_with_a_success_report_a_200_is_not_enough(board: Board) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_text("hello", message_id="abcdefgh")
    waiting = asyncio.create_task(sent.delivered())
    peer.respond(await peer.next())
    await board.turns()
    assert not waiting.done()
    uri = session.negotiated.local_uri
    for byte_range in ("1-2/5", "3-5/5"):
        assert not waiting.done()
        fields = ("Byte-Range", byte_range), ("Status", "000 200 OK")
        peer.request(uri, method="REPORT", message_id="abcdefgh", fields=fields)
        await board.turns()
    await waiting


@pytest.mark.rule("MSRP-60")
async def test_a_report_that_never_came_is_told_at_the_end(board: Board) -> None:
    session, peer = await silent_peer(board)
    log = board.log(session)
    sent = await session.send_text("hello", message_id="abcdefgh")
    peer.respond(await peer.next())
    await peer.close()
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    await session.shutdown()
    (failed,) = log.of(msrp.MessageDeliveryFailed)
    assert failed.message_id == "abcdefgh"


async def test_a_failure_report_fails_the_message(board: Board) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_text("hello", message_id="abcdefgh")
    peer.respond(await peer.next())
    fields = ("Byte-Range", "1-5/5"), ("Status", "000 415 Not this")
    uri = session.negotiated.local_uri
    peer.request(uri, method="REPORT", message_id="abcdefgh", fields=fields)
    with pytest.raises(msrp.FailureReported) as caught:
        await sent.delivered()
    assert caught.value.code == 415


async def test_a_message_that_has_begun_is_cut_short(board: Board) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_message("image/png", bytes(500_000))
    first = await peer.next()
    sent.abort()
    with pytest.raises(msrp.MessageAborted):
        await sent.delivered()
    with pytest.raises(msrp.MessageAborted):
        await sent.sent()
    while (heard := await peer.next()).flag is not ContinuationFlag.ABORT:
        pass
    assert heard.headers["message-id"] == first.headers["message-id"]
    after = await session.send_text("after that")
    request = await peer.next()
    assert request.body == b"after that"
    peer.respond(request)
    await after.delivered()


async def test_a_message_that_hasnt_begun_is_never_heard_of(board: Board) -> None:
    listener = await board.listener()
    session = board.waiting(listener)
    await session.start()
    sent = await session.send_text("forget it")
    sent.abort()
    sent.abort()
    kept = await session.send_text("this one")
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    request = await peer.next()
    assert request.body == b"this one"
    peer.respond(request)
    await kept.delivered()
    kept.abort()  # It is over: nothing happens.
    assert kept.error is None


async def test_an_id_may_not_be_used_by_two_messages_at_once(board: Board) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_text("one", message_id="abcdefgh", success_report=False)
    with pytest.raises(msrp.LocalProtocolError, match="on its way"):
        await session.send_text("two", message_id="abcdefgh")
    peer.respond(await peer.next())
    await sent.delivered()


async def test_a_failure_that_nobody_asks_for_is_logged(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_text("one")
    peer.respond(await peer.next(), 413)
    await board.until(lambda: sent.error)
    assert f"message {sent.message_id}: the peer refused" in caplog.text


async def test_a_failure_that_somebody_asks_for_is_not_logged(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    session, peer = await silent_peer(board)
    sent = await session.send_text("one")
    waiting = asyncio.create_task(sent.delivered())
    await asyncio.sleep(0)
    peer.respond(await peer.next(), 413)
    with pytest.raises(msrp.RequestRefused):
        await waiting
    board.log(session)
    sent = await session.send_text("two")
    peer.respond(await peer.next(), 413)
    await board.until(partial(getattr, sent, "error"))
    assert caplog.text == ""


async def test_who_sends_waits_while_too_much_is_queued(board: Board) -> None:
    listener = await board.listener()
    config = msrp.SessionConfig(send_high_water=1000)
    session = board.waiting(listener, config=config)
    await session.start()
    await session.send_text("x" * 1001)
    waiting = [asyncio.create_task(session.send_text(str(n))) for n in range(3)]
    await board.turns()
    assert not any(task.done() for task in waiting)
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    heard = [await peer.next() for _ in range(4)]
    assert [request.body for request in heard[1:]] == [b"0", b"1", b"2"]
    for task in waiting:
        assert (await task).message_id


async def test_a_line_waits_for_no_picture_but_another_picture_does(
    board: Board,
) -> None:
    listener = await board.listener()
    config = msrp.SessionConfig(send_high_water=100_000, chunk_size=2048)
    session = board.waiting(listener, config=config)
    await session.start()
    await session.send_message("image/jpeg", bytes(200_000))
    other = asyncio.create_task(session.send_message("image/png", bytes(20_000)))
    await board.turns()
    line = await session.send_text("hello")
    assert not other.done()
    peer = await board.raw(listener.port)
    await peer.bind(session.negotiated.local_uri)
    heard: list[str] = []
    while heard.count("image/png") < 10:
        request = await peer.next()
        if request.method == "SEND":
            heard.append(request.headers["content-type"])
            peer.respond(request, 200)
    assert heard.index("text/plain;charset=utf-8") < 40  # Of a hundred.
    await line.delivered()
    await (await other).delivered()


async def test_who_waits_for_room_is_told_that_the_session_is_over(
    board: Board,
) -> None:
    config = msrp.SessionConfig(send_high_water=1000)
    session = board.waiting(await board.listener(), config=config)
    await session.start()
    await session.send_text("x" * 1001)
    waiting = asyncio.create_task(session.send_text("no room"))
    await board.turns()
    await session.shutdown()
    with pytest.raises(msrp.SessionClosed):
        await waiting


@pytest.mark.parametrize("how", ["delivered", "refused", "aborted"])
async def test_what_is_over_is_forgotten(board: Board, how: str) -> None:
    session, peer = await silent_peer(board)
    outbox = session._started().outbox
    for _ in range(5):
        sent = await session.send_text("x" * 100)
        request = await peer.next()
        if how == "aborted":
            sent.abort()
        else:
            peer.respond(request, 200 if how == "delivered" else 413)
        await board.until(partial(is_over, sent))
    assert outbox._messages == {}
    assert outbox._queued == outbox._queued_lines == 0
    assert not outbox.is_awaited
    await outbox.drained()
