"""What the person hears who wanted an answer."""

from __future__ import annotations

import errno
import os
import ssl

import pytest

import sip
from sip.aio.reasons import cannot_reach, error_of, why_closed, why_not_connected
from sip.message import Request
from sip.sansio.events import Failure
from sip.sansio.hop import Hop, Transport
from sip.sansio.requests.sender import ClientRequest
from sip.uri import Uri, parse_uri

TCP = Hop(Transport.TCP, "192.0.2.1", 5060)
TLS = Hop(Transport.TLS, "192.0.2.1", 5061, "example.com")


def system(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


def verification(code: int, message: str = "") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.rule("SIP-18")
@pytest.mark.parametrize(
    ("error", "hop", "words"),
    [
        pytest.param(system(errno.ECONNREFUSED), TCP, "refused", id="refused"),
        pytest.param(system(errno.EHOSTUNREACH), TCP, "no route", id="host"),
        pytest.param(system(errno.ENETUNREACH), TCP, "no route", id="network"),
        pytest.param(system(errno.ETIMEDOUT), TCP, "doesn't respond", id="system-time"),
        pytest.param(system(errno.EMFILE), TCP, "too many open files", id="other"),
        pytest.param(TimeoutError(), TCP, "within 10 s", id="our-time"),
        pytest.param(ValueError("bad name\nmore"), TCP, "bad name", id="no-os-error"),
        pytest.param(ConnectionAbortedError(), TLS, "within 5 s", id="handshake"),
        pytest.param(ConnectionResetError(), TLS, "speak TLS", id="hung-up"),
        pytest.param(tls("WRONG_VERSION_NUMBER"), TLS, "speak TLS", id="nonsense"),
        pytest.param(
            tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"),
            TLS,
            "wants a TLS certificate",
            id="wants-a-certificate",
        ),
        pytest.param(
            tls("TLSV1_ALERT_UNKNOWN_CA"), TLS, "accept our", id="refuses-ours"
        ),
        pytest.param(
            tls("SSLV3_ALERT_HANDSHAKE_FAILURE"), TLS, "perhaps", id="tls-1.2"
        ),
        pytest.param(tls("BAD_LUCK"), TLS, "TLS failed: bad luck", id="other-tls"),
        pytest.param(
            ssl.SSLEOFError(8, "EOF"), TLS, "hung up on our TLS", id="tls-eof"
        ),
        pytest.param(verification(10), TLS, "has expired", id="expired"),
        pytest.param(verification(9), TLS, "isn't valid yet", id="not-yet"),
        pytest.param(verification(62), TLS, "than example.com", id="name"),
        pytest.param(verification(64), TLS, "than example.com", id="address"),
        pytest.param(verification(18), TLS, "no authority", id="self-signed"),
        pytest.param(verification(20), TLS, "no authority", id="unknown-issuer"),
        pytest.param(verification(23, "revoked"), TLS, "trusted: revoked", id="else"),
    ],
)
def test_what_keeps_us_from_connecting_has_words(
    error: Exception, hop: Hop, words: str
) -> None:
    problem = why_not_connected(error, hop, sip.Limits())
    assert words in problem
    assert "\n" not in problem
    assert "_ssl" not in problem


@pytest.mark.rule("SIP-18")
@pytest.mark.parametrize(
    ("hop", "error", "first", "words"),
    [
        pytest.param(TCP, None, b"H", "doesn't speak SIP", id="http"),
        pytest.param(TCP, None, b"\x15", "transport=tls", id="alert"),
        pytest.param(TCP, None, None, "perhaps it wants TLS", id="tcp"),
        pytest.param(TCP, ConnectionResetError(), None, "without an", id="reset"),
        pytest.param(TLS, None, None, "wants a TLS certificate", id="tls"),
        pytest.param(
            TLS, tls("TLSV1_ALERT_UNKNOWN_CA"), None, "accept our", id="tls-alert"
        ),
    ],
)
def test_what_ends_a_connection_has_words(
    hop: Hop, error: Exception | None, first: bytes | None, words: str
) -> None:
    assert words in why_closed(hop, error, first)


class Nobody:
    """Doesn't care."""

    def request_answered(self, sent: object, response: object, now: float) -> None:
        raise AssertionError("nothing was sent")

    def request_failed(self, sent: object, failure: object, now: float) -> None:
        raise AssertionError("nothing was sent")


def sent(uri: str, hop: Hop | None = None, tried: int = 1) -> ClientRequest:
    target: Uri = parse_uri(uri)
    request = Request.build("OPTIONS", target, headers=[("Call-ID", "x")])
    sent = ClientRequest(request, Nobody(), target)
    sent.hop, sent.tried = hop, tried
    return sent


@pytest.mark.rule("SIP-29", "SIP-66")
@pytest.mark.parametrize(
    ("request_", "failure", "words"),
    [
        pytest.param(
            sent("sip:b@192.0.2.1", TCP),
            Failure.TIMEOUT,
            "no answer from 192.0.2.1:5060 over TCP: nothing came within 32 s",
            id="number",
        ),
        pytest.param(
            sent("sip:b:hush@example.com;x=y", TCP, 3),
            Failure.TIMEOUT,
            "no answer from sip:b@example.com at 192.0.2.1:5060 over TCP, the last of "
            "3 addresses tried: nothing came within 32 s",
            id="name",
        ),
        pytest.param(
            sent("sip:b@example.com"),
            Failure.NOT_FOUND,
            "cannot reach sip:b@example.com: the DNS has no address for example.com",
            id="no-address",
        ),
        pytest.param(
            sent("tel:911"),
            Failure.NOT_FOUND,
            "cannot reach tel:911: there is no address to send it to",
            id="no-host",
        ),
        pytest.param(
            sent("sip:[2001:db8::1]", Hop(Transport.UDP, "2001:db8::1", 5060)),
            Failure.BUSY,
            "cannot reach [2001:db8::1]:5060 over UDP: too much is going on here",
            id="busy",
        ),
    ],
)
def test_an_error_is_one_sentence_that_says_where_and_why(
    request_: ClientRequest, failure: Failure, words: str
) -> None:
    assert str(error_of(None, failure, request_, sip.Timers())) == words


def test_what_the_system_said_is_the_cause() -> None:
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "no")
    request = sent("sip:b@192.0.2.1", TCP)
    request.cause = cannot_reach(TCP, "connection refused", refused)
    error = error_of(None, Failure.TRANSPORT, request, sip.Timers())
    assert isinstance(error, sip.TransportError)
    assert error.__cause__ is refused
    assert (error.target, error.problem) == (TCP.words, "connection refused")
