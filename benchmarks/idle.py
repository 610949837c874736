"""Memory of sessions in which nothing happens, beside that of bare connections.

One worker listens, another one connects to it some thousand times and says one thing on
each connection: the empty request that binds a session.  The listener grows by so much;
in one run there is a protocol that does nothing for each connection, and a session.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import socket
import ssl
import statistics
import tempfile
import time
from pathlib import Path

import msrp
from benchmarks.bare import client_tls, server_tls
from benchmarks.channel import BenchmarkFailed, Channel, Json, Worker
from benchmarks.effort import Effort
from benchmarks.figures import Measured
from benchmarks.rows import row
from benchmarks.traffic import write_certificate
from msrp.negotiation import Fingerprint, Negotiated, negotiate

__all__ = ["bare", "call", "growth", "idle_sessions", "ours"]

_FULL, _LEAST, _LEAST_TLS = 5000, 1000, 250
_SECONDS = 2.0
"""What a run may take after the first one."""

_FIRST_SESSIONS = 100
"""Sessions before the memory is looked at for the first time: what is imported,
compiled and kept on first use belongs to none of them."""

_TIMEOUT = 60.0
"""Seconds until a listener that doesn't answer has failed."""

_STATM = Path("/proc/self/statm")
_KIB = 1024


async def idle_sessions(effort: Effort) -> list[Measured]:
    """What a session takes more than a bare connection, over TCP and over TLS."""
    _require_memory_figures()
    with tempfile.TemporaryDirectory(prefix="idle-") as directory:
        pem = Path(directory) / "certificate.pem"
        write_certificate(pem)
        return [
            await _measured("idle-tcp", None, _LEAST, effort),
            await _measured("idle-tls", str(pem), _LEAST_TLS, effort),
        ]


def _require_memory_figures() -> None:
    if not _STATM.exists():
        raise BenchmarkFailed("the system doesn't say how much memory a process has")


async def _measured(
    name: str, certificate: str | None, least: int, effort: Effort
) -> Measured:
    """All of the sessions in the first run, and in the others if there is time."""
    began = time.perf_counter()
    first = await _run(_FULL, certificate)
    cost = (time.perf_counter() - began) / _FULL
    sessions = effort.size(_FULL, least, cost, _SECONDS)
    runs = [first]
    for _ in range(effort.runs - 1):
        runs.append(await _run(sessions, certificate))
    more = tuple(ours - bare for ours, bare in runs)
    ours, bare = (statistics.median(side) for side in zip(*runs, strict=True))
    return Measured(
        row(name),
        more,
        f"{_FULL:,} sessions, then {sessions:,}",
        f"{ours:,.1f} and {bare:,.1f} KiB",
    )


async def _run(sessions: int, certificate: str | None) -> tuple[float, float]:
    """Return the KiB of a session, and those of a bare connection."""
    # At the same time, as memory isn't less where others are busy, too.
    octets = await asyncio.gather(
        growth("ours", sessions, certificate), growth("bare", sessions, certificate)
    )
    ours, bare = (one / sessions / _KIB for one in octets)
    return ours, bare


async def growth(job: str, sessions: int, certificate: str | None) -> int:
    """Return the octets by which a process grows that waits for so many sessions.

    Args:
        job: What it does, ``bare`` or ``ours``.
        sessions: How many.
        certificate: The PEM file of both sides, for TLS.
    """
    async with Worker() as listener, Worker() as caller:
        await listener.begin(f"idle:{job}", certificate=certificate)
        port = await listener.hear()
        await caller.begin("idle:call", port=port, certificate=certificate)
        resident: list[int] = []
        for count in (_FIRST_SESSIONS, sessions):
            for worker in (listener, caller):
                await worker.tell(count)
                await worker.hear()
            await listener.tell("all are there")
            octets = await listener.hear()
            assert isinstance(octets, int)
            resident.append(octets)
        # The ends of so many sessions would take as long again.
        listener.kill()
        caller.kill()
    return resident[1] - resident[0]


