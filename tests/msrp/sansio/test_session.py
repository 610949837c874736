from __future__ import annotations

import pytest

from msrp.config import SessionConfig
from msrp.errors import (
    CloseReason,
    ConnectionFailed,
    FailureReported,
    LimitExceeded,
    LocalProtocolError,
    RequestRefused,
    ResponseTimeout,
    SessionClosed,
    SessionEnded,
)
from msrp.events import (
    ConnectionEstablished,
    CoreEvent,
    IncompleteMessage,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageSent,
    ReportReceived,
    SessionOver,
)
from msrp.headers import ContinuationFlag, FailureReport
from msrp.sansio.chunker import BodySource, BytesBody
from msrp.sansio.outgoing import Outgoing, OutgoingState
from msrp.sansio.queues import BULK_SIZE
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.testing import Directory, Written, read_messages
from msrp.uri import MsrpUri

HERE = MsrpUri("msrp", "here.example", 2855, "here")
THERE = MsrpUri("msrp", "there.example", 2855, "there")


class Late:
    """A body that isn't there before it is given."""

    def __init__(self, size: int | None = None) -> None:
        self.size = size
        self.data = b""
        self.over = False

    def read(self, limit: int) -> bytes | None:
        piece, self.data = self.data[:limit], self.data[limit:]
        return piece or (b"" if self.over else None)


class Wire:
    """A session on a stream of its own, whose peer is written by hand."""

    def __init__(
        self, config: SessionConfig | None = None, *, bound: bool = True
    ) -> None:
        self.session = Session(HERE, (THERE,), is_active=True, config=config)
        self.stream = Stream(Directory(self.session), 0.0)
        self.stream.attach(self.session, 0.0)
        self.now = 0.0
        if bound:
            (binding,) = self.written()
            self.respond(binding, 200)
            self.events()

    def send(
        self,
        body: bytes | BodySource,
        message_id: str = "m123",
        *,
        content_type: str = "text/plain",
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
    ) -> Outgoing:
        message = Outgoing(
            message_id,
            content_type,
            BytesBody(body) if isinstance(body, bytes) else body,
            success_report=success_report,
            failure_report=failure_report,
        )
        self.session.send(message)
        return message

    def written(self, budget: int = 65536) -> list[Written]:
        return read_messages(self.stream.data_to_send(budget, self.now))

    def receive(self, text: str) -> None:
        self.stream.receive_data(text.encode(), self.now)

    def respond(self, request: Written, code: int) -> None:
        tid = request.transaction_id
        self.receive(f"MSRP {tid} {code}\r\n-------{tid}$\r\n")

    def report(self, status: str, byte_range: str | None, mid: str = "m123") -> None:
        line = f"Byte-Range: {byte_range}\r\n" if byte_range else ""
        self.receive(
            f"MSRP tid1 REPORT\r\nTo-Path: {HERE}\r\nFrom-Path: {THERE}\r\n"
            f"Message-ID: {mid}\r\n{line}Status: {status}\r\n-------tid1$\r\n"
        )

    def events(self) -> list[CoreEvent]:
        return [event for _, told in self.stream.events_received() for event in told]

    def failure(self) -> MessageDeliveryFailed:
        (failed,) = [e for e in self.events() if isinstance(e, MessageDeliveryFailed)]
        return failed


def ids(chunks: list[Written]) -> list[str]:
    return [chunk.fields["message-id"] for chunk in chunks]


# Getting bound.


@pytest.mark.rule("MSRP-35", "FIELD-1")
def test_nothing_goes_out_before_the_first_request_is_answered() -> None:
    wire = Wire(bound=False)
    wire.send(b"hello")
    (binding,) = wire.written()
    assert wire.written() == []
    assert wire.session.state is SessionState.BINDING
    wire.respond(binding, 200)
    assert wire.events() == [ConnectionEstablished(False, (THERE,))]
    (text,) = wire.written()
    assert text.body == b"hello"


