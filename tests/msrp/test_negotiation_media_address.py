from __future__ import annotations

import ipaddress
from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sdp
from msrp.negotiation.media_address import MediaAddress
from msrp.uri import MsrpUri, parse_path
from tests.msrp.sections import ALICE, RELAY, moved, plain, section

NAMES = {
    "alice.example.com": ["192.0.2.1", "2001:db8::1"],
    "bob.example.com": ["198.51.100.2"],
    "www.example.com": ["203.0.113.9", "192.0.2.1"],
    "mapped.example.com": ["::ffff:192.0.2.1"],
}


def look_up(name: str) -> Collection[str]:
    return NAMES.get(name.lower(), ())


def uri(authority: str) -> MsrpUri:
    return MsrpUri.parse(f"msrp://{authority}/abc;tcp")


SAME = [
    pytest.param("192.0.2.1", "192.0.2.1:2855", id="ipv4"),
    pytest.param("2001:db8::1", "[2001:db8::1]:2855", id="ipv6"),
    pytest.param("2001:0DB8:0:0::1", "[2001:db8::1]:2855", id="ipv6-written-out"),
    pytest.param(
        "2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]:2855", id="ipv6-squeezed"
    ),
    pytest.param("::ffff:192.0.2.1", "192.0.2.1:2855", id="mapped-in-c"),
    pytest.param("192.0.2.1", "[::FFFF:C000:201]:2855", id="mapped-in-path"),
    pytest.param("Alice.Example.COM", "alice.example.com:2855", id="name-in-any-case"),
    pytest.param("unknown.example.com", "unknown.example.com:2855", id="unknown-name"),
    pytest.param("alice.example.com", "%61lice.example.com:2855", id="escaped-name"),
]


@pytest.mark.rule("CEMA-7")
@pytest.mark.parametrize(("host", "authority"), SAME)
def test_the_same_address_is_the_same_however_it_is_written(
    host: str, authority: str
) -> None:
    address = MediaAddress(host, 2855)
    assert not address.differs_from((uri(authority),), None)
    assert not address.differs_from((uri(authority),), look_up)


@pytest.mark.rule("CEMA-7")
@pytest.mark.parametrize(
    ("host", "authority"),
    [
        pytest.param("192.0.2.1", "192.0.2.2:2855", id="ipv4"),
        pytest.param("2001:db8::1", "[2001:db8::2]:2855", id="ipv6"),
        pytest.param("192.0.2.1", "[2001:db8::1]:2855", id="families"),
        pytest.param("192.0.2.1", "[::192.0.2.1]:2855", id="compatible-is-not-mapped"),
        pytest.param("192.0.2.1", "192.0.2.1:2856", id="port"),
        pytest.param("alice.example.com", "alice.example.com:2856", id="port-of-name"),
        pytest.param("alice.example.com", "192.0.2.1:2856", id="port-of-other"),
    ],
)
def test_another_address_or_port_is_another_place(host: str, authority: str) -> None:
    address = MediaAddress(host, 2855)
    assert address.differs_from((uri(authority),), None)
    assert address.differs_from((uri(authority),), look_up)


@pytest.mark.rule("CEMA-7")
@pytest.mark.parametrize(
    ("host", "authority", "differ"),
    [
        pytest.param("alice.example.com", "192.0.2.1:2855", False, id="c-resolves"),
        pytest.param("192.0.2.1", "alice.example.com:2855", False, id="path-resolves"),
        pytest.param("192.0.2.1", "ALICE.example.com:2855", False, id="in-any-case"),
        pytest.param("2001:db8:0::1", "alice.example.com:2855", False, id="any-record"),
        pytest.param("192.0.2.1", "mapped.example.com:2855", False, id="mapped-record"),
        pytest.param(
            "www.example.com", "alice.example.com:2855", False, id="names-share-one"
        ),
        pytest.param("192.0.2.2", "alice.example.com:2855", True, id="no-record"),
        pytest.param("bob.example.com", "192.0.2.1:2855", True, id="c-elsewhere"),
        pytest.param(
            "bob.example.com", "alice.example.com:2855", True, id="names-share-none"
        ),
        pytest.param("192.0.2.1", "gone.example.com:2855", False, id="unresolved"),
        pytest.param(
            "gone.example.com", "alice.example.com:2855", False, id="c-unresolved"
        ),
    ],
)
def test_names_are_what_they_resolve_to(
    host: str, authority: str, differ: bool
) -> None:
    address = MediaAddress(host, 2855)
    assert address.differs_from((uri(authority),), look_up) is differ
    # Nobody can tell without the DNS, and what nobody can tell is no difference.
    assert not address.differs_from((uri(authority),), None)


