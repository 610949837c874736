"""Bodies that are read from a file while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import aiofiles

from msrp.errors import MsrpError

if TYPE_CHECKING:
    from aiofiles.threadpool.binary import AsyncBufferedReader

__all__ = ["FileBody", "FileUnreadable"]

_BLOCK = 256 * 1024
"""Octets to read at a time: what is in memory of a file is twice this at most."""


class FileUnreadable(MsrpError, OSError):
    """A file that was to be sent can't be read.

    Attributes:
        path: Which file.
        problem: Why not.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(str(path), problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


class FileBody:
    """A :class:`~msrp.sansio.chunker.BodySource` that reads ahead of the wire.

    Args:
        path: Which file.
        prefix: Octets that go before it, such as CPIM headers.
        wake: Called when there are octets again after there were none.
        progress: Called with the octets of the file that have been taken so far,
            and with how many there are.
    """

    def __init__(
        self,
        path: Path,
        *,
        prefix: bytes,
        wake: Callable[[], None],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._path = path
        self._prefix = prefix
        self._wake = wake
        self._progress = progress
        self._block = memoryview(prefix)
        self._next: bytes | None = None
        self._wanted = asyncio.Event()
        self._failed = False
        self._taken = 0
        self._length = 0
        self._task: asyncio.Task[None] | None = None
        self._file: AsyncBufferedReader | None = None

    @property
    def size(self) -> int:
        """Octets of the prefix and the file."""
        return len(self._prefix) + self._length

    async def open(self) -> None:
        """Open the file and begin to read.

        Raises:
            FileUnreadable: It can't be opened.
        """
        try:
            file = await aiofiles.open(self._path, "rb")
            self._length = await file.seek(0, 2)
            await file.seek(0)
        except OSError as error:
            problem = error.strerror or "can't be read"
            raise FileUnreadable(self._path, problem) from error
        self._file = file
        self._task = asyncio.create_task(self._read_ahead(), name="msrp file")

    async def close(self) -> None:
        """Stop reading and close the file."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._file is not None:
            await self._file.close()

    def read(self, limit: int) -> bytes | None:
        """Return the next octets; ``None`` while the disk is busy."""
        if not self._block:
            if self._next is None:
                return b"" if self._failed else None
            self._block, self._next = memoryview(self._next), None
            self._wanted.set()
        piece = bytes(self._block[:limit])
        self._block = self._block[limit:]
        self._taken += len(piece)
        if self._progress is not None:
            done = max(0, self._taken - len(self._prefix))
            self._progress(done, self._length)
        return piece

    async def _read_ahead(self) -> None:
        assert self._file is not None
        self._wanted.set()
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                block = await self._file.read(_BLOCK)
            except OSError:
                block = b""
            if not block:
                self._failed = True  # Or over; the chunker knows how much was due.
                self._wake()
                return
            self._next = block
            self._wake()
