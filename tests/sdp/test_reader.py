from __future__ import annotations

import pytest

from sdp import SdpError, SessionDescription
from sdp.reader import (
    MAX_ATTRIBUTES,
    MAX_LINE_LENGTH,
    MAX_LINES,
    MAX_MEDIA,
    MAX_SIZE,
    MAX_WARNINGS,
    MediaLine,
)

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
TAIL = "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
MEDIA = "m=message 9 TCP/MSRP *\r\n"
WHOLE = HEAD + TAIL + MEDIA + "a=path:msrp://192.0.2.1:9/x;tcp\r\n"


def parse(text: str) -> SessionDescription:
    return SessionDescription.parse(text)


def refuse(text: str, line: int | None, problem: str, *, strict: bool = False) -> None:
    with pytest.raises(SdpError, match=problem) as caught:
        SessionDescription.parse(text, strict=strict)
    assert caught.value.line == line


def forgive(text: str, line: int, problem: str) -> SessionDescription:
    """Read what a tolerant reader takes and a strict one doesn't."""
    refuse(text, line, problem, strict=True)
    description = parse(text)
    assert f"line {line}: {problem}" in description.warnings
    # What it made of it has nothing left to forgive.
    assert SessionDescription.parse(str(description), strict=True) == description
    return description


@pytest.mark.rule("SDP-1")
def test_lines_may_end_in_lf_alone() -> None:
    bare = WHOLE.replace("\r\n", "\n")
    assert SessionDescription.parse(bare, strict=True) == parse(WHOLE)
    assert str(parse(bare)) == WHOLE


@pytest.mark.rule("SDP-1")
def test_the_last_line_may_lack_its_end() -> None:
    assert forgive(WHOLE[:-2], 7, "the last line has no end") == parse(WHOLE)
    assert parse(WHOLE[:-1]) == parse(WHOLE)


def test_empty_lines_at_the_end_are_forgiven() -> None:
    assert forgive(f"{WHOLE}\r\n\n", 10, "empty lines at the end") == parse(WHOLE)


@pytest.mark.rule("SDP-1")
@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        pytest.param("", 1, "first line", id="nothing"),
        pytest.param("\r\n", 1, "first line", id="empty-line-only"),
        pytest.param("V" + WHOLE[1:], 1, "first line", id="upper-case"),
        pytest.param("v =0" + WHOLE[3:], 1, "first line", id="space-before-equals"),
        pytest.param("v= 0" + WHOLE[3:], 1, "version", id="space-after-equals"),
        pytest.param("\r\n" + WHOLE, 1, "first line", id="empty-line-first"),
        pytest.param(HEAD + "\r\n" + TAIL, 4, "not a letter", id="empty-line-between"),
        pytest.param(WHOLE + "a\r\n", 8, "not a letter", id="letter-alone"),
        pytest.param(WHOLE + "path:x\r\n", 8, "not a letter", id="no-letter"),
        pytest.param(WHOLE + "a= x\r\n", 8, "token", id="space-before-name"),
        pytest.param(WHOLE + "a=x:a\rb\r\n", 8, "CR", id="cr-within"),
        pytest.param(WHOLE + "a=x:a\r\r\n", 8, "CR", id="two-cr"),
        pytest.param(WHOLE + "a=x:a\0b\r\n", 8, "NUL", id="nul-within"),
    ],
)
def test_malformed_lines_are_refused(text: str, line: int, problem: str) -> None:
    refuse(text, line, problem)


@pytest.mark.rule("SDP-2")
@pytest.mark.parametrize("missing", ["o", "s", "t"])
def test_required_lines_must_be_there(missing: str) -> None:
    lines = WHOLE.splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith(missing))
    refuse(text, 1, f"no {missing}= line")


@pytest.mark.rule("SDP-2", "SDP-8")
def test_a_stream_needs_an_address_from_somewhere() -> None:
    bare = HEAD + "t=0 0\r\n"
    refuse(bare + MEDIA, 5, "without an address")
    refuse(bare + MEDIA + "c=IN IP4 192.0.2.1\r\n" + MEDIA, 7, "without an address")
    assert parse(bare + MEDIA + "c=IN IP4 192.0.2.1\r\n").connection is None
    assert parse(bare).media == ()


@pytest.mark.rule("SDP-2")
def test_a_rejected_stream_without_an_address_is_forgiven() -> None:
    text = HEAD + "t=0 0\r\nm=audio 0 RTP/AVP 0\r\n"
    refuse(text, 5, "a rejected media section without", strict=True)
    assert parse(text).media[0].connection is None


