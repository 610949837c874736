"""Which certificates a peer vouches for (:rfc:`8122`).

A call's ends mostly have self-signed certificates.  Each says in its description
what the hash of its own one is, and the other accepts no other; so that the media
is as safe as the way the description took.  This has a module to itself since a
mistake here is a hole: read it whole.
"""

from __future__ import annotations

import dataclasses
import hashlib
import string
from collections.abc import Iterable
from typing import Self

from sdp.description import MediaDescription, SessionDescription
from sdp.errors import SdpError
from sdp.grammar import is_token

__all__ = ["Fingerprint", "certificate_matches", "fingerprints_of"]

# The most preferred first.  RFC 8122 §5 prefers SHA-256, whatever else there is.
_HASH_FUNCTIONS = {
    "sha-256": "sha256",
    "sha-512": "sha512",
    "sha-384": "sha384",
    "sha-224": "sha224",
    "sha-1": "sha1",
}
_DIGEST_SIZES = {
    **{name: hashlib.new(alias).digest_size for name, alias in _HASH_FUNCTIONS.items()},
    # To be recognised, never to be used (RFC 8122 §5).
    "md5": 16,
    "md2": 16,
}
_HEX = frozenset(string.hexdigits)


@dataclasses.dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a certificate (:rfc:`8122#section-5`).

    Raises:
        SdpError: The digest hasn't the length that the hash function gives, or
            the hash function's name isn't a token in lower case.
    """

    hash_func: str
    """Such as ``sha-256``, in lower case.  ``md5``, ``md2`` and names unknown can
    be held, but nothing is ever compared with them."""

    digest: bytes

    def __post_init__(self) -> None:
        if not is_token(self.hash_func) or self.hash_func != self.hash_func.lower():
            raise SdpError("the hash function is not a token in lower case")
        if len(self.digest) != _DIGEST_SIZES.get(self.hash_func, len(self.digest) or 1):
            raise SdpError("the fingerprint has a wrong length")

    @classmethod
    def parse(cls, value: str) -> Self:
        """Read the value of ``a=fingerprint``.

        Hexadecimal digits in lower case are taken too.

        Raises:
            SdpError: It isn't a name and pairs of hexadecimal digits, or there
                are too many or too few of them.
        """
        name, _, digits = value.strip(" ").partition(" ")
        pairs = digits.split(":")
        if not all(len(pair) == 2 and _HEX.issuperset(pair) for pair in pairs):
            raise SdpError("the fingerprint is not made of pairs of hexadecimal digits")
        return cls(name.lower(), bytes.fromhex("".join(pairs)))

    @classmethod
    def of_certificate(cls, der: bytes, hash_func: str = "sha-256") -> Self:
        """Compute the fingerprint of a certificate.

        Args:
            der: The certificate in DER.
            hash_func: ``sha-256``, ``sha-512``, ``sha-384``, ``sha-224`` or
                ``sha-1``.

        Raises:
            SdpError: The hash function is unknown, or one of those that must
                not be used.
        """
        name = hash_func.lower()
        if name not in _HASH_FUNCTIONS:
            raise SdpError("fingerprints aren't made with this hash function")
        return cls(name, hashlib.new(_HASH_FUNCTIONS[name], der).digest())

    def __str__(self) -> str:
        return f"{self.hash_func} {self.digest.hex(':').upper()}"


def fingerprints_of(
    media: MediaDescription, session: SessionDescription | None = None
) -> tuple[Fingerprint, ...]:
    """Read the fingerprints that hold for a stream, in their order.

    Args:
        media: The section.
        session: The session it is in; its fingerprints hold if the section has
            none.  Not needed for a section that
            :meth:`SessionDescription.effective_media` gave.

    Returns:
        All of them, of weak and unknown hash functions too, so that an empty
        tuple means that the peer has vouched for no certificate at all.

    Raises:
        SdpError: One is malformed.  Skipping it could pass for having none.
    """
    values = media.all("fingerprint")
    if not values and session is not None:
        values = session.all("fingerprint")
    return tuple(map(Fingerprint.parse, values))


def certificate_matches(fingerprints: Iterable[Fingerprint], der: bytes) -> bool:
    """Tell whether a certificate is one that the peer has vouched for.

    Only the fingerprints of the best hash function among them count, and those
    of MD5 and MD2 never do (:rfc:`8122#section-5.1`).

    Args:
        fingerprints: What the peer's description says.
        der: The certificate that the peer presents, in DER.

    Returns:
        False if no fingerprint can be compared with; then, as for any other
        mismatch, there must be no connection.
    """
    by_function: dict[str, set[bytes]] = {}
    for fingerprint in fingerprints:
        digests = by_function.setdefault(fingerprint.hash_func, set())
        digests.add(fingerprint.digest)
    for name, alias in _HASH_FUNCTIONS.items():
        if name in by_function:
            return hashlib.new(alias, der).digest() in by_function[name]
    return False
