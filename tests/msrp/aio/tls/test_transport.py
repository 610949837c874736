from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

import msrp
from msrp.aio.streams.read_buffer import SIZE, USUAL_SIZE, buffer_of
from msrp.aio.tls.context import TlsContext
from msrp.aio.tls.transport import TlsTransport, open_tls

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]

PATIENCE = 10.0


@dataclass(eq=False)
class End(asyncio.Protocol):
    """What gets a connection, and remembers what it is told."""

    told: list[object] = field(default_factory=list)
    got: bytearray = field(default_factory=bytearray)
    paused: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    on_data: Callable[[], object] = lambda: None
    on_eof: Callable[[], object] = lambda: None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, TlsTransport)
        self.transport = transport
        self.told.append("made")

    def shaken(self, error: OSError | None) -> None:
        if error is not None:
            self.told.append(error)

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.on_data()

    def eof_received(self) -> None:
        self.told.append("eof")
        self.on_eof()

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(exc)
        self.gone.set()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110  # Of somebody who tells nobody.
            await asyncio.sleep(0.001)


@dataclass(eq=False)
class Ends:
    """A client, a server, and the sockets below the latter."""

    certs: Certs
    closing_time: float = 5.0
    handshake_time: float = 5.0
    open: list[End] = field(default_factory=list)

    async def make(self) -> tuple[End, End]:
        ours, theirs = socket.socketpair()
        server = await self.serve(theirs)
        client = await self.call(ours)
        await until(lambda: server.told)
        return client, server

    async def serve(self, sock: socket.socket) -> End:
        end = End()
        self.open.append(end)
        transport = TlsTransport(
            TlsContext(self.certs[1]).server(),
            lambda _: end,
            handshake_time=self.handshake_time,
            closing_time=self.closing_time,
            on_handshake=end.shaken,
        )
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: transport, sock=sock)
        return end

    async def call(self, sock: socket.socket) -> End:
        end = await open_tls(
            TlsContext(self.certs[0]).client(),
            sock,
            End,
            handshake_time=self.handshake_time,
            closing_time=self.closing_time,
        )
        self.open.append(end)
        return end

    async def close(self) -> None:
        for end in self.open:
            if "made" in end.told:
                end.transport.abort()
                await end.gone.wait()


@pytest_asyncio.fixture
async def ends(certs: Certs) -> AsyncIterator[Ends]:
    these = Ends(certs)
    yield these
    await these.close()


@pytest.mark.parametrize("who", [0, 1], ids=["client", "server"])
async def test_octets_go_both_ways_however_many_there_are(ends: Ends, who: int) -> None:
    pair = await ends.make()
    source, target = pair[who], pair[1 - who]
    octets = bytes(range(256)) * 8192
    source.transport.write(b"hello")
    source.transport.write(memoryview(octets))
    source.transport.write(b"")
    await until(lambda: len(target.got) == 5 + len(octets))
    assert target.got == b"hello" + octets
    await until(lambda: not source.paused)
    assert source.transport.get_write_buffer_size() == 0


async def test_who_writes_too_much_is_told_when_to_stop_and_to_go_on(
    ends: Ends,
) -> None:
    client, server = await ends.make()
    client.transport.set_write_buffer_limits(1000)
    server.transport.pause_reading()
    assert not server.transport.is_reading()
    octets = bytes(100_000)
    written = 0
    while not client.paused:
        client.transport.write(octets)
        written += len(octets)
    assert client.transport.get_write_buffer_size() > 1000
    server.transport.resume_reading()
    assert server.transport.is_reading()
    await until(lambda: not client.paused)
    await until(lambda: len(server.got) == written)


@pytest.mark.parametrize("who", [0, 1], ids=["client", "server"])
async def test_an_end_in_good_order_loses_nothing(ends: Ends, who: int) -> None:
    pair = await ends.make()
    one, other = pair[who], pair[1 - who]
    octets = bytes(1_000_000)
    one.transport.write(octets)
    one.transport.close()
    one.transport.write(b"too late")
    assert one.transport.is_closing()
    async with asyncio.timeout(PATIENCE):
        await one.gone.wait()
        await other.gone.wait()
    assert other.got == octets
    assert other.told == ["made", "eof", None]
    assert one.told == ["made", None]


async def test_what_is_written_at_the_end_of_the_peer_s_side_still_goes_out(
    ends: Ends,
) -> None:
    ours, theirs = socket.socketpair()
    server = await ends.serve(theirs)
    peer = RawTls(ours)
    await peer.shake_hands()
    server.on_eof = lambda: server.transport.write(b"good bye")
    await peer.write(b"hello", end=True)
    assert await peer.rest() == b"good bye"
    assert server.got == b"hello"
    await server.gone.wait()
    peer.sock.close()


async def test_the_end_waits_until_reading_goes_on(ends: Ends) -> None:
    client, server = await ends.make()
    server.on_data = lambda: server.transport.pause_reading()
    client.transport.write(b"hello")
    client.transport.close()  # Both in one read.
    await until(lambda: server.got)
    for _ in range(10):
        await asyncio.sleep(0)
    assert server.told == ["made"]
    server.transport.resume_reading()
    async with asyncio.timeout(PATIENCE):
        await server.gone.wait()
    assert server.told == ["made", "eof", None]


async def test_a_tcp_connection_that_ends_alone_ends_the_tls(ends: Ends) -> None:
    ours, theirs = socket.socketpair()
    server = await ends.serve(theirs)
    peer = RawTls(ours)
    await peer.shake_hands()
    await peer.write(b"hello")
    peer.sock.shutdown(socket.SHUT_WR)
    async with asyncio.timeout(PATIENCE):
        await server.gone.wait()
    assert server.got == b"hello"
    assert server.told == ["made", "eof", None]
    peer.sock.close()


