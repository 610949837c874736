"""Whether to route by location, and what was wrong with it (:rfc:`6442#section-4`)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, parse_number, quote
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
)

__all__ = ["GeolocationError", "parse_geolocation_routing"]

_MAX_CODE = 999


@dataclass(frozen=True, slots=True)
class GeolocationError:
    """The value of a Geolocation-Error header field: ``300;code="…"``."""

    code: int
    """Up to three digits: 100, 200, 201, 202, 300 or another."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> GeolocationError:
        """Read the value of a Geolocation-Error header field.

        Raises:
            SipParseError: It isn't a code with parameters.
        """
        digits, semicolon, parameters = text.partition(";")
        code = parse_number(digits.strip(WSP), _MAX_CODE)
        if code is None:
            raise SipParseError("the code has more than three digits")
        return cls(code, parse_parameters(semicolon + parameters))

    @classmethod
    def build(cls, code: int, text: str | None = None) -> GeolocationError:
        """Make one to send, with words for people."""
        return cls(code, () if text is None else (("code", text),))

    def __str__(self) -> str:
        written = (
            f";{name}={quote(value)}"  # A quoted string even where a token would do.
            if name.lower() == "code" and value is not None
            else format_parameters(((name, value),))
            for name, value in self.parameters
        )
        return str(self.code) + "".join(written)

    @property
    def text(self) -> str | None:
        """Words for people; ``None`` if there are none."""
        return find_parameter(self.parameters, "code")


def parse_geolocation_routing(text: str) -> bool:
    """Tell whether a request may be routed by its location.

    Only ``yes`` says so; what isn't known counts as ``no``
    (:rfc:`6442#section-4.2`).
    """
    return text.partition(";")[0].strip(WSP).lower() == "yes"
