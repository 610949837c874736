"""Who to write to, as people type it, and ``im:`` URIs (:rfc:`3860`).

A CPIM envelope wants a URI and perhaps a name.  People type mailboxes, SIP URIs,
telephone numbers, and paste ``Alice <sip:alice@example.com>`` from somewhere:
:func:`parse_address` makes an :class:`~msrp.content.Address` of all these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from msrp.content import Address
from msrp.errors import MsrpError

__all__ = ["MAX_ADDRESS_LENGTH", "ImUri", "InvalidAddress", "parse_address"]

MAX_ADDRESS_LENGTH = 2048
"""Characters of an address with its name: eight times the longest mailbox."""

# What a mailbox may have unescaped in a URI: RFC 2396's unreserved characters,
# and of its reserved ones those that mean nothing in an im: URI.
_MAILBOX_SAFE = "!$'()*+,-._~"
_PARAMETER_SAFE = "@!$'()*+,-._~:;/?"

_ESCAPES = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
# With them what no encoding can write: half surrogate pairs.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# A host name, or an address as mailboxes have them (RFC 5321 section 4.1.3).
_SIP_HOST = re.compile(
    r"([0-9A-Za-z.\-]+)|\[(?:([0-9.]+)|(?i:ipv6:)([0-9A-Fa-f:.]+))\]"
)
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(.*)", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')

# What follows the scheme, as far as it can be told at a glance whether somebody
# meant it; the schemes' owners know better.  Every piece excludes what ends it.
_SHAPES = {
    "sip": re.compile(r"(?:[^@<>\"]+@)?[^@<>\"]+"),
    "tel": re.compile(r"\+?[().\-]*[0-9*#][^@<>\"]*"),
    "urn": re.compile(r"[0-9A-Za-z][0-9A-Za-z\-]*:[^<>\"]+"),
}
_SHAPES["sips"] = _SHAPES["sip"]
_OTHER_SHAPE = re.compile(r"[0-9]*[^0-9<>\"][^<>\"]*")


class InvalidAddress(MsrpError, ValueError):
    """A text is no address of anybody.

    Attributes:
        problem: What is wrong with it.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"not an address: {self.problem}"


@dataclass(frozen=True, slots=True, eq=False)
class ImUri:
    """An ``im:`` URI: an inbox for instant messages (:rfc:`3860#appendix-A`).

    Two are equal if their mailboxes and parameters are, where the domain of a
    mailbox and the names of parameters count without their case.

    Raises:
        InvalidAddress: The mailbox isn't of the form ``local@domain``, or there
            are control characters.
    """

    mailbox: str | None
    """``local@domain``, without escapes; ``None`` if there is none."""

    parameters: tuple[tuple[str, str], ...] = ()
    """What follows the question mark: names and values, without escapes."""

    def __post_init__(self) -> None:
        if self.mailbox is not None:
            local, at, domain = self.mailbox.rpartition("@")
            if not (local and at and domain):
                raise InvalidAddress("a mailbox is of the form local@domain")
        pieces = (self.mailbox or "", *(p for pair in self.parameters for p in pair))
        if any(map(_CONTROL.search, pieces)):
            raise InvalidAddress("it has control characters in it")

    @classmethod
    def parse(cls, text: str) -> ImUri:
        """Read a URI.  Characters beyond US-ASCII needn't be escaped.

        Raises:
            InvalidAddress: It isn't an ``im:`` URI.
        """
        scheme, colon, rest = text.partition(":")
        if scheme.lower() != "im" or not colon:
            raise InvalidAddress("it doesn't start with im:")
        if not text.isprintable() or any(c in ' <>"#' for c in rest):
            raise InvalidAddress("it has characters that a URI can't have")
        mailbox, question_mark, query = rest.partition("?")
        parameters = tuple(_split_query(query)) if question_mark else ()
        return cls(_unescape(mailbox) if mailbox else None, parameters)

    @property
    def sip_uri(self) -> str | None:
        """The SIP URI of the same mailbox, to send to instead.

        SIP user agents translate before they send (:rfc:`3428#section-5`).
        ``None`` if there is no mailbox, or its domain isn't fit for SIP.
        """
        local, _, domain = (self.mailbox or "").rpartition("@")
        match = _SIP_HOST.fullmatch(domain)
        if match is None:
            return None
        host = f"[{match[3]}]" if match[3] else match[1] or match[2]
        return f"sip:{quote(local, safe=_MAILBOX_SAFE)}@{host}"

    def __str__(self) -> str:
        # An "@" within quotes in the local part is escaped, the other isn't.
        pieces = (self.mailbox or "").rsplit("@", 1)
        text = "im:" + "@".join(quote(each, safe=_MAILBOX_SAFE) for each in pieces)
        if not self.parameters:
            return text
        pairs = ("=".join(map(_escape_parameter, pair)) for pair in self.parameters)
        return f"{text}?{'&'.join(pairs)}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ImUri):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        local, _, domain = (self.mailbox or "").rpartition("@")
        parameters = tuple((name.lower(), value) for name, value in self.parameters)
        return local, domain.lower(), parameters


