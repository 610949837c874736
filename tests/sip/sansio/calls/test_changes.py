"""INVITE and UPDATE in a call, between two cores."""

from __future__ import annotations

import pytest

import digest
from sip.errors import LocalError
from sip.message import Request, Response, response_to
from sip.sansio.authenticator import Authenticator
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.events import (
    CallAcknowledged,
    CallAnswered,
    OfferAccepted,
    OfferPossible,
    OfferReceived,
    OfferRefused,
)
from sip.sansio.calls.offers import Role
from sip.sansio.events import CallEnded, EndReason, Failure
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.sansio.timers import Timers
from sip.testing import Network, Node, Peer, Sent
from sip.uri import parse_uri
from tests.sip.sansio.pairs import ALICE, BOB, PLAIN, SDP, Pair, connected, ringing

SIDES = ["caller", "callee"]


def side(pair: Pair, name: str) -> Call:
    return pair.ours if name == "caller" else pair.theirs


def lose_all(sent: Sent) -> tuple[float, ...]:
    return ()


@pytest.mark.rule("SIP-50", "OA-25")
@pytest.mark.parametrize("name", SIDES)
def test_either_side_may_offer_another_session(network: Network, name: str) -> None:
    pair = connected(network)
    call = side(pair, name)
    pair.offer(call)
    (event,) = pair.node_of(pair.other(call)).of(OfferReceived)
    assert (event.role, event.request.body) == (Role.OFFER, b"new offer")
    assert event.request.method == "INVITE"
    assert pair.answer(pair.other(call), body=b"new answer")
    (accepted,) = pair.node_of(call).of(OfferAccepted)
    assert accepted.role is Role.ANSWER
    assert accepted.response.body == b"new answer"
    acknowledged = pair.node_of(pair.other(call)).of(CallAcknowledged)[-1]
    assert (acknowledged.is_first, acknowledged.role) == (False, Role.NOTHING)
    network.run(40.0)
    assert call.state is CallState.CONFIRMED
    assert network.times("BYE") == []


@pytest.mark.rule("SIP-50", "OA-18", "OA-29")
@pytest.mark.parametrize("name", SIDES)
def test_a_refusal_leaves_the_call_as_it_is(network: Network, name: str) -> None:
    pair = connected(network)
    call = side(pair, name)
    pair.offer(call)
    pair.answer(pair.other(call), 488)
    (refused,) = pair.node_of(call).of(OfferRefused)
    assert refused.response is not None
    assert (refused.response.status, refused.may_retry) == (488, False)
    assert call.state is pair.other(call).state is CallState.CONFIRMED
    # And everything can be changed again, by both.
    pair.offer(pair.other(call), b"theirs")
    assert pair.answer(call)
    assert len(pair.node_of(pair.other(call)).of(OfferAccepted)) == 1


@pytest.mark.rule("SIP-50", "ST-5", "OA-27")
@pytest.mark.parametrize("pick", [0, 1], ids=["shortest", "longest"])
def test_offers_that_cross_are_made_again_one_after_the_other(
    network: Network, pick: int
) -> None:
    timers = Timers(randbelow=lambda n: (n - 1) * pick)
    pair = connected(network, timers=timers)
    network.delay = 0.05
    start = network.now

    def make(event: object) -> None:
        if isinstance(event, OfferPossible):
            name = b"ours" if event.call is pair.ours else b"theirs"
            event.call.offer(name, network.now)
        elif isinstance(event, OfferReceived):
            event.call.answer_offer(
                event.transaction, 200, network.now, body=b"yes", content_type=SDP
            )

    pair.alice.on_event = pair.bob.on_event = make
    pair.ours.want_offer(network.now)
    pair.theirs.want_offer(network.now)
    network.run(10.0)
    again = [
        (round(sent.time - start, 2), sent.message.body)
        for sent in network.sent("INVITE")[1:]
    ]
    # Both get 491 after 0.1 s; who owns the Call-ID waits longer.
    first, second = (0.1, 2.2) if pick == 0 else (2.1, 4.1)
    assert again == [
        (0.0, b"ours"), (0.0, b"theirs"), (first, b"theirs"), (second, b"ours"),
    ]  # fmt: skip
    assert len(network.sent("491")) == 2
    for node in (pair.alice, pair.bob):
        assert len(node.of(OfferAccepted)) == 1
        assert [event.may_retry for event in node.of(OfferRefused)] == [True]


