"""Play a script on one of our connections: what the peer sends, and what we do.

A script is octets.  The first sets the scene (:meth:`Rehearsal._set_scene`), the
others are what the peer sends, save for ``~`` and the octet after it, which is
something that happens here and ends what is read in one go.  ``~~`` is a tilde.  So
scripts can be read, and most of what a fuzzer makes of them are scripts, too.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from typing import ClassVar

from msrp.errors import CloseReason
from msrp.events import CoreEvent
from msrp.headers import FailureReport
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.queues import BULK_SIZE
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.testing import Directory
from tests.fuzz.scene import (
    LIMITS,
    Bystander,
    Drip,
    keep_ledgers,
    new_config,
    new_session,
)
from tests.fuzz.weight import weigh

__all__ = ["Rehearsal"]

_MAX_MESSAGES = 10
"""Messages of ours in one script: more tell nothing new, and take time."""

_REPEATS = 100
"""How often a piece is repeated before memory is weighed, and again after that."""

_MAX_REPEATED = 600
"""Octets of a piece to repeat."""

_MAX_GROWTH = 6_000
"""Octets of memory by which repeating a piece may have it grow between both: room for
the octets of incomplete messages, which come slowly, and for no object that is kept
of each repetition."""

_MAX_TIMERS = 200
"""How often timers may go off on the way to one point in time."""


class Rehearsal:
    """One connection, four sessions, and a script.

    Of the sessions ``here`` was opened by us on this connection, ``called`` waits to be
    bound by the peer, ``late`` is known only after a while, and ``other`` is on
    another connection.

    Args:
        script: What happens.
        piece: Octets that are read in one go; as the script has it if left out.
    """

    def __init__(self, script: bytes, *, piece: int | None = None) -> None:
        self.now = 0.0
        self.written = bytearray()
        """All that was written on the connection."""
        self.read = bytearray()
        """All that was read from it."""
        self.messages: list[tuple[Outgoing, Session]] = []
        """Those of ours, and whose they are."""
        self.bodies: dict[str, Drip | bytes] = {}
        """What is in them."""
        self._numbers = itertools.count()
        self._script = script[1:]
        self._piece = piece
        self._unread: deque[bytes] = deque()
        self._last_piece = b""
        self._eof = False
        self._paused = False
        self._unwilling = False
        self._waited_in_vain = False
        self._repeated = False
        self._drips: list[Drip] = []
        self._set_scene(script[0] if script else 0)

    def _set_scene(self, choice: int) -> None:
        """Make the sessions and both connections."""
        config = new_config(choice)
        self.other = Bystander(config, self._new_id)
        # Its ids aren't for the script to guess.
        self._numbers = itertools.count()
        self.sessions = {
            name: new_session(name, config, self._new_id)
            for name in ("here", "called", "late")
        }
        self.ledgers = keep_ledgers(self.sessions["called"])
        """Where some of the messages that came went."""
        self.events: dict[str, list[CoreEvent]] = {name: [] for name in self.sessions}
        late = self.sessions["late"]
        self.directory = Directory(*self.sessions.values(), self.other.session)
        self.directory.sessions.remove(late)
        self.directory.expected.add(late.local_uri)
        self.stream = Stream(
            self.directory,
            self.now,
            limits=LIMITS,
            on_probation=bool(choice & 8),
            new_id=self._new_id,
        )
        self.stream.attach(self.sessions["here"], self.now)

    def _new_id(self) -> str:
        return f"t{next(self._numbers):03}"

    @property
    def keeps_peer_waiting(self) -> bool:
        """Whether requests wait, or waited in vain, for the session that is late."""
        return self._waited_in_vain or not self.stream.reading_wanted

    # Playing.

    def play(self) -> None:
        """Do all that the script says."""
        for piece, action in self._steps():
            if piece and not self._eof:
                self._last_piece = piece
                self._unread.append(piece)
            self._read_on()
            if action is not None:
                action(self)
                self._read_on()
            self.collect()
        self._unwilling = False
        self._read_on()
        self.collect()

    def _steps(self) -> Iterator[tuple[bytes, Callable[[Rehearsal], None] | None]]:
        """Yield what is read in one go, and what happens then."""
        piece: list[bytes] = []
        at = 0
        while (tilde := self._script.find(b"~", at)) >= 0:
            piece.append(self._script[at:tilde])
            key = self._script[tilde + 1 : tilde + 2]
            at = tilde + 2
            action = self.ACTIONS.get(key)
            if action is not None:
                yield b"".join(piece), action
                piece = []
            elif key == b"~":
                piece.append(key)
        piece.append(self._script[at:])
        yield b"".join(piece), None

    def _read_on(self) -> None:
        """Read what the peer has sent, unless we have stopped reading."""
        stream = self.stream
        while self._may_read() and self._unread:
            piece = self._unread.popleft()
            if not stream.closing:
                self.read += piece
            size = self._piece or len(piece)
            for at in range(0, len(piece), size):
                stream.receive_data(piece[at : at + size], self.now)
        if self._eof and not self._unread:
            stream.receive_eof(self.now)

    def _may_read(self) -> bool:
        """Stop reading, or read again, as the stream and the application wish."""
        wanted = self.stream.reading_wanted and not self._unwilling
        if wanted and self._paused:
            self.stream.resume(self.now)
        elif not wanted and not self._paused:
            self.stream.pause(self.now)
        self._paused = not wanted
        return wanted

    def collect(self) -> None:
        """Put what happened where it belongs."""
        told = {session: name for name, session in self.sessions.items()}
        for session, events in self.stream.events_received():
            self.events[told[session]] += events
        for session, name in told.items():
            if session.stream is None:
                # It was never bound, or its last events have just been told.
                self.events[name] += session.events_received()

    def write(self) -> None:
        """Write all that there is to write."""
        self._write(10_000)

    def _write(self, budget: int) -> None:
        while data := self.stream.data_to_send(budget, self.now):
            self.written += data
            if budget < 1000:
                break

    def let_pass(self, seconds: float) -> None:
        """Let time pass, and each timer go off when it is due."""
        stream, until = self.stream, self.now + seconds
        for _ in range(_MAX_TIMERS):
            due = stream.next_timeout()
            if due is None or due > until:
                break
            self.now = max(self.now, due)
            stream.handle_timeout(self.now)
            again = stream.next_timeout()
            assert again is None or again > self.now, "a timer that changes nothing"
        else:
            raise AssertionError("the timers don't come to rest")
        self.collect()
        self.now = until
        closing = stream.closing
        stream.handle_timeout(until)  # Too early, which must do no harm.
        assert stream.closing is closing
        assert stream.events_received() == []

    # What may happen.

    def _send(
        self,
        body: Drip | bytes,
        *,
        name: str = "here",
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
    ) -> None:
        session = self.sessions[name]
        number = len(self.messages)
        if session.state is SessionState.CLOSED or number >= _MAX_MESSAGES:
            return
        message = Outgoing(
            f"m{number:03}",
            "text/plain",
            BytesBody(body) if isinstance(body, bytes) else body,
            success_report=success_report,
            failure_report=failure_report,
            new_id=self._new_id,
        )
        session.send(message)
        self.messages.append((message, session))
        self.bodies[message.message_id] = body

    def _send_drip(self) -> None:
        self._drips.append(Drip())
        self._send(self._drips[-1])

    def _add_to_drips(self) -> None:
        for drip in self._drips:
            drip.octets += b"" if drip.ended else b"\r\n-------t00"

    def _end_drips(self) -> None:
        for drip in self._drips:
            drip.ended = True

    def _abort(self) -> None:
        for message, session in self.messages:
            if not message.finished:
                session.abort(message.message_id)
                return

    def _end(self, name: str) -> None:
        self.sessions[name].end(CloseReason.BY_US)

    def _pause(self) -> None:
        self._unwilling = True

    def _resume(self) -> None:
        self._unwilling = False

    def _be_late(self) -> None:
        """Have the session that was expected."""
        late = self.sessions["late"]
        if late.local_uri in self.directory.expected:
            self.directory.expected.clear()
            self.directory.sessions.append(late)
        # What waited for it when the connection ended will never be answered.
        self._waited_in_vain |= self.keeps_peer_waiting and self.stream.closing
        self.stream.retry(self.now)

    def _close(self) -> None:
        self._eof = True

    def _repeat(self) -> None:
        """Have the peer send a piece again and again, and see that nothing grows."""
        piece = self._last_piece
        if self._repeated or self._eof or not 0 < len(piece) <= _MAX_REPEATED:
            return
        self._repeated = True
        numbers = iter(range(2 * _REPEATS))
        weights = []
        for _ in range(2):
            for number in itertools.islice(numbers, _REPEATS):
                self._read_once_more(piece.replace(b"@@@@", b"%04d" % number))
                self.write()
                self.collect()
            weights.append(self._weigh())
        assert weights[1] - weights[0] <= _MAX_GROWTH, "memory grows"

    def _read_once_more(self, piece: bytes) -> None:
        # In one go even where others are cut: that takes most of the time, and
        # the piece has been cut already.
        if self._may_read() and not self._unread:
            self.read += piece
            self.stream.receive_data(piece, self.now)

    def _weigh(self) -> int:
        ours = [
            each for message, _ in self.messages for each in (message, message.reported)
        ]
        return weigh(self.stream, *self.sessions.values(), without=ours)

    ACTIONS: ClassVar[dict[bytes, Callable[[Rehearsal], None]]] = {
        b".": lambda self: None,
        b"w": write,
        b"q": lambda self: self._write(100),
        b"t": lambda self: self.let_pass(1.0),
        b"T": lambda self: self.let_pass(31.0),
        b"m": lambda self: self.let_pass(600.0),
        b"s": lambda self: self._send(b"short"),
        b"S": lambda self: self._send(b"asked for", success_report=True),
        b"b": lambda self: self._send(bytes(3000), success_report=True),
        b"n": lambda self: self._send(b"", failure_report=FailureReport.NO),
        b"f": lambda self: self._send(
            b"errors only", failure_report=FailureReport.PARTIAL
        ),
        b"l": lambda self: self._send(b"\r\n-------t001$" * (1 + BULK_SIZE // 14)),
        b"c": lambda self: self._send(b"on the other", name="called"),
        b"u": _send_drip,
        b"d": _add_to_drips,
        b"D": _end_drips,
        b"a": _abort,
        b"x": lambda self: self._end("here"),
        b"X": lambda self: self._end("called"),
        b"p": _pause,
        b"r": _resume,
        b"y": _be_late,
        b"e": _close,
        b"*": _repeat,
    }
    """What happens here, by the octet after ``~``."""
