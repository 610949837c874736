"""How much of each piece of work to do, where time is short."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field

__all__ = ["Effort", "has_uvloop"]


def has_uvloop() -> bool:
    """Tell whether uvloop is installed."""
    return importlib.util.find_spec("uvloop") is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much to do."""

    runs: int = 5
    full: bool = False
    """Whether each run is of the full size, however long it takes."""

    uvloop: bool = field(default_factory=has_uvloop)
    """Whether to measure with uvloop, too."""

    def size(self, full: int, least: int, unit_cost: float, seconds: float) -> int:
        """Return how much work each run should be.

        Args:
            full: What the row is about.
            least: Less would not give the same ratio each time.
            unit_cost: Seconds for each one, of both sides together.
            seconds: What the run may take.
        """
        if self.full:
            return full
        size = full
        while size > least and size * unit_cost > seconds:
            size //= 2
        return max(size, least)
