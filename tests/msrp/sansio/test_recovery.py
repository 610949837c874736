"""Sessions that lose their connection and go on with another (RFC 4975, 5.4)."""

from __future__ import annotations

import random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.config import SessionConfig
from msrp.errors import (
    CloseReason,
    ConnectionFailed,
    LocalProtocolError,
    MessageAborted,
    ResponseTimeout,
    SessionClosed,
)
from msrp.events import (
    ConnectionEstablished,
    ConnectionLost,
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    ReportReceived,
    SessionOver,
)
from msrp.headers import ByteRange, FailureReport
from msrp.sansio.incoming import Incoming
from msrp.sansio.outgoing import OutgoingState
from msrp.sansio.session import Session, SessionState
from msrp.testing import End, Pair, read_messages
from msrp.uri import MsrpUri

E = TypeVar("E", bound=CoreEvent)

PATIENT = SessionConfig(recovery_time=60.0, max_message_length=1_000_000)
SMALL_CHUNKS = SessionConfig(recovery_time=60.0, chunk_size=40)


class Once:
    """A body that can be read only once."""

    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = data

    def read(self, limit: int) -> bytes:
        piece, self._data = self._data[:limit], self._data[limit:]
        return piece


def of(end: End, kind: type[E]) -> list[E]:
    return [event for event in end.events if isinstance(event, kind)]


def shown(end: End) -> list[bytes]:
    return [event.contents for event in of(end, MessageCompleted)]


def delivered(end: End) -> list[str]:
    return [event.message_id for event in of(end, MessageDelivered)]


def conversation(pair: Pair) -> None:
    """Say three things at once: two lines and something longer, all of them wanted."""
    pair.active.send(b"first", message_id="line", success_report=True)
    pair.active.send(bytes(range(100)), message_id="long")
    pair.passive.send(b"hello\r\n-------", message_id="back")


def check(pair: Pair) -> None:
    assert sorted(shown(pair.passive)) == sorted([b"first", bytes(range(100))])
    assert shown(pair.active) == [b"hello\r\n-------"]
    assert sorted(delivered(pair.active)) == ["line", "long"]
    assert delivered(pair.passive) == ["back"]
    for end in (pair.active, pair.passive):
        assert end.session.unfinished == 0
        assert of(end, MessageDeliveryFailed) == []
        assert of(end, IncompleteMessage) == []


def octets_of_a_conversation() -> int:
    pair = Pair(SMALL_CHUNKS, SMALL_CHUNKS)
    conversation(pair)
    pair.run()
    check(pair)
    return sum(len(octets) for octets in pair.wire.written)


def octets_of_the_binding() -> int:
    pair = Pair(SMALL_CHUNKS, SMALL_CHUNKS)
    while not (of(pair.active, ConnectionEstablished)):
        pair.wire.step()
        pair.collect()
    return sum(len(octets) for octets in pair.wire.written)


@pytest.mark.rule("MSRP-40", "MSRP-41", "MSRP-42", "MT-8")
@pytest.mark.parametrize(
    ("quantum", "step"),
    [
        pytest.param(64 * 1024, 1, id="as-much-as-there-is-at-every-octet"),
        pytest.param(50, 7, id="in-turns-at-every-seventh"),
    ],
)
def test_wherever_the_wire_is_cut_nothing_is_lost_and_nothing_comes_twice(
    quantum: int, step: int
) -> None:
    first, last = octets_of_the_binding(), octets_of_a_conversation()
    assert last - first > 1000
    for cut_after in range(1, last - first, step):
        pair = Pair(SMALL_CHUNKS, SMALL_CHUNKS, quantum=quantum)
        pair.run()
        conversation(pair)
        pair.wire.octets_left = cut_after
        pair.run()
        pair.reestablish()
        pair.run()
        check(pair)
        for end in (pair.active, pair.passive):
            assert len(of(end, ConnectionLost)) == 1
            assert len(of(end, ConnectionEstablished)) == 2


