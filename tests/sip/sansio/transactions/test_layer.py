"""Which transaction a message belongs to."""

from __future__ import annotations

import pytest

from sip.errors import SipParseError
from sip.message import Message, Request, Response, response_to
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.sansio.limits import Limits
from sip.sansio.transactions.layer import (
    AckReceived,
    Merged,
    Overloaded,
    RequestReceived,
    TransactionLayer,
)
from sip.sansio.transactions.server import (
    ServerTransaction,
)
from sip.sansio.transactions.transaction import (
    Notice,
    State,
)
from sip.via import Via
from sip.wire import parse_message

PEER = Hop(Transport.UDP, "192.0.2.2", 5060)
OTHER = Hop(Transport.UDP, "192.0.2.3", 5060)


def a_request(
    method: str = "OPTIONS",
    *,
    branch: str | None = "z9hG4bKone",
    sent_by: str = "192.0.2.2",
    uri: str = "sip:bob@example.com",
    from_tag: str = "a",
    to_tag: str | None = None,
    call_id: str = "call-1",
    cseq: int = 1,
) -> Request:
    via = f"SIP/2.0/UDP {sent_by}" + (f";branch={branch}" if branch else "")
    to = "<sip:bob@example.com>" + (f";tag={to_tag}" if to_tag else "")
    return Request.build(
        method,
        uri,
        [
            ("Via", via),
            ("From", f"<sip:alice@example.com>;tag={from_tag}"),
            ("To", to),
            ("Call-ID", call_id),
            ("CSeq", f"{cseq} {method}"),
        ],
    )


def begin(layer: TransactionLayer, request: Request) -> ServerTransaction:
    layer.receive(request, PEER, 0.0)
    (event,) = layer.events_received()
    assert isinstance(event, RequestReceived)
    return event.transaction


def statuses(layer: TransactionLayer) -> list[int]:
    messages = [outgoing.message for outgoing in layer.messages_to_send()]
    return [message.status for message in messages if isinstance(message, Response)]


# Responses.


def send(layer: TransactionLayer, method: str = "OPTIONS") -> Request:
    request = a_request(method, sent_by="192.0.2.1")
    assert layer.send_request(request, PEER, 0.0) is not None
    layer.messages_to_send()
    return request


@pytest.mark.rule("SIP-25")
def test_a_response_finds_its_request_by_branch_and_method() -> None:
    layer = TransactionLayer()
    request = send(layer)
    layer.receive(response_to(request, 200, to_tag="b"), PEER, 1.0)
    (notice,) = layer.events_received()
    assert isinstance(notice, Notice)
    assert isinstance(notice.message, Response)
    assert notice.message.status == 200


def with_via(response: Response, via: str) -> Response:
    response.headers.set("Via", via)
    return response


@pytest.mark.rule("SIP-15", "SIP-25", "SIP-27")
@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(
            lambda r: with_via(r, "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKother"),
            id="other-branch",
        ),
        pytest.param(
            lambda r: with_via(r, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKone"),
            id="other-sent-by",
        ),
        pytest.param(
            lambda r: with_via(r, "SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKone"),
            id="other-port",
        ),
        pytest.param(
            lambda r: with_via(
                r,
                "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone, "
                "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKtwo",
            ),
            id="two-vias",
        ),
        pytest.param(lambda r: r.headers.set("CSeq", "1 INVITE"), id="other-method"),
    ],
)
def test_a_response_that_is_not_ours_is_dropped(spoil: object) -> None:
    layer = TransactionLayer()
    request = send(layer)
    response = response_to(request, 200, to_tag="b")
    assert callable(spoil)
    spoil(response)
    layer.receive(response, PEER, 1.0)
    assert layer.events_received() == []


@pytest.mark.rule("SIP-27")
def test_a_2xx_without_an_invite_is_dropped() -> None:
    layer = TransactionLayer()
    request = send(layer, "INVITE")
    layer.receive(response_to(request, 200, to_tag="b"), PEER, 1.0)
    assert len(layer.events_received()) == 1
    layer.handle_timeout(33.0)
    assert len(layer) == 0
    layer.receive(response_to(request, 200, to_tag="c"), PEER, 34.0)
    assert layer.events_received() == []
    assert layer.messages_to_send() == []


