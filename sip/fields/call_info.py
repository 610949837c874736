"""More about the caller, and where it is (:rfc:`3261#section-20.9`, :rfc:`7852`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, split_list
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
)
from sip.uri import Uri, parse_uri

__all__ = ["CallInfo", "parse_call_infos"]


@dataclass(frozen=True, slots=True)
class CallInfo:
    """One value of a Call-Info header field: ``<cid:…>;purpose=…``."""

    uri: Uri

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> CallInfo:
        """Read one value, even without the angle brackets.

        An example of :rfc:`7852` leaves them out, and puts the purpose in quotes.

        Raises:
            SipParseError: It isn't a URI with parameters.
        """
        text = text.strip(WSP)
        if text.startswith("<"):
            uri, bracket, parameters = text[1:].partition(">")
            if not bracket:
                raise SipParseError("a < isn't closed")
        else:
            uri, semicolon, rest = text.partition(";")
            parameters = semicolon + rest
        return cls(parse_uri(uri.strip(WSP)), parse_parameters(parameters))

    def __str__(self) -> str:
        return f"<{self.uri}>{format_parameters(self.parameters)}"

    @property
    def purpose(self) -> str | None:
        """What it is, such as ``"EmergencyCallData.Comment"``; compare without case."""
        return find_parameter(self.parameters, "purpose") or None


def parse_call_infos(values: Sequence[str]) -> tuple[CallInfo, ...]:
    """Read the comma-separated values of some lines, in order.

    Raises:
        SipParseError: One of them isn't a URI with parameters.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(CallInfo.parse(part) for part in parts if part)
