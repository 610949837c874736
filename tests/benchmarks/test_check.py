"""`make bench-check` says which figures fell, and is sure before it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as program
from benchmarks.channel import BenchmarkFailed
from benchmarks.effort import Effort
from benchmarks.figures import Measured
from benchmarks.groups import Group
from benchmarks.report import Report
from benchmarks.rows import ROWS

EFFORT = Effort(runs=1, uvloop=False)


@pytest.fixture(autouse=True)
def _kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = Report({})
    report.add(Measured(ROWS["texts"], (0.5,)))
    report.add(Measured(ROWS["bulk-tcp"], (0.5,)))
    report.merged_into(tmp_path / "kept.json")
    monkeypatch.setattr(program, "KEPT", tmp_path / "kept.json")


def group(name: str, *figures: float) -> Group:
    """A group that gives one figure after the other."""
    left = list(figures)

    async def measure(effort: Effort) -> list[Measured]:
        return [Measured(ROWS[name], (left.pop(0),))]

    return Group(name, (name,), measure)


def test_figures_that_stay_are_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.check([group("texts", 0.48), group("bulk-tcp", 0.6)], EFFORT) == 0
    assert "no figure fell" in capsys.readouterr().out


def test_a_figure_that_fell_twice_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    groups = [group("texts", 0.30, 0.25), group("bulk-tcp", 0.5)]
    assert program.check(groups, EFFORT) == 1
    assert "texts fell by 50%" in capsys.readouterr().out


def test_one_bad_run_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.check([group("texts", 0.30, 0.49)], EFFORT) == 0
    said = capsys.readouterr().out
    assert "once more: texts" in said
    assert "no figure fell" in said


def test_a_row_that_can_not_be_measured_does_not_end_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def fail(effort: Effort) -> list[Measured]:
        raise BenchmarkFailed("a worker has ended")

    groups = [Group("texts", ("texts",), fail), group("bulk-tcp", 0.3, 0.2)]
    assert program.check(groups, EFFORT) == 1
    said = capsys.readouterr().out
    assert "not measured: a worker has ended" in said
    assert "bulk-tcp fell by 60%" in said


def test_a_row_is_chosen_by_its_name_or_by_its_group() -> None:
    assert [one.name for one in program.chosen(["ping-p99"])] == ["ping"]
    assert [one.name for one in program.chosen(["ping", "texts"])] == ["texts", "ping"]
    assert len(program.chosen(None)) > 10
