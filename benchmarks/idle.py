"""Memory of sessions in which nothing happens, beside that of bare connections.

A process listens, another one connects to it some thousand times and says one thing on
each connection: the empty request that binds a session.  Then the first says by how
much it has grown.  It does so once with a protocol that does nothing, and once with a
session for each connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import os
import resource
import ssl
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import msrp
from benchmarks.channel import BenchmarkFailed
from benchmarks.traffic import write_certificate
from msrp.negotiation import Fingerprint, Negotiated, negotiate

__all__ = ["measure"]

TCP_SESSIONS = 5000
TLS_SESSIONS = 1500
"""Fewer, for each takes a handshake: the memory of one is the same."""

_AT_ONCE = 50
"""Connections that are being opened at a time."""

_TIMEOUT = 60.0
_KIB = 1024


def measure() -> list[tuple[str, list[float]]]:
    """Return what a session takes more than a bare connection, in KiB.

    Raises:
        RuntimeError: The system doesn't say how much memory a process has, or allows
            too few connections.
    """
    if not Path("/proc/self/statm").exists():
        raise RuntimeError("the system doesn't say how much memory a process has")
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, list[float]]]:
    found: list[tuple[str, list[float]]] = []
    with tempfile.TemporaryDirectory(prefix="idle-") as directory:
        pem = Path(directory) / "certificate.pem"
        write_certificate(pem)
        for name, sessions, secure in (
            ("idle sessions over TCP", TCP_SESSIONS, ""),
            ("idle sessions over TLS", TLS_SESSIONS, str(pem)),
        ):
            bare = await _growth("bare", sessions, secure)
            ours = await _growth("ours", sessions, secure)
            found.append((name, [(ours - bare) / sessions / _KIB]))
    return found


async def _growth(role: str, sessions: int, pem: str) -> int:
    """Return the octets by which a listening process has grown."""
    async with _process(role, str(sessions), pem) as (said, say):
        port = await said()
        async with _process("caller", str(port), str(sessions), pem) as (there, _):
            await there()
            say.write(b"\n")
            return await said()


_Said = Callable[[], Awaitable[int]]


@contextlib.asynccontextmanager
async def _process(
    *arguments: str,
) -> AsyncIterator[tuple[_Said, asyncio.StreamWriter]]:
    """Run this module in a role; it ends with what it reads."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.idle", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parent.parent,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    stdout = process.stdout

    async def said() -> int:
        async with asyncio.timeout(_TIMEOUT):
            line = await stdout.readline()
        if not line:
            raise BenchmarkFailed(f"{arguments[0]} has said nothing")
        return int(line)

    try:
        yield said, process.stdin
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


# The processes.


def _uri(port: int, number: int, secure: bool) -> msrp.MsrpUri:
    return msrp.MsrpUri("msrps" if secure else "msrp", "127.0.0.1", port, f"s{number}")


class _Idle(asyncio.Protocol):
    """What every asyncio connection has, and nothing more; it answers once."""

    __slots__ = ("transport",)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(b"So be it.")


async def _bare(sessions: int, pem: str) -> None:
    context = None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        # Both sides of a message session show a certificate, so here they do, too.
        context.load_verify_locations(pem)
        context.verify_mode = ssl.CERT_REQUIRED
    protocols: list[_Idle] = []

    def new() -> _Idle:
        protocols.append(_Idle())
        return protocols[-1]

    loop = asyncio.get_running_loop()
    server = await loop.create_server(new, "127.0.0.1", 0, ssl=context, backlog=1000)
    before = _resident()
    print(server.sockets[0].getsockname()[1], flush=True)
    await _wait_for_a_line()
    assert len(protocols) == sessions
    print(_resident() - before, flush=True)


async def _ours(sessions: int, pem: str) -> None:
    certificate = msrp.LocalCertificate.load(pem) if pem else None
    async with msrp.MsrpListener("127.0.0.1", 0, local_cert=certificate) as listener:
        before = _resident()
        ends: list[msrp.MsrpConnection] = []
        for number in range(sessions):
            negotiated = _negotiated(listener.port, number, certificate)
            end = msrp.MsrpConnection(negotiated, listener=listener)
            end.on_text_message_received = lambda event: None
            await end.start()
            ends.append(end)
        print(listener.port, flush=True)
        await _wait_for_a_line()
        assert all(end.is_open for end in ends)
        print(_resident() - before, flush=True)


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


async def _call(port: int, sessions: int, pem: str) -> None:
    context = None
    if pem:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.load_cert_chain(pem)
    room = asyncio.Semaphore(_AT_ONCE)
    writers: list[asyncio.StreamWriter] = []

    async def bind(number: int) -> None:
        to_path = _uri(port, number, bool(pem))
        request = (
            f"MSRP t{number:05} SEND\r\nTo-Path: {to_path}\r\n"
            f"From-Path: {'msrps' if pem else 'msrp'}://127.0.0.1:9/p{number};tcp\r\n"
            f"Message-ID: m{number:05}\r\nByte-Range: 1-0/0\r\n-------t{number:05}$\r\n"
        )
        async with room:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=context
            )
            writer.write(request.encode())
            await reader.read(1000)
            writers.append(writer)

    async with asyncio.TaskGroup() as group:
        for number in range(sessions):
            group.create_task(bind(number))
    print(len(writers), flush=True)
    await _wait_for_a_line()


async def _wait_for_a_line() -> None:
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.readline)


def _resident() -> int:
    """Return the octets of memory that the process really has."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # Not all systems have it.
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _main(arguments: Sequence[str]) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    role, *rest = arguments
    if role == "caller":
        asyncio.run(_call(int(rest[0]), int(rest[1]), rest[2]))
    else:
        asyncio.run((_bare if role == "bare" else _ours)(int(rest[0]), rest[1]))


if __name__ == "__main__":
    _main(sys.argv[1:])
