"""A test kit: two cores, a wire between them that is a list, a clock that is a number.

:class:`Pair` is an MSRP session with both of its ends and nothing else: no socket,
no event loop, no waiting.  What an end writes goes over a :class:`FakeWire`, which
cuts it as a network might; time passes only when :meth:`Pair.advance` is told so,
and then at once.  So a test may send a message octet by octet, or say to the tenth
of a second when a missing response is noticed::

    pair = Pair()
    pair.run()
    pair.active.send(b"hello", success_report=True)
    pair.run()
    assert pair.passive.events[-1] == MessageCompleted(...)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from msrp.config import SessionConfig
from msrp.errors import CloseReason, SessionClosed
from msrp.events import CoreEvent
from msrp.headers import ContinuationFlag, FailureReport, parse_fields
from msrp.sansio.chunker import BodySource
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session
from msrp.sansio.stream import Stream
from msrp.uri import MsrpUri

__all__ = [
    "Directory",
    "End",
    "FakeWire",
    "Pair",
    "Segmentation",
    "VirtualClock",
    "Written",
    "read_messages",
]

Segmentation = Callable[[bytes], Iterable[bytes]]
"""How a network cuts what was written in one go into what is read."""


@dataclass(frozen=True, slots=True)
class Written:
    """A request or a response that was written."""

    transaction_id: str
    what: str
    """The method, or the status code."""

    fields: dict[str, str]
    """The header fields by lower-case name."""

    body: bytes | None
    """``None`` if there is none, which is not the same as an empty one."""

    flag: ContinuationFlag


def read_messages(stream: bytes) -> list[Written]:
    """Read what one of our streams has written, whole messages only.

    It knows nothing but the spelling that we use, and shares no code with the
    parser under test.
    """
    messages: list[Written] = []
    at = 0
    while at < len(stream):
        line_end = stream.index(b"\r\n", at)
        _, transaction_id, what = stream[at:line_end].decode().split(" ", 2)
        end_line = b"\r\n-------" + transaction_id.encode()
        end = stream.index(end_line, line_end)
        block, blank, body = stream[line_end + 2 : end].partition(b"\r\n\r\n")
        at = end + len(end_line) + 3
        flag = ContinuationFlag(stream[at - 3 : at - 2])
        messages.append(
            Written(
                transaction_id,
                what.partition(" ")[0],
                parse_fields(block),
                body if blank else None,
                flag,
            )
        )
    return messages


class VirtualClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now
        """The time in seconds."""

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


class Directory:
    """Sessions by their local URI, as a listener keeps them."""

    def __init__(self, *sessions: Session) -> None:
        self.sessions = list(sessions)
        self.expected: set[MsrpUri] = set()
        """URIs of sessions that are being negotiated."""

    def find(self, uri: MsrpUri) -> Session | None:
        """Return the session with this URI."""
        return next((s for s in self.sessions if s.local_uri == uri), None)

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether a session with this URI is being negotiated."""
        return uri in self.expected


class FakeWire:
    """Carries octets between two streams, both ways, until it is cut.

    Args:
        streams: Both ends.
        clock: Says when octets are written and read.
        segmentation: Cuts what one end writes; whole if left out.
        quantum: Octets to ask an end for before the other gets its turn.
        cut_after: Octets that it carries, of both ends together, before it breaks;
            ``None`` if it never does.
    """

    def __init__(
        self,
        streams: tuple[Stream, Stream],
        clock: VirtualClock,
        *,
        segmentation: Segmentation = lambda data: (data,),
        quantum: int = 64 * 1024,
        cut_after: int | None = None,
    ) -> None:
        self.octets_left = cut_after
        """What it still carries."""
        self.written = (bytearray(), bytearray())
        """All that each end has written."""
        self.segmentation = segmentation
        self.quantum = quantum
        self._streams = streams
        self._clock = clock
        self._ended = [False, False]

    def step(self) -> bool:
        """Carry at most one quantum each way; tell whether anything moved."""
        return bool(sum(self._carry(end) for end in (0, 1)))

    def run(self) -> None:
        """Carry until nobody has any more to write that the other would read."""
        while self.step():
            pass

    def cut(self) -> None:
        """Break: nothing more arrives, and both ends notice."""
        self.octets_left = 0
        for stream in self._streams:
            stream.connection_lost(SessionClosed(CloseReason.LOST))

    def _pass(self, data: bytes, reader: Stream) -> None:
        if self.octets_left is not None:
            data = data[: self.octets_left]
            self.octets_left -= len(data)
        for piece in self.segmentation(data) if data else ():
            reader.receive_data(piece, self._clock.now)
        if self.octets_left == 0:
            self.cut()

    def _carry(self, end: int) -> bool:
        writer, reader = self._streams[end], self._streams[1 - end]
        now = self._clock.now
        if self._ended[end] or self.octets_left == 0:
            return False
        if not (reader.closing or reader.reading_wanted):
            return False
        data = writer.data_to_send(self.quantum, now)
        if data:
            self.written[end].extend(data)
            self._pass(data, reader)
            return True
        if writer.closing:
            self._ended[end] = True
            reader.receive_eof(now)
        return self._ended[end]


