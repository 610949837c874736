"""Asking relays for their services, one after the other (:rfc:`4976#section-5.1`).

An :class:`Authorization` is one session's: each relay makes a URI for it that is
tied to the connection, and may be used for nothing else.  It is driven by answers::

    authorization = Authorization(relays, own_uri, client, terms)
    while authorization.grant is None:
        answer = ask(*authorization.next_request())
        authorization.answered(answer)

The second relay is asked through the first, by the URI that the first has just given,
and so on.  What all of them give at the end is the :class:`Grant`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from digest import (
    AuthenticationInfo,
    ClientRequest,
    DigestClient,
    DigestError,
    Proof,
    parse_challenges,
)
from msrp.errors import AuthorizationFailed, InvalidUri
from msrp.headers import ContinuationFlag
from msrp.sansio.encoder import encode_end, encode_head
from msrp.sansio.ids import new_transaction_id
from msrp.sansio.inquiries import Answer
from msrp.status import StatusCode, reason_phrase
from msrp.uri import MAX_PATH_LENGTH, MsrpUri, format_path, parse_path

__all__ = ["Authorization", "Grant", "Terms"]

_FIELD = "Authorization"

_MAX_SECONDS_DIGITS = 9
"""Digits of an interval: 31 years are as good as any longer time."""

# What SDP takes for the name of a host (RFC 8866 section 9).
_HOST_NAME = re.compile(r"[A-Za-z0-9.\-]{4,255}")

_MAX_INTERVALS = 2
"""Intervals that are tried after the first: one below, one above the bounds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked of a relay, and what is put up with."""

    expires: int | None = None
    """Seconds for which the URI shall be good; ``None`` leaves it to the relay."""

    sends_uri: bool = False
    """Whether credentials have a ``uri`` at first.  :rfc:`4976#section-7` knows no such
    parameter, :rfc:`7977` shows it; some relays ask for it, others don't bear it.
    Whichever is said, a second 401 is answered the other way."""

    accept_unproven: bool = False
    """Whether to take a 200 without ``Authentication-Info``, by which the relay shows
    that it knows the password (:rfc:`4976#section-9.1`)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What relays have given to one session."""

    local_uri: MsrpUri
    """Our own."""

    use_path: tuple[MsrpUri, ...]
    """The relays on the way out, the one next to us first."""

    lifetime: int | None
    """Seconds until the first of them forgets us; ``None`` if none has said."""

    @property
    def path(self) -> tuple[MsrpUri, ...]:
        """The way to us, as it is told in a session description."""
        return (*reversed(self.use_path), self.local_uri)


class Authorization:
    """The AUTH requests of one session.

    Args:
        relays: The relays, the one next to us first.
        local_uri: Ours, for this session alone.
        client: Who we are.
        terms: What is asked for.
        habits: What relays have been found to want of the parameter ``uri``, by
            their authority; kept up to date.
        new_id: Makes transaction ids.
    """

    def __init__(
        self,
        relays: Sequence[MsrpUri],
        local_uri: MsrpUri,
        client: DigestClient,
        terms: Terms,
        *,
        habits: dict[str, bool] | None = None,
        new_id: Callable[[], str] = new_transaction_id,
    ) -> None:
        assert relays
        self.grant: Grant | None = None
        """What came of it, at the end."""
        self._waiting = list(relays)
        self._local_uri = local_uri
        self._client = client
        self._terms = terms
        self._habits = {} if habits is None else habits
        self._new_id = new_id
        self._use_path: tuple[MsrpUri, ...] = ()
        self._lifetime: int | None = None
        self._begin()

    def next_request(self) -> tuple[str, bytes]:
        """Return the transaction id and the octets of the AUTH to send now."""
        transaction_id = self._new_id()
        # One alone: a relay has one realm, and a field may not be there twice.
        wanted = [
            (name, str(value))
            for name, value in self._digest.credentials
            if not self._realms or value.realm in self._realms
        ]
        fields = wanted[:1]
        if self._expires is not None:
            fields.append(("Expires", str(self._expires)))
        head = encode_head(
            transaction_id,
            "AUTH",
            format_path((*self._use_path, self._relay)),
            str(self._local_uri),
            fields,
        )
        return transaction_id, head + encode_end(transaction_id, ContinuationFlag.END)

    def answered(self, answer: Answer | None) -> None:
        """Take in what the relay says; ``None`` for nothing.

        Raises:
            AuthorizationFailed: It won't do anything for us.
        """
        if answer is None:
            raise self._failed("the relay has not answered")
        try:
            fields = _read_fields(answer.block)
        except UnicodeDecodeError as error:
            raise self._failed("what the relay answers is not UTF-8") from error
        code = answer.head.code
        if code == StatusCode.OK:
            self._granted(fields)
        elif code == StatusCode.UNAUTHORIZED:
            self._challenged(fields)
        elif code == StatusCode.PARAMETER_OUT_OF_BOUNDS:
            self._out_of_bounds(fields)
        else:
            phrase = reason_phrase(code)
            words = f" ({phrase})" if phrase else ""
            raise self._failed(f"the relay refuses with {code}{words}", code)

    # Inside.

    def _begin(self) -> None:
        """Turn to the next relay."""
        self._relay = self._waiting.pop(0)
        # What is asked of us there is good for this authority (section 9.1).
        scope = self._relay.authority.lower()
        self._sends_uri = self._habits.get(scope, self._terms.sends_uri)
        self._may_change = True
        self._realms: set[str] = set()
        self._expires = self._terms.expires
        self._intervals = 0
        self._digest: ClientRequest = self._client.request(
            "AUTH", str(self._relay), scope=scope, sends_uri=self._sends_uri
        )

    def _challenged(self, fields: dict[str, list[str]]) -> None:
        lines = fields.get("www-authenticate", [])
        challenges = {_FIELD: lines}
        self._realms = {challenge.realm for challenge in parse_challenges(lines)}
        had_none = not self._digest.credentials
        refusal = self._digest.challenged(challenges)
        if refusal is not None and self._may_change and not had_none:
            self._may_change = False
            self._sends_uri = not self._sends_uri
            refusal = self._digest.challenged(challenges, sends_uri=self._sends_uri)
        if refusal is not None:
            raise self._failed(str(refusal), StatusCode.UNAUTHORIZED)

    def _out_of_bounds(self, fields: dict[str, list[str]]) -> None:
        code = StatusCode.PARAMETER_OUT_OF_BOUNDS
        least = _read_seconds(fields, "min-expires")
        most = _read_seconds(fields, "max-expires")
        asked, self._expires = self._expires, _within(self._expires, least, most)
        self._intervals += 1
        if self._expires in (asked, None) or self._intervals > _MAX_INTERVALS:
            raise self._failed("the relay allows no interval that we know of", code)
        # The nonce is good for another request.
        self._digest = self._client.request(
            "AUTH",
            str(self._relay),
            scope=self._relay.authority.lower(),
            sends_uri=self._sends_uri,
        )

    def _granted(self, fields: dict[str, list[str]]) -> None:
        self._check_proof(fields)
        self._habits[self._relay.authority.lower()] = self._sends_uri
        given = self._read_use_path(fields)
        # Some relays name only themselves; they are reached through the others.
        if given[0] not in self._use_path:
            given = self._use_path + given
        if len(given) >= MAX_PATH_LENGTH:
            raise self._failed("the path through the relays is too long")
        self._use_path = given
        lifetime = _read_seconds(fields, "expires")
        if lifetime is not None:
            known = lifetime if self._lifetime is None else self._lifetime
            self._lifetime = min(lifetime, known)
        if self._waiting:
            self._begin()
        else:
            self.grant = Grant(self._local_uri, self._use_path, self._lifetime)

    def _read_use_path(self, fields: dict[str, list[str]]) -> tuple[MsrpUri, ...]:
        try:
            path = parse_path(" ".join(fields.get("use-path", [])))
        except InvalidUri as error:
            raise self._failed("the relay gives no path that can be used") from error
        if not all(map(_can_be_told, path)):
            raise self._failed("the relay gives a URI that peers can't use")
        if self._local_uri in path:
            raise self._failed("the relay gives us our own URI")
        return path

    def _check_proof(self, fields: dict[str, list[str]]) -> None:
        proof = Proof.MISSING
        if "authentication-info" in fields:
            text = ",".join(fields["authentication-info"])
            try:
                info = AuthenticationInfo.parse(text)
            except DigestError as error:
                problem = f"the relay's Authentication-Info is malformed: {error}"
                raise self._failed(problem) from error
            proof = self._digest.confirmed(_FIELD, info)
        missing = proof is Proof.MISSING and not self._terms.accept_unproven
        if proof is Proof.WRONG or (missing and self._digest.credentials):
            raise self._failed("the relay doesn't show that it knows the password")

    def _failed(self, problem: str, code: int | None = None) -> AuthorizationFailed:
        return AuthorizationFailed(self._relay.authority, problem, code)


def _can_be_told(uri: MsrpUri) -> bool:
    """Tell whether a URI may stand in a session description, and be connected to."""
    try:
        address = ipaddress.ip_address(uri.host)
    except ValueError:
        is_host = _HOST_NAME.fullmatch(uri.host) is not None
    else:
        is_host = not (address.is_multicast or address.is_unspecified)
    # A name is what it should be (section 4.2), but relays without one are in use.
    return is_host and bool(uri.port and uri.session_id) and _is_tcp(uri)


def _is_tcp(uri: MsrpUri) -> bool:
    return uri.transport.lower() == "tcp"


def _within(asked: int | None, least: int | None, most: int | None) -> int | None:
    """Return the interval nearest to the one that was asked for."""
    if least is not None and (asked is None or asked < least):
        asked = least
    if most is not None and (asked is None or asked > most):
        asked = most
    return asked


def _read_seconds(fields: dict[str, list[str]], name: str) -> int | None:
    """Read a number of seconds; what isn't one is passed over."""
    text = "".join(fields.get(name, []))
    if not (text.isascii() and text.isdigit()):
        return None
    if len(text.lstrip("0")) > _MAX_SECONDS_DIGITS:
        return int("9" * _MAX_SECONDS_DIGITS)
    return int(text)


def _read_fields(block: bytes) -> dict[str, list[str]]:
    """Split a header section; a field may be there twice, such as a challenge."""
    fields: dict[str, list[str]] = {}
    for line in block.decode().split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.lower(), []).append(value.strip(" \t"))
    return fields
