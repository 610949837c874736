"""One request of a client, with all its tries."""

from __future__ import annotations

import enum
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.algorithm import Qop
from digest.challenge import Challenge, parse_challenges
from digest.credentials import AuthenticationInfo, Credentials
from digest.response import ha1, response_digest, user_hash
from digest.spaces import Space, SpaceKey

if TYPE_CHECKING:
    from digest.client import Account, DigestClient

__all__ = ["ClientRequest", "Proof", "Refusal"]

_CNONCE_OCTETS = 16
"""Nobody may guess it, and no two requests may have the same."""


class Refusal(enum.Enum):
    """Why a challenge isn't answered."""

    NOT_UNDERSTOOD = "no challenge can be met: no scheme or algorithm is known"
    NO_ACCOUNT = "there is no account for any of the realms"
    REJECTED = "the user name or the password was rejected"
    TOO_MANY = "the server challenges again and again"

    def __str__(self) -> str:
        return self.value


class Proof(enum.Enum):
    """Whether the server has shown that it knows the password."""

    GIVEN = "given"
    MISSING = "missing"
    WRONG = "wrong"


@dataclass(slots=True)
class _Tried:
    """What one request has tried in one protection space."""

    answered: bool = False
    stale_nonces: int = 0


class ClientRequest:
    """One request, from its first transmission to the response that isn't a challenge.

    It is made by :meth:`DigestClient.request`.
    """

    def __init__(
        self,
        client: DigestClient,
        method: str,
        uri: str,
        body: bytes,
        scope: str,
        sends_uri: bool,
    ) -> None:
        self._client = client
        self._method = method
        self._uri = uri
        self._body = body
        self._scope = scope
        self._attempts = 0
        self._tried: dict[SpaceKey, _Tried] = {}
        self._sends_uri = sends_uri
        self._credentials = self._answer()

    @property
    def credentials(self) -> tuple[tuple[str, Credentials], ...]:
        """What to send with this try: names of header fields, and their values.

        An ACK has what its INVITE had (:rfc:`3261#section-22.1`).
        """
        return tuple((key.field_name, c) for key, c in self._credentials.items())

    def challenged(
        self,
        challenges: Mapping[str, Iterable[str]],
        *,
        sends_uri: bool | None = None,
    ) -> Refusal | None:
        """Take in a 401 or 407, and make new :attr:`credentials`.

        Of several challenges for one realm the topmost is answered that is
        understood.  Credentials that were rejected aren't sent again, unless only
        their nonce was stale.

        Args:
            challenges: The values of ``WWW-Authenticate`` under ``Authorization``,
                those of ``Proxy-Authenticate`` under ``Proxy-Authorization``.
            sends_uri: Whether credentials have a ``uri`` from now on.  Changing that
                is a reason to send rejected ones once more.

        Returns:
            ``None`` if the request should be sent again, otherwise why not.
        """
        self._attempts += 1
        if self._attempts > self._client.limits.attempts:
            return Refusal.TOO_MANY
        chosen = self._choose(challenges)
        if not chosen:
            return Refusal.NOT_UNDERSTOOD
        known = {k: c for k, c in chosen.items() if self._client.account(k.realm)}
        if not known:
            return Refusal.NO_ACCOUNT
        changed = sends_uri is not None and sends_uri != self._sends_uri
        self._sends_uri ^= changed
        refusals = [self._refusal(key, known[key], changed) for key in known]
        for key, refusal in zip(known, refusals, strict=True):
            if refusal is None:
                self._take(key, known[key])
            else:
                self._client.spaces.drop(key)
        if all(refusals):
            return refusals[0]
        self._credentials = self._answer()
        return None

    def confirmed(
        self, field_name: str, info: AuthenticationInfo, body: bytes = b""
    ) -> Proof:
        """Take in ``Authentication-Info``: check it, and keep the next nonce.

        Args:
            field_name: ``Authorization`` for ``Authentication-Info``,
                ``Proxy-Authorization`` for ``Proxy-Authentication-Info``.
            info: What the header field says.
            body: The body of the response, which ``auth-int`` covers.
        """
        sent = {
            k: c for k, c in self._credentials.items() if k.field_name == field_name
        }
        if info.rspauth is not None:
            sent = {k: c for k, c in sent.items() if self._is_proven(c, info, body)}
            if not sent:
                return Proof.WRONG
        if len(sent) == 1 and info.nextnonce is not None:
            [(key, credentials)] = sent.items()
            space = self._client.spaces.get(key)
            # Another request may have been challenged meanwhile.
            if space is not None and space.challenge.nonce == credentials.nonce:
                space.go_on_with(info.nextnonce)
        return Proof.MISSING if info.rspauth is None else Proof.GIVEN

    def _choose(
        self, challenges: Mapping[str, Iterable[str]]
    ) -> dict[SpaceKey, Challenge]:
        chosen: dict[SpaceKey, Challenge] = {}
        for field_name, lines in challenges.items():
            for challenge in parse_challenges(lines):
                if challenge.hashing in self._client.algorithms:
                    key = SpaceKey(self._scope, field_name, challenge.realm)
                    chosen.setdefault(key, challenge)
        return chosen

    def _refusal(
        self, key: SpaceKey, challenge: Challenge, changed: bool
    ) -> Refusal | None:
        """Tell why a challenge isn't to be answered, if it isn't."""
        tried = self._tried.setdefault(key, _Tried())
        sent = self._credentials.get(key)
        if challenge.stale:
            tried.stale_nonces += 1
            if tried.stale_nonces > self._client.limits.stale_nonces:
                return Refusal.TOO_MANY
        elif changed or (sent is None and not tried.answered):
            pass
        elif tried.answered or (sent is not None and sent.nonce == challenge.nonce):
            return Refusal.REJECTED
        # Otherwise the nonce was that of an earlier request.  That it is too old is
        # more likely than that the password has changed since, even if the server
        # doesn't say which; and this question comes up once.
        tried.answered = True
        return None

    def _take(self, key: SpaceKey, challenge: Challenge) -> None:
        """Make a challenge the one to answer, in this request and later ones."""
        space = self._client.spaces.get(key)
        if space is not None and space.challenge.nonce == challenge.nonce:
            space.challenge = challenge  # Its nonce goes on being counted.
        else:
            self._client.spaces.put(key, Space(challenge))

    def _answer(self) -> dict[SpaceKey, Credentials]:
        answers: dict[SpaceKey, Credentials] = {}
        for key, space in self._client.spaces.within(self._scope):
            account = self._client.account(key.realm)
            if account is not None and not space.is_used_up:
                answers[key] = self._respond(space, account)
        return answers

    def _respond(self, space: Space, account: Account) -> Credentials:
        challenge = space.challenge
        algorithm, realm = challenge.hashing, challenge.realm
        qop = self._choose_qop(challenge)
        cnonce = space.session_cnonce or self._client.random_hex(_CNONCE_OCTETS)
        if algorithm.is_session:
            space.session_cnonce = cnonce
        count = space.take_count()
        digest = response_digest(
            algorithm,
            ha1(algorithm, account.username, realm, account.password),
            method=self._method,
            uri=self._uri,
            nonce=challenge.nonce,
            qop=qop,
            count=count,
            cnonce=cnonce,
            body=self._body,
        )
        hides = challenge.userhash
        name = account.username
        return Credentials(
            username=user_hash(algorithm, name, realm) if hides else name,
            realm=realm,
            nonce=challenge.nonce,
            response=digest,
            uri=self._uri if self._sends_uri else None,
            algorithm=challenge.algorithm,
            qop=qop,
            cnonce=cnonce if qop is not None or algorithm.is_session else None,
            count=None if qop is None else count,
            opaque=challenge.opaque,
            userhash=hides,
        )

    def _choose_qop(self, challenge: Challenge) -> Qop | None:
        if not challenge.qop:
            return Qop.AUTH if self._client.assume_auth else None
        first = Qop.AUTH_INT if self._client.prefer_integrity else Qop.AUTH
        return first if first in challenge.qop else challenge.qop[0]

    def _is_proven(
        self, credentials: Credentials, info: AuthenticationInfo, body: bytes
    ) -> bool:
        account = self._client.account(credentials.realm)
        if account is None or info.rspauth is None:
            return False
        if info.cnonce not in (None, credentials.cnonce) or info.count not in (
            None,
            credentials.count,
        ):
            return False  # It is about another request.
        algorithm = credentials.hashing
        expected = response_digest(
            algorithm,
            ha1(algorithm, account.username, credentials.realm, account.password),
            method="",
            uri=self._uri,
            nonce=credentials.nonce,
            # The server may do with less in a response.
            qop=info.qop or credentials.qop,
            count=credentials.count or 0,
            cnonce=credentials.cnonce or "",
            body=body,
        )
        given = info.rspauth.lower().encode("utf-8", "surrogateescape")
        return hmac.compare_digest(given, expected.encode())
