"""How many octets a message and its response have on the wire, counted there.

The bare peers move as many.  They are counted by a third party in the middle, which
passes on all that comes, so that no figure here has to be kept in step with what is
written into a header field.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import msrp
import sdp

__all__ = ["Octets", "count"]

_MESSAGES = 20


@dataclass(frozen=True, slots=True)
class Octets:
    """What one chunk costs on the wire."""

    request: int
    """Octets of the chunk with its head and end-line."""

    response: int
    """Octets of what answers it."""


async def count(size: int) -> Octets:
    """Count the octets of a text that goes in one chunk, and of its response."""
    there, back = _Tally(), _Tally()
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(
            # The port in its URI is going to be another's.
            msrp.MsrpListener("127.0.0.1", 0, any_host=True)
        )
        middle = await asyncio.start_server(
            lambda reader, writer: _pass_on(reader, writer, listener.port, there, back),
            "127.0.0.1",
            0,
        )
        await stack.enter_async_context(middle)
        port = middle.sockets[0].getsockname()[1]
        uri = msrp.MsrpUri("msrp", "127.0.0.1", 9, "benchmark0")
        offered = msrp.offer_media(uri, setup="active")
        answered = listener.answer(offered)
        assert answered is not None
        seen = sdp.MediaDescription.parse(
            str(answered).replace(str(listener.port), str(port))
        )
        taker = msrp.MsrpConnection.create_from_sdp(
            offered, answered, is_incoming=True, listener=listener
        )
        taker.on_text_message_received(lambda _: None)
        await stack.enter_async_context(taker)
        sender = msrp.MsrpConnection.create_from_sdp(offered, seen, is_incoming=False)
        await stack.enter_async_context(sender)
        before = there.octets, back.octets
        for _ in range(_MESSAGES):
            sent = await sender.send_text("x" * size)
            await sent.delivered()
        return Octets(
            (there.octets - before[0]) // _MESSAGES,
            (back.octets - before[1]) // _MESSAGES,
        )


class _Tally:
    def __init__(self) -> None:
        self.octets = 0

    def add(self, octets: int) -> None:
        self.octets += octets


async def _pass_on(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    port: int,
    there: _Tally,
    back: _Tally,
) -> None:
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
    await asyncio.gather(
        _carry(reader, far_writer, there.add), _carry(far_reader, writer, back.add)
    )


async def _carry(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    tell: Callable[[int], None],
) -> None:
    while data := await reader.read(1 << 16):
        tell(len(data))
        writer.write(data)
    writer.close()
    await writer.wait_closed()
