"""The slots of a call, and what happens in them."""

from __future__ import annotations

import dataclasses

import pytest

import sdp
from sip.errors import LocalError, NegotiationFailed
from sip.media import Media, make_answer, make_offer
from sip.streams import Proposal, Streams
from sip.testing import FollowingRecorder, RecordingMedia

ADDRESS = "192.0.2.1"
Section = sdp.MediaDescription


async def begin(medium: Media, offered: Section, answered: Section, we: bool) -> None:
    await medium.start(offered, answered, we)


class Talk:
    """Two sides that do what a call does, without a call."""

    def __init__(self, ours: list[Media], theirs: list[Media]) -> None:
        self.one = Streams(ADDRESS, begin)
        self.other = Streams(ADDRESS, begin)
        self.one.candidates = ours
        self.other.candidates = theirs

    async def begin(self) -> None:
        offer = await make_offer(self.one.candidates, address=ADDRESS)
        answer, agreed = await make_answer(
            self.other.candidates, offer, address=ADDRESS
        )
        slots: list[Media | None] = [None] * len(offer.media)
        for stream in agreed:
            slots[stream.slot] = stream.media
        await self.other.settle(Proposal(answer, slots, []), offer, is_offerer=False)
        ours = Proposal(offer, list(self.one.candidates), [])
        await self.one.settle(ours, answer, is_offerer=True)

    async def settle(self, proposal: Proposal, *, by_other: bool = False) -> None:
        """Carry an offer through, of one or of the other."""
        one, other = self.one, self.other
        if by_other:
            one, other = other, one
        answer = await other.answer(proposal.local)
        await other.settle(answer, proposal.local, is_offerer=False)
        await one.settle(proposal, answer.local, is_offerer=True)

    @property
    def versions(self) -> tuple[int, int]:
        agreements = (self.one.agreement, self.other.agreement)
        first, second = (a.local.origin.version for a in agreements if a is not None)
        return first, second


async def talk(ours: list[Media], theirs: list[Media]) -> Talk:
    both = Talk(ours, theirs)
    await both.begin()
    for medium in (*ours, *theirs):
        if isinstance(medium, RecordingMedia):
            medium.log.clear()
    return both


@pytest.mark.rule("OA-15", "MT-15")
async def test_an_offer_of_what_there_is_touches_nothing() -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    both = await talk([ours], [theirs])
    for _ in range(2):
        await both.settle(both.one.as_it_is())
        await both.settle(both.other.as_it_is(), by_other=True)
    assert ours.log == theirs.log == []
    # The first offer left open who connects; when it was said, that was new.
    assert both.versions == (2, 1)


@pytest.mark.rule("OA-15", "OA-18")
async def test_nothing_new_is_said_with_the_same_version() -> None:
    medium = RecordingMedia("a")
    both = await talk([medium], [RecordingMedia("b")])
    assert both.one.agreement is not None
    proposal = await both.one.offer([medium])
    assert proposal.local == both.one.agreement.local
    assert both.one.offer_again().local == both.one.agreement.local


@pytest.mark.rule("OA-16", "OA-37", "OA-4")
async def test_a_new_stream_is_appended_and_the_others_stay() -> None:
    first, second = RecordingMedia("a"), RecordingMedia("s", "audio")
    taker = RecordingMedia("t", "audio")
    both = await talk([first], [RecordingMedia("b"), taker])
    await both.settle(await both.one.offer([first, second]))
    assert both.one.running == [first, second]
    assert both.other.running[1] is taker
    assert first.log == []
    assert second.log == ["offer", "start as offerer"]
    assert taker.log == ["answer", "start as answerer"]
    assert both.versions == (2, 2)


@pytest.mark.rule("OA-13")
async def test_a_new_stream_that_nobody_takes_is_refused_by_itself() -> None:
    first, second = RecordingMedia("a"), RecordingMedia("s", "audio")
    both = await talk([first], [RecordingMedia("b")])
    await both.settle(await both.one.offer([first, second]))
    assert both.one.running == [first]
    assert both.other.agreement is not None
    assert [m.port for m in both.other.agreement.local.media] == [2855, 0]


@pytest.mark.rule("OA-16", "OA-17")
async def test_a_stream_ends_with_port_0_and_its_slot_serves_again() -> None:
    audio, message = RecordingMedia("a", "audio"), RecordingMedia("m")
    theirs = [RecordingMedia("b", "audio"), RecordingMedia("n")]
    both = await talk([audio, message], list(theirs))
    await both.settle(await both.one.offer([message]))
    assert audio.log == theirs[0].log == ["stop"]
    assert message.log == theirs[1].log == []
    assert both.one.agreement is not None
    assert [m.port for m in both.one.agreement.local.media] == [0, 2855]
    # Nothing changes if it is said again.
    assert (await both.one.offer([message])).local == both.one.agreement.local
    video = RecordingMedia("v", "video")
    both.other.candidates.append(RecordingMedia("w", "video"))
    await both.settle(await both.one.offer([message, video]))
    assert [m.media for m in both.one.agreement.local.media] == ["video", "message"]
    assert message.log == []
    assert both.one.running == [video, message]


