"""A call as the application sees it: media that run until somebody hangs up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Protocol, Self

import sdp
from recording import CallIdentity
from sip.aio.calls.changing import Changing
from sip.aio.calls.conversation import Conversation
from sip.aio.requests.exchange import Send
from sip.emergency.identifiers import identifiers_in
from sip.errors import CallOver
from sip.media import Media, MediaT_co, offerable
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.sansio.calls.call import Call as CallCore
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.events import EndReason
from sip.sansio.limits import Limits
from sip.streams import Proposal, among

__all__ = ["Call", "CallOwner", "Headers"]

_log = logging.getLogger("sip.call")

Headers = Sequence[tuple[str, str]]
"""Pairs of name and value."""


class CallOwner(Protocol):
    """What a call needs from its user agent."""

    @property
    def address(self) -> NameAddr:
        """Who we are."""

    def now(self) -> float:
        """Return the time."""

    def flush(self) -> None:
        """Do what the core wants."""

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Run something that the user agent will wait for or cancel."""

    def report(self, message: str, error: BaseException) -> None:
        """Tell the loop's exception handler of a failure of the application."""

    @property
    def limits(self) -> Limits:
        """How much of everything is held, and how long things may take."""

    def admit(self, method: str) -> None:
        """Take the requests of a method from now on."""

    async def exchange(self, send: Send) -> Response:
        """Send a request and wait for its final response."""


class Call(Conversation, Changing[MediaT_co]):
    """A call in which media flow.

    It is a context manager: leaving it ends the call.
    """

    def __init__(self, owner: CallOwner, core: CallCore, address: str) -> None:
        self._owner = owner
        self._call = core
        Conversation.__init__(self)
        Changing.__init__(self, owner, core, address)
        self._over: asyncio.Future[EndReason]
        self._over = asyncio.get_running_loop().create_future()
        self._starting: asyncio.Timeout | None = None
        self._started: asyncio.Future[None] | None = None
        self._stopping: asyncio.Task[None] | None = None

    @property
    def request(self) -> Request:
        """The INVITE that began the call, with all its headers."""
        return self._call.request

    @property
    def call_id(self) -> str:
        """The Call-ID."""
        return self._call.request.call_id

    @property
    def remote(self) -> NameAddr:
        """Who is at the other end."""
        if self._call.dialog is not None:
            return self._call.dialog.remote
        return self.request.to if self._call.is_ours else self.request.from_

    @property
    def local(self) -> NameAddr:
        """Who we are in this call."""
        if self._call.dialog is not None:
            return self._call.dialog.local
        return self.request.from_ if self._call.is_ours else self.request.to

    @property
    def is_conference(self) -> bool:
        """Whether the other end is a conference (:rfc:`4579#section-2`), for now."""
        dialog = self._call.dialog
        return dialog is not None and dialog.is_conference

    @property
    def is_incoming(self) -> bool:
        """Whether the peer made the call."""
        return not self._call.is_ours

    @property
    def answered(self) -> bool:
        """Whether the call was answered and isn't over."""
        return self._call.state in (CallState.ANSWERED, CallState.CONFIRMED)

    @property
    def end_reason(self) -> EndReason | None:
        """Why the call is over, once it is."""
        return self._call.end_reason

    async def bye(self, *, headers: Headers = ()) -> None:
        """End the call and wait until it is over.

        Media are stopped at once.  Does nothing if the call is over.  Cancelling
        this doesn't bring the call back.

        Args:
            headers: More headers for the BYE.

        Raises:
            LocalError: The call hasn't been answered.
        """
        self.hang_up(headers=headers)
        await self.ended()

    async def ended(self) -> EndReason:
        """Wait until the call is over and its media are stopped.

        Returns:
            Why it is over.
        """
        return await asyncio.shield(self._over)

    async def __aenter__(self) -> Self:
        """Give the call back."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the call if it was answered."""
        if self.answered:
            await self.bye()

    def hang_up(self, *, headers: Headers = ()) -> None:
        """End the call without waiting; see :meth:`bye`."""
        self._call.bye(self._owner.now(), headers=headers)
        self._stop_media()
        self._owner.flush()

    # What the user agent tells.

    def finished(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        _log.info("call %s is over: %s", self.call_id, reason.value)
        self._renegotiation.over(reason)
        stopping = self._stop_media()
        if stopping.done():
            self._finish(reason)
        else:
            stopping.add_done_callback(lambda _: self._finish(reason))

    # Media.

    async def _start(
        self, proposal: Proposal, remote: sdp.SessionDescription, *, is_offerer: bool
    ) -> None:
        """Start what was agreed, unless the call is over already.

        The end of the call cancels it, though it is no task of its own: a timeout
        without a time can be made to expire at any time, and costs far less.
        """
        self._check_alive()
        try:
            async with asyncio.timeout(None) as self._starting:
                await self._start_all(proposal, remote, is_offerer)
        except Exception:
            self._check_alive()
            raise
        finally:
            self._starting = None
            if self._started is not None and not self._started.done():
                self._started.set_result(None)
        self._check_alive()

    async def _start_all(
        self, proposal: Proposal, remote: sdp.SessionDescription, is_offerer: bool
    ) -> None:
        self._call.refresh_body = bytes(proposal.local)
        unused = [
            medium
            for slot, medium in enumerate(proposal.slots)
            if medium is not None and remote.media[slot].is_rejected
        ]
        idle = offerable(self.candidates)
        unused += [m for m in idle if not among(m, proposal.slots)]
        for medium in unused:
            await medium.stop()
        await self._streams.settle(proposal, remote, is_offerer=is_offerer)

    def _parties(self) -> tuple[str, str]:
        """Return the URIs of both, for media that want to know."""
        # A caller may have dialled a service, which is nobody's own name.
        local = self._owner.address if self.is_incoming else self.local
        return str(local.uri), str(self.remote.uri)

    def _identity(self) -> CallIdentity:
        """Return what the call is known by, for media that want to know."""
        call, incident = identifiers_in(self.request)
        return CallIdentity(
            call_id=str(call) if call else None,
            incident_id=str(incident) if incident else None,
            sip_call_id=self.call_id,
        )

    def _check_alive(self) -> None:
        if self._stopping is not None:
            raise CallOver(self.end_reason or EndReason.LOCAL_BYE)

    def _stop_media(self) -> asyncio.Task[None]:
        if self._stopping is None:
            self._stopping = self._owner.spawn(self._stop_all())
        return self._stopping

    async def _stop_all(self) -> None:
        await self._renegotiation.stop()
        if self._starting is not None:
            loop = asyncio.get_running_loop()
            self._started = loop.create_future()
            self._starting.reschedule(loop.time())
            await self._started
        media: list[Media] = list(self.candidates)
        media += [m for m in self.media if not among(m, media)]
        for medium in media:
            try:
                await medium.stop()
            except Exception as exc:
                self._owner.report("a medium failed to stop", exc)

    def _finish(self, reason: EndReason) -> None:
        if not self._over.done():
            self._over.set_result(reason)
        # These know the call: with them it would have to wait for the collector.
        self._renegotiation.let_go()
        self._streams.let_go()

    async def _give_up(self) -> None:
        """Leave nothing behind of a call that failed on our side."""
        now = self._owner.now()
        core = self._call
        if isinstance(core, ClientCall):
            if core.state is CallState.INVITING:
                core.cancel(now)
            elif core.state is CallState.ANSWERED:
                core.acknowledge(now)
        if core.state in (CallState.ANSWERED, CallState.CONFIRMED):
            core.bye(now)
        self._owner.flush()
        await asyncio.shield(self._stop_media())
