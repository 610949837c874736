"""One tap: a bounded queue, and a thread that calls whoever listens.

The event loop only ever puts something into the queue, which takes no time worth
naming; making a record of it, and whatever the callback does with that, happens in a
thread of the tap's own, which is there from the first event on.  So a callback that
raises, blocks or falls behind harms nobody but itself: it loses records, and is told
how many.
"""

from __future__ import annotations

import asyncio
import atexit
import inspect
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

from recording.errors import RecordingFailed
from recording.records import MessageRecord, WireRecord

__all__ = ["CLOSING_TIME", "MAX_WAITING", "MAX_WAITING_OCTETS", "Tap", "wait_for_taps"]

logger = logging.getLogger("recording")

R = TypeVar("R", MessageRecord, WireRecord)

MAX_WAITING = 10_000
"""Records that wait for a callback by default: minutes of a busy console's talk."""

MAX_WAITING_OCTETS = 64 * 1024 * 1024
"""Octets of them: what a peer sends fast is held here while a disk is slow."""

CLOSING_TIME = 5.0
"""Seconds that a program that ends gives its taps to write what they have."""

_RECORD_SIZE = 1000
"""What a record takes beside its octets, roughly."""


class Tap(Generic[R]):
    """What :meth:`Tappable.add_tap` returns: it is there to be removed again.

    Args:
        callback: Called with each record, in a thread of the tap's; an ``async def``
            is run in the loop of whoever added it.  One at a time, in either case.
        max_waiting: Records that may wait for it.
        on_removed: Called when it shall hear nothing more.
    """

    def __init__(
        self,
        callback: Callable[[R], object],
        *,
        max_waiting: int,
        on_removed: Callable[[Tap[R]], None],
    ) -> None:
        self.callback: Callable[[R], object] = callback
        self._is_async = inspect.iscoroutinefunction(callback)
        self._max_waiting = max_waiting
        self._on_removed: Callable[[Tap[R]], None] = on_removed
        self._queue: queue.SimpleQueue[_Waiting[R] | Callable[[], None] | None]
        self._queue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = _running_loop()
        self._removed = False
        self._complained = False
        # Each of these numbers is only ever changed by one thread.
        self._put_records = self._put_octets = 0
        self._turned_away = self._said_turned_away = 0
        self._taken_records = self._taken_octets = 0
        self._spoiled = self._untold = 0

    @property
    def lost(self) -> int:
        """Records that the callback has not got, or has raised at."""
        return self._turned_away + self._spoiled

    @property
    def is_removed(self) -> bool:
        """Whether it hears nothing more."""
        return self._removed

    def remove(self) -> None:
        """Hear nothing more; what waits already is still told.  From any thread."""
        if self._removed:
            return
        self._removed = True
        if self._loop is None or self._loop is _running_loop():
            self._on_removed(self)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_removed, self)
        self._queue.put(None)

    def put(self, make: Callable[[], R], octets: int) -> None:
        """Have a record told, if there is room for it.

        Args:
            make: Makes the record; called in another thread.
            octets: How many it holds.
        """
        if self._removed:
            return
        size = octets + _RECORD_SIZE
        records = self._put_records - self._taken_records
        held = self._put_octets - self._taken_octets
        full = bool(records) and held + size > MAX_WAITING_OCTETS
        if full or records >= self._max_waiting:
            self._turned_away += 1
            return
        before = self._turned_away - self._said_turned_away
        self._said_turned_away = self._turned_away
        self._put_records += 1
        self._put_octets += size
        self._queue.put(_Waiting(make, size, before))
        if self._thread is None:
            self._start()

    def wait(self, timeout: float = CLOSING_TIME) -> bool:
        """Wait until all that was put so far is told; not in an event loop.

        Args:
            timeout: Seconds.

        Returns:
            Whether it is.
        """
        thread = self._thread
        if thread is None:
            return self._queue.empty()
        if self._removed:
            thread.join(timeout)
            return not thread.is_alive()
        told = threading.Event()
        self._queue.put(told.set)
        return told.wait(timeout)

    async def drained(self, timeout: float = CLOSING_TIME) -> bool:
        """Wait until all that was put so far is told.

        Args:
            timeout: Seconds.

        Returns:
            Whether it is.
        """
        return await asyncio.to_thread(self.wait, timeout)

    # In the thread.

    def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        # A program whose tap is stuck shall end all the same.
        thread = threading.Thread(target=self._run, name="tap", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # The next record tries again.
            self._complain(RecordingFailed("a tap", str(error)))
            return
        self._thread = thread
        with _living_lock:
            _living.add(self)

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            if isinstance(item, _Waiting):
                self._tell(item)
                self._taken_octets += item.size
                self._taken_records += 1
            else:
                item()
        if self.lost:
            logger.warning("a tap has lost %d records in all", self.lost)

    def _tell(self, waiting: _Waiting[R]) -> None:
        self._untold += waiting.lost_before
        try:
            record = waiting.make()
            if self._untold:
                record = replace(record, lost=self._untold)
            self._call(record)
        except BaseException as error:  # Nothing that is raised here ends the thread.
            self._spoiled += 1
            self._untold += 1
            self._complain(error)
        else:
            self._untold = 0

    def _call(self, record: R) -> None:
        if not self._is_async:
            self.callback(record)
            return
        assert self._loop is not None
        work = cast("Coroutine[object, object, object]", self.callback(record))
        try:
            told = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError:  # The loop is closed.
            work.close()
            raise
        told.result()

    def _complain(self, error: BaseException) -> None:
        """Say so once: a callback that raises mostly does so each time."""
        if self._complained:
            return
        self._complained = True
        if isinstance(error, RecordingFailed):
            logger.warning("%s", error)
            return
        assert self._loop is not None
        context = {"message": "a tap has raised", "exception": error}
        try:
            self._loop.call_soon_threadsafe(self._loop.call_exception_handler, context)
        except RuntimeError:
            logger.warning("a tap has raised: %s", error)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[R]):
    """A record that isn't made yet."""

    make: Callable[[], R]
    size: int
    lost_before: int
    """How many had no room just before it."""


_living: weakref.WeakSet[Tap[MessageRecord] | Tap[WireRecord]] = weakref.WeakSet()
"""Those that may have something to tell."""

_living_lock = threading.Lock()


def wait_for_taps(callback: object = None, timeout: float = CLOSING_TIME) -> bool:
    """Wait until all taps have told what they have.

    Args:
        callback: Only those that call this.
        timeout: Seconds, for all together.

    Returns:
        Whether they have.
    """
    until, done = time.monotonic() + timeout, True
    with _living_lock:
        living = list(_living)
    for tap in living:
        if callback is None or tap.callback == callback:
            done = tap.wait(max(0.0, until - time.monotonic())) and done
    return done


atexit.register(wait_for_taps)
