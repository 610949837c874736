"""Where a request of a peer goes (:rfc:`3261#section-8.2`, §12.2.2).

The order is that of the RFC: CANCEL finds its INVITE; a request with a To tag
finds the user of its dialog; the rest is checked and goes to whoever does its
method.  Who does a method is in two tables, for requests outside and inside of a
dialog; what is in neither is reported to the application, if the admission takes
its method at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from sip.errors import SipParseError
from sip.identifiers import new_tag
from sip.message import Request, response_to
from sip.sansio.admission import Admission, Refusal
from sip.sansio.authenticator import Authenticator
from sip.sansio.events import RequestArrived
from sip.sansio.hop import Hop, Outgoing, response_hops, stamp_via
from sip.sansio.services import DialogUser, Services
from sip.sansio.transactions.layer import TransactionLayer
from sip.sansio.transactions.server import ServerTransaction

__all__ = ["Inside", "Outside", "Reception"]

_ONLY_IN_DIALOGS = frozenset({"BYE", "INFO", "PRACK", "UPDATE"})

Outside: TypeAlias = Callable[[ServerTransaction, float], None]
"""Takes a request outside any dialog, at a time."""

Inside: TypeAlias = Callable[[DialogUser, ServerTransaction, float], None]
"""Takes a request of the dialog of somebody, at a time."""


class Host(Services, Protocol):
    """The user agent, as its reception needs it."""

    @property
    def admission(self) -> Admission:
        """Which requests to take."""

    def user_of(self, request: Request) -> DialogUser | None:
        """Return whose dialog a request of a peer belongs to."""


class Reception:
    """Sends each request of a peer to whoever does its method.

    Args:
        host: The user agent.
        layer: Its transactions.

    Attributes:
        outside: Who does which method outside of dialogs.
        inside: Who does which method in dialogs, if their users don't.
        astray: Who does which method with a To tag that belongs to no dialog (yet).
        authenticator: Whom to let in, if not everybody.
    """

    def __init__(self, host: Host, layer: TransactionLayer) -> None:
        self._host = host
        self._layer = layer
        self.outside: dict[str, Outside] = {}
        self.inside: dict[str, Inside] = {}
        self.astray: dict[str, Outside] = {}
        self.authenticator: Authenticator | None = None

    def receive(self, transaction: ServerTransaction, now: float) -> None:
        """Take in a new request other than ACK.

        Raises:
            SipParseError: A header that matters can't be read.
        """
        request = transaction.request
        if request.method == "CANCEL":
            self._receive_cancel(transaction, now)
        elif request.to.tag is not None:
            self._receive_inside(transaction, now)
        else:
            self._receive_outside(transaction, now)

    def refuse(self, transaction: ServerTransaction, to: Refusal, now: float) -> None:
        """Answer a request with a refusal."""
        self._host.respond(transaction, to.status, now, headers=to.headers)

    def refuse_at_once(self, request: Request, to: Refusal, source: Hop) -> None:
        """Answer without a transaction, if there is a way back.

        If it can't be read, the answer goes where the request came from.
        """
        if request.method == "ACK":
            return
        try:
            stamp_via(request, source)
            hop, fallback = response_hops(request.via, source)
        except SipParseError:
            if "Via" not in request.headers:
                return
            hop, fallback = source, None
        response = response_to(request, to.status, to_tag=new_tag(), headers=to.headers)
        self._layer.send(Outgoing(response, hop, fallback))

    def overload(self) -> Refusal:
        """Return how to refuse what finds no room."""
        return Refusal(503, (("Retry-After", str(self._host.limits.retry_after)),))

    def _receive_outside(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        refusal = self._challenge(transaction, None, now)
        refusal = refusal or self._host.admission.check(request)
        take = self.outside.get(request.method)
        if refusal is not None:
            self.refuse(transaction, refusal, now)
        elif take is not None:
            take(transaction, now)
        elif request.method in _ONLY_IN_DIALOGS:
            self.refuse(transaction, Refusal(481), now)
        else:
            self._host.emit(RequestArrived(transaction, None))

    def _receive_inside(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        user = self._host.user_of(request)
        refusal = self._challenge(transaction, user, now)
        refusal = refusal or self._host.admission.check_method(request)
        if refusal is None and (user is None or user.dialog is None):
            if request.method not in self.astray:
                refusal = Refusal(481)
        elif refusal is None and user is not None and user.dialog is not None:
            if not user.dialog.accepts(request):
                refusal = Refusal(500, (("Retry-After", "0"),))
            else:
                user.dialog.heard_from(transaction.source)
        refusal = refusal or self._host.admission.check(request)
        if refusal is not None:
            self.refuse(transaction, refusal, now)
        elif user is not None:
            self._hand_over(user, transaction, now)
        else:
            self.astray[request.method](transaction, now)

    def _hand_over(
        self, user: DialogUser, transaction: ServerTransaction, now: float
    ) -> None:
        transaction.user = user
        if not user.receive_request(transaction, now):
            take = self.inside.get(transaction.request.method)
            if take is not None:
                take(user, transaction, now)
            else:
                self._host.emit(RequestArrived(transaction, user))
        self._host.wake(user)

    def _challenge(
        self, transaction: ServerTransaction, user: DialogUser | None, now: float
    ) -> Refusal | None:
        if self.authenticator is None:
            return None
        return self.authenticator.check(transaction, user, now)

    def _receive_cancel(self, transaction: ServerTransaction, now: float) -> None:
        cancelled = self._layer.cancelled_by(transaction.request)
        if cancelled is None:
            self.refuse(transaction, Refusal(481), now)
            return
        user: DialogUser | None = cancelled.user
        tag = user.dialog.local.tag if user is not None and user.dialog else None
        self._host.respond(transaction, 200, now, to_tag=tag)
        if user is not None:
            user.cancelled(cancelled, now)
