from __future__ import annotations

import dataclasses

import pytest

from msrp.errors import NegotiationError
from msrp.negotiation import (
    MediaDescription,
    answer_media,
    is_message_line,
    uses_tls,
)
from tests.msrp.sections import (
    ALICE,
    ALICE_TLS,
    BOB,
    BOB_TLS,
    RELAY,
    as_answerer,
    as_offerer,
    plain,
    section,
    tls,
)


@pytest.mark.rule("MSRP-100", "MSRP-111")
@pytest.mark.parametrize(
    ("line", "is_one", "over_tls"),
    [
        ("message 2855 TCP/MSRP *", True, False),
        ("message 2855 TCP/TLS/MSRP *", True, True),
        ("message 2855 tcp/tls/msrp *", True, True),
        ("message 0 TCP/MSRP *", True, False),
        ("message 2855 TCP/MSRP 0", False, False),
        ("message 2855 TCP/MSRP * *", False, False),
        ("message 2855 UDP/DTLS/SCTP *", False, False),
        ("message 2855 TCP *", False, False),
        ("text 2855 TCP/MSRP *", False, False),
        ("audio 2855 RTP/AVP 0", False, False),
    ],
)
def test_tells_message_lines_from_others(
    line: str, is_one: bool, over_tls: bool
) -> None:
    media = MediaDescription.parse(
        f"m={line}\r\na=path:{BOB_TLS if over_tls else BOB}\r\na=accept-types:*\r\n"
    )
    assert is_message_line(media) is is_one
    assert uses_tls(media) is over_tls
    accepts = answer_media(media, ALICE_TLS if over_tls else ALICE) is not None
    assert accepts is (is_one and not media.is_rejected)


UNUSABLE = [
    pytest.param(section("accept-types:*"), id="no-path"),
    pytest.param(section("path", "accept-types:*"), id="path-without-a-value"),
    pytest.param(plain(path=" "), id="empty-path"),
    pytest.param(plain(path="sip:alice@example.com"), id="no-msrp-uri"),
    pytest.param(plain(path=f"{ALICE} x"), id="far-uri-malformed"),
    pytest.param(plain(path="msrp://10.0.0.1/x;tcp"), id="no-port"),
    pytest.param(plain(path=f"{RELAY} msrp://10.0.0.1/x;tcp"), id="far-uri-no-port"),
    pytest.param(plain(path=" ".join([RELAY] * 17)), id="path-too-long"),
    pytest.param(section(f"path:{ALICE}"), id="no-accept-types"),
    pytest.param(section(f"path:{ALICE}", "accept-types"), id="types-without-a-value"),
    pytest.param(plain(types=" "), id="empty-accept-types"),
    pytest.param(plain(types="text plain"), id="no-type-in-accept-types"),
    pytest.param(plain(path=ALICE_TLS), id="msrps-without-tls"),
    pytest.param(tls(path=ALICE), id="msrp-over-tls"),
    pytest.param(tls("fingerprint:sha-256 00"), id="fingerprint-too-short"),
    pytest.param(tls("fingerprint:sha-256"), id="fingerprint-without-digest"),
    pytest.param(tls("fingerprint"), id="fingerprint-without-a-value"),
    pytest.param(dataclasses.replace(plain(), port=0), id="port-0"),
    pytest.param(dataclasses.replace(plain(), proto="TCP"), id="proto"),
    pytest.param(dataclasses.replace(plain(), formats=("0",)), id="format"),
    pytest.param(dataclasses.replace(plain(), media="text"), id="media"),
]


@pytest.mark.rule("MSRP-25", "MSRP-100", "MSRP-102", "MSRP-103", "MSRP-111", "OA-17")
@pytest.mark.parametrize("media", UNUSABLE)
def test_an_unusable_section_is_rejected_and_never_makes_a_session(
    media: MediaDescription,
) -> None:
    own = BOB_TLS if uses_tls(media) else BOB
    assert answer_media(media, own) is None
    good = (tls if uses_tls(media) else plain)(path=own)
    for offered, answered, whose in [(media, good, "offer"), (good, media, "answer")]:
        with pytest.raises(NegotiationError, match=f"the {whose}"):
            as_offerer(offered, answered)
        with pytest.raises(NegotiationError, match=f"the {whose}"):
            as_answerer(offered, answered)


@pytest.mark.parametrize("media", UNUSABLE)
def test_an_error_is_one_line_without_the_octets_of_the_peer(
    media: MediaDescription,
) -> None:
    hostile = dataclasses.replace(
        media,
        attributes=tuple(
            dataclasses.replace(a, value=a.value and f"ZQZ{a.value}")
            for a in media.attributes
        ),
    )
    with pytest.raises(NegotiationError) as caught:
        as_offerer(plain(path=BOB), hostile)
    assert str(caught.value)
    assert "ZQZ" not in str(caught.value)
    assert str(caught.value).isprintable()
