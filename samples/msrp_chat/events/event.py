"""What all events have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from msrp_chat.terminal.line import Line

__all__ = ["Event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that has happened."""

    name: ClassVar[str] = ""
    """Its name in JSON."""

    def line(self) -> Line | None:
        """Return how to show it, if it is to be shown."""
        return None
