"""Sessions that have left a connection, and are still called there.

A peer moves to another path later than we do, or earlier; and what it has sent before
may be on its way for a while, in relays for instance.  So the old path is listened to
beside the new one (:rfc:`3264#section-8.3.1`).
"""

from __future__ import annotations

from dataclasses import dataclass

from msrp.sansio.session import Session
from msrp.sansio.session_state import SessionState
from msrp.uri import MsrpUri

__all__ = ["LEFT_TIME", "LeftSessions"]

MAX_LEFT = 64
"""Sessions that have left one connection and are remembered there; a handful is to be
expected, and what is sent to those that are forgotten gets a 481."""

LEFT_TIME = 64.0
"""Seconds for which they are.  The peer leaves as soon as it hears our answer, which
is repeated for 32 s (:rfc:`3261#section-13.3.1.4`); what it has sent before may wait as
long in relays, which give up a hop after 30 s."""


@dataclass(slots=True, eq=False)
class _Left:
    session: Session
    since: float | None = None
    """When the clock was first looked at: who leaves doesn't say when."""


class LeftSessions:
    """Those of one connection, the first to leave first."""

    __slots__ = ("_by_uri",)

    def __init__(self) -> None:
        self._by_uri: dict[MsrpUri, _Left] = {}

    def __contains__(self, session: object) -> bool:
        if not isinstance(session, Session):
            return False
        left = self._by_uri.get(session.local_uri)
        return left is not None and left.session is session

    def called(self, uri: MsrpUri) -> Session | None:
        """Return the session that the peer means by a URI."""
        left = self._by_uri.get(uri)
        if left is None:
            return None
        latest = left.session.latest
        if latest.state is SessionState.NEW and latest.local_uri == uri:
            return None  # It goes on under the same URI, and waits to be called.
        return left.session

    def add(self, session: Session) -> list[Session]:
        """Remember a session, and return those that are forgotten for it."""
        forgotten = self.forget(session.local_uri)
        self._by_uri[session.local_uri] = _Left(session)
        if len(self._by_uri) > MAX_LEFT:
            forgotten += self.forget(next(iter(self._by_uri)))
        return forgotten

    def forget(self, uri: MsrpUri) -> list[Session]:
        """Forget the session that had this URI, and return it, if there is one."""
        left = self._by_uri.pop(uri, None)
        return [] if left is None else [left.session]

    def next_timeout(self, touched: float) -> float | None:
        """Return when :meth:`handle_timeout` wants to be called.

        Args:
            touched: A time that is over, for those who wait for the first look.
        """
        for left in self._by_uri.values():
            return touched if left.since is None else left.since + LEFT_TIME
        return None

    def handle_timeout(self, now: float) -> list[Session]:
        """Forget those whose time is over, and return them."""
        forgotten: list[Session] = []
        for uri, left in list(self._by_uri.items()):
            if left.since is None:
                left.since = now
            elif left.since + LEFT_TIME <= now:
                forgotten += self.forget(uri)
        return forgotten
