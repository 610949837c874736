"""A call that a peer makes: ring, answer or refuse (:rfc:`3261#section-13.3`)."""

from __future__ import annotations

from sip.errors import LocalError
from sip.identifiers import new_tag
from sip.sansio.call import Call, CallState
from sip.sansio.dialog import Dialog
from sip.sansio.events import CallReceived, CallUnanswered, EndReason
from sip.sansio.server_transactions import ServerTransaction
from sip.sansio.services import Headers, Services

__all__ = ["ServerCall"]

_RING_AGAIN = 60.0
"""Seconds between two provisional responses, so that no proxy's timer C ends a
call that rings for long (:rfc:`3261#section-13.3.1.1`)."""


class ServerCall(Call):
    """A call that a peer makes.

    Args:
        services: The user agent.
        transaction: The transaction of the INVITE.
        now: The time, in seconds.

    Raises:
        SipParseError: The INVITE can't begin a dialog.
    """

    is_ours = False

    def __init__(
        self, services: Services, transaction: ServerTransaction, now: float
    ) -> None:
        super().__init__(services, transaction.request)
        self.dialog = Dialog.from_request(
            transaction.request,
            new_tag(),
            secure=transaction.source.transport.secure,
        )
        self._transaction = transaction
        self._provisional: tuple[int, str | None, Headers] | None = None
        self._ring_at: float | None = None
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

    def provisional(
        self,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
    ) -> None:
        """Tell the caller that something is going on, such as 180.

        It is told again each minute until the call is answered.

        Raises:
            LocalError: ``status`` isn't from 101 to 199.
        """
        if not 100 < status < 200:
            raise LocalError("a provisional response has a status from 101 to 199")
        if self.state is not CallState.INVITING:
            return
        self._provisional = (status, reason, headers)
        self._ring_at = now + _RING_AGAIN
        self._respond(self._transaction, status, now, reason=reason, headers=headers)

    def accept(
        self,
        now: float,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> bool:
        """Answer the call with 200.

        Returns:
            False if the caller has given up in the meantime.
        """
        if self.state is not CallState.INVITING:
            return False
        assert self.dialog is not None
        self._become(CallState.ANSWERED)
        self._respond(
            self._transaction,
            200,
            now,
            headers=headers,
            body=body,
            content_type=content_type,
        )
        return True

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
        self._respond(
            self._transaction,
            status,
            now,
            reason=reason,
            headers=headers,
            body=body,
            content_type=content_type,
        )
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
        if self._ring_at is None:
            return self._expires_at
        return min(self._ring_at, self._expires_at)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        if self.state is not CallState.INVITING:
            super().handle_timeout(now)
        elif self._expires_at <= now:
            status = 487 if self._expiry is EndReason.EXPIRED else 480
            self._give_up(self._expiry, status, now)
        elif self._provisional is not None and (self._ring_at or 0) <= now:
            status, reason, headers = self._provisional
            self.provisional(status, now, reason=reason, headers=headers)

    def _receive_bye(self, transaction: ServerTransaction, now: float) -> None:
        if self.state is CallState.INVITING:
            # A caller may end even an early dialog with BYE (§15).
            self._respond(transaction, 200, now)
            self._give_up(EndReason.REMOTE_BYE, 487, now)
        else:
            super()._receive_bye(transaction, now)

    def _receive_reinvite(self, transaction: ServerTransaction, now: float) -> None:
        if self.state is CallState.INVITING:
            self._respond(transaction, 500, now, headers=[("Retry-After", "10")])
        else:
            super()._receive_reinvite(transaction, now)

    def _give_up(self, reason: EndReason, status: int, now: float) -> None:
        if self.state is not CallState.INVITING:
            return
        self._end(reason)
        self._respond(self._transaction, status, now)
        self._services.emit(CallUnanswered(self, reason))

    @property
    def transaction(self) -> ServerTransaction:
        """The transaction of the INVITE."""
        return self._transaction
