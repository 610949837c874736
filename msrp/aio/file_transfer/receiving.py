"""A file that we receive: written as it comes, looked at before it gets its name."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Callable
from pathlib import Path

from msrp.aio.connection import MsrpConnection
from msrp.aio.file_transfer.part_file import PartFile
from msrp.aio.file_transfer.transfer import (
    STALL_TIMEOUT,
    FileProgress,
    FileTransfer,
    FileTransferred,
)
from msrp.aio.receiving.sinks import Sink
from msrp.content import MessageReceived
from msrp.errors import (
    CloseReason,
    FileMismatch,
    FileTransferAborted,
    FileTransferFailed,
    RemoteProtocolError,
)
from msrp.events import ClosedEvent, IncompleteMessage, MessageRefused
from msrp.file_transfer import FileDescription, FileFacts, FileSelector
from msrp.policy import Announcement, Decision, IntoWriter, Refuse

__all__ = ["MAX_SIZE", "ReceivingFile"]

MAX_SIZE = 1024 * 1024 * 1024
"""Octets of a file of which nobody has said how large it is, unless the application
says what it takes: a peer could fill the disk."""

_PATIENCE = 1.0
"""Seconds to wait for the SEND that gets a 413, before the offer with port 0."""

_CPIM = "message/cpim"


class ReceivingFile(FileTransfer):
    """The transfer of a file that we receive.

    Args:
        directory: Where it goes.
        name: What to call it; by default what its sender does, made safe.
        max_size: Octets to take at most.
        progress: What to call as it comes in.
        stall_timeout: Seconds without an octet until it is given up.
    """

    is_incoming = True

    def __init__(
        self,
        directory: Path,
        *,
        name: str | None = None,
        max_size: int | None = None,
        progress: FileProgress | None = None,
        stall_timeout: float = STALL_TIMEOUT,
    ) -> None:
        super().__init__(progress=progress, stall_timeout=stall_timeout)
        self.promised = FileSelector()
        """Which file it is to be, as both sides have said."""
        self._directory = directory
        self._name = name
        self._max_size = max_size or MAX_SIZE
        self._part: PartFile | None = None
        self._left: tuple[Path | None, int] = None, 0
        self._writer: _Writer | None = None
        self._sink: Sink | None = None
        self._ended: asyncio.Future[None] | None = None

    async def prepare(
        self, description: FileDescription, promised: FileSelector, start: int
    ) -> None:
        """Open the file on disk.

        Args:
            description: What the offer says.
            promised: Which file it is to be.
            start: How many octets are there already.

        Raises:
            FileTransferFailed: It can't be opened, or is larger than is taken.
        """
        self.description, self.promised = description, promised
        if promised.size is not None:
            if promised.size > self._max_size:
                raise FileTransferFailed(f"it has more than {self._max_size} octets")
            self._max_size = promised.size
        opening = asyncio.create_task(
            asyncio.to_thread(PartFile, self._directory, promised.sha1, start)
        )
        try:
            self._part = await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_put_away)
            raise
        except (OSError, ValueError) as error:
            raise FileTransferFailed(_words(self._directory, error)) from error
        self.transferred = start

    async def abandon(self) -> None:
        """Close what :meth:`prepare` has opened, if it has never begun."""
        if self._running is None and self._part is not None:
            await asyncio.to_thread(self._leave, self._part, None)
            self._part = None

    def leave(self, problem: str) -> None:
        """Wait for what has come: the session tells when there is no more."""

    # The session.

    def begin(self, connection: MsrpConnection) -> None:
        """Watch the session from before its start, so that nothing escapes us."""
        if self._running is None and self._part is not None:
            self._ended = asyncio.get_running_loop().create_future()
            self._writer = _Writer(self._part, self._max_size, self._moved)
            connection.policy = self._decide
            connection.on_message_received = self._arrived
            connection.on_incomplete_message = self._incomplete
            connection.on_message_refused = self._refused
            connection.on_closed = self._closed
        super().begin(connection)

    def _decide(self, announcement: Announcement) -> Decision:
        """Take the first message, which is the file, and nothing else (§8.7)."""
        writer = self._writer
        if writer is None or writer.announcement is not None:
            return Refuse()
        writer.announcement = announcement
        if writer.essence == _CPIM:
            writer.error = RemoteProtocolError("its envelope can't be opened")
            return Refuse()
        return IntoWriter(writer)

    def _arrived(self, message: MessageReceived) -> None:
        self._end_with(None)

    def _incomplete(self, event: IncompleteMessage) -> None:
        if isinstance(event.store, Sink):
            self._sink = event.store
        self._end_with(event.problem)

    def _refused(self, event: MessageRefused) -> None:
        announced = None if self._writer is None else self._writer.announcement
        if announced is not None and announced.message_id == event.message_id:
            self._end_with("it can't be taken")

    def _closed(self, event: ClosedEvent) -> None:
        by_them = event.reason is CloseReason.BY_THEM
        self._end_with(
            "the peer has closed the session" if by_them else "the session has ended"
        )

    def _end_with(self, problem: str | None) -> None:
        """Let :meth:`_carry` go on; the first word counts."""
        if self._ended is None or self._ended.done():
            return
        if problem is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(FileTransferAborted(problem))
            self._ended.exception()  # Nobody may be waiting any more.

    async def _carry(self, connection: MsrpConnection) -> FileTransferred:
        part, writer = self._part, self._writer
        assert part is not None
        assert writer is not None
        assert self._ended is not None
        try:
            await asyncio.shield(self._ended)
            if self._reason is not None or writer.error is not None:
                raise FileTransferAborted("it can't be taken")
        except FileTransferAborted as error:
            raise await self._abort(part, writer, error.problem) from error
        except asyncio.CancelledError:
            await self._abort(part, writer, "it was given up")
            raise
        # From here on the file is here, whatever happens to the call.
        return await asyncio.shield(asyncio.to_thread(self._finish, part, writer))

    async def _abort(
        self, part: PartFile, writer: _Writer, problem: str
    ) -> FileTransferFailed:
        """Put away what there is, and return what to tell."""
        if self._reason is None and self._sink is not None:
            await self._sink.wait_closed()  # The peer knows that we have all that.
        writer.refuse()
        async with writer.lock:  # No thread writes any more.
            self._left = await asyncio.to_thread(self._leave, part, writer)
        if self._reason is not None or writer.error is None:
            return self._aborted(self._reason or problem)
        self.is_ours_to_end = True
        match writer.error:
            case _TooLarge() if self.promised.size is not None:
                return FileMismatch("size", self._left[0])
            case _TooLarge():
                return FileTransferFailed(f"it has more than {self._max_size} octets")
            case OSError() as error:
                return FileTransferFailed(_words(self._directory, error), self._left[0])
            case error:
                return FileTransferFailed(str(error), self._left[0])

    def _leave(self, part: PartFile, writer: _Writer | None) -> tuple[Path | None, int]:
        """Keep what another transfer can go on with; in a thread."""
        is_wrong = writer is not None and isinstance(writer.error, _TooLarge)
        if is_wrong and self.promised.size is not None and self._reason is None:
            return part.place(f"{self._final_name(None)}.wrong-size"), part.size
        if not part.is_of_use or is_wrong or self._is_cancelled:
            part.discard()
            return None, 0
        part.keep()
        return part.path, part.size

    def _interrupt(self) -> None:
        if self._writer is not None:
            self._writer.refuse()  # What comes next gets a 413.
        loop = asyncio.get_running_loop()
        loop.call_later(_PATIENCE, self._end_with, self._reason)

    def _what_is_left(self) -> tuple[Path | None, int]:
        return self._left

    @property
    def _is_decided(self) -> bool:
        return self._ended is not None and self._ended.done()

    # The end.

    def _finish(self, part: PartFile, writer: _Writer) -> FileTransferred:
        """Compare what has come with what was promised; in a thread."""
        name = self._final_name(writer.filename)
        sha1, size = part.sha1, part.size
        what = self._difference(writer, FileFacts(size=size, sha1=sha1))
        try:
            if what is not None:
                raise FileMismatch(what, part.place(f"{name}.wrong-{what}"))
            path = part.place(name)
        except OSError as error:
            raise FileTransferFailed(_words(self._directory, error)) from error
        return FileTransferred(path, size, sha1, self.promised.sha1 == sha1)

    def _difference(self, writer: _Writer, facts: FileFacts) -> str | None:
        """Say what isn't as was promised (:rfc:`5547#section-8.3.1`)."""
        promised = self.promised
        if promised.size is not None and promised.size != facts.size:
            return "size"
        if promised.sha1 is not None and promised.sha1 != facts.sha1:
            return "hash"
        if promised.type is not None and promised.type.essence != writer.essence:
            return "type"
        names = (None, promised.filename)
        if promised.name is not None and writer.filename not in names:
            return "name"
        return None

    def _final_name(self, filename: str | None) -> str:
        if self._name is not None:
            return self._name
        if self.promised.name is not None:
            return self.promised.filename
        if filename is not None:
            return filename
        known = self.promised.type
        suffix = None if known is None else mimetypes.guess_extension(known.essence)
        return f"{self.promised.filename}{suffix or ''}"


