from __future__ import annotations

import dataclasses
from collections.abc import Collection

import pytest

import sdp
from msrp.errors import NegotiationError
from msrp.negotiation import (
    Fingerprint,
    MediaDescription,
    answer_media,
    negotiate,
    offer_media,
)
from msrp.uri import MsrpUri
from tests.msrp.sections import (
    ALICE,
    ALICE_TLS,
    BOB,
    BOB_TLS,
    CERTIFICATE,
    OTHER_CERTIFICATE,
    RELAY,
    SHA_256,
    answer_to,
    as_answerer,
    as_offerer,
    moved,
    plain,
    tls,
    whole,
    without,
)

MIDDLEBOX = ("203.0.113.99", 7777)
OTHER_END = ("203.0.113.100", 8888)


def through(
    media: MediaDescription, address: tuple[str, int] = MIDDLEBOX
) -> MediaDescription:
    """What comes out of a middlebox that takes no part in MSRP.

    It leaves alone the port that nobody is to connect to.
    """
    host, port = address
    return moved(media, host, 9 if media.port == 9 else port)


def with_relay(
    media: MediaDescription, *, writes_own_address: bool = False
) -> MediaDescription:
    """Put a relay in front of the author of a section, as RFC 6714 has it.

    One who knows only RFC 4976 gives the author's own address.
    """
    attributes = tuple(
        sdp.Attribute("path", f"{RELAY} {each.value}") if each.name == "path" else each
        for each in media.attributes
    )
    media = dataclasses.replace(media, attributes=attributes)
    return media if writes_own_address else moved(media, "relay.example.com", 9000)


# What is said.


@pytest.mark.rule("CEMA-1")
def test_it_is_a_property_of_the_stream() -> None:
    """RFC 6714 section 5.2: it has no value, and the session can't say it for all."""
    offered = offer_media(ALICE)
    assert [a for a in offered.attributes if a.name == "msrp-cema"] == [
        sdp.Attribute("msrp-cema")
    ]
    unsaid = whole(plain("setup:actpass"), lines=["a=msrp-cema"])
    assert not answer_to(unsaid.effective_media(0)).has("msrp-cema")


@pytest.mark.rule("CEMA-1", "CEMA-2", "COM-1")
@pytest.mark.parametrize("setup", ["actpass", "active"])
def test_it_is_offered_with_a_setup(setup: str) -> None:
    offered = offer_media(ALICE, setup=setup)
    assert offered.has("msrp-cema")
    assert offered.first("setup") == setup


@pytest.mark.rule("CEMA-4")
def test_it_can_be_left_out() -> None:
    offered = offer_media(ALICE, cema=False)
    assert not offered.has("msrp-cema")
    assert offered == without(offer_media(ALICE), "msrp-cema")


@pytest.mark.rule("CEMA-1", "CEMA-6", "COM-1")
@pytest.mark.parametrize("prefer_active", [True, False])
def test_it_is_answered_when_offered_and_only_then(prefer_active: bool) -> None:
    answered = answer_to(offer_media(ALICE), prefer_active=prefer_active)
    assert answered.has("msrp-cema")
    assert answered.has("setup")
    unoffered = offer_media(ALICE, cema=False)
    assert not answer_to(unoffered, prefer_active=prefer_active).has("msrp-cema")


@pytest.mark.rule("CEMA-6")
@pytest.mark.parametrize(
    ("setup", "prefer_active", "answered"),
    [
        # The relay of an offerer who connects goes by the path.
        pytest.param("setup:active", False, False, id="offerer-connects"),
        pytest.param(None, True, False, id="offerer-connects-by-default"),
        pytest.param("setup:actpass", False, False, id="we-leave-it-to-the-offerer"),
        pytest.param("setup:actpass", True, True, id="we-connect"),
        pytest.param("setup:passive", False, True, id="we-must-connect"),
    ],
)
def test_it_is_not_answered_to_an_offerer_whose_relay_connects(
    setup: str | None, prefer_active: bool, answered: bool
) -> None:
    offered = with_relay(plain("msrp-cema", *([setup] if setup else [])))
    answer = answer_to(offered, prefer_active=prefer_active)
    assert answer.has("msrp-cema") is answered
    session = as_answerer(offered, answer)
    assert session.is_active is answered
    assert session.connect_to == ("relay.example.com", 9000)


