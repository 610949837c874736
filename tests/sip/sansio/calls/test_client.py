"""Calls that we make, to peers that are scripted."""

from __future__ import annotations

import pytest

from sip.errors import LocalError
from sip.message import Request, response_to
from sip.name_addr import NameAddr
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.events import (
    CallAnswered,
    CallEnded,
    CallFailed,
    CallProgressed,
    EndReason,
    Failure,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.testing import Network, Node, Peer
from sip.uri import parse_uri

ALICE, BOB = "192.0.2.1", "192.0.2.2"
SDP = "application/sdp"


def call_bob(alice: Node, uri: str = f"sip:bob@{BOB}", **options: object) -> ClientCall:
    call = alice.core.invite(
        parse_uri(uri),
        alice.network.now,
        body=b"offer",
        content_type=SDP,
        **options,  # type: ignore[arg-type]  # By name.
    )
    alice.network.run()
    return call


def respond(peer: Peer, status: int, tag: str = "b", *headers: tuple[str, str]) -> None:
    """Answer the INVITE that a peer got."""
    invite = peer.requests("INVITE")[-1]
    contact = ("Contact", f"<sip:bob@{peer.host}>")
    extra = [contact, *headers] if status < 300 else list(headers)
    response = response_to(
        invite, status, to_tag=None if status == 100 else tag, headers=extra
    )
    peer.send(response, Hop(Transport[invite.via.transport], ALICE, 5060))
    peer.network.run()


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Peer:
    return network.peer(BOB)


# The INVITE.


@pytest.mark.rule("SIP-9", "SIP-10", "SIP-32")
def test_an_invite_has_what_it_must_have(alice: Node, bob: Peer) -> None:
    call_bob(alice, f"sip:bob@{BOB}:5060;transport=udp?Subject=x")
    (invite,) = bob.requests("INVITE")
    assert invite.raw_uri == f"sip:bob@{BOB}:5060;transport=udp"
    assert str(invite.to) == f"<sip:bob@{BOB}>"
    assert len(invite.from_.tag or "") >= 8
    assert invite.max_forwards == 70
    assert invite.cseq.number < 2**31
    assert (invite.via.branch or "").startswith("z9hG4bK")
    assert invite.via.rport == ""
    assert [str(contact.uri) for contact in invite.contacts] == [f"sip:{ALICE}:5060"]
    assert "INVITE" in invite.allow
    assert invite.body == b"offer"


@pytest.mark.rule("SIP-10")
def test_a_sips_uri_gets_a_sips_contact(alice: Node, bob: Peer) -> None:
    alice.resolve = lambda uri: [Hop(Transport.TLS, BOB, 5060)]
    call_bob(alice, f"sips:bob@{BOB}")
    (invite,) = bob.requests("INVITE")
    assert str(invite.contacts[0].uri) == f"sips:{ALICE}:5060"
    assert invite.via.transport == "TLS"


@pytest.mark.rule("SIP-20", "ST-1")
def test_nobody_answers(network: Network, alice: Node, bob: Peer) -> None:
    call_bob(alice)
    network.run(40.0)
    assert network.times("INVITE") == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    (failed,) = alice.of(CallFailed)
    assert failed.failure is Failure.TIMEOUT
    assert failed.failure.status == 408
    assert alice.core.calls == frozenset()


@pytest.mark.rule("SIP-20", "SIP-21", "SIP-29", "ST-2")
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_refusal_is_acknowledged_on_the_same_branch(
    network: Network, alice: Node, bob: Peer, transport: str
) -> None:
    call_bob(alice, f"sip:bob@{BOB};transport={transport}")
    respond(bob, 486)
    (ack,) = bob.requests("ACK")
    assert ack.via.branch == bob.requests("INVITE")[0].via.branch
    assert ack.to.tag == "b"
    (failed,) = alice.of(CallFailed)
    assert failed.response is not None
    assert failed.response.status == 486


def test_provisional_responses_are_reported_but_100_is_not(
    alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    respond(bob, 100)
    respond(bob, 180)
    respond(bob, 199)
    statuses = [event.response.status for event in alice.of(CallProgressed)]
    assert statuses == [180, 199]
    assert list(call.early_dialogs) == ["b"]


# The answer.


@pytest.mark.rule("SIP-46", "ST-2")
def test_each_2xx_is_acknowledged_with_the_same_ack(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    respond(bob, 200)
    assert len(alice.of(CallAnswered)) == 1
    # Repetitions before the application has acknowledged can't be helped.
    respond(bob, 200)
    assert bob.requests("ACK") == []
    call.acknowledge(network.now, body=b"answer", content_type=SDP)
    network.run()
    respond(bob, 200)
    first, second = bob.requests("ACK")
    assert bytes(first) == bytes(second)
    assert first.via.branch != bob.requests("INVITE")[0].via.branch
    assert first.raw_uri == f"sip:bob@{BOB}"
    assert str(first.cseq) == "1 ACK"
    assert first.body == b"answer"
    assert len(alice.of(CallAnswered)) == 1
    assert call.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-43", "SIP-46", "ST-9")
def test_ack_and_bye_go_by_the_route_set(network: Network, bob: Peer) -> None:
    alice = network.node(ALICE)
    strict, loose = network.peer("192.0.2.8"), network.peer("192.0.2.9")
    for proxy, parameter in ((loose, ";lr"), (strict, "")):
        call = call_bob(alice)
        route = (
            "Record-Route",
            f"<sip:last.example;lr>, <sip:{proxy.host}{parameter}>",
        )
        respond(bob, 200, "b", route)
        call.acknowledge(network.now)
        call.bye(network.now)
        network.run()
    for message in (*loose.requests("ACK"), *loose.requests("BYE")):
        assert message.raw_uri == f"sip:bob@{BOB}"
        assert [str(route) for route in message.routes] == [
            f"<sip:{loose.host};lr>",
            "<sip:last.example;lr>",
        ]
    for message in (*strict.requests("ACK"), *strict.requests("BYE")):
        assert message.raw_uri == f"sip:{strict.host}"
        assert [str(route) for route in message.routes] == [
            "<sip:last.example;lr>",
            f"<sip:bob@{BOB}>",
        ]
    assert len(loose.requests("BYE")) == len(strict.requests("BYE")) == 1
    assert bob.requests("ACK") == []


@pytest.mark.rule("SIP-28")
def test_a_preloaded_route_takes_the_invite_and_its_cancel(
    network: Network, alice: Node
) -> None:
    proxy = network.peer("192.0.2.9")

    call = alice.core.invite(
        parse_uri("urn:service:sos"),
        network.now,
        route_set=[NameAddr.parse(f"<sip:{proxy.host};lr>")],
    )
    network.run()
    respond(proxy, 180)
    call.cancel(network.now)
    network.run()
    (invite,), (cancel,) = proxy.requests("INVITE"), proxy.requests("CANCEL")
    for request in (invite, cancel):
        assert request.raw_uri == "urn:service:sos"
        assert [str(route) for route in request.routes] == [f"<sip:{proxy.host};lr>"]


def test_a_uri_that_leads_nowhere_is_an_error(alice: Node) -> None:
    with pytest.raises(LocalError):
        alice.core.invite(parse_uri("urn:service:sos"), 0.0)


def test_acknowledging_without_an_answer_is_an_error(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    with pytest.raises(LocalError):
        call.acknowledge(network.now)
    with pytest.raises(LocalError):
        call.bye(network.now)


# Forking.


@pytest.mark.rule("SIP-47", "SIP-42", "ST-3", "OA-31")
def test_of_several_who_answer_the_first_is_kept_and_the_others_are_ended(
    network: Network, alice: Node, bob: Peer
) -> None:
    carol = network.peer("192.0.2.3")
    call = call_bob(alice)
    respond(bob, 183, "a")
    respond(bob, 183, "b")
    assert list(call.early_dialogs) == ["a", "b"]
    respond(bob, 200, "b")
    call.acknowledge(network.now)
    network.run()
    # Another telephone behind the proxy was a moment too late.
    response = response_to(
        bob.requests("INVITE")[0],
        200,
        to_tag="a",
        headers=[("Contact", f"<sip:carol@{carol.host}>")],
    )
    target = Hop(Transport.UDP, ALICE, 5060)
    bob.send(response, target)
    network.run()
    assert [ack.to.tag for ack in bob.requests("ACK")] == ["b"]
    assert [ack.to.tag for ack in carol.requests("ACK")] == ["a"]
    assert [bye.to.tag for bye in carol.requests("BYE")] == ["a"]
    assert bob.requests("BYE") == []
    # It repeats its 2xx: the ACK was lost.
    bob.send(response, target)
    network.run()
    assert len(carol.requests("ACK")) == 2
    assert len(carol.requests("BYE")) == 1
    assert call.state is CallState.CONFIRMED
    assert call.dialog is not None
    assert call.dialog.remote.tag == "b"


@pytest.mark.rule("SIP-47", "SIP-68")
def test_early_dialogs_and_forks_are_bounded(network: Network, bob: Peer) -> None:
    limits = Limits(early_dialogs=3, answered_forks=3)
    alice = network.node(ALICE, limits=limits)
    call = call_bob(alice)
    for number in range(10):
        respond(bob, 183, f"early{number}")
    assert len(call.early_dialogs) == 3
    for number in range(10):
        respond(bob, 200, f"fork{number}")
    assert len(bob.requests("BYE")) == 3


@pytest.mark.rule("SIP-47")
def test_early_dialogs_end_with_the_call_or_with_timer_m(
    network: Network, alice: Node, bob: Peer
) -> None:
    refused = call_bob(alice)
    respond(bob, 183, "a")
    respond(bob, 486)
    assert refused.early_dialogs == {}
    answered = call_bob(alice)
    respond(bob, 183, "a")
    respond(bob, 200, "b")
    answered.acknowledge(network.now)
    network.run(31.0)
    assert list(answered.early_dialogs) == ["a"]
    network.run(1.0)
    assert answered.early_dialogs == {}


@pytest.mark.rule("SIP-27")
def test_a_2xx_that_comes_after_timer_m_is_a_stray(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    respond(bob, 200)
    call.acknowledge(network.now)
    network.run(33.0)
    respond(bob, 200)
    respond(bob, 200, "c")
    assert len(bob.requests("ACK")) == 1
    assert bob.requests("BYE") == []


# CANCEL.


@pytest.mark.rule("SIP-51", "ST-4")
def test_a_cancel_waits_for_a_provisional_response(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    call.cancel(network.now)
    network.run(1.0)
    assert bob.requests("CANCEL") == []
    respond(bob, 100)
    (cancel,), invite = bob.requests("CANCEL"), bob.requests("INVITE")[0]
    assert cancel.headers.get_all("Via") == invite.headers.get_all("Via")
    assert cancel.raw_uri == invite.raw_uri
    assert (cancel.call_id, cancel.from_, cancel.to) == (
        invite.call_id,
        invite.from_,
        invite.to,
    )
    assert str(cancel.cseq) == "1 CANCEL"
    assert "Require" not in cancel.headers
    bob.send(response_to(cancel, 200, to_tag="b"), Hop(Transport.UDP, ALICE, 5060))
    respond(bob, 487)
    assert len(bob.requests("ACK")) == 1
    (failed,) = alice.of(CallFailed)
    assert failed.failure is Failure.CANCELLED


@pytest.mark.rule("SIP-51")
def test_a_cancel_goes_out_once(network: Network, alice: Node, bob: Peer) -> None:
    call = call_bob(alice)
    respond(bob, 180)
    call.cancel(network.now)
    call.cancel(network.now)
    network.run()
    respond(bob, 183)
    assert len(bob.requests("CANCEL")) == 1


@pytest.mark.rule("SIP-51", "SIP-47", "ST-4")
def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    respond(bob, 180)
    call.cancel(network.now)
    network.run()
    respond(bob, 200)
    assert len(bob.requests("ACK")) == 1
    assert len(bob.requests("BYE")) == 1
    assert alice.of(CallAnswered) == []
    assert [event.failure for event in alice.of(CallFailed)] == [Failure.CANCELLED]


@pytest.mark.rule("SIP-51")
def test_a_cancel_that_nobody_confirms_is_given_up_after_32_seconds(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    respond(bob, 180)
    call.cancel(network.now)
    network.run(31.9)
    assert alice.core.calls == {call}
    network.run(0.1)
    assert alice.core.calls == frozenset()
    assert [event.failure for event in alice.of(CallFailed)] == [Failure.CANCELLED]
    network.run(40.0)
    assert len(alice.core._layer) == 0


def test_a_call_that_was_not_sent_yet_is_just_forgotten(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = alice.core.invite(parse_uri(f"sip:bob@{BOB}"), network.now)
    call.cancel(network.now)
    network.run(1.0)
    assert network.log == []
    assert [event.failure for event in alice.of(CallFailed)] == [Failure.CANCELLED]


@pytest.mark.rule("SIP-49")
def test_a_call_with_expires_is_cancelled_in_time(
    network: Network, alice: Node, bob: Peer
) -> None:
    call_bob(alice, headers=[("Expires", "10")])
    respond(bob, 180)
    network.run(9.9)
    assert bob.requests("CANCEL") == []
    network.run(0.2)
    assert len(bob.requests("CANCEL")) == 1


# The end.


@pytest.mark.rule("SIP-45", "SIP-48")
@pytest.mark.parametrize("status", [200, 408, 481, 500])
def test_a_bye_ends_the_call_whatever_is_answered(
    network: Network, alice: Node, bob: Peer, status: int
) -> None:
    call = call_bob(alice)
    respond(bob, 200)
    call.acknowledge(network.now)
    call.bye(network.now, headers=[("Reason", "Q.850;cause=16")])
    network.run()
    (bye,) = bob.requests("BYE")
    assert str(bye.cseq) == "2 BYE"
    assert bye.headers.get("Reason") == "Q.850;cause=16"
    bob.send(response_to(bye, status), Hop(Transport.UDP, ALICE, 5060))
    network.run()
    assert [event.reason for event in alice.of(CallEnded)] == [EndReason.LOCAL_BYE]
    call.bye(network.now)
    assert len(bob.requests("BYE")) == 1


@pytest.mark.rule("SIP-45")
def test_a_bye_that_nobody_answers_ends_the_call_too(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    respond(bob, 200)
    call.acknowledge(network.now)
    call.bye(network.now)
    network.run(32.0)
    assert call.state is CallState.ENDED
    assert call.end_reason is EndReason.LOCAL_BYE


@pytest.mark.rule("SIP-48")
def test_both_may_hang_up_at_once(network: Network, alice: Node, bob: Peer) -> None:
    call = call_bob(alice)
    respond(bob, 200)
    call.acknowledge(network.now)
    call.bye(network.now)
    assert call.dialog is not None
    bye = Request.build(
        "BYE",
        f"sip:{ALICE}",
        [
            ("Via", f"SIP/2.0/UDP {BOB};branch=z9hG4bKbye"),
            ("From", str(call.dialog.remote)),
            ("To", str(call.dialog.local)),
            ("Call-ID", call.dialog.call_id),
            ("CSeq", "1 BYE"),
        ],
    )
    bob.send(bye, Hop(Transport.UDP, ALICE, 5060))
    network.run()
    assert 200 in bob.statuses()
    assert [event.reason for event in alice.of(CallEnded)] == [EndReason.LOCAL_BYE]


def test_a_2xx_that_cannot_be_read_fails_the_call(
    network: Network, alice: Node, bob: Peer
) -> None:
    call_bob(alice)
    invite = bob.requests("INVITE")[0]
    response = response_to(
        invite, 200, to_tag="b", headers=[("Record-Route", "<nonsense")]
    )
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    network.run()
    (failed,) = alice.of(CallFailed)
    assert failed.failure is Failure.BAD_RESPONSE


@pytest.mark.rule("SIP-20", "ST-1")
def test_an_answer_after_three_seconds_stops_the_repetition(
    network: Network, alice: Node, bob: Peer
) -> None:
    call_bob(alice)
    network.run(3.0)
    respond(bob, 200)
    network.run(40.0)
    assert network.times("INVITE") == [0.0, 0.5, 1.5]
    assert len(alice.of(CallAnswered)) == 1


@pytest.mark.rule("SIP-51")
def test_an_abandoned_call_is_over_at_once_and_no_answer_counts(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    assert not call.invite.is_heard
    respond(bob, 180)
    assert call.invite.is_heard
    call.cancel(network.now)
    call.abandon()
    network.run()
    (failed,) = alice.of(CallFailed)
    assert failed.failure is Failure.CANCELLED
    respond(bob, 200)
    network.run(100.0)
    assert network.sent("ACK") == network.sent("BYE") == []
    call.abandon()
    assert len(alice.of(CallFailed)) == 1
