"""One file that goes one way, as an application sees it."""

from __future__ import annotations

import abc
import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from msrp.aio.connection import MsrpConnection
from msrp.aio.session.hooks import guarded
from msrp.errors import (
    FileRefused,
    FileTransferAborted,
    FileTransferFailed,
    MsrpError,
)
from msrp.file_transfer import FileDescription

__all__ = ["STALL_TIMEOUT", "FileProgress", "FileTransfer", "FileTransferred"]

logger = logging.getLogger("msrp.files")

STALL_TIMEOUT = 120.0
"""Seconds without a single octet after which a transfer is given up
(:rfc:`5547#section-8.4`: "implement measures to avoid hang states")."""

FileProgress = Callable[[int, int | None], None]
"""Called with the octets of the file that are there, and how many it has if that is
known; those that were there before a resumed transfer count."""


@dataclass(frozen=True, slots=True)
class FileTransferred:
    """What has become of a file."""

    path: Path
    """Where it is: what was sent, or what was received, under its final name."""

    size: int
    """Octets of the whole file."""

    sha1: bytes | None
    """The SHA-1 of the whole file; ``None`` if nobody has taken it."""

    is_verified: bool
    """Whether a received file has the hash that was promised; ``False`` also if none
    was promised."""


class FileTransfer(abc.ABC):
    """One file on its way.

    Attributes:
        description: What the offer says of it; ``None`` before there is one.
        is_incoming: Whether we receive it.
        transferred: Octets of the file that are there: received, or handed to the
            transport.
    """

    is_incoming: bool

    def __init__(self, *, progress: FileProgress | None, stall_timeout: float) -> None:
        self.description: FileDescription | None = None
        self.transferred = 0
        self.on_over: Callable[[], None] | None = None
        """What the stream wants to have called at the end."""
        self.is_ours_to_end = False
        """Whether we have to take the stream out of the call (§8.4, §8.7)."""
        self._progress = progress
        self._stall_timeout = stall_timeout
        self._over = asyncio.Event()
        self._result: FileTransferred | None = None
        self._error: FileTransferFailed | None = None
        self._awaited = False
        self._reason: str | None = None
        self._is_cancelled = False
        self._running: asyncio.Task[None] | None = None
        self._carrying: asyncio.Task[FileTransferred] | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has succeeded or failed."""
        return self._over.is_set()

    async def finished(self) -> FileTransferred:
        """Wait until the file is there.

        Cancelling this leaves the transfer alone: see :meth:`cancel`.

        Raises:
            FileRefused: The peer doesn't want it, or has no such file.
            FileTransferAborted: One side gave it up, or it broke off.
            FileMismatch: What came isn't what was promised.
            FileTransferFailed: Something else went wrong.
        """
        self._awaited = True
        await self._over.wait()
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def cancel(self) -> None:
        """Give it up, and tell the peer (:rfc:`5547#section-8.4`).

        What was received of it is removed.
        """
        self._is_cancelled = True
        self._awaited = True  # Whoever does this knows.
        self.give_up("it was given up here")

    # What the stream tells.

    def begin(self, connection: MsrpConnection) -> None:
        """Send or receive the file in this session, which is about to start."""
        if self._running is None and not self.is_over:
            if self._progress is not None:
                self._progress = guarded(self._progress)
            self._carrying = asyncio.create_task(
                self._carry(connection), name="msrp file"
            )
            self._running = asyncio.create_task(self._run(), name="msrp file transfer")

    def give_up(self, problem: str) -> None:
        """Let no more of it go, and end soon."""
        if self.is_over or self._reason is not None or self._is_decided:
            return
        self._reason = problem
        self.is_ours_to_end = True
        if self._running is None:
            self.fail(FileTransferAborted(problem))
        else:
            self._interrupt()

    @abc.abstractmethod
    def leave(self, problem: str) -> None:
        """Be told that the stream ends; what is all here or all out isn't lost."""

    def fail(self, error: FileTransferFailed) -> None:
        """Be over without success, unless it is over."""
        if self.is_over:
            return
        self._error = error
        if not self._awaited:
            logger.warning("a file was not transferred: %s", error)
        self._end()

    def refused(self, problem: str) -> None:
        """Be told that it never begins, unless it has."""
        if self._running is None:
            self.fail(FileRefused(problem))

    async def wait_over(self) -> None:
        """Wait until nothing of it runs any more."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await self.abandon()

    # What those who send and receive do.

    @abc.abstractmethod
    async def abandon(self) -> None:
        """Let go of what was made ready for it, if it has never begun."""

    @abc.abstractmethod
    async def _carry(self, connection: MsrpConnection) -> FileTransferred:
        """Do it."""

    @abc.abstractmethod
    def _interrupt(self) -> None:
        """End :meth:`_carry`, and see to it that the peer hears of it."""

    @abc.abstractmethod
    def _what_is_left(self) -> tuple[Path | None, int]:
        """Return what there is after a failure, and how many octets."""

    @property
    @abc.abstractmethod
    def _is_decided(self) -> bool:
        """Whether it is known how it ends, and it is only put away."""

    def _moved(self, octets: int) -> None:
        """Note how many octets of the file are there."""
        self.transferred = octets
        if self._progress is not None:
            size = None if self.description is None else self.description.size
            self._progress(octets, size)

    def _stop_carrying(self) -> None:
        if self._carrying is not None:
            self._carrying.cancel()

    # Inside.

    async def _run(self) -> None:
        assert self._carrying is not None
        watching = asyncio.create_task(self._watch(), name="msrp file watch")
        try:
            await asyncio.wait([self._carrying])
        finally:
            watching.cancel()
            self._carrying.cancel()
            await asyncio.wait([self._carrying, watching])
        if self._carrying.cancelled():
            self.fail(self._aborted(self._reason or "it was given up"))
        elif (error := self._carrying.exception()) is None:
            self._result = self._carrying.result()
            self._end()
        else:
            self.fail(self._failure(error))

    def _failure(self, error: BaseException) -> FileTransferFailed:
        if isinstance(error, FileTransferFailed):
            return error
        if not isinstance(error, MsrpError | OSError):
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the transfer of a file failed", "exception": error}
            )
        failure = self._aborted(self._reason or str(error) or type(error).__name__)
        failure.__cause__ = error
        return failure

    def _aborted(self, problem: str) -> FileTransferAborted:
        return FileTransferAborted(problem, *self._what_is_left())

    async def _watch(self) -> None:
        """Give up when nothing moves any more."""
        while True:
            before = self.transferred
            await asyncio.sleep(self._stall_timeout)
            if self.transferred == before:
                self.give_up(f"nothing has moved for {self._stall_timeout:g} s")

    def _end(self) -> None:
        self._over.set()
        if self.on_over is not None:
            self.on_over()
