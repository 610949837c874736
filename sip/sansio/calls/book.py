"""The calls of a user agent, and what it says to those who want to call."""

from __future__ import annotations

from typing import Protocol

from sip.errors import LocalError
from sip.message import Request
from sip.sansio.admission import Admission, Refusal
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.replaces import Replacements
from sip.sansio.calls.server import ServerCall
from sip.sansio.calls.session_timer import is_too_short
from sip.sansio.dialogs import Dialogs
from sip.sansio.reception import Reception
from sip.sansio.services import DialogUser, Services
from sip.sansio.transactions.server import ServerTransaction
from sip.uri import Uri

__all__ = ["CallBook"]


class Host(Services, Protocol):
    """The user agent, as its calls need it."""

    @property
    def admission(self) -> Admission:
        """Which requests it takes."""

    @property
    def reception(self) -> Reception:
        """Where its requests go."""

    @property
    def answers_calls(self) -> bool:
        """Whether it takes calls at all."""

    @property
    def capabilities(self) -> bytes | None:
        """The session description for the answer to OPTIONS, if any."""


class CallBook:
    """All calls of a user agent.

    Args:
        host: The user agent.
        dialogs: Its dialogs, of which an INVITE may name one to replace.

    Attributes:
        calls: The calls that aren't over.
    """

    def __init__(self, host: Host, dialogs: Dialogs) -> None:
        self.calls: set[Call] = set()
        self._host = host
        self._replacements = Replacements(dialogs.get)
        reception = host.reception
        reception.outside["INVITE"] = self._receive_invite
        reception.outside["OPTIONS"] = self._answer_options
        reception.inside["OPTIONS"] = self._answer_options_inside

    def check_room(self) -> None:
        """Raise if there are as many calls as there may be.

        Raises:
            LocalError: There are.
        """
        if len(self.calls) >= self._host.limits.calls:
            raise LocalError("there are too many calls")

    def begin(self, request: Request, next_hop: Uri, now: float) -> ClientCall:
        """Make a call with this INVITE."""
        call = ClientCall(self._host, request, next_hop, now)
        self.calls.add(call)
        return call

    def over(self, call: Call) -> None:
        """Forget a call that is over."""
        self.calls.discard(call)
        self._replacements.over(call.dialog)

    def _receive_invite(self, transaction: ServerTransaction, now: float) -> None:
        host, request = self._host, transaction.request
        if not host.answers_calls:
            host.respond(transaction, 480, now)
        elif self._is_full():
            host.reception.refuse(transaction, host.reception.overload(), now)
        elif (too_short := is_too_short(request, host.timers)) is not None:
            host.reception.refuse(transaction, Refusal(422, too_short), now)
        elif isinstance(replaced := self._replacements.find(request), Refusal):
            host.reception.refuse(transaction, replaced, now)
        else:
            call = ServerCall(host, transaction, now)
            call.replaces = replaced
            self.calls.add(call)
            transaction.user = call

    def _answer_options(self, transaction: ServerTransaction, now: float) -> None:
        status = 200 if self._host.answers_calls else 480
        body = self._host.capabilities if status == 200 else None
        admission = self._host.admission
        self._host.respond(
            transaction,
            status,
            now,
            headers=(*admission.headers, *admission.accept_headers),
            body=body or b"",
            content_type="application/sdp" if body else None,
        )

    def _answer_options_inside(
        self, user: DialogUser, transaction: ServerTransaction, now: float
    ) -> None:
        self._answer_options(transaction, now)

    def _is_full(self) -> bool:
        limits = self._host.limits
        if len(self.calls) >= limits.calls:
            return True
        if len(self.calls) < limits.ringing_calls:
            return False  # So as not to count them for each call.
        ringing = [
            call
            for call in self.calls
            if not call.is_ours and call.state is CallState.INVITING
        ]
        return len(ringing) >= limits.ringing_calls
