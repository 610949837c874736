"""What both sides of a call have in common (:rfc:`3261#section-13` to §15).

A call is an INVITE, the dialog that its 2xx makes, and everything up to the BYE.
How it begins differs: :mod:`sip.sansio.client_call` for those we make,
:mod:`sip.sansio.server_call` for those we get.  Once it is confirmed there is no
difference: each side may send BYE, and INVITE again.

Bodies are octets here.  What they offer and answer is negotiated by whoever
drives the call.
"""

from __future__ import annotations

import enum
import secrets
from typing import ClassVar

from sip.errors import LocalError
from sip.message import Request, Response
from sip.sansio.dialog import Dialog
from sip.sansio.events import (
    CallAcknowledged,
    CallEnded,
    EndReason,
    Failure,
    ReinviteReceived,
)
from sip.sansio.sender import ClientRequest, Sender
from sip.sansio.server_transactions import ServerTransaction
from sip.sansio.services import Headers, Services
from sip.sansio.timers import Timers

__all__ = ["Call", "CallState", "PendingAck"]


class CallState(enum.Enum):
    """How far a call has come."""

    INVITING = "the INVITE has no final response"
    ANSWERED = "the 2xx has no ACK"
    CONFIRMED = "both sides agree that there is a call"
    ENDING = "our BYE has no response"
    ENDED = "it is over"


_NEXT: dict[CallState, frozenset[CallState]] = {
    CallState.INVITING: frozenset({CallState.ANSWERED, CallState.ENDED}),
    CallState.ANSWERED: frozenset(
        {CallState.CONFIRMED, CallState.ENDING, CallState.ENDED}
    ),
    CallState.CONFIRMED: frozenset({CallState.ENDING, CallState.ENDED}),
    CallState.ENDING: frozenset({CallState.ENDED}),
    CallState.ENDED: frozenset(),
}


class PendingAck:
    """A 2xx of ours that is repeated until its ACK comes.

    That is done on any transport, since a proxy may go on by an unreliable one
    (:rfc:`3261#section-13.3.1.4`).
    """

    __slots__ = (
        "_interval",
        "_longest",
        "cseq",
        "give_up_at",
        "repeat_at",
        "response",
        "transaction",
    )

    def __init__(
        self,
        transaction: ServerTransaction,
        response: Response,
        timers: Timers,
        now: float,
    ) -> None:
        self.transaction = transaction
        self.response = response
        self.cseq = response.cseq.number
        self._interval = timers.t1
        self._longest = timers.t2
        self.repeat_at = now + timers.t1
        self.give_up_at = now + timers.timeout

    def repeat(self, sender: Sender, now: float) -> None:
        """Send the response again and double the interval, up to T2."""
        sender.layer.respond(self.transaction, self.response, now)
        self._interval = min(2 * self._interval, self._longest)
        self.repeat_at = max(self.repeat_at, now - self._interval) + self._interval

    def next_timeout(self) -> float:
        """Return when to repeat or to give up."""
        return min(self.repeat_at, self.give_up_at)


