"""A whole ``message/cpim``: headers, and the content they are about (:rfc:`3862`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from cpim.address import Address
from cpim.content import build_content_head, read_content, with_crlf
from cpim.date_time import DateTime
from cpim.errors import CpimError
from cpim.head_builder import AddressLike, HeaderLike, are_apart, build_head
from cpim.header_block import MAX_HEAD_SIZE, HeaderBlock
from cpim.headers import (
    CORE_NAMESPACE,
    Header,
    Namespaces,
    QualifiedName,
    read_header,
)
from cpim.lookup import CC_SPELLINGS, addresses, date_time_in, named, problems_in
from mime import ContentType, Part

__all__ = ["CORE_HEADERS", "CpimMessage", "Subject"]

CORE_HEADERS = frozenset(
    QualifiedName(CORE_NAMESPACE, name)
    for name in ("From", "To", "cc", "DateTime", "Subject", "NS", "Require")
)
"""The headers that every :class:`CpimMessage` understands."""


_SHORT_HEAD = 4096
"""Octets of a head in which there can't be too many headers."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a message is about, in one language."""

    text: str
    """The subject; may hold any character, even CR and LF."""

    language: str
    """A language tag, or ``i-default`` if none was given."""


@dataclass(frozen=True, slots=True)
class CpimMessage:
    """Headers and a MIME body, immutable as the RFC has it (§2.2).

    Two messages are equal if their headers, the headers of their contents and
    their contents are.  ``bytes(message)`` gives back the octets that were read.
    """

    headers: tuple[Header, ...]
    """All headers in order, those nobody knows included."""

    content_headers: tuple[tuple[str, str], ...]
    """The MIME headers of the content."""

    content: bytes = field(repr=False)
    """The octets of the content."""

    require: tuple[QualifiedName, ...] = field(default=(), compare=False)
    """What must be understood, or else the message must not be acted on (§3.5)."""

    warnings: tuple[str, ...] = field(default=(), compare=False)
    """What was forgiven when it was read, in words."""

    raw_head: bytes = field(default=b"", compare=False, repr=False)
    """All octets in front of the content."""

    @classmethod
    def parse(
        cls, data: bytes, *, strict: bool = False, max_head_size: int = MAX_HEAD_SIZE
    ) -> CpimMessage:
        """Read a message.

        What peers are known to get wrong is forgiven, with a warning: bare line
        feeds, spaces around the colon, a blank line missing or doubled, no From
        or To, no Content-Type.

        Args:
            data: The message; nothing is trimmed from its end.
            strict: Refuse what is otherwise forgiven.
            max_head_size: Octets of CPIM headers to accept.

        Raises:
            CpimError: It isn't ``message/cpim``, or it has too many headers.
        """
        if not isinstance(data, bytes):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        block = HeaderBlock.parse(data, strict=strict, max_size=max_head_size)
        return cls.of_block(block, data, strict=strict)

    @classmethod
    def of_block(
        cls, block: HeaderBlock, data: bytes, *, strict: bool = False
    ) -> CpimMessage:
        """Read what follows the headers of a message; see :meth:`parse`.

        Args:
            block: Its headers.
            data: The message, those headers included.
            strict: Refuse what is otherwise forgiven.

        Raises:
            CpimError: As :meth:`parse` does.
        """
        headers = tuple(block.headers)
        content_headers, start, problems = read_content(data, block.size)
        if not (headers or content_headers):
            raise CpimError("there are no headers")
        problems = (*block.problems, *problems, *problems_in(headers))
        if strict and problems:
            raise CpimError(problems[0])
        if (moment := date_time_in(headers)) is not None and moment.value is None:
            # Of all things that can be wrong this one matters least: even the
            # strict reader takes such a message.
            problems = (*problems, "the date and time can't be read")
        return cls(
            headers,
            content_headers,
            data[start:],
            tuple(dict.fromkeys(block.required)),
            problems,
            with_crlf(data[: block.size]) + with_crlf(data[block.size : start]),
        )

    @classmethod
    def build(
        cls,
        content_type: ContentType | str,
        content: bytes,
        *,
        sender: AddressLike,
        to: AddressLike | Iterable[AddressLike],
        date_time: datetime | DateTime | None = None,
        cc: AddressLike | Iterable[AddressLike] = (),
        subject: str | None = None,
        language: str | None = None,
        namespaces: Iterable[tuple[str, str]] = (),
        require: Iterable[str] = (),
        headers: Iterable[HeaderLike] = (),
        content_headers: Iterable[tuple[str, str]] = (),
    ) -> CpimMessage:
        """Make a message to send.

        Args:
            content_type: What the content is.
            content: Its octets.
            sender: Who it is from.
            to: To whom it is.
            date_time: When it is sent, with an offset from UTC.  MSRP asks for
                it if the message is signed (:rfc:`4975#section-13`), and others
                are glad of it.
            cc: Who gets a copy.
            subject: What it is about.
            language: The language tag of the subject.
            namespaces: Prefixes and URIs, for the names in ``headers`` and
                ``require``.
            require: Names that the recipient must understand.
            headers: More headers.  Values are text: what must be is escaped.
            content_headers: MIME headers to put after Content-Type.

        Raises:
            CpimError: Something can't be written, has no namespace, or would
                change what another header means.
        """
        namespaces, headers = tuple(namespaces), tuple(headers)
        head = build_head(
            sender=sender,
            to=to,
            date_time=date_time,
            cc=cc,
            subject=subject,
            language=language,
            namespaces=namespaces,
            require=require,
            headers=headers,
        )
        mime_head = build_content_head(content_type, content_headers)
        is_foreign = bool(require) or isinstance(date_time, DateTime)
        is_short = len(head) <= _SHORT_HEAD
        if is_short and not is_foreign and are_apart(namespaces, headers):
            return cls._of_own(head, mime_head, content)
        # What we send we can read ourselves, without forgiving anything.
        message = cls.parse(head + b"\r\n" + mime_head, strict=True)
        meant = [header.namespace for header in message.headers]
        meant += (name.namespace for name in message.require)
        if None in meant:
            raise CpimError("a name with a prefix that isn't declared before it")
        return message.with_content(content)

    @classmethod
    def _of_own(cls, head: bytes, mime_head: bytes, content: bytes) -> CpimMessage:
        """Return a message of core headers that we have written, and none beside them.

        It is known what the strict reader would say of them: nothing.
        """
        content_headers, _, problems = read_content(mime_head, 0)
        if problems:
            raise CpimError(problems[0])
        namespaces = Namespaces()
        headers: list[Header] = []
        for line in head.split(b"\r\n")[:-1]:
            header = read_header(line, namespaces)
            headers.append(header)
            if header.name == "NS":
                namespaces.declare(header.raw_value)
        return cls(
            tuple(headers),
            content_headers,
            content,
            raw_head=head + b"\r\n" + mime_head,
        )

    def with_content(self, content: bytes) -> CpimMessage:
        """Return what is the same but for the octets of its content."""
        # By place: naming each of them takes as long as all else.
        return CpimMessage(
            self.headers,
            self.content_headers,
            content,
            self.require,
            self.warnings,
            self.raw_head,
        )

    def get(self, name: str, namespace: str = CORE_NAMESPACE) -> Header | None:
        """Return the first header of that name in that namespace.

        Args:
            name: The name without a prefix; its case counts.
            namespace: The URI of the namespace.
        """
        return next(named(self.headers, name, namespace), None)

    def get_all(self, name: str, namespace: str = CORE_NAMESPACE) -> tuple[Header, ...]:
        """Return all headers of that name in that namespace, in order."""
        return tuple(named(self.headers, name, namespace))

    @property
    def sender(self) -> Address | None:
        """Who the message says it is from; None if it doesn't.

        It is an assertion by whoever sent it, to be shown beside what is known
        of the session, not instead of it.
        """
        return next(addresses(self.headers, "From"), None)

    @property
    def to(self) -> tuple[Address, ...]:
        """The recipients, in order."""
        return tuple(addresses(self.headers, "To"))

    @property
    def cc(self) -> tuple[Address, ...]:
        """Those who get a copy, in order."""
        return tuple(addresses(self.headers, *CC_SPELLINGS))

    @property
    def date_time(self) -> DateTime | None:
        """When it was sent, as far as the header can be understood."""
        return date_time_in(self.headers)

    @property
    def subject(self) -> str | None:
        """The first subject, in whatever language it is."""
        header = self.get("Subject")
        return None if header is None else header.value

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All subjects with their languages."""
        headers = named(self.headers, "Subject")
        return tuple(Subject(header.value, header.language) for header in headers)

    def unsupported_requirements(
        self, understood: Collection[tuple[str, str]] = ()
    ) -> tuple[QualifiedName, ...]:
        """Return what the message requires and nobody here understands.

        Unless it is empty, the message must be refused, not shown
        (:rfc:`3862#section-3.5`).

        Args:
            understood: Namespaces and names that the application understands,
                besides :data:`CORE_HEADERS`.
        """
        return tuple(
            name
            for name in self.require
            if name not in CORE_HEADERS and name not in understood
        )

    @property
    def part(self) -> Part:
        """The content with its headers, as a body part."""
        return Part(self.content_headers, self.content)

    @property
    def content_type(self) -> ContentType:
        """What the content is; ``text/plain`` if it doesn't say."""
        return self.part.content_type

    @property
    def text(self) -> str:
        """The content as text."""
        return self.part.text

    def __bytes__(self) -> bytes:
        """Return the message as it was read, or is to be sent.

        Only line ends are mended: a message with bare line feeds in its headers
        gets CR LF there.
        """
        return self.raw_head + self.content
