"""One body with its header fields: a part of a multipart, or the whole of a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mime.charset import DecodedText, decode_text
from mime.content_id import check_content_id
from mime.content_type import OCTET_STREAM, TEXT_PLAIN, ContentType
from mime.disposition import ContentDisposition
from mime.errors import MimeError
from mime.headers import Head, Headers, format_head
from mime.parameters import strip_comments
from mime.transfer_encoding import (
    IDENTITY_ENCODINGS,
    Decoded,
    decode_transfer,
    encode_transfer,
)

if TYPE_CHECKING:
    from mime.multipart import Multipart

__all__ = ["Part"]

_SINGULAR = (
    "content-type",
    "content-id",
    "content-disposition",
    "content-transfer-encoding",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A body and the header fields that say what it is.

    No property raises on the sender's account: what can't be read has its
    default, and :attr:`warnings` says so.  Two parts are equal if their fields
    and bodies are.
    """

    headers: Headers
    """All header fields in order; a name may be there more than once."""

    body: bytes = field(repr=False)
    """The octets after the blank line, still in their transfer encoding."""

    multipart: Multipart | None = field(default=None, compare=False)
    """What is in the body, if it is a multipart that has been taken apart."""

    default_type: ContentType = field(default=TEXT_PLAIN, compare=False, repr=False)
    """What it is without ``Content-Type``; ``multipart/digest`` says otherwise."""

    raw_head: bytes | None = field(default=None, compare=False, repr=False)
    """The octets before the body as they were received; None if it wasn't."""

    problems: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """What was wrong with the octets that it was read from."""

    @classmethod
    def parse(
        cls,
        data: bytes,
        *,
        newline: bytes | None = None,
        default_type: ContentType = TEXT_PLAIN,
    ) -> Part:
        """Read header fields, a blank line and a body.

        A multipart isn't taken apart; :func:`mime.open_part` does that.

        Args:
            data: The part.
            newline: How header lines end; by default as the first one does.
            default_type: What it is without a ``Content-Type``.

        Raises:
            MimeLimitExceeded: There are too many header fields.
        """
        head = Head.parse(data, newline=newline)
        return cls(
            head.headers,
            data[len(head.raw) :],
            default_type=default_type,
            raw_head=head.raw,
            problems=head.problems,
        )

    @classmethod
    def build(
        cls,
        content_type: ContentType | str,
        content: bytes,
        *,
        content_id: str | None = None,
        disposition: ContentDisposition | str | None = None,
        transfer_encoding: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
    ) -> Part:
        """Make a part to send.

        Args:
            content_type: What the content is.
            content: The octets.
            content_id: With or without its brackets; see
                :func:`mime.new_content_id`.
            disposition: What to do with it.
            transfer_encoding: The encoding to apply.  None, the usual choice,
                sends the octets as they are.
            headers: More header fields, to come last.

        Raises:
            MimeError: An argument can't be written in a header field, or the
                encoding is unknown.
            TypeError: The content isn't bytes.
        """
        if isinstance(content_type, str):
            content_type = ContentType.parse(content_type)
        if not isinstance(content, bytes):
            raise TypeError(f"content must be bytes, not {type(content).__name__}")
        if isinstance(disposition, str):
            disposition = ContentDisposition.parse(disposition)
        fields = [("Content-Type", str(content_type))]
        if content_id is not None:
            fields.append(("Content-ID", f"<{check_content_id(content_id)}>"))
        if disposition is not None:
            fields.append(("Content-Disposition", str(disposition)))
        if transfer_encoding is not None:
            content = encode_transfer(content, transfer_encoding.lower())
            fields.append(("Content-Transfer-Encoding", transfer_encoding))
        fields += ((name, value.strip(" \t")) for name, value in headers)
        format_head(fields)  # What can't be written is refused here.
        return cls(tuple(fields), content)

    def header(self, name: str) -> str | None:
        """Return the first field of that name, in any case."""
        wanted = name.lower()
        for key, value in self.headers:
            if key.lower() == wanted:
                return value
        return None

    @property
    def content_type(self) -> ContentType:
        """What the content is.

        ``application/octet-stream`` if its transfer encoding is unknown, as then
        the octets aren't what the field says (:rfc:`2045#section-6.4`).
        """
        if not self._is_encoding_known:
            return OCTET_STREAM
        return self._declared_type() or self.default_type

    @property
    def content_id(self) -> str | None:
        """The ``Content-ID`` without its brackets."""
        value = self.header("content-id")
        if value is None:
            return None
        return value.removeprefix("<").removesuffix(">") or None

    @property
    def disposition(self) -> ContentDisposition | None:
        """The ``Content-Disposition``, or None if it is missing or unreadable.

        :meth:`ContentDisposition.default_for` says what that means in SIP.
        """
        value = self.header("content-disposition")
        try:
            return None if value is None else ContentDisposition.parse(value)
        except MimeError:
            return None

    @property
    def transfer_encoding(self) -> str:
        """The ``Content-Transfer-Encoding`` in lower case.

        ``binary`` without the field: SIP and MSRP carry any octet.
        """
        value = self.header("content-transfer-encoding")
        return "binary" if value is None else strip_comments(value).lower()

    @property
    def content(self) -> bytes:
        """The body without its transfer encoding, as far as it can be undone."""
        return self._decoded().content

    @property
    def text(self) -> str:
        """The content as text: UTF-8 unless it says otherwise."""
        return self._decoded_text().text

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of a multipart that has been taken apart; else empty."""
        return () if self.multipart is None else self.multipart.parts

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with this part, in words; decodes it to tell."""
        found = list(self.problems)
        names = [name.lower() for name, _ in self.headers]
        if any(names.count(name) > 1 for name in _SINGULAR):
            found.append("a header field is there more than once: the first counts")
        if self.header("content-type") is not None and self._declared_type() is None:
            found.append("the content type can't be read")
        if self.header("content-disposition") is not None and self.disposition is None:
            found.append("the content disposition can't be read")
        if problem := self._decoded().problem:
            found.append(problem)
        if self.content_type.type == "text" and (
            problem := self._decoded_text().problem
        ):
            found.append(problem)
        return tuple(found)

    def walk(self) -> Iterator[Part]:
        """Yield the leaves: this part, or those in it at any depth."""
        if self.multipart is None:
            yield self
        else:
            yield from self.multipart.walk()

    def __bytes__(self) -> bytes:
        """Return header fields, blank line and body.

        For a part that was received these are the very octets, as a signature
        over them needs (:rfc:`1847#section-2.1`).
        """
        head = format_head(self.headers) if self.raw_head is None else self.raw_head
        return head + self.body

    @property
    def _is_encoding_known(self) -> bool:
        encoding = self.transfer_encoding
        if encoding in IDENTITY_ENCODINGS:
            return True
        # A multipart has no encoding of its own (RFC 2045 section 6.4).
        declared = self._declared_type()
        is_multipart = declared is not None and declared.type == "multipart"
        return not is_multipart and encoding in {"base64", "quoted-printable"}

    def _declared_type(self) -> ContentType | None:
        value = self.header("content-type")
        try:
            return None if value is None else ContentType.parse(value)
        except MimeError:
            return None

    def _decoded(self) -> Decoded:
        if not self._is_encoding_known:
            return Decoded(self.body, "the transfer encoding isn't one for this type")
        return decode_transfer(self.body, self.transfer_encoding)

    def _decoded_text(self) -> DecodedText:
        return decode_text(self._decoded().content, self.content_type.charset)
