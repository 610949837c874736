"""Chunks that are there from start to end, and stores other than memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig
from msrp.errors import LimitExceeded
from msrp.events import (
    IncompleteMessage,
    MessageCompleted,
    MessageRefused,
    MessageStored,
)
from msrp.headers import ByteRange, ContinuationFlag, FailureReport, RequestHead
from msrp.policy import Announcement, Store
from msrp.sansio.incoming import Incoming, IncomingChunk
from msrp.uri import parse_path

PATH = parse_path("msrp://h.example:1/a;tcp")
MORE, END, ABORT = (
    ContinuationFlag.MORE,
    ContinuationFlag.END,
    ContinuationFlag.ABORT,
)
NO = FailureReport.NO


@dataclass
class Ledger:
    """A store that notes what it is told."""

    max_length: int | None = None
    held: int = 0
    pieces: list[tuple[int, bytes]] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        self.pieces.append((offset, data))

    def finish(self, size: int) -> None:
        self.ends.append(f"finished {size}")

    def give_up(self, *, keep: bool) -> None:
        self.ends.append("kept" if keep else "thrown away")


class Full(Ledger):
    """One that takes two octets."""

    def write(self, offset: int, data: bytes) -> None:
        if offset + len(data) > 2:
            raise LimitExceeded("it is full", status=413)


@dataclass(frozen=True)
class Sent:
    """One chunk, as a peer may send it."""

    message_id: str | None
    content_type: str | None
    byte_range: ByteRange | None
    failure_report: FailureReport
    body: bytes
    flag: ContinuationFlag

    @property
    def head(self) -> RequestHead:
        about = self.message_id, self.byte_range, self.content_type
        wish = self.failure_report
        return RequestHead("tid1", "SEND", PATH, PATH, *about, failure_report=wish)


numbers = st.integers(0, 12)
chunks = st.builds(
    Sent,
    st.sampled_from([None, "m1111", "m2222", "m3333"]),
    st.sampled_from([None, "text/plain", "image/png", "text/x-ledger", "text/x-not"]),
    st.none()
    | st.builds(ByteRange, numbers, st.none() | numbers, st.none() | numbers)
    | st.just(ByteRange(1, None, None)),
    st.sampled_from(FailureReport),
    st.binary(max_size=8),
    st.sampled_from([END, END, MORE, ABORT]),
)

in_any_order = st.builds(
    Sent,
    st.just("m1111"),
    st.just("text/plain"),
    st.builds(ByteRange, st.integers(0, 7), st.none(), st.none() | st.just(6)),
    st.just(FailureReport.YES),
    st.binary(min_size=1, max_size=3),
    st.sampled_from([MORE, MORE, MORE, END]),
)
"""Chunks of a message of six octets, of which some may be behind its end."""


def incoming(**limits: int) -> Incoming:
    into = Incoming(
        SessionConfig(
            max_message_length=6,
            accept_types=AcceptTypes.parse("text/*"),
            limits=Limits(**limits),
        )
    )
    return into


def into_ledgers(into: Incoming, max_length: int | None = None) -> list[Ledger]:
    """Have messages go to ledgers by their type; return those that are in use."""
    ledgers: list[Ledger] = []

    def open_store(announcement: Announcement) -> Store | int:
        if announcement.content_type == "text/x-not":
            return 403
        if announcement.content_type != "text/x-ledger":
            return into.in_memory()
        ledgers.append(Ledger(max_length))
        return ledgers[-1]

    into.open_store = open_store
    return ledgers


def at_one_go(into: Incoming, sent: Sent) -> IncomingChunk:
    """Take the short way where there is one."""
    head, body = sent.head, sent.body
    at = head.byte_range
    if head.message_id and head.content_type and sent.failure_report is not NO and at:
        whole = at.start == 1 and at.total == len(body)
        if sent.flag is END and whole:
            event = into.only_chunk(head.message_id, head.content_type, body)
            if event is not None:
                return IncomingChunk(head, events=[event], completed=len(body))
        if sent.flag is MORE and body:
            if into.goes_on(head.message_id, at.start - 1, body, 0.0):
                return IncomingChunk(head)
    return step_by_step(into, sent)


def step_by_step(into: Incoming, sent: Sent) -> IncomingChunk:
    chunk = into.begin(sent.head, has_body=True, now=0.0)
    if chunk.refusal is None:
        into.add(chunk, sent.body, 0.0)
    if chunk.refusal is None:
        into.end(chunk, sent.flag, 0.0)
    return chunk


@pytest.mark.rule("MSRP-61", "MSRP-62")
@settings(max_examples=400, deadline=None)
@given(sent=st.lists(chunks, max_size=6), held=st.integers(0, 14), own=st.booleans())
def test_a_chunk_leads_to_the_same_at_one_go_and_step_by_step(
    sent: list[Sent], held: int, own: bool
) -> None:
    one, two = incoming(max_held_octets=held), incoming(max_held_octets=held)
    ledgers = [into_ledgers(into, 5) if own else [] for into in (one, two)]
    for each in sent:
        whole = at_one_go(one, each)
        steps = step_by_step(two, each)
        assert whole.refusal == steps.refusal
        assert whole.completed == steps.completed
        assert [repr(e).partition("store")[0] for e in whole.events] == [
            repr(e).partition("store")[0] for e in steps.events
        ]
        assert one.unfinished == two.unfinished
    assert [each.ends for each in ledgers[0]] == [each.ends for each in ledgers[1]]


@pytest.mark.rule("MSRP-61", "MSRP-62")
@settings(max_examples=400, deadline=None)
@given(sent=st.lists(in_any_order, max_size=8), gaps=st.integers(1, 4))
def test_chunks_in_any_order_lead_to_the_same_at_one_go_and_step_by_step(
    sent: list[Sent], gaps: int
) -> None:
    one, two = incoming(max_ranges=gaps), incoming(max_ranges=gaps)
    for each in sent:
        whole, steps = at_one_go(one, each), step_by_step(two, each)
        assert whole.refusal == steps.refusal
        assert whole.completed == steps.completed
        assert whole.events == steps.events
    assert one.give_up_all("over") == two.give_up_all("over")


@pytest.mark.rule("MSRP-61")
def test_chunks_behind_a_gap_go_the_short_way() -> None:
    into = incoming()
    opened(into, "m1111")
    assert into.goes_on("m1111", 4, b"l", 0.0)
    last = Sent("m1111", "text/plain", ByteRange(6, 6, 6), FailureReport.YES, b"!", END)
    assert step_by_step(into, last).events == []
    assert into.goes_on("m1111", 4, b"o", 0.0)
    assert not into.goes_on("m1111", 2, b"ll", 0.0)  # That makes it complete.
    (event,) = step_by_step(
        into,
        Sent("m1111", "text/plain", ByteRange(3, 4, 6), FailureReport.YES, b"ll", MORE),
    ).events
    assert event == MessageCompleted("m1111", "text/plain", b"hello!")


@pytest.mark.rule("MSRP-72")
def test_a_message_can_go_somewhere_else_than_into_memory() -> None:
    into = incoming()
    ledgers = into_ledgers(into)
    sent = Sent("m1111", "text/x-ledger", None, FailureReport.YES, b"hello", END)
    (event,) = step_by_step(into, sent).events
    assert event == MessageStored("m1111", "text/x-ledger", 5, ledgers[0])
    assert ledgers[0].pieces == [(0, b"hello")]
    assert ledgers[0].ends == ["finished 5"]


@pytest.mark.rule("MSRP-72")
def test_what_a_store_has_of_an_unfinished_message_stays_there() -> None:
    into = incoming()
    ledgers = into_ledgers(into)
    sent = Sent("m1111", "text/x-ledger", None, FailureReport.YES, b"hell", MORE)
    assert step_by_step(into, sent).events == []
    (event,) = into.give_up_all("over")
    assert event == IncompleteMessage("m1111", "text/x-ledger", (), "over", ledgers[0])
    assert ledgers[0].ends == ["kept"]


@pytest.mark.rule("MSRP-72")
def test_a_store_that_takes_less_than_is_announced_is_not_used() -> None:
    into = incoming()
    ledgers = into_ledgers(into, max_length=4)
    announced = ByteRange(1, None, 5)
    sent = Sent("m1111", "text/x-ledger", announced, FailureReport.NO, b"hell", MORE)
    chunk = step_by_step(into, sent)
    assert chunk.refusal == 413
    assert chunk.events == [MessageRefused("m1111", "text/x-ledger", 413, False)]
    assert ledgers[0].ends == ["thrown away"]


@pytest.mark.rule("MSRP-72")
def test_who_decides_where_a_message_goes_can_refuse_it() -> None:
    into = incoming()
    into_ledgers(into)
    sent = Sent("m1111", "text/x-not", None, FailureReport.YES, b"hello", END)
    assert step_by_step(into, sent).refusal == 403
    assert step_by_step(into, sent).refusal == 403


@pytest.mark.parametrize("take", [at_one_go, step_by_step])
def test_a_store_of_any_kind_can_be_too_scattered(
    take: Callable[[Incoming, Sent], IncomingChunk],
) -> None:
    into = incoming(max_ranges=2)
    into_ledgers(into)
    for number, refusal in enumerate([None, None, 413]):
        at = ByteRange(3 * number + 1, None, None)
        sent = Sent("m1111", "text/x-ledger", at, FailureReport.YES, b"x", MORE)
        assert take(into, sent).refusal == refusal


def test_a_store_that_takes_no_more_says_so_the_long_way() -> None:
    into = incoming()
    first = Sent("m1111", "text/x-ledger", None, FailureReport.YES, b"he", MORE)
    into.open_store = lambda _: Full()
    assert step_by_step(into, first).refusal is None
    assert not into.goes_on("m1111", 2, b"llo", 0.0)
    more = Sent(
        "m1111", "text/x-ledger", ByteRange(3, 5, 5), FailureReport.YES, b"llo", MORE
    )
    assert step_by_step(into, more).refusal == 413


def opened(into: Incoming, *message_ids: str) -> None:
    """Have messages begin with two octets."""
    for each in message_ids:
        sent = Sent(each, "text/plain", None, FailureReport.YES, b"he", MORE)
        assert step_by_step(into, sent).refusal is None


def test_a_message_beside_too_many_others_goes_the_long_way() -> None:
    into = incoming(max_open_messages=1)
    opened(into, "m1111")
    assert into.only_chunk("m2222", "text/plain", b"hello") is None


def test_what_might_be_too_long_goes_the_long_way() -> None:
    into = incoming()
    opened(into, "m1111")
    assert not into.goes_on("m1111", 2, b"hello", 0.0)
    assert into.goes_on("m1111", 2, b"llo", 0.0)


@pytest.mark.rule("MSRP-71")
def test_what_might_be_too_scattered_is_not_written_twice() -> None:
    into = incoming(max_ranges=1)
    ledgers = into_ledgers(into)
    sent = [
        Sent(
            "m1111",
            "text/x-ledger",
            ByteRange(at, None, None),
            FailureReport.YES,
            b"x",
            MORE,
        )
        for at in (1, 6)
    ]
    assert at_one_go(into, sent[0]).refusal is None
    assert at_one_go(into, sent[1]).refusal == 413
    assert ledgers[0].pieces == [(0, b"x"), (5, b"x")]


@pytest.mark.rule("MSRP-71")
def test_messages_that_take_turns_hold_no_more_than_they_may() -> None:
    into = incoming(max_held_octets=7)
    opened(into, "m1111", "m2222")
    assert into.goes_on("m1111", 2, b"llo", 0.0)
    assert not into.goes_on("m2222", 2, b"l", 0.0)
    more = Sent(
        "m2222", "text/plain", ByteRange(3, 3, 5), FailureReport.YES, b"l", MORE
    )
    assert step_by_step(into, more).refusal == 413


def test_what_is_not_taken_goes_the_long_way() -> None:
    into = incoming()
    assert into.only_chunk("m1111", "image/png", b"x") is None
    assert into.only_chunk("m1111", "text/plain", b"x") is not None
    assert into.only_chunk("m1111", "text/plain", b"x") is None
    into.has_room = lambda: False
    assert into.only_chunk("m2222", "text/plain", b"x") is None
