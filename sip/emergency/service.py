"""The services that one can call by name (:rfc:`5031`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.uri import OtherUri, Uri

__all__ = ["EMERGENCY_SERVICES", "ServiceUrn"]

EMERGENCY_SERVICES = frozenset(
    {
        "ambulance",
        "animal-control",
        "fire",
        "gas",
        "marine",
        "mountain",
        "physician",
        "poison",
        "police",
    }
)
"""The services below ``sos`` that :rfc:`5031#section-4.2` defines."""

# service-URN = "URN:service:" top-level *("." sub-service), each a label of up to 63
# letters, digits and hyphens.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?")

_MAX_LENGTH = 256  # "The maximum length of the concatenated labels", and the scheme.


@dataclass(frozen=True, slots=True)
class ServiceUrn:
    """A service: ``urn:service:sos.fire``."""

    labels: tuple[str, ...]
    """In lower case, the most general one first: ``("sos", "fire")``."""

    @classmethod
    def parse(cls, text: str) -> ServiceUrn:
        """Read a service URN, in any case.

        Raises:
            SipParseError: It isn't one.
        """
        lower = text.lower()
        if not lower.startswith("urn:service:") or len(lower) > _MAX_LENGTH:
            raise SipParseError("not a service URN")
        # What RFC 8141 lets a URN have at its end says nothing about the service.
        name = re.split(r"[?#;]", lower.removeprefix("urn:service:"), maxsplit=1)[0]
        labels = tuple(name.split("."))
        if not all(map(_LABEL.fullmatch, labels)):
            raise SipParseError("not a service URN")
        return cls(labels)

    @classmethod
    def from_uri(cls, uri: Uri) -> ServiceUrn | None:
        """Read a URI as a service; ``None`` if it doesn't name one."""
        if not isinstance(uri, OtherUri) or uri.scheme != "urn":
            return None
        try:
            return cls.parse(str(uri))
        except SipParseError:
            return None

    def __str__(self) -> str:
        return f"urn:service:{'.'.join(self.labels)}"

    @property
    def is_emergency(self) -> bool:
        """Whether it is ``sos``, whatever comes below it, or a test of that."""
        return self.labels[0] == "sos" or self.is_test

    @property
    def is_test(self) -> bool:
        """Whether it is a test call: ``test.sos`` (:rfc:`6881`, ED-79 and on)."""
        return self.labels[:2] == ("test", "sos")

    @property
    def sub_service(self) -> str | None:
        """What comes below ``sos``, such as ``"fire"``; ``None`` if nothing does."""
        below = self.labels[2:] if self.is_test else self.labels[1:]
        return ".".join(below) if self.is_emergency and below else None
