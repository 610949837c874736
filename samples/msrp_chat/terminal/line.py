"""One line in the terminal, before it is decided how it looks."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Line", "Mood", "Tick", "Who", "amount", "one_line"]


class Who(enum.Enum):
    """Who says or does it."""

    US = enum.auto()
    THEM = enum.auto()
    NOBODY = enum.auto()


class Mood(enum.Enum):
    """How a line is to look."""

    SAID = enum.auto()
    """Part of the conversation."""

    GOOD = enum.auto()
    BAD = enum.auto()

    ASIDE = enum.auto()
    """Good to know."""


class Tick(enum.Enum):
    """How far a message of ours has come."""

    SENDING = "…"
    SENT = "✓"
    """Its last octet is handed to the transport."""

    DELIVERED = "✓✓"
    """It is known to have arrived."""

    DISPLAYED = "✓✓\N{NO-BREAK SPACE}read"
    """Somebody has seen it."""

    FAILED = "✗"

    @property
    def is_final(self) -> bool:
        """Whether nothing more is known before somebody reads it."""
        return self in (Tick.DELIVERED, Tick.DISPLAYED, Tick.FAILED)


@dataclass(frozen=True, slots=True)
class Line:
    """One line in the terminal."""

    text: str
    mood: Mood = Mood.ASIDE
    who: Who = Who.NOBODY
    note: str = ""
    """What stands behind it, less visibly."""


def one_line(name: str) -> str:
    """Return a name, which may have any character in it, without line breaks."""
    return " ".join(name.splitlines())


def amount(octets: int) -> str:
    """Return a number of octets as people say it."""
    if octets < 1000:
        return "1 octet" if octets == 1 else f"{octets} octets"
    return f"{octets / 1000:.1f} kB" if octets < 1e6 else f"{octets / 1e6:.2f} MB"
