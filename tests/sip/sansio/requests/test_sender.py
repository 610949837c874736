"""From a URI to the hop that takes a request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.errors import TransportError
from sip.message import Response, response_to
from sip.sansio.events import CallAnswered, CallFailed, Failure, RequestFailed
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.testing import Network, Node, Peer, Sent
from sip.uri import parse_uri

ALICE = "192.0.2.1"
FIRST, SECOND = "192.0.2.11", "192.0.2.12"


def hops(*hosts: str, transport: Transport = Transport.UDP) -> list[Hop]:
    return [Hop(transport, host, 5060) for host in hosts]


@pytest.fixture
def alice(network: Network) -> Node:
    node = network.node(ALICE)
    node.resolve = lambda uri: hops(FIRST, SECOND)
    return node


@pytest.fixture
def first(network: Network) -> Peer:
    return network.peer(FIRST)


@pytest.fixture
def second(network: Network) -> Peer:
    return network.peer(SECOND)


def ask(alice: Node) -> None:
    alice.core.request("OPTIONS", parse_uri("sip:example.com"))
    alice.network.run()


def targets(network: Network) -> list[str]:
    """Return where requests went, without repetitions."""
    found = (str(sent.target) for sent in network.log)
    return list(dict.fromkeys(found))


@pytest.mark.rule("SIP-66", "ST-14")
def test_silence_sends_the_request_to_the_next_hop_on_a_new_branch(
    network: Network, alice: Node, first: Peer, second: Peer
) -> None:
    ask(alice)
    network.run(32.0)
    one, two = first.requests("OPTIONS")[0], second.requests("OPTIONS")[0]
    assert one.via.branch != two.via.branch
    assert (one.call_id, one.from_, one.cseq) == (two.call_id, two.from_, two.cseq)
    network.run(32.0)
    (failed,) = alice.of(RequestFailed)
    assert failed.failure is Failure.TIMEOUT


@pytest.mark.rule("SIP-66")
@pytest.mark.parametrize("method", ["INVITE", "OPTIONS"])
def test_a_503_sends_the_request_to_the_next_hop(
    network: Network, alice: Node, first: Peer, second: Peer, method: str
) -> None:
    if method == "INVITE":
        alice.core.invite(parse_uri("sip:example.com"), network.now)
        network.run()
    else:
        ask(alice)
    request = first.requests(method)[0]
    first.send(response_to(request, 503, to_tag="x"), hops(ALICE)[0])
    network.run()
    assert len(second.requests(method)) == 1
    assert alice.events == []


@pytest.mark.rule("SIP-66", "SIP-29")
def test_a_503_of_the_last_hop_is_the_answer(
    network: Network, alice: Node, first: Peer
) -> None:
    alice.resolve = lambda uri: hops(FIRST)
    alice.core.invite(parse_uri("sip:example.com"), network.now)
    network.run()
    request = first.requests("INVITE")[0]
    first.send(response_to(request, 503, to_tag="x"), hops(ALICE)[0])
    network.run()
    (failed,) = alice.of(CallFailed)
    assert isinstance(failed.response, Response)


@pytest.mark.rule("SIP-18", "SIP-66")
def test_what_cannot_be_sent_goes_to_the_next_hop(
    network: Network, alice: Node, second: Peer
) -> None:
    alice.resolve = lambda uri: hops(FIRST, SECOND, transport=Transport.TCP)
    ask(alice)
    assert len(second.requests("OPTIONS")) == 1
    assert second.requests("OPTIONS")[0].via.transport == "TCP"


@pytest.mark.rule("SIP-29")
@pytest.mark.parametrize(
    ("found", "failure"),
    [
        pytest.param([], Failure.NOT_FOUND, id="no-address"),
        pytest.param(hops(FIRST, transport=Transport.TCP), Failure.TRANSPORT, id="tcp"),
    ],
)
def test_what_can_be_sent_nowhere_fails_like_a_503(
    network: Network, found: list[Hop], failure: Failure
) -> None:
    alice = network.node(ALICE)
    alice.resolve = lambda uri: found
    ask(alice)
    (failed,) = alice.of(RequestFailed)
    assert failed.failure is failure
    assert failed.failure.status == 503


@pytest.mark.rule("SIP-68", "SIP-29")
def test_too_many_requests_fail_here(network: Network, first: Peer) -> None:
    alice = network.node(ALICE, limits=Limits(client_transactions=1))
    alice.resolve = lambda uri: hops(FIRST)
    ask(alice)
    ask(alice)
    assert [event.failure for event in alice.of(RequestFailed)] == [Failure.BUSY]


@pytest.mark.rule("SIP-66", "SIP-51")
def test_a_cancelled_call_goes_to_no_other_hop(
    network: Network, alice: Node, first: Peer, second: Peer
) -> None:
    call = alice.core.invite(parse_uri("sip:example.com"), network.now)
    network.run()
    invite = first.requests("INVITE")[0]
    first.send(response_to(invite, 180, to_tag="x"), hops(ALICE)[0])
    network.run()
    call.cancel(network.now)
    first.send(response_to(invite, 503, to_tag="x"), hops(ALICE)[0])
    network.run()
    assert [str(cancel.cseq) for cancel in first.requests("CANCEL")] == ["1 CANCEL"]
    assert second.received == []
    assert [event.failure for event in alice.of(CallFailed)] == [Failure.CANCELLED]


# Big requests.


def call_with_a_big_body(alice: Node) -> None:
    alice.core.invite(
        parse_uri("sip:example.com"),
        alice.network.now,
        body=b"x" * 1300,
        content_type="application/sdp",
    )
    alice.network.run()


@pytest.mark.rule("SIP-12", "ST-12")
def test_a_big_request_goes_over_tcp(
    network: Network, alice: Node, first: Peer
) -> None:
    call_with_a_big_body(alice)
    (invite,) = first.requests("INVITE")
    assert invite.via.transport == "TCP"
    assert str(invite.contacts[0].uri) == f"sip:{ALICE}:5060;transport=tcp"
    assert targets(network) == [f"tcp://{FIRST}:5060"]


@pytest.mark.rule("SIP-12")
def test_a_big_request_goes_over_udp_after_all_if_tcp_is_refused(
    network: Network, alice: Node, first: Peer, second: Peer
) -> None:
    network.refused.add(Transport.TCP)
    call_with_a_big_body(alice)
    assert targets(network) == [f"tcp://{FIRST}:5060", f"udp://{FIRST}:5060"]
    (invite,) = first.requests("INVITE")
    assert invite.via.transport == "UDP"
    assert str(invite.contacts[0].uri) == f"sip:{ALICE}:5060"
    # The next hop may have both, again.
    network.run(32.0)
    assert targets(network)[2:] == [f"tcp://{SECOND}:5060", f"udp://{SECOND}:5060"]


@pytest.mark.rule("SIP-12")
def test_a_small_request_stays_on_udp(
    network: Network, alice: Node, first: Peer
) -> None:
    ask(alice)
    assert targets(network) == [f"udp://{FIRST}:5060"]


# The ACK.


@pytest.mark.rule("SIP-46", "SIP-66")
def test_an_ack_that_cannot_be_sent_goes_to_the_next_hop(
    network: Network, alice: Node, second: Peer
) -> None:
    alice.resolve = lambda uri: hops(SECOND)
    call = alice.core.invite(parse_uri("sip:example.com"), network.now)
    network.run()
    invite = second.requests("INVITE")[0]
    ok = response_to(
        invite, 200, to_tag="x", headers=[("Contact", "<sip:x.example.com>")]
    )
    second.send(ok, hops(ALICE)[0])
    network.run()
    assert len(alice.of(CallAnswered)) == 1
    alice.resolve = lambda uri: hops(FIRST, SECOND, transport=Transport.TCP)
    call.acknowledge(network.now)
    network.run()
    (ack,) = second.requests("ACK")
    assert ack.via.transport == "TCP"
    # And nowhere at all, which only the peer can mend by hanging up.
    network.refused.add(Transport.TCP)
    second.send(ok, hops(ALICE)[0])
    network.run(1.0)
    assert len(second.requests("ACK")) == 1


def test_the_contact_names_the_address_that_the_peer_can_reach(
    network: Network,
) -> None:
    alice = network.node(ALICE)
    sender = alice.core.sender
    udp = Hop(Transport.UDP, FIRST, 5060)
    assert sender.contact(udp, secure=False) == f"<sip:{ALICE}:5060>"
    tcp = replace(udp, transport=Transport.TCP)
    assert sender.contact(tcp, secure=False) == f"<sip:{ALICE}:5060;transport=tcp>"
    assert sender.contact(tcp, secure=True) == f"<sips:{ALICE}:5060>"


def test_a_lookup_that_comes_too_late_is_ignored(network: Network) -> None:
    alice = network.node(ALICE)
    call = alice.core.invite(parse_uri("sip:example.com"), 0.0)
    (lookup,) = alice.core.lookups()
    call.cancel(0.0)
    alice.core.found(lookup, hops(FIRST), 0.0)
    assert alice.core.messages_to_send() == []


def test_what_is_lost_on_the_way_is_repeated(
    network: Network, alice: Node, first: Peer
) -> None:
    lost: list[Sent] = []

    def fate(sent: Sent) -> tuple[float, ...]:
        if len(lost) < 3:
            lost.append(sent)
            return ()
        return (0.0,)

    network.fate = fate
    ask(alice)
    network.run(3.5)
    assert len(first.requests("OPTIONS")) == 1
    assert network.times("OPTIONS") == [0.0, 0.5, 1.5, 3.5]


@pytest.mark.rule("SIP-66")
def test_a_request_knows_where_it_went_last(network: Network) -> None:
    alice = network.node(ALICE)
    alice.resolve = lambda uri: hops(FIRST, SECOND, transport=Transport.TCP)
    sent = alice.core.request("OPTIONS", parse_uri("sip:b:hush@example.com"))
    assert sent.target == "sip:b@example.com"
    network.run()
    assert sent.target == (
        "sip:b@example.com at 192.0.2.12:5060 over TCP, the last of 2 addresses tried"
    )


@pytest.mark.rule("SIP-12")
def test_a_datagram_after_a_stream_is_no_other_address(network: Network) -> None:
    alice = network.node(ALICE)
    network.peer(FIRST)
    network.refused.add(Transport.TCP)
    sent = alice.core.request(
        "OPTIONS", parse_uri(f"sip:{FIRST}"), body=b"x" * 1500, content_type="x/y"
    )
    network.run()
    assert (sent.tried, sent.target) == (1, f"{FIRST}:5060 over UDP")


@pytest.mark.rule("SIP-18", "SIP-29")
def test_what_the_shell_says_of_a_failure_stays_with_the_request(
    network: Network, alice: Node
) -> None:
    sent = alice.core.request("OPTIONS", parse_uri("sip:example.com"))
    (lookup,) = alice.core.lookups()
    alice.core.found(lookup, hops(FIRST), 0.0)
    (outgoing,) = alice.core.messages_to_send()
    error = TransportError("connection refused")
    alice.core.transport_failed(outgoing, 0.0, error)
    assert sent.cause is error
    assert sent.done
