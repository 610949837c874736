from __future__ import annotations

from collections.abc import Callable

import pytest

from msrp.config import Limits, SessionConfig
from msrp.events import BindingFailed, ConnectionEstablished, MessageSent
from msrp.headers import FailureReport, RequestHead
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.sansio.underway import Underway
from msrp.uri import MsrpUri

MANY = 50


class Nobody:
    """A directory without sessions."""

    def find(self, uri: MsrpUri) -> Session | None:
        return None

    def expects(self, uri: MsrpUri) -> bool:
        return False


def new_session(number: int, config: SessionConfig | None = None) -> Session:
    here = MsrpUri.parse(f"msrp://127.0.0.1:1/here{number};tcp")
    there = MsrpUri.parse(f"msrp://127.0.0.1:2/there{number};tcp")
    return Session(here, (there,), is_active=True, config=config)


def written(stream: Stream) -> list[bytes]:
    """Return the transaction ids of the requests that are written now."""
    requests = stream.data_to_send(1 << 20, 0.0).split(b"MSRP ")[1:]
    return [request.split(b" ", 1)[0] for request in requests]


def respond(stream: Stream, name: bytes, code: int) -> None:
    stream.receive_data(
        b"MSRP %b %d\r\nTo-Path: msrp://127.0.0.1:1/x;tcp\r\n"
        b"From-Path: msrp://127.0.0.1:2/y;tcp\r\n-------%b$\r\n" % (name, code, name),
        0.0,
    )


def bound(stream: Stream, session: Session) -> None:
    stream.attach(session, 0.0)
    (name,) = written(stream)
    respond(stream, name, 200)
    stream.events_received()


def text(message_id: str) -> Outgoing:
    return Outgoing(message_id, "text/plain", BytesBody(b"hello"))


def counted(look: Callable[..., object], asked: list[object]) -> Callable[..., object]:
    """Return a method that also notes whose it was."""

    def count(of: object, *args: object, **named: object) -> object:
        asked.append(of)
        return look(of, *args, **named)

    return count


@pytest.mark.rule("MSRP-37", "MSRP-31")
@pytest.mark.parametrize("code", [403, 481, 506])
def test_a_session_that_is_turned_away_can_be_attached_elsewhere(code: int) -> None:
    shared, own = Stream(Nobody(), 0.0), Stream(Nobody(), 0.0)
    bound(shared, new_session(0))
    session = new_session(1)
    session.send(text("waiting1"))
    shared.attach(session, 0.0, tentative=True)
    (name,) = written(shared)
    respond(shared, name, code)
    ((told, events),) = shared.events_received()
    assert told is session
    assert [type(event) for event in events] == [BindingFailed]
    assert session.state is SessionState.NEW
    assert session not in shared.sessions
    assert not shared.closing
    assert not shared.takes_another
    own.attach(session, 0.0)
    (name,) = written(own)
    respond(own, name, 200)
    assert len(written(own)) == 1
    ((_, events),) = own.events_received()
    assert [type(event) for event in events] == [ConnectionEstablished, MessageSent]


@pytest.mark.rule("MSRP-54")
def test_sessions_that_have_nothing_to_send_cost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = Stream(Nobody(), 0.0)
    sessions = [new_session(number) for number in range(MANY)]
    for session in sessions:
        bound(stream, session)
    assert written(stream) == []
    asked: list[object] = []
    for kind, look in (
        (Underway, "wants_to_send"),
        (Underway, "write_at_once"),
        (Underway, "next_chunk"),
        (Session, "events_received"),
    ):
        monkeypatch.setattr(kind, look, counted(getattr(kind, look), asked))
    sessions[7].send(text("message7"))
    (name,) = written(stream)
    respond(stream, name, 200)
    ((told, _),) = stream.events_received()
    assert told is sessions[7]
    assert set(asked) == {sessions[7], sessions[7].underway}


