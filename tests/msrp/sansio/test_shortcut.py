"""The short way in leads to the same as the long way."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig
from msrp.events import CoreEvent, MessageCompleted, MessageDelivered
from msrp.policy import Announcement, Store
from msrp.sansio import shortcut
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.reassembler import MemoryStore
from msrp.sansio.session import Session
from msrp.sansio.shortcut import Shortcut
from msrp.sansio.stream import Stream
from msrp.testing import Directory
from msrp.uri import MsrpUri

HERE = MsrpUri.parse("msrp://here.example:2855/s001;tcp")
THERE = MsrpUri.parse("msrp://there.example:2855/t001;tcp")
_PIECE = 23
"""Octets: fewer than any request has."""

PATHS = f"To-Path: {HERE}\r\nFrom-Path: {THERE}"


@dataclass(frozen=True)
class Sent:
    """A SEND, as a peer may write it."""

    tid: str = "tid1"
    paths: str = PATHS
    message_id: str = "m1111"
    reports: str = ""
    byte_range: str = "Byte-Range: 1-5/5\r\n"
    last_fields: str = "Content-Type: text/plain"
    body: bytes | None = b"hello"
    flag: str = "$"

    def __bytes__(self) -> bytes:
        head = (
            f"MSRP {self.tid} SEND\r\n{self.paths}\r\nMessage-ID: {self.message_id}"
            f"\r\n{self.reports}{self.byte_range}{self.last_fields}"
        ).encode()
        body = b"" if self.body is None else b"\r\n\r\n" + self.body
        return head + body + f"\r\n-------{self.tid}{self.flag}\r\n".encode()


class Ways:
    """Streams with a session each that are given the same: at one go, and in pieces,
    so that no request ever lies whole in what is read."""

    def __init__(self, config: SessionConfig, *, is_active: bool) -> None:
        self.streams: list[Stream] = []
        self.sessions: list[Session] = []
        self.events: list[list[CoreEvent]] = [[], []]
        self.written = [b"", b""]
        self.ids: list[Callable[[], str]] = []
        for _ in range(2):
            ids = (f"ours{number}" for number in itertools.count())
            self.ids.append(ids.__next__)
            session = Session(
                HERE, (THERE,), is_active=is_active, config=config, new_id=ids.__next__
            )
            directory = Directory() if is_active else Directory(session)
            stream = Stream(directory, 0.0, limits=config.limits, new_id=ids.__next__)
            if is_active:
                stream.attach(session, 0.0)
            self.streams.append(stream)
            self.sessions.append(session)

    def collect(self) -> None:
        for number, stream in enumerate(self.streams):
            self.written[number] += stream.data_to_send(1_000_000, 0.0)
            for _, events in stream.events_received():
                self.events[number] += events

    def receive(self, octets: bytes) -> None:
        one_go, in_pieces = self.streams
        one_go.receive_data(octets, 0.0)
        for at in range(0, len(octets), _PIECE):
            in_pieces.receive_data(octets[at : at + _PIECE], 0.0)
        self.collect()

    def send(self, message_id: str, body: bytes = b"hello") -> None:
        for session, new_id in zip(self.sessions, self.ids, strict=True):
            session.send(Outgoing(message_id, "text/plain", body, new_id=new_id))

    def check(self) -> None:
        assert [*map(repr, self.events[0])] == [*map(repr, self.events[1])]
        assert self.written[0] == self.written[1]
        one, two = self.streams
        assert repr(one.error) == repr(two.error)
        assert one.next_timeout() == two.next_timeout()
        assert self.sessions[0].state is self.sessions[1].state
        assert self.sessions[0].unfinished == self.sessions[1].unfinished


def noticed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the list of how many octets went the short way at a time."""
    taken: list[int] = []
    take = Shortcut.take

    def note(self: Shortcut, data: bytes, at: int, now: float) -> int:
        after = take(self, data, at, now)
        taken.append(after - at)
        return after

    monkeypatch.setattr(Shortcut, "take", note)
    return taken


