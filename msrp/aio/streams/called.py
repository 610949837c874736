"""Whom a peer may call on a stream, and who is to be told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msrp.events import CoreEvent
from msrp.sansio.session import Session
from msrp.uri import MsrpUri

if TYPE_CHECKING:
    from msrp.aio.streams.stream import StreamProtocol
    from msrp.aio.taps.tapping import SessionTap

__all__ = ["NoDirectory", "SessionOwner", "StreamDirectory"]


class SessionOwner(Protocol):
    """Who wants to know what happens in a session."""

    def carried_by(self, stream: StreamProtocol) -> None:
        """Be told which connection the session is on."""

    def events_arrived(self, events: list[CoreEvent]) -> None:
        """Take what happened, oldest first."""

    @property
    def reading_wanted(self) -> bool:
        """Whether there is room for more messages."""

    @property
    def wants_tap(self) -> bool:
        """Whether somebody listens to the session."""

    def session_tap(self) -> SessionTap | None:
        """Return what hears the session, if somebody listens."""

    def taps_changed(self) -> None:
        """Be told that somebody listens now, or does no longer."""


class StreamDirectory(Protocol):
    """Finds the sessions that may be called on one stream."""

    def find_for(
        self, stream: StreamProtocol, uri: MsrpUri
    ) -> tuple[Session, SessionOwner] | None:
        """Return a session, and whom to tell what happens in it."""

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether a session with this URI is being negotiated."""

    def stream_bound(self, stream: StreamProtocol) -> None:
        """Be told that a session has been bound to a stream."""

    def stream_closed(self, stream: StreamProtocol) -> None:
        """Be told that a stream is gone."""


class NoDirectory:
    """Of a stream that we have opened: only its own sessions are called on it."""

    def find_for(
        self, stream: StreamProtocol, uri: MsrpUri
    ) -> tuple[Session, SessionOwner] | None:
        """Find none."""
        return None

    def expects(self, uri: MsrpUri) -> bool:
        """Expect none."""
        return False

    def stream_bound(self, stream: StreamProtocol) -> None:
        """Take no note."""

    def stream_closed(self, stream: StreamProtocol) -> None:
        """Take no note."""
