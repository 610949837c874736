"""The CSeq header field (:rfc:`3261#section-20.16`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.frozen import quick_init
from sip.grammar import is_token, parse_number

__all__ = ["MAX_CSEQ", "CSeq"]

MAX_CSEQ = 2**31 - 1
"""The highest number to send (:rfc:`3261#section-8.1.1.5`)."""

# Sent against the rule by some, and unambiguous: 32 bits.
_MAX_RECEIVED = 2**32 - 1

# What nearly all values look like; the same as the full grammar gives.
_PLAIN = re.compile(r"([0-9]{1,9}) ([A-Z]++)")


@quick_init
@dataclass(frozen=True, slots=True)
class CSeq:
    """The place of a request in its dialog."""

    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        """Read the value of a CSeq header field.

        Raises:
            SipParseError: It isn't a number of 32 bits and a method.
        """
        plain = _PLAIN.fullmatch(text)
        if plain is not None:
            return cls(int(plain[1]), plain[2])
        digits, *rest = text.split()[:3] or [""]
        number = parse_number(digits, _MAX_RECEIVED)
        if number is None:
            raise SipParseError("the number has more than 32 bits")
        if len(rest) != 1 or not is_token(rest[0]):
            raise SipParseError("no number and one method")
        return cls(number, rest[0])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"
