"""Dialogs and route sets."""

from __future__ import annotations

import pytest

from sip.errors import SipParseError
from sip.message import Request, Response, response_to
from sip.name_addr import NameAddr
from sip.sansio.dialog import Dialog, DialogState
from sip.sansio.hop import Hop, Transport
from sip.sansio.requests.route import route_request
from sip.uri import parse_uri

TCP = Hop(Transport.TCP, "192.0.2.1", 40000)
TLS = Hop(Transport.TLS, "192.0.2.1", 40001)


def routes(*uris: str) -> list[NameAddr]:
    return [NameAddr.parse(f"<{uri}>") for uri in uris]


def an_invite(*extra: tuple[str, str], uri: str = "sip:bob@example.com") -> Request:
    return Request.build(
        "INVITE",
        uri,
        [
            ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKone"),
            ("From", '"Alice" <sip:alice@example.com>;tag=a'),
            ("To", "<sip:bob@example.com>"),
            ("Call-ID", "call-1"),
            ("CSeq", "7 INVITE"),
            ("Contact", "<sip:alice@192.0.2.1>"),
            *extra,
        ],
    )


def an_answer(request: Request, status: int, *extra: tuple[str, str]) -> Response:
    return response_to(request, status, to_tag="b", headers=extra)


# Route sets.


@pytest.mark.rule("SIP-43")
def test_without_routes_the_target_is_where_to_go() -> None:
    target = parse_uri("sip:bob@192.0.2.2")
    routed = route_request(target, [])
    assert (routed.uri, routed.routes, routed.next_hop) == (target, (), target)


@pytest.mark.rule("SIP-28", "SIP-43")
def test_a_loose_router_leaves_the_request_uri_alone() -> None:
    target = parse_uri("sip:bob@192.0.2.2")
    route_set = routes("sip:p1.example.com;lr", "sip:p2.example.com")
    routed = route_request(target, route_set)
    assert routed.uri == target
    assert list(routed.routes) == route_set
    assert str(routed.next_hop) == "sip:p1.example.com;lr"


@pytest.mark.rule("SIP-28", "SIP-43")
def test_a_strict_router_takes_the_place_of_the_request_uri() -> None:
    # The example of RFC 3261 §12.2.1.1, with what no Request-URI may have.
    route_set = routes(
        "sip:proxy1;method=INVITE?Subject=x", "sip:proxy2", "sip:proxy3;lr"
    )
    routed = route_request(parse_uri("sip:user@remoteua"), route_set)
    assert str(routed.uri) == "sip:proxy1"
    assert [str(route) for route in routed.routes] == [
        "<sip:proxy2>",
        "<sip:proxy3;lr>",
        "<sip:user@remoteua>",
    ]
    assert str(routed.next_hop) == "sip:proxy1"


# How dialogs begin.


@pytest.mark.rule("SIP-42")
def test_the_callers_route_set_is_the_record_route_reversed() -> None:
    request = an_invite()
    response = an_answer(
        request,
        200,
        ("Record-Route", "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>"),
        ("Record-Route", "<sip:p0.example.com;lr>"),
        ("Contact", "<sip:bob@192.0.2.2>"),
    )
    dialog = Dialog.from_response(request, response)
    assert [str(route.uri.host) for route in dialog.route_set] == [  # type: ignore[union-attr]  # All are SIP URIs.
        "p0.example.com",
        "p1.example.com",
        "p2.example.com",
    ]
    assert str(dialog.remote_target) == "sip:bob@192.0.2.2"
    assert dialog.key == ("call-1", "a", "b")
    assert (dialog.local_cseq, dialog.remote_cseq) == (7, None)
    assert dialog.state is DialogState.CONFIRMED


@pytest.mark.rule("SIP-42")
def test_the_callees_route_set_is_the_record_route_in_order() -> None:
    request = an_invite(
        ("Record-Route", "<sip:p2.example.com;lr>, <sip:p1.example.com;lr>")
    )
    dialog = Dialog.from_request(request, "b", TCP)
    assert [str(route) for route in dialog.route_set] == [
        "<sip:p2.example.com;lr>",
        "<sip:p1.example.com;lr>",
    ]
    assert str(dialog.remote_target) == "sip:alice@192.0.2.1"
    assert dialog.key == ("call-1", "b", "a")
    assert dialog.remote_cseq == 7
    assert dialog.state is DialogState.EARLY


@pytest.mark.rule("SIP-42")
def test_a_provisional_response_makes_an_early_dialog() -> None:
    request = an_invite()
    response = an_answer(request, 180, ("Contact", "<sip:bob@192.0.2.2>"))
    dialog = Dialog.from_response(request, response)
    assert dialog.state is DialogState.EARLY


@pytest.mark.rule("SIP-42")
def test_a_peer_without_tags_is_tolerated() -> None:
    request = an_invite()
    request.headers.set("From", "<sip:alice@example.com>")
    dialog = Dialog.from_request(request, "b", TCP)
    assert dialog.key == ("call-1", "b", "")
    bye, _ = dialog.request("BYE")
    assert bye.to.tag is None


@pytest.mark.rule("SIP-42")
@pytest.mark.parametrize(
    ("uri", "over_tls", "secure"),
    [
        ("sips:bob@example.com", True, True),
        ("sips:bob@example.com", False, False),
        ("sip:bob@example.com", True, False),
    ],
)
def test_a_dialog_is_secure_if_both_uri_and_transport_are(
    uri: str, over_tls: bool, secure: bool
) -> None:
    assert (
        Dialog.from_request(an_invite(uri=uri), "b", TLS if over_tls else TCP).secure
        is secure
    )


