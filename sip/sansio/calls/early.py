"""A branch of an INVITE of ours that rings, and its early dialog.

A proxy may fork an INVITE (:rfc:`3261#section-13.2.2`).  Each peer that it reaches
begins an early dialog, with offers and answers of its own: the same offer may be
answered differently by each, and changed by each with UPDATE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.message import Request, Response
from sip.sansio.calls.changes import Changes
from sip.sansio.calls.offers import Carrier, Offers, Party, Role, has_sdp
from sip.sansio.calls.reliable import ReliableReceiver, is_reliable
from sip.sansio.dialog import Dialog
from sip.sansio.services import Headers, Services
from sip.sansio.transactions.server import ServerTransaction

if TYPE_CHECKING:
    from sip.sansio.calls.client import ClientCall

__all__ = ["EarlyDialog"]


class EarlyDialog:
    """One branch of a call that we make, until it is answered.

    Args:
        call: The call.
        services: The user agent.
        dialog: The dialog that the first response began.
        offers: What the INVITE has offered.

    Attributes:
        dialog: The dialog.
        changes: How its session changes.
    """

    __slots__ = (
        "_call",
        "_dialog",
        "_receiver",
        "_services",
        "_unacknowledged",
        "changes",
        "dialog",
    )

    def __init__(
        self, call: ClientCall, services: Services, dialog: Dialog, offers: Offers
    ) -> None:
        self.dialog: Dialog | None = dialog
        self.changes = Changes(call, services, dialog, offers)
        self._call = call
        self._services = services
        self._dialog = dialog
        self._receiver = ReliableReceiver()
        self._unacknowledged: dict[int, str] = {}

    @property
    def call(self) -> ClientCall:
        """The call that it is a branch of."""
        return self._call

    def progressed(self, response: Response, now: float) -> Role | None:
        """Take in a provisional response.

        Returns:
            What the session description in it is; ``None`` for a response that was
            there before, or comes too early.

        Raises:
            SipParseError: A header that matters can't be read.
        """
        self.changes.heard(response)
        if not is_reliable(response):
            return Role.NOTHING
        rack = self._receiver.takes(response)
        if rack is None:
            return None
        role = self.changes.offers.passes(
            Party.PEER, Carrier.RELIABLE, has_sdp=has_sdp(response)
        )
        if role is Role.OFFER:
            self._unacknowledged[rack.rseq] = str(rack)
        else:
            self._send_prack(str(rack))
        return role

    def acknowledge(
        self, response: Response, body: bytes, content_type: str | None
    ) -> bool:
        """Send the PRACK with the answer to the offer in a response.

        Returns:
            False if it has no offer, or one that was answered before.
        """
        rack = self._unacknowledged.pop(response.rseq or 0, None)
        if rack is None:
            return False
        self.changes.offers.passes(Party.WE, Carrier.PRACK, has_sdp=bool(body))
        self._send_prack(rack, body, content_type)
        return True

    def _send_prack(
        self, rack: str, body: bytes = b"", content_type: str | None = None
    ) -> None:
        headers: Headers = [("RAck", rack)]
        prack, next_hop = self._dialog.request(
            "PRACK", headers=headers, body=body, content_type=content_type
        )
        self._services.send(prack, next_hop, self.changes.own)

    # What its dialog brings: see DialogUser.

    def receive_request(self, transaction: ServerTransaction, now: float) -> bool:
        """Take in a request: only UPDATE is for a branch that rings."""
        if transaction.request.method in ("BYE", "PRACK"):
            # A callee can't hang up on a caller whom it hasn't answered (§15).
            self._call.respond(self._dialog, transaction, 481, now)
            return True
        return self.changes.receive(transaction, now)

    def receive_ack(self, request: Request, now: float) -> None:
        """Take in an ACK, of which there is none before an answer."""

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Take in the CANCEL of an INVITE, which has been refused already."""

    def next_timeout(self) -> float | None:
        """Return when to call :meth:`handle_timeout`: never."""
        return None

    def handle_timeout(self, now: float) -> None:
        """Do nothing."""
