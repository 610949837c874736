from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig
from msrp.errors import CloseReason, LimitExceeded, RemoteProtocolError
from msrp.events import (
    ConnectionEstablished,
    CoreEvent,
    MessageCompleted,
    MessageRefused,
    ReportReceived,
    SessionOver,
)
from msrp.headers import ContinuationFlag
from msrp.sansio.chunker import BytesBody
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.testing import Directory, Pair, Written, read_messages
from msrp.uri import MsrpUri

THERE = "msrp://there.example:2855/there;tcp"


def uri(name: str) -> MsrpUri:
    return MsrpUri("msrp", "here.example", 2855, name)


def request(
    *fields: str,
    to: str = "s001",
    method: str = "SEND",
    body: str | None = None,
    flag: str = "$",
    tid: str = "tid1",
    from_path: str = THERE,
) -> bytes:
    """Write a request as a peer would, with whatever it is told to hold."""
    to_path = to if " " in to else str(uri(to))
    lines = [f"MSRP {tid} {method}", f"To-Path: {to_path}", f"From-Path: {from_path}"]
    lines += fields
    if body is not None:
        lines += ["Content-Type: text/plain", "", body]
    return "\r\n".join([*lines, f"-------{tid}{flag}", ""]).encode()


TEXT = request("Message-ID: m123", "Byte-Range: 1-5/5", body="hello")
EMPTY = request("Message-ID: m000", "Byte-Range: 1-0/0")


class Host:
    """Passive sessions, and streams that the peers' octets are given to."""

    def __init__(self, limits: Limits | None = None, **names: SessionConfig) -> None:
        configs = names or {"s001": SessionConfig()}
        self.sessions = {
            name: Session(uri(name), (MsrpUri.parse(THERE),), is_active=False, config=c)
            for name, c in configs.items()
        }
        self.directory = Directory(*self.sessions.values())
        self.limits = limits or Limits()

    def stream(self, now: float = 0.0) -> Stream:
        return Stream(self.directory, now, limits=self.limits, on_probation=True)


def written(stream: Stream, now: float = 0.0) -> list[Written]:
    return read_messages(stream.data_to_send(10_000_000, now))


def answers(stream: Stream, data: bytes) -> list[str]:
    stream.receive_data(data, 0.0)
    return [message.what for message in written(stream)]


def events(stream: Stream) -> list[CoreEvent]:
    return [event for _, told in stream.events_received() for event in told]


# Who is called.


@pytest.mark.rule("MSRP-35", "MSRP-36", "MSRP-38")
def test_the_first_request_binds_the_session_it_names() -> None:
    host = Host(s001=SessionConfig(), s002=SessionConfig())
    stream = host.stream()
    assert answers(stream, EMPTY) == ["200"]
    assert list(stream.sessions) == [host.sessions["s001"]]
    assert host.sessions["s002"].state is SessionState.NEW
    assert [type(event) for event in events(stream)] == [ConnectionEstablished]


@pytest.mark.rule("MSRP-35", "MSRP-61", "FIELD-1")
def test_the_first_request_may_hold_a_message() -> None:
    stream = Host().stream()
    assert answers(stream, TEXT) == ["200"]
    established, message = events(stream)
    assert isinstance(established, ConnectionEstablished)
    assert message == MessageCompleted("m123", "text/plain", b"hello")


@pytest.mark.rule("MSRP-36", "MSRP-29")
@pytest.mark.parametrize(
    "to",
    [
        pytest.param("s009", id="unknown-session"),
        pytest.param("S001", id="other-case"),
        pytest.param(f"{uri('s001')} {THERE}", id="two-uris"),
        pytest.param(f"{THERE} {uri('s001')}", id="two-uris-ours-last"),
    ],
)
def test_a_request_for_nobody_here_gets_481_and_is_ignored(to: str) -> None:
    host = Host()
    stream = host.stream()
    data = request("Message-ID: m123", to=to, body="hello")
    assert answers(stream, data) == ["481"]
    assert host.sessions["s001"].state is SessionState.NEW
    assert events(stream) == []
    assert not stream.closing


@pytest.mark.rule("MSRP-37", "MT-2")
def test_a_session_that_is_bound_elsewhere_gets_506_and_stays_there() -> None:
    host = Host()
    first, second = host.stream(), host.stream()
    assert answers(first, EMPTY) == ["200"]
    assert answers(second, TEXT) == ["506"]
    assert answers(second, request(method="FOO")) == ["506"]
    assert (
        answers(second, request("Message-ID: m123", "Status: 000 200", method="REPORT"))
        == []
    )
    assert answers(first, TEXT) == ["200"]
    assert len(events(first)) == 2
    assert events(second) == []


