"""Descriptions of those who use relays."""

from __future__ import annotations

import pytest

from msrp.errors import LocalProtocolError
from msrp.negotiation import MediaDescription, answer_media, offer_media
from msrp.uri import MsrpUri, format_path, parse_path
from tests.msrp.sections import (
    ALICE,
    ALICE_TLS,
    BOB,
    BOB_TLS,
    RELAY,
    SHA_256,
    as_answerer,
    as_offerer,
    plain,
    section,
    tls,
)

USE_PATH = parse_path(
    "msrps://b.example.com:9000/b;tcp msrps://c.example.com:9001/c;tcp"
)
PEER = "msrps://d.example.net:1/d;tcp msrps://e.example.net:2/e;tcp msrps://f:3/f;tcp"


@pytest.mark.rule("RLY-8")
def test_the_path_is_the_way_to_us_and_the_to_path_the_way_out() -> None:
    offered = offer_media(ALICE_TLS, relays=USE_PATH)
    b, c = USE_PATH
    assert offered.first("path") == format_path((c, b, ALICE_TLS))
    answered = tls("setup:passive", path=PEER)
    session = as_offerer(offered, answered)
    assert session.relays == USE_PATH
    assert format_path(session.to_path) == f"{b} {c} {PEER}"
    assert session.local_uri == ALICE_TLS
    assert session.remote_path == parse_path(PEER)
    # And to the others it is all the same.
    assert as_answerer(offered, answered).remote_path == (c, b, ALICE_TLS)
    assert as_answerer(offered, answered).relays == parse_path(PEER)[-2::-1]


def test_without_a_relay_nothing_is_different() -> None:
    session = as_offerer(offer_media(ALICE), plain("setup:passive", path=BOB))
    assert session.relays == ()
    assert session.to_path == session.remote_path == (BOB,)


@pytest.mark.rule("CEMA-2", "RLY-8", "COM-7")
def test_peers_are_told_to_connect_to_the_outermost_relay() -> None:
    offered = offer_media(ALICE, relays=USE_PATH, fingerprints=[SHA_256])
    assert (offered.proto, offered.port) == ("TCP/TLS/MSRP", 9001)
    assert [c.address for c in offered.connections] == ["c.example.com"]
    assert offered.first("setup") == "actpass"
    assert offered.has("msrp-cema")
    # The certificate that they will see is the relay's.
    assert not offered.has("fingerprint")


@pytest.mark.rule("RLY-26")
def test_an_answer_by_way_of_a_relay_may_bring_in_tls() -> None:
    answered = answer_media(plain(path=ALICE), BOB_TLS, relays=USE_PATH)
    assert answered is not None
    assert answered.proto == "TCP/TLS/MSRP"
    session = as_offerer(plain(path=ALICE), answered)
    assert session.secure
    assert session.server_name == "c.example.com"


def test_an_answer_by_way_of_a_relay_does_not_give_tls_up() -> None:
    plain_relay = parse_path("msrp://r.example.com:9000/x;tcp")
    assert answer_media(tls(), BOB, relays=plain_relay) is None


@pytest.mark.rule("CEMA-6")
@pytest.mark.parametrize(
    ("offer_path", "setup", "said"),
    [
        pytest.param(str(ALICE), "actpass", True, id="the-answerer-waits"),
        pytest.param(str(ALICE), "active", True, id="the-offerer-connects"),
        pytest.param(str(ALICE), "passive", False, id="our-relay-connects"),
        pytest.param(f"{RELAY} {ALICE}", "actpass", False, id="both-have-relays"),
        pytest.param(f"{RELAY} {ALICE}", "passive", False, id="both-and-ours-connects"),
    ],
)
def test_who_has_a_relay_that_connects_does_not_answer_with_cema(
    offer_path: str, setup: str, said: bool
) -> None:
    offered = section(
        f"path:{offer_path}", "accept-types:*", f"setup:{setup}", "msrp-cema"
    )
    answered = answer_media(offered, BOB_TLS, relays=USE_PATH)
    assert answered is not None
    assert answered.has("msrp-cema") is said


def test_an_active_side_with_a_relay_gives_the_port_that_nobody_is_to_use() -> None:
    offered = offer_media(ALICE_TLS, setup="active", relays=USE_PATH)
    assert offered.port == 9


@pytest.mark.parametrize(
    "relay", ["msrps://r.example.com/x;tcp", "msrps://r.example.com:0/x;tcp"]
)
def test_a_relay_without_a_port_can_not_be_told(relay: str) -> None:
    with pytest.raises(LocalProtocolError, match="no port"):
        offer_media(ALICE_TLS, relays=[MsrpUri.parse(relay)])


def test_a_description_through_relays_reads_back() -> None:
    offered = offer_media(ALICE_TLS, relays=USE_PATH)
    assert isinstance(offered, MediaDescription)
    assert as_answerer(offered, tls(path=BOB_TLS)).remote_path[-1] == ALICE_TLS
