"""The four transactions of SIP, as tables (:rfc:`3261#section-17`, :rfc:`6026`).

A transaction is one request with all its responses on one hop.  What it does
depends on its state and on what happened, and on nothing else: the four tables
of :mod:`sip.sansio.transaction_tables` say all of it.  Here is what the words
in the tables mean.

Besides the tables each has two timers.  One *repeats*: it sends again what may
have been lost (timers A, E and G), or sends the 100 that is owed.  The other
*expires*: it ends the state (timers B, D, F and H to M).  Their lengths depend
on the state that is entered and on whether the transport is reliable.

Transactions don't know each other: :mod:`sip.sansio.transaction_layer` finds
the one that a message belongs to.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

from sip.message import Message, Request, Response, response_to
from sip.sansio.hop import Hop, Outgoing
from sip.sansio.timers import Timers
from sip.sansio.transaction_tables import (
    INVITE_CLIENT,
    INVITE_SERVER,
    NON_INVITE_CLIENT,
    NON_INVITE_SERVER,
    Effect,
    Happening,
    State,
    Table,
)

__all__ = [
    "ClientTransaction",
    "InviteClientTransaction",
    "InviteServerTransaction",
    "NonInviteClientTransaction",
    "NonInviteServerTransaction",
    "Notice",
    "NoticeKind",
    "ServerTransaction",
    "State",
    "Transaction",
]


class NoticeKind(enum.Enum):
    """What a transaction tells its user."""

    MESSAGE = "a response, or an ACK, was received"
    TIMEOUT = "the peer didn't answer, or didn't acknowledge, in time"
    TRANSPORT_ERROR = "the message could not be sent"


@dataclass(frozen=True, slots=True, eq=False)
class Notice:
    """What a transaction tells its user."""

    kind: NoticeKind
    """What happened."""

    transaction: Transaction
    """To which transaction."""

    message: Message | None = None
    """The response or ACK that was received, for ``MESSAGE``."""


_Effects: TypeAlias = Mapping[Effect, Callable[..., None]]


class _Wait(NamedTuple):
    """The timers of one state: when to repeat, up to which interval, when to end."""

    repeat: float | None = None
    longest: float = float("inf")
    expire: float | None = None


class Transaction:
    """What the four have in common: a state, two timers, a table.

    Attributes:
        state: Where it is.
        hop: Where its messages go.
        notices: What its user has not been told yet.
        outbox: What has not been sent yet.
    """

    __slots__ = (
        "_expire_at",
        "_interval",
        "_longest",
        "_repeat_at",
        "hop",
        "notices",
        "outbox",
        "state",
        "timers",
    )

    _table: ClassVar[Table]
    _effects: ClassVar[_Effects]

    def __init__(self, state: State, hop: Hop, timers: Timers, now: float) -> None:
        self.hop = hop
        self.timers = timers
        self.notices: list[Notice] = []
        self.outbox: list[Outgoing] = []
        self._interval = 0.0
        self._longest = float("inf")
        self._repeat_at: float | None = None
        self._expire_at: float | None = None
        self._enter(state, now)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        if self._repeat_at is None:
            return self._expire_at
        if self._expire_at is None:
            return self._repeat_at
        return min(self._repeat_at, self._expire_at)

    def handle_timeout(self, now: float) -> None:
        """Do what is due at ``now``."""
        # Expiry goes first: at 32 s timer B ends what timer A would repeat.
        if self._expire_at is not None and self._expire_at <= now:
            self._expire_at = None
            self._take(Happening.EXPIRE, None, now)
        elif self._repeat_at is not None and self._repeat_at <= now:
            # From the time it was due, lest the intervals drift with the clock;
            # from now if that is past too, lest a late clock makes a burst.
            self._interval = min(2 * self._interval, self._longest)
            self._repeat_at += self._interval
            if self._repeat_at <= now:
                self._repeat_at = now + self._interval
            self._take(Happening.REPEAT, None, now)

    def transport_failed(self, now: float) -> None:
        """Take note that the last message could not be sent."""
        self._take(Happening.TRANSPORT_ERROR, None, now)

    @property
    def terminated(self) -> bool:
        """Whether it is over and can be forgotten."""
        return self.state is State.TERMINATED

    def _take(self, what: Happening, message: Message | None, now: float) -> None:
        step = self._table.get((self.state, what))
        if step is None:
            return
        if step.state is not self.state:
            self._enter(step.state, now)
        for effect in step.effects:
            self._effects[effect](self, message)

    def _enter(self, state: State, now: float) -> None:
        """Change the state, and the timers with it: the only place that does."""
        wait = self._wait(state)
        if wait.expire == 0:
            # Nothing to absorb on a reliable transport: D, I, J and K are zero.
            state, wait = State.TERMINATED, _Wait()
        self.state = state
        self._repeat_at = None if wait.repeat is None else now + wait.repeat
        self._interval = wait.repeat or 0.0
        self._longest = wait.longest
        self._expire_at = None if wait.expire is None else now + wait.expire

    def _wait(self, state: State) -> _Wait:
        """Return the timers that ``state`` begins with."""
        raise NotImplementedError

    def _tell(self, kind: NoticeKind, message: Message | None = None) -> None:
        self.notices.append(Notice(kind, self, message))

    def _pass_on(self, message: Message | None) -> None:
        self._tell(NoticeKind.MESSAGE, message)

    def _report_timeout(self, message: Message | None) -> None:
        self._tell(NoticeKind.TIMEOUT)

    def _report_error(self, message: Message | None) -> None:
        self._tell(NoticeKind.TRANSPORT_ERROR)


class ClientTransaction(Transaction):
    """A request of ours.  Making one sends the request.

    Args:
        request: The request with its Via, which has a branch of its own.
        hop: Where to send it.
        timers: How long to wait.
        now: The time, in seconds.

    Attributes:
        user: Who sent it and wants to be told.
    """

    __slots__ = ("request", "user")

    _first_state: ClassVar[State]

    def __init__(self, request: Request, hop: Hop, timers: Timers, now: float) -> None:
        self.request = request
        self.user: object = None
        super().__init__(self._first_state, hop, timers, now)
        self._send_request(None)

    def receive(self, response: Response, now: float) -> None:
        """Take in a response that belongs to this transaction."""
        self._take(_class_of(response), response, now)

    def abandon(self) -> None:
        """Forget the request; what is received for it from now on is ignored."""
        self._enter(State.TERMINATED, 0.0)

    def _send_request(self, message: Message | None) -> None:
        self.outbox.append(Outgoing(self.request, self.hop))

    def _send_ack(self, message: Message | None) -> None:
        assert isinstance(message, Response)
        self.outbox.append(Outgoing(_ack_refusal(self.request, message), self.hop))

    _effects: ClassVar[_Effects] = {
        Effect.SEND_REQUEST: _send_request,
        Effect.SEND_ACK: _send_ack,
        Effect.PASS_ON: Transaction._pass_on,
        Effect.REPORT_TIMEOUT: Transaction._report_timeout,
        Effect.REPORT_ERROR: Transaction._report_error,
    }


class InviteClientTransaction(ClientTransaction):
    """An INVITE of ours (:rfc:`3261#section-17.1.1`, :rfc:`6026#section-7.2`)."""

    __slots__ = ()

    _first_state = State.CALLING
    _table = INVITE_CLIENT

    def _wait(self, state: State) -> _Wait:
        timers, reliable = self.timers, self.hop.transport.reliable
        match state:
            case State.CALLING:  # Timers A and B.
                repeat = None if reliable else timers.t1
                return _Wait(repeat=repeat, expire=timers.timeout)
            case State.COMPLETED:  # Timer D.
                return _Wait(expire=0 if reliable else timers.absorb_responses)
            case State.ACCEPTED:  # Timer M.
                return _Wait(expire=timers.timeout)
            case _:
                return _Wait()


class NonInviteClientTransaction(ClientTransaction):
    """A request of ours that isn't an INVITE (:rfc:`3261#section-17.1.2`)."""

    __slots__ = ()

    _first_state = State.TRYING
    _table = NON_INVITE_CLIENT

    def _enter(self, state: State, now: float) -> None:
        repeat_at, expire_at = self._repeat_at, self._expire_at
        super()._enter(state, now)
        if state is State.PROCEEDING:
            # E and F run on; from the next time on, E repeats each T2.
            self._repeat_at, self._expire_at = repeat_at, expire_at
            self._interval = self._longest = self.timers.t2

    def _wait(self, state: State) -> _Wait:
        timers, reliable = self.timers, self.hop.transport.reliable
        match state:
            case State.TRYING:  # Timers E and F.
                repeat = None if reliable else timers.t1
                return _Wait(repeat, timers.t2, timers.timeout)
            case State.COMPLETED:  # Timer K.
                return _Wait(expire=0 if reliable else timers.t4)
            case _:
                return _Wait()


