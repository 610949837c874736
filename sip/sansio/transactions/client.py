"""The transactions of requests that we send (:rfc:`3261#section-17.1`)."""

from __future__ import annotations

from typing import ClassVar

from sip.message import Message, Request, Response
from sip.sansio.hop import Hop, Outgoing
from sip.sansio.timers import Timers
from sip.sansio.transactions.tables import (
    INVITE_CLIENT,
    NON_INVITE_CLIENT,
    Effect,
    State,
)
from sip.sansio.transactions.transaction import Effects, Transaction, Wait, happening_of

__all__ = [
    "ClientTransaction",
    "InviteClientTransaction",
    "NonInviteClientTransaction",
]


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
        self._take(happening_of(response), response, now)

    def abandon(self) -> None:
        """Forget the request; what is received for it from now on is ignored."""
        self._enter(State.TERMINATED, 0.0)

    def let_go(self) -> None:
        """Forget the user, who knows this too: then neither keeps the other."""
        self.user = None

    def _send_request(self, message: Message | None) -> None:
        self.outbox += (Outgoing(self.request, self.hop),)

    def _send_ack(self, message: Message | None) -> None:
        assert isinstance(message, Response)
        ack = _ack_refusal(self.request, message)
        self.outbox += (Outgoing(ack, self.hop),)

    _effects: ClassVar[Effects] = {
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

    def _wait(self, state: State) -> Wait:
        timers, reliable = self.timers, self.hop.transport.reliable
        match state:
            case State.CALLING:  # Timers A and B.
                repeat = None if reliable else timers.t1
                return Wait(repeat=repeat, expire=timers.timeout)
            case State.COMPLETED:  # Timer D.
                return Wait(expire=0 if reliable else timers.absorb_responses)
            case State.ACCEPTED:  # Timer M.
                return Wait(expire=timers.timeout)
            case _:
                return Wait()


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

    def _wait(self, state: State) -> Wait:
        timers, reliable = self.timers, self.hop.transport.reliable
        match state:
            case State.TRYING:  # Timers E and F.
                repeat = None if reliable else timers.t1
                return Wait(repeat, timers.t2, timers.timeout)
            case State.COMPLETED:  # Timer K.
                return Wait(expire=0 if reliable else timers.t4)
            case _:
                return Wait()


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
