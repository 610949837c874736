"""A client: who we are in which realm, and what servers have said so far.

A :class:`DigestClient` outlives requests: it knows the accounts, and the nonce of
each protection space.  Each request that may be challenged is a
:class:`ClientRequest`, which knows what was tried for it::

    request = client.request("INVITE", uri, scope=host)
    send(request.credentials)  # pairs of a field's name and credentials
    ...  # 401 or 407
    refusal = request.challenged({"Authorization": www_authenticate_lines})
    if refusal is None:
        send(request.credentials)  # again, as a new transaction
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from digest.algorithm import Algorithm
from digest.grammar import check_text
from digest.request import ClientRequest
from digest.spaces import Spaces

__all__ = ["Account", "ClientLimits", "DigestClient"]


@dataclass(frozen=True, slots=True)
class Account:
    """A name and a password."""

    username: str

    password: str = field(repr=False)

    realm: str | None = None
    """Where they are good; ``None`` means wherever somebody asks.  Then any server
    that is asked anything learns a digest of the password, which it may guess at."""

    def __post_init__(self) -> None:
        for text in (self.username, self.password, self.realm or ""):
            check_text(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLimits:
    """The bounds of one client."""

    attempts: int = 8
    """Challenges that one request answers: three proxies and the server, each of
    which may find its nonce stale once."""

    stale_nonces: int = 2
    """Stale nonces in a row that one request believes in, per protection space."""

    spaces: int = 256
    """Protection spaces to remember; the one unused for longest goes first."""


class DigestClient:
    """The accounts of one user, and the nonces of the servers.

    Args:
        accounts: Who we are; one with the realm goes before one without.
        algorithms: What may be used.  Leaving out MD5 is what prevents somebody
            on the path from making us use it (:rfc:`8760#section-3`).
        assume_auth: Answer a challenge without ``qop`` as if it had said ``auth``
            (:rfc:`8760#section-2.6`), not in the form of RFC 2069.
        prefer_integrity: Use ``auth-int`` where it is offered, so that bodies are
            protected; whatever changes a body on the path then breaks the request.
        sends_uri: Whether credentials have a ``uri`` at first, which only RFC 4976
            leaves out.
        random_hex: Where client nonces come from; it is given a number of octets.
        limits: Bounds on what servers can make grow.
    """

    def __init__(
        self,
        accounts: Iterable[Account] = (),
        *,
        algorithms: Iterable[Algorithm] = tuple(Algorithm),
        assume_auth: bool = False,
        prefer_integrity: bool = False,
        sends_uri: bool = True,
        random_hex: Callable[[int], str] = secrets.token_hex,
        limits: ClientLimits = ClientLimits(),
    ) -> None:
        self._accounts = {account.realm: account for account in accounts}
        self.algorithms = frozenset(algorithms)
        self.assume_auth = assume_auth
        self.prefer_integrity = prefer_integrity
        self.sends_uri = sends_uri
        self.random_hex = random_hex
        self.limits = limits
        self.spaces = Spaces(limits.spaces)

    def add(self, account: Account) -> None:
        """Add an account; it takes the place of another of the same realm.

        What was agreed with servers on behalf of the other is forgotten.
        """
        self._accounts[account.realm] = account
        self.spaces.forget(account.realm)

    def account(self, realm: str) -> Account | None:
        """Return who we are in a realm."""
        return self._accounts.get(realm) or self._accounts.get(None)

    def request(
        self,
        method: str,
        uri: str,
        body: bytes = b"",
        *,
        scope: str = "",
        sends_uri: bool | None = None,
    ) -> ClientRequest:
        """Begin a request, with credentials if servers of this scope want them.

        Args:
            method: The method, as it will be sent.
            uri: The URI of the request, as it will be sent.
            body: The body, which ``auth-int`` covers.
            scope: Which servers this will be sent past, such as a host or a dialog.
                Nothing that was learnt in one scope is told in another.
            sends_uri: Whether credentials have a ``uri`` at first; by default as
                the client does.
        """
        if sends_uri is None:
            sends_uri = self.sends_uri
        return ClientRequest(self, method, uri, body, scope, sends_uri)
