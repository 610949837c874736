"""The second half of a ``message/cpim``: its MIME part (:rfc:`3862#section-2.4`)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import NamedTuple

from cpim.errors import CpimError
from mime import ContentType, MimeError, Part
from mime.headers import line_end_of

__all__ = [
    "Content",
    "begins_content",
    "build_content_head",
    "may_begin_content",
    "parse_content",
    "read_content",
    "with_crlf",
]

_RECALLED = 64
_RECALLED_LENGTH = 128
"""How many heads to remember, and up to which length: nearly all contents of a session
have the same, and what peers can make this hold is some hundred kilobytes."""

_BLANK_LINE = b"\r\n\r\n"

# How a MIME header begins that is worth the name.
_MIME_HEADER = re.compile(rb"(?:content-|mime-version)", re.IGNORECASE)
_MIME_NAMES = (b"content-", b"mime-version")


def begins_content(data: bytes, at: int) -> bool:
    """Tell whether a MIME header stands at an offset."""
    return _MIME_HEADER.match(data, at) is not None


def may_begin_content(data: bytes, at: int) -> bool:
    """Tell whether one may stand there once there are more octets."""
    start = data[at : at + max(map(len, _MIME_NAMES))].lower()
    return any(name.startswith(start) for name in _MIME_NAMES)


class Content(NamedTuple):
    """The second half of a message, as it was read."""

    headers: tuple[tuple[str, str], ...]
    """Its MIME headers."""

    start: int
    """Where the content itself begins."""

    problems: tuple[str, ...]
    """What was wrong."""


def read_content(data: bytes, at: int) -> Content:
    """Read the headers of the part behind the CPIM headers.

    Without MIME headers everything is content, and that is plain text.

    Args:
        data: The message.
        at: Where its CPIM headers end.

    Raises:
        CpimError: It has too many headers.
    """
    end = data.find(_BLANK_LINE, at, at + _RECALLED_LENGTH)
    if end >= 0:
        start = end + len(_BLANK_LINE)
        recalled = _recall(data[at:start])
        if recalled is not None:
            return Content(recalled.headers, start, recalled.problems)
    return parse_content(data, at)


def parse_content(data: bytes, at: int) -> Content:
    """Do what :func:`read_content` does, without remembering anything."""
    problems: list[str] = []
    rest = data[at:]
    newline = line_end_of(rest)
    if rest.startswith(newline) and begins_content(rest, len(newline)):
        problems.append("a blank line too many before the headers of the content")
        rest = rest[len(newline) :]
    try:
        part = Part.parse(rest)
    except MimeError as exc:
        raise CpimError(f"in the headers of the content: {exc.problem}") from exc
    problems += part.problems
    if part.header("content-type") is None:
        problems.append("the content has no Content-Type")
    return Content(part.headers, len(data) - len(part.body), tuple(problems))


@functools.lru_cache(maxsize=_RECALLED)
def _recall(head: bytes) -> Content | None:
    """Read a head that ends with a blank line; ``None`` if it doesn't end there.

    Where it does, that is so whatever follows it.
    """
    content = parse_content(head, 0)
    return content if content.start == len(head) else None


def build_content_head(
    content_type: ContentType | str, fields: Iterable[tuple[str, str]]
) -> bytes:
    """Return the MIME headers of content to send, and the blank line after them.

    Raises:
        CpimError: They can't be written.
    """
    fields = tuple(fields)
    is_short = isinstance(content_type, str) and len(content_type) <= _RECALLED_LENGTH
    build = _recall_built if is_short and not fields else _build
    return build(content_type, fields)


def _build(
    content_type: ContentType | str, fields: tuple[tuple[str, str], ...]
) -> bytes:
    try:
        return bytes(Part.build(content_type, b"", headers=fields))
    except MimeError as exc:
        raise CpimError(exc.problem) from exc


# Of text only: types that are equal may be written in several ways.
_recall_built = functools.lru_cache(maxsize=_RECALLED)(_build)


def with_crlf(head: bytes) -> bytes:
    """Return header lines with the line ends that they should have."""
    if b"\r" in head:
        return head
    return head.replace(b"\n", b"\r\n")
