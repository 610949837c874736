"""What an answer other than 200 means (:rfc:`4975#section-10`)."""

from __future__ import annotations

from msrp.errors import (
    ConnectionFailed,
    DeliveryError,
    FailureReported,
    RequestRefused,
    ResponseTimeout,
)
from msrp.sansio.outgoing import Outgoing
from msrp.status import StatusCode

__all__ = [
    "ENDS_SESSION",
    "FATAL",
    "NOT_RECEIVED",
    "code_of",
    "error_of",
    "no_session",
]

FATAL = frozenset(
    {
        StatusCode.FORBIDDEN,
        StatusCode.SESSION_DOES_NOT_EXIST,
        StatusCode.WRONG_CONNECTION,
    }
)
"""Answers to the first SEND after which there is no session."""

ENDS_SESSION = frozenset(
    {StatusCode.SESSION_DOES_NOT_EXIST, StatusCode.WRONG_CONNECTION}
)
"""Answers to any SEND after which there is none."""

NOT_RECEIVED = frozenset(
    {StatusCode.REQUEST_TIMEOUT, StatusCode.SESSION_DOES_NOT_EXIST}
)
"""What a relay reports of octets that have not reached the far end; all other codes
say that somebody has seen them and doesn't want the message."""


def code_of(error: DeliveryError) -> int | None:
    """Return the code that stands for a failure; ``None`` if no code does."""
    if isinstance(error, RequestRefused | FailureReported):
        return error.code
    if isinstance(error, ResponseTimeout):
        return StatusCode.REQUEST_TIMEOUT
    return None


def error_of(message: Outgoing, code: int, error: DeliveryError) -> DeliveryError:
    """Return the error of a message for which a code came."""
    if code == StatusCode.REQUEST_TIMEOUT:
        # A relay waited in vain, as we might have (RFC 4975 section 10.4).
        return ResponseTimeout(message.message_id)
    return error


def no_session(problem: str) -> ConnectionFailed:
    """Return the error of a session that could not be opened."""
    return ConnectionFailed("", problem)
