"""What a subscription is about and how it fares (:rfc:`6665#section-8.2`)."""

from __future__ import annotations

from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, is_token
from sip.numbers import parse_seconds
from sip.parameters import (
    Parameters,
    find_parameter,
    format_parameters,
    parse_parameters,
)

__all__ = ["Event", "SubscriptionState"]


@dataclass(frozen=True, slots=True)
class Event:
    """The value of an Event header field: an event package, and which subscription."""

    package: str
    """Such as ``"refer"``; case matters."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> Event:
        """Read the value of an Event header field.

        Raises:
            SipParseError: It isn't a token with parameters.
        """
        return cls(*_split(text))

    def __str__(self) -> str:
        return f"{self.package}{format_parameters(self.parameters)}"

    @property
    def id(self) -> str | None:
        """What tells the subscriptions of a dialog apart; ``None`` without."""
        return find_parameter(self.parameters, "id")

    def matches(self, other: Event) -> bool:
        """Tell whether both are of the same subscription (:rfc:`6665#section-8.2.1`).

        Package and id count, octet by octet; other parameters don't.
        """
        return (self.package, self.id) == (other.package, other.id)


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """The value of a Subscription-State header field."""

    state: str
    """``"active"``, ``"pending"``, ``"terminated"`` or another, in lower case."""

    parameters: Parameters = ()

    @classmethod
    def parse(cls, text: str) -> SubscriptionState:
        """Read the value of a Subscription-State header field.

        Raises:
            SipParseError: It isn't a token with parameters.
        """
        state, parameters = _split(text)
        return cls(state.lower(), parameters)

    def __str__(self) -> str:
        return f"{self.state}{format_parameters(self.parameters)}"

    @property
    def terminated(self) -> bool:
        """Whether the subscription is over."""
        return self.state == "terminated"

    @property
    def reason(self) -> str | None:
        """Why it is over, such as ``"noresource"``, in lower case."""
        reason = find_parameter(self.parameters, "reason")
        return None if reason is None else reason.lower()

    @property
    def expires(self) -> int | None:
        """Seconds that are left; ``None`` if it doesn't say."""
        return _seconds(self.parameters, "expires")

    @property
    def retry_after(self) -> int | None:
        """Seconds to wait before one subscribes again; ``None`` if it doesn't say."""
        return _seconds(self.parameters, "retry-after")


def _split(text: str) -> tuple[str, Parameters]:
    word, semicolon, parameters = text.partition(";")
    word = word.rstrip(WSP)
    if not is_token(word):
        raise SipParseError("not a token with parameters")
    return word, parse_parameters(semicolon + parameters)


def _seconds(parameters: Parameters, name: str) -> int | None:
    value = find_parameter(parameters, name)
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return parse_seconds(value)
