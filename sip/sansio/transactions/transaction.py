"""What the four transactions of SIP have in common (:rfc:`3261#section-17`).

A transaction is one request with all its responses on one hop.  What it does
depends on its state and on what happened, and on nothing else: the four tables
of :mod:`sip.sansio.transactions.tables` say all of it.  Here is what the words
in the tables mean; :mod:`sip.sansio.transactions.client` and
:mod:`sip.sansio.transactions.server` say the rest.

Besides the tables each has two timers.  One *repeats*: it sends again what may
have been lost (timers A, E and G), or sends the 100 that is owed.  The other
*expires*: it ends the state (timers B, D, F and H to M).  Their lengths depend
on the state that is entered and on whether the transport is reliable.

Transactions don't know each other: :mod:`sip.sansio.transactions.layer` finds
the one that a message belongs to.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

from sip.message import Message, Response
from sip.sansio.hop import Hop, Outgoing
from sip.sansio.timers import Timers
from sip.sansio.transactions.tables import Effect, Happening, State, Table

__all__ = [
    "Effects",
    "Notice",
    "NoticeKind",
    "State",
    "Transaction",
    "Wait",
    "happening_of",
]


class NoticeKind(enum.Enum):
    """What a transaction tells its user."""

    MESSAGE = "a response, or an ACK, was received"
    TIMEOUT = "the peer didn't answer, or didn't acknowledge, in time"
    TRANSPORT_ERROR = "the message could not be sent"


@dataclass(slots=True, eq=False)  # Not frozen: one is made for every response.
class Notice:
    """What a transaction tells its user."""

    kind: NoticeKind
    """What happened."""

    transaction: Transaction
    """To which transaction."""

    message: Message | None = None
    """The response or ACK that was received, for ``MESSAGE``."""


Effects: TypeAlias = Mapping[Effect, Callable[..., None]]
"""The method of a transaction for each effect in its table."""


class Wait(NamedTuple):
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
    _effects: ClassVar[Effects]

    def __init__(self, state: State, hop: Hop, timers: Timers, now: float) -> None:
        self.hop = hop
        self.timers = timers
        # Tuples, since most are empty most of the time, and no tuple costs less: a
        # transaction stays for half a minute after all has been said.
        self.notices: tuple[Notice, ...] = ()
        self.outbox: tuple[Outgoing, ...] = ()
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

    def let_go(self) -> None:
        """Forget the user, who knows this too: then neither keeps the other."""
        raise NotImplementedError

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
            state, wait = State.TERMINATED, Wait()
        self.state = state
        self._repeat_at = None if wait.repeat is None else now + wait.repeat
        self._interval = wait.repeat or 0.0
        self._longest = wait.longest
        self._expire_at = None if wait.expire is None else now + wait.expire

    def _wait(self, state: State) -> Wait:
        """Return the timers that ``state`` begins with."""
        raise NotImplementedError

    def _tell(self, kind: NoticeKind, message: Message | None = None) -> None:
        self.notices += (Notice(kind, self, message),)

    def _pass_on(self, message: Message | None) -> None:
        self._tell(NoticeKind.MESSAGE, message)

    def _report_timeout(self, message: Message | None) -> None:
        self._tell(NoticeKind.TIMEOUT)

    def _report_error(self, message: Message | None) -> None:
        self._tell(NoticeKind.TRANSPORT_ERROR)


def happening_of(response: Response) -> Happening:
    """Tell what it is to send or to receive a response."""
    if response.status < 200:
        return Happening.PROVISIONAL
    return Happening.SUCCESS if response.status < 300 else Happening.FAILURE