def bound(config: SessionConfig | None = None) -> Ways:
    """A passive session that has had a message, so that its paths are known."""
    ways = Ways(config or SessionConfig(), is_active=False)
    ways.receive(bytes(Sent("first", message_id="first")))
    return ways


requests = st.builds(
    Sent,
    tid=st.sampled_from(["tid1", "tid2", "-bad", "t" * 32]),
    paths=st.sampled_from([PATHS] * 6 + [PATHS.replace("s001", "s002")]),
    message_id=st.sampled_from(["m1111", "m2222", "m3333", "m"]),
    reports=st.sampled_from(
        [""] * 4
        + ["Success-Report: yes\r\n", "Success-Report: no\r\n"]
        + ["Failure-Report: yes\r\n", "Failure-Report: no\r\n"]
        + ["Success-Report: yes\r\nFailure-Report: yes\r\n"]
    ),
    byte_range=st.builds(
        "Byte-Range: {}-{}/{}\r\n".format,
        st.sampled_from([1, 1, 1, 6, 11, 0, "x"]),
        st.sampled_from([5, "*", 10]),
        st.sampled_from([5, 5, 5, 10, 99, "*"]),
    )
    | st.just(""),
    last_fields=st.sampled_from(
        ["Content-Type: text/plain"] * 4
        + ["Content-Type: image/png", "Content-Type: text/plain;a=" + "b" * 300]
        + ["Content-Disposition: render\r\nContent-Type: text/plain"]
    ),
    body=st.sampled_from(
        [b"hello"] * 6
        + [b"", None, b"\r\n-------tid1", b"\r\n-------tid1x", b"0123456789", b"x"]
        + [b"a\r\n-------tid3b", b"\r\n-------\r\n-------"]
    ),
    flag=st.sampled_from(["$", "$", "+", "+", "#", "?"]),
)

edits = st.none() | st.tuples(st.integers(0, 400), st.binary(max_size=2))


def edited(octets: bytes, edit: tuple[int, bytes] | None) -> bytes:
    if edit is None:
        return octets
    at, instead = edit
    return octets[:at] + instead + octets[at + 1 :]


def limited(octets: int) -> SessionConfig:
    return SessionConfig(
        max_message_length=octets,
        accept_types=AcceptTypes.parse("text/*"),
        limits=Limits(max_open_messages=2, max_held_octets=16),
    )


@pytest.mark.rule("MSRP-14", "MSRP-61", "MSRP-62")
@settings(deadline=None, max_examples=200)
@given(
    sent=st.lists(requests, max_size=6),
    longest=st.sampled_from([4, 12, 100]),
    edit=edits,
)
def test_requests_lead_to_the_same_both_ways(
    sent: list[Sent], longest: int, edit: tuple[int, bytes] | None
) -> None:
    ways = bound(limited(longest))
    ways.receive(edited(b"".join(map(bytes, sent)), edit))
    ways.check()


def answer(tid: str, code: str = "200 OK", paths: str = PATHS, flag: str = "$") -> str:
    return f"MSRP {tid} {code}\r\n{paths}\r\n-------{tid}{flag}\r\n"


def connected(paths: str = PATHS) -> Ways:
    """An active session that was answered once."""
    ways = Ways(SessionConfig(), is_active=True)
    ways.collect()
    ways.written = [b"", b""]  # The first Message-ID is random.
    ways.receive(answer("ours0", paths=paths).encode())
    return ways


answers = st.builds(
    answer,
    tid=st.sampled_from([f"ours{number}" for number in range(6)] + ["other"]),
    code=st.sampled_from(["200 OK"] * 5 + ["200", "200 OKAY", "413 Stop", "481 No"]),
    paths=st.sampled_from([PATHS] * 5 + ["X-Path: y", PATHS + "\r\nX: y", "", "\n"]),
    flag=st.sampled_from(["$"] * 5 + ["+", "?"]),
)


