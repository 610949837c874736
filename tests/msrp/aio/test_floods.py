"""Peers that say more than anybody wants to hear, and whoever doesn't listen."""

from __future__ import annotations

import asyncio

import pytest

import msrp
from msrp.chatroom import Chatroom
from tests.msrp.aio.conftest import Board, RawPeer

pytestmark = pytest.mark.timeout(20)

LIMITS = msrp.Limits(max_undelivered_messages=10)
MOST = 4 * LIMITS.max_undelivered_messages
"""What is taken while somebody waits for the peer."""


async def with_peer(
    board: Board,
) -> tuple[msrp.MsrpConnection, RawPeer]:
    listener = await board.listener()
    offered = msrp.offer_media(
        msrp.MsrpUri("msrp", "127.0.0.1", 9, "rawpeer"),
        setup="active",
        chatroom=Chatroom(nickname=True),
    )
    answered = listener.answer(offered, chatroom=Chatroom(nickname=True))
    assert answered is not None
    connection = board.connection(
        offered,
        answered,
        is_incoming=True,
        listener=listener,
        config=msrp.SessionConfig(limits=LIMITS),
    )
    await connection.start()
    peer = await board.raw(listener.port)
    await peer.bind(connection.negotiated.local_uri)
    return connection, peer


async def test_nicknames_without_end_wait_within_bounds(board: Board) -> None:
    connection, peer = await with_peer(board)
    told: list[str] = []
    go_on = asyncio.Event()

    @connection.on_nickname_received
    async def slow(event: msrp.NicknameReceived) -> None:
        told.append(event.nickname)
        await go_on.wait()

    to, last = connection.negotiated.local_uri, ""
    with connection._running.outbox.waiting():  # type: ignore[union-attr]  # It runs.
        for number in range(5 * MOST):
            name = ("Use-Nickname", f'"{number}"')
            last = peer.request(to, method="NICKNAME", fields=(name,))
        assert await peer.response_to(last) == 200
    assert connection.remote_nickname == str(5 * MOST - 1)
    go_on.set()
    peer.request(to, method="NICKNAME", fields=(("Use-Nickname", '"the last"'),))
    await board.until(lambda: told[-1] == "the last")
    assert told[0] == "0"
    assert len(told) <= MOST + 2
    assert connection.is_open
