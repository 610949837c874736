"""Between a transport and the core: octets both ways, one timer, and how much of each.

What is done here would be the same whatever the octets are for.  In which order it is
done, and for whom, is written in :mod:`msrp.aio.streams.stream`.
"""

from __future__ import annotations

import asyncio
import socket
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import cast

from msrp.aio.streams.read_buffer import buffer_of
from msrp.aio.streams.sockets import SocketOptions, is_internet, peer_of
from msrp.aio.taps.stream_tap import StreamTap, endpoint_of
from msrp.aio.tls.wrapping import peer_certificate
from msrp.sansio.stream import Stream
from recording import Endpoint

__all__ = ["Wire"]

_FIRST_QUANTUM = 64 * 1024
"""Octets to ask the core for at first; each time twice as many."""

_CHUNKS = 16
"""Chunks to write at a time at most: half of the usual window, so that the peer works
on these while we make the others, and we make more while it works on those."""

_QUANTUM = 256 * 1024
"""Octets to ask the core for at a time, at most."""

_QUANTA = 6
"""How often to ask before other work of the loop gets its turn."""

_STUCK_TIME = 3.0
"""Seconds without room for more octets after which no further session is put on a
connection: what the peer takes so slowly would serve it badly, if at all."""

_UNSENT = 512 * 1024
"""Octets that the system may hold before it sends them.  What is in its hands can't
be overtaken: without a limit, a line of text waits behind megabytes of a file.  It
takes more again when half of that is gone, which is all that we write at a time."""


class Wire(asyncio.BufferedProtocol, asyncio.Protocol):
    """What moves the octets of one connection, and wakes its core.

    Args:
        core: The protocol state.
        loop: Where it runs.
        sockets: How to mark what is sent.
    """

    __slots__ = (
        "_buffer",
        "_flush_due",
        "_just_written",
        "_loop",
        "_read_paused",
        "_sockets",
        "_timed_out",
        "_timer",
        "_timer_at",
        "_transport",
        "_write_paused",
        "_write_paused_since",
        "core",
        "tap",
    )

    def __init__(
        self, core: Stream, loop: asyncio.AbstractEventLoop, sockets: SocketOptions
    ) -> None:
        self.core = core
        """The protocol state."""
        self.tap: StreamTap | None = None
        """What hears all that goes over it, while anybody listens."""
        self._loop = loop
        self._sockets = sockets
        self._buffer = buffer_of(loop)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._timed_out = False
        """Whether nothing has happened since the timer went off."""
        self._write_paused = False
        self._write_paused_since = 0.0
        self._read_paused = False
        self._flush_due = False
        self._just_written = False

    def flush(self) -> None:
        """Write what there is to write, and tell what has happened."""
        raise NotImplementedError

    def _go_on(self) -> None:
        """Do what follows from what the core has just taken in."""
        raise NotImplementedError

    # Its transport.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport, and turn Nagle off."""
        # uvloop's transports are no subclass of asyncio's, and the same otherwise.
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        if is_internet(sock):
            self._sockets.apply(sock)
            # Else each exchange of short messages costs 40 ms and more.
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            if hasattr(socket, "TCP_NOTSENT_LOWAT"):
                sock.setsockopt(IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the transport, and of the time."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def cut(self) -> bool:
        """Close the transport at once; tell whether there is one."""
        if self._transport is None:
            return False
        self._transport.abort()
        return True

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

    # Reading.

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the loop's buffer."""
        buffer = self._buffer
        return buffer.octets if self.core.in_long_message else buffer.usual

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read into it."""
        self.data_received(bytes(self._buffer.octets[:nbytes]))

    def _read_on(self, transport: asyncio.Transport, wanted: bool) -> None:
        """Read, or don't."""
        if wanted and self._read_paused:
            self._read_paused = False
            self.core.resume(self._loop.time())
            transport.resume_reading()
            self._arm(self._loop.time())
        elif not wanted and not self._read_paused:
            self._read_paused = True
            self.core.pause(self._loop.time())
            transport.pause_reading()

    # Writing.

    def pause_writing(self) -> None:
        """Ask the core for no more."""
        self._write_paused = True
        self._write_paused_since = self._loop.time()

    def resume_writing(self) -> None:
        """Ask the core again."""
        self._write_paused = False
        self.flush()

    @property
    def _is_stuck(self) -> bool:
        """Whether the peer has taken nothing for a while."""
        if not self._write_paused:
            return False
        return self._loop.time() - self._write_paused_since > _STUCK_TIME

    def _write_out(self, transport: asyncio.Transport) -> float:
        """Give the transport what it takes; return the time."""
        now = self._loop.time()
        quantum = _QUANTUM if self.core.in_long_chunk else _FIRST_QUANTUM
        for _ in range(_QUANTA):
            if self._write_paused:
                break
            data = self.core.data_to_send(quantum, now, _CHUNKS)
            if not data:
                break
            if self.tap is not None:
                self.tap.sent(data)
            transport.write(data)
            quantum = min(2 * quantum, _QUANTUM)
        else:
            self._flush_soon()
        return now

    def _flush_soon(self) -> None:
        if not self._flush_due:
            self._flush_due = True
            self._loop.call_soon(self._flush_now)

    def _flush_now(self) -> None:
        self._flush_due = False
        self._just_written = False
        self.flush()

    # The time.

    def _arm(self, now: float) -> None:
        """Have one timer that goes off no later than the core wishes.

        It goes off whenever something *could* be due, and looks again: to ask the
        core each time that a message comes or goes would cost more than the message.
        """
        soon, timer = now + self.core.shortest_wait, self._timer
        if timer is not None and self._timer_at <= soon:
            return
        due = None if self._transport is None else self.core.next_timeout()
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
        self.core.handle_timeout(self._loop.time())
        self._go_on()
