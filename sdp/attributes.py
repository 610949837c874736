"""What some attributes mean: setup, direction, language.

:mod:`sdp.description` holds attributes as they were written.  The functions here
read those that more than one kind of media uses.  What a peer got wrong reads as
if it had said nothing, since nothing here is worth losing a call for; fingerprints
are another matter, and have :mod:`sdp.fingerprint`.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

from sdp.description import MediaDescription, SessionDescription
from sdp.errors import SdpError
from sdp.lines import Attribute

__all__ = [
    "Direction",
    "Languages",
    "Party",
    "Setup",
    "answer_languages",
    "answer_setup",
    "connection_roles",
    "direction_of",
    "languages_of",
    "setup_of",
    "with_direction",
]


class Setup(enum.Enum):
    """Which end opens the connection (:rfc:`4145#section-4`)."""

    ACTIVE = "active"
    """This end will."""

    PASSIVE = "passive"
    """This end waits for the other."""

    ACTPASS = "actpass"
    """This end can do both; only an offer says so."""

    HOLDCONN = "holdconn"
    """No connection for now.  :rfc:`6135#section-4.2.1` has MSRP treat it as if
    nothing were said."""


_SETUPS = {setup.value: setup for setup in Setup}


class Party(enum.Enum):
    """One of the two who negotiate."""

    OFFERER = "offerer"
    ANSWERER = "answerer"


# By what the offer and the answer say, the party that opens the connection.  Not
# here: both active, both passive.
_ACTIVE_PARTY: dict[tuple[Setup, Setup], Party] = {
    (Setup.ACTIVE, Setup.PASSIVE): Party.OFFERER,
    (Setup.PASSIVE, Setup.ACTIVE): Party.ANSWERER,
    (Setup.ACTPASS, Setup.ACTIVE): Party.ANSWERER,
    (Setup.ACTPASS, Setup.PASSIVE): Party.OFFERER,
    # An answer must choose.  One that doesn't will do what the offer leaves it,
    # or wait, as it would if it had said nothing.
    (Setup.ACTIVE, Setup.ACTPASS): Party.OFFERER,
    (Setup.PASSIVE, Setup.ACTPASS): Party.ANSWERER,
    (Setup.ACTPASS, Setup.ACTPASS): Party.OFFERER,
}


def setup_of(media: MediaDescription) -> Setup | None:
    """Read ``a=setup``.

    Args:
        media: As :meth:`SessionDescription.effective_media` gives it, since the
            session may say it for all.

    Returns:
        None if there is none, or if nobody knows what it means.
    """
    return _SETUPS.get((media.first("setup") or "").strip().lower())


def answer_setup(offered: Setup | None, *, prefer_active: bool = False) -> Setup:
    """Choose the ``setup`` of an answer (:rfc:`4145#section-4.1`).

    Args:
        offered: What the offer says.
        prefer_active: What to choose if the offer leaves the choice to us.
            Active gets through a NAT in front of us, passive through one in
            front of the offerer.

    Returns:
        :attr:`Setup.ACTIVE` or :attr:`Setup.PASSIVE`.
    """
    if offered is Setup.PASSIVE or (offered is Setup.ACTPASS and prefer_active):
        return Setup.ACTIVE
    return Setup.PASSIVE


def connection_roles(offered: Setup | None, answered: Setup | None) -> Party:
    """Tell who opens the connection, once offer and answer are there.

    An offer that says nothing means active and an answer that says nothing means
    passive (:rfc:`4145#section-4.1`); so do ``holdconn`` and values unknown.  If
    a *passive* offer gets such an answer the offerer connects all the same: an
    answerer that knows nothing of ``setup`` waits for it, as every answerer did
    before there was one (:rfc:`4975#section-5.4`).

    Args:
        offered: What the offer says.
        answered: What the answer says.

    Returns:
        The party that opens the connection.

    Raises:
        SdpError: Both want to open it, or both want to wait.
    """
    if answered is None or answered is Setup.HOLDCONN:
        return Party.OFFERER
    if offered is None or offered is Setup.HOLDCONN:
        offered = Setup.ACTIVE
    party = _ACTIVE_PARTY.get((offered, answered))
    if party is None:
        raise SdpError(f"offer and answer are both {answered.value}")
    return party


class Direction(enum.Enum):
    """Which way media flows, seen from whoever says it (:rfc:`8866#section-6.7`)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """Give the direction of somebody who does this or doesn't."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    @property
    def sends(self) -> bool:
        """Whether the one who says it may send."""
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        """Whether the one who says it will take what is sent."""
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    @property
    def reversed(self) -> Direction:
        """The same flow, seen from the other end."""
        return Direction.of(sends=self.receives, receives=self.sends)

    def may_be_answered(self, answered: Direction) -> bool:
        """Tell whether an offer of this may get that answer.

        An answer may take away from what was offered and add nothing to it
        (:rfc:`3264#section-6.1`).
        """
        return (self.receives or not answered.sends) and (
            self.sends or not answered.receives
        )


_DIRECTIONS = {direction.value: direction for direction in Direction}


def direction_of(
    media: MediaDescription, session: SessionDescription | None = None
) -> Direction:
    """Read the direction of a stream.

    Args:
        media: The section.
        session: The session it is in; what it says holds if the section says
            nothing.  Not needed for a section that
            :meth:`SessionDescription.effective_media` gave.

    Returns:
        The first direction given; ``sendrecv`` if there is none
        (:rfc:`8866#section-6.7`).
    """
    for level in (media, session):
        for attribute in level.attributes if level is not None else ():
            if attribute.name in _DIRECTIONS:
                return _DIRECTIONS[attribute.name]
    return Direction.SENDRECV


def with_direction(media: MediaDescription, direction: Direction) -> MediaDescription:
    """Give the section with this direction instead of the one it has.

    It is written even if it is ``sendrecv``, lest the session say otherwise.
    """
    others = [a for a in media.attributes if a.name not in _DIRECTIONS]
    return dataclasses.replace(media, attributes=(*others, Attribute(direction.value)))


@dataclasses.dataclass(frozen=True, slots=True)
class Languages:
    """The human languages of a stream, the best first (:rfc:`8373`).

    Raises:
        SdpError: A language tag is malformed.
    """

    send: tuple[str, ...] = ()
    """``hlang-send``: what whoever says this will use."""

    recv: tuple[str, ...] = ()
    """``hlang-recv``: what they understand."""

    def __post_init__(self) -> None:
        if not all(map(_is_language_tag, self.send + self.recv)):
            raise SdpError("not a language tag")

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        """The attributes that say so; none for an empty list."""
        lists = (("hlang-send", self.send), ("hlang-recv", self.recv))
        return tuple(Attribute(name, " ".join(tags)) for name, tags in lists if tags)


def _is_language_tag(text: str) -> bool:
    # BCP 47: subtags of one to eight letters and digits.
    return text.isascii() and all(
        subtag.isalnum() and len(subtag) <= 8 for subtag in text.split("-")
    )


def languages_of(media: MediaDescription) -> Languages:
    """Read ``hlang-send`` and ``hlang-recv``, which only a stream can have.

    What isn't a language tag is passed over: no call is to be lost for it.
    """
    send, recv = (
        tuple(filter(_is_language_tag, (media.first(name) or "").split()))
        for name in ("hlang-send", "hlang-recv")
    )
    return Languages(send, recv)


def answer_languages(offered: Languages, spoken: Sequence[str]) -> Languages:
    """Choose the languages of an answer (:rfc:`8373#section-5.1`).

    For each direction that the offer has languages for there is one in the
    answer: the offerer's best that is spoken here or, if none is, our own best,
    which tells the offerer what to expect.  Whether to take the call then is
    for the application to say.

    Args:
        offered: The languages of the offered stream.
        spoken: The language tags of those who answer, the best first; at least
            one.

    Raises:
        SdpError: ``spoken`` is empty or has a malformed tag in it.
    """
    if not spoken:
        raise SdpError("no language is spoken")

    def choose(wanted: tuple[str, ...]) -> tuple[str, ...]:
        common = (tag for tag in wanted if any(_same_language(tag, s) for s in spoken))
        return (next(common, spoken[0]),) if wanted else ()

    # What one end sends the other receives.
    return Languages(send=choose(offered.recv), recv=choose(offered.send))


def _same_language(one: str, other: str) -> bool:
    """Tell whether one tag is the other, or a more general form of it."""
    one, other = f"{one.lower()}-", f"{other.lower()}-"
    return one.startswith(other) or other.startswith(one)
