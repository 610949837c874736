"""A whole connection, with sessions on it, against a peer that does as it pleases.

An input is a script (see :mod:`tests.fuzz.rehearsal`): octets of the peer, cut
anywhere, among things that happen on our side.  Whatever it is:

* nothing is raised, and the timers come to rest;
* all that is written is MSRP, and of our messages every octet in its order;
* the peer gets one response to each request that asks for it, no more than one to
  any, and none to a REPORT;
* how the octets are cut changes neither what happens nor what is written;
* what the peer sends doesn't pile up in memory;
* each message of ours ends as delivered or as failed, once, and each session once;
* each store is told once how the message in it ended, and so is the application;
* a session on another connection has noticed nothing.
"""

from __future__ import annotations

import re
from collections import Counter

from msrp.errors import CloseReason, RemoteProtocolError
from msrp.events import (
    ConnectionEstablished,
    CoreEvent,
    IncompleteMessage,
    MessageCompleted,
    MessageDelivered,
    MessageDeliveryFailed,
    MessageStored,
    SessionOver,
)
from msrp.headers import ByteRange, ContinuationFlag, FailureReport, RequestHead
from msrp.sansio.outgoing import OutgoingState
from msrp.sansio.parser import EndReceived, Parser, RequestReceived
from msrp.sansio.session import SessionState
from msrp.testing import Written, read_messages
from tests.fuzz.rehearsal import Rehearsal
from tests.fuzz.scene import LIMITS, MAX_MESSAGE_LENGTH, Bystander, Drip, Ledger

__all__ = ["WORDS", "fuzz"]

WORDS = (
    b"MSRP abcd SEND\r\n",
    b"MSRP efgh REPORT\r\n",
    b"MSRP ijkl NICKNAME\r\n",
    b"MSRP t000 200 OK\r\n-------t000$\r\n",
    b"MSRP t001 200 OK\r\n-------t001$\r\n",
    b"MSRP t002 413\r\n-------t002$\r\n",
    b"MSRP t001 481\r\n-------t001$\r\n",
    b"MSRP t003 415\r\n-------t003$\r\n",
    b"To-Path: msrp://a:1/here;tcp\r\nFrom-Path: msrp://b:2/here;tcp\r\n",
    b"To-Path: msrp://a:1/called;tcp\r\nFrom-Path: msrp://b:2/called;tcp\r\n",
    b"To-Path: msrp://a:1/late;tcp\r\nFrom-Path: msrp://b:2/late;tcp\r\n",
    b"To-Path: msrp://a:1/other;tcp\r\nFrom-Path: msrp://b:2/other;tcp\r\n",
    b"To-Path: msrp://a:1/none;tcp\r\nFrom-Path: msrp://b:2/x;tcp msrp://c:3/x;tcp\r\n",
    b"Message-ID: wxyz\r\n",
    b"Message-ID: w@@@@\r\n",
    b"Message-ID: m000\r\n",
    b"Message-ID: m001\r\n",
    b"Byte-Range: 1-*/*\r\n",
    b"Byte-Range: 1-5/10\r\n",
    b"Byte-Range: 6-10/10\r\n",
    b"Byte-Range: @@@@-*/*\r\n",
    b"Byte-Range: 0-0/0\r\n",
    b"Status: 000 200 OK\r\n",
    b"Status: 000 408\r\n",
    b"Failure-Report: no\r\n",
    b"Failure-Report: partial\r\n",
    b"Success-Report: yes\r\n",
    b"Content-Type: text/plain\r\n\r\n",
    b"Content-Type: image/png\r\n\r\n",
    b"Content-Type: text/x-ledger\r\n\r\n",
    b"Content-Type: text/x-refused\r\n\r\n",
    b"\r\n-------abcd$\r\n",
    b"-------abcd$\r\n",
    b"-------abcd+\r\n",
    b"-------abcd#\r\n",
    b"-------efgh$\r\n",
    b"-------ijkl$\r\n",
    b"hello",
    *(b"~" + action for action in Rehearsal.ACTIONS),
)

_RANDOM_ID = re.compile(rb"Message-ID: [0-9a-f]{24}\r\n")
"""That of the first, empty SEND, which is new each time."""

_FAR_AHEAD = 100_000.0
"""Seconds after which every timer has gone off."""


def fuzz(data: bytes) -> None:
    whole, cut = Rehearsal(data), Rehearsal(data, piece=7)
    for rehearsal in (whole, cut):
        rehearsal.play()
        check_other(rehearsal.other, rehearsal.now)
        end(rehearsal)
        check_written(rehearsal)
        for name in rehearsal.sessions:
            check_events(rehearsal, name)
        check_ledgers(rehearsal)
    assert transcript(cut) == transcript(whole)


def check_other(other: Bystander, now: float) -> None:
    """See that the session on the other connection is as it was, and alive."""
    stream = other.stream
    assert other.session.state is SessionState.OPEN
    assert other.session.stream is stream
    assert list(stream.sessions) == [other.session]
    assert not other.message.finished
    assert stream.events_received() == []
    assert stream.data_to_send(1000, now) == b""
    assert stream.next_timeout() == other.due
    stream.receive_data(other.response, now)
    assert other.message.state is OutgoingState.DELIVERED