@pytest.mark.rule("SIP-50")
def test_an_offer_waits_for_that_of_the_peer(network: Network) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    pair.theirs.want_offer(network.now)
    with pytest.raises(LocalError, match="at this moment"):
        pair.theirs.offer(b"now", network.now)
    network.run(1.0)
    assert pair.bob.of(OfferPossible) == []
    network.fate = lambda sent: () if sent.what == "ACK" else (0.0,)
    pair.answer(pair.theirs)
    # Until its 2xx is acknowledged an INVITE isn't over.
    assert pair.bob.of(OfferPossible) == []
    network.fate = lambda sent: (0.0,)
    network.run(1.0)
    assert len(pair.bob.of(OfferPossible)) == 1


@pytest.mark.rule("SIP-50", "OA-27")
def test_who_answers_500_with_a_time_is_asked_again_after_it(
    network: Network,
) -> None:
    pair = connected(network)
    start = network.now
    pair.offer(pair.ours)
    event = pair.bob.of(OfferReceived)[-1]
    pair.theirs.answer_offer(
        event.transaction, 500, network.now, headers=[("Retry-After", "7")]
    )
    network.run(6.9)
    assert len(network.sent("INVITE")) == 2
    network.run(0.2)
    assert network.times("INVITE")[-1] == start + 7.0
    assert pair.answer(pair.theirs)
    assert len(pair.alice.of(OfferAccepted)) == 1


@pytest.mark.rule("SIP-50")
@pytest.mark.parametrize(
    "headers", [[], [("Retry-After", "3600")]], ids=["no-time", "too-long"]
)
def test_who_answers_500_otherwise_has_refused(
    network: Network, headers: list[tuple[str, str]]
) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    event = pair.bob.of(OfferReceived)[-1]
    pair.theirs.answer_offer(event.transaction, 500, network.now, headers=headers)
    network.run(60.0)
    (refused,) = pair.alice.of(OfferRefused)
    assert not refused.may_retry
    assert pair.ours.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-68", "SIP-50")
def test_nobody_offers_for_ever(network: Network) -> None:
    pair = connected(network, limits=Limits(offer_attempts=3))

    def refuse(event: object) -> None:
        if isinstance(event, OfferReceived):
            event.call.answer_offer(event.transaction, 491, network.now)

    pair.bob.on_event = refuse
    pair.offer(pair.ours)
    network.run(60.0)
    assert len(network.sent("INVITE")) == 1 + 4
    assert [e.may_retry for e in pair.alice.of(OfferRefused)] == [True] * 3 + [False]


@pytest.mark.rule("SIP-45")
@pytest.mark.parametrize("status", [408, 481])
def test_a_peer_that_knows_of_no_call_ends_it(network: Network, status: int) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    pair.answer(pair.theirs, status)
    assert len(network.sent("BYE")) == 1
    assert [event.reason for event in pair.alice.of(CallEnded)] == [EndReason.LOST]
    assert len(pair.alice.of(OfferRefused)) == 1


@pytest.mark.rule("SIP-45")
def test_a_peer_that_is_silent_ends_it(network: Network) -> None:
    pair = connected(network)
    network.fate = lose_all
    pair.offer(pair.ours)
    network.run(70.0)
    (refused,) = pair.alice.of(OfferRefused)
    assert refused.failure is Failure.TIMEOUT
    assert [event.reason for event in pair.alice.of(CallEnded)] == [EndReason.LOST]


@pytest.mark.rule("SIP-44")
def test_offer_and_answer_tell_where_to_send_what_follows(network: Network) -> None:
    pair = connected(network)
    assert pair.ours.dialog is not None
    assert pair.theirs.dialog is not None
    pair.offer(pair.ours)
    for dialog in (pair.ours.dialog, pair.theirs.dialog):
        dialog.remote_target = parse_uri("sip:somewhere.else")
    pair.answer(pair.theirs)
    assert str(pair.ours.dialog.remote_target) == "sip:192.0.2.2:5060"
    assert str(pair.theirs.dialog.remote_target) == "sip:192.0.2.1:5060"


@pytest.mark.rule("SIP-46", "SIP-50")
def test_each_repetition_of_a_2xx_gets_the_same_ack(network: Network) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    lost = iter([(), (), (0.0,)])
    network.fate = lambda sent: next(lost) if sent.what == "ACK" else (0.0,)
    pair.answer(pair.theirs)
    network.run(5.0)
    acks = [sent.message for sent in network.sent("ACK")[1:]]
    assert len(acks) == 3
    assert acks[0] == acks[1] == acks[2]
    assert isinstance(acks[0], Request)
    assert acks[0].cseq.number == 2
    assert len(pair.alice.of(OfferAccepted)) == 1
    assert not pair.theirs.awaits_ack


