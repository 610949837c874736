"""A process that is killed in the middle of a message is missed at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
import sdp
from benchmarks.big import MIB, Peer, generate, is_beginning_of

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

SIZE = 100 * MIB

ENOUGH = SIZE // 20
"""Octets after which the process is killed."""

AT_ONCE = 10.0
"""Seconds; far less than until the first response would be missed."""


@pytest.mark.rule("MSRP-40")
async def test_what_a_killed_sender_has_sent_is_kept(
    board: Board, tmp_path: Path
) -> None:
    source = tmp_path / "source.bin"
    generate(source, SIZE)
    arrived: list[int] = []
    enough = asyncio.Event()

    def progress(done: int, size: int | None) -> None:
        arrived.append(done)
        if done > ENOUGH:
            enough.set()

    async with Peer("send", str(source), "2048") as sender:
        listener = await board.listener()
        offered = sdp.MediaDescription.parse(await sender.hear())
        answered = listener.answer(offered, accept_types=["*"])
        assert answered is not None
        connection = board.connection(
            offered, answered, is_incoming=True, listener=listener
        )
        directory = tmp_path / "received"
        connection.policy = lambda _: msrp.IntoDirectory(directory, progress=progress)
        log = board.log(connection)
        await connection.start()
        await sender.tell(str(answered))
        await sender.hear()
        await sender.tell("go")
        await enough.wait()
        sender.kill()
        async with asyncio.timeout(AT_ONCE):
            end = await connection.closed()
    await connection.shutdown()
    assert end.reason in (msrp.CloseReason.BY_THEM, msrp.CloseReason.LOST)
    assert arrived[-1] < SIZE
    [incomplete] = end.incomplete
    assert log.of(msrp.IncompleteMessage) == [incomplete]
    assert log.events[-1] is end
    [part] = directory.iterdir()
    assert part.name.startswith(".source.bin.")
    assert part.suffix == ".part"
    # Responses are written once octets are taken, so all that was acknowledged is here.
    assert part.stat().st_size == arrived[-1]
    assert is_beginning_of(part, source)


@pytest.mark.rule("MSRP-40")
async def test_a_message_fails_when_its_receiver_is_killed(
    board: Board, tmp_path: Path
) -> None:
    source = tmp_path / "source.bin"
    generate(source, SIZE)
    taken: list[int] = []
    enough = asyncio.Event()

    def progress(done: int, size: int) -> None:
        taken.append(done)
        if done > ENOUGH:
            enough.set()

    async with Peer("receive", str(tmp_path / "received")) as receiver:
        uri = msrp.MsrpUri("msrp", "127.0.0.1", 9, "sender")
        offered = msrp.offer_media(uri, setup="active", accept_types=["*"])
        await receiver.tell(str(offered))
        answered = sdp.MediaDescription.parse(await receiver.hear())
        connection = board.connection(offered, answered, is_incoming=False)
        await connection.start()
        sent = await connection.send_file(source, progress=progress)
        await enough.wait()
        receiver.kill()
        async with asyncio.timeout(AT_ONCE):
            end = await connection.closed()
            with pytest.raises(msrp.SessionEnded):
                await sent.delivered()
    await connection.shutdown()
    assert end.reason in (msrp.CloseReason.BY_THEM, msrp.CloseReason.LOST)
    assert taken[-1] < SIZE
    [part] = (tmp_path / "received").iterdir()
    assert part.suffix == ".part"
    assert is_beginning_of(part, source)
