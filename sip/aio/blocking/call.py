"""Calls and registrations whose methods block, for programs without asyncio.

Each stands for an object that belongs to a loop in another thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from sip.aio.blocking.loop_thread import LoopThread
from sip.aio.calls.call import Call, Headers
from sip.aio.calls.incoming import IncomingCall
from sip.aio.requests.registration import Registration
from sip.media import Media, MediaT_co
from sip.message import Request, Response
from sip.name_addr import NameAddr
from sip.sansio.events import EndReason

__all__ = ["ThreadedCall", "ThreadedIncomingCall", "ThreadedRegistration"]

C = TypeVar("C", bound=Call)


class _BlockingCall(Generic[C]):
    """A call whose methods block; leaving it as a context manager ends it."""

    def __init__(self, loop: LoopThread, call: C) -> None:
        self.call = call
        """The call itself, which belongs to the loop."""
        self._loop = loop

    @property
    def media(self) -> Sequence[Media]:
        """The media that run."""
        return tuple(self.call.media)

    @property
    def request(self) -> Request:
        """The INVITE that began the call."""
        return self.call.request

    @property
    def remote(self) -> NameAddr:
        """Who is at the other end."""
        return self.call.remote

    @property
    def answered(self) -> bool:
        """Whether the call was answered and isn't over."""
        return self.call.answered

    @property
    def end_reason(self) -> EndReason | None:
        """Why the call is over, once it is."""
        return self.call.end_reason

    def bye(self, *, headers: Headers = ()) -> None:
        """End the call and wait until it is over; see :meth:`sip.Call.bye`."""
        self._loop.run(self.call.bye(headers=headers))

    def ended(self, timeout: float | None = None) -> EndReason:
        """Wait until the call is over.

        Raises:
            TimeoutError: It went on for longer.
        """
        return self._loop.run(self.call.ended(), timeout)

    def send_message(
        self, body: str | bytes, content_type: str = "text/plain;charset=utf-8"
    ) -> None:
        """Send a SIP message within the call; see :meth:`sip.Call.send_message`."""
        self._loop.run(self.call.send_message(body, content_type))

    def send_request(
        self,
        method: str,
        *,
        headers: Headers = (),
        body: bytes = b"",
        content_type: str | None = None,
    ) -> Response:
        """Send a request within the call; see :meth:`sip.Call.send_request`."""
        return self._loop.run(
            self.call.send_request(
                method, headers=headers, body=body, content_type=content_type
            )
        )

    def __enter__(self) -> Self:
        """Give the call back."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the call if it was answered."""
        if self.answered:
            self.bye()


class ThreadedCall(_BlockingCall[Call[MediaT_co]], Generic[MediaT_co]):
    """A call that we made."""

    @property
    def media(self) -> Sequence[MediaT_co]:
        """The media that run."""
        return tuple(self.call.media)


class ThreadedIncomingCall(_BlockingCall[IncomingCall]):
    """A call that a peer makes: ring, then answer or reject it."""

    def ringing(self, status: int = 180, *, headers: Headers = ()) -> None:
        """Tell the caller that it rings; see :meth:`sip.IncomingCall.ringing`."""
        self._loop.run(self.call.ringing(status, headers=headers))

    def answer(self, media: Sequence[Media], *, headers: Headers = ()) -> None:
        """Answer the call; see :meth:`sip.IncomingCall.answer`."""
        self._loop.run(self.call.answer(media, headers=headers))

    def reject(
        self, status: int = 486, reason: str | None = None, *, headers: Headers = ()
    ) -> None:
        """Refuse the call; see :meth:`sip.IncomingCall.reject`."""
        self._loop.run(self.call.reject(status, reason, headers=headers))


class ThreadedRegistration:
    """A registration; leaving it as a context manager takes it back."""

    def __init__(self, loop: LoopThread, registration: Registration) -> None:
        self.registration = registration
        """The registration itself, which belongs to the loop."""
        self._loop = loop

    @property
    def is_registered(self) -> bool:
        """Whether the registrar knows where we are, as far as we know."""
        return self.registration.is_registered

    def leave(self) -> None:
        """Take the binding back; see :meth:`Registration.leave`."""
        self._loop.run(self.registration.leave())

    def __enter__(self) -> Self:
        """Give the registration back."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave it."""
        self.leave()
