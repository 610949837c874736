"""What a medium is, and what more of a shape it may have.

None of it has to be imported by who writes one: what a medium can do it shows by having
the methods and attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeGuard, runtime_checkable

import mime
import sdp
from recording import CallIdentity

if TYPE_CHECKING:
    from typing_extensions import TypeVar  # For its default (PEP 696).
else:
    from typing import TypeVar

__all__ = [
    "AccompaniedMedia",
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
    "direction_wanted",
    "is_conferring",
    "is_explaining",
    "is_following",
    "is_identified",
    "is_introduced",
    "is_leaving",
    "is_multiple",
    "is_renegotiating",
    "offerable",
    "parts_of",
]


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
    return (
        hasattr(medium, "reanswer")
        and hasattr(medium, "follow")
        and hasattr(medium, "keep")
    )


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
