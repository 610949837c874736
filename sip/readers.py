"""Functions that read the lines of a header field as a value.

Each of these is, or makes of a function that parses text, a reader for
:class:`~sip.fields.field.Field`: it takes the raw values of all fields of a name, in
order, mustn't change them, and raises :exc:`SipParseError`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sip.errors import SipParseError
from sip.grammar import list_elements
from sip.recall import recalling

__all__ = ["listed_if_there", "optional", "required", "tokens"]

T = TypeVar("T")


def required(parse: Callable[[str], T]) -> Callable[[Sequence[str]], T]:
    """Make a reader for a header field that must be there exactly once."""

    def read(lines: Sequence[str]) -> T:
        if len(lines) == 1:
            return parse(lines[0])
        raise SipParseError(_TWICE if lines else "the header field is missing")

    return read


def optional(parse: Callable[[str], T | None]) -> Callable[[Sequence[str]], T | None]:
    """Make a reader for a header field that may be there once, and else is ``None``."""

    def read(lines: Sequence[str]) -> T | None:
        if len(lines) == 1:
            return parse(lines[0])
        if lines:
            raise SipParseError(_TWICE)
        return None

    return read


_TWICE = "the header field is there twice"


def listed_if_there(
    parse: Callable[[Sequence[str]], tuple[T, ...]],
) -> Callable[[Sequence[str]], tuple[T, ...] | None]:
    """Make a reader for a list where none at all isn't the same as an empty one."""

    def read(lines: Sequence[str]) -> tuple[T, ...] | None:
        return parse(lines) if lines else None

    return read


def tokens(lines: Sequence[str]) -> tuple[str, ...]:
    """Read the elements of a comma-separated header field, leaving out empty ones."""
    if len(lines) == 1:
        return _split_line(lines[0])
    return tuple(list_elements(lines))


# What a peer allows and supports is the same in all that it sends.
_split_line = recalling(lambda line: tuple(list_elements([line])))