@pytest.mark.rule("SIP-51")
def test_an_offer_that_nobody_decides_on_can_be_withdrawn(network: Network) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    network.run(0.3)  # The 100 has come.
    pair.ours.withdraw_offer(network.now)
    network.run()
    (cancel,) = network.sent("CANCEL")
    assert cancel.message.cseq.number == 2
    (refused,) = pair.alice.of(OfferRefused)
    assert refused.response is not None
    assert refused.response.status == 487
    assert pair.answer(pair.theirs) is False
    assert pair.ours.state is pair.theirs.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-51")
def test_it_is_withdrawn_once_it_was_heard(network: Network) -> None:
    pair = connected(network)
    network.delay = 0.1
    pair.offer(pair.ours)
    pair.ours.withdraw_offer(network.now)
    assert network.sent("CANCEL") == []
    network.run(1.0)
    assert len(network.sent("CANCEL")) == 1
    assert network.sent("487") != []


@pytest.mark.rule("SIP-48")
def test_a_call_that_ends_tells_who_waits_for_an_answer(network: Network) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    pair.theirs.bye(network.now)
    network.run()
    (refused,) = pair.alice.of(OfferRefused)
    assert refused.response is not None
    assert refused.response.status == 487
    assert [event.reason for event in pair.alice.of(CallEnded)] == [
        EndReason.REMOTE_BYE
    ]


def test_it_tells_them_also_if_they_are_never_answered(network: Network) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    network.fate = lambda sent: () if sent.what == "487" else (0.0,)
    pair.theirs.bye(network.now)
    network.run()
    (refused,) = pair.alice.of(OfferRefused)
    assert refused.failure is Failure.CANCELLED


@pytest.mark.rule("OA-28", "SIP-50")
def test_an_invite_in_the_call_may_ask_for_an_offer(network: Network) -> None:
    pair = connected(network)
    assert pair.ours.dialog is not None
    asking, next_hop = pair.ours.dialog.request("INVITE")
    answered: list[Response] = []

    class User:
        def request_answered(
            self, sent: object, response: Response, now: float
        ) -> None:
            answered.append(response)

        def request_failed(self, sent: object, failure: object, now: float) -> None:
            raise AssertionError(failure)

    pair.alice.core.sender.send(asking, next_hop, User())
    network.run()
    (event,) = pair.bob.of(OfferReceived)
    assert event.role is Role.ASKED
    pair.answer(pair.theirs, body=b"offer of Bob")
    assert answered[-1].body == b"offer of Bob"
    ack, next_hop = pair.ours.dialog.ack(2, body=b"answer of Alice", content_type=SDP)
    pair.alice.core.sender.send_ack(ack, next_hop)
    network.run()
    acknowledged = pair.bob.of(CallAcknowledged)[-1]
    assert (acknowledged.role, acknowledged.request.body) == (
        Role.ANSWER,
        b"answer of Alice",
    )


# UPDATE.


def update(pair: Pair, call: Call, body: bytes = b"") -> list[int]:
    """Send an UPDATE that the core would not, and gather the statuses it gets."""
    dialog = call.dialog
    if dialog is None:
        (dialog,) = pair.ours.early_dialogs.values()
    statuses: list[int] = []

    class User:
        def request_answered(
            self, sent: object, response: Response, now: float
        ) -> None:
            statuses.append(response.status)

        def request_failed(self, sent: object, failure: object, now: float) -> None:
            raise AssertionError(failure)

    request, next_hop = dialog.request(
        "UPDATE", body=body, content_type=SDP if body else None
    )
    pair.node_of(call).core.sender.send(request, next_hop, User())
    pair.network.run()
    return statuses


@pytest.mark.rule("SIP-56", "SIP-44")
def test_an_update_without_an_offer_is_answered_at_once(network: Network) -> None:
    pair = connected(network)
    assert update(pair, pair.ours) == [200]
    assert pair.bob.of(OfferReceived) == []
    assert len(network.sent("200")[-1].message.contacts) == 1
    assert "UPDATE" in network.sent("200")[-1].message.allow


