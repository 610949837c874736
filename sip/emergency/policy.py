"""What a call for help isn't refused for (NENA-STA-010, 3.1; :rfc:`6442`)."""

from __future__ import annotations

from sip.emergency.call import service_of
from sip.message import Request

__all__ = ["EMERGENCY_CONTENT_TYPES", "NEVER_FOR_EMERGENCIES", "may_refuse"]

NEVER_FOR_EMERGENCIES = frozenset(
    {
        401,  # "Who are you?" is no question to somebody in need.
        407,
        416,  # urn:service:sos is what one calls.
        424,  # A location that is no good is better than no call.
        428,  # Nor is an identity that nobody vouches for a reason,
        429,
        433,  # or no identity at all.
        436,
        437,
        438,
        494,  # Agreeing on security first takes what the caller may not have.
    }
)
"""The statuses that no emergency call is refused with: each asks the caller to come
back with something that they may not have."""


def may_refuse(request: Request, status: int) -> bool:
    """Tell whether a request may be answered with a status.

    A server that challenges requests, or wants locations or identities that are
    good, asks this before it does.
    """
    return status not in NEVER_FOR_EMERGENCIES or service_of(request) is None


EMERGENCY_CONTENT_TYPES = (
    "application/sdp",
    "multipart/*",
    "application/pidf+xml",
    "*/*",
)
"""The types of body that a PSAP takes: any.

``Admission(content_types=EMERGENCY_CONTENT_TYPES)`` says so.  A body that holds no
session description is as good as none: the call is answered with an offer.
"""
