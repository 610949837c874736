"""Sessions that go on by another path, where the two parties don't do so at once."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import pytest

from msrp.config import SessionConfig
from msrp.errors import CloseReason
from msrp.events import (
    ConnectionLost,
    CoreEvent,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    ReportReceived,
    SessionOver,
)
from msrp.headers import FailureReport
from msrp.sansio.chunker import BytesBody
from msrp.sansio.left import LEFT_TIME
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.testing import Directory, Pair, Written, read_messages
from msrp.uri import MsrpUri

RELAY = MsrpUri("msrp", "relay.example", 2855, "r")
CONFIG = SessionConfig(recovery_time=60.0, chunk_size=50)

PATHS = [pytest.param(False, id="direct"), pytest.param(True, id="relayed")]
SIDES = [pytest.param(0, id="to-the-active"), pytest.param(1, id="to-the-passive")]


@dataclass
class Party:
    """One of the two: its sessions, and the connections that they are or were on."""

    name: str
    directory: Directory = field(default_factory=Directory)
    streams: list[Stream] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    events: list[CoreEvent] = field(default_factory=list)

    def uri(self, number: int) -> MsrpUri:
        return MsrpUri("msrp", f"{self.name}.example", 2855, f"session{number}")

    @property
    def session(self) -> Session:
        return self.sessions[-1]

    @property
    def shown(self) -> list[bytes]:
        return [e.contents for e in self.events if isinstance(e, MessageCompleted)]

    @property
    def delivered(self) -> list[str]:
        return [e.message_id for e in self.events if isinstance(e, MessageDelivered)]

    def of(self, kind: type[CoreEvent]) -> list[CoreEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def send(
        self,
        message_id: str,
        failure_report: FailureReport = FailureReport.YES,
        *,
        success_report: bool = False,
        size: int = 0,
    ) -> None:
        body = BytesBody(message_id.encode().ljust(size, b"."))
        message = Outgoing(
            message_id,
            "text/plain",
            body,
            failure_report=failure_report,
            success_report=success_report,
        )
        self.session.send(message)

    def collect(self) -> None:
        for stream in self.streams:
            for session, events in stream.events_received():
                assert session in self.sessions
                self.events += events


class Meeting:
    """Two parties, on a connection each time or through a relay that they stay with.

    Args:
        relayed: Whether there is a relay.  It answers each SEND for itself, and
            has no use for the answers of those to whom it goes.
    """

    def __init__(self, *, relayed: bool) -> None:
        self.now = 0.0
        self.relayed = relayed
        self.parties = Party("active"), Party("passive")
        self.under_way: deque[tuple[Stream, bytes]] = deque()
        self.new_streams()
        for side in (0, 1):
            self.join(side)
        self.run()
        assert all(p.session.state is SessionState.OPEN for p in self.parties)

    def new_streams(self) -> None:
        for party in self.parties:
            stream = Stream(party.directory, self.now, idle_time=1000.0)
            party.streams.append(stream)

    def join(self, side: int) -> None:
        """Have one of the two begin a session, or go on with it by another path."""
        party, other = self.parties[side], self.parties[1 - side]
        number = len(party.sessions)
        far = (other.uri(number),)
        session = Session(
            party.uri(number),
            (RELAY, *far) if self.relayed else far,
            is_active=side == 0,
            config=CONFIG,
        )
        stream = party.streams[-1]
        if party.sessions:
            before = party.session
            if self.relayed and before.state is SessionState.NEW:
                stream.leave(before)  # The peer may have been told of it.
            session.replace(before, self.now)
            party.directory.sessions.remove(before)
        party.sessions.append(session)
        party.directory.sessions.append(session)
        party.directory.expected.discard(session.local_uri)
        if len(other.sessions) <= number:
            other.directory.expected.add(other.uri(number))
        if side == 0:
            stream.attach(session, self.now)
        stream.retry(self.now)

    def move(self, side: int) -> None:
        """Have one of the two go on by the next path."""
        if not self.relayed and len(self.parties[side].sessions) == len(
            self.parties[side].streams
        ):
            self.new_streams()
        self.join(side)

    def write(self) -> bool:
        """Have both write what they have to write, and nobody read it."""
        moved = False
        for side in (0, 1):
            for number, stream in enumerate(self.parties[side].streams):
                data = stream.data_to_send(65536, self.now)
                moved = moved or bool(data)
                reader = self.parties[1 - side].streams[number]
                if self.relayed:
                    self._through_the_relay(data, stream, reader)
                elif data:
                    self.under_way.append((reader, data))
        return moved

    def read(self) -> None:
        while self.under_way:
            reader, data = self.under_way.popleft()
            reader.receive_data(data, self.now)
        for party in self.parties:
            party.collect()

    def run(self) -> None:
        while self.write():
            self.read()
        self.read()

    def _through_the_relay(self, data: bytes, writer: Stream, reader: Stream) -> None:
        for message in read_messages(data):
            if message.what not in ("SEND", "REPORT"):
                continue
            name, fields = message.transaction_id, dict(message.fields)
            wish = fields.get("failure-report", "yes")
            if message.what == "SEND" and wish == "yes":
                writer.receive_data(response(message, 200), self.now)
            fields["to-path"] = fields["to-path"].split(" ", 1)[1]
            fields["from-path"] = f"{RELAY} {fields['from-path']}"
            head = "".join(f"{key}: {value}\r\n" for key, value in fields.items())
            octets = f"MSRP {name} {message.what}\r\n{head}".encode()
            if message.body is not None:
                octets += b"\r\n" + message.body + b"\r\n"
            octets += f"-------{name}".encode() + message.flag.value + b"\r\n"
            self.under_way.append((reader, octets))


def response(request: Written, code: int) -> bytes:
    name = request.transaction_id
    return f"MSRP {name} {code}\r\n-------{name}$\r\n".encode()


@pytest.mark.rule("MSRP-40", "MSRP-41", "MSRP-42", "OA-19")
@pytest.mark.parametrize("relayed", PATHS)
@pytest.mark.parametrize("to", SIDES)
@pytest.mark.parametrize("wish", FailureReport)
def test_what_comes_by_the_old_path_for_who_has_moved_first_is_shown_once(
    relayed: bool, to: int, wish: FailureReport
) -> None:
    meeting = Meeting(relayed=relayed)
    reader, writer = meeting.parties[to], meeting.parties[1 - to]
    writer.send("under-way", wish)
    meeting.write()
    meeting.move(to)
    meeting.run()
    writer.send("later", wish)
    meeting.run()
    assert reader.shown == [b"under-way", b"later"]
    meeting.move(1 - to)
    meeting.run()
    writer.send("newer", wish)
    meeting.run()
    assert reader.shown == [b"under-way", b"later", b"newer"]
    assert writer.delivered == ["under-way", "later", "newer"]
    for party in meeting.parties:
        assert party.session.state is SessionState.OPEN
        assert party.of(ConnectionLost) == party.of(SessionOver) == []
        assert party.of(MessageDeliveryFailed) == []


@pytest.mark.rule("MSRP-40", "MSRP-41", "MSRP-42", "OA-19")
@pytest.mark.parametrize("relayed", PATHS)
@pytest.mark.parametrize("to", SIDES)
@pytest.mark.parametrize("wish", FailureReport)
@pytest.mark.parametrize("reports", [False, True], ids=["", "report"])
def test_what_is_still_under_way_when_both_have_moved_is_shown_once(
    relayed: bool, to: int, wish: FailureReport, reports: bool
) -> None:
    meeting = Meeting(relayed=relayed)
    reader, writer = meeting.parties[to], meeting.parties[1 - to]
    writer.send("under-way", wish, success_report=reports, size=120)
    meeting.write()
    late = meeting.under_way.copy()
    meeting.under_way.clear()
    for side in (1 - to, to):
        meeting.move(side)
    writer.send("newer")
    meeting.run()  # There is traffic on the new path.
    meeting.under_way.extend(late)
    meeting.run()
    assert sorted(reader.shown) == [b"newer", b"under-way".ljust(120, b".")]
    assert sorted(writer.delivered) == ["newer", "under-way"]
    assert writer.session.unfinished == 0


@pytest.mark.rule("MSRP-41")
@pytest.mark.parametrize("relayed", PATHS)
@pytest.mark.parametrize("to", SIDES)
@pytest.mark.parametrize("at", [1, 100, 250, 400])
def test_a_message_may_come_partly_by_either_path(
    relayed: bool, to: int, at: int
) -> None:
    meeting = Meeting(relayed=relayed)
    reader, writer = meeting.parties[to], meeting.parties[1 - to]
    writer.send("long1", size=200, success_report=True)
    meeting.write()
    half = [octets for _, octets in meeting.under_way]
    meeting.under_way.clear()
    stream, octets = reader.streams[0], b"".join(half)
    stream.receive_data(octets[:at], 0.0)
    meeting.move(to)
    # Through a relay, nothing else can come in the middle of a request.
    end = len(octets) if relayed else -1
    stream.receive_data(octets[at:end], 0.0)
    meeting.move(1 - to)
    meeting.run()
    stream.receive_data(octets[end:], 0.0)
    meeting.run()
    assert reader.shown == [b"long1".ljust(200, b".")]
    assert writer.delivered == ["long1"]


@pytest.mark.rule("MSRP-40", "MSRP-41")
@pytest.mark.parametrize("relayed", PATHS)
def test_moving_again_and_again_loses_nothing(relayed: bool) -> None:
    meeting = Meeting(relayed=relayed)
    names: list[list[str]] = [[], []]
    for number in range(60):
        for side, party in enumerate(meeting.parties):
            names[side].append(f"text{number:02}")
            party.send(names[side][-1], list(FailureReport)[number % 3])
            meeting.write()
        meeting.move(number % 2 if number % 4 < 2 else 1 - number % 2)
        if number % 3:
            meeting.run()
    for side in (0, 1):
        while len(meeting.parties[side].sessions) < len(
            meeting.parties[1 - side].sessions
        ):
            meeting.move(side)
    meeting.run()
    for side, party in enumerate(meeting.parties):
        assert sorted(set(party.shown)) == sorted(party.shown)
        assert sorted(party.shown) == [n.encode() for n in names[1 - side]]


def send(to: MsrpUri, *, method: str = "SEND", more: str = "") -> bytes:
    return (
        f"MSRP tid1 {method}\r\nTo-Path: {more}{to}\r\nFrom-Path: {RELAY}\r\n"
        "Message-ID: late\r\nContent-Type: text/plain\r\n\r\nlate\r\n"
        "-------tid1$\r\n"
    ).encode()


def answered(stream: Stream, octets: bytes) -> list[str]:
    stream.receive_data(octets, 0.0)
    return [message.what for message in read_messages(stream.data_to_send(65536, 0.0))]


@pytest.mark.rule("MSRP-36", "MSRP-44")
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_when_the_session_is_over_the_old_path_gets_a_481(when: str) -> None:
    meeting = Meeting(relayed=True)
    party = meeting.parties[1]
    old, stream = party.session, party.streams[0]
    meeting.move(1)
    octets = send(old.local_uri)
    at = 0 if when == "before" else len(octets) - 20
    stream.receive_data(octets[:at], 0.0)
    party.session.end(CloseReason.BY_US)
    assert answered(stream, octets[at:]) == ["481"]


@pytest.mark.rule("MSRP-36", "MSRP-44")
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_after_a_while_the_old_path_is_forgotten(when: str) -> None:
    meeting = Meeting(relayed=True)
    party = meeting.parties[1]
    old, stream = party.session, party.streams[0]
    meeting.move(1)
    octets = send(old.local_uri)
    stream.handle_timeout(1.0)
    due = stream.next_timeout()
    assert due == 1.0 + LEFT_TIME
    stream.handle_timeout(due - 0.1)
    assert old in stream.left
    at = 0 if when == "before" else len(octets) - 20
    stream.receive_data(octets[:at], 0.0)
    stream.handle_timeout(due)
    assert old not in stream.left
    assert (old, []) in stream.events_received()  # Whoever keeps it can let go.
    assert answered(stream, octets[at:]) == (["481"] if when == "before" else [])


def test_on_the_old_path_other_methods_are_unknown_and_relays_nobody() -> None:
    meeting = Meeting(relayed=True)
    party = meeting.parties[1]
    old, stream = party.session, party.streams[0]
    meeting.move(1)
    assert answered(stream, send(old.local_uri, method="NICKNAME")) == ["501"]
    behind = send(old.local_uri, more=f"{old.local_uri} ")
    assert answered(stream, behind) == ["481"]
    assert answered(stream, send(old.local_uri)) == ["200"]


def test_a_session_that_goes_on_under_its_old_uri_can_be_called_there() -> None:
    meeting = Meeting(relayed=True)
    party = meeting.parties[1]
    old, stream = party.session, party.streams[0]
    again = Session(old.local_uri, old.remote_path, is_active=False, config=CONFIG)
    again.replace(old, 0.0)
    party.sessions.append(again)
    party.directory.sessions = [again]
    assert answered(stream, send(old.local_uri)) == ["200"]
    assert again.state is SessionState.OPEN
    assert old not in stream.left
    party.collect()
    assert party.shown == [b"late"]


def report(to: MsrpUri, message_id: str, status: str) -> bytes:
    return (
        f"MSRP tid2 REPORT\r\nTo-Path: {to}\r\nFrom-Path: {RELAY}\r\n"
        f"Message-ID: {message_id}\r\nByte-Range: 1-5/5\r\nStatus: {status}\r\n"
        "-------tid2$\r\n"
    ).encode()


@pytest.mark.rule("MSRP-87")
@pytest.mark.parametrize("status", ["000 200 OK", "000 481 No", "000 413 No"])
def test_a_report_by_the_old_path_is_told_and_decides_nothing(status: str) -> None:
    meeting = Meeting(relayed=True)
    party = meeting.parties[0]
    old, stream = party.session, party.streams[0]
    party.send("first")
    meeting.run()
    party.send("second", success_report=True)
    meeting.write()
    meeting.move(0)
    for name in ("first", "second"):
        stream.receive_data(report(old.local_uri, name, status), 0.0)
    stream.receive_data(report(old.local_uri, "x", "bad").replace(b"x", b"y"), 0.0)
    party.collect()
    told = [e.message_id for e in party.events if isinstance(e, ReportReceived)]
    assert told == ["first"]  # The other one is sent again, and reported again.
    assert party.session.state is SessionState.BINDING
    assert party.of(MessageDeliveryFailed) == []
    meeting.move(1)
    meeting.run()
    assert party.delivered == ["first", "second"]
    assert meeting.parties[1].shown == [b"first", b"second"]


def test_a_report_without_its_message_says_nothing() -> None:
    meeting = Meeting(relayed=True)
    party = meeting.parties[0]
    old = party.session
    meeting.move(0)
    lines = report(old.local_uri, "first", "000 200 OK").split(b"\r\n")
    for gone in (b"Message-ID", b"Status"):
        kept = [line for line in lines if not line.startswith(gone)]
        party.streams[0].receive_data(b"\r\n".join(kept), 0.0)
    party.collect()
    assert party.of(ReportReceived) == []


def test_a_connection_that_both_have_left_is_closed_when_it_rests() -> None:
    pair = Pair(CONFIG, CONFIG)
    pair.run()
    stream, limits = pair.active.stream, CONFIG.limits
    pair.reestablish()
    stream.handle_timeout(0.0)
    assert stream.next_timeout() == limits.probation_time
    stream.close_soon()
    stream.handle_timeout(1.0)
    assert not stream.closing
    stream.receive_data(b"MSRP tid1 200\r\n-------tid1$\r\n", 3.0)
    stream.handle_timeout(1.0 + limits.linger)
    assert not stream.closing
    stream.handle_timeout(3.0 + limits.linger)
    assert stream.closing


def test_who_is_left_is_a_session() -> None:
    assert "a session" not in Meeting(relayed=True).parties[0].streams[0].left
