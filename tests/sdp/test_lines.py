from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest

from sdp import (
    Attribute,
    Bandwidth,
    ConnectionData,
    Origin,
    SdpError,
    TimeDescription,
)

# --- o=


@pytest.mark.rule("SDP-6")
def test_origin_has_six_fields() -> None:
    origin = Origin.parse("jdoe 3724394400 3724394405 IN IP4 198.51.100.1")
    assert origin == Origin("jdoe", 3724394400, 3724394405, "IN", "IP4", "198.51.100.1")
    assert str(origin) == "jdoe 3724394400 3724394405 IN IP4 198.51.100.1"


@pytest.mark.rule("SDP-6")
@pytest.mark.parametrize("number", [0, 2**63 - 1, 10**20 - 1])
def test_origin_takes_long_numbers(number: int) -> None:
    value = f"- {number} {number} IN IP4 192.0.2.1"
    assert str(Origin.parse(value)) == value


@pytest.mark.rule("SDP-6", "SDP-18")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("1 1 IN IP4 192.0.2.1", id="no-user-name"),
        pytest.param("a b 1 1 IN IP4 192.0.2.1", id="space-in-user-name"),
        pytest.param("-  1 1 IN IP4 192.0.2.1", id="two-spaces"),
        pytest.param(" 1 1 IN IP4 192.0.2.1", id="empty-user-name"),
        pytest.param("- x 1 IN IP4 192.0.2.1", id="session-id-not-digits"),
        pytest.param("- 1 -1 IN IP4 192.0.2.1", id="negative-version"),
        pytest.param("- 1 1 I:N IP4 192.0.2.1", id="nettype-no-token"),
        pytest.param("- 1 1 IN IP6 [::1]", id="ipv6-in-brackets"),
        pytest.param("- 1 1 IN IP4 ::1", id="ipv6-said-to-be-ip4"),
        pytest.param("- 1 1 IN IP4 [192.0.2.1]", id="ipv4-in-brackets"),
    ],
)
def test_malformed_origins_are_refused(value: str) -> None:
    with pytest.raises(SdpError):
        Origin.parse(value)


def test_an_origin_is_a_name_and_need_not_resolve() -> None:
    assert Origin.parse("- 1 1 IN IP4 my_host").address == "my_host"


def test_an_origin_with_a_negative_number_cannot_be_made() -> None:
    with pytest.raises(SdpError):
        Origin("-", -1, 1, "IN", "IP4", "192.0.2.1")


# --- c=


@pytest.mark.rule("SDP-8", "SDP-18", "OA-41")
@pytest.mark.parametrize(
    "value",
    [
        "IN IP4 192.0.2.1",
        "IN IP6 2001:db8::1",
        "IN IP4 host.example.com",
        "IN IP6 host.example.com",
        "IN IP4 233.252.0.1/127",
        "IN IP4 233.252.0.1/0",
        "IN IP4 233.252.0.1/127/3",
        "IN IP6 ff00::db8:0:101",
        "IN IP6 ff00::db8:0:101/3",
        "IN IP6 ::ffff:192.0.2.1",
        "ATM NSAP 47.0091.8100.0000.0060.3e64.fd01.0060.3e64.fd01.fe",
        "TN RFC2543 +1-201-555-0144/7",
        "IN X121 not_a_host/3",
        "LOCAL IP4 not_a_host",
    ],
)
def test_connection_data_comes_out_as_it_went_in(value: str) -> None:
    assert str(ConnectionData.parse(value)) == value


@pytest.mark.rule("SDP-8")
def test_the_slashes_of_a_multicast_address_mean_hops_and_number() -> None:
    data = ConnectionData.parse("IN IP4 233.252.0.1/127/3")
    assert (data.address, data.ttl, data.count) == ("233.252.0.1", 127, 3)
    data = ConnectionData.parse("IN IP6 ff00::1/3")
    assert (data.address, data.ttl, data.count) == ("ff00::1", None, 3)


