"""The identifiers of emergency calls and incidents (NENA-STA-010, 2.1.6 and 2.1.7)."""

from __future__ import annotations

import enum
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sip.errors import LocalError, SipParseError
from sip.fields import CallInfo
from sip.grammar import parse_host
from sip.message import Message
from sip.uri import OtherUri, Uri

__all__ = ["EmergencyIdentifier", "IdentifierKind", "identifiers_in"]

MIN_LENGTH, MAX_LENGTH = 10, 32
"""How long the unique part of an identifier is to be."""

_UNIQUE = re.compile(r"[A-Za-z0-9]++")

_OCTETS = 8  # 16 hexadecimal digits.


class IdentifierKind(enum.Enum):
    """What an identifier is of, as it stands in the URN."""

    CALL = "callid"
    INCIDENT = "incidentid"

    @property
    def purpose(self) -> str:
        """What Call-Info has for it."""
        return _PURPOSES[self]


_PURPOSES = {
    IdentifierKind.CALL: "emergency-CallId",
    IdentifierKind.INCIDENT: "emergency-IncidentId",
}

# By purpose in lower case; those with "nena" are of older editions.
_KINDS = {
    "emergency-callid": IdentifierKind.CALL,
    "emergency-incidentid": IdentifierKind.INCIDENT,
    "nena-callid": IdentifierKind.CALL,
    "nena-incidentid": IdentifierKind.INCIDENT,
}

# What stands before the kind in the URN; the others are of older editions.
_PREFIXES = ("emergency:uid:", "nena:uid:", "nena:")


@dataclass(frozen=True, slots=True)
class EmergencyIdentifier:
    """The identifier of a call or an incident: ``urn:emergency:uid:callid:…``."""

    kind: IdentifierKind

    uri: Uri
    """As it was written, to be copied into whatever concerns the same call."""

    unique: str | None
    """The part that is unique to the element; ``None`` if the URI has no such form."""

    element: str | None
    """The domain name of the element that made it; ``None`` likewise."""

    @classmethod
    def parse(cls, uri: Uri, kind: IdentifierKind | None = None) -> EmergencyIdentifier:
        """Read an identifier; what has an odd form is kept and not refused.

        Args:
            uri: The identifier.
            kind: What it is of, if the context tells.

        Raises:
            SipParseError: Neither the URI nor the context tells what it is of.
        """
        rest = uri.rest if isinstance(uri, OtherUri) and uri.scheme == "urn" else ""
        for prefix in _PREFIXES:
            if rest.lower().startswith(prefix):
                word, _, name = rest[len(prefix) :].partition(":")
                said = {known.value: known for known in IdentifierKind}
                unique, colon, element = name.partition(":")
                if word.lower() in said and colon:
                    return cls(said[word.lower()], uri, unique, element)
        if kind is None:
            raise SipParseError("not the identifier of a call or an incident")
        return cls(kind, uri, None, None)

    @classmethod
    def from_call_info(cls, info: CallInfo) -> EmergencyIdentifier | None:
        """Read the identifier that a Call-Info brings; ``None`` if it brings none."""
        kind = _KINDS.get((info.purpose or "").lower())
        return None if kind is None else cls.parse(info.uri, kind)

    @classmethod
    def new(
        cls,
        kind: IdentifierKind,
        element: str,
        random_hex: Callable[[int], str] = secrets.token_hex,
    ) -> EmergencyIdentifier:
        """Make a new identifier.

        Args:
            kind: What it is of.
            element: Our domain name.
            random_hex: Where unique text comes from.

        Raises:
            LocalError: ``element`` isn't a domain name.
        """
        try:
            parse_host(element)
        except SipParseError:
            raise LocalError("the element of an identifier is a domain name") from None
        unique = random_hex(_OCTETS)
        uri = OtherUri("urn", f"emergency:uid:{kind.value}:{unique}:{element}")
        return cls(kind, uri, unique, element)

    def __str__(self) -> str:
        return str(self.uri)

    @property
    def problem(self) -> str | None:
        """What is wrong with its form, in words; ``None`` if nothing is."""
        if self.unique is None or self.element is None:
            return "it isn't of the form urn:emergency:uid"
        if not MIN_LENGTH <= len(self.unique) <= MAX_LENGTH:
            return f"its unique part isn't {MIN_LENGTH} to {MAX_LENGTH} characters long"
        if _UNIQUE.fullmatch(self.unique) is None:
            return "its unique part isn't made of letters and digits"
        try:
            parse_host(self.element)
        except SipParseError:
            return "its element isn't a domain name"
        return None

    @property
    def call_info(self) -> CallInfo:
        """The value for a Call-Info header field."""
        return CallInfo(self.uri, (("purpose", self.kind.purpose),))


def identifiers_in(
    message: Message,
) -> tuple[EmergencyIdentifier | None, EmergencyIdentifier | None]:
    """Return the identifiers of the call and of the incident in a message.

    The first of each kind counts; a Call-Info that can't be read has none.
    """
    try:
        found = [EmergencyIdentifier.from_call_info(info) for info in message.call_info]
    except SipParseError:
        found = []
    by_kind = {each.kind: each for each in reversed(found) if each is not None}
    return by_kind.get(IdentifierKind.CALL), by_kind.get(IdentifierKind.INCIDENT)
