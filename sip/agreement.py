"""What the two sides of a call have agreed on, and how it is said again.

A refresh of a call is an INVITE that offers what there is already
(:rfc:`3261#section-14`, :rfc:`6337#section-5`).  Who was the answerer may offer
now, so that what each side says isn't quite what it said before: an answer may
not leave open who connects, and our version goes up if our words change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import sdp

__all__ = ["Agreement"]


@dataclasses.dataclass(frozen=True, slots=True)
class Agreement:
    """The descriptions of a call that both sides live by.

    Attributes:
        local: What we said last.
        remote: What the peer said last.
        address: Our address, for what we say next.
        roles: Which part we have in the connection of each slot.
    """

    local: sdp.SessionDescription
    remote: sdp.SessionDescription
    address: str
    roles: dict[int, sdp.Setup]

    @classmethod
    def of(
        cls,
        offer: sdp.SessionDescription,
        answer: sdp.SessionDescription,
        *,
        is_offerer: bool,
        address: str,
        accepted: Iterable[sdp.AcceptedMedia] | None = None,
    ) -> Agreement:
        """Make the agreement that an offer and its answer amount to.

        Args:
            offer: The offer.
            answer: The answer.
            is_offerer: Whether the offer is ours.
            address: Our address.
            accepted: What :func:`sdp.accepted` says of both, if that is known.

        Raises:
            SdpError: The answer doesn't fit the offer.
        """
        if accepted is None:
            accepted = sdp.accepted(offer, answer)
        roles: dict[int, sdp.Setup] = {}
        for slot, offered, answered in accepted:
            try:
                active = sdp.connection_roles(
                    sdp.setup_of(offered), sdp.setup_of(answered)
                )
            except sdp.SdpError:
                continue  # For the media to complain about.
            we_connect = (active is sdp.Party.OFFERER) == is_offerer
            roles[slot] = sdp.Setup.ACTIVE if we_connect else sdp.Setup.PASSIVE
        if is_offerer:
            return cls(offer, answer, address, roles)
        return cls(answer, offer, address, roles)

    def is_same(self, slot: int, offer: sdp.SessionDescription) -> bool:
        """Tell whether an offer of the peer leaves a stream as it is."""
        if slot >= len(self.remote.media):
            return False
        return _stream(offer, slot) == _stream(self.remote, slot)

    def say_again(
        self, slot: int, offer: sdp.SessionDescription
    ) -> sdp.MediaDescription | None:
        """Return what to answer to an offer that leaves a stream as it is.

        An answer can't leave open who would connect, as an offer can.
        """
        media = self.local.media[slot]
        if media.is_rejected:
            return None
        role = self.roles.get(slot)
        if role is None or not media.has("setup"):
            return media
        offered = sdp.setup_of(offer.effective_media(slot))
        setup = sdp.answer_setup(offered, prefer_active=role is sdp.Setup.ACTIVE)
        attributes = tuple(
            sdp.Attribute("setup", setup.value) if a.name == "setup" else a
            for a in media.attributes
        )
        return dataclasses.replace(media, attributes=attributes)

    def repeats(self, before: Agreement, slot: int) -> bool:
        """Tell whether both say of a stream what they said before."""
        pairs = ((self.local, before.local), (self.remote, before.remote))
        return all(
            slot < len(then.media) and _stream(now, slot) == _stream(then, slot)
            for now, then in pairs
        )


def _stream(description: sdp.SessionDescription, slot: int) -> sdp.MediaDescription:
    """Leave out who connects, and say a direction that goes without saying."""
    media = description.effective_media(slot)
    others = [a for a in media.attributes if a.name != "setup"]
    media = dataclasses.replace(media, attributes=tuple(others))
    return sdp.with_direction(media, sdp.direction_of(media))
