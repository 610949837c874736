"""Messages that go somewhere else than into memory as they arrive.

The core hands octets over in the transport's callback; a task of their own writes
them, so that neither the loop nor the protocol waits for a disk.  What is still to
be written is counted, and too much of it stops the reading.
"""

from __future__ import annotations

import abc
import asyncio
import inspect
import os
import secrets
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from msrp.errors import LimitExceeded, MsrpError
from msrp.policy import Writer
from msrp.sansio.ranges import RangeSet
from msrp.status import StatusCode

if TYPE_CHECKING:
    from aiofiles.threadpool.binary import AsyncBufferedIOBase

__all__ = ["FileSink", "Sink", "SinkFailed", "WriterSink", "put_in_place"]

HIGH_WATER = 1024 * 1024
"""Octets that may wait to be written; above it we stop reading from the peer."""

_GATHERED = 512 * 1024
"""Octets to write at once: small chunks would each cost a trip to a thread."""

_MAX_NAMES = 10_000
"""How many files of one name are looked past before giving up."""


class SinkFailed(MsrpError):
    """What was received could not be put where it should go.

    Attributes:
        target: Where.
        problem: Why not.
    """

    def __init__(self, target: str, problem: str) -> None:
        super().__init__(target, problem)
        self.target = target
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.target}: {self.problem}"


