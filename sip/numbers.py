"""Numbers that header fields are made of (:rfc:`3261#section-25.1`)."""

from __future__ import annotations

import re

from sip.errors import SipParseError
from sip.grammar import WSP, parse_number

__all__ = ["MAX_SECONDS", "parse_counter", "parse_q", "parse_seconds"]

MAX_SECONDS = 2**32 - 1
"""The longest time a header field can tell, 136 years; longer ones count as this."""

# qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ); some write ".5".
_Q = re.compile(r"0?+(?:\.[0-9]{0,3})?+|1(?:\.0{0,3})?+")


def parse_seconds(text: str) -> int:
    """Read delta-seconds.

    Raises:
        SipParseError: It isn't a number.
    """
    seconds = parse_number(text.strip(WSP), MAX_SECONDS)
    return MAX_SECONDS if seconds is None else seconds


def parse_counter(text: str) -> int:
    """Read a number from 1 to 2**32 - 1.

    Raises:
        SipParseError: It isn't one.
    """
    number = parse_number(text, MAX_SECONDS)
    if not number:
        raise SipParseError("not a number from 1 to 4294967295")
    return number


def parse_q(text: str) -> float | None:
    """Read a qvalue, a preference from 0 to 1; ``None`` if it isn't one."""
    if not text or text == "." or _Q.fullmatch(text) is None:
        return None
    return float(text)
