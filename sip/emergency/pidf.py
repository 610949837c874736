"""Locations as documents: PIDF-LO (:rfc:`4119`, :rfc:`5491`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from markup import Element, MarkupError, parse_markup
from sip.emergency.additional_data import AdditionalData, provided_by
from sip.emergency.civic import CivicAddress
from sip.emergency.shapes import Circle, Point, Shape, read_shape

__all__ = ["PIDF_TYPE", "LocationObject", "Pidf", "write_pidf"]

PIDF_TYPE = "application/pidf+xml"
"""The media type of locations."""

_PIDF = "urn:ietf:params:xml:ns:pidf"
_DATA_MODEL = "urn:ietf:params:xml:ns:pidf:data-model"
_GEOPRIV = "urn:ietf:params:xml:ns:pidf:geopriv10"
_CIVIC = "urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"
_GML = "http://www.opengis.net/gml"
_SHAPES = "http://www.opengis.net/pidflo/1.0"

_TWO_DIMENSIONS = "urn:ogc:def:crs:EPSG::4326"
_THREE_DIMENSIONS = "urn:ogc:def:crs:EPSG::4979"


@dataclass(frozen=True, slots=True)
class LocationObject:
    """One ``geopriv`` element: where, and how that is known."""

    shapes: tuple[Shape, ...]
    """Where, on a map."""

    addresses: tuple[CivicAddress, ...]
    """Where, as an address; with a shape it may say no more than the floor."""

    method: str | None
    """How it was found: ``"GPS"``, ``"Wiremap"``, ``"Cell"`` and so on."""

    timestamp: str | None
    """When, as the document has it."""

    about: str
    """Of what: ``"device"``, ``"tuple"`` or ``"person"``."""

    data: tuple[AdditionalData, ...]
    """What the access network says about itself (:rfc:`7852#section-6.2`)."""

    warnings: tuple[str, ...]
    """What couldn't be understood, in words."""


