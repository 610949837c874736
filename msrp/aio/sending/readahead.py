"""Bodies whose octets come from somewhere slow, read ahead of the wire."""

from __future__ import annotations

import abc
import asyncio
from collections.abc import Callable

__all__ = ["ReadAhead"]


class ReadAhead(abc.ABC):
    """A :class:`~msrp.sansio.chunker.BodySource` with a task that reads.

    While one block goes out the next one is read, and no more than that.

    Args:
        prefix: Octets that go first, such as CPIM headers.
        wake: Called when there are octets again after there were none.
    """

    def __init__(self, prefix: bytes, wake: Callable[[], None]) -> None:
        self.error: BaseException | None = None
        """What ended the reading early, if it is worth telling."""
        self._prefix_size = len(prefix)
        self._wake = wake
        self._block = memoryview(prefix)
        self._next: bytes | None = None
        self._wanted = asyncio.Event()
        self._ended = False
        self._task: asyncio.Task[None] | None = None

    @property
    @abc.abstractmethod
    def size(self) -> int | None:
        """Octets in all, the prefix too; ``None`` if nobody knows."""

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.create_task(self._read_ahead(), name="msrp body")

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def read(self, limit: int) -> bytes | None:
        """Return the next octets; ``None`` while they aren't here yet."""
        if not self._block:
            if self._next is None:
                return b"" if self._ended else None
            self._block, self._next = memoryview(self._next), None
            self._wanted.set()
        piece = bytes(self._block[:limit])
        self._block = self._block[limit:]
        return piece

    @abc.abstractmethod
    async def _read_block(self) -> bytes:
        """Return the next block; nothing at the end."""

    async def _read_ahead(self) -> None:
        self._wanted.set()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            block = await self._read_block()
            if not block:
                self._ended = True  # The chunker knows how much was due.
                self._wake()
                return
            self._next = block
            self._wake()
            if self._wanted.is_set():
                # It went out at once.  A source that never waits, to a peer that is
                # as quick, would keep everything else in the program waiting.
                await asyncio.sleep(0)
