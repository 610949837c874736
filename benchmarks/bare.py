"""Two protocols that move octets in the pattern of MSRP and parse nothing.

The sender writes records, each with a write of its own, and lets no more of them be
unanswered than the window says; the receiver answers each with a write of its own.
A record that is longer than :data:`PIECE` is written in pieces, as MSRP writes a long
chunk.  These are the baselines that `benchmarks/README.md` speaks of.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from functools import partial

from benchmarks.channel import Channel, Json

__all__ = [
    "PIECE",
    "answer",
    "client_tls",
    "ping",
    "send",
    "send_over_many",
    "server_tls",
]

PIECE = 64 * 1024


def server_tls(certificate: str | None) -> ssl.SSLContext | None:
    """Return what a server needs for TLS with this PEM file; nothing without one."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def client_tls(certificate: str | None) -> ssl.SSLContext | None:
    """The same for a client; it believes anybody."""
    if certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def answer(
    channel: Channel,
    *,
    record: int,
    answer: int,
    certificate: str | None = None,
    **_: Json,
) -> None:
    """Answer each record; say how many there were.

    Args:
        channel: Whom to tell.
        record: Octets of each.
        answer: Octets of each answer.
        certificate: The PEM file for TLS; without it there is none.
    """
    receivers: list[_Answerer] = []

    def new_receiver() -> _Answerer:
        receivers.append(_Answerer(record, answer))
        return receivers[-1]

    server = await asyncio.get_running_loop().create_server(
        new_receiver, "127.0.0.1", 0, ssl=server_tls(certificate)
    )
    async with server:
        channel.tell(server.sockets[0].getsockname()[1])
        await channel.hear()
        for receiver in receivers:
            await receiver.closed.wait()
    channel.tell({"records": sum(receiver.records for receiver in receivers)})


async def send(
    channel: Channel,
    *,
    where: int,
    records: int,
    record: int,
    answer: int,
    window: int,
    certificate: str | None = None,
    **_: Json,
) -> None:
    """Send records; say how many seconds it took until all were answered."""
    data = bytes(min(record, PIECE))
    if record > PIECE:
        data = _noise(record)
    sender = _Sender(data, answer, window)
    transport = await _connect(lambda: sender, where, certificate)
    began = time.perf_counter()
    sender.start(records)
    await sender.done.wait()
    took = time.perf_counter() - began
    transport.close()
    channel.tell({"seconds": took})


async def send_over_many(
    channel: Channel,
    *,
    where: int,
    connections: int,
    records: int,
    record: int,
    answer: int,
    window: int,
    rounds: int,
    **_: Json,
) -> None:
    """Send records over many connections, several times; say how long each took."""
    senders = [_Sender(bytes(record), answer, window) for _number in range(connections)]
    transports = []
    for sender in senders:
        transports.append(await _connect(partial(_itself, sender), where, None))
    took: list[Json] = []
    for _number in range(rounds):
        began = time.perf_counter()
        for sender in senders:
            sender.start(records // connections)
        for sender in senders:
            await sender.done.wait()
        took.append(time.perf_counter() - began)
    for transport in transports:
        transport.close()
    channel.tell({"seconds": took})


async def ping(
    channel: Channel, *, where: int, times: int, record: int, answer: int, **_: Json
) -> None:
    """Send a record, wait for its answer, and again; say how long each took."""
    pinger = _Pinger(bytes(record), answer)
    transport = await _connect(lambda: pinger, where, None)
    took: list[Json] = []
    for _number in range(times):
        began = time.perf_counter()
        await pinger.ping()
        took.append(time.perf_counter() - began)
    transport.close()
    channel.tell({"latencies": took})


def _itself(sender: _Sender) -> _Sender:
    return sender


def _noise(size: int) -> bytes:
    from benchmarks.sessions import noise

    return noise(size)


async def _connect(
    protocol: Callable[[], asyncio.Protocol], port: int, certificate: str | None
) -> asyncio.Transport:
    transport, _ = await asyncio.get_running_loop().create_connection(
        protocol,
        "127.0.0.1",
        port,
        ssl=client_tls(certificate),
        server_hostname="" if certificate else None,
    )
    return transport


class _Answerer(asyncio.Protocol):
    def __init__(self, record_size: int, answer_size: int) -> None:
        self.records = 0
        self.closed = asyncio.Event()
        self._record_size = record_size
        self._answer = bytes(answer_size)
        self._have = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._have += len(data)
        while self._have >= self._record_size:
            self._have -= self._record_size
            self.records += 1
            self._transport.write(self._answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


class _Sender(asyncio.Protocol):
    def __init__(self, record: bytes, answer_size: int, window: int) -> None:
        self._left = 0
        self._unanswered = 0
        self._window = window
        self._record = record
        self._answer_size = answer_size
        self._have = 0
        self._paused = False
        self._at = 0
        self.done = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def start(self, records: int) -> None:
        self._left = records
        self.done.clear()
        self._send()

    def _send(self) -> None:
        record, size = self._record, len(self._record)
        while self._left and not self._paused and self._unanswered < self._window:
            if size <= PIECE:
                self._transport.write(record)
            else:
                self._transport.write(record[self._at : self._at + PIECE])
                self._at += PIECE
                if self._at < size:
                    continue
                self._at = 0
            self._left -= 1
            self._unanswered += 1

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._send()

    def data_received(self, data: bytes) -> None:
        self._have += len(data)
        answered, self._have = divmod(self._have, self._answer_size)
        self._unanswered -= answered
        if not self._left and not self._unanswered:
            self.done.set()
        self._send()


class _Pinger(asyncio.Protocol):
    def __init__(self, record: bytes, answer_size: int) -> None:
        self._record = record
        self._answer_size = answer_size
        self._have = 0
        self._answered: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._have += len(data)
        if self._have >= self._answer_size:
            self._have -= self._answer_size
            assert self._answered is not None
            self._answered.set_result(None)

    async def ping(self) -> None:
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(self._record)
        await self._answered
