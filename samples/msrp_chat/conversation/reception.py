"""What arrives: shown, saved, counted, and sent back if that is wanted."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

import msrp
from msrp.content import leaves
from msrp_chat.conversation.progress import IncomingProgress
from msrp_chat.conversation.save import Saver
from msrp_chat.events import (
    Composing,
    Displayed,
    FileReceived,
    Incomplete,
    Message,
    Notice,
    Refused,
    Report,
    TextReceived,
)
from msrp_chat.events.output import Output
from msrp_chat.outcome import ChatError
from msrp_chat.terminal.dimensions import dimensions_of

__all__ = ["Reception"]

_MOST_UNEXPECTED = 1000
"""Texts kept for a later ``expect``; a peer may send any number."""

_LONG = 64 << 10
"""Octets of a message that takes long enough to be watched while it comes."""


class Reception:
    """Takes what one connection receives.

    Args:
        output: Where events go.
        saver: Where files go.
        fail: Called with what goes wrong on our side.
        send_back: Called with each message after it was shown, if given.
        receipts: Whether to tell the other side that messages were shown.

    Attributes:
        messages: How many have arrived.
        octets: How many they had.
    """

    def __init__(
        self,
        output: Output,
        saver: Saver,
        fail: Callable[[ChatError], None],
        send_back: Callable[[msrp.MessageReceived], Awaitable[None]] | None,
        receipts: bool = False,
    ) -> None:
        self.messages = 0
        self.octets = 0
        self._output = output
        self._saver = saver
        self._fail = fail
        self._send_back = send_back
        self._receipts = receipts
        self._connection: msrp.MsrpConnection | None = None
        self._heard: deque[str] = deque(maxlen=_MOST_UNEXPECTED)
        self._something_heard = asyncio.Event()
        self._something_came = asyncio.Event()

    def attach(self, connection: msrp.MsrpConnection) -> None:
        """Set the hooks of a connection."""
        self._connection = connection
        connection.policy = self._decide
        connection.on_composing = self._composing
        connection.on_disposition_notification = self._displayed
        connection.on_message_received = self._message
        connection.on_report_received = self._report
        connection.on_message_refused = self._refused
        connection.on_incomplete_message = self._incomplete

    async def nothing(self, seconds: float) -> None:
        """See that nothing comes for a while.

        Raises:
            ChatError: Something has come.
        """
        self._something_came.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._something_came.wait()
            raise ChatError("something has come")

    async def silence(self, seconds: float) -> None:
        """Wait until nothing has arrived for this long."""
        with contextlib.suppress(TimeoutError):
            while True:
                self._something_came.clear()
                async with asyncio.timeout(seconds):
                    await self._something_came.wait()

    async def expect(self, text: str, seconds: float) -> None:
        """Wait until a text or the name of a file has ``text`` in it.

        Each fulfils this once.  Their order doesn't matter: a text overtakes a file
        that was sent before it.

        Raises:
            ChatError: Nothing like it came in time.
        """
        try:
            async with asyncio.timeout(seconds):
                while not self._find(text):
                    self._something_heard.clear()
                    await self._something_heard.wait()
        except TimeoutError:
            problem = f"waited {seconds:g} s for {text!r}, and it did not come"
            raise ChatError(problem) from None

    def note_heard(self, text: str) -> None:
        """Take note of a text, or the name of a file, that may be expected."""
        self._something_came.set()
        self._heard.append(text)
        self._something_heard.set()

    # What the connection tells.

    def _decide(self, about: msrp.Announcement) -> msrp.InMemory:
        """Take everything; of what is long, tell how far it has come."""
        if about.size is None or about.size < _LONG:
            return msrp.InMemory()
        return msrp.InMemory(
            progress=IncomingProgress(
                about.message_id, about.filename, about.content_type, self._output
            )
        )

    async def _message(self, event: msrp.MessageReceived) -> None:
        self.messages += 1
        self.octets += len(event.contents)
        self._something_came.set()
        self._output.tell(
            Message(
                message_id=event.message_id,
                content_type=event.content_type,
                octets=len(event.contents),
                sender=event.sender,
                problem=event.problem,
            )
        )
        for leaf in leaves(event):
            if isinstance(leaf, msrp.TextMessageReceived):
                self._text(leaf, event)
            else:
                await self._attachment(leaf)
        if self._receipts and self._connection is not None:
            await self._connection.displayed(event)
        if self._send_back is not None:
            await self._send_back(event)

    def _text(
        self, event: msrp.TextMessageReceived, whole: msrp.MessageReceived
    ) -> None:
        in_room = self._connection is not None and self._connection.in_room
        self._output.tell(
            TextReceived(
                message_id=event.message_id,
                text=event.text,
                content_type=whole.content_type.partition(";")[0].strip(),
                speaker=whole.sender if in_room else None,
                private=whole.is_private,
            )
        )
        self.note_heard(event.text)

    async def _attachment(self, event: msrp.AttachmentReceived) -> None:
        try:
            saved = await self._saver.save(
                event.filename, event.content_type, event.contents
            )
        except OSError as exc:
            self._cannot_save(exc)
            return
        size = await asyncio.to_thread(dimensions_of, saved.path)
        self._output.tell(
            FileReceived(
                message_id=event.message_id,
                filename=event.filename,
                content_type=event.content_type,
                octets=len(event.contents),
                sha256=saved.sha256,
                path=str(saved.path),
                width=None if size is None else size.width,
                height=None if size is None else size.height,
            )
        )
        self.note_heard(event.filename or "")

    def _composing(self, event: msrp.ComposingChanged) -> None:
        self._output.tell(Composing(active=event.is_composing, sender=event.sender))

    def _displayed(self, event: msrp.DispositionNotification) -> None:
        if event.type is msrp.DispositionType.DISPLAY:
            self._output.tell(
                Displayed(
                    message_id=event.message_id,
                    status=event.status.value,
                    by=event.recipient,
                )
            )

    def _report(self, event: msrp.ReportReceived) -> None:
        octets = event.byte_range
        self._output.tell(
            Report(
                message_id=event.message_id,
                status=event.status_code,
                first=None if octets is None else octets.start,
                last=None if octets is None else octets.end,
            )
        )

    def _refused(self, event: msrp.MessageRefused) -> None:
        self._output.tell(
            Refused(
                message_id=event.message_id,
                content_type=event.content_type,
                status=event.status_code,
            )
        )

    async def _incomplete(self, event: msrp.IncompleteMessage) -> None:
        """Keep what there is of a message that broke off, gaps filled with zeros."""
        end = max((at + len(piece) for at, piece in event.ranges), default=0)
        data = bytearray(end)
        for at, piece in event.ranges:
            data[at : at + len(piece)] = piece
        path = None
        if data:
            name = f"incomplete-{event.message_id}"
            try:
                saved = await self._saver.save(name, event.content_type, bytes(data))
                path = str(saved.path)
            except OSError as exc:
                self._cannot_save(exc)
        self._output.tell(
            Incomplete(
                message_id=event.message_id,
                content_type=event.content_type,
                octets=end,
                path=path,
                problem=event.problem,
            )
        )

    # Inside.

    def _cannot_save(self, error: OSError) -> None:
        problem = f"a file could not be saved: {error.strerror or error}"
        self._output.tell(Notice(text=problem))
        self._fail(ChatError(problem))

    def _find(self, text: str) -> bool:
        for at, heard in enumerate(self._heard):
            if text in heard:
                del self._heard[at]
                return True
        return False
