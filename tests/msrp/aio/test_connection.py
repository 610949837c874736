"""The life of a session, over real sockets on the loopback."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


async def test_both_sides_are_established_and_end_in_good_order(
    board: Board, either: Certs | None
) -> None:
    active, passive = await board.pair(certs=either, start=False)
    logs = board.log(active), board.log(passive)
    await passive.start()
    assert not passive.is_open
    await active.start()
    await passive.established()
    assert active.is_open
    assert passive.is_open
    await active.shutdown()
    end = await passive.closed()
    assert (end.reason, end.error) == (msrp.CloseReason.BY_THEM, None)
    await passive.shutdown()
    ours = await active.closed()
    assert (ours.reason, ours.error) == (msrp.CloseReason.BY_US, None)
    for log, is_passive in zip(logs, (False, True), strict=True):
        first, last = log.events
        assert isinstance(first, msrp.ConnectionEstablished)
        assert first.is_passive is is_passive
        assert isinstance(last, msrp.ClosedEvent)


async def test_async_with_starts_and_shuts_down(board: Board) -> None:
    active, passive = await board.pair(start=False)
    async with passive, active:
        await passive.established()
        assert active.is_open
    assert not active.is_open
    assert (await active.closed()).reason is msrp.CloseReason.BY_US


async def test_a_passive_side_without_a_listener_listens_at_its_uri(
    board: Board, either: Certs | None
) -> None:
    spare = await board.listener()
    port = spare.port
    await spare.close()
    caller = await board.listener(local_cert=either[0] if either else None)
    offered = caller.offer()
    scheme = "msrps" if either else "msrp"
    answered = msrp.answer_media(
        offered,
        msrp.MsrpUri(scheme, "127.0.0.1", port, "passive"),
        fingerprints=[either[1].fingerprint] if either else (),
    )
    assert answered is not None
    passive = board.connection(
        offered,
        answered,
        is_incoming=True,
        local_cert=either[1] if either else None,
    )
    active = board.connection(offered, answered, is_incoming=False, listener=caller)
    async with passive, active:
        await (await active.send_text("hello")).delivered()
        assert (await anext(passive)).text == "hello"
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_is_taken_is_said_in_one_sentence(board: Board) -> None:
    taken = await board.listener()
    caller = await board.listener()
    offered = caller.offer()
    uri = msrp.MsrpUri("msrp", "127.0.0.1", taken.port, "passive")
    answered = msrp.answer_media(offered, uri)
    assert answered is not None
    passive = board.connection(offered, answered, is_incoming=True)
    log = board.log(passive)
    with pytest.raises(msrp.ConnectionFailed, match="can't listen there") as caught:
        await passive.start()
    assert "\n" not in str(caught.value)
    assert (await passive.closed()).error is caught.value
    await passive.shutdown()
    failed, closed = log.events
    assert isinstance(failed, msrp.ConnectionFailedEvent)
    assert isinstance(closed, msrp.ClosedEvent)


async def test_a_passive_side_without_a_certificate_cant_do_tls(board: Board) -> None:
    caller = await board.listener(local_cert=msrp.LocalCertificate.self_signed())
    offered = caller.offer()
    uri = msrp.MsrpUri("msrps", "127.0.0.1", 2855, "passive")
    answered = msrp.answer_media(offered, uri)
    assert answered is not None
    passive = board.connection(offered, answered, is_incoming=True)
    with pytest.raises(msrp.LocalProtocolError, match="local_cert"):
        await passive.start()
    assert (await passive.closed()).error is not None


async def test_it_is_started_once(board: Board) -> None:
    active, passive = await board.pair()
    with pytest.raises(msrp.LocalProtocolError):
        await active.start()
    assert active.is_open
    await passive.shutdown()
    with pytest.raises(msrp.LocalProtocolError):
        await passive.start()


async def test_one_that_was_never_started_can_be_shut_down(board: Board) -> None:
    active, passive = await board.pair(start=False)
    await passive.shutdown()
    assert await passive.closed() == msrp.ClosedEvent(msrp.CloseReason.BY_US, None)
    with pytest.raises(msrp.LocalProtocolError):
        await passive.start()
    # Its listener expects nobody any more, so that the peer is told at once.
    with pytest.raises(msrp.ConnectionFailed, match="481"):
        await active.start()


async def test_before_the_start_nothing_can_be_sent_or_read(board: Board) -> None:
    active, _ = await board.pair(start=False)
    with pytest.raises(msrp.LocalProtocolError, match="start"):
        await active.send_text("too early")
    with pytest.raises(msrp.LocalProtocolError, match="start"):
        await anext(active)


async def test_after_the_end_nothing_can_be_sent(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    active, passive = await board.pair()
    await active.shutdown()
    await passive.closed()
    for connection in (active, passive):
        with pytest.raises(msrp.SessionClosed):
            await connection.send_text("too late")
        with pytest.raises(msrp.SessionClosed):
            await connection.send_file(path)


async def test_shutting_down_waits_for_what_is_on_its_way(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log(passive)
    data = os.urandom(1_000_000)
    sent = await active.send_message("image/png", data)
    await active.shutdown()
    await sent.delivered()
    await passive.shutdown()
    assert [event.contents for event in log.of(msrp.AttachmentReceived)] == [data]


async def test_shutting_down_waits_no_longer_than_told(board: Board) -> None:
    silent = asyncio.Event()

    async def serve(peer: RawPeer) -> None:
        binding = await peer.next()
        peer.respond(binding)
        await silent.wait()

    active = board.calling(await board.raw_server(serve))
    log = board.log(active)
    await active.start()
    sent = await active.send_text("nobody answers this")
    await active.shutdown(timeout=0.05)
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    failed = log.of(msrp.MessageDeliveryFailed)
    assert [(event.message_id, event.status_code) for event in failed] == [
        (sent.message_id, None)
    ]
    assert isinstance(log.events[-1], msrp.ClosedEvent)
    silent.set()


@pytest.mark.parametrize("hook", ["text", "closed"])
async def test_a_handler_may_shut_down(board: Board, hook: str) -> None:
    active, passive = await board.pair()
    done: list[object] = []

    async def handler(event: object) -> None:
        await passive.shutdown()
        done.append(event)

    if hook == "text":
        passive.on_text_message_received = handler
    else:
        passive.on_closed = handler
    await active.send_text("go away")
    if hook == "closed":
        await active.shutdown()
    await board.until(lambda: done)
    await passive.shutdown()
    assert len(done) == 1


async def test_shutting_down_interrupts_a_start(board: Board) -> None:
    accepted, over = asyncio.Event(), asyncio.Event()

    async def serve(peer: RawPeer) -> None:
        accepted.set()
        await over.wait()

    # A peer that never begins with TLS keeps the handshake waiting.
    active = board.calling(
        await board.raw_server(serve),
        secure=True,
        fingerprints=(msrp.LocalCertificate.self_signed(),),
    )
    log = board.log(active)
    starting = asyncio.create_task(active.start())
    await accepted.wait()
    await active.shutdown()
    with pytest.raises(msrp.SessionClosed) as caught:
        await starting
    assert caught.value.reason is msrp.CloseReason.BY_US
    (closed,) = log.events
    assert closed == msrp.ClosedEvent(msrp.CloseReason.BY_US, None)
    over.set()


async def test_two_may_shut_down_at_once(board: Board) -> None:
    active, passive = await board.pair()
    await asyncio.gather(active.shutdown(), active.shutdown(), passive.shutdown())
    assert not active.is_open
    await active.shutdown()


async def test_a_session_is_told_in_lines_that_give_nothing_away(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    active, passive = await board.pair()
    await (await active.send_text("my secret")).delivered()
    session_id = active.negotiated.local_uri.session_id
    assert session_id is not None
    await active.shutdown()
    await passive.closed()
    lines = [record.getMessage() for record in caplog.records]
    opened = [line for line in lines if "a session is open with" in line]
    assert {line.rpartition(" ")[2] for line in opened} == {"us", "them"}
    over = {line for line in lines if "a session is over" in line}
    assert over == {"a session is over, by us", "a session is over, by them"}
    assert not [line for line in lines if session_id in line or "secret" in line]
