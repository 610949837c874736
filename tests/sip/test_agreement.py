"""What was agreed, said again."""

from __future__ import annotations

import dataclasses

import pytest

import sdp
from sip.agreement import Agreement
from sip.media import make_answer, make_offer
from sip.testing import RecordingMedia

ADDRESS = "192.0.2.1"


async def both_sides() -> tuple[Agreement, Agreement]:
    """Give what the offerer and the answerer have of the same agreement."""
    media = [RecordingMedia("a", "audio"), RecordingMedia("m")]
    offer = await make_offer(media, address=ADDRESS)
    answer, _ = await make_answer([RecordingMedia("b")], offer, address=ADDRESS)
    ours = Agreement.of(offer, answer, is_offerer=True, address=ADDRESS)
    theirs = Agreement.of(offer, answer, is_offerer=False, address=ADDRESS)
    return ours, theirs


@pytest.mark.rule("COM-3")
async def test_both_sides_know_who_connects() -> None:
    ours, theirs = await both_sides()
    assert ours.roles == {1: sdp.Setup.PASSIVE}
    assert theirs.roles == {1: sdp.Setup.ACTIVE}
    assert (ours.local, ours.remote) == (theirs.remote, theirs.local)


@pytest.mark.rule("OA-15", "SIP-50")
async def test_the_same_offer_gets_the_same_answer() -> None:
    ours, theirs = await both_sides()
    answer = theirs.answer_to(ours.local)
    assert answer is not None
    assert bytes(answer) == bytes(theirs.local)


@pytest.mark.rule("OA-28")
async def test_who_offers_nothing_hears_what_was_said() -> None:
    ours, _ = await both_sides()
    assert ours.answer_to(None) == ours.local


@pytest.mark.rule("OA-15", "OA-16")
async def test_the_answerer_may_refresh_too() -> None:
    ours, theirs = await both_sides()
    answer = ours.answer_to(theirs.local)
    assert answer is not None
    assert answer.media[1].first("setup") == "passive"
    assert answer.origin.version == ours.local.origin.version + 1
    assert answer.media[0].is_rejected
    assert sdp.check_answer(theirs.local, answer) == ()
    # And once more, now that our words have changed.
    again = ours.refreshed(answer, theirs.local)
    assert again.answer_to(theirs.local) == answer


@pytest.mark.rule("SIP-50")
@pytest.mark.parametrize("setup", ["actpass", "active"])
async def test_a_higher_version_and_another_setup_change_nothing(setup: str) -> None:
    ours, theirs = await both_sides()
    attributes = tuple(
        sdp.Attribute("setup", setup) if a.name == "setup" else a
        for a in theirs.local.media[1].attributes
    )
    media = dataclasses.replace(theirs.local.media[1], attributes=attributes)
    refresh = sdp.next_offer(theirs.local, [theirs.local.media[0], media])
    answer = ours.answer_to(refresh)
    assert answer is not None
    assert answer.media[1].first("setup") == "passive"


@pytest.mark.rule("SIP-50")
@pytest.mark.parametrize("change", ["port", "path", "more", "fewer"])
async def test_what_changes_something_has_no_answer(change: str) -> None:
    ours, theirs = await both_sides()
    offer = theirs.local
    message = offer.media[1]
    if change == "port":
        message = dataclasses.replace(message, port=9)
    elif change == "path":
        path = sdp.Attribute("path", "msrp://192.0.2.9:1/x;tcp")
        message = dataclasses.replace(message, attributes=(path,))
    media = {
        "more": (*offer.media, message),
        "fewer": offer.media[:1],
    }.get(change, (offer.media[0], message))
    assert ours.answer_to(dataclasses.replace(offer, media=media)) is None


async def test_an_answer_that_does_not_fit_is_no_agreement() -> None:
    ours, _ = await both_sides()
    fewer = dataclasses.replace(ours.remote, media=ours.remote.media[:1])
    with pytest.raises(sdp.SdpError):
        Agreement.of(ours.local, fewer, is_offerer=True, address=ADDRESS)
