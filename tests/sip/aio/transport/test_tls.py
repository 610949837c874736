"""Whom we believe to be whom over TLS, and what becomes of those that aren't."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import pytest

import sip
from sip.aio.transport.connector import Connector
from sip.aio.transport.flows import alias_keys
from sip.message import Request
from sip.sansio.hop import Hop, Transport
from sip.sansio.locate import Naptr, Srv
from sip.testing import RecordingMedia

LISTEN = ["tls://127.0.0.1:0"]


class Authority(Protocol):
    file: Path

    def issue(self, *names: str) -> Path: ...


class OneHost:
    """A DNS where every name is this host, with services that can be set."""

    def __init__(self) -> None:
        self.naptrs: list[Naptr] = []
        self.srvs: dict[str, list[Srv]] = {}
        self.asked: list[str] = []

    async def naptr(self, name: str) -> Sequence[Naptr]:
        return self.naptrs

    async def srv(self, name: str) -> Sequence[Srv]:
        self.asked.append(name)
        return self.srvs.get(name, [])

    async def addresses(self, name: str) -> Sequence[str]:
        return ["127.0.0.1"]


def caller(
    authority: Authority,
    dns: OneHost | None = None,
    certificate: Path | None = None,
    listen: Sequence[str] = ("tcp://127.0.0.1:0",),
) -> sip.UserAgent:
    client = sip.tls_client_context(authorities=authority.file, certificate=certificate)
    server = None if certificate is None else sip.tls_server_context(certificate)
    return sip.UserAgent(
        "sip:alice@alice.test",
        listen=listen,
        client_ssl=client,
        server_ssl=server,
        dns=dns or OneHost(),
    )


def callee(context: ssl.SSLContext) -> sip.UserAgent:
    return sip.UserAgent("sip:bob@psap.test", listen=LISTEN, server_ssl=context)


@pytest.mark.rule("SIP-19", "SIP-69")
@pytest.mark.parametrize(
    ("names", "trusted"),
    [
        pytest.param(["sip:psap.test"], True, id="uri"),
        pytest.param(["psap.test"], True, id="host"),
        pytest.param(["sip:psap.test", "sip:other.test"], True, id="one-of-two"),
        pytest.param(["sip:other.test", "psap.test"], False, id="uri-before-host"),
        pytest.param(["*.test"], False, id="asterisk"),
        pytest.param(["test"], False, id="suffix"),
        pytest.param(["sip:bob@psap.test"], False, id="user"),
        pytest.param(["127.0.0.1"], False, id="address"),
    ],
)
async def test_a_server_must_show_the_domain_that_was_asked_for(
    authority: Authority, names: list[str], trusted: bool
) -> None:
    context = sip.tls_server_context(authority.issue(*names))
    async with callee(context) as bob, caller(authority) as alice:
        uri = f"sips:bob@psap.test:{bob.listening[0].port}"
        if trusted:
            assert (await alice.options(uri)).status == 480
            return
        with pytest.raises(sip.TransportError, match=r"another name than psap\.test"):
            await alice.options(uri)
        assert alice._driver is not None
        assert alice._driver.transport._streams == {}


def sends_at_once(agent: sip.UserAgent) -> list[bool]:
    """Tell of each connection whether what is written waits for nothing."""
    assert agent._driver is not None
    sockets = [
        stream._transport.get_extra_info("socket")
        for stream in agent._driver.transport._streams.values()
        if stream._transport is not None
    ]
    return [
        bool(each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        for each in sockets
    ]


@pytest.mark.parametrize("transport", ["tcp", "tls"])
async def test_no_message_waits_until_the_one_before_is_acknowledged(
    authority: Authority, transport: str
) -> None:
    certificate = authority.issue("psap.test")
    bob = sip.UserAgent(
        "sip:bob@psap.test",
        listen=[f"{transport}://127.0.0.1:0"],
        server_ssl=sip.tls_server_context(certificate),
    )
    async with bob, caller(authority) as alice:
        uri = f"sip:bob@psap.test:{bob.listening[0].port};transport={transport}"
        assert (await alice.options(uri)).status == 480
        assert sends_at_once(alice) == sends_at_once(bob) == [True]


@pytest.mark.rule("SIP-19")
async def test_what_http_would_believe_isn_t_enough(authority: Authority) -> None:
    context = sip.tls_server_context(authority.issue("*.psap.test"))
    client = ssl.create_default_context(cafile=str(authority.file))
    client.minimum_version = ssl.TLSVersion.TLSv1_2
    async with (
        callee(context) as bob,
        sip.UserAgent(
            "sip:alice@alice.test",
            listen=["tcp://127.0.0.1:0"],
            client_ssl=client,
            dns=OneHost(),
        ) as alice,
    ):
        with pytest.raises(sip.TransportError, match="another name"):
            await alice.options(f"sips:bob@a.psap.test:{bob.listening[0].port}")


async def test_an_application_may_verify_nothing(authority: Authority) -> None:
    context = sip.tls_server_context(authority.issue("other.test"))
    client = ssl.create_default_context()
    client.minimum_version = ssl.TLSVersion.TLSv1_2
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    async with (
        callee(context) as bob,
        sip.UserAgent(
            "sip:alice@alice.test",
            listen=["tcp://127.0.0.1:0"],
            client_ssl=client,
            dns=OneHost(),
        ) as alice,
    ):
        uri = f"sips:bob@psap.test:{bob.listening[0].port}"
        assert (await alice.options(uri)).status == 480


@pytest.mark.rule("SIP-19")
async def test_a_server_is_told_which_domain_is_meant(authority: Authority) -> None:
    context = sip.tls_server_context(authority.issue("psap.test"))
    named: list[str | None] = []
    context.sni_callback = lambda _, name, __: named.append(name)
    async with callee(context) as bob, caller(authority) as alice:
        await alice.options(f"sips:bob@psap.test:{bob.listening[0].port}")
    assert named == ["psap.test"]


@pytest.mark.rule("SIP-19")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("argument", ["server_ssl", "client_ssl"])
async def test_a_context_that_takes_old_versions_is_refused(argument: str) -> None:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_1
    agent = sip.UserAgent(
        "sip:a@b",
        listen=["tcp://127.0.0.1:0"],
        server_ssl=context if argument == "server_ssl" else None,
        client_ssl=context if argument == "client_ssl" else None,
    )
    with pytest.raises(sip.LocalError, match=r"before TLS 1\.2"):
        await agent.__aenter__()


@pytest.mark.rule("SIP-19")
def test_our_contexts_take_no_old_versions(authority: Authority) -> None:
    file = authority.issue("psap.test")
    contexts = (
        sip.tls_server_context(file),
        sip.tls_server_context(file, authorities=authority.file),
        sip.tls_client_context(certificate=file),
    )
    for context in contexts:
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert [c.verify_mode for c in contexts] == [
        ssl.CERT_NONE,
        ssl.CERT_REQUIRED,
        ssl.CERT_REQUIRED,
    ]


@pytest.mark.rule("SIP-19")
async def test_a_server_may_want_to_know_who_calls(authority: Authority) -> None:
    context = sip.tls_server_context(
        authority.issue("psap.test"), authorities=authority.file
    )
    known = authority.issue("alice.test")
    async with callee(context) as bob:
        uri = f"sips:bob@psap.test:{bob.listening[0].port}"
        async with caller(authority, certificate=known) as alice:
            assert (await alice.options(uri)).status == 480
        async with caller(authority) as stranger:
            with pytest.raises(sip.TransportError, match="certificate of ours"):
                await stranger.options(uri)


@pytest.mark.rule("SIP-69", "SIP-66", "ST-14")
async def test_a_sips_uri_never_falls_back_to_what_isn_t_tls(
    authority: Authority,
) -> None:
    dns = OneHost()
    async with sip.UserAgent(
        "sip:bob@psap.test", listen=["udp://127.0.0.1:0"]
    ) as plain:
        port = plain.listening[0].port
        dns.naptrs = [
            Naptr(1, 1, "SIPS+D2T", "_sips._tcp.psap.test"),
            Naptr(2, 1, "SIP+D2T", "_sip._tcp.psap.test"),
            Naptr(3, 1, "SIP+D2U", "_sip._udp.psap.test"),
        ]
        dns.srvs = {
            name: [Srv(1, 1, port, "plain.psap.test")]
            for name in ("_sips._tcp.psap.test", "_sip._tcp.psap.test")
        }
        listen = ["udp://127.0.0.1:0"]
        async with caller(authority, dns, listen=listen) as alice:
            with pytest.raises(sip.TransportError):
                await alice.options("sips:bob@psap.test")
            assert dns.asked == ["_sips._tcp.psap.test"]
            assert (await alice.options("sip:bob@psap.test")).status == 480


# Requests to a peer over the connection that it opened (RFC 5923).


class Calls:
    """Two agents with TLS, of which the first has called the second."""

    def __init__(self, alice: sip.UserAgent, bob: sip.UserAgent) -> None:
        self.alice = alice
        self.bob = bob

    async def connect(self) -> None:
        uri = f"sips:bob@psap.test:{self.bob.listening[0].port}"
        assert (await self.alice.options(uri)).status == 480

    async def call_back(self, domain: str) -> int:
        """Let the second call the first, and count the connections of the second."""
        uri = f"sips:alice@{domain}:{self.alice.listening[0].port}"
        assert (await self.bob.options(uri)).status == 480
        assert self.bob._driver is not None
        return len(self.bob._driver.transport._streams)


@pytest.mark.rule("SIP-16")
@pytest.mark.parametrize("proves", [True, False])
async def test_a_peer_that_has_proved_who_it_is_is_called_over_its_connection(
    authority: Authority, proves: bool
) -> None:
    theirs = authority.issue("psap.test")
    server = sip.tls_server_context(
        theirs, authorities=authority.file if proves else None
    )
    bob = sip.UserAgent(
        "sip:bob@psap.test",
        listen=LISTEN,
        server_ssl=server,
        client_ssl=sip.tls_client_context(
            authorities=authority.file, certificate=theirs
        ),
        dns=OneHost(),
    )
    # What Via says is an address here, and the certificate shows it.
    ours = authority.issue("alice.test", "127.0.0.1")
    alice = caller(authority, certificate=ours, listen=LISTEN)
    async with bob, alice:
        calls = Calls(alice, bob)
        await calls.connect()
        assert await calls.call_back("alice.test") == (1 if proves else 2)


# Who doesn't listen for TLS is reached by its own connection alone.


def own_end(agent: sip.UserAgent) -> Hop:
    """Give the near end of the one connection of an agent."""
    assert agent._driver is not None
    (stream,) = agent._driver.transport._streams.values()
    return stream.near_end


@pytest.mark.rule("SIP-10", "SIP-16")
@pytest.mark.parametrize("scheme", ["sips", "sip"])
async def test_without_a_port_for_tls_the_connection_itself_is_our_address(
    authority: Authority, scheme: str
) -> None:
    context = sip.tls_server_context(authority.issue("psap.test"))
    calls: list[sip.IncomingCall] = []
    async with callee(context) as bob, caller(authority) as alice:

        @bob.on_invite
        async def answer(call: sip.IncomingCall) -> None:
            calls.append(call)
            await call.answer([RecordingMedia()])

        port = bob.listening[0].port
        uri = f"{scheme}:bob@psap.test:{port}" + ";transport=tls" * (scheme == "sip")
        call = await alice.invite(uri, media=[RecordingMedia()], timeout=5)
        (end,) = {own_end(alice)}
        assert end.port != alice.listening[0].port
        via = calls[0].request.via
        assert (via.transport, via.host, via.port) == ("TLS", end.host, end.port)
        (contact,) = calls[0].request.contacts
        assert isinstance(contact.uri, sip.SipUri)
        assert contact.uri.scheme == scheme
        assert (contact.uri.host, contact.uri.port) == (end.host, end.port)
        assert contact.uri.transport == (None if scheme == "sips" else "tls")
        # So it can be hung up on: by no connection but its own.
        await calls[0].bye()
        assert await call.ended() is sip.EndReason.REMOTE_BYE
        assert bob._driver is not None
        assert len(bob._driver.transport._streams) == 1


@pytest.mark.rule("SIP-16", "SIP-19")
async def test_a_contact_may_be_an_address_that_no_certificate_shows(
    authority: Authority,
) -> None:
    """The peer has shown the domain that was called, on the same connection."""
    context = sip.tls_server_context(authority.issue("psap.test"))
    calls: list[sip.IncomingCall] = []
    async with callee(context) as bob, caller(authority) as alice:

        @bob.on_invite
        async def answer(call: sip.IncomingCall) -> None:
            calls.append(call)
            await call.answer([RecordingMedia()])

        uri = f"sips:bob@psap.test:{bob.listening[0].port}"
        call = await alice.invite(uri, media=[RecordingMedia()], timeout=5)
        assert str(call.remote.uri) == "sips:bob@psap.test"
        own_end(alice)  # There is one connection.
        await call.bye()
        assert await calls[0].ended() is sip.EndReason.REMOTE_BYE
        own_end(alice)


async def test_requests_at_once_name_the_connection_that_is_being_opened(
    authority: Authority,
) -> None:
    context = sip.tls_server_context(authority.issue("psap.test"))
    async with callee(context) as bob, caller(authority) as alice:
        seen: list[sip.Request] = []

        @bob.on_message
        async def take(message: sip.IncomingRequest) -> None:
            seen.append(message.request)

        uri = f"sips:{{}}@psap.test:{bob.listening[0].port}"
        await asyncio.gather(
            *(alice.send_message(uri.format(name), "hello") for name in "abc")
        )
        ports = {request.via.port for request in seen}
        assert (len(seen), ports) == (3, {own_end(alice).port})


async def test_a_connection_is_no_way_to_others_than_its_peer(
    authority: Authority,
) -> None:
    """An address in a URI isn't proof enough to use a connection from there."""
    context = sip.tls_server_context(authority.issue("psap.test"))
    bob = sip.UserAgent(
        "sip:bob@psap.test",
        listen=LISTEN,
        server_ssl=context,
        client_ssl=sip.tls_client_context(authorities=authority.file),
        dns=OneHost(),
    )
    async with bob, caller(authority) as alice:
        port = bob.listening[0].port
        assert (await alice.options(f"sips:bob@psap.test:{port}")).status == 480
        with pytest.raises(sip.TransportError):
            await bob.options(f"sips:alice@127.0.0.1:{own_end(alice).port}")