@pytest.mark.rule("CEMA-7")
def test_addresses_are_never_looked_up() -> None:
    def refuse(name: str) -> Collection[str]:
        raise AssertionError(name)

    for address, authority in [
        ("192.0.2.1", "192.0.2.2:2855"),
        ("::1", "[::2]:2855"),
        ("same.example.com", "SAME.example.com:2855"),
        ("same.example.com", "192.0.2.1:1"),
    ]:
        MediaAddress(address, 2855).differs_from((uri(authority),), refuse)


def test_a_resolver_that_gives_no_address_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        MediaAddress("192.0.2.1", 2855).differs_from(
            (uri("alice.example.com:2855"),), lambda _: ["nonsense"]
        )


@pytest.mark.rule("CEMA-4", "CEMA-7")
def test_any_uri_of_a_path_will_do() -> None:
    path = parse_path(f"{RELAY} {ALICE}")
    assert not MediaAddress("192.0.2.1", 2855).differs_from(path, None)
    assert not MediaAddress("relay.example.com", 9000).differs_from(path, None)
    assert MediaAddress("192.0.2.1", 9001).differs_from(path, None)


@pytest.mark.rule("CEMA-7", "COM-6")
def test_port_9_is_not_compared() -> None:
    address = MediaAddress.read(moved(plain(), "192.0.2.1", 9))
    assert address == MediaAddress("192.0.2.1", None)
    assert not address.differs_from((ALICE,), None)
    elsewhere = MediaAddress.read(moved(plain(), "192.0.2.3", 9))
    assert elsewhere is not None
    assert elsewhere.differs_from((ALICE,), None)


@pytest.mark.rule("CEMA-7", "OA-22")
@pytest.mark.parametrize(
    "connection",
    [
        pytest.param("IN IP4 0.0.0.0", id="unspecified"),
        pytest.param("IN IP6 ::", id="unspecified-ipv6"),
        pytest.param("IN IP4 224.2.1.1/127", id="multicast"),
        pytest.param("IN IP6 ff15::101", id="multicast-ipv6"),
        pytest.param("ATM NSAP 47.0091", id="not-the-internet"),
    ],
)
def test_what_tcp_cannot_connect_to_is_no_address(connection: str) -> None:
    media = section(f"path:{ALICE}", connection=connection)
    assert MediaAddress.read(media) is None


def test_a_section_without_a_connection_has_no_address() -> None:
    assert MediaAddress.read(plain()) is None


def test_a_section_has_the_address_of_its_lines() -> None:
    session = sdp.SessionDescription.parse(
        "v=0\r\no=- 1 1 IN IP4 h.example.com\r\ns=-\r\n"
        "c=IN IP6 2001:db8::7\r\nt=0 0\r\n"
        "m=message 7000 TCP/MSRP *\r\n"
        "m=message 7001 TCP/MSRP *\r\nc=IN IP4 h.example.com\r\n"
    )
    own = [MediaAddress.read(session.effective_media(index)) for index in range(2)]
    assert own == [
        MediaAddress("2001:db8::7", 7000),
        MediaAddress("h.example.com", 7001),
    ]


ip_addresses = st.ip_addresses()


@settings(deadline=None, max_examples=150)
@given(ip_addresses, ip_addresses)
def test_literal_addresses_agree_with_the_library(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    def place(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> MsrpUri:
        text = address.exploded
        return uri(f"[{text}]:2855" if address.version == 6 else f"{text}:2855")

    for a, b in [(one, other), (one, one)]:
        differs = MediaAddress(str(a), 2855).differs_from((place(b),), None)
        mapped_a, mapped_b = (getattr(x, "ipv4_mapped", None) or x for x in (a, b))
        assert differs is (mapped_a != mapped_b)
