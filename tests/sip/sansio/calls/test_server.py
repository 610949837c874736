"""Calls that peers make, by scripted peers."""

from __future__ import annotations

from typing import Any

import pytest

from sip.errors import LocalError
from sip.message import Request, Response
from sip.sansio.calls.call import CallState
from sip.sansio.calls.events import OfferReceived
from sip.sansio.calls.server import ServerCall
from sip.sansio.events import (
    CallAcknowledged,
    CallEnded,
    CallReceived,
    CallUnanswered,
    EndReason,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.testing import Network, Node, Peer

ALICE, BOB = "192.0.2.1", "192.0.2.2"
SDP = "application/sdp"
TO_ALICE = Hop(Transport.UDP, ALICE, 5060)


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Peer:
    return network.peer(BOB)


def build(
    method: str,
    *extra: tuple[str, str],
    cseq: int = 1,
    to_tag: str | None = None,
    branch: str | None = None,
    body: bytes = b"",
) -> Request:
    branch = branch or f"z9hG4bK{method}{cseq}"
    headers = [
        ("Via", f"SIP/2.0/UDP {BOB};branch={branch}"),
        ("From", f"<sip:bob@{BOB}>;tag=b"),
        ("To", "<urn:service:sos>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", "call-1"),
        ("CSeq", f"{cseq} {method}"),
        *extra,
    ]
    if method == "INVITE":
        headers.append(("Contact", f"<sip:bob@{BOB}>"))
    uri = f"sip:{ALICE}" if to_tag else "urn:service:sos"
    return Request.build(
        method, uri, headers, body=body, content_type=SDP if body else None
    )


def send(bob: Peer, request: Request) -> None:
    bob.send(request, TO_ALICE)
    bob.network.run()


def ring(alice: Node, bob: Peer, *extra: tuple[str, str]) -> ServerCall:
    """Let Bob call."""
    send(bob, build("INVITE", *extra, body=b"offer"))
    call = alice.of(CallReceived)[-1].call
    return call


def tag_of(call: ServerCall) -> str:
    assert call.dialog is not None
    return call.dialog.local.tag or ""


def answered(alice: Node, bob: Peer) -> ServerCall:
    """Let Bob call and have it answered and acknowledged."""
    call = ring(alice, bob)
    call.accept(alice.network.now, body=b"answer", content_type=SDP)
    alice.network.run()
    send(bob, build("ACK", to_tag=tag_of(call)))
    assert call.state is CallState.CONFIRMED
    return call


def answer_offer(
    alice: Node, call: ServerCall, status: int, now: float, **said: Any
) -> bool:
    """Answer what was offered last."""
    transaction = alice.of(OfferReceived)[-1].transaction
    return call.answer_offer(transaction, status, now, **said)


def responses(bob: Peer) -> list[Response]:
    return [message for message in bob.received if isinstance(message, Response)]


# Ringing.


@pytest.mark.rule("SIP-23", "SIP-38")
def test_a_call_rings_and_is_answered_with_one_tag(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob, ("Record-Route", "<sip:p.example;lr>"))
    network.run(0.3)
    call.provisional(180, network.now, headers=[("Alert-Info", "<urn:alert:x>")])
    call.accept(network.now, body=b"answer", content_type=SDP)
    network.run()
    trying, ringing, ok = responses(bob)
    assert [trying.status, ringing.status, ok.status] == [100, 180, 200]
    assert trying.to.tag is None
    assert ringing.to.tag == ok.to.tag == tag_of(call)
    assert ringing.headers.get("Alert-Info") == "<urn:alert:x>"
    for response in (ringing, ok):
        assert str(response.contacts[0].uri) == f"sip:{ALICE}:5060"
        assert len(response.record_routes) == 1
    assert (ok.body, ok.content_type) == (b"answer", SDP)
    assert "INVITE" in ok.allow


@pytest.mark.rule("SIP-49")
def test_a_call_that_rings_for_long_says_so_each_minute(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.provisional(180, network.now)
    network.run(200.0)
    assert network.times("180") == [0.0, 60.0, 120.0, 180.0]


@pytest.mark.rule("SIP-49")
def test_a_call_that_expires_is_refused_with_487(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob, ("Expires", "30"))
    network.run(29.9)
    assert call.state is CallState.INVITING
    network.run(0.1)
    assert bob.statuses()[-1] == 487
    (event,) = alice.of(CallUnanswered)
    assert event.reason is EndReason.EXPIRED


@pytest.mark.rule("SIP-68")
def test_a_call_that_nobody_looks_after_ends_some_time(
    network: Network, bob: Peer
) -> None:
    alice = network.node(ALICE, limits=Limits(ringing_time=100.0))
    ring(alice, bob, ("Expires", "4000"))
    network.run(100.0)
    assert bob.statuses()[-1] == 480
    assert alice.core.calls == frozenset()


@pytest.mark.parametrize("status", [99, 100, 200, 486])
def test_only_provisional_statuses_ring(
    network: Network, alice: Node, bob: Peer, status: int
) -> None:
    with pytest.raises(LocalError):
        ring(alice, bob).provisional(status, network.now)


@pytest.mark.parametrize("status", [180, 200, 700])
def test_only_final_statuses_refuse(
    network: Network, alice: Node, bob: Peer, status: int
) -> None:
    with pytest.raises(LocalError):
        ring(alice, bob).reject(status, network.now)


# The answer.


@pytest.mark.rule("SIP-23")
def test_a_2xx_is_repeated_until_its_ack_comes(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.accept(network.now)
    network.run(13.0)
    assert network.times("200") == [0.0, 0.5, 1.5, 3.5, 7.5, 11.5]
    # A repeated INVITE makes no difference.
    send(bob, build("INVITE", body=b"offer"))
    send(bob, build("ACK", to_tag=tag_of(call), body=b"answer"))
    network.run(10.0)
    assert len(network.times("200")) == 6
    (event,) = alice.of(CallAcknowledged)
    assert event.is_first
    assert event.request.body == b"answer"
    # Nor does a second ACK.
    send(bob, build("ACK", to_tag=tag_of(call)))
    assert len(alice.of(CallAcknowledged)) == 1


@pytest.mark.rule("SIP-23", "SIP-48", "ST-1")
def test_a_2xx_that_is_never_acknowledged_ends_the_call_after_32_seconds(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.accept(network.now)
    network.run(40.0)
    times = [0.0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert network.times("200") == times
    assert network.times("BYE")[0] == 32.0
    network.run(40.0)
    (event,) = alice.of(CallEnded)
    assert event.reason is EndReason.NOT_ACKNOWLEDGED
    assert alice.core.calls == frozenset()


@pytest.mark.rule("SIP-23")
def test_a_2xx_is_repeated_over_tcp_too(network: Network, alice: Node) -> None:
    bob = network.peer(BOB)
    invite = build("INVITE")
    invite.headers.set("Via", f"SIP/2.0/TCP {BOB};branch=z9hG4bKtcp")
    bob.send(invite, Hop(Transport.TCP, ALICE, 5060))
    network.run()
    alice.of(CallReceived)[0].call.accept(network.now)
    network.run(2.0)
    assert network.times("200") == [0.0, 0.5, 1.5]


@pytest.mark.rule("SIP-48")
def test_a_bye_of_the_callee_waits_for_the_ack(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.accept(network.now)
    call.bye(network.now)
    network.run(1.0)
    assert bob.requests("BYE") == []
    send(bob, build("ACK", to_tag=tag_of(call)))
    (bye,) = bob.requests("BYE")
    assert bye.raw_uri == f"sip:bob@{BOB}"
    assert bye.from_.tag == tag_of(call)
    assert str(bye.to) == f"<sip:bob@{BOB}>;tag=b"


@pytest.mark.rule("SIP-48")
def test_a_bye_before_the_answer_is_an_error(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    with pytest.raises(LocalError):
        call.bye(network.now)


def test_a_refusal_is_final(network: Network, alice: Node, bob: Peer) -> None:
    call = ring(alice, bob)
    assert call.reject(486, network.now, headers=[("Retry-After", "9")])
    assert not call.reject(603, network.now)
    assert not call.accept(network.now)
    call.provisional(180, network.now)
    call.cancelled(call.transaction, network.now)
    network.run()
    send(bob, build("ACK", to_tag=responses(bob)[0].to.tag, branch="z9hG4bKINVITE1"))
    network.run(40.0)
    assert bob.statuses() == [486]
    assert responses(bob)[0].headers.get("Retry-After") == "9"
    assert [e.reason for e in alice.of(CallUnanswered)] == [EndReason.REJECTED]
    assert len(alice.core._layer) == 0


# CANCEL and BYE.


@pytest.mark.rule("SIP-51")
def test_a_cancel_is_answered_and_so_is_the_invite(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    cancel = build("CANCEL", ("Require", "nonsense"), branch="z9hG4bKINVITE1")
    send(bob, cancel)
    ok, terminated = responses(bob)
    assert (ok.status, str(ok.cseq)) == (200, "1 CANCEL")
    assert (terminated.status, str(terminated.cseq)) == (487, "1 INVITE")
    assert ok.to.tag == terminated.to.tag == tag_of(call)
    assert [e.reason for e in alice.of(CallUnanswered)] == [EndReason.CANCELLED]
    assert not call.accept(network.now)


@pytest.mark.rule("SIP-51")
def test_a_cancel_after_the_answer_changes_nothing(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.accept(network.now)
    network.run()
    send(bob, build("CANCEL", branch="z9hG4bKINVITE1"))
    assert bob.statuses() == [200, 200]
    assert alice.core.calls == {call}
    assert alice.of(CallUnanswered) == []


@pytest.mark.rule("SIP-51")
def test_a_cancel_of_nothing_is_refused_with_481(alice: Node, bob: Peer) -> None:
    ring(alice, bob)
    send(bob, build("CANCEL", branch="z9hG4bKelse"))
    assert bob.statuses() == [481]
    assert alice.of(CallUnanswered) == []


@pytest.mark.rule("SIP-48")
def test_a_bye_ends_the_call(network: Network, alice: Node, bob: Peer) -> None:
    call = answered(alice, bob)
    send(bob, build("BYE", to_tag=tag_of(call), cseq=2))
    assert bob.statuses()[-1] == 200
    (event,) = alice.of(CallEnded)
    assert event.reason is EndReason.REMOTE_BYE
    assert event.request is not None
    # Again, after the end: another transaction, no dialog.
    send(bob, build("BYE", to_tag=tag_of(call), cseq=3))
    assert bob.statuses()[-1] == 481


@pytest.mark.rule("SIP-48")
def test_a_caller_may_end_even_a_ringing_call_with_bye(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.provisional(180, network.now)
    network.run()
    send(bob, build("BYE", to_tag=tag_of(call), cseq=2))
    final = [(r.status, r.cseq.method) for r in responses(bob)[1:]]
    assert final == [(200, "BYE"), (487, "INVITE")]
    assert [e.reason for e in alice.of(CallUnanswered)] == [EndReason.REMOTE_BYE]


@pytest.mark.rule("SIP-48")
def test_a_bye_may_come_before_the_ack(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.accept(network.now)
    network.run()
    send(bob, build("BYE", to_tag=tag_of(call), cseq=2))
    network.run(40.0)
    assert len(network.times("200")) == 2
    assert [e.reason for e in alice.of(CallEnded)] == [EndReason.REMOTE_BYE]


# INVITE within the call.


@pytest.mark.rule("SIP-50", "SIP-44")
def test_an_invite_within_the_call_is_reported_and_answered(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = answered(alice, bob)
    again = build("INVITE", cseq=5, to_tag=tag_of(call), body=b"new offer")
    again.headers.set("Contact", "<sip:bob@192.0.2.77>")
    send(bob, again)
    (event,) = alice.of(OfferReceived)
    assert event.request.body == b"new offer"
    answer_offer(alice, call, 200, network.now, body=b"new answer", content_type=SDP)
    network.run(2.0)
    assert len(network.times("200")) == 1 + 3
    assert responses(bob)[-1].body == b"new answer"
    assert call.dialog is not None
    assert str(call.dialog.remote_target) == "sip:bob@192.0.2.77"
    send(bob, build("ACK", cseq=5, to_tag=tag_of(call), branch="z9hG4bKack5"))
    network.run(40.0)
    assert len(network.times("200")) == 1 + 3
    assert [e.is_first for e in alice.of(CallAcknowledged)] == [True, False]
    assert call.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-44", "SIP-50")
def test_a_refused_invite_within_the_call_changes_nothing(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = answered(alice, bob)
    again = build("INVITE", cseq=5, to_tag=tag_of(call))
    again.headers.set("Contact", "<sip:bob@192.0.2.77>")
    send(bob, again)
    answer_offer(alice, call, 488, network.now)
    network.run()
    assert bob.statuses()[-1] == 488
    assert call.dialog is not None
    assert str(call.dialog.remote_target) == f"sip:bob@{BOB}"
    assert call.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-50")
def test_a_second_invite_before_the_first_is_over_gets_500_and_a_time(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = answered(alice, bob)
    send(bob, build("INVITE", cseq=5, to_tag=tag_of(call)))
    send(bob, build("INVITE", cseq=6, to_tag=tag_of(call)))
    refusal = responses(bob)[-1]
    assert refusal.status == 500
    assert 0 <= int(refusal.headers.get("Retry-After") or "-1") <= 10
    assert len(alice.of(OfferReceived)) == 1


@pytest.mark.rule("SIP-48", "SIP-50")
def test_a_bye_terminates_an_invite_that_waits(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = answered(alice, bob)
    send(bob, build("INVITE", cseq=5, to_tag=tag_of(call)))
    send(bob, build("BYE", cseq=6, to_tag=tag_of(call)))
    assert sorted(bob.statuses()[-2:]) == [200, 487]
    answer_offer(alice, call, 200, network.now)
    network.run(40.0)
    assert bob.statuses()[-1] == 487


@pytest.mark.rule("SIP-51", "SIP-50")
def test_a_cancel_of_an_invite_within_the_call_leaves_the_call(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = answered(alice, bob)
    send(bob, build("INVITE", cseq=5, to_tag=tag_of(call)))
    cancel = build("CANCEL", cseq=5, to_tag=tag_of(call), branch="z9hG4bKINVITE5")
    send(bob, cancel)
    assert sorted(bob.statuses()[-2:]) == [200, 487]
    assert call.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-50")
def test_an_invite_within_a_call_that_isnt_answered_gets_500(
    alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    send(bob, build("INVITE", cseq=5, to_tag=tag_of(call)))
    assert bob.statuses() == [500]
    assert call.state is CallState.INVITING


@pytest.mark.rule("SIP-23", "SIP-50")
def test_an_answer_within_the_call_that_is_never_acknowledged_ends_it(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = answered(alice, bob)
    send(bob, build("INVITE", cseq=5, to_tag=tag_of(call)))
    answer_offer(alice, call, 200, network.now)
    network.run(70.0)
    assert [e.reason for e in alice.of(CallEnded)] == [EndReason.NOT_ACKNOWLEDGED]


@pytest.mark.rule("SIP-44", "ST-16")
@pytest.mark.parametrize(
    ("cseq", "status"), [(2, 200), (100, 200), (0, 500)], ids=["next", "gap", "lower"]
)
def test_the_order_of_requests_is_kept(
    network: Network, alice: Node, bob: Peer, cseq: int, status: int
) -> None:
    call = answered(alice, bob)
    send(bob, build("BYE", cseq=cseq, to_tag=tag_of(call)))
    assert bob.statuses()[-1] == status
    assert (call.state is CallState.ENDED) == (status == 200)


@pytest.mark.rule("SIP-68")
def test_an_ack_of_somebody_else_confirms_nothing(
    network: Network, alice: Node, bob: Peer
) -> None:
    call = ring(alice, bob)
    call.accept(network.now)
    network.run()
    send(bob, build("ACK", to_tag="forged", branch="z9hG4bKack"))
    send(bob, build("ACK", to_tag=tag_of(call), cseq=9, branch="z9hG4bKack2"))
    assert call.state is CallState.ANSWERED