@pytest.mark.rule("MSRP-39")
def test_who_it_says_it_is_from_does_not_matter() -> None:
    stream = Host().stream()
    data = request("Message-ID: m123", body="x", from_path="msrp://sbc.example:9/z;tcp")
    assert answers(stream, data) == ["200"]


@pytest.mark.rule("MSRP-44", "MT-14")
def test_a_session_that_is_over_gets_481() -> None:
    host = Host()
    stream = host.stream()
    answers(stream, EMPTY)
    host.sessions["s001"].end(CloseReason.BY_US)
    assert answers(stream, TEXT) == ["481"]
    events(stream)
    assert events(stream) == []


@pytest.mark.rule("MSRP-44", "MSRP-84")
@pytest.mark.parametrize("more", [b"", b"octets"])
def test_a_session_that_ends_amid_a_message_takes_no_more_of_it(more: bytes) -> None:
    host = Host()
    stream = host.stream()
    data = request("Message-ID: m123", "Success-Report: yes", body="hello")
    at = data.index(b"llo")
    assert answers(stream, data[:at]) == []
    host.sessions["s001"].end(CloseReason.BY_US)
    events(stream)
    assert answers(stream, more + data[at:]) == ["481"]
    assert events(stream) == []


@pytest.mark.rule("MSRP-44", "MSRP-84")
def test_a_session_that_ends_amid_a_report_does_not_hear_of_it() -> None:
    host = Host()
    stream = host.stream()
    answers(stream, EMPTY)
    data = request("Message-ID: m123", "Status: 000 200", method="REPORT", body="x")
    stream.receive_data(data[:-3], 0.0)
    host.sessions["s001"].end(CloseReason.BY_US)
    events(stream)
    assert answers(stream, data[-3:]) == []
    assert events(stream) == []
    assert host.sessions["s001"].events_received() == []


@pytest.mark.rule("MSRP-44", "MSRP-84")
def test_a_session_that_ends_while_a_message_comes_again_reports_nothing() -> None:
    host = Host()
    stream = host.stream()
    data = request("Message-ID: m123", "Success-Report: yes", body="hello")
    assert answers(stream, data) == ["200", "REPORT"]
    stream.receive_data(data[:-3], 0.0)
    host.sessions["s001"].end(CloseReason.BY_US)
    assert answers(stream, data[-3:]) == ["481"]


@pytest.mark.rule("MSRP-32")
def test_a_session_that_connects_itself_is_not_called_by_the_peer() -> None:
    session = Session(uri("s001"), (MsrpUri.parse(THERE),), is_active=True)
    stream = Stream(Directory(session), 0.0)
    assert answers(stream, EMPTY) == ["481"]


@pytest.mark.rule("MSRP-22", "MT-10")
def test_only_so_many_sessions_share_a_connection() -> None:
    host = Host(
        Limits(max_sessions_per_stream=1), s001=SessionConfig(), s002=SessionConfig()
    )
    stream = host.stream()
    assert answers(stream, EMPTY) == ["200"]
    assert answers(stream, request(to="s002")) == ["403"]


# A session that is being negotiated.


def expecting() -> tuple[Host, Stream]:
    host = Host()
    (session,) = host.directory.sessions
    host.directory.sessions.clear()
    host.directory.expected.add(session.local_uri)
    return host, host.stream()


def appear(host: Host) -> None:
    host.directory.expected.clear()
    host.directory.sessions += host.sessions.values()


@pytest.mark.rule("MSRP-35", "MSRP-36")
@pytest.mark.parametrize("cut", [0, 30, len(TEXT) - 20, len(TEXT) - 1, len(TEXT)])
def test_a_peer_that_comes_before_its_answer_waits_unread(cut: int) -> None:
    host, stream = expecting()
    data = EMPTY + TEXT
    cut += len(EMPTY)
    stream.receive_data(data[:cut], 0.0)
    assert not stream.reading_wanted
    assert stream.is_holding
    stream.receive_data(data[cut:], 0.0)
    stream.receive_data(b"MSRP", 0.0)
    stream.retry(1.0)  # Another session has come, and not this one.
    assert not stream.reading_wanted
    assert written(stream) == []
    appear(host)
    stream.retry(2.0)
    assert stream.reading_wanted
    assert not stream.is_holding
    assert [message.what for message in written(stream)] == ["200", "200"]
    assert events(stream)[1:] == [MessageCompleted("m123", "text/plain", b"hello")]


