"""The user agent that an application holds: sockets, a clock, calls."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import mime
import sdp
from sip.aio.asking import Asking, Credentials, digest_client
from sip.aio.call import Call, Headers
from sip.aio.calls import CallDesk, InviteHandler
from sip.aio.driver import Driver
from sip.aio.outgoing import OutgoingCall
from sip.aio.registration import RegistrationDesk
from sip.aio.requests import RequestDesk
from sip.aio.resolver import Dns
from sip.aio.subscriptions import (
    SubscribeHandler,
    Subscription,
    SubscriptionDesk,
)
from sip.aio.transfer import ReferHandler, Referral, TransferDesk
from sip.aio.ways import Ways
from sip.errors import LocalError
from sip.fields.subscription import Event as EventField
from sip.media import Media
from sip.message import Response
from sip.name_addr import NameAddr
from sip.sansio.admission import Admission
from sip.sansio.authenticator import Authenticator
from sip.sansio.events import (
    Event,
    NotifyReceived,
    ReferReceived,
    RegistrationChanged,
    RequestArrived,
    RequestFailed,
    ResponseReceived,
    SubscribeReceived,
    SubscriptionEnded,
    SubscriptionRefreshed,
)
from sip.sansio.hop import Hop
from sip.sansio.limits import Limits
from sip.sansio.subscriptions import EventPackage
from sip.sansio.timers import Timers
from sip.sansio.user_agent import UserAgentCore

__all__ = ["UserAgent"]

_log = logging.getLogger("sip.agent")


class UserAgent(Asking):
    """A SIP user agent: it makes calls and takes them.

    Use it as a context manager: leaving it ends all calls and closes all sockets.

    Args:
        address: Who we are: ``sip:psap@example.net``, with a display name if
            wanted.
        listen: Where to listen, such as ``"udp://192.0.2.1:5060"``; ``tcp``, ``tls``
            and port 0 (any that is free) are possible.  UDP brings TCP on the
            same port with it, as :rfc:`3261#section-18.2.1` demands.
        server_ssl: The context with our certificate, to listen with TLS.
        client_ssl: The context for connections that we open with TLS; by default
            it checks certificates against the authorities that the system trusts.
        outbound_proxy: Where to send all requests that no call has a route for.
        credentials: Who we are where somebody asks: a user name and a password, or
            those of each realm.
        authenticator: Whose requests to take; by default those of everybody.
        follow_redirects: Whether requests go where a 3xx response says.
        admission: Which requests to take.
        timers: How long to wait.
        limits: How much to hold.
        dns: What to ask for the addresses of names.
    """

    def __init__(
        self,
        address: str,
        *,
        listen: Sequence[str],
        server_ssl: ssl.SSLContext | None = None,
        client_ssl: ssl.SSLContext | None = None,
        outbound_proxy: str | None = None,
        credentials: Credentials | None = None,
        authenticator: Authenticator | None = None,
        follow_redirects: bool = True,
        admission: Admission | None = None,
        timers: Timers | None = None,
        limits: Limits | None = None,
        dns: Dns | None = None,
    ) -> None:
        super().__init__()
        if not listen:
            raise LocalError("a user agent has to listen somewhere")
        self._listen = [Hop.parse(text) for text in listen]
        self._server_ssl = server_ssl
        self._client_ssl = client_ssl
        self._ways = Ways(self._listen, outbound_proxy, dns)
        self._core = UserAgentCore(
            NameAddr.parse(address),
            self._ways.local_point,
            admission=admission,
            timers=timers,
            limits=limits,
        )
        retries = self._core.sender.retries
        retries.follows_redirects = follow_redirects
        if credentials is not None:
            retries.credentials = digest_client(credentials)
        self._core.reception.authenticator = authenticator
        self._calls = CallDesk(self._core, self._ways)
        self._requests = RequestDesk(self._core)
        self._registrations = RegistrationDesk(self._core)
        self._subscriptions = SubscriptionDesk(self._core)
        self._transfers = TransferDesk(
            self._core, self, self._calls, self._subscriptions
        )
        self._driver: Driver | None = None
        self._closed = False

    # The application's side.

    @property
    def address(self) -> NameAddr:
        """Who we are."""
        return self._core.address

    @property
    def listening(self) -> tuple[Hop, ...]:
        """The addresses that we listen on, with their real ports."""
        return () if self._driver is None else tuple(self._driver.transport.listening)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that aren't over."""
        return self._calls.calls

    def on_invite(self, handler: InviteHandler) -> InviteHandler:
        """Set what is called with each call that comes in; usable as a decorator.

        It runs in a task of its own.  If it returns without an answer the call is
        refused with 480, if it fails with 500.  Without a handler every call gets
        480.
        """
        self._calls.answer_with(handler)
        return handler

    def offer_capabilities(self, media: Sequence[sdp.MediaDescription]) -> None:
        """Tell those who ask with OPTIONS which media we can do.

        Raises:
            SdpError: They can't be described.
        """
        described = sdp.capabilities(media, address=self._ways.media_address())
        self._core.capabilities = bytes(described)

    async def invite(
        self,
        uri: str,
        *,
        media: Sequence[Media],
        headers: Headers = (),
        parts: Sequence[mime.Part] = (),
        outbound_proxy: str | None = None,
        sender: str | None = None,
        timeout: float | None = None,
        on_progress: Callable[[Response], None] | None = None,
    ) -> Call:
        """Call somebody; return when media run.

        Cancelling this cancels the call, or ends it if it was just answered.

        Args:
            uri: Whom to call.  A URI that doesn't say where to go, such as
                ``urn:service:sos``, needs a proxy.
            media: What to offer, in this order.
            headers: More headers for the INVITE.
            parts: What to send along with the offer, such as a location.
            outbound_proxy: The proxy to go by, if not that of the agent.
            sender: Who calls, if not :attr:`address`.
            timeout: Seconds to wait for an answer; for ever by default, unless
                nobody responds at all.
            on_progress: Called with each provisional response but 100.

        Raises:
            CallRefused: The peer refused.
            CallTimeout: Nobody answered in time.
            NegotiationFailed: There is nothing that both sides can do, or one of
                the media can't begin with what was agreed.
            TransportError: No address took the INVITE.
            LocalError: Something here can't be put into a request, or the URI
                can't lead anywhere.
        """
        call = await self.call(
            uri,
            media=media,
            headers=headers,
            parts=parts,
            outbound_proxy=outbound_proxy,
            sender=sender,
            on_progress=on_progress,
        )
        await call.complete(timeout)
        return call

    async def call(
        self,
        uri: str,
        *,
        media: Sequence[Media],
        headers: Headers = (),
        parts: Sequence[mime.Part] = (),
        outbound_proxy: str | None = None,
        sender: str | None = None,
        on_progress: Callable[[Response], None] | None = None,
        without_offer: bool = False,
    ) -> OutgoingCall:
        """Begin to call somebody, and return at once.

        For those who care what happens before the answer::

            async with await agent.call(uri, media=[medium]) as call:
                async for response in call.progress():
                    ...
                await call.complete()

        Leaving it cancels the call, or ends it if it was answered.

        Args:
            uri: As for :meth:`invite`.
            media: As for :meth:`invite`.
            headers: As for :meth:`invite`.
            parts: As for :meth:`invite`.
            outbound_proxy: As for :meth:`invite`.
            sender: As for :meth:`invite`.
            on_progress: As for :meth:`invite`.
            without_offer: Whether to let the peer offer, as one does who doesn't know
                yet what a third party will want; ``media`` then answer.

        Raises:
            LocalError: Something here can't be put into a request, or the URI
                can't lead anywhere.
        """
        self._open_driver()
        if not media:
            raise LocalError("a call needs media")
        return await self._calls.invite(
            self._ways.target(uri, outbound_proxy),
            media=media,
            headers=headers,
            parts=parts,
            route_set=self._ways.route_set(outbound_proxy),
            sender=None if sender is None else NameAddr.parse(sender),
            on_progress=on_progress,
            without_offer=without_offer,
        )

    async def subscribe(
        self,
        uri: str,
        event: str,
        *,
        expires: int | None = 3_600,
        accept: Sequence[str] = (),
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        outbound_proxy: str | None = None,
    ) -> Subscription:
        """Subscribe to something; return when the peer has told the first of it.

        It is refreshed by itself.  Cancelling this unsubscribes.

        Args:
            uri: With whom.
            event: To what: an event package, with parameters if need be.
            expires: For how many seconds at a time; 0 fetches the state once.
            accept: Which types of content to take.
            headers: More headers.
            body: What the package wants in a SUBSCRIBE.
            content_type: The type of ``body``.
            outbound_proxy: The proxy to go by, if not that of the agent.

        Raises:
            CallRefused: The peer refused.
            CallTimeout: Nobody answered, or told anything.
            TransportError: No address took the request.
            LocalError: Something here can't be put into a request.
            SipParseError: ``event`` isn't one.
        """
        self._open_driver()
        core = self._core.subscriptions.subscribe(
            self._ways.target(uri, outbound_proxy),
            EventField.parse(event),
            expires=expires,
            accept=accept,
            headers=headers,
            route_set=self._ways.route_set(outbound_proxy),
            body=body,
            content_type=content_type,
        )
        subscription = self._subscriptions.begin(core)
        try:
            await subscription.established()
        except asyncio.CancelledError:
            subscription.abandon()
            raise
        return subscription

    def on_subscribe(
        self, package: str | EventPackage
    ) -> Callable[[SubscribeHandler], SubscribeHandler]:
        """Set what is called when somebody subscribes to something; a decorator.

        It runs in a task of its own.  If it returns without an answer the
        subscription is refused with 403, if it fails with 500.

        Args:
            package: What may be subscribed to.
        """
        if isinstance(package, str):
            package = EventPackage(name=package)

        def decorate(handler: SubscribeHandler) -> SubscribeHandler:
            self._subscriptions.provide(package, handler)
            return handler

        return decorate

    def refer(
        self,
        who: str | Call,
        to: str | Call,
        *,
        headers: Headers = (),
        outbound_proxy: str | None = None,
    ) -> Referral:
        """Ask somebody to call somebody else (:rfc:`3515`).

        Args:
            who: The peer of this call, or whom the URI means.
            to: Whom to call; a call means to take our place in it.
            headers: More headers for the REFER, such as Referred-By.
            outbound_proxy: The proxy to go by, if not that of the agent.

        Returns:
            What becomes of it.

        Raises:
            LocalError: Something here can't be put into a request, or a call is
                over.
        """
        self._open_driver()
        target = self._refer_to(to)
        if isinstance(who, Call):
            return self._transfers.refer_inside(who, target, headers=headers)
        return self._transfers.refer(
            self._ways.target(who, outbound_proxy),
            target,
            headers=headers,
            route_set=self._ways.route_set(outbound_proxy),
        )

    async def transfer(
        self, call: Call, to: str | Call, *, headers: Headers = ()
    ) -> None:
        """Send the peer of a call to somebody else, and hang up when it is there.

        If it doesn't get there the call goes on.

        Args:
            call: The call.
            to: Whom to call; another call of ours means that its peer and that of
                this one shall talk to each other.
            headers: More headers for the REFER.

        Raises:
            TransferFailed: The peer didn't get there.
            CallRefused: The peer doesn't do REFER.
            CallTimeout: It told nothing.
            LocalError: One of the calls is over.
        """
        self._open_driver()
        await self._transfers.transfer(call, self._refer_to(to), headers=headers)

    def on_refer(self, handler: ReferHandler) -> ReferHandler:
        """Set what is called when somebody wants us to call; usable as a decorator.

        It runs in a task of its own.  If it returns without an answer the REFER is
        refused with 603, if it fails with 500.  Without a handler REFER gets 405.
        """
        self._transfers.answer_with(handler)
        return handler

    async def close(self) -> None:
        """End calls and registrations, wait a short time, and close all sockets.

        Calls that were answered get :attr:`Limits.closing_time`, those of ours that
        weren't :attr:`Limits.cancelling_time`, and nobody waits for a peer that
        hasn't said a word.
        """
        driver = self._driver
        if self._closed or driver is None:
            return
        self._closed = True
        try:
            self._calls.hang_up_all()
            await self._calls.leave_unanswered()
            async with asyncio.timeout(self._core.limits.closing_time):
                await asyncio.gather(
                    self._registrations.close(),
                    self._subscriptions.close(),
                    self._calls.all_ended(),
                )
                await driver.wait_for_tasks()
        except TimeoutError:
            _log.info("closing with %d calls that didn't end", len(self.calls))
        finally:
            self._subscriptions.abandon()
            self._registrations.abandon()
            await driver.close()

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            TransportError: An address isn't free, or isn't ours.
            LocalError: An address is for TLS and there is no certificate.
        """
        driver = Driver(
            self._core,
            self._ways.resolver,
            self._handle,
            server_ssl=self._server_ssl,
            client_ssl=self._client_ssl,
        )
        self._ways.transport = driver.transport
        await driver.open(self._listen)
        self._driver = self._calls.driver = driver
        self._requests.driver = self._registrations.driver = driver
        self._subscriptions.driver = self._transfers.driver = driver
        _log.info("listening on %s", ", ".join(str(hop) for hop in self.listening))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all calls and close all sockets."""
        await self.close()

    def _handle(self, event: Event) -> None:
        match event:
            case RequestArrived(_, user):
                self._requests.handle(event, self._calls.of(user))
            case RegistrationChanged():
                self._registrations.handle(event)
            case ResponseReceived() | RequestFailed():
                pass  # Whoever sent it is told.
            case (
                SubscribeReceived()
                | SubscriptionRefreshed()
                | NotifyReceived()
                | SubscriptionEnded()
            ):
                self._subscriptions.handle(event)
            case ReferReceived():
                self._transfers.handle(event)
            case _:
                self._calls.handle(event)

    def _refer_to(self, to: str | Call) -> NameAddr:
        if isinstance(to, Call):
            return self._transfers.target_of(to)
        return NameAddr(None, self._ways.read(to))

    def _open_driver(self) -> Driver:
        if self._driver is None or self._closed:
            raise LocalError("the user agent isn't open")
        return self._driver