@pytest.mark.rule("FIELD-1")
def test_a_peer_that_never_answers_the_first_request_is_trusted_after_a_while() -> None:
    wire = Wire(SessionConfig(window=1), bound=False)
    (binding,) = wire.written()
    wire.send(b"hello")
    assert wire.stream.next_timeout() == 3.0
    wire.stream.handle_timeout(2.9)
    assert wire.written() == []
    wire.stream.handle_timeout(3.0)
    (established,) = wire.events()
    assert isinstance(established, ConnectionEstablished)
    # It doesn't take up the window, and its own missing response is no failure.
    assert len(wire.written()) == 1
    wire.stream.handle_timeout(30.0)
    assert wire.failure().message_id == "m123"
    assert wire.session.state is SessionState.OPEN
    wire.respond(binding, 200)
    assert wire.events() == []


@pytest.mark.rule("FIELD-1")
def test_the_first_request_goes_first_even_if_it_could_not_go_out_in_time() -> None:
    wire = Wire(bound=False)
    wire.send(b"hello")
    wire.stream.handle_timeout(3.0)
    binding, text = wire.written()
    assert (binding.body, text.body) == (None, b"hello")
    wire.respond(binding, 200)
    wire.respond(text, 200)
    assert wire.session.unfinished == 0


@pytest.mark.rule("FIELD-12", "MSRP-33")
def test_the_peer_may_send_before_it_answers() -> None:
    wire = Wire(bound=False)
    wire.written()
    wire.receive(
        f"MSRP tid1 SEND\r\nTo-Path: {HERE}\r\nFrom-Path: {THERE}\r\n-------tid1$\r\n"
    )
    assert wire.session.state is SessionState.OPEN
    (response,) = wire.written()
    assert response.what == "200"


@pytest.mark.rule("MSRP-36", "MSRP-91", "MSRP-96", "MSRP-98", "FIELD-13")
@pytest.mark.parametrize("code", [403, 481, 506])
def test_a_session_that_is_refused_is_over(code: int) -> None:
    wire = Wire(bound=False)
    message = wire.send(b"hello")
    (binding,) = wire.written()
    wire.respond(binding, code)
    failed, over = wire.events()
    assert isinstance(failed, MessageDeliveryFailed)
    assert isinstance(failed.error, SessionEnded)
    assert isinstance(over, SessionOver)
    assert isinstance(over.error, ConnectionFailed)
    assert f"refused the session with {code}" in str(over.error)
    assert over.was_open is False
    assert message.state is OutgoingState.FAILED


@pytest.mark.rule("MSRP-90", "MSRP-99")
@pytest.mark.parametrize("code", [400, 408, 413, 415, 423, 501, 599])
def test_another_answer_to_the_first_request_shows_that_it_was_understood(
    code: int,
) -> None:
    wire = Wire(bound=False)
    (binding,) = wire.written()
    wire.respond(binding, code)
    assert wire.session.state is SessionState.OPEN
    assert [type(event) for event in wire.events()] == [ConnectionEstablished]


@pytest.mark.rule("MSRP-59")
def test_without_patience_a_session_that_is_never_answered_is_lost() -> None:
    wire = Wire(SessionConfig(binding_patience=100.0), bound=False)
    wire.written()
    wire.stream.handle_timeout(30.0)
    (over,) = wire.events()
    assert isinstance(over, SessionOver)
    assert str(over.error) == "no MSRP connection: the peer never answered"


# What may be sent, and in which order.


@pytest.mark.rule("MSRP-3", "MSRP-47")
@pytest.mark.parametrize("message_id", ["", "abc", "with space", "x\r\ny1", "a" * 33])
def test_an_id_that_is_none_is_refused(message_id: str) -> None:
    with pytest.raises(LocalProtocolError, match="malformed Message-ID"):
        Wire().send(b"x", message_id)