@pytest.mark.rule("MSRP-40", "MSRP-41", "MSRP-42", "MT-8")
@given(
    cuts=st.lists(st.integers(1, 3000), max_size=8),
    bodies=st.lists(st.integers(0, 30_000), min_size=1, max_size=4),
    chunk_size=st.sampled_from([100, 2048, None]),
    quantum=st.sampled_from([100, 3000, 65536]),
    reports=st.booleans(),
    failure_report=st.sampled_from(FailureReport),
)
@settings(max_examples=40, deadline=None)
def test_however_often_it_is_cut_all_arrives_once(
    cuts: list[int],
    bodies: list[int],
    chunk_size: int | None,
    quantum: int,
    reports: bool,
    failure_report: FailureReport,
) -> None:
    config = SessionConfig(
        recovery_time=60.0, chunk_size=chunk_size, max_message_length=100_000
    )
    pair = Pair(config, config, quantum=quantum)
    pair.run()
    chooser = random.Random(1)
    texts = [chooser.randbytes(size) for size in bodies]
    # Without any confirmation a message is over as soon as it is written.
    unwatched = failure_report is not FailureReport.YES and not reports
    for text in texts:
        pair.active.send(text, success_report=reports, failure_report=failure_report)
        pair.passive.send(text)
    for cut_after in cuts:
        pair.wire.octets_left = cut_after
        pair.run()
        if pair.wire.octets_left:
            break
        pair.reestablish()
    pair.run()
    assert sorted(shown(pair.active)) == sorted(texts)
    if unwatched:
        assert len(shown(pair.passive)) <= len(texts)
    else:
        assert sorted(shown(pair.passive)) == sorted(texts)
    assert len(delivered(pair.active)) == len(delivered(pair.passive)) == len(texts)


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("cut_after", [1, 100, 250])
def test_an_attempt_that_fails_leaves_everything_for_the_next(cut_after: int) -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(b"hello")
    pair.wire.cut()
    pair.reestablish(cut_after=cut_after)
    pair.run()
    lost = of(pair.active, ConnectionLost)
    assert [event.unconfirmed for event in lost] == [(message.message_id,)] * 2
    assert pair.active.session.state is SessionState.LOST
    pair.reestablish()
    pair.run()
    assert shown(pair.passive) == [b"hello"]
    assert delivered(pair.active) == [message.message_id]
    assert of(pair.active, SessionOver) == []


@pytest.mark.rule("MSRP-40")
def test_what_is_sent_while_there_is_no_connection_waits_in_its_order() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    pair.wire.cut()
    for text in (b"one", b"two", b"three"):
        pair.active.send(text)
    pair.reestablish()
    pair.run()
    assert shown(pair.passive) == [b"one", b"two", b"three"]


@pytest.mark.rule("MSRP-41")
def test_only_what_nobody_has_confirmed_is_sent_again() -> None:
    config = SessionConfig(
        recovery_time=60.0, chunk_size=1000, window=2, max_message_length=10_000
    )
    pair = Pair(config, config)
    pair.run()
    body = bytes(range(250)) * 20
    message = pair.active.send(body)
    assert pair.wire.step()  # Two chunks, and both responses.
    assert message.confirmed.prefix == 2000
    stream = pair.active.stream
    assert stream.data_to_send(65536, 0.0)  # Two more, which nobody sees.
    pair.wire.cut()
    pair.reestablish()
    pair.run()
    again = [m for m in read_messages(bytes(pair.wire.written[0])) if m.body]
    assert [m.fields["byte-range"] for m in again] == [
        "2001-3000/5000",
        "3001-4000/5000",
        "4001-5000/5000",
    ]
    assert {m.fields["message-id"] for m in again} == {message.message_id}
    uri = str(pair.passive.session.local_uri)
    assert {m.fields["to-path"] for m in again} == {uri}
    assert uri.endswith("session2;tcp")
    assert shown(pair.passive) == [body]


@pytest.mark.rule("MSRP-41")
def test_what_only_a_relay_has_confirmed_is_sent_again() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    relay = MsrpUri("msrp", "relay.example", 2855, "x")
    session = pair.active.session
    session.remote_path = (relay, *session.remote_path)
    message = pair.active.send(b"hello", success_report=True)
    (request,) = read_messages(pair.active.stream.data_to_send(65536, 0.0))
    tid = request.transaction_id
    pair.active.stream.receive_data(f"MSRP {tid} 200\r\n-------{tid}$\r\n".encode(), 0)
    assert message.unanswered == 0
    assert message.confirmed.prefix == 0


