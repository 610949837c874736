from __future__ import annotations

import dataclasses

import pytest

from sdp import (
    Attribute,
    Bandwidth,
    ConnectionData,
    MediaDescription,
    Origin,
    SdpError,
    SessionDescription,
    TimeDescription,
)

MESSAGE = MediaDescription("message", 2855, "TCP/MSRP", ("*",))


def session(*lines: str) -> SessionDescription:
    head = ("v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-")
    return SessionDescription.parse("\r\n".join([*head, *lines, ""]), strict=True)


@pytest.mark.rule("SDP-16", "SDP-2")
def test_everything_there_can_be_is_written_in_the_order_of_the_grammar() -> None:
    description = SessionDescription(
        Origin("jdoe", 1, 2, "IN", "IP4", "192.0.2.1"),
        (
            MediaDescription(
                "audio",
                49170,
                "RTP/AVP",
                ("0", "8"),
                port_count=2,
                information="A stream",
                connections=(ConnectionData("IN", "IP4", "233.252.0.1", 127, 2),),
                bandwidths=(Bandwidth("AS", 64),),
                attributes=(Attribute("rtpmap", "0 PCMU/8000"), Attribute("sendonly")),
            ),
            MESSAGE,
        ),
        name="A call",
        information="A session",
        uri="http://www.example.com/",
        emails=("a@example.com", "b@example.com"),
        phones=("+1 617 555-6011",),
        connection=ConnectionData("IN", "IP4", "192.0.2.1"),
        bandwidths=(Bandwidth("CT", 128), Bandwidth("X-YZ", 1)),
        times=(
            TimeDescription(3724394400, 0, ("7d 1h 0",), "3730928400 -1h"),
            TimeDescription(3724394401, 0),
        ),
        attributes=(Attribute("b", "2"), Attribute("a"), Attribute("b", "1")),
    )
    text = (
        "v=0\r\n"
        "o=jdoe 1 2 IN IP4 192.0.2.1\r\n"
        "s=A call\r\n"
        "i=A session\r\n"
        "u=http://www.example.com/\r\n"
        "e=a@example.com\r\n"
        "e=b@example.com\r\n"
        "p=+1 617 555-6011\r\n"
        "c=IN IP4 192.0.2.1\r\n"
        "b=CT:128\r\n"
        "b=X-YZ:1\r\n"
        "t=3724394400 0\r\n"
        "r=7d 1h 0\r\n"
        "z=3730928400 -1h\r\n"
        "t=3724394401 0\r\n"
        "a=b:2\r\n"
        "a=a\r\n"
        "a=b:1\r\n"
        "m=audio 49170/2 RTP/AVP 0 8\r\n"
        "i=A stream\r\n"
        "c=IN IP4 233.252.0.1/127/2\r\n"
        "b=AS:64\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=sendonly\r\n"
        "m=message 2855 TCP/MSRP *\r\n"
    )
    assert str(description) == text
    assert bytes(description) == text.encode()
    assert SessionDescription.parse(text, strict=True) == description


@pytest.mark.rule("OA-1", "SDP-7")
def test_a_description_of_our_own_has_an_empty_name_and_no_times() -> None:
    description = SessionDescription.build(
        [MESSAGE], address="192.0.2.1", session_id=7, username="psap"
    )
    assert str(description) == (
        "v=0\r\n"
        "o=psap 7 1 IN IP4 192.0.2.1\r\n"
        "s=-\r\n"
        "c=IN IP4 192.0.2.1\r\n"
        "t=0 0\r\n"
        "m=message 2855 TCP/MSRP *\r\n"
    )


@pytest.mark.rule("OA-1")
def test_a_description_may_have_no_streams() -> None:
    description = SessionDescription.build([], address="::1", session_id=7)
    assert SessionDescription.parse(bytes(description), strict=True) == description
    assert "c=IN IP6 ::1\r\n" in str(description)


@pytest.mark.rule("SDP-6")
def test_a_session_id_of_our_own_is_random_and_fits_63_bits() -> None:
    ids = {
        SessionDescription.build([], address="192.0.2.1").origin.session_id
        for _ in range(20)
    }
    assert len(ids) == 20
    assert max(ids) < 2**63


@pytest.mark.parametrize("address", ["", "a b", "[::1]", "0.0.0.0", "x\r\na=y"])
def test_a_description_is_not_built_for_what_is_no_address(address: str) -> None:
    with pytest.raises(SdpError):
        SessionDescription.build([], address=address)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"version": 1}, id="version"),
        pytest.param({"times": ()}, id="no-time"),
        pytest.param({"name": ""}, id="no-name"),
        pytest.param({"name": "a\r\na=x"}, id="line-break-in-name"),
        pytest.param({"information": ""}, id="empty-information"),
        pytest.param({"uri": "x\n"}, id="line-break-in-uri"),
        pytest.param({"emails": ("a", "\0")}, id="nul-in-email"),
        pytest.param({"phones": ("",)}, id="empty-phone"),
    ],
)
def test_what_cannot_be_written_cannot_be_made(change: dict[str, object]) -> None:
    description = SessionDescription.build([], address="192.0.2.1")
    with pytest.raises(SdpError):
        dataclasses.replace(description, **change)  # type: ignore[arg-type]  # the point


