"""How far a session has come, for those who wait for it."""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Iterator
from contextlib import contextmanager

from msrp.aio.session.signal import wake
from msrp.errors import SessionClosed
from msrp.events import ClosedEvent

__all__ = ["Milestone", "Progress"]


class Milestone(enum.Flag):
    """What a session can have reached, and all but the last can leave again."""

    ESTABLISHED = enum.auto()
    """Messages can flow."""

    TURNED_AWAY = enum.auto()
    """A shared connection doesn't take it; another has to be opened."""

    LOST = enum.auto()
    """There is no connection any more, and no attempt at one."""

    OVER = enum.auto()
    """Nothing will come."""


class Progress:
    """What one session has reached.

    It does what an ``asyncio.Event`` for each milestone would do, in a fraction of
    the memory: a port has thousands of sessions that wait for nothing.
    """

    __slots__ = ("_reached", "_waiting", "end")

    def __init__(self) -> None:
        self._reached = Milestone(0)
        self._waiting: list[tuple[Milestone, asyncio.Future[None]]] = []
        self.end: ClosedEvent | None = None
        """How it has ended."""

    def __contains__(self, milestone: Milestone) -> bool:
        return bool(self._reached & milestone)

    def reach(self, milestone: Milestone) -> None:
        """Let those go on who wait for this."""
        self._reached |= milestone
        wake(future for wanted, future in self._waiting if wanted & milestone)

    def leave(self, milestone: Milestone) -> None:
        """Note that this is so no longer."""
        self._reached &= ~milestone

    def finish(self, end: ClosedEvent) -> None:
        """Note that it is over; how it has ended first is how it has ended."""
        if self.end is None:
            self.end = end
        self.reach(Milestone.OVER)

    async def wait(self, wanted: Milestone) -> None:
        """Wait until one of these is reached; it may be left by then."""
        if self._reached & wanted:
            return
        future = asyncio.get_running_loop().create_future()
        with self.waking(future, wanted):
            await future

    @contextmanager
    def waking(self, future: asyncio.Future[None], wanted: Milestone) -> Iterator[None]:
        """Have a future done, too, that waits for something else, inside of ``with``.

        Args:
            future: It.
            wanted: What will do, if it is reached from now on.
        """
        entry = wanted, future
        self._waiting.append(entry)
        try:
            yield
        finally:
            self._waiting.remove(entry)

    async def established(self) -> None:
        """Wait until messages can flow.

        Raises:
            ConnectionFailed: They never can.
            SessionClosed: It was shut down before.
        """
        await self.wait(Milestone.ESTABLISHED | Milestone.OVER)
        if Milestone.ESTABLISHED in self or self.end is None:
            return  # Or it was, and is lost since; that is told elsewhere.
        raise self.end.error or SessionClosed(self.end.reason)

    async def closed(self) -> ClosedEvent:
        """Wait until it is over, and return how it ended."""
        await self.wait(Milestone.OVER)
        assert self.end is not None
        return self.end
