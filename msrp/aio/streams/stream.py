"""The ``asyncio.Protocol`` under the core: what happens on a connection, in order.

Each time that something was read, or is to be sent, or is due, the core is told; then
goes out what it has to say; then the owners of sessions hear what has happened to them.
The octets are moved by :mod:`msrp.aio.streams.wire`, the owners are known to
:mod:`msrp.aio.streams.carried`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from msrp.aio.streams.called import NoDirectory, SessionOwner, StreamDirectory
from msrp.aio.streams.carried import Carried
from msrp.aio.streams.closing import Closing
from msrp.aio.streams.sockets import SocketOptions
from msrp.aio.streams.wire import Wire
from msrp.aio.taps.tapping import PortTaps
from msrp.config import Limits
from msrp.errors import CloseReason, MsrpError, SessionClosed
from msrp.sansio.inquiries import OnAnswer
from msrp.sansio.parser import Parser
from msrp.sansio.session import Session
from msrp.sansio.stream import Stream

__all__ = ["StreamProtocol"]

_NO_DIRECTORY = NoDirectory()

_UNMARKED = SocketOptions()


class StreamProtocol(Wire):
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

    __slots__ = ("_carried", "_closing", "_port", "is_gone")

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
        loop = asyncio.get_running_loop()
        called = directory or _NO_DIRECTORY
        self._carried = Carried(self, called, any_host=any_host)
        core = Stream(
            self._carried,
            loop.time(),
            limits=limits,
            response_timeout=response_timeout,
            on_probation=directory is not None and idle_time is None,
            idle_time=idle_time,
        )
        super().__init__(core, loop, sockets or _UNMARKED)
        self._port = port
        self._closing: Closing | None = None
        self.is_gone = False
        """Whether the connection is closed, on our side."""

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and say what there is to say."""
        super().connection_made(transport)
        if self._port is not None:
            self._port.opened(self)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Give the core what was read."""
        self._just_written = self._timed_out = False
        if self.tap is not None:
            self.tap.received(data)
        self.core.receive_data(data, self._loop.time())
        self._go_on()

    def eof_received(self) -> bool:
        """Tell the core; what it still has to say goes out before the end."""
        self.core.receive_eof(self._loop.time())
        self.flush()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the core, and whoever waits."""
        if not self.core.closing:
            if exc is None:
                self.core.receive_eof(self._loop.time())
                self.core.abandon(CloseReason.BY_THEM)
            else:
                self.core.connection_lost(_lost(exc))
        super().connection_lost(exc)
        self._deliver()
        if self._port is not None:
            self._port.closed(self)
        self._carried.closed()
        self.is_gone = True
        if self._closing is not None:
            self._closing.finish()

    # What is done each time that something has happened.

    def _go_on(self) -> None:
        """Do what follows from what the core has just taken in."""
        if self._carried.called:
            self._carried.adopt()
        if self.tap is not None:
            self.tap.catch_up()
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
        if self._carried.has_new or self._read_paused or not self.core.reading_wanted:
            self.update_reading()
        self._arm(now)
        if self.core.closing:
            self._close_if_done()

    def write(self) -> None:
        """Write at once, unless the last thing that happened here was just that.

        Then it is done in the next turn of the loop, with what else has come until
        then: who sends many short messages would have a system call for each.
        """
        transport = self._transport
        if self._just_written:
            if not self._flush_due:
                self._flush_soon()
        elif transport is None or transport.is_closing() or self.core.closing:
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
        wanted = self._carried.reading_wanted() and self.core.reading_wanted
        self._read_on(transport, wanted)

    def _deliver(self) -> None:
        told = self.core.events_received()
        if told:
            self._carried.tell(told)

    # The sessions on it.

    @property
    def owners(self) -> dict[Session, SessionOwner]:
        """Who is to be told what happens in each session."""
        return self._carried.owners

    @property
    def in_use(self) -> bool:
        """Whether there is a session on it."""
        return bool(self.core.sessions)

    @property
    def takes_another(self) -> bool:
        """Whether one more session of ours would be well served here."""
        transport = self._transport
        if transport is None or transport.is_closing() or self._read_paused:
            return False
        return not self._is_stuck and self.core.takes_another

    def attach(
        self, session: Session, owner: SessionOwner, *, tentative: bool = False
    ) -> None:
        """Open a session from our side.

        Args:
            session: It.
            owner: Whom to tell what happens in it.
            tentative: As for :meth:`msrp.sansio.stream.Stream.attach`.
        """
        self._carried.add(session, owner)
        owner.carried_by(self)
        if self._port is not None:
            self._port.joined(self, owner)
        self.core.attach(session, self._loop.time(), tentative=tentative)
        self.flush()

    def leave(self, session: Session, owner: SessionOwner) -> None:
        """Have what comes for a session received which would have been called here.

        Args:
            session: It; another one takes its place.
            owner: Whom to tell what comes.
        """
        self._carried.add(session, owner)
        self.core.leave(session)

    def retry(self) -> None:
        """Go on with what waited for a session to be there."""
        self.core.retry(self._loop.time())
        self._go_on()

    def ask(self, transaction_id: str, octets: bytes, on_answer: OnAnswer) -> None:
        """Send a request that belongs to no session.

        Args:
            transaction_id: As for :meth:`msrp.sansio.stream.Stream.ask`, and so are
                those that follow.
            octets: The whole of it.
            on_answer: Is told the answer, or that there won't be any.
        """
        self.core.ask(transaction_id, octets, on_answer, self._loop.time())
        self.flush()

    # What its tap asks.

    @property
    def is_holding(self) -> bool:
        """Whether what was read waits for a session that is being negotiated."""
        return self.core.is_holding

    def parsers_in_step(self) -> tuple[Parser, Parser]:
        """Return parsers that are where reading and writing are now."""
        return self.core.parsers_in_step()

    # Its end.

    @property
    def error(self) -> MsrpError | None:
        """Why it was given up, when it wasn't in good order."""
        return self.core.error

    @property
    def is_closing(self) -> bool:
        """Whether nothing can be asked or begun on it any more."""
        transport = self._transport
        return transport is None or transport.is_closing() or self.core.closing

    def close(self) -> None:
        """Write what there is, then close; sessions that are left are over."""
        self.core.abandon(CloseReason.BY_US)
        self.flush()

    def close_if_unused(self) -> None:
        """Close, unless a session is left."""
        if not self.in_use:
            self.close()

    def close_soon(self) -> None:
        """Close when the peer has been silent for a while, unless a session is left."""
        self.core.close_soon()
        self.flush()

    def abort(self, error: MsrpError) -> None:
        """Close at once; not an octet more goes out or is believed."""
        self.core.abandon(CloseReason.LOST, error)
        self.cut()
        self._deliver()

    def when_gone(self, callback: Callable[[], None]) -> None:
        """Have something called soon after the connection is closed."""
        self._end().when_gone(callback)

    async def wait_closed(self) -> None:
        """Wait until the connection is gone; a peer that doesn't read is left."""
        await self._end().wait()

    def _end(self) -> Closing:
        if self._closing is None:
            self._closing = Closing(self)
        return self._closing

    def _close_if_done(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return  # An owner has closed it, when it heard what has happened.
        self._end().begin()
        if not self._write_paused and not self._flush_due:
            transport.close()


def _lost(exc: Exception) -> MsrpError:
    error = SessionClosed(CloseReason.LOST)
    error.__cause__ = exc
    return error
