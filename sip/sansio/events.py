"""What a user agent core reports, in the past tense."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from sip.message import Request, Response
from sip.sansio.calls.events import (
    CallAcknowledged,
    CallAnswered,
    CallProgressed,
    NegotiationEvent,
)

if TYPE_CHECKING:
    from sip.fields.subscription import SubscriptionState
    from sip.sansio.calls.call import Call
    from sip.sansio.calls.client import ClientCall
    from sip.sansio.calls.server import ServerCall
    from sip.sansio.registration import Registration, RegistrationState
    from sip.sansio.requests.sender import ClientRequest
    from sip.sansio.services import DialogUser
    from sip.sansio.subscriptions.notifier import ServerSubscription
    from sip.sansio.subscriptions.refer import ServerRefer
    from sip.sansio.subscriptions.subscriber import ClientSubscription
    from sip.sansio.transactions.server import ServerTransaction

__all__ = [
    "CallAcknowledged",
    "CallAnswered",
    "CallEnded",
    "CallFailed",
    "CallProgressed",
    "CallReceived",
    "CallUnanswered",
    "EndReason",
    "Event",
    "Failure",
    "NotifyReceived",
    "ReferReceived",
    "RegistrationChanged",
    "RequestArrived",
    "RequestFailed",
    "ResponseReceived",
    "SubscribeReceived",
    "SubscriptionEnded",
    "SubscriptionRefreshed",
]


class Failure(enum.Enum):
    """Why a request of ours has no final response from a peer."""

    TIMEOUT = "nobody answered in time"
    TRANSPORT = "it could not be sent"
    NOT_FOUND = "there is no address to send it to"
    BUSY = "too much is going on here"
    CANCELLED = "it was cancelled here"
    BAD_RESPONSE = "the response could not be understood"

    @property
    def status(self) -> int:
        """The status code that stands for it (:rfc:`3261#section-8.1.3.1`)."""
        return _STATUS_OF[self]


_STATUS_OF = {
    Failure.TIMEOUT: 408,
    Failure.TRANSPORT: 503,
    Failure.NOT_FOUND: 503,
    Failure.BUSY: 503,
    Failure.CANCELLED: 487,
    Failure.BAD_RESPONSE: 500,
}


class EndReason(enum.Enum):
    """Why a call that existed is over."""

    LOCAL_BYE = "we hung up"
    REMOTE_BYE = "the peer hung up"
    CANCELLED = "the caller gave up before anybody answered"
    REJECTED = "the call was refused"
    EXPIRED = "nobody answered in the time the caller gave"
    NOT_ACKNOWLEDGED = "the peer never acknowledged our answer"
    FAILED = "the call could not be made"
    NOT_REFRESHED = "the peer gave no sign of life any more"
    LOST = "the peer doesn't know of the call any more"


@dataclass(frozen=True, slots=True, eq=False)
class CallReceived:
    """A peer calls; the call waits for an answer."""

    call: ServerCall
    """The call."""


@dataclass(frozen=True, slots=True, eq=False)
class CallUnanswered:
    """A call that waited for an answer is over without one."""

    call: ServerCall
    """The call."""

    reason: EndReason
    """``CANCELLED``, ``EXPIRED``, ``REMOTE_BYE`` or ``REJECTED``."""


@dataclass(frozen=True, slots=True, eq=False)
class CallFailed:
    """A call of ours will not be."""

    call: ClientCall
    """The call."""

    response: Response | None
    """The refusal, if a peer sent one."""

    failure: Failure | None
    """Why there is no call, if it isn't for the response alone: ``CANCELLED`` may
    come with the response to the cancelled INVITE."""


@dataclass(frozen=True, slots=True, eq=False)
class CallEnded:
    """A call that was answered is over."""

    call: Call
    """The call."""

    reason: EndReason
    """Why."""

    request: Request | None = None
    """The BYE of the peer, if that is why."""


@dataclass(frozen=True, slots=True, eq=False)
class ResponseReceived:
    """A request that is no part of a call was answered."""

    request: ClientRequest
    """The request."""

    response: Response
    """The response, provisional or final."""


@dataclass(frozen=True, slots=True, eq=False)
class RequestFailed:
    """A request that is no part of a call will have no response."""

    request: ClientRequest
    """The request."""

    failure: Failure
    """Why."""


@dataclass(frozen=True, slots=True, eq=False)
class RequestArrived:
    """A peer sent a request that nothing here answers by itself, such as MESSAGE."""

    transaction: ServerTransaction
    """The request, which waits for :meth:`UserAgentCore.respond`."""

    user: DialogUser | None
    """Whose dialog it belongs to, if to any."""


@dataclass(frozen=True, slots=True, eq=False)
class SubscribeReceived:
    """A peer subscribes; the subscription waits to be accepted or rejected."""

    subscription: ServerSubscription
    """The subscription."""


@dataclass(frozen=True, slots=True, eq=False)
class SubscriptionRefreshed:
    """A peer wants to hear the state again, and has been told what was told last."""

    subscription: ServerSubscription
    """The subscription."""


@dataclass(frozen=True, slots=True, eq=False)
class NotifyReceived:
    """A peer tells what we subscribed to."""

    subscription: ClientSubscription
    """The subscription."""

    request: Request
    """The NOTIFY, which has been answered."""

    told: SubscriptionState
    """What it says of the subscription itself."""


@dataclass(frozen=True, slots=True, eq=False)
class SubscriptionEnded:
    """A subscription is over, ours with a peer or a peer's with us."""

    subscription: ClientSubscription | ServerSubscription
    """The subscription."""

    told: SubscriptionState | None
    """What the last NOTIFY said of it, if that ended it."""

    response: Response | None
    """The response that ended it, if that did."""

    failure: Failure | None
    """Why it ended, if a peer was silent or couldn't be reached."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferReceived:
    """A peer wants us to send a request to somebody, such as an INVITE."""

    refer: ServerRefer
    """What is wanted, which waits to be accepted or rejected."""


@dataclass(frozen=True, slots=True, eq=False)
class RegistrationChanged:
    """A registrar has granted or refused something, or was silent."""

    registration: Registration
    """The registration, whose ``response`` and ``failure`` say more."""

    state: RegistrationState
    """What it is in now."""


Event: TypeAlias = (
    CallReceived
    | CallUnanswered
    | CallAcknowledged
    | CallProgressed
    | CallAnswered
    | CallFailed
    | CallEnded
    | NegotiationEvent
    | SubscribeReceived
    | SubscriptionRefreshed
    | NotifyReceived
    | SubscriptionEnded
    | ReferReceived
    | RequestArrived
    | RegistrationChanged
    | ResponseReceived
    | RequestFailed
)
