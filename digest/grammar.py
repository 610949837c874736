"""The grammar that challenges and credentials share (:rfc:`7235#section-2.1`).

A field is a scheme and parameters with commas between them; where several
challenges stand on one line, the commas between challenges are the same.  What is
read may be looser than what is written: values that should be quoted and aren't,
or the reverse, are common.  Reading takes time proportional to the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from digest.errors import DigestError

__all__ = [
    "MAX_VALUE",
    "check_text",
    "format_field",
    "parse_field",
    "parse_parameters",
    "quote",
    "split_fields",
]

MAX_VALUE = 4096
"""Characters in one value.  Nonces of 300 are the longest seen; what a client
remembers of a server is made of such values."""

_WSP = " \t"

# A comma, a quoted string, or a run of anything else.  No alternative overlaps.
_PIECE = re.compile(r'[^",]++|"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)

_TOKEN = r"[!#$%&'*+\-.0-9A-Z^_`a-z|~]++"
_PARAMETER = re.compile(rf"({_TOKEN})[ \t]*+=[ \t]*+(.*+)", re.DOTALL)
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]++(.*+))?+", re.DOTALL)
_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def parse_field(text: str) -> dict[str, str]:
    """Read one challenge or one set of credentials of the scheme Digest.

    Args:
        text: The value of the header field, unfolded.

    Returns:
        The parameters: names in lower case, values without quotes.

    Raises:
        DigestError: It is of another scheme, or not of the grammar.
    """
    fields = split_fields(text)
    if len(fields) != 1:
        raise DigestError("not exactly one challenge or set of credentials")
    scheme, parameters = fields[0]
    if scheme.lower() != "digest":
        raise DigestError("the scheme isn't Digest")
    return _parameters(parameters)


def parse_parameters(text: str) -> dict[str, str]:
    """Read parameters that no scheme precedes (:rfc:`7615`).

    Raises:
        DigestError: They aren't of the grammar.
    """
    return _parameters(_elements(text))


def split_fields(text: str) -> list[tuple[str, list[str]]]:
    """Take a line apart into its challenges, whatever their schemes are.

    Returns:
        The scheme and the unread parameters of each, in their order.

    Raises:
        DigestError: A quoted string isn't closed, or a parameter has no scheme.
    """
    fields: list[tuple[str, list[str]]] = []
    for element in _elements(text):
        if _PARAMETER.fullmatch(element) is None:
            match = _SCHEME.fullmatch(element)
            if match is None:
                raise DigestError("neither a scheme nor a parameter")
            fields.append((match[1], [match[2]] if match[2] else []))
        elif not fields:
            raise DigestError("the scheme is missing")
        else:
            fields[-1][1].append(element)
    return fields


def _elements(text: str) -> list[str]:
    """Split at the commas outside of quotes; empty elements are legal."""
    elements: list[list[str]] = [[]]
    at = 0
    while at < len(text):
        if text[at] == ",":
            elements.append([])
            at += 1
            continue
        match = _PIECE.match(text, at)
        if match is None:
            raise DigestError("a quoted string isn't closed")
        elements[-1].append(match[0])
        at = match.end()
    stripped = ("".join(pieces).strip(_WSP) for pieces in elements)
    return [element for element in stripped if element]


def _parameters(elements: Iterable[str]) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for element in elements:
        match = _PARAMETER.fullmatch(element)
        if match is None:
            raise DigestError("not a parameter")
        name = match[1].lower()
        if name in parameters:
            raise DigestError("a parameter is there twice")
        parameters[name] = check_text(_unquote(match[2]))
    return parameters


def _unquote(value: str) -> str:
    if not value.startswith('"'):
        if any(c in value for c in '" \t'):
            raise DigestError("a parameter goes on after its value")
        return value
    if _QUOTED.fullmatch(value) is None:
        raise DigestError("a parameter goes on after its quoted value")
    return _QUOTED_PAIR.sub(r"\1", value[1:-1])


def check_text(text: str) -> str:
    """Return ``text``, which may stand in a header field.

    Raises:
        DigestError: It is too long, has control characters, or can't be octets.
    """
    if len(text) > MAX_VALUE:
        raise DigestError(f"a value of more than {MAX_VALUE} characters")
    if _CONTROL.search(text) is not None:
        raise DigestError("a control character in a value")
    try:
        # Octets that aren't UTF-8 reach us as surrogates, and go back as octets.
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise DigestError("a value can't be written as UTF-8") from None
    return text


def quote(text: str) -> str:
    """Write ``text`` as a quoted string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def format_field(parameters: Iterable[tuple[str, str | None]]) -> str:
    """Write those parameters that have a value, which is quoted already or a token."""
    return ", ".join(f"{name}={value}" for name, value in parameters if value)
