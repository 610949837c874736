"""Many calls between two user agents over UDP, on a good network and on a bad one."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
from collections.abc import Callable

import pytest

import sip
from sip.aio.testing import BadUdp
from sip.testing import RecordingMedia

LISTEN = ["udp://127.0.0.1:0"]
# A tenth of the real ones: what takes 32 s takes 3.2 s.
QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)
CALLS = int(os.environ.get("MSRPKIT_CALLS", "300"))
"""How many leave no task; `make soak` has 10,000."""


def answering(agent: sip.UserAgent) -> list[RecordingMedia]:
    media: list[RecordingMedia] = []

    @agent.on_invite
    async def answer(call: sip.IncomingCall) -> None:
        media.append(RecordingMedia())
        await call.ringing()
        await call.answer([media[-1]])

    return media


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.02)


async def make_calls(agent: sip.UserAgent, port: int, number: int, at_once: int) -> int:
    """Make calls and hang up; return how many were answered."""
    left = iter(range(number))
    answered = 0

    async def call_on_and_on() -> None:
        nonlocal answered
        for _ in left:
            uri = f"sip:bob@127.0.0.1:{port}"
            call = await agent.invite(uri, media=[RecordingMedia()])
            answered += 1
            await call.bye()

    await asyncio.gather(*(call_on_and_on() for _ in range(at_once)))
    return answered


@pytest.mark.usefixtures("time_flies")
async def test_calls_that_are_over_leave_nothing_to_the_garbage_collector() -> None:
    async with (
        sip.UserAgent("sip:bob@127.0.0.1", listen=LISTEN) as bob,
        sip.UserAgent("sip:alice@127.0.0.1", listen=LISTEN) as alice,
    ):
        answering(bob)
        port = bob.listening[0].port
        await make_calls(alice, port, 3, 1)
        await until(lambda: not bob.calls)
        gc.collect()
        gc.disable()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await make_calls(alice, port, 3, 1)
            await until(lambda: not bob.calls)
            await asyncio.sleep(0)
            gc.collect()
            names = {type(thing).__module__ for thing in gc.garbage}
        finally:
            gc.set_debug(0)
            gc.garbage.clear()
            gc.enable()
        assert not [name for name in names if name.split(".")[0] in ("sip", "sdp")]


@pytest.mark.rule("SIP-20", "SIP-22", "SIP-23", "SIP-24")
@pytest.mark.usefixtures("time_flies")
async def test_every_call_comes_about_though_datagrams_are_lost() -> None:
    # Time enough for a machine that is busy with other things.
    timers = sip.Timers(t1=0.1, t2=0.4, t4=0.5)
    async with (
        sip.UserAgent("sip:bob@127.0.0.1", listen=LISTEN, timers=timers) as bob,
        sip.UserAgent("sip:alice@127.0.0.1", listen=LISTEN, timers=timers) as alice,
        BadUdp(
            ("127.0.0.1", bob.listening[0].port), seed=1, loss=0.3, streak=4
        ) as network,
    ):
        media = answering(bob)
        # Bob's Contact leads through the network too.
        assert bob._driver is not None
        points = bob._driver.transport.listening
        points[:] = [dataclasses.replace(p, port=network.port) for p in points]
        assert await make_calls(alice, network.port, 200, 50) == 200
        await until(lambda: not bob.calls)
        assert len(media) == 200
        share = network.lost / (network.lost + network.passed)
    assert 0.25 < share < 0.35
    assert network.passed > 200 * 5
    # Each of them was answered, and ended in good order.
    assert [medium.log[-1] for medium in media] == ["stop"] * 200


@pytest.mark.rule("SIP-68")
@pytest.mark.timeout(60 + CALLS / 10)
@pytest.mark.usefixtures("time_flies")
async def test_many_calls_leave_no_task_and_no_timer() -> None:
    async with (
        sip.UserAgent("sip:bob@127.0.0.1", listen=LISTEN, timers=QUICK) as bob,
        sip.UserAgent("sip:alice@127.0.0.1", listen=LISTEN, timers=QUICK) as alice,
    ):
        answering(bob)
        tasks = asyncio.all_tasks()
        assert await make_calls(alice, bob.listening[0].port, CALLS, 10) == CALLS
        # The last transaction is forgotten after 64*T1.
        cores = (alice._core, bob._core)
        await until(lambda: all(core.next_timeout() is None for core in cores))
        assert asyncio.all_tasks() == tasks
        for agent in (alice, bob):
            assert len(agent._core._layer) == 0
            assert agent._core._dialogs.users == {}
            assert agent._driver is not None
            assert agent._driver._tasks == set()
        gc.collect()
        left = [o for o in gc.get_objects() if isinstance(o, sip.aio.Call)]
        assert left == []
