"""Subscriptions of ours with peers, and of peers with us."""

from __future__ import annotations

import pytest

from sip.errors import LocalError
from sip.fields.subscription import Event
from sip.message import Request, Response, response_to
from sip.sansio.events import (
    Failure,
    NotifyReceived,
    SubscribeReceived,
    SubscriptionEnded,
    SubscriptionRefreshed,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.sansio.subscriptions.notifier import NotifierState, ServerSubscription
from sip.sansio.subscriptions.subscriber import ClientSubscription, SubscriberState
from sip.sansio.subscriptions.subscriptions import EventPackage
from sip.testing import Network, Node, Peer
from sip.uri import parse_uri

ALICE, BOB = "192.0.2.1", "192.0.2.2"
TO_ALICE = Hop(Transport.UDP, ALICE, 5060)
TO_BOB = Hop(Transport.UDP, BOB, 5060)
PRESENCE = Event("presence")
PIDF = "application/pidf+xml"


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Node:
    """Bob tells his presence to whoever asks."""
    node = network.node(BOB)
    node.core.subscriptions.provide(EventPackage(name="presence", min_expires=30))

    def on_event(event: object) -> None:
        if isinstance(event, SubscribeReceived):
            event.subscription.accept(network.now)

    node.on_event = on_event
    return node


def subscribe(
    alice: Node, event: Event = PRESENCE, *, expires: int | None = 600
) -> ClientSubscription:
    ours = alice.core.subscriptions.subscribe(
        parse_uri(f"sip:{BOB}"), event, expires=expires, accept=[PIDF]
    )
    alice.network.run()
    return ours


def theirs(bob: Node) -> ServerSubscription:
    return bob.of(SubscribeReceived)[-1].subscription


def told(alice: Node) -> list[tuple[str, bytes]]:
    """What Alice was told: the states and the bodies."""
    return [(e.told.state, e.request.body) for e in alice.of(NotifyReceived)]


def nothing_is_left(*nodes: Node) -> None:
    for node in nodes:
        assert len(node.core.subscriptions) == 0
        assert node.core._dialogs.users == {}
        assert len(node.core._agenda) == 0


# From end to end.


@pytest.mark.rule("SIP-59")
def test_who_subscribes_is_told_at_once_and_again_with_each_change(
    network: Network, alice: Node, bob: Node
) -> None:
    ours = subscribe(alice)
    assert ours.state is SubscriberState.ACTIVE
    theirs(bob).notify(network.now, b"<open/>", PIDF)
    network.run()
    assert told(alice) == [("active", b""), ("active", b"<open/>")]
    subscribed = network.sent("SUBSCRIBE")[0].message
    assert subscribed.headers.get("Event") == "presence"
    assert subscribed.headers.get("Accept") == PIDF
    assert subscribed.headers.get("Expires") == "600"
    assert subscribed.contacts
    first = network.sent("NOTIFY")[0].message
    assert first.headers.get("Subscription-State") == "active;expires=600"
    assert first.headers.get("Event") == "presence"
    assert first.contacts


def test_a_subscription_is_refreshed_before_it_runs_out_and_told_the_state(
    network: Network, alice: Node, bob: Node
) -> None:
    subscribe(alice)
    theirs(bob).notify(network.now, b"<open/>", PIDF)
    network.run(1_300.0)
    assert network.times("SUBSCRIBE") == [0.0, 540.0, 1_080.0]
    assert told(alice)[2:] == [("active", b"<open/>")] * 2
    assert len(bob.of(SubscriptionRefreshed)) == 2
    numbers = [sent.message.cseq.number for sent in network.sent("SUBSCRIBE")]
    assert numbers == [1, 2, 3]
    tags = {sent.message.to.tag for sent in network.sent("SUBSCRIBE")[1:]}
    assert len(tags) == 1
    assert tags != {None}


def test_unsubscribing_ends_it_on_both_sides(
    network: Network, alice: Node, bob: Node
) -> None:
    ours = subscribe(alice)
    ours.unsubscribe(network.now)
    states = [ours.state]
    network.run()
    states.append(ours.state)
    assert states == [SubscriberState.ENDING, SubscriberState.ENDED]
    assert theirs(bob).state is NotifierState.ENDED
    (ended,) = alice.of(SubscriptionEnded)
    assert ended.told is not None
    assert ended.told.reason == "timeout"
    assert len(bob.of(SubscriptionEnded)) == 1
    ours.unsubscribe(network.now)
    network.run(64.0)
    assert network.sent("SUBSCRIBE")[-1].message.headers.get("Expires") == "0"
    nothing_is_left(alice, bob)


def test_zero_seconds_fetch_the_state_once(
    network: Network, alice: Node, bob: Node
) -> None:
    ours = subscribe(alice, expires=0)
    theirs(bob).notify(network.now, b"<open/>", PIDF)
    network.run()
    assert ours.state is SubscriberState.ENDED
    assert told(alice) == [("terminated", b"<open/>")]
    network.run(64.0)
    assert len(network.sent("SUBSCRIBE")) == 1
    nothing_is_left(alice, bob)


def test_who_fetches_a_state_that_nobody_tells_hears_that_soon(
    network: Network, alice: Node, bob: Node
) -> None:
    ours = subscribe(alice, expires=0)
    network.run(0.4)
    assert told(alice) == []
    network.run(0.2)
    assert ours.state is SubscriberState.ENDED
    assert told(alice) == [("terminated", b"")]
    theirs(bob).notify(network.now, b"too late", PIDF)
    network.run(64.0)
    assert len(network.sent("SUBSCRIBE")) == 1
    nothing_is_left(alice, bob)


def test_the_notifier_ends_it_with_a_reason(
    network: Network, alice: Node, bob: Node
) -> None:
    subscribe(alice)
    theirs(bob).terminate(network.now, "probation", retry_after=120)
    network.run(64.0)
    (ended,) = alice.of(SubscriptionEnded)
    assert ended.told is not None
    assert (ended.told.reason, ended.told.retry_after) == ("probation", 120)
    theirs(bob).notify(network.now, b"too late", PIDF)
    nothing_is_left(alice, bob)


def test_a_subscription_that_nobody_refreshes_runs_out(
    network: Network, alice: Node, bob: Node
) -> None:
    subscribe(alice)
    network.fate = lambda sent: () if sent.what == "SUBSCRIBE" else (0.0,)
    network.run(700.0)
    assert theirs(bob).state is NotifierState.ENDED
    assert alice.of(SubscriptionEnded)[0].told is not None
    # The refresh was tried again while there was time.
    refreshes = {s.message.cseq.number for s in network.sent("SUBSCRIBE")[1:]}
    assert len(refreshes) > 1
    network.run(64.0)
    nothing_is_left(alice, bob)


def test_a_notifier_that_went_away_is_noticed_when_time_is_up(
    network: Network, alice: Node, bob: Node
) -> None:
    subscribe(alice)
    network.fate = lambda sent: ()
    network.run(700.0)
    (ended,) = alice.of(SubscriptionEnded)
    assert ended.failure is Failure.TIMEOUT
    network.run(64.0)
    nothing_is_left(alice, bob)


def test_a_peer_that_takes_no_notify_has_no_subscription(
    network: Network, alice: Node, bob: Node
) -> None:
    subscribe(alice)
    network.fate = lambda sent: () if sent.what == "NOTIFY" else (0.0,)
    theirs(bob).notify(network.now, b"<open/>", PIDF)
    network.run(33.0)
    (ended,) = bob.of(SubscriptionEnded)
    assert ended.failure is Failure.TIMEOUT
    assert len(bob.core.subscriptions) == 0


def test_notifies_go_one_after_the_other_and_the_newest_counts(
    network: Network, alice: Node, bob: Node
) -> None:
    subscribe(alice)
    network.delay = 0.1
    for number in range(40):
        theirs(bob).notify(network.now, b"%d" % number, PIDF)
    theirs(bob).terminate(network.now)
    network.run(10.0)
    bodies = [body for _, body in told(alice)]
    assert bodies[:2] == [b"", b"0"]
    assert bodies[-2:] == [b"39", b"39"]
    assert len(bodies) == 2 + Limits().waiting_notifies
    assert [state for state, _ in told(alice)].count("terminated") == 1
    assert told(alice)[-1][0] == "terminated"


# What a scripted peer does to a subscriber.


def answer(peer: Peer, request: Request, status: int, *extra: tuple[str, str]) -> None:
    peer.send(response_to(request, status, to_tag="b", headers=extra), TO_ALICE)
    peer.network.run()


def notify(
    peer: Peer,
    subscribed: Request,
    state: str | None = "active;expires=600",
    *,
    tag: str = "b",
    cseq: int = 1,
    event: str | None = "presence",
    to_tag: str | None = None,
) -> int:
    """Send a NOTIFY; return the status of the answer."""
    headers = [
        ("Via", f"SIP/2.0/UDP {peer.host};branch=z9hG4bK{tag}{cseq}{state}{event}"),
        ("From", f"<sip:{BOB}>;tag={tag}"),
        ("To", f"<sip:{ALICE}>;tag={to_tag or subscribed.from_.tag}"),
        ("Call-ID", subscribed.call_id),
        ("CSeq", f"{cseq} NOTIFY"),
        ("Contact", f"<sip:{tag}@{BOB}>"),
        ("Record-Route", f"<sip:{BOB};lr>"),
    ]
    if event is not None:
        headers.append(("Event", event))
    if state is not None:
        headers.append(("Subscription-State", state))
    peer.send(Request.build("NOTIFY", f"sip:{ALICE}", headers), TO_ALICE)
    peer.network.run()
    responses = [m for m in peer.received if isinstance(m, Response)]
    return responses[-1].status


@pytest.fixture
def scripted(network: Network) -> Peer:
    return network.peer(BOB)


def subscribed(alice: Node, peer: Peer) -> tuple[ClientSubscription, Request]:
    ours = subscribe(alice)
    return ours, peer.requests("SUBSCRIBE")[-1]


@pytest.mark.rule("SIP-55")
def test_a_notify_may_come_before_the_response(
    network: Network, alice: Node, scripted: Peer
) -> None:
    ours, request = subscribed(alice, scripted)
    assert notify(scripted, request) == 200
    assert ours.state is SubscriberState.ACTIVE
    answer(scripted, request, 200, ("Expires", "600"))
    assert ours.state is SubscriberState.ACTIVE
    network.run(541.0)
    refresh = scripted.requests("SUBSCRIBE")[-1]
    assert str(refresh.uri) == f"sip:b@{BOB}"
    assert len(refresh.routes) == 1


def test_of_several_that_answer_the_first_is_kept(
    network: Network, alice: Node, scripted: Peer
) -> None:
    _, request = subscribed(alice, scripted)
    assert notify(scripted, request, tag="b1") == 200
    assert notify(scripted, request, tag="b2") == 481
    assert notify(scripted, request, tag="b1", cseq=2) == 200


@pytest.mark.rule("SIP-59")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"event": "dialog"}, 481, id="another event"),
        pytest.param({"event": "presence;id=1"}, 481, id="another id"),
        pytest.param({"to_tag": "nobody"}, 481, id="another dialog"),
        pytest.param({"event": None}, 489, id="no event"),
        pytest.param({"state": None}, 400, id="no state"),
        pytest.param({"state": "@"}, 400, id="a state that is none"),
    ],
)
def test_a_notify_that_belongs_to_no_subscription_is_refused(
    network: Network,
    alice: Node,
    scripted: Peer,
    change: dict[str, str | None],
    status: int,
) -> None:
    _, request = subscribed(alice, scripted)
    assert notify(scripted, request, **change) == status  # type: ignore[arg-type]
    assert alice.of(NotifyReceived) == []


