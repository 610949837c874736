"""A clock that skips the time in which nothing happens.

What waits for 32 seconds without an answer, or for a random time after two offers
have crossed, is tested with the times that it really has; only nobody sits there
waiting.  All that is in the loop sees the same time, so whatever is due first comes
first.  It is for tests whose peers are in the same loop: of another process nobody
could tell whether it is silent or slow.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["skipped_silence"]

SILENCE = 0.05
"""Real seconds for which nothing has come when the next timer's time is now.

What a socket of the loopback has sent, another can read at once, or after the 40 ms
for which TCP may keep an acknowledgement.
"""

PACE = 10
"""How many times as fast the time to a timer passes that is not so far away."""


class _Skipper:
    """Stands between a loop and its selector.

    Args:
        loop: Whose time it is.
        select: Waits for sockets.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        select: Callable[[float | None], list[Any]],
    ) -> None:
        self._select = select
        self._time = loop.time
        self._run_in_executor = loop.run_in_executor
        self._skipped = 0.0
        self._at_work = 0

    def time(self) -> float:
        """Return what the loop takes for the time."""
        return self._time() + self._skipped

    def select(self, timeout: float | None = None) -> list[Any]:
        """Wait for sockets; if there is nothing for a while, it gets late at once."""
        if timeout is None or timeout <= 0 or self._at_work:
            return self._select(timeout)
        waited = min(timeout / PACE, SILENCE)
        ready = self._select(waited)
        if not ready:
            self._skipped += timeout - waited
        return ready

    def run_in_executor(self, *arguments: Any) -> asyncio.Future[Any]:
        """Give work to a thread, which takes the time that it takes."""
        working = self._run_in_executor(*arguments)
        self._at_work += 1
        working.add_done_callback(self._done)
        return working

    def _done(self, working: asyncio.Future[Any]) -> None:
        self._at_work -= 1


@contextlib.contextmanager
def skipped_silence(allowed: float) -> Iterator[None]:
    """Have the running loop skip the time in which nothing happens, from now on.

    Args:
        allowed: Seconds of the loop's time that this may take.  What would wait too
            long is found out here, as it is by a test that ends too late.
    """
    loop: Any = asyncio.get_running_loop()
    selector = loop._selector
    skipper = _Skipper(loop, selector.select)
    selector.select = skipper.select
    loop.time = skipper.time
    loop.run_in_executor = skipper.run_in_executor
    began = skipper.time()
    yield
    took = skipper.time() - began
    assert took < allowed, f"nobody waits {took:.0f} s for that"