@pytest.mark.rule("MSRP-59", "MSRP-89")
@settings(deadline=None, max_examples=200)
@given(st.lists(answers, max_size=8), edits)
@example(
    [
        answer("ours2", paths=""),
        answer("ours2"),
        answer("ours3", paths=""),
        answer("ours1"),
    ],
    None,
)
def test_answers_lead_to_the_same_both_ways(
    sent: list[str], edit: tuple[int, bytes] | None
) -> None:
    ways = connected()
    for number in range(5):
        ways.send(f"m111{number}")
    ways.send("long", bytes(5000))
    ways.collect()
    ways.receive(edited("".join(sent).encode(), edit))
    ways.check()


@pytest.mark.rule("MSRP-61")
def test_what_is_usual_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = bound()
    taken = noticed(monkeypatch)
    texts = [bytes(Sent(f"tid{n}", message_id=f"m111{n}")) for n in range(3)]
    ways.streams[0].receive_data(b"".join(texts), 0.0)
    assert taken == [sum(map(len, texts))]


@pytest.mark.rule("MSRP-62")
def test_so_do_the_chunks_in_the_middle_of_a_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ways = bound()
    taken = noticed(monkeypatch)
    parts = [
        Sent(f"tid{n}", byte_range=f"Byte-Range: {5 * n + 1}-*/15\r\n", flag=flag)
        for n, flag in enumerate("++$")
    ]
    ways.receive(b"".join(map(bytes, parts)))
    ways.check()
    assert ways.events[0][-1] == MessageCompleted("m1111", "text/plain", b"hello" * 3)
    assert taken[1] == len(bytes(parts[1]))


@pytest.mark.rule("MSRP-62", "MSRP-71")
def test_so_do_the_chunks_of_messages_that_take_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ways = bound()
    taken = noticed(monkeypatch)
    parts = [
        Sent(
            f"tid{n}{name}",
            message_id=name,
            byte_range=f"Byte-Range: {5 * n + 1}-*/20\r\n",
            flag=flag,
        )
        for n, flag in enumerate("+++$")
        for name in ("m1111", "m2222")
    ]
    ways.receive(b"".join(map(bytes, parts)))
    ways.check()
    assert ways.events[0][-2:] == [
        MessageCompleted(name, "text/plain", b"hello" * 4)
        for name in ("m1111", "m2222")
    ]
    assert sum(map(len, map(bytes, parts[2:6]))) in taken


