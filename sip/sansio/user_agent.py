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
from sip.sansio.agenda import Agenda
from sip.sansio.call import Call, CallState, Headers
from sip.sansio.client_call import ClientCall
from sip.sansio.dialog import Dialog
from sip.sansio.events import (
    Event,
    Failure,
    RequestFailed,
    ResponseReceived,
)
from sip.sansio.hop import Hop, Outgoing, response_hops, stamp_via
from sip.sansio.limits import Limits
from sip.sansio.route import new_request
from sip.sansio.sender import ClientRequest, Lookup, Sender
from sip.sansio.server_call import ServerCall
from sip.sansio.server_transactions import (
    ServerTransaction,
)
from sip.sansio.timers import Timers
from sip.sansio.transaction_layer import (
    AckReceived,
    Merged,
    Overloaded,
    RequestReceived,
    TransactionEvent,
    TransactionLayer,
)
from sip.sansio.transactions import (
    Notice,
    NoticeKind,
)
from sip.uri import SipUri, Uri

__all__ = ["UserAgentCore"]


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
        user = address.uri.user if isinstance(address.uri, SipUri) else None
        self.sender = Sender(self._layer, user, local_point)
        self._calls: set[Call] = set()
        self._dialogs: dict[tuple[str, str, str], Call] = {}
        self._agenda: Agenda[Call] = Agenda()
        self._events: list[Event] = []

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
        if len(self._calls) >= self.limits.calls:
            raise LocalError("there are too many calls")
        request, next_hop = new_request(
            "INVITE",
            uri,
            headers=(*headers, *self.admission.headers),
            body=body,
            content_type=content_type,
            route_set=route_set,
            sender=sender or self.address,
        )
        call = ClientCall(self, request, next_hop, now)
        self._calls.add(call)
        return call

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
    ) -> ClientRequest:
        """Send a request outside any dialog, such as OPTIONS.

        Returns:
            The request, which :class:`ResponseReceived` and
            :class:`RequestFailed` refer to.

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
        return self.sender.send(request, next_hop, self)

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
                self._refuse(exc.request or message, Refusal(exc.status), source)
        self._dispatch(now)

    def receive_invalid(self, error: SipParseError, source: Hop, now: float) -> None:
        """Take in octets that aren't a message, and answer if that is possible."""
        if error.request is not None:
            self._refuse(error.request, Refusal(error.status), source)

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
        times = (self._layer.next_timeout(), self._agenda.next())
        return min((time for time in times if time is not None), default=None)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        self._layer.handle_timeout(now)
        self._dispatch(now)
        for call in self._agenda.pop_due(now):
            call.handle_timeout(now)
            self.wake(call)
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
        return frozenset(self._calls)

    # What calls need: see CallServices.

    @property
    def answer_headers(self) -> Headers:
        """The headers that tell what we can do."""
        return self.admission.headers

    def emit(self, event: Event) -> None:
        """Report something."""
        self._events.append(event)

    def register(self, dialog: Dialog, call: Call) -> None:
        """Let the requests of a dialog find the call."""
        self._dialogs[dialog.key] = call

    def wake(self, call: Call) -> None:
        """Take note that the next timeout of a call has changed."""
        self._agenda.set(call, call.next_timeout())

    def ended(self, call: Call) -> None:
        """Forget a call."""
        self._calls.discard(call)
        if call.dialog is not None:
            self._dialogs.pop(call.dialog.key, None)
        self.wake(call)

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
                        refusal = Refusal(exc.status)
                        self._respond(event.transaction, refusal, now)

    def _handle(self, event: TransactionEvent, now: float) -> None:
        match event:
            case RequestReceived(transaction):
                self._receive_request(transaction, now)
            case AckReceived(request):
                self._receive_ack(request, now)
            case Merged(transaction):
                self._respond(transaction, Refusal(482), now)
            case Overloaded(request, source):
                self._refuse(request, self._overload(), source)
            case Notice(kind, ServerTransaction(), message):
                if kind is NoticeKind.MESSAGE and isinstance(message, Request):
                    self._receive_ack(message, now)
            case Notice():
                self.sender.notice(event, now)

    def _receive_ack(self, request: Request, now: float) -> None:
        call = self._find(request)
        if call is not None:
            call.receive_ack(request, now)
            self.wake(call)

    def _find(self, request: Request) -> Call | None:
        local, remote = request.to.tag or "", request.from_.tag or ""
        return self._dialogs.get((request.call_id, local, remote))

    def _receive_request(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        if request.method == "CANCEL":
            self._receive_cancel(transaction, now)
        elif request.to.tag is not None:
            self._receive_in_dialog(transaction, now)
        elif (refusal := self.admission.check(request)) is not None:
            self._respond(transaction, refusal, now)
        elif request.method == "INVITE":
            self._receive_invite(transaction, now)
        elif request.method == "OPTIONS":
            self._answer_options(transaction, now)
        else:
            # A BYE, that is, which belongs to no dialog.
            self._respond(transaction, Refusal(481), now)

    def _receive_in_dialog(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        refusal = self.admission.check_method(request)
        call = self._find(request)
        if refusal is None and (call is None or call.dialog is None):
            refusal = Refusal(481)
        elif call is not None and call.dialog is not None:
            if not call.dialog.accepts(request):
                refusal = Refusal(500, (("Retry-After", "0"),))
        refusal = refusal or self.admission.check(request)
        if refusal is not None:
            self._respond(transaction, refusal, now)
        elif request.method == "OPTIONS":
            self._answer_options(transaction, now)
        elif call is not None:
            transaction.user = call
            call.receive_request(transaction, now)
            self.wake(call)

    def _receive_invite(self, transaction: ServerTransaction, now: float) -> None:
        if not self.answers_calls:
            self._respond(transaction, Refusal(480), now)
        elif self._is_full():
            self._respond(transaction, self._overload(), now)
        else:
            call = ServerCall(self, transaction, now)
            self._calls.add(call)
            transaction.user = call

    def _receive_cancel(self, transaction: ServerTransaction, now: float) -> None:
        cancelled = self._layer.cancelled_by(transaction.request)
        if cancelled is None:
            self._respond(transaction, Refusal(481), now)
            return
        call = cancelled.user
        tag = None
        if isinstance(call, Call) and call.dialog is not None:
            tag = call.dialog.local.tag
        self._respond(transaction, Refusal(200), now, to_tag=tag)
        if isinstance(call, ServerCall) and call.transaction is cancelled:
            call.cancel(now)
        elif isinstance(call, Call):
            call.cancel_reinvite(cancelled, now)

    def _answer_options(self, transaction: ServerTransaction, now: float) -> None:
        status = 200 if self.answers_calls else 480
        headers = (*self.admission.headers, *self.admission.accept_headers)
        body = self.capabilities if status == 200 else None
        response = response_to(
            transaction.request,
            status,
            to_tag=new_tag(),
            headers=headers,
            body=body or b"",
            content_type="application/sdp" if body else None,
        )
        self._layer.respond(transaction, response, now)

    def _is_full(self) -> bool:
        if len(self._calls) >= self.limits.calls:
            return True
        if len(self._calls) < self.limits.ringing_calls:
            return False  # So as not to count them for each call.
        ringing = [
            call
            for call in self._calls
            if not call.is_ours and call.state is CallState.INVITING
        ]
        return len(ringing) >= self.limits.ringing_calls

    def _overload(self) -> Refusal:
        return Refusal(503, (("Retry-After", str(self.limits.retry_after)),))

    def _respond(
        self,
        transaction: ServerTransaction,
        refusal: Refusal,
        now: float,
        *,
        to_tag: str | None = None,
    ) -> None:
        response = response_to(
            transaction.request,
            refusal.status,
            to_tag=to_tag or new_tag(),
            headers=refusal.headers,
        )
        self._layer.respond(transaction, response, now)

    def _refuse(self, request: Request, refusal: Refusal, source: Hop) -> None:
        """Answer without a transaction, if the way back can be read."""
        if request.method == "ACK":
            return
        try:
            stamp_via(request, source)
            hop, fallback = response_hops(request.via, source)
        except SipParseError:
            return
        response = response_to(
            request, refusal.status, to_tag=new_tag(), headers=refusal.headers
        )
        self._layer.send(Outgoing(response, hop, fallback))
