"""The user agent that an application holds: sockets, a clock, calls."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

import mime
import sdp
from sip.aio.call import Call, Headers
from sip.aio.driver import Driver
from sip.aio.incoming import IncomingCall
from sip.aio.outgoing import OutgoingCall
from sip.aio.reasons import error_of
from sip.aio.resolver import Dns, Resolver, usable_transports
from sip.errors import CallError, LocalError, SipParseError
from sip.media import SDP_TYPE, Media, compose_body, make_offer
from sip.message import Response
from sip.name_addr import NameAddr
from sip.sansio.admission import Admission
from sip.sansio.call import Call as CallCore
from sip.sansio.call import CallState
from sip.sansio.call_events import (
    OfferAccepted,
    OfferPossible,
    OfferReceived,
    OfferRefused,
    ProgressAcknowledged,
)
from sip.sansio.client_call import ClientCall
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
    RequestArrived,
    RequestFailed,
    ResponseReceived,
)
from sip.sansio.hop import Hop, Transport
from sip.sansio.limits import Limits
from sip.sansio.sender import ClientRequest
from sip.sansio.server_call import ServerCall
from sip.sansio.timers import Timers
from sip.sansio.user_agent import UserAgentCore
from sip.uri import SipUri, Uri, parse_uri

__all__ = ["InviteHandler", "UserAgent"]

_log = logging.getLogger("sip.agent")

_SOMEWHERE = Hop(Transport.UDP, "192.0.2.1", 5060)
"""An address that is nobody's (:rfc:`5737`): the way to it is the default route."""

InviteHandler = Callable[[IncomingCall], Awaitable[None]]
"""What is called with each call that comes in."""


