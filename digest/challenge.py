"""``WWW-Authenticate`` and ``Proxy-Authenticate`` (:rfc:`7616#section-3.3`)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass

from digest.algorithm import Algorithm, Qop, parse_algorithm
from digest.errors import DigestError
from digest.grammar import check_text, format_field, parse_field, quote, split_fields

__all__ = ["MAX_CHALLENGES", "Challenge", "parse_challenges"]

MAX_CHALLENGES = 32
"""Challenges that are read of one response: each of several proxies may offer all
six algorithms, and reading takes no more than the first few."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A server wants to know who is asking."""

    realm: str
    """What the user name and the password are for."""

    nonce: str

    algorithm: Algorithm | None = None
    """As it was named; ``None`` means MD5, see :attr:`hashing`."""

    qop: tuple[Qop, ...] = ()
    """What the server supports; empty for a server of the times of RFC 2069."""

    opaque: str | None = None
    """What the client is to return unchanged."""

    stale: bool = False
    """Whether only the nonce was too old, and the password was right."""

    domain: str | None = None
    """URIs with spaces between them; of no meaning in SIP or MSRP."""

    userhash: bool = False
    """Whether the server wants the user name hashed."""

    def __post_init__(self) -> None:
        for text in (self.realm, self.nonce, self.opaque, self.domain):
            check_text(text or "")

    @property
    def hashing(self) -> Algorithm:
        """The algorithm, whether it was named or not."""
        return self.algorithm or Algorithm.MD5

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """Read the value of one header field.

        Raises:
            DigestError: It is of another scheme, of an unknown algorithm or quality
                of protection, or it can't be read.
        """
        return cls._of(parse_field(text))

    @classmethod
    def _of(cls, parameters: dict[str, str]) -> Challenge:
        get = parameters.get
        realm, nonce, algorithm = get("realm"), get("nonce"), get("algorithm")
        if realm is None or nonce is None:
            raise DigestError("a challenge needs a realm and a nonce")
        return cls(
            realm=realm,
            nonce=nonce,
            algorithm=None if algorithm is None else parse_algorithm(algorithm),
            qop=_parse_qop(get("qop", "")),
            opaque=get("opaque"),
            stale=get("stale", "").lower() == "true",
            domain=get("domain"),
            userhash=get("userhash", "").lower() == "true",
        )

    def __str__(self) -> str:
        qop = ", ".join(each.value for each in self.qop)
        return "Digest " + format_field(
            (
                ("realm", quote(self.realm)),
                ("domain", None if self.domain is None else quote(self.domain)),
                ("nonce", quote(self.nonce)),
                ("opaque", None if self.opaque is None else quote(self.opaque)),
                ("stale", "true" if self.stale else None),
                ("algorithm", None if self.algorithm is None else self.algorithm.value),
                ("qop", quote(qop) if qop else None),
                ("userhash", "true" if self.userhash else None),
            )
        )


_QOP = {each.value: each for each in Qop}


def _parse_qop(text: str) -> tuple[Qop, ...]:
    names = [name.strip(" \t").lower() for name in text.split(",")]
    known = tuple(dict.fromkeys(_QOP[name] for name in names if name in _QOP))
    if not known and any(names):
        raise DigestError("no quality of protection that is known")
    return known


def parse_challenges(lines: Iterable[str]) -> tuple[Challenge, ...]:
    """Read all challenges of a response that can be met.

    Those of other schemes (Basic among them), of unknown algorithms and those that
    can't be read are left out (:rfc:`8760#section-2.4`).

    Args:
        lines: The values of the header fields of one name, unfolded.  One line may
            hold several challenges.

    Returns:
        The challenges in their order, which is the order of the server's preference;
        no more than :data:`MAX_CHALLENGES`.
    """
    challenges: list[Challenge] = []
    for line in lines:
        fields: list[tuple[str, list[str]]] = []
        with contextlib.suppress(DigestError):
            fields = split_fields(line)
        for scheme, parameters in fields:
            if scheme.lower() != "digest":
                continue
            if len(challenges) == MAX_CHALLENGES:
                return tuple(challenges)
            with contextlib.suppress(DigestError):
                challenges.append(Challenge.parse("Digest " + ",".join(parameters)))
    return tuple(challenges)
