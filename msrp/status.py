"""Status codes of responses and reports (:rfc:`4975#section-10`)."""

from __future__ import annotations

import enum

__all__ = ["StatusCode", "reason_phrase"]


class StatusCode(enum.IntEnum):
    """The codes that RFC 4975 and its extensions define."""

    OK = 200
    """The request was taken."""

    BAD_REQUEST = 400
    """The request was unintelligible."""

    UNAUTHORIZED = 401
    """A relay wants credentials (:rfc:`4976#section-5.1`)."""

    FORBIDDEN = 403
    """The attempted action isn't allowed."""

    RECIPIENT_NOT_FOUND = 404
    """The room has nobody with the URI in To (:rfc:`7701#section-6.2`)."""

    REQUEST_TIMEOUT = 408
    """A relay got no response further on."""

    STOP_SENDING = 413
    """The receiver wants no more of this message."""

    UNSUPPORTED_MEDIA_TYPE = 415
    """The receiver doesn't understand this type of content."""

    PARAMETER_OUT_OF_BOUNDS = 423
    """A parameter lies outside of what a relay allows."""

    NICKNAME_MALFORMED = 424
    """The room takes this for no nickname (:rfc:`7701#section-7.1`)."""

    NICKNAME_IN_USE = 425
    """The nickname is reserved, or somebody else's (:rfc:`7701#section-7.1`)."""

    NO_PRIVATE_MESSAGES = 428
    """The recipient can't have private messages (:rfc:`7701#section-6.2`)."""

    SESSION_DOES_NOT_EXIST = 481
    """The To-Path names no session here."""

    UNKNOWN_METHOD = 501
    """The receiver doesn't know the method."""

    WRONG_CONNECTION = 506
    """The session is bound to another connection."""


_PHRASES: dict[int, str] = {
    StatusCode.OK: "OK",
    StatusCode.BAD_REQUEST: "Bad Request",
    StatusCode.UNAUTHORIZED: "Unauthorized",
    StatusCode.FORBIDDEN: "Action Not Allowed",
    StatusCode.RECIPIENT_NOT_FOUND: "Failure To Resolve Recipient's URI",
    StatusCode.REQUEST_TIMEOUT: "Request Timed Out",
    StatusCode.STOP_SENDING: "Stop Sending Message",
    StatusCode.UNSUPPORTED_MEDIA_TYPE: "Media Type Not Supported",
    StatusCode.PARAMETER_OUT_OF_BOUNDS: "Parameter Out Of Bounds",
    StatusCode.NICKNAME_MALFORMED: "Malformed Nickname",
    StatusCode.NICKNAME_IN_USE: "Nickname Reserved Or Already In Use",
    StatusCode.NO_PRIVATE_MESSAGES: "Private Messages Not Supported",
    StatusCode.SESSION_DOES_NOT_EXIST: "Session Does Not Exist",
    StatusCode.UNKNOWN_METHOD: "Unknown Method",
    StatusCode.WRONG_CONNECTION: "Session Bound To Another Connection",
}


def reason_phrase(code: int) -> str:
    """Return what a code means in a few words; empty for an unknown one."""
    return _PHRASES.get(code, "")
