"""Why a request is sent (:rfc:`3326#section-2`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, is_token, parse_number, quote, split_list
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
)

__all__ = ["Reason", "parse_reasons"]

_MAX_CAUSE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Reason:
    """One value of a Reason header field: ``SIP;cause=200;text="Answered"``."""

    protocol: str
    """``"SIP"``, ``"Q.850"`` or another; compare without regard to case."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Reason:
        """Read one value.

        Raises:
            SipParseError: It isn't a token with parameters.
        """
        protocol, semicolon, parameters = text.partition(";")
        protocol = protocol.strip(WSP)
        if not is_token(protocol):
            raise SipParseError("the protocol isn't a token")
        return cls(protocol, parse_parameters(semicolon + parameters))

    @classmethod
    def build(
        cls, cause: int, text: str | None = None, protocol: str = "SIP"
    ) -> Reason:
        """Make a reason to send: a status code, or what the protocol has for one."""
        words: Parameters = () if text is None else (("text", text),)
        return cls(protocol, (("cause", str(cause)), *words))

    def __str__(self) -> str:
        written = (
            f";{name}={quote(value)}"  # A quoted string even where a token would do.
            if name.lower() == "text" and value is not None
            else format_parameters(((name, value),))
            for name, value in self.parameters
        )
        return self.protocol + "".join(written)

    @property
    def cause(self) -> int | None:
        """The code; ``None`` if it has none that is a number."""
        value = find_parameter(self.parameters, "cause")
        if value is None or not (value.isascii() and value.isdigit()):
            return None
        return parse_number(value, _MAX_CAUSE)

    @property
    def text(self) -> str | None:
        """Words for people; ``None`` if there are none."""
        return find_parameter(self.parameters, "text")


def parse_reasons(values: Sequence[str]) -> tuple[Reason, ...]:
    """Read the comma-separated values of some lines, in order.

    Raises:
        SipParseError: One of them isn't a reason.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(Reason.parse(part) for part in parts if part)
