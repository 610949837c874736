"""The document of a notification (:rfc:`5438#section-11`)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import Self

from cpim import DEFAULT_LANGUAGE, Subject
from markup import Element, MarkupError, parse_markup

__all__ = [
    "CONTENT_TYPE",
    "MAX_OCTETS",
    "DispositionStatus",
    "DispositionType",
    "Imdn",
]

CONTENT_TYPE = "message/imdn+xml"
NAMESPACE = "urn:ietf:params:xml:ns:imdn"

MAX_OCTETS = 16_384
"""How long a document may be.  Those of the RFC have 500 octets; the subject of a
message is repeated in it, and may be long."""

_LANGUAGE = "http://www.w3.org/XML/1998/namespace lang"

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class DispositionType(enum.Enum):
    """What a notification is about (:rfc:`5438#section-11.1.6`)."""

    DELIVERY = "delivery-notification"
    """Whether the message has reached the recipient."""

    PROCESSING = "processing-notification"
    """What a server on the way does with it."""

    DISPLAY = "display-notification"
    """Whether somebody has seen it."""


class DispositionStatus(enum.Enum):
    """What became of a message (:rfc:`5438#section-11.1.7`)."""

    DELIVERED = "delivered"
    FAILED = "failed"
    DISPLAYED = "displayed"
    PROCESSED = "processed"
    STORED = "stored"

    FORBIDDEN = "forbidden"
    """It isn't said, as somebody doesn't want it to be."""

    ERROR = "error"
    """Nobody knows."""


_ANYWHERE = {DispositionStatus.FORBIDDEN, DispositionStatus.ERROR}

_STATUSES = {
    DispositionType.DELIVERY: _ANYWHERE
    | {DispositionStatus.DELIVERED, DispositionStatus.FAILED},
    DispositionType.PROCESSING: _ANYWHERE
    | {DispositionStatus.PROCESSED, DispositionStatus.STORED},
    DispositionType.DISPLAY: _ANYWHERE | {DispositionStatus.DISPLAYED},
}
"""What can be said of what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imdn:
    """What became of a message.

    Raises:
        ValueError: The status is none of this type.
    """

    message_id: str
    """The imdn.Message-ID in the envelope of the message, which isn't MSRP's."""

    date_time: str
    """When the message was sent, as its envelope said it."""

    type: DispositionType

    status: DispositionStatus

    recipient_uri: str | None = None
    """Who had it in the end."""

    original_recipient_uri: str | None = None
    """To whom it was sent, before somebody sent it on."""

    subject: Subject | None = None
    """One of its subjects."""

    def __post_init__(self) -> None:
        if self.status not in _STATUSES[self.type]:
            raise ValueError(f"nothing is {self.status.value} in a {self.type.value}")

    @property
    def size(self) -> int:
        """How much there is to remember of it, roughly, in characters."""
        texts = (
            self.message_id,
            self.date_time,
            self.recipient_uri or "",
            self.original_recipient_uri or "",
            "" if self.subject is None else self.subject.text,
        )
        return sum(map(len, texts))

    @classmethod
    def parse(cls, document: bytes) -> Self:
        """Read a document; elements that aren't known are passed over.

        Raises:
            MarkupError: It isn't XML as :func:`markup.parse_markup` wants it, is too
                long, or says nothing of a message that can be understood.
        """
        root = parse_markup(document, max_octets=MAX_OCTETS)
        if (root.namespace, root.name) != (NAMESPACE, "imdn"):
            raise MarkupError("the document is no disposition notification")
        message_id = _text(root, "message-id")
        if not message_id:
            raise MarkupError("the document names no message")
        type_, status = _disposition(root)
        return cls(
            message_id=message_id,
            date_time=_text(root, "datetime"),
            type=type_,
            status=status,
            recipient_uri=_text(root, "recipient-uri") or None,
            original_recipient_uri=_text(root, "original-recipient-uri") or None,
            subject=_subject(root),
        )

    def __bytes__(self) -> bytes:
        """Return the document.

        The schema has both URIs or neither, and a subject only with them.
        """
        said = {"message-id": self.message_id, "datetime": self.date_time}
        recipient = self.recipient_uri or self.original_recipient_uri
        if recipient is not None:
            said["recipient-uri"] = recipient
            said["original-recipient-uri"] = self.original_recipient_uri or recipient
        children = [_element(name, text) for name, text in said.items()]
        if self.subject is not None and recipient is not None:
            subject = _element("subject", self.subject.text)
            if self.subject.language != DEFAULT_LANGUAGE:
                subject.attributes[_LANGUAGE] = _writable(self.subject.language)
            children.append(subject)
        status = _element("status", "", _element(self.status.value))
        children.append(_element(self.type.value, "", status))
        return _DECLARATION + bytes(_element("imdn", "", *children))


def _disposition(root: Element) -> tuple[DispositionType, DispositionStatus]:
    for type_ in DispositionType:
        found = root.child(type_.value, NAMESPACE)
        said = None if found is None else found.child("status", NAMESPACE)
        if said is None:
            continue
        for status in _STATUSES[type_]:
            if said.child(status.value, NAMESPACE) is not None:
                return type_, status
    raise MarkupError("the document doesn't say what became of the message")


def _text(root: Element, name: str) -> str:
    found = root.child(name, NAMESPACE)
    # What can be said in one line only: white space is as much as a blank.
    return "" if found is None else " ".join(found.text.split())


def _subject(root: Element) -> Subject | None:
    text = _text(root, "subject")
    if not text:
        return None
    found = root.child("subject", NAMESPACE)
    assert found is not None, "it has a text"
    return Subject(text, found.attributes.get(_LANGUAGE) or DEFAULT_LANGUAGE)


def _element(name: str, text: str = "", *children: Element) -> Element:
    return Element(NAMESPACE, name, {}, list(children), _writable(text))


def _writable(text: str) -> str:
    """Return a text without what XML can't say."""
    return _NOT_XML.sub("\ufffd", " ".join(text.split()))
