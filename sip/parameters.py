"""Header field parameters: ``;name=value;flag`` (:rfc:`3261#section-7.3.1`).

They are kept as pairs in the order of the wire.  A value is text without its
quotes and backslashes; a parameter that has none, such as ``;lr``, has
``None``.  Names are compared without regard to case.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from sip.errors import LocalError, SipParseError
from sip.grammar import WSP, end_of_quoted_string, is_token, quote, split_list, unquote

__all__ = [
    "PLAIN",
    "Parameters",
    "find_parameter",
    "format_parameters",
    "parse_parameters",
    "set_parameter",
    "split_plain",
    "unset_parameter",
]

Parameters: TypeAlias = tuple[tuple[str, str | None], ...]
"""Parameters in the order of the wire; ``None`` stands for no value."""

# gen-value = token / host / quoted-string, and what is seen in the wild and
# can't be mistaken for the end of the value.
_BARE_VALUE = re.compile(r"[^\x00-\x20\x7f\",;<>\\]++")

# What is written without quotes: a token, or a host with or without its port.
_NEEDS_NO_QUOTES = re.compile(r"[A-Za-z0-9\-.!%*_+`'~:\[\]]++")


# What nearly all parameters look like: no white space, no quotes.  The full
# grammar below gives the same for them, and takes several times as long.
PLAIN = r"(?:;[A-Za-z0-9\-.!%*_+`'~]++(?:=[A-Za-z0-9\-.!%*_+`'~:\[\]]++)?+)*+"
"""A regular expression for parameters that :func:`split_plain` can split."""

_PLAIN = re.compile(PLAIN)


def parse_parameters(text: str) -> Parameters:
    """Read ``;name=value;flag`` up to the end of ``text``.

    Raises:
        SipParseError: A parameter is empty, isn't one, or is there twice.
    """
    if not text:
        return ()
    if _PLAIN.fullmatch(text) is not None:
        return split_plain(text)
    text = text.strip(WSP)
    if not text:
        return ()
    first, *parts = split_list(text, ";")
    if first:
        raise SipParseError("parameters don't start with a semicolon")
    return _unique(tuple(map(_parse_parameter, parts)))


def split_plain(text: str) -> Parameters:
    """Split parameters that are plain, as the expression above has it, or none.

    Raises:
        SipParseError: One is there twice.
    """
    if not text:
        return ()
    first, another, _ = text[1:].partition(";")
    if not another:  # One alone, such as a tag, is there once.
        name, _, value = first.partition("=")
        return ((name, value or None),)
    pairs: list[tuple[str, str | None]] = []
    names: set[str] = set()
    for part in text[1:].split(";"):
        name, _, value = part.partition("=")
        pairs.append((name, value or None))
        names.add(name.lower())
    if len(names) < len(pairs):
        raise SipParseError(_TWICE)
    return tuple(pairs)


_TWICE = "a parameter is there twice"


def _unique(parameters: Parameters) -> Parameters:
    if len({name.lower() for name, _ in parameters}) < len(parameters):
        raise SipParseError(_TWICE)
    return parameters


def _parse_parameter(text: str) -> tuple[str, str | None]:
    name, _, value = text.partition("=")
    name = name.rstrip(WSP)
    if not is_token(name):
        raise SipParseError("a parameter has no proper name")
    value = value.lstrip(WSP)
    if not value:
        return name, None  # ";name=" is illegal, in use, and can mean only this.
    if value.startswith('"'):
        if end_of_quoted_string(value, 0) != len(value):
            raise SipParseError("a parameter goes on after its quoted value")
        return name, unquote(value)
    if _BARE_VALUE.fullmatch(value) is None:
        raise SipParseError("a parameter has no proper value")
    return name, value


def format_parameters(parameters: Parameters) -> str:
    """Write parameters, each with the semicolon before it."""
    if not parameters:
        return ""
    plain = _NEEDS_NO_QUOTES.fullmatch
    return "".join(
        [
            f";{name}"
            if value is None
            else f";{name}={value if plain(value) is not None else quote(value)}"
            for name, value in parameters
        ]
    )


def find_parameter(parameters: Parameters, name: str) -> str | None:
    """Look up a parameter.

    Returns:
        Its value, ``""`` if it is there without one, ``None`` if it isn't there.
    """
    for known, value in parameters:
        if known == name:
            return "" if value is None else value
    lower = name.lower()  # Hardly ever are they written in another way.
    for known, value in parameters:
        if known.lower() == lower:
            return "" if value is None else value
    return None


def set_parameter(parameters: Parameters, name: str, value: str | None) -> Parameters:
    """Give the parameters with one changed in its place, or put at the end.

    Raises:
        LocalError: ``name`` isn't a token.
    """
    if not is_token(name):
        raise LocalError("the name of a parameter must be a token")
    if find_parameter(parameters, name) is None:
        return (*parameters, (name, value))
    return tuple(
        (name, value) if known.lower() == name.lower() else (known, old)
        for known, old in parameters
    )


def unset_parameter(parameters: Parameters, name: str) -> Parameters:
    """Give the parameters without one of them."""
    return tuple(pair for pair in parameters if pair[0].lower() != name.lower())
