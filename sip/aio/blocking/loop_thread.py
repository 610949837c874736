"""An event loop in a thread of its own, for programs that have none."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar

from sip.errors import LocalError

__all__ = ["LoopThread"]

P = ParamSpec("P")
T = TypeVar("T")

_GRACE = 10.0
"""Seconds for what is cancelled to clean up, such as a call that has to be ended."""


class LoopThread:
    """Runs coroutines in a loop of its own, and lets other threads wait for them.

    Use it as a context manager.  The thread isn't a daemon: what is under way when it
    is left is cancelled, and ends in good order.
    """

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None
        self._stack: contextlib.AsyncExitStack | None = None
        self._underway: set[_Running[Any]] = set()
        self._lock = threading.Lock()
        self._is_over = False

    @property
    def is_running(self) -> bool:
        """Whether the loop runs."""
        return self._loop is not None

    def run(self, work: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine in the loop, and wait for its result.

        If this is interrupted with Ctrl-C, or takes too long, the coroutine is
        cancelled, and has time to clean up.

        Args:
            work: The coroutine.
            timeout: Seconds to wait; for ever by default.

        Raises:
            TimeoutError: It took too long.
            LocalError: The loop doesn't run, or this would wait for itself, because
                it is called by something that runs in the loop.
            TypeError: ``work`` is no coroutine; perhaps it wants to be called.
        """
        if not asyncio.iscoroutine(work):
            raise TypeError(f"what runs is a coroutine, not {type(work).__name__}")
        if self._thread is threading.current_thread():
            work.close()
            raise LocalError("what runs in the loop must await, not wait")
        running: _Running[T] = _Running(work)
        with self._lock:
            if self._loop is None:
                work.close()
                raise LocalError("the loop doesn't run")
            self._underway.add(running)
            running.begin(self._loop)
        try:
            return running.result(timeout)
        except BaseException:
            running.give_up()
            raise
        finally:
            with self._lock:
                self._underway.discard(running)

    def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in the loop, and wait for what it returns.

        That is for what waits for nothing and yet belongs to the loop, such as
        ``agent.do(connection.composing)``.

        Args:
            work: The function, which must not block.
            args: Its arguments.
            kwargs: Those by name.

        Raises:
            LocalError: As for :meth:`run`.
        """

        async def call() -> T:
            return work(*args, **kwargs)

        return self.run(call())

    def enter(self, manager: AbstractAsyncContextManager[T]) -> T:
        """Enter an asynchronous context manager, and leave it when this is left.

        The last one is left first, as with :class:`contextlib.ExitStack`.
        """
        return self.run(self._enter(manager))

    def close(self) -> None:
        """Leave what was entered, cancel what is under way, and end the thread."""
        thread = self._thread
        with self._lock:
            self._is_over = True
            if self._loop is not None and self._closing is not None:
                self._loop.call_soon_threadsafe(self._closing.set)
        if thread is not None:
            thread.join()

    def __enter__(self) -> Self:
        """Start the thread."""
        self._is_over = False
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._main, args=(started,), name="sip")
        self._thread.start()
        try:
            started.result()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the thread."""
        self.close()

    def _main(self, started: concurrent.futures.Future[None]) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.get_loop()  # Whose making may fail.
                runner.run(self._serve(started))
        except Exception as exc:
            if started.done():
                raise
            started.set_exception(exc)  # There is no room for a loop.
        finally:
            with self._lock:
                self._loop = None
                for running in self._underway:
                    running.fail()

    async def _serve(self, started: concurrent.futures.Future[None]) -> None:
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._closing = asyncio.Event()
            if self._is_over:
                self._closing.set()  # Whoever wanted it has been interrupted.
        async with contextlib.AsyncExitStack() as self._stack:
            started.set_result(None)
            await self._closing.wait()

    async def _enter(self, manager: AbstractAsyncContextManager[T]) -> T:
        assert self._stack is not None
        return await self._stack.enter_async_context(manager)


class _Running(concurrent.futures.Future[T]):
    """A coroutine that runs in a loop while another thread waits for it."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        super().__init__()
        self._work = work
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[T] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to run in a loop, which isn't closed."""
        self._loop = loop
        loop.call_soon_threadsafe(self._start)

    def give_up(self) -> None:
        """Cancel the coroutine, and wait until it has cleaned up."""
        if self._loop is not None and not self.done():
            with contextlib.suppress(RuntimeError):  # The loop has just been closed.
                self._loop.call_soon_threadsafe(self._cancel)
            concurrent.futures.wait([self], _GRACE)

    def fail(self) -> None:
        """Take note that the loop has ended."""
        if not self.done():
            if self._task is None:
                self._work.close()
            self.set_exception(LocalError("the loop was ended"))

    def _start(self) -> None:
        assert self._loop is not None
        self._task = self._loop.create_task(self._work)
        self._task.add_done_callback(self._finish)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _finish(self, task: asyncio.Task[T]) -> None:
        error = None if task.cancelled() else task.exception()
        if task.cancelled():
            self.set_exception(LocalError("the loop was ended"))
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(task.result())