@pytest.mark.rule("SDP-2")
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("v=0\r\ns=-\r\no=- 1 1 IN IP4 192.0.2.1\r\n" + TAIL, id="s-o"),
        pytest.param(HEAD.replace("s=", "i=x\r\ns=") + TAIL, id="i-s"),
    ],
)
def test_the_first_three_lines_keep_their_order(text: str) -> None:
    refuse(text, 3 if "i=" not in text else 4, "out of order")


@pytest.mark.rule("SDP-2", "OA-41")
@pytest.mark.parametrize(
    ("text", "line", "letter"),
    [
        pytest.param(HEAD + "t=0 0\r\nc=IN IP4 192.0.2.1\r\n", 5, "c", id="t-before-c"),
        pytest.param(HEAD + "a=x\r\n" + TAIL, 5, "c", id="a-before-c"),
        pytest.param(HEAD + TAIL + "b=AS:1\r\n", 6, "b", id="b-after-t"),
        pytest.param(HEAD + TAIL + "a=x\r\nt=0 0\r\n", 7, "t", id="t-after-a"),
        pytest.param(WHOLE + "c=IN IP4 192.0.2.2\r\n", 8, "c", id="c-after-a-in-media"),
        pytest.param(WHOLE + "b=AS:1\r\n", 8, "b", id="b-after-a-in-media"),
        pytest.param(WHOLE + "i=x\r\n", 8, "i", id="i-after-a-in-media"),
    ],
)
def test_other_lines_out_of_order_are_forgiven(
    text: str, line: int, letter: str
) -> None:
    forgive(text, line, f"the {letter}= line is out of order")


@pytest.mark.rule("SDP-2", "SDP-18")
@pytest.mark.parametrize("length", [10, 128, 129, 1000])
def test_lines_that_are_remembered_and_lines_that_are_not_read_alike(
    length: int,
) -> None:
    attributes = f"a=path:{'x' * (length - 5)}\r\na=recvonly\r\n"
    for _ in range(2):
        for address in ("192.0.2.1", "192.0.2.2"):
            text = WHOLE.replace("192.0.2.1", address) + attributes
            assert str(parse(text)) == text
        for bad in ("c=IN IP4 x", "a=", "a=b:", "t=0", "a=b\0" + "c" * length):
            with pytest.raises(SdpError) as caught:
                parse(HEAD + TAIL + bad + "\r\n")
            assert caught.value.line == 6


@pytest.mark.rule("SDP-2", "SDP-7", "SDP-8")
@pytest.mark.parametrize(
    "again",
    [
        "v=0",
        "o=- 1 1 IN IP4 192.0.2.1",
        "s=-",
        "i=x\r\ni=y",
        "u=x\r\nu=y",
        "k=x\r\nk=y",
    ],
    ids=lambda text: text[0],
)
def test_lines_that_can_be_there_once_are_not_taken_twice(again: str) -> None:
    before, after = (HEAD + again + "\r\n" + TAIL), HEAD + TAIL + again + "\r\n"
    for text in (before, after):
        with pytest.raises(SdpError, match=r"second|out of order"):
            parse(text)


@pytest.mark.rule("SDP-8")
def test_a_session_has_one_address() -> None:
    refuse(HEAD + "c=IN IP4 192.0.2.1\r\n" + TAIL, 5, "a second c= line")
    several = HEAD + "c=IN IP4 233.252.0.1/1/2\r\nt=0 0\r\n"
    refuse(several, 4, "several addresses", strict=True)
    assert parse(several).warnings


@pytest.mark.rule("SDP-8")
def test_a_stream_has_several_addresses_only_if_they_are_multicast() -> None:
    layers = WHOLE.replace(
        MEDIA, MEDIA + "c=IN IP4 233.252.0.1/1\r\nc=IN IP4 233.252.0.2/1\r\n"
    )
    assert len(SessionDescription.parse(layers, strict=True).media[0].connections) == 2
    unicast = layers.replace("233.252.0.2/1", "192.0.2.2")
    refuse(unicast, 6, "several addresses", strict=True)
    assert str(parse(unicast).media[0].connection) == "IN IP4 233.252.0.1/1"


@pytest.mark.rule("SDP-2")
@pytest.mark.parametrize(
    "line", ["v=0", "s=-", "t=0 0", "u=x", "e=x", "p=1", "r=1 1 0"]
)
def test_lines_of_the_session_have_no_place_in_a_stream(line: str) -> None:
    refuse(f"{WHOLE}{line}\r\n", 8, "in a media section")


@pytest.mark.rule("SDP-3")
@pytest.mark.parametrize("line", ["x=1", "A=x", "\u00e9=x", "==x", " =x"])
def test_unknown_types_of_lines_are_refused(line: str) -> None:
    refuse(f"{WHOLE}{line}\r\n", 8, "unknown type")
    refuse(f"{HEAD}{line}\r\n{TAIL}", 4, "unknown type")