def test_a_response_without_a_via_is_a_parse_error() -> None:
    layer = TransactionLayer()
    response = response_to(a_request(), 200, to_tag="b")
    response.headers.remove("Via")
    with pytest.raises(SipParseError):
        layer.receive(response, PEER, 0.0)


# Requests.


@pytest.mark.rule("SIP-25", "SIP-24")
def test_a_repeated_request_gets_the_same_answer_and_is_told_once() -> None:
    layer = TransactionLayer()
    transaction = begin(layer, a_request())
    layer.respond(transaction, response_to(transaction.request, 200, to_tag="b"), 0.0)
    layer.receive(a_request(), PEER, 0.5)
    assert layer.events_received() == []
    first, second = layer.messages_to_send()
    assert bytes(first.message) == bytes(second.message)


@pytest.mark.rule("SIP-25")
@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"branch": "z9hG4bKtwo", "call_id": "call-2"}, id="branch"),
        pytest.param({"sent_by": "192.0.2.4", "call_id": "call-2"}, id="sent-by"),
        pytest.param({"sent_by": "192.0.2.2:5070", "call_id": "call-2"}, id="port"),
        pytest.param({"method": "BYE", "to_tag": "b"}, id="method"),
    ],
)
def test_a_request_that_differs_is_another_one(other: dict[str, str]) -> None:
    layer = TransactionLayer()
    begin(layer, a_request())
    layer.receive(a_request(**other), PEER, 0.5)  # type: ignore[arg-type]  # By name.
    assert [type(event) for event in layer.events_received()] == [RequestReceived]


@pytest.mark.rule("SIP-25")
@pytest.mark.parametrize("branch", [None, "1", "z9hG4bK"])
def test_without_the_cookie_the_rules_of_rfc_2543_apply(branch: str | None) -> None:
    layer = TransactionLayer()
    begin(layer, a_request(branch=branch))
    layer.receive(a_request(branch=branch), PEER, 0.5)
    assert layer.events_received() == []
    for differs in (
        a_request(branch=branch, cseq=2),
        a_request(branch=branch, call_id="call-2"),
        a_request(branch=branch, from_tag="c"),
        a_request(branch=branch, uri="sip:carol@example.com", cseq=3),
        a_request(branch=branch, sent_by="192.0.2.5", cseq=4),
    ):
        layer.receive(differs, PEER, 0.5)
        assert [type(event) for event in layer.events_received()] == [RequestReceived]


@pytest.mark.rule("SIP-25")
@pytest.mark.parametrize("branch", ["z9hG4bKone", None], ids=["rfc3261", "rfc2543"])
def test_the_ack_to_a_refusal_finds_its_invite(branch: str | None) -> None:
    layer = TransactionLayer()
    transaction = begin(layer, a_request("INVITE", branch=branch))
    layer.respond(transaction, response_to(transaction.request, 486, to_tag="b"), 0.0)
    layer.receive(a_request("ACK", branch=branch, to_tag="b"), PEER, 0.5)
    assert transaction.state is State.CONFIRMED
    assert layer.events_received() == []


@pytest.mark.rule("SIP-23", "SIP-46")
def test_the_ack_to_a_2xx_belongs_to_no_transaction() -> None:
    layer = TransactionLayer()
    transaction = begin(layer, a_request("INVITE"))
    layer.respond(transaction, response_to(transaction.request, 200, to_tag="b"), 0.0)
    layer.receive(a_request("ACK", branch="z9hG4bKack", to_tag="b"), PEER, 0.5)
    (event,) = layer.events_received()
    assert isinstance(event, AckReceived)


@pytest.mark.rule("SIP-25", "SIP-51")
def test_a_cancel_finds_the_invite_with_its_branch() -> None:
    layer = TransactionLayer()
    transaction = begin(layer, a_request("INVITE"))
    assert layer.cancelled_by(a_request("CANCEL")) is transaction
    assert layer.cancelled_by(a_request("CANCEL", branch="z9hG4bKtwo")) is None


