from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sip.errors import SipParseError
from sip.via import BRANCH_COOKIE, Via


def test_the_parts_of_a_via() -> None:
    via = Via.parse("SIP/2.0/TLS pc33.atlanta.com:5061;branch=z9hG4bKnashds8;rport")
    assert via == Via(
        "TLS",
        "pc33.atlanta.com",
        5061,
        (("branch", "z9hG4bKnashds8"), ("rport", None)),
    )
    assert via.branch == "z9hG4bKnashds8"
    assert via.branch.startswith(BRANCH_COOKIE)
    assert via.received is None


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param(
            "SIP  /    2.0   / UDP  192.168.255.111   ; branch=  z9hG4bK30239",
            "SIP/2.0/UDP 192.168.255.111;branch=z9hG4bK30239",
            id="white-space",
        ),
        pytest.param("sip/2.0/udp h", "SIP/2.0/UDP h", id="lower-case"),
        pytest.param("SIP/2.0/UDP h : 5060", "SIP/2.0/UDP h:5060", id="colon"),
        pytest.param(
            "SIP/2.0/UDP\t[2001:db8::9:1]", "SIP/2.0/UDP [2001:db8::9:1]", id="6"
        ),
        pytest.param("SIP/7.0/UDP h", "SIP/7.0/UDP h", id="version"),
        pytest.param("SIP/2.0/UNKNOWN h", "SIP/2.0/UNKNOWN h", id="transport"),
    ],
)
@pytest.mark.rule("SIP-67")
def test_what_is_written_is_tidy(text: str, written: str) -> None:
    assert str(Via.parse(text)) == written
    assert Via.parse(written) == Via.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("SIP/2.0/UDP", id="no-host"),
        pytest.param("SIP/2.0/UDP ", id="no-host-but-space"),
        pytest.param("SIP/2.0 host", id="no-transport"),
        pytest.param("SIP/2.0/UDP host other", id="two-hosts"),
        pytest.param("SIP/2.0/(UDP) host", id="transport-no-token"),
        pytest.param("SIP/2.0/UDP host:x", id="port"),
        pytest.param("SIP/2.0/UDP host:99999", id="port-too-high"),
        pytest.param("SIP/2.0/UDP 2001:db8::9:1", id="ipv6-without-brackets"),
        pytest.param("SIP/2.0/UDP 192.0.2.15;;", id="empty-parameter"),
        pytest.param("SIP/2.0/UDP host;branch=a;branch=b", id="two-branches"),
    ],
)
@pytest.mark.rule("SIP-67")
def test_what_is_no_via_is_refused(text: str) -> None:
    with pytest.raises(SipParseError):
        Via.parse(text)


@pytest.mark.parametrize(
    ("text", "rport"),
    [
        ("", None),
        (";rport", ""),
        (";rport=", ""),
        (";rport=5060", 5060),
        (";rport=65536", None),
        (";rport=x", None),
        (";rport=" + "9" * 5000, None),
    ],
    ids=["absent", "asked-for", "empty", "filled", "too-high", "no-number", "long"],
)
@pytest.mark.rule("SIP-13", "SIP-68")
def test_rport_is_asked_for_or_filled_in(text: str, rport: int | str | None) -> None:
    assert Via.parse(f"SIP/2.0/UDP host{text}").rport == rport


@pytest.mark.parametrize("written", ["2001:db8::9:255", "[2001:db8::9:255]"])
@pytest.mark.rule("SIP-67")
def test_received_is_read_with_and_without_brackets(written: str) -> None:
    via = Via.parse(f"SIP/2.0/UDP [2001:db8::9:1];received={written};branch=z9hG4bKas3")
    assert via.received == "2001:db8::9:255"


@pytest.mark.rule("SIP-13", "SIP-67")
def test_received_is_sent_without_brackets_and_quotes() -> None:
    via = Via("UDP", "2001:db8::1").with_parameter("received", "2001:db8::2")
    assert str(via) == "SIP/2.0/UDP [2001:db8::1];received=2001:db8::2"


def test_parameters_can_be_changed() -> None:
    via = Via.parse("SIP/2.0/UDP h;rport;branch=b")
    assert str(via.with_parameter("rport", "9")) == "SIP/2.0/UDP h;rport=9;branch=b"
    assert str(via.without_parameter("rport")) == "SIP/2.0/UDP h;branch=b"


@given(st.text('SIP/2.0UDP h:5;=a"[], \t\0', max_size=40))
@settings(deadline=None, max_examples=200)
@pytest.mark.rule("SIP-68")
def test_a_via_is_read_or_refused(tail: str) -> None:
    for text in (tail, f"SIP/2.0/UDP {tail}", f"SIP/2.0/UDP h;{tail}"):
        try:
            via = Via.parse(text)
        except SipParseError:
            continue
        assert Via.parse(str(via)) == via


@given(
    st.from_regex(
        r"SIP/2\.0/(UDP|TLS) [a-z0-9.-]{1,8}(:[0-9]{1,4})?(;[a-c]{1,3}(=[a-z:]+)?)*",
        fullmatch=True,
    )
)
@settings(deadline=None, max_examples=50)
def test_the_short_way_to_read_a_via_gives_what_the_grammar_gives(text: str) -> None:
    try:
        expected = Via._parse_fully(text)
    except SipParseError:
        with pytest.raises(SipParseError):
            Via.parse(text)
    else:
        assert Via.parse(text) == expected
