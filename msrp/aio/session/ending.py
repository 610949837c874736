"""How a session ends: what is told of it last, and what is let go of then."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from msrp.aio.streams.connector import describe
from msrp.aio.streams.sockets import format_address
from msrp.errors import CloseReason, ConnectionFailed, MsrpError
from msrp.events import (
    ClosedEvent,
    ConnectionFailedEvent,
    CoreEvent,
    IncompleteMessage,
    SessionOver,
)
from msrp.negotiation import Negotiated

if TYPE_CHECKING:
    from msrp.aio.session.running import RunningSession

__all__ = ["Ending"]

logger = logging.getLogger("msrp.connection")


class Ending:
    """The end of one session, made when it has come.

    Args:
        running: The session.
        over: Why it is over.
        events: What has happened up to that, and ends with it.
    """

    __slots__ = ("_end", "_running", "_task")

    def __init__(
        self, running: RunningSession, over: SessionOver, events: list[CoreEvent]
    ) -> None:
        error = over.error
        if not over.was_open and over.reason is not CloseReason.BY_US:
            error = _failure(running.negotiated, error)
            running.inbox.put(ConnectionFailedEvent(error))
        why = over.reason.value if error is None else f"{over.reason.value}: {error}"
        logger.info("a session is over, %s", why)
        last = tuple(map(running.reception.incomplete, _last_incomplete(events)))
        self._running = running
        self._end = ClosedEvent(over.reason, error, last)
        self._stop()
        if not running.reception.busy:
            self._tell()
        self._task = asyncio.create_task(self._close_up(), name="msrp close")

    async def wait(self) -> None:
        """Wait until all is let go of, unless that is what asks."""
        if self._task is not asyncio.current_task():
            await asyncio.shield(self._task)

    def _stop(self) -> None:
        """Have nobody wait for anything more."""
        running = self._running
        running.binding.stop_connecting()
        if running.known_features is not None:
            running.known_features.over()
        running.binding.stop_waiting()
        running.recovery.stop()
        running.progress.finish(self._end)

    def _tell(self) -> None:
        self._running.inbox.put(self._end)
        self._running.inbox.finish()

    async def _close_up(self) -> None:
        """Let go of what only this session has used."""
        running = self._running
        if not running.inbox.finished:
            await running.reception.drained()  # The end is told after all messages.
            self._tell()
        running.binding.forget(running.negotiated.local_uri)
        if running.known_nicknames is not None:
            await running.known_nicknames.close()
        await running.outbox.close()
        await running.binding.close(is_active=running.negotiated.is_active)
        if running.tap is not None:
            running.tap.over()
        running.tapped.session_over()


def _failure(negotiated: Negotiated, error: MsrpError | None) -> ConnectionFailed:
    """Put into words why there never was a session."""
    if isinstance(error, ConnectionFailed):
        return error
    target = ""
    if negotiated.is_active:
        target = format_address(*negotiated.connect_to)
    if error is None:
        problem = "the peer closed the connection before there was a session"
    elif isinstance(error.__cause__, OSError):
        problem = describe(error.__cause__)
    else:
        problem = str(error)
    failure = ConnectionFailed(target, problem)
    failure.__cause__ = error
    return failure


def _last_incomplete(events: list[CoreEvent]) -> tuple[IncompleteMessage, ...]:
    """Return the messages that were given up since the session is over."""
    last: list[IncompleteMessage] = []
    for event in reversed(events[:-1]):
        if not isinstance(event, IncompleteMessage):
            break
        last.append(event)
    return tuple(reversed(last))