@pytest.mark.rule("SDP-4")
def test_keys_are_dropped() -> None:
    text = WHOLE.replace("t=0 0\r\n", "t=0 0\r\nk=clear:secret\r\n")
    text = text.replace("a=path", "k=prompt\r\na=path")
    description = SessionDescription.parse(text, strict=True)
    assert description == parse(WHOLE)
    assert "k=" not in str(description)
    assert "secret" not in repr(description)


@pytest.mark.rule("SDP-5")
@pytest.mark.parametrize("version", ["1", "-1", "", "0.1", "x"])
def test_other_versions_are_refused(version: str) -> None:
    refuse(WHOLE.replace("v=0", f"v={version}"), 1, "version")


@pytest.mark.rule("SDP-7", "OA-41")
def test_a_session_name_may_be_a_space_or_start_with_one() -> None:
    for name in (" ", " -", "a b"):
        description = SessionDescription.parse(
            WHOLE.replace("s=-", f"s={name}"), strict=True
        )
        assert description.name == name
        assert f"\r\ns={name}\r\n" in str(description)


@pytest.mark.rule("SDP-7")
def test_an_empty_session_name_is_forgiven() -> None:
    text = WHOLE.replace("s=-", "s=")
    assert forgive(text, 3, "the session name is empty") == parse(WHOLE)


@pytest.mark.rule("SDP-9")
def test_a_repetition_needs_a_time_and_a_zone_a_repetition() -> None:
    times = "t=3724394400 0\r\nr=7d 1h 0\r\nz=3730928400 -1h\r\nt=3724394401 0\r\n"
    text = HEAD + "c=IN IP4 192.0.2.1\r\n" + times
    assert str(SessionDescription.parse(text, strict=True)) == text
    start = HEAD + "c=IN IP4 192.0.2.1\r\n"
    refuse(start + "r=7d 1h 0\r\n" + times, 5, "r= line without")
    refuse(start + "t=0 0\r\nz=3730928400 -1h\r\n", 6, "z= line without")
    refuse(start + times + "z=3730928400 -1h\r\n", 9, "z= line without")
    refuse(start + "t=0 0\r\na=x\r\nr=7d 1h 0\r\n", 7, "r= line without")
    refuse(start + "t=0 0\r\nr=7d 1h 0\r\nr=7d\r\n", 7, "repetition is malformed")
    refuse(start + "t=0 0\r\nr=7d 1h 0\r\nz=1\r\n", 7, "adjustment is malformed")


@pytest.mark.rule("SDP-9")
def test_a_short_time_is_forgiven() -> None:
    text = WHOLE.replace("t=0 0", "t=0 3600")
    refuse(text, 5, "ten digits", strict=True)
    assert parse(text).times[0].stop == 3600


