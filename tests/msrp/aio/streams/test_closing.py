from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.streams import closing
from tests.msrp.aio.streams.scripted import (
    Owner,
    lose,
    opened,
)

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board


async def test_the_last_octets_go_out_before_it_closes() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    stream.pause_writing()
    stream.data_received(b"nonsense\r\n")
    assert transport.calls == []  # It can't close yet.
    stream.resume_writing()
    assert transport.calls == ["close"]
    lose(stream)


async def test_a_peer_that_doesnt_read_keeps_no_connection_open(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(closing, "CLOSING_TIME", 0.01)
    caplog.set_level("INFO", logger="msrp.stream")
    owner = Owner()
    stream, transport = opened(owner)
    stream.pause_writing()
    stream.data_received(b"nonsense\r\n")
    stream.flush()
    stream.flush()
    await asyncio.sleep(0.05)
    assert transport.calls == ["abort"]
    lose(stream)
    assert caplog.messages == [
        "closing 192.0.2.1:2855: not an MSRP start line (RFC 4975#9)"
    ]


@pytest.mark.rule("MSRP-43")
async def test_an_active_side_closes_the_connection_after_its_last_session(
    board: Board,
) -> None:
    active, passive = await board.pair()
    stream = active._started().stream
    assert stream is not None
    await active.shutdown()
    await stream.wait_closed()
    assert (await passive.closed()).reason is msrp.CloseReason.BY_THEM


@pytest.mark.rule("MSRP-44")
@pytest.mark.usefixtures("time_flies")
async def test_a_passive_side_leaves_it_open_for_a_while(board: Board) -> None:
    listener = await board.listener(limits=msrp.Limits(linger=0.1))
    session = board.waiting(listener)
    await session.start()
    peer = await board.raw(listener.port)
    uri = session.negotiated.local_uri
    await peer.bind(uri)
    await session.shutdown()
    assert await peer.response_to(peer.request(uri, b"late")) == 481
    await peer.rest()
