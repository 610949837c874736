"""Where the parts of a multipart body begin and end (:rfc:`2046#section-5.1.1`).

A delimiter is a line that holds two hyphens, the boundary and nothing else but
trailing white space; the line end *before* it is part of it.  Only whole lines
count, which is stricter than the RFC's "it is sufficient that the boundary
appear": it lets a nested multipart use a boundary that starts with ours.

The octets between are never looked at one by one: :meth:`bytes.find` leaps from
one candidate to the next, and each candidate is looked at once.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from mime.errors import MimeError, MimeLimitExceeded

__all__ = ["Sections", "choose_boundary", "random_boundary", "split_sections"]

MAX_BOUNDARY_TRIES = 100
"""Boundaries to try.  A random one collides with a chance of 2**-128; this is for a
source of boundaries that isn't random."""

_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")

# What follows the boundary on the line of a delimiter, by how lines end.
_TAILS = {
    b"\r\n": re.compile(rb"(--)?[ \t]*(?:\r\n|\Z)"),
    b"\n": re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)"),
}


@dataclass(frozen=True, slots=True)
class Sections:
    """The raw parts of a multipart body."""

    spans: tuple[tuple[int, int], ...]
    """Where each begins and ends; zero-based, half-open."""

    newline: bytes
    """How the lines of the delimiters end."""

    is_closed: bool
    """Whether the closing delimiter is there."""


def split_sections(body: bytes, boundary: str, *, max_parts: int) -> Sections:
    """Find the parts of a multipart body; preamble and epilogue are ignored.

    Bodies whose lines all end in a bare LF are accepted.

    Raises:
        MimeError: The boundary isn't one, or there is no part.
        MimeLimitExceeded: More than ``max_parts`` parts.
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise MimeError("the boundary is longer than 70 characters or has unfit ones")
    for newline in _TAILS:
        sections = _split(body, boundary.encode(), newline, max_parts)
        if sections.spans:
            return sections
        if sections.is_closed:
            break
    raise MimeError("a multipart body without parts")


def random_boundary() -> str:
    """Return a boundary that nobody could have foreseen: 128 random bits."""
    return secrets.token_hex(16)


def choose_boundary(
    contents: Collection[bytes], nested: Collection[str], token: Callable[[], str]
) -> str:
    """Return a boundary that can't be mistaken.

    Args:
        contents: The parts as they will be written.  The boundary isn't found
            anywhere in them, at the start of a line or not.
        nested: The boundaries of multiparts within them, none of which the new
            one may begin with.
        token: Where boundaries come from.

    Raises:
        MimeError: ``token`` gives nothing that will do.
    """
    for _ in range(MAX_BOUNDARY_TRIES):
        boundary = token()
        if not _BOUNDARY.fullmatch(boundary):
            raise MimeError("the token isn't fit to be a boundary")
        octets = boundary.encode()
        if not (
            any(octets in content for content in contents)
            or any(boundary.startswith(other) for other in nested)
        ):
            return boundary
    raise MimeError("no boundary was found that isn't in the parts")


def _split(body: bytes, boundary: bytes, newline: bytes, max_parts: int) -> Sections:
    spans: list[tuple[int, int]] = []
    begin: int | None = None
    for start, stop, is_close in _delimiters(body, boundary, newline):
        if begin is not None:
            # An empty part and its delimiter may share one line end.
            spans.append((begin, max(begin, start)))
            if len(spans) > max_parts:
                raise MimeLimitExceeded(f"more than {max_parts} parts")
        if is_close:
            return Sections(tuple(spans), newline, is_closed=True)
        begin = stop
    if begin is not None and begin < len(body):
        spans.append((begin, len(body)))
        if len(spans) > max_parts:
            raise MimeLimitExceeded(f"more than {max_parts} parts")
    return Sections(tuple(spans), newline, is_closed=False)


def _delimiters(
    body: bytes, boundary: bytes, newline: bytes
) -> Iterator[tuple[int, int, bool]]:
    """Yield where each delimiter starts and stops, and whether it is the last."""
    tail = _TAILS[newline]
    delimiter = newline + b"--" + boundary
    # The first delimiter needs no line end before it.
    at_start = body.startswith(b"--" + boundary)
    start = 0 if at_start else body.find(delimiter)
    after = start + len(delimiter) - (len(newline) if at_start else 0)
    while start >= 0:
        seek = after
        if match := tail.match(body, after):
            yield start, match.end(), match[1] is not None
            # The line end may also be the one that the next delimiter needs.
            seek = max(after, match.end() - len(newline))
        start = body.find(delimiter, seek)
        after = start + len(delimiter)
