"""Both ends of a session, on a wire that cuts and with a clock that jumps."""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.accept_types import AcceptTypes
from msrp.config import SessionConfig
from msrp.errors import CloseReason
from msrp.events import (
    ConnectionEstablished,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageRefused,
    MessageSent,
    ReportReceived,
    SessionOver,
)
from msrp.headers import ByteRange, ContinuationFlag, FailureReport
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing, OutgoingState
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.testing import Directory, End, Pair, Written, read_messages
from msrp.uri import MsrpUri


def octets(data: bytes) -> Iterator[bytes]:
    for octet in data:
        yield bytes([octet])


def contents(end: End) -> list[bytes]:
    return [e.contents for e in end.events if isinstance(e, MessageCompleted)]


def delivered(end: End) -> list[str]:
    return [e.message_id for e in end.events if isinstance(e, MessageDelivered)]


def written(pair: Pair, end: int) -> list[Written]:
    return read_messages(bytes(pair.wire.written[end]))


@pytest.mark.rule("MSRP-33", "MSRP-35", "MSRP-36", "MT-1", "FIELD-1")
def test_nothing_is_sent_before_the_peer_knows_the_session() -> None:
    pair = Pair()
    for text in (b"one", b"two"):
        pair.passive.send(text)
    pair.active.send(b"three")
    pair.wire.step()
    pair.run()
    first, *rest = written(pair, 0)
    assert (first.what, first.body) == ("SEND", None)
    assert first.fields["byte-range"] == "1-0/0"
    assert "message-id" in first.fields
    assert "content-type" not in first.fields
    # The response first, and then what was queued.
    assert [m.body or m.what for m in written(pair, 1)[:3]] == ["200", b"one", b"two"]
    assert [m.body for m in rest if m.what == "SEND"] == [b"three"]
    assert contents(pair.active) == [b"one", b"two"]
    assert contents(pair.passive) == [b"three"]


@pytest.mark.rule("MSRP-33", "MSRP-35")
def test_both_ends_are_told_that_the_session_stands() -> None:
    pair = Pair()
    pair.run()
    uris = pair.active.session.local_uri, pair.passive.session.local_uri
    assert pair.active.events == [ConnectionEstablished(False, (uris[1],))]
    assert pair.passive.events == [ConnectionEstablished(True, (uris[0],))]


@pytest.mark.rule("MSRP-18", "FIELD-3")
def test_octet_by_octet_everything_is_the_same() -> None:
    pair = Pair(segmentation=octets)
    texts = [bytes(range(256)) * 20, b"", b"\r\n-------", b"x\r"]
    for text in texts:
        pair.active.send(text, success_report=True)
        pair.passive.send(text)
    pair.run()
    assert contents(pair.passive) == texts
    assert contents(pair.active) == texts
    assert len(delivered(pair.active)) == len(delivered(pair.passive)) == 4


@pytest.mark.rule("MSRP-17", "MSRP-18", "MSRP-62", "MSRP-63")
@given(
    data=st.data(),
    bodies=st.lists(
        st.binary(max_size=50) | st.integers(0, 9000).map(bytes), max_size=5
    ),
    chunk_size=st.sampled_from([1, 100, 2048, 5000, None]),
    window=st.integers(1, 5),
    quantum=st.sampled_from([1, 100, 3000, 65536]),
)
@settings(max_examples=50, deadline=None)
def test_whatever_is_sent_arrives_in_both_directions(
    data: st.DataObject,
    bodies: list[bytes],
    chunk_size: int | None,
    window: int,
    quantum: int,
) -> None:
    chooser = random.Random(data.draw(st.integers(0, 99)))

    def cut(octets: bytes) -> Iterator[bytes]:
        at = 0
        while at < len(octets):
            size = chooser.choice([1, 2, 50, 4000])
            yield octets[at : at + size]
            at += size

    if chunk_size == 1:
        bodies = [body[:60] for body in bodies]
    config = SessionConfig(chunk_size=chunk_size, window=window)
    pair = Pair(config, config, segmentation=cut, quantum=quantum)
    for body in bodies:
        pair.active.send(body, success_report=chooser.random() < 0.5)
        pair.passive.send(body)
    pair.run()
    assert sorted(contents(pair.passive)) == sorted(bodies)
    assert sorted(contents(pair.active)) == sorted(bodies)
    for end in (pair.active, pair.passive):
        assert len(delivered(end)) == len(bodies)
        assert end.session.unfinished == 0


