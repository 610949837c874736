"""What a URI and the DNS together say about where to go."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import LocalError
from sip.sansio.hop import Transport
from sip.sansio.locate import (
    Naptr,
    Srv,
    Target,
    check_target,
    default_services,
    order_servers,
    services_of,
    target_of,
)
from sip.uri import SipUri, parse_uri

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS
ALL = (UDP, TCP, TLS)


def target(uri: str, transports: tuple[Transport, ...] = ALL) -> Target:
    found = target_of(SipUri.parse(uri), transports)
    assert found is not None
    return found


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize(
    ("uri", "host", "port", "transport"),
    [
        ("sip:example.com", "example.com", None, None),
        ("sip:example.com;transport=tcp", "example.com", None, TCP),
        ("sip:example.com;transport=TLS", "example.com", None, TLS),
        ("sip:example.com:5070", "example.com", 5070, UDP),
        ("sip:192.0.2.1", "192.0.2.1", None, UDP),
        ("sip:[2001:db8::1]", "2001:db8::1", None, UDP),
        ("sip:example.com;maddr=192.0.2.9", "192.0.2.9", None, UDP),
        ("sip:example.com;maddr=[2001:db8::9]", "2001:db8::9", None, UDP),
        ("sips:example.com", "example.com", None, TLS),
        ("sips:example.com;transport=tcp", "example.com", None, TLS),
        ("sips:192.0.2.1:5070", "192.0.2.1", 5070, TLS),
    ],
)
def test_what_a_uri_says_by_itself(
    uri: str, host: str, port: int | None, transport: Transport | None
) -> None:
    found = target(uri)
    assert (found.host, found.port, found.transport) == (host, port, transport)
    assert found.server_name == SipUri.parse(uri).host
    assert found.secure == uri.startswith("sips")


@pytest.mark.rule("SIP-65")
def test_who_has_no_udp_takes_what_there_is() -> None:
    assert target("sip:192.0.2.1", (TCP, TLS)).transport is TCP
    assert target("sip:192.0.2.1", (TLS, TCP)).transport is TLS


@pytest.mark.rule("SIP-65", "SIP-69")
@pytest.mark.parametrize(
    ("uri", "transports"),
    [
        ("sip:example.com;transport=sctp", ALL),
        ("sip:example.com;transport=udp", (TCP,)),
        ("sips:example.com", (UDP, TCP)),
    ],
)
def test_what_cannot_be_reached_is_no_target(
    uri: str, transports: tuple[Transport, ...]
) -> None:
    assert target_of(SipUri.parse(uri), transports) is None


RECORDS = [
    Naptr(90, 50, "SIP+D2T", "_sip._tcp.example.com."),
    Naptr(100, 50, "SIP+D2U", "_sip._udp.example.com"),
    Naptr(50, 60, "sips+d2t", "_sips._tcp.example.com"),
    Naptr(50, 50, "SIP+D2S", "_sip._sctp.example.com"),
    Naptr(10, 50, "SIP+D2U", "!^.*$!sip:x@example.com!", "u"),
    Naptr(10, 50, "E2U+sip", "example.com"),
]


@pytest.mark.rule("SIP-65")
def test_services_come_in_the_order_of_the_records() -> None:
    found = services_of(RECORDS, target("sip:example.com"), ALL)
    assert [service.transport for service in found] == [TLS, TCP, UDP]
    assert found[1].name == "_sip._tcp.example.com"


@pytest.mark.rule("SIP-65", "SIP-69")
def test_a_sips_uri_leaves_only_tls() -> None:
    found = services_of(RECORDS, target("sips:example.com"), ALL)
    assert [service.transport for service in found] == [TLS]


@pytest.mark.rule("SIP-65")
def test_services_that_we_cannot_use_are_left_out() -> None:
    found = services_of(RECORDS, target("sip:example.com"), (UDP,))
    assert [service.transport for service in found] == [UDP]


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize(
    ("uri", "names"),
    [
        ("sip:a.b", ["_sip._udp.a.b", "_sip._tcp.a.b", "_sips._tcp.a.b"]),
        ("sip:a.b;transport=tcp", ["_sip._tcp.a.b"]),
        ("sips:a.b", ["_sips._tcp.a.b"]),
    ],
)
def test_without_naptr_records_all_services_are_tried(
    uri: str, names: list[str]
) -> None:
    assert [s.name for s in default_services(target(uri), ALL)] == names


@pytest.mark.rule("SIP-65")
def test_servers_come_by_priority_and_then_by_weight() -> None:
    records = [
        Srv(20, 0, 5060, "c.example"),
        Srv(10, 30, 5060, "a.example"),
        Srv(10, 10, 5060, "b.example"),
    ]
    lowest = order_servers(records, lambda most: 0)
    assert [record.target[0] for record in lowest] == ["b", "a", "c"]
    highest = order_servers(records, lambda most: most)
    assert [record.target[0] for record in highest] == ["a", "b", "c"]


@pytest.mark.rule("SIP-65")
def test_chance_follows_the_weights() -> None:
    records = [Srv(1, 75, 5060, "often"), Srv(1, 25, 5060, "seldom")]
    dice = random.Random(7)
    first = Counter(
        order_servers(records, lambda most: dice.randint(0, most))[0].target
        for _ in range(2000)
    )
    assert 1400 < first["often"] < 1600


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.builds(
            Srv,
            st.integers(0, 3),
            st.integers(0, 5),
            st.integers(1, 9),
            st.sampled_from("abc"),
        ),
        max_size=12,
    )
)
def test_every_server_comes_once_and_in_order_of_priority(records: list[Srv]) -> None:
    ordered = order_servers(records)
    assert Counter(ordered) == Counter(records)
    priorities = [record.priority for record in ordered]
    assert priorities == sorted(priorities)


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("sip:a@192.0.2.1;transport=carrier-pigeon", "'carrier-pigeon'"),
        ("sip:a@192.0.2.1;transport=udp", "has to listen on it"),
        ("sip:a@127.0.0.300", "'127.0.0.300' is neither"),
        ("sip:1234", "'1234' is neither"),
        ("sip:a@example.com;maddr=1.2.3", "'1.2.3' is neither"),
        ("sip:a@x..example.com", "is neither"),
        (f"sip:a@{'x' * 64}.example", "is neither"),
        (f"sip:a@{'x.' * 130}example", "is neither"),
        ("sip:a@192.0.2.1:0", "port 0"),
    ],
)
def test_a_uri_that_can_lead_nowhere_is_our_mistake(uri: str, words: str) -> None:
    with pytest.raises(LocalError, match=words):
        check_target(parse_uri(uri), (TCP, TLS))


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize(
    "uri",
    [
        "sip:a@192.0.2.1",
        "sip:a@[2001:db8::1]:5070;transport=TCP",
        "sips:a@example.com.",
        "sip:a@host",
        "sip:a@127.0.0.300;maddr=192.0.2.1",
        "sip:a@911.example;transport=tls",
        "urn:service:sos",
    ],
)
def test_a_uri_that_may_lead_somewhere_is_not(uri: str) -> None:
    check_target(parse_uri(uri), (TCP, TLS))
