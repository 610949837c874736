"""Where the caller is: what Geolocation brings (:rfc:`6442`)."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import mime
from markup import MarkupError
from sip.emergency.civic import CivicAddress
from sip.emergency.pidf import PIDF_TYPE, Pidf
from sip.emergency.shapes import Circle, Point, Position, Shape
from sip.name_addr import NameAddr
from sip.uri import OtherUri, Uri

__all__ = ["Access", "Location", "is_pidf", "read_location"]


class Access(enum.Enum):
    """How one gets at a location."""

    VALUE = "value"
    """It came with the call."""

    PRESENCE = "presence"
    """Subscribe to the ``presence`` of the URI (:rfc:`3856`)."""

    HTTP = "http"
    """Get it from the URI, or dereference that with HELD (:rfc:`6753`)."""

    UNKNOWN = "unknown"
    """Nothing here knows the scheme, or nothing is where the URI points."""


_ACCESS = {
    "sip": Access.PRESENCE,
    "sips": Access.PRESENCE,
    "pres": Access.PRESENCE,
    "http": Access.HTTP,
    "https": Access.HTTP,
}


@dataclass(frozen=True, slots=True)
class Location:
    """A location, or where it is to be had."""

    access: Access

    reference: NameAddr | None
    """What Geolocation has for it; ``None`` if it was only found in the body."""

    part: mime.Part | None = None
    """The part of the body that it is in, not to be altered when it is sent on."""

    pidf: Pidf | None = None
    """What it says, if that can be understood."""

    point: Point | Circle | None = None
    """What a ``geo:`` URI says, which is a value in itself (:rfc:`5870`)."""

    warnings: tuple[str, ...] = ()
    """What is wrong with it, in words."""

    @property
    def uri(self) -> Uri | None:
        """Where it is, or where it is to be had."""
        return None if self.reference is None else self.reference.uri

    @property
    def raw(self) -> bytes | None:
        """The document, whether it can be understood or not; else ``None``."""
        return None if self.part is None else self.part.content

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Where it is, on a map, the one that counts first."""
        if self.point is not None:
            return (self.point,)
        return () if self.pidf is None else self.pidf.shapes

    @property
    def addresses(self) -> tuple[CivicAddress, ...]:
        """Where it is, as an address, the one that counts first."""
        return () if self.pidf is None else self.pidf.addresses


def is_pidf(part: mime.Part) -> bool:
    """Tell whether a part of a body is a location document."""
    return part.content_type.essence == PIDF_TYPE


def read_location(reference: NameAddr | None, part: mime.Part | None) -> Location:
    """Make of a value of Geolocation what can be made.

    Args:
        reference: The value; ``None`` for a part that nothing refers to.
        part: The part that it points at, if it points at one.
    """
    if part is not None:
        return _read_part(reference, part)
    assert reference is not None
    uri = reference.uri
    if uri.scheme == "geo" and isinstance(uri, OtherUri):
        point = _read_geo(uri.rest)
        if point is not None:
            return Location(Access.VALUE, reference, point=point)
        problem = "the geo: URI of a location can't be understood"
    elif uri.scheme in _ACCESS:
        return Location(_ACCESS[uri.scheme], reference)
    elif uri.scheme == "cid":
        problem = "a location isn't in the body, where its cid: URI points"
    else:
        problem = "a location is to be had by a scheme that isn't known"
    return Location(Access.UNKNOWN, reference, warnings=(problem,))


def _read_part(reference: NameAddr | None, part: mime.Part) -> Location:
    warnings: list[str] = []
    if reference is None:
        warnings.append("a location is in the body, but Geolocation doesn't say so")
    if not is_pidf(part):
        warnings.append("the part of a location has another type than a location")
    pidf: Pidf | None = None
    try:
        pidf = Pidf.parse(part.content)
    except MarkupError as exc:
        warnings.append(f"a location can't be understood: {exc}")
    else:
        warnings += pidf.warnings
    return Location(Access.VALUE, reference, part, pidf, warnings=tuple(warnings))


_MAX_GEO = 256


def _read_geo(text: str) -> Point | Circle | None:
    """Read what follows ``geo:``: ``latitude,longitude[,altitude][;u=metres]``."""
    if len(text) > _MAX_GEO or "_" in text or not text.isascii():
        return None
    coordinates, *parameters = text.split(";")
    pairs = dict(p.lower().partition("=")[::2] for p in parameters)
    try:
        numbers = list(map(float, coordinates.split(",")))
        uncertainty = float(pairs["u"]) if "u" in pairs else None
    except ValueError:
        return None
    if len(numbers) not in (2, 3) or not all(map(math.isfinite, numbers)):
        return None
    if pairs.get("crs", "wgs84") != "wgs84" or not -90 <= numbers[0] <= 90:
        return None
    center = Position(*numbers)
    if uncertainty is None or not uncertainty >= 0:
        return Point(center)
    return Circle(center, uncertainty)