@pytest.mark.rule(
    "MSRP-50", "MSRP-51", "MSRP-52", "MSRP-53", "MSRP-54", "MSRP-55", "MT-3"
)
@pytest.mark.parametrize("chunk_size", [2048, None])
def test_lines_get_through_while_a_big_message_is_in_flight(
    chunk_size: int | None,
) -> None:
    config = SessionConfig(chunk_size=chunk_size, max_message_length=3_000_000)
    pair = Pair(config, config, quantum=16 * 1024)
    pair.run()
    big = random.Random(1).randbytes(2_000_000)
    for end in (pair.active, pair.passive):
        end.send(big, "image/png")
    for n in range(20):
        for end in (pair.active, pair.passive):
            end.send(b"line %d" % n)
        for _ in range(4):
            pair.wire.step()
        pair.collect()
        # Each is there, and answered, before the next one: nothing of it waits
        # for the end of the big one.
        for end in (pair.active, pair.passive):
            assert contents(end) == [b"line %d" % each for each in range(n + 1)]
            assert len(delivered(end)) == n + 1
    pair.run()
    for end in (pair.active, pair.passive):
        assert hashlib.sha256(contents(end)[-1]).digest() == (
            hashlib.sha256(big).digest()
        )
        assert len(delivered(end)) == 21
    for chunk in [*written(pair, 0), *written(pair, 1)]:
        if chunk.what == "SEND":
            byte_range = ByteRange.parse(chunk.fields["byte-range"])
            assert byte_range.end is None or len(chunk.body or b"") <= 2048


@pytest.mark.rule("MSRP-53")
def test_a_long_chunk_makes_way_for_a_response_and_goes_on_where_it_was() -> None:
    config = SessionConfig(chunk_size=None, max_message_length=1_000_000)
    pair = Pair(config, config, quantum=10_000)
    pair.run()
    big = random.Random(2).randbytes(500_000)
    message = pair.active.send(big)
    pair.wire.step()
    pair.passive.send(b"hello")
    pair.run()
    sent = written(pair, 0)[1:]
    at = [chunk.what for chunk in sent].index("200")
    assert sent[at - 1].flag is ContinuationFlag.MORE
    assert sent[at + 1].flag is ContinuationFlag.END
    # Within one quantum of having heard of it.
    assert len(sent[at - 1].body or b"") <= 2 * 10_000
    chunks = [chunk for chunk in sent if chunk.what == "SEND"]
    assert len({chunk.transaction_id for chunk in chunks}) == len(chunks) == 2
    assert {chunk.fields["message-id"] for chunk in chunks} == {message.message_id}
    starts = [ByteRange.parse(c.fields["byte-range"]).start for c in chunks]
    assert starts == [1, 1 + len(chunks[0].body or b"")]
    assert contents(pair.passive) == [big]


@pytest.mark.rule("MSRP-31", "MSRP-54")
def test_sessions_on_one_connection_share_it_fairly() -> None:
    config = SessionConfig(chunk_size=None, max_message_length=3_000_000)
    pair = Pair(config, config)
    other_active, other_passive = pair.add_session(config, config)
    pair.run()
    pair.active.send(bytes(2_000_000))
    for _ in range(3):
        pair.wire.step()
    other_active.send(b"hello")
    for _ in range(3):
        pair.wire.step()
    pair.collect()
    assert contents(other_passive) == [b"hello"]
    assert contents(pair.passive) == []
    pair.run()
    assert contents(pair.passive) == [bytes(2_000_000)]


@pytest.mark.rule("MSRP-81", "MSRP-83", "FIELD-12")
def test_success_is_reported_for_the_whole_message() -> None:
    pair = Pair()
    message = pair.active.send(bytes(5000), success_report=True)
    plain = pair.active.send(b"no report wanted")
    pair.run()
    reports = [m for m in written(pair, 1) if m.what == "REPORT"]
    assert [
        (m.fields["message-id"], m.fields["byte-range"], m.fields["status"])
        for m in reports
    ] == [(message.message_id, "1-5000/5000", "000 200 OK")]
    told = [e for e in pair.active.events if isinstance(e, ReportReceived)]
    assert [(e.message_id, e.byte_range) for e in told] == [
        (message.message_id, ByteRange(1, 5000, 5000))
    ]
    assert message.state is plain.state is OutgoingState.DELIVERED


