"""The requests and responses in one direction of a connection."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Protocol

from msrp.headers import ContinuationFlag, salvage_path
from msrp.sansio.parser import (
    BodyReceived,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from recording import Direction

__all__ = ["MAX_HEAD_SIZE", "WireListener", "WireMessage", "WireReader"]

MAX_HEAD_SIZE = 1024 * 1024
"""Octets of a head: above what :class:`~msrp.Limits` sets, so that all is heard that
is read."""


@dataclass(slots=True, eq=False)
class WireMessage:
    """One request or response, while it goes over the wire and afterwards."""

    direction: Direction
    transaction_id: str
    method: str | None
    """``None`` for a response."""

    code: int | None
    """``None`` for a request."""

    block: bytes
    """The header section."""

    has_body: bool
    session_id: str | None
    """Of the session of ours that it is to or from; ``None`` if it doesn't say."""

    head: bytes
    """From ``MSRP`` to where the body or the end-line begins."""

    began: datetime.datetime
    ended: datetime.datetime | None = None
    """When its last octet went by; ``None`` if that is still to come, or never will."""

    body: list[bytes] = field(default_factory=list)
    """Its octets, up to a bound."""

    body_kept: int = 0
    body_size: int = 0
    """Octets that it has, and has had so far."""

    end_line: bytes = b""
    flag: ContinuationFlag | None = None

    @property
    def kept(self) -> int:
        """Octets that are held."""
        return len(self.head) + self.body_kept + len(self.end_line)

    @property
    def size(self) -> int:
        """Octets that went over the wire."""
        return len(self.head) + self.body_size + len(self.end_line)

    @property
    def octets(self) -> bytes:
        """All that is held, as it went over the wire."""
        return b"".join((self.head, *self.body, self.end_line))


class WireListener(Protocol):
    """Who is told what goes over a wire."""

    def began(self, message: WireMessage) -> None:
        """Be told of a request or response whose head is complete."""

    def went_on(self, message: WireMessage, time: datetime.datetime) -> None:
        """Be told that some of its body went by."""

    def ended(self, message: WireMessage) -> None:
        """Be told of its last octet, or that it breaks off."""


class WireReader:
    """Finds the messages in one direction of a connection.

    Args:
        direction: Which.
        listener: Is told of each.
        max_body: Octets of one body to keep; the rest is only counted.
        parser: One that is in step with the stream, if that runs already.
    """

    __slots__ = (
        "_direction",
        "_listener",
        "_max_body",
        "_open",
        "_parser",
        "_since",
    )

    def __init__(
        self,
        direction: Direction,
        listener: WireListener,
        *,
        max_body: int,
        parser: Parser | None = None,
    ) -> None:
        self._direction = direction
        self._listener = listener
        self._max_body = max_body
        self._parser = parser or Parser(MAX_HEAD_SIZE)
        self._open: WireMessage | None = None
        self._since: datetime.datetime | None = None
        """When the first octet came of a head that isn't complete."""

    def feed(self, data: bytes, now: datetime.datetime) -> None:
        """Take octets as they go over the wire."""
        for event in self._parser.receive_data(data):
            match event:
                case RequestReceived() | ResponseReceived():
                    self._begin(event, self._since or now)
                    self._since = None
                case _ if self._open is None:
                    pass  # Of a message that had begun before anybody listened.
                case BodyReceived():
                    self._add(self._open, event.data, now)
                case _:
                    self._end(self._open, event.flag, now)
        if self._open is None and self._since is None and self._parser.in_message:
            self._since = now

    def close(self) -> None:
        """Tell of what has begun and will have no end."""
        message, self._open = self._open, None
        if message is not None:
            self._listener.ended(message)

    def _begin(
        self, event: RequestReceived | ResponseReceived, began: datetime.datetime
    ) -> None:
        has_body = False
        method = code = None
        if isinstance(event, ResponseReceived):
            transaction_id, code = event.head.transaction_id, event.head.code
            start = f"{code:03}"
            if event.head.comment:
                start += f" {event.head.comment}"
        else:
            transaction_id, start = event.transaction_id, event.method
            method, has_body = event.method, event.has_body
        block = event.block
        head = f"MSRP {transaction_id} {start}".encode()
        head += (b"\r\n" + block if block else b"") + (b"\r\n\r\n" if has_body else b"")
        received = self._direction is Direction.RECEIVED
        path = salvage_path(block, b"to-path" if received else b"from-path")
        self._open = WireMessage(
            self._direction,
            transaction_id,
            method,
            code,
            block,
            has_body,
            path[0].session_id if path else None,
            head,
            began,
        )
        self._listener.began(self._open)

    def _add(self, message: WireMessage, data: bytes, now: datetime.datetime) -> None:
        message.body_size += len(data)
        room = self._max_body - message.body_kept
        if room > 0:
            message.body.append(data[:room])
            message.body_kept += len(message.body[-1])
        self._listener.went_on(message, now)

    def _end(
        self, message: WireMessage, flag: ContinuationFlag, now: datetime.datetime
    ) -> None:
        end_line = f"\r\n-------{message.transaction_id}".encode()
        message.end_line = end_line + flag.value + b"\r\n"
        message.flag = flag
        message.ended = now
        self._open = None
        self._listener.ended(message)
