"""Whom a certificate names.

Only where the signature of an authority counts: fingerprints are compared without
reading a certificate.
"""

from __future__ import annotations

import ipaddress

from cryptography import x509

__all__ = ["names_host"]


def names_host(der: bytes, host: str, *, exactly: bool = False) -> bool:
    """Tell whether a certificate is for this host.

    Only its subject alternative names count.  ``*`` may stand for the whole first
    label of a name, and for no more (:rfc:`9525#section-6.3`).

    Args:
        der: The certificate in DER.
        host: A name, or an IP address without brackets.
        exactly: Whether ``*`` stands for nothing (:rfc:`8122#section-6.1`).
    """
    names = _alternative_names(der)
    if names is None:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        wanted = _labels(host)
        told = names.get_values_for_type(x509.DNSName)
        covers = list.__eq__ if exactly else _covers
        return any(covers(_labels(name), wanted) for name in told)
    return address in names.get_values_for_type(x509.IPAddress)


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
