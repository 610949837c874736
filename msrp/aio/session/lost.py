"""Sees to it that a session which has lost its connection is offered anew.

Only a further offer and answer can give a session another connection
(:rfc:`4975#section-5.4`), and MSRP can't make one: somebody who can is asked, until it
has helped or there is no hope any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msrp.aio.connection import MsrpConnection

__all__ = ["Watch"]

_PASSIVE_PATIENCE = 1.0
"""Seconds that the side which was connected to leaves the first offer to the other,
so that their offers don't cross."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 8.0
"""Seconds between two attempts, of which each costs both sides a re-INVITE."""


class Watch:
    """Watches one connection.

    Args:
        connection: The connection, which may not have been started yet.
        ask: Called each time that another offer is wanted.
    """

    def __init__(self, connection: MsrpConnection, ask: Callable[[], None]) -> None:
        self._connection = connection
        self._ask = ask
        self._task = asyncio.create_task(self._run(), name="msrp watch")

    async def stop(self) -> None:
        """Watch no longer."""
        self._task.cancel()
        if self._task is not asyncio.current_task():
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while await self._connection.lost():
            is_active = self._connection.negotiated.is_active
            pause = 0.0 if is_active else _PASSIVE_PATIENCE
            while True:
                await asyncio.sleep(pause)
                if not self._connection.is_lost:
                    break
                self._ask()
                pause = min(max(2 * pause, _FIRST_PAUSE), _LONGEST_PAUSE)