def test_a_notify_that_is_late_is_refused(
    network: Network, alice: Node, scripted: Peer
) -> None:
    _, request = subscribed(alice, scripted)
    assert notify(scripted, request, cseq=5) == 200
    assert notify(scripted, request, cseq=4) == 500


def test_nobody_who_notifies_in_time_means_nobody_there(
    network: Network, alice: Node, scripted: Peer
) -> None:
    _, request = subscribed(alice, scripted)
    answer(scripted, request, 200, ("Expires", "600"))
    network.run(33.0)
    assert alice.of(SubscriptionEnded)[0].failure is Failure.TIMEOUT


def test_a_refusal_ends_it_before_it_began(
    network: Network, alice: Node, scripted: Peer
) -> None:
    _, request = subscribed(alice, scripted)
    answer(scripted, request, 489, ("Allow-Events", "dialog"))
    (ended,) = alice.of(SubscriptionEnded)
    assert ended.response is not None
    assert ended.response.status == 489
    network.run(64.0)
    nothing_is_left(alice)


@pytest.mark.parametrize(
    ("status", "alive"), [(481, False), (404, False), (500, True), (408, True)]
)
def test_a_refused_refresh_ends_only_what_is_gone(
    network: Network, alice: Node, scripted: Peer, status: int, alive: bool
) -> None:
    ours, request = subscribed(alice, scripted)
    notify(scripted, request)
    answer(scripted, request, 200, ("Expires", "600"))
    network.run(541.0)
    answer(scripted, scripted.requests("SUBSCRIBE")[-1], status)
    assert (ours.state is SubscriberState.ACTIVE) is alive


