"""How much a request is preferred to others (:rfc:`4412`, :rfc:`7135`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sip.errors import SipParseError
from sip.grammar import WSP, is_token, split_list

__all__ = ["ResourcePriority", "parse_resource_priorities"]

ESNET = "esnet"
"""The namespace of networks for emergency services (:rfc:`7135#section-4`)."""

_ESNET_PRIORITIES = ("0", "1", "2", "3", "4")


@dataclass(frozen=True, slots=True)
class ResourcePriority:
    """One value of a Resource-Priority header field: ``esnet.1``."""

    namespace: str
    """In lower case."""

    priority: str
    """In lower case; what comes before what is a matter of the namespace."""

    @classmethod
    def parse(cls, text: str) -> ResourcePriority:
        """Read one value.

        Raises:
            SipParseError: It isn't a namespace, a dot and a priority.
        """
        namespace, _, priority = text.strip(WSP).lower().partition(".")
        if not is_token(namespace) or not is_token(priority) or "." in priority:
            raise SipParseError("not a namespace and a priority")
        return cls(namespace, priority)

    def __str__(self) -> str:
        return f"{self.namespace}.{self.priority}"

    @property
    def esnet(self) -> int | None:
        """The priority of an emergency network, 0 to 4, the highest; else ``None``."""
        if self.namespace != ESNET or self.priority not in _ESNET_PRIORITIES:
            return None
        return int(self.priority)


def parse_resource_priorities(values: Sequence[str]) -> tuple[ResourcePriority, ...]:
    """Read the comma-separated values of some lines, in order.

    Raises:
        SipParseError: One of them isn't a resource priority.
    """
    parts = (part for value in values for part in split_list(value, ","))
    return tuple(ResourcePriority.parse(part) for part in parts if part)