# Nobody on the way.


@pytest.mark.rule("CEMA-3", "MSRP-101")
@pytest.mark.parametrize("prefer_active", [True, False])
@pytest.mark.parametrize("cema", [True, False])
def test_without_a_middlebox_it_changes_nothing(
    cema: bool, prefer_active: bool
) -> None:
    offered = offer_media(ALICE, cema=cema)
    answered = answer_to(offered, prefer_active=prefer_active)
    ours, theirs = as_offerer(offered, answered), as_answerer(offered, answered)
    active = theirs if prefer_active else ours
    assert (ours.is_active, theirs.is_active) == (not prefer_active, prefer_active)
    peer = ALICE if prefer_active else BOB
    assert active.connect_to == (peer.host, peer.port)
    assert not ours.needs_plain_offer
    assert not theirs.needs_plain_offer


@pytest.mark.rule("CEMA-3", "CEMA-4")
def test_a_peer_that_knows_nothing_of_it_is_found_by_its_path() -> None:
    answered = plain("setup:passive", path=BOB)
    session = as_offerer(offer_media(ALICE), answered)
    assert session.connect_to == (BOB.host, BOB.port)
    assert not session.needs_plain_offer


# A middlebox, and both ends know of it.


@pytest.mark.rule("CEMA-3", "CEMA-9", "XT-5")
@pytest.mark.parametrize("offered_setup", ["actpass", "active"])
def test_an_offerer_connects_to_the_middlebox(offered_setup: str) -> None:
    offered = through(offer_media(ALICE, setup=offered_setup))
    answered = through(answer_to(offered), OTHER_END)
    session = as_offerer(offered, answered)
    assert session.is_active
    assert session.connect_to == OTHER_END
    # The requests are addressed to the path, which the peer knows as its own.
    assert session.remote_path == (BOB,)
    assert session.local_path == (ALICE,)
    assert not session.needs_plain_offer
    waiting = as_answerer(offered, answered)
    assert not waiting.is_active
    assert waiting.local_uri == BOB


@pytest.mark.rule("CEMA-6", "CEMA-9", "XT-5")
def test_an_answerer_connects_to_the_middlebox() -> None:
    offered = through(offer_media(ALICE))
    answered = through(answer_to(offered, prefer_active=True), OTHER_END)
    session = as_answerer(offered, answered)
    assert session.is_active
    assert session.connect_to == MIDDLEBOX
    assert session.remote_path == (ALICE,)
    waiting = as_offerer(offered, answered)
    assert not waiting.is_active
    assert not waiting.needs_plain_offer


@pytest.mark.rule("CEMA-3", "XT-5")
def test_the_address_of_the_whole_session_counts_for_the_stream() -> None:
    media = answer_to(offer_media(ALICE))
    answered = whole(dataclasses.replace(media, connections=()))
    session = as_offerer(whole(offer_media(ALICE)), answered)
    assert session.connect_to == ("192.0.2.1", 30100)


@pytest.mark.rule("CEMA-3")
@pytest.mark.parametrize("host", ["2001:db8::99", "anchor.example.net"])
def test_a_middlebox_may_have_an_ipv6_address_or_a_name(host: str) -> None:
    offered = offer_media(ALICE)
    answered = through(answer_to(offered), (host, 7777))
    assert as_offerer(offered, answered).connect_to == (host, 7777)


@pytest.mark.rule("CEMA-3", "COM-6")
@pytest.mark.parametrize(
    "connection", ["IN IP4 0.0.0.0", "IN IP6 ::", "IN IP4 224.2.1.1/127", None]
)
def test_what_cannot_be_connected_to_leaves_the_path(connection: str | None) -> None:
    lines = () if connection is None else (sdp.ConnectionData.parse(connection),)
    offered = offer_media(ALICE)
    answered = dataclasses.replace(answer_to(offered), connections=lines)
    session = as_offerer(offered, answered)
    assert session.connect_to == (BOB.host, BOB.port)
    assert not session.needs_plain_offer


