"""How one session gets onto a connection, and off it again.

A session is bound to one connection at a time (:rfc:`4975#section-5.4`).  The active
side opens it, or shares one that is there; the passive side waits at a port.  Which
of the two it is can change with each offer and answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from msrp.aio.listener import MsrpListener
from msrp.aio.session.progress import Milestone, Progress
from msrp.aio.streams.connector import Manner, open_stream, reach
from msrp.aio.streams.directory import ListeningSession
from msrp.aio.streams.own_ports import OwnPorts
from msrp.aio.streams.stream import StreamProtocol
from msrp.config import SessionConfig
from msrp.errors import ConnectionFailed, LocalProtocolError
from msrp.uri import MsrpUri

__all__ = ["Binding"]


class Binding:
    """The connections of one session: the one it is on, and those it has left.

    Args:
        manner: How peers are met.
        listener: Where they connect to; without one the session listens itself.
        config: The bounds, and for how long to wait for responses.
        connect_timeout: Seconds until a session that isn't there has failed.
        progress: How far the session has come.
    """

    __slots__ = (
        "_config",
        "_connect_timeout",
        "_deadline",
        "_former",
        "_listener",
        "_manner",
        "_opening",
        "_ports",
        "_progress",
        "stream",
    )

    def __init__(
        self,
        manner: Manner,
        listener: MsrpListener | None,
        config: SessionConfig,
        connect_timeout: float,
        progress: Progress,
    ) -> None:
        self.stream: StreamProtocol | None = None
        """The connection that the session is on."""
        self._manner = manner
        self._listener = listener
        self._config = config
        self._connect_timeout = connect_timeout
        self._progress = progress
        self._ports: OwnPorts | None = None
        self._former: list[StreamProtocol] = []
        self._opening: asyncio.Timeout | None = None
        self._deadline: asyncio.TimerHandle | None = None

    # Onto a connection.

    async def connect(self, owner: ListeningSession) -> None:
        """Put the session on a connection that we open or share.

        Returns when it is established, lost or over.

        Raises:
            ConnectionFailed: The peer can't be reached.
            CertificateRejected: Somebody answers who isn't the peer.
            CertificateUnusable: Ours can't be used, or the authorities' file.
            SessionClosed: The session was ended meanwhile.
        """
        if self._listener is not None:
            # Whoever calls this session there is told that it is bound elsewhere.
            self._listener.add(owner)
        await self._connect_by(partial(reach, avoid=self._former), owner)
        if Milestone.TURNED_AWAY in self._progress and self._progress.end is None:
            await self._connect_by(open_stream, owner)

    async def _connect_by(
        self,
        opener: Callable[..., Awaitable[StreamProtocol]],
        owner: ListeningSession,
    ) -> None:
        try:
            async with asyncio.timeout(None) as self._opening:
                stream = await opener(
                    owner.negotiated,
                    self._manner,
                    limits=self._config.limits,
                    response_timeout=self._config.response_timeout,
                    timeout=self._connect_timeout,
                )
        except TimeoutError:
            raise owner.session.closed_error() from None
        finally:
            self._opening = None
        if self._progress.end is not None:
            await _close_if_unused(stream)
            raise owner.session.closed_error()
        tentative = stream.in_use
        self._progress.leave(Milestone.TURNED_AWAY)
        stream.attach(owner.session, owner, tentative=tentative)
        await self._progress.wait(
            Milestone.ESTABLISHED
            | Milestone.OVER
            | Milestone.LOST
            | Milestone.TURNED_AWAY
        )

    def stop_connecting(self) -> None:
        """Give up an attempt that is under way."""
        if self._opening is not None:
            self._opening.reschedule(asyncio.get_running_loop().time())

    async def listen(self, owner: ListeningSession) -> None:
        """Let the peer connect; the owner is told if it doesn't in time.

        Raises:
            ConnectionFailed: Our own address can't be listened on.
            CertificateUnusable: Ours can't be used for TLS.
            LocalProtocolError: There is no certificate for TLS, or the listener
                has another policy.
        """
        listener, manner = self._listener, self._manner
        if listener is None:
            self._ports = self._ports or OwnPorts(manner, self._config.limits)
            listener = await self._ports.listen(owner.negotiated)
        elif listener.secure and manner.tls != listener.tls:
            raise LocalProtocolError("the listener verifies peers by another policy")
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(
            self._connect_timeout, self._nobody_came, owner, listener, loop.time()
        )
        listener.add(owner)

    def _nobody_came(
        self, owner: ListeningSession, listener: MsrpListener, since: float
    ) -> None:
        self._deadline = None
        problem = f"the peer did not connect within {self._connect_timeout:g} s"
        failure = listener.failure_since(since)
        if failure is None:
            problem += (
                ", though offer and answer leave that to it: does it wait for us?"
            )
        else:  # It need not be the peer, but probably is.
            problem += f"; {failure}"
        owner.rejected(ConnectionFailed("", problem))

    def stop_waiting(self) -> None:
        """Note that somebody has come, or that it doesn't matter any more."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # And off it.

    def leave(self, owner: ListeningSession) -> StreamProtocol | None:
        """Let go of the connection, and return it: the peer may still use it.

        Args:
            owner: Whose it is.
        """
        stream, self.stream = self.stream, None
        if stream is not None and owner.session.is_active:  # So we have opened it.
            self._former = [each for each in self._former if not each.is_gone]
            self._former.append(stream)
        self.forget(owner.session.local_uri)
        return stream

    def forget(self, uri: MsrpUri) -> None:
        """Let nobody call the session by this URI any more."""
        if self._ports is not None:
            self._ports.forget(uri)
        if self._listener is not None:
            self._listener.forget(uri)

    def close_former(self) -> None:
        """Close the connections that the peer has left as well, as soon as they rest.

        What it has sent there before may not have been read yet.
        """
        for stream in self._former:
            stream.close_soon()

    async def close(self, *, is_active: bool) -> None:
        """Close what only this session has used, and wait for it.

        Args:
            is_active: Whether we have opened the connection that it was on.
        """
        if self._ports is not None:
            await self._ports.close()
        if self.stream is not None and is_active and not self.stream.in_use:
            await self.stream.wait_closed()
        for stream in self._former:
            await _close_if_unused(stream)


async def _close_if_unused(stream: StreamProtocol) -> None:
    """Close a connection and wait for it, unless other sessions are on it."""
    stream.close_if_unused()
    if not stream.in_use:
        await stream.wait_closed()
