from __future__ import annotations

import asyncio

from msrp.aio.sending.awaited import Awaited


class Owner:
    """Writes down how many wait when that begins, and when it ends."""

    def __init__(self) -> None:
        self.awaited = Awaited(self)
        self.counts: list[int] = []

    def awaited_changed(self) -> None:
        self.counts.append(self.awaited.count)


async def test_the_owner_hears_of_the_first_who_waits_and_of_the_last() -> None:
    owner = Owner()
    with owner.awaited:
        with owner.awaited:
            assert owner.awaited.count == 2
        assert owner.counts == [1]
    assert owner.counts == [1, 0]


async def test_nobody_waits_for_what_is_so_already() -> None:
    owner = Owner()
    await owner.awaited.until(lambda: True)
    assert owner.counts == []


async def test_who_waits_looks_again_after_each_change() -> None:
    owner = Owner()
    responses = 0
    waiting = asyncio.create_task(owner.awaited.until(lambda: responses == 2))
    for _ in range(2):
        await asyncio.sleep(0)
        assert not waiting.done()
        responses += 1
        owner.awaited.set()
    await waiting
    assert owner.counts == [1, 0]


async def test_who_gives_up_waits_no_longer() -> None:
    owner = Owner()
    waiting = asyncio.create_task(owner.awaited.until(lambda: False))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    assert owner.counts == [1, 0]
