"""What can go wrong in :mod:`sip`.

* :exc:`SipError`
    * :exc:`SipParseError` — the peer's octets aren't SIP
    * :exc:`LocalError` — you asked for something that may not be sent

Errors carry facts; ``str()`` words them in one sentence.  They never repeat
the peer's octets, so they may be logged as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sip.message import Request

__all__ = ["LocalError", "SipError", "SipParseError"]


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