@pytest.mark.rule("MSRP-47")
def test_two_messages_on_their_way_have_two_ids() -> None:
    wire = Wire()
    wire.send(b"one")
    with pytest.raises(LocalProtocolError, match="on its way"):
        wire.send(b"two")
    (chunk,) = wire.written()
    wire.respond(chunk, 200)
    wire.send(b"again")


@pytest.mark.rule("MSRP-52")
def test_short_messages_go_out_in_their_order() -> None:
    wire = Wire()
    for n in range(9):
        wire.send(bytes(3000), f"m00{n}")
    assert ids(wire.written()) == [f"m00{n}" for n in range(9) for _ in range(2)]


@pytest.mark.rule("MSRP-54")
def test_long_messages_take_turns_with_each_other_and_with_short_ones() -> None:
    wire = Wire()
    for name in ("big1", "big2"):
        wire.send(bytes(BULK_SIZE + 1), name)
    for n in range(3):
        wire.send(b"x", f"m00{n}")
    order = ids(wire.written(20_000))[:6]
    assert order == ["big1", "m000", "big2", "m001", "big1", "m002"]


@pytest.mark.rule("MSRP-54")
def test_a_long_message_that_has_nothing_ready_holds_up_no_other() -> None:
    wire = Wire()
    wire.send(Late(100_000), "late")
    for name in ("big1", "big2"):
        wire.send(bytes(BULK_SIZE * 2), name)
    assert ids(wire.written(10_000))[:4] == ["big1", "big2", "big1", "big2"]


@pytest.mark.rule("FIELD-5")
def test_long_messages_leave_some_of_the_window_to_short_ones() -> None:
    wire = Wire(SessionConfig(window=16))
    wire.send(bytes(1_000_000), "big1")
    assert len(wire.written(10_000_000)) == 14
    wire.send(b"x", "line")
    assert ids(wire.written()) == ["line"]


@pytest.mark.rule("MSRP-53")
def test_two_slow_sources_write_no_empty_chunks() -> None:
    wire = Wire(SessionConfig(chunk_size=None))
    sources = Late(100_000), Late(100_000)
    for name, source in zip(("big1", "big2"), sources, strict=True):
        source.data = bytes(5000)
        wire.send(source, name)
    chunks = wire.written()
    assert [len(chunk.body or b"") for chunk in chunks] == [5000, 5000]
    assert wire.written() == []


@pytest.mark.rule("MSRP-51", "MSRP-53")
def test_a_long_chunk_makes_way_once_it_has_2048_octets() -> None:
    wire = Wire(SessionConfig(chunk_size=None))
    wire.send(bytes(100_000))
    stream = wire.stream.data_to_send(1000, 0.0)
    wire.send(b"x", "line")
    while piece := wire.stream.data_to_send(1000, 0.0):
        stream += piece
    first, second, _ = read_messages(stream)
    assert 2048 <= len(first.body or b"") < 2048 + 1000
    assert second.body == b"x"


@pytest.mark.rule("MSRP-53", "MSRP-54")
def test_a_chunk_that_waits_for_its_source_makes_way_whatever_its_length() -> None:
    wire = Wire(SessionConfig(chunk_size=None))
    source = Late()
    source.data = b"a" * 100
    wire.send(source)
    stream = wire.stream.data_to_send(65536, 0.0)
    wire.send(b"x", "line")
    chunks = read_messages(stream + wire.stream.data_to_send(65536, 0.0))
    assert [chunk.body for chunk in chunks] == [b"a" * 100, b"x"]


@pytest.mark.rule("MSRP-15", "MSRP-49")
@pytest.mark.parametrize("chunk_size", [2048, None])
def test_a_source_that_ends_between_two_chunks_still_ends_the_message(
    chunk_size: int | None,
) -> None:
    wire = Wire(SessionConfig(chunk_size=chunk_size))
    source = Late()
    source.data = bytes(2048)
    message = wire.send(source)
    stream = wire.stream.data_to_send(65536, 0.0)
    source.over = True
    wire.send(b"x", "line")
    chunks = read_messages(stream + wire.stream.data_to_send(65536, 0.0))
    mine = [c for c in chunks if c.fields["message-id"] == "m123"]
    assert mine[-1].flag is ContinuationFlag.END
    assert b"".join(c.body or b"" for c in mine) == bytes(2048)
    for chunk in chunks:
        wire.respond(chunk, 200)
    assert message.state is OutgoingState.DELIVERED


