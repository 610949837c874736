"""What a client remembers of servers: protection spaces, and the nonce of each.

A protection space is all that one server, or several of them, ask one name and
password for.  Here it is the name of a header field and a realm, within a scope that
the caller of :meth:`digest.DigestClient.request` has named.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from digest.challenge import Challenge
from digest.response import MAX_NONCE_COUNT

__all__ = ["Space", "SpaceKey", "Spaces"]


class SpaceKey(NamedTuple):
    """Which protection space it is."""

    scope: str

    field_name: str
    """``Authorization`` or ``Proxy-Authorization``."""

    realm: str


@dataclass(slots=True)
class Space:
    """What a server has asked for last, and how often it was answered."""

    challenge: Challenge

    count: int = 0
    """How many requests have used the nonce."""

    session_cnonce: str | None = None
    """The client nonce that went into the key of a ``-sess`` algorithm, which is the
    same for all requests with this server nonce."""

    def take_count(self) -> int:
        """Count one more request; the counts of a nonce only ever go up."""
        self.count += 1
        return self.count

    @property
    def is_used_up(self) -> bool:
        """Whether no further count can be written."""
        return self.count >= MAX_NONCE_COUNT

    def go_on_with(self, nonce: str) -> None:
        """Use the nonce that the server has named for the next request."""
        # Which of the nonces is part of the key then, implementations don't agree
        # on.  Without the next nonce there is only one: at worst it becomes stale.
        if not self.challenge.hashing.is_session:
            self.challenge = replace(self.challenge, nonce=nonce, stale=False)
            self.count = 0


class Spaces:
    """The protection spaces of a client, at most so many of them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._spaces: OrderedDict[SpaceKey, Space] = OrderedDict()

    def get(self, key: SpaceKey) -> Space | None:
        """Look a space up."""
        return self._spaces.get(key)

    def put(self, key: SpaceKey, space: Space) -> None:
        """Remember a space, and forget the one that was not used for longest."""
        self._spaces[key] = space
        self._spaces.move_to_end(key)
        if len(self._spaces) > self._most:
            self._spaces.popitem(last=False)

    def drop(self, key: SpaceKey) -> None:
        """Forget a space."""
        self._spaces.pop(key, None)

    def forget(self, realm: str | None) -> None:
        """Forget all spaces of a realm, or with ``None`` of all realms."""
        for key in [k for k in self._spaces if realm in (None, k.realm)]:
            del self._spaces[key]

    def within(self, scope: str) -> Iterator[tuple[SpaceKey, Space]]:
        """Give the spaces of a scope, which counts as use, in a settled order."""
        for key in sorted(k for k in self._spaces if k.scope == scope):
            self._spaces.move_to_end(key)
            yield key, self._spaces[key]

    def __len__(self) -> int:
        return len(self._spaces)
