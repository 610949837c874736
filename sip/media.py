"""What flows in a call, as far as SIP is concerned (:rfc:`3264`).

SIP doesn't know media; it carries an offer and an answer.  A :class:`Media` is
one stream that can be offered, can answer an offer, and is started and stopped.
The functions here put the media of a call together into session descriptions
and take them apart again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeGuard, runtime_checkable

import mime
import sdp
from recording import CallIdentity
from sip.message import Message

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # For its default (PEP 696).
else:
    from typing import TypeVar

__all__ = [
    "SDP_TYPE",
    "AccompaniedMedia",
    "Agreed",
    "ConferringMedia",
    "DirectedMedia",
    "ExplainingMedia",
    "FollowingMedia",
    "IdentifiedMedia",
    "IntroducedMedia",
    "LeavingMedia",
    "Media",
    "MediaT",
    "MediaT_co",
    "MultipleMedia",
    "RenegotiatingMedia",
    "ask",
    "compose_body",
    "decline",
    "direction_wanted",
    "find_session_description",
    "is_conferring",
    "is_explaining",
    "is_following",
    "is_identified",
    "is_introduced",
    "is_leaving",
    "is_multiple",
    "is_renegotiating",
    "make_answer",
    "make_offer",
    "match_answer",
    "offerable",
    "parts_of",
    "resolve_cid",
    "why_refused",
]

SDP_TYPE = "application/sdp"
"""The media type of session descriptions."""


_ROOTS = frozenset({SDP_TYPE, "multipart/related"})
"""What describes a session when it is a body by itself."""

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


@runtime_checkable
class Media(Protocol):
    """One stream of a call.

    The descriptions handed over are complete in themselves: what the session
    says for all streams has been put in.
    """

    async def offer(self) -> sdp.MediaDescription:
        """Return what to offer."""

    async def answer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        """Return the answer to an offer, or ``None`` to leave it to others.

        One with port 0 refuses it, for the others too.
        """

    async def start(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        """Begin, now that both sides have agreed.

        An error that has its words in an attribute ``problem``, and every
        :exc:`OSError`, says that it can't begin with this; then the call is ended
        with :exc:`~sip.NegotiationFailed`.  Any other error is a bug, and ends
        the call as it is.
        """

    async def stop(self) -> None:
        """End; also what never began."""


MediaT = TypeVar("MediaT", bound=Media)
"""The kind of media that a call is made with, so that a type checker knows what
``call.media`` are."""

if TYPE_CHECKING:
    MediaT_co = TypeVar("MediaT_co", bound=Media, covariant=True, default=Media)
else:
    MediaT_co = TypeVar("MediaT_co", bound=Media, covariant=True)


@runtime_checkable
class IntroducedMedia(Media, Protocol):
    """A stream that wants to know who talks to whom, such as one of messages."""

    def introduce(self, local: str, remote: str) -> None:
        """Be told the URIs of both parties, before the start."""


@runtime_checkable
class ConferringMedia(Media, Protocol):
    """A stream for which it matters how many there are at the other end."""

    def confer(self, is_conference: bool) -> None:
        """Be told whether the other party is a conference, before the start.

        And again each time that both sides have agreed on something: a call between
        two may become one of many, and the other way round.
        """


@runtime_checkable
class IdentifiedMedia(Media, Protocol):
    """A stream that wants to know which call it is in, for those who record it."""

    def identify(self, call: CallIdentity) -> None:
        """Be told the identifiers of the call, before the start."""


@runtime_checkable
class ExplainingMedia(Media, Protocol):
    """A stream that can say why it didn't take an offer."""

    @property
    def refusal(self) -> str | None:
        """Why :meth:`answer` gave ``None`` last, in part of a sentence."""


