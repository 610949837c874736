"""Where somebody is, as a shape on or above the earth (:rfc:`5491#section-5`).

Latitude and longitude are in degrees of WGS 84, lengths and heights in metres, and
angles in degrees, clockwise from north, whatever unit the document has.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from markup import Element, MarkupError

__all__ = [
    "ArcBand",
    "Circle",
    "Ellipse",
    "Ellipsoid",
    "Point",
    "Polygon",
    "Position",
    "Prism",
    "Shape",
    "Sphere",
    "read_shape",
]


@dataclass(frozen=True, slots=True)
class Position:
    """A place."""

    latitude: float
    longitude: float
    altitude: float | None = None

    def __str__(self) -> str:
        """Write it as ``pos`` has it."""
        numbers = [self.latitude, self.longitude]
        numbers += [] if self.altitude is None else [self.altitude]
        return " ".join(map(repr, numbers))


@dataclass(frozen=True, slots=True)
class Point:
    """A place without any idea how far off it may be."""

    center: Position


@dataclass(frozen=True, slots=True)
class Circle:
    """All within a distance."""

    center: Position
    radius: float


@dataclass(frozen=True, slots=True)
class Ellipse:
    """All within an ellipse."""

    center: Position
    semi_major_axis: float
    semi_minor_axis: float
    orientation: float
    """Of the major axis."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """All within straight lines."""

    exterior: tuple[Position, ...]
    """The corners; the first one again at the end."""

    @property
    def center(self) -> Position:
        """The mean of the corners: good enough to put a map there."""
        corners = self.exterior[:-1] or self.exterior
        return Position(
            sum(corner.latitude for corner in corners) / len(corners),
            sum(corner.longitude for corner in corners) / len(corners),
        )


@dataclass(frozen=True, slots=True)
class ArcBand:
    """Part of a ring, as a sector of a radio cell gives."""

    center: Position
    inner_radius: float
    outer_radius: float
    start_angle: float
    opening_angle: float


@dataclass(frozen=True, slots=True)
class Sphere:
    """All within a distance, up and down too."""

    center: Position
    radius: float


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """All within an ellipse, with a height."""

    center: Position
    semi_major_axis: float
    semi_minor_axis: float
    vertical_axis: float
    orientation: float
    """Of the major axis."""


@dataclass(frozen=True, slots=True)
class Prism:
    """A polygon with a height, such as a storey of a building."""

    base: Polygon
    height: float

    @property
    def center(self) -> Position:
        """The mean of the corners."""
        return self.base.center


Shape: TypeAlias = (
    Point | Circle | Ellipse | Polygon | ArcBand | Sphere | Ellipsoid | Prism
)
"""What a location may be; each has a ``center``."""

# EPSG 4326 has two dimensions, EPSG 4979 three, both WGS 84 with latitude first.
_SYSTEMS = ("4326", "4979")

# uom:EPSG::9101, radians; 9102 and nothing at all are degrees.
_RADIANS = ("9101",)
_METRES = ("9001",)

_DOUBLE = re.compile(r"[+\-]?+(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][+\-]?+[0-9]++)?+")
_MAX_DIGITS = 64


def read_shape(element: Element) -> Shape | None:
    """Read the element of a shape.

    Returns:
        ``None`` if it isn't a shape that :rfc:`5491` knows.

    Raises:
        MarkupError: It is one, and can't be understood.
    """
    read = _READERS.get(element.name)
    if read is None:
        return None
    system = element.attributes.get("srsName")
    if system is not None and not system.endswith(_SYSTEMS):
        raise MarkupError("the coordinate reference system isn't WGS 84")
    return read(element)


def _position(element: Element) -> Position:
    pos = element.find("pos")
    if pos is not None:
        numbers = _numbers(pos.text)
        if len(numbers) not in (2, 3):
            raise MarkupError("a position isn't two or three numbers")
        return _checked_position(*numbers)
    # The form that RFC 4119 had, "lat,lon", and that RFC 5491 replaced.
    coordinates = element.find_text("coordinates")
    if coordinates is None:
        raise MarkupError("a shape has no position")
    numbers = _numbers(coordinates.replace(",", " "))
    if len(numbers) not in (2, 3):
        raise MarkupError("a position isn't two or three numbers")
    return _checked_position(*numbers)


def _checked_position(
    latitude: float, longitude: float, altitude: float | None = None
) -> Position:
    if not (-90 <= latitude <= 90 and -360 <= longitude <= 360):
        raise MarkupError("a position isn't on the earth")
    return Position(latitude, longitude, altitude)


def _numbers(text: str) -> list[float]:
    words = text.split()
    # Python takes more for a number than XML, and long ones take long.
    if not all(len(w) <= _MAX_DIGITS and _DOUBLE.fullmatch(w) for w in words):
        raise MarkupError("a coordinate isn't a number")
    numbers = list(map(float, words))
    if not all(map(math.isfinite, numbers)):
        raise MarkupError("a coordinate isn't a number")
    return numbers


def _measure(element: Element, name: str) -> float:
    found = element.find(name)
    if found is None:
        raise MarkupError(f"a shape has no {name}")
    numbers = _numbers(found.text)
    if len(numbers) != 1:
        raise MarkupError(f"the {name} of a shape isn't one number")
    return numbers[0]


def _length(element: Element, name: str) -> float:
    length = _measure(element, name)
    found = element.find(name)
    assert found is not None
    unit = found.attributes.get("uom")
    if unit is not None and not unit.endswith(_METRES):
        raise MarkupError(f"the {name} of a shape isn't in metres")
    if length < 0:
        raise MarkupError(f"the {name} of a shape is negative")
    return length


def _angle(element: Element, name: str) -> float:
    angle = _measure(element, name)
    found = element.find(name)
    assert found is not None
    if (found.attributes.get("uom") or "").endswith(_RADIANS):
        return math.degrees(angle)
    return angle


def _read_point(element: Element) -> Point:
    return Point(_position(element))


def _read_circle(element: Element) -> Circle:
    return Circle(_position(element), _length(element, "radius"))


def _read_ellipse(element: Element) -> Ellipse:
    return Ellipse(
        _position(element),
        _length(element, "semiMajorAxis"),
        _length(element, "semiMinorAxis"),
        _angle(element, "orientation"),
    )


def _read_polygon(element: Element) -> Polygon:
    ring = element.find("LinearRing")
    if ring is None:
        raise MarkupError("a polygon has no corners")
    corners = [corner for pos in ring.find_all("pos") for corner in _corners(pos, 0)]
    for positions in ring.find_all("posList"):
        # With srsDimension or a three-dimensional system there are heights too.
        text = positions.attributes.get("srsDimension")
        system = element.attributes.get("srsName", "")
        three = text == "3" or (text is None and system.endswith("4979"))
        corners += _corners(positions, 3 if three else 2)
    if len(corners) < 4 or corners[0] != corners[-1]:
        raise MarkupError("a polygon isn't closed")
    return Polygon(tuple(corners))


def _corners(element: Element, dimension: int) -> list[Position]:
    numbers = _numbers(element.text)
    size = dimension or len(numbers)
    if size not in (2, 3) or len(numbers) % size:
        raise MarkupError("the corners of a polygon aren't pairs of numbers")
    return [
        _checked_position(*numbers[at : at + size])
        for at in range(0, len(numbers), size)
    ]


def _read_arc_band(element: Element) -> ArcBand:
    return ArcBand(
        _position(element),
        _length(element, "innerRadius"),
        _length(element, "outerRadius"),
        _angle(element, "startAngle"),
        _angle(element, "openingAngle"),
    )


def _read_sphere(element: Element) -> Sphere:
    return Sphere(_position(element), _length(element, "radius"))


def _read_ellipsoid(element: Element) -> Ellipsoid:
    return Ellipsoid(
        _position(element),
        _length(element, "semiMajorAxis"),
        _length(element, "semiMinorAxis"),
        _length(element, "verticalAxis"),
        _angle(element, "orientation"),
    )


def _read_prism(element: Element) -> Prism:
    polygon = element.find("Polygon")
    if polygon is None:
        raise MarkupError("a prism has no base")
    if "srsName" not in polygon.attributes:
        # Stated once, on the outermost element (section 5).
        polygon.attributes["srsName"] = element.attributes.get("srsName", "")
    return Prism(_read_polygon(polygon), _length(element, "height"))


_READERS: dict[str, Callable[[Element], Shape]] = {
    "ArcBand": _read_arc_band,
    "Circle": _read_circle,
    "Ellipse": _read_ellipse,
    "Ellipsoid": _read_ellipsoid,
    "Point": _read_point,
    "Polygon": _read_polygon,
    "Prism": _read_prism,
    "Sphere": _read_sphere,
}
