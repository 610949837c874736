"""The second half of a ``message/cpim``: its MIME part (:rfc:`3862#section-2.4`)."""

from __future__ import annotations

import re

from cpim.errors import CpimError
from mime import MimeError, Part
from mime.headers import line_end_of

__all__ = ["begins_content", "may_begin_content", "read_content", "with_crlf"]

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


def read_content(data: bytes) -> tuple[Part, tuple[str, ...]]:
    """Read the part behind the CPIM headers, and return what was wrong with it.

    Without MIME headers everything is content, and that is plain text.

    Raises:
        CpimError: It has too many headers.
    """
    problems: list[str] = []
    newline = line_end_of(data)
    if data.startswith(newline) and begins_content(data, len(newline)):
        problems.append("a blank line too many before the headers of the content")
        data = data[len(newline) :]
    try:
        part = Part.parse(data)
    except MimeError as exc:
        raise CpimError(f"in the headers of the content: {exc.problem}") from exc
    problems += part.problems
    if part.header("content-type") is None:
        problems.append("the content has no Content-Type")
    return part, tuple(problems)


def with_crlf(head: bytes) -> bytes:
    """Return header lines with the line ends that they should have."""
    if b"\r" in head:
        return head
    return head.replace(b"\n", b"\r\n")
