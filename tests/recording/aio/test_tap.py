"""A tap tells what it can, and harms nobody."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recording import MessageRecord, RecordingFailed, Tappable, Taps
from recording.aio import tap as tap_module
from recording.aio.tap import wait_for_taps
from tests.recording.records import CHUNK, TEXT


class Thing(Tappable):
    """Something that can be tapped."""

    def __init__(self, larger: Taps | None = None) -> None:
        self.changes = 0
        self.taps = Taps(self, larger)

    def taps_changed(self) -> None:
        self.changes += 1

    def say(self, *texts: str) -> None:
        for text in texts:
            self.taps.tell(lambda text=text: replace(TEXT, text=text), len(text))  # type: ignore[misc]  # mypy can't tell what the default is of.


@pytest.fixture
def problems() -> list[dict[str, object]]:
    return []


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert wait_for_taps()
    for thread in threading.enumerate():
        if thread.name == "tap":
            thread.join(5)
            assert not thread.is_alive()


async def test_it_tells_in_order_and_in_a_thread_of_its_own() -> None:
    thing, seen, where = Thing(), list[str | None](), set[threading.Thread]()

    def callback(record: MessageRecord) -> None:
        seen.append(record.text)
        where.add(threading.current_thread())

    tap = thing.add_tap(callback)
    thing.say(*"abcdef")
    assert await tap.drained()
    assert seen == list("abcdef")
    assert where.isdisjoint({threading.current_thread()})
    assert len(where) == 1
    tap.remove()
    thing.say("x")
    assert await tap.drained()
    assert seen == list("abcdef")
    assert thing.changes == 2


async def test_there_is_no_thread_before_there_is_something_to_tell() -> None:
    thing = Thing()
    before = threading.active_count()
    tap = thing.add_tap(print)
    assert threading.active_count() == before
    assert tap.wait()
    assert await tap.drained()
    tap.remove()


async def test_what_waits_when_it_is_removed_is_still_told() -> None:
    thing, seen, go_on = Thing(), list[str | None](), threading.Event()

    def callback(record: MessageRecord) -> None:
        assert go_on.wait(10)
        seen.append(record.text)

    tap = thing.add_tap(callback)
    thing.say("a", "b", "c")
    tap.remove()
    go_on.set()
    assert await tap.drained()
    assert seen == ["a", "b", "c"]


async def test_a_larger_thing_hears_what_the_smaller_says() -> None:
    large = Thing()
    small = Thing(large.taps)
    assert not small.taps.hears_anything
    seen: list[str | None] = []
    tap = large.add_tap(lambda record: seen.append(record.text))
    assert small.taps.hears_messages
    assert not small.taps.hears_wire
    small.say("a")
    large.say("b")
    assert await tap.drained()
    assert seen == ["a", "b"]
    small.taps.end()  # Which are its own only.
    assert large.taps.hears_anything
    large.taps.end()
    assert not small.taps.hears_anything


async def test_seen_and_lost_are_all() -> None:
    thing, seen, go_on = Thing(), list[MessageRecord](), threading.Event()

    def callback(record: MessageRecord) -> None:
        go_on.wait(10)
        seen.append(record)

    tap = thing.add_tap(callback, max_waiting=100)
    thing.say(*map(str, range(1000)))
    go_on.set()
    assert await tap.drained()
    thing.say("last")
    assert await tap.drained()
    assert len(seen) + tap.lost == 1001
    assert sum(each.lost for each in seen) == tap.lost == 900
    assert seen[-1].lost == 900
    assert [each.text for each in seen[:-1]] == [str(n) for n in range(100)]
    tap.remove()


async def test_octets_that_wait_are_bounded_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tap_module, "MAX_WAITING_OCTETS", 100_000)
    thing, go_on = Thing(), threading.Event()
    tap = thing.add_tap(lambda _: go_on.wait(10))
    for _ in range(100):
        thing.taps.tell(lambda: TEXT, 50_000)
    go_on.set()
    assert await tap.drained()
    assert tap.lost == 99
    tap.remove()


async def test_what_it_raises_is_told_once_and_counted(
    problems: list[dict[str, object]],
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(dict(context)))
    thing, seen = Thing(), list[MessageRecord]()

    def callback(record: MessageRecord) -> None:
        if record.text != "good":
            raise ValueError("no")
        seen.append(record)

    tap = thing.add_tap(callback)
    thing.say("a", "b", "good", "c", "good")
    assert await tap.drained()
    await asyncio.sleep(0)
    assert [each["message"] for each in problems] == ["a tap has raised"]
    assert tap.lost == 3
    assert [each.lost for each in seen] == [2, 1]
    tap.remove()


@pytest.mark.parametrize(
    "way_out", [SystemExit, KeyboardInterrupt, asyncio.CancelledError]
)
async def test_a_program_s_way_out_is_none_for_a_tap(
    problems: list[dict[str, object]], way_out: type[BaseException]
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(dict(context)))
    thing = Thing()

    def callback(record: MessageRecord) -> None:
        raise way_out

    tap = thing.add_tap(callback)
    thing.say("a", "b")
    assert await tap.drained()
    assert tap.lost == 2
    tap.remove()


async def test_where_the_system_gives_no_thread_nothing_is_lost_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    thing, seen = Thing(), list[str | None]()
    tap = thing.add_tap(lambda record: seen.append(record.text), max_waiting=2)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        thing.say("a")
    assert not tap.wait()
    assert caplog.messages == ["can't write a record to a tap: can't start new thread"]
    thing.say("b")
    assert await tap.drained()
    assert (seen, tap.lost) == (["a", "b"], 0)
    tap.remove()


async def test_what_can_t_be_written_is_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thing = Thing()

    def callback(record: MessageRecord) -> None:
        raise RecordingFailed("call.jsonl", "No space left on device")

    tap = thing.add_tap(callback)
    with caplog.at_level(logging.WARNING, "recording"):
        thing.say("a", "b", "c")
        assert await tap.drained()
    assert [each.getMessage() for each in caplog.records] == [
        "can't write a record to call.jsonl: No space left on device"
    ]
    with caplog.at_level(logging.WARNING, "recording"):
        tap.remove()
        assert await tap.drained()
    assert caplog.records[-1].getMessage() == "a tap has lost 3 records in all"


async def test_one_that_is_stuck_is_waited_for_a_limited_time() -> None:
    thing, go_on = Thing(), threading.Event()
    tap = thing.add_tap(lambda _: go_on.wait(10))
    thing.say("a")
    assert not await tap.drained(0.02)
    assert not wait_for_taps(timeout=0.02)
    tap.remove()
    assert not await tap.drained(0.02)
    go_on.set()
    assert await tap.drained()


async def test_coroutines_run_in_the_loop_one_at_a_time() -> None:
    thing, seen = Thing(), list[str | None]()
    running = 0

    async def callback(record: MessageRecord) -> None:
        nonlocal running
        running += 1
        assert running == 1
        await asyncio.sleep(0.001)
        running -= 1
        seen.append(record.text)

    tap = thing.add_tap(callback)
    thing.say("a", "b", "c")
    assert await tap.drained()
    assert seen == ["a", "b", "c"]
    tap.remove()


def test_a_coroutine_for_a_loop_that_is_gone_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    thing, go_on = Thing(), threading.Event()

    async def callback(record: MessageRecord) -> None:
        raise AssertionError

    def make() -> MessageRecord:
        assert go_on.wait(10)
        return TEXT

    async def run() -> None:
        thing.taps.tell(make, 0)

    tap = thing.add_tap(callback)
    asyncio.run(run())
    go_on.set()
    assert tap.wait()
    assert tap.lost == 1
    tap.remove()
    assert tap.wait()


async def test_wire_taps_hear_the_wire() -> None:
    thing, seen = Thing(), list[bytes]()
    tap = thing.add_wire_tap(lambda record: seen.append(record.octets))
    assert thing.taps.hears_wire
    assert not thing.taps.hears_messages
    thing.say("nothing for it")
    thing.taps.tell_wire(lambda: CHUNK, 0)
    assert await tap.drained()
    assert seen == [CHUNK.octets]
    thing.taps.end()
    assert tap.is_removed
