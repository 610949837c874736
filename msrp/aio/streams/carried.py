"""The sessions on one stream: who owns them, and whom the peer may call there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msrp.aio.streams.called import SessionOwner, StreamDirectory
from msrp.events import CoreEvent
from msrp.sansio.session import Session, SessionState
from msrp.uri import MsrpUri

if TYPE_CHECKING:
    from msrp.aio.streams.stream import StreamProtocol

__all__ = ["Carried"]


class Carried:
    """Those of one stream; it is the core's :class:`SessionDirectory` too.

    Args:
        stream: The stream.
        directory: Finds sessions that the peer may call beside those.
        any_host: Whether the session id alone names a session here.
    """

    __slots__ = (
        "_any_host",
        "_directory",
        "_stream",
        "_to_tell",
        "called",
        "has_new",
        "owners",
    )

    def __init__(
        self, stream: StreamProtocol, directory: StreamDirectory, *, any_host: bool
    ) -> None:
        self._stream = stream
        self._directory = directory
        self._any_host = any_host
        self.owners: dict[Session, SessionOwner] = {}
        self.called: dict[Session, None] | None = None
        """Those that the peer calls, and has perhaps got."""
        self.has_new = False
        """Whether an owner has come that wasn't asked yet whether to read."""
        self._to_tell: list[tuple[Session, list[CoreEvent]]] | None = None
        """What is being told to the owners of sessions."""

    def add(self, session: Session, owner: SessionOwner) -> None:
        """Note who is to be told what happens in a session."""
        self.owners[session] = owner
        self.has_new = True

    def reading_wanted(self) -> bool:
        """Ask the owners whether there is room for what the peer sends to any."""
        self.has_new = False
        return all(owner.reading_wanted for owner in self.owners.values())

    # What the core asks.

    def find(self, uri: MsrpUri) -> Session | None:
        """Return the session with this local URI, if it may be called here.

        The stream's own sessions come first, then the directory's.
        """
        own = self._own_session(uri)
        if own is not None:
            return own
        found = self._directory.find_for(self._stream, uri)
        if found is None:
            return None
        session, owner = found
        if session.stream is None:
            self.add(session, owner)
            if self.called is None:
                self.called = {}
            self.called[session] = None
        return session

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether a session with this URI is being negotiated."""
        return self._directory.expects(uri)

    def _own_session(self, uri: MsrpUri) -> Session | None:
        core = self._stream.core
        own = core.session_at(uri)
        if own is not None or not self._any_host or uri.session_id is None:
            return own
        namesakes = [
            session
            for session in core.sessions
            if session.local_uri.session_id == uri.session_id
        ]
        return namesakes[0] if len(namesakes) == 1 else None

    # What the core has done.

    def adopt(self) -> None:
        """Tell the owners of sessions that were called which of them are here now."""
        called, self.called = self.called, None
        for session in called or ():
            if session.stream is self._stream.core:
                self.owners[session].carried_by(self._stream)
                self._directory.stream_bound(self._stream)
            elif session.state is not SessionState.CLOSED:
                del self.owners[session]  # It was called, and not bound.

    def tell(self, told: list[tuple[Session, list[CoreEvent]]]) -> None:
        """Tell the owners of sessions what has happened in them, in that order."""
        if self._to_tell is not None:
            self._to_tell += told  # A hook has led to them; others come first.
            return
        self._to_tell = told
        left = self._stream.core.left
        try:
            for session, events in told:
                owner = self.owners.get(session)
                if owner is not None:
                    owner.events_arrived(events)
                if session.stream is None and session not in left:
                    self.owners.pop(session, None)
        finally:
            self._to_tell = None

    def closed(self) -> None:
        """Tell the directory that the stream is gone."""
        self._directory.stream_closed(self._stream)
