"""What a message says: its text, its attachments, and who it claims to be from.

The core carries octets and a content type.  Here a message that has arrived is
taken apart (:func:`read_message`, :func:`leaves`) and one that is to be sent is
put together (:func:`text_body`, :func:`body_for`, :func:`multipart_body`).

Reading never fails.  ``message/cpim`` is unwrapped, multiparts are opened, at any
depth up to :data:`MAX_NESTING`; what can't be taken apart is handed over whole, as
an attachment, and ``problem`` says why.  The octets are all there in any case: a
body that we don't understand may be all there is of somebody's call for help.

Writing keeps to what the peer has announced (:rfc:`4975#section-8.6`): content
goes out bare or in a CPIM envelope, whichever the peer takes and prefers
(:rfc:`4975#section-13`), and what it takes in neither form is refused here,
before it costs a 415.  Wrapping is done on the whole body, before it is cut into
chunks; MSRP carries any octet, so there is no transfer encoding.

Who a CPIM envelope says it is from is an assertion by the peer, as good as the
peer is: show the identity of the session beside it (:rfc:`4975#section-14.5`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from cpim import CORE_NAMESPACE, Address, CpimError, CpimMessage
from mime import (
    MAX_DEPTH,
    MAX_PARTS,
    OCTET_STREAM,
    ContentDisposition,
    ContentType,
    MimeError,
    MimeLimitExceeded,
    Part,
    build_multipart,
    decode_text,
    open_part,
    safe_filename,
)
from mime.parameters import Parameters, format_parameters
from msrp.accept_types import AcceptTypes
from msrp.errors import LocalProtocolError

__all__ = [
    "ANONYMOUS",
    "MAX_NESTING",
    "Address",
    "AttachmentReceived",
    "Body",
    "ContentType",
    "CpimMessage",
    "MessageReceived",
    "Part",
    "TextMessageReceived",
    "body_for",
    "cpim_body",
    "file_disposition",
    "filename_of",
    "leaves",
    "multipart_body",
    "read_message",
    "stored_message",
    "text_body",
]

ANONYMOUS = Address("sip:anonymous@anonymous.invalid")
"""Stands for a party whose address isn't known (:rfc:`3323#section-4.1.1.3`):
From and To may not be left out (:rfc:`4975#section-13`)."""

MAX_NESTING = MAX_DEPTH
"""Envelopes and multiparts within each other, counted together.  Each level costs a
copy of all that is in it, so the limit also keeps the work linear."""

_CPIM = "message/cpim"

_SHOWN = frozenset({"render", "inline"})
"""The dispositions of text that is part of the conversation, not a file."""

_SINGULAR = ("From", "DateTime", "Subject", "Require")
"""The core headers that may stand only once in MSRP (:rfc:`4975#section-13`)."""

_NOTHING = AcceptTypes(())


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message has arrived."""

    message_id: str
    """The Message-ID that all its chunks had."""

    content_type: str
    """The type of the whole, as it came."""

    contents: bytes = field(repr=False)
    """The octets of the whole, as they came."""

    sender: str | None
    """The URI in From of the outermost CPIM envelope, if there is one: what the
    peer asserts, which nobody has proved."""

    parts: tuple[Part, ...]
    """The leaves, in order: envelopes and multiparts are taken off, of
    alternatives one is chosen.  A plain body is one."""

    cpim: CpimMessage | None
    """The outermost envelope around all of it."""

    problem: str | None
    """Why the body, or something in it, couldn't be read as it should have been;
    ``contents`` are complete nevertheless."""

    text: str | None
    """What the sender says: all text, a blank line between the pieces; ``None``
    if there is none."""

    filename: str | None
    """What the sender calls the file, if it is one; without any path, and fit for
    a file system."""

    senders: tuple[Address, ...] = ()
    """The chain of asserted identities, from the outermost envelope inwards: each
    is vouched for by the one before it, and the first by the peer."""

    path: Path | None = None
    """The file that a policy had the message written into; ``contents`` are then
    empty and it isn't taken apart."""

    size: int = 0
    """Octets of the whole, wherever they are."""