def test_a_source_that_is_too_short_fails_its_message() -> None:
    wire = Wire(SessionConfig(window=4))
    source = Late(5000)
    source.data, source.over = bytes(3000), True
    wire.send(source)
    one, end = wire.written()
    assert (one.flag, end.flag) == (ContinuationFlag.MORE, ContinuationFlag.ABORT)
    assert end.body is None
    failed = wire.failure()
    assert failed.reason == (
        "the message was aborted: the source has fewer octets than it said"
    )
    assert (failed.status_code, failed.message_id) == (None, "m123")


def test_a_source_that_is_too_short_ends_its_long_chunk() -> None:
    wire = Wire(SessionConfig(chunk_size=None))
    source = Late(9000)
    source.data, source.over = bytes(3000), True
    wire.send(source)
    assert [chunk.flag for chunk in wire.written()] == [ContinuationFlag.ABORT]
    assert "fewer octets" in wire.failure().reason


def test_a_field_that_cannot_be_written_fails_its_message_and_no_other() -> None:
    wire = Wire()
    bad = Outgoing("bad1", "a/b", BytesBody(b"x"), fields=(("X", "a\r\nb"),))
    wire.session.send(bad)
    wire.send(b"good")
    assert ids(wire.written()) == ["m123"]
    assert "a line break" in wire.failure().reason


# Giving up.


@pytest.mark.rule("MSRP-56")
def test_a_message_that_has_not_begun_is_given_up_in_silence() -> None:
    wire = Wire()
    wire.send(b"x")
    wire.session.abort("m123", "no longer wanted")
    assert wire.written() == []
    assert wire.failure().reason == "the message was aborted: no longer wanted"
    wire.session.abort("m123")
    wire.session.abort("another")
    assert wire.events() == []


@pytest.mark.rule("MSRP-56", "FIELD-13")
def test_what_is_answered_to_the_end_of_an_aborted_message_means_nothing() -> None:
    wire = Wire(SessionConfig(window=1))
    wire.send(bytes(5000))
    (first,) = wire.written()
    wire.session.abort("m123")
    (end,) = wire.written()
    assert end.flag is ContinuationFlag.ABORT
    wire.events()
    wire.respond(first, 413)
    wire.respond(end, 413)
    assert wire.events() == []
    wire.send(b"next", "next")
    assert ids(wire.written()) == ["next"]


# Answers and reports.


@pytest.mark.rule("MSRP-89", "FIELD-9")
def test_a_message_is_delivered_when_each_chunk_is_answered() -> None:
    wire = Wire()
    wire.send(bytes(5000))
    chunks = wire.written()
    assert wire.events() == [MessageSent("m123")]
    for chunk in chunks[:-1]:
        wire.respond(chunk, 200)
    assert wire.events() == []
    wire.respond(chunks[-1], 200)
    assert wire.events() == [MessageDelivered("m123")]


@pytest.mark.rule("MSRP-90", "MSRP-91", "MSRP-93", "MSRP-95", "MSRP-97", "MSRP-99")
@pytest.mark.parametrize("code", [400, 403, 413, 423, 501, 401, 599, 299])
@pytest.mark.parametrize("failure", [FailureReport.YES, FailureReport.PARTIAL])
def test_an_error_fails_the_message_and_not_the_session(
    code: int, failure: FailureReport
) -> None:
    wire = Wire()
    message = wire.send(bytes(5000), failure_report=failure, success_report=True)
    wire.respond(wire.written()[0], code)
    failed = wire.failure()
    assert isinstance(failed.error, RequestRefused)
    assert failed.status_code == failed.error.code == code
    assert message.error is failed.error
    assert wire.session.state is SessionState.OPEN


