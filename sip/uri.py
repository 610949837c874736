"""URIs as SIP uses them (:rfc:`3261#section-19.1`).

A ``sip:`` or ``sips:`` URI becomes a :class:`SipUri`; every other absolute URI
(``tel:``, ``urn:service:sos``, ``https:``, ``cid:``) an :class:`OtherUri`,
which is kept and not looked into.

Percent-escapes are undone once and only where the grammar has them, never in a
host.  :attr:`SipUri.user` is unescaped, since that is what applications compare
and show; the parameters and headers stay as they are on the wire, so that what
a proxy put into a route comes back to it octet by octet, and
:meth:`SipUri.parameter` and :meth:`SipUri.header` unescape.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeAlias
from urllib.parse import quote_from_bytes, unquote_to_bytes

from sip.equivalence import headers_key, host_key, normalise, parameters_match
from sip.errors import SipParseError
from sip.frozen import quick_init
from sip.grammar import parse_host_port
from sip.parameters import Parameters, split_plain

__all__ = [
    "PLAIN_SIP_URI",
    "OtherUri",
    "SipUri",
    "Uri",
    "parse_uri",
    "plain_sip_uri",
    "read_uri",
]

UriHeaders: TypeAlias = tuple[tuple[str, str], ...]

# user = 1*(unreserved / escaped / user-unreserved)
_USER = re.compile(
    r"[A-Za-z0-9\-_.!~*'()&=+$,;?/]*+(?:%[0-9A-Fa-f]{2}[A-Za-z0-9\-_.!~*'()&=+$,;?/]*+)*+"
)
# What nearly all SIP URIs look like: no password, escapes, headers or IPv6.  The
# full grammar below gives the same for them, and takes several times as long.
PLAIN_SIP_URI = (
    r"(sips?):(?:([A-Za-z0-9\-_.!~*'()&=+$,;?/]++)@)?+"
    r"([A-Za-z0-9_.\-]++)(?::([1-5][0-9]{4}|[0-9]{1,4}))?+"
    r"((?:;[A-Za-z0-9\-_.!~*'()\[\]/:&+$]++(?:=[A-Za-z0-9\-_.!~*'()\[\]/:&+$]++)?+)*+)"
)
"""A regular expression whose groups are the arguments of :func:`plain_sip_uri`."""

_PLAIN = re.compile(PLAIN_SIP_URI)

_USER_SAFE = "!*'()&=+$,;?/"  # Besides what urllib never escapes.
_PARAMETER_SAFE = "!*'()[]/:&+$"
_HEADER_SAFE = "!*'()[]/?:+$"

# URIs must not contain these; in a message they would end the URI.
# Nor are half surrogates text, but for those that stand for octets.
_NEVER_IN_A_URI = re.compile(r'[\x00-\x20\x7f"<>\ud800-\udc7f\udd00-\udfff]')
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

# scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+")


@quick_init
@dataclass(frozen=True, slots=True)
class SipUri:
    """A SIP or SIPS URI: ``sip:user:password@host:port;parameters?headers``.

    ``==`` compares the values as they are; whether two URIs mean the same to
    SIP is what :meth:`equals` tells.
    """

    scheme: str
    """``"sip"`` or ``"sips"``."""

    user: str | None
    """Who is at the host, unescaped."""

    password: str | None
    """As escaped on the wire.  RFC 3261 recommends against it."""

    host: str
    """A host name or an address; an IPv6 address is without its brackets."""

    port: int | None = None
    """``None`` if the URI names none, which isn't the same as the default."""

    parameters: Parameters = ()
    """Pairs of name and value as escaped on the wire; ``None`` is no value."""

    headers: UriHeaders = ()
    """Pairs of name and value as escaped on the wire."""

    raw_user: str | None = field(default=None, kw_only=True)
    """``user`` as escaped by the peer, where we would escape it differently.

    ``%3B`` and ``;`` don't mean the same in a user part, so it is written back
    as it came.  It counts only as long as it says the same as ``user``.
    """

    @classmethod
    def parse(cls, text: str) -> SipUri:
        """Read a SIP or SIPS URI.

        Raises:
            SipParseError: It isn't one.
        """
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            return plain_sip_uri(*plain.groups())
        return cls._parse_fully(text)

    @classmethod
    def _parse_fully(cls, text: str) -> SipUri:
        scheme, _, rest = text.partition(":")
        scheme = scheme.lower()
        if scheme not in ("sip", "sips"):
            raise SipParseError("not a SIP URI")
        _check_characters(text)
        user: str | None = None
        raw_user: str | None = None
        password: str | None = None
        userinfo, at, rest = rest.rpartition("@")
        if at:
            user, raw_user, password = _parse_userinfo(userinfo)
        rest, question, headers = rest.partition("?")
        host_port, semicolon, parameters = rest.partition(";")
        if not host_port.isascii() or not parameters.isascii():
            raise SipParseError("the URI isn't in ASCII")
        host, port = parse_host_port(host_port)
        return cls(
            scheme,
            user,
            password,
            host,
            port,
            _parse_uri_parameters(parameters) if semicolon else (),
            _parse_uri_headers(headers) if question else (),
            raw_user=raw_user,
        )

    def __str__(self) -> str:
        parts = [self.scheme, ":"]
        if self.user is not None:
            parts.append(self._escaped_user())
            if self.password is not None:
                parts += [":", self.password]
            parts.append("@")
        parts.append(f"[{self.host}]" if ":" in self.host else self.host)
        if self.port is not None:
            parts.append(f":{self.port}")
        for name, value in self.parameters:
            parts.append(f";{name}" if value is None else f";{name}={value}")
        if self.headers:
            pairs = (f"{name}={value}" for name, value in self.headers)
            parts.append("?" + "&".join(pairs))
        return "".join(parts)

    @property
    def secure(self) -> bool:
        """Whether every hop has to be secured: the scheme is ``sips``."""
        return self.scheme == "sips"

    @property
    def transport(self) -> str | None:
        """The transport parameter in lower case."""
        value = self.parameter("transport")
        return None if value is None else value.lower()

    @property
    def loose_routing(self) -> bool:
        """Whether the ``lr`` parameter is there (:rfc:`3261#section-19.1.1`)."""
        return self.parameter("lr") is not None

    def parameter(self, name: str) -> str | None:
        """Look up a parameter, unescaped.

        Returns:
            Its value, ``""`` if it is there without one, ``None`` if it isn't.
        """
        wanted = name.lower()
        for known, value in self.parameters:
            if _unescape(known).lower() == wanted:
                return "" if value is None else _unescape(value)
        return None

    def header(self, name: str) -> str | None:
        """Look up the first header of this name, unescaped."""
        wanted = name.lower()
        for known, value in self.headers:
            if _unescape(known).lower() == wanted:
                return _unescape(value)
        return None

    def with_parameter(self, name: str, value: str | None = None) -> SipUri:
        """Give this URI with a parameter set; name and value get escaped."""
        pair = (
            _escape(name, _PARAMETER_SAFE),
            None if value is None else _escape(value, _PARAMETER_SAFE),
        )
        rest = self.without_parameter(name).parameters
        return replace(self, parameters=(*rest, pair))

    def with_parameters(self, *pairs: tuple[str, str | None]) -> SipUri:
        """Give this URI with several parameters set."""
        uri = self
        for name, value in pairs:
            uri = uri.with_parameter(name, value)
        return uri

    def without_parameter(self, name: str) -> SipUri:
        """Give this URI without a parameter."""
        wanted = name.lower()
        kept = [p for p in self.parameters if _unescape(p[0]).lower() != wanted]
        if len(kept) == len(self.parameters):
            return self
        return replace(self, parameters=tuple(kept))

    def with_header(self, name: str, value: str) -> SipUri:
        """Give this URI with a header added; name and value get escaped."""
        pair = (_escape(name, _HEADER_SAFE), _escape(value, _HEADER_SAFE))
        return replace(self, headers=(*self.headers, pair))

    def for_request_line(self) -> SipUri:
        """Give this URI without what a Request-URI may not have.

        That is the headers and the ``method`` parameter
        (:rfc:`3261#section-19.1.5`).
        """
        uri = self.without_parameter("method")
        return replace(uri, headers=()) if uri.headers else uri

    def equals(self, other: Uri) -> bool:
        """Tell whether two URIs are equivalent (:rfc:`3261#section-19.1.4`).

        This isn't transitive, which is why it isn't ``==``.
        """
        return (
            isinstance(other, SipUri)
            and self.scheme == other.scheme
            and self._userinfo_key() == other._userinfo_key()
            and self.port == other.port
            and host_key(self.host) == host_key(other.host)
            and parameters_match(self.parameters, other.parameters)
            and headers_key(self.headers) == headers_key(other.headers)
        )

    def _escaped_user(self) -> str:
        assert self.user is not None
        if self.raw_user is not None and _unescape(self.raw_user) == self.user:
            return self.raw_user
        return _escape(self.user, _USER_SAFE)

    def _userinfo_key(self) -> tuple[str | None, str | None]:
        return (
            None if self.user is None else normalise(self._escaped_user()),
            None if self.password is None else normalise(self.password),
        )


