"""The room that a loop reads into, lent to one connection after the other.

A transport that isn't given any makes 256 KiB for each read, which the system has to
find and to take back: for a line of text that costs more than the line.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

__all__ = ["SIZE", "buffer_of"]

SIZE = 512 * 1024
"""Octets to read at a time, twice as many as asyncio does.  With more, all others would
wait longer for a peer that sends nothing but short messages, and those without end."""

# A loop reads into it and has it emptied before it reads again, whoever it is for.
_BUFFERS: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()


def buffer_of(loop: asyncio.AbstractEventLoop) -> memoryview:
    """Return the buffer of a loop: what is in it lasts until the callback is over."""
    buffer = _BUFFERS.get(loop)
    if buffer is None:
        buffer = _BUFFERS[loop] = memoryview(bytearray(SIZE))
    return buffer
