"""The asyncio shell around :mod:`sip.sansio`: sockets, one timer, tasks.

:class:`UserAgent` is what an application holds.  It listens, makes calls and
hands over those that come in; a :class:`Call` runs :class:`~sip.Media`.  Beneath
it a driver does what the core wants: it keeps the one timer, resolves URIs
(:class:`Resolver`, :rfc:`3263`) and gives messages to the transport layer, which
keeps the sockets and connections.

Protocol work happens in the callbacks of the transports, so a response or a
repetition never waits for the application.  Each task belongs to the driver,
which awaits or cancels it when the user agent is closed.
"""

from __future__ import annotations

from sip.aio.agent import UserAgent
from sip.aio.calls.call import Call
from sip.aio.calls.desk import InviteHandler
from sip.aio.calls.incoming import IncomingCall
from sip.aio.calls.outgoing import OutgoingCall
from sip.aio.calls.transfer import IncomingRefer, ReferHandler, Referral
from sip.aio.locating.resolver import Dns, Resolver
from sip.aio.locating.system_dns import SystemDns
from sip.aio.requests.answering import (
    IncomingRequest,
    RefuseRequest,
    Reply,
    RequestHandler,
)
from sip.aio.requests.registration import Registration
from sip.aio.subscriptions.desk import SubscribeHandler
from sip.aio.subscriptions.subscription import Notification, Subscription
from sip.aio.subscriptions.watcher import Watcher
from sip.aio.transport.tls import tls_client_context, tls_server_context

__all__ = [
    "Call",
    "Dns",
    "IncomingCall",
    "IncomingRefer",
    "IncomingRequest",
    "InviteHandler",
    "Notification",
    "OutgoingCall",
    "ReferHandler",
    "Referral",
    "RefuseRequest",
    "Registration",
    "Reply",
    "RequestHandler",
    "Resolver",
    "SubscribeHandler",
    "Subscription",
    "SystemDns",
    "UserAgent",
    "Watcher",
    "tls_client_context",
    "tls_server_context",
]