@dataclass(frozen=True, slots=True)
class Pidf:
    """A location document, as far as it can be understood."""

    entity: str | None
    """Whose location it is."""

    locations: tuple[LocationObject, ...]
    """The one that counts first: of a device, of a tuple, of a person
    (:rfc:`5491#section-3.4`); else in the order of the document."""

    warnings: tuple[str, ...]
    """What couldn't be understood, in words; that of the locations included."""

    @classmethod
    def parse(cls, document: bytes) -> Pidf:
        """Read a document.

        A shape that can't be understood makes a warning; what is beside it counts.

        Raises:
            MarkupError: It isn't well-formed XML, is out of proportion, or isn't a
                location document.
        """
        root = parse_markup(document)
        if root.name != "presence":
            raise MarkupError("not a presence document")
        found = [_read_geopriv(*pair) for pair in _geoprivs(root)]
        found.sort(key=lambda location: _ORDER[location.about])
        warnings = [warning for location in found for warning in location.warnings]
        if not any(location.shapes or location.addresses for location in found):
            warnings.append("there is no location in the document")
        return cls(root.attributes.get("entity"), tuple(found), tuple(warnings))

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes of all locations, the one that counts first."""
        return tuple(shape for found in self.locations for shape in found.shapes)

    @property
    def addresses(self) -> tuple[CivicAddress, ...]:
        """The addresses of all locations, the one that counts first."""
        return tuple(a for found in self.locations for a in found.addresses)


# Rule 8 of section 3.4: what is about the device is nearest to who calls with it.
_ORDER = {"device": 0, "tuple": 1, "person": 2}


def _geoprivs(root: Element) -> Iterator[tuple[Element, Element]]:
    """Yield what a location is about, and the location."""
    for child in root.children:
        if child.name in _ORDER:
            for geopriv in child.find_all("geopriv"):
                yield child, geopriv


def _read_geopriv(about: Element, geopriv: Element) -> LocationObject:
    shapes: list[Shape] = []
    addresses: list[CivicAddress] = []
    warnings: list[str] = []
    for info in geopriv.find_all("location-info"):
        for child in info.children:
            if child.name == "civicAddress":
                addresses.append(CivicAddress.read(child))
                continue
            try:
                shape = _read_any_shape(child)
            except MarkupError as exc:
                warnings.append(str(exc))
            else:
                shapes.append(shape)
    return LocationObject(
        shapes=tuple(shapes),
        addresses=tuple(address for address in addresses if address.fields),
        method=geopriv.find_text("method"),
        timestamp=about.find_text("timestamp"),
        about=about.name,
        data=provided_by(geopriv),
        warnings=tuple(warnings),
    )


def _read_any_shape(element: Element) -> Shape:
    shape = read_shape(element)
    if shape is not None:
        return shape
    # RFC 4119 had the shape in a "location".
    for child in element.children:
        shape = read_shape(child)
        if shape is not None:
            return shape
    raise MarkupError("a location is neither a shape nor an address")


def write_pidf(
    entity: str,
    *,
    shape: Point | Circle | None = None,
    address: CivicAddress | None = None,
    method: str | None = None,
    timestamp: str | None = None,
    device_id: str = "device",
) -> bytes:
    """Write a document for one location, as a device does that knows where it is.

    Args:
        entity: Whose location it is: a ``pres:`` URI, or one that says nothing.
        shape: Where, on a map.
        address: Where, as an address.
        method: How it was found, such as ``"GPS"`` or ``"Manual"``.
        timestamp: When, as ``2024-06-30T12:00:00Z``.
        device_id: What the device is called in the document.

    Raises:
        ValueError: There is neither a shape nor an address.
    """
    if shape is None and address is None:
        raise ValueError("a location needs a shape or an address")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<presence xmlns="{_PIDF}" xmlns:dm="{_DATA_MODEL}" xmlns:gp="{_GEOPRIV}"'
        f' xmlns:gml="{_GML}" xmlns:gs="{_SHAPES}" xmlns:ca="{_CIVIC}"'
        f" entity={quoteattr(entity)}>",
        f"<dm:device id={quoteattr(device_id)}><gp:geopriv><gp:location-info>",
        *([] if shape is None else _shape_lines(shape)),
        *([] if address is None else _address_lines(address)),
        "</gp:location-info><gp:usage-rules/>",
        *([] if method is None else [f"<gp:method>{escape(method)}</gp:method>"]),
        f"</gp:geopriv><dm:deviceID>{escape(device_id)}</dm:deviceID>",
        *_timestamp_lines(timestamp),
        "</dm:device></presence>",
    ]
    return "\r\n".join(lines).encode() + b"\r\n"


def _timestamp_lines(timestamp: str | None) -> Iterable[str]:
    if timestamp is not None:
        yield f"<dm:timestamp>{escape(timestamp)}</dm:timestamp>"


def _shape_lines(shape: Point | Circle) -> Iterable[str]:
    three = shape.center.altitude is not None
    system = _THREE_DIMENSIONS if three else _TWO_DIMENSIONS
    pos = f"<gml:pos>{shape.center}</gml:pos>"
    if isinstance(shape, Point):
        yield f'<gml:Point srsName="{system}">{pos}</gml:Point>'
        return
    # A circle can't have a height, but a sphere can (RFC 5491 §5.2.3).
    name = "Sphere" if three else "Circle"
    yield f'<gs:{name} srsName="{system}">{pos}'
    yield f'<gs:radius uom="urn:ogc:def:uom:EPSG::9001">{shape.radius!r}</gs:radius>'
    yield f"</gs:{name}>"


def _address_lines(address: CivicAddress) -> Iterable[str]:
    language = address.language
    attribute = "" if language is None else f" xml:lang={quoteattr(language)}"
    yield f"<ca:civicAddress{attribute}>"
    for name, value in address.fields:
        yield f"<ca:{name}>{escape(value)}</ca:{name}>"
    yield "</ca:civicAddress>"
