"""The table of all rows: as Markdown, as JSON and read back, and as a picture."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from benchmarks.channel import Json
from benchmarks.figures import Measured, fallen
from benchmarks.machine import describe
from benchmarks.plot import overview
from benchmarks.rows import ROWS

__all__ = ["README", "RESULTS", "Report", "compare", "put_into"]

RESULTS = Path(__file__).parent / "results"

README = Path(__file__).parent / "README.md"

_BEGIN = "<!-- what `python -m benchmarks --keep` has measured -->"
_END = "<!-- end of what was measured -->"

_HEADINGS = (
    "row", "work", "baseline", "aim", "median", "lowest – highest", "uvloop",
    "done in each run", "ours and the baseline",
)  # fmt: skip


@dataclass(slots=True)
class Report:
    """What was measured in one go."""

    machine: dict[str, str]
    measured: dict[str, Measured] = field(default_factory=dict)

    @classmethod
    def begin(cls) -> Self:
        """Note the machine, before there is work on it."""
        return cls(describe())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what :meth:`write` or :meth:`merged_into` has written."""
        kept = json.loads(path.read_text())
        rows: dict[str, dict[str, Json]] = kept["rows"]
        return cls(
            kept["machine"],
            {
                name: Measured.from_json(ROWS[name], figures)
                for name, figures in rows.items()
                if name in ROWS
            },
        )

    def add(self, measured: Measured) -> None:
        self.measured[measured.row.name] = measured

    def line(self, measured: Measured) -> str:
        """Say one row on one line of a terminal."""
        write = measured.row.unit.write
        if not measured.values:
            return f"{measured.row.name:20} {measured.note}"
        spread = _spread(measured, measured.values)
        verdict = {True: "", False: "  MISSED", None: ""}[measured.is_met]
        fast = f"  uvloop {_fast(measured)}" if measured.uvloop else ""
        return (
            f"{measured.row.name:20} {write(measured.median):>12}  ({spread})"
            f"  aim {_aim(measured)}{verdict}{fast}  {measured.size}; {measured.rates}"
        )

    def write(self, directory: Path) -> None:
        """Write the table and the figures, beside what is known of other rows."""
        directory.mkdir(exist_ok=True)
        merged = self.merged_into(directory / "results.json")
        (directory / "table.md").write_text(merged.to_markdown())
        drawn = overview(list(merged.measured.values()))
        (directory / "overview.svg").write_text(drawn)
        for measured in self.measured.values():
            if measured.plot is not None:
                name, picture = measured.plot
                (directory / f"{name}.svg").write_text(picture)

    def merged_into(self, path: Path) -> Report:
        """Write the figures into a file; rows that weren't measured stay there."""
        before = Report.load(path).measured if path.exists() else {}
        both = {**before, **self.measured}
        ordered = {name: both[name] for name in ROWS if name in both}
        merged = Report(self.machine, ordered)
        path.write_text(
            json.dumps(merged.to_json(), indent=1, ensure_ascii=False) + "\n"
        )
        return merged

    def to_json(self) -> dict[str, Json]:
        return {
            "machine": dict(self.machine),
            "rows": {name: one.to_json() for name, one in self.measured.items()},
        }

    def to_markdown(self) -> str:
        """Write the machine and the table."""
        lines = [f"* {name}: {value}" for name, value in self.machine.items()]
        lines += ["", *_table([_HEADINGS, *map(_cells, self.measured.values())])]
        return "\n".join(lines) + "\n"


def put_into(path: Path, report: Report) -> None:
    """Put the table into a page, in place of the one that is between two marks there.

    Raises:
        ValueError: The page has no such marks.
    """
    before, begin, rest = path.read_text().partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for the table")
    path.write_text(f"{before}{begin}\n{report.to_markdown()}{end}{after}")


def compare(kept: Report, fresh: Report) -> list[tuple[str, float]]:
    """Return the names of the rows that fell, and the part by which they did."""
    both = [name for name in kept.measured if name in fresh.measured]
    parts = [(name, fallen(kept.measured[name], fresh.measured[name])) for name in both]
    return [(name, part) for name, part in parts if part is not None]


def _cells(measured: Measured) -> tuple[str, ...]:
    row, write = measured.row, measured.row.unit.write
    if not measured.values:
        return (
            row.name,
            row.work,
            row.baseline,
            _aim(measured),
            measured.note,
            *[""] * 4,
        )
    verdict = {True: " ✓", False: " ✗", None: ""}[measured.is_met]
    return (
        row.name,
        row.work,
        row.baseline,
        _aim(measured),
        f"**{write(measured.median)}**{verdict}",
        _spread(measured, measured.values),
        _fast(measured),
        measured.size,
        "; ".join(filter(None, (measured.rates, measured.note))),
    )


def _spread(measured: Measured, values: Sequence[float]) -> str:
    write = measured.row.unit.write
    return f"{write(min(values))} – {write(max(values))}"


def _fast(measured: Measured) -> str:
    """Say the median and the spread with uvloop, where that was measured."""
    if not measured.uvloop:
        return ""
    median = measured.row.unit.write(statistics.median(measured.uvloop))
    return f"{median} ({_spread(measured, measured.uvloop)})"


def _aim(measured: Measured) -> str:
    aim = measured.row.aim
    if aim is None:
        return "stated"
    return f"{'≥' if aim.at_least else '≤'} {measured.row.unit.write(aim.bound)}"


def _table(rows: Iterable[tuple[str, ...]]) -> list[str]:
    head, *rest = [f"| {' | '.join(cells)} |" for cells in rows]
    return [head, f"|{'---|' * len(_HEADINGS)}", *rest]
