"""A message that an application has sent, and how to learn what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msrp.aio.session.signal import wake
from msrp.errors import DeliveryError, LocalProtocolError, SessionEnded
from msrp.imdn import DispositionNotification, DispositionType
from msrp.sansio.outgoing import Outgoing

if TYPE_CHECKING:
    from msrp.aio.sending.outgoing import Outbox

__all__ = ["Notices", "OutgoingMessage"]


@dataclass(slots=True, eq=False)
class Notices:
    """Which notifications a message asks for, and the first of each that have come."""

    imdn_message_id: str
    wanted: frozenset[DispositionType]
    heard: dict[DispositionType, DispositionNotification] = field(default_factory=dict)
    over: bool = False


class OutgoingMessage:
    """What :meth:`msrp.MsrpConnection.send_message` and its like return.

    Attributes:
        message_id: The Message-ID, as events name it.
        size: Octets of the body, ``None`` if nobody knows yet.
    """

    __slots__ = (
        "_core",
        "_error",
        "_notices",
        "_outbox",
        "_over",
        "_waiting",
        "is_out",
        "message_id",
        "size",
        "watched",
    )

    def __init__(
        self,
        message_id: str,
        size: int | None,
        outbox: Outbox | None = None,
        core: Outgoing | None = None,
    ) -> None:
        self.message_id = message_id
        self.size = size
        self.watched = False
        """Whether somebody waits for the outcome, or has asked for it."""
        # Not two of its methods: those would be two more objects for each message.
        self._outbox = outbox
        self._core = core
        self._error: DeliveryError | None = None
        self.is_out = False
        """Whether the last octet is handed to the transport."""
        self._over = False
        # Only there while somebody waits: of most messages nobody asks more than once.
        self._waiting: list[asyncio.Future[None]] | None = None
        self._notices: Notices | None = None

    async def sent(self) -> None:
        """Wait until the last octet is handed to the transport.

        Raises:
            DeliveryError: The message failed before that.
        """
        self.watched = True
        if not (self.is_out or self._over):
            await self._wait_until(_is_out_or_over)
        if self._error is not None and not self.is_out:
            raise self._error

    async def delivered(self) -> None:
        """Wait until the message is known to have arrived.

        That is when every chunk was answered with 200, or when success reports
        cover all of it if one was asked for (:rfc:`4975#section-7.1.2`); when
        neither was asked for, as soon as it is sent.

        Raises:
            RequestRefused: The peer answered with an error.
            FailureReported: A report says that it failed further on.
            ResponseTimeout: No response came within 30 s.
            MessageAborted: It was given up before all was sent.
            SessionEnded: The session ended before anything was known.
        """
        self.watched = True
        if not self._over:
            await self._wait_until(_is_over)
        if self._error is not None:
            raise self._error

    async def notified(
        self, disposition: DispositionType = DispositionType.DELIVERY
    ) -> DispositionNotification:
        """Wait for what the recipient says of the message (:rfc:`5438`).

        It may never say anything, and nobody has to: so this is best done with a limit
        of time.  Where there are several recipients, it is the first to say so.

        Args:
            disposition: Whether it was delivered, or displayed, or how it is processed
                on the way.

        Raises:
            LocalProtocolError: The message doesn't ask for that: see
                :attr:`~msrp.MsrpConnection.request_notifications`.
            DeliveryError: The message has failed.
            SessionEnded: The session ended before it was said.
        """
        notices = self._notices
        if notices is None or disposition not in notices.wanted:
            raise LocalProtocolError("the message doesn't ask for this notification")
        if self._error is None:
            await self._wait_until(
                lambda _: disposition in notices.heard or notices.over or self.is_failed
            )
        heard = notices.heard.get(disposition)
        if heard is not None:
            return heard
        unheard = f"the recipient had said anything of its {disposition.value}"
        raise self._error or SessionEnded(self.message_id, unheard)

    @property
    def imdn_message_id(self) -> str | None:
        """The id that notifications have for it; ``None`` if it asks for none."""
        return None if self._notices is None else self._notices.imdn_message_id

    @property
    def is_failed(self) -> bool:
        """Whether it is known not to have arrived."""
        return self._error is not None

    async def _wait_until(self, reached: Callable[[OutgoingMessage], bool]) -> None:
        with nullcontext() if self._outbox is None else self._outbox.waiting():
            while not reached(self):
                future = asyncio.get_running_loop().create_future()
                if self._waiting is None:
                    self._waiting = []
                self._waiting.append(future)
                try:
                    await future
                finally:
                    self._forget(future)

    def _forget(self, future: asyncio.Future[None]) -> None:
        # After a change it is no longer there.
        if self._waiting is not None and future in self._waiting:
            self._waiting.remove(future)

    def _has_changed(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            wake(waiting)

    @property
    def confirmed(self) -> int:
        """Octets from the start on that the peer itself is known to have.

        It is told of a body that is read or made while it goes out.
        """
        return 0 if self._core is None else self._core.confirmed.prefix

    @property
    def error(self) -> DeliveryError | None:
        """Why it failed; ``None`` if it didn't, or not yet."""
        return self._error

    def abort(self) -> None:
        """Give it up: the peer is told that no more will come (``#``)."""
        self.watched = True
        if self._outbox is not None:
            self._outbox.abort(self.message_id)

    def was_sent(self) -> None:
        """Note that the last octet is out."""
        self.is_out = True
        self._has_changed()

    def was_delivered(self) -> None:
        """Note that it has arrived."""
        self._over = True
        self._has_changed()

    def has_failed(self, error: DeliveryError) -> None:
        """Note that it failed."""
        self._error = error
        self._over = True
        self._has_changed()

    def asks_for(self, notices: Notices) -> None:
        """Note which notifications were asked for."""
        self._notices = notices

    def was_notified(self, event: DispositionNotification) -> None:
        """Note what the recipient says."""
        if self._notices is not None:
            self._notices.heard.setdefault(event.type, event)
            self._has_changed()

    def wont_be_notified(self) -> None:
        """Note that nobody can say anything more."""
        if self._notices is not None:
            self._notices.over = True
            self._has_changed()

    def __repr__(self) -> str:
        if self._error is not None:
            state = "failed"
        elif self._over:
            state = "delivered"
        else:
            state = "sent" if self.is_out else "sending"
        return f"<OutgoingMessage {self.message_id} {state}>"


# No methods: one of those would be another object for each message that is awaited.


def _is_over(message: OutgoingMessage) -> bool:
    return message._over


def _is_out_or_over(message: OutgoingMessage) -> bool:
    return message.is_out or message._over
