"""What a task waits for, in little memory."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

__all__ = ["Signal", "wake"]


def wake(waiting: Iterable[asyncio.Future[None]]) -> None:
    """Let all go on who still wait for one of these."""
    for future in waiting:
        if not future.done():
            future.set_result(None)


class Signal:
    """An ``asyncio.Event``, without the queue of 700 octets that each of those keeps.

    There are several for each session and each message, and nobody waits for most.
    """

    __slots__ = ("_is_set", "_waiting")

    def __init__(self) -> None:
        self._is_set = False
        self._waiting: list[asyncio.Future[None]] | None = None

    def is_set(self) -> bool:
        """Tell whether it was set, and not cleared since."""
        return self._is_set

    def set(self) -> None:
        """Let all go on who wait."""
        self._is_set = True
        if self._waiting is not None:
            wake(self._waiting)

    def clear(self) -> None:
        """Have those wait who come from now on."""
        self._is_set = False

    async def wait(self) -> None:
        """Wait until it is set; it may be cleared again by then."""
        if self._is_set:
            return
        future = asyncio.get_running_loop().create_future()
        if self._waiting is None:
            self._waiting = []
        self._waiting.append(future)
        try:
            await future
        finally:
            self._waiting.remove(future)
            if not self._waiting:
                self._waiting = None
