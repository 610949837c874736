"""Certificates that nobody has signed, believed for their fingerprint (:rfc:`8122`).

Two parties that have never met each make a certificate and put its hash into
their SDP.  Whoever answers the TLS connection must then *ask* the other for its
certificate and take any, only to compare the hash afterwards.  The ``ssl`` module
can't do that on the server's side: it asks only in order to check a chain, and
refuses what no authority has signed.  OpenSSL itself can, through pyOpenSSL's
verify callback.  :class:`FingerprintContext` lends that to asyncio, which sees an
ordinary ``ssl.SSLContext``.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto

from msrp.errors import MsrpError
from msrp.negotiation import Fingerprint

__all__ = [
    "CertificateUnusable",
    "FingerprintContext",
    "LocalCertificate",
    "authority_context",
    "peer_certificate",
]

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_VALIDITY = datetime.timedelta(days=3650)
"""How long a self-made certificate is valid: the SDP vouches for it, no date does."""

_SKEW = datetime.timedelta(days=1)
"""How wrong the peer's clock may be."""

_RECORD = 16 * 1024
"""Octets of one TLS record; more is never returned by one read."""


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


class FingerprintContext(ssl.SSLContext):
    """TLS where each side shows a certificate and nobody looks who signed it.

    Whoever uses it must compare the peer's certificate with its SDP before
    believing an octet, see :func:`peer_certificate`.
    """

    _openssl: SSL.Context

    def __new__(cls, certificate: LocalCertificate) -> Self:
        """Make a context that shows this certificate.

        Raises:
            CertificateUnusable: It isn't good enough for TLS.
        """
        self = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        self._openssl = _openssl_context(certificate)
        return self

    def __init__(self, certificate: LocalCertificate) -> None:
        """Do nothing more: see :meth:`__new__`."""

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Return what asyncio moves octets through."""
        connection = SSL.Connection(self._openssl, None)
        if server_side:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
            if isinstance(server_hostname, str) and not _is_address(server_hostname):
                connection.set_tlsext_host_name(server_hostname.encode("ascii"))
        # An SSLObject can't be made from Python; asyncio asks only for its methods.
        return _TlsObject(self, connection, incoming, outgoing)  # type: ignore[return-value]


def peer_certificate(transport: asyncio.BaseTransport) -> bytes | None:
    """Return the certificate that the peer has shown, in DER; ``None`` if none."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    return None if tls is None else tls.getpeercert(binary_form=True)


def authority_context() -> ssl.SSLContext:
    """Return what checks a server's certificate by the system's authorities.

    For peers whose SDP has no fingerprint (:rfc:`4975#section-14.1`).
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _openssl_context(certificate: LocalCertificate) -> SSL.Context:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    try:
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        for issuer in certificate.chain:
            context.add_extra_chain_cert(issuer)
    except SSL.Error as error:  # Such as for a key that is too short.
        raise CertificateUnusable("the certificate", _words(error)) from error
    # Ask for a certificate and take any, even none: what the session's SDP wants
    # is known only when the first request names the session.
    context.set_verify(SSL.VERIFY_PEER, _take_any)
    # A resumed connection would show no certificate.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
    return context


def _take_any(
    connection: SSL.Connection, shown: crypto.X509, error: int, depth: int, ok: int
) -> bool:
    return True


class _TlsObject:
    """The methods of ``ssl.SSLObject`` that asyncio calls, on pyOpenSSL."""

    __slots__ = ("_connection", "_incoming", "_outgoing", "context")

    def __init__(
        self,
        context: FingerprintContext,
        connection: SSL.Connection,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
    ) -> None:
        self.context = context
        self._connection = connection
        self._incoming = incoming
        self._outgoing = outgoing

    def do_handshake(self) -> None:
        with self._translated():
            self._connection.do_handshake()

    def read(self, size: int, buffer: memoryview | None = None) -> bytes | int:
        try:
            with self._translated():
                data = self._connection.recv(min(size, _RECORD))
        except ssl.SSLZeroReturnError:
            data = b""
        if buffer is None:
            return data
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: bytes | memoryview) -> int:
        with self._translated():
            return self._connection.send(data)

    def unwrap(self) -> None:
        with self._translated():
            if not self._connection.shutdown():
                raise SSL.WantReadError

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, str] | None:
        if not binary_form:
            return {}  # As the ssl module does for a certificate it didn't check.
        shown = self._connection.get_peer_certificate(as_cryptography=True)
        if shown is None:
            return None
        return shown.public_bytes(serialization.Encoding.DER)

    def cipher(self) -> tuple[str | None, str | None, int | None]:
        connection = self._connection
        return (
            connection.get_cipher_name(),
            connection.get_cipher_version(),
            connection.get_cipher_bits(),
        )

    def version(self) -> str:
        return self._connection.get_protocol_version_name()

    def compression(self) -> None:
        return None

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Move octets in before and out after, and speak the ssl module's errors."""
        while self._incoming.pending:
            data = self._incoming.read(_RECORD)
            while data:
                data = data[self._connection.bio_write(data) :]
        try:
            yield
        except SSL.WantReadError:
            raise ssl.SSLWantReadError(ssl.SSL_ERROR_WANT_READ, "want read") from None
        except SSL.ZeroReturnError:
            raise ssl.SSLZeroReturnError(ssl.SSL_ERROR_ZERO_RETURN, "closed") from None
        except SSL.SysCallError as error:
            raise ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "closed in disorder") from error
        except SSL.Error as error:
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, _words(error)) from error
        finally:
            self._move_out()

    def _move_out(self) -> None:
        while True:
            try:
                self._outgoing.write(self._connection.bio_read(4 * _RECORD))
            except SSL.WantReadError:
                return


def _is_address(host: str) -> bool:
    """Tell whether this is no name, which is all that SNI is for (:rfc:`6066`)."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == ""
    return True


def _words(error: SSL.Error) -> str:
    """Say what OpenSSL says: a list of (library, function, reason)."""
    reasons = error.args[0] if error.args else []
    if isinstance(reasons, list) and reasons:
        return str(reasons[-1][-1])
    return "TLS failed"
