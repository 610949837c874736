"""Putting together what is to be sent, in the form that the peer takes."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import format_datetime

from cpim import CORE_NAMESPACE, Address, CpimError, CpimMessage
from mime import (
    ContentDisposition,
    ContentType,
    MimeError,
    MimeLimitExceeded,
    Part,
    build_multipart,
    open_part,
    safe_filename,
)
from mime.headers import Headers
from mime.parameters import Parameters, format_parameters
from msrp.accept_types import AcceptTypes
from msrp.content.reading import MAX_NESTING
from msrp.errors import LocalProtocolError

__all__ = [
    "ANONYMOUS",
    "Body",
    "EnvelopeHeaders",
    "body_for",
    "cpim_body",
    "file_disposition",
    "line_body",
    "multipart_body",
    "prefers_envelope",
    "text_body",
]

ANONYMOUS = Address("sip:anonymous@anonymous.invalid")
"""Stands for a party whose address isn't known (:rfc:`3323#section-4.1.1.3`):
From and To may not be left out (:rfc:`4975#section-13`)."""

_CPIM = "message/cpim"

_TEXT = "text/plain;charset=utf-8"
"""The type that our own texts have."""

_SINGULAR = ("From", "DateTime", "Subject", "Require")
"""The core headers that may stand only once in MSRP (:rfc:`4975#section-13`)."""

_NOTHING = AcceptTypes(())


# Not frozen: that would take three times as long, for each message.
@dataclass(slots=True)
class Body:
    """What to send: the arguments of one message."""

    content_type: str
    """For ``Content-Type``, in the form without spaces that MSRP has."""

    contents: bytes = field(repr=False)
    """The octets, to be cut into chunks as they are."""

    disposition: str | None = None
    """For ``Content-Disposition``; ``None`` leaves it out, which means render."""

    envelope: CpimMessage | None = field(default=None, repr=False, compare=False)
    """What is read again from ``contents``, if they are a CPIM message."""

    @property
    def kind(self) -> str:
        """What a peer refuses that doesn't take it: of an envelope, what is in it."""
        if self.envelope is None:
            return self.content_type
        return f"{self.envelope.content_type.essence} in {self.content_type}"


@dataclass(frozen=True, slots=True)
class EnvelopeHeaders:
    """What a CPIM envelope says beside From, To and DateTime."""

    headers: tuple[tuple[str, str], ...]
    """Names, with their prefixes, and values as text."""

    namespaces: tuple[tuple[str, str], ...] = ()
    """Prefixes and URIs (:rfc:`3862#section-3.4`)."""

    are_vital: bool = False
    """Whether the content may not go out without them, such as a private message,
    which would else be one to all."""


def text_body(
    text: str,
    *,
    accept: AcceptTypes,
    accept_wrapped: AcceptTypes = _NOTHING,
    sender: Address | None = None,
    recipient: Address | None = None,
    now: datetime | None = None,
    headers: EnvelopeHeaders | None = None,
) -> Body:
    """Return the body of a text message; for the arguments see :func:`body_for`.

    It is wrapped if the peer lists ``message/cpim`` first (:rfc:`4975#section-13`).

    Raises:
        LocalProtocolError: The peer takes no text, or it can't be written as
            UTF-8.
    """
    return body_for(
        _TEXT,
        _encode(text),
        accept=accept,
        accept_wrapped=accept_wrapped,
        sender=sender,
        recipient=recipient,
        now=now,
        prefer_bare=not prefers_envelope(accept),
        headers=headers,
    )


def line_body(text: str, accept: AcceptTypes) -> Body | None:
    """Return what :func:`text_body` does for a text that needs no envelope.

    Most don't, and what goes around is always the same.  It is ``None`` for others.
    """
    # By the entries: what holds them takes longer to look up.
    content_type = _line_type(accept.entries)
    return None if content_type is None else Body(content_type, _encode(text))


@functools.lru_cache(maxsize=256)
def _line_type(entries: tuple[str, ...]) -> str | None:
    """Return the type of a text that needs no envelope, if the peer takes one."""
    accept = AcceptTypes(entries)
    form = None if prefers_envelope(accept) else _bare_form(_TEXT, None, accept)
    return None if form is None else form.content_type


