"""What both sides of a call have in common (:rfc:`3261#section-13` to §15).

A call is an INVITE, the dialog that its 2xx makes, and everything up to the BYE.
How it begins differs: :mod:`sip.sansio.calls.client` for those we make,
:mod:`sip.sansio.calls.server` for those we get.  Once it is confirmed there is no
difference: each side may send BYE, change the session
(:mod:`sip.sansio.calls.changes`), and has to show that it is still there
(:mod:`sip.sansio.calls.session_timer`).

Bodies are octets here, of which is known whether they are offers or answers.  What
they say is negotiated by whoever drives the call.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import ClassVar, Unpack

from sip.errors import LocalError
from sip.message import Request, Response
from sip.sansio.agenda import earliest
from sip.sansio.calls.changes import Changes
from sip.sansio.calls.events import CallAcknowledged
from sip.sansio.calls.pending_ack import PendingAck
from sip.sansio.calls.session_timer import SessionTimer
from sip.sansio.dialog import Dialog
from sip.sansio.events import CallEnded, EndReason, Failure
from sip.sansio.requests.sender import ClientRequest
from sip.sansio.services import Content, Headers, Services
from sip.sansio.transactions.server import ServerTransaction

__all__ = ["Call", "CallState"]


class CallState(enum.Enum):
    """How far a call has come."""

    __hash__ = object.__hash__  # The default is written in Python.

    INVITING = "the INVITE has no final response"
    ANSWERED = "the 2xx has no ACK"
    CONFIRMED = "both sides agree that there is a call"
    ENDING = "our BYE has no response"
    ENDED = "it is over"


NEXT: dict[CallState, frozenset[CallState]] = {
    CallState.INVITING: frozenset({CallState.ANSWERED, CallState.ENDED}),
    CallState.ANSWERED: frozenset(
        {CallState.CONFIRMED, CallState.ENDING, CallState.ENDED}
    ),
    CallState.CONFIRMED: frozenset({CallState.ENDING, CallState.ENDED}),
    CallState.ENDING: frozenset({CallState.ENDED}),
    CallState.ENDED: frozenset(),
}


class Call:
    """A call, whoever made it.

    Attributes:
        request: The INVITE that began it.
        state: How far it has come.
        dialog: The dialog with the peer, once there is one.
        changes: How its session changes, once there is a dialog and until it is over.
        session_timer: Until when it has to be refreshed.
        refresh_body: What to offer when it is refreshed by INVITE: our description
            as it was sent last; set by whoever drives the call.
        end_reason: Why it is over, once it is.
    """

    is_ours: ClassVar[bool]
    """Whether we made the call."""

    def __init__(self, services: Services, request: Request) -> None:
        self.request = request
        self.state = CallState.INVITING
        self.dialog: Dialog | None = None
        self.changes: Changes | None = None
        self.session_timer = SessionTimer(enabled=_says("timer", services))
        self.refresh_body: bytes | None = None
        self.end_reason: EndReason | None = None
        self._services = services
        self._pending_ack: PendingAck | None = None
        self._bye_wanted: EndReason | None = None
        self._bye: ClientRequest | None = None

    # What is asked of its state.

    @property
    def is_confirmed(self) -> bool:
        """Whether both sides agree that there is a call."""
        return self.state is CallState.CONFIRMED

    @property
    def is_over(self) -> bool:
        """Whether it is over, or about to be."""
        return self.state in (CallState.ENDING, CallState.ENDED)

    @property
    def is_ringing_here(self) -> bool:
        """Whether it waits for our answer."""
        return self.state is CallState.INVITING and not self.is_ours

    @property
    def awaits_ack(self) -> bool:
        """Whether a 2xx of ours has no ACK."""
        return self._pending_ack is not None

    # What the application wants.

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

    def want_offer(self, now: float) -> None:
        """Report :class:`OfferPossible` as soon as a new offer can be made.

        Raises:
            LocalError: There is nothing yet that could be changed.
        """
        self._changeable().own.want_offer(now)

    def offer(
        self,
        body: bytes,
        now: float,
        *,
        headers: Headers = (),
        content_type: str = "application/sdp",
    ) -> None:
        """Offer another session, by INVITE or before the answer by UPDATE.

        :class:`OfferAccepted` or :class:`OfferRefused` will be reported.

        Args:
            body: The session description, or what it is in.
            now: The time, in seconds.
            headers: More headers for the request.
            content_type: What the body is.

        Raises:
            LocalError: It isn't the time for it: see :meth:`want_offer`.
        """
        self._changeable().own.offer(
            body, now, headers=headers, content_type=content_type
        )

    def withdraw_offer(self, now: float) -> None:
        """Take :meth:`want_offer` back, or CANCEL the INVITE of :meth:`offer`.

        It may be accepted all the same.
        """
        if self.changes is not None:
            self.changes.own.withdraw(now)

    def refresh(self, now: float) -> None:
        """Tell the peer that and where we are, without changing the session.

        Raises:
            LocalError: The call isn't confirmed.
        """
        if self.state is not CallState.CONFIRMED:
            raise LocalError("only a call that was answered can be refreshed")
        self._changeable().own.refresh(now)

    def answer_offer(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        **content: Unpack[Content],
    ) -> bool:
        """Answer the request of an :class:`OfferReceived`, in whichever dialog.

        Returns:
            False if it is too late for that.
        """
        known = self._all_changes()
        return any(c.answer(transaction, status, now, **content) for c in known)

    def _all_changes(self) -> Sequence[Changes]:
        """Return the changes of all dialogs that the call has now."""
        return () if self.changes is None else (self.changes,)

    # What the clock says.

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        pending, changes = self._pending_ack, self.changes
        return earliest(
            None if pending is None else pending.next_timeout(),
            None if changes is None else changes.own.next_timeout(),
            self.session_timer.next_timeout() if self.is_confirmed else None,
        )

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        pending = self._pending_ack
        if pending is not None and pending.give_up_at <= now:
            self._pending_ack = None
            self._not_acknowledged(now)
        elif pending is not None and pending.repeat_at <= now:
            pending.repeat(self._services.sender, now)
        if self.changes is not None:
            self.changes.own.handle_timeout(now)
        if self.state is CallState.CONFIRMED:
            self._check_session(now)

    def _check_session(self, now: float) -> None:
        timer = self.session_timer
        if timer.expire_at is not None and timer.expire_at <= now:
            self._send_bye(EndReason.NOT_REFRESHED, (), now)
        elif timer.refresh_at is not None and timer.refresh_at <= now:
            timer.refresh_at = None  # Its success, or failure, sets the next time.
            self._changeable().own.refresh(now)

    # What comes from the wire.

    def receive_request(self, transaction: ServerTransaction, now: float) -> bool:
        """Take in a request of the dialog, in order.

        Returns:
            False if it isn't for the call itself.

        Raises:
            SipParseError: A header that matters can't be read.
        """
        if transaction.request.method == "BYE":
            self._receive_bye(transaction, now)
            return True
        if transaction.request.method == "PRACK":
            self._receive_prack(transaction, now)
            return True
        return self.changes is not None and self.changes.receive(transaction, now)

    def receive_ack(self, request: Request, now: float) -> None:
        """Take in an ACK of the dialog."""
        pending = self._pending_ack
        if pending is None or request.cseq.number != pending.cseq:
            return  # A repetition, or of a 2xx that we no longer repeat.
        self._pending_ack = None
        first = self.state is CallState.ANSWERED
        if first:
            self._become(CallState.CONFIRMED)
        role = self._changeable().acknowledged(request, now)
        self._services.emit(CallAcknowledged(self, request, first, role))
        if self._bye_wanted is not None and self.state is CallState.CONFIRMED:
            self._send_bye(self._bye_wanted, (), now)

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Take in the CANCEL of an INVITE; after a final response it means nothing."""
        if self.changes is not None:
            self.changes.cancelled(transaction, now)

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

    def lost(self, reason: EndReason, now: float) -> None:
        """Take note that the peer knows of no call any more."""
        if self.state is CallState.CONFIRMED:
            self._send_bye(reason, (), now)

    # Inside.

    def _become(self, state: CallState) -> None:
        """Change the state: the only place that does."""
        assert state in NEXT[self.state], (self.state, state)
        self.state = state

    def _changeable(self) -> Changes:
        if self.changes is None:
            raise LocalError("there is no session that could be changed")
        return self.changes

    def _send_bye(self, reason: EndReason, headers: Headers, now: float) -> None:
        assert self.dialog is not None
        self._become(CallState.ENDING)
        self._bye_wanted = reason
        self._drop_changes(now)
        request, next_hop = self.dialog.request("BYE", headers=headers)
        self._bye = self._services.sender.send(request, next_hop, self)

    def _end(self, reason: EndReason, request: Request | None = None) -> None:
        if self.state is CallState.ENDED:
            return
        was_answered = self.state is not CallState.INVITING
        self._become(CallState.ENDED)
        self.end_reason = reason
        changes, self.changes = self.changes, None
        # These know the call: let go of them, so that it is freed when nobody else
        # knows it any more, without waiting for the garbage collector.
        self._pending_ack = self._bye = None
        if changes is not None:
            changes.own.over()
            changes.own.forget_acks()
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
        assert self.dialog is not None
        self.respond(self.dialog, transaction, 200, now)
        self._drop_changes(now)
        if self.state is CallState.ENDING:
            # Both hung up at once; ours will be answered with 481, or not at all.
            self._end(self._bye_wanted or EndReason.LOCAL_BYE)
        else:
            self._end(EndReason.REMOTE_BYE, transaction.request)

    def _receive_prack(self, transaction: ServerTransaction, now: float) -> None:
        assert self.dialog is not None
        self.respond(self.dialog, transaction, 481, now)

    def _drop_changes(self, now: float) -> None:
        if self.changes is not None:
            self.changes.drop(now)

    def respond(
        self,
        dialog: Dialog,
        transaction: ServerTransaction,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Response:
        """Answer a request of a dialog of this call."""
        request = transaction.request
        extra = list(headers)
        is_invite = request.method == "INVITE"
        if (is_invite and 100 < status < 300) or _refreshes(request, status):
            contact = self._services.sender.contact(
                transaction.hop, secure=dialog.secure
            )
            extra += [("Contact", contact), *self._services.answer_headers]
        response = self._services.respond(
            transaction,
            status,
            now,
            reason=reason,
            headers=extra,
            body=body,
            content_type=content_type,
            to_tag=dialog.local.tag,
        )
        if is_invite and 200 <= status < 300:
            self._pending_ack = PendingAck(
                transaction, response, self._services.timers, now
            )
        self._services.wake(self)
        return response


def _says(tag: str, services: Services) -> bool:
    """Tell whether we say that we know of an extension."""
    supported = [v for name, v in services.answer_headers if name == "Supported"]
    return any(tag == known.strip() for v in supported for known in v.split(","))


def _refreshes(request: Request, status: int) -> bool:
    return request.method == "UPDATE" and 200 <= status < 300
