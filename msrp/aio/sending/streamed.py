"""Messages whose octets are read or made while they go out: files, and iterables.

What a body comes from is opened here, and closed once it isn't needed any more: when
the message is delivered or has failed, or the session is over.  A file that is out is
closed earlier, and stays known: should the connection be lost, it is opened again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msrp.aio.sending.files import FileBody
from msrp.aio.sending.iterables import IterableBody
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.aio.sending.readahead import ReadAhead
from msrp.aio.sending.terms import check
from msrp.aio.session.hooks import guarded
from msrp.content import Body
from msrp.headers import FailureReport
from msrp.sansio.ids import new_message_id

if TYPE_CHECKING:
    from msrp.aio.sending.outgoing import Outbox

__all__ = ["Progress", "Streamed"]

Progress = Callable[[int, int], None]
"""Called with the octets that are on their way, and how many there are in all."""


class Streamed:
    """Those of one session; it is made when the first of them is sent.

    Args:
        outbox: Where they are queued.
    """

    __slots__ = ("_closing", "_outbox", "_sources")

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._sources: dict[str, ReadAhead] = {}
        self._closing: dict[asyncio.Task[None], None] = {}

    async def send_file(
        self,
        path: Path,
        body: Body,
        *,
        message_id: str | None = None,
        success_report: bool = False,
        progress: Progress | None = None,
        start: int = 0,
        stop: int | None = None,
    ) -> OutgoingMessage:
        """Queue a file; it is read while it is sent.

        Args:
            path: Which file.
            body: What the file is, with the octets that go before it.
            start: The zero-based offset of the first octet to send.
            stop: The offset after the last one; ``None`` is the end of the file.
            message_id: The id to give it.
            success_report: Whether to ask for a success report.
            progress: What to call as the file goes out.

        Raises:
            FileUnreadable: The file can't be opened.
            LocalProtocolError: The peer takes no message like this.
            SessionClosed: The session is over.
        """
        outbox = self._outbox
        source = FileBody(
            path,
            prefix=body.contents,
            wake=outbox.flush,
            progress=guarded(progress) if progress else None,
            start=start,
            stop=stop,
        )
        await source.open()
        try:
            self._check(body, source.size, message_id)
            message = outbox.queue(
                body, source, message_id, success_report, FailureReport.YES
            )
        except BaseException:
            await source.close()
            raise
        self._sources[message.message_id] = source
        outbox.flush()
        return message

    def send_iterable(
        self,
        contents: AsyncIterable[bytes],
        body: Body,
        *,
        size: int | None = None,
        message_id: str | None = None,
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
    ) -> OutgoingMessage:
        """Queue what an iterable gives; it is pulled from as octets are sent.

        Args:
            contents: The iterable; once this returns it gets closed at the end.
            body: What the contents are, with the octets that go before them.
            size: How many octets it gives, ``None`` if nobody knows.
            message_id: The id to give the message.
            success_report: Whether to ask for a success report.
            failure_report: What to hear of failures.

        Raises:
            LocalProtocolError: The peer takes no message like this.
            SessionClosed: The session is over.
        """
        outbox, head = self._outbox, len(body.contents)
        self._check(body, head + (size or 0), message_id)
        message_id = message_id or new_message_id()
        limit = outbox.negotiated.remote_max_size
        source = IterableBody(
            contents,
            prefix=body.contents,
            length=size,
            limit=None if limit is None else limit - head,
            wake=outbox.flush,
            fail=partial(outbox.abort, message_id),
        )
        message = outbox.queue(body, source, message_id, success_report, failure_report)
        self._sources[message_id] = source
        source.start()
        outbox.flush()
        return message

    def went_out(self, message_id: str) -> bool:
        """Note that a message is out or has failed; tell whether it is one of these."""
        source = self._sources.get(message_id)
        if source is None:
            return False
        if isinstance(source, FileBody):
            self._close_soon(source)  # Another session may have to open it again.
        else:
            self.forget(message_id)
        return True

    def why_failed(self, message_id: str) -> BaseException | None:
        """Return why the reading of a body has ended early, if it has."""
        source = self._sources.get(message_id)
        return None if source is None else source.error

    def forget(self, message_id: str) -> None:
        """Let go of a body that won't be needed any more, if it is one of these."""
        source = self._sources.pop(message_id, None)
        if source is not None and not (
            isinstance(source, FileBody) and source.is_closed
        ):
            self._close_soon(source)

    async def close(self) -> None:
        """Close the files and iterables that are still open."""
        for message_id in list(self._sources):
            self.forget(message_id)
        while self._closing:
            await asyncio.wait(list(self._closing))

    def _check(self, body: Body, size: int, message_id: str | None) -> None:
        outbox = self._outbox
        check(outbox.session, outbox.negotiated, body, size=size, message_id=message_id)

    def _close_soon(self, source: ReadAhead) -> None:
        task = asyncio.create_task(source.close())
        self._closing[task] = None
        task.add_done_callback(self._closing.pop)
