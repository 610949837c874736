"""A SIP user agent without a socket (:rfc:`3261#section-8`).

Three things drive it: the application (the verbs), the wire (``receive``) and
the clock (``handle_timeout``).  What it wants is collected after each of them:
``messages_to_send``, ``lookups`` (URIs to resolve), ``events_received`` and
``next_timeout``.  So everything that goes on in a call, repetitions and races
included, can be run by a test with two cores and a list for a wire.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sip.checks import check_request, check_response
from sip.errors import LocalError, SipParseError, TransportError
from sip.identifiers import new_tag
from sip.message import Message, Request, Response, response_to
from sip.name_addr import NameAddr
from sip.sansio.admission import Admission, Refusal
from sip.sansio.agenda import Agenda, earliest
from sip.sansio.calls.book import CallBook
from sip.sansio.calls.call import Call
from sip.sansio.calls.client import ClientCall
from sip.sansio.dialog import Dialog
from sip.sansio.dialogs import Dialogs
from sip.sansio.events import (
    Event,
    Failure,
    RequestFailed,
    ResponseReceived,
)
from sip.sansio.hop import Hop, Outgoing
from sip.sansio.limits import Limits
from sip.sansio.reception import Reception
from sip.sansio.requests.route import new_request
from sip.sansio.requests.sender import ClientRequest, Lookup, RequestUser, Sender
from sip.sansio.services import DialogUser, Headers, Timed
from sip.sansio.subscriptions.refer import Refers
from sip.sansio.subscriptions.subscriptions import Subscriptions
from sip.sansio.timers import Timers
from sip.sansio.transactions.layer import (
    AckReceived,
    Merged,
    Overloaded,
    RequestReceived,
    TransactionEvent,
    TransactionLayer,
)
from sip.sansio.transactions.server import ServerTransaction
from sip.sansio.transactions.transaction import (
    Notice,
    NoticeKind,
)
from sip.uri import SipUri, Uri

__all__ = ["UserAgentCore"]

_VIA_ROOM = 120
"""Octets that a Via of ours may have, with the longest address there is."""


class UserAgentCore:
    """A SIP user agent without a socket.

    Args:
        address: Our address: From of our requests, and the user of our Contact.
        local_point: Tells, for a hop, by which of our addresses the peer there
            can reach us.
        admission: Which requests to take.
        timers: How long to wait.
        limits: How much to hold.

    Attributes:
        capabilities: The session description for the answer to OPTIONS, if any.
        answers_calls: Whether new calls are reported; otherwise they get 480.
    """

    def __init__(
        self,
        address: NameAddr,
        local_point: Callable[[Hop], Hop],
        *,
        admission: Admission | None = None,
        timers: Timers | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.address = address
        self.admission = admission or Admission()
        self.timers = timers or Timers()
        self.limits = limits or Limits()
        self.capabilities: bytes | None = None
        self.answers_calls = True
        self._layer = TransactionLayer(self.timers, self.limits)
        self._dialogs = Dialogs()
        user = address.uri.user if isinstance(address.uri, SipUri) else None
        self.sender = Sender(self._layer, user, local_point, self._dialogs)
        self._agenda: Agenda[Timed] = Agenda()
        # Whose time has changed: several times, mostly, before anybody asks for it.
        self._woken: dict[Timed, None] = {}
        self._events: list[Event] = []
        self.reception = Reception(self, self._layer)
        self._book = CallBook(self, self._dialogs)
        self.subscriptions = Subscriptions(self)
        self.refers = Refers(self, self.subscriptions)

    # What the application wants.

    def invite(
        self,
        uri: Uri,
        now: float,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        route_set: Sequence[NameAddr] = (),
        sender: NameAddr | None = None,
    ) -> ClientCall:
        """Call somebody.

        Args:
            uri: Whom; any URI if ``route_set`` tells the way, such as
                ``urn:service:sos``.
            now: The time, in seconds.
            headers: More headers for the INVITE.
            body: What is offered.
            content_type: The type of ``body``.
            route_set: Proxies to go by, the first one first
                (:rfc:`3261#section-8.1.1.1`).
            sender: From, if not our address.

        Returns:
            The call, which :class:`CallAnswered` or :class:`CallFailed` will be
            reported of.

        Raises:
            LocalError: The URI doesn't tell where to go, or there are too many
                calls.
        """
        self._book.check_room()
        request, next_hop = new_request(
            "INVITE",
            uri,
            headers=(*headers, *self.admission.headers),
            body=body,
            content_type=content_type,
            route_set=route_set,
            sender=sender or self.address,
        )
        return self._book.begin(request, next_hop, now)

    def request(
        self,
        method: str,
        uri: Uri,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        route_set: Sequence[NameAddr] = (),
        sender: NameAddr | None = None,
        user: RequestUser | None = None,
    ) -> ClientRequest:
        """Send a request outside any dialog, such as OPTIONS.

        Returns:
            The request.  Its ``user`` is told of the responses; if there is none
            :class:`ResponseReceived` and :class:`RequestFailed` tell of them.

        Raises:
            LocalError: The URI doesn't tell where to go, or the method is one
                that needs more than this.
        """
        if method in ("INVITE", "ACK", "CANCEL", "BYE"):
            raise LocalError("a call is made of this method, not a single request")
        request, next_hop = new_request(
            method,
            uri,
            headers=headers,
            body=body,
            content_type=content_type,
            route_set=route_set,
            sender=sender or self.address,
        )
        if method == "MESSAGE":
            self._check_size(request)
        return self.sender.send(request, next_hop, user or self)

    def found(
        self,
        lookup: Lookup,
        hops: Sequence[Hop],
        now: float,
        cause: TransportError | None = None,
    ) -> None:
        """Take the hops of a URI from :meth:`lookups`, the best first.

        Args:
            lookup: The URI.
            hops: Where it leads; nothing if nowhere.
            now: The time, in seconds.
            cause: Why it leads nowhere, if that is known.
        """
        self.sender.found(lookup, hops, now, cause)
        self._dispatch(now)

    # What comes from the wire.

    def receive(self, message: Message, source: Hop, now: float) -> None:
        """Take in a message; nothing is raised on the peer's account."""
        try:
            if isinstance(message, Request):
                # Which schemes are taken is for the admission to say.
                check_request(message, schemes=None)
            else:
                check_response(message)
            self._layer.receive(message, source, now)
        except SipParseError as exc:
            if isinstance(message, Request):
                refusal = Refusal(exc.status)
                self.reception.refuse_at_once(exc.request or message, refusal, source)
        self._dispatch(now)

    def receive_invalid(self, error: SipParseError, source: Hop, now: float) -> None:
        """Take in octets that aren't a message, and answer if that is possible."""
        if error.request is not None:
            refusal = Refusal(error.status)
            self.reception.refuse_at_once(error.request, refusal, source)

    def transport_failed(
        self, outgoing: Outgoing, now: float, cause: TransportError | None = None
    ) -> None:
        """Take note that a message from :meth:`messages_to_send` wasn't sent.

        Args:
            outgoing: The message.
            now: The time, in seconds.
            cause: Why, for whoever wanted it sent.
        """
        self.sender.transport_failed(outgoing, now, cause)
        self._dispatch(now)

    # What the clock says.

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        self._ask_for_times()
        return earliest(self._layer.next_timeout(), self._agenda.next())

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        self._layer.handle_timeout(now)
        self._dispatch(now)
        self._ask_for_times()
        for user in self._agenda.pop_due(now):
            user.handle_timeout(now)
            self.wake(user)
        self._dispatch(now)

    # What is to be done outside.

    def messages_to_send(self) -> list[Outgoing]:
        """Return what to send now, in this order."""
        return self._layer.messages_to_send()

    def lookups(self) -> list[Lookup]:
        """Return the URIs to resolve; answer each with :meth:`found`."""
        return self.sender.lookups()

    def events_received(self) -> list[Event]:
        """Return what happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    @property
    def calls(self) -> frozenset[Call]:
        """The calls that aren't over."""
        return frozenset(self._book.calls)

    # What the users of dialogs need: see Services.

    @property
    def answer_headers(self) -> Headers:
        """The headers that tell what we can do."""
        return self.admission.headers

    def emit(self, event: Event) -> None:
        """Report something."""
        self._events.append(event)

    def register(self, dialog: Dialog, user: DialogUser) -> None:
        """Let the requests of a dialog find its user."""
        self._dialogs.set(dialog, user)

    def wake(self, user: Timed) -> None:
        """Take note that the next timeout of a user has changed."""
        self._woken[user] = None

    def _ask_for_times(self) -> None:
        if self._woken:
            woken, self._woken = self._woken, {}
            for user in woken:
                self._agenda.set(user, user.next_timeout())

    def ended(self, user: DialogUser) -> None:
        """Forget a user, and its dialog if that isn't another's."""
        if isinstance(user, Call):
            self._book.over(user)
        else:
            self.subscriptions.forget(user)
        self._dialogs.forget(user)
        self.wake(user)

    def _check_size(self, request: Request) -> None:
        # Via is written later; what it takes is known well enough.
        if len(bytes(request)) + _VIA_ROOM > self.limits.message_size:
            most = self.limits.message_size
            raise LocalError(f"a message outside a call has {most} octets at most")

    def user_of(self, request: Request) -> DialogUser | None:
        """Return whose dialog a request of a peer belongs to."""
        return self._dialogs.user_of(request)

    def send(
        self, request: Request, next_hop: Uri, user: RequestUser | None = None
    ) -> ClientRequest:
        """Send a request; without a user its responses become events."""
        return self.sender.send(request, next_hop, user or self)

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        *,
        reason: str | None = None,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        to_tag: str | None = None,
    ) -> Response:
        """Answer a request, such as that of :class:`RequestArrived`.

        Args:
            transaction: The request.
            status: The status code.
            now: The time, in seconds.
            reason: Words for people, if not the usual ones.
            headers: More headers.
            body: The body, if any.
            content_type: The type of ``body``.
            to_tag: Our tag, if it isn't that of the dialog.

        Returns:
            What is sent.
        """
        user = transaction.user
        if to_tag is None and user is not None and user.dialog is not None:
            to_tag = user.dialog.local.tag
        if 200 <= status < 300 and self.reception.authenticator is not None:
            confirmation = self.reception.authenticator.confirmation(transaction, body)
            headers = (*headers, *confirmation)
        response = response_to(
            transaction.request,
            status,
            reason,
            to_tag=to_tag or new_tag(),
            headers=headers,
            body=body,
            content_type=content_type,
        )
        self._layer.respond(transaction, response, now)
        return response

    # What becomes of a request outside a dialog: see RequestUser.

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Report the response to a request."""
        self.emit(ResponseReceived(sent, response))

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Report that there is no response."""
        self.emit(RequestFailed(sent, failure))

    # What the transactions tell.

    def _dispatch(self, now: float) -> None:
        # What is done about one event may make another.
        while events := self._layer.events_received():
            for event in events:
                try:
                    self._handle(event, now)
                except SipParseError as exc:
                    if isinstance(event, RequestReceived):
                        self.respond(event.transaction, exc.status, now)

    def _handle(self, event: TransactionEvent, now: float) -> None:
        match event:
            case RequestReceived(transaction):
                self.reception.receive(transaction, now)
            case AckReceived(request):
                self._receive_ack(request, now)
            case Merged(transaction):
                self.respond(transaction, 482, now)
            case Overloaded(request, source):
                overload = self.reception.overload()
                self.reception.refuse_at_once(request, overload, source)
            case Notice(kind, ServerTransaction(), message):
                if kind is NoticeKind.MESSAGE and isinstance(message, Request):
                    self._receive_ack(message, now)
            case Notice():
                self.sender.notice(event, now)

    def _receive_ack(self, request: Request, now: float) -> None:
        user = self.user_of(request)
        if user is not None:
            user.receive_ack(request, now)
            self.wake(user)