@pytest.mark.parametrize("how", ["cancelled", "closed", "refused"])
async def test_a_connection_that_is_given_up_leaves_no_socket(
    authority: Authority, how: str
) -> None:
    arrived = asyncio.Event()

    async def say_nothing(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        arrived.set()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    if how == "refused":
        server.close()
        await server.wait_closed()
    async with server, caller(authority) as alice:
        asking = asyncio.create_task(alice.options(f"sips:bob@psap.test:{port}"))
        if how == "refused":
            with pytest.raises(sip.TransportError, match="refused"):
                await asking
        else:
            async with asyncio.timeout(5):
                await arrived.wait()
        if how == "cancelled":
            asking.cancel()
        elif how == "closed":
            await alice.close()
        await asyncio.wait([asking])
    assert alice._driver is not None
    connector = alice._driver.transport._connector
    assert (len(connector._chosen), connector._begun) == (0, {})


async def test_ports_that_were_chosen_for_nothing_are_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sip.aio.transport.connector._MOST_CHOSEN", 2)
    connector = Connector(None, sip.Limits())
    hops = [Hop(Transport.TLS, "127.0.0.1", port) for port in (1, 2, 3)]
    ends = [connector.near_end(hop, "127.0.0.1") for hop in hops]
    assert len({end.port for end in ends if end is not None}) == 3
    assert [connector.near_end(hop, "127.0.0.1") for hop in hops[1:]] == ends[1:]
    assert len(connector._chosen) == 2
    assert connector.near_end(Hop(Transport.TLS, "a.test", 1), "127.0.0.1") is None
    assert connector.near_end(hops[0], "192.0.2.1") is None
    connector.close()
    assert len(connector._chosen) == 0


@pytest.mark.rule("SIP-16")
def test_nobody_gets_the_requests_for_others() -> None:
    request = Request.build(
        "OPTIONS",
        "sip:b@c",
        headers=[("Via", "SIP/2.0/TLS victim.test:5061;branch=z9hG4bKx;alias")],
    )
    source = Hop(Transport.TLS, "127.0.0.1", 40000, flow=1)
    assert alias_keys(request, source, frozenset({"mallory.test"})) == []
    assert alias_keys(request, source, frozenset()) == []
    (key,) = alias_keys(request, source, frozenset({"victim.test"}))
    assert (key.host, key.port, key.server_name) == ("127.0.0.1", 5061, "victim.test")
    request.headers.set("Via", "SIP/2.0/TLS victim.test:5061;branch=z9hG4bKx")
    assert alias_keys(request, source, frozenset({"victim.test"})) == []


def test_a_context_needs_files_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        sip.tls_server_context(tmp_path / "none.pem")
