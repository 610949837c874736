"""A file that we ask for (:rfc:`5547#section-8.2.2`)."""

from __future__ import annotations

import asyncio
from pathlib import Path

from msrp.aio.file_transfer.part_file import octets_on_disk
from msrp.aio.file_transfer.receiving import ReceivingFile
from msrp.aio.file_transfer.stream import FileStream
from msrp.aio.file_transfer.transfer import (
    STALL_TIMEOUT,
    FileProgress,
    FileTransferred,
)
from msrp.aio.listener import MsrpListener
from msrp.aio.relays.relay import MsrpRelay
from msrp.config import SessionConfig
from msrp.errors import FileTransferFailed, InvalidFileDescription
from msrp.file_transfer import (
    Direction,
    FileDescription,
    FileRange,
    FileSelector,
    describes_file,
    new_transfer_id,
    pull_offer,
)
from msrp.negotiation import MediaDescription

__all__ = ["FilePull"]


class FilePull(FileStream):
    """A file to fetch, asked for in a stream of a call.

    What came of it before, in a transfer that broke off, isn't asked for again if the
    selector has its hash, and ``directory`` is the same.

    Args:
        listener: The port that peers connect to, or the relay that we use.
        selector: Which file: best by its hash, else by what is known.
        directory: Where it goes; it is made if it isn't there.
        name: What to call it; by default as the peer does, made safe.  It never takes
            the place of a file that is there.
        max_size: Octets to take at most; by default as many as the peer says that it
            has, up to a gibibyte.
        resume: Whether to go on with what is there of it.
        progress: Called with the octets that are there, and the size if it is known.
        stall_timeout: Seconds without a single octet until it is given up.
        config: What the session needs besides.
    """

    def __init__(
        self,
        listener: MsrpListener | MsrpRelay,
        selector: FileSelector,
        directory: str | Path,
        *,
        name: str | None = None,
        max_size: int | None = None,
        resume: bool = True,
        progress: FileProgress | None = None,
        stall_timeout: float = STALL_TIMEOUT,
        config: SessionConfig | None = None,
    ) -> None:
        super().__init__(listener, config=config, max_size=max_size)
        self._selector = selector
        self._directory = Path(directory)
        self._resume = resume
        self._receiving = ReceivingFile(
            self._directory,
            name=name,
            max_size=max_size,
            progress=progress,
            stall_timeout=stall_timeout,
        )
        self._carry_out(self._receiving)

    @property
    def transfer(self) -> ReceivingFile:
        """The file on its way."""
        return self._receiving

    async def finished(self) -> FileTransferred:
        """Wait until the file is there; see :meth:`FileTransfer.finished`."""
        return await self._receiving.finished()

    def cancel(self) -> None:
        """Give it up: the peer gets a 413, and what has come is removed."""
        self._receiving.cancel()

    async def offer(self) -> MediaDescription:
        """Return our section for an offer.

        Raises:
            LocalProtocolError: The selector selects nothing.
            ConnectionFailed: A relay can't be reached, or refuses.
        """
        if self._words is None:
            self._words = FileDescription(
                selector=self._selector,
                transfer_id=new_transfer_id(),
                direction=Direction.RECVONLY,
                range=FileRange(await self._octets_on_disk()),
            )
            self._receiving.description = self._words
            self._seen.note(self._words.transfer_id, self._words.selector)
        described = await super().offer()
        return described if self._is_ending else pull_offer(described, self._words)

    async def _octets_on_disk(self) -> int:
        """Return how much needn't be sent again."""
        if not self._resume:
            return 0
        sha1, size = self._selector.sha1, self._selector.size
        there = await asyncio.to_thread(octets_on_disk, self._directory, sha1)
        return 0 if size is not None and there >= size else there

    async def _agree(self, theirs: MediaDescription, is_offerer: bool) -> str | None:
        words = self._words
        assert words is not None, "it was offered"
        if not describes_file(theirs):
            return "it knows nothing of file transfers"
        try:
            answered = FileDescription.read(theirs)
        except InvalidFileDescription as error:
            return f"its answer can't be understood: {error.problem}"
        if answered.transfer_id != words.transfer_id:
            return "it answers to another transfer"
        if answered.selector.contradicts(words.selector):
            return "it has another file"
        # Who knows nothing of ranges sends the whole.
        if answered.has_range and answered.range != words.range:
            return "it sends another part of the file"
        try:
            await self._receiving.prepare(
                words,
                words.selector.completed(answered.selector),
                answered.range.start,
            )
        except FileTransferFailed as error:
            return error.problem
        return None
