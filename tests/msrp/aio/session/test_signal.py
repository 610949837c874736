from __future__ import annotations

import asyncio

import pytest

from msrp.aio.session.signal import Signal


async def test_all_who_wait_go_on_also_if_it_is_cleared_at_once() -> None:
    signal = Signal()
    waiting = [asyncio.create_task(signal.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    signal.set()
    signal.clear()
    await asyncio.gather(*waiting)
    assert not signal.is_set()
    assert signal._waiting is None


async def test_who_comes_when_it_is_set_does_not_wait() -> None:
    signal = Signal()
    signal.set()
    signal.set()
    assert signal.is_set()
    await signal.wait()


async def test_who_gives_up_waiting_is_forgotten_and_holds_up_nobody() -> None:
    signal = Signal()
    first, second = (asyncio.create_task(signal.wait()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    signal.set()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert signal._waiting is None
