"""Requests whose senders have to say who they are."""

from __future__ import annotations

import pytest

import digest
from sip.fields.subscription import Event as EventField
from sip.message import Request, Response
from sip.sansio.admission import Admission
from sip.sansio.authenticator import Authenticator
from sip.sansio.call_for_help import is_call_for_help
from sip.sansio.calls.call import CallState
from sip.sansio.events import (
    CallAnswered,
    CallFailed,
    CallReceived,
    NotifyReceived,
    RequestArrived,
    ResponseReceived,
    SubscribeReceived,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.subscriptions.subscriptions import EventPackage
from sip.testing import Network, Node
from sip.uri import parse_uri
from sip.wire import parse_message

ALICE, BOB = "192.0.2.1", "192.0.2.2"
SDP = "application/sdp"


@pytest.fixture
def bob(network: Network) -> Node:
    """Give Bob, who asks for a password and takes MESSAGE too."""
    bob = network.node(BOB, admission=Admission().including("MESSAGE"))
    passwords = {"alice": "secret"}
    bob.core.reception.authenticator = Authenticator.with_passwords("bob", passwords)
    return bob


def caller(network: Network, password: str | None = "secret") -> Node:
    alice = network.node(ALICE)
    if password is not None:
        account = digest.Account("alice", password)
        client = digest.DigestClient([account])
        alice.core.sender.retries.credentials = client
    return alice


def statuses(network: Network) -> list[str]:
    return [sent.what for sent in network.log]


def accept(bob: Node) -> None:
    event = bob.of(CallReceived)[-1]
    event.call.accept(bob.network.now, body=b"answer", content_type=SDP)
    bob.network.run()


@pytest.mark.rule("SIP-33", "SIP-60", "SIP-61", "ST-8")
def test_a_call_is_let_in_with_the_password(network: Network, bob: Node) -> None:
    alice = caller(network)
    call = alice.core.invite(
        parse_uri(f"sip:bob@{BOB}"), 0.0, body=b"offer", content_type=SDP
    )
    network.run()
    accept(bob)
    assert statuses(network) == ["INVITE", "401", "ACK", "INVITE", "200"]
    refusal = network.sent("401")[0].message
    challenges = digest.parse_challenges(refusal.headers.get_all("WWW-Authenticate"))
    names = [challenge.hashing.value for challenge in challenges]
    assert names == ["SHA-256", "MD5"]
    assert all(challenge.qop for challenge in challenges)
    answer = alice.of(CallAnswered)[0].response
    assert 'rspauth="' in (answer.headers.get("Authentication-Info") or "")
    call.acknowledge(0.0)
    network.run()
    assert bob.of(CallReceived)[0].call.state is CallState.CONFIRMED
    # In the dialog nobody has to ask again.
    call.bye(0.0)
    network.run()
    assert statuses(network)[-3:] == ["ACK", "BYE", "200"]


@pytest.mark.rule("SIP-60", "SIP-33")
@pytest.mark.parametrize(
    ("password", "requests"), [(None, 1), ("wrong", 2)], ids=["none", "wrong"]
)
def test_nobody_gets_in_without_it(
    network: Network, bob: Node, password: str | None, requests: int
) -> None:
    alice = caller(network, password)
    alice.core.invite(parse_uri(f"sip:bob@{BOB}"), 0.0)
    network.run()
    assert len(network.sent("INVITE")) == requests
    (failed,) = alice.of(CallFailed)
    assert isinstance(failed.response, Response)
    assert failed.response.status == 401
    assert bob.events == []


@pytest.mark.rule("SIP-33")
@pytest.mark.parametrize("method", ["FOO", "OPTIONS", "MESSAGE"])
def test_who_it_is_is_asked_before_anything_else(
    network: Network, bob: Node, method: str
) -> None:
    alice = caller(network, None)
    headers = [("Require", "nonsense")]
    alice.core.request(method, parse_uri(f"sip:bob@{BOB}"), headers=headers)
    network.run()
    assert alice.of(ResponseReceived)[0].response.status == 401


@pytest.mark.rule("NG-2", "SIP-63")
@pytest.mark.parametrize(
    ("uri", "to"),
    [
        ("urn:service:sos", "urn:service:sos"),
        ("URN:Service:SOS.Police", "sip:x@y"),
        (f"sip:bob@{BOB}", "urn:service:sos.fire"),
        ("urn:service:test.sos", "urn:service:test.sos"),
    ],
)
def test_a_call_for_help_is_never_asked(
    network: Network, bob: Node, uri: str, to: str
) -> None:
    text = f"""\
INVITE {uri} SIP/2.0
Via: SIP/2.0/UDP {ALICE};branch=z9hG4bKone
From: <sip:alice@{ALICE}>;tag=a
To: <{to}>
Call-ID: 1
CSeq: 1 INVITE
Contact: <sip:alice@{ALICE}>

"""
    alice = network.peer(ALICE)
    invite = parse_message(text.replace("\n", "\r\n").encode())
    alice.send(invite, Hop(Transport.UDP, BOB, 5060))
    network.run()
    assert len(bob.of(CallReceived)) == 1
    assert isinstance(invite, Request)
    accept(bob)
    # Nor is what follows in its dialog.
    answer = alice.received[-1]
    assert isinstance(answer, Response)
    bye = invite.copy()
    bye.method, bye.raw_uri = "BYE", f"sip:{BOB}"
    bye.headers.set("To", answer.headers.get("To") or "")
    bye.headers.set("CSeq", "2 BYE")
    bye.headers.set("Via", f"SIP/2.0/UDP {ALICE};branch=z9hG4bKtwo")
    alice.send(bye, Hop(Transport.UDP, BOB, 5060))
    network.run()
    assert alice.statuses()[-1] == 200


@pytest.mark.parametrize(
    "uri", ["urn:service:sosx", "urn:service:counseling", "tel:911"]
)
def test_other_services_are_no_calls_for_help(uri: str) -> None:
    request = Request.build("INVITE", uri, [("To", "<sip:sos@example.com>")])
    assert not is_call_for_help(request)
    assert not is_call_for_help(Request.build("INVITE", uri, [("To", "<")]))


@pytest.mark.rule("SIP-60", "SIP-61", "ST-8")
@pytest.mark.parametrize("algorithm", list(digest.Algorithm), ids=lambda a: a.value)
def test_each_algorithm_lets_in_who_knows_the_password(
    network: Network, bob: Node, algorithm: digest.Algorithm
) -> None:
    bob.core.reception.authenticator = Authenticator.with_passwords(
        "bob", {"alice": "secret"}, algorithms=[algorithm]
    )
    uri = parse_uri(f"sip:bob@{BOB}")
    alice = caller(network)
    alice.core.request("MESSAGE", uri)
    network.run()
    (event,) = bob.of(RequestArrived)
    field = event.transaction.request.headers.get("Authorization") or ""
    assert digest.Credentials.parse(field).algorithm is algorithm
    alice.core.sender.retries.credentials = digest.DigestClient(
        [digest.Account("alice", "wrong")]
    )
    alice.core.request("MESSAGE", uri)
    network.run()
    assert len(bob.of(RequestArrived)) == 1
    assert len(network.sent("MESSAGE")) == 4
    assert alice.of(ResponseReceived)[-1].response.status == 401


@pytest.mark.rule("SIP-60", "SIP-48")
def test_whom_we_call_may_hang_up_without_a_password(
    network: Network, bob: Node
) -> None:
    alice = network.node(ALICE)
    call = bob.core.invite(parse_uri(f"sip:alice@{ALICE}"), 0.0)
    network.run()
    theirs = alice.of(CallReceived)[0].call
    theirs.provisional(180, 0.0)
    network.run()
    theirs.accept(0.0, body=b"answer", content_type=SDP)
    network.run()
    call.acknowledge(0.0)
    network.run()
    theirs.bye(0.0)
    network.run()
    assert call.state is CallState.ENDED
    assert network.sent("401") == []


@pytest.mark.rule("SIP-60", "SIP-59")
def test_whom_we_subscribe_to_tells_without_a_password(
    network: Network, bob: Node
) -> None:
    alice = network.node(ALICE)
    alice.core.subscriptions.provide(EventPackage(name="presence"))
    uri = parse_uri(f"sip:alice@{ALICE}")
    bob.core.subscriptions.subscribe(uri, EventField.parse("presence"))
    network.run()
    (asked,) = alice.of(SubscribeReceived)
    asked.subscription.accept(0.0)
    asked.subscription.notify(0.0, b"state", "x/y")
    network.run()
    assert bob.of(NotifyReceived)[-1].request.body == b"state"
    assert network.sent("401") == []


@pytest.mark.rule("SIP-63", "SIP-51")
def test_a_cancel_is_taken_without(network: Network, bob: Node) -> None:
    alice = caller(network)
    call = alice.core.invite(parse_uri(f"sip:bob@{BOB}"), 0.0)
    network.run()
    bob.of(CallReceived)[0].call.provisional(180, 0.0)
    network.run()
    call.cancel(0.0)
    network.run()
    assert statuses(network)[-4:] == ["CANCEL", "200", "487", "ACK"]


def test_which_requests_are_asked_is_for_the_application(
    network: Network, bob: Node
) -> None:
    def wants(request: Request) -> bool:
        return request.method == "INVITE"

    passwords = {"alice": "secret"}
    bob.core.reception.authenticator = Authenticator.with_passwords(
        "bob", passwords, challenges=wants
    )
    alice = caller(network, None)
    alice.core.request("MESSAGE", parse_uri(f"sip:bob@{BOB}"))
    network.run()
    (event,) = bob.of(RequestArrived)
    assert event.transaction.verdict is None


@pytest.mark.rule("SIP-61", "SIP-62")
def test_auth_int_covers_the_body(network: Network, bob: Node) -> None:
    alice = network.node(ALICE)
    alice.core.sender.retries.credentials = digest.DigestClient(
        [digest.Account("alice", "secret")], prefer_integrity=True
    )
    uri = parse_uri(f"sip:bob@{BOB}")
    alice.core.request("MESSAGE", uri, body=b"hello", content_type="text/plain")
    network.run()
    (event,) = bob.of(RequestArrived)
    field = event.transaction.request.headers.get("Authorization") or ""
    assert digest.Credentials.parse(field).qop is digest.Qop.AUTH_INT
    assert event.transaction.verdict is not None
    assert event.transaction.verdict.username == "alice"
    bob.core.respond(event.transaction, 200, network.now)
    network.run()
    info = alice.of(ResponseReceived)[0].response.headers.get("Authentication-Info")
    assert "qop=auth-int" in (info or "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sip:bob@a", "sip:bob@b;x=y", True),
        ("sips:bob@a", "sip:bob@a", True),
        ("sip:bob@a", "sip:carol@a", False),
        ("tel:+1", "tel:+1", True),
        ("tel:+1", "tel:+2", False),
        ("nonsense", "sip:bob@a", False),
    ],
)
def test_proxies_may_change_a_uri_but_not_whom_it_means(
    one: str, other: str, same: bool
) -> None:
    assert Authenticator.same_uri(one, other) is same
