"""A call that a peer makes, as the application sees it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

import sdp
from sip.agreement import Agreement
from sip.aio.call import Call, CallOwner, Headers
from sip.errors import CallOver, LocalError, NegotiationFailed
from sip.media import (
    SDP_TYPE,
    Media,
    find_session_description,
    make_answer,
    make_offer,
    match_answer,
    why_refused,
)
from sip.message import Request
from sip.sansio.call import CallState
from sip.sansio.call_events import CallAcknowledged, NegotiationEvent
from sip.sansio.events import EndReason
from sip.sansio.server_call import ServerCall

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
        self._ack: asyncio.Future[Request]
        self._ack = asyncio.get_running_loop().create_future()

    async def ringing(self, status: int = 180, *, headers: Headers = ()) -> None:
        """Tell the caller that somebody is alerted, or that something goes on.

        The response is repeated each minute for as long as the call waits.

        Args:
            status: 180, or another from 101 to 199.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up.
            LocalError: The call is answered, or ``status`` isn't provisional.
        """
        self._check_waiting()
        self._server.provisional(status, self._owner.now(), headers=headers)
        self._owner.flush()

    async def answer(self, media: Sequence[Media], *, headers: Headers = ()) -> None:
        """Answer the call; return when media run.

        Each stream that is offered goes to the first of ``media`` that takes it.
        If none is taken the call is refused with 488.  If the caller offered
        nothing, ``media`` are offered.

        Cancelling this ends the call, if it has been answered by then.

        Args:
            media: What is to run in this call.
            headers: More headers for the response.

        Raises:
            CallOver: The caller has given up, or never acknowledged the answer.
            NegotiationFailed: There is nothing that both sides can do: the error
                says why the call was refused with 488.  Or one of the media can't
                begin with what was agreed.
            LocalError: The call has been answered before.
        """
        self._check_waiting()
        self._candidates = list(media)
        try:
            offer = self._read_offer()
            if offer is None:
                await self._answer_with_offer(headers)
            else:
                await self._answer_offer(offer, headers)
        except BaseException:
            if self._call.state is not CallState.INVITING:
                await self._give_up()
            else:
                await asyncio.shield(self._stop_media())
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
        if not isinstance(event, CallAcknowledged) or not event.is_first:
            super().told(event)
        elif not self._ack.done():
            self._ack.set_result(event.request)

    def finished(self, reason: EndReason) -> None:
        """Take note that the call is over."""
        super().finished(reason)
        if not self._ack.done():
            self._ack.set_exception(CallOver(reason))
            self._ack.exception()

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

    async def _answer_offer(
        self, offer: sdp.SessionDescription, headers: Headers
    ) -> None:
        try:
            answer, agreed = await make_answer(
                self._candidates, offer, address=self._address
            )
        except sdp.SdpError as exc:
            self._check_waiting()
            warning = '399 - "no answer to this offer"'
            raise self._not_acceptable(str(exc), warning) from exc
        self._check_waiting()
        if not agreed:
            warning = '304 - "none of these media are available"'
            raise self._not_acceptable(why_refused(self._candidates, offer), warning)
        self._agreement = Agreement.of(
            offer, answer, is_offerer=False, address=self._address
        )
        self._accept(answer, headers)
        await self._ack
        await self._start(agreed, is_offerer=False)

    async def _answer_with_offer(self, headers: Headers) -> None:
        """Offer in the 2xx and find the answer in the ACK (§13.2.1)."""
        offer = await make_offer(self._candidates, address=self._address)
        self._check_waiting()
        self._accept(offer, headers)
        ack = await self._ack
        try:
            answer = find_session_description(ack)
            if answer is None:
                raise NegotiationFailed("the ACK has no answer to our offer")
            agreed = match_answer(self._candidates, offer, answer)
            self._agreement = Agreement.of(
                offer, answer, is_offerer=True, address=self._address
            )
        except sdp.SdpError as exc:
            raise NegotiationFailed(str(exc)) from exc
        if not agreed:
            raise NegotiationFailed("the caller accepted no media")
        await self._start(agreed, is_offerer=True)

    def _accept(self, body: sdp.SessionDescription, headers: Headers) -> None:
        _log.info("call %s: answering", self.call_id)
        self._server.accept(
            self._owner.now(),
            headers=headers,
            body=bytes(body),
            content_type=SDP_TYPE,
        )
        self._owner.flush()