def test_a_notifier_may_shorten_and_hold_a_subscription(
    network: Network, alice: Node, scripted: Peer
) -> None:
    ours, request = subscribed(alice, scripted)
    notify(scripted, request, "pending;expires=100")
    assert ours.state is SubscriberState.PENDING
    answer(scripted, request, 200, ("Expires", "600"))
    notify(scripted, request, "pending;expires=100", cseq=2)
    network.run(89.0)
    assert len(scripted.requests("SUBSCRIBE")) == 1
    network.run(2.0)
    assert scripted.requests("SUBSCRIBE")[-1].cseq.number == 2


def test_a_subscription_lives_by_its_notify_if_the_response_is_lost(
    network: Network, alice: Node, scripted: Peer
) -> None:
    ours, request = subscribed(alice, scripted)
    notify(scripted, request, "active;expires=100")
    network.run(60.0)
    assert ours.state is SubscriberState.ACTIVE
    network.run(8.0)
    assert scripted.requests("SUBSCRIBE")[-1].cseq.number == 2


def test_unsubscribing_before_anything_came_leaves_nothing(
    network: Network, alice: Node, scripted: Peer
) -> None:
    ours, request = subscribed(alice, scripted)
    ours.unsubscribe(network.now)
    assert ours.state is SubscriberState.ENDED
    assert notify(scripted, request) == 481
    network.run(64.0)
    nothing_is_left(alice)


