"""Why a request got no answer, in words for the person who wanted one.

What the system, the TLS library and the other side do about a connection comes as
exceptions of many kinds, some of which name no reason and some three lines of
source code.  Here each becomes part of one sentence, and what is known about where
the request went becomes the rest of it.
"""

from __future__ import annotations

import errno
import os
import ssl

from sip.errors import CallOver, CallRefused, CallTimeout, TransportError
from sip.message import Response
from sip.sansio.events import EndReason, Failure
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.sansio.requests.sender import ClientRequest
from sip.sansio.timers import Timers
from sip.uri import SipUri

__all__ = [
    "cannot_reach",
    "error_of",
    "why_closed",
    "why_no_handshake",
    "why_not_connected",
]

# The results of a verification, from <openssl/x509_vfy.h>.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_ISSUERS = frozenset({2, 18, 19, 20, 21})
_OTHER_NAMES = frozenset({62, 64})

# What OpenSSL says about octets that are no TLS record.
_NO_TLS = frozenset(
    {
        "HTTP_REQUEST",
        "PACKET_LENGTH_TOO_LONG",
        "RECORD_LAYER_FAILURE",
        "UNEXPECTED_MESSAGE",
        "UNKNOWN_PROTOCOL",
        "WRONG_VERSION_NUMBER",
    }
)

_WANTS_CERTIFICATE = frozenset(
    {"TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_CERTIFICATE_REQUIRED"}
)

_REFUSES_CERTIFICATE = frozenset(
    {
        "SSLV3_ALERT_BAD_CERTIFICATE",
        "SSLV3_ALERT_CERTIFICATE_EXPIRED",
        "SSLV3_ALERT_CERTIFICATE_UNKNOWN",
        "TLSV1_ALERT_UNKNOWN_CA",
    }
)

_HUNG_UP = (
    "it hung up on our TLS handshake; perhaps it doesn't speak TLS, or wants a "
    "certificate of ours"
)

_SYSTEM_SAYS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "it closed the connection",
    errno.EHOSTUNREACH: "there is no route to it",
    errno.ENETUNREACH: "there is no route to it",
    errno.ETIMEDOUT: "it doesn't respond",
    errno.EINVAL: "there is no way to it from the address that we listen on",
}


def cannot_reach(hop: Hop, problem: str, cause: BaseException | None) -> TransportError:
    """Make the error of a message that can't be sent to ``hop``."""
    error = TransportError(problem, target=hop.words)
    error.__cause__ = cause
    return error


def why_not_connected(error: Exception, hop: Hop, limits: Limits) -> str:
    """Say why there is no connection to ``hop``.

    Args:
        error: What opening it raised.
        hop: Where to.
        limits: How long it may take.
    """
    if isinstance(error, ssl.SSLError):
        return _tls_words(error, hop)
    if isinstance(error, ConnectionAbortedError) and hop.transport is Transport.TLS:
        # So asyncio calls a handshake that takes too long.
        seconds = f"{limits.handshake_time:g} s"
        return f"no TLS handshake within {seconds}; perhaps it doesn't speak TLS"
    if isinstance(error, ConnectionResetError) and hop.transport is Transport.TLS:
        return _HUNG_UP
    if isinstance(error, TimeoutError) and error.errno is None:
        return f"no connection within {limits.connect_time:g} s"
    return _system_words(error)


def why_no_handshake(error: OSError, hop: Hop, limits: Limits) -> str:
    """Say why a peer that has connected to us got no further than that.

    Args:
        error: What ended the TLS handshake.
        hop: Where the peer is.
        limits: How long it may take.
    """
    if isinstance(error, ConnectionAbortedError):
        return f"no TLS handshake within {limits.handshake_time:g} s"
    if isinstance(error, ConnectionResetError | ssl.SSLEOFError):
        return "it hung up on the TLS handshake"
    if not isinstance(error, ssl.SSLError):
        return _system_words(error)
    reason: str = getattr(error, "reason", None) or ""
    if reason in _NO_TLS:
        return "it doesn't speak TLS"
    if reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE":
        return "it shows no TLS certificate"
    return _tls_words(error, hop)


