"""Taking apart what has arrived: envelopes, multiparts, texts and files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cpim import CpimError, CpimMessage
from mime import (
    MAX_DEPTH,
    MAX_PARTS,
    OCTET_STREAM,
    MimeLimitExceeded,
    Part,
    decode_text,
    open_part,
    safe_filename,
)
from msrp.content.lines import (
    only_line,
    open_envelope,
    read_text,
    read_wrapped,
    text_leaf,
)
from msrp.content.received import (
    AttachmentReceived,
    MessageReceived,
    TextMessageReceived,
)

__all__ = [
    "MAX_NESTING",
    "filename_of",
    "leaves",
    "read_message",
    "stored_message",
    "take_apart",
]

MAX_NESTING = MAX_DEPTH
"""Envelopes and multiparts within each other, counted together.  Each level costs a
copy of all that is in it, so the limit also keeps the work linear."""

_CPIM = "message/cpim"

_SHOWN = frozenset({"render", "inline"})
"""The dispositions of text that is part of the conversation, not a file."""


def read_message(
    message_id: str,
    content_type: str,
    contents: bytes,
    disposition: str | None = None,
    *,
    understood: Collection[tuple[str, str]] = (),
) -> MessageReceived:
    """Take a message apart.  Nothing that a peer sends makes this raise.

    Of ``multipart/alternative`` the last part that has text in it is chosen, or
    the last if none has.  Of ``multipart/signed`` the signature, which isn't
    verified, is left out.  An envelope that requires something nobody here
    understands isn't opened (:rfc:`3862#section-4.7`).

    Args:
        message_id: The Message-ID.
        content_type: The value of ``Content-Type``.
        contents: The whole body.
        disposition: The value of ``Content-Disposition``.
        understood: Namespaces and names of the CPIM headers that the application
            understands, besides the core ones.
    """
    envelope = None
    if disposition is None:
        message = read_text(message_id, content_type, contents)
        if message is None:
            envelope = open_envelope(content_type, contents)
            if envelope and not envelope.unsupported_requirements(understood):
                message = read_wrapped(message_id, content_type, contents, envelope)
        if message is not None:
            return message
    whole = _whole(content_type, contents, disposition)
    return take_apart(message_id, whole, understood, envelope)


def take_apart(
    message_id: str,
    whole: Part,
    understood: Collection[tuple[str, str]] = (),
    envelope: CpimMessage | None = None,
) -> MessageReceived:
    """Take apart what may be made of anything; else as :func:`read_message`.

    Args:
        message_id: The Message-ID.
        whole: The message.
        understood: What an envelope may require.
        envelope: What the whole is, if that has been read already.
    """
    reading = _Reader(understood, envelope).read(whole)
    parts, envelopes = reading.parts, reading.envelopes
    texts = [_text_of(part) for part in parts if _is_text(part)]
    asserted = envelopes[0].sender if envelopes else None
    return MessageReceived(
        message_id,
        whole.header("content-type") or "",
        whole.body,
        sender=None if asserted is None else asserted.uri,
        parts=parts,
        cpim=envelopes[0] if envelopes else None,
        problem="; ".join(dict.fromkeys(reading.problems)) or None,
        text="\n\n".join(texts) if texts else None,
        filename=_filename_of(parts[0] if len(parts) == 1 else whole),
        senders=tuple(a for each in envelopes if (a := each.sender) is not None),
        size=len(whole.body),
    )


def stored_message(
    message_id: str,
    content_type: str,
    size: int,
    disposition: str | None,
    path: Path | None,
    *,
    envelopes: tuple[CpimMessage, ...] = (),
    problem: str | None = None,
) -> MessageReceived:
    """Describe a message that was put somewhere else than into memory.

    Args:
        message_id: The Message-ID.
        content_type: What was put there.
        size: How many octets were.
        disposition: The value of its ``Content-Disposition``.
        path: The file that it is in; ``None`` if it went into something else.
        envelopes: Those that were around it, the outermost first.
        problem: Why an envelope is still around it.
    """
    senders = tuple(a for each in envelopes if (a := each.sender) is not None)
    asserted = envelopes[0].sender if envelopes else None
    return MessageReceived(
        message_id,
        content_type,
        b"",
        sender=None if asserted is None else asserted.uri,
        parts=(),
        cpim=envelopes[0] if envelopes else None,
        problem=problem,
        text=None,
        filename=filename_of(content_type, disposition),
        senders=senders,
        path=path,
        size=size,
    )


def filename_of(content_type: str, disposition: str | None) -> str | None:
    """Return what a sender calls a file, without any path and safe to use."""
    return _filename_of(_whole(content_type, b"", disposition))


def _whole(content_type: str, contents: bytes, disposition: str | None) -> Part:
    headers: tuple[tuple[str, str], ...] = (("Content-Type", content_type),)
    if disposition is not None:
        headers += (("Content-Disposition", disposition),)
    return Part(headers, contents, default_type=OCTET_STREAM)


def leaves(
    message: MessageReceived,
) -> list[TextMessageReceived | AttachmentReceived]:
    """Return what a message is made of, in order: texts and attachments.

    ``text/plain`` is text, unless its disposition makes it a file; all else is
    an attachment.  So is a message that a policy had put somewhere else.
    """
    line = only_line(message)
    if line is not None:
        return [line]
    if message.is_stored:
        return [_stored_leaf(message)]
    return [_leaf(message, part) for part in message.parts]


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was found in a body."""

    parts: tuple[Part, ...]
    problems: tuple[str, ...] = ()
    envelopes: tuple[CpimMessage, ...] = ()
    """Those around all of it, the outermost first."""


