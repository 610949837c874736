"""A request of ours that somebody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeAlias

from sip.aio.reasons import error_of
from sip.errors import LocalError
from sip.message import Response
from sip.sansio.events import Failure
from sip.sansio.requests.sender import ClientRequest
from sip.sansio.timers import Timers
from sip.sansio.user_agent import UserAgentCore

__all__ = ["Exchange", "Send"]


class Exchange:
    """Waits for the final response to one request, whose user it is.

    Args:
        timers: How long the core waits for it.

    Attributes:
        answer: The response, or why there is none.
    """

    def __init__(self, timers: Timers) -> None:
        self._timers = timers
        self.answer: asyncio.Future[Response]
        self.answer = asyncio.get_running_loop().create_future()

    def request_answered(
        self, sent: ClientRequest, response: Response, now: float
    ) -> None:
        """Take a response."""
        if response.status >= 200 and not self.answer.done():
            self.answer.set_result(response)

    def request_failed(self, sent: ClientRequest, failure: Failure, now: float) -> None:
        """Take note that there will be none."""
        self._fail(error_of(None, failure, sent, self._timers))

    def give_up(self) -> None:
        """Tell whoever waits that the user agent is closed."""
        self._fail(LocalError("the user agent was closed"))

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            # Nobody may be waiting any more.
            self.answer.exception()


Send: TypeAlias = Callable[[UserAgentCore, Exchange], object]
"""Sends one request by a core, as a user of it."""
