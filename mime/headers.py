"""The header fields in front of a body (:rfc:`2045#section-3`)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mime.errors import MimeError, MimeLimitExceeded
from mime.parameters import has_control_characters, is_token

__all__ = [
    "MAX_HEADERS",
    "MAX_HEAD_SIZE",
    "Head",
    "Headers",
    "format_head",
    "line_end_of",
]

MAX_HEAD_SIZE = 65_536
"""Octets of header fields in front of one body: room for any real part, whose
fields take some hundred, yet little beside the body that a peer may send anyway."""

MAX_HEADERS = 256
"""Header fields in front of one body; real parts have two to five."""

Headers = tuple[tuple[str, str], ...]
"""Names as written and values without folding, in order."""

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Head:
    """The header fields of a part, and the octets they were read from."""

    headers: Headers
    """The fields that could be read."""

    raw: bytes
    """All octets before the body, the blank line included."""

    problems: tuple[str, ...] = ()
    """What was wrong, in words."""

    @classmethod
    def parse(cls, data: bytes, *, newline: bytes | None = None) -> Head:
        """Read the header fields at the start of ``data``.

        The body begins at ``len(head.raw)``.  Data that doesn't begin with a
        header field is all body: some senders forget the blank line when they
        have no fields.

        Args:
            data: A part: fields, a blank line, the body.
            newline: How lines end; by default as the first line does.

        Raises:
            MimeLimitExceeded: More than :data:`MAX_HEAD_SIZE` octets or
                :data:`MAX_HEADERS` fields.
        """
        newline = newline or line_end_of(data)
        if data.startswith(newline):
            return cls((), newline)
        if _split_field(data[:MAX_HEAD_SIZE].partition(newline)[0]) is None:
            return cls((), b"", _no_fields(data))
        stop = data.find(newline * 2, 0, MAX_HEAD_SIZE)
        if stop >= 0:
            headers, problems = _parse_fields(data[:stop], newline)
            return cls(headers, data[: stop + 2 * len(newline)], problems)
        if len(data) > MAX_HEAD_SIZE:
            raise MimeLimitExceeded(f"more than {MAX_HEAD_SIZE} octets of headers")
        return cls._parse_unterminated(data, newline)

    @classmethod
    def _parse_unterminated(cls, data: bytes, newline: bytes) -> Head:
        # Fields and no body are legal (RFC 2046 section 5.1), but a line of text
        # with a colon in it is the likelier thing unless it looks like MIME.
        headers, problems = _parse_fields(data.removesuffix(newline), newline)
        is_mime = any(name.lower().startswith("content-") for name, _ in headers)
        if problems or not is_mime:
            return cls((), b"", _no_fields(data))
        return cls(headers, data)


def format_head(headers: Iterable[tuple[str, str]]) -> bytes:
    """Write header fields and the blank line after them.

    Raises:
        MimeError: A name isn't a token, or a value holds a control character
            or can't be written as UTF-8.
    """
    lines: list[str] = []
    for name, value in headers:
        if not is_token(name):
            raise MimeError("the name of a header field isn't a token")
        if has_control_characters(value):
            raise MimeError("a control character in the value of a header field")
        lines.append(f"{name}: {value}\r\n")
    lines.append("\r\n")
    try:
        return "".join(lines).encode()
    except UnicodeEncodeError:
        raise MimeError("a header field can't be written as UTF-8") from None


def line_end_of(data: bytes) -> bytes:
    """Return how the first line ends: ``CR LF``, or else a bare ``LF``."""
    at = data.find(b"\n")
    return b"\n" if at == 0 or (at > 0 and data[at - 1] != 0x0D) else b"\r\n"


def _no_fields(data: bytes) -> tuple[str, ...]:
    return ("the headers or the blank line after them are missing",) if data else ()


def _parse_fields(block: bytes, newline: bytes) -> tuple[Headers, tuple[str, ...]]:
    headers: list[tuple[str, str]] = []
    problems: list[str] = []
    for line in _unfold(block.split(newline)):
        field = _split_field(line)
        if field is None:
            problems.append("a line that isn't a header field")
            continue
        name, raw = field
        value = _to_text(raw)
        if has_control_characters(value):
            problems.append("a control character in a header field")
        headers.append((name, _CONTROL.sub(" ", value).strip(" \t")))
    if len(headers) > MAX_HEADERS:
        raise MimeLimitExceeded(f"more than {MAX_HEADERS} header fields")
    return tuple(headers), tuple(dict.fromkeys(problems))


def _unfold(lines: list[bytes]) -> list[bytes]:
    unfolded: list[list[bytes]] = []
    for line in lines:
        if line[:1] in {b" ", b"\t"} and unfolded:
            unfolded[-1].append(line)
        else:
            unfolded.append([line])
    return [b"".join(pieces) for pieces in unfolded]


def _split_field(line: bytes) -> tuple[str, bytes] | None:
    raw_name, colon, value = line.partition(b":")
    name = raw_name.rstrip(b" \t").decode("latin-1")
    return (name, value) if colon and is_token(name) else None


def _to_text(raw: bytes) -> str:
    # Header fields of 8-bit senders are UTF-8, or else what latin-1 shows best.
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
