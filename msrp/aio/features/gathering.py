"""All that goes along with one session."""

from __future__ import annotations

from msrp.aio.features.composing import ComposingFeature, is_status
from msrp.aio.features.feature import Feature, Party, Stage
from msrp.aio.features.notifications import NotificationsFeature
from msrp.aio.sending.outgoing_message import OutgoingMessage
from msrp.content import CpimMessage, EnvelopeHeaders, MessageReceived
from msrp.imdn import NotificationRequest, notifications_in

__all__ = ["Features"]


class Features:
    """The features of one connection, each made when it is first needed.

    Most sessions are silent most of the time, and most messages are lines of text of
    two parties: those pay for nothing here.

    Args:
        party: Who we are in the session.
        stage: Where it happens.
    """

    __slots__ = ("_all", "_composing", "_notifications", "_party", "_stage")

    def __init__(self, party: Party, stage: Stage) -> None:
        self._party = party
        self._stage = stage
        self._all: tuple[Feature, ...] = ()
        self._composing: ComposingFeature | None = None
        self._notifications: NotificationsFeature | None = None

    def add(self, feature: Feature) -> None:
        """Have one more go along."""
        self._all = (*self._all, feature)

    @property
    def see_lines(self) -> bool:
        """Whether one of them has to see messages that are plainly text.

        If not, nobody takes those apart in vain.
        """
        return any(each.sees_lines for each in self._all)

    def composing(self) -> ComposingFeature:
        """Return what is known of typing."""
        if self._composing is None:
            self._composing = ComposingFeature(self._party, self._stage)
            self.add(self._composing)
        return self._composing

    def notifications(self) -> NotificationsFeature:
        """Return what is known of notifications."""
        if self._notifications is None:
            self._notifications = NotificationsFeature(self._party, self._stage)
            self.add(self._notifications)
        return self._notifications

    @property
    def answering(self) -> NotificationsFeature | None:
        """What is known of notifications; ``None`` if nobody has asked for any."""
        return self._notifications

    @property
    def composers(self) -> tuple[str | None, ...]:
        """Who composes."""
        return () if self._composing is None else self._composing.composers

    @property
    def unreadable(self) -> int:
        """How many documents of the peer could not be read."""
        return sum(
            each.unreadable.count
            for each in (self._composing, self._notifications)
            if each is not None
        )

    def arrived(self, message: MessageReceived) -> bool:
        """Have all see a message; tell whether it was for one of them alone."""
        if message.cpim is not None or message.text is None:
            self._make_for(message)
        if not self._all:
            return False
        # Each of them sees it, whether another one has taken it or not.
        return any([each.arrived(message) for each in self._all])

    def headers(self, content_type: str) -> EnvelopeHeaders | None:
        """Return what they want to have said on an envelope; ``None`` for none."""
        if self._notifications is None and self._party.request_notifications:
            self.notifications()
        if not self._all:
            return None
        found = [each.headers(content_type) for each in self._all]
        wanted = [headers for headers in found if headers is not None]
        if not wanted:
            return None
        return EnvelopeHeaders(
            tuple(header for each in wanted for header in each.headers),
            tuple(named for each in wanted for named in each.namespaces),
        )

    def queued(
        self, message: OutgoingMessage, envelope: CpimMessage | None
    ) -> OutgoingMessage:
        """Tell them that content is on its way, and give it back."""
        if envelope is not None and self._notifications is None:
            if NotificationRequest.of(envelope) is not None:
                self.notifications()
        for feature in self._all:
            feature.queued(message, envelope)
        return message

    def over(self) -> None:
        """Tell them that the session is over."""
        for feature in self._all:
            feature.over()

    def _make_for(self, message: MessageReceived) -> None:
        if self._composing is None and is_status(message):
            self.composing()
        if self._notifications is None:
            envelope = message.cpim
            asks = envelope is not None and NotificationRequest.of(envelope) is not None
            if asks or any(True for _ in notifications_in(message)):
                self.notifications()
