"""Messages that are one line of text, bare or in an envelope.

Most messages are, and of such a one it is known without a closer look what
:mod:`msrp.content.reading` would find in it.  Whatever is said here is what it says.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from cpim import CpimError, CpimMessage
from mime import OCTET_STREAM, ContentType, MimeError, Part
from msrp.content.received import MessageReceived, TextMessageReceived

__all__ = [
    "only_line",
    "open_envelope",
    "read_line",
    "read_text",
    "read_wrapped",
    "text_leaf",
]

_MAX_KNOWN = 200
"""Characters of a content type that is worth remembering; longer ones are rare."""

_HARMLESS = frozenset({"content-length", "content-language", "mime-version"})
"""MIME headers that alter nothing in how a text is read."""


@dataclass(frozen=True, slots=True)
class _PlainText:
    """A content type that says no more than that this is text in UTF-8."""

    headers: tuple[tuple[str, str], ...]
    """The header fields of a part of this type."""

    content_type: str
    """The type as it is shown."""


def _plain_text(content_type: str) -> _PlainText | None:
    """Return what a type is, if it says no more than that this is text in UTF-8."""
    return _recall_plain(content_type) if len(content_type) <= _MAX_KNOWN else None


@functools.lru_cache(maxsize=64)
def _recall_plain(content_type: str) -> _PlainText | None:
    try:
        parsed = ContentType.parse(content_type)
    except MimeError:
        return None
    if parsed.essence != "text/plain" or parsed.parameter("name") is not None:
        return None
    if parsed.charset not in (None, "utf-8"):
        return None
    return _PlainText((("Content-Type", content_type),), str(parsed))


@functools.lru_cache(maxsize=64)
def _is_envelope(content_type: str) -> bool:
    try:
        return ContentType.parse(content_type).essence == "message/cpim"
    except MimeError:
        return False


def read_text(
    message_id: str, content_type: str, contents: bytes
) -> MessageReceived | None:
    """Read a message that is a line of text; ``None`` if it is another."""
    plain = _plain_text(content_type)
    text = None if plain is None else _decode(contents)
    if plain is None or text is None:
        return None
    return MessageReceived(
        message_id,
        content_type,
        contents,
        sender=None,
        parts=(Part(plain.headers, contents, default_type=OCTET_STREAM),),
        cpim=None,
        problem=None,
        text=text,
        filename=None,
        size=len(contents),
    )


def open_envelope(content_type: str, contents: bytes) -> CpimMessage | None:
    """Return the envelope that a message is, if it is one that can be read."""
    if len(content_type) > _MAX_KNOWN or not _is_envelope(content_type):
        return None
    try:
        return CpimMessage.parse(contents)
    except CpimError:
        return None


def read_wrapped(
    message_id: str, content_type: str, contents: bytes, envelope: CpimMessage
) -> MessageReceived | None:
    """Read a line of text in an envelope; ``None`` if something else is in it.

    Args:
        message_id: The Message-ID.
        content_type: The type of the whole.
        contents: The whole.
        envelope: What was read of it; all that it requires is understood.
    """
    text = None if _plain_in(envelope) is None else _decode(envelope.content)
    if text is None:
        return None
    sender = envelope.sender
    return MessageReceived(
        message_id,
        content_type,
        contents,
        sender=None if sender is None else sender.uri,
        parts=(envelope.part,),
        cpim=envelope,
        problem=None,
        text=text,
        filename=None,
        senders=() if sender is None else (sender,),
        size=len(contents),
    )


def read_line(
    message_id: str, content_type: str, contents: bytes, disposition: str | None = None
) -> TextMessageReceived | None:
    """Read a message that is a bare line of text; ``None`` if it is another.

    What it returns is all that :func:`leaves` finds in what :func:`read_message` reads,
    found without making the latter.
    """
    plain = None if disposition is not None else _plain_text(content_type)
    text = None if plain is None else _decode(contents)
    if plain is None or text is None:
        return None
    return TextMessageReceived(text, None, message_id, plain.content_type, None)


def only_line(message: MessageReceived) -> TextMessageReceived | None:
    """Return all that there is in a message that was read as a line of text."""
    text, parts, envelope = message.text, message.parts, message.cpim
    if text is None or len(parts) != 1:
        return None
    # By identity: what was taken apart may have got other headers on the way.
    if envelope is not None:
        is_line = parts[0].headers is envelope.content_headers
        plain = _plain_in(envelope) if is_line else None
    else:
        plain = _plain_text(message.content_type)
        if plain is not None and parts[0].headers is not plain.headers:
            return None
    if plain is None:
        return None
    return text_leaf(message, parts[0], text, plain.content_type)


def text_leaf(
    message: MessageReceived, part: Part, text: str, content_type: str
) -> TextMessageReceived:
    """Return what a hook gets of a text in a message."""
    languages = part.header("content-language") or ""
    return TextMessageReceived(
        text,
        message.sender,
        message.message_id,
        content_type,
        languages.partition(",")[0].strip() or None,
        message.recipient,
        message.is_private,
    )


def _decode(contents: bytes) -> str | None:
    try:
        return contents.decode()
    except UnicodeDecodeError:
        return None


def _plain_in(envelope: CpimMessage) -> _PlainText | None:
    """Return the type of what is in an envelope, if it is plainly text."""
    plain: _PlainText | None = None
    for name, value in envelope.content_headers:
        lower = name.lower()
        if lower == "content-type" and plain is None:
            plain = _plain_text(value)
            if plain is None:
                return None
        elif lower not in _HARMLESS:
            return None
    return plain