def why_closed(hop: Hop, error: Exception | None, first: bytes | None) -> str:
    """Say why a connection was closed before the answer to a request came.

    Args:
        hop: The peer.
        error: What ended the connection, if it didn't just end.
        first: The first octets of what came and isn't SIP, if any did.
    """
    if isinstance(error, ssl.SSLError):
        return _tls_words(error, hop)
    if first is not None:
        # An alert, or whatever else TLS has to say to what is no handshake.
        if first[:1] in (b"\x15", b"\x16"):
            return "it speaks TLS there, so the URI needs transport=tls"
        return "what answers there doesn't speak SIP"
    # A TLS server that misses our certificate says so only after the handshake,
    # and some, Python's among them, just hang up.
    wanted = "TLS" if hop.transport is Transport.TCP else "a TLS certificate of ours"
    return f"it closed the connection without an answer; perhaps it wants {wanted}"


def error_of(
    response: Response | None,
    failure: Failure | None,
    sent: ClientRequest,
    timers: Timers,
) -> Exception:
    """Make the error of a request that wasn't answered as wanted."""
    match failure:
        case Failure.CANCELLED:
            return CallOver(EndReason.CANCELLED)
        case Failure.TIMEOUT:
            return CallTimeout(
                f"nothing came within {timers.timeout:g} s", target=sent.target
            )
        case None if response is not None:
            why_not = sent.trail.why_not
            return CallRefused(response, "" if why_not is None else str(why_not))
    if sent.cause is not None:
        problem = sent.cause.problem
    elif failure is Failure.NOT_FOUND:
        problem = _not_found(sent)
    else:
        problem = "it failed" if failure is None else failure.value
    error = TransportError(problem, target=sent.target)
    if sent.cause is not None:
        error.__cause__ = sent.cause.__cause__
    return error


def _not_found(sent: ClientRequest) -> str:
    if isinstance(sent.next_hop, SipUri):
        return f"the DNS has no address for {sent.next_hop.host}"
    return Failure.NOT_FOUND.value


def _tls_words(error: ssl.SSLError, hop: Hop) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return _certificate_words(error, hop)
    # It is there only if OpenSSL gave one, whatever the stubs say.
    reason: str = getattr(error, "reason", None) or ""
    if reason in _NO_TLS:
        return "what answers there doesn't speak TLS"
    if reason in _WANTS_CERTIFICATE:
        return "it wants a TLS certificate of ours, and got none"
    if reason in _REFUSES_CERTIFICATE:
        return "it doesn't accept our TLS certificate"
    if reason == "SSLV3_ALERT_HANDSHAKE_FAILURE":
        return "it refuses our TLS handshake; perhaps it wants a certificate of ours"
    if isinstance(error, ssl.SSLEOFError):
        return _HUNG_UP
    words = reason.replace("_", " ").lower()
    return f"TLS failed: {words}" if words else "TLS failed"


def _certificate_words(error: ssl.SSLCertVerificationError, hop: Hop) -> str:
    code = error.verify_code
    if code == _EXPIRED:
        return "its TLS certificate has expired"
    if code == _NOT_YET_VALID:
        return "its TLS certificate isn't valid yet"
    if code in _OTHER_NAMES:
        name = hop.server_name or hop.host
        return f"its TLS certificate is for another name than {name}"
    if code in _UNKNOWN_ISSUERS:
        return "its TLS certificate isn't trusted: no authority we know signed it"
    return f"its TLS certificate isn't trusted: {error.verify_message}"


def _system_words(error: Exception) -> str:
    if not isinstance(error, OSError) or error.errno is None:
        # A host that isn't even a name, say.
        return str(error).partition("\n")[0] or type(error).__name__
    known = _SYSTEM_SAYS.get(error.errno)
    return known or os.strerror(error.errno).lower()