@pytest.mark.rule("MSRP-35", "MSRP-36")
def test_of_two_that_are_waited_for_one_may_come_before_the_other() -> None:
    host = Host(s001=SessionConfig(), s002=SessionConfig())
    first, second = host.directory.sessions
    host.directory.sessions.clear()
    host.directory.expected |= {first.local_uri, second.local_uri}
    stream = host.stream()
    response = b"MSRP tid9 200 OK\r\n-------tid9$\r\n"  # To nothing that was asked.
    stream.receive_data(EMPTY + response + request(to="s002", tid="tid2"), 0.0)
    host.directory.sessions.append(first)
    stream.retry(1.0)
    assert [message.what for message in written(stream)] == ["200"]
    assert not stream.reading_wanted
    host.directory.sessions.append(second)
    stream.retry(2.0)
    assert [message.what for message in written(stream)] == ["200"]
    assert stream.reading_wanted


@pytest.mark.rule("MSRP-36")
def test_a_session_that_comes_to_nothing_gets_481_after_all() -> None:
    host, stream = expecting()
    assert answers(stream, EMPTY) == []
    host.directory.expected.clear()
    stream.retry(1.0)
    assert [message.what for message in written(stream)] == ["481"]


@pytest.mark.rule("MSRP-36")
def test_a_session_that_never_comes_holds_up_the_others_for_a_while_only() -> None:
    host = Host(Limits(probation_time=30.0), s001=SessionConfig())
    host.directory.expected.add(uri("s002"))
    stream = host.stream()
    assert answers(stream, EMPTY) == ["200"]
    stream.receive_data(request(to="s002", tid="tid2"), 5.0)
    stream.receive_data(TEXT, 6.0)
    stream.retry(20.0)  # Another session has come, and not this one.
    assert not stream.reading_wanted
    assert stream.next_timeout() == 35.0
    stream.handle_timeout(35.0)
    assert stream.reading_wanted
    assert [message.what for message in written(stream)] == ["481", "200"]
    # It may still come: the next request waits for it again.
    stream.receive_data(request(to="s002", tid="tid3"), 36.0)
    assert stream.next_timeout() == 66.0
    assert not stream.closing


@pytest.mark.rule("MSRP-40")
def test_a_peer_that_leaves_while_it_waits_is_heard_first() -> None:
    host, stream = expecting()
    stream.receive_data(TEXT, 0.0)
    stream.receive_eof(0.0)
    assert not stream.closing
    appear(host)
    stream.retry(1.0)
    told = events(stream)
    assert MessageCompleted("m123", "text/plain", b"hello") in told
    assert told[-1] == SessionOver(CloseReason.BY_THEM, None, True)


@pytest.mark.rule("MSRP-22")
def test_junk_behind_what_waits_ends_the_connection_when_its_turn_comes() -> None:
    host, stream = expecting()
    stream.receive_data(TEXT + b"junk\r\n", 0.0)
    assert not stream.closing
    appear(host)
    stream.retry(1.0)
    assert MessageCompleted("m123", "text/plain", b"hello") in events(stream)
    assert stream.closing


@pytest.mark.rule("MSRP-22", "MT-10")
def test_a_peer_that_waits_too_long_is_not_heard_any_more() -> None:
    host, stream = expecting()
    stream.receive_data(TEXT, 0.0)
    stream.handle_timeout(30.0)
    assert stream.closing
    appear(host)
    stream.retry(31.0)
    assert written(stream) == []
    assert events(stream) == []
    assert host.sessions["s001"].state is SessionState.NEW


# What is answered.


@pytest.mark.rule("MSRP-74", "MT-13")
def test_a_response_goes_to_the_nearest_hop() -> None:
    stream = Host().stream()
    data = request(from_path=f"msrp://relay.example:9;tcp {THERE}")
    stream.receive_data(data, 0.0)
    (response,) = written(stream)
    assert response == Written(
        "tid1",
        "200",
        {"to-path": "msrp://relay.example:9;tcp", "from-path": str(uri("s001"))},
        None,
        ContinuationFlag.END,
    )


