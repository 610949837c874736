"""A file that we send, as one message that is read from disk as it goes out."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

from msrp.aio.connection import MsrpConnection
from msrp.aio.file_transfer.hashing import FileDigest
from msrp.aio.file_transfer.transfer import (
    STALL_TIMEOUT,
    FileProgress,
    FileTransfer,
    FileTransferred,
)
from msrp.aio.sending.files import FileIdentity, FileUnreadable, unreadable
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.content import file_disposition
from msrp.errors import (
    FileRefused,
    FileTransferFailed,
    LocalProtocolError,
    RequestRefused,
)
from msrp.file_transfer import FileDescription
from msrp.status import StatusCode

__all__ = ["FileToSend", "SendingFile"]


_GIVEN_UP = (StatusCode.STOP_SENDING, StatusCode.SESSION_DOES_NOT_EXIST)
"""What a receiver answers who wants no more (§8.4), or has gone."""


class FileToSend:
    """A file on our disk, as it was when it was offered.

    Args:
        path: Which file.
        digest: What is in it, if that was looked up.
        identity: Which file it was.
        content_type: What it is.
        name: What to call it.
        disposition: What its receiver shall do with it.
    """

    def __init__(
        self,
        path: Path,
        *,
        digest: FileDigest | None,
        identity: FileIdentity,
        content_type: str,
        name: str,
        disposition: str,
    ) -> None:
        self.path = path
        self.sha1 = None if digest is None else digest.sha1
        self.identity = identity
        self.content_type = content_type
        self.name = name
        self._disposition = disposition

    @property
    def modified(self) -> datetime.datetime:
        """When it was changed last."""
        seconds = self.identity.modified / 1e9
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC)

    @property
    def disposition(self) -> str:
        """The value of Content-Disposition."""
        return file_disposition(
            self.name,
            kind=self._disposition,
            size=self.identity.size,
            modified=self.modified,
        )

    async def check(self) -> None:
        """Make sure that it is still what was offered.

        Raises:
            FileUnreadable: It isn't there any more, or is another one.
        """
        if await identity_of(self.path) != self.identity:
            problem = "the file has changed since it was offered"
            raise FileUnreadable(self.path, problem)


class SendingFile(FileTransfer):
    """The transfer of a file that we send.

    Args:
        progress: What to call as it goes out.
        stall_timeout: Seconds without an octet until it is given up.
    """

    is_incoming = False

    def __init__(
        self,
        *,
        progress: FileProgress | None = None,
        stall_timeout: float = STALL_TIMEOUT,
    ) -> None:
        super().__init__(progress=progress, stall_timeout=stall_timeout)
        self.is_ours_to_end = True  # RFC 5547 §8.7.
        self._file: FileToSend | None = None
        self._start, self._stop = 0, 0
        self._message: OutgoingMessage | None = None

    def describe(self, description: FileDescription, file: FileToSend) -> None:
        """Be told which file it is, and what is said of it.

        Raises:
            FileTransferFailed: The file has no such octets.
        """
        within = description.range.within(file.identity.size)
        if within is None:
            raise FileTransferFailed("the file has no such octets", file.path)
        self.description, self._file = description, file
        self._start, self._stop = within

    async def _carry(self, connection: MsrpConnection) -> FileTransferred:
        file = self._file
        assert file is not None, "it begins after it was described"
        await connection.established()
        try:
            await file.check()
            self._message = message = await connection.send_file(
                file.path,
                content_type=file.content_type,
                disposition=file.disposition,
                progress=lambda done, _: self._moved(self._start + done),
                start=self._start,
                stop=self._stop,
                success_report=_only_a_report_tells(connection),
            )
        except (FileUnreadable, LocalProtocolError) as error:
            raise FileTransferFailed(str(error), file.path) from error
        if self._reason is not None:
            message.abort()
        await self._delivered(message, file)
        size = file.identity.size
        return FileTransferred(file.path, size, file.sha1, is_verified=False)

    async def _delivered(self, message: OutgoingMessage, file: FileToSend) -> None:
        try:
            await message.delivered()
        except RequestRefused as error:
            if self._reason is not None:
                raise
            if error.code in _GIVEN_UP:
                raise self._aborted("the peer has given it up") from error
            raise FileRefused(str(error), file.path) from error

    def leave(self, problem: str) -> None:
        """Stop sending, unless only the answers are still to come."""
        if self._message is None or not self._message.is_out:
            self.give_up(problem)

    def _interrupt(self) -> None:
        if self._message is not None:
            self._message.abort()  # And so the peer gets a "#".
        else:
            self._stop_carrying()

    async def abandon(self) -> None:
        """Do nothing: the file is opened when the session is there."""

    @property
    def _is_decided(self) -> bool:
        return self._message is not None and self._message.error is not None

    def _what_is_left(self) -> tuple[Path | None, int]:
        path = None if self._file is None else self._file.path
        message = self._message
        if message is None or message.size is None:
            return path, self._start
        envelope = message.size - (self._stop - self._start)
        return path, self._start + max(0, message.confirmed - envelope)


async def identity_of(path: Path) -> FileIdentity:
    """Tell which file is at a path, in a thread.

    Raises:
        FileUnreadable: None is.
    """
    try:
        return FileIdentity.of(await asyncio.to_thread(path.stat))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def _only_a_report_tells(connection: MsrpConnection) -> bool:
    """Tell whether a 200 is that of a relay, and says nothing of the peer."""
    return len(connection.negotiated.to_path) > 1
