"""REFER: a peer asks us to send a request to somebody (:rfc:`3515`, :rfc:`4488`).

It is how a call is transferred.  Taking a REFER makes a subscription of the peer's
to what becomes of it; each NOTIFY carries the status line of the response that our
own request got, as ``message/sipfrag``.
"""

from __future__ import annotations

from collections.abc import Sequence

from sip.errors import LocalError, SipParseError
from sip.fields.subscription import Event
from sip.identifiers import new_tag
from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.dialog import Dialog
from sip.sansio.events import ReferReceived
from sip.sansio.requests.route import new_request
from sip.sansio.services import DialogUser, Headers
from sip.sansio.subscriptions.notifier import NotifierState, ServerSubscription, State
from sip.sansio.subscriptions.subscriber import ClientSubscription
from sip.sansio.subscriptions.subscriptions import REFER, Host, Subscriptions
from sip.sansio.transactions.server import ServerTransaction
from sip.status import reason_phrase
from sip.uri import Uri

__all__ = ["SIPFRAG", "Refers", "ServerRefer", "read_sipfrag"]

SIPFRAG = "message/sipfrag;version=2.0"
"""The type of what a NOTIFY of a REFER carries (:rfc:`3420`)."""

_LASTS = 180
"""Seconds that a peer's subscription to its REFER lasts: as long as a telephone
rings before a proxy's timer C gives up."""


def read_sipfrag(body: bytes) -> tuple[int, str] | None:
    """Read the status line that the NOTIFY of a REFER begins with.

    Returns:
        The status code and its words; ``None`` if it is no such line.
    """
    line = body[:1_000].split(b"\r", 1)[0].split(b"\n", 1)[0]
    version, _, rest = line.partition(b" ")
    code, _, words = rest.partition(b" ")
    if version.upper() != b"SIP/2.0" or len(code) != 3 or not code.isdigit():
        return None
    status = int(code)
    if not 100 <= status < 700:
        return None
    return status, words.decode("utf-8", "replace").strip()


class ServerRefer:
    """What a peer wants us to do with its REFER.

    Attributes:
        refer_to: Whom to send a request to, with what the URI says about it.
        referred_by: Who asks for it, if that is said (:rfc:`3892`).
        subscription: How the peer hears what becomes of it.
        user: The user of the dialog that it came in, such as a call.
    """

    def __init__(
        self,
        subscription: ServerSubscription,
        refer_to: NameAddr,
        user: DialogUser | None,
        *,
        silent: bool,
    ) -> None:
        self.refer_to = refer_to
        self.referred_by = subscription.request.headers.get("Referred-By")
        self.subscription = subscription
        self.user = user
        self._silent = silent

    @property
    def request(self) -> Request:
        """The REFER."""
        return self.subscription.request

    def accept(self, now: float) -> None:
        """Agree to do it; the peer is told ``100 Trying`` at once.

        Raises:
            LocalError: It has been answered before.
        """
        if self._silent:
            self.subscription.accept_silently(now, headers=[("Refer-Sub", "false")])
        else:
            state = State(_sipfrag(100, None), SIPFRAG)
            self.subscription.accept(now, status=202, state=state)

    def reject(self, status: int, now: float) -> None:
        """Refuse to do it.

        Raises:
            LocalError: It has been answered before, or ``status`` is no refusal.
        """
        self.subscription.reject(status, now)

    def tell(self, status: int, now: float, reason: str | None = None) -> None:
        """Tell the peer of a response; a final one ends the subscription.

        Raises:
            LocalError: It hasn't been accepted, or ``status`` is no status code.
        """
        if not 100 <= status < 700:
            raise LocalError("a status code is a number from 100 to 699")
        if self.subscription.state is NotifierState.ASKED:
            raise LocalError("a REFER has to be accepted first")
        state = State(_sipfrag(status, reason), SIPFRAG)
        if status < 200:
            self.subscription.notify(now, state.body, state.content_type)
        else:
            self.subscription.terminate(now, "noresource", state=state)


class Refers:
    """The REFERs of a user agent, both ways.

    Args:
        host: The user agent.
        subscriptions: Its subscriptions, which those of REFERs belong to.
    """

    def __init__(self, host: Host, subscriptions: Subscriptions) -> None:
        self._host = host
        self._subscriptions = subscriptions
        host.reception.outside["REFER"] = self._receive
        host.reception.inside["REFER"] = self._receive_inside

    def refer(
        self,
        uri: Uri,
        refer_to: NameAddr,
        *,
        headers: Headers = (),
        route_set: Sequence[NameAddr] = (),
    ) -> ClientSubscription:
        """Ask a peer outside any dialog to send a request to somebody.

        Raises:
            LocalError: The URI leads nowhere, or there are too many subscriptions.
        """
        wanted = [("Refer-To", str(refer_to)), *headers, *self._host.answer_headers]
        request, next_hop = new_request(
            "REFER",
            uri,
            headers=wanted,
            route_set=route_set,
            sender=self._host.address,
        )
        return self._subscriptions.begin(request, next_hop, Event(REFER))

    def refer_inside(
        self, user: DialogUser, refer_to: NameAddr, *, headers: Headers = ()
    ) -> ClientSubscription:
        """Ask the peer of a dialog to send a request to somebody.

        Raises:
            LocalError: There is no dialog (yet), or there are too many
                subscriptions.
        """
        dialog = user.dialog
        if dialog is None:
            raise LocalError("there is no dialog to send a REFER in")
        wanted = [("Refer-To", str(refer_to)), *headers, *self._host.answer_headers]
        request, next_hop = dialog.request("REFER", headers=wanted)
        event = Event(REFER)
        return self._subscriptions.begin(request, next_hop, event, dialog=dialog)

    def _receive(self, transaction: ServerTransaction, now: float) -> None:
        self._take(None, transaction, now)

    def _receive_inside(
        self, user: DialogUser, transaction: ServerTransaction, now: float
    ) -> None:
        self._take(user, transaction, now)

    def _take(
        self, user: DialogUser | None, transaction: ServerTransaction, now: float
    ) -> None:
        request = transaction.request
        targets = request.headers.get_all("Refer-To")
        if len(targets) != 1:
            raise SipParseError("there must be exactly one", header="Refer-To")
        refer_to = NameAddr.parse(targets[0])
        if self._subscriptions.is_full():
            reception = self._host.reception
            reception.refuse(transaction, reception.overload(), now)
            return
        dialog = None if user is None else user.dialog
        event = Event(REFER)
        if dialog is None:
            dialog = Dialog.from_request(request, new_tag(), transaction.source)
        else:
            # Only the first of a dialog may go without (RFC 3515 §2.4.6).
            event = Event(REFER, (("id", str(request.cseq.number)),))
        theirs = ServerSubscription(self._host, transaction, event, dialog, _LASTS, now)
        if user is None:
            self._host.register(dialog, theirs)
        transaction.user = user or theirs
        self._subscriptions.add(theirs)
        silent = _wants_silence(request.headers.get("Refer-Sub"))
        self._host.emit(
            ReferReceived(ServerRefer(theirs, refer_to, user, silent=silent))
        )


def _sipfrag(status: int, reason: str | None) -> bytes:
    words = reason if reason is not None else reason_phrase(status)
    printable = "".join(c for c in words if c.isprintable())
    return f"SIP/2.0 {status} {printable}\r\n".encode()


def _wants_silence(refer_sub: str | None) -> bool:
    """Tell whether nobody wants to hear what becomes of it (:rfc:`4488#section-4`)."""
    if refer_sub is None:
        return False
    return refer_sub.partition(";")[0].strip().lower() == "false"
