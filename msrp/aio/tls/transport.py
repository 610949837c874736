"""TLS between a TCP connection of asyncio's and a protocol of ours.

asyncio's own way to TLS knows nothing but the ``ssl`` module, which can't do what we
need (see :mod:`msrp.aio.tls.context`).  It would also keep a quarter of a MiB for
each connection, and copy each octet several times more.

A :class:`TlsTransport` is both: for the TCP connection it is the protocol, for ours it
is the transport.  What is written is enciphered at once and belongs to the transport
below, whose flow control is ours, too; what is read is deciphered out of the loop's
buffer and passed on in the same callback.  So it holds no octets of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import errno
import socket
import ssl
from collections.abc import Callable
from typing import Any, TypeVar, cast

from msrp.aio.streams.read_buffer import buffer_of
from msrp.aio.tls.connection import TlsConnection
from msrp.aio.tls.promised import Octets

__all__ = ["TlsTransport", "open_tls"]

P = TypeVar("P", bound=asyncio.Protocol)


class _State(enum.Enum):
    HANDSHAKE = enum.auto()
    OPEN = enum.auto()
    CLOSING = enum.auto()
    """We have said that nothing more will come, and wait for the peer to say so."""
    CLOSED = enum.auto()
    """Nothing is read or written any more."""


_NEXT = {
    _State.HANDSHAKE: {_State.OPEN, _State.CLOSED},
    _State.OPEN: {_State.CLOSING, _State.CLOSED},
    _State.CLOSING: {_State.CLOSED},
    _State.CLOSED: {_State.CLOSED},
}


class TlsTransport(asyncio.Transport, asyncio.BufferedProtocol):
    """One connection over TLS, from the handshake to the end.

    Args:
        tls: Its state in OpenSSL, which knows our role.
        new_protocol: Makes what gets the connection once it is secure.
        handshake_time: Seconds that the handshake may take.
        closing_time: Seconds that the peer may take to end TLS in good order.
        on_handshake: Called when the handshake is over: with the error, if it has
            failed; else after the protocol has got the connection.
    """

    __slots__ = (
        "_closing_time",
        "_eof_waits",
        "_error",
        "_handshake_time",
        "_loop",
        "_lower",
        "_new_protocol",
        "_on_handshake",
        "_protocol",
        "_reading",
        "_state",
        "_timer",
        "_tls",
    )

    def __init__(
        self,
        tls: TlsConnection,
        new_protocol: Callable[[TlsTransport], asyncio.Protocol],
        *,
        handshake_time: float,
        closing_time: float,
        on_handshake: Callable[[OSError | None], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._tls = tls
        self._new_protocol: Callable[[TlsTransport], asyncio.Protocol] | None
        self._new_protocol = new_protocol
        self._handshake_time = handshake_time
        self._closing_time = closing_time
        self._on_handshake: Callable[[OSError | None], None] | None = on_handshake
        self._protocol: asyncio.Protocol | None = None
        self._lower: asyncio.Transport | None = None
        self._state = _State.HANDSHAKE
        self._timer: asyncio.TimerHandle | None = None
        self._error: OSError | None = None
        self._reading = True
        self._eof_waits = False

    # What asyncio calls: the TCP connection's protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the handshake."""
        # uvloop's transports are no subclass of asyncio's, and the same otherwise.
        self._lower = cast(asyncio.Transport, transport)
        if self._state is _State.CLOSED:
            self._lower.abort()
            return
        self._timer = self._loop.call_later(self._handshake_time, self._handshake_late)
        self._shake_hands()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Lend the loop's buffer, as much of it as our protocol would, if it does."""
        protocol = self._protocol
        if isinstance(protocol, asyncio.BufferedProtocol):
            buffer: memoryview = protocol.get_buffer(sizehint)
            return buffer
        return buffer_of(self._loop).usual

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read into it."""
        buffer = buffer_of(self._loop)
        if self._state is _State.HANDSHAKE:
            self._tls.take(buffer.octets[:nbytes])
            self._shake_hands()
        elif self._state is not _State.CLOSED:
            self._take(self._tls.read(buffer, nbytes))

    def eof_received(self) -> bool:
        """End the connection, also if the peer has not ended TLS before."""
        if self._state is _State.HANDSHAKE:
            gone = ConnectionResetError(errno.ECONNRESET, "the peer has hung up")
            self._handshake_failed(gone)
        else:
            # RFC 8446, 6.1, has the peer say so first.  Whether a message is whole is
            # seen without that.
            self._tls.ended = True
            self._ended()
        return self._eof_waits

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass it on."""
        if self._state is _State.HANDSHAKE:
            gone = ConnectionResetError(errno.ECONNRESET, "the peer has hung up")
            self._handshake_failed(exc if isinstance(exc, OSError) else gone)
        self._close_for_good()
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connection_lost(self._error or exc)

    def pause_writing(self) -> None:
        """Pass it on."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    # What our protocol calls: its transport.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encipher octets and have them sent."""
        if self._state is not _State.OPEN or not data:
            return
        try:
            self._send(self._tls.write(bytes(data)))
        except ssl.SSLError as error:
            self._break(error)

    def can_write_eof(self) -> bool:
        """Say no: TLS before 1.3 ends in both directions at once."""
        return False

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._reading = False
        if self._state is _State.OPEN and self._lower is not None:
            self._lower.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._reading = True
        if self._state is _State.OPEN and self._lower is not None:
            self._lower.resume_reading()
            if self._eof_waits:
                self._loop.call_soon(self._ended)

    def is_reading(self) -> bool:
        """Tell whether what the peer says is passed on."""
        return self._state is _State.OPEN and self._reading

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return what is known of the connection, and as ``ssl_object`` its TLS."""
        if name == "ssl_object":
            return self._tls
        if self._lower is None:
            return default
        return self._lower.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Have another protocol get what comes."""
        assert isinstance(protocol, asyncio.Protocol)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Return what gets what comes."""
        assert self._protocol is not None
        return self._protocol

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """Say how many octets may wait to be sent."""
        assert self._lower is not None
        self._lower.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Return how many octets wait to be sent."""
        return 0 if self._lower is None else self._lower.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Tell whether nothing more can be written."""
        return self._state in (_State.CLOSING, _State.CLOSED)

    def close(self) -> None:
        """End TLS, then the connection, when all is sent."""
        if self._state is _State.HANDSHAKE:
            self.abort()
        elif self._state is _State.OPEN and self._lower is not None:
            self._enter(_State.CLOSING)
            self._timer = self._loop.call_later(self._closing_time, self.abort)
            self._send(self._tls.close())
            # What the peer still sends would have TCP throw away what is on its way
            # to the peer: it is read until the peer has ended, too.
            if self._tls.ended:
                self._lower.close()
            elif not self._reading:
                self._lower.resume_reading()

    def abort(self) -> None:
        """End the connection at once."""
        if self._state is _State.HANDSHAKE:
            aborted = ConnectionAbortedError(errno.ECONNABORTED, "it was given up")
            self._handshake_failed(aborted)
        self._close_for_good()

    # Inside.

    def _enter(self, state: _State) -> None:
        assert state in _NEXT[self._state], f"{self._state} to {state}"
        self._state = state
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _shake_hands(self) -> None:
        try:
            done = self._tls.do_handshake()
        except ssl.SSLError as error:
            self._send_at_once()  # The alert that tells the peer why.
            self._handshake_failed(error)
            return
        self._send(self._tls.to_send())
        if done and self._state is _State.HANDSHAKE:
            self._enter(_State.OPEN)
            self._hand_over()
            self._take(self._tls.read(buffer_of(self._loop), 0))

    def _hand_over(self) -> None:
        new_protocol, self._new_protocol = self._new_protocol, None
        assert new_protocol is not None
        self._protocol = new_protocol(self)
        self._protocol.connection_made(self)
        self._handshake_over(None)

    def _handshake_late(self) -> None:
        problem = f"no TLS handshake within {self._handshake_time:g} s"
        late = ConnectionAbortedError(errno.ECONNABORTED, problem)
        self._handshake_failed(late)

    def _handshake_failed(self, error: OSError) -> None:
        self._enter(_State.CLOSED)
        self._handshake_over(error)
        self._close_for_good()

    def _handshake_over(self, error: OSError | None) -> None:
        tell, self._on_handshake = self._on_handshake, None
        if tell is not None:
            tell(error)

    def _take(self, said: bytes) -> None:
        """Pass on what the peer has said."""
        tls = self._tls
        if tls.answers:
            self._send(tls.to_send())  # Else a peer could make it any amount.
        if said and self._state is _State.OPEN:
            assert self._protocol is not None
            self._protocol.data_received(said)
        if tls.error is not None:
            self._break(tls.error)
        elif tls.ended:
            self._ended()

    def _ended(self) -> None:
        """Tell the protocol that nothing more will come, and end our side as well."""
        if self._state is _State.OPEN:
            self._eof_waits = not self._reading
            if self._eof_waits:
                return
            assert self._protocol is not None
            self._protocol.eof_received()
            self.close()
        elif self._state is _State.CLOSING and self._lower is not None:
            self._lower.close()

    def _break(self, error: ssl.SSLError) -> None:
        if self._state is not _State.CLOSED:
            self._error = error
            self._send_at_once()
            self._close_for_good()

    def _send(self, octets: Octets) -> None:
        if octets and self._lower is not None:
            self._lower.write(octets)

    def _send_at_once(self) -> None:
        """Write the last octets of a connection, if it is still there."""
        with contextlib.suppress(OSError):
            self._send(self._tls.to_send())

    def _close_for_good(self) -> None:
        self._enter(_State.CLOSED)
        if self._lower is not None:
            self._lower.abort()


async def open_tls(
    tls: TlsConnection,
    sock: socket.socket,
    new_protocol: Callable[[], P],
    *,
    handshake_time: float,
    closing_time: float,
) -> P:
    """Open TLS on a connection, and return the protocol that has got it.

    Args:
        tls: Its state in OpenSSL, for a client.
        sock: The connection; it is closed if this fails.
        new_protocol: Makes what gets the connection.
        handshake_time: Seconds that the handshake may take.
        closing_time: Seconds that the end of TLS may take, later.

    Raises:
        OSError: The handshake has failed.
    """
    loop = asyncio.get_running_loop()
    secured: asyncio.Future[P] = loop.create_future()
    made: list[P] = []

    def make(_: TlsTransport) -> P:
        made.append(new_protocol())
        return made[0]

    def over(error: OSError | None) -> None:
        if secured.done():
            return
        if error is None:
            secured.set_result(made[0])
        else:
            secured.set_exception(error)

    transport = TlsTransport(
        tls,
        make,
        handshake_time=handshake_time,
        closing_time=closing_time,
        on_handshake=over,
    )
    try:
        await loop.create_connection(lambda: transport, sock=sock)
        return await secured
    except BaseException:
        secured.cancel()  # Nobody asks for what becomes of it.
        transport.abort()
        raise
