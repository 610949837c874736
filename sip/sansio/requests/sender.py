"""From a request to the hops that may take it (:rfc:`3261#section-8.1.2`).

A request begins with a URI to go to.  Somebody else resolves the URI, since
that may ask the DNS: the sender puts a :class:`Lookup` into a list and goes on
when its hops are given.  Then each hop is tried in turn until one answers: the
next is tried after a transport failure, a 503 or silence (:rfc:`3263#section-4.3`),
and each trial is a transaction with a branch of its own.  A request that is too
big for a datagram tries a stream to the same hop first
(:rfc:`3261#section-18.1.1`).

Via and Contact depend on the hop, so they are written here and nowhere else.

A refusal that says what would be taken makes the same request go out once more
with the next sequence number, as :class:`~sip.sansio.requests.retry.Retries` decides;
its user hears of the last response only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sip.errors import TransportError
from sip.message import Request, Response
from sip.sansio.events import Failure
from sip.sansio.hop import (
    Hop,
    Outgoing,
    Transport,
    is_numeric,
    too_big_for_datagram,
)
from sip.sansio.requests.credentials import with_credentials_of
from sip.sansio.requests.local_headers import LocalHeaders, cancel_of
from sip.sansio.requests.resting import Resting
from sip.sansio.requests.retry import Again, Retries, Trail
from sip.sansio.transactions.client import ClientTransaction
from sip.sansio.transactions.layer import TransactionLayer
from sip.sansio.transactions.transaction import (
    Notice,
    NoticeKind,
    State,
)
from sip.uri import SipUri, Uri

__all__ = ["ClientRequest", "Lookup", "RequestUser", "Sender", "SentAck"]


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A URI to resolve; answer with :meth:`Sender.found`."""

    uri: Uri
    """Where a request has to go."""


class RequestUser(Protocol):
    """Who sent a request and wants to know what becomes of it."""

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take a response, provisional or final."""

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that there will be no response."""


class DialogBook(Protocol):
    """What is known of the dialogs that requests of ours belong to."""

    def next_number(self, request: Request) -> int:
        """Give the sequence number for sending a request again."""

    def flow_of(self, request: Request) -> Hop | None:
        """Tell where the peer's last request in the same dialog came from."""


class ClientRequest:
    """A request of ours on its way.

    Attributes:
        request: The request; once it is sent, with Via and Contact.
        plain: The request without Via and Contact, as it was changed last.
        trail: What has been tried for it.
        user: Who is told of its responses.
        transaction: The trial that is going on, if there is one.
        next_hop: The URI that leads to where it goes, if one had to be resolved.
        hop: Where it went last, if it went anywhere.
        tried: How many addresses it was sent to.
        cause: What the shell said when it couldn't be sent, if it said so.
    """

    __slots__ = (
        "_hops",
        "_to_tcp",
        "cause",
        "done",
        "hop",
        "is_last",
        "next_hop",
        "plain",
        "request",
        "trail",
        "transaction",
        "tried",
        "user",
    )

    def __init__(
        self, request: Request, user: RequestUser, next_hop: Uri | None = None
    ) -> None:
        self.request = request
        self.user = user
        self.next_hop = next_hop
        self.transaction: ClientTransaction | None = None
        self.hop: Hop | None = None
        self.tried = 0
        self.cause: TransportError | None = None
        self.done = False
        self.plain = request
        self.trail = Trail(request)
        self.is_last = False
        self._hops: list[Hop] = []
        self._to_tcp = True

    @property
    def target(self) -> str:
        """Where it went last, for people: an address, and the URI of a name."""
        named = _without_secrets(self.next_hop)
        if self.hop is None:
            return named
        is_name = isinstance(self.next_hop, SipUri) and not is_numeric(
            self.next_hop.host
        )
        words = f"{named} at {self.hop.words}" if is_name else self.hop.words
        if self.tried > 1:
            words += f", the last of {self.tried} addresses tried"
        return words

    @property
    def is_heard(self) -> bool:
        """Whether a provisional response came, and no other yet."""
        trial = self.transaction
        return trial is not None and trial.state is State.PROCEEDING

    def leave(self) -> None:
        """Tell nobody what still comes, so that neither keeps the other."""
        self.user = _NOBODY

    def last_trial(self) -> None:
        """Try no other hop after the present one, and nothing else either."""
        self.is_last = True
        self._hops.clear()


class _Nobody:
    """Who doesn't want to know."""

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Do nothing."""

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Do nothing."""


_NOBODY = _Nobody()


