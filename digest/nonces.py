"""Nonces that need not be stored, and the counts of those in use.

A nonce is the time it was made, something random, and a signature of both.  Only
nonces that came back with a right password are remembered, with the highest count
seen.  When there are too many of them, the oldest is forgotten and everything as old
as it is stale from then on: a nonce that isn't remembered must not be one that was
used before.
"""

from __future__ import annotations

import base64
import binascii
import enum
import heapq
import hmac
import math
import secrets
from dataclasses import dataclass

__all__ = ["NonceState", "Nonces", "ServerLimits"]

_TIME_OCTETS = 8
_RANDOM_OCTETS = 8
_SIGNATURE_OCTETS = 16
_LENGTH = _TIME_OCTETS + _RANDOM_OCTETS + _SIGNATURE_OCTETS
_CHARACTERS = math.ceil(_LENGTH / 3) * 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLimits:
    """The bounds of one server."""

    nonce_lifetime: float = 300.0
    """Seconds for which a nonce is good.  A client that comes later is told that
    its nonce is stale, which costs it one round trip."""

    counted_nonces: int = 16_384
    """Nonces whose counts are remembered: clients that come within the lifetime.
    Each costs some 200 octets."""


class NonceState(enum.Enum):
    """What a nonce with a count is worth."""

    GOOD = enum.auto()
    STALE = enum.auto()
    REPLAYED = enum.auto()


class Nonces:
    """The nonces of one realm.

    Args:
        realm: The realm, which is signed too.
        secret: What to sign with; ``None`` makes a secret of our own.
        limits: How long, and how many.
    """

    def __init__(self, realm: str, secret: bytes | None, limits: ServerLimits) -> None:
        self._secret = secret or secrets.token_bytes(32)
        self._realm = realm.encode("utf-8", "surrogateescape")
        self._limits = limits
        self._counts: dict[str, int] = {}
        self._by_age: list[tuple[int, str]] = []
        self._forgotten = -1
        """Nonces made in this millisecond or before are only known if counted."""

    def new(self, now: float) -> str:
        """Make a nonce."""
        made = max(0, int(now * 1000))
        head = made.to_bytes(_TIME_OCTETS, "big") + secrets.token_bytes(_RANDOM_OCTETS)
        return base64.urlsafe_b64encode(head + self._sign(head)).decode()

    def use(self, nonce: str, count: int, now: float) -> NonceState:
        """Count a request that has come with a nonce and a right password."""
        self._expire(now)
        made = self._made(nonce)
        if made is None or not self._oldest(now) <= made <= int(now * 1000):
            return NonceState.STALE
        if nonce in self._counts:
            if count <= self._counts[nonce]:
                return NonceState.REPLAYED
        elif made <= self._forgotten:
            return NonceState.STALE
        elif count < 1:
            return NonceState.REPLAYED
        else:
            heapq.heappush(self._by_age, (made, nonce))
        self._counts[nonce] = count
        while len(self._by_age) > self._limits.counted_nonces:
            self._forgotten = self._by_age[0][0]
            self._forget_oldest()
        return NonceState.GOOD

    def __len__(self) -> int:
        """Count the nonces that are remembered."""
        return len(self._counts)

    def _made(self, nonce: str) -> int | None:
        """Return when we made a nonce, in milliseconds, if it was we."""
        if len(nonce) != _CHARACTERS:
            return None
        try:
            octets = base64.b64decode(nonce, b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        # One nonce must not have several spellings: each would be counted anew.
        if base64.urlsafe_b64encode(octets).decode() != nonce:
            return None
        head, signature = octets[:-_SIGNATURE_OCTETS], octets[-_SIGNATURE_OCTETS:]
        if not hmac.compare_digest(signature, self._sign(head)):
            return None
        return int.from_bytes(head[:_TIME_OCTETS], "big")

    def _sign(self, head: bytes) -> bytes:
        signature = hmac.digest(self._secret, head + self._realm, "sha256")
        return signature[:_SIGNATURE_OCTETS]

    def _oldest(self, now: float) -> int:
        return int((now - self._limits.nonce_lifetime) * 1000)

    def _expire(self, now: float) -> None:
        oldest = self._oldest(now)
        while self._by_age and self._by_age[0][0] < oldest:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, nonce = heapq.heappop(self._by_age)
        del self._counts[nonce]
