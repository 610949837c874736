"""Messages put together from the octets of one direction, for a log.

It stands beside the core and not in it: it has a parser of its own, and costs nothing
where nobody keeps a log.
"""

from __future__ import annotations

import datetime

from msrp.headers import salvage_path
from msrp.sansio.parser import (
    BodyReceived,
    Parser,
    RequestReceived,
    ResponseReceived,
)
from msrp.wire_log import WireDirection, WireLog, WireMessage

__all__ = ["WireTap"]

_MAX_HEAD_SIZE = 1024 * 1024
"""Octets of a head: above what :class:`~msrp.Limits` sets, so that all is logged that
is read."""


class WireTap:
    """Gives a log the messages of one direction of a connection.

    Args:
        direction: Which.
        log: What is called with each.
        peer: The other end.
        max_body: Octets of one chunk's body to keep; the rest is only counted.
    """

    __slots__ = (
        "_direction",
        "_end_line",
        "_kept",
        "_log",
        "_max_body",
        "_parser",
        "_peer",
        "_room",
        "_session_id",
        "_size",
    )

    def __init__(
        self, direction: WireDirection, log: WireLog, *, peer: str, max_body: int
    ) -> None:
        self._direction = direction
        self._log = log
        self._peer = peer
        self._max_body = max_body
        self._parser = Parser(_MAX_HEAD_SIZE)
        self._kept: list[bytes] = []
        self._room = 0
        self._size = 0
        self._end_line = b""
        self._session_id: str | None = None

    def feed(self, data: bytes, time: datetime.datetime) -> None:
        """Take octets as they go over the wire, and log the messages that they end."""
        for event in self._parser.receive_data(data):
            match event:
                case RequestReceived():
                    start = f"MSRP {event.transaction_id} {event.method}"
                    self._begin(event.transaction_id, start, event.block)
                    if event.has_body:
                        self._add(b"\r\n\r\n")
                case ResponseReceived():
                    head = event.head
                    start = f"MSRP {head.transaction_id} {head.code:03}"
                    start += f" {head.comment}" if head.comment else ""
                    self._begin(head.transaction_id, start, event.block)
                case BodyReceived():
                    self._add_body(event.data)
                case _:  # The end.
                    self._add(self._end_line + event.flag.value + b"\r\n")
                    self._tell(time, is_complete=True)

    def close(self, time: datetime.datetime) -> None:
        """Log what has begun and will have no end."""
        if self._kept:
            self._tell(time, is_complete=False)

    def _begin(self, transaction_id: str, start: str, block: bytes) -> None:
        ours = b"to-path" if self._direction is WireDirection.RECEIVED else b"from-path"
        path = salvage_path(block, ours)
        self._session_id = path[0].session_id if path else None
        self._room = self._max_body
        self._add(start.encode() + (b"\r\n" + block if block else b""))
        self._end_line = b"\r\n-------" + transaction_id.encode()

    def _add_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._room:
            self._kept.append(data[: self._room])
            self._room -= len(self._kept[-1])

    def _add(self, octets: bytes) -> None:
        self._kept.append(octets)
        self._size += len(octets)

    def _tell(self, time: datetime.datetime, *, is_complete: bool) -> None:
        octets, size = b"".join(self._kept), self._size
        self._kept, self._size = [], 0
        self._log(
            WireMessage(
                direction=self._direction,
                time=time,
                session_id=self._session_id,
                peer=self._peer,
                octets=octets,
                size=size,
                is_complete=is_complete,
            )
        )
