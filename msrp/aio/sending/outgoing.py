"""The messages of one session that are on their way out, and what becomes of them.

Those that are in memory as a whole are sent from here; files and iterables have their
own module (:mod:`msrp.aio.sending.streamed`), and so has what isn't the application's
(:mod:`msrp.aio.sending.asides`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from msrp.aio.sending.asides import Asides
from msrp.aio.sending.awaited import Awaited, AwaitedOwner
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.aio.sending.streamed import Streamed
from msrp.aio.sending.terms import check, takes
from msrp.content import Body
from msrp.errors import SessionClosed
from msrp.events import (
    MessageDelivered,
    MessageDeliveryFailed,
    MessageSent,
    ReportReceived,
)
from msrp.headers import FailureReport
from msrp.negotiation import Negotiated
from msrp.sansio.chunker import BodySource
from msrp.sansio.outgoing import Outgoing
from msrp.sansio.queues import BULK_SIZE
from msrp.sansio.session import Session

__all__ = ["Outbox", "OutboxOwner"]

logger = logging.getLogger("msrp.connection")

_YES = FailureReport.YES  # By this name, as looking it up in its Enum is slow.


class OutboxOwner(AwaitedOwner, Protocol):
    """Who has what is sent written to a connection."""

    def flush(self) -> None:
        """Have the connection write, if there is one."""

    def write(self) -> None:
        """Have it write too, several messages at a time where that is possible."""


class Outbox:
    """What one session has to send, and what is known of it.

    Args:
        session: The session.
        negotiated: What the peer takes.
        owner: Who has it written.
    """

    __slots__ = (
        "_asides",
        "_awaited",
        "_messages",
        "_owner",
        "_queued",
        "_queued_lines",
        "_streamed",
        "negotiated",
        "session",
    )

    def __init__(
        self, session: Session, negotiated: Negotiated, owner: OutboxOwner
    ) -> None:
        self.session = session
        self.negotiated = negotiated
        self._owner = owner
        self._messages: dict[str, OutgoingMessage] = {}
        self._streamed: Streamed | None = None
        self._asides: Asides | None = None
        # Octets in memory.  Lines overtake the others, so they don't wait for those.
        self._queued = self._queued_lines = 0
        self._awaited = Awaited(owner)

    def moved(self, session: Session, negotiated: Negotiated) -> None:
        """Go on with a session that has taken the place of the first."""
        self.session = session
        self.negotiated = negotiated

    # Messages of the application.

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
        source = body.contents
        size = len(source)
        check(self.session, self.negotiated, body, size=size, message_id=message_id)
        if not self._has_room(size):
            await self._awaited.until(partial(self._has_room, size))
        message = self.queue(body, source, message_id, success_report, failure_report)
        self._queued += size
        if size <= BULK_SIZE:
            self._queued_lines += size
        self._owner.write()
        return message

    @property
    def streamed(self) -> Streamed:
        """Those that are read or made while they go out."""
        if self._streamed is None:
            self._streamed = Streamed(self)
        return self._streamed

    def queue(
        self,
        body: Body,
        source: BodySource | bytes,
        message_id: str | None,
        success_report: bool,
        failure_report: FailureReport,
    ) -> OutgoingMessage:
        """Queue a message whatever else is there; :meth:`flush` has it written.

        Args:
            body: What it is.
            source: Its octets.
            message_id: The id to give it.
            success_report: Whether to ask for a success report.
            failure_report: What to hear of failures.

        Raises:
            LocalProtocolError: Another message with this id is on its way.
            SessionClosed: The session is over.
        """
        core = _core_message(body, source, message_id, success_report, failure_report)
        self.session.send(core)
        if isinstance(source, bytes):
            message = OutgoingMessage(core.message_id, len(source), self)
        else:  # What can be long; the core of others has all their octets with it.
            message = OutgoingMessage(core.message_id, core.size, self, core)
        self._messages[core.message_id] = message
        return message

    def flush(self) -> None:
        """Have the connection write, if there is one."""
        self._owner.flush()

    def abort(self, message_id: str, problem: str | None = None) -> None:
        """Give up a message of which no more shall be sent."""
        self.session.abort(message_id, problem)
        self.flush()

    # What becomes of them.

    def were_sent(self, events: Iterable[MessageSent]) -> None:
        """Take note that some messages are out."""
        for event in events:
            message = self._messages.get(event.message_id)
            if message is not None:
                self._no_longer_queued(message)
                message.was_sent()
        self._awaited.set()

    def were_delivered(self, events: Iterable[MessageDelivered]) -> None:
        """Take note that some messages have arrived."""
        for event in events:
            if self._asides is not None and self._asides.delivered(event.message_id):
                continue
            message = self._messages.pop(event.message_id, None)
            if self._streamed is not None:
                self._streamed.forget(event.message_id)
            if message is not None:
                message.was_delivered()
        self._awaited.set()

    def has_failed(self, event: MessageDeliveryFailed, *, told: bool) -> None:
        """Take note that a message failed, and see to it that somebody knows.

        That is not for what :meth:`send_aside` has sent: see :class:`Asides`.

        Args:
            event: What happened.
            told: Whether a hook will be called for it.
        """
        message = self._messages.pop(event.message_id, None)
        self._awaited.set()
        if message is None:
            if not told:  # It counted as delivered, as nobody had said otherwise.
                logger.warning("message %s: %s", event.message_id, event.reason)
            return
        if self._streamed is not None:
            cause = self._streamed.why_failed(event.message_id)
            if cause is not None:
                event.error.__cause__ = cause
        self._no_longer_queued(message)
        if self._streamed is not None:
            self._streamed.forget(event.message_id)
        message.has_failed(event.error)
        if not told and not message.watched:
            logger.warning("message %s: %s", message.message_id, event.reason)

    def _no_longer_queued(self, message: OutgoingMessage) -> None:
        # What is in memory as a whole counts; of the others there is little there.
        if self._streamed is None or not self._streamed.went_out(message.message_id):
            size = message.size
            if size is not None and not message.is_out:
                self._queued -= size
                if size <= BULK_SIZE:
                    self._queued_lines -= size

    # Who waits for that.

    def waiting(self) -> Awaited:
        """Have it known, inside of ``with``, that somebody waits for the peer."""
        return self._awaited

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for what only the peer's responses can bring."""
        return self._awaited.count > 0

    async def drained(self) -> None:
        """Wait until nothing is on its way any more."""
        await self._awaited.until(lambda: not self.session.unfinished)

    async def close(self) -> None:
        """Close the files and iterables that are still open."""
        if self._streamed is not None:
            await self._streamed.close()

    def _has_room(self, size: int) -> bool:
        queued = self._queued_lines if size <= BULK_SIZE else self._queued
        return queued <= self.session.config.send_high_water

    # What isn't the application's.

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
        if not self._has_room_aside():
            return False
        if not takes(self.session, self.negotiated, body):
            return False
        core = _core_message(body, body.contents, None, False, failure_report)
        try:
            self.session.send(core)
        except SessionClosed:
            return False
        if self._asides is None:
            self._asides = Asides()
        self._asides.add(core.message_id, refused, failure_report)
        self._owner.write()
        return True

    async def room_aside(self) -> None:
        """Wait until :meth:`send_aside` has room, or nobody takes anything more."""
        await self._awaited.until(self._has_room_aside)

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
        self._awaited.set()
        return True

    def _has_room_aside(self) -> bool:
        return self._asides is None or not self._asides.are_too_many


def _core_message(
    body: Body,
    source: BodySource | bytes,
    message_id: str | None,
    success_report: bool,
    failure_report: FailureReport,
) -> Outgoing:
    disposition = body.disposition
    fields = (("Content-Disposition", disposition),) if disposition else ()
    kind = None if body.envelope is None else body.kind
    if kind is None and not (fields or success_report) and failure_report is _YES:
        # Most are like this, and naming the rest takes as long as making the message.
        return Outgoing(message_id, body.content_type, source)
    return Outgoing(
        message_id,
        body.content_type,
        source,
        success_report=success_report,
        failure_report=failure_report,
        fields=fields,
        kind=kind,
    )
