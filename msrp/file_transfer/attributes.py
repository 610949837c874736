"""Which part of a file, when it was touched, and what a transfer is called."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from msrp.errors import InvalidFileDescription
from sdp.grammar import is_token

__all__ = ["FileDates", "FileRange", "check_transfer_id", "new_transfer_id"]

MAX_OFFSET_DIGITS = 18
"""Digits of a believable offset: an exbibyte."""

MAX_DATE_SIZE = 100
"""Characters of a date with all its comments; the longest useful one has 31."""

MAX_ID_SIZE = 256
"""Characters of a ``file-transfer-id`` that are worth remembering; 32 are usual."""

_OCTETS_OF_ID = 16


def new_transfer_id() -> str:
    """Return an id that no other transfer has (:rfc:`5547#section-8.1`)."""
    return secrets.token_hex(_OCTETS_OF_ID)


def check_transfer_id(text: str) -> str:
    """Return what is a ``file-transfer-id``.

    Raises:
        InvalidFileDescription: It is none.
    """
    if not is_token(text) or len(text) > MAX_ID_SIZE:
        raise InvalidFileDescription("a file-transfer-id is no token")
    return text


@dataclass(frozen=True, slots=True)
class FileRange:
    """``a=file-range``: which octets of a file are sent.

    Offsets are zero-based and half-open here; ``str()`` writes them one-based and
    inclusive (:rfc:`5547#section-6`).

    Raises:
        InvalidFileDescription: There is no such range.
    """

    start: int = 0
    stop: int | None = None
    """``None`` is the end of the file, wherever that is."""

    def __post_init__(self) -> None:
        least = self.start + 1
        if self.start < 0 or (self.stop is not None and self.stop < least):
            raise InvalidFileDescription("a file-range holds no octet")

    @classmethod
    def parse(cls, text: str) -> FileRange:
        """Read the value of ``a=file-range``.

        Raises:
            InvalidFileDescription: It is no range.
        """
        first, dash, last = text.strip().partition("-")
        if not dash:
            raise InvalidFileDescription("a file-range has no end")
        stop = None if last == "*" else _read_offset(last)
        return cls(_read_offset(first) - 1, stop)

    @property
    def is_whole(self) -> bool:
        """Whether that is the whole file, whatever its size."""
        return self == FileRange()

    def within(self, size: int) -> tuple[int, int] | None:
        """Return the offsets in a file of this size; ``None`` if it isn't so long."""
        stop = size if self.stop is None else self.stop
        return (self.start, stop) if self.start <= stop <= size else None

    def __str__(self) -> str:
        return f"{self.start + 1}-{'*' if self.stop is None else self.stop}"


def _read_offset(digits: str) -> int:
    is_number = digits.isascii() and digits.isdigit() and digits[0] != "0"
    if not is_number or len(digits) > MAX_OFFSET_DIGITS:
        raise InvalidFileDescription("an offset in a file-range is no number from 1")
    return int(digits)


@dataclass(frozen=True, slots=True)
class FileDates:
    """``a=file-date``: when a file was made, changed and read.

    Each date has an offset from UTC, and whole seconds.

    Raises:
        InvalidFileDescription: A date can't be written.
    """

    creation: datetime | None = None
    modification: datetime | None = None
    read: datetime | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            date = getattr(self, field.name)
            if date is not None:
                object.__setattr__(self, field.name, _checked_date(date))

    @classmethod
    def parse(cls, text: str) -> FileDates:
        """Read the value of ``a=file-date``.

        Raises:
            InvalidFileDescription: It can't be understood.
        """
        found: dict[str, datetime] = {}
        # What is in quotes is every other piece; the last one is what follows them.
        *pieces, rest = text.split('"')
        if rest.strip() or len(pieces) % 2:
            raise InvalidFileDescription("a file-date isn't in quotes")
        for label, value in zip(pieces[::2], pieces[1::2], strict=True):
            kind = label.strip().lower().removesuffix(":")
            if kind not in _KINDS or not label.endswith(":"):
                raise InvalidFileDescription("a file-date of an unknown kind")
            if kind in found:
                raise InvalidFileDescription("two file-dates of the same kind")
            found[kind] = _read_date(value)
        return cls(**found)

    def __bool__(self) -> bool:
        return self != FileDates()

    def __str__(self) -> str:
        dates = ((kind, getattr(self, kind)) for kind in _KINDS)
        return " ".join(f'{k}:"{format_datetime(d)}"' for k, d in dates if d)


_KINDS = ("creation", "modification", "read")

_FIRST_YEAR, _LAST_YEAR = 1900, 9998
"""What RFC 5322 §4.3 can say, less a year for the offset from UTC."""


def _checked_date(date: datetime) -> datetime:
    offset = date.utcoffset()
    if offset is None:
        raise InvalidFileDescription("a file-date has no offset from UTC")
    if not _FIRST_YEAR < date.year <= _LAST_YEAR:
        raise InvalidFileDescription("the year of a file-date is out of range")
    if offset.total_seconds() % 60:  # Such as that of local time before 1900.
        date = date.astimezone(UTC)
    return date.replace(microsecond=0)


def _read_date(text: str) -> datetime:
    if len(text) > MAX_DATE_SIZE:
        raise InvalidFileDescription("a file-date is too long for a date")
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        raise InvalidFileDescription("a file-date is no date") from None
    # "-0000" is a time in UTC of which nobody knows where it was.
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
