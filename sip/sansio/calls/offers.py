"""Who may offer a session when, and who has to answer where.

An offer and its answer travel in six pairs of messages (:rfc:`3261#section-13.2.1`,
:rfc:`3262#section-5`, :rfc:`3311#section-5`; :rfc:`6337#section-2.2` has them in one
table, which is the one here).  There is one offer at a time in a dialog, whoever makes
it.  Each dialog that an INVITE has forked into has a state of its own.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from types import MappingProxyType

import mime
from sip.message import Message

__all__ = [
    "ANSWERED_IN",
    "Carrier",
    "Offers",
    "Party",
    "Role",
    "glare_delay",
    "has_sdp",
]


class Party(enum.Enum):
    """Who of the two."""

    __hash__ = object.__hash__  # The default is written in Python.

    WE = "we"
    PEER = "the peer"

    @property
    def other(self) -> Party:
        """The other one."""
        return Party.PEER if self is Party.WE else Party.WE


class Carrier(enum.Enum):
    """A message that may have a session description."""

    __hash__ = object.__hash__  # The default is written in Python.

    INVITE = "INVITE"
    RELIABLE = "a reliable provisional response to INVITE"
    SUCCESS = "a 2xx to INVITE"
    ACK = "the ACK to a 2xx"
    PRACK = "PRACK"
    PRACK_SUCCESS = "a 2xx to PRACK"
    UPDATE = "UPDATE"
    UPDATE_SUCCESS = "a 2xx to UPDATE"


class Role(enum.Enum):
    """What a session description in a message is; or that there should be one."""

    OFFER = "an offer"
    ANSWER = "the answer"
    ASKED = "none, which asks for an offer"
    MISSING = "none, where the last chance for one was"
    NOTHING = "none, or one that doesn't count"


_C = Carrier

ANSWERED_IN: Mapping[Carrier, tuple[Carrier, ...]] = MappingProxyType(
    {
        _C.INVITE: (_C.RELIABLE, _C.SUCCESS),
        _C.RELIABLE: (_C.PRACK,),
        _C.SUCCESS: (_C.ACK,),
        _C.PRACK: (_C.PRACK_SUCCESS,),
        _C.UPDATE: (_C.UPDATE_SUCCESS,),
    }
)
"""In which messages the offer of which may be answered; in the last one it must be."""

_OPENS = (_C.INVITE, _C.PRACK, _C.UPDATE)
"""What may offer when no offer is open."""

_OFFERS_IF_ASKED = ANSWERED_IN[_C.INVITE]
"""What offers when the INVITE has not."""

_BEGUN_BY: Mapping[Carrier, tuple[Carrier, ...]] = MappingProxyType(
    {
        _C.INVITE: (_C.INVITE, _C.RELIABLE, _C.SUCCESS),
        _C.PRACK: (_C.RELIABLE, _C.PRACK),
        _C.UPDATE: (_C.UPDATE,),
    }
)
"""Which offers come to nothing when which request fails."""


class Offers:
    """How far the offers and answers of one dialog have come.

    Attributes:
        open: Whose offer waits for its answer, and what carried it.
        asked: Who has been asked to offer, by an INVITE without one.
    """

    __slots__ = ("asked", "open")

    def __init__(
        self,
        open_: tuple[Party, Carrier] | None = None,
        asked: Party | None = None,
    ) -> None:
        self.open = open_
        self.asked = asked

    @classmethod
    def of_invite(cls, by: Party, *, has_sdp: bool) -> Offers:
        """Begin with an INVITE, which may fork: each dialog gets its own."""
        offers = cls()
        offers.passes(by, Carrier.INVITE, has_sdp=has_sdp)
        return offers

    @property
    def may_offer(self) -> bool:
        """Whether a new offer may be made in a request."""
        return self.open is None and self.asked is None

    def passes(self, by: Party, carrier: Carrier, *, has_sdp: bool) -> Role:
        """Take in that one of the two sends a message that may have a description.

        Returns:
            What the description is; one that has no business there is
            ``NOTHING``, such as a second answer (:rfc:`3261#section-13.2.1`).
        """
        if self.open is not None:
            return self._towards_answer(by, carrier, has_sdp)
        if self.asked is by and carrier in _OFFERS_IF_ASKED:
            return self._as_asked(by, carrier, has_sdp)
        if self.asked is not None or carrier not in _OPENS:
            return Role.NOTHING
        if has_sdp:
            self.open = (by, carrier)
            return Role.OFFER
        if carrier is Carrier.INVITE:
            self.asked = by.other
            return Role.ASKED
        return Role.NOTHING

    def failed(self, carrier: Carrier) -> None:
        """Take note that an INVITE, PRACK or UPDATE was refused: nothing has changed.

        Whose it was needn't be said, since there is one offer at a time.
        """
        if self.open is not None and self.open[1] in _BEGUN_BY[carrier]:
            self.open = None
        if carrier is Carrier.INVITE:
            self.asked = None

    def _towards_answer(self, by: Party, carrier: Carrier, has_sdp: bool) -> Role:
        assert self.open is not None
        offerer, offered_in = self.open
        places = ANSWERED_IN[offered_in]
        if by is offerer or carrier not in places:
            return Role.NOTHING
        if has_sdp:
            self.open = None
            return Role.ANSWER
        if carrier is places[-1]:
            self.open = None
            return Role.MISSING
        return Role.NOTHING

    def _as_asked(self, by: Party, carrier: Carrier, has_sdp: bool) -> Role:
        if has_sdp:
            self.asked = None
            self.open = (by, carrier)
            return Role.OFFER
        if carrier is Carrier.SUCCESS:
            self.asked = None
            return Role.MISSING
        return Role.NOTHING


def has_sdp(message: Message) -> bool:
    """Tell whether a message has a session description, whatever it says.

    That is told by types alone; :func:`sip.media.find_session_description` reads it.
    """
    if not message.body or message.content_type is None:
        return False
    text = (message.headers.get("Content-Disposition") or "").partition(";")[0]
    if text.strip().lower() not in ("", "session"):
        return False
    try:
        kind = mime.ContentType.parse(message.content_type)
        if kind.type != "multipart":
            return kind.essence == "application/sdp"
        parts = mime.parse_multipart(kind, message.body).walk()
    except mime.MimeError:
        return False
    return any(
        part.content_type.essence == "application/sdp"
        and (part.disposition is None or part.disposition.kind == "session")
        for part in parts
    )


def glare_delay(*, owns_call_id: bool, randbelow: Callable[[int], int]) -> float:
    """Give the seconds to wait after a 491 (:rfc:`3261#section-14.1`).

    The windows of the two sides don't overlap, so that one comes first.

    Args:
        owns_call_id: Whether we made the Call-ID.
        randbelow: Gives a random number from 0 up to, but not including, another.
    """
    if owns_call_id:
        return 2.1 + randbelow(191) / 100
    return randbelow(201) / 100
