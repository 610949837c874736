"""Which medium takes which stream, and what is said of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sdp
from sip.media.shapes import Media, is_explaining, is_multiple, offerable

__all__ = [
    "Agreed",
    "ask",
    "make_answer",
    "make_offer",
    "match_answer",
    "why_refused",
]

_KINDS = frozenset({"application", "audio", "image", "message", "text", "video"})

_PROTOCOLS = frozenset(
    {
        "TCP/MSRP",
        "TCP/TLS/MSRP",
        "RTP/AVP",
        "RTP/AVPF",
        "RTP/SAVP",
        "RTP/SAVPF",
        "UDP/TLS/RTP/SAVP",
        "UDP/TLS/RTP/SAVPF",
    }
)
"""The media and protocols to name in words, of those that IANA has registered."""

_MOST_NAMED = 4
"""How many streams of an offer to name."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """A stream that both sides have agreed on."""

    slot: int
    """Which slot it has."""

    media: Media
    """What runs it."""

    offered: sdp.MediaDescription
    """The offer."""

    answered: sdp.MediaDescription
    """The answer."""


async def make_offer(media: Sequence[Media], *, address: str) -> sdp.SessionDescription:
    """Offer some media, in this order; those that are :func:`offerable`."""
    descriptions = [await medium.offer() for medium in offerable(media)]
    return sdp.SessionDescription.build(descriptions, address=address)


def match_answer(
    media: Sequence[Media],
    offer: sdp.SessionDescription,
    answer: sdp.SessionDescription,
) -> list[Agreed]:
    """Tell which of the media offered were accepted.

    Raises:
        SdpError: The answer doesn't fit the offer.
    """
    return [
        Agreed(slot, offerable(media)[slot], offered, answered)
        for slot, offered, answered in sdp.accepted(offer, answer)
    ]


async def make_answer(
    media: Sequence[Media], offer: sdp.SessionDescription, *, address: str
) -> tuple[sdp.SessionDescription, list[Agreed]]:
    """Answer an offer.

    Each stream that is offered goes to the first of the media that takes it and
    hasn't another one already; what nobody takes is refused by itself.

    Returns:
        The answer, and the streams in it; if there are none the whole offer is
        refused.

    Raises:
        SdpError: One of the media gave what is no answer to the offer.
    """
    idle = list(media)
    slots: list[sdp.MediaDescription | None] = []
    takers: dict[int, Media] = {}
    for slot in range(len(offer.media)):
        taker, answered = await _ask_slot(idle, offer, slot)
        slots.append(answered)
        if taker is not None:
            idle = [medium for medium in idle if medium is not taker]
            takers[slot] = taker
    answer = sdp.build_answer(offer, slots, address=address)
    agreed = [
        Agreed(slot, takers[slot], offered, answered)
        for slot, offered, answered in sdp.accepted(offer, answer)
    ]
    return answer, agreed


def why_refused(media: Sequence[Media], offer: sdp.SessionDescription) -> str:
    """Say why none of the streams that are offered was taken.

    It names only what is registered, so that nobody can write into our logs.
    """
    streams = [_words(stream) for stream in offer.media[:_MOST_NAMED]]
    if len(offer.media) > _MOST_NAMED:
        streams.append("more")
    words = f"none of the streams offered can be used ({', '.join(streams)})"
    told = [m.refusal for m in media if is_explaining(m)]
    reasons = list(dict.fromkeys(reason for reason in told if reason))
    return f"{words}: {'; '.join(reasons)}" if reasons else words


def _words(stream: sdp.MediaDescription) -> str:
    kind = stream.media if stream.media in _KINDS else "something"
    if stream.is_rejected:
        return f"{kind} that is switched off"
    protocol = stream.proto.upper()
    if protocol not in _PROTOCOLS:
        protocol = "an unknown protocol"
    return f"{kind} over {protocol}"


async def ask(
    media: Iterable[Media], offered: sdp.MediaDescription
) -> tuple[Media | None, sdp.MediaDescription | None]:
    """Find out who takes a stream that is offered, and with what answer.

    Returns:
        Nobody, and perhaps an answer that refuses it, if none of them does.
    """
    for each in media:
        medium = each.another() if is_multiple(each) else each
        answered = await medium.answer(offered)
        if answered is not None:
            return (None if answered.is_rejected else medium), answered
    return None, None


async def _ask_slot(
    idle: Sequence[Media], offer: sdp.SessionDescription, slot: int
) -> tuple[Media | None, sdp.MediaDescription | None]:
    if offer.media[slot].is_rejected:
        return None, None
    return await ask(idle, offer.effective_media(slot))
