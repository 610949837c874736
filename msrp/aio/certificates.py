"""Certificates: our own with their keys, and whom those of others name."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from msrp.errors import MsrpError
from msrp.negotiation import Fingerprint

__all__ = ["CertificateUnusable", "LocalCertificate", "is_address", "names_host"]

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

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
    key: _Key

    chain: tuple[x509.Certificate, ...] = ()
    """Those of the authorities between it and one that peers know; to be shown
    with it, where it isn't believed for its fingerprint."""

    @classmethod
    def self_signed(cls, name: str = "msrp") -> Self:
        """Make a new one, as good as any where fingerprints count.

        Args:
            name: What to call its owner; nobody checks it.
        """
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


def names_host(der: bytes, host: str) -> bool:
    """Tell whether a certificate is for this host.

    Only its subject alternative names count.  ``*`` may stand for the whole first
    label of a name, and for no more (:rfc:`9525#section-6.3`).

    Args:
        der: The certificate in DER.
        host: A name, or an IP address without brackets.
    """
    names = _alternative_names(der)
    if names is None:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        wanted = _labels(host)
        told = names.get_values_for_type(x509.DNSName)
        return any(_covers(_labels(name), wanted) for name in told)
    return address in names.get_values_for_type(x509.IPAddress)


def is_address(host: str) -> bool:
    """Tell whether this is no name, which is all that SNI is for (:rfc:`6066`)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == ""
    return True


def _alternative_names(der: bytes) -> x509.SubjectAlternativeName | None:
    try:
        extensions = x509.load_der_x509_certificate(der).extensions
        return extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (  # All that cryptography has been seen to say of damaged ones.
        TypeError,
        ValueError,
        x509.DuplicateExtension,
        x509.ExtensionNotFound,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ):
        return None


def _labels(name: str) -> list[str]:
    return name.lower().removesuffix(".").split(".")


def _covers(told: list[str], wanted: list[str]) -> bool:
    if told[0] == "*" and len(told) > 2:
        return told[1:] == wanted[1:] and wanted[0] != ""
    return told == wanted
