"""Our own certificates, with their keys.

What reads and makes them takes a tenth of a second to import, which nobody needs who
does without TLS: each function imports what it uses.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msrp.errors import MsrpError
from msrp.negotiation import Fingerprint

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

__all__ = ["CertificateUnusable", "LocalCertificate", "is_address"]

_VALIDITY = datetime.timedelta(days=3650)
"""How long a self-made certificate is valid: the SDP vouches for it, no date does."""

_SKEW = datetime.timedelta(days=1)
"""How wrong the peer's clock may be."""


class CertificateUnusable(MsrpError, ValueError):
    """A certificate or key that was given can't be used.

    Attributes:
        path: The file in question, or what it is about.
        problem: What is wrong with it.
    """

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(path, problem)
        self.path = path
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


@dataclass(frozen=True, slots=True)
class LocalCertificate:
    """A certificate of ours, with its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

    chain: tuple[x509.Certificate, ...] = ()
    """Those of the authorities between it and one that peers know; to be shown
    with it, where it isn't believed for its fingerprint."""

    @classmethod
    def self_signed(cls, name: str = "msrp") -> Self:
        """Make a new one, as good as any where fingerprints count.

        Args:
            name: What to call its owner; nobody checks it.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _SKEW)
            .not_valid_after(now + _VALIDITY)
        )
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate: str | Path, key: str | Path | None = None) -> Self:
        """Read one from PEM files; without ``key`` both are in the first.

        Args:
            certificate: The file of the certificate; those of intermediate
                authorities may follow.
            key: The file of its private key.

        Raises:
            CertificateUnusable: A file is missing or holds something else, or the
                two don't belong together.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec, rsa

        key = key or certificate
        shown, secret = _read(certificate), _read(key)
        try:
            loaded, *chain = x509.load_pem_x509_certificates(shown)
        except ValueError:
            raise CertificateUnusable(str(certificate), "no PEM certificate") from None
        try:
            private = serialization.load_pem_private_key(secret, None)
        except (ValueError, TypeError):
            problem = "no PEM private key without a password"
            raise CertificateUnusable(str(key), problem) from None
        if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            raise CertificateUnusable(str(key), "the key is neither EC nor RSA")
        if private.public_key() != loaded.public_key():
            raise CertificateUnusable(str(key), "the key is not the certificate's")
        return cls(loaded, private, tuple(chain))

    @property
    def der(self) -> bytes:
        """The certificate as it goes over the wire."""
        from cryptography.hazmat.primitives import serialization

        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> Fingerprint:
        """What to put into the SDP."""
        return Fingerprint.of_certificate(self.der)


def _read(path: str | Path) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CertificateUnusable(str(path), error.strerror or "unreadable") from error


def is_address(host: str) -> bool:
    """Tell whether this is no name, which is all that SNI is for (:rfc:`6066`)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == ""
    return True
