"""What we want to change in a session, and that it lives on.

What the application wants to offer waits here until it may: while no other offer and no
other INVITE is under way, and after offers that have crossed for a time that differs
for both sides (:rfc:`3261#section-14.1`).  Then the application is asked for it anew,
since by then the session may be another one.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sip.errors import LocalError, SipParseError
from sip.message import Message, Request, Response
from sip.sansio.calls.events import OfferAccepted, OfferPossible, OfferRefused
from sip.sansio.calls.offers import Carrier, Offers, Party, Role, glare_delay, has_sdp
from sip.sansio.calls.reliable import ReliableReceiver, is_reliable
from sip.sansio.dialog import Dialog
from sip.sansio.events import EndReason, Failure
from sip.sansio.requests.sender import ClientRequest, SentAck
from sip.sansio.services import Headers, Services
from sip.sansio.transactions.server import ServerTransaction

if TYPE_CHECKING:
    from sip.sansio.calls.call import Call

__all__ = ["OwnChanges"]

_SDP = "application/sdp"

_LONGEST_WAIT = 32
"""Seconds of Retry-After that are waited for; who says more has refused."""

_GONE = (408, 481)
"""Responses after which there is no dialog any more (:rfc:`3261#section-12.2.1.2`)."""


class _Sent:
    """A request of ours that changes or refreshes the session."""

    __slots__ = ("ack", "answer", "is_offer", "receiver", "request", "withdrawn")

    def __init__(self, *, is_offer: bool) -> None:
        self.is_offer = is_offer
        self.request: ClientRequest | None = None
        self.answer: Response | None = None
        self.receiver = ReliableReceiver()
        self.ack: SentAck | None = None
        self.withdrawn = False


class OwnChanges:
    """The requests of ours that change a session, or refresh it.

    Args:
        call: The call.
        services: The user agent.
        dialog: The dialog.
        offers: How far its offers and answers have come.

    Attributes:
        theirs: The request of the peer that waits for our answer, if one does.
        peer_updates: Whether the peer takes UPDATE, as far as is known.
    """

    __slots__ = (
        "_acked",
        "_attempts",
        "_call",
        "_dialog",
        "_not_before",
        "_offer_wanted",
        "_offers",
        "_refresh_wanted",
        "_sent",
        "_services",
        "peer_updates",
        "theirs",
    )

    def __init__(
        self,
        call: Call,
        services: Services,
        dialog: Dialog,
        offers: Offers,
    ) -> None:
        self.peer_updates = False
        self.theirs: ServerTransaction | None = None
        self._call = call
        self._services = services
        self._dialog = dialog
        self._offers = offers
        self._sent: _Sent | None = None
        self._acked: dict[int, _Sent] = {}
        self._offer_wanted = False
        self._refresh_wanted = False
        self._not_before: float | None = None
        self._attempts = 0

    # What is wanted.

    @property
    def invites(self) -> bool:
        """Whether an INVITE of ours has no final response."""
        sent = self._sent
        if sent is None or sent.request is None:
            return False
        return sent.request.request.method == "INVITE"

    def heard(self, message: Message) -> None:
        """Take note of what a message of the peer says that it can do."""
        with suppress(SipParseError):
            if "Allow" in message.headers:
                self.peer_updates = "UPDATE" in message.allow

    def want_offer(self, now: float) -> None:
        """Report :class:`OfferPossible` once an offer can be made."""
        self._offer_wanted = True
        self.check(now)

    def offer(
        self,
        body: bytes,
        now: float,
        *,
        headers: Headers = (),
        content_type: str = _SDP,
    ) -> None:
        """Offer something now: by INVITE, or by UPDATE before the call is answered.

        Raises:
            LocalError: It isn't the time for it: see :meth:`want_offer`.
        """
        if not self._is_free(now):
            raise LocalError("no offer can be made at this moment")
        self._offer_wanted = False
        method = "INVITE" if self._call.is_confirmed else "UPDATE"
        self._send(method, body, headers, _Sent(is_offer=True), content_type)

    def withdraw(self, now: float) -> None:
        """Don't wait any longer for the answer to an offer in an INVITE.

        It may be accepted all the same.
        """
        self._offer_wanted = False
        if self._sent is not None and self.invites:
            self._sent.withdrawn = True
            self._cancel(now)

    def refresh(self, now: float) -> None:
        """Show that we are there, and where (:rfc:`4028#section-7.4`).

        By UPDATE without an offer if the peer takes that, else by an INVITE that
        offers what there is.
        """
        self._refresh_wanted = True
        self.check(now)

    def check(self, now: float) -> None:
        """Do what is wanted, if it is possible now."""
        if not self._call.is_confirmed and not self._offer_wanted:
            return
        if self._refresh_wanted and self._call.is_confirmed:
            self._try_refresh(now)
        if self._offer_wanted and self._is_free(now):
            self._offer_wanted = False
            self._services.emit(OfferPossible(self._call))
        self._services.wake(self._call)

    def next_timeout(self) -> float | None:
        """Return when to call :meth:`handle_timeout`."""
        return self._not_before

    def handle_timeout(self, now: float) -> None:
        """Do what had to wait."""
        if self._not_before is not None and self._not_before <= now:
            self._not_before = None
            self.check(now)

    def over(self) -> None:
        """Take note that the call is over."""
        self._offer_wanted = self._refresh_wanted = False
        self._not_before = None
        if self._sent is not None and self._sent.is_offer:
            self._sent.is_offer = False  # Nobody will hear more of it.
            self._services.emit(OfferRefused(self._call, None, Failure.CANCELLED))

    def forget_acks(self) -> None:
        """Forget the ACKs that nobody can want again."""
        for sent in self._acked.values():
            if sent.ack is not None:
                self._services.sender.forget_ack(sent.ack)
        self._acked.clear()

    # What becomes of it.

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take a response to a request of ours, perhaps one of long ago."""
        known = self._acked.get(sent.request.cseq.number)
        if known is not None and known.request is sent:
            if 200 <= response.status < 300 and known.ack is not None:
                self._services.sender.repeat_ack(known.ack)
            return
        if self._sent is None or sent is not self._sent.request:
            return  # A PRACK or CANCEL.
        self.heard(response)
        if response.status < 200:
            with suppress(SipParseError):  # It would have been only a hint.
                self._progressed(self._sent, response, now)
        elif response.status < 300:
            self._accepted(self._sent, response, now)
        else:
            self._refused(self._sent, response, now)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that there is no response to a request of ours."""
        if self._sent is None or sent is not self._sent.request:
            return
        self._failed(failure, now)

    # Inside.

    def _is_free(self, now: float) -> bool:
        call = self._call
        if self._not_before is not None and now < self._not_before:
            return False
        if self._sent is not None or self.theirs is not None or call.awaits_ack:
            return False
        if not self._offers.may_offer or call.is_over:
            return False
        return call.is_confirmed or self.peer_updates

    def _try_refresh(self, now: float) -> None:
        if self._sent is not None:
            # Whatever it is that is under way refreshes as well.
            self._refresh_wanted = False
        elif self.peer_updates and self.theirs is None:
            if self._not_before is None or self._not_before <= now:
                self._refresh_wanted = False
                self._send("UPDATE", b"", (), _Sent(is_offer=False))
        elif self._call.refresh_body is not None and self._is_free(now):
            self._refresh_wanted = False
            body = self._call.refresh_body
            self._send("INVITE", body, (), _Sent(is_offer=False))

    def _send(
        self,
        method: str,
        body: bytes,
        headers: Headers,
        sent: _Sent,
        content_type: str = _SDP,
    ) -> None:
        services = self._services
        timer = self._call.session_timer
        extra = [*services.answer_headers, *headers]
        extra += timer.request_headers(services.timers)
        request, next_hop = self._dialog.request(
            method,
            headers=extra,
            body=body,
            content_type=content_type if body else None,
        )
        carrier = Carrier.INVITE if method == "INVITE" else Carrier.UPDATE
        self._offers.passes(Party.WE, carrier, has_sdp=bool(body))
        self._sent = sent
        sent.request = services.send(request, next_hop, self)

    def _progressed(self, sent: _Sent, response: Response, now: float) -> None:
        assert sent.request is not None
        if sent.withdrawn:
            self._cancel(now)
        if sent.request.request.method != "INVITE" or not is_reliable(response):
            return
        rack = sent.receiver.takes(response)
        if rack is None:
            return
        role = self._offers.passes(
            Party.PEER, Carrier.RELIABLE, has_sdp=has_sdp(response)
        )
        if role is Role.ANSWER:
            sent.answer = response
        prack, next_hop = self._dialog.request("PRACK", headers=[("RAck", str(rack))])
        self._services.send(prack, next_hop, self)

    def _cancel(self, now: float) -> None:
        assert self._sent is not None
        sent = self._sent.request
        if sent is not None and sent.is_heard:
            self._sent.withdrawn = False  # One CANCEL is enough.
            self._services.sender.send_cancel(sent, self, now)

    def _accepted(self, sent: _Sent, response: Response, now: float) -> None:
        assert sent.request is not None
        request = sent.request.request
        self._sent = None
        self._attempts = 0
        is_invite = request.method == "INVITE"
        if is_invite:
            self._acknowledge(sent, request)
        with suppress(SipParseError):  # It was accepted all the same.
            self._dialog.refresh_target(response)
        self._call.session_timer.accepted_by_peer(request, response, now)
        carrier = Carrier.SUCCESS if is_invite else Carrier.UPDATE_SUCCESS
        role = self._offers.passes(Party.PEER, carrier, has_sdp=has_sdp(response))
        if sent.answer is not None:
            response, role = sent.answer, Role.ANSWER
        if not self._call.is_over and (sent.is_offer or role is Role.ANSWER):
            self._services.emit(OfferAccepted(self._call, request, response, role))
        self.check(now)

    def _acknowledge(self, sent: _Sent, request: Request) -> None:
        ack, next_hop = self._dialog.ack(request.cseq.number)
        self.forget_acks()
        sent.ack = self._services.sender.send_ack(ack, next_hop, sent.request)
        self._acked[request.cseq.number] = sent

    def _refused(self, sent: _Sent, response: Response, now: float) -> None:
        assert sent.request is not None
        method = sent.request.request.method
        self._give_back(method)
        self._call.session_timer.refused(response)
        delay = self._retry_delay(response)
        may_retry = delay is not None and not sent.withdrawn
        if delay is not None and may_retry:
            self._attempts += 1
            self._not_before = now + delay
            self._offer_wanted = self._offer_wanted or sent.is_offer
            self._refresh_wanted = self._refresh_wanted or not sent.is_offer
        else:
            self._attempts = 0
            if not sent.is_offer:
                self._not_refreshed(method, response, now)
        if sent.is_offer:
            self._services.emit(OfferRefused(self._call, response, None, may_retry))
        if response.status in _GONE:
            self._call.lost(EndReason.LOST, now)
        self.handle_timeout(now)
        self.check(now)

    def _retry_delay(self, response: Response) -> float | None:
        """Tell how long to wait until the same may be tried again, if at all."""
        if self._attempts >= self._services.limits.offer_attempts:
            return None
        if response.status == 491:
            return glare_delay(
                owns_call_id=self._call.is_ours,
                randbelow=self._services.timers.randbelow,
            )
        if response.status == 422:
            return 0.0
        with suppress(SipParseError):
            after = response.retry_after if response.status == 500 else None
            if after is not None and after.seconds <= _LONGEST_WAIT:
                return float(after.seconds)
        return None

    def _not_refreshed(self, method: str, response: Response, now: float) -> None:
        """Try a refresh in another way, or later."""
        if method == "UPDATE" and response.status in (405, 501):
            self.peer_updates = False
            self._refresh_wanted = True
        else:
            self._call.session_timer.postpone(now)

    def _failed(self, failure: Failure, now: float) -> None:
        assert self._sent is not None
        assert self._sent.request is not None
        sent = self._sent
        self._give_back(self._sent.request.request.method)
        if sent.is_offer:
            self._services.emit(OfferRefused(self._call, None, failure))
        else:
            self._call.session_timer.postpone(now)
        if failure is Failure.TIMEOUT:
            # Nobody is there any more (RFC 3261 §12.2.1.2).
            self._call.lost(EndReason.LOST, now)
        self.check(now)

    def _give_back(self, method: str) -> None:
        """Let the session be what it was before a request of ours."""
        self._sent = None
        self._offers.failed(Carrier.INVITE if method == "INVITE" else Carrier.UPDATE)
