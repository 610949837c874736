"""Two user agents that have a call, on a network that is a list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sip.sansio.admission import Admission
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.events import CallAnswered, OfferPossible, OfferReceived
from sip.sansio.calls.server import ServerCall
from sip.sansio.events import CallReceived
from sip.sansio.limits import Limits
from sip.sansio.timers import Timers
from sip.testing import Network, Node
from sip.uri import parse_uri

__all__ = ["ALICE", "BOB", "SDP", "Pair", "connected", "ringing"]

ALICE, BOB = "192.0.2.1", "192.0.2.2"
SDP = "application/sdp"

PLAIN = Admission(methods=("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS"), extensions=())
"""A user agent of RFC 3261, without anything that came later."""


@dataclass
class Pair:
    """Alice calls Bob."""

    network: Network
    alice: Node
    bob: Node
    ours: ClientCall
    theirs: ServerCall

    def node_of(self, call: Call) -> Node:
        return self.alice if call is self.ours else self.bob

    def other(self, call: Call) -> Call:
        return self.theirs if call is self.ours else self.ours

    def offer(self, call: Call, body: bytes = b"new offer") -> None:
        """Offer as soon as that is possible."""
        node = self.node_of(call)

        def make(event: object) -> None:
            if isinstance(event, OfferPossible):
                call.offer(body, self.network.now)

        node.on_event = make
        call.want_offer(self.network.now)
        self.network.run()

    def answer(self, call: Call, status: int = 200, body: bytes = b"answer") -> bool:
        """Answer what the peer offered last."""
        event = self.node_of(call).of(OfferReceived)[-1]
        done = call.answer_offer(
            event.transaction,
            status,
            self.network.now,
            body=body if status < 300 else b"",
            content_type=SDP if status < 300 else None,
        )
        self.network.run()
        return done


def ringing(
    network: Network,
    *,
    offer: bytes = b"offer",
    timers: Timers | None = None,
    limits: Limits | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    alice: Admission | None = None,
    bob: Admission | None = None,
    **options: Any,
) -> Pair:
    """Let Alice call Bob, who has not answered yet."""
    one = network.node(ALICE, timers=timers, limits=limits, admission=alice)
    two = network.node(BOB, timers=timers, limits=limits, admission=bob)
    ours = one.core.invite(
        parse_uri(f"sip:bob@{BOB}"),
        network.now,
        body=offer,
        content_type=SDP if offer else None,
        headers=headers,
        **options,
    )
    network.run()
    return Pair(network, one, two, ours, two.of(CallReceived)[-1].call)


def connected(network: Network, **options: Any) -> Pair:
    """Let Alice call Bob, who answers."""
    pair = ringing(network, **options)
    pair.theirs.accept(network.now, body=b"answer", content_type=SDP)
    network.run()
    assert len(pair.alice.of(CallAnswered)) == 1
    pair.ours.acknowledge(network.now)
    network.run()
    assert pair.ours.state is pair.theirs.state is CallState.CONFIRMED
    return pair
