"""A call that a peer makes, as the application sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import sdp
from sip.aio.calls.call import Call, CallOwner, Headers
from sip.errors import CallOver, LocalError, NegotiationFailed
from sip.media import (
    SDP_TYPE,
    Media,
    find_session_description,
    make_answer,
    make_offer,
    match_answer,
    offerable,
    why_refused,
)
from sip.message import Request
from sip.sansio.calls.call import CallState
from sip.sansio.calls.events import (
    CallAcknowledged,
    NegotiationEvent,
    ProgressAcknowledged,
)
from sip.sansio.calls.server import ServerCall
from sip.sansio.events import EndReason
from sip.streams import Proposal, among

__all__ = ["IncomingCall"]

_log = logging.getLogger("sip.call")


class IncomingCall(Call):
    """A call that a peer makes: ring, then answer or reject it."""

    replaces: Call | None = None
    """The call that ends when this one is answered, if there is one: whether the
    caller may take its place is for you to decide (:rfc:`3891#section-3`)."""

    def __init__(self, owner: CallOwner, core: ServerCall, address: str) -> None:
        super().__init__(owner, core, address)
        self._server = core
        loop = asyncio.get_running_loop()
        self._ack: asyncio.Future[Request] = loop.create_future()
        self._progress_acknowledged: asyncio.Future[Request] | None = None

    @property
    def takes_early_media(self) -> bool:
        """Whether media can run before the call is answered: see :meth:`ringing`."""
        return self._server.takes_reliable

    async def ringing(
        self,
        status: int = 180,
        *,
        media: Sequence[Media] = (),
        headers: Headers = (),
        reliable: bool | None = None,
    ) -> None:
        """Tell the caller that somebody is alerted, or that something goes on.

        The response is repeated from time to time for as long as the call waits.

        With media it has the answer to the caller's offer, or an offer if there is
        none, and media run before the call is answered, such as a machine's words for
        those who wait.  It then returns when they run.

        Args:
            status: 180, or another from 101 to 199; 183 is usual with media.
            media: What is to run already.  The call is answered with the same.
            headers: More headers for the response.
            reliable: Whether to see to it that the response arrives
                (:rfc:`3262`); it does with media, and if the caller demands it.

        Raises:
            CallOver: The caller has given up.
            NegotiationFailed: There is nothing that both sides can do; the call has
                been refused with 488.
            LocalError: The call is answered, ``status`` isn't provisional, or the
                caller knows nothing of reliable responses.
        """
        self._check_waiting()
        if not media:
            now = self._owner.now()
            self._server.provisional(status, now, headers=headers, reliable=reliable)
            self._owner.flush()
            return
        if not self.takes_early_media:
            raise LocalError("the caller doesn't know reliable provisional responses")
        if self._streams.agreement is not None:
            raise LocalError("media run already")

        def send(body: sdp.SessionDescription) -> None:
            self._server.provisional(
                status,
                self._owner.now(),
                headers=headers,
                body=bytes(body),
                content_type=SDP_TYPE,
            )

        if self._progress_acknowledged is None:
            loop = asyncio.get_running_loop()
            self._progress_acknowledged = loop.create_future()
        await self._agree(media, send, self._progress_acknowledged)

    async def answer(
        self, media: Sequence[Media] = (), *, headers: Headers = ()
    ) -> None:
        """Answer the call; return when media run.

        Each stream that is offered goes to the first of ``media`` that takes it.
        If none is taken the call is refused with 488.  If the caller offered
        nothing, ``media`` are offered.

        Cancelling this ends the call, if it has been answered by then.

        Args:
            media: What is to run in this call; nothing if media run already, see
                :meth:`ringing`.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up, or never acknowledged the answer.
            NegotiationFailed: There is nothing that both sides can do: the error
                says why the call was refused with 488.  Or one of the media can't
                begin with what was agreed.
            LocalError: The call has been answered before, or has no media.
        """
        self._check_waiting()
        if self._streams.agreement is not None:
            await self._answer_early(media, headers)
            return
        if not media:
            raise LocalError("a call needs media")

        def send(body: sdp.SessionDescription) -> None:
            self._accept(body, headers)

        await self._agree(media, send, self._ack)

    async def _answer_early(self, media: Sequence[Media], headers: Headers) -> None:
        if any(not among(medium, self.media) for medium in media):
            raise LocalError("other media run already: change them later")
        try:
            self._accept(None, headers)
            await self._ack
        except BaseException:
            await self._give_up()
            raise

    async def reject(
        self, status: int = 486, reason: str | None = None, *, headers: Headers = ()
    ) -> None:
        """Refuse the call.

        Args:
            status: From 300 to 699.
            reason: Words for people, if not the usual ones.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up.
            LocalError: The call is answered, or ``status`` is no refusal.
        """
        self._check_waiting()
        self._refuse(status, reason, headers)

    # What the user agent tells.

    def told(self, event: CallAcknowledged | NegotiationEvent) -> None:
        """Take note of what happened to offers and answers."""
        if isinstance(event, ProgressAcknowledged):
            _resolve(self._progress_acknowledged, event.request)
        elif isinstance(event, CallAcknowledged) and event.is_first:
            _resolve(self._ack, event.request)
        else:
            super().told(event)

    def finished(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        super().finished(reason)
        for future in (self._ack, self._progress_acknowledged):
            if future is not None and not future.done():
                future.set_exception(CallOver(reason))
                future.exception()

    @property
    def is_waiting(self) -> bool:
        """Whether the call is neither answered nor over."""
        return self._call.state is CallState.INVITING

    def refuse(self, status: int) -> None:
        """Refuse the call if that is still to be done."""
        if self.is_waiting:
            self._refuse(status, None, ())

    def _refuse(self, status: int, reason: str | None, headers: Headers) -> None:
        now = self._owner.now()
        self._server.reject(status, now, reason=reason, headers=headers)
        self._owner.flush()

    def _not_acceptable(self, problem: str, warning: str) -> NegotiationFailed:
        """Refuse with 488 and give the error that tells the application why."""
        _log.info("call %s: refusing with 488: %s", self.call_id, problem)
        self._refuse(488, None, [("Warning", warning)])
        return NegotiationFailed(problem)

    def _check_waiting(self) -> None:
        if self._call.end_reason is not None:
            raise CallOver(self._call.end_reason)
        if not self.is_waiting:
            raise LocalError("the call has been answered before")

    def _read_offer(self) -> sdp.SessionDescription | None:
        try:
            return find_session_description(self.request)
        except sdp.SdpError as exc:
            raise self._not_acceptable(str(exc), '399 - "no proper SDP"') from exc

    async def _agree(
        self,
        media: Sequence[Media],
        send: Callable[[sdp.SessionDescription], None],
        acknowledged: asyncio.Future[Request],
    ) -> None:
        """Agree on media with what ``send`` sends, and start them."""
        self.candidates[:] = media
        try:
            # What the caller wants changed at once has to wait for its turn.
            async with self._renegotiation.turn:
                offer = self._read_offer()
                if offer is None:
                    await self._agree_on_our_offer(send, acknowledged)
                else:
                    await self._agree_on_theirs(offer, send, acknowledged)
        except BaseException:
            if self._call.state is not CallState.INVITING:
                await self._give_up()
            else:
                await asyncio.shield(self._stop_media())
            raise

    async def _agree_on_theirs(
        self,
        offer: sdp.SessionDescription,
        send: Callable[[sdp.SessionDescription], None],
        acknowledged: asyncio.Future[Request],
    ) -> None:
        try:
            answer, agreed = await make_answer(
                self.candidates, offer, address=self._address
            )
        except sdp.SdpError as exc:
            self._check_waiting()
            warning = '399 - "no answer to this offer"'
            raise self._not_acceptable(str(exc), warning) from exc
        self._check_waiting()
        if not agreed:
            warning = '304 - "none of these media are available"'
            raise self._not_acceptable(why_refused(self.candidates, offer), warning)
        send(answer)
        self._owner.flush()
        await acknowledged
        slots: list[Media | None] = [None] * len(offer.media)
        for stream in agreed:
            slots[stream.slot] = stream.media
        await self._start(Proposal(answer, slots, []), offer, is_offerer=False)

    async def _agree_on_our_offer(
        self,
        send: Callable[[sdp.SessionDescription], None],
        acknowledged: asyncio.Future[Request],
    ) -> None:
        """Offer, and find the answer in the ACK or PRACK (§13.2.1)."""
        offer = await make_offer(self.candidates, address=self._address)
        self._check_waiting()
        send(offer)
        self._owner.flush()
        message = await acknowledged
        try:
            answer = find_session_description(message)
            if answer is None:
                problem = f"the {message.method} has no answer to our offer"
                raise NegotiationFailed(problem)
            if not match_answer(self.candidates, offer, answer):
                raise NegotiationFailed("the caller accepted no media")
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        proposal = Proposal(offer, [*offerable(self.candidates)], [])
        await self._start(proposal, answer, is_offerer=True)

    def _accept(self, body: sdp.SessionDescription | None, headers: Headers) -> None:
        _log.info("call %s: answering", self.call_id)
        self._server.accept(
            self._owner.now(),
            headers=headers,
            body=b"" if body is None else bytes(body),
            content_type=None if body is None else SDP_TYPE,
        )
        self._owner.flush()


def _resolve(future: asyncio.Future[Request] | None, request: Request) -> None:
    if future is not None and not future.done():
        future.set_result(request)
