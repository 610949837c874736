"""Offers and answers in a call that runs (:rfc:`3261#section-14`, :rfc:`3311`).

The core knows when an offer may be made, and when to try again; here is what takes
time: asking the media what to offer or to answer, and letting them follow.  One of
these things happens at a time.  What was sent is carried through even if whoever
wanted it doesn't wait any more, since the peer goes by it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol

import mime
import sdp
from sip.aio.calls.deciding import Decider
from sip.change import ChangeDecision
from sip.errors import CallOver, CallRefused, CallTimeout, LocalError, NegotiationFailed
from sip.media import SDP_TYPE, compose_body, find_session_description, parts_of
from sip.message import Message
from sip.sansio.calls.call import Call as CallCore
from sip.sansio.calls.events import (
    CallAcknowledged,
    NegotiationEvent,
    OfferAccepted,
    OfferPossible,
    OfferReceived,
    OfferRefused,
    OfferWithdrawn,
)
from sip.sansio.calls.offers import Role
from sip.sansio.events import EndReason, Failure
from sip.sansio.limits import Limits
from sip.streams import Proposal, Streams, among

__all__ = ["Prepare", "Renegotiation"]

_log = logging.getLogger("sip.call")

Prepare = Callable[[], Awaitable[Proposal | None]]
"""Makes an offer for the session as it is now; ``None`` if there is no need."""


class Host(Protocol):
    """What this needs of the user agent."""

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
        """How long to wait for the application."""


class Renegotiation:
    """The changes of one call.

    Args:
        host: The user agent.
        core: The call.
        streams: Its media.
        on_change: Called after each change, whoever wanted it.

    Attributes:
        turn: Whose turn it is to agree on something; also the first time.
        decider: Asks the application about what the peer wants.
    """

    def __init__(
        self,
        host: Host,
        core: CallCore,
        streams: Streams,
        on_change: Callable[[], None],
    ) -> None:
        self._host = host
        self._core = core
        self._streams = streams
        self._on_change = on_change
        self.turn = asyncio.Lock()
        self.decider = Decider(host.limits, host.report)
        self._one_at_a_time = asyncio.Lock()
        self._possible: asyncio.Future[None] | None = None
        self._outcome: asyncio.Future[OfferAccepted | OfferRefused] | None = None
        self._offered: Proposal | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: EndReason | None = None

    # What we want.

    async def offer(self, prepare: Prepare, timeout: float | None = None) -> None:
        """Offer something as soon as that may be, and let the media follow.

        Cancelling this takes the offer back as far as that is possible.

        Raises:
            CallRefused: The peer doesn't want it; the call goes on as it was.
            CallTimeout: It didn't decide in time; the same.
            CallOver: The call is over.
            NegotiationFailed: What it answered is no answer.
        """
        task = self._spawn(self._offer(prepare))
        try:
            done, _ = await asyncio.wait([task], timeout=timeout)
        except asyncio.CancelledError:
            self._withdraw(task)
            raise
        if not done:
            self._withdraw(task)
            raise CallTimeout("the peer doesn't decide about the change")
        if task.cancelled():
            raise CallOver(self._ended or EndReason.LOCAL_BYE)
        task.result()

    def _withdraw(self, task: asyncio.Task[None]) -> None:
        if self._outcome is None:
            task.cancel()
        self._core.withdraw_offer(self._host.now())
        self._host.flush()
        task.add_done_callback(_forget_result)

    async def _offer(self, prepare: Prepare) -> None:
        async with self._one_at_a_time:
            while not await self._try_offer(prepare):
                pass

    async def _try_offer(self, prepare: Prepare) -> bool:
        """Make one attempt; tell whether another one is to be made."""
        await self._until_possible()
        async with self.turn:
            proposal = await prepare()
            if proposal is None:
                return True
            agreement = self._streams.agreement
            if agreement is not None and proposal.local == agreement.local:
                return True  # There is nothing to say.
            outcome = await self._send(proposal)
            if outcome is None:
                return False
            if isinstance(outcome, OfferRefused):
                proposal.keep()
                if not outcome.may_retry:
                    raise self._error_of(outcome)
                return False
            await self._settle_answer(proposal, outcome.response)
            return True

    async def _until_possible(self) -> None:
        self._check_alive()
        self._possible = asyncio.get_running_loop().create_future()
        try:
            self._core.want_offer(self._host.now())
            self._host.flush()
            await self._possible
        finally:
            self._possible = None
        self._check_alive()

    async def _send(self, proposal: Proposal) -> OfferAccepted | OfferRefused | None:
        """Send an offer; ``None`` if something has come between."""
        outcome: asyncio.Future[OfferAccepted | OfferRefused]
        outcome = asyncio.get_running_loop().create_future()
        try:
            body, content_type = compose_body(
                proposal.local, (), self._new_parts(proposal)
            )
            now = self._host.now()
            self._core.offer(body, now, content_type=content_type or SDP_TYPE)
        except LocalError:
            proposal.keep()
            return None
        self._outcome = outcome
        try:
            self._host.flush()
            return await outcome
        except BaseException:
            proposal.keep()
            raise
        finally:
            self._outcome = None

    def _new_parts(self, proposal: Proposal) -> list[mime.Part]:
        """Return what goes along with the streams that are offered first now."""
        running = self._streams.running
        return parts_of([m for m in proposal.slots if not among(m, running)])

    async def _settle_answer(self, proposal: Proposal, message: Message) -> None:
        try:
            answer = find_session_description(message)
            if answer is None:
                raise NegotiationFailed("the peer accepted without an answer")
            sdp.check_answer(proposal.local, answer)
        except sdp.SdpError as exc:
            proposal.keep()
            raise NegotiationFailed(str(exc)) from exc
        except NegotiationFailed:
            proposal.keep()
            raise
        await self._settle(proposal, answer, is_offerer=True)

    def _error_of(self, refused: OfferRefused) -> Exception:
        if refused.response is not None:
            return CallRefused(refused.response)
        if refused.failure is Failure.CANCELLED or self._ended is not None:
            return CallOver(self._ended or EndReason.LOCAL_BYE)
        if refused.failure is Failure.TIMEOUT:
            return CallTimeout("nobody answered the change")
        words = "it failed" if refused.failure is None else refused.failure.value
        return NegotiationFailed(f"the change could not be offered: {words}")

    # What the core tells.

    def told(self, event: CallAcknowledged | NegotiationEvent) -> None:
        """Take note of what happened to offers and answers."""
        match event:
            case OfferPossible():
                if self._possible is not None and not self._possible.done():
                    self._possible.set_result(None)
            case OfferAccepted() | OfferRefused():
                if self._outcome is not None and not self._outcome.done():
                    self._outcome.set_result(event)
                elif isinstance(event, OfferAccepted):
                    self._spawn(self._refreshed(event.response))
            case OfferReceived():
                self._spawn(self._answer(event))
            case OfferWithdrawn():
                self.decider.withdraw()
            case CallAcknowledged():
                proposal, self._offered = self._offered, None
                if proposal is not None:
                    self._spawn(self._acknowledged(proposal, event))

    def over(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        self._ended = reason
        if self._possible is not None and not self._possible.done():
            self._possible.set_exception(CallOver(reason))

    def let_go(self) -> None:
        """Forget the call, which is over and knows this."""
        self._on_change = _nothing

    async def stop(self) -> None:
        """Cancel whatever is under way."""
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # What the peer wants.

    async def _answer(self, event: OfferReceived) -> None:
        async with self.turn:
            if event.role is Role.ASKED:
                await self._answer_with_offer(event)
            else:
                await self._answer_offer(event)

    async def _answer_offer(self, event: OfferReceived) -> None:
        try:
            offer = find_session_description(event.request)
            if offer is None:
                raise NegotiationFailed("there is no session description")
            proposal = await self._prepare_answer(event, offer)
        except (sdp.SdpError, NegotiationFailed, LocalError) as exc:
            self._refuse(event, str(exc))
            return
        except Exception as exc:
            self._refuse(event, "a medium failed", 500)
            self._host.report("a medium failed to answer an offer", exc)
            return
        if proposal is None:
            return
        if not self._accept(event, proposal):
            proposal.keep()
            return
        try:
            await self._settle(proposal, offer, is_offerer=False)
        except Exception as exc:
            self._host.report("a medium failed to follow an offer", exc)

    async def _prepare_answer(
        self, event: OfferReceived, offer: sdp.SessionDescription
    ) -> Proposal | None:
        """Make the answer, unless the application, or the peer, is against it."""
        change = self._streams.proposed(event.request, offer)
        verdict = await self.decider.decide(change)
        if verdict is None:
            return None
        if verdict.decision is ChangeDecision.REFUSE:
            self._refuse(event, "so it was decided", verdict.status)
            return None
        takes_new = verdict.decision is ChangeDecision.ACCEPT
        return await self._streams.answer(offer, takes_new=takes_new)

    async def _answer_with_offer(self, event: OfferReceived) -> None:
        try:
            proposal = self._streams.offer_again()
        except (sdp.SdpError, LocalError) as exc:
            self._refuse(event, str(exc))
            return
        self._offered = proposal
        if not self._accept(event, proposal):
            self._offered = None

    def _accept(self, event: OfferReceived, proposal: Proposal) -> bool:
        accepted = self._core.answer_offer(
            event.transaction,
            200,
            self._host.now(),
            body=bytes(proposal.local),
            content_type=SDP_TYPE,
        )
        self._host.flush()
        return accepted

    def _refuse(self, event: OfferReceived, problem: str, status: int = 488) -> None:
        _log.info("refusing a change with %d: %s", status, problem)
        headers = []
        if status == 488:
            headers.append(("Warning", '399 - "the media of this call stay"'))
        now = self._host.now()
        self._core.answer_offer(event.transaction, status, now, headers=headers)
        self._host.flush()

    async def _acknowledged(self, proposal: Proposal, event: CallAcknowledged) -> None:
        """Take the answer to an offer that a peer has asked for."""
        async with self.turn:
            try:
                await self._settle_answer(proposal, event.request)
            except NegotiationFailed as exc:
                # What there was goes on: the peer hasn't said how else.
                _log.info("no answer to an offer that was asked for: %s", exc)
            except Exception as exc:
                self._host.report("a medium failed to follow an answer", exc)

    async def _refreshed(self, response: Message) -> None:
        """Take the answer to a refresh, which may have other words for the same."""
        async with self.turn:
            if self._streams.agreement is None:
                return
            proposal = self._streams.as_it_is()
            try:
                await self._settle_answer(proposal, response)
            except NegotiationFailed as exc:
                _log.info("no proper answer to a refresh: %s", exc)
            except Exception as exc:
                self._host.report("a medium failed to follow an answer", exc)

    # Inside.

    async def _settle(
        self, proposal: Proposal, remote: sdp.SessionDescription, *, is_offerer: bool
    ) -> None:
        try:
            await self._streams.settle(proposal, remote, is_offerer=is_offerer)
        finally:
            self._core.refresh_body = bytes(proposal.local)
            self._on_change()

    def _check_alive(self) -> None:
        if self._ended is not None:
            raise CallOver(self._ended)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = self._host.spawn(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _nothing() -> None:
    """Do nothing."""


def _forget_result(task: asyncio.Task[None]) -> None:
    """Let nobody complain about an error that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
