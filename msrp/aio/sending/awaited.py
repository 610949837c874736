"""Those who wait for what only the peer's responses can bring about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from msrp.aio.session.signal import Signal

__all__ = ["Awaited", "AwaitedOwner"]


class AwaitedOwner(Protocol):
    """Who reads on for them, even if messages wait for somebody to take them."""

    def awaited_changed(self) -> None:
        """Be told that somebody begins to wait, or nobody waits any more."""


class Awaited(Signal):
    """It is set when something has changed, and counts those who wait for that.

    They are inside of ``with`` while they do; any number may be.

    Args:
        owner: Is told when the first begins to wait, and when the last has.
    """

    __slots__ = ("_owner", "count")

    def __init__(self, owner: AwaitedOwner) -> None:
        super().__init__()
        self._owner = owner
        self.count = 0

    def __enter__(self) -> None:
        self.count += 1
        if self.count == 1:
            self._owner.awaited_changed()

    def __exit__(self, *exc_info: object) -> None:
        self.count -= 1
        if self.count == 0:
            self._owner.awaited_changed()

    async def until(self, reached: Callable[[], bool]) -> None:
        """Wait until something is so; it may no longer be when others go on too."""
        if reached():
            return
        with self:
            while not reached():
                self.clear()
                await self.wait()
