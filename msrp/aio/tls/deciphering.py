"""Octets from the wire into OpenSSL, and out of it what the peer says.

A long message comes in records of 16 KiB, and for each of them pyOpenSSL's ``recv``
makes room, asks three helpers what went wrong, and copies: half as much work again as
to decipher it.  OpenSSL's own ``SSL_read`` puts one behind the other into room that is
there.  It needs what pyOpenSSL keeps to itself and doesn't promise to keep; beside a
version that has it no more, ``recv`` does the same, only slower.

That room is where the octets from the wire were: the less memory is gone through, the
more of it is found in the processor's caches.  It begins some way in front of them, as
what the peer says may begin in a record of which most came with the last read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

from msrp.aio.streams.read_buffer import MARGIN

__all__ = [
    "RECORD",
    "Decipher",
    "decipher",
    "hand_over",
    "read_by_recv",
    "read_by_ssl_read",
]

RECORD = 16 * 1024
"""Octets of one TLS record; more is never returned by one read."""

_PIECE = 8 * RECORD
"""Octets that are handed to OpenSSL at a time.  It keeps for ever the room that it
once needed, so more would be much; less, and to hand them over costs more."""

_FIRST = 2040
"""Where in the room to begin.  The room begins at the start of a page, and so may what
OpenSSL copies from.  To copy to a place that is up to 31 octets further in its page
than the source is in its own, AMD's Zen 3 takes twelve times as long as elsewhere."""

# Nothing is written where OpenSSL hasn't taken the octets from yet: it holds less than
# one record from before, and none gets longer by being deciphered.
assert MARGIN - _FIRST >= RECORD + 2048

Decipher = Callable[
    [SSL.Connection, memoryview, bytearray], tuple[bytes, SSL.Error | None]
]
"""Takes octets from the wire, maybe none, and room to decipher them in: any, or that
which they are in, if at least :data:`~msrp.aio.streams.read_buffer.MARGIN` of it is in
front of them.  Returns what the peer says, and why it will say no more: a
``ZeroReturnError`` if it has ended TLS in good order.  Of a record that is damaged
nothing is returned, nor of those behind it."""

_lib: Any = Binding.lib
_from_buffer: Any = Binding.ffi.from_buffer


def read_by_ssl_read(
    connection: SSL.Connection, data: memoryview, room: bytearray
) -> tuple[bytes, SSL.Error | None]:
    """Have OpenSSL itself decipher; a :data:`Decipher`."""
    # Of a bytearray, since the collector of garbage, which may come across this by the
    # traceback of an error, crashes on that of a memoryview.
    openssl, read, start = connection._ssl, _lib.SSL_read, _from_buffer(room) + _FIRST
    octets = memoryview(room)[_FIRST:]  # And while it is there, the room stays.
    most = len(octets) - RECORD  # With more in it, another record has no room.
    assert most >= 0
    said: list[bytes] = []
    have = 0
    for at in range(0, len(data) or 1, _PIECE):
        hand_over(connection, data[at : at + _PIECE])
        while (size := read(openssl, start + have, RECORD)) > 0:
            have += size
            if have > most:
                said.append(bytes(octets[:have]))
                have = 0
        if _lib.SSL_get_error(openssl, size) != _lib.SSL_ERROR_WANT_READ:
            said.append(bytes(octets[:have]))
            # What it is, pyOpenSSL can tell.
            rest, end = read_by_recv(connection, data[at + _PIECE :], room)
            return b"".join((*said, rest)), end
    said.append(bytes(octets[:have]))
    return b"".join(said), None


def read_by_recv(
    connection: SSL.Connection, data: memoryview, room: bytearray
) -> tuple[bytes, SSL.Error | None]:
    """Have OpenSSL decipher as pyOpenSSL promises to; a :data:`Decipher`."""
    said: list[bytes] = []
    for at in range(0, len(data) or 1, _PIECE):
        hand_over(connection, data[at : at + _PIECE])
        try:
            while True:
                said.append(connection.recv(RECORD))
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            return b"".join(said), error
    return b"".join(said), None


def hand_over(connection: SSL.Connection, piece: memoryview) -> None:
    """Give OpenSSL octets from the wire, maybe none."""
    if piece:
        written = connection.bio_write(piece)
        assert written == len(piece), "memory takes all that there is room for"


def best() -> Decipher:
    """Return the faster of those that there is all for."""
    connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
    names = "SSL_read", "SSL_get_error", "SSL_ERROR_WANT_READ"
    has_all = hasattr(connection, "_ssl") and all(hasattr(_lib, name) for name in names)
    return read_by_ssl_read if has_all else read_by_recv


decipher = best()
"""The way that serves here."""