@pytest.mark.rule("MSRP-42", "MSRP-81")
def test_a_message_that_came_whole_is_answered_and_reported_again_but_not_shown() -> (
    None
):
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(bytes(5000), success_report=True)
    data = pair.active.stream.data_to_send(65536, 0.0)
    pair.passive.stream.receive_data(data, 0.0)
    pair.wire.cut()  # Before a response or the report has gone out.
    pair.reestablish()
    pair.run()
    answers = [m.what for m in read_messages(bytes(pair.wire.written[1]))]
    assert answers == ["200", "200", "200", "200", "REPORT"]
    assert shown(pair.passive) == [bytes(5000)]
    assert delivered(pair.active) == [message.message_id]


@pytest.mark.rule("MSRP-41")
def test_if_only_the_report_is_missing_the_last_octets_ask_for_it() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(bytes(5000), success_report=True)
    stream = pair.active.stream
    for request in read_messages(stream.data_to_send(65536, 0.0)):
        tid = request.transaction_id
        stream.receive_data(f"MSRP {tid} 200\r\n-------{tid}$\r\n".encode(), 0.0)
    assert message.confirmed.prefix == 5000
    assert message.state is OutgoingState.SENT
    pair.wire.cut()
    pair.reestablish()
    stream = pair.active.stream
    pair.wire.step()
    pair.wire.step()
    (again,) = [m for m in read_messages(bytes(pair.wire.written[0])) if m.body]
    assert again.fields["byte-range"] == "2953-5000/5000"


@pytest.mark.rule("MSRP-41")
def test_a_source_that_cannot_go_back_fails_its_message_and_says_so() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(Once(bytes(50_000)))
    line = pair.active.send(b"hello")
    pair.wire.octets_left = 10_000
    pair.run()
    pair.reestablish()
    pair.run()
    assert isinstance(message.error, MessageAborted)
    assert str(message.error) == (
        "the message was aborted: octets of it have to be sent again, and its source"
        " has them no more"
    )
    assert delivered(pair.active) == [line.message_id]
    # The peer need not wait for the rest.
    (lost,) = of(pair.passive, IncompleteMessage)
    assert lost.message_id == message.message_id


@pytest.mark.rule("MSRP-41", "MSRP-66")
def test_what_is_given_up_between_two_connections_is_so_for_the_peer_too() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(bytes(50_000))
    pair.wire.octets_left = 10_000
    pair.run()
    pair.active.session.abort(message.message_id)
    assert of(pair.passive, IncompleteMessage) == []
    pair.reestablish()
    pair.run()
    assert [e.message_id for e in of(pair.passive, IncompleteMessage)] == [
        message.message_id
    ]
    assert shown(pair.passive) == []


@pytest.mark.rule("MSRP-40")
def test_half_received_messages_do_not_grow_old_while_there_is_no_connection() -> None:
    config = SessionConfig(recovery_time=10_000, max_message_length=100_000)
    pair = Pair(config, config)
    pair.run()
    pair.active.send(bytes(50_000))
    pair.wire.octets_left = 10_000
    pair.run()
    pair.advance(5000)
    pair.reestablish()
    pair.advance(0)
    assert shown(pair.passive) == [bytes(50_000)]


@pytest.mark.rule("MSRP-40", "MT-15")
@pytest.mark.parametrize("config", [SessionConfig(), PATIENT], ids=["never", "patient"])
def test_an_open_session_moves_to_another_connection_without_a_word(
    config: SessionConfig,
) -> None:
    config = SessionConfig(
        recovery_time=config.recovery_time,
        chunk_size=None,
        max_message_length=1_000_000,
    )
    pair = Pair(config, config, quantum=5000)
    pair.run()
    body = random.Random(1).randbytes(100_000)
    for end in (pair.active, pair.passive):
        end.send(body)
    for _ in range(5):
        pair.wire.step()
    before = pair.wire
    old_active, old_passive = pair.active.stream, pair.passive.stream
    pair.reestablish()
    before.run()  # What was half written there is ended, and no message with it.
    requests = [m for m in read_messages(bytes(before.written[0])) if m.body]
    assert requests[-1].flag.value == b"+"
    pair.run()
    assert shown(pair.active) == shown(pair.passive) == [body]
    for end in (pair.active, pair.passive):
        assert of(end, ConnectionLost) == []
        assert of(end, SessionOver) == []
        assert len(of(end, ConnectionEstablished)) == 2
        assert of(end, MessageDeliveryFailed) == []
    for stream in (old_active, old_passive):
        assert stream.idle