class Sink(abc.ABC):
    """A :class:`~msrp.policy.Store` with a task that writes.

    Args:
        max_length: Octets that it takes at most.
        on_change: Called when reading may go on, or may not.
        progress: Called with the octets that have arrived.
    """

    def __init__(
        self,
        max_length: int | None,
        on_change: Callable[[], None],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.max_length = max_length
        self.held = 0
        self.error: SinkFailed | None = None
        """Why it takes no more."""
        self.path: Path | None = None
        """The file, once it is complete, or what there is of it."""
        self._on_change = on_change
        self._progress = progress
        self._received = RangeSet()
        self._queue: deque[tuple[int, bytes]] = deque()
        self._wake = asyncio.Event()
        self._over = False
        self._complete = False
        self._keep = True
        self._task = asyncio.create_task(self._run(), name="msrp sink")

    @property
    def full(self) -> bool:
        """Whether so much waits to be written that the peer should be held back."""
        return self.held >= HIGH_WATER

    def write(self, offset: int, data: bytes) -> None:
        """Take octets; see :class:`msrp.policy.Store`."""
        if self.error is not None:
            raise LimitExceeded(str(self.error), status=StatusCode.STOP_SENDING)
        self._queue.append((offset, data))
        was_full = self.full
        self.held += len(data)
        if self.full and not was_full:
            self._on_change()
        self._received.add(offset, offset + len(data))  # Some come a second time.
        self._wake.set()
        if self._progress is not None:
            self._progress(self._received.octets)

    def finish(self, size: int) -> None:
        """Be told that all octets are here."""
        self._complete = self._over = True
        self._wake.set()

    def give_up(self, *, keep: bool) -> None:
        """Be told that no more will come; see :class:`msrp.policy.Store`."""
        self._over = True
        self._keep = keep
        self._wake.set()

    async def wait_closed(self) -> None:
        """Wait until all that came is written, or can't be: see :attr:`error`."""
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        try:
            await self._open()
            try:
                await self._write_all()
            finally:
                await self._close()
        except SinkFailed as error:
            self.error = error
        finally:
            self.held = 0
            self._queue.clear()
            self._on_change()

    async def _write_all(self) -> None:
        while True:
            if self._queue:
                offset, data = self._gather()
                await self._put(offset, data)
                was_full = self.full
                self.held -= len(data)
                # What is read next can lie where this was, in the processor's caches.
                del data
                if was_full and not self.full:
                    self._on_change()
            elif self._over:
                return
            else:
                self._wake.clear()
                await self._wake.wait()

    def _gather(self) -> tuple[int, bytes]:
        """Take what lies side by side, up to a good size for one write."""
        offset, data = self._queue.popleft()
        pieces, stop = [data], offset + len(data)
        while self._queue and self._queue[0][0] == stop and stop - offset < _GATHERED:
            pieces.append(self._queue.popleft()[1])
            stop += len(pieces[-1])
        return offset, pieces[0] if len(pieces) == 1 else b"".join(pieces)

    @abc.abstractmethod
    async def _open(self) -> None: ...

    @abc.abstractmethod
    async def _put(self, offset: int, data: bytes) -> None: ...

    @abc.abstractmethod
    async def _close(self) -> None: ...


class FileSink(Sink):
    """Writes a message into a new file of a directory.

    Until it is complete its name begins with a dot and ends with ``.part``.

    Args:
        directory: Where; it is made if it isn't there.
        name: What to call it, a name that is safe; a number is put into it if
            there is a file of this name.
        max_length: Octets that it takes at most.
        on_change: Called when reading may go on, or may not.
        progress: Called with the octets that have arrived.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        max_length: int | None,
        on_change: Callable[[], None],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(max_length, on_change, progress)
        self._directory = directory
        self._name = name
        self._part = directory / f".{name}.{secrets.token_hex(4)}.part"
        self._file: AsyncBufferedIOBase | None = None
        self._at = 0

    async def _open(self) -> None:
        await asyncio.to_thread(_load)
        import aiofiles.os

        try:
            await aiofiles.os.makedirs(self._directory, exist_ok=True)
            self._file = await aiofiles.open(self._part, "xb")
        except OSError as error:
            raise self._failed(error) from error
        self.path = self._part

    async def _put(self, offset: int, data: bytes) -> None:
        assert self._file is not None
        try:
            if offset != self._at:
                await self._file.seek(offset)
            await self._file.write(data)
        except OSError as error:
            raise self._failed(error) from error
        self._at = offset + len(data)

    async def _close(self) -> None:
        assert self._file is not None
        try:
            await self._file.close()
            if self._complete and not self._queue:
                self.path = await asyncio.to_thread(
                    put_in_place, self._part, self._name
                )
            elif not (self._keep and self._received):
                self.path = None
                await asyncio.to_thread(self._part.unlink)
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> SinkFailed:
        problem = error.strerror or "can't be written"
        return SinkFailed(str(self._directory / self._name), problem)


class WriterSink(Sink):
    """Writes a message into an object of the application's, in order.

    Octets that come too early are kept until those before them have come.
    """

    def __init__(
        self,
        writer: Writer,
        max_length: int | None,
        on_change: Callable[[], None],
        progress: Callable[[int], None] | None = None,
    ) -> None:
        super().__init__(max_length, on_change, progress)
        self._writer = writer
        self._at = 0
        self._early: dict[int, bytes] = {}
        self._early_octets = 0

    async def _open(self) -> None:
        pass

    def write(self, offset: int, data: bytes) -> None:
        """Take octets, unless the writer has had enough."""
        if self.error is None and getattr(self._writer, "takes_no_more", False):
            self.error = SinkFailed("the writer", "takes no more")
        super().write(offset, data)

    async def _put(self, offset: int, data: bytes) -> None:
        if offset > self._at:
            self._put_aside(offset, data)
            return
        await self._write(data[self._at - offset :])
        while self._early and (first := min(self._early)) <= self._at:
            early = self._early.pop(first)
            self._early_octets -= len(early)
            await self._write(early[self._at - first :])

    def _put_aside(self, offset: int, data: bytes) -> None:
        if len(data) > len(self._early.get(offset, b"")):
            self._early_octets += len(data) - len(self._early.get(offset, b""))
            self._early[offset] = data
        if self._early_octets > HIGH_WATER:
            raise SinkFailed("the writer", "too much came before what it follows")

    async def _write(self, data: bytes) -> None:
        if not data:
            return
        try:
            result = self._writer.write(data)
            if inspect.isawaitable(result):
                await result
        except Exception as error:
            # Whatever the application's object raises ends this message only.
            raise SinkFailed("the writer", f"raised {type(error).__name__}") from error
        self._at += len(data)

    async def _close(self) -> None:
        pass


def _load() -> None:
    """Import, in a thread, what takes a while the first time and not all need."""
    import aiofiles.os  # noqa: F401


def put_in_place(part: Path, name: str) -> Path:
    """Give a complete file its name, or the first one like it that is free."""
    stem, dot, suffix = name.partition(".")
    for number in range(_MAX_NAMES):
        path = part.with_name(f"{stem}-{number}{dot}{suffix}" if number else name)
        try:
            # A file of this name, even one that comes to be just now, is kept.
            path.open("xb").close()
        except FileExistsError:
            continue
        os.replace(part, path)
        return path
    raise FileExistsError(None, "too many files have this name")
