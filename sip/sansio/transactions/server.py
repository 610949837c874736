"""The transactions of requests that we get (:rfc:`3261#section-17.2`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import digest
from sip.message import Message, Request, Response, response_to
from sip.sansio.hop import Hop, Outgoing
from sip.sansio.timers import Timers
from sip.sansio.transactions.tables import (
    INVITE_SERVER,
    NON_INVITE_SERVER,
    Effect,
    Happening,
    State,
)
from sip.sansio.transactions.transaction import Effects, Transaction, Wait, happening_of

if TYPE_CHECKING:
    from sip.sansio.services import DialogUser

__all__ = [
    "InviteServerTransaction",
    "NonInviteServerTransaction",
    "ServerTransaction",
]


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
        user: Whose dialog it belongs to, for a CANCEL to find.
        verdict: Who its sender has proven to be, where that was asked for.
    """

    __slots__ = ("fallback", "last_response", "request", "source", "user", "verdict")

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
        self.user: DialogUser | None = None
        self.verdict: digest.Verdict | None = None
        super().__init__(self._first_state, hop, timers, now)

    def respond(self, response: Response, now: float) -> None:
        """Send a response; a second final one is ignored."""
        self._take(happening_of(response), response, now)

    def receive_again(self, now: float) -> None:
        """Take in a repetition of the request."""
        self._take(Happening.REQUEST, None, now)

    def let_go(self) -> None:
        """Forget the user, who knows this too: then neither keeps the other."""
        self.user = None

    @property
    def answered(self) -> bool:
        """Whether a final response has been sent."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def _send_response(self, message: Message | None) -> None:
        assert isinstance(message, Response)
        self.last_response = message
        self.outbox += (Outgoing(message, self.hop, self.fallback),)

    def _send_again(self, message: Message | None) -> None:
        if self.last_response is not None:
            self._send_response(self.last_response)

    def _send_trying(self, message: Message | None) -> None:
        # Once: the repeating timer of this state serves for nothing else.
        self._repeat_at = None
        if self.last_response is None:
            self._send_response(response_to(self.request, 100))

    _effects: ClassVar[Effects] = {
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

    def _wait(self, state: State) -> Wait:
        timers, reliable = self.timers, self.source.transport.reliable
        match state:
            case State.PROCEEDING:
                return Wait(repeat=timers.trying_after)
            case State.COMPLETED:  # Timers G and H.
                repeat = None if reliable else timers.t1
                return Wait(repeat, timers.t2, timers.timeout)
            case State.CONFIRMED:  # Timer I.
                return Wait(expire=0 if reliable else timers.t4)
            case State.ACCEPTED:  # Timer L.
                return Wait(expire=timers.timeout)
            case _:
                return Wait()


class NonInviteServerTransaction(ServerTransaction):
    """A request of a peer that isn't an INVITE (:rfc:`3261#section-17.2.2`).

    The only provisional response it ever gets is a 100, and that only once the
    client repeats no faster than each T2 (:rfc:`4320#section-4.1`).
    """

    __slots__ = ()

    _first_state = State.TRYING
    _table = NON_INVITE_SERVER

    def _wait(self, state: State) -> Wait:
        timers, reliable = self.timers, self.source.transport.reliable
        match state:
            case State.TRYING:
                return Wait(repeat=timers.late_trying)
            case State.COMPLETED:  # Timer J.
                return Wait(expire=0 if reliable else timers.timeout)
            case _:
                return Wait()
