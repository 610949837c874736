"""The four transactions against a clock that is a number."""

from __future__ import annotations

import itertools

import pytest

from sip.message import Message, Request, Response, response_to
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.sansio.timers import Timers
from sip.sansio.transactions.client import (
    ClientTransaction,
    InviteClientTransaction,
    NonInviteClientTransaction,
)
from sip.sansio.transactions.server import (
    InviteServerTransaction,
    NonInviteServerTransaction,
    ServerTransaction,
)
from sip.sansio.transactions.transaction import (
    NoticeKind,
    State,
    Transaction,
)

UDP = Hop(Transport.UDP, "192.0.2.2", 5060)
TCP = Hop(Transport.TCP, "192.0.2.2", 5060, flow=1)
TIMERS = Timers()


def a_request(method: str) -> Request:
    return Request.build(
        method,
        "sip:bob@example.com",
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone"),
            ("Via", "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKbelow"),
            ("Route", "<sip:proxy.example.com;lr>"),
            ("From", "<sip:alice@example.com>;tag=a"),
            ("To", "<sip:bob@example.com>"),
            ("Call-ID", "call-1"),
            ("CSeq", f"7 {method}"),
        ],
    )


def client(method: str, hop: Hop = UDP) -> ClientTransaction:
    kind = InviteClientTransaction if method == "INVITE" else NonInviteClientTransaction
    return kind(a_request(method), hop, TIMERS, 0.0)


def server(method: str, hop: Hop = UDP) -> ServerTransaction:
    kind = InviteServerTransaction if method == "INVITE" else NonInviteServerTransaction
    return kind(a_request(method), hop, hop, None, TIMERS, 0.0)


def answer(transaction: ClientTransaction, status: int) -> Response:
    return response_to(transaction.request, status, to_tag="b")


def sent(transaction: Transaction) -> list[Message]:
    messages = [outgoing.message for outgoing in transaction.outbox]
    transaction.outbox = ()
    return messages


def told(transaction: Transaction) -> list[str]:
    words = [
        str(notice.message.status)
        if isinstance(notice.message, Response)
        else notice.kind.name
        for notice in transaction.notices
    ]
    transaction.notices = ()
    return words


def run(transaction: Transaction, until: float) -> list[float]:
    """Let time pass and return when something was sent."""
    times: list[float] = []
    while (due := transaction.next_timeout()) is not None and due <= until:
        transaction.handle_timeout(due)
        times += [due] * len(sent(transaction))
    return times


# INVITE client.


@pytest.mark.rule("SIP-20")
def test_an_invite_is_sent_seven_times_and_times_out_after_32_seconds() -> None:
    transaction = client("INVITE")
    assert len(sent(transaction)) == 1
    assert run(transaction, 100.0) == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert told(transaction) == ["TIMEOUT"]
    assert transaction.terminated


@pytest.mark.rule("SIP-20")
def test_an_invite_over_tcp_is_sent_once_and_times_out_all_the_same() -> None:
    transaction = client("INVITE", TCP)
    assert len(sent(transaction)) == 1
    assert run(transaction, 31.9) == []
    assert not transaction.terminated
    assert run(transaction, 32.0) == []
    assert told(transaction) == ["TIMEOUT"]


@pytest.mark.rule("SIP-20")
def test_a_provisional_response_stops_repetition_and_timeout() -> None:
    transaction = client("INVITE")
    transaction.receive(answer(transaction, 100), 0.1)
    sent(transaction)
    assert run(transaction, 1000.0) == []
    assert transaction.state is State.PROCEEDING
    transaction.receive(answer(transaction, 180), 200.0)
    assert told(transaction) == ["100", "180"]