@pytest.mark.rule("SDP-8", "SDP-18")
@pytest.mark.parametrize(
    "value",
    [
        pytest.param("IN IP4", id="no-address"),
        pytest.param("IN IP4 192.0.2.1 x", id="four-fields"),
        pytest.param("IN IP4 192.0.2.1/127", id="unicast-with-ttl"),
        pytest.param("IN IP6 2001:db8::1/3", id="ipv6-unicast-with-count"),
        pytest.param("IN IP4 host.example/127", id="name-with-ttl"),
        pytest.param("IN IP4 233.252.0.1", id="ipv4-multicast-without-ttl"),
        pytest.param("IN IP4 233.252.0.1/256", id="ttl-too-big"),
        pytest.param("IN IP4 233.252.0.1/127/0", id="no-addresses"),
        pytest.param("IN IP4 233.252.0.1/127/3/4", id="too-many-slashes"),
        pytest.param("IN IP6 ff00::1/127/3", id="ipv6-multicast-with-ttl"),
        pytest.param("IN IP6 [::1]", id="brackets"),
        pytest.param("IN IP6 fe80::1%eth0", id="zone"),
        pytest.param("IN IP6 1::2::3", id="not-an-ipv6-address"),
        pytest.param("IN IP4 ::1", id="ipv6-said-to-be-ip4"),
        pytest.param("IN IP4 a.b", id="name-shorter-than-four"),
        pytest.param("IN IP4 bad_name", id="underscore"),
        pytest.param("IN IP4 h\u00f6st.example", id="name-not-in-ace-form"),
        pytest.param("IN IP4 a/x", id="slash-without-a-number"),
        pytest.param("I(N IP4 192.0.2.1", id="nettype-no-token"),
    ],
)
def test_malformed_connection_data_is_refused(value: str) -> None:
    with pytest.raises(SdpError):
        ConnectionData.parse(value)


@pytest.mark.rule("SDP-8")
@pytest.mark.parametrize("address", ["{}.0.2.1", "{}.x.example"])
def test_what_is_multicast_is_what_the_system_takes_for_it(address: str) -> None:
    for first in range(256):
        text = address.format(first)
        try:
            is_multicast = ipaddress.IPv4Address(text).is_multicast
        except ValueError:
            is_multicast = False
        data = ConnectionData("IN", "IP4", text, ttl=1 if is_multicast else None)
        assert data.is_multicast is is_multicast


def test_only_internet_addresses_have_a_time_to_live() -> None:
    with pytest.raises(SdpError):
        ConnectionData("ATM", "NSAP", "47.0091", ttl=1)
    data = ConnectionData("ATM", "NSAP", "47.0091")
    assert not data.is_multicast
    assert not data.is_unspecified


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("192.0.2.1", "IN IP4 192.0.2.1"),
        ("::1", "IN IP6 ::1"),
        ("host.example", "IN IP4 host.example"),
    ],
)
@pytest.mark.rule("SDP-8", "SDP-18")
def test_makes_connection_data_for_an_address(address: str, value: str) -> None:
    assert str(ConnectionData.for_address(address)) == value


@pytest.mark.rule("OA-22")
@pytest.mark.parametrize("address", ["0.0.0.0", "::", "0:0:0:0:0:0:0:0"])
def test_the_unspecified_address_is_read_and_not_made(address: str) -> None:
    addrtype = "IP6" if ":" in address else "IP4"
    assert ConnectionData.parse(f"IN {addrtype} {address}").is_unspecified
    with pytest.raises(SdpError):
        ConnectionData.for_address(address)
    assert not ConnectionData.parse("IN IP4 192.0.2.1").is_unspecified


# --- b=


@pytest.mark.rule("SDP-17", "SDP-4")
@pytest.mark.parametrize("value", ["AS:84", "CT:0", "TIAS:64000", "X-YZ:128"])
def test_bandwidth_is_a_type_and_a_number(value: str) -> None:
    bandwidth = Bandwidth.parse(value)
    assert f"{bandwidth.bwtype}:{bandwidth.value}" == value == str(bandwidth)


@pytest.mark.rule("SDP-17")
@pytest.mark.parametrize("value", ["AS", "AS:", ":1", "AS:1.5", "AS:-1", "A S:1"])
def test_malformed_bandwidths_are_refused(value: str) -> None:
    with pytest.raises(SdpError):
        Bandwidth.parse(value)


def test_a_negative_bandwidth_cannot_be_made() -> None:
    with pytest.raises(SdpError):
        Bandwidth("AS", -1)


# --- t=, r=, z=


@pytest.mark.rule("SDP-9")
def test_a_time_has_two_numbers() -> None:
    time = TimeDescription.parse("3724394400 3754123200")
    assert (time.start, time.stop) == (3724394400, 3754123200)
    assert TimeDescription() == TimeDescription.parse("0 0")
    for value in ("0", "0 0 0", "x 0", "-1 0", ""):
        with pytest.raises(SdpError):
            TimeDescription.parse(value)


