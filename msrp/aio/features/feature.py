"""What goes along with a session beside the application, and what it may use of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from typing import Protocol

from markup import MarkupError
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.aio.session.dispatch import Notice
from msrp.config import SessionConfig
from msrp.content import Address, Body, CpimMessage, EnvelopeHeaders, MessageReceived
from msrp.headers import FailureReport
from msrp.imdn import Disposition, NotificationPolicy
from msrp.negotiation import Negotiated

__all__ = ["Feature", "Party", "Stage", "Unreadable"]

logger = logging.getLogger("msrp.connection")


class Feature:
    """One of them; what it doesn't care for it leaves as it is here.

    Nothing that the peer sends may make these methods raise, and none waits.
    """

    __slots__ = ()

    @property
    def sees_lines(self) -> bool:
        """Whether it has to see messages that are plainly text, for now."""
        return True

    def arrived(self, message: MessageReceived) -> bool:
        """Take in a message of the peer, before the application is told of it.

        Returns:
            Whether it was for the feature alone, and is shown to nobody.
        """
        return False

    def headers(self, content_type: str) -> EnvelopeHeaders | None:
        """Return what the envelope of content that we are about to send shall say.

        Args:
            content_type: Of the content itself, whatever it is to be wrapped in.

        Returns:
            ``None`` if it needs no envelope on our account.
        """
        return None

    def queued(self, message: OutgoingMessage, envelope: CpimMessage | None) -> None:
        """Be told that content of the application is on its way.

        Args:
            message: It.
            envelope: What it is wrapped in, if it is; with the headers that the
                features wanted, unless the application has made the envelope.
        """

    def over(self) -> None:
        """Be told that the session is over; nothing follows."""


class Party(Protocol):
    """Who we are in a session, what we want, and what was agreed on with the peer."""

    negotiated: Negotiated
    local_address: Address | None
    remote_address: Address | None
    in_room: bool
    request_notifications: Collection[Disposition]
    notification_policy: NotificationPolicy | None

    def is_private(self, message: MessageReceived) -> bool:
        """Tell whether a message from a chat room is for us alone."""


class Stage(Protocol):
    """The session that a feature goes along with, once it was started."""

    @property
    def config(self) -> SessionConfig:
        """What was set for it."""

    @property
    def is_open(self) -> bool:
        """Whether messages can flow now."""

    def tell(self, event: Notice) -> None:
        """Have the hooks called for what has happened."""

    def send_aside(
        self,
        body: Body,
        *,
        failure_report: FailureReport,
        refused: Callable[[int | None], None],
    ) -> bool:
        """Send what isn't the application's: see :mod:`msrp.aio.sending.asides`."""

    async def room_aside(self) -> None:
        """Wait until there is room for another such message."""


class Unreadable:
    """Counts the documents of one kind that can't be read.

    The first is in the log for all to see: who sends thousands shall not fill it.

    Args:
        what: What should have been read.
    """

    __slots__ = ("_what", "count")

    def __init__(self, what: str) -> None:
        self._what = what
        self.count = 0

    def note(self, error: MarkupError) -> None:
        """Take note of another."""
        self.count += 1
        level = logging.WARNING if self.count == 1 else logging.DEBUG
        logger.log(level, "%s of the peer can't be read: %s", self._what, error)
