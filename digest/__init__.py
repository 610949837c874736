"""HTTP digest access authentication, for any protocol that has borrowed it.

A server sends a challenge, a client answers with a digest of its password and the
request (:rfc:`7616`).  SIP does so in ``WWW-Authenticate`` and ``Proxy-Authenticate``
(:rfc:`3261#section-22`, :rfc:`8760`), MSRP where a relay is asked for its services
(:rfc:`4976#section-5.1`).  Neither is known here: this package turns the text of
header fields into values and back, and decides.  Nothing in it does I/O, and what
depends on time is told the time.

:class:`DigestClient` knows who we are, :class:`DigestServer` who may come in.  The
header fields are :class:`Challenge`, :class:`Credentials` and
:class:`AuthenticationInfo`; :func:`response_digest` is the arithmetic.

The digests are MD5, SHA-256 and SHA-512/256 with their ``-sess`` variants, the
qualities of protection ``auth``, ``auth-int`` and, on the part of a client, none, as
in RFC 2069.  The scheme Basic isn't known and never will be: it sends the password.
"""

from __future__ import annotations

from digest.algorithm import Algorithm, Qop
from digest.challenge import MAX_CHALLENGES, Challenge, parse_challenges
from digest.client import Account, ClientLimits, DigestClient
from digest.credentials import AuthenticationInfo, Credentials
from digest.errors import DigestError
from digest.nonces import ServerLimits
from digest.request import ClientRequest, Proof, Refusal
from digest.response import ha1, response_digest
from digest.server import (
    Accounts,
    DigestServer,
    HashedPasswords,
    Outcome,
    Passwords,
    Verdict,
)

__all__ = [
    "MAX_CHALLENGES",
    "Account",
    "Accounts",
    "Algorithm",
    "AuthenticationInfo",
    "Challenge",
    "ClientLimits",
    "ClientRequest",
    "Credentials",
    "DigestClient",
    "DigestError",
    "DigestServer",
    "HashedPasswords",
    "Outcome",
    "Passwords",
    "Proof",
    "Qop",
    "Refusal",
    "ServerLimits",
    "Verdict",
    "ha1",
    "parse_challenges",
    "response_digest",
]
