"""What can go wrong in :mod:`sip`.

* :exc:`SipError`
    * :exc:`SipParseError` — the peer's octets aren't SIP
    * :exc:`LocalError` — you asked for something that may not be sent
    * :exc:`TransportError` — an address can't be listened on, or not be reached
    * :exc:`CallError` — a call isn't what you hoped for
        * :exc:`CallRefused` — the peer doesn't want it
        * :exc:`CallTimeout` — nobody answered in time
        * :exc:`CallOver` — it ended before what you asked for could be done
        * :exc:`NegotiationFailed` — the two sides agree on no media
        * :exc:`TransferFailed` — the peer could not call whom it was sent to
    * :exc:`SubscriptionOver` — the peer has ended a subscription
    * :exc:`LocationUnavailable` — where a caller is can't be fetched

Errors carry facts; ``str()`` words them in one sentence.  They never repeat
the peer's octets, so they may be logged as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sip.status import reason_phrase

if TYPE_CHECKING:
    from sip.message import Request, Response
    from sip.sansio.events import EndReason

__all__ = [
    "CallError",
    "CallOver",
    "CallRefused",
    "CallTimeout",
    "LocalError",
    "LocationUnavailable",
    "NegotiationFailed",
    "SipError",
    "SipParseError",
    "SubscriptionOver",
    "TransferFailed",
    "TransportError",
]


class SipError(Exception):
    """The root of every error that :mod:`sip` raises on purpose."""


class SipParseError(SipError, ValueError):
    """A message, or one value in it, isn't what the grammar allows.

    Attributes:
        problem: What is wrong, without the offending octets.
        header: The canonical name of the header field it is in, if any.
        status: The status code to answer a request with.
        request: The request as far as it could be read, when there is one to
            answer: its Via, From, To, Call-ID and CSeq lines are those that
            :func:`sip.message.response_to` copies.  ``None`` for a response,
            which is to be dropped, and for octets that are no request at all.
    """

    def __init__(
        self,
        problem: str,
        *,
        header: str | None = None,
        status: int = 400,
        request: Request | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.header = header
        self.status = status
        self.request = request

    def __str__(self) -> str:
        return self.problem if self.header is None else f"{self.header}: {self.problem}"

    def within(self, header: str) -> SipParseError:
        """Give the same error, found in a header field of this name."""
        return SipParseError(
            self.problem, header=header, status=self.status, request=self.request
        )


class LocalError(SipError, ValueError):
    """This side asked for something that may not be put into a message.

    Attributes:
        problem: What was asked for and can't be had.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class TransportError(SipError, ConnectionError):
    """An address can't be listened on, or not be reached.

    Attributes:
        problem: Why: what the system, TLS or the DNS said, in words.
        target: Which address, and for a name the URI that led there; the last
            one, if several were tried.
        doing: What can't be done: ``"reach"`` or ``"listen on"``.
    """

    def __init__(self, problem: str, *, target: str = "", doing: str = "reach") -> None:
        super().__init__(problem)
        self.problem = problem
        self.target = target
        self.doing = doing

    def __str__(self) -> str:
        if not self.target:
            return self.problem
        return f"cannot {self.doing} {self.target}: {self.problem}"


class CallError(SipError):
    """A call isn't what you hoped for; catch a subclass to know why."""


class CallRefused(CallError):
    """The peer answered a request with something other than success.

    Attributes:
        response: What it answered.
        status: The status code, 300 to 699.
        reason: Its words for people; the peer's, so not part of ``str()``.
        problem: What we know about it beside the status; may be empty.
    """

    def __init__(self, response: Response, problem: str = "") -> None:
        super().__init__(response)
        self.response = response
        self.status = response.status
        self.reason = response.reason
        self.problem = problem

    @property
    def retry_after(self) -> int | None:
        """Seconds after which it may be worth trying again, if the peer tells."""
        try:
            value = self.response.retry_after
        except SipParseError:
            return None
        return None if value is None else value.seconds

    def __str__(self) -> str:
        words = reason_phrase(self.status)
        text = f"refused with {self.status}" + (f" ({words})" if words else "")
        return f"{text}: {self.problem}" if self.problem else text


class CallTimeout(CallError, TimeoutError):
    """Nobody answered in time: in the peer's time, or in yours.

    Attributes:
        problem: What was waited for, and how long.
        target: Where the request went last, as for :exc:`TransportError`.
    """

    def __init__(
        self, problem: str = "nobody answered in time", *, target: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.target = target

    def __str__(self) -> str:
        if not self.target:
            return self.problem
        return f"no answer from {self.target}: {self.problem}"


class CallOver(CallError):
    """A call ended before what you asked for could be done.

    Attributes:
        reason: Why it ended.
    """

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the call is over: {self.reason.value}"


class NegotiationFailed(CallError):
    """The two sides agree on no media, or one of them doesn't follow the rules.

    Attributes:
        problem: What is wrong.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


class TransferFailed(CallError):
    """The peer took our REFER but didn't get where it was sent.

    Attributes:
        status: What it was answered, 300 to 699; ``None`` if it never told.
    """

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        if self.status is None:
            return "the transfer failed: the peer never told what became of it"
        words = reason_phrase(self.status)
        told = f"{self.status} ({words})" if words else f"{self.status}"
        return f"the transfer failed: the peer was answered with {told}"


class SubscriptionOver(SipError):
    """A peer has ended a subscription of ours before its time.

    Attributes:
        problem: Why.
        retry_after: Seconds after which it may be tried again, if that was said.
    """

    def __init__(self, problem: str, *, retry_after: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.retry_after = retry_after

    def __str__(self) -> str:
        if self.retry_after is None:
            return f"the subscription is over: {self.problem}"
        return (
            f"the subscription is over: {self.problem}; "
            f"try again in {self.retry_after} s"
        )


class LocationUnavailable(SipError):
    """A location that a call only names can't be had.

    Attributes:
        problem: Why.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"the location can't be fetched: {self.problem}"