@pytest.mark.rule("OA-17")
async def test_the_peer_may_end_a_stream() -> None:
    ours, theirs = RecordingMedia("a"), RecordingMedia("b")
    both = await talk([ours], [theirs])
    nothing = await both.one.offer([])
    await both.settle(nothing)
    assert ours.log == theirs.log == ["stop"]
    assert both.other.running == []


@pytest.mark.rule("OA-20")
async def test_the_type_of_a_slot_may_change() -> None:
    ours, theirs = RecordingMedia("a"), RecordingMedia("b")
    text, reader = RecordingMedia("t", "text"), RecordingMedia("r", "text")
    both = await talk([ours], [theirs, reader])
    await both.settle(await both.one.offer([text]))
    assert both.one.agreement is not None
    assert [m.media for m in both.one.agreement.local.media] == ["message", "text"]
    # A peer may even do both at once, in one slot.
    assert both.other.agreement is not None
    offer = sdp.next_offer(both.one.agreement.local, [await text.offer(), None])
    reader.log.clear()
    answer = await both.other.answer(offer)
    assert [m.media for m in answer.local.media] == ["text", "text"]


@pytest.mark.rule("OA-19", "MT-15")
async def test_a_stream_that_follows_gets_another_path() -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    both = await talk([ours], [theirs])
    await both.settle(await both.one.offer([ours], anew=[ours]))
    assert ours.log == ["offer", "follow as offerer"]
    assert theirs.log == ["reanswer", "follow as answerer"]
    assert ours.offered is not None
    assert ours.offered.first("path") == "msrp://127.0.0.1:2855/a2;tcp"


@pytest.mark.rule("OA-29", "OA-18")
async def test_what_a_stream_can_t_follow_is_refused_as_a_whole() -> None:
    ours = [FollowingRecorder("a"), FollowingRecorder("c", "audio")]
    theirs = [FollowingRecorder("b"), FollowingRecorder("d", "audio")]
    both = await talk(list(ours), list(theirs))
    theirs[1].willing = False
    proposal = await both.one.offer(ours, anew=ours)
    before = both.other.agreement
    with pytest.raises(NegotiationFailed, match="can't follow"):
        await both.other.answer(proposal.local)
    proposal.keep()
    assert both.other.agreement is before
    assert theirs[0].log == ["reanswer", "keep"]
    assert theirs[1].log == ["reanswer"]
    assert [medium.log for medium in ours] == [["offer", "keep"]] * 2


async def test_a_stream_that_never_follows_is_refused_too() -> None:
    ours, theirs = FollowingRecorder("a"), RecordingMedia("b")
    both = await talk([ours], [theirs])
    proposal = await both.one.offer([ours], anew=[ours])
    with pytest.raises(NegotiationFailed, match="can't change"):
        await both.other.answer(proposal.local)
    with pytest.raises(LocalError, match="can't change"):
        await both.other.offer([theirs], anew=[theirs])
    with pytest.raises(LocalError, match="can't be held"):
        await both.other.offer([theirs], held=[theirs])


@pytest.mark.rule("OA-16")
async def test_an_offer_with_fewer_slots_is_none() -> None:
    ours = [RecordingMedia("a"), RecordingMedia("c", "audio")]
    theirs = [RecordingMedia("b"), RecordingMedia("d", "audio")]
    both = await talk(list(ours), list(theirs))
    assert both.one.agreement is not None
    fewer = dataclasses.replace(
        both.one.agreement.local, media=both.one.agreement.local.media[:1]
    )
    with pytest.raises(sdp.SdpError):
        await both.other.answer(fewer)


# Hold.


def directions(streams: Streams) -> list[str]:
    assert streams.agreement is not None
    return [sdp.direction_of(m).value for m in streams.agreement.local.media]


@pytest.mark.rule("OA-21", "OA-9", "OA-38", "OA-15")
async def test_who_holds_says_so_and_takes_it_back() -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    both = await talk([ours], [theirs])
    await both.settle(await both.one.offer([ours], held=[ours]))
    both.one.hold([ours])
    assert (directions(both.one), directions(both.other)) == (
        ["sendonly"],
        ["recvonly"],
    )
    # It stays on hold whatever else is offered.
    proposal = await both.one.offer([ours])
    assert both.one.agreement is not None
    assert proposal.local == both.one.agreement.local
    # The peer holds as well.
    await both.settle(await both.other.offer([theirs], held=[theirs]), by_other=True)
    both.other.hold([theirs])
    assert (directions(both.one), directions(both.other)) == (
        ["inactive"],
        ["sendonly"],
    )
    await both.settle(await both.one.offer([ours], held=[]))
    both.one.hold([])
    assert (directions(both.one), directions(both.other)) == (
        ["sendrecv"],
        ["sendonly"],
    )


