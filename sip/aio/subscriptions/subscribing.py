"""Subscriptions as a user agent offers them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from sip.aio.calls.call import Headers
from sip.aio.locating.ways import Ways
from sip.aio.opened import Opened
from sip.aio.subscriptions.desk import SubscribeHandler, SubscriptionDesk
from sip.aio.subscriptions.subscription import Subscription
from sip.fields.subscription import Event
from sip.sansio.subscriptions.subscriptions import EventPackage
from sip.sansio.user_agent import UserAgentCore

__all__ = ["Subscribing"]


class Subscribing(Opened):
    """What a user agent does with subscriptions."""

    _core: UserAgentCore
    _subscriptions: SubscriptionDesk
    _ways: Ways

    async def subscribe(
        self,
        uri: str,
        event: str,
        *,
        expires: int | None = 3_600,
        accept: Sequence[str] = (),
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        outbound_proxy: str | None = None,
    ) -> Subscription:
        """Subscribe to something; return when the peer has told the first of it.

        It is refreshed by itself.  Cancelling this unsubscribes.

        Args:
            uri: With whom.
            event: To what: an event package, with parameters if need be.
            expires: For how many seconds at a time; 0 fetches the state once.
            accept: Which types of content to take.
            headers: More headers.
            body: What the package wants in a SUBSCRIBE.
            content_type: The type of ``body``.
            outbound_proxy: The proxy to go by, if not that of the agent.

        Raises:
            CallRefused: The peer refused.
            CallTimeout: Nobody answered, or told anything.
            TransportError: No address took the request.
            LocalError: Something here can't be put into a request.
            SipParseError: ``event`` isn't one.
        """
        self._open_driver()
        core = self._core.subscriptions.subscribe(
            self._ways.target(uri, outbound_proxy),
            Event.parse(event),
            expires=expires,
            accept=accept,
            headers=headers,
            route_set=self._ways.route_set(outbound_proxy),
            body=body,
            content_type=content_type,
        )
        subscription = self._subscriptions.begin(core)
        try:
            await subscription.established()
        except asyncio.CancelledError:
            subscription.abandon()
            raise
        return subscription

    def on_subscribe(
        self, package: str | EventPackage
    ) -> Callable[[SubscribeHandler], SubscribeHandler]:
        """Set what is called when somebody subscribes to something; a decorator.

        It runs in a task of its own.  If it returns without an answer the
        subscription is refused with 403, if it fails with 500.

        Args:
            package: What may be subscribed to.
        """
        if isinstance(package, str):
            package = EventPackage(name=package)

        def decorate(handler: SubscribeHandler) -> SubscribeHandler:
            self._subscriptions.provide(package, handler)
            return handler

        return decorate
