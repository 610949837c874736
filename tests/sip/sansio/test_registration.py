"""Registrations with a registrar that is scripted, on a clock that is a number."""

from __future__ import annotations

import pytest

import digest
from sip.errors import LocalError
from sip.fields.subscription import Event
from sip.message import Request, response_to
from sip.name_addr import NameAddr
from sip.sansio.events import Failure, RegistrationChanged
from sip.sansio.hop import Hop, Transport
from sip.sansio.registration import Backoff, Registration, RegistrationState
from sip.testing import Network, Node, Peer
from sip.uri import SipUri

ALICE, REGISTRAR = "192.0.2.1", "192.0.2.9"
S = RegistrationState


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def registrar(network: Network) -> Peer:
    return network.peer(REGISTRAR)


def register(alice: Node, chance: float = 0.0, expires: int = 3600) -> Registration:
    registration = Registration(
        alice.core,
        SipUri.parse(f"sip:{REGISTRAR}"),
        NameAddr.parse("Alice <sip:alice@example.net>"),
        alice.network.now,
        expires=expires,
        chance=lambda: chance,
    )
    alice.network.run()
    return registration


def asked(registrar: Peer) -> list[Request]:
    """Return the REGISTERs without repetitions."""
    found = {request.cseq.number: request for request in registrar.requests("REGISTER")}
    return list(found.values())


def grant(registrar: Peer, seconds: int | None = 3600, *others: str) -> None:
    request = asked(registrar)[-1]
    contact = str(request.contacts[0])
    if seconds is not None:
        contact += f";expires={seconds}"
    headers = [("Contact", value) for value in (*others, contact)]
    answer(registrar, 200, *headers)


def answer(registrar: Peer, status: int, *headers: tuple[str, str]) -> None:
    request = asked(registrar)[-1]
    response = response_to(request, status, to_tag="r", headers=headers)
    registrar.send(response, Hop(Transport.UDP, ALICE, 5060))
    registrar.network.run()


def states(alice: Node) -> list[RegistrationState]:
    return [event.state for event in alice.of(RegistrationChanged)]


@pytest.mark.rule("SIP-53")
def test_a_register_is_for_a_domain_and_says_who_is_where(
    alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    (request,) = asked(registrar)
    assert request.raw_uri == f"sip:{REGISTRAR}"
    assert str(request.to) == "<sip:alice@example.net>"
    assert str(request.from_.uri) == "sip:alice@example.net"
    assert request.to.tag is None
    assert str(request.contacts[0].uri) == f"sip:{ALICE}:5060"
    assert request.expires == 3600
    assert "Record-Route" not in request.headers
    grant(registrar)
    assert registration.state is S.REGISTERED
    assert registration.expires_at == alice.network.now + 3600


@pytest.mark.rule("SIP-53")
def test_it_is_refreshed_before_the_granted_time_is_over_in_one_series(
    network: Network, alice: Node, registrar: Peer
) -> None:
    register(alice)
    grant(registrar, 600)
    network.run(535.9)
    assert len(asked(registrar)) == 1
    network.run(0.2)
    one, two = asked(registrar)
    assert (two.call_id, two.from_) == (one.call_id, one.from_)
    assert two.cseq.number == one.cseq.number + 1
    assert two.expires == 3600
    assert states(alice) == [S.REGISTERED]


@pytest.mark.rule("SIP-53")
@pytest.mark.parametrize(
    ("granted", "after"),
    [(3600, 3240.0), (600, 536.0), (60, 30.0), (1, 1.0), (100_000, 90_000.0)],
)
def test_a_refresh_leaves_time_for_another_one(
    network: Network, alice: Node, registrar: Peer, granted: int, after: float
) -> None:
    register(alice)
    grant(registrar, granted)
    network.run(after - 0.01)
    assert len(asked(registrar)) == 1
    network.run(0.02)
    assert len(asked(registrar)) == 2


@pytest.mark.rule("SIP-53")
def test_our_binding_is_found_by_the_rules_for_uris(
    alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    other = f"<sip:alice@{ALICE}:5060>;expires=10"
    ours = f"<SIP:{ALICE}:5060;x=y>;expires=500"
    answer(registrar, 200, ("Contact", other), ("Contact", ours))
    assert registration.expires_at == alice.network.now + 500


@pytest.mark.rule("SIP-53")
@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        pytest.param((), 3600, id="what-was-asked"),
        pytest.param((("Expires", "70"),), 70, id="expires"),
        pytest.param((("Contact", "nonsense"),), 3600, id="garbage"),
    ],
)
def test_a_success_that_lists_no_binding_grants_what_was_asked(
    alice: Node, registrar: Peer, headers: tuple[tuple[str, str], ...], granted: int
) -> None:
    registration = register(alice)
    answer(registrar, 200, *headers)
    assert registration.expires_at == alice.network.now + granted


