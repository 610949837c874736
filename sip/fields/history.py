"""How a request came to where it is (:rfc:`7044`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip.fields.privacy import parse_privacy
from sip.fields.reason import Reason, parse_reasons
from sip.grammar import split_list
from sip.name_addr import NameAddr
from sip.uri import SipUri, Uri

__all__ = ["HistoryInfo", "parse_history"]


@dataclass(frozen=True, slots=True)
class HistoryInfo:
    """One value of a History-Info header field: a target that the request had."""

    address: NameAddr

    @classmethod
    def parse(cls, text: str) -> HistoryInfo:
        """Read one value.

        Raises:
            SipParseError: It isn't an address.
        """
        return cls(NameAddr.parse(text))

    def __str__(self) -> str:
        return str(self.address)

    @property
    def uri(self) -> Uri:
        """The target, with the headers that say more about it."""
        return self.address.uri

    @property
    def index(self) -> str | None:
        """Its place in the tree, such as ``"1.2"``; ``None`` if it doesn't say."""
        return self.address.parameter("index") or None

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Why the request went on from there.

        Raises:
            SipParseError: The reason in the URI isn't well formed.
        """
        text = self.uri.header("Reason") if isinstance(self.uri, SipUri) else None
        return () if text is None else parse_reasons([text])

    @property
    def privacy(self) -> tuple[str, ...]:
        """What is to be hidden of this one, in lower case."""
        text = self.uri.header("Privacy") if isinstance(self.uri, SipUri) else None
        return () if text is None else parse_privacy([text])


def parse_history(values: Sequence[str]) -> tuple[HistoryInfo, ...]:
    """Read the comma-separated values of some lines, in order.

    Raises:
        SipParseError: One of them isn't an address.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(HistoryInfo.parse(part) for part in parts if part)
