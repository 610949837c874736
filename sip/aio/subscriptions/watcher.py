"""A subscription that a peer has with us, as an application sees it (:rfc:`6665`)."""

from __future__ import annotations

import asyncio

from sip.aio.driver import Driver
from sip.fields.subscription import Event
from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.services import Headers
from sip.sansio.subscriptions.notifier import NotifierState, ServerSubscription

__all__ = ["Watcher"]


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
