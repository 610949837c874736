"""Files that are offered in the call before they are sent (:rfc:`5547`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path

import msrp
import sip
from msrp_chat.conversation.progress import IncomingProgress, OutgoingProgress
from msrp_chat.conversation.save import Saver, digest
from msrp_chat.events import (
    Delivered,
    FileReceived,
    Incomplete,
    Sending,
    Undelivered,
)
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError
from msrp_chat.terminal.dimensions import dimensions_of

__all__ = ["Transfers"]

_ANSWER_TIME = 60.0
"""Seconds for the other side to decide whether it takes a file: it may ask somebody."""


class Transfers:
    """The files of one call, ours and theirs.

    Args:
        listener: Where peers reach us.
        output: Who is told.
        saver: Where files go.
        max_size: Octets of the largest file that is taken.

    Attributes:
        answerer: What takes the files that the peer offers: one of the media of the
            call, before the messages.
        call: The call, once there is one.
        fail: Called with what goes wrong.
        heard: Called with the name of each file that has come.
    """

    def __init__(
        self,
        listener: msrp.MsrpListener | msrp.MsrpRelay,
        output: Output,
        saver: Saver,
        max_size: int,
    ) -> None:
        self.call: sip.Call | None = None
        self.fail: Callable[[ChatError], None] = _nobody
        self.heard: Callable[[str], None] = _nobody
        self.answerer = msrp.FileAnswerer(
            listener, self._decide, on_transfer=self._begin, max_size=max_size
        )
        self._listener = listener
        self._output = output
        self._saver = saver
        self._max_size = max_size
        self._watchers: set[asyncio.Task[None]] = set()

    async def offer(self, path: Path) -> None:
        """Offer a file; return when the other side has decided.

        Raises:
            ChatError: It doesn't want it, or can't be asked.
        """
        if self.call is None:
            raise ChatError("a file can only be offered in a call")
        progress = OutgoingProgress(path.name, self._output)
        push = msrp.FilePush(self._listener, path, progress=progress.of_transfer)
        try:
            sha256 = await asyncio.to_thread(digest, path)
            media = [*self.call.media, push]
            await self.call.change(media, timeout=_ANSWER_TIME)
        except (sip.SipError, msrp.MsrpError, OSError, ValueError) as exc:
            raise ChatError(f"{path.name} was not taken: {exc}") from exc
        about = push.transfer.description
        assert about is not None  # It was in the offer.
        self._output.tell(
            Sending(
                message_id=about.transfer_id,
                kind="offer",
                content_type=str(about.content_type),
                octets=about.size or 0,
                filename=path.name,
                sha256=sha256,
            )
        )
        progress.begin(about.transfer_id)
        self._watch(self._follow(push.transfer, about.transfer_id, path.name))

    async def settled(self) -> None:
        """Wait until all files have come and gone, or failed."""
        while self._watchers:
            await asyncio.wait(self._watchers)

    async def _decide(self, offer: msrp.FileDescription) -> msrp.FileDecision:
        """Take what is sent to us; give nothing away that nobody has offered."""
        if not offer.is_push:
            return msrp.RefuseFile()
        return msrp.SaveFile(
            await self._saver.directory(),
            max_size=self._max_size,
            progress=IncomingProgress(
                offer.transfer_id,
                offer.filename,
                str(offer.content_type or "file"),
                self._output,
            ),
        )

    def _begin(self, transfer: msrp.FileTransfer) -> None:
        if transfer.is_incoming:
            self._watch(self._receive(transfer))

    def _watch(self, work: Coroutine[None, None, None]) -> None:
        watcher = asyncio.create_task(work, name="msrp-chat file")
        self._watchers.add(watcher)
        watcher.add_done_callback(self._watchers.discard)

    async def _follow(self, transfer: msrp.FileTransfer, key: str, name: str) -> None:
        try:
            await transfer.finished()
        except msrp.FileTransferFailed as exc:
            self._output.tell(Undelivered(message_id=key, status=None, reason=str(exc)))
            self.fail(ChatError(f"{name} was not delivered: {exc}"))
        else:
            self._output.tell(Delivered(message_id=key))

    async def _receive(self, transfer: msrp.FileTransfer) -> None:
        about = transfer.description
        assert about is not None  # It was in the offer.
        try:
            file = await transfer.finished()
        except msrp.FileTransferFailed as exc:
            self._output.tell(
                Incomplete(
                    message_id=about.transfer_id,
                    content_type=str(about.content_type or "file"),
                    octets=transfer.transferred,
                    path=None,
                    problem=str(exc),
                )
            )
            self.fail(ChatError(f"{about.filename} did not come: {exc}"))
            return
        size = await asyncio.to_thread(dimensions_of, file.path)
        self._output.tell(
            FileReceived(
                message_id=about.transfer_id,
                filename=about.filename,
                content_type=str(about.content_type or "application/octet-stream"),
                octets=file.size,
                sha256=await asyncio.to_thread(digest, file.path),
                path=str(file.path),
                width=None if size is None else size.width,
                height=None if size is None else size.height,
            )
        )
        self.heard(about.filename)


def _nobody(what: object) -> None:
    """Be told nothing yet: there is no conversation."""