@dataclass(frozen=True, slots=True)
class TextMessageReceived:
    """Text has arrived."""

    text: str
    """The text; ``U+FFFD`` stands for what couldn't be decoded."""

    sender: str | None
    """See :attr:`MessageReceived.sender`."""

    message_id: str
    """The Message-ID of the message that it is in."""

    content_type: str
    """The type of the text, with its charset if it has one."""

    language: str | None
    """The first language tag of ``Content-Language``."""


@dataclass(frozen=True, slots=True)
class AttachmentReceived:
    """Something other than text has arrived."""

    content_type: str
    """What it is."""

    contents: bytes = field(repr=False)
    """Its octets, without their transfer encoding."""

    filename: str | None
    """What the sender calls it; without any path, and fit for a file system.  A
    file of that name may exist."""

    sender: str | None
    """See :attr:`MessageReceived.sender`."""

    message_id: str
    """The Message-ID of the message that it is in."""

    content_id: str | None
    """By what other parts may refer to it, without brackets."""

    path: Path | None = None
    """The file that it is in, if a policy said so; ``contents`` are then empty."""


@dataclass(frozen=True, slots=True)
class Body:
    """What to send: the arguments of one message."""

    content_type: str
    """For ``Content-Type``, in the form without spaces that MSRP has."""

    contents: bytes = field(repr=False)
    """The octets, to be cut into chunks as they are."""

    disposition: str | None = None
    """For ``Content-Disposition``; ``None`` leaves it out, which means render."""


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
    whole = _whole(content_type, contents, disposition)
    reading = _Reader(understood).read(whole)
    parts, envelopes = reading.parts, reading.envelopes
    texts = [_text_of(part) for part in parts if _is_text(part)]
    asserted = envelopes[0].sender if envelopes else None
    return MessageReceived(
        message_id,
        content_type,
        contents,
        sender=None if asserted is None else asserted.uri,
        parts=parts,
        cpim=envelopes[0] if envelopes else None,
        problem="; ".join(dict.fromkeys(reading.problems)) or None,
        text="\n\n".join(texts) if texts else None,
        filename=_filename_of(parts[0] if len(parts) == 1 else whole),
        senders=tuple(a for each in envelopes if (a := each.sender) is not None),
        size=len(contents),
    )