@pytest.mark.rule("MSRP-86", "MSRP-93", "MT-7")
def test_after_an_error_the_rest_of_the_message_is_not_sent() -> None:
    wire = Wire(SessionConfig(window=2))
    wire.send(bytes(9000))
    first, _ = wire.written()
    wire.respond(first, 413)
    (end,) = wire.written()
    assert (end.flag, end.body) == (ContinuationFlag.ABORT, None)
    assert wire.written() == []


@pytest.mark.rule("MSRP-96", "MSRP-98")
@pytest.mark.parametrize("code", [481, 506])
@pytest.mark.parametrize("how", ["response", "report"])
def test_an_answer_that_there_is_no_session_ends_it(code: int, how: str) -> None:
    wire = Wire()
    wire.send(b"one")
    wire.send(b"two", "m456")
    first, _ = wire.written()
    wire.events()
    if how == "response":
        wire.respond(first, code)
    else:
        wire.report(f"000 {code}", None)
    one, two, over = wire.events()[-3:]
    assert isinstance(one, MessageDeliveryFailed)
    assert one.status_code == code
    assert isinstance(two, MessageDeliveryFailed)
    assert isinstance(two.error, SessionEnded)
    assert isinstance(over, SessionOver)
    assert (over.reason, over.error) == (CloseReason.BY_THEM, one.error)
    with pytest.raises(SessionClosed) as caught:
        wire.send(b"three", "m789")
    assert caught.value.__cause__ is one.error


@pytest.mark.rule("MSRP-92", "MSRP-85", "MT-6")
@pytest.mark.parametrize("how", ["response", "report"])
def test_408_is_the_same_as_no_response(how: str) -> None:
    wire = Wire()
    wire.send(b"one")
    (chunk,) = wire.written()
    if how == "response":
        wire.respond(chunk, 408)
    else:
        wire.report("000 408", "1-3/3")
    failed = wire.failure()
    assert isinstance(failed.error, ResponseTimeout)
    assert failed.status_code == 408
    wire.respond(chunk, 200)
    assert wire.events() == []


@pytest.mark.rule("MSRP-94")
@pytest.mark.parametrize("how", ["response", "report"])
def test_a_type_that_was_refused_is_noted(how: str) -> None:
    wire = Wire()
    wire.send(b"x", content_type="image/png")
    (chunk,) = wire.written()
    if how == "response":
        wire.respond(chunk, 415)
    else:
        wire.report("000 415", "1-1/1")
    assert wire.session.refused_types == {"image/png"}


@pytest.mark.rule("MSRP-59", "MSRP-85")
def test_after_silence_had_counted_as_success_an_error_is_told_once() -> None:
    wire = Wire()
    message = wire.send(bytes(5000), failure_report=FailureReport.PARTIAL)
    chunks = wire.written()
    assert wire.events() == [MessageSent("m123"), MessageDelivered("m123")]
    for chunk in chunks:
        wire.respond(chunk, 413)
    failed = wire.failure()
    assert failed.status_code == 413
    assert message.error is failed.error
    assert wire.events() == []
    assert wire.written() == []


@pytest.mark.rule("MSRP-94")
def test_of_an_envelope_that_was_refused_the_content_is_noted() -> None:
    wire = Wire()
    message = Outgoing(
        "m123", "message/cpim", BytesBody(b"x"), kind="image/png in message/cpim"
    )
    wire.session.send(message)
    (chunk,) = wire.written()
    wire.respond(chunk, 415)
    assert wire.session.refused_types == {"image/png in message/cpim"}


