"""Pings on a connection that we opened (:rfc:`5626#section-4.4.1`).

An empty line, twice, asks for an empty line.  When none comes the connection is dead,
whatever the system thinks of it, and somebody on the way has forgotten it.  Only a
peer that is known to answer is pinged: others may close the connection, or wait for
the rest of a message.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from sip.sansio.limits import Limits

__all__ = ["PING", "PONG", "Pings"]

PING = b"\r\n\r\n"
PONG = b"\r\n"


class Pings:
    """Pings one connection.

    Args:
        send: Sends octets between two messages; tells whether it could.
        on_failure: Called when no pong came in time.
        is_reading: Tells whether a message is being received, behind which the pong
            may wait.
        limits: How often to ping, and how long to wait.
    """

    def __init__(
        self,
        send: Callable[[bytes], bool],
        on_failure: Callable[[], None],
        is_reading: Callable[[], bool],
        limits: Limits,
    ) -> None:
        self._send = send
        self._on_failure = on_failure
        self._is_reading = is_reading
        self._is_late = False
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._interval = 0.0
        self._next: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def running(self) -> bool:
        """Whether the connection is pinged."""
        return self._next is not None

    def start(self, flow_timer: float | None = None) -> None:
        """Ping from now on, or as often as the peer says now.

        Args:
            flow_timer: Seconds after which the peer takes a silent connection for
                dead, if it has said so.
        """
        shortest = min(self._limits.pong_time, self._limits.ping_interval)
        interval = self._limits.ping_interval
        if flow_timer is not None:
            # One that is shorter than the wait for a pong would have us ping
            # without end.
            interval = max(flow_timer, shortest)
        if self._next is not None:
            if interval == self._interval:
                return
            self._next.cancel()
        self._interval = interval
        self._plan()

    def pong(self) -> None:
        """Take note of a pong."""
        self._is_late = False
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def stop(self) -> None:
        """Ping no more."""
        for timer in (self._next, self._deadline):
            if timer is not None:
                timer.cancel()
        self._next = self._deadline = None

    def _plan(self) -> None:
        # At random, lest all clients of a server ping at the same time.
        wait = random.uniform(0.8 * self._interval, self._interval)
        self._next = self._loop.call_later(wait, self._ping)

    def _ping(self) -> None:
        if not self._send(PING):
            self.stop()
            return
        self._plan()
        if self._deadline is None:
            self._deadline = self._loop.call_later(
                self._limits.pong_time, self._no_pong
            )

    def _no_pong(self) -> None:
        if self._is_reading() and not self._is_late:
            self._is_late = True
            self._deadline = self._loop.call_later(
                self._limits.pong_time, self._no_pong
            )
            return
        self.stop()
        self._on_failure()
