"""How a connection ends: in good order, and if need be without the peer's help."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from msrp.errors import RemoteProtocolError

if TYPE_CHECKING:
    from msrp.aio.streams.stream import StreamProtocol

__all__ = ["CLOSING_TIME", "Closing"]

logger = logging.getLogger("msrp.stream")

CLOSING_TIME = 3.0
"""Seconds that a peer has to read our last octets, and to end TLS in good order."""


class Closing:
    """The end of one connection; made when it is closed, or somebody waits for that.

    Args:
        stream: The connection.
    """

    __slots__ = ("_gone", "_patience", "_stream")

    def __init__(self, stream: StreamProtocol) -> None:
        self._stream = stream
        self._patience: asyncio.TimerHandle | None = None
        loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = loop.create_future()
        if stream.is_gone:
            self.finish()

    def begin(self) -> None:
        """Note that it is to be closed, as soon as all is written."""
        if self._patience is not None:
            return
        error = self._stream.error
        if error is not None:
            broken = isinstance(error, RemoteProtocolError)
            level = logging.WARNING if broken else logging.INFO
            logger.log(level, "closing %s: %s", self._stream.peer, error)
        # Else a peer that doesn't read would keep the connection for ever.
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(CLOSING_TIME, self._stream.cut)

    def finish(self) -> None:
        """Note that it is closed."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        if not self._gone.done():
            self._gone.set_result(None)

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Have something called soon after that."""
        self._gone.add_done_callback(lambda _: callback())

    async def wait(self) -> None:
        """Wait for that; a peer that doesn't read is left."""
        await asyncio.wait([self._gone], timeout=CLOSING_TIME)
        if not self._gone.done() and self._stream.cut():
            await asyncio.shield(self._gone)
