from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig
from msrp.errors import RemoteProtocolError
from msrp.events import IncompleteMessage, MessageCompleted, MessageRefused
from msrp.headers import ByteRange, ContinuationFlag, FailureReport, RequestHead
from msrp.sansio.incoming import Incoming, IncomingChunk
from msrp.sansio.reassembler import MemoryStore
from msrp.uri import parse_path

PATH = parse_path("msrp://h.example:1/a;tcp")
MORE, END, ABORT = (
    ContinuationFlag.MORE,
    ContinuationFlag.END,
    ContinuationFlag.ABORT,
)


def incoming(limits: Limits | None = None, **config: int) -> Incoming:
    return Incoming(
        SessionConfig(
            max_message_length=config.get("max_message_length", 1000),
            accept_types=AcceptTypes.parse("text/* image/png"),
            limits=limits or Limits(),
        )
    )


def head(
    byte_range: str | None = None,
    *,
    message_id: str | None = "m123",
    content_type: str | None = "text/plain",
    failure_report: FailureReport = FailureReport.YES,
) -> RequestHead:
    return RequestHead(
        "tid1",
        "SEND",
        PATH,
        PATH,
        message_id,
        ByteRange.parse(byte_range) if byte_range else None,
        content_type,
        failure_report=failure_report,
    )


def receive(
    into: Incoming,
    byte_range: str | None,
    body: bytes | None,
    flag: ContinuationFlag = END,
    *,
    message_id: str | None = "m123",
    content_type: str | None = "text/plain",
    now: float = 0.0,
) -> IncomingChunk:
    """Give a whole chunk, octet by octet, as a stream would."""
    request = head(byte_range, message_id=message_id, content_type=content_type)
    chunk = into.begin(request, has_body=body is not None, now=now)
    for octet in body or b"":
        if chunk.refusal is None:
            into.add(chunk, bytes([octet]), now)
    if chunk.refusal is None:
        into.end(chunk, flag, now)
    return chunk


def completed(contents: bytes, message_id: str = "m123") -> MessageCompleted:
    return MessageCompleted(message_id, "text/plain", contents)


@pytest.mark.rule("MSRP-61", "FIELD-10")
@pytest.mark.parametrize("byte_range", [None, "1-5/5", "1-*/*", "1-*/5", "1-5/*"])
def test_a_whole_message_in_one_chunk(byte_range: str | None) -> None:
    chunk = receive(incoming(), byte_range, b"hello")
    assert chunk.refusal is None
    assert chunk.events == [completed(b"hello")]
    assert chunk.completed == 5


@pytest.mark.rule("MSRP-72")
def test_the_disposition_is_passed_on() -> None:
    into = incoming()
    request = head()
    request.others["content-disposition"] = "attachment"
    chunk = into.begin(request, has_body=True, now=0.0)
    into.end(chunk, END, 0.0)
    (event,) = chunk.events
    assert isinstance(event, MessageCompleted)
    assert event.disposition == "attachment"


@pytest.mark.rule("MSRP-14", "MSRP-61", "MSRP-67")
def test_an_empty_body_is_a_message_and_no_body_is_none() -> None:
    assert receive(incoming(), "1-0/0", b"").events == [completed(b"")]
    for byte_range in ("1-0/0", "0-0/0", None):
        chunk = receive(incoming(), byte_range, None, content_type=None)
        assert (chunk.refusal, chunk.events) == (None, [])


@pytest.mark.rule("MSRP-45", "FIELD-10")
@pytest.mark.parametrize("message_id", [None, "m123"])
def test_a_request_without_a_body_needs_nothing(message_id: str | None) -> None:
    chunk = receive(incoming(), None, None, message_id=message_id, content_type=None)
    assert (chunk.refusal, chunk.events) == (None, [])


@pytest.mark.rule("MSRP-62", "FIELD-10")
@pytest.mark.parametrize(
    "first", ["1-10/10", "1-*/10", "1-3/3", "1-4/7"], ids=["early", "*", "3", "7"]
)
def test_what_counts_is_how_many_octets_came(first: str) -> None:
    into = incoming()
    assert receive(into, first, b"abcd", MORE).events == []
    assert receive(into, "5-10/10", b"efghij").events == [completed(b"abcdefghij")]


