"""The sessions that go through a relay, on the connection to it.

What a relay has given to a session is good on the connection on which it was asked
for, and until a certain time.  The session is called on that connection, whoever of
the two parties is the active one (:rfc:`6135#section-4.5`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from msrp.aio.session.progress import Milestone, Progress
from msrp.aio.streams.called import SessionOwner, StreamDirectory
from msrp.aio.streams.directory import ListeningSession, UriDirectory
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.tls.policy import TlsPolicy
from msrp.errors import ConnectionFailed
from msrp.sansio.authorization import Grant
from msrp.sansio.session import Session
from msrp.uri import MsrpUri

__all__ = ["OnExpiring", "RelayBinding", "RelaySessions"]

_HOLD_TIME = 5.0
"""Seconds for which nothing is read of a relay, since a peer was faster than its
answer.  The answer is on its way by then; and all other sessions wait as well."""

_NOTICE = 0.2
"""How much of its lifetime is left of a grant when that is told, ..."""

_LONGEST_NOTICE = 120.0
"""... or how many seconds: it is enough for an offer and its answer."""


_LEAST_NOTICE = 1.0
"""Seconds below which it isn't told again: no answer would be there in time."""

OnExpiring: TypeAlias = Callable[[MsrpUri, float], None]
"""Told of a grant in use that is about to expire, and in how many seconds."""


@dataclass(slots=True)
class _Granted:
    stream: StreamProtocol
    timer: asyncio.TimerHandle | None = None
    on_expiring: OnExpiring | None = None


class RelaySessions(StreamDirectory):
    """What was granted, and who uses it.

    Args:
        on_expiring: Told of what nobody else wants to be told of.
    """

    def __init__(self, on_expiring: OnExpiring) -> None:
        self._on_expiring = on_expiring
        self._granted: dict[MsrpUri, _Granted] = {}
        # A relay vouches for those whom it lets through; we can't see who they are.
        self._uris = UriDirectory(TlsPolicy(), any_host=False)
        self._holding: dict[MsrpUri, asyncio.TimerHandle] = {}

    def granted(self, grant: Grant, stream: StreamProtocol) -> None:
        """Keep what was granted, and expect calls."""
        granted = self._granted[grant.local_uri] = _Granted(stream)
        if grant.lifetime is not None:
            notice = min(_LONGEST_NOTICE, grant.lifetime * _NOTICE)
            granted.timer = asyncio.get_running_loop().call_later(
                grant.lifetime - notice, self._expiring, grant.local_uri, notice
            )
        self._uris.expect(grant.local_uri)

    def stream_of(self, uri: MsrpUri) -> StreamProtocol:
        """Return the connection for a session.

        Raises:
            ConnectionFailed: It is gone, or there was never one.
        """
        granted = self._granted.get(uri)
        if granted is None or granted.stream.is_closing:
            raise ConnectionFailed("", "the connection to the relay is gone")
        return granted.stream

    def left_by(self, owner: ListeningSession) -> StreamProtocol | None:
        """Let a session be called for a while that goes on under another URI.

        It was not called so far.  Its connection is returned, if that is there.
        """
        granted = self._granted.get(owner.session.local_uri)
        if granted is None or granted.stream.is_closing:
            return None
        granted.stream.leave(owner.session, owner)
        return granted.stream

    def when_expiring(self, uri: MsrpUri, on_expiring: OnExpiring) -> None:
        """Tell somebody in particular of the expiry of one grant."""
        granted = self._granted.get(uri)
        if granted is not None:
            granted.on_expiring = on_expiring

    def is_good(self, uri: MsrpUri) -> bool:
        """Tell whether there is a grant that was not used, with some time left."""
        granted = self._granted.get(uri)
        return granted is not None and not granted.stream.is_closing

    def add(self, waiting: ListeningSession) -> None:
        """Let a session be called."""
        self._stop_holding(waiting.session.local_uri)
        self._uris.add(waiting)

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody be called by this URI any more."""
        granted = self._granted.pop(uri, None)
        if granted is not None and granted.timer is not None:
            granted.timer.cancel()
        self._stop_holding(uri)
        self._uris.forget(uri)

    # What streams ask and tell.

    def find_for(
        self, stream: StreamProtocol, uri: MsrpUri
    ) -> tuple[Session, SessionOwner] | None:
        """Return the session with this URI, if it was granted on this stream."""
        granted = self._granted.get(uri)
        if granted is None or granted.stream is not stream:
            return None
        return self._uris.find_for(stream, uri)

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether this URI was given out and no session has come yet."""
        if not self._uris.expects(uri):
            return False
        if uri not in self._holding:
            self._holding[uri] = asyncio.get_running_loop().call_later(
                _HOLD_TIME, self._give_up_holding, uri
            )
        return True

    def stream_bound(self, stream: StreamProtocol) -> None:
        """Nothing is to be done."""

    def stream_closed(self, stream: StreamProtocol) -> None:
        """Tell those who wait for their peers in vain."""
        self._uris.let_go(stream)
        error = ConnectionFailed("", "the connection to the relay was lost")
        for waiting in self._uris:
            uri = waiting.session.local_uri
            granted = self._granted.get(uri)
            if granted is None or granted.stream is not stream:
                continue
            if waiting.session.stream is None and not waiting.session.is_active:
                waiting.rejected(error)
        for uri in [u for u, each in self._granted.items() if each.stream is stream]:
            self.forget(uri)

    # Inside.

    def _expiring(self, uri: MsrpUri, remaining: float) -> None:
        granted = self._granted[uri]
        granted.timer = None
        if self._uris.expects(uri):
            self.forget(uri)  # Nobody has used it, and nobody should begin to.
            return
        if remaining / 2 >= _LEAST_NOTICE:
            # Should nothing come of it this time.
            granted.timer = asyncio.get_running_loop().call_later(
                remaining / 2, self._expiring, uri, remaining / 2
            )
        (granted.on_expiring or self._on_expiring)(uri, remaining)

    def _give_up_holding(self, uri: MsrpUri) -> None:
        self._holding.pop(uri, None)
        if self._uris.expects(uri):
            self._uris.forget(uri)  # The peer gets a 481, and others are heard.

    def _stop_holding(self, uri: MsrpUri) -> None:
        timer = self._holding.pop(uri, None)
        if timer is not None:
            timer.cancel()


