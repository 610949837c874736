"""REFER as an application sees it: a call is passed on (:rfc:`3515`, :rfc:`5589`).

:class:`Referral` is a REFER of ours and what becomes of it; :class:`IncomingRefer` is
one of a peer, who asks us to call somebody.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

from sip.aio.calls.call import Call
from sip.aio.calls.desk import CallDesk
from sip.aio.driver import Driver
from sip.aio.subscriptions.desk import SubscriptionDesk
from sip.aio.subscriptions.subscription import Subscription
from sip.errors import CallRefused, LocalError, SipError, TransferFailed
from sip.fields.replaces import Replaces
from sip.media import Media
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.sansio.events import ReferReceived
from sip.sansio.requests.redirect import harmless_headers
from sip.sansio.services import Headers
from sip.sansio.subscriptions.notifier import NotifierState
from sip.sansio.subscriptions.refer import ServerRefer, read_sipfrag
from sip.sansio.user_agent import UserAgentCore
from sip.uri import SipUri, Uri

__all__ = ["IncomingRefer", "ReferHandler", "Referral", "TransferDesk"]

_log = logging.getLogger("sip.transfer")


class Referral:
    """A REFER of ours; iterate over it to hear how it goes."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._final: tuple[int, str] | None = None

    @property
    def request(self) -> Request:
        """The REFER."""
        return self._subscription.request

    async def __aiter__(self) -> AsyncIterator[tuple[int, str]]:
        """Read the status codes and words that the peer is answered with.

        Raises:
            CallRefused: The peer doesn't take the REFER.
            CallTimeout: It told nothing.
            TransportError: It can't be reached.
        """
        async for notification in self._subscription:
            told = read_sipfrag(notification.body)
            if told is not None:
                self._final = told if told[0] >= 200 else self._final
                yield told

    async def completed(self) -> None:
        """Wait until the peer has got where it was sent.

        Raises:
            TransferFailed: It hasn't.
            CallRefused: It doesn't take the REFER.
            CallTimeout: It told nothing.
            TransportError: It can't be reached.
        """
        async for _ in self:
            pass
        if self._final is None:
            raise TransferFailed(None)
        if self._final[0] >= 300:
            raise TransferFailed(self._final[0])

    async def forget(self) -> None:
        """Hear no more of it; what the peer does goes on."""
        await self._subscription.unsubscribe()

    def abandon(self) -> None:
        """Do as :meth:`forget` without waiting."""
        self._subscription.abandon()


class Inviter(Protocol):
    """What following a REFER needs of the user agent."""

    async def invite(
        self,
        uri: str,
        *,
        media: Sequence[Media],
        headers: Headers = (),
        on_progress: Callable[[Response], None] | None = None,
    ) -> Call:
        """Call somebody."""


class IncomingRefer:
    """A peer asks us to call somebody: follow, accept or reject it."""

    def __init__(
        self, driver: Driver, core: ServerRefer, agent: Inviter, call: Call | None
    ) -> None:
        self.call = call
        """The call that it came in; ``None`` if it came by itself."""
        self._driver = driver
        self._core = core
        self._agent = agent

    @property
    def request(self) -> Request:
        """The REFER, with all its headers."""
        return self._core.request

    @property
    def target(self) -> NameAddr:
        """Whom to call; the URI may have headers for the INVITE."""
        return self._core.refer_to

    @property
    def referred_by(self) -> str | None:
        """Who asks for it, if that is said: a claim, not a proof (:rfc:`3892`)."""
        return self._core.referred_by

    def accept(self) -> None:
        """Agree; then :meth:`tell` the peer what becomes of it.

        Raises:
            LocalError: It has been answered before.
        """
        self._core.accept(self._driver.now())
        self._driver.flush()

    def reject(self, status: int = 603) -> None:
        """Refuse.

        Raises:
            LocalError: It has been answered before, or ``status`` is no refusal.
        """
        self._core.reject(status, self._driver.now())
        self._driver.flush()

    def tell(self, status: int, reason: str | None = None) -> None:
        """Tell the peer of a response to our own request; a final one ends it.

        Raises:
            LocalError: It hasn't been accepted.
        """
        self._core.tell(status, self._driver.now(), reason)
        self._driver.flush()

    async def follow(self, media: Sequence[Media], *, headers: Headers = ()) -> Call:
        """Agree, call whom the peer names, and tell it how that goes.

        Of the headers in the URI those are sent that can't do harm, Replaces among
        them.  The call that the REFER came in goes on: the peer ends it when it has
        heard of the success.

        Args:
            media: What to offer.
            headers: More headers for the INVITE.

        Raises:
            LocalError: It has been answered before, or the URI isn't one to call.
            SipError: As for :meth:`~sip.UserAgent.invite`; the peer has been told.
        """
        uri = self.target.uri
        if not isinstance(uri, SipUri):
            self.reject(416)
            raise LocalError("only sip and sips URIs can be called")
        self.accept()
        wanted: list[tuple[str, str]] = [*harmless_headers(uri), *headers]
        if self.referred_by is not None:
            wanted.append(("Referred-By", self.referred_by))
        _log.info("following a REFER")
        try:
            call = await self._agent.invite(
                str(uri.for_request_line()),
                media=media,
                headers=wanted,
                on_progress=lambda response: self.tell(response.status),
            )
        except BaseException as exc:
            self.tell(_status_of(exc))
            raise
        self.tell(200)
        return call

    def leave_answered(self, status: int) -> None:
        """Give a last word if nobody has."""
        if self._core.subscription.state is NotifierState.ASKED:
            self.reject(status)
        elif self._core.subscription.is_alive and status == 500:
            self.tell(status)