class ServerTransaction(Transaction):
    """A request of a peer.

    Args:
        request: The request.
        source: Where it came from; its transport decides on the timers.
        hop: Where to send the responses.
        fallback: Where else, if the connection is gone.
        timers: How long to wait.
        now: The time, in seconds.

    Attributes:
        last_response: What was answered last, for repetition.
        user: Who answers it, for a CANCEL to find.
    """

    __slots__ = ("fallback", "last_response", "request", "source", "user")

    _first_state: ClassVar[State]

    def __init__(
        self,
        request: Request,
        source: Hop,
        hop: Hop,
        fallback: Hop | None,
        timers: Timers,
        now: float,
    ) -> None:
        self.request = request
        self.source = source
        self.fallback = fallback
        self.last_response: Response | None = None
        self.user: object = None
        super().__init__(self._first_state, hop, timers, now)

    def respond(self, response: Response, now: float) -> None:
        """Send a response; a second final one is ignored."""
        self._take(_class_of(response), response, now)

    def receive_again(self, now: float) -> None:
        """Take in a repetition of the request."""
        self._take(Happening.REQUEST, None, now)

    @property
    def answered(self) -> bool:
        """Whether a final response has been sent."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def _send_response(self, message: Message | None) -> None:
        assert isinstance(message, Response)
        self.last_response = message
        self.outbox.append(Outgoing(message, self.hop, self.fallback))

    def _send_again(self, message: Message | None) -> None:
        if self.last_response is not None:
            self._send_response(self.last_response)

    def _send_trying(self, message: Message | None) -> None:
        # Once: the repeating timer of this state serves for nothing else.
        self._repeat_at = None
        if self.last_response is None:
            self._send_response(response_to(self.request, 100))

    _effects: ClassVar[_Effects] = {
        Effect.SEND_RESPONSE: _send_response,
        Effect.SEND_AGAIN: _send_again,
        Effect.SEND_TRYING: _send_trying,
        Effect.PASS_ON: Transaction._pass_on,
        Effect.REPORT_TIMEOUT: Transaction._report_timeout,
        Effect.REPORT_ERROR: Transaction._report_error,
    }


class InviteServerTransaction(ServerTransaction):
    """An INVITE of a peer (:rfc:`3261#section-17.2.1`, :rfc:`6026#section-7.1`).

    A 2xx is repeated by the transaction user, not here, since only an ACK from
    end to end stops it.  A transport error changes nothing: the peer repeats
    its request, perhaps by another way.
    """

    __slots__ = ()

    _first_state = State.PROCEEDING
    _table = INVITE_SERVER

    def receive_ack(self, request: Request, now: float) -> None:
        """Take in the ACK to what was sent."""
        self._take(Happening.ACK, request, now)

    def _wait(self, state: State) -> _Wait:
        timers, reliable = self.timers, self.source.transport.reliable
        match state:
            case State.PROCEEDING:
                return _Wait(repeat=timers.trying_after)
            case State.COMPLETED:  # Timers G and H.
                repeat = None if reliable else timers.t1
                return _Wait(repeat, timers.t2, timers.timeout)
            case State.CONFIRMED:  # Timer I.
                return _Wait(expire=0 if reliable else timers.t4)
            case State.ACCEPTED:  # Timer L.
                return _Wait(expire=timers.timeout)
            case _:
                return _Wait()


class NonInviteServerTransaction(ServerTransaction):
    """A request of a peer that isn't an INVITE (:rfc:`3261#section-17.2.2`).

    The only provisional response it ever gets is a 100, and that only once the
    client repeats no faster than each T2 (:rfc:`4320#section-4.1`).
    """

    __slots__ = ()

    _first_state = State.TRYING
    _table = NON_INVITE_SERVER

    def _wait(self, state: State) -> _Wait:
        timers, reliable = self.timers, self.source.transport.reliable
        match state:
            case State.TRYING:
                return _Wait(repeat=timers.late_trying)
            case State.COMPLETED:  # Timer J.
                return _Wait(expire=0 if reliable else timers.timeout)
            case _:
                return _Wait()


def _class_of(response: Response) -> Happening:
    if response.status < 200:
        return Happening.PROVISIONAL
    return Happening.SUCCESS if response.status < 300 else Happening.FAILURE


def _ack_refusal(invite: Request, response: Response) -> Request:
    """Make the ACK to a refusal (:rfc:`3261#section-17.1.1.3`)."""
    headers = [("Via", invite.headers.values("Via")[0])]
    headers += [("Route", route) for route in invite.headers.get_all("Route")]
    to = response.headers.get("To") or invite.headers.get("To") or ""
    headers += [
        ("From", invite.headers.get("From") or ""),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq.number} ACK"),
        ("Max-Forwards", "70"),
    ]
    return Request.build("ACK", invite.uri, headers=headers)
