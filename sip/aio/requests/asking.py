"""What a user agent asks, and what it lets itself be asked, without a call."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TypeAlias, TypeVar

import digest
from sip.aio.locating.ways import Ways
from sip.aio.opened import Opened
from sip.aio.requests.answering import RequestDesk, RequestHandler
from sip.aio.requests.registration import Registering, Registration, RegistrationDesk
from sip.errors import CallRefused, LocalError
from sip.fields.date import format_date
from sip.media import SDP_TYPE
from sip.message import Response
from sip.name_addr import NameAddr
from sip.sansio.registration import Backoff
from sip.sansio.registration import Registration as RegistrationCore
from sip.sansio.services import Headers
from sip.sansio.user_agent import UserAgentCore
from sip.uri import SipUri

__all__ = ["Asking", "Credentials", "digest_client"]

H = TypeVar("H", bound=RequestHandler)

Credentials: TypeAlias = (
    tuple[str, str] | Mapping[str, tuple[str, str]] | digest.DigestClient
)
"""Who we are: a user name and a password for whoever asks, or those of each realm."""

_DONE_HERE = frozenset(
    {"ACK", "BYE", "CANCEL", "INVITE", "NOTIFY", "OPTIONS", "PRACK", "REFER"}
    | {"SUBSCRIBE", "UPDATE"}
)


def digest_client(credentials: Credentials) -> digest.DigestClient:
    """Make what answers challenges of user names and passwords."""
    if isinstance(credentials, digest.DigestClient):
        return credentials
    if isinstance(credentials, tuple):
        accounts = [digest.Account(*credentials)]
    else:
        accounts = [
            digest.Account(name, password, realm)
            for realm, (name, password) in credentials.items()
        ]
    return digest.DigestClient(accounts)


class Asking(Opened):
    """Requests without a call: OPTIONS, MESSAGE, REGISTER, and any other."""

    _core: UserAgentCore
    _ways: Ways
    _requests: RequestDesk
    _registrations: RegistrationDesk

    def __init__(self) -> None:
        super().__init__()
        self._turns: dict[str, _Turn] = {}

    # What we ask.

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
        target = self._ways.target(uri, outbound_proxy)
        route_set = self._ways.route_set(outbound_proxy)
        return await driver.exchange(
            lambda core, user: core.request(
                method,
                target,
                headers=headers,
                body=body,
                content_type=content_type,
                route_set=route_set,
                user=user,
            )
        )

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

    async def send_message(
        self,
        uri: str,
        body: str | bytes,
        content_type: str = "text/plain;charset=utf-8",
        *,
        headers: Headers = (),
        expires: int | None = None,
        outbound_proxy: str | None = None,
    ) -> None:
        """Send a short message outside any call (:rfc:`3428`).

        To each URI one goes after the other: the next waits for the response to the
        one before.

        Args:
            uri: Whom for.
            body: What it says; together with its headers it may have
                :attr:`~sip.Limits.message_size` octets.
            content_type: The type of ``body``.
            headers: More headers.
            expires: For how many seconds it is of use to anybody.
            outbound_proxy: The proxy to go by, if not that of the agent.

        Raises:
            CallRefused: The peer, or somebody on the way, doesn't take it.
            CallTimeout: Nobody answered.
            TransportError: No address took it.
            LocalError: It is too long, or can't be put into a request.
        """
        if expires is not None:
            date = format_date(datetime.datetime.now(datetime.UTC))
            headers = (("Date", date), ("Expires", str(expires)), *headers)
        async with self._turn(uri):
            response = await self.request(
                "MESSAGE",
                uri,
                headers=headers,
                body=body.encode() if isinstance(body, str) else body,
                content_type=content_type,
                outbound_proxy=outbound_proxy,
            )
        if response.status >= 300:
            raise CallRefused(response)

    def register(
        self,
        registrar: str,
        *,
        expires: int = 3_600,
        address: str | None = None,
        headers: Headers = (),
        outbound_proxy: str | None = None,
        backoff: Backoff | None = None,
    ) -> Registering:
        """Tell a registrar where we are, and go on telling it.

        Await what this returns to get a :class:`Registration`, or enter it with
        ``async with`` to leave it at the end.  All of them are left when the user
        agent is closed.

        Args:
            registrar: The domain, ``"sip:example.net"``.
            expires: For how many seconds to ask; the registrar may grant less.
            address: Who is registered, if not :attr:`~sip.UserAgent.address`.
            headers: More headers for each REGISTER.
            outbound_proxy: The proxy to go by, if not that of the agent.
            backoff: How long to wait after failures.

        Raises:
            CallRefused: The registrar refused.
            CallTimeout: It didn't answer.
            TransportError: It can't be reached.
            LocalError: It isn't the URI of a domain.
        """

        def make() -> Registration:
            driver = self._open_driver()
            target = self._ways.read(registrar)
            route_set = self._ways.way_out(outbound_proxy)
            self._ways.resolver.check(route_set[0].uri if route_set else target)
            if not isinstance(target, SipUri):
                raise LocalError("a registrar has a sip or sips URI")
            core = RegistrationCore(
                self._core,
                target,
                self._core.address if address is None else NameAddr.parse(address),
                driver.now(),
                expires=expires,
                headers=headers,
                route_set=route_set,
                backoff=backoff,
            )
            return self._registrations.begin(core)

        return Registering(make)

    # What we let ourselves be asked.

    def on_request(self, method: str) -> Callable[[H], H]:
        """Set what answers the requests of a method; usable as a decorator.

        It gets an :class:`IncomingRequest` and returns a :class:`Reply`, a status
        code, or nothing for a 200; it may raise :exc:`RefuseRequest`.  One that fails,
        or takes longer than :attr:`~sip.Limits.handler_time`, makes a 500.  It is for
        requests in calls too, unless a call has a handler of its own.

        Raises:
            LocalError: The user agent does this method itself.
        """
        if method in _DONE_HERE:
            raise LocalError(f"{method} is done by the user agent itself")

        def decorate(handler: H) -> H:
            self._requests.handlers.set(method, handler)
            self._core.admission = self._core.admission.including(method)
            return handler

        return decorate

    def on_message(self, handler: H, *, content_types: Sequence[str] = ("*/*",)) -> H:
        """Set what takes messages (:rfc:`3428`); usable as a decorator.

        The sender waits for the handler, so it should only take note of the message.

        Args:
            handler: What is called with each; see :meth:`on_request`.
            content_types: What they may be; others are refused with 415.
        """
        self._requests.handlers.set("MESSAGE", handler, content_types=content_types)
        self._core.admission = self._core.admission.including("MESSAGE")
        return handler

    def on_info(self, package: str) -> Callable[[H], H]:
        """Set what takes INFO of a package in calls (:rfc:`6086`), as a decorator.

        Peers are told of the package in each call that begins from now on; INFO of one
        that has no handler gets 469.
        """

        def decorate(handler: H) -> H:
            self._requests.handlers.set("INFO", handler, package=package)
            self._core.admission = self._core.admission.including_info(package)
            return handler

        return decorate

    @contextlib.asynccontextmanager
    async def _turn(self, target: str) -> AsyncIterator[None]:
        """Wait until no message to this target is under way."""
        turn = self._turns.setdefault(target, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                yield
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[target]


class _Turn:
    """Messages to one target, of which one is under way."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.users = 0
