"""Who a message is from and to (:rfc:`3862#section-4.1`)."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from cpim.errors import CpimError
from cpim.escapes import escape, unescape
from cpim.grammar import ABSOLUTE_URI, STRING, TOKEN

__all__ = ["Address"]

_RECALLED = 256
_RECALLED_LENGTH = 128
"""How many addresses to remember, and up to which length: all messages of a session
have the same two, and what peers can make this hold is some hundred kilobytes."""

_URI = re.compile(ABSOLUTE_URI)
_STRING = re.compile(STRING, re.DOTALL)
_WORDS = re.compile(rf"{TOKEN}(?: {TOKEN})*")
_ADDRESS = re.compile(
    rf"(?:({STRING}) ?|((?:{TOKEN} )+))?<({ABSOLUTE_URI})>", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class Address:
    """A name and a URI, as in From, To and cc (:rfc:`3862#section-4.1`).

    Raises:
        CpimError: The URI isn't absolute, or has white space, controls or
            angle brackets in it.
    """

    uri: str
    """The URI as written.  Nobody has proved that it is the sender's."""

    name: str | None = None
    """The formal name, without quotes and escapes."""

    def __post_init__(self) -> None:
        if not _URI.fullmatch(self.uri):
            raise CpimError("the URI of an address isn't an absolute one")

    @classmethod
    def parse(cls, value: str, *, strict: bool = False) -> Address:
        """Read ``[Formal-name] <URI>``, with its escapes.

        Args:
            value: The header value as on the wire.
            strict: Refuse what the grammar doesn't know: a URI without angle
                brackets, something after them, a name that needs quotes.

        Raises:
            CpimError: It isn't an address.
        """
        read = _recall if len(value) <= _RECALLED_LENGTH else _parse_strictly
        address = read(value)
        if address is not None:
            return address
        if strict:
            raise CpimError("the address isn't of the form: name <URI>")
        return cls._parse_loosely(value.strip(" \t"))

    @classmethod
    def _parse_loosely(cls, value: str) -> Address:
        if "<" not in value:
            return cls(value)
        if match := _STRING.match(value):
            name, rest = match[0][1:-1], value[match.end() :].lstrip(" \t")
        else:
            name, rest = value.split("<", 1)
            name, rest = name.rstrip(" \t"), f"<{rest}"
        uri, bracket, _ = rest.partition(">")
        if not (uri.startswith("<") and bracket):
            raise CpimError("the address isn't of the form: name <URI>")
        return cls(uri[1:].strip(" \t"), unescape(name) or None)

    def __str__(self) -> str:
        """Return the header value, escaped as on the wire."""
        if not self.name:
            return f"<{self.uri}>"
        if _WORDS.fullmatch(self.name):
            return f"{self.name} <{self.uri}>"
        return f'"{escape(self.name, in_string=True)}" <{self.uri}>'


def _parse_strictly(value: str) -> Address | None:
    """Return the address that a value is by the grammar, if it is one."""
    match = _ADDRESS.fullmatch(value)
    if match is None:
        return None
    quoted, words, uri = match.groups()
    name = quoted[1:-1] if quoted else (words or "").rstrip(" ")
    return Address(uri, unescape(name) or None)


_recall = functools.lru_cache(maxsize=_RECALLED)(_parse_strictly)
