"""Locations as documents, among them those of RFC 4119 and RFC 5491."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from markup import MAX_ELEMENTS
from sip.emergency import (
    ArcBand,
    Circle,
    CivicAddress,
    Ellipse,
    Ellipsoid,
    MarkupError,
    Pidf,
    Point,
    Polygon,
    Position,
    Prism,
    Shape,
    Sphere,
    write_pidf,
)

NAMESPACES = """
    xmlns="urn:ietf:params:xml:ns:pidf"
    xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model"
    xmlns:gp="urn:ietf:params:xml:ns:pidf:geopriv10"
    xmlns:ca="urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr"
    xmlns:gml="http://www.opengis.net/gml"
    xmlns:gs="http://www.opengis.net/pidflo/1.0"
"""
M = 'uom="urn:ogc:def:uom:EPSG::9001"'
DEG = 'uom="urn:ogc:def:uom:EPSG::9102"'
RAD = 'uom="urn:ogc:def:uom:EPSG::9101"'
TWO = 'srsName="urn:ogc:def:crs:EPSG::4326"'
THREE = 'srsName="urn:ogc:def:crs:EPSG::4979"'


def document(info: str, about: str = "tuple", more: str = "") -> bytes:
    location = f"<gp:geopriv><gp:location-info>{info}</gp:location-info></gp:geopriv>"
    name = about if about == "tuple" else f"dm:{about}"
    inside = f"<status>{location}</status>" if about == "tuple" else location
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<presence {NAMESPACES} '
        f'entity="pres:a@b"><{name} id="x">{inside}</{name}>{more}</presence>'
    ).encode()


HEXAGON = tuple(
    Position(latitude, longitude)
    for latitude, longitude in (
        (43.311, -73.422), (43.111, -73.322), (43.111, -73.222), (43.311, -73.122),
        (43.411, -73.222), (43.411, -73.322), (43.311, -73.422),
    )
)  # fmt: skip
POSITIONS = "".join(f"<gml:pos>{p}</gml:pos> <!-- A -->" for p in HEXAGON)
RING = "<gml:exterior><gml:LinearRing>{}</gml:LinearRing></gml:exterior>"

SHAPES: list[tuple[str, str, Shape]] = [
    (
        "point",
        f"<gml:Point {TWO}><gml:pos>-34.407 150.883</gml:pos></gml:Point>",
        Point(Position(-34.407, 150.883)),
    ),
    (
        "point-3d",
        f"<gml:Point {THREE}><gml:pos>-34.407 150.883 24.8</gml:pos></gml:Point>",
        Point(Position(-34.407, 150.883, 24.8)),
    ),
    (
        "point-of-rfc4119",
        "<gml:location><gml:Point gml:id='p' srsName='epsg:4326'><gml:coordinates>"
        "37.775,-122.422</gml:coordinates></gml:Point></gml:location>",
        Point(Position(37.775, -122.422)),
    ),
    (
        "circle",
        f"<gs:Circle {TWO}><gml:pos>42.5463 -73.2512</gml:pos>"
        f"<gs:radius {M}>\n 850.24\n</gs:radius></gs:Circle>",
        Circle(Position(42.5463, -73.2512), 850.24),
    ),
    (
        "ellipse",
        f"<gs:Ellipse {TWO}><gml:pos>42.5463 -73.2512</gml:pos>"
        f"<gs:semiMajorAxis {M}>1275</gs:semiMajorAxis>"
        f"<gs:semiMinorAxis {M}>670</gs:semiMinorAxis>"
        f"<gs:orientation {DEG}>43.2</gs:orientation></gs:Ellipse>",
        Ellipse(Position(42.5463, -73.2512), 1275, 670, 43.2),
    ),
    (
        "polygon",
        f"<gml:Polygon {TWO}>{RING.format(POSITIONS)}</gml:Polygon>",
        Polygon(HEXAGON),
    ),
    (
        "polygon-as-list",
        f"<gml:Polygon {TWO}>"
        + RING.format(
            "<gml:posList>43.311 -73.422 43.111 -73.322 43.111 -73.222 43.311 -73.122"
            "\n 43.411 -73.222 43.411 -73.322 43.311 -73.422</gml:posList>"
        )
        + "</gml:Polygon>",
        Polygon(HEXAGON),
    ),
    (
        "arc-band",
        f"<gs:ArcBand {TWO}><gml:pos>-43.5723 153.21760</gml:pos>"
        f"<gs:innerRadius {M}>3594</gs:innerRadius>"
        f"<gs:outerRadius {M}>4148</gs:outerRadius>"
        f"<gs:startAngle {DEG}>20</gs:startAngle>"
        f"<gs:openingAngle {DEG}>20</gs:openingAngle></gs:ArcBand>",
        ArcBand(Position(-43.5723, 153.2176), 3594, 4148, 20, 20),
    ),
    (
        "sphere",
        f"<gs:Sphere {THREE}><gml:pos>42.5463 -73.2512 26.3</gml:pos>"
        f"<gs:radius {M}>850.24</gs:radius></gs:Sphere>",
        Sphere(Position(42.5463, -73.2512, 26.3), 850.24),
    ),
    (
        "ellipsoid",
        f"<gs:Ellipsoid {THREE}><gml:pos>42.5463 -73.2512 26.3</gml:pos>"
        f"<gs:semiMajorAxis {M}>7.7156</gs:semiMajorAxis>"
        f"<gs:semiMinorAxis {M}>3.31</gs:semiMinorAxis>"
        f"<gs:verticalAxis {M}>28.7</gs:verticalAxis>"
        f"<gs:orientation {DEG}>90</gs:orientation></gs:Ellipsoid>",
        Ellipsoid(Position(42.5463, -73.2512, 26.3), 7.7156, 3.31, 28.7, 90),
    ),
    (
        "prism",
        f"<gs:Prism {THREE}><gs:base><gml:Polygon>"
        + RING.format(
            "<gml:posList>42.556844 -73.248157 36.6 42.656844 -73.248157 36.6 "
            "42.656844 -73.348157 36.6 42.556844 -73.248157 36.6</gml:posList>"
        )
        + f"</gml:Polygon></gs:base><gs:height {M}>2.4</gs:height></gs:Prism>",
        Prism(
            Polygon(
                (
                    Position(42.556844, -73.248157, 36.6),
                    Position(42.656844, -73.248157, 36.6),
                    Position(42.656844, -73.348157, 36.6),
                    Position(42.556844, -73.248157, 36.6),
                )
            ),
            2.4,
        ),
    ),
]


@pytest.mark.parametrize(
    ("info", "shape"), [pytest.param(i, s, id=name) for name, i, s in SHAPES]
)
@pytest.mark.rule("NG-4")
def test_the_shapes_of_rfc_5491_are_read(info: str, shape: Shape) -> None:
    pidf = Pidf.parse(document(info))
    assert pidf.shapes == (shape,)
    assert pidf.warnings == ()
    assert pidf.entity == "pres:a@b"
    assert -90 <= pidf.shapes[0].center.latitude <= 90


def test_angles_may_be_in_radians() -> None:
    info = dict((name, text) for name, text, _ in SHAPES)["ellipse"]
    radians = info.replace(DEG, RAD).replace("43.2", repr(math.pi / 2))
    (shape,) = Pidf.parse(document(radians)).shapes
    assert isinstance(shape, Ellipse)
    assert shape.orientation == pytest.approx(90)


def test_the_middle_of_a_polygon_is_the_mean_of_its_corners() -> None:
    square = (Position(0, 0), Position(0, 2), Position(2, 2), Position(2, 0))
    assert Polygon((*square, square[0])).center == Position(1, 1)


CIRCLE = dict((name, text) for name, text, _ in SHAPES)["circle"]
ADDRESS = "<ca:civicAddress><ca:FLR>2</ca:FLR></ca:civicAddress>"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("4326", "27700", "the coordinate reference system isn't WGS 84"),
        ("42.5463 -73.2512", "42.5463", "a position isn't two or three numbers"),
        ("42.5463 -73.2512", "42.5463 x", "a coordinate isn't a number"),
        ("42.5463 -73.2512", "nan nan", "a coordinate isn't a number"),
        ("42.5463 -73.2512", "4_2 1", "a coordinate isn't a number"),
        ("42.5463 -73.2512", "1e999 1", "a coordinate isn't a number"),
        ("42.5463 -73.2512", "9" * 100 + " 1", "a coordinate isn't a number"),
        ("42.5463 -73.2512", "142.5463 1", "a position isn't on the earth"),
        ("42.5463 -73.2512", "42.5463 999", "a position isn't on the earth"),
        ("gml:pos", "gml:sop", "a shape has no position"),
        ("gs:radius", "gs:suidar", "a shape has no radius"),
        ("850.24", "850.24 1", "the radius of a shape isn't one number"),
        ("850.24", "-1", "the radius of a shape is negative"),
        ("9001", "9002", "the radius of a shape isn't in metres"),
        ("Circle", "Blob", "a location is neither a shape nor an address"),
    ],
)
@pytest.mark.rule("NG-2", "NG-4")
def test_a_shape_that_isnt_understood_is_a_warning_and_hides_nothing(
    old: str, new: str, problem: str
) -> None:
    pidf = Pidf.parse(document(CIRCLE.replace(old, new) + ADDRESS))
    assert pidf.shapes == ()
    assert [address.get("FLR") for address in pidf.addresses] == ["2"]
    assert pidf.warnings == (problem,)


@pytest.mark.parametrize(
    ("ring", "problem"),
    [
        (RING.format("<gml:posList>1 2 3</gml:posList>"), "aren't pairs of numbers"),
        (RING.format("<gml:pos>1</gml:pos>"), "aren't pairs of numbers"),
        (RING.format("<gml:posList>1 2 3 4 5 6</gml:posList>"), "isn't closed"),
        (RING.format("<gml:posList>1 2 1 2</gml:posList>"), "isn't closed"),
        (RING.format("<gml:pos>1 2</gml:pos>"), "isn't closed"),
        ("", "has no corners"),
    ],
)
@pytest.mark.rule("NG-4")
def test_a_polygon_must_be_one(ring: str, problem: str) -> None:
    pidf = Pidf.parse(document(f"<gml:Polygon {TWO}>{ring}</gml:Polygon>"))
    assert problem in pidf.warnings[0]
    prism = f"<gs:Prism {TWO}><gs:height {M}>1</gs:height></gs:Prism>"
    assert Pidf.parse(document(prism)).warnings[0] == "a prism has no base"


@pytest.mark.rule("NG-4")
def test_the_location_of_a_device_counts_more_than_that_of_a_person() -> None:
    person = document(CIRCLE, "person").decode()
    start, stop = person.index("<dm:person"), person.index("</presence>")
    both = document(ADDRESS, "device", person[start:stop])
    assert [found.about for found in Pidf.parse(both).locations] == ["device", "person"]
    device = document(ADDRESS, "device").decode()
    start, stop = device.index("<dm:device"), device.index("</presence>")
    other = document(CIRCLE, "person", device[start:stop])
    assert [found.about for found in Pidf.parse(other).locations] == [
        "device",
        "person",
    ]


@pytest.mark.parametrize(
    "data", [b"<x/>", b"<presence>", b"", b"\0", b"{}", b"<!DOCTYPE x><presence/>"]
)
@pytest.mark.rule("NG-4")
def test_what_isnt_a_location_document(data: bytes) -> None:
    with pytest.raises(MarkupError):
        Pidf.parse(data)


@pytest.mark.rule("NG-4")
def test_a_document_without_a_location_says_so() -> None:
    pidf = Pidf.parse(document(""))
    assert pidf.warnings == ("there is no location in the document",)
    assert Pidf.parse(document("<ca:civicAddress/>")).addresses == ()


@pytest.mark.rule("SIP-68")
def test_nested_blocks_are_read_once() -> None:
    start, stop = "<EmergencyCallDataValue>", "</EmergencyCallDataValue>"
    block = f"<EmergencyCallData.Comment>{'x' * 1000}</EmergencyCallData.Comment>"
    provider = f"<provided-by>{start * 10}{block}{stop * 10}</provided-by>"
    data = f"<presence><tuple><geopriv>{provider}</geopriv></tuple></presence>"
    pidf = Pidf.parse(data.encode())
    assert sum(len(found.data) for found in pidf.locations) <= 1


def test_an_address_is_written_for_people() -> None:
    fields = (
        ("country", "US"), ("A1", "NY"), ("A3", "New York"), ("PRD", "N"),
        ("RD", "Broadway"), ("STS", "Street"), ("HNO", "123"), ("HNS", "A"),
        ("LMK", "Opposite the park"), ("FLR", "2"), ("ROOM", "75"), ("PC", "10027"),
    )  # fmt: skip
    assert str(CivicAddress(fields)) == (
        "123A N Broadway Street, floor 2, room 75, Opposite the park, New York, NY, "
        "10027, US"
    )
    old = CivicAddress((("A6", "Broadway"), ("HNO", "123"), ("A3", "New York")))
    assert str(old) == "123 Broadway, New York"
    assert str(CivicAddress((("HNO", "7"),))) == "7"
    assert old.get("PC") is None


@pytest.mark.parametrize(
    ("shape", "address"),
    [
        (Point(Position(1.5, -2.25)), None),
        (
            Circle(Position(1.5, -2.25), 30.0),
            CivicAddress((("FLR", "<2> & up"),), "en"),
        ),
        (None, CivicAddress((("country", "US"), ("LMK", "a"), ("LMK", "b")))),
    ],
)
@pytest.mark.rule("NG-4")
def test_what_is_written_is_read_again(
    shape: Point | Circle | None, address: CivicAddress | None
) -> None:
    data = write_pidf(
        'pres:"a"@b', shape=shape, address=address, method="GPS",
        timestamp="2024-06-30T12:00:00Z", device_id="d1",
    )  # fmt: skip
    pidf = Pidf.parse(data)
    assert pidf.entity == 'pres:"a"@b'
    assert pidf.shapes == (() if shape is None else (shape,))
    assert pidf.addresses == (() if address is None else (address,))
    (location,) = pidf.locations
    assert (location.method, location.about) == ("GPS", "device")
    assert location.timestamp == "2024-06-30T12:00:00Z"
    assert pidf.warnings == ()


def test_a_circle_with_a_height_is_written_as_a_sphere() -> None:
    center = Position(1.5, -2.25, 10.0)
    pidf = Pidf.parse(write_pidf("pres:a@b", shape=Circle(center, 5.0)))
    assert pidf.shapes == (Sphere(center, 5.0),)
    with pytest.raises(ValueError, match="needs a shape or an address"):
        write_pidf("pres:a@b")


CORPUS = [document(info) for _, info, _ in SHAPES] + [document(CIRCLE + ADDRESS)]


@given(
    st.sampled_from(CORPUS),
    st.integers(300, 1200),
    st.integers(0, 30),
    st.sampled_from(["", "<", ">", "</", "x", "-", "e9", " ", "<a>", "1 2 3", '"'])
    | st.text(max_size=5),
)
@settings(deadline=None, max_examples=300)
@pytest.mark.rule("NG-4", "SIP-68")
def test_anything_is_a_location_or_a_markup_error(
    data: bytes, start: int, cut: int, noise: str
) -> None:
    changed = data[:start] + noise.encode("utf-8", "replace") + data[start + cut :]
    try:
        pidf = Pidf.parse(changed)
    except MarkupError:
        return
    for shape in pidf.shapes:
        assert math.isfinite(shape.center.longitude)
    assert all(map(str, pidf.addresses)) or pidf.addresses
    assert len(pidf.locations) <= MAX_ELEMENTS
