"""Which transaction a message belongs to (:rfc:`3261#section-17.1.3`, §17.2.3).

The layer owns all transactions of a user agent, finds the one for each message
that is received, makes new ones for new requests, and gathers what they want
to send and to tell.  It does not know what a call is.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TypeAlias

from sip.message import Message, Request, Response
from sip.sansio.agenda import Agenda
from sip.sansio.hop import Hop, Outgoing, response_hops, same_address, stamp_via
from sip.sansio.limits import Limits
from sip.sansio.timers import Timers
from sip.sansio.transactions.client import (
    ClientTransaction,
    InviteClientTransaction,
    NonInviteClientTransaction,
)
from sip.sansio.transactions.server import (
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerTransaction,
)
from sip.sansio.transactions.transaction import (
    Notice,
    Transaction,
)

__all__ = [
    "AckReceived",
    "Merged",
    "Overloaded",
    "RequestReceived",
    "TransactionEvent",
    "TransactionLayer",
]

_COOKIE = "z9hG4bK"


@dataclass(slots=True, eq=False)  # Not frozen: one is made for every request.
class RequestReceived:
    """A new request, which waits for :meth:`TransactionLayer.respond`."""

    transaction: ServerTransaction
    """Its transaction."""


@dataclass(slots=True, eq=False)
class AckReceived:
    """An ACK that belongs to no transaction, and so to a dialog."""

    request: Request
    """The ACK."""


@dataclass(frozen=True, slots=True, eq=False)
class Merged:
    """A request that came twice by different ways (:rfc:`3261#section-8.2.2.2`)."""

    transaction: ServerTransaction
    """The transaction of the copy, which waits for a response."""


@dataclass(frozen=True, slots=True, eq=False)
class Overloaded:
    """A new request that finds no room; answer it without a transaction."""

    request: Request
    """The request."""

    source: Hop
    """Where it came from."""


TransactionEvent: TypeAlias = (
    RequestReceived | AckReceived | Merged | Overloaded | Notice
)


class TransactionLayer:
    """All transactions of one user agent.

    Args:
        timers: How long to wait.
        limits: How many transactions to hold.
    """

    def __init__(
        self, timers: Timers | None = None, limits: Limits | None = None
    ) -> None:
        self.timers = timers or Timers()
        self.limits = limits or Limits()
        self._clients: dict[Hashable, ClientTransaction] = {}
        self._servers: dict[Hashable, ServerTransaction] = {}
        self._ongoing: dict[Hashable, Hashable] = {}
        self._keys: dict[Transaction, tuple[Hashable, Hashable]] = {}
        self._agenda: Agenda[Transaction] = Agenda()
        self._outbox: list[Outgoing] = []
        self._events: list[TransactionEvent] = []

    def send_request(
        self, request: Request, hop: Hop, now: float
    ) -> ClientTransaction | None:
        """Send a request and repeat it as needed.

        Args:
            request: Any request but ACK, with a Via whose branch is new.
            hop: Where to send it.
            now: The time, in seconds.

        Returns:
            The transaction that its responses will be told of with, or ``None``
            if there are too many already.
        """
        if len(self._clients) >= self.limits.client_transactions:
            return None
        kind = (
            InviteClientTransaction
            if request.method == "INVITE"
            else NonInviteClientTransaction
        )
        transaction = kind(request, hop, self.timers, now)
        key = (request.via.branch or "", request.method)
        self._clients[key] = transaction
        self._keys[transaction] = key, None
        self._settle(transaction)
        return transaction

    def respond(
        self, transaction: ServerTransaction, response: Response, now: float
    ) -> None:
        """Send a response to a request, and repeat it as needed."""
        transaction.respond(response, now)
        self._settle(transaction)

    def abandon(self, transaction: ClientTransaction) -> None:
        """Forget a request: whatever is answered to it is dropped."""
        transaction.abandon()
        self._settle(transaction)

    def send(self, outgoing: Outgoing) -> None:
        """Send a message that has no transaction: an ACK, a stateless response."""
        self._outbox.append(outgoing)

    def receive(self, message: Message, source: Hop, now: float) -> None:
        """Take in a message that has passed :func:`sip.message.check_request`.

        Raises:
            SipParseError: A header that tells where the message belongs can't
                be read.
        """
        if isinstance(message, Response):
            self._receive_response(message, now)
        elif message.method == "ACK":
            self._receive_ack(message, now)
        else:
            self._receive_request(message, source, now)

    def transport_failed(
        self, outgoing: Outgoing, now: float
    ) -> ClientTransaction | None:
        """Take note that a message from :meth:`messages_to_send` wasn't sent.

        Returns:
            The transaction of the message, if it was a request of ours.
        """
        message = outgoing.message
        if not isinstance(message, Request) or message.method == "ACK":
            # A server transaction goes on: the peer will repeat its request,
            # perhaps by another way (RFC 6026 §7.1); so for a lost ACK.
            return None
        transaction = self._clients.get((message.via.branch or "", message.method))
        if transaction is not None:
            transaction.transport_failed(now)
            self._settle(transaction)
        return transaction

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        return self._agenda.next()

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        for transaction in self._agenda.pop_due(now):
            transaction.handle_timeout(now)
            self._settle(transaction)

    def events_received(self) -> list[TransactionEvent]:
        """Return what happened since the last call, oldest first."""
        events, self._events = self._events, []
        return events

    def messages_to_send(self) -> list[Outgoing]:
        """Return what to send now, in this order."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def cancelled_by(self, cancel: Request) -> ServerTransaction | None:
        """Return the transaction that a CANCEL is about (:rfc:`3261#section-9.2`)."""
        return self._servers.get(_server_key(cancel, "INVITE"))

    def __len__(self) -> int:
        """Count the transactions."""
        return len(self._keys)

    def _receive_response(self, response: Response, now: float) -> None:
        via = response.via
        transaction = self._clients.get((via.branch or "", response.cseq.method))
        if transaction is None or len(response.vias) > 1:
            return  # A stray: dropped, 2xx or not (RFC 6026 §7.2).
        ours = transaction.request.via
        if via.port != ours.port or not same_address(via.host, ours.host):
            return
        transaction.receive(response, now)
        self._settle(transaction)

    def _receive_ack(self, request: Request, now: float) -> None:
        transaction = self._servers.get(_server_key(request, "INVITE"))
        if isinstance(transaction, InviteServerTransaction):
            transaction.receive_ack(request, now)
            self._settle(transaction)
        else:
            self._events.append(AckReceived(request))

    def _receive_request(self, request: Request, source: Hop, now: float) -> None:
        key = _server_key(request, request.method)
        known = self._servers.get(key)
        if known is not None:
            known.receive_again(now)
            self._settle(known)
        elif len(self._servers) >= self.limits.server_transactions:
            self._events.append(Overloaded(request, source))
        else:
            self._begin(key, request, source, now)

    def _begin(self, key: Hashable, request: Request, source: Hop, now: float) -> None:
        stamp_via(request, source)
        hop, fallback = response_hops(request.via, source)
        kind = (
            InviteServerTransaction
            if request.method == "INVITE"
            else NonInviteServerTransaction
        )
        transaction = kind(request, source, hop, fallback, self.timers, now)
        self._servers[key] = transaction
        merge_key = _merge_key(request)
        self._keys[transaction] = key, merge_key
        if merge_key is None or self._ongoing.setdefault(merge_key, key) == key:
            self._events.append(RequestReceived(transaction))
        else:
            self._events.append(Merged(transaction))
        self._settle(transaction)

    def _settle(self, transaction: Transaction) -> None:
        """Gather what a transaction wants, and forget it when it is over."""
        if transaction.outbox:
            self._outbox += transaction.outbox
            transaction.outbox = ()
        told = bool(transaction.notices)
        if told:
            self._events += transaction.notices
            transaction.notices = ()
        if not transaction.terminated:
            self._agenda.set(transaction, transaction.next_timeout())
            return
        self._agenda.set(transaction, None)
        if not told:
            # Else only the garbage collector could free them.  If something is
            # still to be told, whoever tells it does this afterwards.
            transaction.let_go()
        key, merge_key = self._keys.pop(transaction, (None, None))
        if isinstance(transaction, ServerTransaction):
            self._servers.pop(key, None)
            if self._ongoing.get(merge_key) == key:
                del self._ongoing[merge_key]
        elif key is not None:
            self._clients.pop(key, None)


def _server_key(request: Request, method: str) -> Hashable:
    """Tell requests apart as :rfc:`3261#section-17.2.3` does."""
    via = request.via
    branch = via.branch
    if branch is not None and branch.startswith(_COOKIE) and branch != _COOKIE:
        return branch, via.host.lower(), via.port, method
    # A client of RFC 2543: its branch, if any, needn't be unique.
    return (
        str(request.uri),
        request.from_.tag,
        request.call_id,
        request.cseq.number,
        via.host.lower(),
        via.port,
        branch,
        method,
    )


def _merge_key(request: Request) -> Hashable:
    """Tell what copies of a request have in common, if it can have copies."""
    if request.to.tag is not None or request.method == "CANCEL":
        return None
    cseq = request.cseq
    return request.from_.tag, request.call_id, cseq.number, cseq.method
