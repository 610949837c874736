"""How a session changes: INVITE, UPDATE and PRACK of the peer within a dialog.

Each dialog has a :class:`Changes`, early ones too, where only UPDATE and PRACK can
change something (:rfc:`3311#section-5`, :rfc:`3262#section-5`).  What we want to change
ourselves is in :mod:`sip.sansio.calls.own_changes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from sip.message import Message, Request
from sip.sansio.calls.events import OfferReceived, OfferWithdrawn
from sip.sansio.calls.offers import Carrier, Offers, Party, Role, has_sdp
from sip.sansio.calls.own_changes import OwnChanges
from sip.sansio.calls.session_timer import is_too_short
from sip.sansio.dialog import Dialog
from sip.sansio.services import Content, Headers, Services
from sip.sansio.transactions.server import ServerTransaction

if TYPE_CHECKING:
    from sip.sansio.calls.call import Call

__all__ = ["Changes"]

_CARRIERS = {
    "INVITE": (Carrier.INVITE, Carrier.SUCCESS),
    "UPDATE": (Carrier.UPDATE, Carrier.UPDATE_SUCCESS),
    "PRACK": (Carrier.PRACK, Carrier.PRACK_SUCCESS),
}

_REFRESHING = ("INVITE", "UPDATE")
"""What refreshes the remote target and the session."""


class Changes:
    """The changes of one session.

    Args:
        call: The call that the session belongs to.
        services: The user agent.
        dialog: The dialog.
        offers: How far its offers and answers have come.

    Attributes:
        dialog: The dialog.
        offers: How far its offers and answers have come.
        own: The changes that we want.
    """

    __slots__ = ("_call", "_services", "dialog", "offers", "own")

    def __init__(
        self, call: Call, services: Services, dialog: Dialog, offers: Offers
    ) -> None:
        self.dialog = dialog
        self.offers = offers
        self._call = call
        self._services = services
        self.own = OwnChanges(call, services, dialog, offers)

    def heard(self, message: Message) -> None:
        """Take note of what a message of the peer says that it can do."""
        self.own.heard(message)

    def receive(self, transaction: ServerTransaction, now: float) -> bool:
        """Take in a request of the dialog; False if it changes nothing.

        Raises:
            SipParseError: A header that matters can't be read.
        """
        request = transaction.request
        if request.method not in _REFRESHING:
            return False
        self.heard(request)
        offers_something = has_sdp(request)
        refusal = self._why_not(request, offers_something)
        if refusal is not None:
            status, headers = refusal
            self._respond(transaction, status, now, headers=headers)
        elif request.method == "UPDATE" and not offers_something:
            self.dialog.refresh_target(request)
            self._respond(transaction, 200, now)
        else:
            self.ask(transaction, offers_something)
        return True

    def ask(self, transaction: ServerTransaction, offers_something: bool) -> None:
        """Have the application answer the offer in a request, or make one."""
        carrier, _ = _CARRIERS[transaction.request.method]
        role = self.offers.passes(Party.PEER, carrier, has_sdp=offers_something)
        self.own.theirs = transaction
        self._services.emit(OfferReceived(self._call, transaction, role))

    def answer(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        **content: Unpack[Content],
    ) -> bool:
        """Answer the request of an :class:`OfferReceived`.

        Returns:
            False if it is too late for that.
        """
        if transaction is not self.own.theirs:
            return False
        self.own.theirs = None
        carrier, success = _CARRIERS[transaction.request.method]
        if 200 <= status < 300:
            if transaction.request.method in _REFRESHING:
                self.dialog.refresh_target(transaction.request)
            self.offers.passes(Party.WE, success, has_sdp=bool(content.get("body")))
        else:
            self.offers.failed(carrier)
        self._respond(transaction, status, now, **content)
        self.own.check(now)
        return True

    def acknowledged(self, request: Request, now: float) -> Role:
        """Take in the ACK to our 2xx."""
        role = self.offers.passes(Party.PEER, Carrier.ACK, has_sdp=has_sdp(request))
        self.own.check(now)
        return role

    def cancelled(self, transaction: ServerTransaction, now: float) -> None:
        """Take in the CANCEL of an INVITE."""
        if self.answer(transaction, 487, now):
            self._services.emit(OfferWithdrawn(self._call))

    def drop(self, now: float) -> None:
        """Answer what nobody will care for (:rfc:`3261#section-15.1.2`)."""
        if self.own.theirs is not None:
            self.answer(self.own.theirs, 487, now)

    def _why_not(
        self, request: Request, offers_something: bool
    ) -> tuple[int, Headers] | None:
        """Tell whether a request of the peer comes at the wrong time."""
        if request.method == "INVITE":
            status = self._status_of_invite()
        else:
            status = self._status_of_update()
        if status is None and offers_something:
            status = self._status_of_offer()
        if status == 500:
            wait = str(self._services.timers.randbelow(11))
            return 500, [("Retry-After", wait)]
        if status is not None:
            return status, ()
        too_short = is_too_short(request, self._services.timers)
        return None if too_short is None else (422, too_short)

    def _status_of_invite(self) -> int | None:
        call = self._call
        if self.own.theirs is not None or call.awaits_ack or call.is_ringing_here:
            return 500  # The one before isn't over (RFC 3261 §14.2).
        if self.own.invites or not call.is_confirmed:
            return 481 if call.is_over else 491
        return None

    def _status_of_update(self) -> int | None:
        if self._call.is_over:
            return 481
        theirs = self.own.theirs
        if theirs is not None and theirs.request.method == "UPDATE":
            return 500  # RFC 3311 §5.2.
        return None

    def _status_of_offer(self) -> int | None:
        offers = self.offers
        if offers.may_offer:
            return None
        # RFC 3311 §5.2: is it ours that waits, or theirs?
        theirs = offers.open is not None and offers.open[0] is Party.PEER
        return 500 if theirs else 491

    def _respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        **content: Unpack[Content],
    ) -> None:
        request = transaction.request
        if request.method in _REFRESHING and 200 <= status < 300:
            timer = self._call.session_timer
            more = timer.accepted_by_us(request, self._services.timers, now)
            content["headers"] = (*content.get("headers", ()), *more)
        self._call.respond(self.dialog, transaction, status, now, **content)
