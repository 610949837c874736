"""The status message: what is read and written (:rfc:`3994#section-6`)."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from cpim import DateTime
from markup import Element, MarkupError, parse_markup

__all__ = [
    "CONTENT_TYPE",
    "MAX_OCTETS",
    "NAMESPACE",
    "ComposingState",
    "IsComposing",
]

CONTENT_TYPE = "application/im-iscomposing+xml"
NAMESPACE = "urn:ietf:params:xml:ns:im-iscomposing"

MAX_OCTETS = 8_192
"""How long a document may be; those of the RFC have 300 octets."""

_MEDIA_TYPE = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,127}(?:/[A-Za-z0-9!#$&^_.+-]{1,127})?"
)
"""What is composed: ``audio``, or ``text/html``; lengths as in RFC 6838, 4.2."""

_SECONDS = re.compile(r"\+?0{0,9}([1-9][0-9]{0,8})")

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class ComposingState(enum.Enum):
    """Whether somebody composes a message."""

    ACTIVE = "active"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class IsComposing:
    """A status message.

    Raises:
        ValueError: The type of content is none, the interval isn't positive, or the
            moment has no offset from UTC.
    """

    state: ComposingState

    content_type: str | None = None
    """What is composed: a media type, with its subtype or without.  A hint."""

    refresh: int | None = None
    """Seconds in which the same will be said again, if it is still so."""

    last_active: datetime | None = None
    """When something was added or changed last."""

    def __post_init__(self) -> None:
        if self.content_type is not None and not _MEDIA_TYPE.fullmatch(
            self.content_type
        ):
            raise ValueError("what is composed is neither a type nor type/subtype")
        if self.refresh is not None and not _SECONDS.fullmatch(str(self.refresh)):
            raise ValueError("the interval isn't a positive number of seconds")
        if self.last_active is not None and self.last_active.utcoffset() is None:
            raise ValueError("a date and time without an offset from UTC")

    @classmethod
    def parse(cls, document: bytes) -> Self:
        """Read a document.

        What isn't understood is passed over: elements of other namespaces, and values
        that aren't what they should be.  A state other than ``active`` is ``idle``
        (:rfc:`3994#section-3.5`).

        Raises:
            MarkupError: It isn't XML as :func:`markup.parse_markup` wants it, is too
                long, or is no such document.
        """
        root = parse_markup(document, max_octets=MAX_OCTETS)
        if (root.namespace, root.name) != (NAMESPACE, "isComposing"):
            raise MarkupError("the document isn't about composing")
        state = root.child("state", NAMESPACE)
        if state is None:
            raise MarkupError("the document gives no state")
        is_active = state.text == ComposingState.ACTIVE.value
        content_type = _text(root, "contenttype")
        refresh = _SECONDS.fullmatch(_text(root, "refresh"))
        return cls(
            ComposingState.ACTIVE if is_active else ComposingState.IDLE,
            content_type if _MEDIA_TYPE.fullmatch(content_type) else None,
            None if refresh is None else int(refresh[1]),
            DateTime.parse(_text(root, "lastactive")).value,
        )

    def __bytes__(self) -> bytes:
        """Return the document."""
        said = {"state": self.state.value}
        if self.last_active is not None:
            said["lastactive"] = DateTime.of(self.last_active).raw
        if self.content_type is not None:
            said["contenttype"] = self.content_type
        if self.refresh is not None:
            said["refresh"] = str(self.refresh)
        children = [
            Element(NAMESPACE, name, {}, text=text) for name, text in said.items()
        ]
        return _DECLARATION + bytes(Element(NAMESPACE, "isComposing", {}, children))


def _text(root: Element, name: str) -> str:
    found = root.child(name, NAMESPACE)
    return "" if found is None else found.text
