"""Where responses go, and what is written into a Via."""

from __future__ import annotations

import pytest

from sip.errors import SipParseError
from sip.message import Request
from sip.sansio.hop import (
    Hop,
    Transport,
    is_numeric,
    response_hops,
    same_address,
    stamp_via,
    too_big_for_datagram,
)
from sip.via import Via

UDP = Hop(Transport.UDP, "198.51.100.7", 40000, flow=3)
TCP = Hop(Transport.TCP, "198.51.100.7", 40000, flow=4)


def request_by(*vias: str, body: bytes = b"") -> Request:
    headers = [("Via", via) for via in vias]
    headers += [("From", "<sip:a@example.com>;tag=1"), ("To", "<sip:b@example.com>")]
    return Request.build(
        "OPTIONS",
        "sip:b@example.com",
        headers,
        body=body,
        content_type="text/plain" if body else None,
    )


@pytest.mark.rule("SIP-13")
@pytest.mark.parametrize(
    ("via", "stamped"),
    [
        pytest.param(
            "host.example;branch=b", ";branch=b;received=198.51.100.7", id="name"
        ),
        pytest.param(
            "192.0.2.1;branch=b", ";branch=b;received=198.51.100.7", id="other"
        ),
        pytest.param("198.51.100.7:5060;branch=b", ";branch=b", id="same"),
        pytest.param(
            "198.51.100.7;branch=b;rport",
            ";branch=b;rport=40000;received=198.51.100.7",
            id="rport-of-the-same",
        ),
        pytest.param(
            "10.0.0.1;rport;branch=b",
            ";rport=40000;branch=b;received=198.51.100.7",
            id="rport",
        ),
        pytest.param(
            "10.0.0.1;branch=b;received=203.0.113.1;rport=9",
            ";branch=b;received=198.51.100.7;rport=40000",
            id="forged",
        ),
    ],
)
def test_the_top_via_says_where_the_request_came_from(via: str, stamped: str) -> None:
    request = request_by(f"SIP/2.0/UDP {via}", "SIP/2.0/TCP 192.0.2.9;branch=c")
    stamp_via(request, UDP)
    host = via.partition(";")[0]
    assert request.headers.values("Via") == [
        f"SIP/2.0/UDP {host}{stamped}",
        "SIP/2.0/TCP 192.0.2.9;branch=c",
    ]


@pytest.mark.rule("SIP-13")
def test_a_via_in_a_list_is_stamped_alone() -> None:
    request = request_by(
        "SIP/2.0/UDP h.example;branch=a , SIP/2.0/UDP i.example;branch=b",
        "SIP/2.0/UDP j.example;branch=c",
    )
    stamp_via(request, UDP)
    assert [via.received for via in request.vias] == ["198.51.100.7", None, None]
    assert [via.branch for via in request.vias] == ["a", "b", "c"]


def test_a_request_without_a_via_cannot_be_stamped() -> None:
    with pytest.raises(SipParseError):
        stamp_via(request_by(), UDP)


@pytest.mark.rule("SIP-14")
@pytest.mark.parametrize(
    ("via", "host", "port"),
    [
        pytest.param("h.example;maddr=224.2.0.1", "224.2.0.1", 5060, id="maddr"),
        pytest.param("h.example:9;maddr=224.2.0.1", "224.2.0.1", 9, id="maddr-port"),
        pytest.param("10.0.0.1;rport", "198.51.100.7", 40000, id="rport"),
        pytest.param("10.0.0.1:5070", "198.51.100.7", 5070, id="received"),
        pytest.param("h.example", "198.51.100.7", 5060, id="received-default-port"),
        pytest.param("198.51.100.7:5070", "198.51.100.7", 5070, id="sent-by"),
        pytest.param("h.example;maddr=evil.example", "198.51.100.7", 5060, id="name"),
    ],
)
def test_a_response_over_udp_goes_where_the_via_says(
    via: str, host: str, port: int
) -> None:
    request = request_by(f"SIP/2.0/UDP {via};branch=b")
    stamp_via(request, UDP)
    hop, fallback = response_hops(request.via, UDP)
    assert (hop.host, hop.port) == (host, port)
    # From the socket that got the request, which a NAT may insist on.
    assert hop.flow == UDP.flow
    assert fallback is None


@pytest.mark.rule("SIP-14")
def test_a_response_over_tcp_goes_back_or_to_the_sent_by_port() -> None:
    request = request_by("SIP/2.0/TCP h.example:5070;branch=b")
    stamp_via(request, TCP)
    hop, fallback = response_hops(request.via, TCP)
    assert hop == TCP
    assert fallback == Hop(Transport.TCP, "198.51.100.7", 5070, "h.example")


@pytest.mark.rule("SIP-14")
def test_the_default_port_of_tls_is_5061() -> None:
    source = Hop(Transport.TLS, "198.51.100.7", 40000, flow=4)
    _, fallback = response_hops(Via.parse("SIP/2.0/TLS h.example;branch=b"), source)
    assert fallback is not None
    assert fallback.port == 5061


@pytest.mark.rule("SIP-12")
def test_a_request_of_1300_octets_still_fits_a_datagram() -> None:
    size = len(bytes(request_by("SIP/2.0/UDP 192.0.2.1;branch=b", body=b"x" * 1000)))
    fits = request_by("SIP/2.0/UDP 192.0.2.1;branch=b", body=b"x" * (2300 - size))
    assert len(bytes(fits)) == 1300
    assert not too_big_for_datagram(fits)
    fits.body += b"x"
    assert too_big_for_datagram(fits)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:DB8::1", "2001:db8:0::1", True),
        ("Example.COM", "example.com", True),
        ("example.com", "192.0.2.1", False),
    ],
)
def test_addresses_are_compared_by_what_they_mean(
    one: str, other: str, same: bool
) -> None:
    assert same_address(one, other) is same


def test_a_hop_is_written_as_a_url() -> None:
    assert str(Hop(Transport.TLS, "2001:db8::1", 5061)) == "tls://[2001:db8::1]:5061"
    assert str(UDP) == "udp://198.51.100.7:40000"
    assert is_numeric("2001:db8::1")
    assert not is_numeric("example.com")
