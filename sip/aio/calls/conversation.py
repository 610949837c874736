"""Requests within a call: MESSAGE, INFO, and any other that changes nothing in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from sip.aio.requests.answering import Handlers, RequestHandler
from sip.errors import CallOver, CallRefused, LocalError
from sip.message import Response
from sip.sansio.calls.call import Call as CallCore
from sip.sansio.calls.call import CallState
from sip.sansio.services import Headers

if TYPE_CHECKING:
    from sip.aio.calls.call import CallOwner

__all__ = ["Conversation"]

H = TypeVar("H", bound=RequestHandler)

_DONE_BY_THE_CALL = frozenset(
    {"ACK", "BYE", "CANCEL", "INVITE", "PRACK", "REGISTER", "UPDATE"}
)


class Conversation:
    """What a call can do with requests of its own.

    Attributes:
        handlers: Who answers the requests of the peer in this call.
    """

    _call: CallCore
    _owner: CallOwner

    def __init__(self) -> None:
        self.handlers = Handlers()

    def on_request(self, method: str) -> Callable[[H], H]:
        """Set what answers the requests of a method in this call, as a decorator.

        Raises:
            LocalError: The call does this method itself.
        """
        if method in _DONE_BY_THE_CALL:
            raise LocalError(f"{method} is done by the call itself")

        def decorate(handler: H) -> H:
            self.handlers.set(method, handler)
            self._owner.admit(method)
            return handler

        return decorate

    def on_message(self, handler: H, *, content_types: Sequence[str] = ("*/*",)) -> H:
        """Set what takes the messages (:rfc:`3428`) in this call; a decorator.

        Args:
            handler: What is called with each.
            content_types: What they may be; others are refused with 415.
        """
        self.handlers.set("MESSAGE", handler, content_types=content_types)
        self._owner.admit("MESSAGE")
        return handler

    async def send_request(
        self,
        method: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Response:
        """Send a request within the call and wait for its final response.

        A peer that doesn't know of the call any more, and says so with 481, has ended
        it (:rfc:`5057#section-5.1`).

        Returns:
            The final response, whatever its status.

        Raises:
            CallOver: The call is over.
            CallTimeout: Nobody answered; the call goes on.
            TransportError: The request can't be sent.
            LocalError: The call does this method itself, or nobody has responded to
                it yet.
        """
        if method in _DONE_BY_THE_CALL:
            raise LocalError(f"{method} is done by the call itself")
        core = self._call
        if core.state is CallState.ENDED and core.end_reason is not None:
            raise CallOver(core.end_reason)
        if core.dialog is None:
            raise LocalError("nobody has responded to the call yet")
        request, next_hop = core.dialog.request(
            method, headers=headers, body=body, content_type=content_type
        )
        response = await self._owner.exchange(
            lambda agent, user: agent.send(request, next_hop, user)
        )
        if response.status == 481 and core.state is CallState.CONFIRMED:
            core.bye(self._owner.now())
            self._owner.flush()
        return response

    async def send_message(
        self,
        body: str | bytes,
        content_type: str = "text/plain;charset=utf-8",
        *,
        headers: Headers = (),
    ) -> None:
        """Send a message (:rfc:`3428`) within the call, beside its media.

        Raises:
            CallRefused: The peer doesn't take it.
            CallOver: The call is over.
            CallTimeout: Nobody answered.
            TransportError: It can't be sent.
        """
        data = body.encode() if isinstance(body, str) else body
        response = await self.send_request(
            "MESSAGE", headers=headers, body=data, content_type=content_type
        )
        if response.status >= 300:
            raise CallRefused(response)

    async def send_info(
        self,
        package: str,
        body: bytes = b"",
        content_type: str | None = None,
        *,
        headers: Headers = (),
    ) -> None:
        """Send INFO of a package that both sides know (:rfc:`6086`).

        Raises:
            CallRefused: The peer doesn't take it; with 469, it doesn't know the
                package.
            CallOver: The call is over.
            CallTimeout: Nobody answered.
            TransportError: It can't be sent.
        """
        wanted = [("Info-Package", package), *headers]
        if body:
            wanted.append(("Content-Disposition", "Info-Package"))
        response = await self.send_request(
            "INFO", headers=wanted, body=body, content_type=content_type
        )
        if response.status >= 300:
            raise CallRefused(response)
