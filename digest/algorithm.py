"""Hash algorithms and qualities of protection (:rfc:`7616`, :rfc:`8760`)."""

from __future__ import annotations

import enum
import hashlib

from digest.errors import DigestError

__all__ = ["Algorithm", "Qop", "parse_algorithm"]


class Algorithm(enum.Enum):
    """A value of the parameter ``algorithm``.

    Those that end in ``-sess`` hash user, realm and password together with the
    nonces, so that whoever verifies need not know the hash of the password itself.
    """

    MD5 = "MD5"
    MD5_SESS = "MD5-sess"
    SHA_256 = "SHA-256"
    SHA_256_SESS = "SHA-256-sess"
    SHA_512_256 = "SHA-512-256"
    SHA_512_256_SESS = "SHA-512-256-sess"

    @property
    def is_session(self) -> bool:
        """Whether it is one of the ``-sess`` variants."""
        return self.value.endswith("-sess")

    @property
    def plain(self) -> Algorithm:
        """The same algorithm without ``-sess``."""
        return Algorithm(self.value.removesuffix("-sess"))

    @property
    def is_available(self) -> bool:
        """Whether this Python can compute it.

        SHA-512/256 comes from OpenSSL, and there may be policies against MD5.
        """
        try:
            self.hash(b"")
        except ValueError:
            return False
        return True

    def hash(self, data: bytes) -> str:
        """Return H(data): 32 lower-case hexadecimal digits for MD5, otherwise 64."""
        name = _HASHES[self.plain.value]
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()


# SHA-512/256 is not SHA-512 cut short, as the example in RFC 7616 §3.9.2 has it: it
# starts from other constants (FIPS 180-4).
_HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}

_BY_NAME = {algorithm.value.lower(): algorithm for algorithm in Algorithm}


def parse_algorithm(name: str) -> Algorithm:
    """Find an algorithm by its name, in any case.

    Raises:
        DigestError: There is none of this name, or it isn't available here.
    """
    algorithm = _BY_NAME.get(name.lower())
    if algorithm is None or not algorithm.is_available:
        raise DigestError("the algorithm isn't known")
    return algorithm


class Qop(enum.Enum):
    """Quality of protection: what the digest covers (:rfc:`7616#section-3.3`)."""

    AUTH = "auth"
    """Method and URI."""

    AUTH_INT = "auth-int"
    """The body too."""