class UserAgent:
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
        admission: Admission | None = None,
        timers: Timers | None = None,
        limits: Limits | None = None,
        dns: Dns | None = None,
    ) -> None:
        if not listen:
            raise LocalError("a user agent has to listen somewhere")
        self._listen = [Hop.parse(text) for text in listen]
        self._server_ssl = server_ssl
        self._client_ssl = client_ssl
        self._outbound_proxy = outbound_proxy
        self._core = UserAgentCore(
            NameAddr.parse(address),
            self._local_point,
            admission=admission,
            timers=timers,
            limits=limits,
        )
        self._core.answers_calls = False
        self._resolver = Resolver(usable_transports(self._listen), dns)
        self._driver: Driver | None = None
        self._handler: InviteHandler | None = None
        self._calls: dict[CallCore, Call] = {}
        self._requests: dict[ClientRequest, asyncio.Future[Response]] = {}
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
        return tuple(self._calls.values())

    def on_invite(self, handler: InviteHandler) -> InviteHandler:
        """Set what is called with each call that comes in; usable as a decorator.

        It runs in a task of its own.  If it returns without an answer the call is
        refused with 480, if it fails with 500.  Without a handler every call gets
        480.
        """
        self._handler = handler
        self._core.answers_calls = True
        return handler

    def offer_capabilities(self, media: Sequence[sdp.MediaDescription]) -> None:
        """Tell those who ask with OPTIONS which media we can do.

        Raises:
            SdpError: They can't be described.
        """
        described = sdp.capabilities(media, address=self._media_address(None))
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
        driver = self._open_driver()
        if not media:
            raise LocalError("a call needs media")
        target = self._read_target(uri, outbound_proxy)
        address = self._media_address(target)
        try:
            offer = await make_offer(media, address=address)
            body, content_type = compose_body(offer, parts)
            core = self._core.invite(
                target,
                driver.now(),
                headers=headers,
                body=body,
                content_type=content_type,
                route_set=self._route_set(outbound_proxy),
                sender=None if sender is None else NameAddr.parse(sender),
            )
        except BaseException:
            for medium in media:
                await medium.stop()
            raise
        call = OutgoingCall(driver, core, address, media, offer, on_progress)
        self._calls[core] = call
        driver.flush()
        await call.complete(timeout)
        return call

    async def options(
        self,
        uri: str,
        *,
        headers: Headers = (),
        outbound_proxy: str | None = None,
    ) -> Response:
        """Ask what somebody can do, or whether somebody is there at all.

        Returns:
            The final response, whatever its status.

        Raises:
            CallTimeout: Nobody answered.
            TransportError: No address took the request.
        """
        accept = ("Accept", SDP_TYPE)
        return await self.request(
            "OPTIONS", uri, headers=(accept, *headers), outbound_proxy=outbound_proxy
        )

    async def request(
        self,
        method: str,
        uri: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
        outbound_proxy: str | None = None,
    ) -> Response:
        """Send a request outside any call and wait for its final response.

        Returns:
            The final response, whatever its status.

        Raises:
            CallTimeout: Nobody answered.
            TransportError: No address took the request.
            LocalError: Something here can't be put into a request, the URI can't
                lead anywhere, or the user agent is closed meanwhile.
        """
        driver = self._open_driver()
        sent = self._core.request(
            method,
            self._read_target(uri, outbound_proxy),
            headers=headers,
            body=body,
            content_type=content_type,
            route_set=self._route_set(outbound_proxy),
        )
        answer = asyncio.get_running_loop().create_future()
        self._requests[sent] = answer
        driver.flush()
        try:
            response: Response = await answer
            return response
        finally:
            del self._requests[sent]

    async def close(self) -> None:
        """End all calls, wait for that a short time, and close all sockets.

        Calls that were answered get :attr:`Limits.closing_time`, those of ours that
        weren't :attr:`Limits.cancelling_time`, and nobody waits for a peer that
        hasn't said a word.
        """
        driver = self._driver
        if self._closed or driver is None:
            return
        self._closed = True
        self._core.answers_calls = False
        try:
            self._end_calls(driver)
            await self._leave_unanswered(driver)
            async with asyncio.timeout(self._core.limits.closing_time):
                await asyncio.gather(*(call.ended() for call in self.calls))
                await driver.wait_for_tasks()
        except TimeoutError:
            _log.info("closing with %d calls that didn't end", len(self._calls))
        finally:
            for answer in self._requests.values():
                if not answer.done():
                    answer.set_exception(LocalError("the user agent was closed"))
            await driver.close()

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            TransportError: An address isn't free, or isn't ours.
            LocalError: An address is for TLS and there is no certificate.
        """
        driver = Driver(
            self._core,
            self._resolver,
            self._handle,
            server_ssl=self._server_ssl,
            client_ssl=self._client_ssl,
        )
        await driver.open(self._listen)
        self._driver = driver
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

    # What the core reports.

    def _handle(self, event: Event) -> None:
        driver = self._driver
        assert driver is not None
        match event:
            case CallReceived(core):
                self._call_received(core)
            case CallProgressed(core):
                self._outgoing(core).progressed(event)
            case CallAnswered(core):
                self._outgoing(core).answered_with(event)
            case CallFailed(core, response, failure):
                error = error_of(response, failure, core.invite, self._core.timers)
                self._outgoing(core).failed(error)
                self._forget(core, EndReason.FAILED)
            case CallUnanswered(core, reason) | CallEnded(core, reason):
                self._forget(core, reason)
            case (
                CallAcknowledged()
                | OfferAccepted()
                | OfferPossible()
                | OfferReceived()
                | OfferRefused()
                | ProgressAcknowledged()
            ):
                if event.call in self._calls:
                    self._calls[event.call].told(event)
            case ResponseReceived() | RequestFailed():
                self._handle_answer(event)
            case RequestArrived(transaction):
                # The admission takes a method that nobody here does.
                headers = self._core.admission.headers
                self._core.respond(transaction, 405, driver.now(), headers=headers)

    def _handle_answer(self, event: ResponseReceived | RequestFailed) -> None:
        answer = self._requests.get(event.request)
        if answer is None or answer.done():
            return
        if isinstance(event, RequestFailed):
            timers = self._core.timers
            answer.set_exception(error_of(None, event.failure, event.request, timers))
        elif event.response.status >= 200:
            answer.set_result(event.response)

    def _outgoing(self, core: ClientCall) -> OutgoingCall:
        call = self._calls[core]
        assert isinstance(call, OutgoingCall)
        return call

    def _call_received(self, core: ServerCall) -> None:
        driver, handler = self._driver, self._handler
        assert driver is not None
        assert handler is not None
        call = IncomingCall(
            driver, core, self._local_point(core.transaction.source).host
        )
        self._calls[core] = call
        _log.info("call %s from %s", call.call_id, call.remote.uri)
        driver.spawn(self._run_handler(handler, call))

    async def _run_handler(self, handler: InviteHandler, call: IncomingCall) -> None:
        status = 480
        try:
            await handler(call)
        except CallError as exc:
            # The caller's doing, of which the handler was told.
            _log.info("call %s: %s", call.call_id, exc)
        except Exception as exc:
            status = 500
            assert self._driver is not None
            self._driver.report("the handler of a call failed", exc)
        finally:
            call.refuse(status)

    def _forget(self, core: CallCore, reason: EndReason) -> None:
        call = self._calls.pop(core, None)
        if call is not None:
            call.finished(reason)

    # The rest.

    def _end_calls(self, driver: Driver) -> None:
        for core, call in list(self._calls.items()):
            if isinstance(call, IncomingCall):
                call.refuse(480)
            elif isinstance(core, ClientCall) and core.state is CallState.INVITING:
                core.cancel(driver.now())
            if core.state in (CallState.ANSWERED, CallState.CONFIRMED):
                call.hang_up()
        driver.flush()

    async def _leave_unanswered(self, driver: Driver) -> None:
        """Wait for the calls that were cancelled, and then no longer."""
        waits = [
            _wait_for_end(call, self._patience(core, driver.now()))
            for core, call in self._calls.items()
            if isinstance(core, ClientCall) and core.state is CallState.INVITING
        ]
        await asyncio.gather(*waits)
        for core in list(self._calls):
            if isinstance(core, ClientCall):
                core.abandon()
        driver.flush()

    def _patience(self, core: ClientCall, now: float) -> float:
        """Tell how many seconds to wait for the end of a call that was cancelled."""
        limits = self._core.limits
        if core.invite.is_heard:
            return min(limits.cancelling_time, limits.closing_time)
        # There is nothing to CANCEL (RFC 3261 §9.1).  But an INVITE that has only
        # just been sent may well be heard of, and would ring on without a CANCEL.
        return core.began_at + self._core.timers.t1 - now

    def _read_target(self, uri: str, outbound_proxy: str | None) -> Uri:
        """Read whom to send to, and find out whether that can lead anywhere."""
        proxy = outbound_proxy or self._outbound_proxy
        target = _read_uri(uri)
        self._resolver.check(target if proxy is None else _read_uri(proxy))
        return target

    def _open_driver(self) -> Driver:
        if self._driver is None or self._closed:
            raise LocalError("the user agent isn't open")
        return self._driver

    def _local_point(self, hop: Hop) -> Hop:
        assert self._driver is not None
        return self._driver.transport.local_point(hop)

    def _media_address(self, target: Uri | None) -> str:
        """Return our address for the session description of a call to ``target``."""
        hops = () if target is None else self._resolver.resolve_now(target)
        return self._local_point(hops[0] if hops else _SOMEWHERE).host

    def _route_set(self, outbound_proxy: str | None) -> list[NameAddr]:
        proxy = outbound_proxy or self._outbound_proxy
        if proxy is None:
            return []
        uri = _read_uri(proxy)
        if isinstance(uri, SipUri) and not uri.loose_routing:
            uri = uri.with_parameter("lr")
        return [NameAddr(None, uri)]


async def _wait_for_end(call: Call, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await call.ended()


def _read_uri(text: str) -> Uri:
    try:
        return parse_uri(text)
    except SipParseError as exc:
        raise LocalError(f"{text!r} is no URI: {exc.problem}") from exc