@dataclass(slots=True, eq=False)
class End:
    """One end of a session."""

    session: Session
    stream: Stream
    events: list[CoreEvent] = field(default_factory=list)
    """All that has happened here so far, oldest first."""

    def send(
        self,
        contents: bytes | BodySource,
        content_type: str = "text/plain",
        *,
        message_id: str | None = None,
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
    ) -> Outgoing:
        """Queue a message, and return what becomes of it."""
        message = Outgoing(
            message_id,
            content_type,
            contents,
            success_report=success_report,
            failure_report=failure_report,
        )
        self.session.send(message)
        return message


class Pair:
    """A session, with both of its ends, on a wire of its own.

    Nothing moves before the first :meth:`run`, so that messages may be queued and
    the ends be changed before the peer has heard of them.

    Args:
        active: How the end that connects sends, and what it takes.
        passive: The same for the other.
        segmentation: How the wire cuts what is written.
        quantum: Octets that the wire takes from one end at a time.
        cut_after: Octets after which the wire breaks, if it does.
    """

    def __init__(
        self,
        active: SessionConfig | None = None,
        passive: SessionConfig | None = None,
        *,
        segmentation: Segmentation = lambda data: (data,),
        quantum: int = 64 * 1024,
        cut_after: int | None = None,
    ) -> None:
        self.clock = VirtualClock()
        self._segmentation = segmentation
        self._quantum = quantum
        self._configs = active or SessionConfig(), passive or SessionConfig()
        self._number = 0
        self._all_streams: list[Stream] = []
        self._connect(cut_after)
        self._ends: list[End] = []
        self._by_session: dict[Session, End] = {}
        self.active, self.passive = self.add_session(*self._configs)

    def _connect(self, cut_after: int | None) -> None:
        limits = [config.limits for config in self._configs]
        now = self.clock.now
        self.directories = Directory(), Directory()
        """Who may be called at the active and at the passive end."""
        self._streams = (
            Stream(self.directories[0], now, limits=limits[0]),
            Stream(self.directories[1], now, limits=limits[1], on_probation=True),
        )
        self._all_streams += self._streams
        self.wire = FakeWire(
            self._streams,
            self.clock,
            segmentation=self._segmentation,
            quantum=self._quantum,
            cut_after=cut_after,
        )

    def add_session(
        self, active: SessionConfig | None = None, passive: SessionConfig | None = None
    ) -> tuple[End, End]:
        """Open a further session on the same wire, and return its ends."""
        sessions = self._new_sessions(active, passive)
        ends = [End(*both) for both in zip(sessions, self._streams, strict=True)]
        self._ends += ends
        self._by_session.update(zip(sessions, ends, strict=True))
        self._open(sessions)
        return ends[0], ends[1]

    def reestablish(
        self, *, cut_after: int | None = None, from_the_start: bool = False
    ) -> None:
        """Give all sessions a new wire, under new URIs, as a re-INVITE would.

        Args:
            cut_after: Octets after which the new wire breaks, if it does.
            from_the_start: Whether what was confirmed of a message is sent again.
        """
        self.collect()
        self._connect(cut_after)
        for active, passive in zip(self._ends[::2], self._ends[1::2], strict=True):
            old = active.session, passive.session
            sessions = self._new_sessions(old[0].config, old[1].config)
            for session, lost in zip(sessions, old, strict=True):
                session.replace(lost, self.clock.now, from_the_start=from_the_start)
            active.session, passive.session = sessions
            self._by_session.update({sessions[0]: active, sessions[1]: passive})
            active.stream, passive.stream = self._streams
            self._open(sessions)

    def _new_sessions(
        self, active: SessionConfig | None, passive: SessionConfig | None
    ) -> tuple[Session, Session]:
        self._number += 1
        one, two = (
            MsrpUri("msrp", f"{name}.example", 2855, f"session{self._number}")
            for name in ("active", "passive")
        )
        return (
            Session(one, (two,), is_active=True, config=active),
            Session(two, (one,), is_active=False, config=passive),
        )

    def _open(self, sessions: tuple[Session, Session]) -> None:
        for session, directory in zip(sessions, self.directories, strict=True):
            directory.sessions.append(session)
        self._streams[0].attach(sessions[0], self.clock.now)

    def run(self) -> None:
        """Carry what there is to carry; no time passes."""
        self.wire.run()
        self.collect()

    def advance(self, seconds: float) -> None:
        """Let time pass, and each timer go off when it is due."""
        until = self.clock.now + seconds
        self.run()
        while (due := self._next_timeout()) is not None and due <= until:
            self.clock.now = max(self.clock.now, due)
            for stream in self._streams:
                stream.handle_timeout(self.clock.now)
            self.run()
        self.clock.now = until

    def collect(self) -> None:
        """Put what happened into :attr:`End.events`, also on wires of before."""
        for stream in self._all_streams:
            for session, events in stream.events_received():
                self._by_session[session].events += events

    def _next_timeout(self) -> float | None:
        times = [stream.next_timeout() for stream in self._streams]
        return min((time for time in times if time is not None), default=None)