class RelayBinding:
    """How one session gets onto the connection to its relay, and off it again.

    It does for a session with a relay what :class:`~msrp.aio.session.binding.Binding`
    does for all others.

    Args:
        sessions: Where it has its grant.
        connect_timeout: Seconds until a session that isn't there has failed.
        progress: How far the session has come.
    """

    __slots__ = ("_connect_timeout", "_deadline", "_progress", "_sessions", "stream")

    def __init__(
        self, sessions: RelaySessions, connect_timeout: float, progress: Progress
    ) -> None:
        self.stream: StreamProtocol | None = None
        """The connection that the session is on."""
        self._sessions = sessions
        self._connect_timeout = connect_timeout
        self._progress = progress
        self._deadline: asyncio.TimerHandle | None = None

    async def connect(self, owner: ListeningSession) -> None:
        """Tell the peer, through the relay, that we are there.

        Raises:
            ConnectionFailed: The connection to the relay is gone, or nobody has
                answered in time.
        """
        stream = self._sessions.stream_of(owner.session.local_uri)
        self._sessions.add(owner)  # Or it would expire as one that nobody uses.
        stream.attach(owner.session, owner)
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._progress.wait(
                    Milestone.ESTABLISHED | Milestone.OVER | Milestone.LOST
                )
        except TimeoutError:
            problem = f"no answer within {self._connect_timeout:g} s"
            raise ConnectionFailed("", problem) from None

    def stop_connecting(self) -> None:
        """Nothing is to be done: there is no connection to open."""

    async def listen(self, owner: ListeningSession) -> None:
        """Let the peer call; the owner is told if it doesn't in time.

        Raises:
            ConnectionFailed: The connection to the relay is gone.
        """
        self._sessions.stream_of(owner.session.local_uri)
        self._deadline = asyncio.get_running_loop().call_later(
            self._connect_timeout, self._nobody_came, owner
        )
        self._sessions.add(owner)

    def _nobody_came(self, owner: ListeningSession) -> None:
        self._deadline = None
        problem = (
            f"the peer sent nothing through the relay within {self._connect_timeout:g}"
            " s, though offer and answer leave that to it"
        )
        owner.rejected(ConnectionFailed("", problem))

    def stop_waiting(self) -> None:
        """Note that somebody has come, or that it doesn't matter any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def leave(self, owner: ListeningSession) -> StreamProtocol | None:
        """Let go of the connection, and return it: the peer may still use it.

        Args:
            owner: Whose it is.
        """
        stream, self.stream = self.stream, None
        if stream is None:
            # A peer that has been told of this path sends there, and the relay says
            # to it that all is well.
            stream = self._sessions.left_by(owner)
        self.forget(owner.session.local_uri)
        return stream

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody call the session by this URI any more."""
        self._sessions.forget(uri)

    def close_former(self) -> None:
        """Nothing is to be done: the connection is the relay's."""

    async def close(self, *, is_active: bool) -> None:
        """Nothing is to be done: the connection stays open for others."""
