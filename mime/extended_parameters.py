"""Parameters in other charsets and in pieces (:rfc:`2231`).

``filename*=UTF-8''na%C3%AFve.txt`` is a value in another charset than US-ASCII;
``filename*0="long"; filename*1="er.txt"`` is one in pieces; and both can be had
at once.
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from mime.charset import decode_text
from mime.parameters import Parameters, parameter

__all__ = ["decoded_parameter", "encoded_parameter"]

MAX_SECTION_DIGITS = 3
"""Digits in the number of a piece: a thousand pieces are more than a head holds."""

# RFC 2231 section 7, attribute-char: a token without "*", "'" and "%".
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`{|}~"


def decoded_parameter(parameters: Parameters, name: str) -> str | None:
    """Return the value of a parameter, decoded and put together.

    The extended form wins over the plain one, which is there for those who
    can't read it.
    """
    extended = parameter(parameters, f"{name}*")
    if extended is not None:
        return _decode(*_split_charset(extended))
    joined = _joined_sections(parameters, name)
    return parameter(parameters, name) if joined is None else joined


def encoded_parameter(name: str, value: str) -> Parameters:
    """Return the parameters that carry ``value``: one, or two if it isn't ASCII.

    The plain one has underscores for what US-ASCII can't say.
    """
    plain = "".join(c if " " <= c <= "~" else "_" for c in value)
    if plain == value:
        return ((name, value),)
    octets = value.encode("utf-8", "replace")
    extended = f"UTF-8''{quote(octets, safe=_ATTRIBUTE_CHARACTERS)}"
    return ((name, plain), (f"{name}*", extended))


def _split_charset(value: str) -> tuple[str | None, bytes]:
    charset, quote_mark, rest = value.partition("'")
    _, second_mark, encoded = rest.partition("'")
    if not (quote_mark and second_mark):
        charset, encoded = "", value
    octets = unquote_to_bytes(encoded.encode("utf-8", "replace"))
    return charset or None, octets


def _joined_sections(parameters: Parameters, name: str) -> str | None:
    sections: dict[int, tuple[str, bool]] = {}
    prefix = f"{name}*"
    for key, value in parameters:
        digits = key.removeprefix(prefix).removesuffix("*")
        if key.startswith(prefix) and _is_section_number(digits):
            sections.setdefault(int(digits), (value, key.endswith("*")))
    if 0 not in sections:
        return None
    charset: str | None = None
    octets: list[bytes] = []
    for number in range(len(sections)):
        if number not in sections:
            break  # A piece is missing: what follows it has no place.
        value, is_extended = sections[number]
        plain = value.encode("utf-8", "replace")
        piece = unquote_to_bytes(plain) if is_extended else plain
        if number == 0 and is_extended:
            charset, piece = _split_charset(value)
        octets.append(piece)
    return _decode(charset, b"".join(octets))


def _is_section_number(digits: str) -> bool:
    is_number = digits.isascii() and digits.isdigit()
    return is_number and len(digits) <= MAX_SECTION_DIGITS


def _decode(charset: str | None, octets: bytes) -> str:
    return decode_text(octets, charset).text