def _encode(text: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"text must be str, not {type(text).__name__}")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("the text has half of a surrogate pair") from None


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
    headers: EnvelopeHeaders | None = None,
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
        headers: What else to say on the envelope; with such it is left off only if
            the peer takes none, and not even then if they are vital.

    Raises:
        LocalProtocolError: The peer doesn't take this content, or something
            can't be written.
    """
    prefer_bare = prefer_bare and headers is None
    if prefer_bare and isinstance(contents, bytes):
        bare = _bare_form(content_type, disposition, accept)
        if bare is not None:
            return Body(bare.content_type, contents, bare.disposition)
    who = sender or ANONYMOUS, recipient or ANONYMOUS
    if isinstance(contents, bytes):
        fields = _wrapped_form(content_type, disposition, accept, accept_wrapped)
        if fields is not None:
            return _wrap(fields, contents, *who, now, headers or _NO_HEADERS)
    part = _build_part(content_type, contents, disposition)
    root, *inner = _types_in(part)
    is_inner_fine = all(_is_wrappable(each, accept, accept_wrapped) for each in inner)
    must_wrap = headers is not None and headers.are_vital
    is_bare_fine = is_inner_fine and accept.covers(root) and not must_wrap
    is_wrapped_fine = (
        is_inner_fine
        and root != _CPIM
        and accept.covers(_CPIM)
        and _is_wrappable(root, accept, accept_wrapped)
    )
    if is_wrapped_fine and not (is_bare_fine and prefer_bare):
        return _wrap(part.headers, contents, *who, now, headers or _NO_HEADERS)
    if not is_bare_fine:
        raise LocalProtocolError(
            "the peer takes no content of this type, neither bare nor wrapped",
            section="4975#8.6",
            status=415,
        )
    wire_type = _format_content_type(part.content_type)
    return Body(wire_type, contents, part.header("content-disposition"))


@functools.lru_cache(maxsize=256)
def _bare_form(
    content_type: str, disposition: str | None, accept: AcceptTypes
) -> Body | None:
    """Return how content that is no container goes out bare, if the peer takes it.

    That is the same for all messages of this type in a session.
    """
    part = _build_part(content_type, b"", disposition)
    type_ = part.content_type
    if type_.type == "multipart" or type_.essence == _CPIM:
        return None
    if not accept.covers(type_.essence):
        return None
    wire_type = _format_content_type(type_)
    return Body(wire_type, b"", part.header("content-disposition"))


@functools.lru_cache(maxsize=256)
def _wrapped_form(
    content_type: str,
    disposition: str | None,
    accept: AcceptTypes,
    accept_wrapped: AcceptTypes,
) -> Headers | None:
    """Return the MIME headers of content that is no container, in an envelope.

    It is ``None`` if the peer takes no such content so.
    """
    part = _build_part(content_type, b"", disposition)
    type_ = part.content_type
    if type_.type == "multipart" or type_.essence == _CPIM:
        return None
    is_taken = _is_wrappable(type_.essence, accept, accept_wrapped)
    return part.headers if is_taken and accept.covers(_CPIM) else None


@functools.lru_cache(maxsize=256)
def prefers_envelope(accept: AcceptTypes) -> bool:
    """Tell whether a peer wants messages in CPIM (:rfc:`4975#section-13`)."""
    return accept.first == _CPIM


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
    body = body_for(_CPIM, bytes(message), accept=accept, accept_wrapped=accept_wrapped)
    return replace(body, envelope=message)


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
    headers: EnvelopeHeaders | None = None,
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
        headers: What else to say on the envelope.

    Raises:
        LocalProtocolError: The peer doesn't take it, or something can't be
            written.
        TypeError: A part is something else.
    """
    for part in parts:
        if not isinstance(part, Part):
            kind = type(part).__name__
            raise TypeError(f"parts are made with Part.build, not of {kind}")
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
        headers=headers,
    )


def file_disposition(
    filename: str,
    *,
    kind: str = "attachment",
    size: int | None = None,
    modified: datetime | None = None,
) -> str:
    """Return the ``Content-Disposition`` of a file to send.

    Args:
        filename: Its name.  A path in front is cut off: it is nobody's business.
        kind: What to do with it, such as ``render``.
        size: Octets of the whole file.
        modified: When it was changed last, with an offset from UTC.

    Raises:
        LocalProtocolError: ``kind`` can't be written.
    """
    name = safe_filename(filename)
    try:
        built = ContentDisposition.build(kind, filename=name, size=size)
    except MimeError as exc:
        raise LocalProtocolError(exc.problem) from exc
    if modified is not None:
        dated = (*built.parameters, ("modification-date", format_datetime(modified)))
        built = ContentDisposition(built.kind, dated)
    return str(built)


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


_NO_HEADERS = EnvelopeHeaders(())


def _wrap(
    fields: Headers,
    content: bytes,
    sender: Address,
    recipient: Address,
    now: datetime | None,
    headers: EnvelopeHeaders,
) -> Body:
    (_, content_type), *others = fields
    try:
        message = CpimMessage.build(
            content_type,
            content,
            sender=sender,
            to=recipient,
            date_time=now,
            namespaces=headers.namespaces,
            headers=headers.headers,
            content_headers=others,
        )
    except CpimError as exc:
        raise LocalProtocolError(exc.problem) from exc
    return Body(_CPIM, bytes(message), envelope=message)


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
