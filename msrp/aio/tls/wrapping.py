"""What the rest of the shell asks and says of TLS.

The work is done by :mod:`msrp.aio.tls.context`; here is what needs no OpenSSL.
"""

from __future__ import annotations

import asyncio
import ssl

__all__ = ["HANDSHAKE_TIME", "peer_certificate", "tls_words"]

HANDSHAKE_TIME = 15.0
"""Seconds that a TLS handshake may take, on either side."""

_NO_VERSION = "the peer and we have no version of TLS in common; ours are 1.2 and later"
_NO_SUITE = "the peer and we have no cipher suite in common"

_NO_BELIEF = "the peer does not believe our certificate"

_MEANINGS = {
    "unsupported protocol": _NO_VERSION,
    "no shared cipher": _NO_SUITE,
    "peer did not return a certificate": "the peer shows no certificate",
    # Of alerts from the peer, what stands behind the word "alert".
    "protocol version": _NO_VERSION,
    "handshake failure": _NO_SUITE,  # It has other causes too, that are rare.
    "bad certificate": _NO_BELIEF,
    "unknown ca": _NO_BELIEF,
    "certificate expired": _NO_BELIEF,
    "certificate unknown": _NO_BELIEF,
    "certificate required": "the peer wants a certificate from us",
}
"""What OpenSSL says, in words for those who don't know it."""


def peer_certificate(transport: asyncio.BaseTransport) -> bytes | None:
    """Return the certificate that the peer has shown, in DER; ``None`` if none."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)


def tls_words(error: OSError) -> str:
    """Put into words why there is no TLS, or no more."""
    # The ssl module alone sets a reason, such as WRONG_VERSION_NUMBER.
    reason: str | None = getattr(error, "reason", None)
    words = reason.replace("_", " ").lower() if reason else error.strerror or ""
    meaning = _MEANINGS.get(words.rpartition(" alert ")[2])
    return meaning or words or str(error) or "not TLS?"