def test_silence_after_unsubscribing_ends_it_too(
    network: Network, alice: Node, scripted: Peer
) -> None:
    ours, request = subscribed(alice, scripted)
    notify(scripted, request)
    answer(scripted, request, 200, ("Expires", "600"))
    ours.unsubscribe(network.now)
    network.run(70.0)
    assert len(alice.of(SubscriptionEnded)) == 1
    nothing_is_left(alice)


# What a scripted peer does to a notifier.


def build(*extra: tuple[str, str], to_tag: str | None = None, cseq: int = 1) -> Request:
    headers = [
        ("Via", f"SIP/2.0/UDP {ALICE};branch=z9hG4bKs{cseq}"),
        ("From", f"<sip:{ALICE}>;tag=a"),
        ("To", f"<sip:{BOB}>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", "subscription-1"),
        ("CSeq", f"{cseq} SUBSCRIBE"),
        ("Contact", f"<sip:{ALICE}>"),
        *extra,
    ]
    return Request.build("SUBSCRIBE", f"sip:{BOB}", headers)


def ask(peer: Peer, request: Request) -> Response:
    peer.send(request, TO_BOB)
    peer.network.run()
    return [m for m in peer.received if isinstance(m, Response)][-1]


@pytest.fixture
def watcher(network: Network) -> Peer:
    return network.peer(ALICE)