@runtime_checkable
class FollowingMedia(Media, Protocol):
    """A stream that can go on in another way while the call lasts.

    Either side may offer to change a stream: :meth:`Media.offer` and
    :meth:`reanswer` say how it would be then, and change nothing yet.
    """

    async def reanswer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        """Return the answer to an offer that changes the running stream.

        ``None`` refuses it, and with it the whole offer; the stream goes on as
        before.
        """

    async def follow(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        """Go on as both have agreed now."""

    def keep(self) -> None:
        """Be told that nothing comes of what was offered or answered last."""


@runtime_checkable
class RenegotiatingMedia(FollowingMedia, Protocol):
    """A stream that may want to be offered anew, because it has lost its way."""

    on_renegotiate: Callable[[], None] | None
    """What the stream calls then; the call sets it."""

    @property
    def wants_offer(self) -> bool:
        """Whether it still does; offers take time, and the peer may be faster."""


@runtime_checkable
class MultipleMedia(Media, Protocol):
    """What stands for any number of streams that the peer may offer.

    It is never in a slot itself: whenever somebody is wanted for a stream it gives a
    medium for that.  Those are asked, started and stopped like others, and in the end
    so is it, which stops those that never began.
    """

    def another(self) -> Media:
        """Return a medium to be asked about one stream."""


@runtime_checkable
class DirectedMedia(Media, Protocol):
    """A stream that goes one way, or is told which one by what it is for."""

    @property
    def direction(self) -> sdp.Direction:
        """Who sends, as we see it, when nobody holds the stream."""


@runtime_checkable
class LeavingMedia(Media, Protocol):
    """A stream that has something to do before it is ended by the peer."""

    def leave(self) -> None:
        """Be told that the peer ends it; the answer comes after this."""


@runtime_checkable
class AccompaniedMedia(Media, Protocol):
    """A stream whose offer points at other parts of the body (:rfc:`5547#section-8.8`).

    They are sent with the description in ``multipart/related``; a peer that answers 415
    to that gets the description alone.
    """

    @property
    def parts(self) -> Sequence[mime.Part]:
        """The parts, each with its Content-ID."""


# isinstance() tells the same, but gathers the members of a protocol anew each time:
# for the few questions of one call that takes longer than reading its offer.


def is_introduced(medium: Media) -> TypeGuard[IntroducedMedia]:
    """Tell whether a medium wants to know who talks to whom."""
    return hasattr(medium, "introduce")


def is_conferring(medium: Media) -> TypeGuard[ConferringMedia]:
    """Tell whether a medium wants to know of conferences."""
    return hasattr(medium, "confer")


def is_identified(medium: Media) -> TypeGuard[IdentifiedMedia]:
    """Tell whether a medium wants to know which call it is in."""
    return hasattr(medium, "identify")


def is_explaining(medium: Media) -> TypeGuard[ExplainingMedia]:
    """Tell whether a medium can say why it didn't take an offer."""
    return hasattr(medium, "refusal")


def is_following(medium: Media) -> TypeGuard[FollowingMedia]:
    """Tell whether a medium can go on in another way."""
    return all(hasattr(medium, name) for name in ("reanswer", "follow", "keep"))


def is_renegotiating(medium: Media) -> TypeGuard[RenegotiatingMedia]:
    """Tell whether a medium may want to be offered anew."""
    more = ("on_renegotiate", "wants_offer")
    return is_following(medium) and all(hasattr(medium, name) for name in more)


def is_multiple(medium: Media) -> TypeGuard[MultipleMedia]:
    """Tell whether a medium stands for any number of streams."""
    return hasattr(medium, "another")


def is_leaving(medium: Media) -> TypeGuard[LeavingMedia]:
    """Tell whether a medium wants to hear that the peer ends it."""
    return hasattr(medium, "leave")


def offerable(media: Sequence[Media]) -> list[Media]:
    """Return those that have something to offer, and aren't only there to answer."""
    return [medium for medium in media if not is_multiple(medium)]


def direction_wanted(medium: Media) -> sdp.Direction:
    """Tell who sends in a stream that nobody holds."""
    direction = getattr(medium, "direction", sdp.Direction.SENDRECV)
    assert isinstance(direction, sdp.Direction)
    return direction


def parts_of(media: Sequence[Media | None]) -> list[mime.Part]:
    """Return what goes along with the offers of some media."""
    return [part for medium in media for part in getattr(medium, "parts", ())]


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


def find_session_description(message: Message) -> sdp.SessionDescription | None:
    """Return the session description that a message carries, if any.

    It may be the body or a part of it at any depth, such as beside a location
    in ``multipart/mixed``; a part for another purpose than the session, by its
    Content-Disposition, doesn't count (:rfc:`6337#section-5.1`).

    Raises:
        SdpError: There is one, and it can't be understood.
    """
    content_type = message.content_type
    if content_type is None or not message.body:
        return None
    try:
        kind = mime.ContentType.parse(content_type)
        if kind.essence == SDP_TYPE:
            disposition = message.headers.get("Content-Disposition")
            if disposition is not None and not _is_session(
                mime.ContentDisposition.parse(disposition)
            ):
                return None
            return sdp.SessionDescription.parse(message.body)
        if kind.type != "multipart":
            return None
        parts = mime.parse_multipart(kind, message.body).walk()
    except mime.MimeError:
        return None
    for part in parts:
        if part.content_type.essence == SDP_TYPE and _is_session(part.disposition):
            return sdp.SessionDescription.parse(part.content)
    return None


def resolve_cid(message: Message, url: str) -> mime.Part | None:
    """Return the part of a body that a ``cid:`` URL points at (:rfc:`2392`).

    Args:
        message: Whose body.
        url: What an attribute or a header field says.

    Returns:
        ``None`` if it points nowhere, or the body can't be taken apart.
    """
    try:
        kind = mime.ContentType.parse(message.content_type or "")
        return mime.parse_multipart(kind, message.body).resolve_cid(url)
    except mime.MimeError:
        return None


async def make_offer(media: Sequence[Media], *, address: str) -> sdp.SessionDescription:
    """Offer some media, in this order; those that are :func:`offerable`."""
    descriptions = [await medium.offer() for medium in offerable(media)]
    return sdp.SessionDescription.build(descriptions, address=address)


def decline(message: Message) -> bytes:
    """Answer the offer in a message by refusing each stream.

    Returns:
        The answer; nothing if there is no offer, or one that can't be read.
    """
    try:
        offer = find_session_description(message)
        if offer is None:
            return b""
        slots = [None] * len(offer.media)
        return bytes(sdp.build_answer(offer, slots, address=offer.origin.address))
    except sdp.SdpError:
        return b""


def compose_body(
    offer: sdp.SessionDescription | None,
    parts: Sequence[mime.Part],
    related: Sequence[mime.Part] = (),
) -> tuple[bytes, str | None]:
    """Make the body of an INVITE from an offer, if there is one, and what goes with it.

    Args:
        offer: The offer.
        parts: What stands beside it, such as a location.
        related: What it points at (:rfc:`5547#section-8.8`).

    Returns:
        The body and its content type.
    """
    if offer is None:
        return _compose(parts)
    root = mime.Part.build(SDP_TYPE, bytes(offer))
    if related:
        content_type, body = mime.build_multipart([root, *related], "related")
        root = mime.Part.build(content_type, body)
    return _compose([root, *parts])


def _compose(parts: Sequence[mime.Part]) -> tuple[bytes, str | None]:
    if not parts:
        return b"", None
    if len(parts) == 1 and parts[0].content_type.essence in _ROOTS:
        return parts[0].body, str(parts[0].content_type)
    content_type, body = mime.build_multipart(parts)
    return body, str(content_type)


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


def _is_session(disposition: mime.ContentDisposition | None) -> bool:
    return disposition is None or disposition.kind == "session"
