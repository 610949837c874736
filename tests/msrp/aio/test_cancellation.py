"""Every public coroutine, cancelled at each of its awaits.

Whatever it was about then either goes on or is closed: nobody waits for ever, and
nothing is left behind.
"""

from __future__ import annotations

import asyncio
import functools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import pytest

import msrp
from msrp.negotiation import MediaDescription

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]
T = TypeVar("T")
Run = Callable[[Coroutine[object, None, object]], Coroutine[object, None, bool]]

MOST = 60
"""Awaits that no coroutine here has."""


class CancelledAt(Generic[T]):
    """Awaits a coroutine, and has the task cancelled where it waits the nth time."""

    def __init__(self, coroutine: Coroutine[object, None, T], nth: int) -> None:
        self._coroutine = coroutine
        self._nth = nth
        self.reached = False

    def __await__(self) -> Generator[object, None, T]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        step = functools.partial(self._coroutine.send, None)
        waits = 0
        while True:
            try:
                future = step()
            except StopIteration as stop:
                result: T = stop.value
                return result
            if waits == self._nth:
                self.reached = True
                loop.call_soon(task.cancel)
            waits += 1
            try:
                yield future
            except BaseException as error:
                step = functools.partial(self._coroutine.throw, error)
            else:
                step = functools.partial(self._coroutine.send, None)


async def cancel_at_each(once: Callable[[int, Run], Awaitable[None]]) -> int:
    """Call ``once`` until what it runs is done before it is to be cancelled.

    It gets a function that runs a coroutine and tells whether it was cancelled.
    """
    for nth in range(MOST):
        reached = False

        async def run(coroutine: Coroutine[object, None, object]) -> bool:
            nonlocal reached
            cancelled_at = CancelledAt(coroutine, nth)  # noqa: B023  # Called at once.

            async def main() -> None:
                await cancelled_at

            task = asyncio.create_task(main())
            async with asyncio.timeout(10):
                await asyncio.wait([task])
            reached = cancelled_at.reached
            if task.cancelled():
                return True
            task.result()
            return False

        await once(nth, run)
        if not reached:
            return nth
    raise AssertionError("it never came to an end")


async def check(active: msrp.MsrpConnection, passive: msrp.MsrpConnection) -> None:
    """Show that a session works, or else that it is over and says so."""
    async with asyncio.timeout(10):
        if active.is_open and passive.is_open:
            await (await active.send_text("a")).delivered()
            await (await passive.send_text("b")).delivered()
            await active.shutdown()
            await passive.shutdown()
            return
        await active.shutdown()
        await passive.shutdown()
        for connection in (active, passive):
            await connection.closed()
            with pytest.raises((msrp.SessionClosed, msrp.LocalProtocolError)):
                await connection.send_text("too late")


async def test_starting_the_active_side(board: Board, either: Certs | None) -> None:
    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair(certs=either, start=False)
        await passive.start()
        if not await run(active.start()):
            await active.established()
        await check(active, passive)

    assert await cancel_at_each(once) >= 2


async def test_starting_a_passive_side_that_listens_itself(board: Board) -> None:
    async def once(nth: int, run: Run) -> None:
        spare = await board.listener()
        port = spare.port
        await spare.close()
        caller = await board.listener()
        offered = caller.offer()
        answered = msrp.answer_media(
            offered, msrp.MsrpUri("msrp", "127.0.0.1", port, "passive")
        )
        assert answered is not None
        passive = board.connection(offered, answered, is_incoming=True)
        active = board.connection(offered, answered, is_incoming=False, listener=caller)
        if await run(passive.start()):
            with pytest.raises(msrp.ConnectionFailed):
                await active.start()
        else:
            await active.start()
            await passive.established()
        await check(active, passive)

    assert await cancel_at_each(once) >= 1


@pytest.mark.parametrize("side", [0, 1], ids=["active", "passive"])
async def test_shutting_down(board: Board, either: Certs | None, side: int) -> None:
    async def once(nth: int, run: Run) -> None:
        ends = await board.pair(certs=either)
        await ends[side].send_text("on its way")
        await run(ends[side].shutdown())
        await ends[side].closed()
        await check(*ends)

    assert await cancel_at_each(once) >= 2


async def test_waiting_until_it_is_established_or_closed(board: Board) -> None:
    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair(start=False)
        await passive.start()
        waiting = asyncio.create_task(active.start())
        await run(passive.established())
        await waiting
        await board.until(lambda: passive.is_open)
        ending = asyncio.create_task(active.shutdown())
        await run(passive.closed())
        await ending
        await check(active, passive)

    assert await cancel_at_each(once) >= 1


async def test_sending_and_waiting_for_the_outcome(board: Board) -> None:
    async def exchange(connection: msrp.MsrpConnection) -> None:
        sent = await connection.send_message(
            "text/plain", b"x" * 500_000, message_id="abcdefgh"
        )
        await sent.sent()
        await sent.delivered()

    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair()
        board.log(passive)
        await run(exchange(active))
        assert active.is_open
        await check(active, passive)

    assert await cancel_at_each(once) >= 2