@pytest.mark.rule("CEMA-3", "DC-1")
def test_a_gateway_makes_up_for_a_transport_that_we_do_not_have() -> None:
    """RFC 8873 section 6: it must not touch the path of who is behind it."""
    far = MsrpUri.parse("msrp://browser.invalid:2855/98cjs;dc")
    offered = offer_media(ALICE)
    answered = plain("setup:passive", "msrp-cema", path=far)
    session = as_offerer(offered, moved(answered, "203.0.113.99", 7777))
    assert session.connect_to == MIDDLEBOX
    assert session.remote_path == (far,)
    with pytest.raises(NegotiationError, match="TCP port"):
        as_offerer(offered, moved(answered, "browser.invalid", 2855))
    # And the other way round.
    offered = plain("setup:actpass", "msrp-cema", path=far)
    answer = answer_to(through(offered), prefer_active=True)
    assert as_answerer(through(offered), answer).connect_to == MIDDLEBOX
    at_home = moved(offered, "browser.invalid", 2855)
    assert answer_to(at_home, prefer_active=True).first("setup") == "passive"


@pytest.mark.rule("CEMA-9", "MSRP-108")
def test_a_middlebox_that_moves_does_not_end_the_session() -> None:
    offered = offer_media(ALICE)
    before = as_offerer(offered, through(answer_to(offered)))
    after = as_offerer(offered, through(answer_to(offered), OTHER_END))
    assert before.connect_to != after.connect_to
    assert after.continues(before)


# A middlebox, and only one end knows of it.


@pytest.mark.rule("CEMA-3", "CEMA-4", "XT-5")
def test_an_answerer_without_it_who_waits_is_reached_through_the_middlebox() -> None:
    offered = offer_media(ALICE)
    answered = through(plain("setup:passive", path=BOB))
    session = as_offerer(offered, answered)
    assert session.is_active
    assert session.connect_to == MIDDLEBOX
    assert not session.needs_plain_offer


@pytest.mark.rule("CEMA-4", "COM-6", "XT-5")
@pytest.mark.parametrize("port", [9, 2855, 7777])
def test_an_answerer_without_it_who_connects_needs_another_offer(port: int) -> None:
    offered = offer_media(ALICE)
    answered = moved(plain("setup:active", path=BOB), "203.0.113.99", port)
    session = as_offerer(offered, answered)
    assert not session.is_active
    assert session.needs_plain_offer
    # Which is for the offerer to make.
    assert not as_answerer(offered, answered).needs_plain_offer


@pytest.mark.rule("CEMA-4")
@pytest.mark.parametrize("port", [9, 30100])
def test_an_answerer_without_it_who_connects_directly_needs_none(port: int) -> None:
    answered = moved(plain("setup:active", path=BOB), "198.51.100.2", port)
    assert not as_offerer(offer_media(ALICE), answered).needs_plain_offer


@pytest.mark.rule("CEMA-4", "XT-5")
def test_the_other_offer_is_a_plain_one() -> None:
    """A middlebox then is an MSRP end of its own, path and all."""
    offered = offer_media(ALICE)
    answered = through(plain("setup:active", path=BOB))
    assert as_offerer(offered, answered).needs_plain_offer
    again = offer_media(ALICE, cema=False)
    theirs = MsrpUri.parse("msrp://203.0.113.99:7777/ofthemiddlebox;tcp")
    answered = answer_to(again, theirs)
    session = as_offerer(again, answered)
    assert session.connect_to == MIDDLEBOX
    assert session.remote_path == (theirs,)
    assert not session.needs_plain_offer


@pytest.mark.rule("CEMA-4")
def test_a_plain_offer_needs_no_other() -> None:
    offered = offer_media(ALICE, cema=False)
    for setup in ["setup:active", "setup:passive"]:
        for more in [[], ["msrp-cema"]]:
            answered = through(plain(setup, *more, path=BOB))
            session = as_offerer(offered, answered)
            assert not session.needs_plain_offer
            assert session.connect_to == (BOB.host, BOB.port)