@pytest.mark.rule("SDP-9")
@pytest.mark.parametrize(
    ("start", "stop", "plausible"),
    [
        (0, 0, True),
        (1000000000, 0, True),
        (10**15, 10**15, True),
        (999999999, 0, False),
        (0, 3600, False),
    ],
)
def test_times_have_ten_digits_or_are_zero(
    start: int, stop: int, plausible: bool
) -> None:
    assert TimeDescription(start, stop).is_plausible is plausible


@pytest.mark.rule("SDP-9")
def test_repetitions_and_zones_follow_their_time() -> None:
    time = TimeDescription(
        3724394400, 3754123200, ("7d 1h 0 25h",), "3730928400 -1h 3749680800 0"
    )
    assert str(time) == (
        "3724394400 3754123200\r\nr=7d 1h 0 25h\r\nz=3730928400 -1h 3749680800 0"
    )


@pytest.mark.rule("SDP-9")
@pytest.mark.parametrize(
    ("repeats", "zone"),
    [
        pytest.param(("7d 1h",), None, id="no-offset"),
        pytest.param(("7D 1h 0",), None, id="unit-in-upper-case"),
        pytest.param(("07d 1h 0",), None, id="interval-starts-with-zero"),
        pytest.param(("7d  1h 0",), None, id="two-spaces"),
        pytest.param(("7d 1.5h 0",), None, id="fraction"),
        pytest.param(("d 1h 0",), None, id="unit-alone"),
        pytest.param(("7d 1h 0\r\na=x",), None, id="line-break"),
        pytest.param((), "3730928400 0", id="zone-without-repetition"),
        pytest.param(("7d 1h 0",), "3730928400", id="half-a-pair"),
        pytest.param(("7d 1h 0",), "3730928400 --1h", id="two-minus-signs"),
        pytest.param(("7d 1h 0",), "x 1h", id="no-time"),
        pytest.param(("7d 1h 0",), " 1h", id="empty-time"),
        pytest.param(("7d 1h 0",), "", id="empty-zone"),
    ],
)
def test_malformed_repetitions_and_zones_are_refused(
    repeats: tuple[str, ...], zone: str | None
) -> None:
    with pytest.raises(SdpError):
        TimeDescription(3724394400, 0, repeats, zone)


def test_a_negative_time_cannot_be_made() -> None:
    with pytest.raises(SdpError):
        TimeDescription(0, -1)


# --- a=


@pytest.mark.rule("SDP-10")
@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("recvonly", "recvonly", None),
        ("path:msrp://[::1]:1/x;tcp", "path", "msrp://[::1]:1/x;tcp"),
        ("accept-types: text/plain  ", "accept-types", " text/plain  "),
        ("fmtp::", "fmtp", ":"),
        ("Setup:active", "Setup", "active"),
        ("x:\u00e9\udcff\t\x01", "x", "\u00e9\udcff\t\x01"),
    ],
)
def test_an_attribute_is_a_name_and_perhaps_a_value(
    line: str, name: str, value: str | None
) -> None:
    attribute = Attribute.parse(line)
    assert attribute == Attribute(name, value)
    assert str(attribute) == line


@pytest.mark.rule("SDP-10")
@pytest.mark.parametrize("line", ["", ":x", "x:", " x", "a b:c", "a\u00e9", "a/b"])
def test_malformed_attributes_are_refused(line: str) -> None:
    with pytest.raises(SdpError):
        Attribute.parse(line)


@pytest.mark.rule("SDP-10")
@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda evil: Attribute("x", evil), id="attribute-value"),
        pytest.param(lambda evil: Attribute(evil), id="attribute-name"),
        pytest.param(lambda evil: Bandwidth(evil, 1), id="bandwidth"),
        pytest.param(
            lambda evil: Origin(evil, 1, 1, "IN", "IP4", "host"), id="user-name"
        ),
        pytest.param(
            lambda evil: Origin("-", 1, 1, "IN", "IP4", evil), id="origin-address"
        ),
        pytest.param(lambda evil: ConnectionData("IN", "IP4", evil), id="address"),
        pytest.param(lambda evil: ConnectionData(evil, "IP4", "host"), id="nettype"),
    ],
)
@pytest.mark.parametrize("breaking", ["x\r\na=y", "x\na=y", "x\ra=y", "x\0y"])
def test_nothing_can_break_out_of_its_line(
    make: Callable[[str], object], breaking: str
) -> None:
    with pytest.raises(SdpError):
        make(breaking)
