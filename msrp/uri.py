"""MSRP URIs: what names a session, a device or a relay (:rfc:`4975#section-6`).

A URI keeps its text as it came (but for zeros before a port), so that a path can be
sent back letter for letter; two URIs are equal when :rfc:`4975#section-6.1` says
that they are, which is not when their texts are.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import secrets
from dataclasses import dataclass, field

from msrp.errors import InvalidUri

__all__ = ["MsrpUri", "format_path", "new_session_id", "parse_path"]

MAX_URI_LENGTH = 1024
"""Octets of one URI: session ids seen in the field stay below a tenth of this."""

MAX_PATH_LENGTH = 16
"""URIs of one path: two relays on each side make five; more is an attack."""

_UNRESERVED = r"A-Za-z0-9\-._~"
# Each class below excludes what ends it, so that matching is linear.
_URI = re.compile(
    rf"""
    (?P<scheme> msrps? ) ://
    (?: (?P<userinfo> [{_UNRESERVED}!$&'()*+,;=:%]* ) @ )?
    (?P<host> \[ [0-9A-Fa-f:.]+ \] | [{_UNRESERVED}!$&'()*+,=%]+ )
    (?: : (?P<port> [0-9]{{1,5}} ) )?
    (?: / (?P<session_id> [{_UNRESERVED}+=/]+ ) )?
    ; (?P<transport> [A-Za-z0-9]+ )
    (?P<parameters> (?: ; [^;\s]+ )* )
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_TOKEN = r"[A-Za-z0-9!#$%&'*+\-.^_`{|}~]+"
_PARAMETER = re.compile(rf"(?P<name>{_TOKEN})(?:=(?P<value>{_TOKEN}))?", re.ASCII)
_ESCAPED = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED_CHARACTER = re.compile(rf"[{_UNRESERVED}]", re.ASCII)

_Key = tuple[str, str, int | None, str | None, str]


@dataclass(frozen=True, slots=True, eq=False)
class MsrpUri:
    """One URI of a path.

    Two are equal by the rules of :rfc:`4975#section-6.1`: schemes, host names and
    transports without regard to case, IP addresses as addresses, session ids
    exactly, user information and further parameters not at all.
    """

    scheme: str
    """``msrp``, or ``msrps`` for TLS on this hop; spelled as it came."""

    host: str
    """A name or an IP address; an IPv6 address without its brackets."""

    port: int | None
    """``None`` when not given: there is no default port."""

    session_id: str | None
    """``None`` for the URI of a relay or a device."""

    transport: str = "tcp"
    """How the hop is reached, spelled as it came."""

    userinfo: str | None = None
    parameters: tuple[tuple[str, str | None], ...] = ()

    _key: _Key = field(init=False, repr=False)

    def __post_init__(self) -> None:
        key = (
            self.scheme.lower(),
            _canonical_host(self.host),
            self.port,
            self.session_id,
            self.transport.lower(),
        )
        object.__setattr__(self, "_key", key)

    @classmethod
    def parse(cls, text: str) -> MsrpUri:
        """Read one URI.

        Raises:
            InvalidUri: The text isn't what :rfc:`4975#section-9` calls an MSRP URI.
        """
        if len(text) > MAX_URI_LENGTH:
            raise InvalidUri(f"longer than {MAX_URI_LENGTH} characters")
        match = _URI.fullmatch(text)
        if match is None:
            raise InvalidUri(_what_is_wrong(text))
        host = match["host"]
        if host.startswith("["):
            host = host[1:-1]
            _check_ipv6(host)
        port = None if match["port"] is None else int(match["port"])
        if port is not None and port > 65535:
            raise InvalidUri("the port is above 65535")
        if ":" in (match["userinfo"] or ""):
            raise InvalidUri("a password may not stand in it")
        return cls(
            scheme=match["scheme"],
            host=host,
            port=port,
            session_id=match["session_id"],
            transport=match["transport"],
            userinfo=match["userinfo"],
            parameters=_parse_parameters(match["parameters"]),
        )

    @property
    def secure(self) -> bool:
        """Whether this hop runs over TLS.

        That is for the scheme to say (:rfc:`4975#section-6`); but some stacks write
        ``;tls`` for the transport, and can't mean anything else by it.
        """
        return self._key[0] == "msrps" or self._key[4] == "tls"

    @property
    def authority(self) -> str:
        """``host:port`` as a person writes it, brackets around IPv6."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def __str__(self) -> str:
        user = "" if self.userinfo is None else f"{self.userinfo}@"
        session = "" if self.session_id is None else f"/{self.session_id}"
        parameters = "".join(
            f";{name}" if value is None else f";{name}={value}"
            for name, value in self.parameters
        )
        return (
            f"{self.scheme}://{user}{self.authority}{session}"
            f";{self.transport}{parameters}"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MsrpUri):
            return NotImplemented
        return self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@functools.lru_cache(maxsize=1024)
def parse_path(text: str) -> tuple[MsrpUri, ...]:
    """Read the URIs of a ``To-Path``, ``From-Path`` or ``a=path`` value.

    The same few paths stand in every request of a session, hence the cache.

    Raises:
        InvalidUri: One of them isn't an MSRP URI, or there is none.
    """
    # Not split(), which takes a line separator of any script for a space.
    texts = [each for each in text.split(" ") if each]
    if not texts:
        raise InvalidUri("the path is empty")
    if len(texts) > MAX_PATH_LENGTH:
        raise InvalidUri(f"the path has more than {MAX_PATH_LENGTH} URIs")
    return tuple(MsrpUri.parse(each) for each in texts)


def format_path(path: tuple[MsrpUri, ...]) -> str:
    """Write a path as it stands in a header field."""
    return " ".join(map(str, path))


def new_session_id() -> str:
    """Return a session id that nobody can guess.

    120 random bits, where :rfc:`4975#section-14.1` asks for 80, in letters and
    digits only: some stacks stumble over the other characters of the grammar.
    """
    return secrets.token_hex(15)


def _canonical_host(host: str) -> str:
    if "%" in host:
        host = _ESCAPED.sub(_decode_unreserved, host)
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return host.lower()


def _decode_unreserved(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return character if _UNRESERVED_CHARACTER.fullmatch(character) else match[0]


def _check_ipv6(host: str) -> None:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise InvalidUri("the brackets don't hold an IPv6 address") from None


def _parse_parameters(text: str) -> tuple[tuple[str, str | None], ...]:
    parameters: list[tuple[str, str | None]] = []
    for each in text.split(";")[1:]:
        match = _PARAMETER.fullmatch(each)
        if match is None:
            raise InvalidUri("a parameter is malformed")
        parameters.append((match["name"], match["value"]))
    return tuple(parameters)


def _what_is_wrong(text: str) -> str:
    """Say in a few words why the grammar doesn't match, for those who typed it."""
    if not text.isascii() or not text.isprintable():
        return "only printable US-ASCII may stand in it"
    if not text.lower().startswith(("msrp://", "msrps://")):
        return "it doesn't start with msrp:// or msrps://"
    if ";" not in text:
        return "it doesn't end with a transport, as in ;tcp"
    return "host, port, session id or transport is malformed"