@pytest.mark.rule("SIP-59")
@pytest.mark.parametrize(
    ("extra", "status", "header"),
    [
        ([("Event", "dialog")], 489, ("Allow-Events", "presence")),
        ([], 489, ("Allow-Events", "presence")),
        ([("Event", "refer")], 403, None),
        ([("Event", "presence"), ("Expires", "29")], 423, ("Min-Expires", "30")),
    ],
    ids=["unknown", "none", "refer", "too short"],
)
def test_what_cannot_be_told_is_refused(
    bob: Node,
    watcher: Peer,
    extra: list[tuple[str, str]],
    status: int,
    header: tuple[str, str] | None,
) -> None:
    response = ask(watcher, build(*extra))
    assert response.status == status
    if header is not None:
        assert response.headers.get(header[0]) == header[1]
    nothing_is_left(bob)


def test_a_subscription_says_how_long_it_lasts(bob: Node, watcher: Peer) -> None:
    response = ask(watcher, build(("Event", "presence"), ("Expires", "999999")))
    assert (response.status, response.expires) == (200, 86_400)
    assert response.contacts
    assert response.to.tag


def test_a_subscription_can_be_rejected(
    network: Network, bob: Node, watcher: Peer
) -> None:
    bob.on_event = None
    watcher.send(build(("Event", "presence")), TO_BOB)
    network.run()
    with pytest.raises(LocalError):
        theirs(bob).notify(network.now)
    with pytest.raises(LocalError):
        theirs(bob).reject(200, network.now)
    theirs(bob).reject(403, network.now)
    network.run()
    assert watcher.statuses() == [403]
    with pytest.raises(LocalError):
        theirs(bob).accept(network.now)
    with pytest.raises(LocalError):
        theirs(bob).reject(403, network.now)
    nothing_is_left(bob)


def test_a_subscription_that_nobody_answers_is_refused_in_the_end(
    network: Network, bob: Node, watcher: Peer
) -> None:
    bob.on_event = None
    watcher.send(build(("Event", "presence")), TO_BOB)
    network.run(33.0)
    assert watcher.statuses()[-1] == 480
    nothing_is_left(bob)


def test_a_refresh_after_the_end_is_refused(
    network: Network, bob: Node, watcher: Peer
) -> None:
    response = ask(watcher, build(("Event", "presence")))
    tag = response.to.tag
    theirs(bob).terminate(network.now)
    network.run()
    refused = ask(watcher, build(("Event", "presence"), to_tag=tag, cseq=2))
    assert refused.status == 481


def test_a_notify_that_is_refused_with_481_ends_it(
    network: Network, bob: Node, watcher: Peer
) -> None:
    ask(watcher, build(("Event", "presence")))
    notified = watcher.requests("NOTIFY")[-1]
    watcher.send(response_to(notified, 481), TO_BOB)
    network.run(33.0)
    assert theirs(bob).state is NotifierState.ENDED
    nothing_is_left(bob)


@pytest.mark.rule("SIP-68")
def test_there_are_only_so_many_subscriptions(network: Network) -> None:
    bob = network.node(BOB, limits=Limits(subscriptions=1))
    bob.core.subscriptions.provide(EventPackage(name="presence"))
    watcher = network.peer(ALICE)
    watcher.send(build(("Event", "presence")), TO_BOB)
    second = build(("Event", "presence"), cseq=2)
    response = ask(watcher, second)
    assert response.status == 503
    assert response.headers.get("Retry-After")
    with pytest.raises(LocalError, match="too many"):
        bob.core.subscriptions.subscribe(parse_uri(f"sip:{ALICE}"), PRESENCE)


def test_who_provides_nothing_does_not_do_subscribe(
    alice: Node, scripted: Peer
) -> None:
    request = build(("Event", "presence"))
    scripted.send(request, TO_ALICE)
    scripted.network.run()
    assert scripted.statuses() == [405]
