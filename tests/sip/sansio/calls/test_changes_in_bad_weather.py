"""Changes of a session on a network that loses, repeats and delays messages."""

from __future__ import annotations

import random

import pytest

from sip.errors import LocalError
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.events import (
    CallAnswered,
    CallProgressed,
    OfferAccepted,
    OfferPossible,
    OfferReceived,
    OfferRefused,
)
from sip.sansio.calls.offers import Role
from sip.sansio.events import CallReceived
from sip.sansio.timers import Timers
from sip.testing import Network, Sent
from sip.uri import parse_uri
from tests.sip.sansio.pairs import ALICE, BOB, SDP, Pair, connected


class Session:
    """One side, which numbers what it offers and answers."""

    def __init__(self, pair: Pair, call: Call, rng: random.Random) -> None:
        self.pair = pair
        self.call = call
        self.rng = rng
        self.agreed: list[tuple[bytes, bytes]] = []
        self.offered = b""
        self.count = 0
        self.offers = 0
        pair.node_of(call).on_event = self.take

    def want(self) -> None:
        if self.call.is_confirmed:
            self.call.want_offer(self.pair.network.now)

    def words(self) -> bytes:
        self.count += 1
        name = b"ours" if self.call.is_ours else b"theirs"
        return name + b"-%d" % self.count

    def take(self, event: object) -> None:
        now = self.pair.network.now
        if isinstance(event, OfferPossible):
            self.offered = self.words()
            self.offers += 1
            self.call.offer(self.offered, now)
        elif isinstance(event, OfferAccepted) and event.role is Role.ANSWER:
            self.agreed.append((event.request.body, event.response.body))
        elif isinstance(event, OfferRefused) and event.may_retry:
            assert event.response is not None
        elif isinstance(event, OfferReceived):
            self.answer(event, now)

    def answer(self, event: OfferReceived, now: float) -> None:
        assert event.role is Role.OFFER
        if self.rng.random() < 0.2:
            self.call.answer_offer(event.transaction, 488, now)
            return
        answer = self.words()
        if self.call.answer_offer(
            event.transaction, 200, now, body=answer, content_type=SDP
        ):
            self.agreed.append((event.request.body, answer))


@pytest.mark.rule("SIP-50", "OA-27", "ST-5", "SIP-46")
@pytest.mark.parametrize("seed", range(12))
def test_both_sides_agree_on_the_same_in_any_weather(
    network: Network, seed: int
) -> None:
    rng = random.Random(seed)
    timers = Timers(session_expires=90, randbelow=lambda n: rng.randrange(n))
    pair = connected(network, timers=timers)
    pair.ours.refresh_body = pair.theirs.refresh_body = b"as it is"
    sides = [Session(pair, call, rng) for call in (pair.ours, pair.theirs)]

    def weather(sent: Sent) -> tuple[float, ...]:
        if rng.random() < 0.2:
            return ()
        return tuple(rng.random() for _ in range(1 + (rng.random() < 0.2)))

    network.fate = weather
    for _ in range(30):
        rng.choice(sides).want()
        network.run(rng.random() * 5)
    network.fate = lambda sent: (0.0,)
    network.run(45.0)
    # Nobody hangs up because of the weather, and nothing is left open.
    assert [side.call.state for side in sides] == [CallState.CONFIRMED] * 2
    for side in sides:
        assert side.call.changes is not None
        assert side.call.changes.offers.may_offer
        assert not side.call.awaits_ack
    ours, theirs = (side.agreed for side in sides)
    assert ours == theirs
    assert len(ours) > 5
    for side in sides:
        side.want()
        network.run(10.0)
        assert side.offers > 0
    # And it ends as it should.
    rng.choice(sides).call.bye(network.now)
    network.run(60.0)
    assert pair.alice.core.next_timeout() is None
    assert pair.bob.core.next_timeout() is None


@pytest.mark.rule("SIP-48", "SIP-50")
@pytest.mark.parametrize("seed", range(12))
def test_a_call_ends_for_both_whatever_is_under_way(
    network: Network, seed: int
) -> None:
    rng = random.Random(seed)
    timers = Timers(randbelow=lambda n: rng.randrange(n))
    pair = connected(network, timers=timers)
    sides = [Session(pair, call, rng) for call in (pair.ours, pair.theirs)]
    network.fate = lambda sent: () if rng.random() < 0.2 else (rng.random(),)
    for _ in range(rng.randrange(6)):
        rng.choice(sides).want()
        network.run(rng.random())
    for side in rng.sample(sides, rng.randrange(1, 3)):
        side.call.bye(network.now)
        network.run(rng.random() * 0.5)
    network.run(200.0)
    assert [side.call.state for side in sides] == [CallState.ENDED] * 2
    for side in sides:
        with pytest.raises(LocalError):
            side.call.offer(b"too late", network.now)
    assert pair.alice.core.next_timeout() is None
    assert pair.bob.core.next_timeout() is None


@pytest.mark.rule("SIP-57", "ST-10", "OA-26")
@pytest.mark.parametrize("seed", range(12))
def test_what_is_said_reliably_arrives_in_order_in_any_weather(
    network: Network, seed: int
) -> None:
    rng = random.Random(seed)
    network.fate = lambda sent: tuple(
        rng.random() for _ in range((rng.random() > 0.2) + (rng.random() < 0.2))
    )
    pair = ringing_in_the_end(network)
    statuses = [180, 183, 182, 181, 183]
    for number, status in enumerate(statuses):
        early = b"answer" if number == 1 else b""
        pair.theirs.provisional(
            status,
            network.now,
            reliable=True,
            body=early,
            content_type=SDP if early else None,
        )
        network.run(rng.random())
    network.run(30.0)
    pair.theirs.accept(network.now)
    network.run(10.0)
    progressed = pair.alice.of(CallProgressed)
    assert [event.response.status for event in progressed] == statuses
    roles = [event.role for event in progressed]
    assert roles == [Role.ANSWER if n == 1 else Role.NOTHING for n in range(5)]
    (answered,) = pair.alice.of(CallAnswered)
    assert answered.role is Role.NOTHING
    pair.ours.acknowledge(network.now)
    network.run(20.0)
    assert pair.theirs.state is CallState.CONFIRMED


def ringing_in_the_end(network: Network) -> Pair:
    """Let Alice call Bob, and wait until the INVITE has arrived."""
    one, two = network.node(ALICE), network.node(BOB)
    ours = one.core.invite(
        parse_uri(f"sip:bob@{BOB}"), network.now, body=b"offer", content_type=SDP
    )
    while not two.of(CallReceived):
        network.run(0.5)
    return Pair(network, one, two, ours, two.of(CallReceived)[0].call)