@pytest.mark.rule("MSRP-75", "MSRP-123")
def test_a_response_goes_where_the_request_came_from_or_nowhere() -> None:
    host = Host()
    first, second = host.stream(), host.stream()
    first.receive_data(EMPTY, 0.0)
    first.abandon(CloseReason.LOST)
    host.sessions["s001"] = Session(uri("s001"), (), is_active=False)
    host.directory.sessions[:] = host.sessions.values()
    assert answers(second, TEXT) == ["200"]


@pytest.mark.rule("MSRP-77", "MSRP-74")
def test_an_unknown_method_gets_501_and_changes_nothing() -> None:
    stream = Host().stream()
    path = f"msrp://relay.example:9;tcp {THERE}"
    stream.receive_data(request(method="FOO", body="x", from_path=path), 0.0)
    (response,) = written(stream)
    assert response.what == "501"
    assert response.fields["to-path"] == path
    assert not stream.sessions
    assert answers(stream, TEXT) == ["200"]
    assert answers(stream, request(method="FOO", flag="+")) == ["501"]
    assert answers(stream, TEXT) == ["200"]


@pytest.mark.rule("MSRP-19", "MSRP-78", "MSRP-123", "FIELD-11")
@pytest.mark.parametrize(
    "data",
    [
        request("Message-ID: m123", "Status: 000 200", method="REPORT"),
        request("Message-ID: m123", "Status: 000 200", method="REPORT", to="s009"),
        request("Message-ID: m1", "Status: 000 200", method="REPORT"),
        request("Byte-Range: x", method="REPORT"),
        request("Success-Report: yes", method="REPORT", body="x" * 20_000),
        request("Failure-Report: yes", "Status: x", method="REPORT", flag="+"),
    ],
    ids=["known", "unknown", "bad-id", "bad-range", "body", "flag"],
)
def test_a_report_is_never_answered(data: bytes) -> None:
    stream = Host().stream()
    assert answers(stream, EMPTY) == ["200"]
    assert answers(stream, data) == []
    assert not stream.closing


@pytest.mark.rule("MSRP-84")
def test_a_report_binds_no_session() -> None:
    host = Host()
    stream = host.stream()
    data = request("Message-ID: m123", "Status: 000 200", method="REPORT")
    assert answers(stream, data) == []
    assert host.sessions["s001"].state is SessionState.NEW
    assert events(stream) == []


@pytest.mark.rule("MSRP-22", "MSRP-79", "MSRP-90")
@pytest.mark.parametrize(
    "field", ["Byte-Range: 1", "Message-ID: m1", "no colon", "Failure-Report: x"]
)
def test_a_malformed_request_gets_400_and_the_next_one_is_read(field: str) -> None:
    stream = Host().stream()
    data = request(field, body="x", from_path=f"msrp://relay.example:9;tcp {THERE}")
    stream.receive_data(data, 0.0)
    (response,) = written(stream)
    assert response.what == "400"
    assert response.fields["to-path"] == "msrp://relay.example:9;tcp"
    assert response.fields["from-path"] == str(uri("s001"))
    assert answers(stream, TEXT) == ["200"]


@pytest.mark.rule("MSRP-5", "MSRP-79")
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(
            f"MSRP tid1 SEND\r\nFrom-Path: {THERE}\r\n-------tid1$\r\n",
            ["400"],
            id="no-to-path",
        ),
        pytest.param(
            f"MSRP tid1 SEND\r\nTo-Path: {THERE}\r\n-------tid1$\r\n",
            [],
            id="no-from-path",
        ),
        pytest.param("MSRP tid1 SEND\r\n-------tid1$\r\n", [], id="no-path"),
    ],
)
def test_a_request_without_a_path_is_answered_if_that_can_be_done(
    data: str, expected: list[str]
) -> None:
    stream = Host().stream()
    assert answers(stream, data.encode()) == expected
    assert not stream.closing


@pytest.mark.rule("MSRP-73")
@pytest.mark.parametrize("wish", ["no", "No", "NO"])
def test_who_wants_no_answer_gets_none_even_to_nonsense(wish: str) -> None:
    stream = Host().stream()
    for field in ("Byte-Range: 1", "no colon"):
        assert answers(stream, request(field, f"Failure-Report: {wish}")) == []


@pytest.mark.rule("MSRP-13")
def test_a_body_without_a_type_gets_400() -> None:
    stream = Host().stream()
    data = request("Message-ID: m123", "", "x")
    assert answers(stream, data) == ["400"]


