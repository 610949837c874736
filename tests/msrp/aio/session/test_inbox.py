from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

import msrp
from msrp.aio.session.dispatch import Notice, Undelivered
from msrp.aio.session.inbox import Inbox
from msrp.content import read_message
from msrp.headers import Status


def text(words: str) -> Undelivered:
    return Undelivered(read_message("id", "text/plain", words.encode(), None))


def report(code: int = 200) -> msrp.ReportReceived:
    return msrp.ReportReceived("id", None, Status(code, ""))


@dataclass(slots=True)
class Taker:
    """Takes events, or messages not, as it is told."""

    takes: bool = True
    events: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    changes: int = 0

    async def deliver(self, event: Notice | Undelivered) -> bool:
        await self.gate.wait()
        if isinstance(event, Undelivered):
            if self.takes:
                self.events.append(event.message.contents.decode())
            return self.takes
        self.events.append(type(event).__name__)
        return True

    def begin(self, undelivered: Undelivered) -> Awaitable[None] | bool:
        return False

    def flow_changed(self) -> None:
        self.changes += 1


class Prompt(Taker):
    """Takes messages at once, too."""

    def __init__(self, begin: Callable[[Undelivered], Awaitable[None] | bool]) -> None:
        super().__init__()
        self._begin = begin

    def begin(self, undelivered: Undelivered) -> Awaitable[None] | bool:
        return self._begin(undelivered)


def inbox_for(
    taker: Taker, *, octets: int = 10_000, messages: int = 100, shut: bool = False
) -> Inbox:
    limits = msrp.Limits(
        max_undelivered_octets=octets, max_undelivered_messages=messages
    )
    if not shut:
        taker.gate.set()
    inbox = Inbox(limits, taker, taker)
    inbox.start()
    return inbox


async def finish(inbox: Inbox) -> None:
    inbox.finish()
    await inbox.join()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_events_are_delivered_one_at_a_time_in_order() -> None:
    taker = Taker()
    inbox = inbox_for(taker)
    inbox.put(text("one"))
    inbox.put(report())
    inbox.put(text("two"))
    await finish(inbox)
    assert taker.events == ["one", "ReportReceived", "two"]


async def test_a_message_that_no_hook_takes_waits_for_get() -> None:
    inbox = inbox_for(Taker(takes=False))
    inbox.put(text("one"))
    inbox.put(text("two"))
    first = await inbox.get()
    second = await inbox.get()
    assert first is not None
    assert second is not None
    assert (first.contents, second.contents) == (b"one", b"two")
    await finish(inbox)
    assert await inbox.get() is None


async def test_get_waits_for_a_message_and_for_the_end() -> None:
    inbox = inbox_for(Taker(takes=False))
    getting = asyncio.create_task(inbox.get())
    await turns()
    inbox.put(text("one"))
    message = await getting
    assert message is not None
    getting = asyncio.create_task(inbox.get())
    await turns()
    await finish(inbox)
    assert await getting is None


async def test_only_one_task_may_get_at_a_time() -> None:
    inbox = inbox_for(Taker(takes=False))
    getting = asyncio.create_task(inbox.get())
    await turns()
    with pytest.raises(msrp.ConcurrencyError):
        await inbox.get()
    inbox.put(text("one"))
    assert await getting is not None
    await finish(inbox)


async def test_a_get_that_is_cancelled_takes_nothing() -> None:
    inbox = inbox_for(Taker(takes=False))
    getting = asyncio.create_task(inbox.get())
    await turns()
    inbox.put(text("one"))
    await asyncio.sleep(0)
    getting.cancel()
    with suppress(asyncio.CancelledError):
        await getting
    message = await inbox.get()
    assert message is not None
    assert message.contents == b"one"
    await finish(inbox)


async def test_a_hook_that_is_set_late_gets_what_has_waited_first() -> None:
    taker = Taker(takes=False)
    inbox = inbox_for(taker)
    inbox.put(text("one"))
    inbox.put(text("two"))
    await turns()
    taker.takes = True
    inbox.put(text("three"))
    inbox.hooks_changed()
    await finish(inbox)
    assert taker.events == ["one", "two", "three"]


async def test_what_waits_when_all_is_over_is_still_there_to_be_got() -> None:
    taker = Taker(takes=False)
    inbox = inbox_for(taker)
    inbox.put(text("one"))
    inbox.put(report())
    await finish(inbox)
    taker.takes = True
    inbox.hooks_changed()  # Too late: the last event has been told.
    message = await inbox.get()
    assert message is not None
    assert message.contents == b"one"
    assert taker.events == ["ReportReceived"]


async def test_it_is_full_by_octets_and_tells_when_there_is_room() -> None:
    taker = Taker()
    inbox = inbox_for(taker, octets=1000, shut=True)
    inbox.put(text("x" * 900))
    assert inbox.full
    assert inbox.has_room()
    inbox.put(text("x" * 3000))
    assert not inbox.has_room()
    assert taker.changes == 1
    taker.gate.set()
    await finish(inbox)
    assert not inbox.full
    assert taker.changes == 2


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: text("x"), id="messages"),
        pytest.param(report, id="notices"),
    ],
)
async def test_it_is_full_by_number(
    make: Callable[[], Notice | Undelivered],
) -> None:
    taker = Taker()
    inbox = inbox_for(taker, messages=10, shut=True)
    for _ in range(10):
        assert not inbox.full
        inbox.put(make())
    assert inbox.full
    taker.gate.set()
    await finish(inbox)
    assert not inbox.full
    assert taker.changes == 2


