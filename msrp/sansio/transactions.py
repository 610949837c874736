"""Requests of ours that wait for a response (:rfc:`4975#section-7.1.1`).

All wait equally long, so that the order of starting is the order of timing out
and one look at the oldest is enough.  While we ourselves don't read, the clock of
all of them stands still: the response may be there already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msrp.sansio.chunk import Chunk, SentChunk
from msrp.sansio.outgoing import Outgoing

if TYPE_CHECKING:
    from msrp.sansio.session import Session

__all__ = ["Transaction", "Transactions"]


@dataclass(slots=True, eq=False)
class Transaction:
    """One chunk that may be answered, or one message that has to be reported."""

    transaction_id: str
    session: Session
    message: Outgoing
    silent: bool
    """Whether silence means success (``Failure-Report: partial``)."""

    chunk: Chunk | SentChunk | None = None
    """What was sent, so that its octets are known to have arrived with a 200."""

    started: float | None = None
    """When its last octet was written, on the clock that stands still at times."""


class Transactions:
    """The open transactions of one connection, oldest first.

    Args:
        timeout: Seconds to wait for each.
    """

    __slots__ = ("_open", "_paused_at", "_paused_for", "timeout")

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._open: dict[str, Transaction] = {}
        self._paused_at: float | None = None
        self._paused_for = 0.0

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, transaction_id: object) -> bool:
        return transaction_id in self._open

    def begin(self, transaction: Transaction) -> None:
        """Add a transaction whose request is being written; no clock runs yet."""
        self._open[transaction.transaction_id] = transaction

    def begin_written(self, transaction: Transaction, now: float) -> None:
        """Add a transaction whose request is out already."""
        transaction.started = self._running(now)
        self._open[transaction.transaction_id] = transaction

    def begin_many(self, transactions: list[Transaction], now: float) -> None:
        """Add those of some requests that were written at one go."""
        started = self._running(now)
        for transaction in transactions:
            transaction.started = started
            self._open[transaction.transaction_id] = transaction

    def written(self, transaction_id: str, now: float) -> None:
        """Start the clock: the last octet of the request is out."""
        transaction = self._open.pop(transaction_id, None)
        if transaction is not None:
            transaction.started = self._running(now)
            self._open[transaction_id] = transaction  # Behind all that started before.

    def find(self, transaction_id: str) -> Transaction | None:
        """Return a transaction that is open; ``None`` if there is none."""
        return self._open.get(transaction_id)

    def end(self, transaction_id: str) -> Transaction | None:
        """Take out a transaction that was answered; ``None`` if there is none."""
        return self._open.pop(transaction_id, None)

    def drop(self, session: Session) -> None:
        """Take out all transactions of a session that is no longer here."""
        for each in [t for t in self._open.values() if t.session is session]:
            del self._open[each.transaction_id]

    def pause(self, now: float) -> None:
        """Stop all clocks: we don't read responses for the time being."""
        if self._paused_at is None:
            self._paused_at = now

    def resume(self, now: float) -> None:
        """Let the clocks run again."""
        if self._paused_at is not None:
            self._paused_for += now - self._paused_at
            self._paused_at = None

    def next_timeout(self) -> float | None:
        """Return when the oldest transaction times out, on the caller's clock."""
        if self._paused_at is not None:
            return None
        oldest = self._oldest()
        if oldest is None or oldest.started is None:
            return None
        return oldest.started + self.timeout + self._paused_for

    def timed_out(self, now: float) -> list[Transaction]:
        """Take out the transactions whose time is up."""
        due: list[Transaction] = []
        # By the same sum as next_timeout(), lest rounding make it come back at once.
        while (time := self.next_timeout()) is not None and time <= now:
            oldest = self._oldest()
            assert oldest is not None
            due.append(self._open.pop(oldest.transaction_id))
        return due

    def _oldest(self) -> Transaction | None:
        # At most one is being written at a time, and it may stand first.
        for transaction in self._open.values():
            if transaction.started is not None:
                return transaction
        return None

    def _running(self, now: float) -> float:
        paused_at = now if self._paused_at is None else self._paused_at
        return paused_at - self._paused_for
