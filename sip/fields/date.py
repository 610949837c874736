"""When a message was sent (:rfc:`3261#section-20.17`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sip.errors import SipParseError

__all__ = ["format_date", "parse_date"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_DATE = re.compile(
    r"[A-Za-z]{3}, ([0-9]{2}) ([A-Za-z]{3}) ([0-9]{4}) "
    r"([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT"
)


def parse_date(text: str) -> datetime:
    """Read a date; SIP has them in GMT and in one form only.

    Raises:
        SipParseError: It isn't one.
    """
    match = _DATE.fullmatch(text)
    if match is None or match[2].title() not in _MONTHS:
        raise SipParseError("not a date in GMT")
    day, year, hour, minute, second = map(int, match.group(1, 3, 4, 5, 6))
    month = _MONTHS.index(match[2].title()) + 1
    try:
        # A leap second is as good as the one before it.
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        raise SipParseError("there is no such date") from None


def format_date(moment: datetime) -> str:
    """Write a date; ``moment`` needs a time zone."""
    utc = moment.astimezone(UTC)
    return (
        f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} "
        f"{utc.year:04} {utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"
    )