async def test_a_peer_that_does_not_end_tls_is_left(ends: Ends) -> None:
    ends.closing_time = 0.05
    ours, theirs = socket.socketpair()
    server = await ends.serve(theirs)
    peer = RawTls(ours)
    await peer.shake_hands()
    await until(lambda: server.told)
    server.transport.pause_reading()
    server.transport.close()
    server.transport.close()
    await peer.write(b"you don't hear me")
    async with asyncio.timeout(PATIENCE):
        await server.gone.wait()
    assert server.got == b""
    assert server.told == ["made", None]
    peer.sock.close()


async def test_octets_that_were_changed_on_the_way_end_the_connection(
    ends: Ends,
) -> None:
    ours, theirs = socket.socketpair()
    server = await ends.serve(theirs)
    peer = RawTls(ours)
    await peer.shake_hands()
    await peer.write(b"hello", then=b"\x17\x03\x03\x00\x20" + bytes(32))
    async with asyncio.timeout(PATIENCE):
        await server.gone.wait()
    assert server.got == b"hello"
    made, error = server.told
    assert made == "made"
    assert isinstance(error, ssl.SSLError)
    with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):  # An alert says why.
        await peer.rest()
    peer.sock.close()


async def test_a_connection_may_be_given_up_at_any_time(ends: Ends) -> None:
    client, server = await ends.make()
    client.transport.abort()
    client.transport.abort()
    client.transport.write(b"too late")
    client.transport.close()
    async with asyncio.timeout(PATIENCE):
        await client.gone.wait()
        await server.gone.wait()
    assert client.told == ["made", None]
    assert server.got == b""


@pytest.mark.parametrize("what", ["nothing", "hangs up", "no TLS", "is given up"])
async def test_a_handshake_that_fails_says_why_and_leaves_nothing(
    ends: Ends, what: str
) -> None:
    ends.handshake_time = 0.05 if what == "nothing" else 5.0
    ours, theirs = socket.socketpair()
    starting = asyncio.create_task(ends.call(theirs))
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    assert await loop.sock_recv(ours, 65536)
    if what == "hangs up":
        ours.shutdown(socket.SHUT_WR)
    elif what == "no TLS":
        await loop.sock_sendall(ours, b"MSRP abcd SEND\r\n")
    elif what == "is given up":
        starting.cancel()
    expected: dict[str, tuple[type[BaseException], str]] = {
        "nothing": (ConnectionAbortedError, "no TLS handshake within 0.05 s"),
        "hangs up": (ConnectionResetError, "the peer has hung up"),
        "no TLS": (ssl.SSLError, "wrong version number"),
        "is given up": (asyncio.CancelledError, "^$"),
    }
    error, words = expected[what]
    with pytest.raises(error, match=words):
        await starting
    async with asyncio.timeout(PATIENCE):
        try:
            while await loop.sock_recv(ours, 65536):  # Perhaps an alert.
                pass
        except ConnectionResetError:
            pass
    ours.close()


async def test_it_knows_the_connection_below(ends: Ends) -> None:
    client, server = await ends.make()
    info = client.transport.get_extra_info
    assert info("ssl_object").getpeercert(True) == ends.certs[1].der
    assert info("socket").fileno() >= 0
    assert info("nothing", "at all") == "at all"
    assert not client.transport.can_write_eof()
    assert client.transport.get_protocol() is client
    other = End()
    server.transport.set_protocol(other)
    client.transport.write(b"hello")
    await until(lambda: other.got)
    server.transport.set_protocol(server)


class RawTls:
    """A peer that does nothing by itself."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        sock.setblocking(False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    async def shake_hands(self) -> None:
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send()
                self.incoming.write(await self._in_time(self._recv()))
            else:
                await self._send()
                return

    async def write(self, data: bytes, *, end: bool = False, then: bytes = b"") -> None:
        self.tls.write(data)
        if end:
            with pytest.raises(ssl.SSLWantReadError):
                self.tls.unwrap()
        self.outgoing.write(then)
        await self._send()

    async def rest(self) -> bytes:
        octets = b""
        while True:
            try:
                octets += self.tls.read(65536)
            except ssl.SSLWantReadError:
                more = await self._in_time(self._recv())
                if not more:
                    return octets
                self.incoming.write(more)
            except ssl.SSLZeroReturnError:
                return octets

    async def _send(self) -> None:
        octets = self.outgoing.read()
        await asyncio.get_running_loop().sock_sendall(self.sock, octets)

    async def _recv(self) -> bytes:
        return await asyncio.get_running_loop().sock_recv(self.sock, 65536)

    async def _in_time(self, octets: Awaitable[bytes]) -> bytes:
        async with asyncio.timeout(PATIENCE):
            return await octets


class Lender(asyncio.BufferedProtocol, asyncio.Protocol):
    """A protocol that lends the loop's buffer, all of it."""

    def get_buffer(self, sizehint: int) -> memoryview:
        return buffer_of(asyncio.get_running_loop()).octets


async def test_as_much_is_read_as_the_protocol_would_read(ends: Ends) -> None:
    _, server = await ends.make()
    assert len(server.transport.get_buffer(-1)) == USUAL_SIZE
    server.transport.set_protocol(Lender())
    assert len(server.transport.get_buffer(-1)) == SIZE
    server.transport.set_protocol(server)
