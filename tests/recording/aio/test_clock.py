"""The time of day that records have."""

from __future__ import annotations

import datetime
import time

import pytest

from recording.aio import clock
from recording.aio.clock import utc_now


def test_it_is_the_time_of_day_and_in_order() -> None:
    times = [utc_now() for _ in range(1000)]
    assert times == sorted(times)
    off = abs((datetime.datetime.now(datetime.UTC) - times[-1]).total_seconds())
    assert off < 60
    assert times[0].tzinfo is datetime.UTC


@pytest.mark.parametrize(
    ("step", "believed"), [(0.1, False), (-0.1, False), (60, True)]
)
def test_small_steps_of_the_system_s_clock_are_not_followed(
    monkeypatch: pytest.MonkeyPatch, step: float, believed: bool
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    ours = clock._Clock()
    before = ours.now()
    monkeypatch.setattr(time, "time", lambda: 1000.0 + step)
    moved = (ours.now() - before).total_seconds()
    assert moved == pytest.approx(step if believed else 0.0)
