"""What is measured, against what, and how good it has to be.

A figure is a ratio to a baseline of the same run, or an amount of memory.  Each is
taken several times, and it is the median that counts.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from benchmarks.channel import Json

__all__ = ["Aim", "Measured", "Row", "Unit", "fallen", "percentile", "ratios"]

TOLERANCE = 0.15
"""By how much a figure may be worse than the kept one."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How a figure is written."""

    suffix: str
    digits: int

    def write(self, value: float) -> str:
        """Write a figure for people."""
        if math.isnan(value):
            return "—"
        return f"{value:,.{self.digits}f}{self.suffix}"


RATIO = Unit("", 3)
TIMES = Unit(" ×", 2)
KIB = Unit(" KiB", 1)
MIB = Unit(" MiB", 1)


@dataclass(frozen=True, slots=True)
class Aim:
    """How good a figure has to be."""

    bound: float
    at_least: bool
    """Whether more is better."""

    def is_met(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    """What `--only` calls it, and what it is kept under."""

    work: str
    baseline: str
    unit: Unit = RATIO
    aim: Aim | None = None
    more_is_better: bool = True
    """For a row without an aim."""

    @property
    def grows_better(self) -> bool:
        """Whether a higher figure is a better one."""
        return self.more_is_better if self.aim is None else self.aim.at_least


@dataclass(frozen=True, slots=True)
class Measured:
    """A row with its figures."""

    row: Row
    values: tuple[float, ...]
    """One of each run; none where it couldn't be measured."""

    size: str = ""
    """How much work each run was."""

    rates: str = ""
    """What both sides did in absolute terms, in the median."""

    note: str = ""
    """Why there are no values, or what else should be known."""

    uvloop: tuple[float, ...] = field(default=())
    """The same with our side on uvloop, against the same baseline."""

    plot: tuple[str, str] | None = field(default=None, repr=False, compare=False)
    """The name of a picture, and the picture; it isn't among the figures."""

    @property
    def median(self) -> float:
        return statistics.median(self.values) if self.values else math.nan

    @property
    def is_met(self) -> bool | None:
        """Whether it is as good as it has to be; ``None`` if nobody can tell."""
        if self.row.aim is None or not self.values:
            return None
        return self.row.aim.is_met(self.median)

    def to_json(self) -> dict[str, Json]:
        return {
            "work": self.row.work,
            "baseline": self.row.baseline,
            "median": self.median if self.values else None,
            "values": list(self.values),
            "uvloop": list(self.uvloop),
            "size": self.size,
            "rates": self.rates,
            "note": self.note,
            "met": self.is_met,
        }

    @classmethod
    def from_json(cls, row: Row, kept: Mapping[str, Json]) -> Self:
        """Read what :meth:`to_json` has written of a row."""
        return cls(
            row,
            _numbers(kept["values"]),
            str(kept["size"]),
            str(kept["rates"]),
            str(kept["note"]),
            _numbers(kept["uvloop"]),
        )


def _numbers(values: Json) -> tuple[float, ...]:
    assert isinstance(values, list)
    return tuple(float(one) for one in values if isinstance(one, int | float))


def ratios(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Divide what was measured side by side."""
    return [one / other for one, other in zip(numerators, denominators, strict=True)]


def percentile(values: Iterable[float], part: float) -> float:
    """Return the smallest value that no more than the rest of them is above.

    Args:
        values: At least one.
        part: Between 0 and 1; 0.99 for what is called p99.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def fallen(kept: Measured, fresh: Measured) -> float | None:
    """Tell by how much a figure is worse than the kept one, if that is too much.

    Amounts of memory near zero would double by chance: they are compared with what
    they may be at most, if they are below.

    Returns:
        The part by which it is worse, such as 0.2; ``None`` if that is within
        :data:`TOLERANCE`, or if one of the two is not there.
    """
    if not kept.values or not fresh.values:
        return None
    before, after = kept.median, fresh.median
    worse = before - after if kept.row.grows_better else after - before
    scale = before
    aim = kept.row.aim
    if kept.row.unit in (KIB, MIB) and aim is not None:
        scale = max(before, aim.bound)
    if scale <= 0 or worse / scale <= TOLERANCE:
        return None
    return worse / scale
