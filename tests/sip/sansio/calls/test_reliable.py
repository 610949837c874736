"""Reliable provisional responses and PRACK, between cores and with scripted peers."""

from __future__ import annotations

import pytest

from sip.errors import LocalError
from sip.fields.rack import RAck
from sip.message import Request, Response, response_to
from sip.sansio.admission import Admission
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.events import (
    CallAcknowledged,
    CallAnswered,
    CallProgressed,
    OfferReceived,
    ProgressAcknowledged,
)
from sip.sansio.calls.offers import Role
from sip.sansio.events import CallEnded, CallUnanswered, EndReason
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.sansio.timers import Timers
from sip.testing import Network, Node, Peer, Sent
from sip.uri import parse_uri
from tests.sip.sansio.pairs import ALICE, BOB, PLAIN, SDP, ringing

FIRST = Timers(randbelow=lambda n: 99)
"""The first response has number 100."""


def lose(*what: str) -> object:
    return lambda sent: () if sent.what in what else (0.0,)


def without_prack(sent: Sent) -> tuple[float, ...]:
    return () if sent.what == "PRACK" else (0.0,)


def statuses(node: Node) -> list[tuple[int, Role]]:
    return [(event.response.status, event.role) for event in node.of(CallProgressed)]


# As the server.


@pytest.mark.rule("SIP-57", "OA-25", "OA-26")
def test_an_answer_in_a_reliable_183_is_acknowledged_and_final(
    network: Network,
) -> None:
    pair = ringing(network, timers=FIRST)
    pair.theirs.provisional(183, network.now, body=b"early", content_type=SDP)
    network.run()
    (sent,) = network.sent("183")
    assert isinstance(sent.message, Response)
    assert sent.message.rseq == 100
    assert sent.message.require == ("100rel",)
    (prack,) = network.sent("PRACK")
    assert prack.message.headers.get("RAck") == "100 1 INVITE"
    assert statuses(pair.alice) == [(183, Role.ANSWER)]
    assert [event.role for event in pair.bob.of(ProgressAcknowledged)] == [Role.NOTHING]
    pair.theirs.accept(network.now)
    network.run(20.0)
    assert len(network.sent("183")) == 1
    (answered,) = pair.alice.of(CallAnswered)
    assert answered.role is Role.NOTHING


@pytest.mark.rule("SIP-57", "ST-10")
def test_it_is_repeated_until_its_prack_comes_and_the_answer_waits(
    network: Network,
) -> None:
    pair = ringing(network)
    network.fate = lambda sent: () if sent.what == "PRACK" else (0.0,)
    pair.theirs.provisional(183, network.now, body=b"early", content_type=SDP)
    assert pair.theirs.accept(network.now)
    assert not pair.theirs.accept(network.now)
    network.run(4.0)
    # The interval doubles, and isn't held at T2.
    assert network.times("183") == [0.0, 0.5, 1.5, 3.5]
    assert network.sent("200") == []
    assert pair.theirs.state is CallState.INVITING
    # A duplicate is not acknowledged anew: PRACK repeats itself.
    branches = {sent.message.via.branch for sent in network.sent("PRACK")}
    assert len(branches) == 1
    assert statuses(pair.alice) == [(183, Role.ANSWER)]
    network.fate = lambda sent: (0.0,)
    network.run(8.0)
    assert len(network.sent("183")) == 5
    assert pair.theirs.awaits_ack
    assert len(pair.alice.of(CallAnswered)) == 1


@pytest.mark.rule("SIP-57")
def test_who_never_acknowledges_it_gets_a_5xx(network: Network) -> None:
    pair = ringing(network)
    network.fate = without_prack
    pair.theirs.provisional(183, network.now, reliable=True)
    network.run(33.0)
    assert network.times("183") == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert network.times("504") == [32.0]
    (over,) = pair.bob.of(CallUnanswered)
    assert over.reason is EndReason.NOT_ACKNOWLEDGED


