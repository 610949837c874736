"""Refusals that say what would be taken, and redirections."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import digest
import mime
from sip.message import Request, Response, response_to
from sip.name_addr import NameAddr
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.events import (
    CallAnswered,
    CallFailed,
    RequestFailed,
    ResponseReceived,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.sansio.requests.resting import Resting
from sip.testing import Network, Node, Peer
from sip.uri import parse_uri

ALICE, BOB, CAROL, DAVE = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"
SDP = "application/sdp"
PROXY = NameAddr.parse(f"<sip:{BOB};lr>")

Fields = tuple[tuple[str, str], ...]


@pytest.fixture
def alice(network: Network) -> Node:
    return network.node(ALICE)


@pytest.fixture
def bob(network: Network) -> Peer:
    return network.peer(BOB)


@pytest.fixture
def carol(network: Network) -> Peer:
    return network.peer(CAROL)


@pytest.fixture
def dave(network: Network) -> Peer:
    return network.peer(DAVE)


def ask(
    alice: Node,
    *headers: tuple[str, str],
    method: str = "OPTIONS",
    uri: str = f"sip:bob@{BOB}",
    body: bytes = b"",
    content_type: str | None = None,
    route_set: tuple[NameAddr, ...] = (),
) -> None:
    alice.core.request(
        method,
        parse_uri(uri),
        headers=headers,
        body=body,
        content_type=content_type,
        route_set=route_set,
    )
    alice.network.run()


def call_bob(alice: Node) -> ClientCall:
    call = alice.core.invite(
        parse_uri(f"sip:bob@{BOB}"),
        alice.network.now,
        body=b"offer",
        content_type=SDP,
    )
    alice.network.run()
    return call


def answer(peer: Peer, status: int, *headers: tuple[str, str], tag: str = "b") -> None:
    """Answer the last request that a peer got, other than ACK."""
    request = [m for m in peer.received if isinstance(m, Request)][-1]
    while request.method == "ACK":
        peer.received.remove(request)
        request = [m for m in peer.received if isinstance(m, Request)][-1]
    response = response_to(request, status, to_tag=tag, headers=headers)
    peer.send(response, Hop(Transport[request.via.transport], ALICE, 5060))
    peer.network.run()


def sent(peer: Peer, method: str = "OPTIONS") -> Request:
    return peer.requests(method)[-1]


def last_status(alice: Node) -> int:
    return alice.of(ResponseReceived)[-1].response.status


# What the refusal names.


@pytest.mark.rule("SIP-31")
@pytest.mark.parametrize(
    ("ours", "status", "theirs", "name", "then"),
    [
        pytest.param(
            (("Require", "path, 100rel"), ("Supported", "path, x")),
            420,
            (("Unsupported", "100rel"),),
            "Require",
            ["path"],
            id="420",
        ),
        pytest.param(
            (("Require", "timer"),),
            420,
            (("Unsupported", "TIMER"),),
            "Require",
            [],
            id="420-the-only-one",
        ),
        pytest.param(
            (("Session-Expires", "90;refresher=uas"),),
            422,
            (("Min-SE", "600"),),
            "Session-Expires",
            ["600;refresher=uas"],
            id="422",
        ),
        pytest.param(
            (("Expires", "60"), ("Contact", f"<sip:{ALICE}>;expires=60")),
            423,
            (("Min-Expires", "300"),),
            "Contact",
            [f"<sip:{ALICE}>;expires=300"],
            id="423",
        ),
    ],
)
def test_what_a_refusal_asks_for_is_tried_once_with_the_next_number(
    alice: Node,
    bob: Peer,
    ours: Fields,
    status: int,
    theirs: Fields,
    name: str,
    then: list[str],
) -> None:
    ask(alice, *ours)
    answer(bob, status, *theirs)
    one, two = bob.requests("OPTIONS")
    assert two.headers.get_all(name) == then
    assert two.cseq.number == one.cseq.number + 1
    assert two.via.branch != one.via.branch
    same = [(m.call_id, m.from_, m.to, m.raw_uri) for m in (one, two)]
    assert same[0] == same[1]
    assert alice.events == []
    answer(bob, status, *theirs)
    assert len(bob.requests("OPTIONS")) == 2
    assert last_status(alice) == status


@pytest.mark.rule("SIP-31")
@pytest.mark.parametrize(
    ("ours", "status", "theirs"),
    [
        pytest.param(
            (("Require", "replaces"),),
            420,
            (("Unsupported", "replaces"),),
            id="420-what-matters",
        ),
        pytest.param((), 420, (("Unsupported", "foo"),), id="420-what-we-never-said"),
        pytest.param((), 422, (("Min-SE", "600"),), id="422-without-an-interval"),
        pytest.param(
            (("Session-Expires", "900"),), 422, (("Min-SE", "600"),), id="422-lower"
        ),
        pytest.param(
            (("Session-Expires", "900"),), 422, (("Min-SE", "soon"),), id="422-garbage"
        ),
        pytest.param((("Expires", "60"),), 423, (), id="423-without-a-time"),
        pytest.param((("Expires", "0"),), 423, (("Min-Expires", "9"),), id="423-zero"),
        pytest.param((), 413, (), id="413-without-a-body"),
        pytest.param((), 416, (), id="416-a-sip-uri"),
        pytest.param((), 494, (), id="494"),
        pytest.param((), 401, (), id="401-without-credentials"),
        pytest.param((), 302, (), id="302-without-a-contact"),
        pytest.param((), 404, (), id="404"),
        pytest.param((), 302, (("Contact", "<<"),), id="302-garbage"),
    ],
)
def test_what_cannot_be_met_is_the_answer(
    alice: Node, bob: Peer, ours: Fields, status: int, theirs: Fields
) -> None:
    ask(alice, *ours)
    answer(bob, status, *theirs)
    assert len(bob.requests("OPTIONS")) == 1
    assert last_status(alice) == status


@pytest.mark.rule("SIP-31")
def test_each_proxy_may_want_a_longer_session_than_the_one_before(
    alice: Node, bob: Peer
) -> None:
    ask(alice, ("Session-Expires", "90"))
    for least in ("100", "200", "300"):
        answer(bob, 422, ("Min-SE", least))
        assert sent(bob).headers.get("Session-Expires") == least
        assert sent(bob).headers.get("Min-SE") == least


@pytest.mark.rule("SIP-31", "SIP-68")
def test_a_peer_that_is_never_content_is_left_after_some_attempts(
    network: Network, bob: Peer
) -> None:
    alice = network.node(ALICE, limits=Limits(attempts=3))
    ask(alice, ("Session-Expires", "90"))
    for least in range(100, 110):
        if not alice.events:
            answer(bob, 422, ("Min-SE", str(least)))
    assert len(bob.requests("OPTIONS")) == 4
    assert last_status(alice) == 422


@pytest.mark.rule("SIP-31")
@pytest.mark.parametrize(
    ("content_type", "header"),
    [("multipart/mixed", "<l@a>"), ("multipart/mixed;boundary=b", '"')],
    ids=["no-boundary", "bad-pointer"],
)
def test_a_body_that_cannot_be_taken_apart_is_left_as_it_is(
    alice: Node, bob: Peer, content_type: str, header: str
) -> None:
    headers = ("Geolocation", header)
    ask(alice, headers, method="X", body=b"--b--", content_type=content_type)
    answer(bob, 413)
    assert len(bob.requests("X")) == 1


@pytest.mark.rule("SIP-31")
def test_a_pointer_that_cannot_be_read_stays(alice: Node, bob: Peer) -> None:
    body, content_type = parts(LOCATION)
    header = ("Geolocation", '"')
    ask(alice, header, method="X", body=body, content_type=content_type)
    answer(bob, 413)
    assert sent(bob, "X").headers.get("Geolocation") == '"'


@pytest.mark.rule("SIP-31")
def test_a_telephone_number_that_is_not_taken_is_written_as_a_sip_uri(
    alice: Node, bob: Peer
) -> None:
    ask(alice, uri="tel:+1-201-555-0123", route_set=(PROXY,))
    answer(bob, 416)
    assert sent(bob).raw_uri == f"sip:+1-201-555-0123@{BOB};user=phone"
    assert sent(bob).headers.get("Route") == str(PROXY)


# Bodies.


def parts(*extra: mime.Part) -> tuple[bytes, str]:
    first = mime.Part.build(SDP, b"offer")
    content_type, body = mime.build_multipart([first, *extra])
    return body, str(content_type)


LOCATION = mime.Part.build("application/pidf+xml", b"<here/>", content_id="l@a")
COMMENT = mime.Part.build("text/plain", b"hello")


@pytest.mark.rule("SIP-31")
def test_after_413_a_call_goes_on_with_nothing_but_its_offer(
    alice: Node, bob: Peer
) -> None:
    body, content_type = parts(LOCATION)
    alice.core.invite(
        parse_uri(f"sip:bob@{BOB}"),
        0.0,
        body=body,
        content_type=content_type,
        headers=[("Geolocation", "<cid:l@a>, <sip:lis@b>")],
    )
    alice.network.run()
    answer(bob, 413)
    invite = sent(bob, "INVITE")
    assert (invite.body, invite.content_type) == (b"offer", SDP)
    # What pointed into the body would lead nowhere.
    assert invite.headers.get_all("Geolocation") == ["<sip:lis@b>"]
    answer(bob, 413)
    assert len(alice.of(CallFailed)) == 1


@pytest.mark.rule("SIP-31", "SIP-41")
def test_a_413_that_will_pass_is_no_reason_to_leave_anything_out(
    alice: Node, bob: Peer
) -> None:
    body, content_type = parts(LOCATION)
    ask(alice, method="X", body=body, content_type=content_type)
    answer(bob, 413, ("Retry-After", "60"))
    assert len(bob.requests("X")) == 1
    assert alice.of(ResponseReceived)[0].response.headers.get("Retry-After") == "60"


@pytest.mark.rule("SIP-31")
@pytest.mark.parametrize(
    ("accept", "types"),
    [
        pytest.param(
            "multipart/mixed, application/sdp, application/pidf+xml",
            [SDP, "application/pidf+xml"],
            id="one-part-less",
        ),
        pytest.param("multipart/*, application/sdp", [SDP], id="one-part-left"),
        pytest.param("application/sdp", [SDP], id="no-multipart"),
        pytest.param("application/sdp, */*;q=0", [SDP], id="q-zero"),
        pytest.param("text/plain", None, id="not-even-the-offer"),
        pytest.param("*/*", None, id="everything"),
        pytest.param("x", None, id="garbage"),
    ],
)
def test_after_415_what_is_not_accepted_is_left_out(
    alice: Node, bob: Peer, accept: str, types: list[str] | None
) -> None:
    body, content_type = parts(LOCATION, COMMENT)
    ask(alice, method="X", body=body, content_type=content_type)
    answer(bob, 415, ("Accept", accept))
    if types is None:
        assert last_status(alice) == 415
        return
    again = sent(bob, "X")
    essence = (again.content_type or "").partition(";")[0]
    if essence == SDP:
        found = [essence]
    else:
        read = mime.parse_multipart(again.content_type or "", again.body)
        found = [part.content_type.essence for part in read.parts]
    assert found == types


ICON = mime.Part.build("image/png", b"icon", content_id="i@a", disposition="icon")


def related(*extra: mime.Part) -> tuple[bytes, str]:
    first = mime.Part.build(SDP, b"offer")
    content_type, body = mime.build_multipart([first, ICON], "related")
    if extra:
        whole = [mime.Part.build(content_type, body), *extra]
        content_type, body = mime.build_multipart(whole)
    return body, str(content_type)


@pytest.mark.rule("FT-15")
@pytest.mark.parametrize(
    ("status", "accept"),
    [
        pytest.param(415, None, id="it-says-nothing"),
        pytest.param(415, "application/sdp", id="it-says-what-it-takes"),
        pytest.param(413, None, id="it-is-too-much"),
    ],
)
def test_what_an_offer_points_at_can_be_left_out(
    alice: Node, bob: Peer, status: int, accept: str | None
) -> None:
    body, content_type = related()
    ask(alice, method="X", body=body, content_type=content_type)
    answer(bob, status, *([("Accept", accept)] if accept else []))
    again = sent(bob, "X")
    assert (again.body, again.content_type) == (b"offer", SDP)


@pytest.mark.rule("FT-15")
@pytest.mark.parametrize("accept", ["text/plain", "x"])
def test_an_offer_that_isn_t_taken_isn_t_sent_again(
    alice: Node, bob: Peer, accept: str
) -> None:
    body, content_type = related()
    ask(alice, method="X", body=body, content_type=content_type)
    answer(bob, 415, ("Accept", accept))
    assert last_status(alice) == 415


@pytest.mark.rule("FT-15")
@pytest.mark.parametrize(
    ("status", "accept", "types"),
    [
        (413, None, [SDP]),
        (415, "application/sdp", [SDP]),
        (
            415,
            "multipart/mixed, application/sdp, application/pidf+xml",
            [SDP, "application/pidf+xml"],
        ),
        (415, "multipart/mixed, application/pidf+xml", None),
    ],
)
def test_an_offer_with_an_icon_beside_a_location_is_never_left_out(
    alice: Node, bob: Peer, status: int, accept: str | None, types: list[str] | None
) -> None:
    body, content_type = related(LOCATION)
    ask(alice, method="X", body=body, content_type=content_type)
    answer(bob, status, *([("Accept", accept)] if accept else []))
    if types is None:
        assert last_status(alice) == 415
        return
    again = sent(bob, "X")
    if types == [SDP]:
        assert (again.body, again.content_type) == (b"offer", SDP)
        return
    read = mime.parse_multipart(again.content_type or "", again.body)
    assert [part.content_type.essence for part in read.parts] == types


@pytest.mark.rule("SIP-31")
@pytest.mark.parametrize("status", [413, 415])
@pytest.mark.parametrize(
    ("disposition", "requests"),
    [("render;handling=optional", 2), ("render", 1), (None, 1), (";;", 1)],
)
def test_a_body_that_may_be_ignored_is_left_out(
    alice: Node, bob: Peer, status: int, disposition: str | None, requests: int
) -> None:
    headers = [] if disposition is None else [("Content-Disposition", disposition)]
    ask(alice, *headers, method="X", body=b"?", content_type="x/y")
    answer(bob, status, ("Accept", "text/plain"))
    assert len(bob.requests("X")) == requests
    if requests == 2:
        assert sent(bob, "X").body == b""
        assert sent(bob, "X").content_type is None


# Redirections.


@pytest.mark.rule("SIP-30")
def test_a_redirection_is_followed_by_preference_and_each_uri_once(
    alice: Node, bob: Peer, carol: Peer, dave: Peer
) -> None:
    ask(alice)
    contacts = (
        f"<sip:c@{CAROL}>;q=0.2, <sip:d@{DAVE};method=BYE>;q=0.9, <sip:bob@{BOB}>"
    )
    answer(bob, 302, ("Contact", contacts), ("Contact", "<mailto:bob@example.com>"))
    one, two = sent(bob), sent(dave)
    assert two.raw_uri == f"sip:d@{DAVE}"
    assert (one.call_id, one.from_, one.to) == (two.call_id, two.from_, two.to)
    assert two.via.branch != one.via.branch
    # A refusal leads to the next, and a loop to nothing new.
    answer(dave, 301, ("Contact", f"<sip:d@{DAVE}>, <sip:bob@{BOB}>"))
    assert sent(carol).raw_uri == f"sip:c@{CAROL}"
    answer(carol, 486)
    assert last_status(alice) == 486
    requests = [len(peer.requests("OPTIONS")) for peer in (bob, carol, dave)]
    assert requests == [1, 1, 1]


@pytest.mark.rule("SIP-30")
def test_a_redirected_call_is_acknowledged_with_the_number_that_it_has(
    alice: Node, bob: Peer, carol: Peer
) -> None:
    call = call_bob(alice)
    answer(bob, 302, ("Contact", f"<sip:c@{CAROL}>"))
    assert bob.requests("ACK")[0].cseq.number == 1
    assert sent(carol, "INVITE").cseq.number == 2
    answer(carol, 200, ("Contact", f"<sip:c@{CAROL}>"), tag="c")
    assert len(alice.of(CallAnswered)) == 1
    call.acknowledge(0.0)
    call.bye(0.0)
    alice.network.run()
    numbers = [m.cseq.number for m in carol.received if isinstance(m, Request)]
    assert numbers == [2, 2, 3]


@pytest.mark.rule("SIP-30")
def test_6xx_ends_the_search(alice: Node, bob: Peer, carol: Peer, dave: Peer) -> None:
    ask(alice)
    answer(bob, 300, ("Contact", f"<sip:c@{CAROL}>, <sip:d@{DAVE}>"))
    answer(carol, 603)
    assert dave.received == []
    assert last_status(alice) == 603


@pytest.mark.rule("SIP-30", "SIP-29")
def test_silence_of_one_leads_to_the_next(
    network: Network, alice: Node, bob: Peer, dave: Peer
) -> None:
    ask(alice)
    answer(bob, 300, ("Contact", f"<sip:nobody@{CAROL}>, <sip:d@{DAVE}>"))
    network.run(33.0)
    assert sent(dave).raw_uri == f"sip:d@{DAVE}"
    network.run(33.0)
    assert len(alice.of(RequestFailed)) == 1


@pytest.mark.rule("SIP-30", "SIP-69")
def test_what_was_to_be_secured_is_never_redirected_to_what_is_not(
    network: Network, alice: Node
) -> None:
    bob = network.peer(BOB, 5061)
    ask(alice, uri=f"sips:bob@{BOB}")
    answer(bob, 302, ("Contact", f"<sip:b@{BOB}>"))
    assert last_status(alice) == 302
    ask(alice, uri=f"sips:bob@{BOB}")
    answer(bob, 302, ("Contact", f"<sips:b@{BOB}>"))
    assert sent(bob).raw_uri == f"sips:b@{BOB}"


@pytest.mark.rule("SIP-30")
def test_dangerous_headers_of_a_contact_are_ignored(
    alice: Node, bob: Peer, carol: Peer
) -> None:
    ask(alice)
    headers = "Subject=hi&From=%3Csip:x%3E&Route=%3Csip:x%3E&Call-ID=1&CSeq=9&Via=x"
    headers += "&Accept=x&Allow=x&Contact=x&Supported=x&User-Agent=x&Record-Route=x"
    headers += "&Priority=a%0D%0AX-Evil:%20b&body=x&X-New=1"
    answer(bob, 302, ("Contact", f"<sip:c@{CAROL}?{headers}>"))
    one, two = sent(bob), sent(carol)
    assert two.raw_uri == f"sip:c@{CAROL}"
    changed = {name for name, _ in two.headers} ^ {name for name, _ in one.headers}
    assert changed == {"Subject"}
    assert (two.call_id, two.from_) == (one.call_id, one.from_)


@pytest.mark.rule("SIP-30")
@pytest.mark.parametrize("status", [305, 380])
def test_other_redirections_are_for_the_application(
    alice: Node, bob: Peer, carol: Peer, status: int
) -> None:
    ask(alice)
    answer(bob, status, ("Contact", f"<sip:c@{CAROL}>"))
    assert carol.received == []
    assert last_status(alice) == status


@pytest.mark.rule("SIP-30")
def test_following_can_be_switched_off(alice: Node, bob: Peer, carol: Peer) -> None:
    alice.core.sender.retries.follows_redirects = False
    ask(alice)
    answer(bob, 302, ("Contact", f"<sip:c@{CAROL}>"))
    assert carol.received == []
    assert last_status(alice) == 302


@pytest.mark.rule("SIP-30", "SIP-68")
def test_redirections_are_bounded(network: Network, bob: Peer) -> None:
    alice = network.node(ALICE, limits=Limits(redirections=3))
    ask(alice)
    for number in range(10):
        if not alice.events:
            answer(bob, 302, ("Contact", f"<sip:b{number}@{BOB}>"))
    assert len(bob.requests("OPTIONS")) == 4
    assert last_status(alice) == 302


@pytest.mark.rule("SIP-28", "SIP-30")
@pytest.mark.parametrize(
    ("route", "uri", "routes"),
    [
        pytest.param(f"<sip:{BOB};lr>", "sip:c@x", [f"<sip:{BOB};lr>"], id="loose"),
        pytest.param(f"<sip:{BOB}>", f"sip:{BOB}", ["<sip:c@x>"], id="strict"),
    ],
)
def test_a_redirected_request_goes_by_the_same_proxies(
    alice: Node, bob: Peer, route: str, uri: str, routes: list[str]
) -> None:
    ask(alice, uri="sip:bob@example.com", route_set=(NameAddr.parse(route),))
    answer(bob, 302, ("Contact", "<sip:c@x>"))
    assert sent(bob).raw_uri == uri
    assert sent(bob).headers.get_all("Route") == routes


def test_a_call_that_is_cancelled_goes_nowhere_else(
    alice: Node, bob: Peer, carol: Peer
) -> None:
    call = call_bob(alice)
    answer(bob, 180)
    call.cancel(0.0)
    alice.network.run()
    bob.received = [*bob.requests("INVITE")]
    answer(bob, 302, ("Contact", f"<sip:c@{CAROL}>"))
    assert carol.received == []
    assert call.state is CallState.ENDED


def test_a_request_in_a_dialog_takes_the_next_number_of_the_dialog(
    alice: Node, bob: Peer
) -> None:
    call = call_bob(alice)
    answer(bob, 200, ("Contact", f"<sip:bob@{BOB}>"))
    call.acknowledge(0.0)
    assert call.dialog is not None
    for method in ("ONE", "TWO"):
        request, next_hop = call.dialog.request(method, headers=[("Require", "path")])
        alice.core.send(request, next_hop)
    alice.network.run()
    refused = bob.requests("ONE")[0]
    unsupported = [("Unsupported", "path")]
    response = response_to(refused, 420, headers=unsupported)
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    alice.network.run()
    numbers = [m.cseq.number for m in (*bob.requests("ONE"), *bob.requests("TWO"))]
    assert numbers == [2, 4, 3]
    call.bye(0.0)
    alice.network.run()
    assert sent(bob, "BYE").cseq.number == 5


@pytest.mark.rule("SIP-31", "SIP-46", "SIP-63", "SIP-50")
def test_a_new_invite_in_a_call_may_be_challenged(known: Node, bob: Peer) -> None:
    call = call_bob(known)
    answer(bob, 200, ("Contact", f"<sip:bob@{BOB}>"))
    call.acknowledge(0.0)
    known.network.run()
    call.offer(b"another", 0.0)
    known.network.run()
    assert sent(bob, "INVITE").cseq.number == 2
    answer(bob, 407, ("Proxy-Authenticate", challenge()))
    again = sent(bob, "INVITE")
    assert (again.cseq.number, again.body) == (3, b"another")
    answer(bob, 200, ("Contact", f"<sip:bob@{BOB}>"))
    ack = sent(bob, "ACK")
    assert ack.cseq.number == 3
    name = "Proxy-Authorization"
    assert ack.headers.get(name) == again.headers.get(name) is not None
    call.bye(0.0)
    known.network.run()
    assert sent(bob, "BYE").cseq.number == 4


# Servers that want to be spared.


@pytest.mark.rule("SIP-41", "SIP-66")
def test_a_server_that_asked_to_be_spared_is_asked_last(
    network: Network, alice: Node, bob: Peer, carol: Peer
) -> None:
    hops = [Hop(Transport.UDP, host, 5060) for host in (BOB, CAROL)]
    alice.resolve = lambda uri: hops
    ask(alice)
    answer(bob, 503, ("Retry-After", "60 (overload)"))
    answer(carol, 200)
    ask(alice)
    assert [len(p.requests("OPTIONS")) for p in (bob, carol)] == [1, 2]
    answer(carol, 200)
    network.run(61.0)
    ask(alice)
    assert len({m.call_id for m in bob.requests("OPTIONS")}) == 2


@pytest.mark.rule("SIP-41")
@pytest.mark.parametrize("value", [None, "soon", "0"])
def test_a_503_that_names_no_time_spares_nobody(
    alice: Node, bob: Peer, carol: Peer, value: str | None
) -> None:
    hops = [Hop(Transport.UDP, host, 5060) for host in (BOB, CAROL)]
    alice.resolve = lambda uri: hops
    ask(alice)
    answer(bob, 503, *([] if value is None else [("Retry-After", value)]))
    answer(carol, 200)
    ask(alice)
    assert len({m.call_id for m in bob.requests("OPTIONS")}) == 2


@pytest.mark.rule("SIP-41", "SIP-68")
def test_how_many_servers_are_spared_is_bounded() -> None:
    resting = Resting(Limits(resting_hops=2))
    hops = [Hop(Transport.UDP, f"192.0.2.{n}", 5060) for n in range(3)]
    response = Response.build(503, headers=[("Retry-After", "9999")])
    for hop in hops:
        resting.note(hop, response, 0.0)
    assert resting.last(hops, 299.0) == hops
    assert resting.last(hops[::-1], 299.0) == [hops[0], hops[2], hops[1]]
    assert resting.last(hops[::-1], 301.0) == hops[::-1]


# Credentials.


def challenge(
    realm: str = "example.com", nonce: str = "one", *, stale: bool = False
) -> str:
    return str(digest.Challenge(realm, nonce, qop=(digest.Qop.AUTH,), stale=stale))


@pytest.fixture
def known(alice: Node) -> Node:
    """Give Alice, who has a password in two realms."""
    accounts = [digest.Account("alice", "secret"), digest.Account("a", "b", "other")]
    alice.core.sender.retries.credentials = digest.DigestClient(accounts)
    return alice


def credentials(request: Request, name: str = "Authorization") -> digest.Credentials:
    return digest.Credentials.parse(request.headers.get(name) or "")


def is_right(request: Request, name: str, password: str) -> bool:
    given = credentials(request, name)
    secret = digest.ha1(given.hashing, given.username, given.realm, password)
    return given.response == digest.response_digest(
        given.hashing,
        secret,
        method=request.method,
        uri=request.raw_uri,
        nonce=given.nonce,
        qop=given.qop,
        count=given.count or 0,
        cnonce=given.cnonce or "",
        body=request.body,
    )


@pytest.mark.rule("SIP-60", "SIP-62", "SIP-31")
@pytest.mark.parametrize(
    ("status", "asks", "answers"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_a_challenge_is_answered_with_the_next_number(
    known: Node, bob: Peer, status: int, asks: str, answers: str
) -> None:
    ask(known)
    answer(bob, status, (asks, 'Basic realm="x"'), (asks, challenge()))
    one, two = bob.requests("OPTIONS")
    assert two.cseq.number == one.cseq.number + 1
    assert is_right(two, answers, "secret")
    answer(bob, 200)
    assert last_status(known) == 200


@pytest.mark.rule("SIP-60", "ST-8")
def test_credentials_that_were_rejected_are_not_sent_again(
    known: Node, bob: Peer
) -> None:
    ask(known)
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    answer(bob, 401, ("WWW-Authenticate", challenge(nonce="two")))
    assert len(bob.requests("OPTIONS")) == 2
    (event,) = known.of(ResponseReceived)
    assert event.request.trail.why_not is digest.Refusal.REJECTED


@pytest.mark.rule("SIP-60", "ST-8")
def test_a_stale_nonce_is_replaced(known: Node, bob: Peer) -> None:
    ask(known)
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    answer(bob, 401, ("WWW-Authenticate", challenge(nonce="two", stale=True)))
    assert credentials(sent(bob)).nonce == "two"


@pytest.mark.rule("SIP-60")
def test_a_proxy_and_a_server_of_different_realms_each_get_their_credentials(
    known: Node, bob: Peer
) -> None:
    call_bob(known)
    answer(bob, 407, ("Proxy-Authenticate", challenge("other")))
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    invite = sent(bob, "INVITE")
    assert is_right(invite, "Proxy-Authorization", "b")
    assert is_right(invite, "Authorization", "secret")
    assert credentials(invite, "Proxy-Authorization").username == "a"


@pytest.mark.rule("SIP-63", "SIP-46", "SIP-51")
def test_ack_has_the_credentials_of_the_invite_and_the_bye_new_ones(
    known: Node, bob: Peer
) -> None:
    call = call_bob(known)
    answer(bob, 407, ("Proxy-Authenticate", challenge()))
    answer(bob, 200, ("Contact", f"<sip:bob@{BOB}>"))
    call.acknowledge(0.0)
    call.bye(0.0)
    known.network.run()
    name = "Proxy-Authorization"
    invite, ack, bye = sent(bob, "INVITE"), sent(bob, "ACK"), sent(bob, "BYE")
    assert ack.headers.get_all(name) == invite.headers.get_all(name)
    assert (ack.cseq.number, bye.cseq.number) == (2, 3)
    assert credentials(invite, name).count == 1
    assert credentials(bye, name).count == 2
    assert is_right(bye, name, "secret")


@pytest.mark.rule("SIP-51", "SIP-63")
def test_cancel_has_no_credentials_and_is_not_tried_again(
    known: Node, bob: Peer
) -> None:
    call = call_bob(known)
    answer(bob, 407, ("Proxy-Authenticate", challenge()))
    answer(bob, 180)
    call.cancel(0.0)
    known.network.run()
    cancel = sent(bob, "CANCEL")
    assert "Proxy-Authorization" not in cancel.headers
    assert cancel.cseq.number == 2
    answer(bob, 407, ("Proxy-Authenticate", challenge()))
    assert len(bob.requests("CANCEL")) == 1


@pytest.mark.rule("SIP-60")
def test_what_one_server_has_asked_for_is_not_told_to_another(
    known: Node, bob: Peer, carol: Peer
) -> None:
    ask(known)
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    ask(known, uri=f"sip:carol@{CAROL}")
    assert "Authorization" not in sent(carol).headers


@pytest.mark.rule("SIP-30", "SIP-60")
def test_a_redirection_takes_no_credentials_along(
    known: Node, bob: Peer, carol: Peer
) -> None:
    call = call_bob(known)
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    answer(bob, 407, ("Proxy-Authenticate", challenge("other")))
    answer(bob, 302, ("Contact", f"<sip:c@{CAROL}>"))
    names = {"Authorization", "Proxy-Authorization"}
    assert not names & {name for name, _ in sent(carol, "INVITE").headers}
    answer(carol, 200, ("Contact", f"<sip:c@{CAROL}>"))
    call.acknowledge(0.0)
    call.bye(0.0)
    known.network.run()
    assert not names & {name for name, _ in sent(carol, "BYE").headers}


@pytest.mark.rule("SIP-30", "SIP-60")
def test_what_is_for_the_proxy_stays_when_it_stays(known: Node, bob: Peer) -> None:
    ask(known, uri="sip:bob@example.com", route_set=(PROXY,))
    answer(bob, 407, ("Proxy-Authenticate", challenge()))
    answer(bob, 401, ("WWW-Authenticate", challenge("other")))
    answer(bob, 302, ("Contact", "<sip:c@example.com>"))
    assert "Authorization" not in sent(bob).headers
    assert credentials(sent(bob), "Proxy-Authorization").count == 3
    assert is_right(sent(bob), "Proxy-Authorization", "secret")


@pytest.mark.rule("SIP-47", "SIP-31")
def test_those_who_rang_before_a_refusal_ring_no_more(
    alice: Node, bob: Peer, carol: Peer
) -> None:
    call = call_bob(alice)
    answer(bob, 180, ("Contact", f"<sip:bob@{BOB}>"), tag="one")
    assert list(call.early_dialogs) == ["one"]
    answer(bob, 302, ("Contact", f"<sip:c@{CAROL}>"), tag="two")
    answer(carol, 180, ("Contact", f"<sip:c@{CAROL}>"), tag="three")
    assert list(call.early_dialogs) == ["three"]


@pytest.mark.rule("SIP-62")
def test_the_next_nonce_of_a_server_is_used(known: Node, bob: Peer) -> None:
    call = call_bob(known)
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    contact = ("Contact", f"<sip:bob@{BOB}>")
    answer(bob, 200, contact, ("Authentication-Info", 'nextnonce="two"'))
    call.acknowledge(0.0)
    call.bye(0.0)
    known.network.run()
    assert credentials(sent(bob, "BYE")).nonce == "two"


@pytest.mark.rule("SIP-31", "SIP-62")
def test_a_remedy_after_a_challenge_counts_the_nonce_on(known: Node, bob: Peer) -> None:
    ask(known, ("Session-Expires", "90"))
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    answer(bob, 422, ("Min-SE", "120"))
    assert credentials(sent(bob)).count == 2
    assert is_right(sent(bob), "Authorization", "secret")


def test_a_password_is_in_no_repr(known: Node, bob: Peer) -> None:
    call_bob(known)
    answer(bob, 401, ("WWW-Authenticate", challenge()))
    client = known.core.sender.retries.credentials
    shown = [repr(client), repr(digest.Account("alice", "secret"))]
    shown += [repr(sent(bob, "INVITE")), repr(sent(bob, "INVITE").headers)]
    assert not any("secret" in text for text in shown)


def test_a_response_is_what_an_event_has(known: Node, bob: Peer) -> None:
    ask(known)
    answer(bob, 401, ("WWW-Authenticate", 'Basic realm="x"'))
    (event,) = known.of(ResponseReceived)
    assert isinstance(event.response, Response)
    assert event.request.trail.why_not is digest.Refusal.NOT_UNDERSTOOD


STATUSES = st.sampled_from([180, 200, 300, 302, 401, 407, 413, 415, 416, 420, 422, 423])
VALUES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=30),
    st.sampled_from(
        [
            f"<sip:c@{CAROL}?Subject=x&Via=y>;q=0.3, <sip:bob@{BOB};x={{}}>",
            "<sips:x>, *",
            "90000",
            "-1",
            "replaces, 100rel",
            challenge(),
            challenge("example.com", "two", stale=True),
            "application/sdp, x/y;q=0",
            'Digest realm="',
        ]
    ),
)
NAMES = st.sampled_from(
    [
        *("Contact", "Min-SE", "Min-Expires", "Unsupported", "WWW-Authenticate"),
        *("Proxy-Authenticate", "Accept", "Retry-After", "Authentication-Info"),
    ]
)


@pytest.mark.rule("SIP-31", "SIP-68")
@settings(max_examples=60, deadline=None)
@given(
    answers=st.lists(
        st.tuples(STATUSES, st.lists(st.tuples(NAMES, VALUES), max_size=4)),
        min_size=1,
        max_size=30,
    )
)
def test_whatever_a_peer_answers_it_ends(
    answers: list[tuple[int, list[tuple[str, str]]]],
) -> None:
    network = Network()
    alice, bob = network.node(ALICE), network.peer(BOB)
    client = digest.DigestClient([digest.Account("alice", "secret")])
    alice.core.sender.retries.credentials = client
    body, content_type = parts(LOCATION)
    headers = (("Session-Expires", "90"), ("Expires", "5"), ("Require", "100rel"))
    ask(alice, *headers, method="X", body=body, content_type=content_type)
    for status, fields in answers:
        if bob.received and not alice.of(RequestFailed):
            answer(bob, status, *fields)
    network.run(1000.0)
    attempts = {request.cseq.number for request in bob.requests("X")}
    assert len(attempts) <= 1 + Limits().attempts
    final = [e for e in alice.of(ResponseReceived) if e.response.status >= 200]
    assert len(final) + len(alice.of(RequestFailed)) == 1
    assert len(alice.core.sender._lookups) == 0
