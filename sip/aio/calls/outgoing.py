"""A call that we make, as the user agent drives it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from types import TracebackType

import sdp
from sip.aio.calls.call import Call, CallOwner
from sip.errors import CallOver, CallTimeout, LocalError, NegotiationFailed
from sip.media import (
    SDP_TYPE,
    Media,
    MediaT_co,
    find_session_description,
    make_answer,
    match_answer,
    offerable,
    why_refused,
)
from sip.message import Response
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.events import (
    CallAcknowledged,
    CallAnswered,
    CallProgressed,
    NegotiationEvent,
    OfferReceived,
)
from sip.sansio.calls.offers import Role
from sip.sansio.events import EndReason
from sip.sansio.requests.sender import ClientRequest
from sip.streams import Proposal

__all__ = ["OutgoingCall"]

_log = logging.getLogger("sip.call")

_MOST_PROGRESS = 64
"""Provisional responses that are kept for who reads them; older ones are dropped."""


class OutgoingCall(Call[MediaT_co]):
    """A call that we make.

    Leaving it as a context manager ends the call, answered or not.
    """

    def __init__(
        self,
        owner: CallOwner,
        core: ClientCall,
        address: str,
        media: Sequence[Media],
        offer: sdp.SessionDescription | None,
        on_progress: Callable[[Response], None] | None = None,
    ) -> None:
        super().__init__(owner, core, address)
        self.candidates[:] = media
        self._client = core
        self._offered = offer
        self._on_progress = on_progress
        self._responses: deque[Response] = deque(maxlen=_MOST_PROGRESS)
        self._news = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[CallAnswered] = loop.create_future()
        self._agreeing: set[asyncio.Task[None]] = set()
        self._early_tag: str | None = None
        self._agreed: dict[str, tuple[Proposal, sdp.SessionDescription]] = {}

    async def complete(self, timeout: float | None = None) -> None:
        """Wait for the answer, acknowledge it, and start the media.

        If it raises, or is cancelled, there is no call.

        Args:
            timeout: Seconds to wait for the answer; for ever by default, unless nobody
                responds at all.

        Raises:
            CallError: There is no call.
            TransportError: The INVITE could not be sent.
        """
        try:
            event = await self._wait_for_answer(timeout)
            if self._agreeing:
                await asyncio.wait(self._agreeing)
            # What the peer wants changed at once has to wait for its turn.
            async with self._renegotiation.turn:
                proposal, remote = await self._agree(event)
                await self._leave_early(event.response.to.tag or "")
                if self._streams.agreement is None:
                    await self._start(proposal, remote, is_offerer=self._is_offerer)
        except BaseException:
            await self._give_up()
            raise

    async def progress(self) -> AsyncIterator[Response]:
        """Go through the provisional responses but 100, until the call is decided.

        Those that came before are first.  A fork may be told by the tag of To; the
        media of an early session run by themselves.
        """
        while True:
            while self._responses:
                yield self._responses.popleft()
            if self._answer.done():
                return
            self._news.clear()
            await self._news.wait()

    def cancel(self) -> None:
        """Stop calling; does nothing once the call is answered.

        :meth:`complete` then raises :exc:`~sip.CallOver`.
        """
        self._client.cancel(self._owner.now())
        self._owner.flush()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the call: before the answer by CANCEL, after it by BYE."""
        if self._call.state is CallState.ENDED:
            await self._stop_media()
        elif self._call.state in (CallState.INVITING, CallState.ANSWERED):
            await self._give_up()
        else:
            await self.bye()

    # What the user agent tells.

    def progressed(self, event: CallProgressed) -> None:
        """Take note of a provisional response."""
        response = event.response
        _log.info("call %s: %s", self.call_id, response.status)
        self._responses.append(response)
        self._news.set()
        if event.role in (Role.ANSWER, Role.OFFER):
            if self._early_tag is None:
                self._early_tag = response.to.tag
            task = self._owner.spawn(self._agree_early(event))
            self._agreeing.add(task)
            task.add_done_callback(self._agreeing.discard)
        if self._on_progress is not None:
            try:
                self._on_progress(response)
            except Exception as exc:
                self._owner.report("on_progress failed", exc)

    def answered_with(self, event: CallAnswered) -> None:
        """Take note that the call was answered."""
        _log.info("call %s is answered", self.call_id)
        if not self._answer.done():
            self._answer.set_result(event)
        self._news.set()

    def told(self, event: CallAcknowledged | NegotiationEvent) -> None:
        """Take note of what happened to offers and answers."""
        if isinstance(event, OfferReceived) and self.is_waiting:
            if event.request.from_.tag != self._early_tag:
                # Media run with one branch at most, and only that can change them.
                now = self._owner.now()
                self._call.answer_offer(event.transaction, 488, now)
                self._owner.flush()
                return
        super().told(event)

    @property
    def is_waiting(self) -> bool:
        """Whether the call is neither answered nor over."""
        return self._call.state is CallState.INVITING

    def failed(self, error: Exception) -> None:
        """Take note that there will be no call."""
        _log.info("call %s failed: %s", self.call_id, error)
        if not self._answer.done():
            self._answer.set_exception(error)
            # Nobody may be waiting any more.
            self._answer.exception()
        self._news.set()

    def finished(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        super().finished(reason)
        if not self._answer.done():
            self.failed(CallOver(reason))

    # Inside.

    @property
    def _is_offerer(self) -> bool:
        return self._offered is not None

    async def _stop_all(self) -> None:
        for task in self._agreeing:
            task.cancel()
        await super()._stop_all()

    async def _wait_for_answer(self, timeout: float | None) -> CallAnswered:
        if timeout is None:
            return await asyncio.shield(self._answer)
        done, _ = await asyncio.wait([self._answer], timeout=timeout)
        if not done:
            sent = self._client.invite
            raise CallTimeout(_still_missing(sent, timeout), target=sent.target)
        return self._answer.result()

    async def _agree(
        self, event: CallAnswered
    ) -> tuple[Proposal, sdp.SessionDescription]:
        """Find out what the 2xx amounts to, and acknowledge it."""
        tag = event.response.to.tag or ""
        if event.role is Role.OFFER:
            return await self._answer_offer(event.response)
        self._client.acknowledge(self._owner.now())
        self._owner.flush()
        if event.role is Role.NOTHING and tag in self._agreed:
            return self._agreed[tag]  # It was all said before.
        return self._read_answer(event.response)

    def _read_answer(
        self, response: Response
    ) -> tuple[Proposal, sdp.SessionDescription]:
        offer = self._offered
        try:
            answer = find_session_description(response)
            if answer is None or offer is None:
                raise NegotiationFailed("the peer accepted without an answer")
            if not match_answer(self.candidates, offer, answer):
                raise NegotiationFailed("the peer accepted the call but no media")
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        return Proposal(offer, [*offerable(self.candidates)], []), answer

    async def _answer_offer(
        self, response: Response
    ) -> tuple[Proposal, sdp.SessionDescription]:
        """Answer the offer in a 2xx within the ACK, for better or worse (OA-28)."""
        now = self._owner.now
        try:
            proposal, offer = await self._make_answer(response)
        except NegotiationFailed:
            self._client.acknowledge(now())
            raise
        self._client.acknowledge(
            now(), body=bytes(proposal.local), content_type=SDP_TYPE
        )
        self._owner.flush()
        if not any(proposal.slots):
            raise NegotiationFailed(why_refused(self.candidates, offer))
        return proposal, offer

    async def _make_answer(
        self, response: Response
    ) -> tuple[Proposal, sdp.SessionDescription]:
        try:
            offer = find_session_description(response)
            if offer is None:
                raise NegotiationFailed("the peer offers nothing")
            answer, agreed = await make_answer(
                self.candidates, offer, address=self._address
            )
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        slots: list[Media | None] = [None] * len(offer.media)
        for stream in agreed:
            slots[stream.slot] = stream.media
        return Proposal(answer, slots, []), offer

    # Early sessions.

    async def _agree_early(self, event: CallProgressed) -> None:
        """Let media run before the call is answered (:rfc:`3262#section-5`)."""
        tag = event.response.to.tag or ""
        try:
            async with self._renegotiation.turn:
                await self._start_early(tag, event)
        except (NegotiationFailed, LocalError, sdp.SdpError) as exc:
            # Somebody else may answer the call, with whom it is better.
            _log.info("call %s: no early session: %s", self.call_id, exc)
            await self._forget_early(tag)
        except Exception as exc:
            self._owner.report("a medium failed in an early session", exc)
            await self._forget_early(tag)

    async def _forget_early(self, tag: str) -> None:
        if self._early_tag == tag:
            self._early_tag = None
            for medium in self._streams.forget():
                await medium.stop()

    async def _start_early(self, tag: str, event: CallProgressed) -> None:
        response = event.response
        if event.role is Role.OFFER:
            proposal, remote = await self._make_answer(response)
            body = bytes(proposal.local)
            self._client.acknowledge_progress(response, body, SDP_TYPE)
            self._owner.flush()
        else:
            proposal, remote = self._read_answer(response)
        self._agreed[tag] = proposal, remote
        if self._early_tag == tag and self._stopping is None:
            await self._streams.settle(proposal, remote, is_offerer=self._is_offerer)

    async def _leave_early(self, tag: str) -> None:
        """End the early session, unless it was with whoever has answered."""
        if self._streams.agreement is None:
            return
        if self._early_tag != tag:
            for medium in self._streams.forget():
                await medium.stop()
        else:
            self._call.refresh_body = bytes(self._streams.agreement.local)


def _still_missing(invite: ClientRequest, seconds: float) -> str:
    """Say what was waited for in vain."""
    if invite.hop is None:
        return f"the DNS gave no address within {seconds:g} s"
    if invite.is_heard:
        return f"it took the call, but nobody answered within {seconds:g} s"
    return f"nothing came within {seconds:g} s"