@pytest.mark.rule("SDP-11")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"media": "a b"}, id="media"),
        pytest.param({"port": -1}, id="negative-port"),
        pytest.param({"port": 65536}, id="port-too-big"),
        pytest.param({"port_count": 0}, id="no-ports"),
        pytest.param({"proto": "TCP/"}, id="protocol"),
        pytest.param({"formats": ()}, id="no-format"),
        pytest.param({"formats": ("0", "")}, id="empty-format"),
        pytest.param({"information": "a\rb"}, id="information"),
    ],
)
def test_what_cannot_be_a_stream_cannot_be_made(change: dict[str, object]) -> None:
    with pytest.raises(SdpError):
        dataclasses.replace(MESSAGE, **change)  # type: ignore[arg-type]  # the point


@pytest.mark.rule("SDP-16")
def test_a_media_section_can_be_read_by_itself() -> None:
    text = "m=audio 0 RTP/AVP 0\r\ni=x\r\nb=AS:1\r\na=y\r\n"
    section = MediaDescription.parse(text, strict=True)
    assert str(section) == text
    assert bytes(section) == text.encode()
    assert section.is_rejected
    # Its address may be the session's, which isn't here.
    assert MediaDescription.parse("m=message 9 TCP/MSRP *\n").connection is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("m=audio 0 RTP/AVP 0\r\na=x\r\nm=audio 0 RTP/AVP 0\r\n", 3),
        ("v=0\r\n", 1),
        ("a=x\r\nm=audio 0 RTP/AVP 0\r\n", 1),
        ("m=audio 0 RTP/AVP 0\r\na=\r\n", 2),
        ("m=audio 0 RTP/AVP a/b\r\na=x\r\n", 1),
    ],
)
def test_what_is_not_one_media_section_is_refused(text: str, line: int) -> None:
    with pytest.raises(SdpError) as caught:
        MediaDescription.parse(text)
    assert caught.value.line == line


@pytest.mark.rule("SDP-4", "SDP-10")
def test_attributes_are_looked_up_by_their_exact_name() -> None:
    section = MediaDescription.parse(
        "m=message 9 TCP/MSRP *\r\na=path:x\r\na=msrp-cema\r\na=path:y\r\n"
    )
    assert section.first("path") == "x"
    assert section.all("path") == ("x", "y")
    assert section.first("msrp-cema") == ""
    assert section.all("msrp-cema") == ("",)
    assert section.first("Path") is None
    assert section.all("Path") == ()
    assert section.has("msrp-cema")
    assert not section.has("Path")


@pytest.mark.rule("SDP-8", "SDP-14", "FP-1")
def test_a_stream_gets_from_the_session_what_it_lacks() -> None:
    description = session(
        "c=IN IP4 192.0.2.1",
        "t=0 0",
        "a=inactive",
        "a=setup:actpass",
        "a=fingerprint:sha-1 one",
        "a=fingerprint:sha-256 two",
        "a=tool:x",
        "m=message 9 TCP/TLS/MSRP *",
        "a=path:p",
        "m=message 9 TCP/TLS/MSRP *",
        "c=IN IP4 192.0.2.9",
        "a=sendrecv",
        "a=fingerprint:sha-256 mine",
        "a=setup:active",
    )
    assert str(description.effective_media(0)) == (
        "m=message 9 TCP/TLS/MSRP *\r\n"
        "c=IN IP4 192.0.2.1\r\n"
        "a=path:p\r\n"
        "a=inactive\r\n"
        "a=setup:actpass\r\n"
        "a=fingerprint:sha-1 one\r\n"
        "a=fingerprint:sha-256 two\r\n"
    )
    assert description.effective_media(1) == description.media[1]
    with pytest.raises(IndexError):
        description.effective_media(2)


def test_a_stream_without_any_address_stays_without() -> None:
    description = SessionDescription(
        Origin("-", 1, 1, "IN", "IP4", "192.0.2.1"), (MESSAGE,)
    )
    assert description.effective_media(0) == MESSAGE


def test_what_was_forgiven_is_not_part_of_the_value() -> None:
    text = str(SessionDescription.build([MESSAGE], address="192.0.2.1"))
    forgiven = SessionDescription.parse(text[:-2])
    assert forgiven.warnings
    assert forgiven == SessionDescription.parse(text)
    assert hash(forgiven) == hash(SessionDescription.parse(text))
