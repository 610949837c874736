"""How long a session lives unless it is refreshed (:rfc:`4028`)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.numbers import parse_seconds
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
    set_parameter,
    unset_parameter,
)

__all__ = ["MIN_SESSION_EXPIRES", "MinSE", "Refresher", "SessionExpires"]

MIN_SESSION_EXPIRES = 90
"""The shortest interval there may be, in seconds (:rfc:`4028#section-4`)."""


class Refresher(enum.Enum):
    """Who refreshes a session: a role in the transaction that set it up."""

    UAC = "uac"
    UAS = "uas"


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """The value of a Session-Expires header field."""

    interval: int
    """Seconds until the session ends unless it is refreshed."""

    refresher: Refresher | None = None
    """``None`` if that is left to the other side, or neither of the two."""

    parameters: Parameters = ()
    """All others."""

    @classmethod
    def parse(cls, text: str) -> SessionExpires:
        """Read the value of a Session-Expires header field.

        Raises:
            SipParseError: It isn't a number of seconds with parameters.
        """
        seconds, parameters = _split(text)
        refresher = (find_parameter(parameters, "refresher") or "").lower()
        known = {role.value: role for role in Refresher}.get(refresher)
        return cls(seconds, known, unset_parameter(parameters, "refresher"))

    def __str__(self) -> str:
        parameters = self.parameters
        if self.refresher is not None:
            parameters = set_parameter(parameters, "refresher", self.refresher.value)
        return f"{self.interval}{format_parameters(parameters)}"


@dataclass(frozen=True, slots=True)
class MinSE:
    """The value of a Min-SE header field (:rfc:`4028#section-5`)."""

    interval: int
    """The shortest Session-Expires that all elements on the path bear, in seconds."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> MinSE:
        """Read the value of a Min-SE header field.

        Raises:
            SipParseError: It isn't a number of seconds with parameters.
        """
        return cls(*_split(text))

    def __str__(self) -> str:
        return f"{self.interval}{format_parameters(self.parameters)}"


def _split(text: str) -> tuple[int, Parameters]:
    seconds, semicolon, parameters = text.partition(";")
    if not seconds:
        raise SipParseError("no number of seconds")
    return parse_seconds(seconds), parse_parameters(semicolon + parameters)
