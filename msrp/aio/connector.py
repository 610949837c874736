"""Opening a connection to a peer (:rfc:`4975#section-6.2`)."""

from __future__ import annotations

import asyncio
import ssl

from msrp.aio.stream import CLOSING_TIME, StreamProtocol
from msrp.aio.tls import FingerprintContext, LocalCertificate, authority_context
from msrp.config import Limits
from msrp.errors import CertificateRejected, ConnectionFailed
from msrp.negotiation import Negotiated

__all__ = [
    "HANDSHAKE_TIME",
    "check_certificate",
    "describe",
    "format_address",
    "open_stream",
]

HANDSHAKE_TIME = 15.0
"""Seconds that a TLS handshake may take, on either side."""


async def open_stream(
    negotiated: Negotiated,
    *,
    local_cert: LocalCertificate | None,
    limits: Limits,
    response_timeout: float,
    timeout: float,
) -> StreamProtocol:
    """Connect to the adjacent hop on the way to the peer.

    A name that has several addresses is tried at each of them in turn.  Over TLS,
    the peer's certificate has been checked when this returns; it has to name the
    host of the peer's path, also if a middlebox is what we connect to
    (:rfc:`6714#section-7`).

    Args:
        negotiated: Where to, and what the peer's SDP says of its certificate.
        local_cert: What to show over TLS.
        limits: Bounds on the peer.
        response_timeout: For the transactions on the stream.
        timeout: Seconds that all of it may take.

    Raises:
        ConnectionFailed: Nobody answers there, or not in time.
        CertificateRejected: Somebody answers who isn't the peer.
    """
    host, port = negotiated.connect_to
    target = format_address(host, port)
    context = _context(negotiated, local_cert)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            _, stream = await loop.create_connection(
                lambda: StreamProtocol(
                    limits=limits, response_timeout=response_timeout
                ),
                host,
                port,
                ssl=context,
                server_hostname=None if context is None else negotiated.server_name,
                ssl_handshake_timeout=None if context is None else HANDSHAKE_TIME,
                ssl_shutdown_timeout=None if context is None else CLOSING_TIME,
            )
    except TimeoutError:
        problem = f"no answer within {timeout:g} s"
        raise ConnectionFailed(target, problem) from None
    except ssl.SSLCertVerificationError as error:
        raise CertificateRejected(target, error.verify_message) from error
    except ssl.SSLError as error:
        raise ConnectionFailed(target, f"TLS failed ({_tls_words(error)})") from error
    except OSError as error:
        raise ConnectionFailed(target, describe(error)) from error
    except ValueError as error:
        # A name that is too long for the DNS, or has an empty label.
        raise ConnectionFailed(target, "this is no name of a host") from error
    try:
        check_certificate(negotiated, stream, target)
    except CertificateRejected as error:
        stream.abort(error)
        await stream.wait_closed()
        raise
    return stream


def format_address(host: str, port: int) -> str:
    """Write an address for messages to people."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def check_certificate(
    negotiated: Negotiated, stream: StreamProtocol, target: str
) -> None:
    """Compare the peer's certificate with the fingerprints of its SDP.

    Without any there is nothing to compare: an active side has had the
    certificate checked by authority, and for a passive one the knowledge of its
    URI is the proof (:rfc:`4975#section-5.4`).

    Raises:
        CertificateRejected: It isn't the one that was announced.
    """
    if not negotiated.secure or not negotiated.remote_fingerprints:
        return
    shown = stream.certificate
    if shown is None:
        raise CertificateRejected(
            target, "the peer shows no certificate, though its SDP announces one"
        )
    if not negotiated.certificate_matches(shown):
        raise CertificateRejected(
            target,
            "the peer's certificate does not match the fingerprint in its SDP",
        )


def _context(
    negotiated: Negotiated, local_cert: LocalCertificate | None
) -> ssl.SSLContext | None:
    if not negotiated.secure:
        return None
    if negotiated.remote_fingerprints:
        return FingerprintContext(local_cert or LocalCertificate.self_signed())
    return authority_context()


def describe(error: OSError) -> str:
    """Put into words why there is no connection."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused; is the peer listening there?"
    if error.strerror and not error.strerror.startswith("["):
        return error.strerror
    return str(error) or type(error).__name__


def _tls_words(error: ssl.SSLError) -> str:
    # The ssl module alone sets a reason, such as WRONG_VERSION_NUMBER.
    reason: str | None = getattr(error, "reason", None)
    if reason:
        return reason.replace("_", " ").lower()
    return error.strerror or "not TLS?"
