"""What goes out on one connection, and in which order.

Responses and reports come first, and a long chunk is interrupted for them
(:rfc:`4975#section-7.1.1`).  Sessions that have something to send take turns.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msrp.errors import LocalProtocolError
from msrp.headers import ContinuationFlag, FailureReport
from msrp.sansio.chunk import Chunk, LongChunk, WholeChunk
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.transactions import Transaction, Transactions

if TYPE_CHECKING:
    from msrp.sansio.session import Session

__all__ = ["ANY_NUMBER", "Writer"]

MIN_INTERRUPTED = 2048
"""Octets of a chunk that are written before it makes way for something else."""


ANY_NUMBER = 1 << 30
"""Of chunks: more than anybody has room for."""

# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_NO, _PARTIAL = FailureReport.NO, FailureReport.PARTIAL
_END = ContinuationFlag.END


@dataclass(slots=True, eq=False)
class _OpenChunk:
    """The request that is being written, and isn't written at one go."""

    session: Session
    message: Outgoing
    chunk: LongChunk
    aborted: bool = False
    left: bool = False
    """Whether its message goes on elsewhere, on another connection."""


class Writer:
    """The sending half of one connection.

    Args:
        response_timeout: Seconds until a missing response is a failure.
    """

    __slots__ = (
        "_chunks_left",
        "_control",
        "_open",
        "_turns",
        "transactions",
        "unsent",
    )

    def __init__(self, response_timeout: float) -> None:
        self.transactions = Transactions(response_timeout)
        """Requests that wait for a response."""
        self.unsent = 0
        """Octets of responses and reports that the transport hasn't taken yet."""
        self._chunks_left = 0
        """How many may still begin in what is being written."""
        self._control: deque[bytes] | None = None
        self._open: _OpenChunk | None = None
        # Those that are found to have nothing to send leave, until something
        # changes there: a connection may carry a thousand that are silent.
        self._turns: OrderedDict[Session, None] = OrderedDict()

    @property
    def in_long_chunk(self) -> bool:
        """Whether octets of a body are being written for which there is no end yet."""
        return self._open is not None

    @property
    def half_written(self) -> str | None:
        """The transaction id of the request that has begun and has no end yet."""
        if self._open is None or not self._open.chunk.has_begun:
            return None
        return self._open.chunk.transaction_id

    def queue(self, data: bytes) -> None:
        """Send a response or a report before all else."""
        if self._control is None:
            self._control = deque()
        self._control.append(data)
        self.unsent += len(data)

    def may_send(self, session: Session) -> None:
        """Ask a session for chunks again: something has changed there."""
        self._turns.setdefault(session)

    def leave(self, session: Session, *, message_goes_on: bool) -> None:
        """Have no more to do with a session.

        Args:
            session: Which.
            message_goes_on: Whether a half written message goes on elsewhere.
        """
        self._turns.pop(session, None)
        if message_goes_on and self._open is not None:
            self._open.left = self._open.left or self._open.session is session
        self.transactions.drop(session)

    def cut_short(self, message: Outgoing) -> bool:
        """Give up a message that is being written (``#``); tell whether it is."""
        if self._open is None or self._open.message is not message:
            return False
        self._open.aborted = True
        return True

    def data_to_send(self, budget: int, now: float, chunks: int = ANY_NUMBER) -> bytes:
        """Return octets to write now, about ``budget``, and of some chunks at most."""
        if not (self._turns or self._control or self._open):
            return b""
        pieces: list[bytes] = []
        self._chunks_left = chunks
        while budget > 0 and self._chunks_left > 0:
            piece = self._next_piece(budget, now)
            if not piece:
                break
            pieces.append(piece)
            budget -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _next_piece(self, budget: int, now: float) -> bytes | None:
        if self._open is not None:
            return self._write_open(budget, now)
        if self._turns and not self._control:
            piece = self._begin_chunk(budget, now)
            if piece is not None:
                return piece
            # A message that could not be begun may have left its end here.
        return self._take_control(budget) if self._control else None

    def _take_control(self, budget: int) -> bytes:
        """Take all responses and reports, or the first if they are too many."""
        control = self._control
        assert control is not None
        if self.unsent <= budget:
            piece = b"".join(control)
            self._control = None
        else:
            piece = control.popleft()
            self._control = control or None
        self.unsent -= len(piece)
        return piece

    def _write_open(self, budget: int, now: float) -> bytes | None:
        """Go on with the request that is being written, or end it here."""
        open_ = self._open
        assert open_ is not None
        chunk = open_.chunk
        if open_.aborted:
            piece: bytes | None = chunk.interrupt(ContinuationFlag.ABORT)
        elif open_.left:
            piece = chunk.interrupt()
        elif chunk.written >= MIN_INTERRUPTED and self._others_wait(open_.message):
            piece = chunk.interrupt()
        else:
            piece = self._write_body(open_, budget)
            if piece is None and (self._control or self._others_wait(open_.message)):
                piece = chunk.interrupt()
        if chunk.finished:
            self._open = None
            self.transactions.written(chunk.transaction_id, now)
            self._chunk_written(open_.session, open_.message, chunk, now)
        return piece

    def _chunk_written(
        self, session: Session, message: Outgoing, chunk: Chunk, now: float
    ) -> None:
        session.underway.chunk_written(message, chunk)
        if message.resumed and chunk.flag is _END:
            # It fails if it isn't reported as soon as it is answered.  No response
            # can end this: the blank is in no transaction id.
            name = f"report {chunk.transaction_id}"
            awaited = Transaction(name, session, message, silent=False)
            self.transactions.begin_written(awaited, now)

    def _write_body(self, open_: _OpenChunk, budget: int) -> bytes | None:
        try:
            return open_.chunk.write(budget)
        except LocalProtocolError as error:
            message_id = open_.message.message_id
            open_.session.abort(message_id, str(error))
            return open_.chunk.interrupt(ContinuationFlag.ABORT)

    def _others_wait(self, message: Outgoing) -> bool:
        return bool(self._control) or any(
            session.underway.wants_to_send(besides=message) for session in self._turns
        )

    def _begin_chunk(self, budget: int, now: float) -> bytes | None:
        """Write what there is of the next request, of the next session that has one."""
        turns = self._turns
        for _ in range(len(turns)):
            session = next(iter(turns))
            turns.move_to_end(session)
            # Nobody else waits for its turn where there is but one.
            most = self._chunks_left if len(turns) == 1 else 1
            written = session.underway.write_at_once(most, budget, now)
            if written is not None:
                self._chunks_left -= len(written.sent)
                if not session.underway.has_queued:
                    turns.pop(session, None)
                return b"".join(written.pieces)
            begun = session.underway.next_chunk()
            if begun is None:
                if not session.underway.wants_to_send():
                    turns.pop(session, None)
                continue
            self._chunks_left -= 1
            message, chunk = begun
            if isinstance(chunk, WholeChunk):
                return self._write_whole(session, message, chunk, now)
            self._open = _OpenChunk(session, message, chunk)
            transaction = _transaction(session, message, chunk)
            if transaction is not None:
                self.transactions.begin(transaction)
            return self._write_open(budget, now)
        return None

    def _write_whole(
        self, session: Session, message: Outgoing, chunk: WholeChunk, now: float
    ) -> bytes:
        octets = chunk.write()
        transaction = _transaction(session, message, chunk)
        if transaction is not None:
            self.transactions.begin_written(transaction, now)
        self._chunk_written(session, message, chunk, now)
        if not session.underway.has_queued:
            self._turns.pop(session, None)
        return octets


def _transaction(
    session: Session, message: Outgoing, chunk: Chunk
) -> Transaction | None:
    """Return what waits for the response to a chunk; ``None`` if there will be none."""
    wish = message.failure_report
    if wish is _NO:
        return None
    silent = wish is _PARTIAL
    return Transaction(chunk.transaction_id, session, message, silent, chunk)
