from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session
from msrp.sansio.transactions import Transaction, Transactions
from msrp.uri import MsrpUri

MESSAGE = Outgoing("m123", "a/b", BytesBody(b""))
HERE, THERE = MsrpUri.parse("msrp://a:1/s;tcp"), MsrpUri.parse("msrp://b:2/t;tcp")
SESSION = Session(HERE, (THERE,), is_active=True)


def begin(open_: Transactions, *ids: str, now: float | None = None) -> None:
    for each in ids:
        open_.begin(Transaction(each, SESSION, MESSAGE, silent=False))
        if now is not None:
            open_.written(each, now)


def timed_out(open_: Transactions, now: float) -> list[str]:
    return [each.transaction_id for each in open_.timed_out(now)]


@pytest.mark.rule("MSRP-59", "MT-6")
def test_a_response_is_missing_after_30_seconds_and_not_before() -> None:
    open_ = Transactions(30.0)
    begin(open_, "tid1", now=100.0)
    assert open_.next_timeout() == 130.0
    assert timed_out(open_, 129.9) == []
    assert timed_out(open_, 130.0) == ["tid1"]
    assert timed_out(open_, 131.0) == []
    assert open_.next_timeout() is None
    assert len(open_) == 0


@pytest.mark.rule("MSRP-59")
def test_no_clock_runs_while_the_request_is_being_written() -> None:
    open_ = Transactions(30.0)
    begin(open_, "tid1")
    assert open_.next_timeout() is None
    assert timed_out(open_, 1000.0) == []
    open_.written("tid1", 1000.0)
    assert open_.next_timeout() == 1030.0


@pytest.mark.rule("MSRP-59")
def test_each_chunk_has_a_clock_of_its_own() -> None:
    open_ = Transactions(30.0)
    begin(open_, "tid1", now=0.0)
    begin(open_, "tid2", now=1.0)
    begin(open_, "tid3")
    begin(open_, "tid4", now=1.0)
    assert timed_out(open_, 30.0) == ["tid1"]
    assert open_.next_timeout() == 31.0
    assert timed_out(open_, 31.0) == ["tid2", "tid4"]
    assert "tid3" in open_


@pytest.mark.rule("MSRP-89")
def test_an_answered_transaction_is_over() -> None:
    open_ = Transactions(30.0)
    begin(open_, "tid1", "tid2", now=0.0)
    ended = open_.end("tid1")
    assert ended is not None
    assert ended.message is MESSAGE
    assert open_.end("tid1") is None
    assert "tid2" in open_
    assert len(open_) == 1
    open_.written("tid1", 5.0)  # Answered before all of it was out.
    assert "tid1" not in open_


@pytest.mark.rule("MSRP-59")
def test_the_clock_stands_still_while_we_do_not_read() -> None:
    open_ = Transactions(30.0)
    begin(open_, "tid1", now=0.0)
    open_.pause(10.0)
    open_.pause(11.0)
    assert open_.next_timeout() is None
    begin(open_, "tid2", now=12.0)
    assert timed_out(open_, 1000.0) == []
    open_.resume(1000.0)
    open_.resume(1001.0)
    assert open_.next_timeout() == 1020.0
    assert timed_out(open_, 1019.9) == []
    assert timed_out(open_, 1020.0) == ["tid1"]
    # It began while the clock stood.
    assert open_.next_timeout() == 1030.0
    open_.pause(1025.0)
    open_.resume(1125.0)
    assert timed_out(open_, 1129.9) == []
    assert timed_out(open_, 1130.0) == ["tid2"]


times = st.floats(0, 1e9)


@pytest.mark.rule("MSRP-59")
@given(times, times, times, times)
@settings(max_examples=200, deadline=None)
def test_when_the_time_comes_something_is_due(
    started: float, paused: float, pause: float, timeout: float
) -> None:
    # Else rounding would have the shell look again at once, and again.
    open_ = Transactions(timeout)
    begin(open_, "tid1", now=started)
    open_.pause(started + paused)
    open_.resume(started + paused + pause)
    due = open_.next_timeout()
    assert due is not None
    assert timed_out(open_, due) == ["tid1"]