@pytest.mark.rule("SIP-20", "SIP-21")
@pytest.mark.parametrize("hop", [UDP, TCP], ids=["udp", "tcp"])
def test_a_refusal_is_acknowledged_with_the_same_branch(hop: Hop) -> None:
    transaction = client("INVITE", hop)
    sent(transaction)
    refusal = answer(transaction, 486)
    transaction.receive(refusal, 1.0)
    (ack,) = sent(transaction)
    assert isinstance(ack, Request)
    assert ack.method == "ACK"
    assert ack.raw_uri == "sip:bob@example.com"
    assert ack.headers.get_all("Via") == ["SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone"]
    assert ack.headers.get_all("Route") == ["<sip:proxy.example.com;lr>"]
    assert ack.headers.get("To") == refusal.headers.get("To")
    assert ack.from_ == transaction.request.from_
    assert ack.call_id == "call-1"
    assert str(ack.cseq) == "7 ACK"
    assert told(transaction) == ["486"]


@pytest.mark.rule("SIP-20")
def test_a_repeated_refusal_is_acknowledged_again_and_told_once() -> None:
    transaction = client("INVITE")
    for time in (1.0, 1.5, 2.5):
        transaction.receive(answer(transaction, 486), time)
    acks = sent(transaction)[1:]
    assert len(acks) == 3
    assert len({bytes(ack) for ack in acks}) == 1
    assert told(transaction) == ["486"]
    run(transaction, 32.9)
    assert not transaction.terminated
    run(transaction, 33.0)
    assert transaction.terminated
    assert told(transaction) == []


@pytest.mark.rule("SIP-20")
def test_over_tcp_a_refused_invite_is_over_at_once() -> None:
    transaction = client("INVITE", TCP)
    transaction.receive(answer(transaction, 603), 1.0)
    assert transaction.terminated


@pytest.mark.rule("SIP-20", "SIP-46")
@pytest.mark.parametrize("hop", [UDP, TCP], ids=["udp", "tcp"])
def test_each_2xx_is_passed_on_for_32_seconds_and_none_acknowledged(hop: Hop) -> None:
    transaction = client("INVITE", hop)
    sent(transaction)
    for time in (1.0, 1.5, 2.0):
        transaction.receive(answer(transaction, 200), time)
    transaction.receive(answer(transaction, 486), 3.0)
    assert sent(transaction) == []
    assert told(transaction) == ["200", "200", "200"]
    assert transaction.state is State.ACCEPTED
    run(transaction, 33.0)
    assert transaction.terminated


@pytest.mark.rule("SIP-18", "SIP-20")
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_what_cannot_be_sent_is_reported(method: str) -> None:
    transaction = client(method)
    transaction.transport_failed(0.1)
    assert told(transaction) == ["TRANSPORT_ERROR"]
    assert transaction.terminated


# Other clients.


@pytest.mark.rule("SIP-22")
def test_another_request_is_repeated_up_to_each_4_seconds() -> None:
    transaction = client("OPTIONS")
    sent(transaction)
    times = run(transaction, 100.0)
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert told(transaction) == ["TIMEOUT"]


@pytest.mark.rule("SIP-22")
def test_after_a_100_it_is_repeated_each_4_seconds() -> None:
    transaction = client("OPTIONS")
    transaction.receive(answer(transaction, 100), 0.1)
    sent(transaction)
    assert run(transaction, 100.0) == [0.5, 4.5, 8.5, 12.5, 16.5, 20.5, 24.5, 28.5]
    assert told(transaction) == ["100", "TIMEOUT"]


@pytest.mark.rule("SIP-22")
def test_a_second_100_changes_no_timer() -> None:
    transaction = client("OPTIONS")
    for time in (0.1, 0.2, 0.3):
        transaction.receive(answer(transaction, 100), time)
    sent(transaction)
    assert run(transaction, 5.0) == [0.5, 4.5]


@pytest.mark.rule("SIP-22")
@pytest.mark.parametrize("status", [200, 302, 404, 500, 603])
def test_a_final_response_is_told_once_and_then_absorbed(status: int) -> None:
    transaction = client("OPTIONS")
    transaction.receive(answer(transaction, status), 1.0)
    transaction.receive(answer(transaction, status), 2.0)
    assert told(transaction) == [str(status)]
    sent(transaction)
    assert run(transaction, 5.9) == []
    assert transaction.state is State.COMPLETED
    run(transaction, 6.0)
    assert transaction.terminated