@pytest.mark.rule("SDP-11")
@pytest.mark.parametrize(
    "line",
    [
        pytest.param("m=message 9 TCP/MSRP", id="no-format"),
        pytest.param("m=message 9", id="no-protocol"),
        pytest.param("m=", id="nothing"),
        pytest.param("m=message x TCP/MSRP *", id="port-not-a-number"),
        pytest.param("m=message 70000 TCP/MSRP *", id="port-too-big"),
        pytest.param("m=message 9/0 TCP/MSRP *", id="no-ports"),
        pytest.param("m=message 9/ TCP/MSRP *", id="number-of-ports-empty"),
        pytest.param("m=message 9/2/2 TCP/MSRP *", id="two-slashes"),
        pytest.param("m=mess:age 9 TCP/MSRP *", id="media-no-token"),
        pytest.param("m=message 9 TCP//MSRP *", id="empty-token-in-protocol"),
        pytest.param("m=message 9 /TCP *", id="protocol-starts-with-slash"),
        pytest.param("m=message 9 TCP/MSRP a/b", id="format-no-token"),
        pytest.param("m=message 9  TCP/MSRP *", id="two-spaces"),
        pytest.param("m= message 9 TCP/MSRP *", id="space-first"),
    ],
)
def test_malformed_media_lines_are_refused(line: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse(f"{HEAD}{TAIL}{line}\r\na=x\r\n")
    assert caught.value.line == 6


@pytest.mark.rule("SDP-11")
def test_a_media_line_is_split_at_its_spaces() -> None:
    assert MediaLine.parse("video 49170/2 RTP/AVP 31 32") == MediaLine(
        "video", 49170, 2, "RTP/AVP", ("31", "32")
    )


def test_spaces_at_the_end_are_forgiven_where_they_mean_nothing() -> None:
    for text in ("IP4 192.0.2.1", "t=0 0", "TCP/MSRP *"):
        assert parse(WHOLE.replace(text, text + "  ")) == parse(WHOLE)
    text = WHOLE.replace("t=0 0", "t=0 0 ")
    assert forgive(text, 5, "white space at the end") == parse(WHOLE)


@pytest.mark.rule("SDP-10")
def test_spaces_at_the_end_of_an_attribute_are_its_own() -> None:
    text = f"{WHOLE}a=x:y  \r\n"
    assert SessionDescription.parse(text, strict=True).media[0].first("x") == "y  "


@pytest.mark.rule("SDP-13")
def test_octets_that_are_not_utf8_come_out_as_they_went_in() -> None:
    octets = WHOLE.encode().replace(b"s=-", b"s=Gespr\xe4ch \xff\xc3") + (
        b"a=x:\x80\xed\xa0\x80\xf5\r\n"
    )
    description = SessionDescription.parse(octets, strict=True)
    assert bytes(description) == octets
    assert SessionDescription.parse(str(description)) == description


@pytest.mark.rule("SDP-13")
def test_a_string_that_stands_for_no_octets_is_refused() -> None:
    refuse(WHOLE + "a=x:\ud800\r\n", None, "no octets")


@pytest.mark.rule("SDP-13")
def test_equal_octets_make_equal_values() -> None:
    escaped = WHOLE + "a=x:\udcc3\udca9\r\n"
    assert parse(escaped).media[0].first("x") == "\u00e9"


@pytest.mark.rule("SDP-14")
@pytest.mark.parametrize(
    "text",
    [WHOLE + "a=sendonly\r\na=recvonly\r\n", WHOLE + "a=inactive\r\na=inactive\r\n"],
    ids=["different", "the-same"],
)
def test_several_directions_in_a_section_are_forgiven(text: str) -> None:
    refuse(text, 6, "more than one direction", strict=True)
    assert parse(text).warnings == ("line 6: more than one direction in a section",)


@pytest.mark.rule("SDP-15")
def test_the_size_is_bounded() -> None:
    filler = "a=" + "x" * 1000 + "\r\n"
    room = MAX_SIZE - len(WHOLE)
    fits = WHOLE + filler * (room // len(filler))
    fits += "a=" + "x" * (MAX_SIZE - len(fits) - 4) + "\r\n"
    assert len(fits) == MAX_SIZE
    assert str(parse(fits)) == fits
    refuse(fits + "\n", None, "longer than")
    # What counts is octets.
    refuse(fits.replace("x", "\u00e9", 1), None, "longer than")
    with pytest.raises(SdpError):
        SessionDescription.parse(fits.encode() + b"\n")


@pytest.mark.rule("SDP-15")
def test_the_length_of_a_line_is_bounded() -> None:
    longest = "a=x:" + "y" * (MAX_LINE_LENGTH - 4)
    assert parse(f"{WHOLE}{longest}\r\n").media[0].has("x")
    refuse(f"{WHOLE}{longest}y\r\n", 8, "longer than")


@pytest.mark.rule("SDP-15")
def test_the_number_of_lines_is_bounded() -> None:
    fits = HEAD + "e=x\r\n" * (MAX_LINES - 5) + TAIL
    assert len(parse(fits).emails) == MAX_LINES - 5
    refuse(fits + "a=x\r\n", None, "more than")


@pytest.mark.rule("SDP-15")
def test_the_number_of_streams_is_bounded() -> None:
    fits = HEAD + TAIL + MEDIA * MAX_MEDIA
    assert len(parse(fits).media) == MAX_MEDIA
    refuse(fits + MEDIA, 6 + MAX_MEDIA, "more than")


@pytest.mark.rule("SDP-15")
def test_the_number_of_attributes_of_a_section_is_bounded() -> None:
    attributes = "a=x\r\n" * MAX_ATTRIBUTES
    fits = HEAD + TAIL + attributes + MEDIA + attributes
    assert len(parse(fits).media[0].attributes) == MAX_ATTRIBUTES
    refuse(fits + "a=x\r\n", 7 + 2 * MAX_ATTRIBUTES, "more than")
    refuse(HEAD + TAIL + attributes + "a=x\r\n", 6 + MAX_ATTRIBUTES, "more than")


@pytest.mark.rule("SDP-15")
def test_the_number_of_warnings_is_bounded() -> None:
    text = HEAD + TAIL + "t=0 0\r\na=x\r\n" * 200
    assert len(parse(text).warnings) == MAX_WARNINGS


@pytest.mark.rule("SDP-15")
def test_errors_and_warnings_do_not_echo_the_peer() -> None:
    evil = "zqzq"
    for line in (f"m={evil} {evil}", f"o={evil}", f"{evil}", f"a={evil}:", f"c={evil}"):
        with pytest.raises(SdpError) as caught:
            parse(f"{HEAD}{TAIL}{line}\r\n")
        assert evil not in str(caught.value)