@pytest.mark.rule("MSRP-69", "MSRP-93", "MSRP-68")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        pytest.param(["Byte-Range: 1-*/*"], "415", id="type"),
        pytest.param(["Byte-Range: 9999999-*/*"], "413", id="range"),
    ],
)
def test_a_refusal_does_not_wait_for_the_end_of_the_chunk(
    fields: list[str], code: str
) -> None:
    types = "text/html" if code == "415" else "*"
    host = Host(s001=SessionConfig(accept_types=AcceptTypes.parse(types)))
    stream = host.stream()
    data = request("Message-ID: m123", *fields, body="x" * 100)
    assert answers(stream, data[:-90]) == [code]
    assert answers(stream, data[-90:]) == []  # One answer is enough.
    refused = events(stream)[-1]
    assert isinstance(refused, MessageRefused)
    assert str(refused.status_code) == code


@pytest.mark.rule("MSRP-68", "MT-10")
def test_a_message_that_turns_out_too_long_is_refused_at_once() -> None:
    stream = Host(s001=SessionConfig(max_message_length=50)).stream()
    data = request("Message-ID: m123", body="x" * 100)
    assert answers(stream, data[:-40]) == ["413"]
    assert answers(stream, data[-40:]) == []


@pytest.mark.rule("MSRP-73", "MSRP-55")
def test_each_chunk_is_answered() -> None:
    stream = Host().stream()
    one = request("Message-ID: m123", "Byte-Range: 1-*/4", body="ab", flag="+")
    two = request("Message-ID: m123", "Byte-Range: 3-*/4", body="cd", tid="tid2")
    stream.receive_data(one + two, 0.0)
    assert [(m.transaction_id, m.what) for m in written(stream)] == [
        ("tid1", "200"),
        ("tid2", "200"),
    ]


@pytest.mark.rule("MSRP-42", "MSRP-81", "MT-8")
def test_a_message_that_comes_twice_is_shown_once_and_answered_twice() -> None:
    stream = Host().stream()
    data = request("Message-ID: m123", "Success-Report: yes", body="hello")
    stream.receive_data(data + data, 0.0)
    sent = written(stream)
    assert [message.what for message in sent] == ["200", "REPORT", "200", "REPORT"]
    assert {m.fields["byte-range"] for m in sent if m.what == "REPORT"} == {"1-5/5"}
    assert len([e for e in events(stream) if isinstance(e, MessageCompleted)]) == 1


@pytest.mark.rule("MSRP-66", "MSRP-81")
def test_an_aborted_message_is_answered_and_not_reported() -> None:
    stream = Host().stream()
    for flag in ("+", "#", "$"):
        data = request("Message-ID: m123", "Success-Report: yes", body="x", flag=flag)
        assert answers(stream, data) == ["200"]


@pytest.mark.rule("MSRP-79", "FIELD-11", "FIELD-14")
@pytest.mark.parametrize(
    "data",
    [
        b"MSRP tid1 200 OK\r\n-------tid1$\r\n",
        b"MSRP tid1 413\r\nByte-Range: 1-2/2\r\n-------tid1$\r\n",
        b"MSRP tid1 200 OK\r\nContent-Type: a/b\r\n\r\nbody\r\n-------tid1$\r\n",
        b"MSRP tid1 200 OK\r\nnonsense\r\n-------tid1+\r\n",
    ],
    ids=["plain", "range", "body", "nonsense"],
)
def test_a_response_to_nothing_is_ignored(data: bytes) -> None:
    stream = Host().stream()
    answers(stream, EMPTY)
    events(stream)
    assert answers(stream, data * 2) == []
    assert events(stream) == []
    assert answers(stream, TEXT) == ["200"]


@pytest.mark.rule("MSRP-4", "FIELD-14")
def test_the_peer_may_use_an_id_that_we_use() -> None:
    host = Host()
    stream = host.stream()
    answers(stream, EMPTY)
    message = Outgoing("m456", "a/b", BytesBody(b"x"), new_id=lambda: "tid1")
    host.sessions["s001"].send(message)
    assert [m.transaction_id for m in written(stream)] == ["tid1"]
    assert answers(stream, TEXT) == ["200"]
    assert not message.finished
    assert answers(stream, b"MSRP tid1 200 OK\r\n-------tid1$\r\n") == []
    assert message.finished