@pytest.mark.rule("MSRP-85")
def test_a_failure_that_is_reported_later_fails_the_message() -> None:
    wire = Wire()
    wire.send(bytes(5000), success_report=True)
    for chunk in wire.written():
        wire.respond(chunk, 200)
    wire.events()
    wire.report("000 413 too much", "1-2048/5000")
    report, failed = wire.events()
    assert isinstance(report, ReportReceived)
    assert (report.status_code, report.status_text) == (413, "too much")
    assert isinstance(failed, MessageDeliveryFailed)
    assert isinstance(failed.error, FailureReported)
    assert failed.error.code == 413


@pytest.mark.rule("MSRP-11", "MSRP-84", "FIELD-11")
@pytest.mark.parametrize(
    ("status", "mid"),
    [
        pytest.param("001 413", "m123", id="another-namespace"),
        pytest.param("000 413", "m999", id="unknown-message"),
        pytest.param("000 200", "m999", id="success-of-an-unknown-message"),
    ],
)
def test_reports_that_change_nothing(status: str, mid: str) -> None:
    wire = Wire()
    message = wire.send(b"x", success_report=True)
    wire.written()
    wire.events()
    wire.report(status, "1-1/1", mid)
    assert [type(event) for event in wire.events()] == [ReportReceived]
    assert message.state is OutgoingState.SENT
    assert wire.written() == []


@pytest.mark.rule("MSRP-84")
@pytest.mark.parametrize("line", ["Message-ID: m123", "Status: 000 413"])
def test_a_report_that_lacks_what_it_must_have_is_ignored(line: str) -> None:
    wire = Wire()
    wire.send(b"x")
    wire.written()
    wire.events()
    wire.receive(
        f"MSRP tid1 REPORT\r\nTo-Path: {HERE}\r\nFrom-Path: {THERE}\r\n{line}\r\n"
        "-------tid1$\r\n"
    )
    assert wire.events() == []
    assert wire.written() == []


@pytest.mark.rule("MSRP-60", "MSRP-88", "FIELD-12")
@pytest.mark.parametrize(
    "script",
    [
        pytest.param(["200", "1-5000/5000"], id="one-for-all"),
        pytest.param(["1-5000/5000", "200"], id="report-first"),
        pytest.param(["1-2048/5000", "2049-4096/5000", "4097-5000/5000"], id="each"),
        pytest.param(["4097-5000/5000", "1-4100/5000"], id="overlapping"),
        pytest.param([None], id="without-a-range"),
    ],
)
def test_a_message_whose_success_is_reported_is_delivered_once(
    script: list[str | None],
) -> None:
    wire = Wire()
    wire.send(bytes(5000), success_report=True)
    chunks = wire.written()
    wire.events()
    for step in script:
        assert wire.session.unfinished == 1 or step == "200"
        if step == "200":
            for chunk in chunks:
                wire.respond(chunk, 200)
        else:
            wire.report("000 200 OK", step)
    assert wire.events().count(MessageDelivered("m123")) == 1
    wire.report("000 200 OK", "1-5000/5000")
    assert MessageDelivered("m123") not in wire.events()


@pytest.mark.rule("MSRP-87")
@pytest.mark.parametrize("code", [408, 481])
def test_a_report_that_octets_were_not_received_ends_the_session(code: int) -> None:
    wire = Wire()
    wire.send(b"x")
    other = wire.send(b"y", "m456")
    wire.written()
    wire.events()
    wire.report(f"000 {code}", "1-1/1")
    assert wire.session.state is SessionState.CLOSED
    _, failed, ended, over = wire.events()
    assert isinstance(failed, MessageDeliveryFailed)
    assert (failed.message_id, failed.status_code) == ("m123", code)
    assert isinstance(ended, MessageDeliveryFailed)
    assert ended.error is other.error
    assert isinstance(over, SessionOver)
    assert over.reason is CloseReason.LOST
    assert isinstance(over.error, FailureReported)


