"""Requests and responses (:rfc:`3261#section-7`).

A message is its start line, its header fields as text, and its body as octets.
The head is split once; a value such as :attr:`Request.from_` is parsed when it
is first asked for and remembered until the header fields change.  What isn't
looked at is neither checked nor altered, so a message that a newer peer sends
goes through with all that we don't know.

Text in a head is UTF-8.  An octet that isn't is kept as a lone surrogate
(``surrogateescape``) and written back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

from sip.errors import LocalError, SipParseError
from sip.fields.table import HeaderFields
from sip.grammar import is_token
from sip.headers import Headers
from sip.status import reason_phrase
from sip.uri import Uri, parse_uri

__all__ = [
    "MAX_URI_LENGTH",
    "Message",
    "Request",
    "Response",
    "response_to",
]

MAX_URI_LENGTH = 8192
"""How many characters a Request-URI may have; a longer one is answered with 414.

Longer than any URI with an embedded body that is in use, and far below what a
head may have.
"""

# What would end a Request-URI or a line.
_NEVER_IN_A_REQUEST_URI = re.compile(r"[\x00-\x20\x7f<>]")
_NEVER_IN_A_REASON = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# Where a head that was written is kept: start line, size of the body, octets.
_WRITTEN = object()

# Requests whose 2xx response makes a dialog (RFC 3261 §12.1, RFC 6665, RFC 3515).
_DIALOG_FORMING = frozenset({"INVITE", "SUBSCRIBE", "REFER", "NOTIFY"})


class _Message(HeaderFields):
    """What requests and responses have in common.

    It is no abstract class, since to ask what a message is would take those longer.
    """

    __slots__ = ("body", "headers")

    headers: Headers
    body: bytes

    @property
    def start_line(self) -> str:
        """The first line, without its CRLF."""
        raise NotImplementedError

    def __bytes__(self) -> bytes:
        """Write the message; what is sent again isn't written again."""
        start_line, size = self.start_line, len(self.body)
        views = self.headers.views  # Emptied of this when a field changes.
        written = views.get(_WRITTEN)
        if written is None or written[:2] != (start_line, size):
            written = views[_WRITTEN] = start_line, size, self._head(start_line, size)
        head: bytes = written[2]
        return head + self.body

    def _head(self, start_line: str, size: int) -> bytes:
        lines = [start_line]
        length = f"Content-Length: {size}"
        written = False
        for name, value in self.headers.items():
            if name != "Content-Length":
                lines.append(f"{name}: {value}")
            elif not written:
                lines.append(length)
                written = True
        if not written:
            lines.append(length)
        lines.append("\r\n")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Message):
            return NotImplemented
        return (self.start_line, self.headers, self.body) == (
            other.start_line,
            other.headers,
            other.body,
        )

    __hash__ = None  # type: ignore[assignment]  # It can change.


