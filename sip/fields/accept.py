"""What the sender of a message can take (:rfc:`3261#section-20.1`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, is_token, split_list
from sip.numbers import parse_q
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
)

__all__ = ["Accepted", "MediaRange", "parse_accepted", "parse_media_ranges"]


@dataclass(frozen=True, slots=True)
class MediaRange:
    """One value of an Accept header field: ``application/*;q=0.5``."""

    type: str
    """In lower case; ``"*"`` for any."""

    subtype: str
    """In lower case; ``"*"`` for any."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> MediaRange:
        """Read one value.

        Raises:
            SipParseError: It isn't a media range.
        """
        name, semicolon, parameters = text.partition(";")
        type_, slash, subtype = name.partition("/")
        type_, subtype = type_.strip(WSP), subtype.strip(WSP)
        if not (slash and is_token(type_) and is_token(subtype)):
            raise SipParseError("not a media range")
        parsed = parse_parameters(semicolon + parameters)
        return cls(type_.lower(), subtype.lower(), parsed)

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}{format_parameters(self.parameters)}"

    @property
    def q(self) -> float:
        """How much it is wanted, from 0, not at all, to 1."""
        return _q(self.parameters)

    def covers(self, content_type: str) -> bool:
        """Tell whether a type such as ``"text/plain;charset=utf-8"`` is in the range.

        Parameters don't count.
        """
        essence = content_type.partition(";")[0]
        type_, _, subtype = essence.strip(WSP).lower().partition("/")
        return self.type in ("*", type_) and self.subtype in ("*", subtype)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One value of an Accept-Language or Accept-Encoding: ``en-gb;q=0.8``."""

    value: str
    """A language range or a coding, in lower case; ``"*"`` for any."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Accepted:
        """Read one value.

        Raises:
            SipParseError: It isn't a token with parameters.
        """
        value, semicolon, parameters = text.partition(";")
        value = value.strip(WSP)
        if not is_token(value):
            raise SipParseError("not a token with parameters")
        return cls(value.lower(), parse_parameters(semicolon + parameters))

    def __str__(self) -> str:
        return f"{self.value}{format_parameters(self.parameters)}"

    @property
    def q(self) -> float:
        """How much it is wanted, from 0, not at all, to 1."""
        return _q(self.parameters)

    def covers(self, tag: str) -> bool:
        """Tell whether a language tag or coding is in the range.

        The range ``en`` covers ``en-GB`` (:rfc:`4647#section-3.3.1`).
        """
        tag = tag.lower()
        return self.value in ("*", tag) or tag.startswith(f"{self.value}-")


def _q(parameters: Parameters) -> float:
    # What can't be read is no reason to think that it isn't wanted.
    q = parse_q(find_parameter(parameters, "q") or "")
    return 1.0 if q is None else q


def parse_media_ranges(values: Sequence[str]) -> tuple[MediaRange, ...]:
    """Read the comma-separated values of some Accept lines, in order.

    Raises:
        SipParseError: One of them isn't a media range.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(MediaRange.parse(part) for part in parts if part)


def parse_accepted(values: Sequence[str]) -> tuple[Accepted, ...]:
    """Read the values of some Accept-Language or Accept-Encoding lines, in order.

    Raises:
        SipParseError: One of them isn't a token with parameters.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(Accepted.parse(part) for part in parts if part)
