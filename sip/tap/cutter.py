"""A stream cut into the octets of its messages."""

from __future__ import annotations

import datetime
import re
from typing import NamedTuple

from sip.wire import MAX_BODY_SIZE, MAX_HEAD_SIZE

__all__ = ["Cut", "MessageCutter"]

_LENGTH = re.compile(rb"\r\n(?:content-length|l)[ \t]*+:[ \t]*+([0-9]{1,10})", re.I)
_END_OF_HEAD = b"\r\n\r\n"


class Cut(NamedTuple):
    """The octets of one message."""

    octets: bytes
    began: datetime.datetime
    """When the first of them went by."""


class MessageCutter:
    """Cuts one direction of a connection into messages, as far as they are such.

    Args:
        beginning: What has gone by already of a message that goes on.
        skip: How many octets are still to come of a message that had begun before
            anybody listened.
    """

    __slots__ = ("_began", "_buffer", "_searched", "_skip", "broken")

    def __init__(self, beginning: bytes = b"", skip: int = 0) -> None:
        self._buffer = bytearray(beginning)
        self._skip = skip
        self._searched = 0
        self._began: datetime.datetime | None = None
        self.broken = False
        """Whether what goes by can't be told from anything else any more."""

    def feed(self, data: bytes, now: datetime.datetime) -> list[Cut]:
        """Take octets as they go by, and return the messages that they end."""
        if self.broken:
            return []
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._buffer += data
        cuts: list[Cut] = []
        while (message := self._next()) is not None:
            cuts.append(Cut(message, self._began or now))
            self._began = None
        if self._buffer and self._began is None:
            self._began = now
        return cuts

    def _next(self) -> bytes | None:
        """Take the next message out of the buffer, if all of it is there."""
        buffer = self._buffer
        empty = len(buffer) - len(buffer.lstrip(b"\r\n"))
        if empty:  # Pings, and their answers.
            del buffer[:empty]
            self._searched, self._began = 0, None
        end = buffer.find(_END_OF_HEAD, self._searched)
        if end < 0:
            self._searched = max(0, len(buffer) - len(_END_OF_HEAD) + 1)
            self.broken = len(buffer) > MAX_HEAD_SIZE
            return None
        self._searched = end
        length = _LENGTH.search(buffer, 0, end + 2)
        size = end + len(_END_OF_HEAD) + (int(length[1]) if length else 0)
        if size > MAX_HEAD_SIZE + MAX_BODY_SIZE:
            self.broken = True
            return None
        if len(buffer) < size:
            return None
        message = bytes(buffer[:size])
        del buffer[:size]
        self._searched = 0
        return message
