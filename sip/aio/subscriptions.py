"""Subscriptions as an application sees them (:rfc:`6665`).

:class:`Subscription` is one of ours: read what the peer tells with ``async for``.
:class:`Watcher` is one that a peer has with us: tell it what there is to tell.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

from sip.aio.driver import Driver
from sip.aio.reasons import error_of
from sip.errors import SubscriptionOver
from sip.fields.subscription import Event
from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.events import (
    NotifyReceived,
    SubscribeReceived,
    SubscriptionEnded,
    SubscriptionRefreshed,
)
from sip.sansio.services import Headers
from sip.sansio.subscriptions.notifier import NotifierState, ServerSubscription
from sip.sansio.subscriptions.subscriber import ClientSubscription, SubscriberState
from sip.sansio.subscriptions.subscriptions import EventPackage
from sip.sansio.user_agent import UserAgentCore

__all__ = [
    "Notification",
    "SubscribeHandler",
    "Subscription",
    "SubscriptionDesk",
    "SubscriptionEvent",
    "Watcher",
]

_log = logging.getLogger("sip.subscription")


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


class Watcher:
    """A subscription that a peer has with us."""

    def __init__(self, driver: Driver, core: ServerSubscription) -> None:
        self._driver = driver
        self._core = core
        self._over: asyncio.Future[None]
        self._over = asyncio.get_running_loop().create_future()

    @property
    def request(self) -> Request:
        """The SUBSCRIBE that began it."""
        return self._core.request

    @property
    def event(self) -> Event:
        """What it is about."""
        return self._core.event

    @property
    def remote(self) -> NameAddr:
        """Who watches."""
        return self._core.request.from_

    @property
    def is_alive(self) -> bool:
        """Whether there is still something to tell."""
        return self._core.is_alive

    def accept(self, *, pending: bool = False) -> None:
        """Take the subscription.

        Args:
            pending: Whether somebody has yet to decide what may be told.

        Raises:
            LocalError: It has been answered before.
        """
        self._core.accept(self._driver.now(), pending=pending)
        self._driver.flush()

    def reject(self, status: int = 403) -> None:
        """Refuse the subscription.

        Raises:
            LocalError: It has been answered before, or ``status`` is no refusal.
        """
        self._core.reject(status, self._driver.now())
        self._driver.flush()

    def notify(
        self,
        body: bytes = b"",
        content_type: str | None = None,
        *,
        headers: Headers = (),
    ) -> None:
        """Tell the whole state; does nothing once it is over.

        Raises:
            LocalError: It hasn't been accepted.
        """
        now = self._driver.now()
        self._core.notify(now, body, content_type, headers=headers)
        self._driver.flush()

    def terminate(
        self, reason: str = "noresource", *, retry_after: int | None = None
    ) -> None:
        """End it; the peer is told why and when to try again, if at all."""
        self._core.terminate(self._driver.now(), reason, retry_after=retry_after)
        self._driver.flush()

    async def ended(self) -> None:
        """Wait until it is over."""
        await asyncio.shield(self._over)

    # What the desk tells.

    def finished(self) -> None:
        """Take note that it is over."""
        if not self._over.done():
            self._over.set_result(None)

    def leave_answered(self, status: int) -> None:
        """Refuse it if nobody has answered it."""
        if self._core.state is NotifierState.ASKED:
            self.reject(status)


SubscriptionEvent: TypeAlias = (
    SubscribeReceived | SubscriptionRefreshed | NotifyReceived | SubscriptionEnded
)
"""What the core reports of subscriptions."""

SubscribeHandler = Callable[[Watcher], Awaitable[None]]
"""What is called with each subscription that a peer asks for."""


class SubscriptionDesk:
    """Where the subscriptions of a user agent are kept.

    Args:
        core: The user agent.

    Attributes:
        driver: What runs the core, once it is open.
    """

    def __init__(self, core: UserAgentCore) -> None:
        self.driver: Driver | None = None
        self._core = core
        self._ours: dict[ClientSubscription, Subscription] = {}
        self._theirs: dict[ServerSubscription, Watcher] = {}
        self._handlers: dict[str, SubscribeHandler] = {}

    def begin(self, core: ClientSubscription) -> Subscription:
        """Take care of a subscription of ours, which has just been made."""
        driver = self._open_driver()
        subscription = self._ours[core] = Subscription(driver, core)
        driver.flush()
        return subscription

    def provide(self, package: EventPackage, handler: SubscribeHandler) -> None:
        """Let peers subscribe to something."""
        self._handlers[package.name] = handler
        self._core.subscriptions.provide(package)

    def handle(self, event: SubscriptionEvent) -> None:
        """Take what the core reports."""
        match event:
            case SubscribeReceived(core):
                driver = self._open_driver()
                watcher = self._theirs[core] = Watcher(driver, core)
                handler = self._handlers[core.event.package]
                driver.spawn(self._run(handler, watcher))
            case NotifyReceived(ours):
                if (subscription := self._ours.get(ours)) is not None:
                    subscription.notified(event)
            case SubscriptionEnded(ClientSubscription() as ours):
                if (known := self._ours.pop(ours, None)) is not None:
                    known.finished(event)
            case SubscriptionEnded(ServerSubscription() as theirs):
                if (gone := self._theirs.pop(theirs, None)) is not None:
                    gone.finished()
            case SubscriptionRefreshed():
                pass  # The core has told the state again.

    async def close(self) -> None:
        """End all subscriptions, and wait for that."""
        watchers, ours = list(self._theirs.values()), list(self._ours.values())
        for watcher in watchers:
            watcher.leave_answered(480)
            watcher.terminate("deactivated")
        await asyncio.gather(
            *(watcher.ended() for watcher in watchers),
            *(subscription.unsubscribe() for subscription in ours),
        )

    def abandon(self) -> None:
        """Tell whoever still waits that there will be no more."""
        for core, subscription in list(self._ours.items()):
            subscription.finished(SubscriptionEnded(core, None, None, None))
        for watcher in self._theirs.values():
            watcher.finished()
        self._ours.clear()
        self._theirs.clear()

    async def _run(self, handler: SubscribeHandler, watcher: Watcher) -> None:
        status = 403
        try:
            await handler(watcher)
        except Exception as exc:
            status = 500
            self._open_driver().report("the handler of a subscription failed", exc)
        finally:
            watcher.leave_answered(status)

    def _open_driver(self) -> Driver:
        assert self.driver is not None
        return self.driver


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