@pytest.mark.rule("SIP-57", "ST-10")
def test_the_next_one_waits_for_the_prack_of_the_one_before(
    network: Network,
) -> None:
    pair = ringing(network, timers=FIRST)
    network.fate = without_prack
    for status in (180, 183, 182):
        pair.theirs.provisional(status, network.now, reliable=True)
    network.run(0.1)
    assert [len(network.sent(what)) for what in ("180", "183", "182")] == [1, 0, 0]
    network.fate = lambda sent: (0.0,)
    network.run(2.0)
    assert statuses(pair.alice) == [(s, Role.NOTHING) for s in (180, 183, 182)]
    numbers = [
        network.sent(what)[0].message.headers.get("RSeq")
        for what in ("180", "183", "182")
    ]
    assert numbers == ["100", "101", "102"]


@pytest.mark.rule("SIP-57")
def test_a_final_response_without_a_session_does_not_wait(network: Network) -> None:
    pair = ringing(network)
    network.fate = without_prack
    pair.theirs.provisional(180, network.now, reliable=True)
    pair.theirs.provisional(183, network.now, reliable=True)
    pair.theirs.accept(network.now, body=b"answer", content_type=SDP)
    network.run(0.1)
    assert pair.theirs.state is CallState.ANSWERED
    network.fate = lambda sent: (0.0,)
    pair.ours.acknowledge(network.now)
    network.run(10.0)
    # Nothing is repeated or begun any more, but a late PRACK is welcome.
    assert len(network.sent("180")) == 1
    assert network.sent("183") == []
    answers = [s for s in network.sent("200") if s.message.cseq.method == "PRACK"]
    assert len(answers) == 1


@pytest.mark.rule("SIP-57")
@pytest.mark.parametrize("rack", ["101 1 INVITE", "100 2 INVITE", "100 1 UPDATE", None])
def test_a_prack_for_something_else_gets_481(
    network: Network, rack: str | None
) -> None:
    pair = ringing(network, timers=FIRST)
    network.fate = without_prack
    pair.theirs.provisional(180, network.now, reliable=True)
    network.run(0.1)
    network.fate = lambda sent: (0.0,)
    (dialog,) = pair.ours.early_dialogs.values()
    headers = [] if rack is None else [("RAck", rack)]
    wrong, next_hop = dialog.request("PRACK", headers=headers)
    pair.alice.core.sender.send(wrong, next_hop, pair.ours)
    network.run()
    assert len(network.sent("481")) == 1
    assert pair.bob.of(ProgressAcknowledged) == []
    network.run(1.0)
    assert network.times("180") == [0.0, 0.5]


@pytest.mark.rule("SIP-57", "SIP-49")
def test_for_long_ringing_a_reliable_one_is_enough_each_150_s(
    network: Network,
) -> None:
    pair = ringing(network)
    pair.theirs.provisional(180, network.now, reliable=True)
    network.run(400.0)
    assert network.times("180") == [0.0, 150.0, 300.0]
    assert len(network.sent("PRACK")) == 3


@pytest.mark.rule("SIP-57")
def test_a_caller_may_want_nothing_unreliable(network: Network) -> None:
    only = (("Require", "100rel"),)
    pair = ringing(network, headers=only)
    pair.theirs.provisional(180, network.now)
    network.run()
    assert network.sent("180")[0].message.require == ("100rel",)


@pytest.mark.rule("SIP-57", "OA-28")
def test_the_first_reliable_response_must_have_the_offer_that_is_asked_for(
    network: Network,
) -> None:
    only = (("Require", "100rel"),)
    pair = ringing(network, headers=only, offer=b"")
    pair.theirs.provisional(180, network.now)
    network.run()
    assert network.sent("180") == []
    with pytest.raises(LocalError, match="offer"):
        pair.theirs.provisional(180, network.now, reliable=True)
    pair.theirs.provisional(183, network.now, body=b"our offer", content_type=SDP)
    pair.theirs.provisional(180, network.now)
    network.run()
    # The PRACK waits for the answer, and so does the next response.
    assert statuses(pair.alice) == [(183, Role.OFFER)]
    assert network.sent("PRACK") == []
    (event,) = pair.alice.of(CallProgressed)
    assert pair.ours.acknowledge_progress(event.response, b"their answer", SDP)
    assert not pair.ours.acknowledge_progress(event.response, b"twice", SDP)
    network.run()
    assert network.sent("PRACK")[0].message.body == b"their answer"
    assert [e.role for e in pair.bob.of(ProgressAcknowledged)] == [
        Role.ANSWER,
        Role.NOTHING,
    ]
    assert statuses(pair.alice)[1:] == [(180, Role.NOTHING)]
    pair.theirs.accept(network.now)
    network.run()
    pair.ours.acknowledge(network.now)
    network.run()
    assert [e.role for e in pair.bob.of(CallAcknowledged)] == [Role.NOTHING]


