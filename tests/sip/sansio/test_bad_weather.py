"""Calls between two cores when three datagrams of ten are lost and all are mixed up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sip.message import Request
from sip.sansio.events import CallAnswered, CallEnded, CallFailed, CallReceived, Event
from sip.sansio.hop import Hop, Transport
from sip.testing import Network, Sent, bad_weather
from sip.uri import parse_uri

CALLS = 200
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"


@pytest.mark.rule("SIP-20", "SIP-22", "SIP-23", "SIP-24", "SIP-25")
@pytest.mark.parametrize("seed", [1, 2])
def test_every_call_comes_about_and_ends_in_bad_weather(
    network: Network, seed: int
) -> None:
    network.fate = bad_weather(seed)
    alice, bob = network.node("192.0.2.1"), network.node("192.0.2.2")

    def alice_hears(event: Event) -> None:
        if isinstance(event, CallAnswered):
            event.call.acknowledge(network.now)

    def bob_hears(event: Event) -> None:
        if isinstance(event, CallReceived):
            event.call.provisional(180, network.now)
            event.call.accept(network.now, body=SDP, content_type="application/sdp")

    alice.on_event, bob.on_event = alice_hears, bob_hears
    uri = parse_uri("sip:bob@192.0.2.2")
    calls = []
    for _ in range(CALLS):
        body, kind = SDP, "application/sdp"
        calls.append(alice.core.invite(uri, network.now, body=body, content_type=kind))
        network.run(0.1)
    network.run(20.0)
    assert len(alice.of(CallAnswered)) == CALLS
    assert len(bob.of(CallReceived)) == CALLS
    assert alice.of(CallFailed) == []
    assert len(alice.core.calls) == len(bob.core.calls) == CALLS
    for call in calls:
        call.bye(network.now)
        network.run(0.05)
    network.run(100.0)
    assert len(alice.of(CallEnded)) == len(bob.of(CallEnded)) == CALLS
    lost = [sent for sent in network.log if sent.arrivals == 0]
    assert 0.25 < len(lost) / len(network.log) < 0.35
    assert alice.core.next_timeout() is None
    assert bob.core.next_timeout() is None


def _sent_by(hop: Hop) -> Sent:
    return Sent(0.0, hop, hop, Request.build("OPTIONS", "sip:a@b"))


def test_the_weather_is_the_same_for_each_seed(network: Network) -> None:
    alice = network.peer("192.0.2.1")
    outcomes = []
    for seed in (7, 7, 8):
        fate = bad_weather(seed)
        sent = _sent_by(alice.hop())
        outcomes.append([fate(sent) for _ in range(200)])
    assert outcomes[0] == outcomes[1] != outcomes[2]
    losses = sum(1 for delays in outcomes[0] if not delays)
    copies = sum(1 for delays in outcomes[0] if len(delays) == 2)
    assert 40 <= losses <= 80
    assert 1 <= copies <= 20
    assert all(0.005 <= delay <= 0.3 for delays in outcomes[0] for delay in delays)


def test_streams_lose_nothing_and_keep_the_order(network: Network) -> None:
    fate = bad_weather(3, loss=1.0)
    hop = replace(network.peer("192.0.2.1").hop(), transport=Transport.TCP)
    assert [fate(_sent_by(hop)) for _ in range(3)] == [(0.005,)] * 3
