from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.streams.stream import StreamProtocol
from msrp.sansio.session import Session
from tests.msrp.aio.streams.scripted import (
    PEER,
    FakeTransport,
    Owner,
    answer,
    lose,
    opened,
)

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board


@pytest.mark.rule("FIELD-3")
async def test_a_short_message_leaves_in_one_write() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    owner.send(500)
    stream.flush()
    (written,) = transport.written
    assert written.startswith(b"MSRP ")
    assert written.endswith(b"$\r\n")
    assert written.count(b"MSRP ") == 1
    lose(stream)


@pytest.mark.rule("FIELD-3")
async def test_nagle_is_off_on_both_sides(board: Board) -> None:
    active, passive = await board.pair()
    for end in (active, passive):
        stream = end._started().stream
        assert stream is not None
        assert stream._transport is not None
        sock = stream._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_no_octet_is_asked_for_while_the_transport_is_full() -> None:
    config = msrp.SessionConfig(chunk_size=None, max_message_length=10**9)
    owner = Owner(config)
    stream, transport = opened(owner)
    stream.pause_writing()
    owner.send(1_000_000)
    stream.flush()
    assert transport.written == []
    stream.resume_writing()
    assert sum(map(len, transport.written)) >= 1_000_000
    assert all(len(piece) < 300_000 for piece in transport.written)
    lose(stream)


async def test_other_work_of_the_loop_gets_its_turn() -> None:
    owner = Owner(msrp.SessionConfig(chunk_size=None))
    stream, transport = opened(owner)
    owner.send(3_000_000)
    stream.flush()
    first = sum(map(len, transport.written))
    assert first < 1_500_000
    for _ in range(5):
        await asyncio.sleep(0)
    assert sum(map(len, transport.written)) >= 3_000_000
    lose(stream)


@pytest.mark.usefixtures("time_flies")
async def test_one_timer_serves_all_deadlines() -> None:
    config = msrp.SessionConfig(response_timeout=0.05)
    owner = Owner(config)
    stream = StreamProtocol(response_timeout=0.05)
    transport = FakeTransport()
    stream.connection_made(transport)
    stream.attach(owner.session, owner)
    answer(stream, transport.written[0])
    owner.send(5)
    stream.flush()
    timer = stream._timer
    assert timer is not None
    await asyncio.sleep(0.2)
    assert any(isinstance(event, msrp.MessageDeliveryFailed) for event in owner.events)
    lose(stream)
    assert stream._timer is None


async def test_the_timer_of_a_connection_without_sessions_rests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks: list[StreamProtocol] = []
    time_out = StreamProtocol._time_out

    def look(stream: StreamProtocol) -> None:
        looks.append(stream)
        time_out(stream)

    monkeypatch.setattr(StreamProtocol, "_time_out", look)
    stream = StreamProtocol(idle_time=60.0)
    stream.connection_made(FakeTransport())
    session = Session(PEER, (PEER,), is_active=True)
    stream.attach(session, Owner())
    session.let_go()
    stream.flush()
    for _ in range(50):
        await asyncio.sleep(0)
    stream.abort(msrp.SessionClosed(msrp.CloseReason.BY_US))
    stream.connection_lost(None)
