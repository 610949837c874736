from __future__ import annotations

import pytest

from msrp.errors import NegotiationError
from msrp.negotiation import MediaDescription, offer_media
from msrp.uri import MsrpUri
from tests.msrp.sections import (
    ALICE,
    BOB,
    answer_to,
    as_answerer,
    as_offerer,
    moved,
    plain,
)

SETUPS = ["active", "passive", "actpass", "holdconn", "garbage", None]
# Who connects: the offerer, the answerer, or nobody, since the two contradict each
# other.  What isn't known is as if nothing were said: the offerer then connects.
OFFERER, ANSWERER, NOBODY = "offerer", "answerer", "nobody"
MATRIX = {
    # The answer is:   active    passive  actpass   anything else
    "active": (NOBODY, OFFERER, OFFERER, OFFERER),
    "passive": (ANSWERER, NOBODY, ANSWERER, OFFERER),
    "actpass": (ANSWERER, OFFERER, OFFERER, OFFERER),
    "holdconn": (NOBODY, OFFERER, OFFERER, OFFERER),
    "garbage": (NOBODY, OFFERER, OFFERER, OFFERER),
    None: (NOBODY, OFFERER, OFFERER, OFFERER),
}


def described(
    uri: MsrpUri, setup: str | None, more: tuple[str, ...]
) -> MediaDescription:
    """A peer that gives port 9 when it connects."""
    assert uri.port is not None
    lines = [f"setup:{setup}"] if setup else []
    port = 9 if setup == "active" else uri.port
    return moved(plain(*lines, *more, path=uri), uri.host, port)


@pytest.mark.rule("XT-4", "COM-1", "COM-3", "COM-5", "COM-6")
@pytest.mark.parametrize(
    "more",
    [
        pytest.param((), id="plain"),
        pytest.param(("msrp-cema",), id="cema"),
        pytest.param(("connection:existing",), id="connection-existing"),
        pytest.param(("msrp-cema", "connection:new"), id="cema-connection-new"),
    ],
)
@pytest.mark.parametrize("answered", SETUPS)
@pytest.mark.parametrize("offered", SETUPS)
def test_one_side_connects_and_never_to_port_9(
    offered: str | None, answered: str | None, more: tuple[str, ...]
) -> None:
    column = SETUPS.index(answered)
    expected = MATRIX[offered][min(column, 3)]
    offer, answer = described(ALICE, offered, more), described(BOB, answered, more)
    if expected is NOBODY:
        for negotiated in (as_offerer, as_answerer):
            with pytest.raises(NegotiationError, match="both"):
                negotiated(offer, answer)
        return
    ours, theirs = as_offerer(offer, answer), as_answerer(offer, answer)
    assert [ours.is_active, theirs.is_active] == [
        expected is OFFERER,
        expected is ANSWERER,
    ]
    active, peer = (ours, BOB) if expected is OFFERER else (theirs, ALICE)
    assert active.connect_to == (peer.host, peer.port)


@pytest.mark.rule("XT-4", "COM-1", "COM-2", "COM-3", "COM-5", "COM-6")
@pytest.mark.parametrize("prefer_active", [True, False])
@pytest.mark.parametrize("connection", [None, "new", "existing"])
@pytest.mark.parametrize("setup", SETUPS)
def test_our_answer_always_makes_one_side_connect(
    setup: str | None, connection: str | None, prefer_active: bool
) -> None:
    more = () if connection is None else (f"connection:{connection}",)
    offer = described(ALICE, setup, more)
    answer = answer_to(offer, prefer_active=prefer_active)
    assert answer.first("setup") in ("active", "passive")
    assert not answer.has("connection")
    ours, theirs = as_answerer(offer, answer), as_offerer(offer, answer)
    assert ours.is_active is not theirs.is_active
    assert ours.is_active is (answer.first("setup") == "active")
    active, peer = (ours, ALICE) if ours.is_active else (theirs, BOB)
    assert active.connect_to == (peer.host, peer.port)
    assert (answer.port == 9) is ours.is_active


@pytest.mark.rule("XT-4", "COM-6", "CEMA-3")
@pytest.mark.parametrize("setup", ["passive", None])
def test_port_9_is_never_connected_to_though_the_peer_waits(setup: str | None) -> None:
    lines = ["msrp-cema", *([f"setup:{setup}"] if setup else [])]
    answer = moved(plain(*lines, path=BOB), "203.0.113.99", 9)
    session = as_offerer(offer_media(ALICE), answer)
    assert session.is_active
    assert session.connect_to == (BOB.host, BOB.port)
