"""A SIP user agent (:rfc:`3261`), in layers that can each be used alone.

*Values* know nothing of time, sockets or state.  A message is read with
:func:`parse_message` from a datagram or with :class:`StreamFramer` from a
stream; :func:`check_request` and :func:`check_response` tell whether it can be
worked with, and :func:`response_to` makes the answer.  A
:class:`~sip.message.Request` or :class:`~sip.message.Response` keeps its
header fields as text, in order, with all that we don't know; what is asked for
is parsed then: ``request.from_.tag``, ``request.cseq.number``, ``request.vias``,
``request.session_expires``; :mod:`sip.fields.table` has the list.
:class:`Via`, :class:`NameAddr`, :class:`CSeq` and :class:`SipUri` are frozen,
have ``parse()``, and are written by ``str()``.

Two errors matter here.  :exc:`SipParseError` is the peer's doing and says with
which status to answer what.  :exc:`LocalError` is ours: a value that would
break a message, such as one with a line end in it, is never sent.

The *core*, :mod:`sip.sansio`, has the state and no sockets: transactions, dialogs
and calls, driven by messages and by a time that is an argument.  :mod:`sip.testing`
joins such cores by a wire that is a list.

The *shell*, :mod:`sip.aio`, is what an application uses: a :class:`UserAgent` makes
calls and takes them, and each :class:`Call` runs :class:`Media`.  Only for these is
a body more than octets: :mod:`sip.media` finds the session description in it and
puts together what the media offer and answer.

Core and shell are imported when one of their names is first asked for, so a program
that only reads messages doesn't wait for :mod:`asyncio` and :mod:`ssl`, and one that
calls numeric addresses doesn't wait for the DNS.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sip.checks import check_outgoing_request, check_request, check_response
from sip.cseq import CSeq
from sip.errors import (
    CallError,
    CallOver,
    CallRefused,
    CallTimeout,
    LocalError,
    LocationUnavailable,
    NegotiationFailed,
    SipError,
    SipParseError,
    SubscriptionOver,
    TransferFailed,
    TransportError,
)
from sip.fields import (
    Accepted,
    CallInfo,
    Event,
    GeolocationError,
    HistoryInfo,
    MediaRange,
    MinSE,
    RAck,
    Reason,
    Refresher,
    Replaces,
    ResourcePriority,
    RetryAfter,
    SessionExpires,
    SubscriptionState,
    WarningValue,
)
from sip.headers import Headers
from sip.identifiers import new_branch, new_call_id, new_tag
from sip.message import Message, Request, Response, response_to
from sip.name_addr import NameAddr, parse_name_addrs
from sip.parameters import Parameters
from sip.status import reason_phrase
from sip.uri import OtherUri, SipUri, Uri, parse_uri
from sip.via import BRANCH_COOKIE, Via
from sip.wire import KeepAlive, StreamEvent, StreamFramer, parse_message

# What isn't a value is imported when it is first asked for; both lists name it.
if TYPE_CHECKING:
    from sip.aio import (
        Call,
        IncomingCall,
        IncomingRefer,
        IncomingRequest,
        Notification,
        OutgoingCall,
        Referral,
        RefuseRequest,
        Registration,
        Reply,
        Subscription,
        UserAgent,
        Watcher,
        tls_client_context,
        tls_server_context,
    )
    from sip.aio.blocking.agent import ThreadedUserAgent
    from sip.aio.blocking.call import (
        ThreadedCall,
        ThreadedIncomingCall,
        ThreadedRegistration,
    )
    from sip.aio.location_fetcher import HttpClient, LocationFetcher
    from sip.change import ChangeDecision, ChangePolicy, ProposedChange
    from sip.media import (
        AccompaniedMedia,
        ConferringMedia,
        DirectedMedia,
        ExplainingMedia,
        FollowingMedia,
        IdentifiedMedia,
        IntroducedMedia,
        LeavingMedia,
        Media,
        MultipleMedia,
        RenegotiatingMedia,
        resolve_cid,
    )
    from sip.sansio import (
        Admission,
        Authenticator,
        EndReason,
        EventPackage,
        Hop,
        Limits,
        RegistrationState,
        Timers,
        Transport,
    )

_LATER = {
    "sip.aio": (
        "Call",
        "IncomingCall",
        "IncomingRefer",
        "IncomingRequest",
        "Notification",
        "OutgoingCall",
        "Referral",
        "RefuseRequest",
        "Registration",
        "Reply",
        "Subscription",
        "UserAgent",
        "Watcher",
        "tls_client_context",
        "tls_server_context",
    ),
    "sip.aio.blocking.call": (
        "ThreadedCall",
        "ThreadedIncomingCall",
        "ThreadedRegistration",
    ),
    "sip.aio.blocking.agent": ("ThreadedUserAgent",),
    "sip.aio.location_fetcher": ("HttpClient", "LocationFetcher"),
    "sip.change": ("ChangeDecision", "ChangePolicy", "ProposedChange"),
    "sip.media": (
        "AccompaniedMedia",
        "ConferringMedia",
        "DirectedMedia",
        "ExplainingMedia",
        "FollowingMedia",
        "IdentifiedMedia",
        "IntroducedMedia",
        "LeavingMedia",
        "Media",
        "MultipleMedia",
        "RenegotiatingMedia",
        "resolve_cid",
    ),
    "sip.sansio": (
        "Admission",
        "Authenticator",
        "EndReason",
        "EventPackage",
        "Hop",
        "Limits",
        "RegistrationState",
        "Timers",
        "Transport",
    ),
}

__all__ = [
    "BRANCH_COOKIE",
    "Accepted",
    "AccompaniedMedia",
    "Admission",
    "Authenticator",
    "CSeq",
    "Call",
    "CallError",
    "CallInfo",
    "CallOver",
    "CallRefused",
    "CallTimeout",
    "ChangeDecision",
    "ChangePolicy",
    "ConferringMedia",
    "DirectedMedia",
    "EndReason",
    "Event",
    "EventPackage",
    "ExplainingMedia",
    "FollowingMedia",
    "GeolocationError",
    "Headers",
    "HistoryInfo",
    "Hop",
    "HttpClient",
    "IdentifiedMedia",
    "IncomingCall",
    "IncomingRefer",
    "IncomingRequest",
    "IntroducedMedia",
    "KeepAlive",
    "LeavingMedia",
    "Limits",
    "LocalError",
    "LocationFetcher",
    "LocationUnavailable",
    "Media",
    "MediaRange",
    "Message",
    "MinSE",
    "MultipleMedia",
    "NameAddr",
    "NegotiationFailed",
    "Notification",
    "OtherUri",
    "OutgoingCall",
    "Parameters",
    "ProposedChange",
    "RAck",
    "Reason",
    "Referral",
    "Refresher",
    "RefuseRequest",
    "Registration",
    "RegistrationState",
    "RenegotiatingMedia",
    "Replaces",
    "Reply",
    "Request",
    "ResourcePriority",
    "Response",
    "RetryAfter",
    "SessionExpires",
    "SipError",
    "SipParseError",
    "SipUri",
    "StreamEvent",
    "StreamFramer",
    "Subscription",
    "SubscriptionOver",
    "SubscriptionState",
    "ThreadedCall",
    "ThreadedIncomingCall",
    "ThreadedRegistration",
    "ThreadedUserAgent",
    "Timers",
    "TransferFailed",
    "Transport",
    "TransportError",
    "Uri",
    "UserAgent",
    "Via",
    "WarningValue",
    "Watcher",
    "check_outgoing_request",
    "check_request",
    "check_response",
    "new_branch",
    "new_call_id",
    "new_tag",
    "parse_message",
    "parse_name_addrs",
    "parse_uri",
    "reason_phrase",
    "resolve_cid",
    "response_to",
    "tls_client_context",
    "tls_server_context",
]

_HOMES = {name: module for module, names in _LATER.items() for name in names}

if not TYPE_CHECKING:  # Else a type checker took every name for one of ours.

    def __getattr__(name: str) -> object:
        """Import what wasn't asked for before (:pep:`562`)."""
        if f"{__name__}.{name}" in _LATER:
            return import_module(f"{__name__}.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
