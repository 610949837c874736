"""Bodies that are read from a file while they are sent."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiofiles.threadpool import wrap

from msrp.aio.readahead import ReadAhead
from msrp.errors import MsrpError

if TYPE_CHECKING:
    from io import BufferedReader

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


class FileBody(ReadAhead):
    """A body source that is read from a file.

    Args:
        path: Which file.
        prefix: Octets that go before it, such as CPIM headers.
        wake: Called when there are octets again after there were none.
        progress: Called soon with the octets of the file that have been taken so
            far, and with how many there are; not for each octet that is taken.
    """

    def __init__(
        self,
        path: Path,
        *,
        prefix: bytes,
        wake: Callable[[], None],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        super().__init__(prefix, wake)
        self._path = path
        self._progress = progress
        self._taken = 0
        self._told = 0
        self._telling: asyncio.Handle | None = None
        self._length = 0
        self._file: AsyncBufferedReader | None = None

    @property
    def size(self) -> int:
        """Octets of the prefix and the file."""
        return self._prefix_size + self._length

    async def open(self) -> None:
        """Open the file and begin to read.

        Raises:
            FileUnreadable: It can't be opened, or is no ordinary file.
        """
        loop = asyncio.get_running_loop()
        opening = loop.run_in_executor(None, _open, self._path)
        try:
            file, self._length = await asyncio.shield(opening)
        except OSError as error:
            problem = error.strerror or "can't be read"
            raise FileUnreadable(self._path, problem) from error
        except ValueError as error:
            raise FileUnreadable(self._path, "this is no name of a file") from error
        except asyncio.CancelledError:
            # A thread can't be called back; what it opens has to be closed again.
            opening.add_done_callback(_close_unused)
            raise
        self._file = wrap(file)
        self.start()

    async def close(self) -> None:
        """Stop reading and close the file."""
        if self._telling is not None and self._taken < self.size:
            self._telling.cancel()  # It was given up: nobody wants to know.
        await super().close()
        if self._file is not None:
            await self._file.close()

    def read(self, limit: int) -> bytes | None:
        """Return the next octets; ``None`` while the disk is busy."""
        piece = super().read(limit)
        if piece:
            self._taken += len(piece)
            if self._progress is not None and self._telling is None:
                # Not from here: what it calls must not meet the core at work.
                self._telling = asyncio.get_running_loop().call_soon(self._tell)
        return piece

    def _tell(self) -> None:
        self._telling = None
        done = self._taken - self._prefix_size
        if self._progress is not None and done > self._told:
            self._told = done
            self._progress(done, self._length)

    async def _read_block(self) -> bytes:
        assert self._file is not None
        try:
            return await self._file.read(_BLOCK)
        except OSError:
            return b""


def _open(path: Path) -> tuple[BufferedReader, int]:
    """Open a file, and say how long it is."""
    # A pipe or a device would block, and has no length.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "not an ordinary file")
    file = path.open("rb")
    return file, os.fstat(file.fileno()).st_size


def _close_unused(opening: asyncio.Future[tuple[BufferedReader, int]]) -> None:
    if opening.exception() is None:
        opening.result()[0].close()