@pytest.mark.rule("SIP-22")
def test_over_tcp_it_is_over_with_the_final_response() -> None:
    transaction = client("BYE", TCP)
    assert transaction.next_timeout() == 32.0
    transaction.receive(answer(transaction, 200), 1.0)
    assert transaction.terminated


# INVITE server.


@pytest.mark.rule("SIP-23", "SIP-38")
def test_an_invite_that_nobody_answers_gets_100_after_200_ms() -> None:
    transaction = server("INVITE")
    transaction.request.headers.add("Timestamp", "54")
    assert transaction.next_timeout() == 0.2
    transaction.handle_timeout(0.2)
    (trying,) = sent(transaction)
    assert isinstance(trying, Response)
    assert trying.status == 100
    assert trying.headers.get_all("Via") == transaction.request.headers.get_all("Via")
    assert trying.headers.get("Timestamp") == "54"
    assert transaction.next_timeout() is None


@pytest.mark.rule("SIP-23")
def test_an_invite_that_was_answered_in_time_gets_no_100() -> None:
    transaction = server("INVITE")
    transaction.respond(response_to(transaction.request, 180, to_tag="b"), 0.1)
    sent(transaction)
    assert run(transaction, 10.0) == []


@pytest.mark.rule("SIP-23")
def test_a_repeated_invite_gets_the_last_provisional_response() -> None:
    transaction = server("INVITE")
    transaction.receive_again(0.1)
    assert sent(transaction) == []
    for status in (180, 183):
        transaction.respond(response_to(transaction.request, status, to_tag="b"), 0.1)
    sent(transaction)
    transaction.receive_again(0.5)
    assert [m.status for m in sent(transaction) if isinstance(m, Response)] == [183]


@pytest.mark.rule("SIP-23")
def test_a_refusal_is_repeated_until_it_is_acknowledged() -> None:
    transaction = server("INVITE")
    assert isinstance(transaction, InviteServerTransaction)
    transaction.respond(response_to(transaction.request, 486, to_tag="b"), 0.0)
    sent(transaction)
    assert run(transaction, 8.0) == [0.5, 1.5, 3.5, 7.5]
    transaction.receive_ack(a_request("ACK"), 8.0)
    assert transaction.state is State.CONFIRMED
    # Repetitions that were on their way are absorbed, and so are later ACKs.
    transaction.receive_again(9.0)
    transaction.receive_ack(a_request("ACK"), 10.0)
    assert run(transaction, 13.0) == []
    assert transaction.terminated
    assert told(transaction) == []


@pytest.mark.rule("SIP-23")
def test_a_refusal_that_is_never_acknowledged_is_given_up_after_32_seconds() -> None:
    transaction = server("INVITE")
    transaction.respond(response_to(transaction.request, 486, to_tag="b"), 0.0)
    sent(transaction)
    times = run(transaction, 100.0)
    assert times == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert told(transaction) == ["TIMEOUT"]


@pytest.mark.rule("SIP-23")
def test_over_tcp_a_refusal_is_sent_once_but_its_ack_awaited() -> None:
    transaction = server("INVITE", TCP)
    assert isinstance(transaction, InviteServerTransaction)
    transaction.respond(response_to(transaction.request, 486, to_tag="b"), 0.0)
    sent(transaction)
    assert run(transaction, 31.0) == []
    transaction.receive_ack(a_request("ACK"), 31.0)
    assert transaction.terminated