@pytest.mark.rule("MSRP-84", "FIELD-12")
def test_a_report_is_told_of() -> None:
    stream = Host().stream()
    answers(stream, EMPTY)
    data = request("Message-ID: m123", "Status: 000 200 fine", method="REPORT")
    answers(stream, data)
    report = events(stream)[-1]
    assert isinstance(report, ReportReceived)
    assert report.status_text == "fine"


# How it ends.


@pytest.mark.rule("MSRP-22", "MSRP-40", "FIELD-15")
def test_what_is_not_msrp_ends_the_connection_and_all_sessions() -> None:
    host = Host(s001=SessionConfig(), s002=SessionConfig())
    stream = host.stream()
    answers(stream, EMPTY + request(to="s002"))
    stream.receive_data(TEXT + b"junk\r\n" + TEXT, 0.0)
    assert stream.closing
    assert isinstance(stream.error, RemoteProtocolError)
    over = [e for e in events(stream) if isinstance(e, SessionOver)]
    assert [each.error for each in over] == [stream.error] * 2
    assert not stream.sessions
    # What came before is answered; what comes after isn't looked at.
    assert [message.what for message in written(stream)] == ["200"]
    assert answers(stream, TEXT) == []
    stream.receive_eof(0.0)
    stream.abandon(CloseReason.BY_US)
    assert events(stream) == []
    assert stream.next_timeout() is None


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(b"", CloseReason.BY_THEM, id="between-messages"),
        pytest.param(TEXT[:3], CloseReason.LOST, id="in-a-start-line"),
        pytest.param(TEXT[:60], CloseReason.LOST, id="in-a-head"),
        pytest.param(TEXT[:-15], CloseReason.LOST, id="in-a-body"),
        pytest.param(TEXT[:-1], CloseReason.LOST, id="one-octet-short"),
        pytest.param(TEXT, CloseReason.BY_THEM, id="after-a-message"),
    ],
)
def test_where_a_connection_may_end(data: bytes, reason: CloseReason) -> None:
    stream = Host().stream()
    stream.receive_data(EMPTY + data, 0.0)
    stream.receive_eof(0.0)
    over = events(stream)[-1]
    assert isinstance(over, SessionOver)
    assert over.reason is reason
    assert (over.error is None) == (reason is CloseReason.BY_THEM)


def test_a_session_given_to_a_broken_connection_is_lost() -> None:
    stream = Stream(Directory(), 0.0)
    stream.receive_data(b"junk\r\n", 0.0)
    session = Session(uri("s001"), (MsrpUri.parse(THERE),), is_active=True)
    stream.attach(session, 0.0)
    assert session.state is SessionState.CLOSED
    (over,) = events(stream)
    assert isinstance(over, SessionOver)
    assert over.error is stream.error


# The clock.


@pytest.mark.rule("MSRP-22", "MT-10")
@pytest.mark.parametrize("data", [b"", b"MSRP", request(to="s009"), TEXT[:-5]])
def test_a_peer_has_30_seconds_to_name_a_session(data: bytes) -> None:
    names = data == TEXT[:-5]
    stream = Host().stream(now=100.0)
    stream.receive_data(data, 100.0)
    due = stream.next_timeout()
    assert due == (220.0 if names else 130.0)
    stream.handle_timeout(129.9)
    assert not stream.closing
    stream.handle_timeout(130.0)
    assert stream.closing == (not names)
    assert isinstance(stream.error, LimitExceeded) == (not names)


@pytest.mark.rule("MSRP-22", "MT-10")
@pytest.mark.parametrize("cut", [3, 30, -20, -1])
def test_a_peer_that_leaves_a_message_unfinished_is_left(cut: int) -> None:
    stream = Host().stream()
    stream.receive_data(EMPTY, 0.0)
    stream.receive_data(TEXT[:cut], 10.0)
    assert stream.next_timeout() == 130.0
    stream.handle_timeout(129.9)
    assert not stream.closing
    stream.handle_timeout(130.0)
    assert str(stream.error) == "the peer left a message unfinished for too long"


@pytest.mark.rule("MSRP-22")
def test_a_peer_that_we_do_not_read_from_is_not_left() -> None:
    stream = Host().stream()
    stream.receive_data(EMPTY + TEXT[:-20], 0.0)
    stream.pause(50.0)
    assert stream.next_timeout() is None
    stream.handle_timeout(1000.0)
    assert not stream.closing
    stream.resume(1000.0)
    assert stream.next_timeout() == 1120.0


