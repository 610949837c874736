"""How bad a network is to be, and what it has carried."""

from __future__ import annotations

import asyncio
import enum
from dataclasses import dataclass, field

__all__ = ["Direction", "Ending", "Plan", "Statistics"]


class Ending(enum.Enum):
    """What happens at the octet :attr:`Plan.after` of a direction."""

    RESET = enum.auto()
    """Both ends get a RST; what was not yet delivered to them is gone."""

    CLOSE = enum.auto()
    """Both ends get a FIN; what they still write is read and thrown away."""

    HALF_CLOSE = enum.auto()
    """The reader gets a FIN; the other direction is carried on."""

    SWALLOW = enum.auto()
    """What follows is read and thrown away, its end too, and nobody is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How bad one direction is.

    Raises:
        ValueError: A number is negative, or no octet could ever pass; or one of
            ``after`` and ``ending`` is there without the other.
    """

    delay: float = 0.0
    """Seconds that each octet is under way; their order stays."""

    max_segment: int | None = None
    """Octets per write at most; each write has a random number of them from 1 to
    this.  ``None`` to write what was read."""

    after: int | None = None
    """Octets of one connection that are carried before :attr:`ending`; ``None`` if
    it doesn't come to that."""

    ending: Ending | None = None
    """What happens then."""

    def __post_init__(self) -> None:
        if self.delay < 0 or (self.after is not None and self.after < 0):
            raise ValueError("neither a delay nor a number of octets is negative")
        if self.max_segment is not None and self.max_segment < 1:
            raise ValueError("a segment has at least one octet")
        if (self.after is None) != (self.ending is None):
            raise ValueError("after and ending need each other")


@dataclass(slots=True)
class Statistics:
    """What a direction has carried so far, of all connections."""

    octets: int = 0
    """Octets that were read."""

    carried: int = 0
    """Octets of them that were written to the other end."""

    segments: int = 0
    """Writes that it took."""


@dataclass(slots=True, eq=False)
class Direction:
    """One of the two ways through a proxy."""

    plan: Plan = field(default_factory=Plan)
    """How bad it is.  It may be replaced at any time, also for connections that are
    there already: :attr:`Plan.after` counts from the first octet of each.  An ending
    that has happened to a connection stays."""

    statistics: Statistics = field(default_factory=Statistics)
    """What it has carried."""

    _reading: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._reading.set()

    def stop_reading(self) -> None:
        """Read no more, so that whoever writes is held back; nothing is lost.

        One read that is under way may still end.
        """
        self._reading.clear()

    def go_on_reading(self) -> None:
        """Read again."""
        self._reading.set()

    async def reading(self) -> None:
        """Wait until it may be read."""
        await self._reading.wait()
