"""Disposition notifications (:rfc:`5438`), asked for, answered and heard of."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from markup import MarkupError
from msrp.aio.features.composing import is_status
from msrp.aio.features.feature import Feature, Party, Stage, Unreadable
from msrp.aio.sending.outgoing_message import Notices, OutgoingMessage
from msrp.content import CpimMessage, EnvelopeHeaders, MessageReceived, cpim_body
from msrp.errors import LocalProtocolError
from msrp.headers import FailureReport
from msrp.imdn import (
    UNDERSTOOD,
    Consent,
    Disposition,
    DispositionNotification,
    DispositionStatus,
    DispositionType,
    Imdn,
    NotificationRequest,
    ReceivedRequests,
    SentRequests,
    is_notification,
    notification_for,
    notifications_in,
    request_headers,
)
from msrp.sansio.ids import new_message_id

__all__ = ["NotificationsFeature"]

logger = logging.getLogger("msrp.connection")

_TYPE_OF = {
    Disposition.POSITIVE_DELIVERY: DispositionType.DELIVERY,
    Disposition.NEGATIVE_DELIVERY: DispositionType.DELIVERY,
    Disposition.PROCESSING: DispositionType.PROCESSING,
    Disposition.DISPLAY: DispositionType.DISPLAY,
}
"""What answers which question."""


class NotificationsFeature(Feature):
    """What both sides of a session tell each other of what became of messages.

    Args:
        party: Who we are, and what was agreed on.
        stage: Where it happens.
    """

    __slots__ = ("_party", "_received", "_sent", "_stage", "unreadable", "unsent")

    def __init__(self, party: Party, stage: Stage) -> None:
        self._party = party
        self._stage = stage
        self._received = ReceivedRequests()
        self._sent = SentRequests[OutgoingMessage]()
        self.unreadable = Unreadable("a notification")
        self.unsent = 0
        """Notifications that could not be sent: the peer takes none, or doesn't read
        those that it has asked for."""

    @property
    def sees_lines(self) -> bool:
        """Nothing is asked for without an envelope."""
        return False

    def arrived(self, message: MessageReceived) -> bool:
        """Take in notifications, and answer what a message asks for."""
        for document in notifications_in(message):
            self._hear(document, message.sender)
        if is_notification(message):
            return True
        if message.cpim is not None and not is_status(message):
            self._consider(message, message.cpim)
        return False

    def headers(self, content_type: str) -> EnvelopeHeaders | None:
        """Ask for what the application wants to know."""
        wanted = self._party.request_notifications
        if not (wanted and self._stage.config.notifications):
            return None
        return request_headers(wanted, new_message_id())

    def queued(self, message: OutgoingMessage, envelope: CpimMessage | None) -> None:
        """Expect what an envelope asks for, whoever has made it."""
        request = None if envelope is None else NotificationRequest.of(envelope)
        if request is not None:
            self._sent.add(request.message_id, message)
            wanted = frozenset(_TYPE_OF[each] for each in request.wanted)
            message.asks_for(Notices(request.message_id, wanted))

    def over(self) -> None:
        """Let nobody wait any longer."""
        for message in self._sent.values():
            message.wont_be_notified()
        self._sent = SentRequests()
        self._received = ReceivedRequests()

    async def displayed(self, message_id: str) -> bool:
        """Tell that a message was displayed, once there is room to say so.

        Returns:
            Whether it is told; it isn't if nobody has asked, or was told before.
        """
        await self._stage.room_aside()
        return self._answer(
            message_id, DispositionType.DISPLAY, DispositionStatus.DISPLAYED
        )

    def _hear(self, document: bytes, sender: str | None) -> None:
        try:
            imdn = Imdn.parse(document)
        except MarkupError as error:
            self.unreadable.note(error)
            return
        message = self._sent.match(imdn)
        if message is None:
            # We don't know of which message it is, or it is made up (section 14.1).
            logger.debug("a notification is about no message that we know")
            return
        event = DispositionNotification(
            message.message_id,
            imdn.type,
            imdn.status,
            imdn.recipient_uri,
            sender,
            imdn,
        )
        message.was_notified(event)
        self._stage.tell(event)

    def _consider(self, message: MessageReceived, envelope: CpimMessage) -> None:
        """Answer at once what can be: whether the message has reached us."""
        request = NotificationRequest.of(envelope)
        if request is None or not self._stage.config.notifications:
            return
        self._received.add(message.message_id, request)
        # What requires something that nobody here knows is not to be shown.
        is_readable = not envelope.unsupported_requirements(UNDERSTOOD)
        asked, status = Disposition.POSITIVE_DELIVERY, DispositionStatus.DELIVERED
        if not is_readable:
            asked, status = Disposition.NEGATIVE_DELIVERY, DispositionStatus.FAILED
        if asked in request.wanted:
            self._answer(message.message_id, DispositionType.DELIVERY, status)

    def _answer(
        self, message_id: str, type_: DispositionType, status: DispositionStatus
    ) -> bool:
        request = self._received.answer(message_id, type_)
        if request is None or type_ not in map(_TYPE_OF.__getitem__, request.wanted):
            return False
        consent = self._consent(request, type_)
        if consent is Consent.IGNORE:
            return False
        if consent is Consent.FORBID:
            status = DispositionStatus.FORBIDDEN
        is_sent = self._send(request, type_, status)
        if not is_sent:
            self._note_unsent()
        return is_sent

    def _note_unsent(self) -> None:
        if not self.unsent:
            logger.warning(
                "a notification can't go that was asked for:"
                " the peer takes no message/imdn+xml, or doesn't read what it gets"
            )
        self.unsent += 1

    def _consent(self, request: NotificationRequest, type_: DispositionType) -> Consent:
        policy = self._party.notification_policy
        if policy is None:
            return Consent.GRANT
        try:
            return policy(request, type_)
        except Exception as error:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "the policy for notifications failed", "exception": error}
            )
            return Consent.IGNORE  # Nothing is given away by mistake.

    @property
    def _may_answer_in_room(self) -> bool:
        """Whether one of many can be told alone (:rfc:`7701#section-6.2`)."""
        if not self._party.in_room:
            return True
        chatroom = self._party.negotiated.remote_chatroom
        return chatroom is not None and chatroom.private_messages

    def _send(
        self,
        request: NotificationRequest,
        type_: DispositionType,
        status: DispositionStatus,
    ) -> bool:
        negotiated = self._party.negotiated
        if not self._may_answer_in_room:
            return False
        try:
            message = notification_for(
                request,
                type_,
                status,
                message_id=new_message_id(),
                sender=self._party.local_address,
                now=datetime.now(UTC),
            )
            body = cpim_body(
                message,
                accept=negotiated.remote_accept_types,
                accept_wrapped=negotiated.remote_accept_wrapped_types,
            )
        except LocalProtocolError:
            return False
        return self._stage.send_aside(
            body, failure_report=FailureReport.YES, refused=_nobody_minds
        )


def _nobody_minds(code: int | None) -> None:
    """Be told that a notification was refused; if it was with 415, no other goes."""
