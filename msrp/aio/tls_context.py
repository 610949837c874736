"""TLS where certificates may be signed by nobody (:rfc:`8122`).

Two parties that have never met each make a certificate and put its hash into
their SDP.  Whoever answers the TLS connection must then *ask* the other for its
certificate and take any, only to compare the hash afterwards.  The ``ssl`` module
can't do that on the server's side: it asks only in order to check a chain, and
refuses what no authority has signed; nor can it choose the cipher suites of TLS 1.3.
OpenSSL itself can, through pyOpenSSL.  :class:`TlsContext` lends that to asyncio,
which sees an ordinary ``ssl.SSLContext``.

OpenSSL and what goes with it take a tenth of a second to import, so this module is
imported by whoever makes the first context, and by nobody who does without TLS.

Here it is only said what OpenSSL has to ask for and to refuse.  Whether a session is
for whoever has shown a certificate is judged by :mod:`msrp.aio.tls_policy`.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

from cryptography.x509 import load_der_x509_certificate
from OpenSSL import SSL, crypto

from msrp.aio.certificates import CertificateUnusable, LocalCertificate, is_address

__all__ = ["TlsContext"]

_RECORD = 16 * 1024
"""Octets of one TLS record; more is never returned by one read."""

_MOVED = 512 * 1024
"""Octets to take from OpenSSL at a time: room for all that is written at one go."""

_AES_256_SUITES = b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
_AES_256_SUITES_OF_TLS_1_3 = b"TLS_AES_256_GCM_SHA384"

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


class TlsContext(ssl.SSLContext):
    """TLS from version 1.2 on, where each side is asked for a certificate.

    Args:
        certificate: What to show; without one only a client can be had.
        verify: Whether the peer's certificate has to be signed by an authority.
            If not, any is taken, even none: whoever uses it must compare it with
            the peer's SDP before believing an octet, see
            :func:`msrp.aio.tls.peer_certificate`.
        authorities: A PEM file of those; ``None`` for those the system knows.
        aes_256_only: Whether only suites with AES of 256 bits are allowed.

    Raises:
        CertificateUnusable: The certificate isn't good enough for TLS, or the file
            of the authorities can't be read.
    """

    _openssl: SSL.Context

    def __new__(
        cls,
        certificate: LocalCertificate | None,
        *,
        verify: bool = False,
        authorities: str | Path | None = None,
        aes_256_only: bool = False,
    ) -> Self:
        """Make the context: ``ssl.SSLContext`` takes no arguments of ours."""
        self = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        self._openssl = context = _openssl_context(certificate)
        if verify:
            _trust(context, authorities)
            required = SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
            context.set_verify(required, _take_signed)
        if aes_256_only:
            context.set_cipher_list(_AES_256_SUITES)
            context.set_tls13_ciphersuites(_AES_256_SUITES_OF_TLS_1_3)
        return self

    def __init__(
        self,
        certificate: LocalCertificate | None,
        *,
        verify: bool = False,
        authorities: str | Path | None = None,
        aes_256_only: bool = False,
    ) -> None:
        """Do nothing more: see :meth:`__new__`."""

    def sending_alerts(
        self, send: Callable[[bytes], object], early: bytes = b""
    ) -> ssl.SSLContext:
        """Return the same for one connection, whose peer hears why it is refused.

        asyncio closes a connection when the handshake fails, without writing the
        alert that says so.

        Args:
            send: Writes octets to the connection at once.
            early: What of the handshake has been read already.
        """
        return _OneConnection(self, send, early)  # type: ignore[return-value]

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        """Return what asyncio moves octets through."""
        return self.wrap(incoming, outgoing, server_side, server_hostname, None)

    def wrap(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool,
        server_hostname: str | bytes | None,
        send: Callable[[bytes], object] | None,
    ) -> ssl.SSLObject:
        """Do what :meth:`wrap_bio` does, for a connection that alerts can be sent on.

        Args:
            incoming: Octets from the peer.
            outgoing: Octets to the peer.
            server_side: Whether the peer has opened the connection.
            server_hostname: Whom we have connected to, if we have opened it.
            send: As for :meth:`sending_alerts`.
        """
        connection = SSL.Connection(self._openssl, None)
        if server_side:
            connection.set_accept_state()
        else:
            connection.set_connect_state()
            if isinstance(server_hostname, str) and not is_address(server_hostname):
                connection.set_tlsext_host_name(server_hostname.encode("ascii"))
        # An SSLObject can't be made from Python; asyncio asks only for its methods.
        return _TlsObject(self, connection, incoming, outgoing, send)  # type: ignore[return-value]


class _OneConnection:
    """A :class:`TlsContext` as asyncio sees it, for one connection.

    It is no ``ssl.SSLContext``, for each of those brings a context of OpenSSL along,
    of 25 KiB, whether it is used or not; it only says that it is one.
    """

    __slots__ = ("_context", "_early", "_send")

    def __init__(
        self, context: TlsContext, send: Callable[[bytes], object], early: bytes
    ) -> None:
        self._context = context
        self._send = send
        self._early = early

    __class__ = property(lambda self: TlsContext)

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        incoming.write(self._early)
        self._early = b""
        return self._context.wrap(
            incoming, outgoing, server_side, server_hostname, self._send
        )


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
    context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
    # Else each connection keeps 34 KiB for records, also while nothing comes or goes.
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)
    return context


def _show(context: SSL.Context, certificate: LocalCertificate) -> None:
    try:
        context.use_certificate(certificate.certificate)
        context.use_privatekey(certificate.key)
        for issuer in certificate.chain:
            context.add_extra_chain_cert(issuer)
    except SSL.Error as error:  # Such as for a key that is too short.
        raise CertificateUnusable("the certificate", _words(error)) from error


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


class _TlsObject:
    """The methods of ``ssl.SSLObject`` that asyncio calls, on pyOpenSSL."""

    __slots__ = (
        "_connection",
        "_error",
        "_incoming",
        "_may_hold_more",
        "_outgoing",
        "_send",
        "context",
    )

    def __init__(
        self,
        context: TlsContext,
        connection: SSL.Connection,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        send: Callable[[bytes], object] | None,
    ) -> None:
        self.context = context
        self._send = send
        self._connection = connection
        self._incoming = incoming
        self._outgoing = outgoing
        # Octets that OpenSSL has taken in and not deciphered are counted by nobody.
        self._may_hold_more = False
        self._error: SSL.Error | None = None

    def do_handshake(self) -> None:
        try:
            with self._translated():
                self._connection.do_handshake()
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError:
            self._send_alert()
            raise
        self._send = None

    def _send_alert(self) -> None:
        """Write the last octets of a connection, if it is still there."""
        if self._send is not None and self._outgoing.pending:
            with contextlib.suppress(OSError):
                self._send(self._outgoing.read())

    def read(self, size: int, buffer: memoryview | None = None) -> bytes | int:
        try:
            with self._translated():
                records = self._read_records(size)
        except ssl.SSLZeroReturnError:
            records = []
        except ssl.SSLWantReadError:
            self._may_hold_more = False
            raise
        if buffer is None:
            return b"".join(records)
        at = 0
        for record in records:
            buffer[at : at + len(record)] = record
            at += len(record)
        return at

    def _read_records(self, size: int) -> list[bytes]:
        """Read what there is of several records: to be asked for each costs more."""
        records: list[bytes] = []
        try:
            if self._error is not None:
                raise self._error
            while size > 0:
                records.append(self._connection.recv(min(size, _RECORD)))
                size -= len(records[-1])
        except SSL.Error as error:
            if not records:
                raise
            if isinstance(error, SSL.WantReadError):
                self._may_hold_more = False
            else:
                self._error = error  # What came before it comes first.
        return records

    def write(self, data: bytes | memoryview) -> int:
        with self._translated():
            # All of it: asyncio would copy what is left after each record.
            self._connection.sendall(data)
            return len(data)

    def pending(self) -> int:
        """Tell whether there may be more to read; uvloop asks, asyncio just reads."""
        return int(self._may_hold_more)

    def unwrap(self) -> None:
        with self._translated():
            if not self._connection.shutdown():
                raise SSL.WantReadError

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, str] | None:
        if not binary_form:
            return {}  # As the ssl module does for a certificate it didn't check.
        shown = self._connection.get_peer_certificate()
        if shown is None:
            return None
        # Not through cryptography, which can't read all that OpenSSL takes.
        return crypto.dump_certificate(crypto.FILETYPE_ASN1, shown)

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
            self._may_hold_more = True
            data = self._incoming.read()
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
            fault: str | None = self._connection.get_app_data()
            if fault is not None:
                raise _not_believed(fault) from error
            raise ssl.SSLError(ssl.SSL_ERROR_SSL, _words(error)) from error
        finally:
            self._move_out()

    def _move_out(self) -> None:
        while True:
            try:
                self._outgoing.write(self._connection.bio_read(_MOVED))
            except SSL.WantReadError:
                return


def _words(error: SSL.Error) -> str:
    """Say what OpenSSL says: a list of (library, function, reason)."""
    reasons = error.args[0] if error.args else []
    if isinstance(reasons, list) and reasons:
        return str(reasons[-1][-1])
    return "TLS failed"


def _not_believed(fault: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(
        ssl.SSL_ERROR_SSL, f"the peer's certificate is not believed: {fault}"
    )
    error.verify_message = error.strerror or ""
    return error
