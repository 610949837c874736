"""What was agreed, compared with what is said later."""

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


def with_setup(
    description: sdp.SessionDescription, setup: str
) -> sdp.SessionDescription:
    """Say otherwise who connects in the second slot."""
    media = description.media[1]
    attributes = tuple(
        sdp.Attribute("setup", setup) if a.name == "setup" else a
        for a in media.attributes
    )
    changed = dataclasses.replace(media, attributes=attributes)
    return sdp.next_offer(description, [description.media[0], changed])


@pytest.mark.rule("COM-3")
async def test_both_sides_know_who_connects() -> None:
    ours, theirs = await both_sides()
    assert ours.roles == {1: sdp.Setup.PASSIVE}
    assert theirs.roles == {1: sdp.Setup.ACTIVE}
    assert (ours.local, ours.remote) == (theirs.remote, theirs.local)


@pytest.mark.rule("OA-15", "SIP-50")
async def test_an_answer_to_the_same_says_who_connects() -> None:
    ours, theirs = await both_sides()
    assert theirs.is_same(1, ours.local)
    assert theirs.say_again(1, ours.local) == theirs.local.media[1]
    # Who was the offerer left that open, and may not do so in an answer.
    assert ours.is_same(1, theirs.local)
    again = ours.say_again(1, theirs.local)
    assert again is not None
    assert again.first("setup") == "passive"
    assert ours.say_again(0, theirs.local) == ours.local.media[0]
    assert theirs.say_again(0, ours.local) is None


@pytest.mark.rule("SIP-50")
@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_a_higher_version_and_another_setup_change_nothing(setup: str) -> None:
    ours, theirs = await both_sides()
    refresh = with_setup(theirs.local, setup)
    assert ours.is_same(1, refresh)
    again = ours.say_again(1, refresh)
    assert again is not None
    expected = {"actpass": "passive", "active": "passive", "passive": "active"}
    assert again.first("setup") == expected[setup]
    local = dataclasses.replace(ours.local, media=(ours.local.media[0], again))
    after = Agreement.of(refresh, local, is_offerer=False, address=ADDRESS)
    assert after.repeats(ours, 1)


@pytest.mark.rule("SIP-50", "OA-19")
@pytest.mark.parametrize("change", ["port", "path", "address", "direction"])
async def test_what_changes_something_is_not_the_same(change: str) -> None:
    ours, theirs = await both_sides()
    message = theirs.local.media[1]
    if change == "port":
        message = dataclasses.replace(message, port=9)
    elif change == "path":
        path = sdp.Attribute("path", "msrp://192.0.2.9:1/x;tcp")
        message = dataclasses.replace(message, attributes=(path,))
    elif change == "direction":
        message = sdp.with_direction(message, sdp.Direction.INACTIVE)
    offer = dataclasses.replace(theirs.local, media=(theirs.local.media[0], message))
    if change == "address":
        elsewhere = sdp.ConnectionData.for_address("192.0.2.9")
        offer = dataclasses.replace(offer, connection=elsewhere)
    assert not ours.is_same(1, offer)
    after = Agreement.of(offer, ours.local, is_offerer=False, address=ADDRESS)
    assert not after.repeats(ours, 1)


async def test_a_direction_that_goes_without_saying_is_the_same() -> None:
    ours, theirs = await both_sides()
    said = sdp.with_direction(theirs.local.media[1], sdp.Direction.SENDRECV)
    offer = dataclasses.replace(theirs.local, media=(theirs.local.media[0], said))
    assert ours.is_same(1, offer)


async def test_a_slot_that_is_new_is_not_the_same() -> None:
    ours, theirs = await both_sides()
    more = dataclasses.replace(
        theirs.local, media=(*theirs.local.media, theirs.local.media[1])
    )
    assert not ours.is_same(2, more)


async def test_an_answer_that_does_not_fit_is_no_agreement() -> None:
    ours, _ = await both_sides()
    fewer = dataclasses.replace(ours.remote, media=ours.remote.media[:1])
    with pytest.raises(sdp.SdpError):
        Agreement.of(ours.local, fewer, is_offerer=True, address=ADDRESS)
