"""Sessions whose requests go through relays, octet by octet."""

from __future__ import annotations

import pytest

from msrp.config import SessionConfig
from msrp.errors import CloseReason
from msrp.events import ConnectionEstablished, CoreEvent, MessageDelivered, SessionOver
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.sansio.underway import MAX_RELAYED_CHUNK
from msrp.testing import Directory, Written, read_messages
from msrp.uri import parse_path

[ALICE] = parse_path("msrps://alice.example.com:9892/98cjs;tcp")
OUT = parse_path(
    "msrps://r.example.com:9000/r;tcp msrps://s.example.net:9001/s;tcp "
    "msrps://bob.example.net:8145/foo;tcp"
)


class Relayed:
    """A session of Alice's, and what her relay says."""

    def __init__(self, **options: int | None) -> None:
        config = SessionConfig(**options)  # type: ignore[arg-type]
        self.session = Session(ALICE, OUT, is_active=True, config=config)
        self.stream = Stream(Directory(self.session), 0.0, idle_time=3600.0)
        self.stream.attach(self.session, 0.0)
        self.events: list[CoreEvent] = []

    def written(self) -> list[Written]:
        octets = b""
        while data := self.stream.data_to_send(1 << 20, 0.0):
            octets += data
        return read_messages(octets)

    def says(self, text: str) -> None:
        self.stream.receive_data(text.replace("\n", "\r\n").encode(), 0.0)
        for _, events in self.stream.events_received():
            self.events += events

    def takes(self, request: Written) -> None:
        """Answer for itself, as a relay does."""
        self.says(
            f"MSRP {request.transaction_id} 200 OK\nTo-Path: {ALICE}\n"
            f"From-Path: {OUT[0]}\n-------{request.transaction_id}$\n"
        )

    def reports(self, message_id: str, status: str, *fields: str) -> None:
        lines = "".join(f"{field}\n" for field in fields)
        self.says(
            f"MSRP rep1 REPORT\nTo-Path: {ALICE}\n"
            f"From-Path: {OUT[0]} {OUT[1]} {OUT[2]}\n"
            f"Message-ID: {message_id}\n{lines}Status: {status}\n-------rep1$\n"
        )

    def open(self) -> Written:
        [first] = self.written()
        self.takes(first)
        return first


@pytest.mark.rule("RLY-8", "RLY-14")
def test_requests_name_all_relays_and_only_our_own_uri() -> None:
    relayed = Relayed()
    first = relayed.open()
    assert first.what == "SEND"
    assert first.fields["to-path"] == " ".join(map(str, OUT))
    assert first.fields["from-path"] == str(ALICE)
    assert [type(e) for e in relayed.events] == [ConnectionEstablished]


@pytest.mark.rule("RLY-14")
@pytest.mark.parametrize("code", [403, 481, 506])
def test_a_session_that_is_refused_behind_the_relay_is_over(code: int) -> None:
    relayed = Relayed()
    first = relayed.open()
    relayed.reports(first.fields["message-id"], f"000 {code} No")
    assert relayed.session.state is SessionState.CLOSED
    [over] = [e for e in relayed.events if isinstance(e, SessionOver)]
    assert over.reason is CloseReason.BY_THEM
    assert str(code) in str(over.error)


@pytest.mark.parametrize("status", ["000 200 OK", "000 408 Late", "001 481 Other"])
def test_other_reports_of_the_first_request_change_nothing(status: str) -> None:
    relayed = Relayed()
    first = relayed.open()
    relayed.reports(first.fields["message-id"], status)
    assert relayed.session.state is SessionState.OPEN


def test_a_failure_of_nothing_that_we_know_changes_nothing() -> None:
    relayed = Relayed()
    relayed.open()
    relayed.reports("unknown1", "000 481 No")
    assert relayed.session.state is SessionState.OPEN


@pytest.mark.rule("FIELD-4")
@pytest.mark.parametrize(
    ("wish", "size"), [(None, 10_000), (65_536, 10_000), (4_000, 4_000)]
)
def test_no_chunk_is_longer_than_relays_take(wish: int | None, size: int) -> None:
    relayed = Relayed(chunk_size=wish)
    relayed.open()
    relayed.session.send(Outgoing("m123", "a/b", BytesBody(bytes(25_000))))
    requests = relayed.written()
    for request in requests:  # They come to wait for it now and then.
        relayed.takes(request)
        requests += relayed.written()
    sizes = [len(request.body or b"") for request in requests]
    assert max(sizes) == size <= MAX_RELAYED_CHUNK
    assert sum(sizes) == 25_000


@pytest.mark.rule("FIELD-5")
@pytest.mark.parametrize(
    ("chunk_size", "wish", "octets", "window"),
    # An eighth of a window is left to short messages.
    [
        (2048, 32, 16_384, 7),
        (10_000, 32, 16_384, 1),
        (None, 32, 1, 1),
        (None, 32, 60_000, 6),
        (2048, 3, 16_384, 3),
        (10_000, 1, 1_000_000, 1),
    ],
)
def test_a_relay_is_not_sent_more_at_once_than_it_holds_for_a_receiver(
    chunk_size: int | None, wish: int, octets: int, window: int
) -> None:
    relayed = Relayed(chunk_size=chunk_size, window=wish, relayed_window=octets)
    relayed.open()
    relayed.session.send(Outgoing("m123", "a/b", BytesBody(bytes(200_000))))
    waiting = relayed.written()
    assert len(waiting) == window
    relayed.takes(waiting[0])
    assert len(relayed.written()) == 1


@pytest.mark.rule("RLY-14")
def test_a_relay_answers_for_itself_and_the_peer_reports() -> None:
    relayed = Relayed()
    relayed.open()
    message = Outgoing("m123", "a/b", BytesBody(b"hello"), success_report=True)
    relayed.session.send(message)
    [request] = relayed.written()
    relayed.takes(request)
    assert not any(isinstance(e, MessageDelivered) for e in relayed.events)
    relayed.reports("m123", "000 200 OK", "Byte-Range: 1-5/5")
    assert MessageDelivered("m123") in relayed.events


@pytest.mark.parametrize(
    ("recovery_time", "state"),
    [(0, SessionState.CLOSED), (30, SessionState.LOST)],
)
def test_a_relay_that_closes_the_connection_has_not_ended_the_session(
    recovery_time: int, state: SessionState
) -> None:
    relayed = Relayed(recovery_time=recovery_time)
    relayed.open()
    relayed.stream.receive_eof(0.0)
    assert relayed.session.state is state
