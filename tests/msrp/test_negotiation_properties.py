from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import sdp
from msrp.errors import NegotiationError
from msrp.negotiation import (
    MediaDescription,
    answer_media,
    negotiate,
    offer_media,
    uses_tls,
)
from tests.msrp.sections import (
    ALICE,
    ALICE_TLS,
    BOB,
    BOB_TLS,
    SHA_256,
    answer_to,
    as_answerer,
    as_offerer,
    moved,
    section,
    whole,
)

hosts = st.sampled_from(["192.0.2.1", "[2001:db8::1]", "alice.example.com"])
uris = st.builds(
    "{}://{}:{}/{};{}".format,
    st.sampled_from(["msrp", "msrps", "MSRP", "sip"]),
    hosts,
    st.integers(0, 65540),
    st.text("abc123-._~+=/", min_size=1, max_size=8),
    st.sampled_from(["tcp", "TCP", "ws", "dc"]),
)
texts = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=20
)
attributes = st.one_of(
    st.lists(uris, min_size=1, max_size=3).map(lambda each: "path:" + " ".join(each)),
    st.sampled_from(["*", "text/plain *", "text", 'a/b;c="d e"']).map(
        "accept-types:{}".format
    ),
    st.sampled_from(["active", "passive", "actpass", "holdconn", "x"]).map(
        "setup:{}".format
    ),
    st.sampled_from(["sendonly", "recvonly", "inactive", "setup", "path"]),
    st.just("msrp-cema"),
    st.tuples(
        st.sampled_from(
            ["path", "accept-types", "max-size", "fingerprint", "accept-wrapped-types"]
        ),
        texts.filter(bool),
    ).map(":".join),
)
addresses = st.sampled_from(
    ["0.0.0.0", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "alice.example.com"]
)
sections = st.builds(
    lambda lines, port, proto, address: moved(
        section(*lines, proto=proto), address, port
    ),
    st.lists(attributes, max_size=6),
    st.sampled_from([0, 9, 2855]),
    st.sampled_from(["TCP/MSRP", "TCP/TLS/MSRP", "TCP"]),
    addresses,
)


@settings(deadline=None, max_examples=150)
@given(sections, sections, st.booleans())
def test_any_two_sections_negotiate_or_fail_in_words(
    offered: MediaDescription, answered: MediaDescription, is_incoming: bool
) -> None:
    try:
        session = negotiate(offered, answered, is_incoming=is_incoming)
    except NegotiationError:
        return
    assert session.local_uri == session.local_path[-1]
    assert not session.is_active or session.connect_to[1] > 0
    assert not (session.needs_plain_offer and is_incoming)


@settings(deadline=None, max_examples=200)
@given(st.lists(attributes, max_size=2), uris, addresses, st.booleans(), st.booleans())
def test_whatever_is_answered_is_a_session_to_both_sides(
    more: list[str], path: str, address: str, over_tls: bool, prefer_active: bool
) -> None:
    offered = moved(
        section(
            f"path:{path}",
            "accept-types:text/plain *",
            *more,
            proto="TCP/TLS/MSRP" if over_tls else "TCP/MSRP",
        ),
        address,
    )
    own = BOB_TLS if over_tls else BOB
    answered = answer_media(offered, own, prefer_active=prefer_active)
    if answered is None:
        return
    received = MediaDescription.parse(bytes(answered), strict=True)
    assert received == answered
    theirs = as_answerer(offered, received)
    assert theirs.local_uri == own
    assert theirs.is_active is not as_offerer(offered, received).is_active
    assert theirs.secure is over_tls
    assert answered.has("msrp-cema") <= offered.has("msrp-cema")


VALID = bytes(
    whole(
        offer_media(
            ALICE_TLS, max_size=5000, fingerprints=[SHA_256], direction="sendrecv"
        )
    )
)


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.tuples(st.integers(0, len(VALID) - 1), st.binary(max_size=3)), max_size=4
    )
)
def test_a_damaged_offer_is_answered_or_rejected_and_nothing_else(
    damages: list[tuple[int, bytes]],
) -> None:
    octets = VALID
    for at, replacement in damages:
        octets = octets[:at] + replacement + octets[at + 1 :]
    try:
        offer = sdp.SessionDescription.parse(octets)
    except sdp.SdpError:
        return
    for index, media in enumerate(map(offer.effective_media, range(len(offer.media)))):
        own = BOB_TLS if uses_tls(media) else BOB
        answered = answer_media(media, own)
        if answered is not None:
            assert as_answerer(media, answered).local_uri == own
            assert media == offer.effective_media(index)


@settings(deadline=None, max_examples=100)
@given(
    st.sampled_from(["actpass", "active"]),
    st.lists(
        st.sampled_from(["*", "text/plain", "text/*", "a/b;c=d", 'a/b;c="d e"']),
        min_size=1,
        max_size=4,
    ),
    st.none() | st.integers(0, 10**18 - 1),
    st.none() | st.sampled_from(["sendrecv", "sendonly", "recvonly", "inactive"]),
    st.booleans(),
)
def test_what_is_offered_is_read_as_it_was_meant(
    setup: str,
    types: list[str],
    max_size: int | None,
    direction: str | None,
    cema: bool,
) -> None:
    offered = offer_media(
        ALICE,
        setup=setup,
        accept_types=types,
        accept_wrapped_types=types,
        control_types=(),
        max_size=max_size,
        direction=direction,
        cema=cema,
    )
    received = MediaDescription.parse(bytes(offered), strict=True)
    session = as_answerer(received, answer_to(received))
    assert session.remote_path == (ALICE,)
    assert answer_to(received).has("msrp-cema") is cema
    assert session.remote_accept_types.entries == tuple(types)
    assert session.remote_accept_wrapped_types.entries == tuple(types)
    assert session.remote_max_size == max_size
    assert session.may_send is (direction in (None, "sendrecv", "recvonly"))
    assert session.may_receive is (direction in (None, "sendrecv", "sendonly"))
