"""``Authorization``, and what confirms it (:rfc:`7616#section-3.4`)."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass

from digest.algorithm import Algorithm, Qop, parse_algorithm
from digest.errors import DigestError
from digest.grammar import (
    check_text,
    format_field,
    parse_field,
    parse_parameters,
    quote,
)
from digest.response import MAX_NONCE_COUNT, format_count

__all__ = ["AuthenticationInfo", "Credentials"]


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client says who it is: ``Authorization`` or ``Proxy-Authorization``."""

    username: str
    """The name, or its hash if :attr:`userhash` is set."""

    realm: str

    nonce: str

    response: str
    """The digest, in hexadecimal digits."""

    uri: str | None = None
    """The URI of the request.  RFC 4976 knows no such parameter; anywhere else it is
    never left out."""

    algorithm: Algorithm | None = None
    """As it was named; ``None`` means MD5, see :attr:`hashing`."""

    qop: Qop | None = None
    """``None`` for the form of RFC 2069, which has no ``nc`` either."""

    cnonce: str | None = None

    count: int | None = None
    """How many requests have used the nonce, with this one; ``nc`` on the wire."""

    opaque: str | None = None

    userhash: bool = False

    def __post_init__(self) -> None:
        for text in (self.username, self.realm, self.nonce, self.response):
            check_text(text)
        for optional in (self.uri, self.cnonce, self.opaque):
            check_text(optional or "")
        if self.qop is not None and (self.cnonce is None or self.count is None):
            raise DigestError("credentials with qop need cnonce and nc")
        _check_count(self.count)

    @property
    def hashing(self) -> Algorithm:
        """The algorithm, whether it was named or not."""
        return self.algorithm or Algorithm.MD5

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Read the value of one header field.

        Raises:
            DigestError: It is of another scheme, something that is needed is
                missing, or it can't be read.
        """
        parameters = parse_field(text)
        get = parameters.get
        username = _parse_username(parameters)
        realm, nonce, response = get("realm"), get("nonce"), get("response")
        if username is None or realm is None or nonce is None or response is None:
            raise DigestError("credentials need username, realm, nonce and response")
        algorithm = get("algorithm")
        return cls(
            username=username,
            realm=realm,
            nonce=nonce,
            response=response,
            uri=get("uri"),
            algorithm=None if algorithm is None else parse_algorithm(algorithm),
            qop=_parse_qop(get("qop")),
            cnonce=get("cnonce"),
            count=_parse_count(get("nc")),
            opaque=get("opaque"),
            userhash=get("userhash", "").lower() == "true",
        )

    def __str__(self) -> str:
        return "Digest " + format_field(
            (
                ("username", quote(self.username)),
                ("realm", quote(self.realm)),
                ("nonce", quote(self.nonce)),
                ("uri", _quote(self.uri)),
                ("response", quote(self.response)),
                ("algorithm", None if self.algorithm is None else self.algorithm.value),
                ("cnonce", _quote(self.cnonce)),
                ("opaque", _quote(self.opaque)),
                ("qop", None if self.qop is None else self.qop.value),
                ("nc", None if self.count is None else format_count(self.count)),
                ("userhash", "true" if self.userhash else None),
            )
        )


@dataclass(frozen=True, slots=True)
class AuthenticationInfo:
    """A server confirms credentials, and shows that it knows the password too.

    ``Authentication-Info`` or ``Proxy-Authentication-Info``, section 3.5.
    """

    rspauth: str | None = None
    """The server's digest, in hexadecimal digits."""

    qop: Qop | None = None

    cnonce: str | None = None
    """As the client has sent it."""

    count: int | None = None
    """As the client has sent it; ``nc`` on the wire."""

    nextnonce: str | None = None
    """The nonce for the client's next request."""

    def __post_init__(self) -> None:
        for text in (self.rspauth, self.cnonce, self.nextnonce):
            check_text(text or "")
        _check_count(self.count)

    @classmethod
    def parse(cls, text: str) -> AuthenticationInfo:
        """Read the value of one header field.

        Raises:
            DigestError: It can't be read.
        """
        get = parse_parameters(text).get
        return cls(
            rspauth=get("rspauth"),
            qop=_parse_qop(get("qop")),
            cnonce=get("cnonce"),
            count=_parse_count(get("nc")),
            nextnonce=get("nextnonce"),
        )

    def __str__(self) -> str:
        return format_field(
            (
                ("nextnonce", _quote(self.nextnonce)),
                ("qop", None if self.qop is None else self.qop.value),
                ("rspauth", _quote(self.rspauth)),
                ("cnonce", _quote(self.cnonce)),
                ("nc", None if self.count is None else format_count(self.count)),
            )
        )


_COUNT = re.compile(r"[0-9A-Fa-f]{1,8}+")


def _parse_count(text: str | None) -> int | None:
    if text is None:
        return None
    if _COUNT.fullmatch(text) is None:
        raise DigestError("nc isn't a nonce count")
    return int(text, 16)


def _check_count(count: int | None) -> None:
    if count is not None and not 0 <= count <= MAX_NONCE_COUNT:
        raise DigestError("a nonce count has eight hexadecimal digits")


def _parse_qop(text: str | None) -> Qop | None:
    if text is None:
        return None
    try:
        return Qop(text.lower())
    except ValueError:
        raise DigestError("qop isn't a quality of protection that is known") from None


def _parse_username(parameters: dict[str, str]) -> str | None:
    extended = parameters.get("username*")
    if extended is None:
        return parameters.get("username")
    if "username" in parameters:
        raise DigestError("username is there in both of its forms")
    charset, _, rest = extended.partition("'")
    _, _, octets = rest.partition("'")
    if charset.lower() != "utf-8":
        raise DigestError("username* isn't in UTF-8")
    try:
        return check_text(urllib.parse.unquote(octets, errors="strict"))
    except UnicodeDecodeError:
        raise DigestError("username* isn't in UTF-8") from None


def _quote(text: str | None) -> str | None:
    return None if text is None else quote(text)