def plain_sip_uri(
    scheme: str, user: str | None, host: str, port: str | None, parameters: str
) -> SipUri:
    """Make a URI of its parts as they are written.

    Raises:
        SipParseError: A parameter is there twice.
    """
    number = int(port) if port else None
    pairs = split_plain(parameters) if parameters else ()
    return SipUri(scheme, user, None, host, number, pairs)


@quick_init
@dataclass(frozen=True, slots=True)
class OtherUri:
    """An absolute URI of any other scheme, kept as it is."""

    scheme: str
    """In lower case."""

    rest: str
    """What follows the first colon."""

    @classmethod
    def parse(cls, text: str) -> OtherUri:
        """Read an absolute URI.

        Raises:
            SipParseError: It isn't one.
        """
        scheme, _, rest = text.partition(":")
        if _SCHEME.fullmatch(scheme) is None or not rest:
            raise SipParseError("not a URI")
        _check_characters(text)
        return cls(scheme.lower(), rest)

    def __str__(self) -> str:
        return f"{self.scheme}:{self.rest}"

    def equals(self, other: Uri) -> bool:
        """Tell whether two URIs are equivalent.

        Octet by octet but for the scheme, and for ``urn:service:``, which is
        compared without regard to case (:rfc:`5031#section-4`).
        """
        if self.scheme != other.scheme or not isinstance(other, OtherUri):
            return False
        if self.scheme == "urn" and self.rest[:8].lower() == "service:":
            return self.rest.lower() == other.rest.lower()
        return self.rest == other.rest


