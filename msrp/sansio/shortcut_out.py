"""The short way out: what nearly all of the traffic is, written at one go.

That is short messages that are at hand, each in one chunk, and the chunks in the
middle of long ones that are cut into small chunks and take turns.  Many of them are
written in one loop, in which nothing is asked that can't have changed since the last
one, and nothing is written anew that all of them have in common.

The long way is :meth:`~msrp.sansio.underway.Underway.next_chunk`, which begins one
chunk.  It can do all that is done here, and does all that is left to it: the first
SEND, the last chunk of a long message, chunks that are interruptible, long messages
beside short ones, messages whose chunks get no answer, bodies that could be taken for
an end-line.  A test has the same messages written both ways.

What is written here goes to the transport at one go.  A response, a report or a line
of text that comes up meanwhile goes out before the next such write; how many chunks
may be in one is said by whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msrp.headers import FailureReport
from msrp.sansio.chunk import SentChunk
from msrp.sansio.outgoing import Outgoing, OutgoingState
from msrp.sansio.transactions import Transaction

if TYPE_CHECKING:
    from msrp.sansio.queues import SendQueues
    from msrp.sansio.session import Session

__all__ = ["Written", "write_chunks", "write_lines"]

# By these names, as looking a member up in its Enum is slow.
_YES = FailureReport.YES
_SENDING = OutgoingState.SENDING


@dataclass(slots=True)
class Written:
    """Some requests that go to the transport at one go."""

    pieces: list[bytes]
    """Their octets."""

    sent: list[Transaction]
    """What waits for the response to each, once its clock is started."""


def write_lines(
    session: Session,
    queues: SendQueues,
    paths: bytes,
    limit: int,
    most: int,
    budget: int,
) -> Written:
    """Write short messages that are at hand, and take them out of the queue.

    Args:
        session: The session.
        queues: Its messages.
        paths: As :func:`~msrp.sansio.encoder.encode_paths` writes them.
        limit: Octets of body that a chunk may have.
        most: How many chunks at most.
        budget: How many octets, about.
    """
    written = Written([], [])
    pieces, sent = written.pieces, written.sent
    while budget > 0 and len(sent) < most:
        message = queues.take_line()
        if message is None:
            break
        whole = message.write_whole(paths, limit)
        if whole is None:
            queues.put_back(message)
            break
        pieces.append(whole[1])
        sent.append(Transaction(whole[0], session, message, False))
        budget -= len(whole[1])
    if sent:
        queues.lines_begun()
    return written


def write_chunks(
    session: Session,
    queues: SendQueues,
    paths: bytes,
    size: int,
    most: int,
    budget: int,
) -> Written:
    """Write chunks in the middle of long messages, which take turns.

    Args:
        session: As for :func:`write_lines`, and so are those that follow.
        queues: Its messages.
        paths: Both.
        size: Octets of body that each chunk has.
        most: How many chunks at most.
        budget: How many octets, about.
    """
    written = Written([], [])
    while budget > 0 and len(written.sent) < most:
        message, room = queues.next_bulk()
        # Once it has begun the long way, its header fields are known to be good.
        if message is None or message.state is not _SENDING:
            break
        if message.failure_report is not _YES:
            break
        chunks = min(room, most - len(written.sent), budget // size + 1)
        body = message.chunker.ahead(size, chunks)
        if not body:
            break
        already = len(written.sent)
        budget = _write_turn(written, session, message, body, paths, size, budget)
        queues.many_begun(message, len(written.sent) - already)
    return written


def _write_turn(
    written: Written,
    session: Session,
    message: Outgoing,
    body: bytes,
    paths: bytes,
    size: int,
    budget: int,
) -> int:
    """Write chunks of one message; return what is left of the budget."""
    pieces, sent = written.pieces, written.sent
    chunker, new_id = message.chunker, message.new_id
    before, after = chunker.around(paths)
    at, offset = 0, chunker.offset
    while budget > 0 and at < len(body):
        name = new_id()
        start, stop = offset + at, offset + at + size
        octets = name.encode()
        head = b"MSRP %b%b%d-%d%b" % (octets, before, start + 1, stop, after)
        pieces += (head, body[at : at + size], b"\r\n-------", octets, b"+\r\n")
        chunk = SentChunk(start, stop)
        sent.append(Transaction(name, session, message, False, chunk))
        at += size
        budget -= len(head) + size + len(octets) + 12
    chunker.take(at)
    return budget