@pytest.mark.rule("CEMA-5", "OA-40", "XT-5")
@pytest.mark.parametrize("setup", ["actpass", "active"])
@pytest.mark.parametrize("prefer_active", [True, False])
def test_an_offer_without_it_that_a_middlebox_has_changed_is_rejected(
    setup: str, prefer_active: bool
) -> None:
    offered = offer_media(ALICE, setup=setup, cema=False)
    changed = through(offered)
    assert answer_media(offered, BOB, prefer_active=prefer_active) is not None
    assert answer_media(changed, BOB, prefer_active=prefer_active) is None
    known = through(offer_media(ALICE, setup=setup))
    assert answer_media(known, BOB, prefer_active=prefer_active) is not None


@pytest.mark.rule("CEMA-5")
@pytest.mark.parametrize(
    ("address", "port", "is_accepted"),
    [
        pytest.param("192.0.2.1", 2855, True, id="the-same"),
        pytest.param("192.0.2.1", 9, True, id="port-of-an-active-side"),
        pytest.param("::ffff:192.0.2.1", 2855, True, id="mapped"),
        pytest.param("0.0.0.0", 2855, True, id="on-hold"),
        pytest.param("alice.example.com", 2855, True, id="a-name"),
        pytest.param("192.0.2.1", 2856, False, id="another-port"),
        pytest.param("192.0.2.2", 2855, False, id="another-address"),
        pytest.param("192.0.2.2", 9, False, id="another-address-of-an-active-side"),
        pytest.param("alice.example.com", 2856, False, id="another-port-of-a-name"),
    ],
)
def test_rejecting_an_offer_takes_proof(
    address: str, port: int, is_accepted: bool
) -> None:
    offered = moved(plain("setup:active"), address, port)
    assert (answer_media(offered, BOB) is not None) is is_accepted


@pytest.mark.rule("CEMA-5", "CEMA-7")
def test_a_resolver_may_give_the_proof() -> None:
    records = {"alice.example.com": ["192.0.2.1"], "anchor.example.net": ["::9"]}

    def look_up(name: str) -> Collection[str]:
        return records.get(name, ())

    at_home = moved(plain("setup:active"), "alice.example.com")
    elsewhere = moved(plain("setup:active"), "anchor.example.net")
    assert answer_media(at_home, BOB, resolve=look_up) is not None
    assert answer_media(elsewhere, BOB) is not None
    assert answer_media(elsewhere, BOB, resolve=look_up) is None


@pytest.mark.rule("CEMA-4", "CEMA-7")
def test_a_resolver_may_tell_that_another_offer_is_needed() -> None:
    records = {"bob.example.com": ["198.51.100.2"], "anchor.example.net": ["::9"]}
    offered = offer_media(ALICE)
    for name, is_needed in [("bob.example.com", False), ("anchor.example.net", True)]:
        answered = moved(plain("setup:active", path=BOB), name, 9)
        session = negotiate(
            offered, answered, is_incoming=False, resolve=lambda n: records[n]
        )
        assert session.needs_plain_offer is is_needed
        assert not as_offerer(offered, answered).needs_plain_offer


# Relays.


@pytest.mark.rule("CEMA-3", "XT-5")
def test_an_answerer_with_a_relay_who_knows_of_it_is_reached_by_the_address() -> None:
    offered = offer_media(ALICE)
    answered = with_relay(plain("setup:passive", "msrp-cema", path=BOB))
    assert as_offerer(offered, answered).connect_to == ("relay.example.com", 9000)
    session = as_offerer(offered, through(answered))
    assert session.connect_to == MIDDLEBOX
    assert session.server_name == "relay.example.com"
    assert not session.needs_plain_offer


@pytest.mark.rule("CEMA-4", "XT-5")
@pytest.mark.parametrize("writes_own_address", [True, False])
def test_an_answerer_with_a_relay_and_nobody_between_is_reached_by_its_path(
    writes_own_address: bool,
) -> None:
    answered = plain("setup:passive", path=BOB)
    answered = with_relay(
        moved(answered, BOB.host, BOB.port), writes_own_address=writes_own_address
    )
    session = as_offerer(offer_media(ALICE), answered)
    assert session.connect_to == ("relay.example.com", 9000)
    assert not session.needs_plain_offer


