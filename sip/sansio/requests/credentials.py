"""Who we are, where others ask (:rfc:`3261#section-22`, :rfc:`8760`).

A :class:`digest.DigestClient` knows the accounts and what servers have said.  What
is learnt in one dialog, or in one series of registrations, is used in it and nowhere
else: its Call-ID is the scope.
"""

from __future__ import annotations

import contextlib

import digest
from sip.errors import SipParseError
from sip.message import Request, Response

__all__ = [
    "challenged",
    "confirm",
    "forget_server",
    "with_credentials",
    "with_credentials_of",
]

_FIELDS = ("Authorization", "Proxy-Authorization")

_CHALLENGES = {
    "Authorization": "WWW-Authenticate",
    "Proxy-Authorization": "Proxy-Authenticate",
}

_CONFIRMATIONS = {
    "Authorization": "Authentication-Info",
    "Proxy-Authorization": "Proxy-Authentication-Info",
}


def with_credentials(request: Request, asked: digest.ClientRequest) -> Request:
    """Return a request with the credentials that are due, if any are."""
    if not asked.credentials:
        return request
    request = request.copy()
    for name in _FIELDS:
        request.headers.remove(name)
    for name, credentials in asked.credentials:
        request.headers.add(name, str(credentials))
    return request


def with_credentials_of(request: Request, other: Request) -> Request:
    """Return a request with the credentials of another, as an ACK needs them."""
    request = request.copy()
    for name in _FIELDS:
        request.headers.copy_fields(other.headers, name)
    return request


def forget_server(
    client: digest.DigestClient | None, request: Request, *, proxies: bool
) -> Request:
    """Return a request without what was for a server that it no longer goes to.

    Args:
        client: What remembers servers; those of this request's scope are forgotten.
        request: The request.
        proxies: Whether the proxies are other ones too.
    """
    gone = _FIELDS if proxies else _FIELDS[:1]
    request = request.copy()
    for name in gone:
        request.headers.remove(name)
    if client is not None:
        spaces = client.spaces
        for key, _ in list(spaces.within(request.call_id)):
            if key.field_name in gone:
                spaces.drop(key)
    return request


def challenged(
    asked: digest.ClientRequest, response: Response
) -> digest.Refusal | None:
    """Take in a 401 or 407; tell why it can't be answered, if it can't."""
    return asked.challenged(
        {
            name: response.headers.get_all(challenge)
            for name, challenge in _CHALLENGES.items()
        }
    )


def confirm(asked: digest.ClientRequest, response: Response) -> None:
    """Take in what a 2xx says about the credentials: the nonce for the next ones."""
    for name, confirmation in _CONFIRMATIONS.items():
        value = response.headers.get(confirmation)
        if value is not None:
            with contextlib.suppress(digest.DigestError, SipParseError):
                info = digest.AuthenticationInfo.parse(value)
                asked.confirmed(name, info, response.body)
