"""A server: challenges, and whether credentials meet them.

Nonces are signed, not stored: what a :class:`DigestServer` remembers are counts,
for those nonces only with which somebody has given a right password.  So nobody
without one can make it remember anything.  The verdict on credentials::

    verdict = server.verify(lines, "REGISTER", uri, now=now)
    if verdict.username is None:
        challenges = server.challenges(now, stale=verdict.is_stale)  # 401
"""

from __future__ import annotations

import enum
import hmac
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from digest.algorithm import Algorithm, Qop
from digest.challenge import Challenge
from digest.credentials import AuthenticationInfo, Credentials
from digest.errors import DigestError
from digest.grammar import check_text
from digest.nonces import Nonces, NonceState, ServerLimits
from digest.response import MAX_NONCE_COUNT, ha1, response_digest

__all__ = [
    "Accounts",
    "DigestServer",
    "HashedPasswords",
    "Outcome",
    "Passwords",
    "Verdict",
]

MAX_CREDENTIALS = 16
"""Credentials that are read of one request.  One is for us; the others are for
servers further on, and there aren't that many."""


class Accounts(Protocol):
    """Who may come in."""

    def ha1(self, username: str, realm: str, algorithm: Algorithm) -> str | None:
        """Return H(user:realm:password), or ``None`` if nobody is called so."""


class Passwords:
    """Accounts whose passwords are known."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords

    def ha1(self, username: str, realm: str, algorithm: Algorithm) -> str | None:
        """Return H(user:realm:password), or ``None`` if nobody is called so."""
        password = self._passwords.get(username)
        return None if password is None else ha1(algorithm, username, realm, password)


class HashedPasswords:
    """Accounts whose passwords aren't known, only what :func:`digest.ha1` gives.

    Args:
        hashes: By user name and algorithm; of the ``-sess`` variants none is asked
            for, since they start from the same hash.
    """

    def __init__(self, hashes: Mapping[tuple[str, Algorithm], str]) -> None:
        self._hashes = hashes

    def ha1(self, username: str, realm: str, algorithm: Algorithm) -> str | None:
        """Return the hash, or ``None`` if there is none for this algorithm."""
        return self._hashes.get((username, algorithm.plain))


class Outcome(enum.Enum):
    """What credentials are worth."""

    ACCEPTED = "accepted"
    ABSENT = "there are none for this realm"
    MALFORMED = "they can't be read"
    WRONG_URI = "they are for another URI"
    NOT_OFFERED = "their algorithm or quality of protection was not offered"
    REJECTED = "the user name or the password is wrong"
    STALE = "the password is right, and the nonce too old"
    REPLAYED = "the password is right, and they were used before"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a server thinks of a request."""

    outcome: Outcome

    credentials: Credentials | None = None
    """Those that were judged."""

    @property
    def username(self) -> str | None:
        """Who it is, or ``None`` if that isn't proven."""
        if self.outcome is Outcome.ACCEPTED and self.credentials is not None:
            return self.credentials.username
        return None

    @property
    def is_stale(self) -> bool:
        """Whether another nonce is all that is missing."""
        return self.outcome in (Outcome.STALE, Outcome.REPLAYED)