@pytest.mark.rule("SIP-56", "OA-25")
def test_an_update_with_an_offer_is_reported_and_answered(network: Network) -> None:
    pair = connected(network)
    statuses = update(pair, pair.ours, b"by update")
    (event,) = pair.bob.of(OfferReceived)
    assert event.request.method == "UPDATE"
    assert statuses == []
    assert pair.answer(pair.theirs)
    assert statuses == [200]
    assert network.sent("200")[-1].message.body == b"answer"
    # There is no ACK to an UPDATE.
    network.run(40.0)
    assert len(network.sent("ACK")) == 1
    assert pair.theirs.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-56", "OA-27")
def test_an_update_while_our_offer_is_out_gets_491(network: Network) -> None:
    pair = connected(network)
    pair.offer(pair.theirs)
    assert update(pair, pair.ours, b"crossing") == [491]
    assert pair.answer(pair.ours)


@pytest.mark.rule("SIP-56", "OA-27")
@pytest.mark.parametrize("body", [b"", b"another"], ids=["refresh", "offer"])
def test_an_update_before_the_last_is_answered_gets_500_and_a_time(
    network: Network, body: bytes
) -> None:
    pair = connected(network)
    update(pair, pair.ours, b"first")
    assert update(pair, pair.ours, body) == [500]
    wait = network.sent("500")[-1].message.headers.get("Retry-After")
    assert 0 <= int(wait or "-1") <= 10
    assert pair.answer(pair.theirs)


@pytest.mark.rule("SIP-56", "OA-27")
def test_an_update_while_the_offer_of_an_invite_waits_gets_500(
    network: Network,
) -> None:
    pair = connected(network)
    pair.offer(pair.ours)
    assert update(pair, pair.ours, b"another") == [500]


@pytest.mark.rule("SIP-56")
def test_an_early_session_is_changed_by_update(network: Network) -> None:
    pair = ringing(network)
    with pytest.raises(LocalError, match="at this moment"):
        pair.theirs.offer(b"too early", network.now)
    pair.theirs.provisional(183, network.now, body=b"early", content_type=SDP)
    network.run()
    pair.offer(pair.theirs, b"changed early")
    (event,) = pair.alice.of(OfferReceived)
    assert event.request.method == "UPDATE"
    assert pair.answer(pair.ours, body=b"agreed early")
    (accepted,) = pair.bob.of(OfferAccepted)
    assert accepted.response.body == b"agreed early"
    # And by the caller, whose early dialog it is.
    assert update(pair, pair.ours, b"by the caller") == []
    assert pair.answer(pair.theirs)
    pair.theirs.accept(network.now)
    network.run()
    (answered,) = pair.alice.of(CallAnswered)
    assert answered.role is Role.NOTHING


def test_before_the_answer_only_update_can_offer(network: Network) -> None:
    pair = ringing(network, alice=PLAIN)
    pair.theirs.want_offer(network.now)
    network.run()
    assert pair.bob.of(OfferPossible) == []
    with pytest.raises(LocalError):
        pair.ours.want_offer(network.now)
    with pytest.raises(LocalError):
        pair.theirs.refresh(network.now)


# A refresh.


@pytest.mark.rule("SIP-58", "SIP-56")
def test_a_refresh_is_an_update_without_an_offer(network: Network) -> None:
    pair = connected(network)
    pair.ours.refresh(network.now)
    network.run()
    (sent,) = network.sent("UPDATE")
    assert sent.message.body == b""
    assert pair.alice.of(OfferAccepted) == []
    assert pair.bob.of(OfferReceived) == []


@pytest.mark.rule("SIP-58", "OA-15")
def test_to_a_peer_without_update_it_is_an_invite_with_the_same_words(
    network: Network,
) -> None:
    pair = connected(network, bob=PLAIN)
    pair.ours.refresh_body = b"offer"
    pair.ours.refresh(network.now)
    network.run()
    assert network.sent("UPDATE") == []
    (event,) = pair.bob.of(OfferReceived)
    assert event.request.body == b"offer"
    pair.answer(pair.theirs)
    network.run(40.0)
    assert len(network.sent("ACK")) == 2
    # Its answer may have new words for the same.
    assert len(pair.alice.of(OfferAccepted)) == 1


@pytest.mark.rule("SIP-58")
def test_who_takes_no_update_after_all_gets_an_invite(network: Network) -> None:
    pair = connected(network)
    pair.bob.core.admission = PLAIN
    pair.ours.refresh_body = b"offer"
    pair.ours.refresh(network.now)
    network.run()
    assert [len(network.sent(what)) for what in ("UPDATE", "405")] == [1, 1]
    assert len(pair.bob.of(OfferReceived)) == 1


# Challenges.


