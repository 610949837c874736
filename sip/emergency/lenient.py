"""Header fields of emergency calls, read as far as they can be.

For most purposes a header field that is malformed is as good as none.  Here it may
be what leads to somebody, so each value is read by itself, and one that can't be
read leaves the others alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from sip.errors import SipParseError
from sip.grammar import split_list
from sip.headers import Headers

__all__ = ["MAX_VALUES", "read_values"]

T = TypeVar("T")

MAX_VALUES = 100
"""How many values of a header field to look at."""

# Where a value may begin if there is no comma before it, as in RFC 7852 §7.
_BEGINNING = re.compile(r"[ \t]<")


def read_values(
    headers: Headers, name: str, parse: Callable[[str], T]
) -> tuple[list[T], list[str]]:
    """Read the values of a header field, and say what couldn't be read.

    Args:
        headers: The header fields.
        name: The one to read.
        parse: Reads a value, or raises :exc:`~sip.errors.SipParseError`.

    Returns:
        The values, and warnings.
    """
    values: list[T] = []
    warnings: list[str] = []
    for number, text in enumerate(_split(headers.get_all(name))):
        if number >= MAX_VALUES:
            warnings.append(f"there are too many values of {name}")
            break
        try:
            values.append(parse(text))
        except SipParseError as exc:
            mended = _mend(text, parse)
            values += mended
            found = "is malformed" if not mended else "lacks a comma"
            warnings.append(f"{name} {found}: {exc.problem}")
    return values, warnings


def _split(lines: list[str]) -> Iterator[str]:
    for line in lines:
        try:
            parts = split_list(line, ",")
        except SipParseError:
            parts = [line]  # Something isn't closed; perhaps it can be read anyway.
        yield from filter(None, parts)


def _mend(text: str, parse: Callable[[str], T]) -> list[T]:
    """Read a value that may be several with no comma between them."""
    starts = [match.start() + 1 for match in _BEGINNING.finditer(text)]
    if not starts or len(starts) >= MAX_VALUES:
        return []
    pieces = [
        text[start:stop].strip()
        for start, stop in zip([0, *starts], [*starts, len(text)], strict=True)
    ]
    try:
        return [parse(piece) for piece in pieces]
    except SipParseError:
        return []
