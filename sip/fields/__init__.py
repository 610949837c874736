"""The values of header fields beyond those that every message has.

A message reads them when they are asked for: ``request.session_expires.interval``,
``response.retry_after``, ``request.refer_to``; :mod:`sip.fields.table` says which
attribute gives what.  Each value is frozen, has ``parse()``, and is written by
``str()``::

    request.headers.set("Session-Expires", str(SessionExpires(1800, Refresher.UAC)))

What a newer peer puts into parameters is kept and written again.
"""

from __future__ import annotations

from sip.fields.accept import Accepted, MediaRange
from sip.fields.call_info import CallInfo
from sip.fields.date import format_date, parse_date
from sip.fields.geolocation import GeolocationError
from sip.fields.history import HistoryInfo
from sip.fields.rack import MAX_FIRST_RSEQ, RAck
from sip.fields.reason import Reason
from sip.fields.replaces import Replaces
from sip.fields.resource_priority import ResourcePriority
from sip.fields.retry_after import RetryAfter
from sip.fields.session_expires import (
    MIN_SESSION_EXPIRES,
    MinSE,
    Refresher,
    SessionExpires,
)
from sip.fields.subscription import Event, SubscriptionState
from sip.fields.warning import WarningValue

__all__ = [
    "MAX_FIRST_RSEQ",
    "MIN_SESSION_EXPIRES",
    "Accepted",
    "CallInfo",
    "Event",
    "GeolocationError",
    "HistoryInfo",
    "MediaRange",
    "MinSE",
    "RAck",
    "Reason",
    "Refresher",
    "Replaces",
    "ResourcePriority",
    "RetryAfter",
    "SessionExpires",
    "SubscriptionState",
    "WarningValue",
    "format_date",
    "parse_date",
]