def parse_address(text: str) -> Address:
    """Read an address as somebody typed it.

    That is a URI (``sip:``, ``tel:``, ``im:``, ``urn:service:sos``…) or a mailbox,
    with a name in front or without: ``Alice <sip:alice@example.com>``.  A mailbox
    becomes an ``im:`` URI; whether its domain exists isn't looked up.

    Raises:
        InvalidAddress: It is none of these.
    """
    text = text.strip()
    if len(text) > MAX_ADDRESS_LENGTH:
        raise InvalidAddress(f"longer than {MAX_ADDRESS_LENGTH} characters")
    if _CONTROL.search(text):
        raise InvalidAddress("it has control characters in it")
    if not text.endswith(">"):
        return Address(_parse_uri(text))
    name, bracket, uri = text[:-1].rpartition("<")
    if not bracket:
        raise InvalidAddress("a bracket is closed that was never opened")
    return Address(_parse_uri(uri.strip()), _parse_name(name.strip()) or None)


def _parse_name(text: str) -> str:
    if quoted := _QUOTED.fullmatch(text):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if any(c in text for c in '"<>'):
        raise InvalidAddress("a name with quotes or brackets in it must be quoted")
    return text


def _parse_uri(text: str) -> str:
    match = _SCHEME.fullmatch(text)
    if match is None:
        return str(ImUri(_parse_mailbox(text)))
    scheme, rest = match[1].lower(), match[2]
    if scheme == "im":
        return str(ImUri.parse(text))
    if not text.isprintable() or " " in text:
        raise InvalidAddress("a URI has no spaces in it")
    if not _SHAPES.get(scheme, _OTHER_SHAPE).fullmatch(rest):
        raise InvalidAddress("what follows the scheme isn't right for it")
    return text


def _parse_mailbox(text: str) -> str:
    # Takes a tenth of a second to import, which nobody needs who has URIs.
    from email_validator import EmailNotValidError, validate_email

    try:
        checked = validate_email(
            text,
            check_deliverability=False,
            allow_quoted_local=True,
            allow_domain_literal=True,
            # Names of a private network are as good as any here.
            globally_deliverable=False,
            test_environment=True,
        )
    except EmailNotValidError:
        problem = "neither a URI, such as sip:…, nor a mailbox, such as alice@…"
        raise InvalidAddress(problem) from None
    return f"{checked.local_part}@{checked.ascii_domain}"


def _split_query(query: str) -> Iterator[tuple[str, str]]:
    for header in query.split("&"):
        name, equals, value = header.partition("=")
        if not equals:
            raise InvalidAddress("what follows ? isn't of the form name=value")
        yield _unescape(name), _unescape(value)


def _unescape(text: str) -> str:
    if not _ESCAPES.fullmatch(text):
        raise InvalidAddress("a % isn't followed by two hexadecimal digits")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise InvalidAddress("its escapes aren't UTF-8") from None


def _escape_parameter(text: str) -> str:
    return quote(text, safe=_PARAMETER_SAFE)
