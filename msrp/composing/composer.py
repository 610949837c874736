"""The machine of whoever composes (:rfc:`3994#section-3.2`, figure 1)."""

from __future__ import annotations

import enum

from msrp.composing.document import ComposingState, IsComposing

__all__ = ["DEFAULT_REFRESH", "IDLE_TIMEOUT", "NEXT", "Composer", "Trigger"]

IDLE_TIMEOUT = 15.0
"""Seconds without a key press after which one composes no longer: as the RFC says."""

DEFAULT_REFRESH = 90
"""Seconds between two statuses that say the same, as in the RFC's example; it wants 60
at least."""


class Trigger(enum.Enum):
    """What happens to somebody who may compose a message."""

    INPUT = enum.auto()
    CONTENT_SENT = enum.auto()
    IDLE_TIMEOUT = enum.auto()
    REFRESH_TIMEOUT = enum.auto()


_ACTIVE, _IDLE = ComposingState

NEXT: dict[
    tuple[ComposingState, Trigger], tuple[ComposingState, ComposingState | None]
] = {
    (_IDLE, Trigger.INPUT): (_ACTIVE, _ACTIVE),
    (_IDLE, Trigger.CONTENT_SENT): (_IDLE, None),
    (_ACTIVE, Trigger.INPUT): (_ACTIVE, None),
    (_ACTIVE, Trigger.CONTENT_SENT): (_IDLE, None),
    (_ACTIVE, Trigger.IDLE_TIMEOUT): (_IDLE, _IDLE),
    (_ACTIVE, Trigger.REFRESH_TIMEOUT): (_ACTIVE, _ACTIVE),
}
"""What state follows, and what status is sent.

The RFC limits statuses to one in each refresh interval.  That is so here while the
state stays what it is, however fast somebody types; a change of state is always told,
as its figure has it: who stops and begins again would otherwise seem to have left.
"""


class Composer:
    """One of our users, as far as the peer is to know what they do.

    Each method returns the status to send now, if there is one.

    Args:
        idle_timeout: Seconds without a key press until "idle".
        refresh: Seconds after which "active" is said again; ``None`` never to do so,
            after which peers take it for over in 120 s.
    """

    __slots__ = (
        "_content_type",
        "_idle_timeout",
        "_last_input",
        "_refresh",
        "_refresh_at",
        "state",
    )

    def __init__(
        self,
        *,
        idle_timeout: float = IDLE_TIMEOUT,
        refresh: int | None = DEFAULT_REFRESH,
    ) -> None:
        self.state = _IDLE
        self._idle_timeout = idle_timeout
        self._refresh = refresh
        self._content_type: str | None = None
        self._last_input = 0.0
        self._refresh_at = 0.0

    def composing(
        self, now: float, content_type: str | None = None
    ) -> IsComposing | None:
        """Take note of a key press, or whatever adds to a message.

        Args:
            now: The time.
            content_type: What is composed: a media type, with its subtype or without.

        Raises:
            ValueError: The type is none.
        """
        if content_type != self._content_type:
            IsComposing(_ACTIVE, content_type)  # Refused before anything changes.
            self._content_type = content_type
        self._last_input = now
        return self._step(Trigger.INPUT, now)

    def content_sent(self, now: float) -> None:
        """Take note that the message is on its way, which says it all."""
        self._step(Trigger.CONTENT_SENT, now)

    def next_timeout(self) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called."""
        if self.state is _IDLE:
            return None
        idle_at = self._last_input + self._idle_timeout
        return idle_at if self._refresh is None else min(idle_at, self._refresh_at)

    def handle_timeout(self, now: float) -> IsComposing | None:
        """Do what is due."""
        due = self.next_timeout()
        if due is None or due > now:
            return None
        if self._last_input + self._idle_timeout <= now:
            return self._step(Trigger.IDLE_TIMEOUT, now)
        return self._step(Trigger.REFRESH_TIMEOUT, now)

    def _step(self, trigger: Trigger, now: float) -> IsComposing | None:
        self.state, told = NEXT[self.state, trigger]
        if told is None:
            return None
        if told is _IDLE:
            return IsComposing(told)
        if self._refresh is not None:
            self._refresh_at = now + self._refresh
        return IsComposing(told, self._content_type, self._refresh)