@pytest.mark.rule("MSRP-44")
def test_an_idle_connection_waits_from_its_last_session_and_octet() -> None:
    host = Host()
    stream = host.stream()
    answers(stream, EMPTY)
    assert stream.next_timeout() is None
    assert not stream.idle
    host.sessions["s001"].end(CloseReason.BY_US)
    assert stream.idle
    due = stream.next_timeout()
    assert due is not None
    stream.handle_timeout(max(due, 1000.0))
    assert stream.next_timeout() == 1005.0
    stream.receive_data(TEXT, 1003.0)
    assert stream.next_timeout() == 1008.0
    stream.handle_timeout(1008.0)
    assert stream.closing
    assert stream.error is None


# What a peer can make grow.


@pytest.mark.rule("MSRP-22", "MT-10")
def test_a_peer_that_does_not_read_its_answers_is_not_read_from() -> None:
    stream = Host(Limits(max_unsent_responses=1000)).stream()
    sent = 0
    while stream.reading_wanted:
        stream.receive_data(request(tid=f"tid{sent:04}"), 0.0)
        sent += 1
    assert sent < 20
    assert len(written(stream)) == sent
    assert stream.reading_wanted


@pytest.mark.rule("MSRP-71", "MT-10")
def test_ten_thousand_unfinished_messages() -> None:
    stream = Host().stream()
    codes: list[str] = []
    for n in range(10_000):
        field = f"Message-ID: m{n:05}"
        codes += answers(
            stream, request(field, "Byte-Range: 1-*/*", body="x", flag="+")
        )
    assert codes == ["200"] * 64 + ["413"] * 9936
    assert not stream.closing


@pytest.mark.rule("MSRP-54")
def test_a_thousand_sessions_on_one_connection_all_get_their_turn() -> None:
    names = [f"s{n:03}" for n in range(1000)]
    host = Host(None, **dict.fromkeys(names, SessionConfig()))
    stream = host.stream()
    for name, session in host.sessions.items():
        stream.receive_data(request(to=name), 0.0)
        session.send(Outgoing(f"m{name}", "a/b", BytesBody(b"x")))
    sent = [m.fields["message-id"] for m in written(stream) if m.what == "SEND"]
    assert sent == [f"m{name}" for name in names]


# Anything at all.

parts = st.sampled_from(
    [
        EMPTY,
        TEXT,
        TEXT[:-10],
        TEXT[70:],
        request(to="s009", body="x"),
        request("Message-ID: m123", "Byte-Range: 4-*/*", body="xyz", flag="+"),
        request("Message-ID: m123", "Byte-Range: 4-*/*", body="", flag="#"),
        request("Message-ID: m999", "Success-Report: yes", body="x"),
        request("Message-ID: m999", "Failure-Report: partial", body="x" * 300),
        request("Message-ID: m456", "Status: 000 200", method="REPORT"),
        request("Message-ID: m456", "Status: 000 481", method="REPORT"),
        request("Byte-Range: x"),
        request(method="FOO"),
        b"MSRP tid0 200 OK\r\n-------tid0$\r\n",
        b"MSRP tid0 413 OK\r\n-------tid0$\r\n",
        b"MSRP tid2 481\r\n-------tid2$\r\n",
        b"\r\n",
    ]
)


