"""A call that we make: wait, cancel, acknowledge (:rfc:`3261#section-13.2`).

A proxy may fork the INVITE, so that several peers ring and more than one may
answer.  The first 2xx makes the call; each further one from somebody else is
acknowledged and ended at once, because there the other side believes in a call
until it is told otherwise (:rfc:`3261#section-13.2.2.4`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sip.errors import LocalError, SipParseError
from sip.media import SDP_TYPE, decline
from sip.message import Request, Response
from sip.sansio.agenda import earliest
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.changes import Changes
from sip.sansio.calls.early import EarlyDialog
from sip.sansio.calls.events import CallAnswered, CallProgressed
from sip.sansio.calls.offers import Carrier, Offers, Party, Role, has_sdp
from sip.sansio.dialog import Dialog
from sip.sansio.events import CallFailed, EndReason, Failure
from sip.sansio.requests.sender import ClientRequest, SentAck
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
        branches: Those that ring, by their tag.
        began_at: When it was made, in seconds.
    """

    is_ours = True

    def __init__(
        self, services: Services, request: Request, next_hop: Uri, now: float
    ) -> None:
        super().__init__(services, request)
        self.branches: dict[str, EarlyDialog] = {}
        self._acks: dict[str, SentAck | None] = {}
        self._attempts = 0
        self._cancel_wanted = False
        self._cancel: ClientRequest | None = None
        self._give_up_at: float | None = None
        self._forget_at: float | None = None
        expires = request.expires
        self._expires_at = None if expires is None else now + expires
        self.began_at = now
        if "Session-Expires" not in request.headers:
            for name, value in self.session_timer.request_headers(services.timers):
                request.headers.add(name, value)
        self._invite = services.sender.send(request, next_hop, self)
        services.wake(self)

    @property
    def early_dialogs(self) -> dict[str, Dialog]:
        """The dialogs of those that ring, by their tag."""
        return {tag: branch.changes.dialog for tag, branch in self.branches.items()}

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

        Args:
            now: The time, in seconds.
            headers: More headers for the ACK.
            body: The answer, if the 2xx has an offer.
            content_type: The type of ``body``.

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
        self._changeable().offers.passes(Party.WE, Carrier.ACK, has_sdp=bool(body))
        tag = self.dialog.remote.tag or ""
        self._acks[tag] = self._services.sender.send_ack(ack, next_hop, self._invite)
        self._services.wake(self)

    def acknowledge_progress(
        self, response: Response, body: bytes, content_type: str
    ) -> bool:
        """Send the answer to the offer in a reliable provisional response.

        Args:
            response: That of :class:`CallProgressed`.
            body: The answer.
            content_type: Its type.

        Returns:
            False if it is too late, or there is no such offer.
        """
        branch = self.branches.get(response.to.tag or "")
        return branch is not None and branch.acknowledge(response, body, content_type)

    def _all_changes(self) -> Sequence[Changes]:
        early = [branch.changes for branch in self.branches.values()]
        return [*early, *super()._all_changes()]

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take a response to our INVITE, CANCEL or BYE."""
        if sent is not self._invite:
            super().request_answered(sent, response, now)
            return
        if sent.trail.attempts != self._attempts:
            # It was refused and sent again: those who rang do so no more.
            self._attempts = sent.trail.attempts
            self._forget_branches()
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
        return earliest(
            self._expires_at,
            self._give_up_at,
            self._forget_at,
            super().next_timeout(),
        )

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
        if response.status == 100 or self.state is not CallState.INVITING:
            return
        branch = self._branch_of(response)
        role = Role.NOTHING
        if branch is not None:
            taken = branch.progressed(response, now)
            if taken is None:
                return  # It was there before, or will be there again.
            role = taken
        self._services.emit(CallProgressed(self, response, role))

    def _branch_of(self, response: Response) -> EarlyDialog | None:
        """Return the branch that rings, if it has a tag and there is room for it."""
        tag = response.to.tag
        if not tag:
            return None
        known = self.branches.get(tag)
        if known is not None:
            return known
        if len(self.branches) >= self._services.limits.early_dialogs:
            return None
        dialog = self._new_dialog(response)
        branch = EarlyDialog(self, self._services, dialog, self._offers())
        self.branches[tag] = branch
        self._services.register(dialog, branch)
        return branch

    def _offers(self) -> Offers:
        return Offers.of_invite(Party.WE, has_sdp=has_sdp(self.request))

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response.to.tag or ""
        if tag in self._acks:
            ack = self._acks[tag]
            if ack is not None:
                self._services.sender.repeat_ack(ack)
            return
        if len(self._acks) > self._services.limits.answered_forks:
            return
        changes = self._confirmed(tag, response)
        role = changes.offers.passes(
            Party.PEER, Carrier.SUCCESS, has_sdp=has_sdp(response)
        )
        if self._forget_at is None:
            self._forget_at = now + self._services.timers.timeout
            self._services.wake(self)
        if self.state is not CallState.INVITING:
            self._dismiss(changes.dialog, response, role)
            return
        if self._cancel_wanted:
            self._dismiss(changes.dialog, response, role)
            self._fail(None, Failure.CANCELLED)
            return
        self._acks[tag] = self._expires_at = None
        self.dialog, self.changes = changes.dialog, changes
        self._become(CallState.ANSWERED)
        changes.heard(response)
        self.session_timer.accepted_by_peer(self._invite.request, response, now)
        self._services.register(changes.dialog, self)
        self._services.emit(CallAnswered(self, response, role))

    def _confirmed(self, tag: str, response: Response) -> Changes:
        branch = self.branches.pop(tag, None)
        if branch is None:
            dialog = self._new_dialog(response)
            return Changes(self, self._services, dialog, self._offers())
        branch.changes.dialog.confirm(response)
        self._services.ended(branch)
        return branch.changes

    def _new_dialog(self, response: Response) -> Dialog:
        return Dialog.from_response(self._invite.request, response, self._invite.hop)

    def _dismiss(self, dialog: Dialog, response: Response, role: Role) -> None:
        """Acknowledge a 2xx that isn't wanted, and end its dialog.

        An offer in it is answered all the same, if only by refusing each stream
        (:rfc:`6337#section-2.3`).
        """
        sender = self._services.sender
        answer = decline(response) if role is Role.OFFER else b""
        ack, next_hop = dialog.ack(
            self._invite.request.cseq.number,
            body=answer,
            content_type=SDP_TYPE if answer else None,
        )
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
        self._forget_branches()
        self._give_up_at = self._expires_at = None
        self._end(EndReason.FAILED)
        self._services.emit(CallFailed(self, response, failure))

    def _forget_forks(self) -> None:
        """Forget what can't happen again after timer M (§13.2.2.4)."""
        self._forget_branches()
        for ack in self._acks.values():
            if ack is not None:
                self._services.sender.forget_ack(ack)
        self._invite.leave()

    def _forget_branches(self) -> None:
        for branch in self.branches.values():
            branch.changes.dialog.terminate()
            self._services.ended(branch)
        self.branches.clear()