@pytest.mark.rule("MSRP-54")
def test_each_session_gets_its_turn() -> None:
    stream = Stream(Nobody(), 0.0)
    sessions = [new_session(number) for number in range(3)]
    for session in sessions:
        bound(stream, session)
    for number, session in enumerate(sessions):
        for count in range(3):
            session.send(text(f"message{number}-{count}"))
    wrote = stream.data_to_send(1 << 20, 0.0)
    ids = [line[-3:] for line in wrote.split(b"\r\n") if b"Message-ID" in line]
    rounds = [sorted(ids[start : start + 3]) for start in (0, 3, 6)]
    assert rounds == [[b"%d-%d" % (n, count) for n in range(3)] for count in range(3)]


def test_a_session_is_found_by_its_uri_while_it_is_here() -> None:
    stream = Stream(Nobody(), 0.0)
    sessions = [new_session(number) for number in range(3)]
    for session in sessions:
        bound(stream, session)
    for session in sessions:
        assert stream.session_at(session.local_uri) is session
        session.let_go()
        assert stream.session_at(session.local_uri) is None


def test_the_first_of_two_sessions_with_one_uri_stays_when_the_other_goes() -> None:
    stream = Stream(Nobody(), 0.0)
    one, two = new_session(1), new_session(1)
    for session in (one, two):
        bound(stream, session)
    two.let_go()
    assert stream.session_at(one.local_uri) is one


def test_of_those_that_were_lost_here_not_all_are_remembered() -> None:
    stream = Stream(Nobody(), 0.0)
    sessions = [new_session(number) for number in range(70)]
    for session in sessions:
        bound(stream, session)
        session.let_go()
    known = [session in stream.left for session in sessions]
    assert known == [False] * 6 + [True] * 64


@pytest.mark.rule("MSRP-59")
def test_nothing_is_due_sooner_than_the_shortest_wait() -> None:
    stream = Stream(Nobody(), 0.0)
    assert stream.shortest_wait == 30.0
    session = new_session(0)
    bound(stream, session)
    assert stream.shortest_wait == session.config.binding_patience
    session.send(text("message0"))
    written(stream)
    due = stream.next_timeout()
    assert due is not None
    assert due >= stream.shortest_wait
    session.let_go()
    assert stream.shortest_wait == 0.0  # It is idle, and may be closed at once.
    stream.handle_timeout(1.0)
    assert not stream.closing
    assert stream.shortest_wait > 0.0  # Else its timer would go off for ever.


def test_a_session_that_waits_for_its_first_answer_can_have_a_message_to_finish() -> (
    None
):
    stream, session = Stream(Nobody(), 0.0), new_session(0)
    stream.attach(session, 0.0)
    path = (session.local_uri,)
    head = RequestHead("tid1", "SEND", path, path, "m123", None, "text/plain")
    session.incoming.begin(head, has_body=True, now=0.0)
    assert session.next_timeout() == session.config.binding_patience
    session.incoming.pause(0.0)
    assert session.next_timeout() == session.config.binding_patience


def test_a_stream_says_whether_a_chunk_is_written_bit_by_bit() -> None:
    config = SessionConfig(chunk_size=None)
    stream, session = Stream(Nobody(), 0.0), new_session(0, config)
    bound(stream, session)
    session.send(Outgoing("message0", "text/plain", BytesBody(bytes(100_000))))
    assert not stream.in_long_chunk
    stream.data_to_send(1000, 0.0)
    assert stream.in_long_chunk
    stream.data_to_send(1 << 20, 0.0)
    assert not stream.in_long_chunk


def test_a_stream_with_room_takes_another_session() -> None:
    stream = Stream(Nobody(), 0.0, limits=Limits(max_sessions_per_stream=2))
    bound(stream, new_session(0))
    assert stream.takes_another
    bound(stream, new_session(1))
    assert not stream.takes_another


@pytest.mark.rule("MSRP-59")
def test_for_a_long_message_that_nobody_answers_no_clock_runs() -> None:
    config = SessionConfig(chunk_size=None)
    stream, session = Stream(Nobody(), 0.0), new_session(0, config)
    bound(stream, session)
    body = BytesBody(bytes(100_000))
    wish = FailureReport.NO
    session.send(Outgoing("message0", "text/plain", body, failure_report=wish))
    assert len(written(stream)) == 1
    assert stream.next_timeout() is None
