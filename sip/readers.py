"""Functions that read header fields as values, for :meth:`~sip.headers.Headers.view`.

Each of these makes such a reader from a function that parses text.  A reader
names the header field in the :exc:`SipParseError` that it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from sip.errors import SipParseError
from sip.grammar import split_list
from sip.headers import Headers
from sip.recall import recalling

__all__ = [
    "listed",
    "listed_if_there",
    "optional",
    "required",
    "tokens",
]

T = TypeVar("T")


def required(name: str, parse: Callable[[str], T]) -> Callable[[Headers], T]:
    """Make a reader for a header field that must be there exactly once.

    The reader raises :exc:`SipParseError` if it isn't, or isn't well formed.
    """

    def read(headers: Headers) -> T:
        value = headers.get_only(name)
        if value is None:
            raise SipParseError("the header field is missing", header=name)
        try:
            return parse(value)
        except SipParseError as exc:
            raise exc.within(name) from None

    return read


def optional(
    name: str, parse: Callable[[str], T | None]
) -> Callable[[Headers], T | None]:
    """Make a reader for a header field that may be there once.

    The reader gives ``None`` if it isn't, and raises :exc:`SipParseError` if it
    is there twice or isn't well formed.
    """

    def read(headers: Headers) -> T | None:
        value = headers.get_only(name)
        if value is None:
            return None
        try:
            return parse(value)
        except SipParseError as exc:
            raise exc.within(name) from None

    return read


def listed(
    name: str, parse: Callable[[Sequence[str]], tuple[T, ...]]
) -> Callable[[Headers], tuple[T, ...]]:
    """Make a reader for a header field of which there may be any number.

    The reader raises :exc:`SipParseError` if one isn't well formed.

    Args:
        name: The header field.
        parse: Reads the raw values of all fields together; it mustn't change them.
    """

    def read(headers: Headers) -> tuple[T, ...]:
        try:
            return parse(headers.lines(name))
        except SipParseError as exc:
            raise exc.within(name) from None

    return read


def listed_if_there(
    name: str, parse: Callable[[Sequence[str]], tuple[T, ...]]
) -> Callable[[Headers], tuple[T, ...] | None]:
    """Make a reader for a list where none at all isn't the same as an empty one.

    The reader gives ``None`` where there is no such field.

    Args:
        name: The header field.
        parse: Reads the raw values of all fields together; it mustn't change them.
    """
    read_list = listed(name, parse)

    def read(headers: Headers) -> tuple[T, ...] | None:
        return read_list(headers) if name in headers else None

    return read


def tokens(name: str) -> Callable[[Headers], tuple[str, ...]]:
    """Make a reader for the elements of a comma-separated header field."""

    def read(headers: Headers) -> tuple[str, ...]:
        lines = headers.lines(name)
        if len(lines) != 1:
            return tuple(headers.values(name))
        try:
            return _split_line(lines[0])
        except SipParseError as exc:
            raise exc.within(name) from None

    return read


def _elements(line: str) -> tuple[str, ...]:
    return tuple([element for element in split_list(line, ",") if element])


# What a peer allows and supports is the same in all that it sends.
_split_line = recalling(_elements)