REFUSALS = {200: "text/plain", 415: "image/jpeg", 481: "text/plain"}


@pytest.mark.rule("MSRP-73", "MSRP-76", "MSRP-78", "MSRP-81", "MSRP-82", "MT-5")
@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("success", [None, "yes", "no"])
@pytest.mark.parametrize("failure", [None, "yes", "partial", "no"])
def test_what_is_answered_and_what_is_reported(
    failure: str | None, success: str | None, code: int
) -> None:
    pair = Pair(passive=SessionConfig(accept_types=AcceptTypes.parse("text/*")))
    pair.run()
    before = len(pair.wire.written[1])
    session = "session1" if code != 481 else "session9"
    lines = [
        "MSRP tid1 SEND",
        f"To-Path: msrp://passive.example:2855/{session};tcp",
        "From-Path: msrp://active.example:2855/session1;tcp",
        "Message-ID: m123",
        *([f"Failure-Report: {failure}"] if failure else []),
        *([f"Success-Report: {success}"] if success else []),
        "Byte-Range: 1-5/5",
        f"Content-Type: {REFUSALS[code]}",
        "",
        "hello",
        "-------tid1$",
        "",
    ]
    pair.passive.stream.receive_data("\r\n".join(lines).encode(), 0.0)
    pair.run()
    sent = read_messages(bytes(pair.wire.written[1][before:]))
    answered = {
        None: True,
        "yes": True,
        "partial": code != 200,
        "no": False,
    }[failure]
    reported = success == "yes" and code == 200
    expected = [str(code)] if answered else []
    expected += ["REPORT"] if reported else []
    assert [message.what for message in sent] == expected


@pytest.mark.rule("MSRP-59", "MSRP-89", "MT-6")
@pytest.mark.parametrize(
    ("failure", "fails"),
    [
        (FailureReport.YES, True),
        (FailureReport.PARTIAL, False),
        (FailureReport.NO, False),
    ],
)
def test_a_peer_that_reads_and_never_answers(
    failure: FailureReport, fails: bool
) -> None:
    pair = Pair()
    pair.run()
    message = pair.active.send(b"hello", failure_report=failure)
    pair.active.stream.data_to_send(65536, 0.0)  # The peer never sees it.
    pair.advance(29.9)
    assert not any(isinstance(e, MessageDeliveryFailed) for e in pair.active.events)
    pair.advance(0.1)
    failed = [e for e in pair.active.events if isinstance(e, MessageDeliveryFailed)]
    assert [(e.message_id, e.status_code) for e in failed] == (
        [(message.message_id, 408)] if fails else []
    )
    assert pair.active.session.state is SessionState.OPEN


@pytest.mark.rule("MSRP-59", "MSRP-60")
def test_silence_is_no_failure_of_a_message_whose_report_is_awaited() -> None:
    pair = Pair()
    pair.run()
    message = pair.active.send(
        b"hello", success_report=True, failure_report=FailureReport.PARTIAL
    )
    pair.active.stream.data_to_send(65536, 0.0)
    pair.advance(1000)
    assert message.state is OutgoingState.SENT
    assert pair.active.session.unfinished == 1


@pytest.mark.rule("MSRP-59")
def test_the_clock_starts_when_the_last_octet_is_out() -> None:
    config = SessionConfig(chunk_size=None)
    pair = Pair(config)
    pair.run()
    pair.active.send(bytes(5000))
    stream = pair.active.stream
    stream.data_to_send(3000, 0.0)
    assert stream.next_timeout() is None
    pair.clock.advance(100)
    stream.data_to_send(65536, pair.clock.now)
    assert stream.next_timeout() == 130.0


@pytest.mark.rule("MSRP-59")
def test_while_we_do_not_read_no_response_is_missing() -> None:
    pair = Pair()
    pair.run()
    message = pair.active.send(b"hello")
    stream = pair.active.stream
    stream.data_to_send(65536, 0.0)
    stream.pause(10.0)
    stream.handle_timeout(1000.0)
    assert stream.next_timeout() is None
    stream.resume(1000.0)
    assert stream.next_timeout() == 1020.0
    stream.handle_timeout(1019.9)
    assert message.error is None
    stream.handle_timeout(1020.0)
    assert message.error is not None


