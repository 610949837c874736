"""The calls of a user agent: how they begin, and how all of them end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import mime
from sip.aio.calls.call import Call, Headers
from sip.aio.calls.incoming import IncomingCall
from sip.aio.calls.outgoing import OutgoingCall
from sip.aio.driver import Driver
from sip.aio.locating.ways import Ways
from sip.aio.reasons import error_of
from sip.errors import CallError
from sip.media import Media, compose_body, make_offer, parts_of
from sip.message import Response
from sip.name_addr import NameAddr
from sip.sansio.calls.call import Call as CallCore
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.early import EarlyDialog
from sip.sansio.calls.events import (
    CallAcknowledged,
    CallAnswered,
    CallProgressed,
    NegotiationEvent,
)
from sip.sansio.calls.server import ServerCall
from sip.sansio.events import (
    CallEnded,
    CallFailed,
    CallReceived,
    CallUnanswered,
    EndReason,
)
from sip.sansio.services import DialogUser
from sip.sansio.user_agent import UserAgentCore
from sip.uri import Uri

__all__ = ["CallDesk", "CallEvent", "InviteHandler"]

_log = logging.getLogger("sip.agent")

InviteHandler = Callable[[IncomingCall], Awaitable[None]]
"""What is called with each call that comes in."""

CallEvent: TypeAlias = (
    CallReceived
    | CallProgressed
    | CallAnswered
    | CallFailed
    | CallUnanswered
    | CallEnded
    | CallAcknowledged
    | NegotiationEvent
)
"""What the core reports of calls."""


class CallDesk:
    """Where the calls of a user agent are kept.

    Args:
        core: The user agent.
        ways: The ways to peers.

    Attributes:
        driver: What runs the core, once it is open.
    """

    def __init__(self, core: UserAgentCore, ways: Ways) -> None:
        self.driver: Driver | None = None
        self._core = core
        self._ways = ways
        self._handler: InviteHandler | None = None
        self._calls: dict[CallCore, Call] = {}
        core.answers_calls = False

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that aren't over."""
        return tuple(self._calls.values())

    def of(self, user: DialogUser | None) -> Call | None:
        """Return the call that owns a dialog, if a call does."""
        core = user.call if isinstance(user, EarlyDialog) else user
        return self._calls.get(core) if isinstance(core, CallCore) else None

    def core_of(self, call: Call) -> CallCore | None:
        """Return what the core has of a call, unless it is over."""
        cores = (core for core, known in self._calls.items() if known is call)
        return next(cores, None)

    def answer_with(self, handler: InviteHandler) -> None:
        """Set what is called with each call that comes in."""
        self._handler = handler
        self._core.answers_calls = True

    async def invite(
        self,
        target: Uri,
        *,
        media: Sequence[Media],
        headers: Headers,
        parts: Sequence[mime.Part],
        route_set: Sequence[NameAddr],
        sender: NameAddr | None,
        on_progress: Callable[[Response], None] | None = None,
        without_offer: bool = False,
    ) -> OutgoingCall:
        """Begin to call somebody; see :meth:`sip.UserAgent.call`."""
        driver = self._open_driver()
        address = self._ways.media_address(target, *(route.uri for route in route_set))
        try:
            offer = None
            if not without_offer:
                offer = await make_offer(media, address=address)
            body, content_type = compose_body(offer, parts, parts_of(media))
            core = self._core.invite(
                target,
                driver.now(),
                headers=headers,
                body=body,
                content_type=content_type,
                route_set=route_set,
                sender=sender,
            )
        except BaseException:
            for medium in media:
                await medium.stop()
            raise
        call = OutgoingCall(driver, core, address, media, offer, on_progress)
        self._calls[core] = call
        driver.flush()
        return call

    def handle(self, event: CallEvent) -> None:
        """Take what the core reports."""
        match event:
            case CallReceived(core):
                self._received(core)
            case CallProgressed(core):
                self._outgoing(core).progressed(event)
            case CallAnswered(core):
                self._outgoing(core).answered_with(event)
            case CallFailed(core, response, failure):
                error = error_of(response, failure, core.invite, self._core.timers)
                self._outgoing(core).failed(error)
                self._forget(core, EndReason.FAILED)
            case CallUnanswered(core, reason) | CallEnded(core, reason):
                self._forget(core, reason)
            case _:
                if event.call in self._calls:
                    self._calls[event.call].told(event)

    def hang_up_all(self) -> None:
        """Begin to end all calls."""
        driver = self._open_driver()
        self._core.answers_calls = False
        for core, call in list(self._calls.items()):
            if isinstance(call, IncomingCall):
                call.refuse(480)
            elif isinstance(core, ClientCall) and core.state is CallState.INVITING:
                core.cancel(driver.now())
            if core.state in (CallState.ANSWERED, CallState.CONFIRMED):
                call.hang_up()
        driver.flush()

    async def leave_unanswered(self) -> None:
        """Wait for the calls that were cancelled, and then no longer."""
        driver = self._open_driver()
        waits = [
            _wait_for_end(call, self._patience(core, driver.now()))
            for core, call in self._calls.items()
            if isinstance(core, ClientCall) and core.state is CallState.INVITING
        ]
        await asyncio.gather(*waits)
        for core in list(self._calls):
            if isinstance(core, ClientCall):
                core.abandon()
        driver.flush()

    async def all_ended(self) -> None:
        """Wait until every call is over."""
        await asyncio.gather(*(call.ended() for call in self.calls))

    def _patience(self, core: ClientCall, now: float) -> float:
        """Tell how many seconds to wait for the end of a call that was cancelled."""
        limits = self._core.limits
        if core.invite.is_heard:
            return min(limits.cancelling_time, limits.closing_time)
        # There is nothing to CANCEL (RFC 3261 §9.1).  But an INVITE that has only
        # just been sent may well be heard of, and would ring on without a CANCEL.
        return core.began_at + self._core.timers.t1 - now

    def _outgoing(self, core: ClientCall) -> OutgoingCall:
        call = self._calls[core]
        assert isinstance(call, OutgoingCall)
        return call

    def _received(self, core: ServerCall) -> None:
        driver, handler = self._open_driver(), self._handler
        assert handler is not None
        address = self._ways.local_host(core.transaction.source)
        call = IncomingCall(driver, core, address)
        call.replaces = self.of(core.replaces)
        self._calls[core] = call
        _log.info("call %s from %s", call.call_id, call.remote.uri)
        driver.spawn(self._run_handler(handler, call))

    async def _run_handler(self, handler: InviteHandler, call: IncomingCall) -> None:
        status = 480
        try:
            await handler(call)
        except CallError as exc:
            # The caller's doing, of which the handler was told.
            _log.info("call %s: %s", call.call_id, exc)
        except Exception as exc:
            status = 500
            self._open_driver().report("the handler of a call failed", exc)
        finally:
            call.refuse(status)

    def _forget(self, core: CallCore, reason: EndReason) -> None:
        call = self._calls.pop(core, None)
        if call is not None:
            call.finished(reason)

    def _open_driver(self) -> Driver:
        assert self.driver is not None
        return self.driver


async def _wait_for_end(call: Call, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await call.ended()
