"""The whole core: what is refused, what is bounded, and two of them at once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import LocalError, SipParseError
from sip.message import Message, Request, Response, response_to
from sip.sansio.admission import Admission
from sip.sansio.calls.call import CallState
from sip.sansio.events import (
    CallAnswered,
    CallEnded,
    CallReceived,
    Event,
    Failure,
    RequestFailed,
    ResponseReceived,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.testing import Network, Node, Peer, Sent
from sip.uri import parse_uri
from sip.wire import parse_message

ALICE, BOB = "192.0.2.1", "192.0.2.2"
TO_ALICE = Hop(Transport.UDP, ALICE, 5060)

INVITE = f"""\
INVITE sip:alice@{ALICE} SIP/2.0
Via: SIP/2.0/UDP {BOB};branch=z9hG4bKone
Max-Forwards: 70
From: <sip:bob@{BOB}>;tag=b
To: <sip:alice@{ALICE}>
Call-ID: call-1
CSeq: 1 INVITE
Contact: <sip:bob@{BOB}>
"""


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Peer:
    return network.peer(BOB)


def raw(text: str, body: str = "") -> bytes:
    return (text.replace("\n", "\r\n") + "\r\n" + body).encode()


def receive(alice: Node, data: bytes, source: Hop | None = None) -> None:
    alice.receive(data, source or Hop(Transport.UDP, BOB, 5060), Transport.UDP)
    alice.network.run()


def answers(bob: Peer) -> list[Response]:
    return [message for message in bob.received if isinstance(message, Response)]


# What is refused.


@pytest.mark.rule("SIP-1", "SIP-33", "SIP-34", "SIP-36", "SIP-37", "ST-7")
@pytest.mark.parametrize(
    ("old", "new", "status", "header"),
    [
        pytest.param("Max", "Require: foo\nMax", 420, "Unsupported: foo", id="require"),
        pytest.param(
            "Max", "Content-Type: x/y\nMax", 415, "Accept: application/sdp", id="body"
        ),
        pytest.param("INVITE", "FOO", 501, "Allow: INVITE", id="unknown-method"),
        pytest.param("INVITE", "REGISTER", 405, "Allow: INVITE", id="register"),
        pytest.param(f"sip:alice@{ALICE} ", "foo:bar ", 416, "", id="scheme"),
        pytest.param("SIP/2.0\nVia", "SIP/3.0\nVia", 505, "", id="version"),
        pytest.param("1 INVITE", "1 BYE", 400, "", id="cseq-method"),
        pytest.param("Call-ID: call-1\n", "", 400, "", id="no-call-id"),
        pytest.param("Call-ID", "Call-ID: x\nCall-ID", 400, "", id="two-call-ids"),
        pytest.param(f"To: <sip:alice@{ALICE}>", "To: <", 400, "", id="bad-to"),
        pytest.param(f"Contact: <sip:bob@{BOB}>\n", "", 400, "", id="no-contact"),
        pytest.param("INVITE", "BYE", 481, "", id="bye-without-dialog"),
        pytest.param("INVITE", "CANCEL", 481, "", id="cancel-of-nothing"),
        pytest.param(
            f"<sip:alice@{ALICE}>", f"<sip:a@{ALICE}>;tag=x", 481, "", id="no-dialog"
        ),
    ],
)
def test_what_is_refused(
    alice: Node, bob: Peer, old: str, new: str, status: int, header: str
) -> None:
    receive(alice, raw(INVITE.replace(old, new), "body" * ("Content" in new)))
    (response,) = answers(bob)
    assert response.status == status
    name, _, value = header.partition(": ")
    assert (response.headers.get(name) or "").startswith(value)
    assert alice.of(CallReceived) == []
    assert alice.core.calls == frozenset()


@pytest.mark.rule("SIP-37", "SIP-39", "SIP-34", "NG-1", "ST-7")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("Max-Forwards: 70", "Max-Forwards: 0", id="zero-max-forwards"),
        pytest.param("Max-Forwards: 70\n", "", id="no-max-forwards"),
        pytest.param(f"sip:alice@{ALICE} ", "urn:service:sos ", id="sos"),
        pytest.param(f"To: <sip:alice@{ALICE}>", "To: <tel:911>", id="other-to"),
        pytest.param(
            "Max",
            "Content-Type: x/y\nContent-Disposition: x;handling=optional\nMax",
            id="optional-body",
        ),
    ],
)
def test_what_is_taken(alice: Node, bob: Peer, old: str, new: str) -> None:
    receive(alice, raw(INVITE.replace(old, new), "body" * ("optional" in new)))
    assert len(alice.of(CallReceived)) == 1


@pytest.mark.rule("SIP-35", "ST-6")
def test_the_same_invite_by_two_ways_is_refused_once(alice: Node, bob: Peer) -> None:
    receive(alice, raw(INVITE))
    receive(alice, raw(INVITE.replace("bKone", "bKtwo")))
    (response,) = answers(bob)
    assert response.status == 482
    assert response.via.branch == "z9hG4bKtwo"
    assert len(alice.of(CallReceived)) == 1


@pytest.mark.rule("SIP-13", "SIP-14", "ST-12")
def test_a_caller_behind_a_nat_is_answered_where_it_came_from(
    network: Network, alice: Node
) -> None:
    nat = network.peer("198.51.100.7", 40000)
    invite = INVITE.replace("UDP 192.0.2.2;", "UDP 10.0.0.1:5099;rport;")
    receive(alice, raw(invite.replace("1 INVITE", "1 FOO")), nat.hop())
    receive(alice, raw(invite), nat.hop())
    network.run(0.3)
    assert nat.statuses() == [400, 100]
    for response in nat.received:
        assert (response.via.received, response.via.rport) == ("198.51.100.7", 40000)


def test_an_ack_is_never_answered(alice: Node, bob: Peer) -> None:
    receive(alice, raw(INVITE.replace("INVITE", "ACK")))
    receive(alice, raw(INVITE.replace("INVITE", "ACK").replace("Call-ID", "X")))
    assert bob.received == []


def test_octets_that_are_no_request_are_not_answered(alice: Node, bob: Peer) -> None:
    receive(alice, b"hello\r\n\r\n")
    receive(alice, raw(INVITE.replace("Via", "Vie")))
    assert bob.received == []


@pytest.mark.rule("SIP-15", "SIP-27")
def test_strays_are_dropped(alice: Node, bob: Peer) -> None:
    receive(alice, raw(INVITE))
    for status in (180, 200, 486):
        stray = response_to(parse_message(raw(INVITE)), status)  # type: ignore[arg-type]  # It is a request.
        receive(alice, bytes(stray))
    network = alice.network
    assert [sent.what for sent in network.log] == []
    assert alice.of(CallAnswered) == []


# OPTIONS.


@pytest.mark.rule("SIP-52", "SIP-38")
def test_options_tells_what_an_invite_would_get(alice: Node, bob: Peer) -> None:
    options = raw(INVITE.replace("INVITE", "OPTIONS"))
    alice.core.capabilities = b"v=0"
    receive(alice, options)
    alice.core.answers_calls = False
    receive(alice, options.replace(b"bKone", b"bKtwo").replace(b"1 OPT", b"2 OPT"))
    yes, no = answers(bob)
    assert (yes.status, no.status) == (200, 480)
    assert (
        yes.headers.get("Allow") == "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE"
    )
    assert yes.headers.values("Accept") == ["application/sdp", "multipart/*"]
    assert yes.headers.get("Accept-Encoding") == "identity"
    assert "Accept-Language" in yes.headers
    assert (yes.body, yes.content_type) == (b"v=0", "application/sdp")
    assert no.body == b""
    assert yes.to.tag is not None
    assert "Contact" not in yes.headers


@pytest.mark.rule("SIP-52")
def test_options_within_a_call_changes_nothing(
    network: Network, alice: Node, bob: Peer
) -> None:
    receive(alice, raw(INVITE))
    call = alice.of(CallReceived)[0].call
    assert call.dialog is not None
    call.accept(network.now)
    network.run()
    to = f"To: <sip:alice@{ALICE}>"
    options = INVITE.replace("INVITE", "OPTIONS").replace("bKone", "bKopt")
    options = options.replace(to, f"{to};tag={call.dialog.local.tag}")
    receive(alice, raw(options.replace("1 OPT", "2 OPT")))
    assert answers(bob)[-1].status == 200
    assert str(call.dialog.remote_target) == f"sip:bob@{BOB}"
    assert call.state is CallState.ANSWERED


@pytest.mark.rule("SIP-22", "SIP-29")
def test_a_request_outside_any_call_is_answered_or_fails(
    network: Network, alice: Node, bob: Peer
) -> None:
    first = alice.core.request("OPTIONS", parse_uri(f"sip:{BOB}"))
    network.run()
    bob.send(response_to(bob.requests("OPTIONS")[0], 200, to_tag="x"), TO_ALICE)
    network.run()
    second = alice.core.request("OPTIONS", parse_uri(f"sip:{BOB}"))
    network.run(40.0)
    (answered,), (failed,) = alice.of(ResponseReceived), alice.of(RequestFailed)
    assert answered.request is first
    assert failed.request is second
    assert failed.failure is Failure.TIMEOUT


@pytest.mark.parametrize("method", ["INVITE", "ACK", "CANCEL", "BYE"])
def test_what_makes_a_call_is_no_single_request(alice: Node, method: str) -> None:
    with pytest.raises(LocalError):
        alice.core.request(method, parse_uri(f"sip:{BOB}"))


# Bounds.


def numbered(number: int) -> bytes:
    return raw(INVITE.replace("bKone", f"bK{number}").replace("call-1", f"c-{number}"))


@pytest.mark.rule("SIP-68")
@pytest.mark.parametrize(
    "limits",
    [Limits(server_transactions=2), Limits(ringing_calls=2), Limits(calls=2)],
    ids=["transactions", "ringing", "calls"],
)
def test_beyond_a_bound_calls_are_refused_with_503_and_a_time(
    network: Network, bob: Peer, limits: Limits
) -> None:
    alice = network.node(ALICE, limits=limits)
    for number in range(4):
        receive(alice, numbered(number))
    assert [response.status for response in answers(bob)] == [503, 503]
    assert answers(bob)[0].headers.get("Retry-After") == "5"
    assert len(alice.core.calls) == 2


@pytest.mark.rule("SIP-68")
def test_answered_calls_dont_count_as_ringing(network: Network, bob: Peer) -> None:
    alice = network.node(ALICE, limits=Limits(ringing_calls=2))
    for number in range(4):
        receive(alice, numbered(number))
        alice.of(CallReceived)[-1].call.accept(network.now)
        network.run()
    assert len(alice.core.calls) == 4


@pytest.mark.rule("SIP-68")
def test_beyond_the_bound_no_call_is_made(network: Network) -> None:
    alice = network.node(ALICE, limits=Limits(calls=1))
    alice.core.invite(parse_uri(f"sip:{BOB}"), 0.0)
    with pytest.raises(LocalError):
        alice.core.invite(parse_uri(f"sip:{BOB}"), 0.0)


@pytest.mark.rule("SIP-68")
@pytest.mark.parametrize(
    "header", [("Subject", "x\r\nRoute: <sip:evil>"), ("Bad Name", "x")]
)
def test_no_header_can_be_smuggled_in(alice: Node, header: tuple[str, str]) -> None:
    with pytest.raises(LocalError):
        alice.core.invite(parse_uri(f"sip:{BOB}"), 0.0, headers=[header])
    assert alice.core.calls == frozenset()


# Two cores.


def answer_calls(node: Node) -> None:
    def act(event: Event) -> None:
        if isinstance(event, CallReceived):
            event.call.provisional(180, node.network.now)
            event.call.accept(
                node.network.now, body=b"answer", content_type="application/sdp"
            )
        elif isinstance(event, CallAnswered):
            event.call.acknowledge(node.network.now)

    node.on_event = act


@pytest.mark.rule("SIP-20", "SIP-23", "SIP-46")
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_call_is_made_and_ended_over_a_wire_that_loses_and_repeats(
    data: st.DataObject,
) -> None:
    network = Network()
    alice, bob = network.node(ALICE), network.node(BOB)
    answer_calls(alice)
    answer_calls(bob)
    bad = data.draw(st.lists(st.sampled_from(["lost", "twice", "late"]), max_size=40))
    plan = iter(bad)

    def fate(sent: Sent) -> tuple[float, ...]:
        match next(plan, None):
            case "lost":
                return ()
            case "twice":
                return (0.01, 0.3)
            case "late":
                return (0.7,)
            case _:
                return (0.01,)

    network.fate = fate
    call = alice.core.invite(parse_uri(f"sip:bob@{BOB}"), network.now)
    network.run(70.0)
    if call.state is CallState.CONFIRMED:
        call.bye(network.now)
    network.run(200.0)
    # Whatever was lost: both sides agree that there is no call, nothing is left.
    assert alice.core.calls == bob.core.calls == frozenset()
    assert call.state is CallState.ENDED
    assert len(alice.core._layer) == len(bob.core._layer) == 0
    assert len(alice.core._agenda) == len(bob.core._agenda) == 0
    assert alice.core._dialogs.users == bob.core._dialogs.users == {}
    assert len(alice.core.sender._acks) == len(alice.core.sender._lookups) == 0
    assert len(alice.of(CallEnded)) == len(alice.of(CallAnswered))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_message_however_spoilt_is_more_than_refused(data: st.DataObject) -> None:
    network = Network()
    alice, bob = network.node(ALICE), network.peer(BOB)
    octets = bytearray(raw(INVITE))
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(octets) - 1))
        octets[place : place + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=4)
        )
    receive(alice, bytes(octets))
    network.run(100.0)
    for message in bob.received:
        assert isinstance(message, Response)
    for call in alice.of(CallReceived):
        call.call.reject(486, network.now)
    network.run(100.0)
    assert alice.core.calls == frozenset()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                ["INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "UPDATE", "100", "200"]
            ),
            st.integers(0, 3),
            st.sampled_from(["one", "two"]),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_no_order_of_messages_breaks_the_core(
    messages: list[tuple[str, int, str, bool]],
) -> None:
    network = Network()
    alice = network.node(ALICE)
    network.peer(BOB)
    answer_calls(alice)
    for what, cseq, branch, in_dialog in messages:
        tag = ""
        calls = alice.of(CallReceived)
        if in_dialog and calls and calls[0].call.dialog is not None:
            tag = f";tag={calls[0].call.dialog.local.tag}"
        method = "INVITE" if what.isdigit() else what
        text = INVITE.replace("INVITE", method).replace("bKone", f"bK{branch}")
        text = text.replace("CSeq: 1", f"CSeq: {cseq}")
        text = text.replace(f"To: <sip:alice@{ALICE}>", f"To: <sip:a@{ALICE}>{tag}")
        message: Message = parse_message(raw(text))
        if what.isdigit():
            assert isinstance(message, Request)
            message = response_to(message, int(what), to_tag="x")
        receive(alice, bytes(message))
        network.run(0.1)
    network.run(300.0)
    assert alice.core.calls == frozenset() or any(
        call.state is CallState.CONFIRMED for call in alice.core.calls
    )


def test_an_error_of_the_parser_is_taken_too(alice: Node, bob: Peer) -> None:
    error = SipParseError("no good")
    alice.core.receive_invalid(error, bob.hop(), 0.0)
    assert alice.core.messages_to_send() == []


def test_requests_may_be_taken_that_others_refuse(network: Network, bob: Peer) -> None:
    alice = network.node(ALICE, admission=Admission(extensions=("foo",)))
    receive(alice, raw(INVITE.replace("Max", "Require: foo\nMax")))
    call = alice.of(CallReceived)[0].call
    call.accept(network.now)
    network.run()
    assert answers(bob)[0].supported == ("foo",)
