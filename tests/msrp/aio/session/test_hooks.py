from __future__ import annotations

import asyncio

import pytest

from msrp.aio.session.hooks import Handlers, Hook, Hooked, call_handlers, call_only


class Bell(Hooked):
    on_ring = Hook[int]()
    on_stop = Hook[str]()

    def __init__(self) -> None:
        super().__init__()
        self.changes = 0

    def handlers_changed(self) -> None:
        self.changes += 1


async def ring(handlers: Handlers[int], event: int) -> list[dict[str, object]]:
    """Call the handlers, and return what the loop was told of failures."""
    told: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(dict(context)))
    await call_handlers(handlers, event)
    loop.set_exception_handler(None)
    return told


async def test_a_decorator_adds_and_gives_the_handler_back() -> None:
    bell, heard = Bell(), list[str]()

    @bell.on_ring
    def first(event: int) -> None:
        heard.append(f"first {event}")

    @bell.on_ring
    async def second(event: int) -> None:
        await asyncio.sleep(0)
        heard.append(f"second {event}")

    assert callable(first)
    assert callable(second)
    assert await ring(bell.on_ring, 1) == []
    assert heard == ["first 1", "second 1"]


async def test_an_assignment_replaces_all_handlers() -> None:
    bell, heard = Bell(), list[int]()
    bell.on_ring(lambda event: heard.append(-event))
    bell.on_ring(lambda event: heard.append(-event))
    bell.on_ring = heard.append
    await ring(bell.on_ring, 5)
    assert heard == [5]


async def test_none_takes_all_handlers_away() -> None:
    bell, heard = Bell(), list[int]()
    bell.on_ring = heard.append
    assert bell.on_ring
    bell.on_ring = None
    assert not bell.on_ring
    await ring(bell.on_ring, 5)
    assert heard == []


def test_hooks_of_two_objects_have_nothing_in_common() -> None:
    one, two = Bell(), Bell()
    one.on_ring = print
    assert not two.on_ring
    assert not one.on_stop


def test_a_hook_of_the_class_is_the_hook_itself() -> None:
    assert isinstance(Bell.on_ring, Hook)


def test_the_owner_is_told_of_each_change() -> None:
    bell = Bell()
    bell.on_ring = print
    bell.on_ring(print)
    bell.on_ring = None
    assert bell.changes == 3


async def test_a_handler_that_raises_is_reported_and_the_next_is_called() -> None:
    bell, heard = Bell(), list[int]()
    error = ValueError("mine")

    @bell.on_ring
    def fails(event: int) -> None:
        raise error

    @bell.on_ring
    async def fails_later(event: int) -> None:
        await asyncio.sleep(0)
        raise error

    bell.on_ring(heard.append)
    told = await ring(bell.on_ring, 7)
    assert [(t["exception"], t["event"]) for t in told] == [(error, 7), (error, 7)]
    assert heard == [7]


async def test_what_a_handler_waits_for_may_be_cancelled() -> None:
    bell, heard = Bell(), list[int]()

    @bell.on_ring
    async def waits(event: int) -> None:
        task = asyncio.create_task(asyncio.sleep(10))
        task.cancel()
        await task

    bell.on_ring(heard.append)
    told = await ring(bell.on_ring, 7)
    assert [type(t["exception"]) for t in told] == [asyncio.CancelledError]
    assert heard == [7]


async def test_the_one_who_calls_handlers_can_be_cancelled() -> None:
    bell, heard = Bell(), list[int]()
    started = asyncio.Event()

    @bell.on_ring
    async def waits(event: int) -> None:
        started.set()
        await asyncio.sleep(10)

    bell.on_ring(heard.append)
    task = asyncio.create_task(call_handlers(bell.on_ring, 7))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == []


async def test_a_handler_may_take_itself_away_while_it_is_called() -> None:
    bell, heard = Bell(), list[int]()

    @bell.on_ring
    def once(event: int) -> None:
        bell.on_ring = None

    bell.on_ring(heard.append)
    await ring(bell.on_ring, 1)
    await ring(bell.on_ring, 2)
    assert heard == [1]


async def test_a_handler_called_from_outside_of_any_task_is_done_or_has_a_rest() -> (
    None
):
    heard: list[str] = []

    async def later(event: int) -> None:
        await asyncio.sleep(0)
        heard.append(f"later {event}")

    assert call_only(lambda event: heard.append(f"now {event}"), 1) is None
    left = call_only(later, 2)
    assert left is not None
    assert heard == ["now 1"]
    await left
    assert heard == ["now 1", "later 2"]


@pytest.mark.parametrize("error", [KeyError("x"), asyncio.CancelledError()])
async def test_what_the_only_handler_raises_is_told_to_the_loop(
    error: BaseException,
) -> None:
    problems: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(context))

    def fail(event: int) -> None:
        raise error

    async def fail_later(event: int) -> None:
        await asyncio.sleep(0)
        raise error

    assert call_only(fail, 1) is None
    left = call_only(fail_later, 2)
    assert left is not None
    await left
    assert [each["exception"] for each in problems] == [error, error]
