"""Sessions over real sockets on the loopback, and peers that speak octet by octet."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TypeVar

import pytest
import pytest_asyncio

import msrp
from msrp.headers import ContinuationFlag
from msrp.negotiation import MediaDescription
from msrp.sansio.encoder import encode_end, encode_head
from msrp.sansio.ids import new_transaction_id
from msrp.sansio.parser import (
    BodyReceived,
    EndReceived,
    Parser,
    RequestReceived,
    ResponseReceived,
)

T = TypeVar("T")

PATIENCE = 10.0
"""Seconds after which a test gives up; nothing is ever measured by it."""


@dataclass(slots=True)
class Heard:
    """One request or response that a raw peer has read."""

    transaction_id: str
    method: str
    code: int | None
    headers: dict[str, str]
    body: bytes = b""
    flag: ContinuationFlag | None = None


@dataclass(slots=True, eq=False)
class RawPeer:
    """A peer that writes what it is told, and remembers what it reads."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    uri: str = "msrp://127.0.0.1:9/rawpeer;tcp"
    parser: Parser = field(default_factory=Parser)
    heard: list[Heard] = field(default_factory=list)
    octets: bytes = b""
    open: Heard | None = None

    def request(
        self,
        to: object,
        body: bytes | None = None,
        *,
        method: str = "SEND",
        message_id: str = "12345678",
        content_type: str = "text/plain",
        flag: ContinuationFlag = ContinuationFlag.END,
        fields: tuple[tuple[str, str], ...] = (),
        end: bool = True,
    ) -> str:
        """Write a request and return its transaction id."""
        name = new_transaction_id()
        head = encode_head(
            name,
            method,
            str(to),
            self.uri,
            [("Message-ID", message_id), *fields],
            None if body is None else content_type,
        )
        self.writer.write(head + (body or b""))
        if end:
            self.writer.write(encode_end(name, flag))
        return name

    def respond(self, request: Heard, code: int = 200) -> None:
        """Write a response to what was heard."""
        self.writer.write(
            f"MSRP {request.transaction_id} {code}\r\n"
            f"To-Path: {request.headers['from-path'].split()[0]}\r\n"
            f"From-Path: {request.headers['to-path'].split()[0]}\r\n"
            f"-------{request.transaction_id}$\r\n".encode()
        )

    async def next(self) -> Heard:
        """Return the next request or response."""
        async with asyncio.timeout(PATIENCE):
            while not self.heard or self.heard[0].flag is None:
                data = await self.reader.read(65536)
                assert data, "the other side has closed"
                self._take(data)
        return self.heard.pop(0)

    async def response_to(self, transaction_id: str) -> int | None:
        """Return the code of the response to one of our requests."""
        while True:
            heard = await self.next()
            if heard.transaction_id == transaction_id and heard.code is not None:
                return heard.code

    async def rest(self) -> bytes:
        """Return all octets until the other side closes."""
        async with asyncio.timeout(PATIENCE):
            try:
                while data := await self.reader.read(65536):
                    self.octets += data
            except ConnectionError:
                pass
        return self.octets

    async def bind(self, to: object) -> None:
        """Open a session as an active side does."""
        name = self.request(to, fields=(("Byte-Range", "1-0/0"),))
        assert await self.response_to(name) == 200

    async def close(self) -> None:
        """Close in good order."""
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except OSError:
            pass

    def reset(self) -> None:
        """Break the connection: no FIN, but a RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def _take(self, data: bytes) -> None:
        self.octets += data
        for event in self.parser.receive_data(data):
            match event:
                case RequestReceived():
                    lines = event.block.decode().split("\r\n")
                    pairs = (line.partition(": ") for line in lines if line)
                    headers = {name.lower(): value for name, _, value in pairs}
                    self.heard.append(
                        Heard(event.transaction_id, event.method, None, headers)
                    )
                case ResponseReceived():
                    head = event.head
                    self.heard.append(Heard(head.transaction_id, "", head.code, {}))
                case BodyReceived():
                    self.heard[-1].body += event.data
                case EndReceived():
                    self.heard[-1].flag = event.flag
        assert self.parser.error is None, self.parser.error


@dataclass(slots=True)
class Log:
    """Everything that the hooks of a connection were called with, in order."""

    events: list[object] = field(default_factory=list)

    def of(self, kind: type[T]) -> list[T]:
        """Return the events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def texts(self) -> list[str]:
        """The texts, in order."""
        return [event.text for event in self.of(msrp.TextMessageReceived)]