@pytest.mark.rule("MSRP-66", "MSRP-56", "MSRP-93")
@pytest.mark.parametrize("chunk_size", [2048, None])
def test_an_aborted_message_ends_with_its_mark_on_both_sides(
    chunk_size: int | None,
) -> None:
    config = SessionConfig(
        chunk_size=chunk_size, max_message_length=1_000_000, window=4
    )
    pair = Pair(config, config, quantum=5000)
    pair.run()
    message = pair.active.send(bytes(500_000))
    pair.wire.step()
    pair.active.session.abort(message.message_id)
    pair.active.send(b"next")
    pair.run()
    assert contents(pair.passive) == [b"next"]
    (lost,) = [e for e in pair.passive.events if isinstance(e, IncompleteMessage)]
    assert lost.message_id == message.message_id
    (failed,) = [e for e in pair.active.events if isinstance(e, MessageDeliveryFailed)]
    assert (failed.status_code, failed.reason) == (None, "the message was aborted")
    mine = [
        m for m in written(pair, 0) if m.fields.get("message-id") == message.message_id
    ]
    assert [m.flag for m in mine].index(ContinuationFlag.ABORT) == len(mine) - 1


@pytest.mark.rule("MSRP-68", "MSRP-86", "MSRP-93", "MT-7")
@pytest.mark.parametrize("chunk_size", [2048, None])
def test_after_413_no_more_of_the_message_goes_out(chunk_size: int | None) -> None:
    config = SessionConfig(chunk_size=chunk_size)
    pair = Pair(config, SessionConfig(max_message_length=10_000), quantum=8000)
    pair.run()
    size = 11_000 if chunk_size else 10_000_000
    message = pair.active.send(bytes(size))
    pair.run()
    assert message.state is OutgoingState.FAILED
    (failed,) = [e for e in pair.active.events if isinstance(e, MessageDeliveryFailed)]
    assert failed.status_code == 413
    (refused,) = [e for e in pair.passive.events if isinstance(e, MessageRefused)]
    assert (refused.status_code, refused.peer_told) == (413, True)
    assert len(pair.wire.written[0]) < 50_000
    if chunk_size is None:
        assert written(pair, 0)[-1].flag is ContinuationFlag.ABORT
    # The session lives.
    pair.active.send(b"hello")
    pair.run()
    assert contents(pair.passive) == [b"hello"]


@pytest.mark.rule("MSRP-69", "MSRP-94")
def test_after_415_the_type_is_known_to_be_refused() -> None:
    pair = Pair(passive=SessionConfig(accept_types=AcceptTypes.parse("text/*")))
    message = pair.active.send(b"x", "image/png")
    pair.run()
    assert message.state is OutgoingState.FAILED
    assert pair.active.session.refused_types == {"image/png"}
    assert pair.active.session.state is SessionState.OPEN


@pytest.mark.rule("MSRP-43", "MSRP-44", "MSRP-96", "MT-14")
def test_of_two_sessions_one_ends() -> None:
    pair = Pair()
    other_active, other_passive = pair.add_session()
    pair.run()
    pair.passive.session.end(CloseReason.BY_US)
    message = pair.active.send(b"too late")
    other_active.send(b"hello")
    pair.run()
    assert contents(other_passive) == [b"hello"]
    # 481, and the session is over on this side, too.
    assert message.error is not None
    assert pair.active.session.state is SessionState.CLOSED
    over = pair.active.events[-1]
    assert isinstance(over, SessionOver)
    assert over.reason is CloseReason.BY_THEM
    pair.advance(100)
    assert not pair.active.stream.closing
    other_active.session.end(CloseReason.BY_US)
    other_passive.session.end(CloseReason.BY_US)
    pair.advance(0)
    # Who has opened the connection closes it.
    assert pair.active.stream.closing
    assert pair.passive.stream.closing


@pytest.mark.rule("MSRP-44", "MT-14")
def test_a_passive_side_stays_for_a_while_after_its_last_session() -> None:
    pair = Pair()
    pair.run()
    pair.advance(1000)
    pair.passive.session.end(CloseReason.BY_US)
    pair.advance(4.9)
    assert not pair.passive.stream.closing
    message = pair.active.send(b"too late")
    pair.run()
    assert str(message.error) == (
        "the peer refused the message with 481 (Session Does Not Exist)"
    )
    pair.advance(5.0)
    assert pair.passive.stream.closing


