"""The wire log of one connection: see :mod:`msrp.wire_log`."""

from __future__ import annotations

import asyncio
import datetime

from msrp.sansio.wire_tap import WireTap
from msrp.wire_log import WireDirection, WireLog, WireMessage

__all__ = ["Tap"]


class Tap:
    """Listens in on both directions of one connection.

    Args:
        log: Whom to tell; what it raises is the application's, and stays away from
            the protocol.
        peer: The other end.
        max_body: Octets of one chunk's body to keep.
    """

    __slots__ = ("_log", "_received", "_sent")

    def __init__(self, log: WireLog, *, peer: str, max_body: int) -> None:
        self._log = log
        self._received, self._sent = (
            WireTap(direction, self._tell, peer=peer, max_body=max_body)
            for direction in (WireDirection.RECEIVED, WireDirection.SENT)
        )

    def received(self, data: bytes) -> None:
        """Take what was read."""
        self._received.feed(data, _now())

    def sent(self, data: bytes) -> None:
        """Take what was handed to the transport."""
        self._sent.feed(data, _now())

    def close(self) -> None:
        """Tell what has begun, and ends with the connection."""
        self._received.close(_now())
        self._sent.close(_now())

    def _tell(self, message: WireMessage) -> None:
        try:
            self._log(message)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the wire log failed", "exception": error}
            )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
