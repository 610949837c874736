"""A call that takes the place of another."""

from __future__ import annotations

import pytest

from sip.fields.replaces import Replaces
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.server import ServerCall
from sip.sansio.events import CallEnded, CallFailed, CallReceived, EndReason
from sip.testing import Network, Node
from sip.uri import parse_uri

ALICE, BOB, CAROL = "192.0.2.1", "192.0.2.2", "192.0.2.3"


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Node:
    return network.node(BOB)


@pytest.fixture
def carol(network: Network) -> Node:
    return network.node(CAROL)


def ring(caller: Node, callee: Node, *headers: tuple[str, str]) -> ClientCall:
    network = caller.network
    call = caller.core.invite(
        parse_uri(f"sip:{callee.host}"), network.now, headers=headers
    )
    network.run()
    return call


def received(node: Node) -> ServerCall:
    return node.of(CallReceived)[-1].call


def answer(caller: ClientCall, callee: Node) -> ServerCall:
    network = callee.network
    call = received(callee)
    assert call.accept(network.now)
    network.run()
    if caller.state is CallState.ANSWERED:
        caller.acknowledge(network.now)
        network.run()
    return call


def named(call: Call, *, early_only: bool = False) -> tuple[str, str]:
    """Name a call as the other side of it knows it."""
    assert call.dialog is not None
    _, local, remote = call.dialog.key
    value = Replaces(call.request.call_id, remote, local, early_only)
    return "Replaces", str(value)


@pytest.mark.rule("SIP-55")
def test_an_answered_call_takes_the_place_of_the_other(
    network: Network, alice: Node, bob: Node, carol: Node
) -> None:
    ours = ring(alice, bob)
    theirs = answer(ours, bob)
    # Carol was told of the call by Alice, and takes it over.
    new = ring(carol, bob, named(ours))
    assert received(bob).replaces is theirs
    assert theirs.state is CallState.CONFIRMED
    answer(new, bob)
    assert new.state is CallState.CONFIRMED
    assert theirs.end_reason is EndReason.LOCAL_BYE
    assert alice.of(CallEnded)[0].reason is EndReason.REMOTE_BYE


def test_a_call_that_is_refused_replaces_nothing(
    network: Network, alice: Node, bob: Node, carol: Node
) -> None:
    ours = ring(alice, bob)
    theirs = answer(ours, bob)
    ring(carol, bob, named(ours))
    received(bob).reject(486, network.now)
    network.run()
    assert theirs.state is CallState.CONFIRMED


def test_who_rings_is_answered_by_another(
    network: Network, alice: Node, bob: Node, carol: Node
) -> None:
    ours = ring(alice, bob)
    theirs = received(bob)
    theirs.provisional(180, network.now)
    network.run()
    # Carol picks up what rings at Bob: she calls Alice.
    new = ring(carol, alice, named(theirs, early_only=True))
    assert received(alice).replaces is ours
    answer(new, alice)
    network.run()
    assert new.state is CallState.CONFIRMED
    assert theirs.end_reason is EndReason.CANCELLED
    assert alice.of(CallFailed)[0].call is ours


def status_of(caller: Node) -> int:
    response = caller.of(CallFailed)[-1].response
    assert response is not None
    return response.status


def test_what_may_not_be_replaced(
    network: Network, alice: Node, bob: Node, carol: Node
) -> None:
    ours = ring(alice, bob)
    theirs = received(bob)
    assert theirs.dialog is not None
    _, local, remote = theirs.dialog.key
    ringing = str(Replaces(ours.request.call_id, local, remote))
    ring(carol, bob, ("Replaces", ringing))
    assert status_of(carol) == 481  # Bob can't give up what Alice began.
    answer(ours, bob)
    ring(carol, bob, named(ours, early_only=True))
    assert status_of(carol) == 486
    ring(carol, bob, ("Replaces", "nobody;to-tag=a;from-tag=b"))
    assert status_of(carol) == 481
    name = named(ours)
    ours.bye(network.now)
    network.run()
    ring(carol, bob, name)
    assert status_of(carol) == 603


@pytest.mark.parametrize(
    "headers",
    [
        [("Replaces", "a;to-tag=b;from-tag=c"), ("Replaces", "d;to-tag=e;from-tag=f")],
        [("Replaces", "a;to-tag=b;from-tag=c"), ("Join", "d;to-tag=e;from-tag=f")],
        [("Replaces", "a;to-tag=b")],
        [("Replaces", "")],
    ],
    ids=["twice", "join too", "a tag missing", "nothing"],
)
def test_what_is_no_replaces_is_a_bad_request(
    alice: Node, bob: Node, headers: list[tuple[str, str]]
) -> None:
    ring(alice, bob, *headers)
    assert status_of(alice) == 400


def test_only_so_many_calls_that_are_over_are_remembered(
    network: Network, alice: Node, bob: Node, carol: Node
) -> None:
    ours = ring(alice, bob)
    answer(ours, bob)
    name = named(ours)
    ours.bye(network.now)
    for _ in range(300):
        ring(alice, bob)
        received(bob).reject(486, network.now)
    network.run()
    ring(carol, bob, name)
    assert status_of(carol) == 481
