"""The ``; name=value`` lists of MIME header fields.

``Content-Type`` and ``Content-Disposition`` share their grammar: a value, then
parameters, with comments and white space between them
(:rfc:`2045#section-5.1`).  Here it is cut into text; what a parameter means is
the business of the field.

What peers send is looser than the grammar: white space around ``=``, values
with characters that should have been quoted, a semicolon too many.  All of that
is accepted.  Reading takes time proportional to the length of the field.
"""

from __future__ import annotations

import re

from mime.errors import MimeError

__all__ = [
    "MAX_SPECIALS",
    "Parameters",
    "check_parameters",
    "format_parameters",
    "has_control_characters",
    "is_token",
    "parameter",
    "split_parameters",
    "strip_comments",
]

MAX_SPECIALS = 256
"""Semicolons, quotes, parentheses and backslashes in one field.  Real ones have a
dozen, a file name that is escaped all over may have 200; each costs a turn of a loop,
in every part of a message, while the other characters cost next to nothing."""

Parameters = tuple[tuple[str, str], ...]
"""Names in lower case and values without quotes, in the order they were written."""

# RFC 2045 section 5.1: any printable US-ASCII character but the tspecials.
_TOKEN = re.compile(r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]+")

# A quoted string (its closing quote may be missing), a semicolon, the start of a
# comment, or a run of anything else.  No alternative overlaps another.
_LEXEME = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|;|\(|[^";(]+', re.DOTALL)
_COMMENT_LEXEME = re.compile(r"\\.|[()]|[^\\()]+|\\", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_FOLD = re.compile(r"\r?\n(?=[ \t])")


def is_token(text: str) -> bool:
    """Tell whether ``text`` is a ``token`` (:rfc:`2045#section-5.1`)."""
    return _TOKEN.fullmatch(text) is not None


def has_control_characters(text: str) -> bool:
    """Tell whether ``text`` holds US-ASCII controls, the tab not counted."""
    return _CONTROL.search(text) is not None


def strip_comments(text: str) -> str:
    """Return the value of a structured field without its comments, trimmed.

    One with more than :data:`MAX_SPECIALS` keeps them.
    """
    if _has_too_many_specials(text):
        return text
    return ";".join(_segments(text)).strip(" \t")


def split_parameters(text: str) -> tuple[str, Parameters]:
    """Cut a field value into what precedes the first semicolon, and parameters.

    A segment that isn't ``name=value`` is left out: there is nothing that could
    be done with it.

    Raises:
        MimeError: There are control characters in it, or too many special ones.
    """
    text = _FOLD.sub("", text)
    if has_control_characters(text):
        raise MimeError("a control character in a header field")
    if _has_too_many_specials(text):
        raise MimeError(f"more than {MAX_SPECIALS} special characters in a field")
    value, *rest = _segments(text)
    parameters: list[tuple[str, str]] = []
    for segment in rest:
        name, equals, raw = segment.partition("=")
        name = name.strip(" \t").lower()
        if equals and is_token(name):
            parameters.append((name, _unquote(raw.strip(" \t"))))
    return value.strip(" \t"), tuple(parameters)


def parameter(parameters: Parameters, name: str) -> str | None:
    """Return the first value of the parameter, whose name may be in any case."""
    wanted = name.lower()
    return next((value for key, value in parameters if key == wanted), None)


def format_parameters(parameters: Parameters) -> str:
    """Write ``; name=value`` for each, quoting the values that need it."""
    return "".join(f"; {name}={_quote(value)}" for name, value in parameters)


def check_parameters(parameters: Parameters) -> Parameters:
    """Return the parameters with their names in lower case.

    Raises:
        MimeError: A name isn't a token, or a value can't stand in a header field.
    """
    for name, value in parameters:
        if not is_token(name):
            raise MimeError("the name of a parameter isn't a token")
        if has_control_characters(value):
            raise MimeError("a control character in the value of a parameter")
    return tuple((name.lower(), value) for name, value in parameters)


def _has_too_many_specials(text: str) -> bool:
    return sum(map(text.count, ';"()\\')) > MAX_SPECIALS


def _segments(text: str) -> list[str]:
    """Split at the semicolons outside of quotes, and drop the comments."""
    segments: list[list[str]] = [[]]
    at = 0
    while match := _LEXEME.match(text, at):
        lexeme, at = match[0], match.end()
        if lexeme == ";":
            segments.append([])
        elif lexeme == "(" and _opens_comment(text, match.start()):
            at = _end_of_comment(text, at)
        else:
            segments[-1].append(lexeme)
    return ["".join(pieces) for pieces in segments]


def _opens_comment(text: str, at: int) -> bool:
    # A parenthesis within a word is a comment by the book, but what is seen is
    # the unquoted file name "photo(1).jpg".
    return at == 0 or text[at - 1] in ' \t;")'


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    while depth and (match := _COMMENT_LEXEME.match(text, at)):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        at = match.end()
    return at


def _unquote(raw: str) -> str:
    if not raw.startswith('"'):
        return raw
    match = _LEXEME.match(raw)
    assert match is not None
    inner = match[0][1:]
    if inner.endswith('"') and match.end() - match.start() > 1:
        inner = inner[:-1]
    return _QUOTED_PAIR.sub(r"\1", inner)


def _quote(value: str) -> str:
    if is_token(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
