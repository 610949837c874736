"""Which of our URIs means which session, and who has called one too early.

A session is called by its URI and by nothing else (:rfc:`4975#section-5.4`).  A peer
may do so before its answer has reached us: what was given out and isn't a session yet
is *expected*, and who calls it is held until it is one, or won't be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msrp.aio.session.namesakes import Namesakes
from msrp.aio.streams.called import SessionOwner
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.tls.policy import TlsPolicy
from msrp.errors import CertificateRejected, MsrpError
from msrp.negotiation import Negotiated
from msrp.sansio.session import Session
from msrp.uri import MsrpUri

__all__ = ["ListeningSession", "UriDirectory"]

_MAX_EXPECTED = 10_000
"""URIs given out for which no session has come yet; offers may go unanswered."""


class ListeningSession(SessionOwner, Protocol):
    """A session that waits for the peer to connect."""

    @property
    def session(self) -> Session:
        """Its protocol state."""

    @property
    def negotiated(self) -> Negotiated:
        """What offer and answer say of it."""

    def rejected(self, error: MsrpError) -> None:
        """Be told that somebody connected who isn't the peer, or nobody did."""


class UriDirectory:
    """The URIs of one port.

    Args:
        tls: How peers are verified.
        any_host: Whether a session id alone names a session.
    """

    def __init__(self, tls: TlsPolicy, *, any_host: bool) -> None:
        self._tls = tls
        self._any_host = any_host
        self._sessions: dict[MsrpUri, ListeningSession] = {}
        self._expected: dict[MsrpUri, None] = {}
        self._known = Namesakes()
        self._held: dict[MsrpUri, list[StreamProtocol]] = {}
        self._held_for: dict[StreamProtocol, MsrpUri] = {}

    def __iter__(self) -> Iterator[ListeningSession]:
        return iter(list(self._sessions.values()))

    # What the application's side tells.

    def expect(self, uri: MsrpUri) -> None:
        """Expect calls for a URI that is being given out."""
        self._expected[uri] = None
        self._known.add(uri)
        if len(self._expected) > _MAX_EXPECTED:
            oldest = next(iter(self._expected))
            del self._expected[oldest]
            self._known.discard(oldest)

    def add(self, waiting: ListeningSession) -> None:
        """Let a session be called."""
        uri = waiting.session.local_uri
        self._expected.pop(uri, None)
        self._sessions[uri] = waiting
        self._known.add(uri)
        self._retry(uri)

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody be called by this URI any more: it gets a 481."""
        self._expected.pop(uri, None)
        self._sessions.pop(uri, None)
        self._known.discard(uri)
        self._retry(uri)

    # What streams ask.

    def find_for(
        self, stream: StreamProtocol, uri: MsrpUri
    ) -> tuple[Session, SessionOwner] | None:
        """Return the session with this URI, if the stream may carry it.

        A stream that calls an expected one is held: it is told to retry.
        """
        uri = self._meant(uri)
        waiting = self._sessions.get(uri)
        if waiting is None:
            if uri in self._expected:
                self._hold(stream, uri)
            return None
        session = waiting.session
        # Who comes through our own relay was not seen by us, but by it.
        is_direct = not waiting.negotiated.relays
        if is_direct and session.stream is None and not session.is_active:
            try:
                self._tls.check(
                    waiting.negotiated, stream.certificate, target="", peer=stream.peer
                )
            except CertificateRejected as error:
                stream.abort(error)
                waiting.rejected(error)
                return None
        return session, waiting

    def expects(self, uri: MsrpUri) -> bool:
        """Tell whether this URI was given out and no session has come yet."""
        return self._meant(uri) in self._expected

    def let_go(self, stream: StreamProtocol) -> None:
        """Note that a stream doesn't wait for a session any more."""
        uri = self._held_for.pop(stream, None)
        if uri is not None:
            self._held[uri].remove(stream)
            if not self._held[uri]:
                del self._held[uri]

    # Inside.

    def _hold(self, stream: StreamProtocol, uri: MsrpUri) -> None:
        self.let_go(stream)  # It may have given up another one since.
        self._held.setdefault(uri, []).append(stream)
        self._held_for[stream] = uri

    def _meant(self, uri: MsrpUri) -> MsrpUri:
        """Return the URI of ours that a peer means by one that it has written."""
        if not self._any_host or uri in self._sessions or uri in self._expected:
            return uri
        return self._known.only(uri) or uri

    def _retry(self, uri: MsrpUri) -> None:
        """Let those go on that have called this URI too early, in their order."""
        held = self._held.pop(uri, [])
        for stream in held:
            del self._held_for[stream]
        for stream in held:
            stream.retry()