def stored_message(
    message_id: str,
    content_type: str,
    size: int,
    disposition: str | None,
    path: Path | None,
) -> MessageReceived:
    """Describe a message that was put somewhere else than into memory.

    Args:
        message_id: The Message-ID.
        content_type: The value of ``Content-Type``.
        size: Octets of the whole.
        disposition: The value of ``Content-Disposition``.
        path: The file that it is in; ``None`` if it went into something else.
    """
    return MessageReceived(
        message_id,
        content_type,
        b"",
        sender=None,
        parts=(),
        cpim=None,
        problem=None,
        text=None,
        filename=filename_of(content_type, disposition),
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
    if message.size and not message.contents:
        about = message.sender, message.message_id, None
        name = message.filename
        return [
            AttachmentReceived(message.content_type, b"", name, *about, message.path)
        ]
    return [_leaf(message, part) for part in message.parts]


def text_body(
    text: str,
    *,
    accept: AcceptTypes,
    accept_wrapped: AcceptTypes = _NOTHING,
    sender: Address | None = None,
    recipient: Address | None = None,
    now: datetime | None = None,
) -> Body:
    """Return the body of a text message; for the arguments see :func:`body_for`.

    It is wrapped if the peer lists ``message/cpim`` first (:rfc:`4975#section-13`).

    Raises:
        LocalProtocolError: The peer takes no text, or it can't be written as
            UTF-8.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be str, not {type(text).__name__}")
    try:
        contents = text.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("the text has half of a surrogate pair") from None
    return body_for(
        "text/plain;charset=utf-8",
        contents,
        accept=accept,
        accept_wrapped=accept_wrapped,
        sender=sender,
        recipient=recipient,
        now=now,
        prefer_bare=accept.first != _CPIM,
    )


def body_for(
    content_type: str,
    contents: bytes,
    *,
    accept: AcceptTypes,
    accept_wrapped: AcceptTypes = _NOTHING,
    sender: Address | None = None,
    recipient: Address | None = None,
    now: datetime | None = None,
    disposition: str | None = None,
    prefer_bare: bool = True,
) -> Body:
    """Return content as the peer takes it, bare or in a CPIM envelope.

    It is wrapped if the peer takes the content only so (:rfc:`4975#section-8.6`):
    who names a type is understood to mean it.  The disposition of wrapped content
    is in the envelope, beside its type.

    The content comes last in an envelope.  So for a file that is too large for
    memory, give no contents, and send its octets after :attr:`Body.contents`.

    Args:
        content_type: What the content is.
        contents: Its octets.
        accept: What the peer takes.
        accept_wrapped: What it takes only in a container.
        sender: Who it is from; anonymous by default.
        recipient: To whom it is; anonymous by default.
        now: When it is sent, with an offset from UTC, for the envelope.
        disposition: What to do with it, such as :func:`file_disposition`.
        prefer_bare: Whether to leave the envelope off if the peer doesn't mind.

    Raises:
        LocalProtocolError: The peer doesn't take this content, or something
            can't be written.
    """
    part = _build_part(content_type, contents, disposition)
    root, *inner = _types_in(part)
    is_inner_fine = all(_is_wrappable(each, accept, accept_wrapped) for each in inner)
    is_bare_fine = is_inner_fine and accept.covers(root)
    is_wrapped_fine = (
        is_inner_fine
        and root != _CPIM
        and accept.covers(_CPIM)
        and _is_wrappable(root, accept, accept_wrapped)
    )
    if is_wrapped_fine and not (is_bare_fine and prefer_bare):
        return _wrap(part, sender or ANONYMOUS, recipient or ANONYMOUS, now)
    if not is_bare_fine:
        raise LocalProtocolError(
            "the peer takes no content of this type, neither bare nor wrapped",
            section="4975#8.6",
            status=415,
        )
    wire_type = _format_content_type(part.content_type)
    return Body(wire_type, contents, part.header("content-disposition"))


def cpim_body(
    message: CpimMessage,
    *,
    accept: AcceptTypes,
    accept_wrapped: AcceptTypes = _NOTHING,
) -> Body:
    """Return the body of a message that has its envelope already.

    Args:
        message: What to send, octet for octet.
        accept: What the peer takes.
        accept_wrapped: What it takes only in a container.

    Raises:
        LocalProtocolError: The peer doesn't take it, or its headers aren't as
            MSRP wants them (:rfc:`4975#section-13`).
    """
    return body_for(_CPIM, bytes(message), accept=accept, accept_wrapped=accept_wrapped)


def multipart_body(
    parts: Sequence[Part],
    *,
    subtype: str = "mixed",
    parameters: Parameters = (),
    accept: AcceptTypes,
    accept_wrapped: AcceptTypes = _NOTHING,
    sender: Address | None = None,
    recipient: Address | None = None,
    now: datetime | None = None,
    disposition: str | None = None,
    prefer_bare: bool = True,
) -> Body:
    """Return the body of a message of several parts.

    Args:
        parts: At least one; each, and what is in it, must be of a type that the
            peer takes, bare or wrapped.
        subtype: ``mixed``, ``related``, ``alternative`` and so on.
        parameters: More parameters of the content type, such as ``start``.
        accept: See :func:`body_for`, as for all that follow.
        accept_wrapped: What the peer takes only in a container.
        sender: Who it is from.
        recipient: To whom it is.
        now: When it is sent.
        disposition: What to do with the whole.
        prefer_bare: Whether to leave the envelope off if the peer doesn't mind.

    Raises:
        LocalProtocolError: The peer doesn't take it, or something can't be
            written.
    """
    try:
        content_type, contents = build_multipart(parts, subtype, parameters)
    except MimeError as exc:
        raise LocalProtocolError(exc.problem) from exc
    return body_for(
        str(content_type),
        contents,
        accept=accept,
        accept_wrapped=accept_wrapped,
        sender=sender,
        recipient=recipient,
        now=now,
        disposition=disposition,
        prefer_bare=prefer_bare,
    )


def file_disposition(filename: str) -> str:
    """Return the ``Content-Disposition`` of a file to send.

    Args:
        filename: Its name.  A path in front is cut off: it is nobody's business.
    """
    name = safe_filename(filename)
    return str(ContentDisposition.build("attachment", filename=name))


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was found in a body."""

    parts: tuple[Part, ...]
    problems: tuple[str, ...] = ()
    envelopes: tuple[CpimMessage, ...] = ()
    """Those around all of it, the outermost first."""


class _Reader:
    """Takes one message apart, within limits that span all of it."""

    __slots__ = ("_parts_left", "_understood")

    def __init__(self, understood: Collection[tuple[str, str]]) -> None:
        self._understood = understood
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
        try:
            message = CpimMessage.parse(part.content)
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


def _leaf(
    message: MessageReceived, part: Part
) -> TextMessageReceived | AttachmentReceived:
    if _is_text(part):
        languages = part.header("content-language") or ""
        return TextMessageReceived(
            _text_of(part),
            message.sender,
            message.message_id,
            str(part.content_type),
            languages.partition(",")[0].strip() or None,
        )
    return AttachmentReceived(
        str(part.content_type),
        part.content,
        _filename_of(part),
        message.sender,
        message.message_id,
        part.content_id,
    )


def _build_part(content_type: str, contents: bytes, disposition: str | None) -> Part:
    try:
        return Part.build(content_type, contents, disposition=disposition)
    except MimeError as exc:
        raise LocalProtocolError(exc.problem) from exc


def _format_content_type(content_type: ContentType) -> str:
    # RFC 4975 section 9 has no space before a parameter, unlike RFC 2045.
    parameters = (format_parameters((p,)) for p in content_type.parameters)
    return content_type.essence + "".join(f";{text[2:]}" for text in parameters)


def _is_wrappable(
    essence: str, accept: AcceptTypes, accept_wrapped: AcceptTypes
) -> bool:
    return accept.covers(essence) or accept_wrapped.covers(essence)


def _wrap(
    part: Part, sender: Address, recipient: Address, now: datetime | None
) -> Body:
    value = part.header("content-disposition")
    fields = () if value is None else (("Content-Disposition", value),)
    try:
        message = CpimMessage.build(
            part.content_type,
            part.body,
            sender=sender,
            to=recipient,
            date_time=now,
            content_headers=fields,
        )
    except CpimError as exc:
        raise LocalProtocolError(exc.problem) from exc
    return Body(_CPIM, bytes(message))


def _types_in(part: Part, depth: int = 0, *, is_signed: bool = False) -> Iterator[str]:
    """Yield the type of content to send, and of all that is in it.

    Raises:
        LocalProtocolError: The peer couldn't take it apart either.
    """
    yield part.content_type.essence
    inner: tuple[Part, ...] = ()
    if part.content_type.essence == _CPIM:
        inner = (_open_envelope(part, is_signed=is_signed),)
    elif part.content_type.type == "multipart":
        inner = _open_multipart(part)
    if inner and depth == MAX_NESTING:
        raise LocalProtocolError(f"the content is more than {MAX_NESTING} deep")
    protects = is_signed or part.content_type.essence == "multipart/signed"
    for each in inner:
        yield from _types_in(each, depth + 1, is_signed=protects)


def _open_multipart(part: Part) -> tuple[Part, ...]:
    try:
        opened = open_part(part)
    except MimeLimitExceeded as exc:
        raise LocalProtocolError(exc.problem) from exc
    if opened.multipart is None:
        raise LocalProtocolError("a multipart to send can't be taken apart")
    return opened.parts


def _open_envelope(part: Part, *, is_signed: bool) -> Part:
    """Return what is in an envelope that is as MSRP wants it.

    Raises:
        LocalProtocolError: It isn't.
    """
    try:
        message = CpimMessage.parse(part.content)
    except CpimError as exc:
        raise LocalProtocolError(exc.problem) from exc
    problem = None
    if message.sender is None or not message.to:
        problem = "message/cpim to send must have From and To"
    elif is_signed and message.get("DateTime") is None:
        problem = "message/cpim that is signed must have DateTime"
    elif any(len(message.get_all(n, CORE_NAMESPACE)) > 1 for n in _SINGULAR):
        problem = "a header of message/cpim that may be there only once is repeated"
    if problem is not None:
        raise LocalProtocolError(problem, section="4975#13")
    return message.part
