"""What is the matter, in more detail than a status (:rfc:`3261#section-20.43`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, end_of_quoted_string, quote, split_list, unquote

__all__ = ["WarningValue", "parse_warnings"]


@dataclass(frozen=True, slots=True)
class WarningValue:
    """One value of a Warning header field: ``304 host "Media type not available"``."""

    code: int
    """100 to 999; the registered ones begin with 3."""

    agent: str
    """Who says so: a host with or without its port, or a pseudonym."""

    text: str
    """Words for people."""

    @classmethod
    def parse(cls, text: str) -> WarningValue:
        """Read one value.

        Raises:
            SipParseError: It isn't a code, an agent and a quoted string.
        """
        code, _, rest = text.strip(WSP).partition(" ")
        agent, _, words = rest.lstrip(WSP).partition(" ")
        words = words.lstrip(WSP)
        if len(code) != 3 or not (code.isascii() and code.isdigit()):
            raise SipParseError("no code of three digits")
        if not agent or agent.startswith('"'):
            raise SipParseError("it doesn't say who warns")
        if not words.startswith('"') or end_of_quoted_string(words, 0) != len(words):
            raise SipParseError("the text isn't one quoted string")
        return cls(int(code), agent, unquote(words))

    def __str__(self) -> str:
        return f"{self.code:03} {self.agent} {quote(self.text)}"


def parse_warnings(values: Sequence[str]) -> tuple[WarningValue, ...]:
    """Read the comma-separated values of some lines, in order.

    Raises:
        SipParseError: One of them isn't a warning.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(WarningValue.parse(part) for part in parts if part)