@pytest.mark.rule("MSRP-40", "MT-15")
def test_who_has_not_noticed_yet_is_heard_and_answered() -> None:
    pair = Pair()
    pair.run()
    stream = pair.passive.stream
    old = pair.passive.session
    message = pair.active.send(b"to the old URI")
    data = pair.active.stream.data_to_send(65536, 0.0)
    at = len(data) // 2
    stream.receive_data(data[:at], 0.0)
    old.let_go()
    stream.receive_data(data[at:], 0.0)
    more = pair.active.send(b"and again")
    stream.receive_data(pair.active.stream.data_to_send(65536, 0.0), 0.0)
    answers = read_messages(stream.data_to_send(65536, 0.0))
    assert [answer.what for answer in answers] == ["200", "200"]
    pair.collect()
    assert shown(pair.passive) == [b"to the old URI", b"and again"]
    pair.reestablish()  # The answers have not come; all is sent once more.
    pair.run()
    assert shown(pair.passive) == [b"to the old URI", b"and again"]
    assert delivered(pair.active) == [message.message_id, more.message_id]


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("recovery_time", [0.0, 60.0])
@pytest.mark.parametrize("how", ["reset", "eof-in-a-message", "eof", "stall"])
def test_what_counts_as_lost(how: str, recovery_time: float) -> None:
    pair = Pair(SessionConfig(recovery_time=recovery_time))
    pair.run()
    pair.active.send(b"hello")
    stream = pair.active.stream
    stream.data_to_send(65536, 0.0)
    match how:
        case "reset":
            stream.connection_lost(SessionClosed(CloseReason.LOST))
        case "eof-in-a-message":
            stream.receive_data(b"MSRP half", 0.0)
            stream.receive_eof(0.0)
        case "eof":
            stream.receive_eof(0.0)
        case "stall":
            stream.receive_data(b"MSRP tid1 SEND\r\nTo-Path: x", 0.0)
            stream.handle_timeout(29.0)
            stream.handle_timeout(121.0)
    pair.collect()
    assert stream.closing
    lost = of(pair.active, ConnectionLost)
    over = of(pair.active, SessionOver)
    assert (len(lost), len(over)) == ((1, 0) if recovery_time else (0, 1))


@pytest.mark.rule("MSRP-40")
def test_half_received_is_unconfirmed_too_when_the_peer_closes() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    pair.active.send(bytes(5000))
    chunks = pair.active.stream.data_to_send(65536, 0.0)
    first = chunks[: chunks.index(b"+\r\nMSRP") + 3]
    pair.passive.stream.receive_data(first, 0.0)
    pair.passive.stream.receive_eof(0.0)
    pair.collect()
    assert pair.passive.session.state is SessionState.LOST


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("how", ["by-them", "by-us", "garbage", "481"])
def test_what_ends_a_session_for_good(how: str) -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    stream = pair.active.stream
    match how:
        case "by-them":
            stream.receive_eof(0.0)
        case "by-us":
            pair.active.send(b"hello")
            stream.abandon(CloseReason.BY_US)
        case "garbage":
            pair.active.send(b"hello")
            stream.receive_data(b"GET / HTTP/1.1\r\n\r\n", 0.0)
        case "481":
            pair.active.send(b"hello")
            (request,) = read_messages(stream.data_to_send(65536, 0.0))
            tid = request.transaction_id
            stream.receive_data(f"MSRP {tid} 481\r\n-------{tid}$\r\n".encode(), 0.0)
    pair.collect()
    assert of(pair.active, ConnectionLost) == []
    assert isinstance(pair.active.events[-1], SessionOver)


@pytest.mark.rule("MSRP-40", "MSRP-60")
def test_a_lost_session_that_is_given_up_ends_as_it_was_lost() -> None:
    pair = Pair(PATIENT, PATIENT, quantum=1000)
    pair.run()
    message = pair.active.send(bytes(9000))
    pair.passive.send(bytes(9000))
    pair.wire.octets_left = 7000
    pair.run()
    session = pair.active.session
    session.give_up()
    failed, incomplete, over = session.events_received()
    assert isinstance(failed, MessageDeliveryFailed)
    assert failed.message_id == message.message_id
    assert isinstance(incomplete, IncompleteMessage)
    assert isinstance(over, SessionOver)
    assert (over.reason, over.was_open) == (CloseReason.LOST, True)
    assert over.error is of(pair.active, ConnectionLost)[0].error
    with pytest.raises(SessionClosed):
        pair.active.send(b"late")