@pytest.mark.parametrize("what", ["text", "cpim", "multipart", "iterable"])
async def test_sending_of_every_kind(board: Board, what: str) -> None:
    async def some() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"x" * 1000

    async def exchange(connection: msrp.MsrpConnection) -> None:
        match what:
            case "text":
                sent = await connection.send_text("Hello", success_report=True)
            case "cpim":
                ann = msrp.Address("im:ann@example.com")
                message = msrp.CpimMessage.build(
                    "text/plain", b"Hello", sender=ann, to=ann
                )
                sent = await connection.send_cpim(message)
            case "multipart":
                part = msrp.Part.build("text/plain", b"Hello")
                sent = await connection.send_multipart([part, part])
            case _:
                sent = await connection.send_message("x/y", some())
        await sent.delivered()

    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair()
        board.log(passive)
        await run(exchange(active))
        assert active.is_open
        await check(active, passive)

    assert await cancel_at_each(once) >= 1


async def test_sending_while_too_much_waits(board: Board) -> None:
    async def once(nth: int, run: Run) -> None:
        config = msrp.SessionConfig(send_high_water=1000)
        active, passive = await board.pair(active=config)
        log = board.log(passive)
        await active.send_text("x" * 200_000)
        # Messages of up to 16 KiB wouldn't wait for that.
        second, third = "y" * 20_000, "z" * 20_000
        cancelled = await run(active.send_text(second))
        await (await active.send_text(third)).delivered()
        await board.until(lambda: log.texts[-1:] == [third])
        assert (second in log.texts) is not cancelled
        assert active.is_open
        await check(active, passive)

    assert await cancel_at_each(once) >= 1


async def test_sending_a_file(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(100_000))

    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair()
        log = board.log(passive)
        if not await run(active.send_file(path)):
            await board.until(lambda: log.of(msrp.AttachmentReceived))
        assert active.is_open
        await check(active, passive)
        await asyncio.sleep(0.02)  # A thread may still be about to open the file.

    assert await cancel_at_each(once) >= 1


async def test_reading_messages(board: Board) -> None:
    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair()
        reading = asyncio.create_task(run(passive.__anext__()))
        await asyncio.sleep(0)
        await active.send_text("one")
        cancelled = await reading
        await active.send_text("two")
        message = await anext(passive)
        assert message.text == ("one" if cancelled else "two")
        await check(active, passive)

    assert await cancel_at_each(once) >= 1


async def test_listening(board: Board, either: Certs | None) -> None:
    certificate = either[0] if either else None

    async def once(nth: int, run: Run) -> None:
        listener = msrp.MsrpListener("127.0.0.1", 0, local_cert=certificate)
        await run(listener.start())
        await listener.close()
        async with listener:  # And it may be started again.
            assert listener.port

    assert await cancel_at_each(once) >= 1


async def test_closing_a_listener(board: Board, either: Certs | None) -> None:
    async def once(nth: int, run: Run) -> None:
        listener = await board.listener(local_cert=either[0] if either else None)
        peer = await board.raw(listener.port)
        session = board.waiting(listener)
        await session.start()
        await run(listener.close())
        assert await peer.rest() == b""
        assert (await session.closed()).error is not None
        await listener.close()

    assert await cancel_at_each(once) >= 1


async def test_a_call_starts_and_stops_its_media(board: Board) -> None:
    async def both(
        media: tuple[msrp.MsrpMedia, msrp.MsrpMedia], caller: msrp.MsrpListener
    ) -> None:
        offered = await media[0].offer()
        answered = await media[1].answer(offered)
        assert answered is not None
        await media[1].start(offered, answered, False)
        await media[0].start(offered, answered, True)
        await media[0].connection.established()
        await media[0].stop()
        await media[1].stop()

    async def once(nth: int, run: Run) -> None:
        caller, called = await board.listener(), await board.listener()
        media = msrp.MsrpMedia(caller), msrp.MsrpMedia(called)
        await run(both(media, caller))
        await media[0].stop()
        await media[1].stop()

    assert await cancel_at_each(once) >= 4


@pytest.mark.parametrize("side", [0, 1], ids=["active", "passive"])
async def test_moving_a_session_to_another_path(board: Board, side: int) -> None:
    config = msrp.SessionConfig(recovery_time=30.0)

    async def once(nth: int, run: Run) -> None:
        caller, called = await board.listener(), await board.listener()

        def negotiate() -> tuple[MediaDescription, MediaDescription]:
            offered = caller.offer(accept_types=("text/plain", "*"))
            answered = called.answer(offered, accept_types=("text/plain", "*"))
            assert answered is not None
            return offered, answered

        both = negotiate()
        active = board.connection(
            *both, is_incoming=False, listener=caller, config=config
        )
        passive = board.connection(
            *both, is_incoming=True, listener=called, config=config
        )
        await passive.start()
        await active.start()
        await passive.established()
        both = negotiate()
        moves = [
            active.reestablish(*both, is_incoming=False),
            passive.reestablish(*both, is_incoming=True),
        ]
        if side == 0:
            await moves[1]
        cancelled = await run(moves[side])
        if side == 1 and not cancelled:
            await moves[0]
        elif side == 1:
            moves[0].close()
        if cancelled:
            both = negotiate()
            await passive.reestablish(*both, is_incoming=True)
            await active.reestablish(*both, is_incoming=False)
        await active.established()
        await passive.established()
        await check(active, passive)

    assert await cancel_at_each(once) >= (1 if side == 0 else 0)


async def test_waiting_until_it_is_lost(board: Board) -> None:
    async def once(nth: int, run: Run) -> None:
        active, passive = await board.pair()
        ending = asyncio.create_task(active.shutdown())
        await run(passive.lost())
        await ending
        await check(active, passive)

    assert await cancel_at_each(once) >= 1
