"""What an application can do and ask about typing and notifications."""

from __future__ import annotations

from collections.abc import Collection

from msrp.aio.features.gathering import Features
from msrp.content import AttachmentReceived, MessageReceived, TextMessageReceived
from msrp.imdn import Disposition, NotificationPolicy

__all__ = ["Noticing"]


class Noticing:
    """The part of :class:`~msrp.MsrpConnection` that tells what people do.

    Attributes:
        request_notifications: What to be told of each message from now on, such as
            ``{msrp.Disposition.DISPLAY}``.  It needs CPIM, so to a peer that takes
            none messages go without it.  It is one setting and no argument of each
            ``send_…``, since that is a habit of a console and not of a line; to ask for
            one message only, set it before and after.
        notification_policy: Decides which requests of the peer are answered, see
            :class:`msrp.Consent`; without one all are, as far as we know the answer.
    """

    request_notifications: Collection[Disposition] = frozenset()
    notification_policy: NotificationPolicy | None = None

    def composing(self, content_type: str | None = "text/plain") -> None:
        """Take note that our user adds to a message: call it on each key press.

        The peer is told now and then, as :rfc:`3994` says, if it wants to know; it
        costs next to nothing, waits for nothing, and is right in any state of the
        session.  That the message was sent needs not be said, nor that the user has
        stopped.

        Args:
            content_type: What is composed: a media type, with its subtype or without.

        Raises:
            ValueError: The type is none.
        """
        if self._is_running:
            self._features.composing().composing(content_type)

    @property
    def peer_is_composing(self) -> bool:
        """Whether a message is to be expected."""
        return bool(self.composers)

    @property
    def composers(self) -> tuple[str | None, ...]:
        """Who composes a message, by the URI in the envelope that said so.

        In a room there may be several; ``None`` stands for a peer that uses none.
        """
        return self._features.composers if self._is_running else ()

    async def displayed(
        self, message: MessageReceived | TextMessageReceived | AttachmentReceived
    ) -> bool:
        """Tell the sender of a message that somebody has seen it, if it wants to know.

        Args:
            message: What a hook was called with.

        Returns:
            Whether it is told.  It isn't if the message doesn't ask for it, if it was
            told before, or if :attr:`notification_policy` is against it.
        """
        feature = self._features.answering if self._is_running else None
        return feature is not None and await feature.displayed(message.message_id)

    @property
    def unreadable_notices(self) -> int:
        """How many typing indications and notifications of the peer made no sense.

        They are shown to nobody; the first is in the log.
        """
        return self._features.unreadable if self._is_running else 0

    @property
    def _is_running(self) -> bool:
        raise NotImplementedError

    @property
    def _features(self) -> Features:
        raise NotImplementedError
