"""Where the subscriptions of a user agent are kept, ours and those of peers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sip.aio.driver import Driver
from sip.aio.subscriptions.subscription import Subscription
from sip.aio.subscriptions.watcher import Watcher
from sip.sansio.events import (
    NotifyReceived,
    SubscribeReceived,
    SubscriptionEnded,
    SubscriptionRefreshed,
)
from sip.sansio.subscriptions.notifier import ServerSubscription
from sip.sansio.subscriptions.subscriber import ClientSubscription
from sip.sansio.subscriptions.subscriptions import EventPackage
from sip.sansio.user_agent import UserAgentCore

__all__ = ["SubscribeHandler", "SubscriptionDesk", "SubscriptionEvent"]


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
