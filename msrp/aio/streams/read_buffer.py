"""The room that a loop reads into, lent to one connection after the other.

A transport that isn't given any makes 256 KiB for each read, which the system has to
find and to take back: for a line of text that costs more than the line.
"""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

__all__ = ["MARGIN", "SIZE", "USUAL_SIZE", "ReadBuffer", "buffer_of"]

SIZE = 1024 * 1024
"""Octets to read at a time in the midst of a long message: for each read of one the
same is done, however much it was."""

USUAL_SIZE = 256 * 1024
"""Octets to read at a time else, as asyncio does.  All others wait for as many short
messages as fit in, and what becomes of a message is best seen when little has come."""

MARGIN = 32 * 1024
"""Octets of room in front of those: two records of TLS."""


class ReadBuffer:
    """Room for one read.  What is in it lasts until the callback is over."""

    __slots__ = ("octets", "usual", "whole")

    def __init__(self) -> None:
        self.whole = bytearray(MARGIN + SIZE)
        """The room with its margin, for who puts back what it makes of the octets."""
        self.octets = memoryview(self.whole)[MARGIN:]
        """What is read into in the midst of a long message."""
        self.usual = self.octets[:USUAL_SIZE]
        """What is read into else: the first of them."""


# A loop reads into it and has it emptied before it reads again, whoever it is for.
_BUFFERS: WeakKeyDictionary[asyncio.AbstractEventLoop, ReadBuffer] = WeakKeyDictionary()


def buffer_of(loop: asyncio.AbstractEventLoop) -> ReadBuffer:
    """Return the buffer of a loop."""
    buffer = _BUFFERS.get(loop)
    if buffer is None:
        buffer = _BUFFERS[loop] = ReadBuffer()
    return buffer
