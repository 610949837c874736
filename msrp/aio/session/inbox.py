"""What has happened and was not yet told: one queue, one task, wire order.

Each event has one owner.  A message goes to the hooks that are set for it; one that
no hook takes waits in the inbox for ``async for``, or for a hook that is set later.
A notice that no hook takes is dropped, because each has an awaitable twin.  The
octets that wait are counted, those of notices too, and too many of them stop the
reading: that is what holds the peer back.  But while the application waits for what
only the peer can tell, such as whether a message of ours has arrived, reading goes
on: the handler that holds everything up may be the one who waits.  Should even that
become too much, new messages are refused.

The task is there only while something waits.  A text before which nothing does is told
at once to the only hook for it, and a task begins where that hook has to be awaited.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import Protocol

from msrp.aio.session.dispatch import Notice, Undelivered
from msrp.aio.session.signal import Signal
from msrp.config import Limits
from msrp.content import MessageReceived
from msrp.errors import ConcurrencyError
from msrp.events import (
    IncompleteMessage,
    MessageRefused,
    NicknameReceived,
    ReportReceived,
)
from msrp.imdn import DispositionNotification

__all__ = ["Hearer", "Inbox", "InboxOwner"]

_OVERHEAD = 200
"""What an event costs beside its octets, roughly."""

_PATIENCE = 4
"""How often the limit fits into what is taken while somebody waits for the peer."""

_COUNTLESS = (MessageRefused, NicknameReceived, ReportReceived)
"""Notices that a peer can cause at no cost: they are dropped where nothing fits."""


class Hearer(Protocol):
    """Who is told: the hooks of a connection, or what stands before them."""

    async def deliver(self, event: Notice | Undelivered) -> bool:
        """Call the hooks for one event and tell whether that was enough.

        A message for which it returns ``False`` is kept for ``async for``.
        """

    def begin(self, undelivered: Undelivered) -> Awaitable[None] | bool:
        """Call the hooks for a message at once, if that can be.

        Returns:
            ``False`` if it can't; else what is left to be awaited, if anything is.
        """


class InboxOwner(Protocol):
    """Who holds the peer back."""

    def flow_changed(self) -> None:
        """Be told that reading may go on, or perhaps no more."""


class Inbox:
    """The undelivered events of one connection.

    Args:
        limits: How much may wait.
        hearer: Who is told.
        owner: Who reads no more while too much waits.
    """

    __slots__ = (
        "_arrived",
        "_events",
        "_finished",
        "_hearer",
        "_iterating",
        "_kept",
        "_left",
        "_limits",
        "_octets",
        "_over",
        "_owner",
        "_queue",
        "_started",
        "_task",
        "full",
    )

    def __init__(
        self,
        limits: Limits,
        hearer: Hearer,
        owner: InboxOwner,
    ) -> None:
        self._limits = limits
        self._hearer = hearer
        # Not some of their methods: those would be more objects for each session.
        self._owner = owner
        self._left: Awaitable[None] | None = None
        """What a hook that was called at once has left to be awaited."""
        # A deque takes 700 octets, and most sessions are silent most of the time.
        self._queue: deque[Notice | Undelivered] | None = None
        self._kept: deque[Undelivered] | None = None
        self._octets = 0
        self._events = 0
        # No property: it is asked more often than it changes.
        self.full = self._is_over(1)
        """Whether so much waits that the peer should be held back."""
        self._arrived = Signal()
        self._iterating = False
        self._finished = False
        self._started = False
        self._over = False
        self._task: asyncio.Task[None] | None = None
        """What delivers, while there is something to deliver."""

    def deliver_by(self, hearer: Hearer) -> None:
        """Have the hooks called by somebody else from now on."""
        self._hearer = hearer

    def start(self) -> None:
        """Begin to deliver."""
        self._started = True
        if self._queue or self._finished:
            self._go_on()

    def has_room(self) -> bool:
        """Tell whether anything more can be taken at all."""
        return not (self.full and self._is_over(_PATIENCE))

    @property
    def finished(self) -> bool:
        """Whether nothing more will come."""
        return self._finished

    def put(self, event: Notice | Undelivered) -> None:
        """Add what has happened."""
        if self._is_told_at_once(event):
            return
        if isinstance(event, _COUNTLESS) and not self.has_room():
            return
        if self._queue is None:
            self._queue = deque()
        self._queue.append(event)
        self._count(event)
        self._go_on()

    def _is_told_at_once(self, event: Notice | Undelivered) -> bool:
        """Call the hooks for a message before which nothing waits, if that can be.

        What a task of the application brings about is told later, in ours: the hook
        would else be called in the midst of what that task does.
        """
        if type(event) is not Undelivered:
            return False
        if self._queue is not None or self._task is not None:
            return False
        if not self._started or self._over or asyncio.current_task() is not None:
            return False
        left = self._hearer.begin(event)
        if left is True or left is False:
            return left
        self._left = left
        self._go_on()
        return True

    def finish(self) -> None:
        """Note that nothing more will come; what is there is still delivered."""
        self._finished = True
        self._go_on()

    def hooks_changed(self) -> None:
        """Offer what was kept to the hooks again."""
        # Nothing is told after the last event, which tells that all is over.
        ending = self._finished and not self._queue
        if self._kept and not self._iterating and not ending:
            self._queue = deque((*self._kept, *(self._queue or ())))
            self._kept = None
            self._arrived.clear()
            self._go_on()

    async def join(self) -> None:
        """Wait until the hooks have seen everything, unless one of them asks."""
        if self._task is not None and self._task is not asyncio.current_task():
            await asyncio.shield(self._task)

    async def get(self) -> MessageReceived | None:
        """Return the next message that no hook took; ``None`` after the last.

        Raises:
            ConcurrencyError: Another task is already waiting here.
        """
        if self._iterating:
            raise ConcurrencyError("two tasks read the messages of one connection")
        self._iterating = True
        try:
            while not self._kept:
                if self._over or not self._started:
                    return None
                self._arrived.clear()
                await self._arrived.wait()
            kept = self._kept.popleft()
            self._kept = self._kept or None
        finally:
            self._iterating = False
        self._let_go(kept)
        return kept.message

    def _go_on(self) -> None:
        if self._task is None and self._started and not self._over:
            self._task = asyncio.create_task(self._run(), name="msrp inbox")

    async def _run(self) -> None:
        try:
            if self._left is not None:
                left, self._left = self._left, None
                await left
            while self._queue:
                await self._hand_over(self._queue.popleft())
        except BaseException:
            self._end()  # As when the loop is closed.
            raise
        self._queue = self._task = None
        if self._finished:
            self._end()

    def _end(self) -> None:
        """Have whoever iterates learn that nothing more will come."""
        self._over = True
        asyncio.get_running_loop().call_soon(self._arrived.set)

    async def _hand_over(self, event: Notice | Undelivered) -> None:
        # What a handler has in its hands is not what waits.
        self._let_go(event)
        taken = await self._hearer.deliver(event)
        if isinstance(event, Undelivered) and not taken:
            self._count(event)
            if self._kept is None:
                self._kept = deque()
            self._kept.append(event)
            self._arrived.set()

    def _is_over(self, times: int) -> bool:
        return (
            self._octets >= times * self._limits.max_undelivered_octets
            or self._events >= times * self._limits.max_undelivered_messages
        )

    def _count(self, event: Notice | Undelivered) -> None:
        self._octets += _octets_of(event)
        self._events += 1
        if not self.full and self._is_over(1):
            self.full = True
            self._owner.flow_changed()

    def _let_go(self, event: Notice | Undelivered) -> None:
        self._octets -= _octets_of(event)
        self._events -= 1
        if self.full and not self._is_over(1):
            self.full = False
            self._owner.flow_changed()


def _octets_of(event: Notice | Undelivered) -> int:
    if isinstance(event, Undelivered):
        return event.size + _OVERHEAD
    if isinstance(event, IncompleteMessage):
        return sum(len(octets) for _, octets in event.ranges) + _OVERHEAD
    if isinstance(event, DispositionNotification):
        return event.imdn.size + _OVERHEAD
    return _OVERHEAD