class Call:
    """A call, whoever made it.

    Attributes:
        request: The INVITE that began it.
        state: How far it has come.
        dialog: The dialog with the peer, once there is one.
        end_reason: Why it is over, once it is.
    """

    is_ours: ClassVar[bool]
    """Whether we made the call."""

    def __init__(self, services: Services, request: Request) -> None:
        self.request = request
        self.state = CallState.INVITING
        self.dialog: Dialog | None = None
        self.end_reason: EndReason | None = None
        self._services = services
        self._pending_ack: PendingAck | None = None
        self._reinvite: ServerTransaction | None = None
        self._bye_wanted: EndReason | None = None
        self._bye: ClientRequest | None = None

    def bye(
        self,
        now: float,
        *,
        headers: Headers = (),
        reason: EndReason = EndReason.LOCAL_BYE,
    ) -> None:
        """End the call.

        A callee may not do so before its 2xx is acknowledged
        (:rfc:`3261#section-15`): then the BYE waits for the ACK, or for the
        time when there is no more hope for it.  Once the call is ending this
        does nothing.

        Raises:
            LocalError: The call hasn't been answered, or the answer hasn't
                been acknowledged by us.
        """
        if self.state in (CallState.ENDING, CallState.ENDED):
            return
        if self.state is CallState.ANSWERED and not self.is_ours:
            self._bye_wanted = self._bye_wanted or reason
            return
        if self.state is not CallState.CONFIRMED:
            raise LocalError("only a call that was answered can be ended with BYE")
        self._send_bye(reason, headers, now)

    def answer_reinvite(
        self,
        status: int,
        now: float,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> None:
        """Answer the INVITE of :class:`ReinviteReceived`.

        Nothing happens if it is too late, because the call is ending.
        """
        transaction, self._reinvite = self._reinvite, None
        if transaction is None:
            return
        accepted = 200 <= status < 300
        if accepted and self.dialog is not None:
            self.dialog.refresh_target(transaction.request)
        self._respond(
            transaction,
            status,
            now,
            headers=headers,
            body=body,
            content_type=content_type,
        )

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        return self._pending_ack.next_timeout() if self._pending_ack else None

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        pending = self._pending_ack
        if pending is None:
            return
        if pending.give_up_at <= now:
            self._pending_ack = None
            self._not_acknowledged(now)
        elif pending.repeat_at <= now:
            pending.repeat(self._services.sender, now)

    def receive_request(self, transaction: ServerTransaction, now: float) -> bool:
        """Take in a request of the dialog, in order.

        Returns:
            False if it isn't for the call itself.
        """
        if transaction.request.method == "BYE":
            self._receive_bye(transaction, now)
        elif transaction.request.method == "INVITE":
            self._receive_reinvite(transaction, now)
        else:
            return False
        return True

    def receive_ack(self, request: Request, now: float) -> None:
        """Take in an ACK of the dialog."""
        pending = self._pending_ack
        if pending is None or request.cseq.number != pending.cseq:
            return  # A repetition, or of a 2xx that we no longer repeat.
        self._pending_ack = None
        first = self.state is CallState.ANSWERED
        if first:
            self._become(CallState.CONFIRMED)
        self._services.emit(CallAcknowledged(self, request, first))
        if self._bye_wanted is not None and self.state is CallState.CONFIRMED:
            self._send_bye(self._bye_wanted, (), now)

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take the response to our BYE, whatever it is."""
        if sent is self._bye and response.status >= 200:
            self._end(self._bye_wanted or EndReason.LOCAL_BYE)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that nobody answered our BYE: the call is over all the same."""
        if sent is self._bye:
            self._end(self._bye_wanted or EndReason.LOCAL_BYE)

    def _become(self, state: CallState) -> None:
        """Change the state: the only place that does."""
        assert state in _NEXT[self.state], (self.state, state)
        self.state = state

    def _send_bye(self, reason: EndReason, headers: Headers, now: float) -> None:
        assert self.dialog is not None
        self._become(CallState.ENDING)
        self._bye_wanted = reason
        self._drop_reinvite(now)
        request, next_hop = self.dialog.request("BYE", headers=headers)
        self._bye = self._services.sender.send(request, next_hop, self)

    def _end(self, reason: EndReason, request: Request | None = None) -> None:
        if self.state is CallState.ENDED:
            return
        was_answered = self.state is not CallState.INVITING
        self._become(CallState.ENDED)
        self.end_reason = reason
        self._pending_ack = None
        if self.dialog is not None:
            self.dialog.terminate()
        self._services.ended(self)
        if was_answered:
            self._services.emit(CallEnded(self, reason, request))

    def _not_acknowledged(self, now: float) -> None:
        """End the call that the peer never confirmed (§13.3.1.4, §14.2)."""
        if self.state in (CallState.ANSWERED, CallState.CONFIRMED):
            self._send_bye(EndReason.NOT_ACKNOWLEDGED, (), now)

    def _receive_bye(self, transaction: ServerTransaction, now: float) -> None:
        self._respond(transaction, 200, now)
        self._drop_reinvite(now)
        if self.state is CallState.ENDING:
            # Both hung up at once; ours will be answered with 481, or not at all.
            self._end(self._bye_wanted or EndReason.LOCAL_BYE)
        else:
            self._end(EndReason.REMOTE_BYE, transaction.request)

    def _receive_reinvite(self, transaction: ServerTransaction, now: float) -> None:
        if self._reinvite is not None or self._pending_ack is not None:
            # RFC 3261 §14.2: the one before isn't over.
            wait = ("Retry-After", str(secrets.randbelow(11)))
            self._respond(transaction, 500, now, headers=[wait])
        elif self.state is not CallState.CONFIRMED:
            # An INVITE of ours isn't over, or the call is.
            status = 491 if self.state is CallState.ANSWERED else 481
            self._respond(transaction, status, now)
        else:
            self._reinvite = transaction
            self._services.emit(ReinviteReceived(self, transaction.request))

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Take in the CANCEL of an INVITE; after a final response it means nothing."""
        if transaction is self._reinvite:
            self._drop_reinvite(now)

    def _drop_reinvite(self, now: float) -> None:
        """Answer an INVITE that nobody will care for (:rfc:`3261#section-15.1.2`)."""
        if self._reinvite is not None:
            self.answer_reinvite(487, now)

    def _respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> None:
        request = transaction.request
        extra = list(headers)
        if request.method == "INVITE" and 100 < status < 300:
            secure = self.dialog is not None and self.dialog.secure
            contact = self._services.sender.contact(transaction.hop, secure=secure)
            extra += [("Contact", contact), *self._services.answer_headers]
        tag = self.dialog.local.tag if self.dialog is not None else None
        response = self._services.respond(
            transaction,
            status,
            now,
            reason=reason,
            headers=extra,
            body=body,
            content_type=content_type,
            to_tag=tag,
        )
        if request.method == "INVITE" and 200 <= status < 300:
            self._pending_ack = PendingAck(
                transaction, response, self._services.timers, now
            )
        self._services.wake(self)
