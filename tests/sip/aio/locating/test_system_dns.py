"""The records of a name server of our own, and how long they are remembered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import cast

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest
import pytest_asyncio

from sip.aio import Resolver, SystemDns
from sip.sansio.hop import Transport
from sip.sansio.locate import Naptr, Srv
from sip.uri import parse_uri

ZONE = {
    ("psap.test.", "NAPTR"): [
        '10 20 "s" "SIP+D2T" "" _sip._tcp.psap.test.',
        '10 10 "S" "SIPS+D2T" "" _sips._tcp.psap.test.',
        '5 10 "u" "E2U+sip" "!^.*$!sip:x@y!" .',
    ],
    ("_sips._tcp.psap.test.", "SRV"): ["1 5 5061 192.0.2.7."],
    ("_sip._tcp.psap.test.", "SRV"): ["1 5 5060 a.psap.test."],
}


class NameServer(asyncio.DatagramProtocol):
    """Answers from a zone with a time to live, and counts the questions."""

    def __init__(self, ttl: int) -> None:
        self.ttl = ttl
        self.silent = False
        self.asked: Counter[tuple[str, str]] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    @property
    def port(self) -> int:
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        (question,) = query.question
        name, kind = str(question.name), dns.rdatatype.to_text(question.rdtype)
        self.asked[name, kind] += 1
        if self.silent:
            return
        response = dns.message.make_response(query)
        records = ZONE.get((name, kind))
        if records is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
            authority = "a.test. b.test. 1 7200 900 1209600 " + str(self.ttl)
            response.authority.append(
                dns.rrset.from_text("test.", self.ttl, "IN", "SOA", authority)
            )
        else:
            response.answer.append(
                dns.rrset.from_text(name, self.ttl, "IN", kind, *records)
            )
        self.transport.sendto(response.to_wire(), addr)


@pytest_asyncio.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[NameServer]:
    server = NameServer(getattr(request, "param", 300))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: server, local_addr=("127.0.0.1", 0)
    )
    yield server
    transport.close()
    await asyncio.sleep(0)


@pytest.mark.rule("SIP-65", "ST-14")
async def test_the_records_of_a_name_server_lead_to_hops(server: NameServer) -> None:
    dns = SystemDns(["127.0.0.1"], server.port)
    records = await dns.naptr("psap.test")  # In any order.
    assert sorted(records, key=lambda record: (record.order, record.preference)) == [
        Naptr(5, 10, "E2U+sip", ".", "u"),
        Naptr(10, 10, "SIPS+D2T", "_sips._tcp.psap.test", "S"),
        Naptr(10, 20, "SIP+D2T", "_sip._tcp.psap.test", "s"),
    ]
    assert await dns.srv("_sips._tcp.psap.test") == [Srv(1, 5, 5061, "192.0.2.7")]
    resolver = Resolver([Transport.UDP, Transport.TLS], dns)
    (hop,) = await resolver.resolve(parse_uri("sip:psap.test"))
    assert str(hop) == "tls://192.0.2.7:5061"
    assert hop.server_name == "psap.test"


@pytest.mark.rule("SIP-65")
async def test_answers_are_remembered_and_so_is_that_there_are_none(
    server: NameServer,
) -> None:
    dns = SystemDns(["127.0.0.1"], server.port)
    for _ in range(3):
        assert len(await dns.naptr("psap.test")) == 3
        assert await dns.srv("_sip._udp.psap.test") == []
    assert server.asked == {
        ("psap.test.", "NAPTR"): 1,
        ("_sip._udp.psap.test.", "SRV"): 1,
    }


@pytest.mark.rule("SIP-65")
@pytest.mark.parametrize("server", [0], indirect=True)
async def test_answers_that_may_not_be_remembered_are_asked_for_again(
    server: NameServer,
) -> None:
    dns = SystemDns(["127.0.0.1"], server.port)
    for _ in range(3):
        assert len(await dns.naptr("psap.test")) == 3
    assert server.asked == {("psap.test.", "NAPTR"): 3}


@pytest.mark.rule("SIP-68")
async def test_few_answers_are_remembered(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip.aio.locating.system_dns._MOST_ANSWERS", 2)
    dns = SystemDns(["127.0.0.1"], server.port)
    for number in (1, 2, 3, 1):
        await dns.srv(f"_sip._udp.n{number}.test")
    assert server.asked["_sip._udp.n1.test.", "SRV"] == 2


async def test_a_name_server_that_says_nothing_has_no_records(
    server: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sip.aio.locating.system_dns._DNS_TIME", 0.05)
    server.silent = True
    dns = SystemDns(["127.0.0.1"], server.port)
    assert await dns.naptr("psap.test") == []
    assert await dns.naptr("a" * 70 + ".test") == []


async def test_the_hosts_file_counts() -> None:
    assert "127.0.0.1" in await SystemDns().addresses("localhost")


async def test_a_name_that_is_none_has_no_addresses() -> None:
    assert await SystemDns().addresses("a" * 70 + ".invalid") == []
