"""One header as a line of octets, taken apart and put together."""

from __future__ import annotations

import re

from cpim.errors import CpimError
from cpim.escapes import escape, unescape
from cpim.grammar import HEADER_NAME, NAME, STRING, TOKEN, is_header_name, is_name

__all__ = ["Parameters", "SplitLine", "header_line", "split_line", "split_plain"]

Parameters = tuple[tuple[str, str], ...]
"""Names and values, without quotes and escapes."""

SplitLine = tuple[str, str, Parameters, tuple[str, ...]]
"""Name, value, parameters, and what was forgiven."""

_TOKEN = re.compile(TOKEN)
_PARAMETER = re.compile(rf";({NAME})=({TOKEN}|{STRING})", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# A header without parameters in which there is nothing to forgive.
_PLAIN = re.compile(rf"({HEADER_NAME}): ((?! )[^\x00-\x1f\x7f]*+)(?<! )")


def split_plain(line: bytes) -> SplitLine | None:
    """Split a line as nearly all are; ``None`` if it takes a closer look."""
    try:
        match = _PLAIN.fullmatch(line.decode())
    except UnicodeDecodeError:
        return None
    return None if match is None else (match[1], match[2], (), ())


def split_line(line: bytes) -> SplitLine:
    """Split any line.

    Raises:
        CpimError: It isn't a header.
    """
    problems: list[str] = []
    try:
        text = line.decode()
    except UnicodeDecodeError:
        problems.append("the header isn't UTF-8")
        text = line.decode(errors="replace")
    if "\r" in text or "\n" in text:
        raise CpimError("a line end that isn't one within a header")
    if _CONTROL.search(text):
        problems.append("a control character that isn't escaped")
    name, colon, rest = text.partition(":")
    if not colon or not is_header_name(name):
        raise CpimError("a line that doesn't begin with a header name and a colon")
    parameters, rest = _split_parameters(rest)
    if not rest.startswith(" "):
        problems.append("no space between the name and the value")
    value = rest.removeprefix(" ")
    if value != value.strip(" \t"):
        problems.append("white space around the value")
        value = value.strip(" \t")
    return name, value, parameters, tuple(problems)


def header_line(name: str, raw_value: str, parameters: Parameters = ()) -> bytes:
    """Return a header as it is written, without its line end.

    Raises:
        CpimError: It can't be written.
    """
    suffix = ""
    for parameter in parameters:
        suffix += _format_parameter(*parameter)
    try:
        return f"{name}:{suffix} {raw_value}".encode()
    except UnicodeEncodeError:
        raise CpimError("a header can't be written as UTF-8") from None


def _split_parameters(text: str) -> tuple[Parameters, str]:
    parameters: list[tuple[str, str]] = []
    at = 0
    while text.startswith(";", at):
        match = _PARAMETER.match(text, at)
        if match is None:
            raise CpimError("a parameter isn't of the form: name=value")
        value = match[2]
        is_string = value.startswith('"')
        parameters.append((match[1], unescape(value[1:-1]) if is_string else value))
        at = match.end()
    return tuple(parameters), text[at:]


def _format_parameter(name: str, value: str) -> str:
    if not is_name(name):
        raise CpimError("the name of a parameter has characters that it can't have")
    if _TOKEN.fullmatch(value):
        return f";{name}={value}"
    return f';{name}="{escape(value, in_string=True)}"'
