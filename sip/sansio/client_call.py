"""A call that we make: wait, cancel, acknowledge (:rfc:`3261#section-13.2`).

A proxy may fork the INVITE, so that several peers ring and more than one may
answer.  The first 2xx makes the call; each further one from somebody else is
acknowledged and ended at once, because there the other side believes in a call
until it is told otherwise (:rfc:`3261#section-13.2.2.4`).
"""

from __future__ import annotations

from sip.errors import LocalError, SipParseError
from sip.message import Request, Response
from sip.sansio.call import Call, CallState
from sip.sansio.dialog import Dialog
from sip.sansio.events import (
    CallAnswered,
    CallFailed,
    CallProgressed,
    EndReason,
    Failure,
)
from sip.sansio.sender import ClientRequest, SentAck
from sip.sansio.services import Headers, Services
from sip.uri import Uri

__all__ = ["ClientCall"]


class ClientCall(Call):
    """A call that we make.  Making one sends the INVITE.

    Args:
        services: The user agent.
        request: The INVITE without Via and Contact.
        next_hop: The URI to look up for the address to send it to.
        now: The time, in seconds.

    Attributes:
        early_dialogs: The dialogs of those that ring, by their tag.
        began_at: When it was made, in seconds.
    """

    is_ours = True

    def __init__(
        self, services: Services, request: Request, next_hop: Uri, now: float
    ) -> None:
        super().__init__(services, request)
        self.early_dialogs: dict[str, Dialog] = {}
        self._acks: dict[str, SentAck | None] = {}
        self._cancel_wanted = False
        self._cancel: ClientRequest | None = None
        self._give_up_at: float | None = None
        self._forget_at: float | None = None
        expires = request.expires
        self._expires_at = None if expires is None else now + expires
        self.began_at = now
        self._invite = services.sender.send(request, next_hop, self)
        services.wake(self)

    @property
    def invite(self) -> ClientRequest:
        """The INVITE on its way: where it went and what came of that."""
        return self._invite

    def abandon(self) -> None:
        """Stop waiting for an answer; whatever still comes is ignored.

        For when the user agent goes away: else :meth:`cancel`, after which a
        late 2xx is acknowledged and its call ended.
        """
        if self.state is CallState.INVITING:
            self._services.sender.abandon(self._invite)
            self._fail(None, Failure.CANCELLED)

    def cancel(self, now: float) -> None:
        """Stop calling (:rfc:`3261#section-9.1`).

        The CANCEL waits for a provisional response; if the call is answered
        all the same it is acknowledged and ended.  :class:`CallFailed` tells when
        it is done.  After a final response this does nothing.
        """
        if self.state is not CallState.INVITING or self._cancel_wanted:
            return
        self._cancel_wanted = True
        if self._invite.transaction is None:
            # Not sent yet.
            self._services.sender.abandon(self._invite)
            self._fail(None, Failure.CANCELLED)
            return
        self._invite.last_trial()
        if self._invite.is_heard:
            self._send_cancel(now)

    def acknowledge(
        self,
        now: float,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> None:
        """Send the ACK to the 2xx of :class:`CallAnswered`.

        Raises:
            LocalError: There is no 2xx to acknowledge.
        """
        if self.state is not CallState.ANSWERED or self.dialog is None:
            raise LocalError("there is no answer to acknowledge")
        ack, next_hop = self.dialog.ack(
            self._invite.request.cseq.number,
            headers=headers,
            body=body,
            content_type=content_type,
        )
        self._become(CallState.CONFIRMED)
        tag = self.dialog.remote.tag or ""
        self._acks[tag] = self._services.sender.send_ack(ack, next_hop, self._invite)

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take a response to our INVITE, CANCEL or BYE."""
        if sent is not self._invite:
            super().request_answered(sent, response, now)
            return
        try:
            if response.status < 200:
                self._receive_provisional(response, now)
            elif response.status < 300:
                self._receive_success(response, now)
            else:
                cancelled = Failure.CANCELLED if self._cancel_wanted else None
                self._fail(response, cancelled)
        except SipParseError:
            if response.status >= 200:
                self._fail(None, Failure.BAD_RESPONSE)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that there is no response to our INVITE, CANCEL or BYE."""
        if sent is self._invite:
            cancelled = self._cancel_wanted and failure is Failure.TIMEOUT
            self._fail(None, Failure.CANCELLED if cancelled else failure)
        else:
            super().request_failed(sent, failure, now)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        times = [
            self._expires_at,
            self._give_up_at,
            self._forget_at,
            super().next_timeout(),
        ]
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        if self._expires_at is not None and self._expires_at <= now:
            self._expires_at = None
            self.cancel(now)
        if self._give_up_at is not None and self._give_up_at <= now:
            # Nobody confirmed our CANCEL with a 487 (RFC 3261 §9.1).
            self._give_up_at = None
            self.abandon()
        if self._forget_at is not None and self._forget_at <= now:
            self._forget_at = None
            self._forget_forks()
        super().handle_timeout(now)

    def _receive_provisional(self, response: Response, now: float) -> None:
        if self._cancel_wanted and self._cancel is None:
            self._send_cancel(now)
        tag = response.to.tag
        if response.status == 100 or self.state is not CallState.INVITING:
            return
        if tag and tag not in self.early_dialogs:
            if len(self.early_dialogs) < self._services.limits.early_dialogs:
                dialog = Dialog.from_response(self._invite.request, response)
                self.early_dialogs[tag] = dialog
        self._services.emit(CallProgressed(self, response))

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response.to.tag or ""
        if tag in self._acks:
            ack = self._acks[tag]
            if ack is not None:
                self._services.sender.repeat_ack(ack)
            return
        if len(self._acks) > self._services.limits.answered_forks:
            return
        dialog = self._confirmed_dialog(tag, response)
        if self._forget_at is None:
            self._forget_at = now + self._services.timers.timeout
            self._services.wake(self)
        if self.state is not CallState.INVITING:
            self._dismiss(dialog)
            return
        if self._cancel_wanted:
            self._dismiss(dialog)
            self._fail(None, Failure.CANCELLED)
            return
        self._acks[tag] = self._expires_at = None
        self.dialog = dialog
        self._become(CallState.ANSWERED)
        self._services.register(dialog, self)
        self._services.emit(CallAnswered(self, response))

    def _confirmed_dialog(self, tag: str, response: Response) -> Dialog:
        dialog = self.early_dialogs.pop(tag, None)
        if dialog is None:
            return Dialog.from_response(self._invite.request, response)
        dialog.confirm(response)
        return dialog

    def _dismiss(self, dialog: Dialog) -> None:
        """Acknowledge a 2xx that isn't wanted, and end its dialog."""
        sender = self._services.sender
        ack, next_hop = dialog.ack(self._invite.request.cseq.number)
        tag = dialog.remote.tag or ""
        self._acks[tag] = sender.send_ack(ack, next_hop, self._invite)
        bye, next_hop = dialog.request("BYE")
        dialog.terminate()
        sender.send(bye, next_hop, self)

    def _send_cancel(self, now: float) -> None:
        sender = self._services.sender
        self._cancel = sender.send_cancel(self._invite, self, now)
        self._give_up_at = now + self._services.timers.timeout
        self._services.wake(self)

    def _fail(self, response: Response | None, failure: Failure | None) -> None:
        if self.state is not CallState.INVITING:
            return
        self.early_dialogs.clear()
        self._give_up_at = self._expires_at = None
        self._end(EndReason.FAILED)
        self._services.emit(CallFailed(self, response, failure))

    def _forget_forks(self) -> None:
        """Forget what can't happen again after timer M (§13.2.2.4)."""
        self.early_dialogs.clear()
        for ack in self._acks.values():
            if ack is not None:
                self._services.sender.forget_ack(ack)
