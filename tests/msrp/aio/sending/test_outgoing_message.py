"""Those who wait for the fate of a message."""

from __future__ import annotations

import asyncio

import pytest

from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.errors import ResponseTimeout


async def begun(*waiting: asyncio.Task[None]) -> None:
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)


async def test_all_who_wait_are_told() -> None:
    message = OutgoingMessage("m1111", 5)
    sent = asyncio.create_task(message.sent())
    arrived = [asyncio.create_task(message.delivered()) for _ in range(2)]
    await begun(sent, *arrived)
    message.was_sent()
    await sent
    await begun(*arrived)
    message.was_delivered()
    await asyncio.gather(*arrived)


async def test_who_gives_up_takes_nobody_along() -> None:
    message = OutgoingMessage("m1111", 5)
    one, other = (asyncio.create_task(message.delivered()) for _ in range(2))
    await begun(one, other)
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    await begun(other)
    message.was_delivered()
    await other


async def test_who_gives_up_in_the_moment_of_a_change_may_do_so() -> None:
    message = OutgoingMessage("m1111", 5)
    one, other = (asyncio.create_task(message.delivered()) for _ in range(2))
    await begun(one, other)
    message.was_sent()
    one.cancel()  # When what it waits for is done, and it hasn't run yet.
    late = asyncio.create_task(message.delivered())
    with pytest.raises(asyncio.CancelledError):
        await one
    await begun(other, late)
    message.has_failed(ResponseTimeout("m1111"))
    for task in (other, late):
        with pytest.raises(ResponseTimeout):
            await task


async def test_nobody_who_has_given_up_is_remembered() -> None:
    message = OutgoingMessage("m1111", 5)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(message.delivered(), 0.001)
    assert not message._waiting
