"""The time of day, for records: exact, and in order."""

from __future__ import annotations

import datetime
import time

__all__ = ["utc_now"]

_STEP = 0.5
"""Seconds by which the time of day has to be off before we believe that somebody has
set it.  Smaller corrections are made by letting both clocks run faster or slower."""


class _Clock:
    """The system's time of day, that doesn't jump back by a little."""

    def __init__(self) -> None:
        self._ahead = time.time() - time.monotonic()

    def now(self) -> datetime.datetime:
        """Return the time of day."""
        wall, steady = time.time(), time.monotonic()
        if abs(wall - steady - self._ahead) > _STEP:
            self._ahead = wall - steady
        return datetime.datetime.fromtimestamp(steady + self._ahead, datetime.UTC)


_clock = _Clock()


def utc_now() -> datetime.datetime:
    """Return the time of day in UTC: of two calls, the later returns no earlier one.

    Unless the system's clock was set by more than half a second meanwhile.
    """
    return _clock.now()
