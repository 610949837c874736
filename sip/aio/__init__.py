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
from sip.aio.call import Call
from sip.aio.calls import InviteHandler
from sip.aio.incoming import IncomingCall
from sip.aio.outgoing import OutgoingCall
from sip.aio.registration import Registration
from sip.aio.requests import IncomingRequest, RefuseRequest, Reply, RequestHandler
from sip.aio.resolver import Dns, Resolver
from sip.aio.subscriptions import (
    Notification,
    SubscribeHandler,
    Subscription,
    Watcher,
)
from sip.aio.system_dns import SystemDns
from sip.aio.tls import tls_client_context, tls_server_context
from sip.aio.transfer import IncomingRefer, ReferHandler, Referral

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