Uri: TypeAlias = SipUri | OtherUri
"""Any URI that may be in a message."""


def parse_uri(text: str) -> Uri:
    """Read any absolute URI.

    Raises:
        SipParseError: It isn't one.
    """
    return _recall(text) if len(text) <= _CACHED_LENGTH else read_uri(text)


def read_uri(text: str) -> Uri:
    """Read any absolute URI, for whoever remembers what it is part of.

    Raises:
        SipParseError: It isn't one.
    """
    if text[:4].lower() == "sip:" or text[:5].lower() == "sips:":
        return SipUri.parse(text)
    return OtherUri.parse(text)


# The messages of a dialog, and those of all calls through one proxy, repeat a few
# URIs over and over; being frozen, the values can be shared.  What a peer can
# make this hold is some hundred kilobytes.
_recall = lru_cache(maxsize=512)(read_uri)
_CACHED_LENGTH = 128


def _check_characters(text: str) -> None:
    if _NEVER_IN_A_URI.search(text) is not None:
        raise SipParseError("the URI has a character that must be escaped")


def _parse_userinfo(text: str) -> tuple[str, str | None, str | None]:
    raw_user, colon, password = text.partition(":")
    if not raw_user:
        raise SipParseError("the URI has an @ but no user")
    if "%" in text and _BROKEN_ESCAPE.search(text) is not None:
        raise SipParseError("the URI has a broken escape")
    if "@" in text or not password.isascii():
        raise SipParseError("the URI has a character that must be escaped")
    user = _unescape(raw_user)
    legal = _USER.fullmatch(raw_user) is not None
    ours = "%" not in raw_user or _escape(user, _USER_SAFE) == raw_user
    kept = raw_user if legal and not ours else None
    return user, kept, password if colon else None


def _parse_uri_parameters(text: str) -> Parameters:
    if _BROKEN_ESCAPE.search(text) is not None:
        raise SipParseError("the URI has a broken escape")
    pairs: list[tuple[str, str]] = []
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if not name:
            raise SipParseError("a URI parameter has no name")
        pairs.append((name, value))
    return _unique(pairs)


def _unique(pairs: list[tuple[str, str]]) -> Parameters:
    if len(pairs) > 1 and len({_unescape(n).lower() for n, _ in pairs}) < len(pairs):
        raise SipParseError("a URI parameter is there twice")
    return tuple([(name, value or None) for name, value in pairs])


def _parse_uri_headers(text: str) -> UriHeaders:
    if _BROKEN_ESCAPE.search(text) is not None or not text.isascii():
        raise SipParseError("the URI has a broken escape")
    headers: list[tuple[str, str]] = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise SipParseError("a header of the URI has no name or no value")
        headers.append((name, value))
    return tuple(headers)


def _escape(text: str, safe: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    return quote_from_bytes(text.encode("utf-8", "surrogateescape"), safe)


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    octets = unquote_to_bytes(text.encode("utf-8", "surrogateescape"))
    return octets.decode("utf-8", "surrogateescape")
