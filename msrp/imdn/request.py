"""Asking for notifications, in an envelope (:rfc:`5438#section-7.1`)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Self

from cpim import Address, CpimError, CpimMessage, Subject
from msrp.content import EnvelopeHeaders
from msrp.imdn.document import DispositionType

__all__ = [
    "NAMESPACE",
    "UNDERSTOOD",
    "Consent",
    "Disposition",
    "NotificationPolicy",
    "NotificationRequest",
    "ignore_anonymous",
    "request_headers",
]

NAMESPACE = "urn:ietf:params:imdn"
"""Of the header fields; the prefix is whatever an envelope says."""

MAX_MESSAGE_ID = 256
"""Characters of an id that is worth remembering; those seen have 50 at most."""

MAX_ROUTES = 16
"""Servers that may want to see the notification: far more than any message passes."""

_PREFIX = "imdn"
_MESSAGE_ID, _NOTIFICATION = "Message-ID", "Disposition-Notification"


UNDERSTOOD = frozenset(
    (NAMESPACE, name)
    for name in (
        *(_MESSAGE_ID, _NOTIFICATION, "Original-To"),
        *("IMDN-Record-Route", "IMDN-Route"),
    )
)
"""The header fields that an envelope may require to be understood."""


class Disposition(enum.Enum):
    """What the sender of a message can ask to be told (:rfc:`5438#section-6.2`)."""

    POSITIVE_DELIVERY = "positive-delivery"
    """When it has reached the recipient."""

    NEGATIVE_DELIVERY = "negative-delivery"
    """When it can't."""

    PROCESSING = "processing"
    """What servers on the way do with it; recipients never say that."""

    DISPLAY = "display"
    """When somebody has seen it."""


class Consent(enum.Enum):
    """What becomes of a request for a notification."""

    GRANT = enum.auto()
    """It is answered with the truth."""

    FORBID = enum.auto()
    """It is answered with ``forbidden``."""

    IGNORE = enum.auto()
    """It isn't answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequest:
    """What the sender of a message wants to be told of it."""

    message_id: str
    """The imdn.Message-ID, which isn't MSRP's."""

    wanted: frozenset[Disposition]
    """What it asks for."""

    date_time: str | None = None
    """When the message was sent, as its envelope says."""

    sender: Address | None = None
    """Whom it says that it is from."""

    recipient: Address | None = None
    """Whom it says that it is for."""

    original_to: Address | None = None
    """Whom it was for before a server has sent it on."""

    record_route: tuple[Address, ...] = ()
    """The servers that want to see the answer, the first one first."""

    subject: Subject | None = None
    """What it is about."""

    @classmethod
    def of(cls, message: CpimMessage) -> Self | None:
        """Return what an envelope asks for.

        Returns:
            ``None`` if that is nothing that can be answered: without an id, or with
            more servers on the way than any message passes.
        """
        wanted = frozenset(_wanted(message))
        header = message.get(_MESSAGE_ID, NAMESPACE)
        routes = message.get_all("IMDN-Record-Route", NAMESPACE)
        if not wanted or header is None or len(routes) > MAX_ROUTES:
            return None
        if not _is_usable(header.value):
            return None
        moment = message.date_time
        originals = _addresses(message, "Original-To")
        return cls(
            message_id=header.value,
            wanted=wanted,
            date_time=None if moment is None else moment.raw,
            sender=message.sender,
            recipient=next(iter(message.to), None),
            original_to=next(originals, None),
            record_route=tuple(_addresses(message, "IMDN-Record-Route")),
            subject=next(iter(message.subjects), None),
        )

    @property
    def is_anonymous(self) -> bool:
        """Whether the sender doesn't say who it is (:rfc:`5438#section-12.1.1`)."""
        if self.sender is None:
            return True
        host = self.sender.uri.partition(";")[0].rpartition("@")[2]
        return host.lower().endswith("anonymous.invalid")

    @property
    def size(self) -> int:
        """How much there is to remember of it, roughly, in characters."""
        addresses = (self.sender, self.recipient, self.original_to, *self.record_route)
        subject = 0 if self.subject is None else len(self.subject.text)
        return (
            len(self.message_id)
            + len(self.date_time or "")
            + sum(len(str(each)) for each in addresses if each is not None)
            + subject
        )


NotificationPolicy = Callable[[NotificationRequest, DispositionType], Consent]
"""Decides whether a notification of this type is sent."""


def ignore_anonymous(
    request: NotificationRequest, disposition: DispositionType
) -> Consent:
    """Answer whoever says who they are (:rfc:`5438#section-12.1.1`)."""
    return Consent.IGNORE if request.is_anonymous else Consent.GRANT


def request_headers(
    wanted: Collection[Disposition], message_id: str
) -> EnvelopeHeaders:
    """Return the header fields that ask for notifications.

    Args:
        wanted: What to ask for.
        message_id: The imdn.Message-ID: new, and nothing that can be guessed
            (:rfc:`5438#section-6.3`).
    """
    names = ", ".join(each.value for each in Disposition if each in wanted)
    return EnvelopeHeaders(
        (
            (f"{_PREFIX}.{_MESSAGE_ID}", message_id),
            (f"{_PREFIX}.{_NOTIFICATION}", names),
        ),
        ((_PREFIX, NAMESPACE),),
    )


def _wanted(message: CpimMessage) -> Iterator[Disposition]:
    for header in message.get_all(_NOTIFICATION, NAMESPACE):
        for entry in header.value.split(","):
            try:
                yield Disposition(entry.partition(";")[0].strip())
            except ValueError:
                continue  # What isn't understood is ignored (section 7.2.1).


def _addresses(message: CpimMessage, name: str) -> Iterator[Address]:
    for header in message.get_all(name, NAMESPACE):
        try:
            yield Address.parse(header.raw_value)
        except CpimError:
            continue  # Nobody can be reached there.


def _is_usable(message_id: str) -> bool:
    """Tell whether an id can be written into a document and compared there."""
    fits = 0 < len(message_id) <= MAX_MESSAGE_ID
    return fits and message_id.isprintable() and " " not in message_id