ReferHandler = Callable[[IncomingRefer], Awaitable[None]]
"""What is called with each REFER that comes in."""


class TransferDesk:
    """Where the REFERs of a user agent are handled.

    Args:
        core: The user agent.
        agent: What makes calls.
        calls: Its calls.
        subscriptions: Its subscriptions, by which one hears of a REFER.

    Attributes:
        driver: What runs the core, once it is open.
    """

    def __init__(
        self,
        core: UserAgentCore,
        agent: Inviter,
        calls: CallDesk,
        subscriptions: SubscriptionDesk,
    ) -> None:
        self.driver: Driver | None = None
        self._core = core
        self._agent = agent
        self._calls = calls
        self._subscriptions = subscriptions
        self._handler: ReferHandler | None = None

    def answer_with(self, handler: ReferHandler) -> None:
        """Set what is called with each REFER that comes in."""
        self._handler = handler
        self._core.admission = self._core.admission.including("REFER", "SUBSCRIBE")

    def refer(
        self,
        uri: Uri,
        refer_to: NameAddr,
        *,
        headers: Headers,
        route_set: Sequence[NameAddr],
    ) -> Referral:
        """Ask somebody with whom there is no call."""
        core = self._core.refers.refer(
            uri, refer_to, headers=headers, route_set=route_set
        )
        return Referral(self._subscriptions.begin(core))

    def refer_inside(
        self, call: Call, refer_to: NameAddr, *, headers: Headers
    ) -> Referral:
        """Ask the peer of a call."""
        user = self._calls.core_of(call)
        if user is None:
            raise LocalError("the call is over")
        core = self._core.refers.refer_inside(user, refer_to, headers=headers)
        return Referral(self._subscriptions.begin(core))

    async def transfer(self, call: Call, to: NameAddr, *, headers: Headers) -> None:
        """Send the peer of a call to somebody else, and hang up when it is there."""
        referral = self.refer_inside(call, to, headers=headers)
        try:
            await referral.completed()
        except asyncio.CancelledError:
            referral.abandon()
            raise
        await call.bye()

    def target_of(self, call: Call) -> NameAddr:
        """Return how to name a call so that another takes its place.

        Raises:
            LocalError: It hasn't been answered, or is over.
        """
        core = self._calls.core_of(call)
        dialog = None if core is None else core.dialog
        if dialog is None or not call.answered:
            raise LocalError("only a call that was answered can be taken over")
        call_id, local, remote = dialog.key
        uri = dialog.remote_target
        if not isinstance(uri, SipUri):
            raise LocalError("the peer of that call can't be called")
        replaces = Replaces(call_id, to_tag=remote, from_tag=local)
        return NameAddr(None, uri.with_header("Replaces", str(replaces)))

    def handle(self, event: ReferReceived) -> None:
        """Take what the core reports."""
        driver, handler = self.driver, self._handler
        assert driver is not None
        assert handler is not None
        call = self._calls.of(event.refer.user)
        refer = IncomingRefer(driver, event.refer, self._agent, call)
        driver.spawn(self._run(handler, refer))

    async def _run(self, handler: ReferHandler, refer: IncomingRefer) -> None:
        """Let the application decide about a REFER, and answer it in any case."""
        status = 603
        try:
            await handler(refer)
        except SipError as exc:
            # The one who was called, or the peer, of whom the handler was told.
            _log.info("a REFER came to nothing: %s", exc)
        except Exception as exc:
            status = 500
            assert self.driver is not None
            self.driver.report("the handler of a REFER failed", exc)
        finally:
            refer.leave_answered(status)


def _status_of(error: BaseException) -> int:
    """Return what to tell of a call that failed."""
    if isinstance(error, CallRefused):
        return error.status
    return 408 if isinstance(error, TimeoutError) else 503
