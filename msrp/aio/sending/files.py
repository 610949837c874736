"""Bodies that are read from a file while they are sent."""

from __future__ import annotations

import asyncio
import mimetypes
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msrp.aio.sending.readahead import ReadAhead
from msrp.errors import MsrpError

if TYPE_CHECKING:
    from io import BufferedReader

    from aiofiles.threadpool.binary import AsyncBufferedReader

__all__ = ["FileBody", "FileIdentity", "FileUnreadable", "type_of", "unreadable"]

_BLOCK = 256 * 1024
"""Octets to read at a time: what is in memory of a file is twice this at most."""


_UNKNOWN_TYPE = "application/octet-stream"

_COMPRESSED = {"gzip": "application/gzip"}
"""What compressed files are: not what they were before, since nobody unpacks them on
the way."""


def type_of(path: Path) -> str:
    """Return what the name of a file suggests that is in it."""
    guess, encoding = mimetypes.guess_type(path.name)
    if encoding is not None:
        return _COMPRESSED.get(encoding, _UNKNOWN_TYPE)
    return guess or _UNKNOWN_TYPE


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
    """A :class:`~msrp.sansio.chunker.SeekableBody` that is read from a file.

    It holds the file open until :meth:`close`.  To go back is possible even then,
    as long as the file is there as it was.

    Args:
        path: Which file.
        prefix: Octets that go before it, such as CPIM headers.
        wake: Called when there are octets again after there were none.
        progress: Called soon with the octets of the file that have been taken so
            far, and with how many there are; not for each octet that is taken.
        start: The zero-based offset of the first octet to send.
        stop: The offset after the last one; ``None`` is the end of the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        prefix: bytes,
        wake: Callable[[], None],
        progress: Callable[[int, int], None] | None,
        start: int = 0,
        stop: int | None = None,
    ) -> None:
        super().__init__(prefix, wake)
        self._path = path
        self._start = start
        self._end = stop
        self._progress = progress
        self._taken = 0
        self._told = 0
        self._telling: asyncio.Handle | None = None
        self._length = 0
        self._whole_prefix = prefix
        self._identity: FileIdentity | None = None
        self._file: AsyncBufferedReader | None = None
        self._begin_at = 0
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        """Octets of the prefix and the file."""
        return self._prefix_size + self._length

    async def open(self) -> None:
        """Open the file and begin to read.

        Raises:
            FileUnreadable: It can't be opened, is no ordinary file, or is shorter
                than what is to be sent of it.
        """
        try:
            file, self._identity = await _open_aside(self._path, self._start)
        except (OSError, ValueError) as error:
            raise unreadable(self._path, error) from error
        stop = self._identity.size if self._end is None else self._end
        if not self._start <= stop <= self._identity.size:
            file.close()
            raise FileUnreadable(self._path, "it has fewer octets than are wanted")
        self._length = stop - self._start
        self._file = _wrap(file)
        self.start()

    async def close(self) -> None:
        """Stop reading and close the file."""
        if self._telling is not None and self._taken < self.size:
            self._telling.cancel()  # It was given up: nobody wants to know.
        self._stop()
        while self._ending:
            await asyncio.wait(self._ending)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is open, and nobody reads."""
        return self._task is None and self._file is None and not self._ending

    def seek(self, offset: int) -> None:
        """Go on from a zero-based offset; the octets will be there soon.

        Should the file have changed there will be none, as if it were too short.
        """
        self._stop()
        self._block = memoryview(self._whole_prefix)[offset:]
        self._next = None
        self._ended = False
        self._taken = offset
        self._begin_at = self._start + max(0, offset - self._prefix_size)
        self._wanted = asyncio.Event()
        self.start()

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

    def _stop(self) -> None:
        """Read no more; the file is closed as soon as no thread uses it."""
        task, file = self._task, self._file
        self._task = self._file = None
        if task is not None:
            task.cancel()
            ending = asyncio.create_task(_put_away(task, file), name="msrp file end")
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    async def _read_block(self) -> bytes:
        try:
            if self._file is None:
                self._file = await self._open_again()
            return await self._file.read(_BLOCK)
        except OSError:
            return b""

    async def _open_again(self) -> AsyncBufferedReader:
        file, identity = await _open_aside(self._path, self._begin_at)
        if identity != self._identity:
            file.close()
            raise OSError(0, "the file has changed")
        return _wrap(file)


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """By what a file is known to be the same as before."""

    size: int
    modified: int
    device: int
    number: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        """Return that of the file with this status."""
        return cls(status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)


def unreadable(path: Path, error: OSError | ValueError) -> FileUnreadable:
    """Return what to tell of a file that couldn't be opened or read."""
    if isinstance(error, OSError):
        return FileUnreadable(path, error.strerror or "can't be read")
    return FileUnreadable(path, "this is no name of a file")


async def _put_away(task: asyncio.Task[None], file: AsyncBufferedReader | None) -> None:
    """Wait until a reading has ended, and close its file."""
    await asyncio.wait([task])
    if file is not None:
        await file.close()


async def _open_aside(path: Path, at: int) -> tuple[BufferedReader, FileIdentity]:
    """Open a file in a thread; one that is opened in vain is closed again."""
    opening = asyncio.get_running_loop().run_in_executor(None, _open, path, at)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # A thread can't be called back; what it opens has to be closed again.
        opening.add_done_callback(_close_unused)
        raise


def _open(path: Path, at: int) -> tuple[BufferedReader, FileIdentity]:
    """Open a file at an offset, and say which one it is."""
    # Imported here, in a thread, for it takes a while the first time and most programs
    # never need it.
    import aiofiles.threadpool  # noqa: F401

    # A pipe or a device would block, and has no length.
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(0, "not an ordinary file")
    file = path.open("rb")
    identity = FileIdentity.of(os.fstat(file.fileno()))
    file.seek(at)
    return file, identity


def _wrap(file: BufferedReader) -> AsyncBufferedReader:
    from aiofiles.threadpool import wrap

    wrapped: AsyncBufferedReader = wrap(file)
    return wrapped


def _close_unused(
    opening: asyncio.Future[tuple[BufferedReader, FileIdentity]],
) -> None:
    if opening.exception() is None:
        opening.result()[0].close()