class _TooLarge(Exception):
    """More comes than was to come."""


class _GivenUp(Exception):
    """Nobody wants more of it."""


class _Writer:
    """Takes the octets of one message, and writes those of the file.

    Args:
        part: Where to.
        max_size: Octets that the file may have.
        moved: Called with the octets of the file that are there.
    """

    def __init__(
        self, part: PartFile, max_size: int, moved: Callable[[int], None]
    ) -> None:
        self.announcement: Announcement | None = None
        self.error: Exception | None = None
        """Why it takes no more."""
        self.lock = asyncio.Lock()
        self._part = part
        self._max_size = max_size
        self._moved = moved
        self.takes_no_more = False
        """See :class:`msrp.policy.Writer`."""

    @property
    def essence(self) -> str | None:
        """The type of the file, in lower case and without parameters."""
        known = self.announcement
        if known is None:
            return None
        return known.content_type.partition(";")[0].strip().lower()

    @property
    def filename(self) -> str | None:
        """What the message calls it, made safe to use."""
        return None if self.announcement is None else self.announcement.filename

    def refuse(self) -> None:
        """Take no more: the peer gets a 413."""
        self.takes_no_more = True

    async def write(self, data: bytes) -> None:
        """Take the next octets; see :class:`msrp.policy.Writer`."""
        try:
            async with self.lock:
                await self._write(data)
        except (OSError, _GivenUp, _TooLarge) as error:
            self.error = self.error or error
            raise
        self._moved(self._part.size)

    async def _write(self, data: bytes) -> None:
        if self.takes_no_more:
            raise _GivenUp
        room = self._max_size - self._part.size
        await asyncio.to_thread(self._part.write, data[:room])
        if len(data) > room:
            raise _TooLarge


def _words(directory: Path, error: OSError | ValueError) -> str:
    reason = error.strerror if isinstance(error, OSError) else None
    return f"{directory}: {reason or 'nothing can be written there'}"


def _put_away(opening: asyncio.Task[PartFile]) -> None:
    """Close what was opened for a transfer that was given up meanwhile."""
    if opening.cancelled() or opening.exception() is not None:
        return
    part = opening.result()
    if part.is_of_use:
        part.keep()
    else:
        part.discard()
