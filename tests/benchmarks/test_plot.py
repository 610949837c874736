"""Plots are well-formed SVG in which everything is on the page."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarks.figures import RATIO, Aim, Measured, Row
from benchmarks.plot import Line, overview, plot

SVG = "{http://www.w3.org/2000/svg}"


def test_a_plot_has_its_words_and_a_mark_for_each_point() -> None:
    lines = [Line("a < b", [(1, 10.0), (1_000, 0.5)]), Line("c", [(10, 3.0)])]
    root = ElementTree.fromstring(plot("Title & more", "octets", "per second", lines))
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert {"Title & more", "octets", "per second", "a < b", "c"} <= set(words)
    assert len(list(root.iter(f"{SVG}circle"))) == 3


def test_no_point_is_off_the_page() -> None:
    line = Line("all", [(10.0**power, 10.0**-power) for power in range(-3, 7)])
    root = ElementTree.fromstring(plot("T", "x", "y", [line]))
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for circle in root.iter(f"{SVG}circle"):
        assert 0 < float(circle.get("cx", "-1")) < width
        assert 0 < float(circle.get("cy", "-1")) < height


def test_more_is_further_up_and_to_the_right() -> None:
    root = ElementTree.fromstring(plot("T", "x", "y", [Line("l", [(1, 1), (50, 50)])]))
    first, second = root.iter(f"{SVG}circle")
    assert float(second.get("cx", "0")) > float(first.get("cx", "0"))
    assert float(second.get("cy", "0")) < float(first.get("cy", "0"))


@pytest.mark.parametrize(
    "points",
    [
        pytest.param([], id="no-point"),
        pytest.param([(0.0, 1.0)], id="zero"),
        pytest.param([(1.0, -1.0)], id="negative"),
        pytest.param([(1.0, float("nan"))], id="not-a-number"),
    ],
)
def test_what_has_no_place_on_a_logarithmic_axis_is_refused(
    points: list[tuple[float, float]],
) -> None:
    with pytest.raises(ValueError, match="above zero"):
        plot("T", "x", "y", [Line("l", points)])


def test_the_overview_has_what_is_better_further_right_whatever_better_means() -> None:
    rate = Row("rate", "w", "b", RATIO, Aim(0.5, at_least=True))
    cost = Row("cost", "w", "b", RATIO, Aim(2.0, at_least=False))
    stated = Row("stated", "w", "b", RATIO)
    measured = [
        Measured(rate, (1.0,)),
        Measured(cost, (4.0, 4.1, 4.2)),
        Measured(stated, (1.0,)),
        Measured(rate, ()),
    ]
    root = ElementTree.fromstring(overview(measured))
    good, bad = root.iter(f"{SVG}circle")
    assert float(good.get("cx", "0")) > float(bad.get("cx", "0"))
    assert good.get("fill") != bad.get("fill")


def test_growth_of_nothing_has_a_place_in_the_overview() -> None:
    row = Row("memory", "w", "b", RATIO, Aim(2.0, at_least=False))
    ElementTree.fromstring(overview([Measured(row, (0.0, -1.0))]))
