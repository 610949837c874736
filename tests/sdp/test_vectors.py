"""Descriptions as real products write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sdp import (
    Direction,
    Fingerprint,
    SdpError,
    SessionDescription,
    Setup,
    direction_of,
    fingerprints_of,
    languages_of,
    setup_of,
)

VECTORS = Path(__file__).parent / "vectors"
FILES = sorted(VECTORS.glob("*.sdp"))
WELL_FORMED = [path for path in FILES if not path.name.startswith("odd_")]
ODD = [path for path in FILES if path.name.startswith("odd_")]


def read(name: str) -> SessionDescription:
    return SessionDescription.parse((VECTORS / f"{name}.sdp").read_bytes())


def test_the_vectors_are_there() -> None:
    assert len(WELL_FORMED) >= 8
    assert len(ODD) >= 4


@pytest.mark.rule("SDP-16", "SDP-4", "OA-35", "OA-32")
@pytest.mark.parametrize("path", WELL_FORMED, ids=lambda path: path.stem)
def test_the_well_formed_come_out_as_they_went_in(path: Path) -> None:
    octets = path.read_bytes()
    description = SessionDescription.parse(octets, strict=True)
    assert bytes(description) == octets
    assert description.warnings == ()
    assert SessionDescription.parse(octets) == description


@pytest.mark.rule("OA-41")
@pytest.mark.parametrize("path", ODD, ids=lambda path: path.stem)
def test_the_odd_are_read_and_put_in_order(path: Path) -> None:
    description = SessionDescription.parse(path.read_bytes())
    assert SessionDescription.parse(bytes(description), strict=True) == description


@pytest.mark.rule("SDP-2", "SDP-7")
@pytest.mark.parametrize(
    ("name", "warnings"),
    [
        ("odd_plain_msrp_client", 0),
        ("odd_time_before_address", 4),
        ("odd_trailing_spaces", 6),
        ("odd_latin1_and_no_end", 1),
    ],
)
def test_what_is_odd_is_noted(name: str, warnings: int) -> None:
    assert len(read(name).warnings) == warnings
    if warnings:
        with pytest.raises(SdpError):
            SessionDescription.parse(
                (VECTORS / f"{name}.sdp").read_bytes(), strict=True
            )


@pytest.mark.rule("OA-41", "SDP-7", "SDP-8")
def test_a_plain_msrp_client() -> None:
    description = read("odd_plain_msrp_client")
    (message,) = description.media
    assert description.name == " -"
    assert message.first("accept-types") == " message/cpim text/plain"
    assert len(message.all("path")) == 2
    assert (message.first("path") or "").endswith("2a;tcp")
    assert setup_of(message) is None
    connection = description.effective_media(0).connection
    assert connection is not None
    assert connection.address == "alice.example.com"


@pytest.mark.rule("SDP-14", "SDP-8", "OA-35")
def test_a_session_border_controller_with_a_relay() -> None:
    description = read("kamailio_rtpengine")
    audio, message = map(description.effective_media, range(2))
    assert str(audio.connection) == "IN IP4 203.0.113.20"
    assert str(message.connection) == "IN IP4 203.0.113.21"
    assert direction_of(message) is Direction.SENDRECV
    assert (message.first("path") or "").count("msrp://") == 2


@pytest.mark.rule("OA-22", "FP-1")
def test_a_gateway_that_has_no_address_yet() -> None:
    description = read("webrtc_gateway")
    audio = description.effective_media(0)
    assert audio.connection is not None
    assert audio.connection.is_unspecified
    assert not audio.is_rejected
    assert setup_of(audio) is Setup.ACTPASS
    assert fingerprints_of(audio) == (Fingerprint.of_certificate(b"caller"),)


@pytest.mark.rule("OA-33", "FP-1")
def test_an_emergency_offer_of_audio_and_text_and_messages() -> None:
    description = read("g1_emergency_offer")
    assert [m.media for m in description.media] == ["audio", "text", "message"]
    message = description.effective_media(2)
    assert languages_of(message).send == ("es", "en")
    assert fingerprints_of(message) == (Fingerprint.of_certificate(b"caller"),)
    assert message.has("msrp-cema")
    assert message.first("max-size") == "10485760"


@pytest.mark.rule("SDP-13")
def test_a_name_in_latin_1() -> None:
    description = read("odd_latin1_and_no_end")
    assert b"\r\ns=Gespr\xe4ch\r\n" in bytes(description)
    assert b"k=" not in bytes(description)