@pytest.mark.rule("MSRP-40", "MSRP-60")
def test_when_the_connection_breaks_every_session_and_message_is_told() -> None:
    pair = Pair()
    other, _ = pair.add_session()
    pair.run()
    sent = [pair.active.send(b"one"), other.send(b"two", success_report=True)]
    pair.active.stream.data_to_send(65536, 0.0)
    pair.active.stream.receive_data(b"MSRP half", 0.0)
    pair.active.stream.receive_eof(0.0)
    pair.collect()
    for end, message in zip((pair.active, other), sent, strict=True):
        failed, over = end.events[-2:]
        assert isinstance(failed, MessageDeliveryFailed)
        assert failed.message_id == message.message_id
        assert isinstance(over, SessionOver)
        assert over.reason is CloseReason.LOST
        assert over.was_open


@pytest.mark.rule("MSRP-40")
def test_a_connection_that_is_closed_in_order_is_not_lost() -> None:
    pair = Pair()
    pair.run()
    pair.active.stream.abandon(CloseReason.BY_US)
    pair.run()
    assert pair.active.events[-1] == SessionOver(CloseReason.BY_US, None, True)
    assert pair.passive.events[-1] == SessionOver(CloseReason.BY_THEM, None, True)


@pytest.mark.rule("MSRP-46", "MSRP-74", "MSRP-80", "MSRP-102", "MT-13")
def test_a_path_through_relays() -> None:
    pair = Pair()
    relays = [MsrpUri("msrp", f"relay{n}.example", 2855, "x") for n in (1, 2)]
    local, far = pair.active.session.local_uri, pair.passive.session.local_uri
    stream = Stream(Directory(), 0.0)
    stream.attach(Session(local, (*relays, far), is_active=True), 0.0)
    sent = stream.data_to_send(65536, 0.0)
    relay1, relay2 = map(str, relays)
    (binding,) = read_messages(sent)
    assert binding.fields["to-path"] == f"{relay1} {relay2} {far}"
    # What two relays make of it: they move themselves from one path to the other.
    near = str(local)
    request = sent.decode().replace(
        f"To-Path: {relay1} {relay2} {far}", f"To-Path: {far}"
    )
    request = request.replace(
        f"From-Path: {near}", f"From-Path: {relay2} {relay1} {near}"
    )
    with_text = request.replace("Byte-Range", "Success-Report: yes\r\nByte-Range")
    with_text = with_text.replace(
        "1-0/0", "1-2/2\r\nContent-Type: text/plain\r\n\r\nhi"
    )
    pair.passive.stream.receive_data(with_text.encode(), 0.0)
    response, report = read_messages(pair.passive.stream.data_to_send(65536, 0.0))
    assert (response.what, report.what) == ("200", "REPORT")
    assert response.fields["to-path"] == relay2
    assert response.fields["from-path"] == str(far)
    assert report.fields["to-path"] == f"{relay2} {relay1} {near}"
    assert report.fields["from-path"] == str(far)


@pytest.mark.rule("MSRP-16", "MT-9")
def test_ids_that_collide_with_what_is_sent() -> None:
    ids = itertools.cycle(["tid1", "tid1", "tid2"])
    pair = Pair(segmentation=octets)
    body = b"\r\n-------tid1$\r\nMSRP tid1 SEND\r\n\r\n-------tid2+\r\n" * 3
    message = Outgoing("m123", "text/plain", BytesBody(body), new_id=lambda: next(ids))
    pair.active.session.send(message)
    pair.run()
    assert contents(pair.passive) == [body]


@pytest.mark.rule("FIELD-5", "MSRP-55")
@pytest.mark.parametrize("window", [1, 3])
def test_no_more_chunks_wait_for_a_response_than_the_window_holds(window: int) -> None:
    pair = Pair(SessionConfig(window=window))
    pair.run()
    pair.active.send(bytes(9000))
    sent = pair.active.stream.data_to_send(1_000_000, 0.0)
    assert sent.count(b"Message-ID") == window
    pair.passive.stream.receive_data(sent, 0.0)
    pair.run()
    assert contents(pair.passive) == [bytes(9000)]


@pytest.mark.rule("MSRP-59", "MSRP-60")
def test_the_order_of_what_is_told_about_a_message() -> None:
    pair = Pair()
    message = pair.active.send(b"x", success_report=True)
    pair.run()
    assert [type(event) for event in pair.active.events] == [
        ConnectionEstablished,
        MessageSent,
        ReportReceived,
        MessageDelivered,
    ]
    assert message.finished