@pytest.mark.rule("MSRP-18", "MSRP-22", "MT-10")
@given(
    data=st.lists(parts | st.binary(max_size=9), max_size=12),
    cut=st.integers(1, 200),
    seed=st.integers(0, 9),
    eof=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_any_octets_do_no_harm(
    data: list[bytes], cut: int, seed: int, eof: bool
) -> None:
    limits = Limits(
        max_head_size=300, max_open_messages=2, max_ranges=3, max_remembered_messages=3
    )
    config = SessionConfig(max_message_length=200, limits=limits, window=2)
    host = Host(limits, s001=config, s002=config)
    good, stream = host.stream(), host.stream()
    good.receive_data(request(to="s002"), 0.0)
    ids = itertools.cycle([f"tid{n}" for n in range(50)])
    for message_id, size in (("m456", 9000), ("m457", 10)):
        body = BytesBody(bytes(size))
        host.sessions["s001"].send(
            Outgoing(message_id, "a/b", body, new_id=lambda: next(ids))
        )
    chooser = random.Random(seed)
    octets, now, over = b"".join(data), 0.0, 0
    for at in range(0, len(octets), cut):
        stream.receive_data(octets[at : at + cut], now)
        if chooser.random() < 0.5:
            read_messages(stream.data_to_send(10_000_000, now))
        if chooser.random() < 0.1:
            now += 31
            stream.handle_timeout(now)
        over += sum(isinstance(event, SessionOver) for event in events(stream))
    if eof:
        stream.receive_eof(now)
    read_messages(stream.data_to_send(10_000_000, now))
    over += sum(isinstance(event, SessionOver) for event in events(stream))
    closed = host.sessions["s001"].state is SessionState.CLOSED
    assert over == closed
    assert stream.closing or stream.error is None
    # Others have noticed nothing.
    good.receive_data(request("Message-ID: m123", to="s002", body="hello"), 0.0)
    assert [message.what for message in written(good)] == ["200", "200"]


whole = st.lists(parts, max_size=6).map(b"".join)


@pytest.mark.rule("MSRP-18")
@given(octets=whole, cuts=st.lists(st.integers(0, 1000), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_cut_of_the_stream_has_the_same_answers_and_events(
    octets: bytes, cuts: list[int]
) -> None:
    results = []
    for bounds in ([], sorted(min(cut, len(octets)) for cut in cuts)):
        ids = (f"new{n}" for n in itertools.count())
        host = Host()
        stream = Stream(host.directory, 0.0, new_id=ids.__next__)
        told = []
        for start, stop in itertools.pairwise([0, *bounds, len(octets)]):
            stream.receive_data(octets[start:stop], 0.0)
            told += events(stream)
        sent = stream.data_to_send(10_000_000, 0.0)
        # An error is equal to none but itself.
        results.append((sent, [repr(event) for event in told], str(stream.error)))
    assert results[0] == results[1]


def test_no_more_chunks_are_written_at_a_time_than_is_asked_for() -> None:
    pair = Pair()
    pair.run()
    for number in range(6):
        pair.active.send(b"hello", message_id=f"line{number}")
    stream = pair.active.stream
    sizes = [len(read_messages(stream.data_to_send(10_000, 0.0, 4))) for _ in "..."]
    assert sizes == [4, 2, 0]
    pair.active.send(bytes(5 * 2048 + 20_000), message_id="long")
    chunks = [len(read_messages(stream.data_to_send(100_000, 0.0, 4))) for _ in "."]
    assert chunks == [4]


def test_sessions_that_share_a_connection_take_turns_line_by_line() -> None:
    pair = Pair()
    other, _ = pair.add_session()
    pair.run()
    for number in range(2):
        pair.active.send(b"hello", message_id=f"one{number}")
        other.send(b"hello", message_id=f"two{number}")
    sent = read_messages(pair.active.stream.data_to_send(10_000, 0.0))
    ids = [each.fields["message-id"] for each in sent]
    assert sorted(ids[:2]) == ["one0", "two0"]
    assert sorted(ids[2:]) == ["one1", "two1"]


def test_answers_are_written_at_one_go_as_far_as_is_asked_for() -> None:
    stream = Host().stream()
    texts = [request(f"Message-ID: m12{n}", body="hello", tid=f"tid{n}") for n in "123"]
    stream.receive_data(b"".join(texts), 0.0)
    first = stream.data_to_send(1, 0.0)
    assert len(read_messages(first)) == 1
    assert len(read_messages(stream.data_to_send(10_000, 0.0))) == 2


# Reading along.


@pytest.mark.parametrize("budget", [0, 2, 5000], ids=["before", "half", "all"])
def test_who_reads_along_begins_where_reading_and_writing_are(budget: int) -> None:
    host = Host(s001=SessionConfig(chunk_size=None))
    stream = host.stream()
    stream.receive_data(TEXT[:-9], 0.0)
    received, _ = stream.parsers_in_step()
    assert received.receive_data(TEXT[-9:]) != []
    assert received.error is None
    stream.receive_data(TEXT[-9:], 0.0)
    stream.data_to_send(10_000, 0.0)
    body = BytesBody(bytes(4000))
    host.sessions["s001"].send(Outgoing("m456", "text/plain", body))
    if budget:
        stream.data_to_send(budget, 0.0)
    _, sent = stream.parsers_in_step()
    while octets := stream.data_to_send(1000, 0.0):
        sent.receive_data(octets)
    assert sent.error is None
    assert not sent.in_message