@pytest.mark.rule("SIP-10")
def test_an_invite_without_a_contact_begins_no_dialog() -> None:
    request = an_invite()
    request.headers.remove("Contact")
    with pytest.raises(SipParseError):
        Dialog.from_request(request, "b", TCP)


def test_a_2xx_without_a_contact_is_answered_by_the_way_of_the_request() -> None:
    request = an_invite()
    dialog = Dialog.from_response(request, an_answer(request, 200))
    ack, next_hop = dialog.ack(7)
    assert ack.raw_uri == "sip:bob@example.com"
    assert next_hop == request.uri


# How they go on.


@pytest.mark.rule("SIP-43")
def test_requests_in_a_dialog_carry_its_tags_and_the_next_number() -> None:
    request = an_invite(("Record-Route", "<sip:p1.example.com;lr>"))
    dialog = Dialog.from_request(request, "b", TCP)
    first, next_hop = dialog.request("INFO", headers=[("Reason", "x")])
    second, _ = dialog.request("BYE")
    assert first.raw_uri == "sip:alice@192.0.2.1"
    assert [str(route) for route in first.routes] == ["<sip:p1.example.com;lr>"]
    assert str(next_hop) == "sip:p1.example.com;lr"
    assert first.from_.tag == "b"
    assert str(first.to) == '"Alice" <sip:alice@example.com>;tag=a'
    assert first.call_id == "call-1"
    assert first.max_forwards == 70
    assert (str(first.cseq), str(second.cseq)) == ("1 INFO", "2 BYE")


@pytest.mark.rule("SIP-46")
def test_an_ack_has_the_number_of_its_invite() -> None:
    request = an_invite()
    response = an_answer(request, 200, ("Contact", "<sip:bob@192.0.2.2>"))
    dialog = Dialog.from_response(request, response)
    dialog.request("INFO")
    ack, _ = dialog.ack(7, body=b"v=0", content_type="application/sdp")
    assert str(ack.cseq) == "7 ACK"
    assert ack.raw_uri == "sip:bob@192.0.2.2"
    assert (ack.body, ack.content_type) == (b"v=0", "application/sdp")
    bye, _ = dialog.request("BYE")
    assert str(bye.cseq) == "9 BYE"


@pytest.mark.rule("SIP-44")
def test_lower_numbers_are_out_of_order_and_gaps_are_not() -> None:
    dialog = Dialog.from_request(an_invite(), "b", TCP)
    request = an_invite()
    for number, accepted in ((8, True), (100, True), (99, False), (100, True)):
        request.headers.set("CSeq", f"{number} INVITE")
        assert dialog.accepts(request) is accepted
    assert dialog.remote_cseq == 100


@pytest.mark.rule("SIP-44")
def test_any_number_is_fine_for_the_first_request_of_the_peer() -> None:
    request = an_invite()
    dialog = Dialog.from_response(request, an_answer(request, 200))
    other = an_invite()
    other.headers.set("CSeq", "1 INVITE")
    assert dialog.accepts(other)


@pytest.mark.rule("SIP-44")
def test_the_2xx_settles_route_set_and_target_of_an_early_dialog() -> None:
    request = an_invite()
    early = an_answer(request, 180, ("Contact", "<sip:bob@192.0.2.2>"))
    dialog = Dialog.from_response(request, early)
    dialog.confirm(
        an_answer(
            request,
            200,
            ("Contact", "<sip:bob@192.0.2.3>"),
            ("Record-Route", "<sip:p1.example.com;lr>"),
        )
    )
    assert str(dialog.remote_target) == "sip:bob@192.0.2.3"
    assert len(dialog.route_set) == 1
    assert dialog.state is DialogState.CONFIRMED
    # Later a Contact changes the target, but nothing the route set.
    dialog.refresh_target(
        an_invite(("Record-Route", "<sip:p9.example.com;lr>")),
    )
    assert str(dialog.remote_target) == "sip:alice@192.0.2.1"
    assert len(dialog.route_set) == 1
    dialog.refresh_target(an_answer(request, 200))
    assert str(dialog.remote_target) == "sip:alice@192.0.2.1"


def test_a_dialog_ends() -> None:
    dialog = Dialog.from_request(an_invite(), "b", TCP)
    dialog.terminate()
    assert dialog.state is DialogState.TERMINATED


# Conferences.


@pytest.mark.rule("CHAT-2")
def test_the_contact_says_whether_the_peer_is_a_conference() -> None:
    request = an_invite()
    focus = ("Contact", "<sip:room@192.0.2.9>;isfocus;methods=INVITE")
    somebody = ("Contact", "<sip:bob@192.0.2.2>")
    dialog = Dialog.from_response(request, an_answer(request, 200, focus))
    assert dialog.is_conference
    dialog.refresh_target(an_answer(request, 200))  # Without a Contact.
    assert dialog.is_conference
    dialog.refresh_target(an_answer(request, 200, somebody))
    assert not dialog.is_conference
    dialog.refresh_target(an_answer(request, 200, focus))
    assert dialog.is_conference


@pytest.mark.rule("CHAT-2")
def test_a_conference_may_call_us() -> None:
    invite = an_invite()
    assert not Dialog.from_request(invite, "b", TCP).is_conference
    contact = ("Contact", "<sip:room@192.0.2.9>;isfocus")
    headers = [f for f in invite.headers.items() if f[0] != "Contact"]
    called = Request.build("INVITE", invite.uri, [*headers, contact])
    assert Dialog.from_request(called, "b", TCP).is_conference
