"""A SIP user agent without I/O: messages and time in, messages and events out.

Three things drive it: the application, the wire, and the clock.

* :class:`UserAgentCore` is the whole: ``invite`` and ``request`` are what the
  application wants, ``receive`` takes what the wire brings, ``handle_timeout``
  says what time it is.  After each of them ``messages_to_send``, ``lookups``,
  ``events_received`` and ``next_timeout`` tell what is to be done outside.
* A call is a :class:`ClientCall` or a :class:`ServerCall`; what both do once they
  are confirmed is in :class:`Call`.  A :class:`Dialog` knows the tags, the numbers
  and the way to the peer.
* How a session changes is in :class:`Changes`, one for each dialog, early ones too
  (:class:`EarlyDialog`): offers and answers as a table (:class:`Offers`), INVITE and
  UPDATE, PRACK, and the timers that tell whether the peer is still there.
* :class:`Sender` takes a request from its URI to the hops that may have it, one
  after another, each with a transaction of its own.
* :class:`Retries` tells which refusals are met by sending a request once more, and
  where redirections lead.
* :class:`Registration` keeps one binding with a registrar.
* :class:`TransactionLayer` finds the transaction that a message belongs to.  The
  transactions are four tables (:mod:`sip.sansio.transactions.tables`) and two
  timers.
* :class:`Reception` hands each request of a peer to whoever does its method: the
  :class:`DialogUser` that owns its dialog, or an entry in its tables.  A method that
  is in none becomes a :class:`RequestArrived` for the application.
* :class:`Authenticator` says who has to prove who they are,
  :class:`Admission` which requests are taken, :class:`Limits` how much of
  everything is held, :class:`Timers` how long things take.

A request of ours goes down this list and its responses come up again; a request
of a peer comes up, and its response goes down.
"""

from __future__ import annotations

from sip.sansio.admission import Admission, Refusal
from sip.sansio.authenticator import Authenticator
from sip.sansio.calls.call import Call, CallState
from sip.sansio.calls.changes import Changes
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.early import EarlyDialog
from sip.sansio.calls.events import (
    OfferAccepted,
    OfferPossible,
    OfferReceived,
    OfferRefused,
    OfferWithdrawn,
    ProgressAcknowledged,
)
from sip.sansio.calls.offers import Offers, Party, Role
from sip.sansio.calls.server import ServerCall
from sip.sansio.dialog import Dialog, DialogState
from sip.sansio.events import (
    CallAcknowledged,
    CallAnswered,
    CallEnded,
    CallFailed,
    CallProgressed,
    CallReceived,
    CallUnanswered,
    EndReason,
    Event,
    Failure,
    RegistrationChanged,
    RequestArrived,
    RequestFailed,
    ResponseReceived,
)
from sip.sansio.hop import Hop, Outgoing, Transport
from sip.sansio.limits import Limits
from sip.sansio.reception import Reception
from sip.sansio.registration import Backoff, Registration, RegistrationState
from sip.sansio.requests.retry import Retries
from sip.sansio.requests.route import new_request, route_request
from sip.sansio.requests.sender import ClientRequest, Lookup, Sender
from sip.sansio.services import DialogUser, Services
from sip.sansio.subscriptions.subscriptions import EventPackage, Subscriptions
from sip.sansio.timers import Timers
from sip.sansio.transactions.layer import TransactionLayer
from sip.sansio.user_agent import UserAgentCore

__all__ = [
    "Admission",
    "Authenticator",
    "Backoff",
    "Call",
    "CallAcknowledged",
    "CallAnswered",
    "CallEnded",
    "CallFailed",
    "CallProgressed",
    "CallReceived",
    "CallState",
    "CallUnanswered",
    "Changes",
    "ClientCall",
    "ClientRequest",
    "Dialog",
    "DialogState",
    "DialogUser",
    "EarlyDialog",
    "EndReason",
    "Event",
    "EventPackage",
    "Failure",
    "Hop",
    "Limits",
    "Lookup",
    "OfferAccepted",
    "OfferPossible",
    "OfferReceived",
    "OfferRefused",
    "OfferWithdrawn",
    "Offers",
    "Outgoing",
    "Party",
    "ProgressAcknowledged",
    "Reception",
    "Refusal",
    "Registration",
    "RegistrationChanged",
    "RegistrationState",
    "RequestArrived",
    "RequestFailed",
    "ResponseReceived",
    "Retries",
    "Role",
    "Sender",
    "ServerCall",
    "Services",
    "Subscriptions",
    "Timers",
    "TransactionLayer",
    "Transport",
    "UserAgentCore",
    "new_request",
    "route_request",
]