async def test_the_octets_of_an_incomplete_message_count() -> None:
    taker = Taker()
    inbox = inbox_for(taker, octets=1000, shut=True)
    ranges = ((0, b"x" * 500), (700, b"x" * 500))
    inbox.put(msrp.IncompleteMessage("id", "text/plain", ranges, "given up"))
    assert inbox.full
    taker.gate.set()
    await finish(inbox)
    assert not inbox.full


async def test_what_waits_for_get_keeps_it_full() -> None:
    taker = Taker(takes=False)
    inbox = inbox_for(taker, octets=1000)
    inbox.put(text("x" * 900))
    await turns()
    assert inbox.full
    assert await inbox.get() is not None
    assert not inbox.full
    await finish(inbox)


@pytest.mark.parametrize("kind", ["report", "refused"])
async def test_notices_that_cost_a_peer_nothing_are_dropped_where_nothing_fits(
    kind: str,
) -> None:
    taker = Taker()
    inbox = inbox_for(taker, messages=10, shut=True)
    notice: Notice = report()
    if kind == "refused":
        notice = msrp.MessageRefused("id", "a/b", 413, True)
    for _ in range(100):
        inbox.put(notice)
    inbox.put(text("x"))
    taker.gate.set()
    await finish(inbox)
    assert taker.events == [type(notice).__name__] * 40 + ["x"]


async def test_what_a_handler_has_in_its_hands_is_not_what_waits() -> None:
    taker = Taker()
    inbox = inbox_for(taker, octets=1000, shut=True)
    inbox.put(text("x" * 900))
    await turns()
    assert not inbox.full
    inbox.put(text("x" * 900))
    assert inbox.full
    taker.gate.set()
    await finish(inbox)


async def test_join_returns_at_once_to_a_handler() -> None:
    ended: list[str] = []
    inboxes: list[Inbox] = []

    class Ending(Taker):
        async def deliver(self, event: Notice | Undelivered) -> bool:
            inboxes[0].finish()
            await inboxes[0].join()
            ended.append("joined")
            return True

    taker = Ending()
    inboxes.append(Inbox(msrp.Limits(), taker, taker))
    inboxes[0].start()
    inboxes[0].put(report())
    await inboxes[0].join()
    assert ended == ["joined"]


async def from_the_loop(work: Callable[[], None]) -> None:
    """Do something where no task is, as a transport does that has read."""
    asyncio.get_running_loop().call_soon(work)
    await turns()


async def test_a_message_is_told_at_once_where_nothing_waits() -> None:
    told: list[str] = []
    seen: list[list[str]] = []

    def begin(event: Undelivered) -> bool:
        told.append(event.message.contents.decode())
        return True

    taker = Prompt(begin)
    inbox = Inbox(msrp.Limits(), taker, taker)
    inbox.start()

    def arrive() -> None:
        inbox.put(text("one"))
        seen.append(list(told))
        inbox.put(report())
        inbox.put(text("two"))  # The report before it isn't told yet.
        seen.append(list(told))

    taker.gate.set()
    await from_the_loop(arrive)
    await finish(inbox)
    assert seen == [["one"], ["one"]]
    assert taker.events == ["ReportReceived", "two"]


async def test_what_a_task_brings_about_is_told_in_the_task_of_the_inbox() -> None:
    taker = Prompt(lambda _: True)
    taker.gate.set()
    inbox = Inbox(msrp.Limits(), taker, taker)
    inbox.start()
    inbox.put(text("one"))
    await finish(inbox)
    assert taker.events == ["one"]


async def test_what_a_hook_has_left_to_be_awaited_comes_before_the_next_event() -> None:
    order: list[str] = []
    go_on = asyncio.Event()

    async def rest() -> None:
        await go_on.wait()
        order.append("one")

    def begin(event: Undelivered) -> Awaitable[None]:
        assert not order
        return rest()

    class Second(Prompt):
        async def deliver(self, event: Notice | Undelivered) -> bool:
            order.append("two")
            return True

    taker = Second(begin)
    inbox = Inbox(msrp.Limits(), taker, taker)
    inbox.start()

    def arrive() -> None:
        inbox.put(text("one"))
        inbox.put(text("two"))

    await from_the_loop(arrive)
    assert not order
    go_on.set()
    await finish(inbox)
    assert order == ["one", "two"]


async def test_a_message_that_cannot_be_told_at_once_waits_for_the_task() -> None:
    taker = Taker()
    taker.gate.set()
    inbox = Inbox(msrp.Limits(), taker, taker)
    inbox.start()
    await from_the_loop(lambda: inbox.put(text("one")))
    await finish(inbox)
    assert taker.events == ["one"]
