"""Calls by each transport over each version of IP, and by all of them at once."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Protocol

import pytest

import sip
from sip.message import Response
from sip.sansio.hop import Hop, Transport
from sip.testing import RecordingMedia
from sip.wire import parse_message


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="this host has no IPv6 loopback")
HOSTS = [
    pytest.param("127.0.0.1", id="ipv4"),
    pytest.param("[::1]", id="ipv6", marks=IPV6),
]
TRANSPORTS = ["udp", "tcp", "tls"]
QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5)


class Tls(Protocol):
    server: ssl.SSLContext
    client: ssl.SSLContext


def make(tls: Tls, *listen: str) -> sip.UserAgent:
    return sip.UserAgent(
        "sip:console@example.net",
        listen=listen,
        server_ssl=tls.server,
        client_ssl=tls.client,
        timers=QUICK,
    )


def uri_of(hop: Hop) -> str:
    host = f"[{hop.host}]" if ":" in hop.host else hop.host
    return f"sip:bob@{host}:{hop.port};transport={hop.transport.value}"


async def call_and_hang_up(agent: sip.UserAgent, hop: Hop) -> sip.Call:
    call = await agent.invite(uri_of(hop), media=[RecordingMedia()], timeout=10)
    await call.bye()
    return call


def answer_all(agent: sip.UserAgent) -> list[sip.IncomingCall]:
    calls: list[sip.IncomingCall] = []

    @agent.on_invite
    async def answer(call: sip.IncomingCall) -> None:
        calls.append(call)
        await call.ringing()
        await call.answer([RecordingMedia()])

    return calls


@pytest.mark.rule("SIP-11", "SIP-13", "SIP-14")
@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_call_goes_by_each_transport_and_each_ip(
    tls: Tls, transport: str, host: str
) -> None:
    listen = f"{transport}://{host}:0"
    async with make(tls, listen) as bob, make(tls, listen) as alice:
        calls = answer_all(bob)
        target = next(p for p in bob.listening if p.transport.value == transport)
        await call_and_hang_up(alice, target)
        assert await calls[0].ended() is sip.EndReason.REMOTE_BYE
        via = calls[0].request.via
        assert via.transport == transport.upper()
        assert via.received == host.strip("[]")
        assert isinstance(via.rport, int)
        contact = calls[0].request.contacts[0].uri
        assert isinstance(contact, sip.SipUri)
        assert contact.host.strip("[]") == host.strip("[]")
        assert contact.port in {hop.port for hop in alice.listening}


@pytest.mark.rule("SIP-11")
async def test_one_agent_listens_everywhere_at_once(tls: Tls) -> None:
    hosts = ["127.0.0.1", *(["[::1]"] if _has_ipv6() else [])]
    listen = [f"{t}://{host}:0" for host in hosts for t in TRANSPORTS]
    async with make(tls, *listen) as bob, make(tls, *listen) as alice:
        calls = answer_all(bob)
        # UDP brings TCP on the same port with it.
        assert len(bob.listening) == 4 * len(hosts)
        for hop in bob.listening:
            await call_and_hang_up(alice, hop)
            # It is called back by what it gave as its Contact.
            contact = calls[-1].request.contacts[0].uri
            assert isinstance(contact, sip.SipUri)
            said = contact.transport or "udp"
            assert (said, ":" in contact.host) == (hop.transport.value, ":" in hop.host)
            assert (said, contact.host.strip("[]"), contact.port) in {
                (p.transport.value, p.host, p.port) for p in alice.listening
            }
        assert len(calls) == len(bob.listening)


@pytest.mark.rule("SIP-11")
@pytest.mark.parametrize("host", HOSTS)
async def test_udp_brings_tcp_on_the_same_port(tls: Tls, host: str) -> None:
    async with make(tls, f"udp://{host}:0") as agent:
        ports = {hop.transport: hop.port for hop in agent.listening}
    assert ports.keys() == {Transport.UDP, Transport.TCP}
    assert len(set(ports.values())) == 1


@pytest.mark.parametrize("host", HOSTS)
async def test_a_port_that_is_taken_is_an_error_and_leaves_nothing(
    tls: Tls, host: str
) -> None:
    async with make(tls, f"tcp://{host}:0") as first:
        taken = f"tcp://{host}:{first.listening[0].port}"
        with pytest.raises(sip.TransportError, match="in use"):
            await make(tls, f"udp://{host}:0", taken).__aenter__()


OPTIONS = (
    "OPTIONS sip:bob@example.net SIP/2.0\r\n"
    "Via: SIP/2.0/UDP {via}\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:alice@example.net>;tag=a\r\n"
    "To: <sip:bob@example.net>\r\n"
    "Call-ID: c\r\n"
    "CSeq: 1 OPTIONS\r\n"
    "Content-Length: 0\r\n\r\n"
)


async def receive(sock: socket.socket) -> Response:
    async with asyncio.timeout(5):
        data = await asyncio.get_running_loop().sock_recv(sock, 65535)
    message = parse_message(data)
    assert isinstance(message, Response)
    return message


def bound(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setblocking(False)
    sock.bind((host.strip("[]"), 0))
    return sock


@pytest.mark.rule("SIP-13", "SIP-14", "ST-12")
@pytest.mark.parametrize("host", HOSTS)
async def test_with_rport_a_response_goes_where_the_request_came_from(
    tls: Tls, host: str
) -> None:
    async with make(tls, f"udp://{host}:0") as agent:
        point = agent.listening[0]
        with bound(host) as client, bound(host) as other:
            # What a client behind a NAT says of itself leads nowhere.
            said = other.getsockname()[1]
            request = OPTIONS.format(via=f"10.1.1.1:{said};rport;branch=z9hG4bK1")
            client.sendto(request.encode(), (point.host, point.port))
            response = await receive(client)
            via = response.via
            assert (via.received, via.rport) == (
                host.strip("[]"),
                client.getsockname()[1],
            )


@pytest.mark.rule("SIP-13", "SIP-14")
@pytest.mark.parametrize("host", HOSTS)
async def test_without_rport_a_response_goes_to_the_port_of_the_sent_by(
    tls: Tls, host: str
) -> None:
    async with make(tls, f"udp://{host}:0") as agent:
        point = agent.listening[0]
        with bound(host) as client, bound(host) as other:
            said = other.getsockname()[1]
            request = OPTIONS.format(via=f"nat.example:{said};branch=z9hG4bK2")
            client.sendto(request.encode(), (point.host, point.port))
            response = await receive(other)
            assert response.via.received == host.strip("[]")
            assert response.via.rport is None


@pytest.mark.rule("SIP-14")
async def test_a_response_leaves_by_the_socket_that_got_the_request(tls: Tls) -> None:
    listen = ["udp://127.0.0.1:0", "udp://127.0.0.1:0"]
    async with make(tls, *listen) as agent:
        points = [p for p in agent.listening if p.transport is Transport.UDP]
        loop = asyncio.get_running_loop()
        for number, point in enumerate(points):
            with bound("127.0.0.1") as client:
                port = client.getsockname()[1]
                via = f"127.0.0.1:{port};rport;branch=z9hG4bKs{number}"
                client.sendto(
                    OPTIONS.format(via=via).encode(), (point.host, point.port)
                )
                async with asyncio.timeout(5):
                    _, source = await loop.sock_recvfrom(client, 65535)
            assert source == (point.host, point.port)


@pytest.mark.rule("SIP-12", "ST-12")
@pytest.mark.parametrize("host", HOSTS)
async def test_a_request_of_more_than_1300_octets_goes_over_tcp(
    tls: Tls, host: str
) -> None:
    listen = f"udp://{host}:0"
    async with make(tls, listen) as bob, make(tls, listen) as alice:
        calls = answer_all(bob)
        target = next(p for p in bob.listening if p.transport is Transport.UDP)
        uri = uri_of(target)
        call = await alice.invite(
            uri,
            media=[RecordingMedia()],
            headers=[("Subject", "x" * 1400)],
            timeout=10,
        )
        await call.bye()
        assert calls[0].request.via.transport == "TCP"
