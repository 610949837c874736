"""Measure what msrpkit costs, as ratios to baselines of the same run.

`python -m benchmarks` measures every row and writes a table, the figures as JSON, and
plots, into `benchmarks/results`.  `--check` compares a fresh run with the kept figures
(`benchmarks/kept.json`) and says which fell; `--keep` replaces those, and the table in
`benchmarks/README.md`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
import time
from pathlib import Path

from benchmarks.channel import BenchmarkFailed
from benchmarks.effort import Effort
from benchmarks.figures import Measured
from benchmarks.groups import GROUPS, Group, in_turn
from benchmarks.report import README, RESULTS, Report, compare, put_into
from benchmarks.rows import ROWS

KEPT = Path(__file__).parent / "kept.json"


def chosen(only: list[str] | None) -> list[Group]:
    """Return the groups in which there are the wanted rows, or all of them."""
    if not only:
        return list(GROUPS)
    return [group for group in GROUPS if {group.name, *group.rows}.intersection(only)]


async def measure(groups: list[Group], effort: Effort) -> Report:
    """Measure groups of rows, and say each row as soon as it is there."""
    report = Report.begin()
    for together in in_turn(groups):
        began = time.perf_counter()
        found = await asyncio.gather(*(_measured(group, effort) for group in together))
        for measured in itertools.chain.from_iterable(found):
            report.add(measured)
            print(report.line(measured), flush=True)
        print(f"  ({time.perf_counter() - began:.0f} s)", flush=True)
    return report


async def _measured(group: Group, effort: Effort) -> list[Measured]:
    try:
        return await group.measure(effort)
    except (BenchmarkFailed, OSError) as error:
        # The other rows are worth as much without it.
        note = f"not measured: {error}"
        return [Measured(ROWS[name], (), note=note) for name in group.rows]


def check(groups: list[Group], effort: Effort) -> int:
    """Measure, and compare with what is kept.

    What seems to have fallen is measured once more before it is said: on a machine
    that others use, too, one bad run is no news.
    """
    kept = Report.load(KEPT)
    report = asyncio.run(measure(groups, effort))
    suspects = {name for name, _ in compare(kept, report)}
    if suspects:
        again = [group for group in groups if suspects.intersection(group.rows)]
        print(f"once more: {', '.join(sorted(suspects))}")
        report = asyncio.run(measure(again, effort))
    found = [one for one in compare(kept, report) if one[0] in suspects]
    for name, part in found:
        print(f"{name} fell by {part:.0%}")
    if not found:
        print("no figure fell by more than 15 %")
    return 1 if found else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    names = sorted({*(group.name for group in GROUPS), *ROWS})
    parser.add_argument(
        "--only", nargs="+", choices=names, metavar="ROW", help=", ".join(names)
    )
    parser.add_argument("--runs", type=int, default=5, help="of each row (5)")
    parser.add_argument("--full", action="store_true", help="the full sizes, always")
    parser.add_argument("--no-uvloop", action="store_true", help="even if it's there")
    parser.add_argument("--check", action="store_true", help="compare with what's kept")
    parser.add_argument(
        "--keep", action="store_true", help="keep these for --check, and in the README"
    )
    arguments = parser.parse_args()
    effort = Effort(runs=arguments.runs, full=arguments.full)
    if arguments.no_uvloop:
        effort = Effort(runs=arguments.runs, full=arguments.full, uvloop=False)
    groups = chosen(arguments.only)
    if arguments.check:
        return check(groups, effort)
    report = asyncio.run(measure(groups, effort))
    report.write(RESULTS)
    print(f"\nwritten to {RESULTS}")
    if arguments.keep:
        put_into(README, report.merged_into(KEPT))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # Who was reading wants no more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
