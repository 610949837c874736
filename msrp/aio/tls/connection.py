"""One TLS connection as OpenSSL keeps it: octets in and octets out, and no socket.

What goes wrong is told in the errors of the ``ssl`` module, which are those that the
rest of the shell knows.
"""

from __future__ import annotations

import ssl
from typing import Protocol

from OpenSSL import SSL, crypto

from msrp.aio.streams.read_buffer import ReadBuffer
from msrp.aio.tls import direct, promised
from msrp.aio.tls.promised import Octets

__all__ = ["TlsConnection", "words_of"]


class _Way(Protocol):
    """A module with the functions that :mod:`msrp.aio.tls.promised` describes."""

    def decipher(
        self, connection: SSL.Connection, data: memoryview, room: bytearray
    ) -> tuple[bytes, SSL.Error | None]: ...

    def encipher(self, connection: SSL.Connection, data: bytes) -> Octets: ...


way: _Way = direct if direct.is_possible() else promised
"""The one that is used."""


class TlsConnection:
    """The TLS of one connection.

    Args:
        connection: With the role that it has; :class:`msrp.aio.tls.context.TlsContext`
            makes it.
    """

    __slots__ = ("_connection", "answers", "ended", "error")

    def __init__(self, connection: SSL.Connection) -> None:
        self._connection = connection
        self.answers = False
        """Whether what is read may have TLS itself say something: before version 1.3,
        each time that a peer wants another handshake, that there won't be any."""
        self.ended = False
        """Whether the peer has said that nothing more will come."""
        self.error: ssl.SSLError | None = None
        """Why nothing more can be read."""

    def do_handshake(self) -> bool:
        """Go on with the handshake; tell whether it is done.

        Raises:
            ssl.SSLError: It has failed; what there is to send says so to the peer.
        """
        try:
            self._connection.do_handshake()
        except SSL.WantReadError:
            return False
        except SSL.Error as error:
            raise self._translated(error) from error
        self.answers = self.version() != "TLSv1.3"
        return True

    def take(self, data: memoryview) -> None:
        """Take octets from the wire, which are for the handshake as far as we know."""
        promised.take(self._connection, data)

    def read(self, buffer: ReadBuffer, size: int) -> bytes:
        """Take octets from the wire, and return what the peer says.

        Of what is damaged nothing is returned, but :attr:`error` is set.

        Args:
            buffer: Where they are; it is used up.
            size: How many there are, maybe none.
        """
        data = buffer.octets[:size]
        said, end = way.decipher(self._connection, data, buffer.whole)
        if isinstance(end, SSL.ZeroReturnError):
            self.ended = True
        elif end is not None:
            self.error = self._translated(end)
        return said

    def write(self, data: bytes) -> Octets:
        """Return what to put on the wire, so that the peer reads these octets.

        Raises:
            ssl.SSLError: The connection is broken.
        """
        try:
            return way.encipher(self._connection, data)
        except SSL.Error as error:
            raise self._translated(error) from error

    def to_send(self) -> bytes:
        """Return what TLS itself has to put on the wire, if anything."""
        return promised.to_send(self._connection)

    def close(self) -> bytes:
        """Return what tells the peer that nothing more will come."""
        try:
            self._connection.shutdown()
        except SSL.Error:
            pass  # It is broken, or was never whole.
        return self.to_send()

    # What asyncio's users ask of an ``ssl.SSLObject``.

    def getpeercert(self, binary_form: bool = False) -> bytes | dict[str, str] | None:
        """Return the certificate that the peer has shown, in DER."""
        shown = self._connection.get_peer_certificate()
        if shown is None:
            return None
        if not binary_form:
            return {}  # As the ssl module does for a certificate it didn't check.
        # Not through cryptography, which can't read all that OpenSSL takes.
        return crypto.dump_certificate(crypto.FILETYPE_ASN1, shown)

    def cipher(self) -> tuple[str | None, str | None, int | None]:
        """Return the name of the cipher suite, its version, and the bits of its key."""
        connection = self._connection
        return (
            connection.get_cipher_name(),
            connection.get_cipher_version(),
            connection.get_cipher_bits(),
        )

    def version(self) -> str:
        """Return the version of TLS."""
        return self._connection.get_protocol_version_name()

    def _translated(self, error: SSL.Error) -> ssl.SSLError:
        if isinstance(error, SSL.SysCallError):
            return ssl.SSLEOFError(ssl.SSL_ERROR_EOF, "closed in disorder")
        fault: str | None = self._connection.get_app_data()
        if fault is None:
            return ssl.SSLError(ssl.SSL_ERROR_SSL, words_of(error))
        problem = f"the peer's certificate is not believed: {fault}"
        believed = ssl.SSLCertVerificationError(ssl.SSL_ERROR_SSL, problem)
        believed.verify_message = problem
        return believed


def words_of(error: SSL.Error) -> str:
    """Say what OpenSSL says: a list of (library, function, reason)."""
    reasons = error.args[0] if error.args else []
    if isinstance(reasons, list) and reasons:
        return str(reasons[-1][-1])
    return "TLS failed"
