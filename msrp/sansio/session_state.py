"""Where a session stands, and what may become of it."""

from __future__ import annotations

import enum

__all__ = ["NEXT", "SessionState", "Trigger"]


class SessionState(enum.Enum):
    """Where a session stands."""

    NEW = enum.auto()
    """Nothing has been sent or received yet; a passive side waits here."""

    BINDING = enum.auto()
    """The active side has sent its first, empty SEND and waits for the response."""

    OPEN = enum.auto()
    """Messages may be sent."""

    LOST = enum.auto()
    """It has no connection any more; what isn't finished waits for another session."""

    REPLACED = enum.auto()
    """Another session goes on with what was left of it."""

    CLOSED = enum.auto()
    """It is over."""


class Trigger(enum.Enum):
    """What changes a session's state."""

    OPEN_ACTIVELY = enum.auto()
    BOUND = enum.auto()
    GO_BACK = enum.auto()
    LOSE = enum.auto()
    REPLACE = enum.auto()
    END = enum.auto()


NEXT = {
    (SessionState.NEW, Trigger.OPEN_ACTIVELY): SessionState.BINDING,
    (SessionState.NEW, Trigger.BOUND): SessionState.OPEN,
    (SessionState.NEW, Trigger.LOSE): SessionState.LOST,
    (SessionState.NEW, Trigger.END): SessionState.CLOSED,
    (SessionState.BINDING, Trigger.BOUND): SessionState.OPEN,
    (SessionState.BINDING, Trigger.GO_BACK): SessionState.NEW,
    (SessionState.BINDING, Trigger.LOSE): SessionState.LOST,
    (SessionState.BINDING, Trigger.END): SessionState.CLOSED,
    (SessionState.OPEN, Trigger.LOSE): SessionState.LOST,
    (SessionState.OPEN, Trigger.END): SessionState.CLOSED,
    (SessionState.LOST, Trigger.REPLACE): SessionState.REPLACED,
    (SessionState.LOST, Trigger.END): SessionState.CLOSED,
}
"""The state that a trigger leads to; any other trigger is a mistake of ours."""
