"""Peers that connect with TLS, or only seem to."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from typing import Protocol

import pytest

import sip
from sip.aio.transport import tls_server
from sip.aio.transport.tls_server import TlsServer
from sip.sansio.hop import Hop, Transport

LISTEN = ["tls://127.0.0.1:0"]


class Tls(Protocol):
    server: ssl.SSLContext
    client: ssl.SSLContext


class Silent:
    """Somebody who has connected and says nothing."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.reader = reader
        self.writer = writer

    async def is_given_up(self) -> bool:
        """Wait until the other side has closed the connection."""
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(5):
                assert await self.reader.read() == b""
        return True

    @property
    def is_kept(self) -> bool:
        return not self.reader.at_eof()


class Connect(Protocol):
    async def __call__(self, port: int, host: str = ...) -> Silent: ...


@contextlib.asynccontextmanager
async def silent_peers() -> AsyncIterator[Connect]:
    opened: list[Silent] = []

    async def connect(port: int, host: str = "127.0.0.1") -> Silent:
        streams = await asyncio.open_connection("127.0.0.1", port, local_addr=(host, 0))
        opened.append(Silent(*streams))
        return opened[-1]

    yield connect
    for silent in opened:
        silent.writer.transport.abort()


@contextlib.asynccontextmanager
async def agents(
    tls: Tls, limits: sip.Limits
) -> AsyncIterator[tuple[sip.UserAgent, sip.UserAgent]]:
    async with (
        sip.UserAgent(
            "sip:bob@127.0.0.1", listen=LISTEN, server_ssl=tls.server, limits=limits
        ) as bob,
        sip.UserAgent(
            "sip:alice@127.0.0.1", listen=["tcp://127.0.0.1:0"], client_ssl=tls.client
        ) as alice,
    ):
        yield bob, alice


async def is_served(alice: sip.UserAgent, bob: sip.UserAgent) -> bool:
    port = bob.listening[0].port
    return (await alice.options(f"sips:bob@127.0.0.1:{port}")).status == 480


@pytest.mark.rule("SIP-68")
async def test_silent_peers_of_one_host_make_way_the_oldest_first(tls: Tls) -> None:
    limits = sip.Limits(handshakes_per_host=3)
    async with agents(tls, limits) as (bob, alice), silent_peers() as connect:
        port = bob.listening[0].port
        elsewhere = await connect(port, "127.0.0.2")
        peers = [await connect(port) for _ in range(5)]
        assert await peers[0].is_given_up()
        assert await peers[1].is_given_up()
        assert [peer.is_kept for peer in peers[2:]] == [True] * 3
        # Who means it gets in all the same, in the place of the next.
        assert await is_served(alice, bob)
        assert await peers[2].is_given_up()
        assert [peer.is_kept for peer in peers[3:]] == [True] * 2
        assert elsewhere.is_kept


@pytest.mark.rule("SIP-68")
async def test_silent_peers_of_many_hosts_keep_nobody_out(tls: Tls) -> None:
    limits = sip.Limits(handshakes=4, handshakes_per_host=2)
    async with agents(tls, limits) as (bob, alice), silent_peers() as connect:
        port = bob.listening[0].port
        peers = [await connect(port, f"127.0.0.{n}") for n in range(2, 9)]
        for peer in peers[:3]:
            assert await peer.is_given_up()
        assert [peer.is_kept for peer in peers[3:]] == [True] * 4
        assert await is_served(alice, bob)
        assert await peers[3].is_given_up()


@pytest.mark.rule("SIP-68")
@pytest.mark.usefixtures("time_flies")
async def test_a_handshake_has_only_so_much_time(
    tls: Tls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sip.transport")
    limits = sip.Limits(handshake_time=0.1)
    async with agents(tls, limits) as (bob, alice), silent_peers() as connect:
        peers = [await connect(bob.listening[0].port) for _ in range(3)]
        for peer in peers:
            assert await peer.is_given_up()
        assert await is_served(alice, bob)
    assert caplog.text.count("no TLS handshake within 0.1 s") == 3


@pytest.mark.rule("SIP-68")
async def test_connections_are_counted_when_they_are_secure(tls: Tls) -> None:
    limits = sip.Limits(connections_per_host=1)
    async with agents(tls, limits) as (bob, alice), silent_peers() as connect:
        await connect(bob.listening[0].port)
        assert await is_served(alice, bob)
        streams = await asyncio.open_connection(
            "127.0.0.1", bob.listening[0].port, ssl=tls.client
        )
        second = Silent(*streams)
        assert await second.is_given_up()
        second.writer.transport.abort()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        pytest.param(b"OPTIONS sip:b@c SIP/2.0\r\n", "doesn't speak TLS", id="sip"),
        pytest.param(b"\x16\x03\x01", "hung up", id="half-a-record"),
    ],
)
async def test_the_log_says_who_got_no_further(
    tls: Tls, caplog: pytest.LogCaptureFixture, octets: bytes, words: str
) -> None:
    caplog.set_level(logging.INFO, "sip.transport")
    async with agents(tls, sip.Limits()) as (bob, _), silent_peers() as connect:
        peer = await connect(bob.listening[0].port)
        peer.writer.write(octets)
        peer.writer.write_eof()
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(5):
                await peer.reader.read()
    assert words in caplog.text


async def test_closing_gives_up_what_isnt_secure_yet(tls: Tls) -> None:
    async with silent_peers() as connect:
        async with agents(tls, sip.Limits()) as (bob, alice):
            peers = [await connect(bob.listening[0].port) for _ in range(3)]
            assert await is_served(alice, bob)
        for peer in peers:
            assert await peer.is_given_up()


async def test_a_handshake_may_be_given_up_before_it_begins(tls: Tls) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        server = TlsServer(asyncio.Protocol, tls.server, sip.Limits())
        server._begin(ours, Hop(Transport.TLS, "127.0.0.1", 5061))
        server.close()
        await server.wait_closed()
        assert theirs.recv(1) == b""
        assert server._handshakes == {}


async def test_a_server_without_files_waits_for_some(
    tls: Tls, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls_server, "_PAUSE", 0.01)
    loop = asyncio.get_running_loop()
    accept = loop.sock_accept
    problems = [
        OSError(errno.EMFILE, "Too many open files"),
        ConnectionAbortedError(errno.ECONNABORTED, "gone"),
    ]

    async def sock_accept(listener: socket.socket) -> tuple[socket.socket, object]:
        if problems:
            raise problems.pop()
        return await accept(listener)

    monkeypatch.setattr(loop, "sock_accept", sock_accept)
    async with agents(tls, sip.Limits()) as (bob, alice):
        assert await is_served(alice, bob)
    assert problems == []
    assert (
        caplog.messages.count("no connections over TLS for now: Too many open files")
        == 1
    )


async def test_an_address_that_is_taken_leaves_nothing_open(tls: Tls) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        server = TlsServer(asyncio.Protocol, tls.server, sip.Limits())
        with pytest.raises(OSError, match="in use"):
            await server.listen("127.0.0.1", port)
        server.close()
        await server.wait_closed()