@pytest.mark.rule("SIP-53", "SIP-31")
def test_a_registrar_that_wants_longer_intervals_gets_them_from_then_on(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice, expires=60)
    answer(registrar, 423, ("Min-Expires", "300"))
    assert [request.expires for request in asked(registrar)] == [60, 300]
    grant(registrar, 300)
    assert registration.state is S.REGISTERED
    network.run(300.0)
    assert [request.expires for request in asked(registrar)][2] == 300


@pytest.mark.rule("SIP-53")
def test_no_two_are_under_way_at_once(alice: Node, registrar: Peer) -> None:
    registration = register(alice)
    for _ in range(3):
        registration.refresh(alice.network.now)
    alice.network.run(5.0)
    assert len(asked(registrar)) == 1
    registration.leave(alice.network.now)
    alice.network.run()
    assert len(asked(registrar)) == 1
    grant(registrar)
    assert [request.expires for request in asked(registrar)] == [3600, 0]
    answer(registrar, 200)
    assert registration.state is S.ENDED
    assert states(alice) == [S.ENDING, S.ENDED]


@pytest.mark.rule("SIP-53")
def test_leaving_takes_the_binding_back(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    grant(registrar)
    registration.leave(network.now)
    registration.leave(network.now)
    network.run()
    one, two = asked(registrar)
    assert (two.expires, two.cseq.number) == (0, one.cseq.number + 1)
    assert two.contacts[0].uri.equals(one.contacts[0].uri)
    answer(registrar, 200)
    assert registration.state is S.ENDED
    network.run(10_000.0)
    assert len(asked(registrar)) == 2


@pytest.mark.parametrize("how", ["refused", "silent"])
def test_leaving_ends_whatever_the_registrar_says(
    network: Network, alice: Node, registrar: Peer, how: str
) -> None:
    registration = register(alice)
    grant(registrar)
    registration.leave(network.now)
    network.run()
    if how == "refused":
        answer(registrar, 500)
    else:
        network.run(33.0)
    assert registration.state is S.ENDED


def test_there_is_nothing_to_take_back_where_nothing_was_granted(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    answer(registrar, 403)
    registration.leave(network.now)
    network.run()
    assert registration.state is S.ENDED
    assert len(asked(registrar)) == 1
    again = register(alice)
    again.leave(network.now)
    answer(registrar, 403)
    assert again.state is S.ENDED


@pytest.mark.rule("SIP-53")
def test_a_lost_registrar_is_asked_less_and_less_often_and_then_found_again(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    grant(registrar, 600)
    del registrar.received[:]
    network.run(600.0)
    assert registration.state is S.LOST
    assert registration.failure is Failure.TIMEOUT
    network.run(1_400.0)
    times = sorted({request.cseq.number for request in asked(registrar)})
    # Each takes 32 s and then waits 15, 30, 60, 120, 240 s, and so on.
    assert len(times) == 7
    while registration.request is None:
        network.run(5.0)
    grant(registrar, 600)
    assert states(alice)[-1] is S.REGISTERED
    assert set(states(alice)[1:-1]) == {S.LOST}
    count = len(asked(registrar))
    network.run(537.0)
    assert len(asked(registrar)) == count + 1


@pytest.mark.rule("SIP-41", "SIP-53")
def test_a_registrar_is_not_asked_before_the_time_that_it_names(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    answer(registrar, 500, ("Retry-After", "120"))
    assert registration.state is S.LOST
    assert registration.response is not None
    network.run(119.0)
    assert len(asked(registrar)) == 1
    network.run(2.0)
    assert len(asked(registrar)) == 2


@pytest.mark.rule("SIP-53")
def test_a_success_that_grants_nothing_is_no_success(
    alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    grant(registrar, 0)
    assert registration.state is S.LOST
    alice.network.run(10.0)
    assert len(asked(registrar)) == 1


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [(1, 15, 30), (2, 30, 60), (3, 60, 120), (7, 900, 1800), (10**6, 900, 1800)],
)
def test_the_wait_doubles_and_is_partly_chance(
    failures: int, least: float, most: float
) -> None:
    backoff = Backoff()
    assert backoff.wait(failures, 0.0) == least
    assert backoff.wait(failures, 1.0) == most


@pytest.mark.rule("SIP-60", "SIP-63", "SIP-53")
def test_credentials_are_asked_for_once_and_sent_with_each_refresh(
    network: Network, alice: Node, registrar: Peer
) -> None:
    client = digest.DigestClient([digest.Account("alice", "secret")])
    alice.core.sender.retries.credentials = client
    registration = register(alice)
    challenge = digest.Challenge("example.net", "one", qop=(digest.Qop.AUTH,))
    answer(registrar, 401, ("WWW-Authenticate", str(challenge)))
    grant(registrar, 60)
    assert registration.state is S.REGISTERED
    network.run(30.5)
    fields = [request.headers.get("Authorization") for request in asked(registrar)]
    counts = [digest.Credentials.parse(field).count for field in fields if field]
    assert (len(fields), counts) == (3, [1, 2])


@pytest.mark.rule("SIP-53")
def test_a_refresh_that_fails_while_leaving_doesnt_keep_the_binding(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    grant(registrar, 600)
    registration.refresh(network.now)
    network.run()
    registration.leave(network.now)
    answer(registrar, 100)
    answer(registrar, 500)
    assert [request.expires for request in asked(registrar)] == [3600, 3600, 0]
    answer(registrar, 200)
    assert registration.state is S.ENDED
    assert len({request.call_id for request in asked(registrar)}) == 1
    assert registration.call_id == asked(registrar)[0].call_id


@pytest.mark.rule("SIP-53")
def test_one_that_has_an_instance_says_so_and_replaces_a_lost_connection(
    network: Network, alice: Node, registrar: Peer
) -> None:
    alice.core.sender.instance = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"
    registration = register(alice, chance=0.5)
    (request,) = asked(registrar)
    assert request.supported == ("path", "outbound")
    (contact,) = request.contacts
    assert contact.parameter("reg-id") == "1"
    urn = "<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>"
    assert contact.parameter("+sip.instance") == urn
    hop = Hop(Transport.UDP, REGISTRAR, 5060)
    registration.lost_connection(hop, network.now)  # It isn't known yet to matter.
    headers = [("Require", "outbound"), ("Expires", "600")]
    answer(registrar, 200, *headers)
    registration.lost_connection(Hop(Transport.TCP, REGISTRAR, 5060), network.now)
    assert registration.state is S.REGISTERED
    registration.lost_connection(hop, network.now)
    registration.lost_connection(hop, network.now)
    network.run(22.0)
    assert len(asked(registrar)) == 1
    network.run(1.0)
    assert len(asked(registrar)) == 2
    answer(registrar, 200, *headers)
    assert states(alice) == [S.REGISTERED, S.LOST, S.REGISTERED]


def test_a_connection_doesnt_matter_to_a_registrar_that_knows_no_outbound(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    grant(registrar)
    registration.lost_connection(Hop(Transport.UDP, REGISTRAR, 5060), network.now)
    network.run(60.0)
    assert states(alice) == [S.REGISTERED]


@pytest.mark.rule("SIP-17", "NG-10")
def test_who_has_an_instance_wants_its_connection_used_for_dialogs_too(
    network: Network, alice: Node, registrar: Peer
) -> None:
    alice.core.sender.instance = "urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF"
    register(alice)
    alice.core.invite(SipUri.parse(f"sip:bob@{REGISTRAR}"), network.now)
    alice.core.subscriptions.subscribe(
        SipUri.parse(f"sip:bob@{REGISTRAR}"), Event("presence")
    )
    network.run()
    for method, wanted in (("REGISTER", 0), ("INVITE", 1), ("SUBSCRIBE", 1)):
        uri = registrar.requests(method)[-1].contacts[0].uri
        assert isinstance(uri, SipUri)
        assert [name for name, _ in uri.parameters].count("ob") == wanted, method


# The proxies that a registrar wants us to go by (RFC 3608).


def routes_of(registration: Registration) -> list[str]:
    return [str(route) for route in registration.service_route]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param(["<sip:p1;lr>, <sip:p2;lr>"], ["p1", "p2"], id="list"),
        pytest.param(["<sip:p1;lr>", "<sip:p2;lr>"], ["p1", "p2"], id="two-headers"),
        pytest.param([], [], id="none"),
        pytest.param(["<sip:p1>"], [], id="strict"),
        pytest.param(["<sip:p1;lr>, <tel:1;lr>"], [], id="no-proxy"),
        pytest.param(["sip:p1;lr<"], [], id="garbled"),
        pytest.param(["<sip:p;lr>"] * 20, ["p"] * 16, id="too-many"),
    ],
)
def test_what_the_registrar_wants_of_our_route_is_kept(
    alice: Node, registrar: Peer, said: list[str], kept: list[str]
) -> None:
    registration = register(alice)
    answer(registrar, 200, *[("Service-Route", value) for value in said])
    uris = [route.uri for route in registration.service_route]
    assert [uri.host for uri in uris if isinstance(uri, SipUri)] == kept
    assert registration.state is S.REGISTERED


def test_each_grant_says_anew_by_which_proxies_to_go(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice)
    answer(registrar, 200, ("Service-Route", "<sip:p1;lr>"))
    registration.refresh(network.now)
    network.run()
    answer(registrar, 500)
    assert len(routes_of(registration)) == 1  # It still knows us.
    registration.refresh(network.now)
    network.run()
    answer(registrar, 200)
    assert not routes_of(registration)
    registration.refresh(network.now)
    network.run()
    answer(registrar, 200, ("Service-Route", "<sip:p2;lr>"))
    registration.leave(network.now)
    network.run()
    answer(registrar, 200, ("Service-Route", "<sip:p2;lr>"))
    assert not routes_of(registration)


@pytest.mark.rule("SIP-16")
def test_a_connection_that_was_our_address_is_replaced_for_any_registrar(
    network: Network, alice: Node, registrar: Peer
) -> None:
    registration = register(alice, chance=0.5)
    grant(registrar)
    hop = Hop(Transport.UDP, REGISTRAR, 5060)
    alice.core.sender._local._local_point = lambda _: Hop(Transport.UDP, ALICE, 40000)
    registration.lost_connection(hop, network.now)
    network.run(23.0)
    assert states(alice) == [S.REGISTERED, S.LOST]
    assert str(asked(registrar)[-1].contacts[0].uri) == f"sip:{ALICE}:40000"
    grant(registrar)
    assert states(alice)[-1] is S.REGISTERED


def test_it_can_be_abandoned(network: Network, alice: Node, registrar: Peer) -> None:
    registration = register(alice)
    registration.abandon()
    registration.abandon()
    registration.refresh(network.now)
    network.run(100.0)
    assert registration.state is S.ENDED
    assert registration.next_timeout() is None
    assert len(asked(registrar)) == 1


@pytest.mark.rule("SIP-53")
@pytest.mark.parametrize(
    ("uri", "expires"), [("sip:alice@example.net", 60), ("sip:example.net", 0)]
)
def test_what_makes_no_sense_is_refused_here(
    alice: Node, uri: str, expires: int
) -> None:
    address = NameAddr.parse("<sip:alice@example.net>")
    with pytest.raises(LocalError):
        Registration(alice.core, SipUri.parse(uri), address, 0.0, expires=expires)


@pytest.mark.rule("SIP-53", "SIP-34")
def test_a_user_agent_is_no_registrar(alice: Node, registrar: Peer) -> None:
    other = alice.network.node("192.0.2.5")
    Registration(
        alice.core,
        SipUri.parse("sip:192.0.2.5"),
        NameAddr.parse("<sip:alice@example.net>"),
        0.0,
    )
    alice.network.run()
    assert other.events == []
    (event,) = alice.of(RegistrationChanged)
    assert event.registration.response is not None
    assert event.registration.response.status == 405
    assert "REGISTER" not in event.registration.response.allow
