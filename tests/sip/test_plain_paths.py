"""What is read the quick way is what the full grammar gives."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sip.cseq import CSeq
from sip.errors import SipParseError
from sip.grammar import WSP, is_one_line, is_token
from sip.headers import Headers
from sip.name_addr import NameAddr
from sip.recall import recalling
from sip.uri import SipUri
from sip.via import Via
from sip.wire import parse_message

TOKEN = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=6)
HOST = st.sampled_from(["example.com", "192.0.2.1", "a_b", "A-1.b."])
PORT = st.sampled_from(["", ":0", ":5060", ":59999", ":65535", ":65536", ":99999"])
VALUE = TOKEN | st.sampled_from(["[::1]", "a:b", "", '"a b"', "192.0.2.1:5060"])
PARAMETER = st.builds(
    lambda name, equals, value: f";{name}{'=' if equals else ''}{value * equals}",
    TOKEN, st.booleans(), VALUE,
)  # fmt: skip
PARAMETERS = st.lists(PARAMETER, max_size=3).map("".join)
USER = st.text("abc019-_.!~*'()&=+$,;?/%", min_size=1, max_size=8)
URI = st.builds(
    lambda scheme, user, host, port, rest: f"{scheme}:{user}{host}{port}{rest}",
    st.sampled_from(["sip", "sips", "SIP"]),
    st.just("") | USER.map(lambda user: f"{user}@"),
    HOST,
    PORT,
    PARAMETERS,
)
NAME = st.sampled_from(["", "Bob ", '"B, ob" ', '"B\\"ob"', "B;ob ", " ", "B\tb "])
ADDRESS = st.builds(
    lambda name, uri, rest: f"{name}<{uri}>{rest}", NAME, URI, PARAMETERS
)
VIA = st.builds(
    lambda start, host, port, rest: f"{start} {host}{port}{rest}",
    st.sampled_from(["SIP/2.0/UDP", "SIP / 2.0 / TCP", "SIP/3.0/udp", "SIP/2.0/X-1"]),
    HOST,
    PORT,
    PARAMETERS,
)


def outcome(parse: object, text: str) -> object:
    assert callable(parse)
    try:
        return parse(text)
    except SipParseError:
        return None


@given(URI)
@settings(deadline=None, max_examples=150)
@pytest.mark.rule("SIP-7")
def test_uris(text: str) -> None:
    assert outcome(SipUri.parse, text) == outcome(SipUri._parse_fully, text)


@given(ADDRESS)
@settings(deadline=None, max_examples=150)
@pytest.mark.rule("SIP-5")
def test_addresses(text: str) -> None:
    def parse_fully(text: str) -> NameAddr:
        return NameAddr._parse_fully(text.strip())

    assert outcome(NameAddr.parse, text) == outcome(parse_fully, text)


@given(VIA)
@settings(deadline=None, max_examples=150)
def test_vias(text: str) -> None:
    assert outcome(Via.parse, text) == outcome(Via._parse_fully, text)


@pytest.mark.parametrize(
    "text", ["1 INVITE", "1  INVITE", "000000001 INVITE", "4294967295 X", "1 a", "1\tB"]
)
def test_sequence_numbers(text: str) -> None:
    number, method = text.split()
    assert CSeq.parse(text) == CSeq(int(number), method)


LINE = st.builds(
    "{}{}:{}{}{}".format,
    st.sampled_from(["To", "v", "X-Own", "content-TYPE", "Bad name", ""]),
    st.sampled_from(["", " ", "\t "]),
    st.sampled_from(["", " ", " \t"]),
    st.sampled_from(
        ["", "a", "a b", "\u00e9\u2028\x85", "a:b", "\x00", "\x0b", "a\rb"]
    ),
    st.sampled_from(["", " ", "\t", "\r\n more", "\n", "\r", "\n\r"]),
) | st.sampled_from(["no colon", " continues", ""])


@given(st.lists(LINE, max_size=5))
@settings(deadline=None, max_examples=250)
@pytest.mark.rule("SIP-3", "SIP-68")
def test_lines(lines: list[str]) -> None:
    text = "\r\n".join(lines)
    head = f"OPTIONS sip:a SIP/2.0\r\n{text}"
    if "\r\n\r\n" in f"{head}\r\n":
        return
    all_lines = text.split("\r\n") if text else []
    good = list(filter(is_one_line, all_lines))
    expected, problem = Headers.from_lines(good)
    error: SipParseError | None = None
    try:
        headers: Headers | None = parse_message(f"{head}\r\n\r\n".encode()).headers
    except SipParseError as exc:
        error, headers = exc, exc.request.headers if exc.request else None
    is_good = problem is None and len(good) == len(all_lines)
    assert is_good is (error is None)
    assert headers == expected


def read_one_by_one(lines: list[str]) -> tuple[list[tuple[str, str]], bool]:
    """Read header lines as RFC 3261 §7.3.1 has it: unfold them, then split each."""
    unfolded: list[str] = []
    for line in lines:
        if unfolded and line[:1] in (" ", "\t"):
            unfolded[-1] = f"{unfolded[-1].rstrip(WSP)} {line.strip(WSP)}"
        else:
            unfolded.append(line)
    fields: list[tuple[str, str]] = []
    for line in unfolded:
        name, colon, value = line.partition(":")
        if colon and is_token(name.rstrip(WSP)):
            fields.append((name.rstrip(WSP), value.strip(WSP)))
    return fields, len(fields) == len(unfolded)


@given(st.lists(LINE.map(lambda line: line.replace("\r\n", "")), max_size=6))
@example(["To:", "To:", "", " continues", " :"])
@example([" ", " To: a"])
@settings(deadline=None, max_examples=250)
@pytest.mark.rule("SIP-3", "SIP-68")
def test_header_lines(lines: list[str]) -> None:
    lines = list(filter(is_one_line, lines))
    fields, all_are = read_one_by_one(lines)
    headers, problem = Headers.from_lines(list(lines))
    assert headers == Headers(fields)
    assert (problem is None) is all_are
    for name, _ in fields:
        assert headers.get_all(name) == Headers(fields).get_all(name)


def test_long_texts_are_read_and_not_remembered() -> None:
    read: list[str] = []

    def parse(text: str) -> int:
        read.append(text)
        return len(text)

    recall = recalling(parse)
    for text in ("a", "a", "b" * 1000, "b" * 1000):
        assert recall(text) == len(text)
    assert read == ["a", "b" * 1000, "b" * 1000]