@pytest.mark.rule("MSRP-63", "MT-4")
def test_every_order_of_five_chunks_delivers_once() -> None:
    chunks = [
        ("1-3/15", b"abc", MORE),
        ("4-6/15", b"def", MORE),
        ("7-9/15", b"ghi", MORE),
        ("10-12/15", b"jkl", MORE),
        ("13-15/15", b"mno", END),
    ]
    for order in itertools.permutations(chunks):
        into = incoming()
        results = [receive(into, *each).events for each in order]
        assert results == [[], [], [], [], [completed(b"abcdefghijklmno")]]
        assert into.next_timeout() is None


@pytest.mark.rule("MSRP-65", "MT-4")
@pytest.mark.parametrize(
    "second",
    [
        pytest.param(("1-7/7", b"abcdefg", MORE), id="octets-behind-the-end"),
        pytest.param(("2-9/9", b"bcdefghi", END), id="another-end"),
        pytest.param(("2-2/2", b"b", END), id="an-earlier-end"),
    ],
)
def test_a_message_that_contradicts_itself_is_refused(
    second: tuple[str, bytes, ContinuationFlag],
) -> None:
    into = incoming()
    receive(into, "3-5/5", b"cde", END)
    chunk = receive(into, *second)
    assert chunk.refusal == 400
    assert chunk.events == [MessageRefused("m123", "text/plain", 400, True)]
    assert into.next_timeout() is None
    assert receive(into, "1-2/5", b"ab", MORE).refusal == 400


@pytest.mark.rule("MSRP-42", "MSRP-65")
def test_a_message_that_comes_twice_is_shown_once() -> None:
    into = incoming()
    assert receive(into, "1-5/5", b"hello").events == [completed(b"hello")]
    again = receive(into, "1-5/5", b"hello")
    assert (again.refusal, again.events, again.completed) == (None, [], 5)
    # In chunks, it is reported once again as well.
    parts = [
        receive(into, "1-2/5", b"he", MORE),
        receive(into, "3-5/5", b"llo", END),
    ]
    assert [part.completed for part in parts] == [None, 5]


@pytest.mark.rule("MSRP-66", "MT-4")
@pytest.mark.parametrize("body", [b"de", b"", None])
def test_a_message_that_is_given_up_is_let_go(body: bytes | None) -> None:
    into = incoming()
    receive(into, "1-3/9", b"abc", MORE)
    content_type = None if body is None else "text/plain"
    chunk = receive(into, "4-*/9", body, ABORT, content_type=content_type)
    assert chunk.refusal is None
    (event,) = chunk.events
    assert event == IncompleteMessage(
        "m123", "text/plain", ((0, b"abc" + (body or b"")),), "its sender gave it up"
    )
    assert into.next_timeout() is None
    late = receive(into, "6-9/9", b"fghi")
    assert (late.refusal, late.events, late.completed) == (None, [], None)


@pytest.mark.rule("MSRP-69")
@pytest.mark.parametrize("flag", [MORE, END])
def test_a_type_that_was_not_announced_is_refused_at_the_head(
    flag: ContinuationFlag,
) -> None:
    into = incoming()
    request = head("1-*/*", content_type="image/jpeg")
    chunk = into.begin(request, has_body=True, now=0.0)
    assert chunk.refusal == 415
    assert chunk.events == [MessageRefused("m123", "image/jpeg", 415, True)]
    # What was on its way already gets the same, and is told once.
    chunk = receive(into, "5-9/9", b"xxxxx", flag, content_type="image/jpeg")
    assert (chunk.refusal, chunk.events) == (415, [])


@pytest.mark.rule("MSRP-69", "MSRP-73")
def test_whether_the_peer_is_told_of_a_refusal() -> None:
    request = head(content_type="a/b", failure_report=FailureReport.NO)
    chunk = incoming().begin(request, has_body=True, now=0.0)
    assert chunk.events == [MessageRefused("m123", "a/b", 415, False)]


@pytest.mark.rule("MSRP-68", "MT-10")
@pytest.mark.parametrize(
    "byte_range",
    [
        pytest.param("999999999999-*/*", id="start"),
        pytest.param("1-*/1001", id="total"),
        pytest.param("1002-*/*", id="just-above"),
    ],
)
def test_an_absurd_range_is_refused_at_the_head(byte_range: str) -> None:
    into = incoming()
    chunk = into.begin(head(byte_range), has_body=True, now=0.0)
    assert chunk.refusal == 413
    assert into.next_timeout() is None


