"""The ``asyncio.Protocol`` under the core: octets, one timer, flow control."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import cast

from msrp.aio.streams.called import Finder, NoDirectory, SessionOwner, StreamDirectory
from msrp.aio.streams.read_buffer import buffer_of
from msrp.aio.streams.sockets import SocketOptions, is_internet, peer_of
from msrp.aio.taps.stream_tap import StreamTap, endpoint_of
from msrp.aio.taps.tapping import PortTaps
from msrp.aio.tls.wrapping import peer_certificate
from msrp.config import Limits
from msrp.errors import (
    CloseReason,
    MsrpError,
    RemoteProtocolError,
    SessionClosed,
)
from msrp.events import CoreEvent
from msrp.sansio.inquiries import OnAnswer
from msrp.sansio.parser import Parser
from msrp.sansio.session import Session, SessionState
from msrp.sansio.stream import Stream
from msrp.uri import MsrpUri
from recording import Endpoint

__all__ = ["SessionOwner", "StreamDirectory", "StreamProtocol"]

logger = logging.getLogger("msrp.stream")

_FIRST_QUANTUM = 64 * 1024
"""Octets to ask the core for at first; each time twice as many."""

_CHUNKS = 16
"""Chunks to write at a time at most: half of the usual window, so that the peer works
on these while we make the others, and we make more while it works on those."""

_QUANTUM = 256 * 1024
"""Octets to ask the core for at a time, at most."""

CLOSING_TIME = 3.0
"""Seconds that a peer has to read our last octets, and to end TLS in good order."""

_STUCK_TIME = 3.0
"""Seconds without room for more octets after which no further session is put on a
connection: what the peer takes so slowly would serve it badly, if at all."""

_QUANTA = 6
"""How often to ask before other work of the loop gets its turn."""


_UNSENT = 512 * 1024
"""Octets that the system may hold before it sends them.  What is in its hands can't
be overtaken: without a limit, a line of text waits behind megabytes of a file.  It
takes more again when half of that is gone, which is all that we write at a time."""


class StreamProtocol(asyncio.BufferedProtocol, asyncio.Protocol):
    """One connection.

    Args:
        directory: Finds sessions that the peer may call; ``None`` on a stream
            that we have opened.
        limits: Bounds on the peer.
        response_timeout: Seconds until a missing response is a failure.
        sockets: How to mark what is sent.
        any_host: Whether the session id alone names a session on this stream.
        idle_time: Seconds that it stays open without a session; for a connection to
            a relay, which we have opened though there is a directory.
        port: The taps of whom it belongs to.
    """

    def __init__(
        self,
        directory: StreamDirectory | None = None,
        *,
        limits: Limits | None = None,
        response_timeout: float = 30.0,
        sockets: SocketOptions | None = None,
        any_host: bool = False,
        idle_time: float | None = None,
        port: PortTaps | None = None,
    ) -> None:
        self.owners: dict[Session, SessionOwner] = {}
        self._called: dict[Session, None] = {}
        self._sockets = sockets or SocketOptions()
        self._any_host = any_host
        self._loop = asyncio.get_running_loop()
        self._buffer = buffer_of(self._loop)
        self._directory = directory or NoDirectory()
        self._core = Stream(
            Finder(self, self._directory),
            self._loop.time(),
            limits=limits,
            response_timeout=response_timeout,
            on_probation=directory is not None and idle_time is None,
            idle_time=idle_time,
        )
        self._port = port
        self.tap: StreamTap | None = None
        """What hears all that goes over it, while anybody listens."""
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._write_paused = False
        self._write_paused_since = 0.0
        self._read_paused = False
        self._new_owners = False
        """Whether one has come that wasn't asked yet whether to read."""
        self._flush_due = False
        self._just_written = False
        self._timed_out = False
        """Whether nothing has happened since the timer went off."""
        self._to_tell: list[tuple[Session, list[CoreEvent]]] | None = None
        """What is being told to the owners of sessions."""
        self._patience: asyncio.TimerHandle | None = None
        self._gone: asyncio.Future[None] = self._loop.create_future()

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and turn Nagle off."""
        # uvloop's transports are no subclass of asyncio's, and the same otherwise.
        self._transport = transport = cast(asyncio.Transport, transport)
        if self._port is not None:
            self._port.opened(self)
        sock = transport.get_extra_info("socket")
        if is_internet(sock):
            self._sockets.apply(sock)
            # Else each exchange of short messages costs 40 ms and more.
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                sock.setsockopt(IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)
        self.flush()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the loop's buffer."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read into it."""
        self.data_received(bytes(self._buffer[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Give the core what was read."""
        self._just_written = self._timed_out = False
        if self.tap is not None:
            self.tap.received(data)
        self._core.receive_data(data, self._loop.time())
        self._adopt()
        self.flush()

    def eof_received(self) -> bool:
        """Tell the core; what it still has to say goes out before the end."""
        self._core.receive_eof(self._loop.time())
        self.flush()
        return False

    def pause_writing(self) -> None:
        """Ask the core for no more."""
        self._write_paused = True
        self._write_paused_since = self._loop.time()

    def resume_writing(self) -> None:
        """Ask the core again."""
        self._write_paused = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the core, and whoever waits."""
        if not self._core.closing:
            if exc is None:
                self._core.receive_eof(self._loop.time())
                self._core.abandon(CloseReason.BY_THEM)
            else:
                self._core.connection_lost(_lost(exc))
        self._transport = None
        for timer in (self._timer, self._patience):
            if timer is not None:
                timer.cancel()
        self._timer = self._patience = None
        self._deliver()
        if self._port is not None:
            self._port.closed(self)
        self._directory.stream_closed(self)
        if not self._gone.done():
            self._gone.set_result(None)

    # What the rest of the shell calls.

    @property
    def certificate(self) -> bytes | None:
        """The peer's certificate in DER; ``None`` without TLS, or if it has none."""
        return None if self._transport is None else peer_certificate(self._transport)

    @property
    def secure(self) -> bool:
        """Whether the connection runs over TLS."""
        transport = self._transport
        return transport is not None and bool(transport.get_extra_info("ssl_object"))

    @property
    def peer(self) -> str:
        """Where the connection comes from or goes to, for messages to people."""
        return peer_of(self._transport)

    @property
    def local_address(self) -> tuple[str, int]:
        """Our own end of the connection."""
        name = self._transport and self._transport.get_extra_info("sockname")
        return (name[0], name[1]) if name else ("localhost", 9)

    @property
    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Our end of the connection, and the other."""
        transport = self._transport
        names = ("sockname", "peername")
        ours, theirs = (transport and transport.get_extra_info(each) for each in names)
        return endpoint_of(ours), endpoint_of(theirs)

    @property
    def is_holding(self) -> bool:
        """Whether what was read waits for a session that is being negotiated."""
        return self._core.is_holding

    def parsers_in_step(self) -> tuple[Parser, Parser]:
        """Return parsers that are where reading and writing are now."""
        return self._core.parsers_in_step()

    @property
    def error(self) -> MsrpError | None:
        """Why it was given up, when it wasn't in good order."""
        return self._core.error

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be asked or begun on it any more."""
        transport = self._transport
        return transport is None or transport.is_closing() or self._core.closing

    @property
    def is_gone(self) -> bool:
        """Whether the connection is closed, on our side."""
        return self._gone.done()

    @property
    def in_use(self) -> bool:
        """Whether there is a session on it."""
        return bool(self._core.sessions)

    @property
    def takes_another(self) -> bool:
        """Whether one more session of ours would be well served here."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._read_paused:
            return False
        if self._write_paused:
            stuck = self._loop.time() - self._write_paused_since
            if stuck > _STUCK_TIME:
                return False
        return self._core.takes_another

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Have something called soon after the connection is closed."""
        self._gone.add_done_callback(lambda _: callback())

    def own_session(self, uri: MsrpUri) -> Session | None:
        """Return the session with this URI that is bound to this stream."""
        own = self._core.session_at(uri)
        if own is None and self._any_host:
            return self._namesake(uri)
        return own

    def attach(
        self, session: Session, owner: SessionOwner, *, tentative: bool = False
    ) -> None:
        """Open a session from our side.

        Args:
            session: It.
            owner: Whom to tell what happens in it.
            tentative: As for :meth:`msrp.sansio.stream.Stream.attach`.
        """
        self.owners[session] = owner
        self._new_owners = True
        owner.carried_by(self)
        if self._port is not None:
            self._port.joined(self, owner)
        self._core.attach(session, self._loop.time(), tentative=tentative)
        self.flush()

    def ask(self, transaction_id: str, octets: bytes, on_answer: OnAnswer) -> None:
        """Send a request that belongs to no session.

        Args:
            transaction_id: As for :meth:`msrp.sansio.stream.Stream.ask`, and so are
                those that follow.
            octets: The whole of it.
            on_answer: Is told the answer, or that there won't be any.
        """
        self._core.ask(transaction_id, octets, on_answer, self._loop.time())
        self.flush()

    def called(self, session: Session, owner: SessionOwner) -> None:
        """Note who owns a session that the peer calls, should it get it."""
        self.owners[session] = owner
        self._new_owners = True
        self._called[session] = None

    def retry(self) -> None:
        """Go on with what waited for a session to be there."""
        self._core.retry(self._loop.time())
        self._adopt()
        self.flush()

    def flush(self) -> None:
        """Write what there is to write, as far as the transport takes it."""
        transport = self._transport
        if transport is None or transport.is_closing():
            self._deliver()
            return
        now = self._write_out(transport)
        # What the peer waits for is out before anything is done about what it said.
        self._deliver()
        # Owners say so when they get enough: a connection may have a thousand.
        if self._new_owners or self._read_paused or not self._core.reading_wanted:
            self.update_reading()
        self._arm(now)
        if self._core.closing:
            self._close_if_done()

    def _write_out(self, transport: asyncio.Transport) -> float:
        """Give the transport what it takes; return the time."""
        now = self._loop.time()
        quantum = _QUANTUM if self._core.in_long_chunk else _FIRST_QUANTUM
        for _ in range(_QUANTA):
            if self._write_paused:
                break
            data = self._core.data_to_send(quantum, now, _CHUNKS)
            if not data:
                break
            if self.tap is not None:
                self.tap.sent(data)
            transport.write(data)
            quantum = min(2 * quantum, _QUANTUM)
        else:
            self._flush_soon()
        return now

    def write(self) -> None:
        """Write at once, unless the last thing that happened here was just that.

        Then it is done in the next turn of the loop, with what else has come until
        then: who sends many short messages would have a system call for each.
        """
        transport = self._transport
        if self._just_written:
            if not self._flush_due:
                self._flush_soon()
        elif transport is None or transport.is_closing() or self._core.closing:
            self.flush()
        else:
            self._just_written = True
            self._timed_out = False
            # Whether we read, and whether we close, has nothing to do with it.
            now = self._write_out(transport)
            self._deliver()
            self._arm(now)

    def update_reading(self) -> None:
        """Read or don't, as the core and the sessions' owners wish."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        self._new_owners = False
        wanted = self._core.reading_wanted
        for owner in self.owners.values():
            wanted = wanted and owner.reading_wanted
        if wanted and self._read_paused:
            self._read_paused = False
            self._core.resume(self._loop.time())
            transport.resume_reading()
            self._arm(self._loop.time())
        elif not wanted and not self._read_paused:
            self._read_paused = True
            self._core.pause(self._loop.time())
            transport.pause_reading()

    def close(self) -> None:
        """Write what there is, then close; sessions that are left are over."""
        self._core.abandon(CloseReason.BY_US)
        self.flush()

    def close_if_unused(self) -> None:
        """Close, unless a session is left."""
        if not self.in_use:
            self.close()

    def close_soon(self) -> None:
        """Close when the peer has been silent for a while, unless a session is left."""
        self._core.close_soon()
        self.flush()

    def leave(self, session: Session, owner: SessionOwner) -> None:
        """Have what comes for a session received which would have been called here.

        Args:
            session: It; another one takes its place.
            owner: Whom to tell what comes.
        """
        self.owners[session] = owner
        self._new_owners = True
        self._core.leave(session)

    def abort(self, error: MsrpError) -> None:
        """Close at once; not an octet more goes out or is believed."""
        self._core.abandon(CloseReason.LOST, error)
        if self._transport is not None:
            self._transport.abort()
        self._deliver()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone; a peer that doesn't read is left."""
        if not await self._gone_within(CLOSING_TIME) and self._transport is not None:
            self._transport.abort()
            await asyncio.shield(self._gone)

    async def _gone_within(self, seconds: float) -> bool:
        await asyncio.wait([self._gone], timeout=seconds)
        return self._gone.done()

    # Inside.

    def _namesake(self, uri: MsrpUri) -> Session | None:
        """Return the only session here with the id in a URI."""
        if uri.session_id is None:
            return None
        found = [
            session
            for session in self._core.sessions
            if session.local_uri.session_id == uri.session_id
        ]
        return found[0] if len(found) == 1 else None

    def _adopt(self) -> None:
        """Tell the owners of sessions that were called which of them are here now."""
        for session in self._called:
            if session.stream is self._core:
                self.owners[session].carried_by(self)
                self._directory.stream_bound(self)
            elif session.state is not SessionState.CLOSED:
                del self.owners[session]  # It was called, and not bound.
        self._called.clear()
        if self.tap is not None:
            self.tap.catch_up()

    def _deliver(self) -> None:
        told = self._core.events_received()
        if not told:
            return
        if self._to_tell is not None:
            self._to_tell += told  # A hook has led to them; others come first.
            return
        self._to_tell = told
        try:
            for session, events in told:
                owner = self.owners.get(session)
                if owner is not None:
                    owner.events_arrived(events)
                if session.stream is None and session not in self._core.left:
                    self.owners.pop(session, None)
        finally:
            self._to_tell = None

    def _close_if_done(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not self._core.closing:
            return
        if self._patience is None:
            if self._core.error is not None:
                broken = isinstance(self._core.error, RemoteProtocolError)
                level = logging.WARNING if broken else logging.INFO
                logger.log(level, "closing %s: %s", self.peer, self._core.error)
            # Else a peer that doesn't read would keep the connection for ever.
            self._patience = self._loop.call_later(CLOSING_TIME, transport.abort)
        if not self._write_paused and not self._flush_due:
            transport.close()

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flush_due = False
        self._just_written = False
        self.flush()

    def _arm(self, now: float) -> None:
        """Have one timer that goes off no later than the core wishes.

        It goes off whenever something *could* be due, and looks again: to ask the
        core each time that a message comes or goes would cost more than the message.
        """
        soon, timer = now + self._core.shortest_wait, self._timer
        if timer is not None and self._timer_at <= soon:
            return
        due = None if self._transport is None else self._core.next_timeout()
        if due is None and (self._transport is None or self._timed_out):
            return
        due = soon if due is None else min(due, soon)
        if timer is not None:
            if self._timer_at <= due:
                return
            timer.cancel()
        # uvloop gives no timer, which could be asked for it, for what is due at once.
        self._timer_at = due
        self._timer = self._loop.call_at(due, self._time_out)

    def _time_out(self) -> None:
        self._timer = None
        self._timed_out = True
        self._core.handle_timeout(self._loop.time())
        self._adopt()  # It may have gone on with what waited for another session.
        self.flush()


def _lost(exc: Exception) -> MsrpError:
    error = SessionClosed(CloseReason.LOST)
    error.__cause__ = exc
    return error