@pytest.mark.rule("MSRP-40")
def test_the_reason_is_that_of_the_loss_and_not_of_a_later_attempt() -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    pair.wire.cut()
    pair.collect()
    pair.reestablish()
    refusal = ConnectionFailed("", "nobody there")
    pair.active.session.lose(CloseReason.BY_THEM, refusal)
    pair.active.session.give_up()
    (over,) = pair.active.session.events_received()
    pair.collect()
    first, second = of(pair.active, ConnectionLost)
    assert second.error is refusal
    assert isinstance(over, SessionOver)
    assert over.error is first.error


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("code", [403, 481, 506])
def test_a_replacement_that_the_peer_refuses_was_an_attempt(code: int) -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(b"hello")
    pair.wire.cut()
    pair.reestablish()
    stream = pair.active.stream
    (binding,) = read_messages(stream.data_to_send(65536, 0.0))
    tid = binding.transaction_id
    stream.receive_data(f"MSRP {tid} {code}\r\n-------{tid}$\r\n".encode(), 0.0)
    pair.collect()
    assert pair.active.session.state is SessionState.LOST
    lost = of(pair.active, ConnectionLost)[-1]
    assert lost.unconfirmed == (message.message_id,)
    assert isinstance(lost.error, ConnectionFailed)


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("which", ["closed", "never-open"])
def test_there_must_be_a_session_to_replace(which: str) -> None:
    pair = Pair()
    if which == "closed":
        pair.run()
        pair.active.session.end(CloseReason.BY_US)
    old = pair.active.session
    session = Session(old.local_uri, old.remote_path, is_active=True)
    with pytest.raises(LocalProtocolError, match="no open or lost session"):
        session.replace(old, 0.0)


@pytest.mark.rule("MSRP-40")
def test_a_session_that_was_replaced_takes_nothing_and_cannot_end_again() -> None:
    pair = Pair()
    pair.run()
    old = End(pair.active.session, pair.active.stream)
    pair.reestablish()
    with pytest.raises(LocalProtocolError, match="has taken the place"):
        old.send(b"late")
    old.session.end(CloseReason.LOST)
    old.session.lose(CloseReason.LOST)
    assert old.session.events_received() == []
    assert old.session.state is SessionState.REPLACED


@pytest.mark.rule("MSRP-87", "MSRP-92")
@pytest.mark.parametrize("code", [408, 481])
def test_octets_that_a_report_says_are_missing_go_out_again_on_another_session(
    code: int,
) -> None:
    pair = Pair(PATIENT, PATIENT)
    pair.run()
    message = pair.active.send(bytes(range(250)) * 20, success_report=True)
    stream = pair.active.stream
    for request in read_messages(stream.data_to_send(65536, 0.0)):
        tid = request.transaction_id
        stream.receive_data(f"MSRP {tid} 200\r\n-------{tid}$\r\n".encode(), 0.0)
    here, there = pair.active.session.local_uri, pair.passive.session.local_uri
    stream.receive_data(
        f"MSRP tid1 REPORT\r\nTo-Path: {here}\r\nFrom-Path: {there}\r\n"
        f"Message-ID: {message.message_id}\r\nByte-Range: 2049-4096/5000\r\n"
        f"Status: 000 {code}\r\n-------tid1$\r\n".encode(),
        0.0,
    )
    pair.collect()
    assert pair.active.session.state is SessionState.LOST
    assert [type(event) for event in pair.active.events[-2:]] == [
        ReportReceived,
        ConnectionLost,
    ]
    # The connection may carry others; this session has left it.
    assert not stream.closing
    assert stream.idle
    pair.reestablish()
    pair.wire.step()
    pair.wire.step()
    again = [m for m in read_messages(bytes(pair.wire.written[0])) if m.body]
    assert again[0].fields["byte-range"] == "2049-4096/5000"