@pytest.mark.rule("SIP-46", "SIP-63", "SIP-50")
def test_an_offer_that_is_challenged_is_made_with_credentials(
    network: Network,
) -> None:
    pair = connected(network)
    pair.bob.core.reception.authenticator = Authenticator.with_passwords(
        "bob", {"alice": "secret"}, challenges=lambda request: True
    )
    pair.alice.core.sender.retries.credentials = digest.DigestClient(
        [digest.Account("alice", "secret")]
    )
    pair.offer(pair.ours)
    assert pair.answer(pair.theirs)
    assert len(network.sent("401")) == 1
    invites = [sent.message for sent in network.sent("INVITE")]
    assert [invite.cseq.number for invite in invites] == [1, 2, 3]
    ack = network.sent("ACK")[-1].message
    assert ack.cseq.number == 3
    assert ack.headers.get("Authorization") == invites[2].headers.get("Authorization")
    assert ack.headers.get("Authorization") is not None
    assert len(pair.alice.of(OfferAccepted)) == 1
    # What follows has numbers of its own.
    pair.ours.bye(network.now)
    network.run()
    assert network.sent("BYE")[0].message.cseq.number == 4


# Peers that have a way of their own.


def scripted(network: Network) -> tuple[Node, Peer, ClientCall]:
    """Let Alice call a scripted peer, which has answered."""
    alice, bob = network.node(ALICE), network.peer(BOB)
    call = alice.core.invite(
        parse_uri(f"sip:bob@{BOB}"), network.now, body=b"offer", content_type=SDP
    )
    network.run()
    reply(bob, 200, body=b"answer")
    call.acknowledge(network.now)
    network.run()
    return alice, bob, call


def reply(bob: Peer, status: int, *headers: tuple[str, str], body: bytes = b"") -> None:
    """Answer the last INVITE."""
    contact = ("Contact", f"<sip:bob@{BOB}>")
    response = response_to(
        bob.requests("INVITE")[-1],
        status,
        to_tag="b",
        headers=[contact, *headers],
        body=body,
        content_type=SDP if body else None,
    )
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    bob.network.run()


def offer(network: Network, call: ClientCall) -> None:
    call.want_offer(network.now)
    call.offer(b"new offer", network.now)
    network.run()


@pytest.mark.rule("SIP-57", "OA-25", "OA-26")
def test_an_offer_may_be_answered_reliably_before_its_2xx(network: Network) -> None:
    alice, bob, call = scripted(network)
    offer(network, call)
    rseq = [("Require", "100rel"), ("RSeq", "5")]
    reply(bob, 180)
    reply(bob, 183, *rseq, body=b"new answer")
    reply(bob, 183, *rseq, body=b"new answer")
    (prack,) = {r.cseq.number: r for r in bob.requests("PRACK")}.values()
    assert prack.headers.get("RAck") == f"5 {bob.requests('INVITE')[-1].cseq}"
    assert alice.of(OfferAccepted) == []
    reply(bob, 200, body=b"said too late")
    (accepted,) = alice.of(OfferAccepted)
    assert (accepted.role, accepted.response.body) == (Role.ANSWER, b"new answer")
    assert len(bob.requests("ACK")) == 2


@pytest.mark.rule("OA-28", "OA-14")
def test_a_2xx_without_the_answer_is_acknowledged_and_told(network: Network) -> None:
    alice, bob, call = scripted(network)
    offer(network, call)
    reply(bob, 200)
    (accepted,) = alice.of(OfferAccepted)
    assert accepted.role is Role.MISSING
    assert len(bob.requests("ACK")) == 2
    assert call.changes is not None
    assert call.changes.offers.may_offer


@pytest.mark.rule("SIP-50", "SIP-68")
@pytest.mark.parametrize(
    ("status", "header"),
    [(500, ("Retry-After", "soon")), (200, ("Contact", "<<>>"))],
    ids=["refusal", "2xx"],
)
def test_a_response_that_can_t_be_read_is_a_failure(
    network: Network, status: int, header: tuple[str, str]
) -> None:
    alice, bob, call = scripted(network)
    offer(network, call)
    response = response_to(
        bob.requests("INVITE")[-1], status, to_tag="b", headers=[header]
    )
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    network.run()
    assert len(alice.of(OfferRefused) + alice.of(OfferAccepted)) == 1
    assert call.state is CallState.CONFIRMED
    assert call.changes is not None
    assert call.changes.offers.may_offer
    call.want_offer(network.now)
    assert call.changes.own.invites is False