@pytest.mark.rule("SIP-57", "OA-25")
def test_a_prack_may_have_an_offer_of_its_own(network: Network) -> None:
    pair = ringing(network, timers=FIRST)
    network.fate = without_prack
    pair.theirs.provisional(183, network.now, body=b"answer", content_type=SDP)
    network.run(0.1)
    network.fate = lambda sent: (0.0,)
    (dialog,) = pair.ours.early_dialogs.values()
    answers: list[Response] = []

    class User:
        def request_answered(
            self, sent: object, response: Response, now: float
        ) -> None:
            answers.append(response)

        def request_failed(self, sent: object, failure: object, now: float) -> None:
            raise AssertionError(failure)

    prack, next_hop = dialog.request(
        "PRACK", headers=[("RAck", "100 1 INVITE")], body=b"another", content_type=SDP
    )
    pair.alice.core.sender.send(prack, next_hop, User())
    network.run()
    (event,) = pair.bob.of(OfferReceived)
    assert (event.request.method, event.request.body) == ("PRACK", b"another")
    assert pair.answer(pair.theirs, body=b"agreed")
    assert [(r.status, r.body) for r in answers] == [(200, b"agreed")]


@pytest.mark.rule("SIP-57", "SIP-40")
def test_nothing_is_reliable_with_a_caller_who_does_not_know_how(
    network: Network,
) -> None:
    pair = ringing(network, alice=PLAIN)
    assert not pair.theirs.takes_reliable
    for options in ({"reliable": True}, {"body": b"early", "content_type": SDP}):
        with pytest.raises(LocalError, match="doesn't know"):
            pair.theirs.provisional(183, network.now, **options)
    pair.theirs.provisional(183, network.now)
    network.run(2.0)
    (sent,) = network.sent("183")
    assert "RSeq" not in sent.message.headers


@pytest.mark.rule("SIP-57")
def test_a_caller_may_require_what_is_not_done_here(network: Network) -> None:
    alice = network.node(ALICE)
    network.node(BOB, admission=Admission(extensions=()))
    alice.core.invite(
        parse_uri(f"sip:bob@{BOB}"), network.now, headers=[("Require", "100rel")]
    )
    network.run()
    (refusal,) = network.sent("420")
    assert refusal.message.headers.get("Unsupported") == "100rel"


@pytest.mark.rule("SIP-68")
def test_only_so_many_wait(network: Network) -> None:
    pair = ringing(network, limits=Limits(provisional_responses=2))
    network.fate = without_prack
    for _ in range(3):
        pair.theirs.provisional(180, network.now, reliable=True)
    with pytest.raises(LocalError, match="too many"):
        pair.theirs.provisional(180, network.now, reliable=True)


@pytest.mark.rule("SIP-51", "SIP-57")
@pytest.mark.parametrize("accepting", [False, True], ids=["rings", "accepts"])
def test_a_caller_who_gives_up_ends_what_is_repeated(
    network: Network, accepting: bool
) -> None:
    pair = ringing(network)
    network.fate = without_prack
    pair.theirs.provisional(183, network.now, body=b"early", content_type=SDP)
    if accepting:
        pair.theirs.accept(network.now)
    network.run(0.1)
    pair.ours.cancel(network.now)
    network.run(60.0)
    assert network.times("183") == [0.0]
    assert len(network.sent("487")) == 1
    assert [e.reason for e in pair.bob.of(CallUnanswered)] == [EndReason.CANCELLED]
    assert pair.bob.of(CallEnded) == []


