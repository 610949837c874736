"""The short way in: what nearly all of the traffic is, dealt with at one go.

That is a SEND which lies whole in what was read, with the paths of a session that is
open here, and holds a message of one chunk or continues one that has begun; and a 200
to a chunk of ours.  Such a chunk is framed, judged, put where it belongs and answered
in this one place, which takes a third of the time that the long way takes.

The long way is :mod:`~msrp.sansio.parser` and :mod:`~msrp.sansio.receiver`.  It can do
all that is done here, and does all that is left to it: whatever is out of the
ordinary, as well as what is refused.  A test sends the same octets both ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msrp.headers import RequestHead
from msrp.sansio.encoder import encode_middle
from msrp.sansio.session_state import SessionState
from msrp.status import StatusCode
from msrp.uri import format_path

if TYPE_CHECKING:
    from msrp.sansio.session import Session
    from msrp.sansio.stream import Stream
    from msrp.sansio.transactions import Transaction

__all__ = ["Shortcut"]

_MAX_KNOWN = 256
"""Pairs of paths to remember for one connection, which may carry as many sessions;
who has more has them learnt again."""

_MAX_LENGTH = 512
"""Octets of paths that are worth it; those of long ways through relays are rare."""

_LONGEST_HEAD = 1024
"""Octets that a head may have here; none that is longer matches, on known paths."""

# As nearly every stack writes it; see msrp.headers.
_SEND = re.compile(
    rb"MSRP ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}+) SEND\r\n"
    rb"([ -~]{1,500}+\r\n[ -~]{1,500}+)"  # The paths.
    rb"\r\nMessage-ID: ([A-Za-z0-9][A-Za-z0-9.\-+%=]{3,31}+)"
    rb"(?:\r\nSuccess-Report: (yes|no))?"
    rb"(?:\r\nFailure-Report: yes)?"
    rb"\r\nByte-Range: ([0-9]{1,19}+)-(?:[0-9]{1,19}+|\*)/([0-9]{1,19}+|\*)"
    rb"\r\nContent-Type: ([!-~]{1,100}+(?: [!-~]{1,100}+)?+)"
    rb"\r\n\r\n"
)

_HYPHENS = b"\r\n-------"

_OK_LINE = b" 200 OK\r\n"

_ANSWER = b"MSRP %b%b%b$\r\n"
"""A 200 and its end-line: what is between the two places of the id depends on paths."""

_LONGEST_START = 45
"""Octets of the start line of a 200: an id has 32 at most."""

# By these names, as looking a member up in its Enum is slow, and done for each chunk.
_OPEN = SessionState.OPEN
_OK = StatusCode.OK


class _Known:
    """What is remembered for a pair of paths."""

    __slots__ = ("middle", "session")

    def __init__(self, session: Session, middle: bytes) -> None:
        self.session = session
        self.middle = middle
        """What a 200 says between the two places of the transaction id."""


class Shortcut:
    """The short way into one connection.

    Args:
        stream: The connection.
    """

    __slots__ = ("_known", "_stream")

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        # A connection whose sessions are silent shall not take the room of a dict.
        self._known: dict[bytes, _Known] | None = None

    def take(self, data: bytes, at: int, now: float) -> int:
        """Deal with what is usual.

        Args:
            data: What was read.
            at: Where a request or a response begins in it.
            now: The time.

        Returns:
            Where something begins that is left to the long way.
        """
        began = -1
        while began < at < len(data):
            began, at = at, self._take_chunks(data, at, now)
            if at < len(data):
                at = self._take_answers(data, at)
        return at

    # Each returns where something begins that isn't usual.

    def _take_chunks(self, data: bytes, at: int, now: float) -> int:
        if self._known is None:
            return at
        answers: list[bytes] = []
        while head := _SEND.match(data, at):
            transaction_id, paths, *about = head.groups()
            known = self._known.get(paths)
            if known is None:
                break
            body_at = head.end()
            # The CRLF of the empty line may be the one before the end-line.
            stop = data.find(_HYPHENS, body_at - 2)
            if not data.startswith(transaction_id, stop + len(_HYPHENS)):
                # It isn't all here, or has hyphens of its own.
                stop = data.find(_HYPHENS + transaction_id, body_at - 2)
            if stop <= body_at:  # Or it has no body.
                break
            end = stop + len(_HYPHENS) + len(transaction_id)
            body, flag = data[body_at:stop], data[end : end + 3]
            if not self._put(known.session, about, body, flag, now):
                break
            answers.append(_ANSWER % (transaction_id, known.middle, transaction_id))
            at = end + 3
        if answers:
            self._stream.writer.queue(b"".join(answers))
        return at

    def _put(
        self, session: Session, about: list[bytes], body: bytes, flag: bytes, now: float
    ) -> bool:
        """Put the body of a chunk where it belongs; tell whether that was usual."""
        assert session.state is _OPEN, "else it was forgotten"
        message_id, success, first, total, content_type = about
        if flag == b"+\r\n":
            offset = int(first) - 1
            if not session.incoming.goes_on(message_id.decode(), offset, body, now):
                return False
            self._stream.chunk_received(session)
            return True
        if flag != b"$\r\n" or success == b"yes":
            return False
        if first != b"1" or total != b"%d" % len(body):
            return False
        event = session.incoming.only_chunk(
            message_id.decode(), content_type.decode(), body
        )
        if event is None:
            return False
        session.tell(event)
        return True

    def _take_answers(self, data: bytes, at: int) -> int:
        """Take the 200s that begin there, as many as are to one session."""
        transactions = self._stream.writer.transactions
        session: Session | None = None
        answered: list[Transaction] = []
        while (name_end := data.find(_OK_LINE, at, at + _LONGEST_START)) > 0:
            name = data[at + 5 : name_end]
            # No id of ours is what this makes of octets that aren't ASCII.
            transaction = transactions.find(name.decode("latin-1"))
            if transaction is None:
                break
            session = session or transaction.session
            middle = session.underway.usual_answer
            if transaction.session is not session or middle is None:
                break
            answer = _ANSWER % (name, middle, name)
            if not data.startswith(answer, at):
                break
            transactions.end(transaction.transaction_id)
            answered.append(transaction)
            at += len(answer)
        if session is not None and answered:
            session.underway.chunks_accepted(answered)
        return at

    # What the long way has found.

    def learn_paths(self, block: bytes, head: RequestHead, session: Session) -> None:
        """Take note of the paths of a SEND to a session that is here.

        Others aren't worth it: anybody could send any number of them.
        """
        at = block.find(b"\r\nMessage-ID: ", 0, _MAX_LENGTH)
        if self._known is not None and block[: max(at, 0)] in self._known:
            return
        # Two lines: with another field before Message-ID this would forget that.
        if at < 0 or block.count(b"\n", 0, at) != 1 or len(head.to_path) > 1:
            return
        if self._stream.limits.max_head_size < _LONGEST_HEAD:
            return
        if self._known is None or len(self._known) >= _MAX_KNOWN:
            self._known = {}
        paths = format_path(head.from_path[:1]), format_path(head.to_path)
        middle = encode_middle(_OK, *paths).encode()
        self._known[block[:at]] = _Known(session, middle)

    def learn_answer(self, block: bytes, session: Session) -> None:
        """Take note of what a ``200 OK`` to a session says of its paths."""
        # Nothing in it may look like an end-line; and with nothing in it at all, this
        # would be an empty line, behind which the long way looks for a body.
        if 0 < len(block) <= 2 * _MAX_LENGTH and b"\r\n-" not in block:
            session.underway.usual_answer = b" 200 OK\r\n%b\r\n-------" % block

    def forget(self, session: Session) -> None:
        """Let go of a session that leaves the connection."""
        if self._known is not None:
            kept = {k: v for k, v in self._known.items() if v.session is not session}
            self._known = kept or None