@pytest.mark.rule("SIP-35")
def test_the_same_request_by_two_ways_is_merged() -> None:
    layer = TransactionLayer()
    begin(layer, a_request("INVITE"))
    layer.receive(a_request("INVITE", branch="z9hG4bKtwo"), OTHER, 0.1)
    (event,) = layer.events_received()
    assert isinstance(event, Merged)


@pytest.mark.rule("SIP-35")
@pytest.mark.parametrize(
    "other",
    [{"to_tag": "b"}, {"cseq": 2}, {"call_id": "call-2"}, {"from_tag": "c"}],
    ids=["in-dialog", "cseq", "call-id", "from-tag"],
)
def test_a_request_that_only_looks_the_same_is_not_merged(
    other: dict[str, str],
) -> None:
    layer = TransactionLayer()
    begin(layer, a_request("INVITE"))
    request = a_request(
        "INVITE",
        branch="z9hG4bKtwo",
        **other,  # type: ignore[arg-type]  # By name.
    )
    layer.receive(request, PEER, 0.1)
    assert [type(event) for event in layer.events_received()] == [RequestReceived]


@pytest.mark.rule("SIP-35")
def test_once_a_request_is_over_its_like_may_come_again() -> None:
    layer = TransactionLayer()
    transaction = begin(layer, a_request())
    layer.respond(transaction, response_to(transaction.request, 200, to_tag="b"), 0.0)
    layer.handle_timeout(32.0)
    assert len(layer) == 0
    begin(layer, a_request(branch="z9hG4bKtwo"))


# Bounds.


@pytest.mark.rule("SIP-68")
def test_beyond_the_bound_requests_are_not_taken() -> None:
    layer = TransactionLayer(limits=Limits(server_transactions=2))
    for number in range(3):
        branch = f"z9hG4bK{number}"
        layer.receive(a_request(branch=branch, call_id=branch), PEER, 0.0)
    kinds = [type(event) for event in layer.events_received()]
    assert kinds == [RequestReceived, RequestReceived, Overloaded]
    assert len(layer) == 2
    # What is known is still answered.
    layer.receive(a_request(branch="z9hG4bK0", call_id="z9hG4bK0"), PEER, 0.1)
    assert layer.events_received() == []


@pytest.mark.rule("SIP-68")
def test_beyond_the_bound_requests_are_not_sent() -> None:
    layer = TransactionLayer(limits=Limits(client_transactions=1))
    send(layer)
    request = a_request(branch="z9hG4bKtwo", sent_by="192.0.2.1")
    assert layer.send_request(request, PEER, 0.0) is None
    assert layer.messages_to_send() == []


def test_nothing_is_left_when_everything_is_over() -> None:
    layer = TransactionLayer()
    send(layer, "INVITE")
    transaction = begin(layer, a_request(branch="z9hG4bKtwo"))
    layer.respond(transaction, response_to(transaction.request, 200, to_tag="b"), 0.0)
    while (due := layer.next_timeout()) is not None:
        layer.handle_timeout(due)
    assert len(layer) == 0
    tables = (layer._ongoing, layer._servers, layer._clients, layer._agenda)
    assert [len(table) for table in tables] == [0, 0, 0, 0]


@pytest.mark.rule("SIP-23")
def test_a_response_that_cannot_be_sent_changes_nothing() -> None:
    layer = TransactionLayer()
    transaction = begin(layer, a_request("INVITE"))
    layer.respond(transaction, response_to(transaction.request, 486, to_tag="b"), 0.0)
    (outgoing,) = layer.messages_to_send()
    layer.transport_failed(outgoing, 0.1)
    assert transaction.state is State.COMPLETED


def test_messages_without_a_transaction_are_passed_through() -> None:
    layer = TransactionLayer()
    message: Message = parse_message(bytes(a_request("ACK")))
    outgoing = Outgoing(message, PEER)
    layer.send(outgoing)
    assert layer.messages_to_send() == [outgoing]
    layer.transport_failed(outgoing, 0.0)
    assert Via.parse("SIP/2.0/UDP 192.0.2.2").branch is None
    assert statuses(layer) == []