class Board:
    """Makes listeners, sessions and raw peers, and clears them away."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.problems: list[dict[str, object]] = []
        """What was given to the loop's exception handler."""

    async def listener(
        self,
        *,
        local_cert: msrp.LocalCertificate | None = None,
        limits: msrp.Limits | None = None,
        advertised_host: str | None = None,
        tls: msrp.TlsPolicy | None = None,
        sockets: msrp.SocketOptions | None = None,
        any_host: bool = False,
        share_streams: bool = False,
    ) -> msrp.MsrpListener:
        return await self._stack.enter_async_context(
            msrp.MsrpListener(
                "127.0.0.1",
                0,
                local_cert=local_cert,
                advertised_host=advertised_host,
                limits=limits,
                tls=tls,
                sockets=sockets,
                any_host=any_host,
                share_streams=share_streams,
            )
        )

    def connection(
        self,
        offered: MediaDescription,
        answered: MediaDescription,
        *,
        is_incoming: bool,
        listener: msrp.MsrpListener | None = None,
        local_cert: msrp.LocalCertificate | None = None,
        config: msrp.SessionConfig | None = None,
        connect_timeout: float = 30.0,
        max_message_length: int = 20_000_000,
    ) -> msrp.MsrpConnection:
        connection = msrp.MsrpConnection.create_from_sdp(
            offered,
            answered,
            is_incoming=is_incoming,
            listener=listener,
            local_cert=local_cert,
            config=config,
            connect_timeout=connect_timeout,
        )
        connection.max_message_length = max_message_length
        self._stack.push_async_callback(connection.shutdown, timeout=0.0)
        return connection

    async def pair(
        self,
        *,
        certs: tuple[msrp.LocalCertificate, msrp.LocalCertificate] | None = None,
        active: msrp.SessionConfig | None = None,
        passive: msrp.SessionConfig | None = None,
        accept_types: tuple[str, ...] = ("text/plain", "*"),
        limits: msrp.Limits | None = None,
        max_size: int | None = None,
        max_message_length: int = 20_000_000,
        start: bool = True,
    ) -> tuple[msrp.MsrpConnection, msrp.MsrpConnection]:
        """Make the active and the passive end of a session.

        ``accept_types``, ``limits``, ``max_size`` and ``max_message_length`` are
        those of the passive end.
        """
        ours, theirs = certs or (None, None)
        caller = await self.listener(local_cert=ours)
        called = await self.listener(local_cert=theirs, limits=limits)
        offered = caller.offer(accept_types=("text/plain", "*"))
        answered = called.answer(offered, accept_types=accept_types, max_size=max_size)
        assert answered is not None
        one = self.connection(
            offered, answered, is_incoming=False, listener=caller, config=active
        )
        two = self.connection(
            offered,
            answered,
            is_incoming=True,
            listener=called,
            config=passive,
            max_message_length=max_message_length,
        )
        if start:
            await two.start()
            await one.start()
            await two.established()
        return one, two

    def waiting(
        self,
        listener: msrp.MsrpListener,
        *,
        peer: str = "rawpeer",
        fingerprints: tuple[msrp.LocalCertificate, ...] = (),
        config: msrp.SessionConfig | None = None,
        connect_timeout: float = 30.0,
        max_message_length: int = 20_000_000,
        accept_types: tuple[str, ...] = ("text/plain", "image/*"),
    ) -> msrp.MsrpConnection:
        """Make a passive session whose peer is a raw one."""
        scheme = "msrps" if listener.secure else "msrp"
        offered = msrp.offer_media(
            msrp.MsrpUri(scheme, "127.0.0.1", 9, peer),
            setup="active",
            accept_types=("text/plain", "*"),
            fingerprints=[cert.fingerprint for cert in fingerprints],
        )
        answered = listener.answer(offered, accept_types=accept_types)
        assert answered is not None
        return self.connection(
            offered,
            answered,
            is_incoming=True,
            listener=listener,
            config=config,
            connect_timeout=connect_timeout,
            max_message_length=max_message_length,
        )

    def calling(
        self,
        port: int,
        *,
        host: str = "127.0.0.1",
        name: str = "caller",
        secure: bool = False,
        fingerprints: tuple[msrp.LocalCertificate, ...] = (),
        local_cert: msrp.LocalCertificate | None = None,
        listener: msrp.MsrpListener | None = None,
        config: msrp.SessionConfig | None = None,
        connect_timeout: float = 30.0,
    ) -> msrp.MsrpConnection:
        """Make an active session to whatever is at a port."""
        scheme = "msrps" if secure else "msrp"
        own = local_cert or msrp.LocalCertificate.self_signed() if secure else None
        offered = msrp.offer_media(
            msrp.MsrpUri(scheme, "127.0.0.1", 9, name),
            setup="active",
            fingerprints=[own.fingerprint] if own else [],
        )
        answered = msrp.answer_media(
            offered,
            msrp.MsrpUri(scheme, host, port, "rawpeer"),
            accept_types=("text/plain", "*"),
            fingerprints=[cert.fingerprint for cert in fingerprints],
        )
        assert answered is not None
        return self.connection(
            offered,
            answered,
            is_incoming=False,
            listener=listener,
            local_cert=own,
            config=config,
            connect_timeout=connect_timeout,
        )

    async def raw(self, port: int) -> RawPeer:
        """Connect to a port as a peer of which every octet is ours."""
        peer = RawPeer(*await asyncio.open_connection("127.0.0.1", port))
        self._stack.push_async_callback(peer.close)
        return peer

    async def raw_server(
        self, serve: Callable[[RawPeer], Coroutine[None, None, None]]
    ) -> int:
        """Listen with a raw peer, and return the port."""
        tasks: set[asyncio.Task[None]] = set()

        async def run(peer: RawPeer) -> None:
            try:
                await serve(peer)
            finally:
                await peer.close()

        def accepted(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            tasks.add(asyncio.create_task(run(RawPeer(reader, writer))))

        server = await asyncio.start_server(accepted, "127.0.0.1", 0)

        async def close() -> None:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self._stack.push_async_callback(close)
        port: int = server.sockets[0].getsockname()[1]
        return port

    def log(self, *connections: msrp.MsrpConnection) -> Log:
        """Set all hooks of some connections, and return where it is written."""
        log = Log()
        for connection in connections:
            connection.on_text_message_received(log.events.append)
            connection.on_attachment_received(log.events.append)
            connection.on_connection_established(log.events.append)
            connection.on_connection_failed(log.events.append)
            connection.on_connection_lost(log.events.append)
            connection.on_message_delivery_failed(log.events.append)
            connection.on_report_received(log.events.append)
            connection.on_message_refused(log.events.append)
            connection.on_incomplete_message(log.events.append)
            connection.on_closed(log.events.append)
        return log

    def take_problems(self) -> list[dict[str, object]]:
        """Return what the loop was told of failures, and forget it."""
        problems, self.problems = self.problems, []
        return problems

    @staticmethod
    async def until(condition: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110  # It may be anything.
                await asyncio.sleep(0.002)

    @staticmethod
    async def turns(count: int = 20) -> None:
        """Let the loop go round a few times."""
        for _ in range(count):
            await asyncio.sleep(0)


@pytest_asyncio.fixture
async def board() -> AsyncIterator[Board]:
    """Give what makes sessions; nothing may have gone wrong unseen at the end."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        board = Board(stack)
        loop.set_exception_handler(
            lambda _, context: board.problems.append(dict(context))
        )
        async with asyncio.timeout(50):
            yield board
    await asyncio.sleep(0)
    gc.collect(1)  # So that futures nobody has looked at are heard of.
    assert board.problems == []


@pytest.fixture(scope="session")
def certs() -> tuple[msrp.LocalCertificate, msrp.LocalCertificate]:
    """Give a certificate for each side."""
    return (
        msrp.LocalCertificate.self_signed("active"),
        msrp.LocalCertificate.self_signed("passive"),
    )


@pytest.fixture(params=["tcp", "tls"])
def either(
    request: pytest.FixtureRequest,
    certs: tuple[msrp.LocalCertificate, msrp.LocalCertificate],
) -> tuple[msrp.LocalCertificate, msrp.LocalCertificate] | None:
    """Run a test over TCP and over TLS."""
    return certs if request.param == "tls" else None


@pytest.fixture
def quick() -> msrp.SessionConfig:
    """Give a session that is impatient."""
    return replace(msrp.SessionConfig(), response_timeout=0.3, binding_patience=0.2)
