"""Requests of peers that the application answers: MESSAGE, INFO, any other.

A handler gets an :class:`IncomingRequest` and returns what to answer; what it may do
about calls is done elsewhere.  Each request has a task of its own.  A handler that
says nothing has taken the request: that is a 200.  One that fails, or takes too long,
is a 500, since the peer must never wait in vain (:rfc:`4320#section-4.2`).
"""

from __future__ import annotations

import asyncio
import datetime
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import mime
from sip.errors import LocalError, SipParseError
from sip.message import Request
from sip.name_addr import NameAddr
from sip.sansio.admission import Refusal, check_content
from sip.sansio.events import RequestArrived
from sip.sansio.services import Headers
from sip.sansio.transactions.server import ServerTransaction
from sip.sansio.user_agent import UserAgentCore

if TYPE_CHECKING:
    from sip.aio.calls.call import Call
    from sip.aio.driver import Driver

__all__ = [
    "Handlers",
    "IncomingRequest",
    "RefuseRequest",
    "Reply",
    "RequestDesk",
    "RequestHandler",
]

_log = logging.getLogger("sip.agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a handler answers to a request."""

    status: int = 200
    """The status code, 200 to 699."""

    reason: str | None = None
    """Words for people, if not the usual ones."""

    headers: Headers = ()
    """More headers."""

    body: bytes = b""

    content_type: str | None = None
    """The type of :attr:`body`."""


class RefuseRequest(Exception):
    """Raised by a handler to refuse a request.

    Args:
        status: The status code, 300 to 699.
        reason: Words for people, if not the usual ones.
        headers: More headers.
    """

    def __init__(
        self, status: int, reason: str | None = None, *, headers: Headers = ()
    ) -> None:
        super().__init__(status)
        self.reply = Reply(status=status, reason=reason, headers=headers)


class IncomingRequest:
    """A request of a peer, for a handler to answer.

    Attributes:
        request: The request, with all its headers.
        call: The call that it came in; ``None`` if it came by itself.
    """

    def __init__(self, transaction: ServerTransaction, call: Call | None) -> None:
        self.request: Request = transaction.request
        self.call = call
        self._transaction = transaction

    @property
    def method(self) -> str:
        """The method."""
        return self.request.method

    @property
    def sender(self) -> NameAddr:
        """Who says to have sent it; see :attr:`username` for who proved it."""
        return self.request.from_

    @property
    def username(self) -> str | None:
        """Whose password the sender knows, if the user agent asked for one."""
        verdict = self._transaction.verdict
        return None if verdict is None else verdict.username

    @property
    def content_type(self) -> str | None:
        """The type of :attr:`body`."""
        return self.request.content_type

    @property
    def body(self) -> bytes:
        """The body, of any type."""
        return self.request.body

    @property
    def text(self) -> str | None:
        """What the body says, if it is ``text/plain`` or another text."""
        try:
            kind = mime.ContentType.parse(self.content_type or "")
        except mime.MimeError:
            return None
        if kind.type != "text":
            return None
        return mime.decode_text(self.body, kind.parameter("charset")).text

    @property
    def expires_at(self) -> datetime.datetime | None:
        """When a message is of no more use to anybody (:rfc:`3428#section-8`).

        The time begins when it was sent, if it has a Date that can be read, or else
        now.
        """
        try:
            seconds = self.request.expires
        except SipParseError:
            seconds = None
        if seconds is None:
            return None
        try:
            sent = self.request.date
        except SipParseError:
            sent = None
        begin = sent or datetime.datetime.now(datetime.UTC)
        try:
            return begin + datetime.timedelta(seconds=seconds)
        except OverflowError:
            return None


Answer: TypeAlias = Reply | int | None
"""What a handler may return: an answer, a status code, or nothing for 200."""

RequestHandler: TypeAlias = Callable[[IncomingRequest], Awaitable[Answer] | Answer]
"""What is called with a request; it may be a coroutine function or not."""


class Handlers:
    """Which requests go to which handlers."""

    def __init__(self) -> None:
        self._handlers: dict[tuple[str, str], tuple[RequestHandler, Sequence[str]]] = {}

    def set(
        self,
        method: str,
        handler: RequestHandler,
        *,
        package: str = "",
        content_types: Sequence[str] = ("*/*",),
    ) -> None:
        """Set what is called with the requests of a method.

        Args:
            method: The method.
            handler: What is called.
            package: The Info-Package, for INFO.
            content_types: The types of body that it takes.
        """
        self._handlers[method, package.lower()] = handler, content_types

    def find(self, request: Request) -> tuple[RequestHandler, Sequence[str]] | None:
        """Return what is called with a request, and what bodies it takes."""
        package = request.headers.get("Info-Package") or ""
        package = package.partition(";")[0].strip().lower()
        found = self._handlers.get((request.method, package))
        return found or self._handlers.get((request.method, ""))


class RequestDesk:
    """Where requests of peers are answered that are neither calls nor subscriptions.

    Args:
        core: The user agent.

    Attributes:
        handlers: Who answers what comes in no call, or in one without a handler.
        driver: What runs the core, once it is open.
    """

    def __init__(self, core: UserAgentCore) -> None:
        self.handlers = Handlers()
        self.driver: Driver | None = None
        self._core = core
        self._busy = 0

    def handle(self, event: RequestArrived, call: Call | None) -> None:
        """Take a request that the core reports.

        Args:
            event: The report.
            call: The call that the request came in, if it came in one.
        """
        request = event.transaction.request
        found = None if call is None else call.handlers.find(request)
        found = found or self.handlers.find(request)
        refusal: Refusal | None = None
        if found is None:
            # The admission takes a method that nobody does here.
            refusal = Refusal(405, (self._core.admission.headers[0],))
        elif self._busy >= self._core.limits.handlers:
            refusal = self._core.reception.overload()
        elif request.body:
            refusal = check_content(request, found[1])
        if refusal is not None or found is None:
            assert refusal is not None
            reply = Reply(status=refusal.status, headers=refusal.headers)
            self._answer(event.transaction, reply)
        else:
            assert self.driver is not None
            self._busy += 1
            self.driver.spawn(self._run(found[0], event.transaction, call))

    async def _run(
        self, handler: RequestHandler, transaction: ServerTransaction, call: Call | None
    ) -> None:
        assert self.driver is not None
        reply = Reply(status=503)  # The user agent is closed.
        try:
            request = IncomingRequest(transaction, call)
            async with asyncio.timeout(self._core.limits.handler_time):
                answer = handler(request)
                if inspect.isawaitable(answer):
                    answer = await answer
            reply = _reply_of(answer, request)
        except RefuseRequest as exc:
            reply = exc.reply
        except Exception as exc:
            reply = Reply(status=500)
            method = transaction.request.method
            self.driver.report(f"the handler of {method} failed", exc)
        finally:
            self._busy -= 1
            self._answer(transaction, reply)

    def _answer(self, transaction: ServerTransaction, reply: Reply) -> None:
        assert self.driver is not None
        try:
            self._respond(transaction, reply)
        except LocalError as exc:
            self.driver.report("a handler answered with what can't be sent", exc)
            self._respond(transaction, Reply(status=500))
        self.driver.flush()

    def _respond(self, transaction: ServerTransaction, reply: Reply) -> None:
        assert self.driver is not None
        if not 200 <= reply.status < 700:
            raise LocalError("a handler answers with a status from 200 to 699")
        self._core.respond(
            transaction,
            reply.status,
            self.driver.now(),
            reason=reply.reason,
            headers=reply.headers,
            body=reply.body,
            content_type=reply.content_type,
        )


def _reply_of(answer: Answer, request: IncomingRequest) -> Reply:
    reply = Reply() if answer is None else answer
    if isinstance(reply, int):
        reply = Reply(status=reply)
    if request.method == "MESSAGE" and 200 <= reply.status < 300:
        # RFC 3428 §7: a 2xx to MESSAGE has neither.
        names = {name.lower() for name, _ in reply.headers}
        if reply.body or names & {"contact", "m"}:
            raise LocalError("a 2xx to MESSAGE has no body and no Contact")
    return reply
