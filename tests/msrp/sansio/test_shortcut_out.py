"""The short way out writes what the long way writes, and leaves the same behind."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.config import SessionConfig
from msrp.events import CoreEvent, MessageDelivered, MessageDeliveryFailed
from msrp.headers import FailureReport
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.queues import SendQueues
from msrp.sansio.session import Session
from msrp.sansio.shortcut_out import Written
from msrp.sansio.stream import Stream
from msrp.sansio.underway import Underway
from msrp.testing import Directory
from msrp.uri import MsrpUri

HERE = MsrpUri.parse("msrp://here.example:2855/s001;tcp")
THERE = MsrpUri.parse("msrp://there.example:2855/t001;tcp")
PATHS = f"To-Path: {HERE}\r\nFrom-Path: {THERE}"
_REQUEST = re.compile(rb"MSRP (\S+) SEND\r\n")


class LongWay(Underway):
    """The messages of a session of which nothing goes the short way out."""

    __slots__ = ()

    def write_at_once(self, most: int, budget: int, now: float) -> Written | None:
        return None


class Slow:
    """A source whose octets come piece by piece, and perhaps not all of them."""

    def __init__(self, pieces: list[bytes], size: int) -> None:
        self.size = size
        self._coming = pieces
        self._here = b""

    def arrive(self) -> None:
        if self._coming:
            self._here += self._coming.pop(0)

    def read(self, limit: int) -> bytes | None:
        if not self._here and self._coming:
            return None
        octets, self._here = self._here[:limit], self._here[limit:]
        return octets


class Side:
    """An active session that is open, and what it has written and told."""

    def __init__(self, kind: type[Underway], config: SessionConfig) -> None:
        ids = (f"ours{number}" for number in itertools.count())
        self.new_id: Callable[[], str] = ids.__next__
        self.session = Session(
            HERE, (THERE,), is_active=True, config=config, new_id=self.new_id
        )
        self.session.underway = kind(self.session)
        self.stream = Stream(Directory(self.session), 0.0, new_id=self.new_id)
        self.now = 0.0
        self.written: list[bytes] = []
        self.events: list[CoreEvent] = []
        self.unanswered: list[str] = []
        self.sources: list[Slow] = []
        self.stream.attach(self.session, 0.0)
        self.write()
        self.written.clear()  # The first Message-ID is random.
        self.answer("200 OK")

    def go_on(self) -> None:
        for source in self.sources:
            source.arrive()

    def write(self, budget: int = 1_000_000, chunks: int = 1_000) -> bytes:
        octets = self.stream.data_to_send(budget, self.now, chunks)
        self.unanswered += [tid.decode() for tid in _REQUEST.findall(octets)]
        self.written.append(octets)
        return octets

    def receive(self, text: str) -> None:
        self.stream.receive_data(text.encode(), self.now)
        self.tell()

    def tell(self) -> None:
        for _, events in self.stream.events_received():
            self.events += events

    def answer(self, status: str, which: int = 0) -> None:
        if self.unanswered:
            tid = self.unanswered.pop(which % len(self.unanswered))
            self.receive(f"MSRP {tid} {status}\r\n{PATHS}\r\n-------{tid}$\r\n")

    def answer_all(self) -> None:
        while self.unanswered:
            self.answer("200 OK")

    def send(
        self,
        message_id: str,
        body: bytes | Slow,
        failure_report: FailureReport = FailureReport.YES,
        *,
        success_report: bool = False,
    ) -> None:
        if isinstance(body, Slow):
            self.sources.append(body)
        message = Outgoing(
            message_id,
            "text/plain",
            body,
            success_report=success_report,
            failure_report=failure_report,
            new_id=self.new_id,
        )
        self.session.send(message)

    def text_from_peer(self, number: int) -> None:
        tid = f"peers{number}"
        self.receive(
            f"MSRP {tid} SEND\r\n{PATHS}\r\nMessage-ID: in{number:04}\r\n"
            f"Byte-Range: 1-2/2\r\nContent-Type: text/plain\r\n\r\nhi"
            f"\r\n-------{tid}$\r\n"
        )

    def report(self, message_id: str, code: int, octets: int) -> None:
        tid = f"reports{octets}"
        self.receive(
            f"MSRP {tid} REPORT\r\n{PATHS}\r\nMessage-ID: {message_id}\r\n"
            f"Byte-Range: 1-{octets}/{octets}\r\nStatus: 000 {code}\r\n"
            f"-------{tid}$\r\n"
        )

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.stream.handle_timeout(self.now)
        self.tell()

    def state(self) -> tuple[object, ...]:
        queues = self.session.underway._queues
        message = self.session.underway._messages.get("long")
        return (
            self.written,
            [*map(repr, self.events)],
            self.session.state,
            self.session.unfinished,
            self.stream.next_timeout(),
            len(self.stream.writer.transactions),
            queues._unanswered,
            message and (message.state, message.unanswered, message.chunker.offset),
            message and [(each.start, each.stop) for each in message.confirmed._ranges],
        )


SIZE = 64
"""Octets of a chunk here."""

_BODIES = [
    bytes(20_000),
    b"0123456789" * 3_000,
    (b"x" * 1_000 + b"\r\n-------ours") * 20,
    b"-------ours5" * 2_000,
    (b"-" * 90 + b"x" * 500) * 40,
    b"not that long" * 20,
]
_REPORTS = st.sampled_from([FailureReport.YES] * 4 + [*FailureReport])


@st.composite
def long_messages(draw: st.DrawFn) -> tuple[str, tuple[object, ...]]:
    body, cut = (
        draw(st.integers(0, 5)),
        draw(st.sampled_from([0, 0, 50, 64, 300, 5_000])),
    )
    lack = draw(st.sampled_from([0, 0, 0, 1_000]))
    return "long", (body, cut, lack, draw(_REPORTS), draw(st.booleans()))


_STEPS = st.one_of(
    st.tuples(
        st.just("write"),
        st.tuples(st.sampled_from([1, 500, 5_000, 10**6]), st.integers(1, 40)),
    ),
    st.just(("write", (10**6, 1_000))),
    st.tuples(st.just("answer"), st.tuples(st.just("200 OK"), st.integers(0, 3))),
    st.just(("answer_all", ())),
    st.just(("answer_all", ())),
    st.sampled_from(
        [
            ("answer", ("413 Stop", 0)),
            ("answer", ("481 No", 0)),
            ("line", ()),
            ("text_from_peer", ()),
            ("report", ("long", 200, 5_000)),
            ("report", ("long", 413, 5_000)),
            ("abort", ()),
            ("pause", ()),
            ("resume", ()),
            ("wait", (20.0,)),
        ]
    ),
    long_messages(),
)


def do(side: Side, step: str, arguments: tuple[object, ...], number: int) -> None:
    match step, arguments:
        case "long", (
            int() as which,
            int() as cut,
            int() as lack,
            report,
            bool() as ok,
        ):
            assert isinstance(report, FailureReport)
            body = _BODIES[which]
            pieces = [body[at : at + cut] for at in range(0, len(body), cut or 1)]
            source = Slow(pieces, len(body) + lack) if cut else body
            busy = side.session.underway
            for name in [each for each in ("long", "other") if each not in busy][:1]:
                side.send(name, source, report, success_report=bool(ok))
        case "line", _:
            side.send(f"line{number}", b"hello")
        case "text_from_peer", _:
            side.text_from_peer(number)
        case "abort", _:
            side.session.abort("long")
        case "pause" | "resume", _:
            getattr(side.stream, step)(side.now)
        case _:
            getattr(side, step)(*arguments)


@pytest.mark.rule("MSRP-61", "MSRP-62")
@settings(deadline=None, max_examples=150)
@given(
    first=long_messages(),
    steps=st.lists(_STEPS, max_size=25),
    window=st.sampled_from([1, 7, 32]),
    size=st.sampled_from([SIZE, 2048, None]),
)
def test_both_ways_write_the_same_and_lead_to_the_same(
    first: tuple[str, tuple[object, ...]],
    steps: list[tuple[str, tuple[object, ...]]],
    window: int,
    size: int | None,
) -> None:
    config = SessionConfig(chunk_size=size, window=window)
    short, long = Side(Underway, config), Side(LongWay, config)
    for number, (step, arguments) in enumerate([first, ("write", ()), *steps]):
        for side in (short, long):
            if not side.stream.closing and side.session.stream is not None:
                do(side, step, arguments, number)
                side.go_on()
                side.tell()
        assert short.state() == long.state()


def opened(window: int = 32, size: int | None = SIZE) -> Side:
    return Side(Underway, SessionConfig(chunk_size=size, window=window))


def counted(side: Side, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of how many chunks go the short way at a time."""
    counts: list[int] = []
    write_at_once = Underway.write_at_once

    def note(self: Underway, most: int, budget: int, now: float) -> Written | None:
        written = write_at_once(self, most, budget, now)
        counts.append(0 if written is None else len(written.sent))
        return written

    monkeypatch.setattr(Underway, "write_at_once", note)
    return counts