class SentAck:
    """The ACK to a 2xx, which is sent again whenever the 2xx is repeated."""

    __slots__ = ("_hops", "outgoing", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.outgoing: Outgoing | None = None
        self._hops: list[Hop] = []


class Sender:
    """Sends the requests of one user agent.

    Args:
        layer: The transactions.
        user: The user part of our Contact.
        local_point: Tells, for a hop, by which of our addresses the peer there
            can reach us.
        dialogs: What is known of the dialogs of requests.

    Attributes:
        retries: Decides which requests are sent again.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        user: str | None,
        local_point: Callable[[Hop], Hop],
        dialogs: DialogBook,
    ) -> None:
        self.layer = layer
        self.retries = Retries(layer.limits)
        self._dialogs = dialogs
        self._resting = Resting(layer.limits)
        self._local = LocalHeaders(user, local_point)
        self._lookups: dict[Lookup, ClientRequest | SentAck] = {}
        self._new_lookups: list[Lookup] = []
        self._acks: dict[Outgoing, SentAck] = {}

    def send(self, request: Request, next_hop: Uri, user: RequestUser) -> ClientRequest:
        """Send a request to where ``next_hop`` leads."""
        sent = ClientRequest(request, user, next_hop)
        sent.plain = self.retries.prepare(sent.trail, request)
        self._look_up(next_hop, sent)
        return sent

    def send_ack(
        self, request: Request, next_hop: Uri, invite: ClientRequest | None = None
    ) -> SentAck:
        """Send the ACK to a 2xx.

        It repeats the credentials of the INVITE, since nobody can ask for them
        (:rfc:`3261#section-22.1`).
        """
        if invite is not None:
            request = with_credentials_of(request, invite.plain)
        ack = SentAck(request)
        self._look_up(next_hop, ack)
        return ack

    def repeat_ack(self, ack: SentAck) -> None:
        """Send an ACK again, if it has been sent at all."""
        if ack.outgoing is not None:
            self.layer.send(ack.outgoing)

    def send_cancel(
        self, invite: ClientRequest, user: RequestUser, now: float
    ) -> ClientRequest | None:
        """Cancel an INVITE on the hop that has it (:rfc:`3261#section-9.1`)."""
        assert invite.transaction is not None
        cancel = cancel_of(invite.request)
        sent = ClientRequest(cancel, user)
        sent.last_trial()
        sent.transaction = self.layer.send_request(cancel, invite.transaction.hop, now)
        if sent.transaction is None:
            return None
        sent.transaction.user = sent
        return sent

    def abandon(self, sent: ClientRequest) -> None:
        """Forget a request; its user hears no more of it."""
        sent.done = True
        for lookup, waiting in list(self._lookups.items()):
            if waiting is sent:
                del self._lookups[lookup]
        if sent.transaction is not None:
            self.layer.abandon(sent.transaction)

    def lookups(self) -> list[Lookup]:
        """Return the URIs to resolve; empties the list."""
        lookups, self._new_lookups = self._new_lookups, []
        return lookups

    def found(
        self,
        lookup: Lookup,
        hops: Sequence[Hop],
        now: float,
        cause: TransportError | None = None,
    ) -> None:
        """Take the hops of a URI, the best first; none if there is no address.

        ``cause`` then says why there is none, where that is known.
        """
        waiting = self._lookups.pop(lookup, None)
        if waiting is None:
            return
        waiting._hops = self._resting.last(self._with_flow(waiting, hops), now)
        if isinstance(waiting, SentAck):
            self._send_ack_on(waiting)
        else:
            waiting.cause = cause
            self._try_next(waiting, Failure.NOT_FOUND, now)

    def notice(self, notice: Notice, now: float) -> None:
        """Take what a client transaction tells."""
        transaction = notice.transaction
        assert isinstance(transaction, ClientTransaction)
        sent = transaction.user
        if not isinstance(sent, ClientRequest) or sent.transaction is not transaction:
            return  # A trial that was given up.
        match notice.kind:
            case NoticeKind.TIMEOUT:
                self._try_next(sent, Failure.TIMEOUT, now)
            case NoticeKind.TRANSPORT_ERROR:
                self._try_next(sent, Failure.TRANSPORT, now)
            case NoticeKind.MESSAGE:
                assert isinstance(notice.message, Response)
                self._answered(sent, notice.message, now)
        if transaction.terminated:
            transaction.let_go()

    def transport_failed(
        self, outgoing: Outgoing, now: float, cause: TransportError | None = None
    ) -> None:
        """Take note that a message wasn't sent, and of what the shell says."""
        ack = self._acks.get(outgoing)
        if ack is None:
            transaction = self.layer.transport_failed(outgoing, now)
            if transaction is not None and isinstance(transaction.user, ClientRequest):
                transaction.user.cause = cause
        elif ack._hops:
            self._send_ack_on(ack)

    def forget_ack(self, ack: SentAck) -> None:
        """Take note that the 2xx of an ACK can't come again."""
        if ack.outgoing is not None:
            self._acks.pop(ack.outgoing, None)

    @property
    def instance(self) -> str | None:
        """The URN of this user agent, if it has one."""
        return self._local.instance

    @instance.setter
    def instance(self, urn: str | None) -> None:
        self._local.instance = urn

    def contact(self, hop: Hop, *, secure: bool) -> str:
        """Return the Contact by which the peer at ``hop`` reaches us."""
        return self._local.contact(hop, secure=secure)

    def _look_up(self, uri: Uri, waiting: ClientRequest | SentAck) -> None:
        lookup = Lookup(uri)
        self._lookups[lookup] = waiting
        self._new_lookups.append(lookup)

    def _with_flow(
        self, waiting: ClientRequest | SentAck, hops: Sequence[Hop]
    ) -> Sequence[Hop]:
        """Put the connection of a dialog before another to the same address.

        Whoever listens for no TLS gives the near end of its connection as its
        Contact, and can be reached by nothing else.  And a certificate shows the
        domain that was called, but seldom the address in the Contact of its 2xx.
        """
        if not any(hop.transport.reliable for hop in hops):
            return hops
        flow = self._dialogs.flow_of(waiting.request)
        if flow is None or not flow.transport.reliable:
            return hops
        if flow in hops or not any(flow.is_same_end(hop) for hop in hops):
            return hops
        return [flow, *hops]

    def _try_next(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        sent.transaction = None
        if not sent._hops or sent.done:
            self._fail(sent, failure, now)
            return
        hop = sent._hops.pop(0)
        sent.cause = None
        # The datagram after a stream to the same address is no other address.
        sent.tried += sent._to_tcp
        sent.request = self._local.dress(sent.plain, hop)
        if hop.transport is Transport.UDP and sent._to_tcp:
            if too_big_for_datagram(sent.request):
                # Whoever refuses the stream gets the datagram after all.
                sent._to_tcp = False
                sent._hops.insert(0, hop)
                hop = replace(hop, transport=Transport.TCP, flow=None)
                sent.request = self._local.dress(sent.plain, hop)
        else:
            sent._to_tcp = True
        sent.hop = hop
        transaction = self.layer.send_request(sent.request, hop, now)
        if transaction is None:
            self._fail(sent, Failure.BUSY, now)
            return
        sent.transaction = transaction
        transaction.user = sent

    def _fail(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        if sent.done:
            return
        again = None if sent.is_last else self.retries.after_failure(sent)
        if again is not None:
            self._send_again(sent, again, now)
            return
        sent.done = True
        sent.user.request_failed(sent, failure, now)

    def _answered(self, sent: ClientRequest, response: Response, now: float) -> None:
        if response.status == 503 and sent.hop is not None:
            self._resting.note(sent.hop, response, now)
            if sent._hops:
                self._try_next(sent, Failure.TRANSPORT, now)
                return
        again = None
        if response.status >= 200 and not sent.is_last and not sent.done:
            again = self.retries.after(sent, response)
        if again is not None:
            self._send_again(sent, again, now)
            return
        sent.user.request_answered(sent, response, now)

    def _send_again(self, sent: ClientRequest, again: Again, now: float) -> None:
        """Send a request once more, with the next number (§8.1.3.5)."""
        again.request.headers.set(
            "CSeq", f"{self._dialogs.next_number(sent.plain)} {again.request.method}"
        )
        sent.plain = again.request
        sent.transaction = None
        sent._to_tcp = True
        if again.next_hop is not None:
            sent.next_hop, sent._hops = again.next_hop, []
            self._look_up(again.next_hop, sent)
        elif sent.hop is not None:
            # Whoever refused it is asked again, not another of its kind, which
            # may know nothing of the nonce.
            sent._hops.insert(0, sent.hop)
            self._try_next(sent, Failure.TRANSPORT, now)

    def _send_ack_on(self, ack: SentAck) -> None:
        if not ack._hops:
            return  # Nowhere to send it: the peer will give up and hang up.
        hop = ack._hops.pop(0)
        self.forget_ack(ack)
        ack.outgoing = Outgoing(self._local.dress(ack.request, hop), hop)
        self._acks[ack.outgoing] = ack
        self.layer.send(ack.outgoing)


def _without_secrets(uri: Uri | None) -> str:
    if isinstance(uri, SipUri):
        uri = replace(uri, password=None, parameters=(), headers=())
    return "" if uri is None else str(uri)
