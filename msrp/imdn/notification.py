"""The message that says what became of another (:rfc:`5438#section-7.2`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from cpim import Address, CpimError, CpimMessage, Header
from mime import Part
from msrp.content import ANONYMOUS, MessageReceived
from msrp.errors import LocalProtocolError
from msrp.imdn.document import (
    CONTENT_TYPE,
    DispositionStatus,
    DispositionType,
    Imdn,
)
from msrp.imdn.request import NAMESPACE, NotificationRequest

__all__ = [
    "DispositionNotification",
    "is_notification",
    "notification_for",
    "notifications_in",
]


@dataclass(frozen=True, slots=True)
class DispositionNotification:
    """The peer, or somebody beyond it, tells what became of a message of ours."""

    message_id: str
    """The Message-ID of our message, as :attr:`OutgoingMessage.message_id`."""

    type: DispositionType
    """What it is about."""

    status: DispositionStatus
    """What became of it."""

    recipient: str | None
    """The URI of whoever has had the message, if it is said: where there are several,
    each of them may tell."""

    sender: str | None
    """From whom the notification is: what the peer asserts, which nobody has proved."""

    imdn: Imdn
    """All that it says."""


def notification_for(
    request: NotificationRequest,
    disposition: DispositionType,
    status: DispositionStatus,
    *,
    message_id: str,
    sender: Address | None,
    now: datetime,
) -> CpimMessage:
    """Return the answer to a request.

    It is from whom the message was for, and for whom it was from; if servers want to
    see it, it says so in the order in which they have said it.

    Args:
        request: What was asked.
        disposition: Which of the questions it answers.
        status: The answer.
        message_id: The imdn.Message-ID of the answer itself: new, and nothing that can
            be guessed.
        sender: Who we are; by default whom the message was for.
        now: The time, with an offset from UTC.

    Raises:
        LocalProtocolError: It can't be written.
        ValueError: The status is none of this type.
    """
    recipient = request.recipient or sender
    document = Imdn(
        message_id=request.message_id,
        # Who asks has to say when (7.1.1.2); if it hasn't, this is near enough.
        date_time=request.date_time or now.isoformat(timespec="seconds"),
        type=disposition,
        status=status,
        recipient_uri=None if recipient is None else recipient.uri,
        original_recipient_uri=(
            None if request.original_to is None else request.original_to.uri
        ),
        subject=request.subject,
    )
    routes = [Header.of_address("imdn.IMDN-Route", a) for a in request.record_route]
    try:
        return CpimMessage.build(
            CONTENT_TYPE,
            bytes(document),
            sender=sender or request.recipient or ANONYMOUS,
            to=request.sender or ANONYMOUS,
            date_time=now,
            namespaces=(("imdn", NAMESPACE),),
            headers=(("imdn.Message-ID", message_id), *routes),
            content_headers=(("Content-Disposition", "notification"),),
        )
    except CpimError as exc:
        raise LocalProtocolError(exc.problem) from exc


def is_notification(message: MessageReceived) -> bool:
    """Tell whether a message is nothing but notifications (:rfc:`5438#section-9`).

    Those of several recipients may come in one (:rfc:`5438#section-8.3`).
    """
    return bool(message.parts) and all(map(_is_imdn, message.parts))


def notifications_in(message: MessageReceived) -> Iterator[bytes]:
    """Yield the documents in a message, as they came."""
    return (part.content for part in message.parts if _is_imdn(part))


def _is_imdn(part: Part) -> bool:
    # Who leaves the disposition out means this one; who sends a notification on, as
    # an attachment, doesn't mean us.
    disposition = part.disposition
    fits = disposition is None or disposition.kind in ("notification", "render")
    return fits and part.content_type.essence == CONTENT_TYPE