class _Reader:
    """Takes one message apart, within limits that span all of it."""

    __slots__ = ("_outermost", "_parts_left", "_understood")

    def __init__(
        self, understood: Collection[tuple[str, str]], outermost: CpimMessage | None
    ) -> None:
        self._understood = understood
        self._outermost = outermost
        """What the whole is, if that was read already."""
        self._parts_left = MAX_PARTS

    def read(self, part: Part, depth: int = 0) -> _Reading:
        """Return the leaves of a part that has ``depth`` containers around it."""
        is_envelope = part.content_type.essence == _CPIM
        if not is_envelope and part.content_type.type != "multipart":
            # What the parser has forgiven is no problem, the rest is.
            problems = (p for p in part.warnings if p not in part.problems)
            return _Reading((part,), tuple(problems))
        if depth == MAX_NESTING:
            problem = f"what is more than {MAX_NESTING} deep is left whole"
            return _Reading((part,), (problem,))
        if is_envelope:
            return self._read_envelope(part, depth)
        return self._read_multipart(part, depth)

    def _read_envelope(self, part: Part, depth: int) -> _Reading:
        message = self._outermost if depth == 0 else None
        try:
            message = message or CpimMessage.parse(part.content)
        except CpimError as exc:
            return _Reading((part,), (f"message/cpim can't be read: {exc.problem}",))
        if message.unsupported_requirements(self._understood):
            problem = "message/cpim requires something that isn't understood here"
            return _Reading((part,), (problem,), (message,))
        reading = self.read(_with_disposition_of(part, message.part), depth + 1)
        return replace(reading, envelopes=(message, *reading.envelopes))

    def _read_multipart(self, part: Part, depth: int) -> _Reading:
        if part.multipart is None:
            try:
                part = open_part(
                    part, max_parts=self._parts_left, max_depth=MAX_NESTING - depth
                )
            except MimeLimitExceeded as exc:
                return _Reading((part,), (exc.problem,))
            self._parts_left -= _count(part)
        multipart = part.multipart
        if multipart is None:
            return _Reading((part,), part.problems)
        is_signed = multipart.subtype == "signed" and len(multipart.parts) == 2
        parts = multipart.parts[:1] if is_signed else multipart.parts
        readings = [self.read(each, depth + 1) for each in parts]
        if multipart.subtype == "alternative":
            readings = [_choose(readings)]
        problems = [problem for each in readings for problem in each.problems]
        if multipart.truncated:
            problems.append("the end of a multipart is missing")
        return _Reading(
            tuple(part for each in readings for part in each.parts),
            tuple(problems),
            # An envelope around one part of several says nothing of the others.
            readings[0].envelopes if len(readings) == 1 else (),
        )


def _choose(alternatives: Sequence[_Reading]) -> _Reading:
    """Return the richest alternative that has text, or else the richest."""
    with_text = (r for r in reversed(alternatives) if any(map(_is_text, r.parts)))
    return next(with_text, alternatives[-1])


def _count(part: Part) -> int:
    return sum(1 + _count(inner) for inner in part.parts)


def _with_disposition_of(envelope: Part, content: Part) -> Part:
    """Return the content of an envelope; a disposition outside of it counts too."""
    value = envelope.header("content-disposition")
    if value is None or content.header("content-disposition") is not None:
        return content
    headers = (*content.headers, ("Content-Disposition", value))
    return replace(content, headers=headers)


def _is_text(part: Part) -> bool:
    if part.content_type.essence != "text/plain":
        return False
    return part.disposition is None or part.disposition.treated_as in _SHOWN


def _text_of(part: Part) -> str:
    return decode_text(part.content, part.content_type.charset).text


def _filename_of(part: Part) -> str | None:
    disposition = part.disposition
    # Mail programs give the name beside the type (RFC 2046 has no such parameter).
    name = (disposition and disposition.filename) or part.content_type.parameter("name")
    return safe_filename(name) if name else None


def _stored_leaf(message: MessageReceived) -> AttachmentReceived:
    return AttachmentReceived(
        message.content_type,
        b"",
        message.filename,
        message.sender,
        message.message_id,
        None,
        message.path,
        message.recipient,
        message.is_private,
    )


def _leaf(
    message: MessageReceived, part: Part
) -> TextMessageReceived | AttachmentReceived:
    if _is_text(part):
        return text_leaf(message, part, _text_of(part), str(part.content_type))
    return AttachmentReceived(
        str(part.content_type),
        part.content,
        _filename_of(part),
        message.sender,
        message.message_id,
        part.content_id,
        None,
        message.recipient,
        message.is_private,
    )
