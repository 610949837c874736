"""A 2xx to an INVITE of a peer, which is repeated until its ACK comes."""

from __future__ import annotations

from sip.message import Response
from sip.sansio.requests.sender import Sender
from sip.sansio.timers import Timers
from sip.sansio.transactions.server import ServerTransaction

__all__ = ["PendingAck"]


class PendingAck:
    """A 2xx of ours that is repeated until its ACK comes.

    That is done on any transport, since a proxy may go on by an unreliable one
    (:rfc:`3261#section-13.3.1.4`).
    """

    __slots__ = (
        "_interval",
        "_longest",
        "cseq",
        "give_up_at",
        "repeat_at",
        "response",
        "transaction",
    )

    def __init__(
        self,
        transaction: ServerTransaction,
        response: Response,
        timers: Timers,
        now: float,
    ) -> None:
        self.transaction = transaction
        self.response = response
        self.cseq = response.cseq.number
        self._interval = timers.t1
        self._longest = timers.t2
        self.repeat_at = now + timers.t1
        self.give_up_at = now + timers.timeout

    def repeat(self, sender: Sender, now: float) -> None:
        """Send the response again and double the interval, up to T2."""
        sender.layer.respond(self.transaction, self.response, now)
        self._interval = min(2 * self._interval, self._longest)
        self.repeat_at = max(self.repeat_at, now - self._interval) + self._interval

    def next_timeout(self) -> float:
        """Return when to repeat or to give up."""
        return min(self.repeat_at, self.give_up_at)
