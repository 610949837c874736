"""A call that a peer makes: ring, answer or refuse (:rfc:`3261#section-13.3`)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sip.errors import LocalError
from sip.identifiers import new_tag
from sip.message import Response
from sip.sansio.agenda import earliest
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.changes import Changes
from sip.sansio.calls.events import ProgressAcknowledged
from sip.sansio.calls.offers import Carrier, Offers, Party, Role, has_sdp
from sip.sansio.calls.reliable import ReliableSender
from sip.sansio.calls.replaces import give_way
from sip.sansio.dialog import Dialog
from sip.sansio.events import CallReceived, CallUnanswered, EndReason
from sip.sansio.services import Headers, Services
from sip.sansio.transactions.server import ServerTransaction

__all__ = ["ServerCall"]

_RING_AGAIN = 60.0
"""Seconds between two provisional responses, so that no proxy's timer C ends a
call that rings for long (:rfc:`3261#section-13.3.1.1`)."""

_RING_RELIABLY_AGAIN = 150.0
"""The same, if they are reliable (:rfc:`3262#section-3`)."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response that the application wants to send."""

    status: int
    reason: str | None = None
    headers: Headers = ()
    body: bytes = b""
    content_type: str | None = None


class ServerCall(Call):
    """A call that a peer makes.

    Args:
        services: The user agent.
        transaction: The transaction of the INVITE.
        now: The time, in seconds.

    Attributes:
        replaces: The call that ends when this one is answered, if there is one.

    Raises:
        SipParseError: The INVITE can't begin a dialog.
    """

    is_ours = False

    def __init__(
        self, services: Services, transaction: ServerTransaction, now: float
    ) -> None:
        super().__init__(services, transaction.request)
        self.dialog = Dialog.from_request(
            transaction.request, new_tag(), transaction.source
        )
        self.replaces: Call | None = None
        self._transaction = transaction
        self._progress: _Answer | None = None
        self._progress_is_reliable = False
        self._ring_at: float | None = None
        self._reliable = ReliableSender(transaction.request, services.timers)
        self._waiting: deque[_Answer] = deque()
        self._accept: _Answer | None = None
        offers = Offers.of_invite(Party.PEER, has_sdp=has_sdp(transaction.request))
        self.changes = Changes(self, services, self.dialog, offers)
        self.changes.heard(transaction.request)
        limits = services.limits
        expires = transaction.request.expires
        self._expires_at = now + limits.ringing_time
        self._expiry = EndReason.REJECTED
        if expires is not None and expires < limits.ringing_time:
            self._expires_at = now + expires
            self._expiry = EndReason.EXPIRED
        services.register(self.dialog, self)
        services.wake(self)
        services.emit(CallReceived(self))

    @property
    def takes_reliable(self) -> bool:
        """Whether the caller knows of reliable provisional responses."""
        return self._reliable.is_possible

    def provisional(
        self,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        reliable: bool | None = None,
    ) -> None:
        """Tell the caller that something is going on, such as 180.

        It is told again from time to time until the call is answered.  A reliable
        response is repeated until it is acknowledged, which
        :class:`ProgressAcknowledged` tells; the next one waits for that
        (:rfc:`3262#section-3`).

        Args:
            status: From 101 to 199.
            now: The time, in seconds.
            reason: Words for people, if not the usual ones.
            headers: More headers.
            body: The answer to the caller's offer, or an offer if it has none; it
                goes reliably.
            content_type: The type of ``body``.
            reliable: Whether to see to it that it arrives; by default if it has a
                body, or the caller wants nothing else.

        Raises:
            LocalError: ``status`` isn't from 101 to 199; the caller doesn't know
                reliable responses; or too many wait already.
        """
        if not 100 < status < 200:
            raise LocalError("a provisional response has a status from 101 to 199")
        if self.state is not CallState.INVITING:
            return
        answer = _Answer(status, reason, headers, body, content_type)
        if self._goes_reliably(reliable, answer):
            if len(self._waiting) >= self._services.limits.provisional_responses:
                raise LocalError("too many provisional responses wait for their PRACK")
            self._waiting.append(answer)
            self._send_waiting(now)
        elif not self._reliable.is_required:
            self._ring(answer, now, reliable=False)
        # Else it had to be reliable, and have the offer that the caller asks for.

    def _goes_reliably(self, wanted: bool | None, answer: _Answer) -> bool:
        reliable = self._reliable
        if (wanted or answer.body) and not reliable.is_possible:
            raise LocalError("the caller doesn't know reliable provisional responses")
        offers = self._changeable().offers
        if offers.asked is Party.WE and not answer.body:
            # The first reliable one has to have an offer (RFC 3262 §5).
            if wanted:
                raise LocalError("the caller waits for an offer in this response")
            return False
        if wanted is None:
            return reliable.is_required or bool(answer.body)
        return wanted or reliable.is_required

    def _ring(self, answer: _Answer, now: float, *, reliable: bool) -> Response:
        self._progress = answer
        self._progress_is_reliable = reliable
        self._ring_at = now + (_RING_RELIABLY_AGAIN if reliable else _RING_AGAIN)
        return self._send(answer, now)

    def _send_waiting(self, now: float) -> None:
        """Send the next reliable response, if the one before was acknowledged."""
        if not self._waiting or self._reliable.pending is not None:
            return
        answer = self._waiting.popleft()
        plain = _Answer(answer.status, answer.reason, answer.headers)
        numbered = _Answer(
            answer.status,
            answer.reason,
            (*answer.headers, *self._reliable.next_headers()),
            answer.body,
            answer.content_type,
        )
        self._changeable().offers.passes(
            Party.WE, Carrier.RELIABLE, has_sdp=bool(answer.body)
        )
        response = self._ring(numbered, now, reliable=True)
        self._progress = plain  # What it says is said once.
        self._reliable.sent(response, bool(answer.body), now)
        self._services.wake(self)

    def _send(self, answer: _Answer, now: float) -> Response:
        assert self.dialog is not None
        return self.respond(
            self.dialog,
            self._transaction,
            answer.status,
            now,
            reason=answer.reason,
            headers=answer.headers,
            body=answer.body,
            content_type=answer.content_type,
        )

    def accept(
        self,
        now: float,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> bool:
        """Answer the call with 200.

        That waits while a provisional response with a session description has not
        been acknowledged (:rfc:`3262#section-5`).

        Returns:
            False if the caller has given up in the meantime.
        """
        if self.state is not CallState.INVITING or self._accept is not None:
            return False
        self._accept = _Answer(200, None, headers, body, content_type)
        self._waiting.clear()
        self._try_accept(now)
        return True

    def _try_accept(self, now: float) -> None:
        pending, answer = self._reliable.pending, self._accept
        if answer is None or self.state is not CallState.INVITING:
            return
        if pending is not None and pending.has_sdp:
            return
        self._become(CallState.ANSWERED)
        changes = self._changeable()
        changes.offers.passes(Party.WE, Carrier.SUCCESS, has_sdp=bool(answer.body))
        request, timers = self._transaction.request, self._services.timers
        timer = self.session_timer.accepted_by_us(request, timers, now)
        headers = (*answer.headers, *timer)
        self._send(_Answer(200, None, headers, answer.body, answer.content_type), now)
        if self.replaces is not None:
            give_way(self.replaces, now)

    def reject(
        self,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> bool:
        """Refuse the call.

        Returns:
            False if the caller has given up in the meantime.

        Raises:
            LocalError: ``status`` isn't from 300 to 699.
        """
        if not 300 <= status < 700:
            raise LocalError("a call is refused with a status from 300 to 699")
        if self.state is not CallState.INVITING:
            return False
        self._end(EndReason.REJECTED)
        self._send(_Answer(status, reason, headers, body, content_type), now)
        self._services.emit(CallUnanswered(self, EndReason.REJECTED))
        return True

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Take in a CANCEL of the caller; after a final response it means nothing."""
        if transaction is self._transaction:
            self._give_up(EndReason.CANCELLED, 487, now)
        else:
            super().cancelled(transaction, now)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        if self.state is not CallState.INVITING:
            return super().next_timeout()
        return earliest(
            self._ring_at,
            self._expires_at,
            self._reliable.next_timeout(),
            self._changeable().own.next_timeout(),
        )

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        if self.state is not CallState.INVITING:
            super().handle_timeout(now)
            return
        if self._expires_at <= now:
            status = 487 if self._expiry is EndReason.EXPIRED else 480
            self._give_up(self._expiry, status, now)
        elif self._reliable.is_hopeless(now):
            # Whoever doesn't hear that would not hear the answer (RFC 3262 §3).
            self._give_up(EndReason.NOT_ACKNOWLEDGED, 504, now)
        else:
            self._reliable.repeat(lambda r: self._send_again(r, now), now)
            self._changeable().own.handle_timeout(now)
            self._ring_again(now)

    def _send_again(self, response: Response, now: float) -> None:
        self._services.sender.layer.respond(self._transaction, response, now)

    def _ring_again(self, now: float) -> None:
        answer = self._progress
        if answer is None or self._ring_at is None or self._ring_at > now:
            return
        if self._reliable.pending is not None:
            self._ring_at = now + _RING_AGAIN  # It is being repeated as it is.
            return
        self.provisional(
            answer.status,
            now,
            reason=answer.reason,
            headers=answer.headers,
            reliable=self._progress_is_reliable or None,
        )

    def _receive_prack(self, transaction: ServerTransaction, now: float) -> None:
        request, changes = transaction.request, self._changeable()
        if self._reliable.acknowledged(request.rack) is None:
            super()._receive_prack(transaction, now)
            return
        self._ring_at = now + _RING_RELIABLY_AGAIN
        offered = changes.offers.open
        described = has_sdp(request)
        if described and changes.offers.may_offer:
            changes.ask(transaction, described)
            role = Role.OFFER
        else:
            role = changes.offers.passes(Party.PEER, Carrier.PRACK, has_sdp=described)
            self.respond(changes.dialog, transaction, 200, now)
        if offered is None or role is not Role.OFFER:
            self._services.emit(ProgressAcknowledged(self, request, role))
        self._try_accept(now)
        self._send_waiting(now)
        self._services.wake(self)

    def _receive_bye(self, transaction: ServerTransaction, now: float) -> None:
        if self.state is CallState.INVITING:
            # A caller may end even an early dialog with BYE (§15).
            assert self.dialog is not None
            self.respond(self.dialog, transaction, 200, now)
            self._give_up(EndReason.REMOTE_BYE, 487, now)
        else:
            super()._receive_bye(transaction, now)

    def _give_up(self, reason: EndReason, status: int, now: float) -> None:
        if self.state is not CallState.INVITING:
            return
        self._drop_changes(now)
        self._end(reason)
        self._send(_Answer(status), now)
        self._services.emit(CallUnanswered(self, reason))

    @property
    def transaction(self) -> ServerTransaction:
        """The transaction of the INVITE."""
        return self._transaction