@pytest.mark.rule("MSRP-68", "MT-10")
def test_an_absurd_range_of_a_further_chunk_is_refused() -> None:
    for body in (b"x", b""):
        into = incoming()
        receive(into, "1-*/*", b"abc", MORE)
        assert receive(into, "999999999999-*/*", body, END).refusal == 413


@pytest.mark.rule("MSRP-67", "MSRP-68")
def test_a_message_may_have_as_many_octets_as_are_taken_and_no_more() -> None:
    assert receive(incoming(), "1-*/*", bytes(1000)).refusal is None
    chunk = receive(incoming(), "1-*/*", bytes(1001))
    assert chunk.refusal == 413
    assert chunk.events == [MessageRefused("m123", "text/plain", 413, True)]


@pytest.mark.rule("MSRP-10", "MSRP-13", "MSRP-47")
@pytest.mark.parametrize(
    ("byte_range", "message_id", "content_type"),
    [
        pytest.param("0-4/4", "m123", "text/plain", id="start-of-zero"),
        pytest.param("1-4/4", None, "text/plain", id="no-message-id"),
        pytest.param("1-4/4", "m123", None, id="no-content-type"),
    ],
)
def test_a_malformed_chunk_with_a_body_is_refused(
    byte_range: str, message_id: str | None, content_type: str | None
) -> None:
    chunk = receive(
        incoming(),
        byte_range,
        b"abcd",
        message_id=message_id,
        content_type=content_type,
    )
    assert chunk.refusal == 400
    assert all(isinstance(event, MessageRefused) for event in chunk.events)


@pytest.mark.rule("MSRP-71", "MT-10")
def test_only_so_many_messages_may_be_incomplete_at_a_time() -> None:
    into = incoming(Limits(max_open_messages=3))
    for n in range(3):
        assert receive(into, "1-*/*", b"x", MORE, message_id=f"m00{n}").refusal is None
    assert receive(into, "1-*/*", b"x", MORE, message_id="m003").refusal == 413
    chunk = receive(into, "2-2/2", b"y", END, message_id="m001")
    assert chunk.events == [completed(b"xy", "m001")]
    assert receive(into, "1-*/*", b"x", MORE, message_id="m004").refusal is None


@pytest.mark.rule("MSRP-71", "MT-10")
def test_incomplete_messages_may_hold_only_so_many_octets_together() -> None:
    into = incoming(Limits(max_held_octets=1200))
    assert receive(into, "1-*/*", bytes(1000), MORE, message_id="m000").refusal is None
    assert receive(into, "1-*/*", bytes(200), MORE, message_id="m001").refusal is None
    assert receive(into, "1-*/*", bytes(1), MORE, message_id="m002").refusal == 413
    assert receive(into, "201-*/*", bytes(1), MORE, message_id="m001").refusal == 413
    # Its octets are gone, so that there is room again.
    assert receive(into, "1-*/*", bytes(200), MORE, message_id="m003").refusal is None


@pytest.mark.rule("MSRP-67", "MSRP-71")
def test_a_message_alone_may_be_as_long_as_is_taken() -> None:
    into = incoming(Limits(max_held_octets=100))
    assert receive(into, "1-*/*", bytes(1000)).refusal is None


@pytest.mark.rule("MSRP-71")
def test_a_message_in_too_many_pieces_is_refused() -> None:
    into = incoming(Limits(max_ranges=2))
    for start in (1, 3):
        receive(into, f"{start}-*/*", b"x", MORE)
    assert receive(into, "5-*/*", b"x", MORE).refusal == 413


@pytest.mark.rule("MSRP-71", "MT-10")
def test_a_message_is_given_up_when_no_more_of_it_comes() -> None:
    into = incoming()
    receive(into, "1-*/*", b"abc", MORE, now=100.0)
    receive(into, "1-*/*", b"x", MORE, message_id="m456", now=200.0)
    assert into.next_timeout() == 640.0
    assert into.stale(639.9) == []
    assert into.stale(640.0) == [
        IncompleteMessage("m123", "text/plain", ((0, b"abc"),), "no more of it came")
    ]
    assert into.next_timeout() == 740.0
    assert receive(into, "4-6/6", b"def").refusal == 413


