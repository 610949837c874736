"""User agents for programs without asyncio.

A :class:`ThreadedUserAgent` has a loop in a thread of its own, and methods that block
until they have a result::

    with sip.ThreadedUserAgent("sip:me@example.net", listen=["udp://:5060"]) as agent:
        with agent.invite("sip:you@example.net", media=[medium]):
            sent = agent.run(medium.connection.send_text("hello"))
            agent.run(sent.delivered())

Handlers of calls and requests run in threads of workers, so they may block too.  What
media and registrations call themselves, such as the hooks of an MSRP connection, runs
in the thread of the loop and must not block; :meth:`~LoopThread.run` says so there.

Whatever isn't here is done by the :class:`~sip.UserAgent` itself: ``agent.run(
agent.agent.subscribe(…))``, or if it isn't awaited ``agent.do(connection.composing)``.
Its objects belong to the loop; only what blocks here is safe to call from elsewhere.
Taps, which have threads of their own, are added with ``agent.do(agent.agent.add_tap,
…)``, and removed anywhere.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import ssl
from collections.abc import Callable, Sequence
from typing import Self, TypedDict, TypeVar, Unpack, overload

import mime
from sip.aio.agent import UserAgent
from sip.aio.blocking.call import (
    ThreadedCall,
    ThreadedIncomingCall,
    ThreadedRegistration,
)
from sip.aio.blocking.loop_thread import LoopThread
from sip.aio.calls.call import Headers
from sip.aio.calls.calling import InviteOptions
from sip.aio.calls.incoming import IncomingCall
from sip.aio.locating.resolver import Dns
from sip.aio.requests.answering import Answer, IncomingRequest
from sip.aio.requests.asking import Credentials
from sip.aio.requests.registration import Registration
from sip.media import Media, MediaT
from sip.message import Response
from sip.sansio.admission import Admission
from sip.sansio.authenticator import Authenticator
from sip.sansio.hop import Hop
from sip.sansio.limits import Limits
from sip.sansio.timers import Timers

__all__ = [
    "AgentOptions",
    "ThreadedUserAgent",
]

A = TypeVar("A")
R = TypeVar("R")

_WORKERS = 64
"""Threads for handlers: a call that waits for a person has one for all the time."""


class AgentOptions(TypedDict, total=False):
    """The options of :class:`~sip.UserAgent`, which are explained there."""

    server_ssl: ssl.SSLContext | None
    client_ssl: ssl.SSLContext | None
    outbound_proxy: str | None
    credentials: Credentials | None
    authenticator: Authenticator | None
    follow_redirects: bool
    pings: bool
    instance: str | None
    admission: Admission | None
    timers: Timers | None
    limits: Limits | None
    dns: Dns | None


class ThreadedUserAgent(LoopThread):
    """A SIP user agent whose methods block; see :class:`~sip.UserAgent`.

    Use it as a context manager: leaving it ends all calls, closes all sockets and
    ends the thread of the loop.

    Args:
        address: Who we are.
        listen: Where to listen.
        options: All others of :class:`~sip.UserAgent`.

    Attributes:
        agent: The user agent itself, which belongs to the loop.
    """

    def __init__(
        self, address: str, *, listen: Sequence[str], **options: Unpack[AgentOptions]
    ) -> None:
        super().__init__()
        self.agent = UserAgent(address, listen=listen, **options)
        self._workers = concurrent.futures.ThreadPoolExecutor(_WORKERS, "sip handler")

    @property
    def listening(self) -> tuple[Hop, ...]:
        """The addresses that we listen on, with their real ports."""
        return self.agent.listening

    @overload
    def invite(
        self,
        uri: str,
        *,
        media: Sequence[MediaT],
        timeout: float | None = None,
        **options: Unpack[InviteOptions],
    ) -> ThreadedCall[MediaT]: ...

    @overload
    def invite(  # type: ignore[overload-cannot-match]  # By media of two kinds.
        self,
        uri: str,
        *,
        media: Sequence[Media],
        timeout: float | None = None,
        **options: Unpack[InviteOptions],
    ) -> ThreadedCall: ...

    def invite(
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
    ) -> ThreadedCall:
        """Call somebody; return when media run.

        If it is interrupted, the call is cancelled.  ``on_progress`` is called in the
        thread of the loop.

        Raises:
            SipError: As for :meth:`sip.UserAgent.invite`.
        """
        invite = self.agent.invite(
            uri,
            media=media,
            headers=headers,
            parts=parts,
            outbound_proxy=outbound_proxy,
            sender=sender,
            timeout=timeout,
            on_progress=on_progress,
        )
        return ThreadedCall(self, self.run(invite))

    def options(self, uri: str, *, headers: Headers = ()) -> Response:
        """Ask what somebody can do; see :meth:`sip.UserAgent.options`."""
        return self.run(self.agent.options(uri, headers=headers))

    def request(
        self,
        method: str,
        uri: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Response:
        """Send a request outside any call; see :meth:`sip.UserAgent.request`."""
        return self.run(
            self.agent.request(
                method, uri, headers=headers, body=body, content_type=content_type
            )
        )

    def send_message(
        self,
        uri: str,
        body: str | bytes,
        content_type: str = "text/plain;charset=utf-8",
    ) -> None:
        """Send a short message; see :meth:`sip.UserAgent.send_message`."""
        self.run(self.agent.send_message(uri, body, content_type))

    def register(self, registrar: str, *, expires: int = 3_600) -> ThreadedRegistration:
        """Tell a registrar where we are; see :meth:`sip.UserAgent.register`."""

        async def begin() -> Registration:
            return await self.agent.register(registrar, expires=expires)

        return ThreadedRegistration(self, self.run(begin()))

    def on_invite(
        self, handler: Callable[[ThreadedIncomingCall], None]
    ) -> Callable[[ThreadedIncomingCall], None]:
        """Set what is called, in a thread, with each call that comes in."""

        async def ring(call: IncomingCall) -> None:
            await self._work(handler, ThreadedIncomingCall(self, call))

        self._set(lambda: self.agent.on_invite(ring))
        return handler

    def on_message(
        self, handler: Callable[[IncomingRequest], Answer]
    ) -> Callable[[IncomingRequest], Answer]:
        """Set what is called, in a thread, with each message."""

        async def take(message: IncomingRequest) -> Answer:
            return await self._work(handler, message)

        self._set(lambda: self.agent.on_message(take))
        return handler

    def on_request(
        self, method: str
    ) -> Callable[
        [Callable[[IncomingRequest], Answer]], Callable[[IncomingRequest], Answer]
    ]:
        """Set what is called, in a thread, with each request of a method."""

        def decorate(
            handler: Callable[[IncomingRequest], Answer],
        ) -> Callable[[IncomingRequest], Answer]:
            async def take(request: IncomingRequest) -> Answer:
                return await self._work(handler, request)

            self._set(lambda: self.agent.on_request(method)(take))
            return handler

        return decorate

    def close(self) -> None:
        """End all calls, close all sockets, and end the thread of the loop."""
        try:
            super().close()
        finally:
            # A handler that waited for something of ours has heard that it is over.
            self._workers.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        """Start the thread and listen.

        Raises:
            TransportError: An address isn't free, or isn't ours.
            LocalError: An address is for TLS and there is no certificate.
        """
        super().__enter__()
        try:
            self.enter(self.agent)
        except BaseException:
            self.close()
            raise
        return self

    async def _work(self, handler: Callable[[A], R], argument: A) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, handler, argument)

    def _set(self, change: Callable[[], object]) -> None:
        """Change the agent in its own thread, if it runs already."""
        if not self.is_running:
            change()
        else:
            self.do(change)
