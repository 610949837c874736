"""Connections that several of our sessions use (:rfc:`4975#section-5.4`).

Those who go to the same place in the same manner may share one, and those who set out
at the same moment wait for the first of them.  Only what the sessions of one listener
have opened is shared, and only where that was asked for: nothing in SDP says whether
the peer takes a second session on a connection, and some stacks don't.  One that is
turned away on a shared connection tries another of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msrp.aio.streams.sockets import SocketOptions
from msrp.aio.streams.stream import StreamProtocol
from msrp.aio.tls.policy import TlsPolicy
from msrp.config import Limits
from msrp.errors import ConnectionFailed
from msrp.negotiation import Fingerprint

__all__ = ["Place", "Security", "SharedStreams"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """All that a TLS connection depends on before the peer shows a certificate."""

    policy: TlsPolicy
    by_authority: bool
    """Whether the handshake asks for the signature of an authority."""

    server_name: str
    ours: Fingerprint | None
    """Of the certificate that we show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a connection goes, and how: what sessions must agree in to share it."""

    host: str
    port: int
    own_port: int
    """The port of our URI, from which some connections are opened."""

    security: Security | None
    """``None`` without TLS."""

    sockets: SocketOptions
    limits: Limits
    response_timeout: float


_Wish = tuple[Place, tuple[Fingerprint, ...]]


class SharedStreams:
    """The connections that the sessions of one listener have opened."""

    def __init__(self) -> None:
        self._streams: dict[Place, list[StreamProtocol]] = {}
        self._attempts: dict[_Wish, asyncio.Future[ConnectionFailed | None]] = {}

    def __len__(self) -> int:
        """Count the connections that are there, and those that are being opened."""
        return len(self._attempts) + sum(map(len, self._streams.values()))

    async def get(
        self,
        place: Place,
        expected: tuple[Fingerprint, ...],
        fits: Callable[[StreamProtocol], bool],
        open_stream: Callable[[], Awaitable[StreamProtocol]],
    ) -> StreamProtocol:
        """Return a connection for one more session, which has to be attached at once.

        Args:
            place: Where to.
            expected: The fingerprints that the peer has announced for it.
            fits: Whether the session may use a connection that leads there.
            open_stream: Opens another one, for this session and perhaps for others.

        Raises:
            ConnectionFailed: As ``open_stream``, or as that of a session which has
                the same wish and came first.
        """
        wish = place, expected
        while True:
            for stream in self._streams.get(place, ()):
                if stream.takes_another and fits(stream):
                    return stream
            attempt = self._attempts.get(wish)
            if attempt is None:
                return await self._open(wish, open_stream)
            # If it comes to nothing because the first has lost interest, go on.
            failure = await asyncio.shield(attempt)
            if failure is not None:
                raise _again(failure)

    async def _open(
        self, wish: _Wish, open_stream: Callable[[], Awaitable[StreamProtocol]]
    ) -> StreamProtocol:
        attempt: asyncio.Future[ConnectionFailed | None]
        attempt = asyncio.get_running_loop().create_future()
        self._attempts[wish] = attempt
        try:
            stream = await open_stream()
        except ConnectionFailed as error:
            attempt.set_result(_again(error))
            raise
        finally:
            del self._attempts[wish]
            if not attempt.done():
                attempt.set_result(None)
        self._keep(wish[0], stream)
        return stream

    def _keep(self, place: Place, stream: StreamProtocol) -> None:
        self._streams.setdefault(place, []).append(stream)
        stream.when_gone(lambda: self._let_go(place, stream))

    def _let_go(self, place: Place, stream: StreamProtocol) -> None:
        kept = self._streams[place]
        kept.remove(stream)
        if not kept:
            del self._streams[place]


def _again(error: ConnectionFailed) -> ConnectionFailed:
    """Return the same error for somebody else, who will raise it elsewhere."""
    copy = type(error)(error.target, error.problem)
    copy.__cause__ = error.__cause__
    return copy