@pytest.mark.rule("SIP-23")
def test_an_accepted_invite_absorbs_repetitions_for_32_seconds() -> None:
    transaction = server("INVITE")
    assert isinstance(transaction, InviteServerTransaction)
    response = response_to(transaction.request, 200, to_tag="b")
    transaction.respond(response, 0.0)
    assert len(sent(transaction)) == 1
    transaction.receive_again(0.5)
    assert sent(transaction) == []
    # Its user repeats the 2xx, and gets the ACK.
    transaction.respond(response, 0.5)
    assert len(sent(transaction)) == 1
    transaction.receive_ack(a_request("ACK"), 1.0)
    assert [notice.kind for notice in transaction.notices] == [NoticeKind.MESSAGE]
    transaction.respond(response_to(transaction.request, 486, to_tag="b"), 2.0)
    assert sent(transaction) == []
    run(transaction, 32.0)
    assert transaction.terminated


# Other servers.


@pytest.mark.rule("SIP-24")
def test_repetitions_are_ignored_until_there_is_an_answer() -> None:
    transaction = server("OPTIONS")
    transaction.receive_again(0.5)
    assert sent(transaction) == []
    transaction.respond(response_to(transaction.request, 200, to_tag="b"), 1.0)
    transaction.receive_again(1.5)
    transaction.receive_again(3.5)
    assert len(sent(transaction)) == 3
    run(transaction, 33.0)
    assert transaction.terminated


@pytest.mark.rule("SIP-24")
def test_over_tcp_nothing_is_remembered() -> None:
    transaction = server("OPTIONS", TCP)
    transaction.respond(response_to(transaction.request, 200, to_tag="b"), 1.0)
    assert transaction.terminated


@pytest.mark.rule("SIP-26")
@pytest.mark.parametrize("hop", [UDP, TCP], ids=["udp", "tcp"])
def test_a_100_to_another_request_comes_only_after_three_and_a_half_seconds(
    hop: Hop,
) -> None:
    transaction = server("OPTIONS", hop)
    transaction.respond(response_to(transaction.request, 100), 0.1)
    transaction.respond(response_to(transaction.request, 183, to_tag="b"), 0.1)
    assert sent(transaction) == []
    assert run(transaction, 100.0) == [3.5]
    transaction.receive_again(101.0)
    (again,) = sent(transaction)
    assert isinstance(again, Response)
    assert again.status == 100


# All of them.


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_clock_that_jumps_makes_no_burst(method: str) -> None:
    transaction = client(method)
    sent(transaction)
    transaction.handle_timeout(20.0)
    assert len(sent(transaction)) == 1
    due = transaction.next_timeout()
    assert due is not None
    assert due > 20.0


@pytest.mark.parametrize("kind", ["client", "server"])
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_no_order_of_happenings_leaves_a_transaction_for_ever(
    kind: str, method: str
) -> None:
    statuses = (100, 180, 200, 200, 486, 486)
    for order in set(itertools.permutations(statuses, 3)):
        transaction: Transaction
        if kind == "client":
            ours = client(method)
            for time, status in enumerate(order):
                ours.receive(answer(ours, status), float(time))
            transaction = ours
        else:
            theirs = server(method)
            for time, status in enumerate(order):
                response = response_to(theirs.request, status, to_tag="b")
                theirs.respond(response, float(time))
            transaction = theirs
        run(transaction, 1000.0)
        # An INVITE without a final response is what a user has to end.
        waiting = transaction.state is State.PROCEEDING and method == "INVITE"
        assert transaction.terminated or waiting


def test_an_abandoned_request_hears_nothing_more() -> None:
    transaction = client("INVITE")
    transaction.abandon()
    transaction.receive(answer(transaction, 200), 1.0)
    assert told(transaction) == []
    assert transaction.next_timeout() is None


def test_the_fallback_of_a_response_is_passed_along() -> None:
    fallback = Hop(Transport.TCP, "192.0.2.1", 5060)
    transaction = NonInviteServerTransaction(
        a_request("BYE"), TCP, TCP, fallback, TIMERS, 0.0
    )
    transaction.respond(response_to(transaction.request, 200, to_tag="b"), 0.0)
    (outgoing,) = transaction.outbox
    assert isinstance(outgoing, Outgoing)
    assert (outgoing.hop, outgoing.fallback) == (TCP, fallback)