class Request(_Message):
    """A request.

    Attributes:
        method: Case matters: ``INVITE`` is a method, ``Invite`` is another.
        raw_uri: The Request-URI as it is written.
        headers: The header fields.
        body: The body, of any type.
    """

    __slots__ = ("_uri", "method", "raw_uri")

    def __init__(
        self, method: str, raw_uri: str, headers: Headers, body: bytes = b""
    ) -> None:
        self.headers = headers
        self.body = body
        self.method = method
        self.raw_uri = raw_uri
        self._uri: tuple[str, Uri] | None = None

    @classmethod
    def build(
        cls,
        method: str,
        uri: Uri | str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Request:
        """Make a request to send.

        Args:
            method: A token.
            uri: The Request-URI.
            headers: Pairs of name and value.  Content-Length is seen to.
            body: The body.
            content_type: The type of the body, unless ``headers`` has it.

        Raises:
            LocalError: A part would break the message, or the body has no type.
        """
        raw_uri = str(uri)
        if not is_token(method):
            raise LocalError("the method must be a token")
        if not raw_uri.isascii() or _NEVER_IN_A_REQUEST_URI.search(raw_uri):
            raise LocalError("the Request-URI has a character that must be escaped")
        fields = _complete(Headers(), headers, body, content_type)
        return cls(method, raw_uri, fields, body)

    @property
    def uri(self) -> Uri:
        """The Request-URI."""
        if self._uri is None or self._uri[0] != self.raw_uri:
            try:
                self._uri = (self.raw_uri, parse_uri(self.raw_uri))
            except SipParseError as exc:
                raise exc.within("Request-URI") from None
        return self._uri[1]

    @property
    def start_line(self) -> str:
        """The first line, without its CRLF."""
        return f"{self.method} {self.raw_uri} SIP/2.0"

    def copy(self) -> Request:
        """Give the same request with header fields to change on their own."""
        request = Request(self.method, self.raw_uri, self.headers.copy(), self.body)
        request._uri = self._uri
        return request

    def __repr__(self) -> str:
        return f"<Request {self.method}>"


class Response(_Message):
    """A response.

    Attributes:
        status: The status code, 100 to 699.
        reason: Words for people; may be empty.
        headers: The header fields.
        body: The body, of any type.
    """

    __slots__ = ("reason", "status")

    def __init__(
        self, status: int, reason: str, headers: Headers, body: bytes = b""
    ) -> None:
        self.headers = headers
        self.body = body
        self.status = status
        self.reason = reason

    @classmethod
    def build(
        cls,
        status: int,
        reason: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Response:
        """Make a response from nothing; see :func:`response_to` for the usual way.

        Args:
            status: The status code, 100 to 699.
            reason: Words for people; by default those of the RFC.
            headers: Pairs of name and value.  Content-Length is seen to.
            body: The body.
            content_type: The type of the body, unless ``headers`` has it.

        Raises:
            LocalError: A part would break the message, or the body has no type.
        """
        reason = _checked_reason(status, reason)
        fields = _complete(Headers(), headers, body, content_type)
        return cls(status, reason, fields, body)

    @property
    def start_line(self) -> str:
        """The first line, without its CRLF."""
        return f"SIP/2.0 {self.status} {self.reason}"

    def copy(self) -> Response:
        """Give the same response with header fields to change on their own."""
        return Response(self.status, self.reason, self.headers.copy(), self.body)

    def __repr__(self) -> str:
        return f"<Response {self.status}>"


Message: TypeAlias = Request | Response
"""What goes over the wire."""


def _checked_reason(status: int, reason: str | None) -> str:
    if not 100 <= status <= 699:
        raise LocalError("a status code is between 100 and 699")
    if reason is None:
        return reason_phrase(status)
    if _NEVER_IN_A_REASON.search(reason) is not None:
        raise LocalError("the reason phrase must not have control characters")
    return reason


def _complete(
    headers: Headers,
    fields: Iterable[tuple[str, str]],
    body: bytes,
    content_type: str | None,
) -> Headers:
    """Add what a message is to say, and what its body is."""
    headers.add_all(fields)
    if content_type is not None:
        headers.set("Content-Type", content_type)
    elif body and "Content-Type" not in headers:
        raise LocalError("a body needs a content type")
    return headers


def response_to(
    request: Request,
    status: int,
    reason: str | None = None,
    to_tag: str | None = None,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    content_type: str | None = None,
) -> Response:
    """Make the response to a request (:rfc:`3261#section-8.2.6.2`).

    It has the request's Via, From, To, Call-ID and CSeq as they are, octet by
    octet, so that a request that is malformed can be answered too; the
    Record-Route where the response makes a dialog (:rfc:`3261#section-12.1.1`);
    and the Timestamp in a 100 (:rfc:`3261#section-8.2.6.1`).

    Args:
        request: The request, or what there is of it.
        status: The status code, 100 to 699.
        reason: Words for people; by default those of the RFC.
        to_tag: The tag to put into To, if there is none yet.
        headers: Pairs of name and value to add.
        body: The body.
        content_type: The type of the body, unless ``headers`` has it.

    Raises:
        LocalError: A part would break the message, or the body has no type.
    """
    copied = Headers()
    response = Response(status, _checked_reason(status, reason), copied, body)
    if request.method in _DIALOG_FORMING and 101 <= status <= 299:
        copied.copy_fields(request.headers, "Via", "Record-Route")
    else:
        copied.copy_fields(request.headers, "Via")
    copied.copy_fields(request.headers, "From", "To", "Call-ID", "CSeq", first=True)
    if status == 100:
        copied.copy_fields(request.headers, "Timestamp", first=True)
    if to_tag is not None:
        _add_to_tag(response, request, to_tag)
    _complete(copied, headers, body, content_type)
    return response


def _add_to_tag(response: Response, request: Request, tag: str) -> None:
    try:
        # The same as that of the response, and most have looked at it already.
        has_tag = request.to.tag is not None
    except SipParseError:
        return  # There is no telling what a tag after it would be part of.
    if not has_tag:
        response.headers.append_parameter("To", "tag", tag)
