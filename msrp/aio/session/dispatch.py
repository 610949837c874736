"""The hooks of a connection, and which event goes to which."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING

from msrp.aio.session.hooks import Handlers, Hook, Hooked, call_handlers, call_only
from msrp.composing import ComposingChanged
from msrp.content import (
    AttachmentReceived,
    MessageReceived,
    TextMessageReceived,
    leaves,
    read_line,
    read_message,
)
from msrp.events import (
    ClosedEvent,
    ConnectionEstablished,
    ConnectionFailedEvent,
    ConnectionLost,
    IncompleteMessage,
    MessageCompleted,
    MessageDeliveryFailed,
    MessageRefused,
    NicknameReceived,
    ReportReceived,
)
from msrp.imdn import UNDERSTOOD, DispositionNotification

__all__ = ["ConnectionHooks", "Notice", "Undelivered"]

Notice = (
    ConnectionEstablished
    | ConnectionFailedEvent
    | ConnectionLost
    | MessageDeliveryFailed
    | ReportReceived
    | MessageRefused
    | IncompleteMessage
    | NicknameReceived
    | ComposingChanged
    | DispositionNotification
    | ClosedEvent
)
"""What is told once, and dropped if no hook wants it."""


class Undelivered:
    """A message that has not found a taker for all that is in it.

    Args:
        message: It, or the octets of it; those are read when somebody asks.
    """

    __slots__ = ("_message", "shown", "unread")

    def __init__(self, message: MessageReceived | MessageCompleted) -> None:
        self._message: MessageReceived | None = None
        self.unread: MessageCompleted | None = None
        """The octets, if nobody has asked for the message yet."""
        if isinstance(message, MessageCompleted):
            self.unread = message
        else:
            self._message = message
        self.shown: frozenset[int] = _NOTHING
        """Which of its leaves a hook has had."""

    @property
    def message(self) -> MessageReceived:
        """The message, taken apart."""
        message, unread = self._message, self.unread
        if message is None:
            assert unread is not None
            message = self._message = read_message(
                unread.message_id,
                unread.content_type,
                unread.contents,
                unread.disposition,
                # What they ask for may be left undone (RFC 5438, 7.2.1.2).
                understood=UNDERSTOOD,
            )
            self.unread = None
        return message

    @message.setter
    def message(self, message: MessageReceived) -> None:
        self._message, self.unread = message, None

    @property
    def message_id(self) -> str:
        """Its Message-ID; it isn't taken apart for that."""
        return (
            self.message.message_id if self.unread is None else self.unread.message_id
        )

    @property
    def is_bare_text(self) -> bool:
        """Whether it is plainly text in no envelope, and nobody has asked for more."""
        return self.unread is not None and self.unread.content_type.startswith("text/")

    @property
    def line(self) -> TextMessageReceived | None:
        """All of it, if it is nothing but one text."""
        unread = self.unread
        if unread is not None:
            line = read_line(
                unread.message_id,
                unread.content_type,
                unread.contents,
                unread.disposition,
            )
            if line is not None:
                return line
        parts = leaves(self.message)
        if len(parts) == 1 and isinstance(parts[0], TextMessageReceived):
            return parts[0]
        return None

    @property
    def size(self) -> int:
        """Octets that it holds."""
        return len((self.unread or self.message).contents)


_NOTHING: frozenset[int] = frozenset()