class DigestServer:
    """One realm, and who may enter it.

    Args:
        realm: What the user name and the password are for; shown to users.
        accounts: Who may come in.
        algorithms: What is offered, the best first.  Those that this Python can't
            compute are left out.
        qop: Which qualities of protection are offered.
        allow_legacy: Accept credentials without ``qop``, which a client of the times
            of RFC 2069 sends.  They can't be counted, so each nonce is good once.
        uris_match: Whether the ``uri`` of credentials stands for the URI of the
            request.  They need not be equal in SIP (:rfc:`8760#section-2.6`).
        secret: What nonces are signed with.  Servers that share one take each
            other's nonces, but don't see what was replayed to another.
        limits: How long nonces are good, and how many are counted.

    Raises:
        DigestError: The realm can't be written, or nothing is left to offer.
    """

    def __init__(
        self,
        realm: str,
        accounts: Accounts,
        *,
        algorithms: Iterable[Algorithm] = (Algorithm.SHA_256, Algorithm.MD5),
        qop: Iterable[Qop] = (Qop.AUTH,),
        allow_legacy: bool = False,
        uris_match: Callable[[str, str], bool] = operator.eq,
        secret: bytes | None = None,
        limits: ServerLimits = ServerLimits(),  # noqa: B008 - it is frozen
    ) -> None:
        self.realm = check_text(realm)
        self.algorithms = tuple(a for a in algorithms if a.is_available)
        self.qop = tuple(qop)
        if not (self.algorithms and self.qop):
            raise DigestError("there is nothing to offer")
        self._accounts = accounts
        self._allow_legacy = allow_legacy
        self._uris_match = uris_match
        self._nonces = Nonces(realm, secret, limits)

    def challenges(self, now: float, *, stale: bool = False) -> tuple[Challenge, ...]:
        """Make the challenges of a 401 or 407, one header field each, in order.

        Args:
            now: The time in seconds, of a clock that all who share the secret read.
            stale: Whether to say that only the nonce was too old.
        """
        nonce = self._nonces.new(now)
        return tuple(
            Challenge(self.realm, nonce, algorithm, self.qop, stale=stale)
            for algorithm in self.algorithms
        )

    def verify(
        self,
        lines: Iterable[str],
        method: str,
        uri: str,
        body: bytes = b"",
        *,
        now: float,
    ) -> Verdict:
        """Judge the credentials of a request, if there are any for this realm.

        ACK and CANCEL can't be challenged, so there is no use in asking for them.

        Args:
            lines: The values of its ``Authorization`` header fields, or of those
                for proxies.
            method: Its method.
            uri: Its URI.
            body: Its body.
            now: The time in seconds.
        """
        credentials, malformed = self._find(lines)
        if credentials is None:
            return Verdict(Outcome.MALFORMED if malformed else Outcome.ABSENT)
        return Verdict(self._judge(credentials, method, uri, body, now), credentials)

    def confirm(
        self,
        verdict: Verdict,
        uri: str,
        body: bytes = b"",
        *,
        next_nonce_at: float | None = None,
    ) -> AuthenticationInfo:
        """Make ``Authentication-Info``, which shows that we know the password too.

        Args:
            verdict: On the request, which was accepted.
            uri: The URI of the request.
            body: The body of the response.
            next_nonce_at: The time, if the client is to use a new nonce from now on.

        Raises:
            DigestError: The request was not accepted.
        """
        credentials = verdict.credentials
        if verdict.username is None or credentials is None:
            raise DigestError("credentials that aren't accepted can't be confirmed")
        secret = self._secret(credentials)
        digest = self._digest(credentials, secret or "", "", uri, body)
        nonce = None if next_nonce_at is None else self._nonces.new(next_nonce_at)
        return AuthenticationInfo(
            rspauth=digest,
            qop=credentials.qop,
            cnonce=credentials.cnonce,
            count=credentials.count,
            nextnonce=nonce,
        )

    def _find(self, lines: Iterable[str]) -> tuple[Credentials | None, bool]:
        malformed = False
        for line, _ in zip(lines, range(MAX_CREDENTIALS), strict=False):
            try:
                credentials = Credentials.parse(line)
            except DigestError:
                malformed = True
                continue
            if credentials.realm == self.realm:
                return credentials, False
        return None, malformed

    def _judge(
        self, credentials: Credentials, method: str, uri: str, body: bytes, now: float
    ) -> Outcome:
        if not self._is_offered(credentials):
            return Outcome.NOT_OFFERED
        if credentials.uri is not None and not self._uris_match(credentials.uri, uri):
            return Outcome.WRONG_URI
        secret = self._secret(credentials)
        # As much work for a name that doesn't exist as for one that does.
        expected = self._digest(credentials, secret or "", method, uri, body)
        given = credentials.response.lower().encode("utf-8", "surrogateescape")
        is_right = hmac.compare_digest(given, expected.encode())
        if secret is None or not is_right:
            return Outcome.REJECTED
        count = MAX_NONCE_COUNT if credentials.qop is None else credentials.count or 0
        return _OUTCOMES[self._nonces.use(credentials.nonce, count, now)]

    def _is_offered(self, credentials: Credentials) -> bool:
        if credentials.hashing not in self.algorithms or credentials.userhash:
            return False
        if credentials.qop is None:
            return self._allow_legacy
        return credentials.qop in self.qop

    def _secret(self, credentials: Credentials) -> str | None:
        algorithm = credentials.hashing
        return self._accounts.ha1(credentials.username, self.realm, algorithm)

    def _digest(
        self,
        credentials: Credentials,
        secret: str,
        method: str,
        uri: str,
        body: bytes,
    ) -> str:
        return response_digest(
            credentials.hashing,
            secret,
            method=method,
            uri=uri if credentials.uri is None else credentials.uri,
            nonce=credentials.nonce,
            qop=credentials.qop,
            count=credentials.count or 0,
            cnonce=credentials.cnonce or "",
            body=body,
        )


_OUTCOMES = {
    NonceState.GOOD: Outcome.ACCEPTED,
    NonceState.STALE: Outcome.STALE,
    NonceState.REPLAYED: Outcome.REPLAYED,
}