# As the client.


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Peer:
    return network.peer(BOB)


def call_bob(alice: Node) -> ClientCall:
    call = alice.core.invite(
        parse_uri(f"sip:bob@{BOB}"), alice.network.now, body=b"o", content_type=SDP
    )
    alice.network.run()
    return call


def ring(
    bob: Peer, rseq: int | None, tag: str = "b", status: int = 183, body: bytes = b""
) -> None:
    invite = bob.requests("INVITE")[0]
    headers = [("Contact", f"<sip:{tag}@{BOB}>")]
    if rseq is not None:
        headers += [("Require", "100rel"), ("RSeq", str(rseq))]
    response = response_to(
        invite,
        status,
        to_tag=tag,
        headers=headers,
        body=body,
        content_type=SDP if body else None,
    )
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    bob.network.run()


def acknowledged(bob: Peer) -> list[tuple[str | None, str | None]]:
    """Give the RAck and the To tag of each PRACK, leaving out repetitions."""
    pracks = {request.cseq.number: request for request in bob.requests("PRACK")}
    seen: list[Request] = []
    for request in bob.requests("PRACK"):
        if not any(bytes(request) == bytes(known) for known in seen):
            seen.append(request)
    assert pracks
    return [(request.headers.get("RAck"), request.to.tag) for request in seen]


@pytest.mark.rule("SIP-57", "ST-10")
def test_responses_are_acknowledged_once_and_in_order(alice: Node, bob: Peer) -> None:
    call_bob(alice)
    for number in (7, 7, 9, 8, 9, 7):
        ring(bob, number)
    assert acknowledged(bob) == [
        ("7 1 INVITE", "b"),
        ("8 1 INVITE", "b"),
        ("9 1 INVITE", "b"),
    ]
    assert len(alice.of(CallProgressed)) == 3


@pytest.mark.rule("SIP-57", "SIP-47", "OA-31")
def test_each_branch_has_numbers_and_answers_of_its_own(alice: Node, bob: Peer) -> None:
    call = call_bob(alice)
    ring(bob, 7, "a", body=b"answer a")
    ring(bob, 3, "b", body=b"answer b")
    ring(bob, 8, "a", body=b"ignored")
    assert acknowledged(bob) == [
        ("7 1 INVITE", "a"),
        ("3 1 INVITE", "b"),
        ("8 1 INVITE", "a"),
    ]
    roles = [(e.response.to.tag, e.role) for e in alice.of(CallProgressed)]
    assert roles == [("a", Role.ANSWER), ("b", Role.ANSWER), ("a", Role.NOTHING)]
    assert [branch.changes.offers.open for branch in call.branches.values()] == [
        None,
        None,
    ]


@pytest.mark.rule("OA-26")
def test_an_unreliable_description_is_no_answer(alice: Node, bob: Peer) -> None:
    call_bob(alice)
    ring(bob, None, body=b"preview")
    (event,) = alice.of(CallProgressed)
    assert event.role is Role.NOTHING
    assert bob.requests("PRACK") == []


@pytest.mark.rule("SIP-57")
def test_a_100_is_never_reliable(alice: Node, bob: Peer) -> None:
    call_bob(alice)
    ring(bob, 7, status=100)
    assert bob.requests("PRACK") == []


@pytest.mark.rule("SIP-57", "SIP-68")
@pytest.mark.parametrize("rseq", ["0", "x", "99999999999999"])
def test_a_number_that_is_none_is_no_response(
    alice: Node, bob: Peer, rseq: str
) -> None:
    call = call_bob(alice)
    invite = bob.requests("INVITE")[0]
    headers = [("Contact", "<sip:b>"), ("Require", "100rel"), ("RSeq", rseq)]
    response = response_to(invite, 183, to_tag="b", headers=headers)
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    bob.network.run()
    assert bob.requests("PRACK") == []
    assert call.state is CallState.INVITING


def test_what_a_prack_says_can_be_compared() -> None:
    assert RAck.parse("7 1 INVITE") == RAck.parse("7  1   INVITE")