@pytest.mark.rule("CEMA-4", "XT-5")
@pytest.mark.parametrize("setup", ["setup:passive", "setup:active", None])
def test_an_answerer_with_a_relay_behind_a_middlebox_needs_another_offer(
    setup: str | None,
) -> None:
    answered = with_relay(plain(*([setup] if setup else []), path=BOB))
    session = as_offerer(offer_media(ALICE), through(answered))
    assert session.needs_plain_offer
    assert session.connect_to == ("relay.example.com", 9000)


@pytest.mark.rule("CEMA-4", "XT-5")
@pytest.mark.parametrize("setup", ["setup:passive", "setup:active"])
def test_an_offerer_with_a_relay_needs_another_offer(setup: str) -> None:
    offered = with_relay(offer_media(ALICE))
    answered = plain(setup, path=BOB)
    at_home = moved(answered, BOB.host, BOB.port)
    assert not as_offerer(offered, at_home).needs_plain_offer
    session = as_offerer(offered, through(answered))
    assert session.needs_plain_offer
    assert session.connect_to == (BOB.host, BOB.port)


@pytest.mark.rule("CEMA-6", "XT-5")
def test_an_offerer_with_a_relay_is_reached_by_the_address() -> None:
    offered = through(with_relay(offer_media(ALICE)))
    session = as_answerer(offered, answer_to(offered, prefer_active=True))
    assert session.is_active
    assert session.connect_to == MIDDLEBOX
    assert session.server_name == "relay.example.com"


@pytest.mark.rule("CEMA-3", "CEMA-6")
def test_the_relay_of_an_offerer_goes_by_the_path() -> None:
    offered = with_relay(offer_media(ALICE))
    answered = through(plain("setup:passive", "msrp-cema", path=BOB))
    session = as_offerer(offered, answered)
    assert session.connect_to == (BOB.host, BOB.port)
    assert not session.needs_plain_offer


# TLS from end to end.


@pytest.mark.rule("CEMA-8", "COM-7", "XT-5")
@pytest.mark.parametrize("prefer_active", [True, False])
def test_the_certificate_is_of_the_peer_and_not_of_the_middlebox(
    prefer_active: bool,
) -> None:
    other = Fingerprint.of_certificate(OTHER_CERTIFICATE)
    alice = MsrpUri.parse("msrps://alice.example.com:2855/a;tcp")
    bob = MsrpUri.parse("msrps://bob.example.com:30100/b;tcp")
    offered = through(offer_media(alice, fingerprints=[SHA_256]))
    answered = answer_media(
        offered, bob, fingerprints=[other], prefer_active=prefer_active
    )
    assert answered is not None
    answered = through(answered, OTHER_END)
    ours, theirs = as_offerer(offered, answered), as_answerer(offered, answered)
    assert (ours.server_name, theirs.server_name) == (bob.host, alice.host)
    if prefer_active:
        assert theirs.connect_to == MIDDLEBOX
    else:
        assert ours.connect_to == OTHER_END
    assert ours.certificate_matches(OTHER_CERTIFICATE)
    assert not ours.certificate_matches(CERTIFICATE)
    assert theirs.certificate_matches(CERTIFICATE)
    assert not theirs.certificate_matches(OTHER_CERTIFICATE)


@pytest.mark.rule("CEMA-8")
def test_without_fingerprints_the_name_of_the_path_is_what_counts() -> None:
    bob = MsrpUri.parse("msrps://bob.example.com:30100/b;tcp")
    session = as_offerer(
        tls("msrp-cema"), through(tls("setup:passive", "msrp-cema", path=bob))
    )
    assert session.secure
    assert session.remote_fingerprints == ()
    assert session.server_name == "bob.example.com"
    assert session.connect_to == MIDDLEBOX


@pytest.mark.rule("CEMA-8", "MSRP-117")
def test_without_a_middlebox_the_name_is_that_of_who_is_connected_to() -> None:
    for path, host in [
        (BOB_TLS, "198.51.100.2"),
        (f"msrps://relay.example.com:9000/x;tcp {BOB_TLS}", "relay.example.com"),
        ("msrps://[2001:db8::2]:2855/x;tcp", "2001:db8::2"),
    ]:
        session = as_offerer(tls(path=ALICE_TLS), tls(path=path))
        assert session.server_name == session.connect_to[0] == host
