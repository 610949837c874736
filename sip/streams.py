"""The media of a call, slot by slot, and what was agreed on each.

A slot is one ``m=`` line.  It keeps its number for as long as the call lives; the
stream in it may begin, change, be held and end with each offer and answer
(:rfc:`3264#section-8`).  What doesn't change isn't touched: a medium hears of a
refresh, or of a change in another slot, nothing at all.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Collection, Sequence

import sdp
from sip.agreement import Agreement
from sip.change import ProposedChange
from sip.errors import LocalError, NegotiationFailed
from sip.media import (
    FollowingMedia,
    Media,
    ask,
    direction_wanted,
    is_following,
    is_leaving,
)
from sip.message import Request

__all__ = ["Proposal", "Streams", "among"]


@dataclasses.dataclass(slots=True)
class Proposal:
    """What we offer, or answer, and which medium is meant by each slot.

    Attributes:
        local: Our words.
        slots: The medium of each slot; ``None`` for one that is empty.
        asked: Those that run, and were asked for something new.
    """

    local: sdp.SessionDescription
    slots: list[Media | None]
    asked: list[FollowingMedia]

    def keep(self) -> None:
        """Tell those who were asked for something new that nothing comes of it."""
        for medium in self.asked:
            medium.keep()


class Streams:
    """The streams of one call.

    Args:
        address: Our address, for what we say.
        begin: Starts a medium with what was agreed.

    Attributes:
        candidates: The media that may take a stream which the peer offers.
        agreement: What both have said, once they have.
    """

    def __init__(
        self,
        address: str,
        begin: Callable[
            [Media, sdp.MediaDescription, sdp.MediaDescription, bool], Awaitable[None]
        ],
    ) -> None:
        self.candidates: list[Media] = []
        self.agreement: Agreement | None = None
        self._address = address
        self._begin = begin
        self._slots: list[Media | None] = []
        self._held: list[Media] = []

    @property
    def running(self) -> list[Media]:
        """The media that run, in the order of their slots."""
        return [medium for medium in self._slots if medium is not None]

    def is_held(self, medium: Media) -> bool:
        """Tell whether we hold a stream."""
        return any(medium is held for held in self._held)

    # What we want.

    async def offer(
        self,
        wanted: Sequence[Media],
        *,
        anew: Collection[Media] = (),
        held: Sequence[Media] | None = None,
    ) -> Proposal:
        """Make an offer of these media, those that run already in their slots.

        Args:
            wanted: All media of the call; what runs and isn't among them ends.
            anew: Those of them that run, and are to run in a new way.
            held: Those that we hold; by default those that we hold already.

        Raises:
            LocalError: One of them can't follow.
            SdpError: One of them describes itself wrongly.
        """
        agreement = self._agreed()
        held = self._held if held is None else held
        slots = [m if among(m, wanted) else None for m in self._slots]
        for medium in wanted:
            if not among(medium, slots):
                _put(medium, slots, self._slots)
        proposal = Proposal(agreement.local, slots, [])
        try:
            described = [
                await self._offer_slot(slot, medium, anew, held, proposal)
                for slot, medium in enumerate(slots)
            ]
            proposal.local = sdp.next_offer(agreement.local, described)
            if proposal.local == agreement.local and slots != self._slots:
                # The peer has refused that stream before, and is asked once more.
                proposal.local = _next_version(proposal.local)
        except BaseException:
            proposal.keep()
            raise
        return proposal

    async def _offer_slot(
        self,
        slot: int,
        medium: Media | None,
        anew: Collection[Media],
        held: Sequence[Media],
        proposal: Proposal,
    ) -> sdp.MediaDescription | None:
        if medium is None:
            return None
        if slot < len(self._slots) and self._slots[slot] is medium:
            if not among(medium, anew):
                said = self._agreed().local.media[slot]
                return self._directed(medium, said, held)
            proposal.asked.append(_following(medium))
        media = await medium.offer()
        return _with_hold(media, among(medium, held))

    def hold(self, held: Sequence[Media]) -> None:
        """Take note which streams we hold, now that this is agreed."""
        self._held = list(held)

    def as_it_is(self) -> Proposal:
        """Return what we have said already, as in a refresh."""
        return Proposal(self._agreed().local, list(self._slots), [])

    def offer_again(self) -> Proposal:
        """Make the offer for a peer that has asked for one: what there is.

        That the peer holds a stream doesn't matter: it may be another one now
        (:rfc:`6337#section-5.3`).
        """
        agreement = self._agreed()
        described = [
            None
            if medium is None
            else self._directed(medium, agreement.local.media[slot], self._held)
            for slot, medium in enumerate(self._slots)
        ]
        local = sdp.next_offer(agreement.local, described)
        return Proposal(local, list(self._slots), [])

    def _directed(
        self, medium: Media, media: sdp.MediaDescription, held: Sequence[Media]
    ) -> sdp.MediaDescription:
        """Say of a stream what we said before, in the direction that we want."""
        if not is_following(medium):
            if among(medium, held):
                raise LocalError("this medium can't be held")
            return media
        wanted = direction_wanted(medium)
        wish = sdp.Direction.of(
            sends=wanted.sends, receives=wanted.receives and not among(medium, held)
        )
        if sdp.direction_of(media) is wish:
            return media
        return sdp.with_direction(media, wish)

    # What the peer wants.

    def proposed(
        self, request: Request, offer: sdp.SessionDescription
    ) -> ProposedChange:
        """Tell what a later offer would change.

        Raises:
            LocalError: Nothing is agreed yet.
        """
        agreement = self._agreed()
        added: list[sdp.MediaDescription] = []
        ended: list[Media] = []
        altered: list[Media] = []
        for slot, offered in enumerate(offer.media):
            medium = self._runs_on(slot, offered)
            before = self._slots[slot] if slot < len(self._slots) else None
            if before is not None and medium is None:
                ended.append(before)
            if medium is None and not offered.is_rejected:
                added.append(offer.effective_media(slot))
            if medium is not None and not agreement.is_same(slot, offer):
                altered.append(medium)
        return ProposedChange(
            request, offer, tuple(added), tuple(ended), tuple(altered)
        )

    def _runs_on(self, slot: int, offered: sdp.MediaDescription) -> Media | None:
        """Return what runs in a slot if the offer lets it go on."""
        medium = self._slots[slot] if slot < len(self._slots) else None
        if medium is None or offered.is_rejected:
            return None
        same_kind = offered.media == self._agreed().remote.media[slot].media
        return medium if same_kind else None

    async def answer(
        self, offer: sdp.SessionDescription, *, takes_new: bool = True
    ) -> Proposal:
        """Answer a later offer.

        Args:
            offer: The offer.
            takes_new: Whether to take streams that are new.

        Raises:
            NegotiationFailed: A stream can't follow.
            SdpError: The offer, or what a medium says to it, breaks a rule.
        """
        agreement = self._agreed()
        proposal = Proposal(agreement.local, [], [])
        described: list[sdp.MediaDescription | None] = []
        try:
            for slot in range(len(offer.media)):
                self._let_leave(slot, offer.media[slot])
                if self._runs_on(slot, offer.media[slot]) is None and not takes_new:
                    medium, answered = None, None
                else:
                    medium, answered = await self._answer_slot(offer, slot, proposal)
                proposal.slots.append(medium)
                described.append(answered)
            proposal.local = sdp.build_answer(
                offer, described, address=self._address, previous=agreement.local
            )
        except BaseException:
            proposal.keep()
            raise
        return proposal

    def _let_leave(self, slot: int, offered: sdp.MediaDescription) -> None:
        """Tell a medium that the peer ends it, if it wants to hear that."""
        medium = self._slots[slot] if slot < len(self._slots) else None
        if offered.is_rejected and medium is not None and is_leaving(medium):
            medium.leave()

    async def _answer_slot(
        self,
        offer: sdp.SessionDescription,
        slot: int,
        proposal: Proposal,
    ) -> tuple[Media | None, sdp.MediaDescription | None]:
        if offer.media[slot].is_rejected:
            return None, None
        agreement = self._agreed()
        offered = offer.effective_media(slot)
        medium = self._runs_on(slot, offer.media[slot])
        if medium is None:
            return await self._take(offered, proposal.slots)
        if agreement.is_same(slot, offer):
            return medium, agreement.say_again(slot, offer)
        following = medium if is_following(medium) else None
        if following is None:
            raise NegotiationFailed("a stream of this call can't change")
        answered = await following.reanswer(offered)
        if answered is None:
            reason = getattr(medium, "refusal", None) or "it doesn't say why"
            raise NegotiationFailed(f"a stream can't follow: {reason}")
        proposal.asked.append(following)
        if self.is_held(medium):
            answered = _with_hold(answered, True)
        return medium, answered

    async def _take(
        self, offered: sdp.MediaDescription, taken: Sequence[Media | None]
    ) -> tuple[Media | None, sdp.MediaDescription | None]:
        """Find a medium for a stream that is new."""
        busy = [*self._slots, *taken]
        return await ask((m for m in self.candidates if not among(m, busy)), offered)

    # What both have agreed on.

    async def settle(
        self,
        proposal: Proposal,
        remote: sdp.SessionDescription,
        *,
        is_offerer: bool,
    ) -> None:
        """Let the media do what is agreed now.

        Args:
            proposal: What we offered, or answered.
            remote: What the peer answered, or offered.
            is_offerer: Whether the offer was ours.

        Raises:
            SdpError: The answer doesn't fit the offer, and nothing has changed.
            Exception: What a medium raises that can't begin or follow.
        """
        before, slots_before = self.agreement, self._slots
        offer, answer = proposal.local, remote
        if not is_offerer:
            offer, answer = remote, proposal.local
        agreed = sdp.accepted(offer, answer)
        accepted = {stream.slot: stream for stream in agreed}
        self.agreement = Agreement.of(
            offer,
            answer,
            is_offerer=is_offerer,
            address=self._address,
            accepted=agreed,
        )
        self._slots = [
            medium if slot in accepted else None
            for slot, medium in enumerate(proposal.slots)
        ]
        for medium in slots_before:
            if medium is not None and not among(medium, self._slots):
                await medium.stop()
        for slot, medium in enumerate(self._slots):
            if medium is None:
                continue
            _, offered, answered = accepted[slot]
            if not among(medium, slots_before):
                await self._begin(medium, offered, answered, is_offerer)
            elif before is None or not self.agreement.repeats(before, slot):
                await _follow(medium, offered, answered, is_offerer)

    def forget(self) -> list[Media]:
        """Take all media out of their slots, for another agreement from scratch.

        Returns:
            Those that ran.
        """
        running = self.running
        self._slots, self.agreement, self._held = [], None, []
        return running

    def let_go(self) -> None:
        """Forget the call, which is over and knows these."""
        self._begin = _never

    def _agreed(self) -> Agreement:
        if self.agreement is None:
            raise LocalError("nothing is agreed yet that could be changed")
        return self.agreement


async def _never(
    medium: Media,
    offered: sdp.MediaDescription,
    answered: sdp.MediaDescription,
    is_offerer: bool,
) -> None:
    raise LocalError("the call is over")


async def _follow(
    medium: Media,
    offered: sdp.MediaDescription,
    answered: sdp.MediaDescription,
    is_offerer: bool,
) -> None:
    if is_following(medium):
        await medium.follow(offered, answered, is_offerer)


def _following(medium: Media) -> FollowingMedia:
    if is_following(medium):
        return medium
    raise LocalError("this medium can't change while it runs")


def among(medium: Media | None, media: Collection[Media | None]) -> bool:
    """Tell whether a medium is one of these.

    By identity, since what media mean by equality is their own affair.
    """
    return medium is not None and any(medium is each for each in media)


def _put(
    medium: Media, slots: list[Media | None], before: Sequence[Media | None]
) -> None:
    """Give a new stream a slot that was empty already, or one at the end."""
    for slot, taken in enumerate(slots):
        if taken is None and before[slot] is None:
            slots[slot] = medium
            return
    slots.append(medium)


def _next_version(description: sdp.SessionDescription) -> sdp.SessionDescription:
    """Say the same again so that it counts (:rfc:`3264#section-8`)."""
    origin = description.origin
    origin = dataclasses.replace(origin, version=origin.version + 1)
    return dataclasses.replace(description, origin=origin)


def _with_hold(media: sdp.MediaDescription, held: bool) -> sdp.MediaDescription:
    """Leave out that we receive, if we hold the stream."""
    if not held:
        return media
    direction = sdp.direction_of(media)
    return sdp.with_direction(
        media, sdp.Direction.of(sends=direction.sends, receives=False)
    )
