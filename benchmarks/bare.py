"""Two protocols that move octets in the pattern of MSRP and parse nothing."""

from __future__ import annotations

import asyncio
import time

WINDOW = 32
"""Unanswered records, as many as MSRP's default."""

PIECE = 64 * 1024


class BareReceiver(asyncio.Protocol):
    """Counts octets and answers each full record with some others."""

    def __init__(self, record_size: int, answer_size: int) -> None:
        self._record_size = record_size
        self._answer = bytes(answer_size)
        self._have = 0
        self._closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._have += len(data)
        full, self._have = divmod(self._have, self._record_size)
        if full:
            self._transport.write(self._answer * full)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def wait_closed(self) -> None:
        await self._closed.wait()


class _BareSender(asyncio.Protocol):
    def __init__(self, records: int, record_size: int, answer_size: int) -> None:
        self._left = records
        self._unanswered = 0
        self._record = bytes(record_size)
        self._answer_size = answer_size
        self._have = 0
        self._paused = False
        self._pieces = 0
        self.done = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def _send(self) -> None:
        while not self._paused and self._left and self._unanswered < WINDOW:
            if len(self._record) <= PIECE:
                self._transport.write(self._record)
            else:
                at = self._pieces * PIECE
                self._transport.write(self._record[at : at + PIECE])
                self._pieces += 1
                if self._pieces * PIECE < len(self._record):
                    continue
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


async def send_bare(
    port: int, records: int, record_size: int, answer_size: int
) -> float:
    """Send records to a :class:`BareReceiver`; return how long it took."""
    sender = _BareSender(records, record_size, answer_size)
    began = time.perf_counter()
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: sender, "127.0.0.1", port
    )
    await sender.done.wait()
    took = time.perf_counter() - began
    transport.close()
    return took
