"""When to try again (:rfc:`3261#section-20.33`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP
from sip.numbers import parse_seconds
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
)

__all__ = ["RetryAfter"]

_COMMENT_STOP = re.compile(r"[()\\]")
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_NEEDS_BACKSLASH = re.compile(r"[()\\]")


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """The value of a Retry-After header field: ``120 (In a meeting);duration=60``."""

    seconds: int
    """How long to wait."""

    comment: str | None = None
    """Words for people."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> RetryAfter:
        """Read the value of a Retry-After header field.

        Raises:
            SipParseError: It isn't a number of seconds.
        """
        text = text.strip(WSP)
        digits = text[: len(text) - len(text.lstrip("0123456789"))]
        seconds, rest = parse_seconds(digits), text[len(digits) :].lstrip(WSP)
        comment: str | None = None
        if rest.startswith("("):
            end = _end_of_comment(rest)
            comment = _QUOTED_PAIR.sub(r"\1", rest[1 : end - 1])
            rest = rest[end:].lstrip(WSP)
        return cls(seconds, comment, parse_parameters(rest))

    def __str__(self) -> str:
        comment = ""
        if self.comment is not None:
            comment = f" ({_NEEDS_BACKSLASH.sub(_escape, self.comment)})"
        return f"{self.seconds}{comment}{format_parameters(self.parameters)}"

    @property
    def duration(self) -> int | None:
        """How many seconds it will last after that; ``None`` if it doesn't say."""
        value = find_parameter(self.parameters, "duration")
        if value is None or not (value.isascii() and value.isdigit()):
            return None
        return parse_seconds(value)


def _escape(match: re.Match[str]) -> str:
    return f"\\{match[0]}"


def _end_of_comment(text: str) -> int:
    """Find the end of the comment at the start; comments may be in comments."""
    depth = at = 0
    while (match := _COMMENT_STOP.search(text, at)) is not None:
        at = match.end() + (match[0] == "\\")
        if match[0] != "\\":
            depth += 1 if match[0] == "(" else -1
            if depth == 0:
                return at
    raise SipParseError("a comment isn't closed")
