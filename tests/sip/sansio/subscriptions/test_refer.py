"""REFER both ways: what is asked for, what is told, and when it is over."""

from __future__ import annotations

import pytest

from sip.errors import LocalError
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.sansio.calls.call import Call
from sip.sansio.events import (
    CallAnswered,
    CallReceived,
    NotifyReceived,
    ReferReceived,
    SubscriptionEnded,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.subscriptions.refer import SIPFRAG, ServerRefer, read_sipfrag
from sip.testing import Network, Node, Peer
from sip.uri import parse_uri

ALICE, BOB = "192.0.2.1", "192.0.2.2"
TO_BOB = Hop(Transport.UDP, BOB, 5060)
CAROL = NameAddr.parse("<sip:carol@192.0.2.3>")


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Node:
    """Bob takes REFERs."""
    node = network.node(BOB)
    node.core.admission = node.core.admission.including("REFER", "SUBSCRIBE")
    node.core.answers_calls = True
    return node


def call(alice: Node, bob: Node) -> tuple[Call, Call]:
    """Let Alice call Bob; return both their sides."""
    network = alice.network
    ours = alice.core.invite(parse_uri(f"sip:{BOB}"), network.now)
    network.run()
    theirs = bob.of(CallReceived)[-1].call
    theirs.accept(network.now)
    network.run()
    assert alice.of(CallAnswered)
    ours.acknowledge(network.now)
    network.run()
    return ours, theirs


def referred(bob: Node) -> ServerRefer:
    return bob.of(ReferReceived)[-1].refer


def told(alice: Node) -> list[tuple[str, tuple[int, str] | None]]:
    return [
        (event.told.state, read_sipfrag(event.request.body))
        for event in alice.of(NotifyReceived)
    ]


# From end to end.


@pytest.mark.rule("SIP-55", "ST-15")
def test_a_refer_in_a_call_is_told_of_until_the_final_response(
    network: Network, alice: Node, bob: Node
) -> None:
    ours, theirs = call(alice, bob)
    alice.core.refers.refer_inside(ours, CAROL)
    network.run()
    refer = referred(bob)
    assert refer.user is theirs
    assert str(refer.refer_to) == str(CAROL)
    refer.accept(network.now)
    network.run(1.0)
    refer.tell(180, network.now)
    network.run(1.0)
    refer.tell(200, network.now)
    network.run(64.0)
    assert network.sent("202")
    assert told(alice) == [
        ("active", (100, "Trying")),
        ("active", (180, "Ringing")),
        ("terminated", (200, "OK")),
    ]
    (ended,) = alice.of(SubscriptionEnded)
    assert ended.told is not None
    assert ended.told.reason == "noresource"
    notified = network.sent("NOTIFY")[0].message
    assert str(notified.headers.get("Event")).startswith("refer")
    assert notified.content_type == SIPFRAG
    assert len(alice.core.subscriptions) == len(bob.core.subscriptions) == 0


@pytest.mark.rule("SIP-55", "ST-15")
def test_two_refers_of_a_dialog_are_told_apart(
    network: Network, alice: Node, bob: Node
) -> None:
    ours, _ = call(alice, bob)
    first = alice.core.refers.refer_inside(ours, CAROL)
    second = alice.core.refers.refer_inside(ours, CAROL)
    network.run()
    one, two = (event.refer for event in bob.of(ReferReceived))
    for refer in (one, two):
        refer.accept(network.now)
    network.run()
    two.tell(603, network.now)
    one.tell(200, network.now)
    network.run()
    finals = {
        event.subscription: read_sipfrag(event.request.body)
        for event in alice.of(NotifyReceived)
        if event.told.terminated
    }
    assert finals == {first: (200, "OK"), second: (603, "Decline")}
    assert referred(bob).subscription.event.id is not None


@pytest.mark.rule("SIP-55")
def test_the_news_goes_on_when_the_call_is_over(
    network: Network, alice: Node, bob: Node
) -> None:
    ours, _ = call(alice, bob)
    subscription = alice.core.refers.refer_inside(ours, CAROL)
    network.run()
    referred(bob).accept(network.now)
    network.run()
    ours.bye(network.now)
    network.run()
    referred(bob).tell(180, network.now)
    network.run()
    subscription.unsubscribe(network.now)
    network.run(64.0)
    assert [state for state, _ in told(alice)] == ["active", "active", "terminated"]
    for node in (alice, bob):
        assert len(node.core.subscriptions) == 0
        assert node.core._dialogs.users == {}


def test_a_refer_outside_of_calls_makes_a_dialog_of_its_own(
    network: Network, alice: Node, bob: Node
) -> None:
    alice.core.refers.refer(parse_uri(f"sip:{BOB}"), CAROL)
    network.run()
    assert referred(bob).user is None
    referred(bob).accept(network.now)
    referred(bob).tell(486, network.now)
    network.run(64.0)
    assert told(alice)[-1] == ("terminated", (486, "Busy Here"))
    for node in (alice, bob):
        assert node.core._dialogs.users == {}
        assert len(node.core._agenda) == 0


def test_a_refer_can_be_refused(network: Network, alice: Node, bob: Node) -> None:
    ours, _ = call(alice, bob)
    alice.core.refers.refer_inside(ours, CAROL)
    network.run()
    with pytest.raises(LocalError):
        referred(bob).tell(200, network.now)
    referred(bob).reject(603, network.now)
    network.run()
    (ended,) = alice.of(SubscriptionEnded)
    assert ended.response is not None
    assert ended.response.status == 603
    assert told(alice) == []
    with pytest.raises(LocalError):
        referred(bob).accept(network.now)


def test_nobody_is_told_of_a_refer_that_wants_silence(
    network: Network, alice: Node, bob: Node
) -> None:
    ours, _ = call(alice, bob)
    headers = [("Refer-Sub", "false"), ("Supported", "norefersub")]
    alice.core.refers.refer_inside(ours, CAROL, headers=headers)
    network.run()
    referred(bob).accept(network.now)
    network.run(64.0)
    assert network.sent("NOTIFY") == []
    assert len(alice.of(SubscriptionEnded)) == 1
    assert len(alice.core.subscriptions) == len(bob.core.subscriptions) == 0


def test_a_refer_that_nothing_becomes_of_ends_in_time(
    network: Network, alice: Node, bob: Node
) -> None:
    ours, _ = call(alice, bob)
    alice.core.refers.refer_inside(ours, CAROL)
    network.run()
    referred(bob).accept(network.now)
    network.run(300.0)
    assert told(alice)[-1] == ("terminated", (100, "Trying"))
    assert len(alice.core.subscriptions) == len(bob.core.subscriptions) == 0


def test_what_can_not_be_referred(network: Network, alice: Node, bob: Node) -> None:
    inviting = alice.core.invite(parse_uri(f"sip:{BOB}"), network.now)
    with pytest.raises(LocalError):
        alice.core.refers.refer_inside(inviting, CAROL)
    ours, _ = call(alice, bob)
    alice.core.refers.refer_inside(ours, CAROL)
    network.run()
    referred(bob).accept(network.now)
    with pytest.raises(LocalError):
        referred(bob).tell(99, network.now)


# By a scripted peer.


def build(*extra: tuple[str, str]) -> Request:
    headers = [
        ("Via", f"SIP/2.0/UDP {ALICE};branch=z9hG4bKr1"),
        ("From", f"<sip:{ALICE}>;tag=a"),
        ("To", f"<sip:{BOB}>"),
        ("Call-ID", "refer-1"),
        ("CSeq", "7 REFER"),
        ("Contact", f"<sip:{ALICE}>"),
        *extra,
    ]
    return Request.build("REFER", f"sip:{BOB}", headers)


@pytest.mark.rule("SIP-55")
@pytest.mark.parametrize(
    "targets",
    [[], ["<sip:carol@x>", "<sip:dave@x>"], ["<sip:carol@x>, <sip:dave@x>"], ["@"]],
    ids=["none", "two headers", "two values", "no URI"],
)
def test_a_refer_to_nobody_or_to_several_is_refused(
    network: Network, bob: Node, targets: list[str]
) -> None:
    peer: Peer = network.peer(ALICE)
    peer.send(build(*(("Refer-To", target) for target in targets)), TO_BOB)
    network.run()
    assert peer.statuses() == [400]
    assert bob.of(ReferReceived) == []


@pytest.mark.rule("SIP-55")
def test_a_refer_tells_who_is_meant_and_who_asks(network: Network, bob: Node) -> None:
    peer: Peer = network.peer(ALICE)
    target = "<sip:carol@x?Replaces=1%40x%3Bto-tag%3Da%3Bfrom-tag%3Db>"
    request = build(("Refer-To", target), ("Referred-By", "<sip:dispatch@x>"))
    peer.send(request, TO_BOB)
    network.run()
    refer = referred(bob)
    assert str(refer.refer_to) == target
    assert refer.referred_by == "<sip:dispatch@x>"
    assert refer.request.cseq.number == 7
    refer.accept(network.now)
    network.run()
    accepted = [m for m in peer.received if isinstance(m, Response)][-1]
    assert accepted.status == 202
    assert accepted.contacts


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"SIP/2.0 200 OK\r\n", (200, "OK")),
        (b"SIP/2.0 100 Trying", (100, "Trying")),
        (b"SIP/2.0 183\nTo: x\n", (183, "")),
        (b"sip/2.0 486 Busy \xff\r\n", (486, "Busy \ufffd")),
        (b"SIP/2.0 99 x", None),
        (b"SIP/2.0 700 x", None),
        (b"SIP/2.0 2x0 x", None),
        (b"HTTP/1.1 200 OK", None),
        (b"", None),
    ],
)
def test_the_status_line_of_a_sipfrag(
    body: bytes, expected: tuple[int, str] | None
) -> None:
    assert read_sipfrag(body) == expected