def test_and_the_answers_to_what_we_send(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = connected()
    ways.send("m1110")
    ways.send("m1111")
    ways.collect()
    taken = noticed(monkeypatch)
    octets = (answer("ours1") + answer("ours2")).encode()
    ways.streams[0].receive_data(octets, 0.0)
    assert taken == [len(octets)]
    ways.collect()
    assert ways.events[0][-2:] == [MessageDelivered("m1110"), MessageDelivered("m1111")]


def test_answers_to_sessions_that_share_a_connection_go_to_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = MsrpUri.parse("msrp://here.example:2855/s002;tcp")
    ids = (f"ours{number}" for number in itertools.count())
    stream = Stream(Directory(), 0.0, new_id=ids.__next__)
    sessions = []
    paths = {HERE: PATHS, other: PATHS.replace("s001", "s002")}
    for number, uri in enumerate(paths):
        session = Session(uri, (THERE,), is_active=True, new_id=ids.__next__)
        stream.attach(session, 0.0)
        stream.data_to_send(1000, 0.0)
        stream.receive_data(answer(f"ours{number}", paths=paths[uri]).encode(), 0.0)
        sessions.append(session)
    for number in range(4):
        message = Outgoing(f"m111{number}", "text/plain", b"x", new_id=ids.__next__)
        sessions[number % 2].send(message)
        stream.data_to_send(1000, 0.0)
    stream.events_received()
    taken = noticed(monkeypatch)
    octets = "".join(
        answer(f"ours{number + 2}", paths=[*paths.values()][number % 2])
        for number in range(4)
    ).encode()
    stream.receive_data(octets, 0.0)
    assert taken == [len(octets)]
    assert {session: events for session, events in stream.events_received()} == {
        sessions[0]: [MessageDelivered("m1110"), MessageDelivered("m1112")],
        sessions[1]: [MessageDelivered("m1111"), MessageDelivered("m1113")],
    }


@pytest.mark.parametrize(
    "sent",
    [
        Sent(paths=PATHS.replace("s001", "s002")),
        Sent(paths=f"{PATHS}\r\nX-Other: field"),
        Sent(message_id="first"),
        Sent(reports="Success-Report: yes\r\n"),
        Sent(byte_range="Byte-Range: 1-5/6\r\n"),
        Sent(body=b""),
        Sent(flag="#"),
        Sent(last_fields="Content-Type: text/plain;a=" + "b" * 300),
    ],
)
def test_all_else_goes_the_long_way(
    sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = bound()
    taken = noticed(monkeypatch)
    ways.receive(bytes(sent))
    ways.check()
    assert not any(taken)


@pytest.mark.parametrize(
    "first",
    [
        Sent(paths=f"{PATHS}\r\nX-Other: field"),
        Sent(paths=PATHS.replace("t001", "t" * 600)),
        Sent(paths=PATHS.replace("From", "from")),
    ],
    ids=["a field between", "long", "another spelling"],
)
def test_only_paths_before_the_message_id_are_learnt(
    first: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = Ways(SessionConfig(), is_active=False)
    ways.receive(bytes(first))
    taken = noticed(monkeypatch)
    ways.receive(bytes(replace(first, tid="tid2", message_id="m2222")))
    ways.check()
    # Paths in another spelling are as good as any, if they come so each time.
    assert any(taken) is (first.paths.count("\r\n") == 1 and len(first.paths) < 200)


def test_where_heads_have_to_be_very_short_each_is_measured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ways = bound(SessionConfig(limits=Limits(max_head_size=300)))
    taken = noticed(monkeypatch)
    ways.receive(bytes(Sent()))
    ways.check()
    assert not any(taken)


def test_a_policy_is_asked_where_a_message_goes() -> None:
    ways = bound()
    asked: list[str] = []

    def open_store(announcement: Announcement) -> Store | int:
        asked.append(announcement.message_id)
        return MemoryStore(10, 10)

    for session in ways.sessions:
        session.incoming.open_store = open_store
    ways.receive(bytes(Sent()))
    ways.check()
    assert asked == ["m1111", "m1111"]


def test_a_session_that_has_left_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    ways = bound()
    for session in ways.sessions:
        session.let_go()
    taken = noticed(monkeypatch)
    ways.receive(bytes(Sent()))
    ways.check()
    assert not any(taken)


def test_a_session_that_ends_while_it_is_read_gets_no_more() -> None:
    config = SessionConfig(max_message_length=10)
    ways = bound(config)
    for session in ways.sessions:
        session.abort("nothing")  # Ends nothing.
    ways.receive(bytes(Sent("tid1")) + b"no MSRP\r\n" + bytes(Sent("tid2")))
    ways.check()
    assert ways.streams[0].closing


def test_a_peer_cannot_have_any_number_of_paths_remembered() -> None:
    ways = Ways(SessionConfig(), is_active=False)
    for number in range(shortcut._MAX_KNOWN + 2):
        paths = PATHS.replace("t001", f"t{number:03}")
        ways.receive(
            bytes(Sent(f"tid{number}", paths=paths, message_id=f"m{number:04}"))
        )
    known = ways.streams[0]._receiver._shortcut._known
    assert known is not None
    assert len(known) <= shortcut._MAX_KNOWN


@pytest.mark.parametrize(
    "paths", ["X: " + "y" * 2000, "X: y\r\n-------other$"], ids=["long", "like an end"]
)
def test_only_plain_answers_are_learnt(
    paths: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = connected(paths)
    ways.send("m1111")
    ways.collect()
    taken = noticed(monkeypatch)
    ways.receive(answer("ours1", paths=paths).encode())
    ways.check()
    assert not any(taken)
