"""One stream for a file that the peer has offered, or asked for (§8.3)."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from msrp.aio.file_transfer.decisions import (
    FileDecision,
    RefuseFile,
    SaveFile,
    ServeFile,
)
from msrp.aio.file_transfer.hashing import hash_file
from msrp.aio.file_transfer.part_file import octets_on_disk
from msrp.aio.file_transfer.receiving import MAX_SIZE, ReceivingFile
from msrp.aio.file_transfer.sending import FileToSend, SendingFile
from msrp.aio.file_transfer.stream import FileStream
from msrp.aio.file_transfer.transfer import FileTransfer
from msrp.aio.listener import MsrpListener
from msrp.aio.media import MsrpMedia
from msrp.aio.relays.relay import MsrpRelay
from msrp.aio.sending.files import FileUnreadable, type_of
from msrp.config import SessionConfig
from msrp.content import ContentType
from msrp.errors import FileTransferFailed, InvalidFileDescription
from msrp.file_transfer import (
    FileDescription,
    FileFacts,
    FileSelector,
    Repetition,
    SeenTransfers,
    describes_file,
    pull_answer,
    push_answer,
    refusal_of,
)
from msrp.negotiation import MediaDescription, is_message_line

if TYPE_CHECKING:
    from msrp.aio.file_transfer.answerer import FileAnswerer

__all__ = ["AnsweringStream"]


class AnsweringStream(FileStream):
    """A stream for a file that the peer has offered, or asked for."""

    def __init__(
        self,
        answerer: FileAnswerer,
        listener: MsrpListener | MsrpRelay,
        *,
        config: SessionConfig | None,
        max_size: int | None,
        seen: SeenTransfers,
    ) -> None:
        super().__init__(listener, config=config, max_size=max_size, seen=seen)
        self._answerer = answerer
        self._next: _Answered | None = None

    async def answer(self, offered: MediaDescription) -> MediaDescription | None:
        """Return our section for an answer.

        Returns:
            One with port 0 refuses the file; ``None`` leaves the section to others,
            as it isn't about a file.
        """
        if not is_message_line(offered) or not describes_file(offered):
            return None
        try:
            theirs = FileDescription.read(offered)
        except InvalidFileDescription as error:
            return self._refuse(offered, error.problem)
        if self._seen.judge(theirs.transfer_id, theirs.selector) is not Repetition.NEW:
            return self._refuse(offered, "this transfer was before")
        return await self._renew(offered, theirs)

    async def start(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Begin the transfer; see :meth:`FileStream.start`."""
        await self._turn_to_next()
        await super().start(offered, answered, is_offerer)

    async def follow(
        self, offered: MediaDescription, answered: MediaDescription, is_offerer: bool
    ) -> None:
        """Go on, or begin another transfer in the place of the one that there was."""
        if self._next is not None:
            await self.start(offered, answered, is_offerer)
        else:
            await super().follow(offered, answered, is_offerer)

    def keep(self) -> None:
        """Be told that nothing comes of what was answered last."""
        if self._next is not None:
            self._next.media.keep()
            self._next = None
        super().keep()

    async def stop(self) -> None:
        """End the stream; also one that was only answered."""
        if self._next is not None:
            await self._next.media.stop()
        await super().stop()
        self._answerer.closed(self)

    # Inside.

    async def _renew(
        self, offered: MediaDescription, theirs: FileDescription
    ) -> MediaDescription | None:
        if self._seen.is_full:
            return self._refuse(offered, "there were too many transfers in this call")
        self._seen.note(theirs.transfer_id, theirs.selector)
        try:
            return await self._decide(offered, theirs)
        except (FileTransferFailed, FileUnreadable, InvalidFileDescription) as error:
            return self._refuse(offered, error.problem)

    async def _decide(
        self, offered: MediaDescription, theirs: FileDescription
    ) -> MediaDescription:
        decision = await self._decision(theirs)
        if isinstance(decision, RefuseFile):
            return self._refuse(offered, decision.reason)
        media = self._new_media()
        section = await media.answer(offered)
        if section is None:
            return self._refuse(offered, media.refusal or "there is no way to them")
        try:
            if isinstance(decision, SaveFile):
                transfer, section = await self._save(decision, theirs, section)
            else:
                transfer, section = await self._serve(decision, theirs, section)
        except BaseException:
            media.keep()
            raise
        self._next = _Answered(theirs, transfer, media, FileDescription.read(section))
        self._answerer.opened(self)
        return section

    async def _decision(self, theirs: FileDescription) -> FileDecision:
        if not (theirs.is_push or theirs.is_pull):
            return RefuseFile("it says neither that it sends nor that it receives")
        try:
            decision = self._answerer.decide(theirs)
            if inspect.isawaitable(decision):
                decision = await decision
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the decision about a file failed", "exception": error}
            )
            return RefuseFile("nobody could decide about it")
        if isinstance(decision, SaveFile) is theirs.is_pull:
            if not isinstance(decision, RefuseFile):
                return RefuseFile("what was decided is for the other direction")
        return decision

    async def _save(
        self, decision: SaveFile, theirs: FileDescription, section: MediaDescription
    ) -> tuple[FileTransfer, MediaDescription]:
        directory = Path(decision.directory)
        wanted = theirs.range
        if wanted.stop not in (None, theirs.size):
            raise FileTransferFailed("what is behind a part of a file would be missing")
        there = await asyncio.to_thread(octets_on_disk, directory, theirs.sha1)
        if wanted.start > there:
            raise FileTransferFailed("what goes before a part of a file is missing")
        limit = decision.max_size or self._answerer.max_size or MAX_SIZE
        if (theirs.size or 0) > limit:
            raise FileTransferFailed(f"it has more than {limit} octets")
        receiving = ReceivingFile(
            directory,
            name=decision.name,
            max_size=limit,
            progress=decision.progress,
            stall_timeout=self._answerer.stall_timeout,
        )
        return receiving, push_answer(section, theirs)

    async def _serve(
        self, decision: ServeFile, theirs: FileDescription, section: MediaDescription
    ) -> tuple[FileTransfer, MediaDescription]:
        path = Path(decision.path)
        digest = await hash_file(path)
        if theirs.sha1 not in (None, digest.sha1):
            raise FileTransferFailed("the file has another hash than is asked for")
        content_type = decision.content_type or type_of(path)
        file = FileToSend(
            path,
            digest=digest,
            identity=digest.identity,
            content_type=content_type,
            name=theirs.selector.name or path.name,
            disposition=decision.disposition,
        )
        sending = SendingFile(
            progress=decision.progress, stall_timeout=self._answerer.stall_timeout
        )
        sending.describe(theirs, file)
        facts = FileFacts(type=ContentType.parse(content_type), sha1=digest.sha1)
        selector = FileSelector.of(facts)
        answered = pull_answer(
            section, theirs, selector, disposition=decision.disposition
        )
        return sending, answered

    async def _turn_to_next(self) -> None:
        """Let go of the transfer that there was, if there is another (§8.1)."""
        following, self._next = self._next, None
        if following is None:
            return
        before = self._transfer
        await self._stop_ending()
        self._ending, self._is_ending = None, False
        if before is not None:
            before.on_over = None
            before.leave("another one takes its place")
            await self._media.stop()
            before.give_up("another one takes its place")
            await before.wait_over()
        self._media, self._words = following.media, following.words
        self._theirs = following.theirs
        self._carry_out(following.transfer)

    async def _agree(self, theirs: MediaDescription, is_offerer: bool) -> str | None:
        transfer, offered = self._transfer, self._theirs
        assert transfer is not None
        if isinstance(transfer, ReceivingFile):
            try:
                await transfer.prepare(offered, offered.selector, offered.range.start)
            except FileTransferFailed as error:
                return error.problem
        self._answerer.began(transfer)
        return None

    def _refuse(self, offered: MediaDescription, problem: str) -> MediaDescription:
        self._answerer.refused(problem)
        self._refusal = problem
        return refusal_of(offered)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A transfer that we have said yes to, and that hasn't begun."""

    theirs: FileDescription
    transfer: FileTransfer
    media: MsrpMedia
    words: FileDescription
