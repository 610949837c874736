"""Hops of URIs, by a DNS that is a dictionary."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sip.aio.locating.resolver import Resolver
from sip.sansio.hop import Transport
from sip.sansio.locate import Naptr, Srv
from sip.uri import parse_uri

UDP, TCP, TLS = Transport.UDP, Transport.TCP, Transport.TLS


class StubDns:
    """Answers from dictionaries and remembers what it was asked."""

    def __init__(
        self,
        naptr: dict[str, list[Naptr]] | None = None,
        srv: dict[str, list[Srv]] | None = None,
        addresses: dict[str, list[str]] | None = None,
    ) -> None:
        self.asked: list[str] = []
        self._naptr = naptr or {}
        self._srv = srv or {}
        self._addresses = addresses or {}

    async def naptr(self, name: str) -> Sequence[Naptr]:
        self.asked.append(f"NAPTR {name}")
        return self._naptr.get(name, [])

    async def srv(self, name: str) -> Sequence[Srv]:
        self.asked.append(f"SRV {name}")
        return self._srv.get(name, [])

    async def addresses(self, name: str) -> Sequence[str]:
        self.asked.append(f"A {name}")
        return self._addresses.get(name, [])


async def resolve(
    dns: StubDns, uri: str, transports: Sequence[Transport] = (UDP, TCP, TLS)
) -> list[str]:
    hops = await Resolver(transports, dns).resolve(parse_uri(uri))
    return [str(hop) for hop in hops]


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize(
    ("uri", "hop"),
    [
        ("sip:192.0.2.1", "udp://192.0.2.1:5060"),
        ("sip:192.0.2.1:5070;transport=tcp", "tcp://192.0.2.1:5070"),
        ("sips:192.0.2.1", "tls://192.0.2.1:5061"),
        ("sip:[2001:db8::1]", "udp://[2001:db8::1]:5060"),
        ("sip:example.com;maddr=192.0.2.9", "udp://192.0.2.9:5060"),
        ("sip:localhost:5070", "udp://127.0.0.1:5070"),
        ("sip:LOCALHOST", "udp://127.0.0.1:5060"),
    ],
)
async def test_numbers_and_localhost_never_touch_the_dns(uri: str, hop: str) -> None:
    dns = StubDns()
    assert await resolve(dns, uri) == [hop]
    assert dns.asked == []


@pytest.mark.parametrize("uri", ["urn:service:sos", "tel:911", "sip:a;transport=x"])
async def test_what_leads_nowhere_has_no_hops(uri: str) -> None:
    dns = StubDns()
    assert await resolve(dns, uri) == []
    assert dns.asked == []


@pytest.mark.rule("SIP-65")
async def test_a_name_with_a_port_has_only_its_addresses_asked() -> None:
    dns = StubDns(addresses={"example.com": ["192.0.2.1", "2001:db8::1"]})
    hops = await resolve(dns, "sip:example.com:5070;transport=tcp")
    assert hops == ["tcp://192.0.2.1:5070", "tcp://[2001:db8::1]:5070"]
    assert dns.asked == ["A example.com"]


@pytest.mark.rule("SIP-65", "SIP-66")
async def test_naptr_and_srv_records_give_the_order() -> None:
    dns = StubDns(
        naptr={
            "example.com": [
                Naptr(50, 50, "SIP+D2T", "_sip._tcp.example.com"),
                Naptr(90, 50, "SIP+D2U", "_sip._udp.example.com"),
            ]
        },
        srv={
            "_sip._tcp.example.com": [
                Srv(2, 0, 5062, "b.example.com"),
                Srv(1, 0, 5061, "a.example.com"),
                Srv(0, 0, 1, "."),
            ],
            "_sip._udp.example.com": [Srv(1, 0, 5060, "a.example.com")],
        },
        addresses={"a.example.com": ["192.0.2.1"], "b.example.com": ["192.0.2.2"]},
    )
    assert await resolve(dns, "sip:example.com") == [
        "tcp://192.0.2.1:5061",
        "tcp://192.0.2.2:5062",
        "udp://192.0.2.1:5060",
    ]


@pytest.mark.rule("SIP-65")
async def test_without_naptr_records_srv_records_are_asked() -> None:
    dns = StubDns(
        srv={"_sip._tcp.example.com": [Srv(1, 0, 5080, "a.example.com")]},
        addresses={"a.example.com": ["192.0.2.1"]},
    )
    assert await resolve(dns, "sip:example.com") == ["tcp://192.0.2.1:5080"]
    assert dns.asked == [
        "NAPTR example.com",
        "SRV _sip._udp.example.com",
        "SRV _sip._tcp.example.com",
        "A a.example.com",
        "SRV _sips._tcp.example.com",
    ]


@pytest.mark.rule("SIP-65")
async def test_a_transport_that_is_named_asks_for_no_naptr_records() -> None:
    dns = StubDns(addresses={"example.com": ["192.0.2.1"]})
    hops = await resolve(dns, "sip:example.com;transport=tcp")
    assert hops == ["tcp://192.0.2.1:5060"]
    assert dns.asked == ["SRV _sip._tcp.example.com", "A example.com"]


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize(
    ("transports", "hop"),
    [((UDP, TCP), "udp://192.0.2.1:5060"), ((TCP,), "tcp://192.0.2.1:5060")],
)
async def test_without_any_service_it_is_the_default_one(
    transports: Sequence[Transport], hop: str
) -> None:
    dns = StubDns(addresses={"example.com": ["192.0.2.1"]})
    assert await resolve(dns, "sip:example.com", transports) == [hop]


@pytest.mark.rule("SIP-19", "SIP-69")
async def test_a_certificate_must_show_the_domain_that_was_asked_for() -> None:
    dns = StubDns(
        srv={"_sips._tcp.example.com": [Srv(1, 0, 5061, "host7.provider.net")]},
        addresses={"host7.provider.net": ["192.0.2.1"]},
    )
    (hop,) = await Resolver((TLS,), dns).resolve(parse_uri("sips:example.com"))
    assert (hop.host, hop.server_name) == ("192.0.2.1", "example.com")


@pytest.mark.rule("SIP-68")
async def test_however_many_records_there_are_few_hops_are_tried() -> None:
    records = [Srv(1, 0, 5060, f"h{n}.example.com") for n in range(500)]
    dns = StubDns(
        srv={"_sip._udp.example.com": records},
        addresses={f"h{n}.example.com": ["192.0.2.1"] * 9 for n in range(500)},
    )
    assert len(await resolve(dns, "sip:example.com")) == 16
    assert len(dns.asked) < 16
