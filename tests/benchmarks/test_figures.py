"""What becomes of the figures once they are measured; none is measured here."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from benchmarks.effort import Effort
from benchmarks.figures import (
    KIB,
    RATIO,
    TIMES,
    Aim,
    Measured,
    Row,
    fallen,
    percentile,
    ratios,
)
from benchmarks.report import README, Report, compare, put_into
from benchmarks.rows import ROWS
from benchmarks.scaling import Curve, bends, growth

RATE = Row("texts", "texts", "bare", RATIO, Aim(0.4, at_least=True))
LATENCY = Row("ping-median", "texts", "bare", TIMES, Aim(1.7, at_least=False))
MEMORY = Row("idle-tcp", "sessions", "bare", KIB, Aim(12.0, at_least=False))
STATED = Row("sdp", "a description", "split", TIMES, more_is_better=False)


def test_a_ratio_is_made_of_what_was_measured_side_by_side() -> None:
    assert ratios([1.0, 6.0], [2.0, 3.0]) == [0.5, 2.0]


def test_runs_without_a_partner_are_no_ratio() -> None:
    with pytest.raises(ValueError, match="longer"):
        ratios([1.0], [1.0, 2.0])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        pytest.param(0.5, 50, id="median"),
        pytest.param(0.99, 99, id="p99"),
        pytest.param(1.0, 100, id="worst"),
    ],
)
def test_a_percentile_has_no_more_than_the_rest_above_it(
    part: float, expected: float
) -> None:
    assert percentile(reversed(range(1, 101)), part) == expected


def test_the_percentile_of_one_value_is_that_value() -> None:
    assert percentile([7.0], 0.01) == percentile([7.0], 0.99) == 7.0


def test_the_median_decides_whether_a_row_is_good_enough() -> None:
    assert Measured(RATE, (0.1, 0.5, 0.9)).is_met is True
    assert Measured(RATE, (0.1, 0.3, 0.9)).is_met is False
    assert Measured(LATENCY, (1.0, 1.6, 9.0)).is_met is True
    assert Measured(LATENCY, (1.0, 1.8, 9.0)).is_met is False


def test_nobody_can_tell_without_figures_or_without_an_aim() -> None:
    nothing = Measured(RATE, ())
    assert nothing.is_met is None
    assert math.isnan(nothing.median)
    assert Measured(STATED, (3.0,)).is_met is None


@pytest.mark.parametrize(
    ("row", "before", "after", "expected"),
    [
        pytest.param(RATE, 0.50, 0.40, 0.20, id="rate-falls"),
        pytest.param(RATE, 0.50, 0.43, None, id="rate-falls-a-little"),
        pytest.param(RATE, 0.50, 0.90, None, id="rate-rises"),
        pytest.param(LATENCY, 1.0, 1.3, 0.30, id="latency-rises"),
        pytest.param(LATENCY, 1.0, 1.1, None, id="latency-rises-a-little"),
        pytest.param(LATENCY, 1.0, 0.5, None, id="latency-falls"),
        pytest.param(STATED, 100.0, 120.0, 0.20, id="cost-without-an-aim-rises"),
        pytest.param(STATED, 100.0, 50.0, None, id="cost-without-an-aim-falls"),
        pytest.param(MEMORY, 0.5, 1.5, None, id="memory-near-zero-doubles"),
        pytest.param(MEMORY, 0.5, 3.5, 0.25, id="memory-near-zero-grows-much"),
        pytest.param(MEMORY, 20.0, 25.0, 0.25, id="memory-above-the-aim-grows"),
    ],
)
def test_what_is_worse_by_more_than_15_percent_has_fallen(
    row: Row, before: float, after: float, expected: float | None
) -> None:
    part = fallen(Measured(row, (before,)), Measured(row, (after,)))
    assert part == (None if expected is None else pytest.approx(expected))


def test_what_was_not_measured_has_not_fallen() -> None:
    assert fallen(Measured(RATE, (0.5,)), Measured(RATE, ())) is None
    assert fallen(Measured(RATE, ()), Measured(RATE, (0.5,))) is None


def test_a_comparison_names_the_rows_that_fell() -> None:
    kept, fresh = Report({}), Report({})
    kept.add(Measured(ROWS["texts"], (0.5, 0.5, 0.5)))
    kept.add(Measured(ROWS["ping-median"], (1.5, 1.5, 1.5)))
    kept.add(Measured(ROWS["bulk-tcp"], (0.5,)))
    fresh.add(Measured(ROWS["texts"], (0.5, 0.25, 0.2)))
    fresh.add(Measured(ROWS["ping-median"], (1.4, 1.6, 9.0)))
    [(name, part)] = compare(kept, fresh)
    assert name == "texts"
    assert part == pytest.approx(0.5)


def test_what_is_written_can_be_read_again(tmp_path: Path) -> None:
    report = Report({"Python": "3.11"})
    measured = Measured(
        ROWS["texts"], (0.5, 0.25), "10 texts", "5 of 10", "a note", (0.75,)
    )
    report.add(measured)
    report.merged_into(tmp_path / "kept.json")
    again = Report.load(tmp_path / "kept.json")
    assert again.machine == {"Python": "3.11"}
    assert again.measured == {"texts": measured}


def test_rows_that_were_not_measured_stay_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    for name in ("texts", "bulk-tcp"):
        report = Report({})
        report.add(Measured(ROWS[name], (0.5,)))
        report.merged_into(path)
    # In the order of the table, whichever came first.
    assert list(json.loads(path.read_text())["rows"]) == ["bulk-tcp", "texts"]


def test_rows_that_are_no_more_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    report = Report({})
    report.add(Measured(RATE, (0.5,)))
    report.merged_into(path)
    path.write_text(path.read_text().replace('"texts"', '"no-such-row"'))
    assert Report.load(path).measured == {}


def test_the_table_shows_figures_and_what_could_not_be_measured() -> None:
    report = Report({"Python": "3.11"})
    report.add(Measured(ROWS["texts"], (0.5, 0.45, 0.48), "10 texts"))
    report.add(Measured(ROWS["sip-calling"], (), note="not measured: no sipp"))
    table = report.to_markdown()
    assert "* Python: 3.11" in table
    assert "| **0.480** ✓ | 0.450 – 0.500 |" in table
    assert "not measured: no sipp" in table
    lines = [line for line in table.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1


def test_each_row_is_written_into_the_directory_of_results(tmp_path: Path) -> None:
    report = Report({})
    report.add(Measured(ROWS["texts"], (0.5,)))
    report.write(tmp_path / "results")
    written = {path.name for path in (tmp_path / "results").iterdir()}
    assert written == {"results.json", "table.md", "overview.svg"}


def test_a_page_gets_the_table_in_place_of_the_one_it_had(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(README.read_text())
    report = Report({"Python": "3.11"})
    report.add(Measured(ROWS["texts"], (0.123,)))
    put_into(page, report)
    once = page.read_text()
    put_into(page, report)
    assert page.read_text() == once
    assert once.count("**0.123**") == 1
    assert once.startswith("# What it costs\n")
    assert once.splitlines()[-1] == README.read_text().splitlines()[-1]


def test_a_page_without_a_place_for_the_table_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing\n")
    with pytest.raises(ValueError, match="no place"):
        put_into(page, Report({}))
    assert page.read_text() == "nothing\n"


def test_work_is_halved_until_there_is_time_for_it() -> None:
    effort = Effort(runs=5, uvloop=False)
    assert effort.size(1024, 100, unit_cost=0.001, seconds=10.0) == 1024
    assert effort.size(1024, 100, unit_cost=0.01, seconds=3.0) == 256
    assert effort.size(1024, 100, unit_cost=1.0, seconds=3.0) == 100


def test_the_full_size_takes_as_long_as_it_takes() -> None:
    effort = Effort(full=True, uvloop=False)
    assert effort.size(1024, 100, unit_cost=1.0, seconds=1.0) == 1024


def test_a_plot_is_written_with_the_table_and_is_no_figure(tmp_path: Path) -> None:
    report = Report({})
    report.add(Measured(ROWS["reassembly"], (0.9,), plot=("pieces", "<svg/>")))
    report.merged_into(tmp_path / "kept.json")
    assert "<svg" not in (tmp_path / "kept.json").read_text()
    results = tmp_path / "results"
    report.write(results)
    assert (results / "pieces.svg").read_text() == "<svg/>"


def test_a_line_that_stays_level_has_no_bend() -> None:
    assert bends([[(1, 9.0), (10, 2.0), (100, 2.0)]]) == (1.0,)
    assert bends([[(1, 9.0), (10, 2.0), (100, 6.0)]]) == (3.0,)


def test_one_lucky_run_is_not_what_a_line_was_at_its_lowest() -> None:
    curves: list[Curve] = [
        [(1, 9.0), (10, 2.0), (100, 3.0)],
        [(1, 9.0), (10, 1.0), (100, 2.0)],
        [(1, 9.0), (10, 2.0), (100, 4.0)],
    ]
    assert bends(curves) == (1.5, 1.0, 2.0)


def test_growth_is_one_where_the_cost_is_n_log_n() -> None:
    def cost(n: int) -> tuple[float, float]:
        return n, n * math.log(n)

    assert growth(cost(1_000), cost(100_000)) == pytest.approx(1.0)
    square = growth((1_000, 1.0), (100_000, 10_000.0))
    assert square > 50
