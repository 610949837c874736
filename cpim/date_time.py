"""When a message was sent (:rfc:`3862#section-4.4`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from cpim.errors import CpimError

__all__ = ["DateTime"]

# What datetime reads itself, and as we do.
_PLAIN = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?"
    r"(?:Z|[+-][0-9]{2}:[0-5][0-9])"
)
_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)


@dataclass(frozen=True, slots=True)
class DateTime:
    """When a message was sent (:rfc:`3862#section-4.4`, :rfc:`3339#section-5.6`)."""

    raw: str
    """What the header says."""

    value: datetime | None
    """The moment, with its offset from UTC; None if ``raw`` isn't a date and time."""

    @classmethod
    def parse(cls, raw: str) -> DateTime:
        """Read an RFC 3339 date and time, or what should have been one."""
        try:
            if _PLAIN.fullmatch(raw):
                return cls(raw, datetime.fromisoformat(raw))
            return cls(raw, _read(raw))
        except (ValueError, OverflowError):
            return cls(raw, None)

    @classmethod
    def of(cls, moment: datetime) -> DateTime:
        """Return the header value of a moment.

        Raises:
            CpimError: The moment has no offset from UTC, so it is anybody's guess.
        """
        if moment.tzinfo is not UTC:
            offset = moment.utcoffset()
            if offset is None:
                raise CpimError("a date and time without an offset from UTC")
            if offset % timedelta(minutes=1):
                moment = moment.astimezone(UTC)  # RFC 3339 has no seconds in offsets.
        precision = "microseconds" if moment.microsecond else "seconds"
        return cls(moment.isoformat(timespec=precision), moment)

    def __str__(self) -> str:
        return self.raw


def _read(raw: str) -> datetime | None:
    match = _DATE_TIME.fullmatch(raw)
    if match is None:
        return None
    date, minutes, seconds, fraction, _, sign, hours, rest = match.groups()
    # A leap second is the first moment of the next minute to datetime.
    leap = timedelta(seconds=1) if seconds == "60" else timedelta()
    seconds = "59" if leap else seconds
    micros = (fraction or "0")[:6].ljust(6, "0")
    moment = datetime.fromisoformat(f"{date}T{minutes}:{seconds}.{micros}")
    return moment.replace(tzinfo=_offset(sign, hours, rest)) + leap


def _offset(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    if int(minutes) > 59:
        raise ValueError("an offset has less than sixty minutes")
    distance = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-distance if sign == "-" else distance)