@pytest.mark.rule("OA-21")
async def test_who_is_held_offers_as_if_nobody_were() -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    both = await talk([ours], [theirs])
    await both.settle(await both.one.offer([ours], held=[ours]))
    assert directions(both.other) == ["recvonly"]
    again = both.other.offer_again()
    assert sdp.direction_of(again.local.media[0]) is sdp.Direction.SENDRECV
    assert again.local.origin.version == 3


@pytest.mark.rule("OA-21")
async def test_a_new_path_on_hold_is_on_hold() -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    both = await talk([ours], [theirs])
    await both.settle(await both.one.offer([ours], held=[ours]))
    both.one.hold([ours])
    await both.settle(await both.one.offer([ours], anew=[ours]))
    assert directions(both.one) == ["sendonly"]
    await both.settle(await both.other.offer([theirs], anew=[theirs]), by_other=True)
    assert directions(both.one) == ["sendonly"]


# Errors.


async def test_nothing_can_change_before_something_is_agreed() -> None:
    streams = Streams(ADDRESS, begin)
    with pytest.raises(LocalError, match="nothing is agreed"):
        await streams.offer([RecordingMedia()])
    with pytest.raises(LocalError):
        streams.offer_again()


async def test_forgetting_leaves_empty_slots() -> None:
    ours = RecordingMedia("a")
    both = await talk([ours], [RecordingMedia("b")])
    assert both.one.forget() == [ours]
    assert both.one.running == []
    assert both.one.agreement is None
    await both.begin()
    assert both.one.running == [ours]


async def test_an_answer_that_does_not_fit_changes_nothing() -> None:
    ours = RecordingMedia("a")
    both = await talk([ours], [RecordingMedia("b")])
    before = both.one.agreement
    assert before is not None
    none = dataclasses.replace(before.remote, media=())
    with pytest.raises(sdp.SdpError):
        await both.one.settle(both.one.as_it_is(), none, is_offerer=True)
    assert both.one.agreement is before
    assert both.one.running == [ours]


class OneWay(FollowingRecorder):
    """A stream in which only we send, and that hears of its end."""

    direction = sdp.Direction.SENDONLY

    def leave(self) -> None:
        self.log.append("leave")

    async def offer(self) -> Section:
        return sdp.with_direction(await super().offer(), self.direction)


class OtherWay(FollowingRecorder):
    """A stream in which only the peer sends."""

    direction = sdp.Direction.RECVONLY

    async def answer(self, offered: Section) -> Section | None:
        answered = await super().answer(offered)
        assert answered is not None
        return sdp.with_direction(answered, self.direction)


@pytest.mark.rule("FT-8")
async def test_a_stream_that_goes_one_way_is_offered_that_way_again() -> None:
    ours, more = OneWay("a"), RecordingMedia("c", "audio")
    both = await talk([ours], [OtherWay("b")])
    both.other.candidates.append(RecordingMedia("d", "audio"))
    proposal = await both.one.offer([ours, more])
    assert proposal.local.media[0].has("sendonly")
    await both.settle(proposal)
    assert ours.log == []
    held = await both.one.offer([ours, more], held=[ours])
    assert held.local.media[0].has("sendonly")
    asked = both.one.offer_again()
    assert asked.local.media[0].has("sendonly")


@pytest.mark.rule("FT-12")
async def test_a_stream_hears_that_it_ends_before_that_is_answered() -> None:
    ours, beside = OneWay("a"), FollowingRecorder("c", "audio")
    theirs = [FollowingRecorder("d", "audio"), OtherWay("b")]
    both = await talk([ours, beside], list(theirs))
    proposal = await both.other.offer(theirs[:1])
    answer = await both.one.answer(proposal.local)
    assert ours.log == ["leave"]
    await both.one.settle(answer, proposal.local, is_offerer=False)
    assert ours.log == ["leave", "stop"]
    assert beside.log == []


async def test_a_stream_that_is_refused_for_all_is_offered_to_nobody_else() -> None:
    class Refusing(RecordingMedia):
        async def answer(self, offered: Section) -> Section | None:
            self.log.append("answer")
            return sdp.reject(offered)

    refusing, other = Refusing("r", "audio"), RecordingMedia("o", "audio")
    both = await talk([RecordingMedia("a")], [RecordingMedia("b")])
    both.other.candidates += [refusing, other]
    offer = await both.one.offer([both.one.running[0], RecordingMedia("n", "audio")])
    answer = await both.other.answer(offer.local)
    assert answer.local.media[1].is_rejected
    assert (refusing.log, other.log) == (["answer"], [])