@pytest.mark.rule("MSRP-71", "FIELD-16")
def test_a_message_is_not_given_up_while_a_long_chunk_of_it_flows() -> None:
    into = incoming()
    chunk = into.begin(head("1-*/*"), has_body=True, now=0.0)
    for now in (500.0, 1000.0, 1500.0):
        assert into.stale(now) == []
        into.add(chunk, b"x", now)
    into.end(chunk, END, 1500.0)
    assert chunk.events == [completed(b"xxx")]


@pytest.mark.rule("MSRP-71")
def test_nothing_grows_old_while_we_do_not_read() -> None:
    into = incoming()
    receive(into, "1-*/*", b"abc", MORE, now=0.0)
    into.pause(100.0)
    into.pause(101.0)
    assert into.next_timeout() is None
    assert into.stale(10_000.0) == []
    into.resume(10_000.0)
    into.resume(10_001.0)
    assert into.next_timeout() == 10_440.0


@pytest.mark.rule("MSRP-71")
@pytest.mark.parametrize("body", [True, False])
def test_a_chunk_of_a_message_that_was_given_up_meanwhile_is_refused(
    body: bool,
) -> None:
    into = incoming()
    chunk = into.begin(head("1-*/*"), has_body=True, now=0.0)
    into.stale(540.0)
    if body:
        into.add(chunk, b"x", 541.0)
    else:
        into.end(chunk, END, 541.0)
    assert (chunk.refusal, chunk.events) == (413, [])


@pytest.mark.rule("MSRP-42", "MT-10")
def test_only_so_many_messages_are_remembered() -> None:
    into = incoming(Limits(max_remembered_messages=2))
    for message_id in ("m001", "m002", "m003"):
        receive(into, "1-1/1", b"x", message_id=message_id)
    assert receive(into, "1-1/1", b"x", message_id="m003").events == []
    assert receive(into, "1-1/1", b"x", message_id="m001").events != []


def test_at_the_end_of_a_session_what_has_come_is_told() -> None:
    into = incoming()
    receive(into, "3-*/*", b"c", MORE)
    receive(into, "1-*/*", b"x", MORE, message_id="m456")
    told = into.give_up_all("the session ended")
    assert [(each.message_id, each.ranges) for each in told] == [
        ("m123", ((2, b"c"),)),
        ("m456", ((0, b"x"),)),
    ]
    assert into.give_up_all("the session ended") == []


chunks = st.lists(
    st.tuples(
        st.sampled_from(["m001", "m002", "m003"]),
        st.integers(0, 40),
        st.binary(max_size=20) | st.none(),
        st.sampled_from(ContinuationFlag),
        st.floats(0, 600),
    ),
    max_size=30,
)


@pytest.mark.rule("MSRP-63", "MSRP-64", "MSRP-65", "MSRP-71", "MT-4")
@given(chunks)
@settings(max_examples=150, deadline=None)
def test_each_message_comes_to_one_end_at_most(
    chunks: list[tuple[str, int, bytes | None, ContinuationFlag, float]],
) -> None:
    into = incoming(Limits(max_open_messages=2, max_ranges=4), max_message_length=50)
    now = 0.0
    over: list[str] = []
    for message_id, start, body, flag, pause in chunks:
        now += pause
        over += [event.message_id for event in into.stale(now)]
        content_type = None if body is None else "text/plain"
        chunk = receive(
            into,
            f"{start}-*/*",
            body,
            flag,
            message_id=message_id,
            content_type=content_type,
            now=now,
        )
        over += [event.message_id for event in chunk.events]
        assert chunk.refusal in (None, 400, 413)
        assert (into.next_timeout() or now) + 540 >= now
    over += [event.message_id for event in into.give_up_all("over")]
    assert len(over) == len(set(over))


class Choosy(MemoryStore):
    """Takes all octets, and finds at the end that they aren't what it wants."""

    def finish(self, size: int) -> None:
        raise RemoteProtocolError("not what was announced", status=415)


def test_a_store_may_refuse_a_message_when_it_is_complete() -> None:
    received = incoming()
    received.open_store = lambda _: Choosy(100, 10)
    chunk = receive(received, "1-5/5", b"hello")
    assert chunk.refusal == 415
    assert chunk.events == [MessageRefused("m123", "text/plain", 415, True)]