class ConnectionHooks(Hooked):
    """What an application can be called for."""

    on_text_message_received = Hook[TextMessageReceived]()
    """Each text of a message, also from within CPIM and multipart."""

    on_attachment_received = Hook[AttachmentReceived]()
    """Each leaf of a message's body that isn't text."""

    on_message_received = Hook[MessageReceived]()
    """Every message, text too."""

    on_connection_established = Hook[ConnectionEstablished]()
    """When messages can flow; again each time that a lost connection is replaced."""

    on_connection_failed = Hook[ConnectionFailedEvent]()
    """Once, if they never can."""

    on_connection_lost = Hook[ConnectionLost]()
    """An open session has no connection any more, and waits for
    :meth:`~msrp.MsrpConnection.reestablish`, or an attempt at that has failed.  Only
    with a :attr:`~msrp.SessionConfig.recovery_time`."""

    on_message_delivery_failed = Hook[MessageDeliveryFailed]()
    """A message of ours did not arrive; the twin of ``await sent.delivered()``."""

    on_report_received = Hook[ReportReceived]()
    """Each REPORT about a message of ours."""

    on_message_refused = Hook[MessageRefused]()
    """A message of the peer was too large or of a type that isn't taken."""

    on_incomplete_message = Hook[IncompleteMessage]()
    """A message of the peer of which no more will come."""

    on_nickname_received = Hook[NicknameReceived]()
    """The peer wants to be known by a nickname, see :attr:`remote_nickname`.  Only if
    our description has said that it may (:rfc:`7701#section-8`)."""

    on_composing = Hook[ComposingChanged]()
    """Somebody has begun to compose a message, or composes none any more; the twin of
    :attr:`~msrp.MsrpConnection.peer_is_composing`."""

    on_disposition_notification = Hook[DispositionNotification]()
    """What became of a message of ours, if that was asked for; the twin of ``await
    sent.notified(…)``."""

    on_closed = Hook[ClosedEvent]()
    """Once, at the end; nothing comes after it."""

    if not TYPE_CHECKING:  # Else a type checker took every attribute for one of ours.

        def __setattr__(self, name, value):
            """Set an attribute, but no hook that isn't one."""
            if name.startswith("on_") and not hasattr(type(self), name):
                raise AttributeError(f"there is no hook {name}")
            super().__setattr__(name, value)

    async def deliver(self, event: Notice | Undelivered) -> bool:
        """Call the hooks for an event.

        Returns:
            Whether it needs no further taker.  A message does unless a hook gets
            all of it; a notice never does.
        """
        if isinstance(event, Undelivered):
            return await self._deliver_message(event)
        handlers: Handlers[Notice] = getattr(self, _HOOK_OF[type(event)])
        await call_handlers(handlers, event)
        return True

    def begin(self, undelivered: Undelivered) -> Awaitable[None] | bool:
        """Call the handler for a message at once, if there is but one.

        Most messages are one text, and most applications have one handler for
        texts, which doesn't wait: a task for each would cost more than all else.

        Returns:
            Whether that is all; else what is left to be awaited.  If it is
            ``False`` nothing was called, and :meth:`deliver` has to be.
        """
        # Not by their attributes: those are made when they are asked for.
        on_text = self._handlers.get("on_text_message_received")
        handler = None if on_text is None else on_text.only
        if handler is None or self._handlers.get("on_message_received"):
            return False
        line = None if undelivered.shown else undelivered.line
        if line is None:
            return False
        left = call_only(handler, line)
        return True if left is None else left

    async def _deliver_message(self, undelivered: Undelivered) -> bool:
        message = undelivered.message
        on_message, on_text = self.on_message_received, self.on_text_message_received
        on_attachment = self.on_attachment_received
        whole = bool(on_message)
        if whole:
            await call_handlers(on_message, message)
            if not (on_text or on_attachment):
                return True
        every = True
        for index, leaf in enumerate(leaves(message)):
            if index in undelivered.shown:
                continue
            seen = False
            if isinstance(leaf, TextMessageReceived):
                if on_text:
                    await call_handlers(on_text, leaf)
                    seen = True
            elif on_attachment:
                await call_handlers(on_attachment, leaf)
                seen = True
            if seen:
                undelivered.shown |= {index}
            every = every and seen
        return whole or (every and bool(undelivered.shown))


_HOOK_OF: dict[type, str] = {
    ConnectionEstablished: "on_connection_established",
    ConnectionFailedEvent: "on_connection_failed",
    ConnectionLost: "on_connection_lost",
    MessageDeliveryFailed: "on_message_delivery_failed",
    ReportReceived: "on_report_received",
    MessageRefused: "on_message_refused",
    IncompleteMessage: "on_incomplete_message",
    NicknameReceived: "on_nickname_received",
    ComposingChanged: "on_composing",
    DispositionNotification: "on_disposition_notification",
    ClosedEvent: "on_closed",
}
