"""The arithmetic of the scheme (:rfc:`7616#section-3.4.1`).

Everything is hashed as UTF-8; octets of a peer that aren't are hashed as they are.
"""

from __future__ import annotations

from digest.algorithm import Algorithm, Qop

__all__ = ["MAX_NONCE_COUNT", "format_count", "ha1", "response_digest", "user_hash"]

MAX_NONCE_COUNT = 0xFFFFFFFF
"""The last nonce count that eight digits can write."""


def ha1(algorithm: Algorithm, username: str, realm: str, password: str) -> str:
    """Return H(user:realm:password), which a server may keep for the password.

    It is the same for an algorithm and its ``-sess`` variant.
    """
    return _hash(algorithm, username, realm, password)


def user_hash(algorithm: Algorithm, username: str, realm: str) -> str:
    """Return what stands for a user who isn't to be named (section 3.4.4)."""
    return _hash(algorithm, username, realm)


def response_digest(
    algorithm: Algorithm,
    secret: str,
    *,
    method: str,
    uri: str,
    nonce: str,
    qop: Qop | None = None,
    count: int = 1,
    cnonce: str = "",
    body: bytes = b"",
) -> str:
    """Compute ``response``, or with an empty method ``rspauth``.

    Args:
        algorithm: The algorithm of the challenge.
        secret: What :func:`ha1` returns.
        method: The method of the request, as it was sent.
        uri: The URI of the request, as it was sent.
        nonce: The server's nonce.
        qop: ``None`` for the form without it of RFC 2069.
        count: How many requests have used the nonce, with this one.
        cnonce: The client's nonce.
        body: What is hashed with :attr:`Qop.AUTH_INT`.
    """
    if algorithm.is_session:
        secret = _hash(algorithm, secret, nonce, cnonce)
    if qop is Qop.AUTH_INT:
        request = _hash(algorithm, method, uri, algorithm.hash(body))
    else:
        request = _hash(algorithm, method, uri)
    if qop is None:
        return _hash(algorithm, secret, nonce, request)
    middle = (nonce, format_count(count), cnonce, qop.value)
    return _hash(algorithm, secret, *middle, request)


def format_count(count: int) -> str:
    """Write a nonce count: eight hexadecimal digits."""
    return f"{count:08x}"


def _hash(algorithm: Algorithm, *parts: str) -> str:
    return algorithm.hash(":".join(parts).encode("utf-8", "surrogateescape"))