@pytest.mark.rule("MSRP-87")
@pytest.mark.parametrize("code", [400, 403, 413, 415, 423, 501])
def test_a_report_that_the_message_is_not_wanted_ends_the_message_only(
    code: int,
) -> None:
    wire = Wire(SessionConfig(recovery_time=60.0))
    wire.send(b"x")
    wire.written()
    wire.report(f"000 {code}", "1-1/1")
    assert wire.failure().status_code == code
    assert wire.session.state is SessionState.OPEN


# The end.


@pytest.mark.rule("MSRP-60")
def test_the_end_of_a_session_is_the_end_of_all_that_is_in_it() -> None:
    wire = Wire(SessionConfig(window=1))
    wire.send(bytes(5000))
    wire.written()
    wire.receive(
        f"MSRP tid1 SEND\r\nTo-Path: {HERE}\r\nFrom-Path: {THERE}\r\n"
        "Message-ID: m999\r\nByte-Range: 1-*/*\r\nContent-Type: text/plain\r\n\r\n"
        "half\r\n-------tid1+\r\n"
    )
    wire.written()
    wire.events()
    wire.session.end(CloseReason.BY_US)
    failed, incomplete, over = wire.events()
    assert isinstance(failed, MessageDeliveryFailed)
    assert failed.status_code is None
    assert incomplete == IncompleteMessage(
        "m999", "text/plain", ((0, b"half"),), "the session ended"
    )
    assert over == SessionOver(CloseReason.BY_US, None, True)
    # The peer is told that no more of it comes.
    (end,) = wire.written()
    assert end.flag is ContinuationFlag.ABORT
    wire.session.end(CloseReason.LOST)
    assert wire.events() == []
    with pytest.raises(SessionClosed) as caught:
        wire.send(b"x", "late")
    assert caught.value.reason is CloseReason.BY_US


@pytest.mark.rule("MSRP-41", "MT-8")
def test_what_did_not_arrive_can_be_sent_again_under_its_id() -> None:
    lost, new = Wire(), Wire()
    message = lost.send(bytes(5000))
    lost.written()
    lost.stream.receive_eof(0.0)
    assert isinstance(message.error, SessionEnded)
    new.send(bytes(5000), message.message_id)
    assert set(ids(new.written())) == {"m123"}


def test_a_session_that_never_had_a_connection_can_end() -> None:
    session = Session(HERE, (THERE,), is_active=False)
    session.send(Outgoing("m123", "a/b", BytesBody(b"x")))
    session.end(CloseReason.BY_US)
    failed, over = session.events_received()
    assert isinstance(failed, MessageDeliveryFailed)
    assert over == SessionOver(CloseReason.BY_US, None, False)
    assert session.events_received() == []


def test_what_is_raised_after_the_end_says_why_it_ended() -> None:
    wire = Wire()
    cause = LimitExceeded("too much")
    wire.stream.abandon(CloseReason.LOST, cause)
    with pytest.raises(SessionClosed, match="lost: too much") as caught:
        wire.send(b"x")
    assert caught.value.__cause__ is cause


def test_what_is_raised_after_the_end_is_the_error_itself_if_it_says_so() -> None:
    wire = Wire()
    cause = SessionClosed(CloseReason.LOST)
    wire.stream.abandon(CloseReason.LOST, cause)
    with pytest.raises(SessionClosed) as caught:
        wire.send(b"x")
    assert caught.value is cause


@pytest.mark.rule("MSRP-71")
def test_an_incomplete_message_is_given_up_after_a_while() -> None:
    wire = Wire()
    wire.receive(
        f"MSRP tid1 SEND\r\nTo-Path: {HERE}\r\nFrom-Path: {THERE}\r\n"
        "Message-ID: m999\r\nContent-Type: text/plain\r\n\r\nhalf\r\n-------tid1+\r\n"
    )
    wire.written()
    assert wire.stream.next_timeout() == 540.0
    wire.stream.handle_timeout(539.9)
    assert wire.events() == []
    wire.stream.handle_timeout(540.0)
    (event,) = wire.events()
    assert isinstance(event, IncompleteMessage)
