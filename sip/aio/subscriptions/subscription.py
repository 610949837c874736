"""A subscription of ours, as an application sees it (:rfc:`6665`)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from sip.aio.driver import Driver
from sip.aio.reasons import error_of
from sip.errors import SubscriptionOver
from sip.fields.subscription import Event
from sip.message import Request
from sip.sansio.events import NotifyReceived, SubscriptionEnded
from sip.sansio.subscriptions.subscriber import ClientSubscription, SubscriberState

__all__ = ["Notification", "Subscription"]


@dataclass(frozen=True, slots=True)
class Notification:
    """What a peer told us."""

    request: Request
    """The NOTIFY, with all its headers."""

    state: str
    """``"active"``, ``"pending"`` or ``"terminated"``."""

    @property
    def body(self) -> bytes:
        """The state that was subscribed to; empty if the peer told none."""
        return self.request.body

    @property
    def content_type(self) -> str | None:
        """The type of :attr:`body`."""
        return self.request.content_type


class Subscription:
    """A subscription of ours; it is refreshed by itself until it is over.

    Iterate over it to hear what the peer tells; of more than
    :attr:`~sip.Limits.waiting_notifies` that nobody has read the oldest are dropped,
    since each tells the whole state.  Leaving it as a context manager
    unsubscribes.
    """

    def __init__(self, driver: Driver, core: ClientSubscription) -> None:
        self._driver = driver
        self._core = core
        self._news: deque[Notification] = deque(
            maxlen=driver.core.limits.waiting_notifies
        )
        self._changed = asyncio.Event()
        self._over: asyncio.Future[SubscriptionEnded]
        self._over = asyncio.get_running_loop().create_future()

    @property
    def event(self) -> Event:
        """What it is about."""
        return self._core.event

    @property
    def state(self) -> SubscriberState:
        """How far it has come."""
        return self._core.state

    @property
    def request(self) -> Request:
        """The request that asked for it."""
        return self._core.request

    async def unsubscribe(self) -> None:
        """End it and wait until it is over; does nothing if it is."""
        self.abandon()
        await asyncio.shield(self._over)

    def abandon(self) -> None:
        """Begin to end it, without waiting."""
        self._core.unsubscribe(self._driver.now())
        self._driver.flush()

    async def established(self) -> None:
        """Wait for the first that the peer tells.

        Raises:
            CallRefused: The peer refused.
            CallTimeout: The peer told nothing.
            SubscriptionOver: It was over before it began.
            TransportError: No address took the request.
        """
        while self._core.state is SubscriberState.REQUESTED:
            await self._change()
        if not self._news:
            self._raise_if_over()

    async def ended(self) -> Exception | None:
        """Wait until it is over.

        Returns:
            Why, unless we ended it ourselves: what :meth:`__anext__` raises.
        """
        ended = await asyncio.shield(self._over)
        return None if _is_our_wish(ended) else self._why(ended)

    def __aiter__(self) -> AsyncIterator[Notification]:
        """Read what the peer tells."""
        return self

    async def __anext__(self) -> Notification:
        """Wait for what the peer tells next.

        Raises:
            StopAsyncIteration: We have unsubscribed, or the peer has nothing more to
                tell.
            SubscriptionOver: The peer ended it for another reason, which a new
                subscription may not meet.
            CallRefused: The peer refused.
            CallTimeout: The peer is silent.
            TransportError: The peer can't be reached.
        """
        while not self._news:
            self._raise_if_over()
            if self._over.done():
                raise StopAsyncIteration
            await self._change()
        return self._news.popleft()

    async def __aenter__(self) -> Self:
        """Give the subscription back."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Unsubscribe."""
        await self.unsubscribe()

    # What the desk tells.

    def notified(self, event: NotifyReceived) -> None:
        """Take note of what the peer told."""
        self._news.append(Notification(event.request, event.told.state))
        self._wake()

    def finished(self, event: SubscriptionEnded) -> None:
        """Take note that it is over."""
        if not self._over.done():
            self._over.set_result(event)
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change(self) -> None:
        await self._changed.wait()

    def _raise_if_over(self) -> None:
        if not self._over.done():
            return
        ended = self._over.result()
        if not _is_our_wish(ended) and not _is_complete(ended):
            raise self._why(ended)

    def _why(self, ended: SubscriptionEnded) -> Exception:
        if ended.response is not None or ended.failure is not None:
            timers = self._driver.core.timers
            return error_of(ended.response, ended.failure, self._core.sent, timers)
        if ended.told is None:
            return SubscriptionOver("the user agent was closed")
        words = _REASONS.get(ended.told.reason or "", "the peer ended it")
        return SubscriptionOver(words, retry_after=ended.told.retry_after)


def _is_our_wish(ended: SubscriptionEnded) -> bool:
    """Tell whether it ended because we unsubscribed."""
    core = ended.subscription
    return (
        isinstance(core, ClientSubscription)
        and core.was_unsubscribed
        and ended.failure is None
    )


def _is_complete(ended: SubscriptionEnded) -> bool:
    """Tell whether the peer has told all that there is to tell."""
    told = ended.told
    return told is not None and (
        told.reason in (None, "noresource") or ended.subscription.request.expires == 0
    )


_REASONS = {
    "deactivated": "the peer wants it to be made anew",
    "giveup": "the peer could not find out whether to allow it",
    "invariant": "what was subscribed to will never change",
    "noresource": "what was subscribed to is no longer there",
    "probation": "the peer wants it to be made anew later",
    "rejected": "the peer no longer allows it",
    "timeout": "its time is over",
}
"""What peers may say, in words (:rfc:`6665#section-4.1.3`)."""
