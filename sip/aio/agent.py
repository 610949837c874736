"""The user agent that an application holds: sockets, a clock, calls."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import sdp
from recording import Tappable, Taps, log_wire
from sip.aio.calls.call import Call
from sip.aio.calls.calling import Calling
from sip.aio.calls.desk import CallDesk
from sip.aio.calls.transfer import TransferDesk
from sip.aio.driver import Driver
from sip.aio.locating.resolver import Dns
from sip.aio.locating.ways import Ways
from sip.aio.requests.answering import RequestDesk
from sip.aio.requests.asking import Asking, Credentials, digest_client
from sip.aio.requests.registration import RegistrationDesk
from sip.aio.subscriptions.desk import SubscriptionDesk
from sip.aio.subscriptions.subscribing import Subscribing
from sip.errors import LocalError, SipParseError
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
from sip.sansio.timers import Timers
from sip.sansio.user_agent import UserAgentCore
from sip.uri import parse_uri

__all__ = ["UserAgent"]

_log = logging.getLogger("sip.agent")
_wire_log = logging.getLogger("sip.wire")


class UserAgent(Asking, Calling, Subscribing, Tappable):
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
        pings: Whether to ping on each connection that we open, to keep the way open
            and to notice when it is dead: for servers that are known to answer.
            Registrars that say so are pinged anyway (:rfc:`5626#section-4.4`).
        instance: A URN that stays the same for ever, such as ``urn:uuid:…``.  A
            registrar that knows :rfc:`5626` then sends calls over the connection by
            which we have registered, which is made anew when it is lost.
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
        pings: bool = False,
        instance: str | None = None,
        admission: Admission | None = None,
        timers: Timers | None = None,
        limits: Limits | None = None,
        dns: Dns | None = None,
    ) -> None:
        super().__init__()
        if not listen:
            raise LocalError("a user agent has to listen somewhere")
        self.taps = Taps(self)
        self._listen = [Hop.parse(text) for text in listen]
        self._server_ssl = server_ssl
        self._client_ssl = client_ssl
        self._pings = pings
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
        self._core.sender.instance = _checked_urn(instance)
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

    def offer_capabilities(self, media: Sequence[sdp.MediaDescription]) -> None:
        """Tell those who ask with OPTIONS which media we can do.

        Raises:
            SdpError: They can't be described.
        """
        described = sdp.capabilities(media, address=self._ways.media_address())
        self._core.capabilities = bytes(described)

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
            self.taps.end()

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            TransportError: An address isn't free, or isn't ours.
            LocalError: An address is for TLS and there is no certificate.
        """
        log_wire(self.taps, _wire_log)
        driver = Driver(
            self._core,
            self._ways.resolver,
            self._handle,
            server_ssl=self._server_ssl,
            client_ssl=self._client_ssl,
            pings=self._pings,
        )
        self._ways.transport = driver.transport
        self._ways.service_route = self._registrations.service_route
        driver.transport.on_lost = self._registrations.lost_connection
        driver.taps_changed(self.taps)
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

    def taps_changed(self) -> None:
        """Listen if somebody wants to hear something, and else don't."""
        if self._driver is not None and not self._closed:
            self._driver.taps_changed(self.taps)

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


def _checked_urn(instance: str | None) -> str | None:
    if instance is None:
        return None
    try:
        uri = parse_uri(instance)
    except SipParseError as exc:
        raise LocalError(f"the instance is no URN: {exc.problem}") from exc
    if uri.scheme != "urn" or '"' in instance or ">" in instance:
        raise LocalError("the instance of a user agent is named by a URN")
    return str(uri)