def half_sent(*, success_report: bool) -> tuple[Pair, str]:
    """Cut a wire when 2,000 of 5,000 octets are confirmed."""
    config = SessionConfig(
        recovery_time=60.0, chunk_size=1000, window=2, max_message_length=10_000
    )
    pair = Pair(config, config)
    pair.run()
    message = pair.active.send(bytes(range(250)) * 20, success_report=success_report)
    while message.confirmed.prefix < 2000:
        pair.wire.step()
    pair.wire.cut()
    return pair, message.message_id


def forget(end: End) -> None:
    """Be another process, which has received nothing so far."""
    end.session.incoming = Incoming(end.session.config)


@pytest.mark.rule("MSRP-41")
@pytest.mark.parametrize("success_report", [False, True], ids=["", "report"])
def test_what_the_peer_has_forgotten_is_not_taken_for_delivered(
    success_report: bool,
) -> None:
    pair, message_id = half_sent(success_report=success_report)
    pair.reestablish()
    forget(pair.passive)
    pair.run()
    answers = [m.what for m in read_messages(bytes(pair.wire.written[1]))]
    assert set(answers) == {"200"}  # It takes what it gets.
    pair.advance(29.0)
    assert delivered(pair.active) == []
    assert of(pair.active, MessageDeliveryFailed) == []
    pair.advance(2.0)
    (failed,) = of(pair.active, MessageDeliveryFailed)
    assert failed.message_id == message_id
    assert isinstance(failed.error, ResponseTimeout)
    assert shown(pair.passive) == []
    assert [e.message_id for e in of(pair.passive, IncompleteMessage)] == [message_id]
    line = pair.active.send(b"the session lives")
    pair.run()
    assert delivered(pair.active) == [line.message_id]


@pytest.mark.rule("MSRP-41", "MSRP-42")
@pytest.mark.parametrize("success_report", [False, True], ids=["", "report"])
@pytest.mark.parametrize("forgets", [False, True], ids=["knows", "forgets"])
def test_from_the_start_it_arrives_whether_the_peer_has_forgotten_it_or_not(
    success_report: bool, forgets: bool
) -> None:
    pair, message_id = half_sent(success_report=success_report)
    pair.reestablish(from_the_start=True)
    if forgets:
        forget(pair.passive)
    pair.run()
    again = [m for m in read_messages(bytes(pair.wire.written[0])) if m.body]
    assert again[0].fields["byte-range"] == "1-1000/5000"
    assert ("success-report" in again[0].fields) is success_report
    assert delivered(pair.active) == [message_id]
    assert shown(pair.passive) == [bytes(range(250)) * 20]
    pair.advance(60.0)
    assert of(pair.active, MessageDeliveryFailed) == []


@pytest.mark.rule("MSRP-41")
def test_a_message_that_goes_on_in_the_middle_asks_for_a_report_of_the_whole() -> None:
    pair, message_id = half_sent(success_report=False)
    pair.reestablish()
    pair.run()
    again = [m for m in read_messages(bytes(pair.wire.written[0])) if m.body]
    assert {m.fields["success-report"] for m in again} == {"yes"}
    assert delivered(pair.active) == [message_id]
    (report,) = of(pair.active, ReportReceived)
    assert str(report.byte_range) == "1-5000/5000"
    pair.advance(60.0)
    assert of(pair.active, MessageDeliveryFailed) == []


@pytest.mark.rule("MSRP-41")
def test_a_report_of_the_rest_is_none_of_the_whole() -> None:
    pair, _ = half_sent(success_report=True)
    (message,) = pair.active.session.underway._messages.values()
    message.success_reported(ByteRange(1, 2000, 5000))  # On the first connection.
    pair.reestablish()
    forget(pair.passive)
    pair.run()
    message.success_reported(ByteRange(2001, 5000, 5000))
    assert not message.confirm()
    message.success_reported(ByteRange(1, 5000, 5000))
    assert message.confirm()


@pytest.mark.rule("MSRP-41")
def test_the_clock_of_a_missing_report_stands_still_while_we_do_not_read() -> None:
    pair, _ = half_sent(success_report=False)
    pair.reestablish()
    forget(pair.passive)
    pair.run()
    pair.active.stream.pause(pair.clock.now)
    pair.advance(100.0)
    assert of(pair.active, MessageDeliveryFailed) == []
    pair.active.stream.resume(pair.clock.now)
    pair.advance(31.0)
    assert len(of(pair.active, MessageDeliveryFailed)) == 1