# What the workers do: each time they are told a number, so many sessions more.


class _Idle(asyncio.Protocol):
    """What every asyncio connection has, and nothing more; it answers once."""

    __slots__ = ("transport",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"So be it.")


async def bare(channel: Channel, *, certificate: str | None) -> None:
    """Wait for connections; say how much memory this process has with them."""
    context = server_tls(certificate)
    if context is not None:
        # Both sides of a message session show a certificate, so here they do, too.
        context.load_verify_locations(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    protocols: list[_Idle] = []

    def new() -> _Idle:
        protocols.append(_Idle())
        return protocols[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(new, "127.0.0.1", 0, ssl=context)
    channel.tell(server.sockets[0].getsockname()[1])
    awaited = 0
    while True:
        awaited += _number(await channel.hear())
        channel.tell("ready")
        await channel.hear()
        assert len(protocols) == awaited
        channel.tell(_resident())


async def ours(channel: Channel, *, certificate: str | None) -> None:
    """Wait for sessions; say how much memory this process has with them."""
    own = msrp.LocalCertificate.load(certificate) if certificate else None
    async with msrp.MsrpListener("127.0.0.1", 0, local_cert=own) as listener:
        channel.tell(listener.port)
        ends: list[msrp.MsrpConnection] = []
        while True:
            for _ in range(_number(await channel.hear())):
                negotiated = _negotiated(listener.port, len(ends), own)
                end = msrp.MsrpConnection(negotiated, listener=listener)
                end.on_text_message_received = lambda event: None
                await end.start()
                ends.append(end)
            channel.tell("ready")
            await channel.hear()
            assert all(end.is_open for end in ends)
            channel.tell(_resident())


async def call(channel: Channel, *, port: int, certificate: str | None) -> None:
    """Connect, say what binds a session, and wait until that was answered."""
    context = client_tls(certificate)
    if context is not None and certificate is not None:
        context.load_cert_chain(certificate)
    there: list[socket.socket] = []
    while True:
        for _ in range(_number(await channel.hear())):
            there.append(_bind(port, len(there), context))
        channel.tell(len(there))


def _bind(port: int, number: int, context: ssl.SSLContext | None) -> socket.socket:
    # There is nothing else to do in this process, so it may well stand still.
    to_path = _uri(port, number, context is not None)
    from_path = msrp.MsrpUri(to_path.scheme, "127.0.0.1", 9, f"p{number}")
    request = (
        f"MSRP t{number:05} SEND\r\nTo-Path: {to_path}\r\nFrom-Path: {from_path}\r\n"
        f"Message-ID: m{number:05}\r\nByte-Range: 1-0/0\r\n-------t{number:05}$\r\n"
    )
    connection = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT)
    if context is not None:
        connection = context.wrap_socket(connection)
    connection.sendall(request.encode())
    connection.recv(1000)
    return connection


def _number(told: Json) -> int:
    assert isinstance(told, int)
    return told


def _uri(port: int, number: int, secure: bool) -> msrp.MsrpUri:
    return msrp.MsrpUri("msrps" if secure else "msrp", "127.0.0.1", port, f"s{number}")


def _negotiated(
    port: int, number: int, certificate: msrp.LocalCertificate | None
) -> Negotiated:
    """Return what a call would have brought; both sides show the same certificate."""
    secure = certificate is not None
    prints = [Fingerprint.of_certificate(certificate.der)] if certificate else []
    peer = msrp.MsrpUri("msrps" if secure else "msrp", "127.0.0.1", 9, f"p{number}")
    offered = msrp.offer_media(peer, setup="active", fingerprints=prints)
    answered = msrp.answer_media(
        offered, _uri(port, number, secure), fingerprints=prints
    )
    assert answered is not None
    return negotiate(offered, answered, is_incoming=True)


def _resident() -> int:
    """Return the octets of memory that the process really has."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # Not all systems have it.
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(_STATM.read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
