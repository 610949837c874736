"""What a call reports of the offers and answers in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sip.message import Request, Response
from sip.sansio.calls.offers import Role

if TYPE_CHECKING:
    from sip.sansio.calls.call import Call
    from sip.sansio.calls.client import ClientCall
    from sip.sansio.calls.server import ServerCall
    from sip.sansio.events import Failure
    from sip.sansio.transactions.server import ServerTransaction

__all__ = [
    "CallAcknowledged",
    "CallAnswered",
    "CallProgressed",
    "NegotiationEvent",
    "OfferAccepted",
    "OfferPossible",
    "OfferReceived",
    "OfferRefused",
    "OfferWithdrawn",
    "ProgressAcknowledged",
]


@dataclass(frozen=True, slots=True, eq=False)
class CallProgressed:
    """A call of ours got a provisional response other than 100."""

    call: ClientCall
    """The call."""

    response: Response
    """The response; a reliable one comes once, and in order."""

    role: Role = Role.NOTHING
    """What the session description in it is.  If it is an offer, the call waits for
    :meth:`ClientCall.acknowledge_progress` with the answer."""


@dataclass(frozen=True, slots=True, eq=False)
class CallAnswered:
    """A call of ours was answered and waits for :meth:`ClientCall.acknowledge`."""

    call: ClientCall
    """The call."""

    response: Response
    """The 2xx response."""

    role: Role = Role.NOTHING
    """What the session description in it is; ``NOTHING`` if the answer was in a
    provisional response before, ``MISSING`` if there is none at all."""


@dataclass(frozen=True, slots=True, eq=False)
class CallAcknowledged:
    """The peer has acknowledged our 2xx."""

    call: Call
    """The call."""

    request: Request
    """The ACK, whose body is the answer if our 2xx had the offer."""

    is_first: bool
    """Whether this confirms the call, and not a later INVITE in it."""

    role: Role = Role.NOTHING
    """``ANSWER``, ``MISSING``, or ``NOTHING`` if there was no need for one."""


@dataclass(frozen=True, slots=True, eq=False)
class ProgressAcknowledged:
    """The peer has acknowledged a reliable provisional response of ours."""

    call: ServerCall
    """The call."""

    request: Request
    """The PRACK, whose body is the answer if our response had the offer."""

    role: Role
    """``ANSWER``, ``MISSING``, or ``NOTHING`` if there was no need for one."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferReceived:
    """The peer wants to change the session, or to hear our offer."""

    call: Call
    """The call, which waits for :meth:`Call.answer_offer`."""

    transaction: ServerTransaction
    """The INVITE, UPDATE or PRACK."""

    role: Role
    """``OFFER``, or ``ASKED`` if it is for us to offer."""

    @property
    def request(self) -> Request:
        """The request."""
        return self.transaction.request


@dataclass(frozen=True, slots=True, eq=False)
class OfferWithdrawn:
    """The peer has cancelled the INVITE of an :class:`OfferReceived`."""

    call: Call
    """The call, which goes on as it was."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferPossible:
    """The offer that :meth:`Call.want_offer` announced can be made now."""

    call: Call
    """The call."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferAccepted:
    """The peer has answered the offer in an INVITE or UPDATE of ours."""

    call: Call
    """The call."""

    request: Request
    """The INVITE or UPDATE."""

    response: Response
    """The response with the answer; all is acknowledged that has to be."""

    role: Role
    """``ANSWER``, or ``MISSING`` if there is none in it."""


@dataclass(frozen=True, slots=True, eq=False)
class OfferRefused:
    """The peer didn't accept our offer: the session is what it was before."""

    call: Call
    """The call, which lives unless it is reported as ended."""

    response: Response | None
    """The refusal, if there was one."""

    failure: Failure | None
    """Why there was none."""

    may_retry: bool = False
    """Whether offers have only crossed, or the peer asked to wait a little; then
    :class:`OfferPossible` will tell when it is time to try again."""


NegotiationEvent: TypeAlias = (
    OfferAccepted
    | OfferPossible
    | OfferReceived
    | OfferRefused
    | OfferWithdrawn
    | ProgressAcknowledged
)
"""Those that come at any time of a call."""
