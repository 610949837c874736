"""Reading takes time in proportion to what is read, whatever a peer makes of it.

Two ways to show it.  No regular expression may give back what it has matched: every
repetition without a limit is possessive.  And parsers get the worst of each kind at
one length and at eight times that: what is linear takes some eight times as long,
what is quadratic sixty-four, so the limit between them needn't be exact.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

import sip
from sip.cseq import CSeq
from sip.emergency import (
    EmergencyCall,
    EmergencyIdentifier,
    MarkupError,
    Pidf,
    ServiceUrn,
    telephone_number,
)
from sip.emergency.lenient import read_values
from sip.errors import SipParseError
from sip.fields import (
    Accepted,
    CallInfo,
    Event,
    HistoryInfo,
    MediaRange,
    RAck,
    Reason,
    Replaces,
    ResourcePriority,
    RetryAfter,
    SessionExpires,
    WarningValue,
    parse_date,
)
from sip.headers import Headers
from sip.message import Request
from sip.name_addr import NameAddr, parse_name_addrs
from sip.uri import OtherUri, SipUri
from sip.via import Via
from sip.wire import StreamFramer, parse_message

# The modules that read what a peer has sent; those that have I/O read with these.
VALUES = sorted(
    info.name
    for info in pkgutil.walk_packages(sip.__path__, "sip.")
    if not info.name.startswith(("sip.aio", "sip.testing"))
)


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for name in VALUES:
        for attribute, value in vars(importlib.import_module(name)).items():
            for number, found in enumerate(
                value.values() if isinstance(value, dict) else [value]
            ):
                if isinstance(found, re.Pattern):
                    yield f"{name}.{attribute}.{number}", found


PATTERNS = list(patterns())


def gives_back(tree: object) -> bool:
    """Tell whether a parsed expression has a repetition that may be taken back."""
    tree = getattr(tree, "data", tree)
    if not isinstance(tree, Iterable) or isinstance(tree, str):
        return False
    items = list(tree)
    if items and str(items[0]) in ("MAX_REPEAT", "MIN_REPEAT"):
        _, (_, most, inner) = items
        return str(most) == "MAXREPEAT" or gives_back(inner)
    return any(map(gives_back, items))


def parsed(pattern: str) -> object:
    # What the compiler works on; there is no public name for it.
    tree: object = importlib.import_module("re._parser").parse(pattern).data
    return tree


@pytest.mark.parametrize(
    "pattern", [p for _, p in PATTERNS], ids=[name for name, _ in PATTERNS]
)
@pytest.mark.rule("SIP-68")
def test_no_expression_gives_back_what_it_has_matched(pattern: re.Pattern[str]) -> None:
    assert not gives_back(parsed(pattern.pattern))


@pytest.mark.parametrize(
    ("pattern", "is_bad"),
    [
        (r"a*b", True),
        (r"(?:x|(a+))b", True),
        (r"a+?b", True),
        (r"(?:a{2,})b", True),
        (r"(?>a*)b", True),
        (r"a*+b", False),
        (r"(?:a{1,9}|b?)c", False),
        (r"(a++(?:=b++)?+)*+", False),
    ],
)
def test_an_expression_that_does_would_be_seen(pattern: str, is_bad: bool) -> None:
    assert gives_back(parsed(pattern)) is is_bad


def test_the_expressions_are_found() -> None:
    assert len(PATTERNS) > 20
    assert "sip.name_addr._PLAIN.0" in dict(PATTERNS)


def _headers(name: str) -> Callable[[str], object]:
    def read(text: str) -> object:
        return read_values(
            Headers.from_lines([f"{name}: {text}"])[0], name, CallInfo.parse
        )

    return read


def _wire(text: str) -> object:
    return parse_message(f"INVITE sip:a SIP/2.0\r\n{text}\r\n\r\n".encode())


def _stream(text: str) -> object:
    framer = StreamFramer(max_head_size=10**7)
    data = text.encode()
    return [framer.receive_data(data[at : at + 512]) for at in range(0, len(data), 512)]


def _pidf(text: str) -> object:
    return Pidf.parse(f"<presence><tuple>{text}</tuple></presence>".encode())


def _call(text: str) -> object:
    body = f"--b\r\n{text}\r\n--b--".encode()
    headers = [("Geolocation", "<cid:a@b>" * 50)]
    request = Request.build(
        "INVITE", "urn:service:sos", headers, body, "multipart/mixed;boundary=b"
    )
    return EmergencyCall.from_request(request)


PARSERS: list[Callable[[str], object]] = [
    NameAddr.parse,
    Via.parse,
    CSeq.parse,
    SipUri.parse,
    OtherUri.parse,
    Accepted.parse,
    CallInfo.parse,
    Event.parse,
    HistoryInfo.parse,
    MediaRange.parse,
    RAck.parse,
    Reason.parse,
    Replaces.parse,
    ResourcePriority.parse,
    RetryAfter.parse,
    SessionExpires.parse,
    WarningValue.parse,
    parse_date,
    ServiceUrn.parse,
    lambda text: parse_name_addrs([text]),
    lambda text: telephone_number(OtherUri("tel", text)),
    lambda text: EmergencyIdentifier.parse(OtherUri("urn", text)),
    _headers("Call-Info"),
    _wire,
    _stream,
    _pidf,
    _call,
]

# How each text begins, what is repeated, and how it ends.
WORST = [
    ("", '"', ""),
    ("", "<", ""),
    ("", "<sip:a>", ">"),
    ("", "a ", "<"),
    ('"', "\\", '"'),
    ('"', '\\"', ""),
    ('"', "a", ""),
    ("sip:a", ";a=b", "\x00"),
    ("<sip:a>", ";a", "=="),
    ("sip:", "%41", "@"),
    ("sip:", "@", ""),
    ("sip:", "a:", "a"),
    ("sip:a?", "a=b&", ""),
    ("SIP/2.0/UDP ", "a.", ";;"),
    ("SIP / 2.0 / UDP", " ", ""),
    ("1", "0", " INVITE"),
    ("1", " ", "x"),
    ("5 ", "(", ""),
    ("5 (", "\\)", ""),
    ("", ",", ""),
    ("", "<a:b>;c ", "<"),
    ("urn:service:", "a.", "-"),
    ("urn:service:", "a-", ""),
    ("X: a", "\r\n b", ""),
    ("X: a", " ", "\r\n"),
    ("", "X: a\r\n", ""),
    ("", "\r\n", ""),
    ("", "\r", "\n"),
    ("", "<status>", ""),
    ("<geopriv><location-info>", "<Polygon/>", ""),
    ("", "--b\r\n", ""),
    ("", "\u00e9", ""),
]


def _seconds(parse: Callable[[str], object], text: str) -> float:
    """Give the least of some times, of this thread alone."""
    times = []
    for _ in range(3):
        began = time.thread_time()
        try:
            parse(text)
        except (SipParseError, MarkupError):
            pass
        times.append(time.thread_time() - began)
    return min(times)


SHORT, FACTOR = 6_000, 8
MOST = FACTOR * 4
BRIEF = 0.002
"""What takes less, at the greater length, is quick enough whatever the ratio is."""


@pytest.mark.parametrize(("start", "repeated", "end"), WORST)
@pytest.mark.rule("SIP-68")
def test_time_grows_with_the_length_and_not_with_its_square(
    start: str, repeated: str, end: str
) -> None:
    short, long = (
        start + repeated * (length // len(repeated)) + end
        for length in (SHORT, SHORT * FACTOR)
    )
    for parse in PARSERS:
        slow = _seconds(parse, long)
        if slow > BRIEF:
            assert slow < _seconds(parse, short) * MOST, parse
