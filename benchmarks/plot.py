"""Plots as SVG: lines over logarithmic axes, and figures beside their aims."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.figures import Measured

__all__ = ["Line", "overview", "plot"]

_WIDTH, _HEIGHT = 640, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 24, 48, 56
_COLOURS = ("#1f5fa8", "#c2571a", "#3b8132", "#7a4b9a")
_STYLE = (
    "text{font:12px sans-serif;fill:#222}"
    ".title{font-size:15px;font-weight:bold}"
    ".grid{stroke:#ddd;stroke-width:1}"
    ".axis{stroke:#555;stroke-width:1}"
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot."""

    name: str
    points: Sequence[tuple[float, float]]
    """All above zero: the axes are logarithmic."""


def plot(title: str, x_label: str, y_label: str, lines: Sequence[Line]) -> str:
    """Draw lines over logarithmic axes.

    Raises:
        ValueError: There is no point, or one that isn't above zero.
    """
    points = [point for line in lines for point in line.points]
    if not points or any(not (x > 0 and y > 0) for x, y in points):
        raise ValueError("a logarithmic plot needs points above zero")
    across = _Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    up = _Axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    body = [*_grid(across, up), *_labels(title, x_label, y_label)]
    for number, line in enumerate(lines):
        body += _line(line, across, up, _COLOURS[number % len(_COLOURS)], number)
    return _document(_WIDTH, _HEIGHT, body)


class _Axis:
    """Where on the page a value is."""

    def __init__(self, values: Sequence[float], start: float, stop: float) -> None:
        self.low = math.floor(math.log10(min(values)))
        self.high = max(math.ceil(math.log10(max(values))), self.low + 1)
        self._start = start
        self._scale = (stop - start) / (self.high - self.low)

    def at(self, value: float) -> float:
        return self._start + (math.log10(value) - self.low) * self._scale

    def decades(self) -> Iterable[float]:
        return (10.0**power for power in range(self.low, self.high + 1))


def _grid(across: _Axis, up: _Axis) -> list[str]:
    body = []
    low, high = _HEIGHT - _BOTTOM, _TOP
    for value in across.decades():
        x = across.at(value)
        body.append(_stroke("grid", x, low, x, high))
        body.append(_text(x, low + 18, _number(value), anchor="middle"))
    for value in up.decades():
        y = up.at(value)
        body.append(_stroke("grid", _LEFT, y, _WIDTH - _RIGHT, y))
        body.append(_text(_LEFT - 8, y + 4, _number(value), anchor="end"))
    body.append(_stroke("axis", _LEFT, low, _WIDTH - _RIGHT, low))
    body.append(_stroke("axis", _LEFT, low, _LEFT, high))
    return body


def _labels(title: str, x_label: str, y_label: str) -> list[str]:
    middle = (_TOP + _HEIGHT - _BOTTOM) / 2
    return [
        _text(_LEFT, 24, title, css="title"),
        _text((_LEFT + _WIDTH) / 2, _HEIGHT - 14, x_label, anchor="middle"),
        f'<text x="16" y="{middle:.1f}" text-anchor="middle"'
        f' transform="rotate(-90 16 {middle:.1f})">{escape(y_label)}</text>',
    ]


def _line(line: Line, across: _Axis, up: _Axis, colour: str, number: int) -> list[str]:
    places = [(across.at(x), up.at(y)) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    body = [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    ]
    body += [
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
        for x, y in places
    ]
    y = _TOP + 8 + number * 18
    body.append(
        f'<rect x="{_WIDTH - 200}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
    )
    body.append(_text(_WIDTH - 184, y, line.name))
    return body


def overview(measured: Sequence[Measured]) -> str:
    """Draw how far each figure is on the good side of what it has to be.

    A figure of 1 is just good enough, one of 2 twice as good; the bar is the spread.
    """
    rows = [one for one in measured if one.values and one.row.aim is not None]
    marks = [(one, [_goodness(one, value) for value in one.values]) for one in rows]
    spread = [good for _, all_good in marks for good in all_good] or [1.0]
    height = _TOP + 26 * len(rows) + _BOTTOM
    across = _Axis([*spread, 1.0], 200, _WIDTH - _RIGHT)
    body = [_text(24, 24, "How good, where 1 is just good enough", css="title")]
    low = height - _BOTTOM + 8
    for value in across.decades():
        x = across.at(value)
        body.append(_stroke("grid", x, _TOP - 8, x, low))
        body.append(_text(x, low + 18, _number(value), anchor="middle"))
    x = across.at(1.0)
    body.append(_stroke("axis", x, _TOP - 8, x, low))
    for number, (one, goods) in enumerate(marks):
        y = _TOP + 8 + 26 * number
        colour = _COLOURS[0 if one.is_met else 1]
        left, right = across.at(min(goods)), across.at(max(goods))
        middle = across.at(_goodness(one, one.median))
        body.append(_text(190, y + 4, one.row.name, anchor="end"))
        body.append(
            f'<line x1="{left:.1f}" y1="{y}" x2="{right:.1f}" y2="{y}"'
            f' stroke="{colour}" stroke-width="5" stroke-opacity="0.4"/>'
        )
        body.append(f'<circle cx="{middle:.1f}" cy="{y}" r="5" fill="{colour}"/>')
    return _document(_WIDTH, height, body)


def _goodness(measured: Measured, value: float) -> float:
    aim = measured.row.aim
    assert aim is not None
    # Nothing is better than a hundred times good enough, such as no growth at all.
    value = max(value, 1e-9)
    part = value / aim.bound if aim.at_least else aim.bound / value
    return min(max(part, 0.01), 100.0)


def _document(width: int, height: int, body: Iterable[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}">\n<style>{_STYLE}</style>\n'
        '<rect width="100%" height="100%" fill="#fff"/>\n'
        + "\n".join(body)
        + "\n</svg>\n"
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", css: str = "label"
) -> str:
    return (
        f'<text class="{css}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(text)}</text>"
    )


def _stroke(css: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return (
        f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"
