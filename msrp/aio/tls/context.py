"""TLS where certificates may be signed by nobody (:rfc:`8122`).

Two parties that have never met each make a certificate and put its hash into
their SDP.  Whoever answers the TLS connection must then *ask* the other for its
certificate and take any, only to compare the hash afterwards.  The ``ssl`` module
can't do that on the server's side: it asks only in order to check a chain, and
refuses what no authority has signed; nor can it choose the cipher suites of TLS 1.3.
OpenSSL itself can, through pyOpenSSL.  asyncio speaks TLS with nothing but the ``ssl``
module, so :class:`~msrp.aio.tls.transport.TlsTransport` stands in its place.

OpenSSL and what goes with it take a tenth of a second to import, so this module is
imported by whoever makes the first context, and by nobody who does without TLS.

Here it is only said what OpenSSL has to ask for and to refuse.  Whether a session is
for whoever has shown a certificate is judged by :mod:`msrp.aio.tls.policy`.
"""

from __future__ import annotations

import ssl
from pathlib import Path

from cryptography.x509 import load_der_x509_certificate
from OpenSSL import SSL, crypto

from msrp.aio.tls.certificates import CertificateUnusable, LocalCertificate, is_address
from msrp.aio.tls.connection import TlsConnection, words_of

__all__ = ["TlsContext"]

_AES_256_SUITES = b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
_AES_256_SUITES_OF_TLS_1_3 = b"TLS_AES_256_GCM_SHA384"

_PARTIAL_WRITE = 1
"""``SSL_MODE_ENABLE_PARTIAL_WRITE``, for which pyOpenSSL has no name."""

_CODES = SSL.X509VerificationCodes

_FAULTS = {
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT: "no authority that we know has signed it",
    _CODES.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: (
        "no authority that we know has signed it"
    ),
    _CODES.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: "it is signed by itself",
    _CODES.ERR_SELF_SIGNED_CERT_IN_CHAIN: "no authority that we know has signed it",
    _CODES.ERR_CERT_HAS_EXPIRED: "it has expired",
    _CODES.ERR_CERT_NOT_YET_VALID: "it is not valid yet",
    _CODES.ERR_INVALID_PURPOSE: "it is for another purpose",
}


class TlsContext:
    """TLS from version 1.2 on, where each side is asked for a certificate.

    Args:
        certificate: What to show; without one only a client can be had.
        verify: Whether the peer's certificate has to be signed by an authority.
            If not, any is taken, even none: whoever uses it must compare it with
            the peer's SDP before believing an octet, see
            :func:`msrp.aio.tls.wrapping.peer_certificate`.
        authorities: A PEM file of those; ``None`` for those the system knows.
        aes_256_only: Whether only suites with AES of 256 bits are allowed.

    Raises:
        CertificateUnusable: The certificate isn't good enough for TLS, or the file
            of the authorities can't be read.
    """

    __slots__ = ("_openssl",)

    def __init__(
        self,
        certificate: LocalCertificate | None,
        *,
        verify: bool = False,
        authorities: str | Path | None = None,
        aes_256_only: bool = False,
    ) -> None:
        self._openssl = context = _openssl_context(certificate)
        if verify:
            _trust(context, authorities)
            required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
            context.set_verify(required, _take_signed)
        if aes_256_only:
            context.set_cipher_list(_AES_256_SUITES)
            context.set_tls13_ciphersuites(_AES_256_SUITES_OF_TLS_1_3)

    def server(self) -> TlsConnection:
        """Return the TLS of a connection that the peer has opened."""
        connection = SSL.Connection(self._openssl, None)
        connection.set_accept_state()
        return TlsConnection(connection)

    def client(self, server_name: str = "") -> TlsConnection:
        """Return the TLS of a connection that we have opened.

        Args:
            server_name: Whom to: the server is told, unless it is an address.
        """
        connection = SSL.Connection(self._openssl, None)
        connection.set_connect_state()
        if not is_address(server_name):
            connection.set_tlsext_host_name(server_name.encode("ascii"))
        return TlsConnection(connection)


def _openssl_context(certificate: LocalCertificate | None) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    if certificate is not None:
        _show(context, certificate)
    # Ask for a certificate and take any, even none: what the session's SDP wants
    # is known only when the first request names the session.
    context.set_verify(SSL.VERIFY_PEER, _take_any)
    # A resumed connection would show no certificate.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    # Nor may a peer change its certificate, or whether there is one, later on.
    context.set_options(
        SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION
    )
    # Else each connection keeps 34 KiB for records, also while nothing comes or goes.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    # Else to write stops after each record, though memory never has too little room.
    context.clear_mode(_PARTIAL_WRITE)
    return context


def _show(context: SSL.Context, certificate: LocalCertificate) -> None:
    try:
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        for issuer in certificate.chain:
            context.add_extra_chain_cert(issuer)
    except SSL.Error as error:  # Such as for a key that is too short.
        raise CertificateUnusable("the certificate", words_of(error)) from error


def _trust(context: SSL.Context, authorities: str | Path | None) -> None:
    if authorities is not None:
        try:
            context.load_verify_locations(str(authorities))
        except SSL.Error as error:
            problem = "no PEM certificates of authorities"
            raise CertificateUnusable(str(authorities), problem) from error
        return
    # Where Python looks, which need not be where this OpenSSL would.
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        context.load_verify_locations(paths.cafile, paths.capath)
        return
    # A system that keeps them in no file, as Windows does.
    store = context.get_cert_store()
    assert store is not None, "a new context has one"
    for known in ssl.create_default_context().get_ca_certs(binary_form=True):
        store.add_cert(crypto.X509.from_cryptography(load_der_x509_certificate(known)))


def _take_any(
    connection: SSL.Connection, shown: crypto.X509, error: int, depth: int, ok: int
) -> bool:
    return True


def _take_signed(
    connection: SSL.Connection, shown: crypto.X509, error: int, depth: int, ok: int
) -> bool:
    if not ok:
        connection.set_app_data(_FAULTS.get(error, "its chain is not in order"))
    return bool(ok)
