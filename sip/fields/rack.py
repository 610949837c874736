"""The RAck header field: which response a PRACK is about (:rfc:`3262#section-7.2`)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.cseq import CSeq
from sip.errors import SipParseError
from sip.numbers import parse_counter

__all__ = ["MAX_FIRST_RSEQ", "RAck"]

MAX_FIRST_RSEQ = 2**31 - 1
"""The highest number for the first of some responses (:rfc:`3262#section-3`)."""


@dataclass(frozen=True, slots=True)
class RAck:
    """The RSeq and the CSeq of the provisional response that is acknowledged."""

    rseq: int
    """What the RSeq of the response said."""

    cseq: CSeq
    """The CSeq of the response, which is that of the request."""

    @classmethod
    def parse(cls, text: str) -> RAck:
        """Read the value of a RAck header field.

        Raises:
            SipParseError: It isn't two numbers and a method.
        """
        rseq, *rest = text.split(None, 1) or [""]
        if not rest:
            raise SipParseError("no two numbers and one method")
        return cls(parse_counter(rseq), CSeq.parse(rest[0]))

    def __str__(self) -> str:
        return f"{self.rseq} {self.cseq}"