def test_the_middle_of_a_long_message_goes_the_short_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = opened()
    side.send("long", bytes(60 * SIZE))
    short = sum(counted_until_done(side, monkeypatch))
    assert short == 0  # It is a short message, so that it goes in its order.
    side.send("long", bytes(400 * SIZE))
    assert sum(counted_until_done(side, monkeypatch)) == 398
    assert side.events[-1] == MessageDelivered("long")


def test_so_do_those_of_long_messages_that_take_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = opened()
    for name in ("long1", "long2", "long3"):
        side.send(name, bytes(400 * SIZE))
    assert sum(counted_until_done(side, monkeypatch)) == 3 * 398
    delivered = [MessageDelivered(name) for name in ("long1", "long2", "long3")]
    assert [each for each in side.events if each in delivered] == delivered
    turns = re.findall(rb"Message-ID: (\w+)", b"".join(side.written))
    assert turns == [b"long1", b"long2", b"long3"] * 400


def counted_until_done(side: Side, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    with monkeypatch.context() as patch:
        counts = counted(side, patch)
        while side.write():
            side.answer_all()
    return counts


def test_a_line_that_has_to_go_the_long_way_keeps_its_turn() -> None:
    queues = SendQueues(8)
    line, long = (Outgoing(None, "text/plain", bytes(size)) for size in (9, 90_000))
    queues.add(line)
    assert queues.take_line() is line
    queues.put_back(line)
    queues.add(long)
    assert queues.candidates() == [line, long]


def test_no_more_goes_than_the_window_leaves_to_long_messages() -> None:
    side = opened(window=16)
    side.send("long", bytes(400 * SIZE))
    side.write()
    assert len(side.unanswered) == 14
    side.answer("200 OK")
    side.answer("200 OK")
    side.write()
    assert len(side.unanswered) == 14


def test_a_line_and_a_response_go_out_between_two_writes() -> None:
    side = opened()
    side.send("long", bytes(400 * SIZE))
    side.write(chunks=4)
    side.send("line", b"hello")
    side.text_from_peer(1)
    octets = side.write(chunks=2)
    assert octets.startswith(b"MSRP peers1 200 OK\r\n")
    assert b"Message-ID: line\r\n" in octets


@pytest.mark.rule("MSRP-62")
def test_a_body_that_could_be_taken_for_an_end_line_is_looked_at_closely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = opened()
    filler = bytes(10 * SIZE)
    side.send("long", filler + b"-------ours11" + filler * 40)
    counts = counted(side, monkeypatch)
    side.write()
    assert counts[:3] == [0, 9, 0]
    assert max(counts[3:]) > 0
    ids = _REQUEST.findall(b"".join(side.written))
    assert ids[9:12] == [b"ours10", b"ours12", b"ours13"]


def test_a_source_that_has_less_than_it_said_fails_in_the_end() -> None:
    side = opened()
    side.send("long", Slow([bytes(5 * SIZE), bytes(300 * SIZE)], 400 * SIZE))
    for _ in range(40):
        side.go_on()
        side.write()
        side.answer_all()
    side.tell()
    assert isinstance(side.events[-1], MessageDeliveryFailed)
    assert side.written[-1] == b""