def end(rehearsal: Rehearsal) -> None:
    """Let every session end, and the connection after them."""
    for session in rehearsal.sessions.values():
        session.end(CloseReason.BY_US)
        assert session.unfinished == 0
    rehearsal.collect()
    rehearsal.write()
    rehearsal.let_pass(_FAR_AHEAD)
    rehearsal.write()
    stream = rehearsal.stream
    assert stream.closing
    assert stream.next_timeout() is None
    assert not stream.sessions
    for message, _ in rehearsal.messages:
        assert message.finished
        assert (message.error is None) is (message.state is OutgoingState.DELIVERED)


def check_written(rehearsal: Rehearsal) -> None:
    written = bytes(rehearsal.written)
    parser = Parser()
    parser.receive_data(written)
    assert parser.error is None
    assert not parser.in_message
    sent = read_messages(written)
    responses = Counter(m.transaction_id for m in sent if m.what.isdigit())
    received = requests(bytes(rehearsal.read))
    assert responses <= Counter(transaction_id for transaction_id, _ in received)
    if not rehearsal.keeps_peer_waiting:
        assert Counter(tid for tid, must in received if must) <= responses
    own = [m.transaction_id for m in sent if not m.what.isdigit()]
    assert len(set(own)) == len(own)
    stops: Counter[str] = Counter()
    for message in sent:
        if message.what.isdigit():
            assert set(message.fields) == {"to-path", "from-path"}
        elif message.body is not None:
            message_id = message.fields["message-id"]
            body = rehearsal.bodies[message_id]
            whole = body.octets if isinstance(body, Drip) else body
            stops[message_id] = check_chunk(message, whole, stops[message_id])


def check_chunk(chunk: Written, whole: bytes, start: int) -> int:
    """See that a chunk of ours has the octets that come next; return where they end."""
    octets = chunk.body or b""
    stop = start + len(octets)
    assert whole[start:stop] == octets
    byte_range = ByteRange.parse(chunk.fields["byte-range"])
    assert byte_range.start == start + 1
    assert byte_range.end in (stop, None)
    assert byte_range.total in (len(whole), None)
    assert chunk.flag is not ContinuationFlag.END or stop == len(whole)
    return stop


def requests(octets: bytes) -> list[tuple[str, bool]]:
    """Return the transaction ids of the peer's requests, and which must be answered."""
    received: list[tuple[str, bool]] = []
    last: RequestReceived | None = None
    for event in Parser(LIMITS.max_head_size).receive_data(octets):
        if isinstance(event, RequestReceived) and event.method != "REPORT":
            received.append((event.transaction_id, False))
            last = event
        elif isinstance(event, EndReceived) and last is not None:
            # Only what has ended must be answered.
            received[-1] = (last.transaction_id, wants_answer(last))
            last = None
    return received


def wants_answer(request: RequestReceived) -> bool:
    try:
        head = RequestHead.parse(request.transaction_id, request.method, request.block)
    except RemoteProtocolError:
        return False  # There may be nobody to answer to.
    return head.failure_report is FailureReport.YES


def check_events(rehearsal: Rehearsal, name: str) -> None:
    events = rehearsal.events[name]
    kinds = [type(event) for event in events]
    assert kinds.count(SessionOver) == 1
    assert kinds[-1] is SessionOver
    assert kinds.count(ConnectionEstablished) <= 1
    over = events[-1]
    assert isinstance(over, SessionOver)
    assert over.was_open is (ConnectionEstablished in kinds)
    for event in events:
        check_event(event)
    verdicts = Counter(
        event.message_id
        for event in events
        if isinstance(event, MessageDelivered | MessageDeliveryFailed)
    )
    ours = [m for m, owner in rehearsal.messages if owner is rehearsal.sessions[name]]
    assert verdicts == Counter(message.message_id for message in ours)
    for message in ours:
        # Delivered is what nobody has asked about, or somebody has answered for.
        silent = message.failure_report is not FailureReport.YES
        assert (
            silent or not message.unanswered or message.success_report or message.error
        )


def check_event(event: CoreEvent) -> None:
    match event:
        case MessageCompleted():
            assert len(event.contents) <= MAX_MESSAGE_LENGTH
        case IncompleteMessage():
            at = -1
            for start, octets in event.ranges:
                assert start > at
                assert octets
                at = start + len(octets)
            assert at <= MAX_MESSAGE_LENGTH


def check_ledgers(rehearsal: Rehearsal) -> None:
    """See that each store was told once how its message ended, as we were."""
    told: list[object] = []
    for event in rehearsal.events["called"]:
        if isinstance(event, MessageStored):
            assert isinstance(event.store, Ledger)
            assert event.store.ends == ["finished"]
            assert event.size == len(event.store.octets)
            told.append(event.store)
        elif isinstance(event, IncompleteMessage) and event.store is not None:
            assert isinstance(event.store, Ledger)
            assert event.store.ends == ["kept"]
            told.append(event.store)
    for ledger in rehearsal.ledgers:
        if ledger.ends != ["thrown away"]:
            assert ledger in told
            told.remove(ledger)
    assert not told


def transcript(rehearsal: Rehearsal) -> tuple[object, ...]:
    """Return all that can be seen from outside."""
    return (
        {name: list(map(repr, told)) for name, told in rehearsal.events.items()},
        _RANDOM_ID.sub(b"", bytes(rehearsal.written)),
        [(message.state, repr(message.error)) for message, _ in rehearsal.messages],
        str(rehearsal.stream.error),
    )
