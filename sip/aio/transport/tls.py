"""What is asked of TLS, and of the certificate at the other end (:rfc:`5922`).

OpenSSL compares names as HTTP wants it, with asterisks and without URIs, so the
contexts made here leave the comparison to us.  A context of the application's own is
asked for no less: whatever it checks itself, the certificate must show the domain
that was asked for, unless the context verifies no certificate at all.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from sip.domain_certificates import shows_domain, sip_identities
from sip.errors import LocalError

__all__ = [
    "check_certificate",
    "check_context",
    "identities_of",
    "tls_client_context",
    "tls_server_context",
]

_HOSTNAME_MISMATCH = 62  # From <openssl/x509_vfy.h>.


def tls_client_context(
    *,
    authorities: str | Path | None = None,
    certificate: str | Path | None = None,
    key: str | Path | None = None,
) -> ssl.SSLContext:
    """Make a context to connect with, for :class:`~sip.UserAgent`.

    Args:
        authorities: A file with the certificates of those whom to believe; by
            default those that the system believes.
        certificate: A file with our certificate, for servers that want to know who
            calls, followed by those of the authorities between.
        key: The file with its key, if that isn't in the same.

    Raises:
        OSError: A file can't be read, or is no such file.
    """
    context = ssl.create_default_context(
        cafile=None if authorities is None else str(authorities)
    )
    context.check_hostname = False  # We do: see above.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if certificate is not None:
        context.load_cert_chain(certificate, key)
    return context


def tls_server_context(
    certificate: str | Path,
    key: str | Path | None = None,
    *,
    authorities: str | Path | None = None,
) -> ssl.SSLContext:
    """Make a context to listen with, for :class:`~sip.UserAgent`.

    Args:
        certificate: A file with our certificate, followed by those of the
            authorities between.
        key: The file with its key, if that isn't in the same.
        authorities: A file with the certificates of those whom to believe about
            clients.  Then a client has to show a certificate.

    Raises:
        OSError: A file can't be read, or is no such file.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate, key)
    if authorities is not None:
        context.load_verify_locations(str(authorities))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def check_context(context: ssl.SSLContext | None) -> None:
    """Refuse a context that takes less than TLS 1.2.

    Raises:
        LocalError: It does.
    """
    if context is not None and context.minimum_version < ssl.TLSVersion.TLSv1_2:
        raise LocalError(
            "a TLS context for SIP has to refuse all before TLS 1.2:"
            " set its minimum_version to ssl.TLSVersion.TLSv1_2"
        )


def identities_of(transport: asyncio.BaseTransport) -> frozenset[str]:
    """Give the identities that the peer has proved to have; none if none."""
    certificate = transport.get_extra_info("peercert")
    if not certificate:  # Empty if there is one that nobody has verified.
        return frozenset()
    return sip_identities(certificate.get("subjectAltName", ()))


def check_certificate(
    transport: asyncio.BaseTransport, identities: frozenset[str], domain: str
) -> ssl.SSLCertVerificationError | None:
    """Say what is wrong with the certificate of a server that we connected to.

    Args:
        transport: The connection.
        identities: What :func:`identities_of` says of it.
        domain: The domain that was asked for.
    """
    context = transport.get_extra_info("sslcontext")
    if context is None or context.verify_mode == ssl.CERT_NONE:
        return None  # As the application wants it.
    if shows_domain(identities, domain):
        return None
    error = ssl.SSLCertVerificationError("the certificate is for another name")
    error.verify_code = _HOSTNAME_MISMATCH
    error.verify_message = "Hostname mismatch"
    return error
