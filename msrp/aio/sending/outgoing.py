"""The messages of one session that are on their way out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from msrp.aio.sending.asides import Asides
from msrp.aio.sending.files import FileBody
from msrp.aio.sending.iterables import IterableBody
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.aio.sending.readahead import ReadAhead
from msrp.aio.session.hooks import guarded
from msrp.aio.session.signal import Signal
from msrp.content import Body
from msrp.errors import LocalProtocolError, SessionClosed
from msrp.events import (
    MessageDelivered,
    MessageDeliveryFailed,
    MessageSent,
    ReportReceived,
)
from msrp.headers import FailureReport, is_ident
from msrp.negotiation import Negotiated
from msrp.sansio.chunker import BodySource
from msrp.sansio.ids import new_message_id
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.session import Session

__all__ = ["Outbox", "OutboxOwner", "Progress"]

logger = logging.getLogger("msrp.connection")

Progress = Callable[[int, int], None]
"""Called with the octets that are on their way, and how many there are in all."""


class OutboxOwner(Protocol):
    """Who has what is sent written to a connection."""

    def flush(self) -> None:
        """Have the connection write, if there is one."""

    def write(self) -> None:
        """Have it write too, several messages at a time where that is possible."""

    def awaited_changed(self) -> None:
        """Be told that somebody begins to wait, or nobody waits any more."""


class _Waiters:
    """Counts those who are inside of ``with``; any number may be.

    Args:
        owner: Is told when the first begins to wait, and when the last has.
    """

    __slots__ = ("_owner", "count")

    def __init__(self, owner: OutboxOwner) -> None:
        self._owner = owner
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1
        if self.count == 1:
            self._owner.awaited_changed()

    def __exit__(self, *exc_info: object) -> None:
        self.count -= 1
        if self.count == 0:
            self._owner.awaited_changed()


class Outbox:
    """What one session has to send, and what is known of it.

    Args:
        session: The session.
        negotiated: What the peer takes.
        owner: Who has it written.
    """

    def __init__(
        self,
        session: Session,
        negotiated: Negotiated,
        owner: OutboxOwner,
    ) -> None:
        self._owner = owner
        self._session = session
        self._negotiated = negotiated
        self._messages: dict[str, OutgoingMessage] = {}
        self._sources: dict[str, ReadAhead] = {}
        self._closing: dict[asyncio.Task[None], None] = {}
        self._asides: Asides | None = None
        self._queued = 0
        self._waiters = _Waiters(owner)
        self._changed = Signal()

    async def send(
        self,
        body: Body,
        *,
        message_id: str | None = None,
        success_report: bool = False,
        failure_report: FailureReport = FailureReport.YES,
    ) -> OutgoingMessage:
        """Queue a message, once there is room for it.

        Raises:
            LocalProtocolError: The peer takes no message like this.
            SessionClosed: The session is over.
        """
        size = len(body.contents)
        self._check(body, size, message_id)
        if self._is_crowded:
            with self.waiting():
                while self._is_crowded:
                    self._changed.clear()
                    await self._changed.wait()
        source = body.contents
        message = self._queue(body, source, message_id, success_report, failure_report)
        self._queued += size
        self._owner.write()
        return message

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
        source = FileBody(
            path,
            prefix=body.contents,
            wake=self._owner.flush,
            progress=guarded(progress) if progress else None,
            start=start,
            stop=stop,
        )
        await source.open()
        try:
            self._check(body, source.size, message_id)
            message = self._queue(
                body, source, message_id, success_report, FailureReport.YES
            )
        except BaseException:
            await source.close()
            raise
        self._sources[message.message_id] = source
        self._owner.flush()
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
        at_least = len(body.contents) + (size or 0)
        self._check(body, at_least, message_id)
        message_id = message_id or new_message_id()
        limit = self._negotiated.remote_max_size
        source = IterableBody(
            contents,
            prefix=body.contents,
            length=size,
            limit=None if limit is None else limit - len(body.contents),
            wake=self._owner.flush,
            fail=partial(self.abort, message_id),
        )
        message = self._queue(body, source, message_id, success_report, failure_report)
        self._sources[message_id] = source
        source.start()
        self._owner.flush()
        return message

    def moved(self, session: Session, negotiated: Negotiated) -> None:
        """Go on with a session that has taken the place of the first."""
        self._session = session
        self._negotiated = negotiated

    async def drained(self) -> None:
        """Wait until nothing is on its way any more."""
        with self.waiting():
            while self._session.unfinished:
                self._changed.clear()
                await self._changed.wait()

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for what only the peer's responses can bring."""
        return self._waiters.count > 0

    async def close(self) -> None:
        """Close the files and iterables that are still open."""
        for message_id in list(self._sources):
            self._close_source(message_id)
        while self._closing:
            await asyncio.wait(list(self._closing))

    def was_sent(self, event: MessageSent) -> None:
        """Take note that a message is out."""
        message = self._messages.get(event.message_id)
        if message is not None:
            self._no_longer_queued(message)
            message.was_sent()

    def was_delivered(self, event: MessageDelivered) -> None:
        """Take note that a message has arrived."""
        if self._asides is not None and self._asides.delivered(event.message_id):
            self._changed.set()
            return
        message = self._messages.pop(event.message_id, None)
        if event.message_id in self._sources:
            self._close_source(event.message_id)
        if message is not None:
            message.was_delivered()
        self._changed.set()

    def has_failed(self, event: MessageDeliveryFailed, *, told: bool) -> None:
        """Take note that a message failed, and see to it that somebody knows.

        That is not for what :meth:`send_aside` has sent: see :class:`Asides`.

        Args:
            event: What happened.
            told: Whether a hook will be called for it.
        """
        message = self._messages.pop(event.message_id, None)
        self._changed.set()
        if message is None:
            if not told:  # It counted as delivered, as nobody had said otherwise.
                logger.warning("message %s: %s", event.message_id, event.reason)
            return
        source = self._sources.get(event.message_id)
        if source is not None and source.error is not None:
            event.error.__cause__ = source.error
        self._no_longer_queued(message)
        self._close_source(event.message_id)
        message.has_failed(event.error)
        if not told and not message.watched:
            logger.warning("message %s: %s", message.message_id, event.reason)

    async def room_aside(self) -> None:
        """Wait until :meth:`send_aside` has room, or nobody takes anything more."""
        while self._has_too_many_asides:
            with self.waiting():
                self._changed.clear()
                await self._changed.wait()

    def is_aside(self, event: MessageDeliveryFailed | ReportReceived) -> bool:
        """Tell whether an event is about what :meth:`send_aside` has sent.

        If so, it is dealt with.
        """
        if self._asides is None:
            return False
        if isinstance(event, ReportReceived):
            return self._asides.reported(event)
        if not self._asides.failed(event):
            return False
        self._changed.set()
        return True

    @property
    def _has_too_many_asides(self) -> bool:
        return self._asides is not None and self._asides.are_too_many

    @property
    def _is_crowded(self) -> bool:
        return self._queued > self._session.config.send_high_water

    def waiting(self) -> _Waiters:
        """Have it known, inside of ``with``, that somebody waits for the peer."""
        return self._waiters

    def _check(self, body: Body, size: int, message_id: str | None) -> None:
        limit = self._negotiated.remote_max_size
        if message_id is not None and not is_ident(message_id):
            raise LocalProtocolError(
                "a Message-ID has 4 to 32 letters, digits and .-+%=", section="4975#9"
            )
        if not self._negotiated.may_send:
            raise LocalProtocolError("the peer doesn't want to receive now")
        if limit is not None and size > limit:
            raise LocalProtocolError(
                f"the peer takes no message of more than {limit} octets,"
                f" and this one has {size}",
                section="4975#8.6",
            )
        refused = self._session.refused_types
        if refused and body.kind in refused:
            raise LocalProtocolError(
                f"the peer has refused {body.kind} before in this session",
                section="4975#10.5",
            )

    def _queue(
        self,
        body: Body,
        source: BodySource | bytes,
        message_id: str | None,
        success_report: bool,
        failure_report: FailureReport,
    ) -> OutgoingMessage:
        core = self._core_message(
            body, source, message_id, success_report, failure_report
        )
        self._session.send(core)
        # Only of what can be long: the core of others has all their octets with it.
        known = None if isinstance(source, bytes) else core
        message = OutgoingMessage(core.message_id, core.size, self, known)
        self._messages[core.message_id] = message
        return message

    def _core_message(
        self,
        body: Body,
        source: BodySource | bytes,
        message_id: str | None,
        success_report: bool,
        failure_report: FailureReport,
    ) -> Outgoing:
        disposition = body.disposition
        return Outgoing(
            message_id or new_message_id(),
            body.content_type,
            source,
            success_report=success_report,
            failure_report=failure_report,
            fields=(("Content-Disposition", disposition),) if disposition else (),
            kind=None if body.envelope is None else body.kind,
        )

    def send_aside(
        self,
        body: Body,
        *,
        failure_report: FailureReport,
        refused: Callable[[int | None], None],
    ) -> bool:
        """Queue at once what the application neither sends nor hears of.

        Args:
            body: What to send: a few hundred octets.
            failure_report: What the peer is to say of failures.
            refused: Called with the code if it fails; ``None`` if there is none.

        Returns:
            Whether it is queued.  It isn't if the peer doesn't take it, or too many
            of its like are still on their way.
        """
        limit, refused_types = (
            self._negotiated.remote_max_size,
            self._session.refused_types,
        )
        if body.kind in refused_types or self._has_too_many_asides:
            return False
        if limit is not None and len(body.contents) > limit:
            return False
        core = self._core_message(body, body.contents, None, False, failure_report)
        try:
            self._session.send(core)
        except SessionClosed:
            return False
        if self._asides is None:
            self._asides = Asides()
        self._asides.add(core.message_id, refused, failure_report)
        self._owner.write()
        return True

    def abort(self, message_id: str, problem: str | None = None) -> None:
        """Give up a message of which no more shall be sent."""
        self._session.abort(message_id, problem)
        self._owner.flush()

    def _no_longer_queued(self, message: OutgoingMessage) -> None:
        source = self._sources.get(message.message_id)
        if source is None:
            if message.size is not None and not message.is_out:
                self._queued -= message.size
        elif isinstance(source, FileBody):
            self._close_soon(source)  # Another session may have to open it again.
        else:
            self._close_source(message.message_id)
        self._changed.set()

    def _close_source(self, message_id: str) -> None:
        source = self._sources.pop(message_id, None)
        if source is not None and not (
            isinstance(source, FileBody) and source.is_closed
        ):
            self._close_soon(source)

    def _close_soon(self, source: ReadAhead) -> None:
        task = asyncio.create_task(source.close())
        self._closing[task] = None
        task.add_done_callback(self._closing.pop)
