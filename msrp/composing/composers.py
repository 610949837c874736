"""The machine of whoever looks on (:rfc:`3994#section-3.3`, figure 2).

In a session of two there is one who may compose.  In a room there are many, told apart
by the From of the envelope, which is there for that (:rfc:`3994#section-3.5`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from msrp.composing.document import ComposingState, IsComposing

__all__ = ["DEFAULT_TIMEOUT", "NEXT", "Composers", "ComposingChanged", "Trigger"]

DEFAULT_TIMEOUT = 120
"""Seconds for which "active" holds, if it doesn't say."""

MAX_TIMEOUT = 3_600
"""Seconds for which it holds at most, lest a peer that has crashed types for days."""

MAX_COMPOSERS = 64
"""Who may compose at the same time in one session; more wouldn't be shown anyway."""


class Trigger(enum.Enum):
    """What happens to our picture of somebody."""

    ACTIVE_RECEIVED = enum.auto()
    IDLE_RECEIVED = enum.auto()
    CONTENT_RECEIVED = enum.auto()
    TIMEOUT = enum.auto()


_ACTIVE, _IDLE = ComposingState

NEXT: dict[tuple[ComposingState, Trigger], ComposingState] = {
    (_IDLE, Trigger.ACTIVE_RECEIVED): _ACTIVE,
    (_IDLE, Trigger.IDLE_RECEIVED): _IDLE,
    (_ACTIVE, Trigger.ACTIVE_RECEIVED): _ACTIVE,
    (_ACTIVE, Trigger.IDLE_RECEIVED): _IDLE,
    (_ACTIVE, Trigger.CONTENT_RECEIVED): _IDLE,
    (_ACTIVE, Trigger.TIMEOUT): _IDLE,
}


@dataclass(frozen=True, slots=True)
class ComposingChanged:
    """Somebody has begun to compose a message, or composes none any more."""

    is_composing: bool
    """Whether a message is to be expected."""

    sender: str | None
    """Who it is: the URI in From of the envelope, which nobody has proved; ``None`` if
    there was no envelope, and so the peer itself."""

    content_type: str | None
    """What is composed, such as ``text/plain`` or ``audio``, if that was said."""

    since: datetime
    """When we heard that it began; the same in the event that says that it is over."""


@dataclass(slots=True, eq=False)
class _Active:
    """One who composes."""

    content_type: str | None
    since: datetime
    until: float


class Composers:
    """Those who compose messages to us in one session.

    Each method returns what has changed by it.  There is nothing of whoever is idle.
    """

    __slots__ = ("_active",)

    def __init__(self) -> None:
        self._active: dict[str | None, _Active] = {}

    def __bool__(self) -> bool:
        return bool(self._active)

    @property
    def senders(self) -> tuple[str | None, ...]:
        """Who they are."""
        return tuple(self._active)

    def status_received(
        self, sender: str | None, status: IsComposing, now: float, moment: datetime
    ) -> list[ComposingChanged]:
        """Take in a status message.

        Args:
            sender: From whom it is; ``None`` if it had no envelope.
            status: It.
            now: The time.
            moment: The same as a date and time.
        """
        trigger = Trigger.IDLE_RECEIVED
        if status.state is _ACTIVE:
            trigger = Trigger.ACTIVE_RECEIVED
        known = self._active.get(sender)
        if self._next(sender, trigger) is _IDLE:
            return self._idle(sender)
        if known is None and len(self._active) >= MAX_COMPOSERS:
            return []
        until = now + min(status.refresh or DEFAULT_TIMEOUT, MAX_TIMEOUT)
        since = moment if known is None else known.since
        self._active[sender] = _Active(status.content_type, since, until)
        if known is not None and known.content_type == status.content_type:
            return []
        return [ComposingChanged(True, sender, status.content_type, since)]

    def content_received(self, sender: str | None) -> list[ComposingChanged]:
        """Take note of a message: what was composed is here.

        Args:
            sender: From whom it is; ``None`` if it had no envelope, and so may be from
                any of them.
        """
        if not self._active:
            return []
        whose = [
            each for each in self._active if sender in (None, each) or each is None
        ]
        return self._all_idle(whose, Trigger.CONTENT_RECEIVED)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        return min((each.until for each in self._active.values()), default=None)

    def handle_timeout(self, now: float) -> list[ComposingChanged]:
        """Give up those of whom nothing was heard for too long."""
        late = [sender for sender, each in self._active.items() if each.until <= now]
        return self._all_idle(late, Trigger.TIMEOUT)

    def _all_idle(
        self, senders: list[str | None], trigger: Trigger
    ) -> list[ComposingChanged]:
        changes = []
        for sender in senders:
            if self._next(sender, trigger) is _IDLE:
                changes += self._idle(sender)
        return changes

    def _next(self, sender: str | None, trigger: Trigger) -> ComposingState:
        return NEXT[_ACTIVE if sender in self._active else _IDLE, trigger]

    def _idle(self, sender: str | None) -> list[ComposingChanged]:
        known = self._active.pop(sender, None)
        if known is None:
            return []
        return [ComposingChanged(False, sender, known.content_type, known.since)]
