from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import MessageAborted
from msrp.headers import ByteRange, FailureReport
from msrp.sansio.chunker import BytesBody
from msrp.sansio.encoder import encode_paths
from msrp.sansio.outgoing import MAX_REPORT_GAPS, Outgoing, OutgoingState


def message(
    size: int = 10, *, success: bool = False, failure: FailureReport | None = None
) -> Outgoing:
    """A message of which all but the last end-line is out."""
    outgoing = Outgoing(
        "m123",
        "a/b",
        BytesBody(bytes(size)),
        success_report=success,
        failure_report=failure or FailureReport.YES,
    )
    outgoing.begin()
    outgoing.begin()  # Once per chunk.
    while outgoing.chunker.take(65536):
        pass
    return outgoing


@pytest.mark.rule("MSRP-59", "FIELD-9")
def test_states_of_a_message_that_is_answered() -> None:
    outgoing = Outgoing("m123", "a/b", BytesBody(b"x"))
    states = [outgoing.state]
    outgoing.begin()
    states.append(outgoing.state)
    assert not outgoing.confirm()
    outgoing.unanswered = 1
    outgoing.all_written()
    states.append(outgoing.state)
    assert not outgoing.confirm()
    outgoing.unanswered = 0
    assert outgoing.confirm()
    states.append(outgoing.state)
    assert states == list(OutgoingState)[:4]
    assert outgoing.finished
    assert not outgoing.confirm()
    assert not outgoing.fail(MessageAborted("m123"))


@pytest.mark.rule("MSRP-59")
@pytest.mark.parametrize("failure", [FailureReport.NO, FailureReport.PARTIAL])
def test_silence_is_enough_for_who_asked_for_it(failure: FailureReport) -> None:
    outgoing = message(failure=failure)
    outgoing.all_written()
    assert outgoing.confirm()


@pytest.mark.rule("MSRP-59")
def test_a_message_fails_once() -> None:
    outgoing = message()
    error = MessageAborted("m123")
    assert outgoing.fail(error)
    assert outgoing.error is error
    assert not outgoing.fail(MessageAborted("m123"))
    assert outgoing.error is error
    assert outgoing.state is OutgoingState.FAILED


@pytest.mark.rule("MSRP-60", "MSRP-88")
@pytest.mark.parametrize(
    "ranges",
    [
        pytest.param(["1-10/10"], id="whole"),
        pytest.param(["1-5/10", "4-9/10", "10-10/10"], id="overlapping"),
        pytest.param(["6-10/10", "1-5/10"], id="backwards"),
        pytest.param(["1-*/*"], id="no-end"),
        pytest.param(["1-99/99"], id="beyond-what-was-sent"),
        pytest.param(["0-10/10"], id="from-zero"),
        pytest.param([None], id="no-range"),
        pytest.param(["1-5/10", "1-5/10", "5-*/10"], id="doubled"),
    ],
)
def test_reports_that_cover_all_confirm_the_message_at_the_last(
    ranges: list[str | None],
) -> None:
    outgoing = message(success=True)
    outgoing.all_written()
    for each in ranges:
        assert not outgoing.confirm()
        outgoing.success_reported(ByteRange.parse(each) if each else None)
    assert outgoing.confirm()


@pytest.mark.rule("MSRP-88")
@pytest.mark.parametrize(
    "text", ["1-9/10", "2-10/10", "11-20/20", "5-1/10", "99-*/*", "10-0/0"]
)
def test_reports_that_do_not_cover_all_confirm_nothing(text: str) -> None:
    outgoing = message(success=True)
    outgoing.all_written()
    outgoing.success_reported(ByteRange.parse(text))
    assert not outgoing.confirm()


@pytest.mark.rule("FIELD-12", "MSRP-60")
def test_a_report_may_come_before_the_message_is_all_out_and_before_the_response() -> (
    None
):
    outgoing = message(success=True)
    outgoing.unanswered = 1
    outgoing.success_reported(ByteRange(1, 10, 10))
    assert not outgoing.confirm()
    outgoing.all_written()
    assert outgoing.confirm()


@pytest.mark.rule("MSRP-60")
def test_an_empty_message_is_confirmed_by_a_report_and_not_by_having_no_octets() -> (
    None
):
    outgoing = message(0, success=True)
    outgoing.all_written()
    assert not outgoing.confirm()
    outgoing.success_reported(ByteRange(1, 0, 0))
    assert outgoing.confirm()


@pytest.mark.rule("MSRP-88", "MT-10")
def test_a_peer_that_reports_every_other_octet_is_not_remembered() -> None:
    outgoing = message(3 * MAX_REPORT_GAPS, success=True)
    outgoing.all_written()
    most = 0
    for n in range(1, 3 * MAX_REPORT_GAPS, 2):
        outgoing.success_reported(ByteRange(n, n, None))
        most = max(most, len(outgoing.reported))
    assert most <= MAX_REPORT_GAPS
    outgoing.success_reported(ByteRange(1, None, None))
    assert outgoing.confirm()


@pytest.mark.rule("MSRP-88")
def test_a_report_of_no_octets_takes_nothing_back() -> None:
    outgoing = message(100)
    outgoing.acknowledged(0, 100)
    outgoing.not_received(ByteRange(1, 0, 100))
    assert outgoing.confirmed.prefix == 100
    outgoing.not_received(ByteRange(51, 60, 100))
    assert outgoing.confirmed.prefix == 50


def written(body: bytes | BytesBody, *, success: bool, disposition: bool) -> bytes:
    """Write a message of one chunk: at one go, or with a chunker."""
    ids = iter(["hello", "tid1", "tid2"])
    fields = (("Content-Disposition", "render"),) if disposition else ()
    outgoing = Outgoing(
        "m123",
        "text/plain",
        body,
        success_report=success,
        fields=fields,
        new_id=ids.__next__,
    )
    whole = outgoing.write_whole(encode_paths("to", "from"), 2048)
    if whole is not None:
        assert outgoing.state is OutgoingState.SENT
        assert outgoing.chunker.offset == outgoing.size
        assert outgoing.chunker.at_end
        return whole[1]
    chunk = outgoing.chunker.next_chunk("to", "from", 2048)
    assert chunk is not None
    assert outgoing.state is OutgoingState.QUEUED
    return chunk.write(0) or b""


@pytest.mark.rule("MSRP-14", "MSRP-16")
@settings(deadline=None, max_examples=100)
@given(
    body=st.binary(max_size=20) | st.just(b"x-------tid1\r\n"),
    success=st.booleans(),
    disposition=st.booleans(),
)
def test_a_message_of_one_chunk_is_written_the_same_at_one_go(
    body: bytes, success: bool, disposition: bool
) -> None:
    one = written(body, success=success, disposition=disposition)
    assert one == written(BytesBody(body), success=success, disposition=disposition)


@pytest.mark.rule("MSRP-16")
def test_an_id_that_occurs_in_the_body_is_not_used() -> None:
    assert b"MSRP tid1 SEND" in written(
        b"-------hello", success=False, disposition=False
    )


def test_what_was_written_at_one_go_can_be_sent_again() -> None:
    outgoing = Outgoing("m123", "text/plain", b"hello")
    assert outgoing.write_whole(encode_paths("to", "from"), 2048) is not None
    outgoing.resume()
    chunk = outgoing.chunker.next_chunk("to", "from", 2048)
    assert chunk is not None
    assert (chunk.start, chunk.stop) == (0, 5)
    assert outgoing.write_whole(encode_paths("to", "from"), 2048) is None
