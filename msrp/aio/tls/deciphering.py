"""Octets from the wire into OpenSSL, and out of it what the peer says.

A long message comes in records of 16 KiB, and for each of them pyOpenSSL's ``recv``
makes room, asks three helpers what went wrong, and copies: half as much work again as
to decipher it.  OpenSSL's own ``SSL_read`` puts one behind the other into room that is
there.  It needs what pyOpenSSL keeps to itself and doesn't promise to keep; beside a
version that has it no more, ``recv`` does the same, only slower.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

from msrp.aio.streams.read_buffer import SIZE

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

Decipher = Callable[[SSL.Connection, memoryview], tuple[bytes, SSL.Error | None]]
"""Takes octets from the wire, maybe none.  Returns what the peer says, and why it will
say no more: a ``ZeroReturnError`` if it has ended TLS in good order.  Of a record that
is damaged nothing is returned, nor of those behind it."""

_lib: Any = Binding.lib


class _Room(threading.local):
    """What a thread deciphers into, for one connection after the other."""

    def __init__(self) -> None:
        # All of a read, and the record of which the beginning came with the last one.
        self._octets = memoryview(bytearray(SIZE + 2 * RECORD))
        self.start: Any = Binding.ffi.from_buffer(self._octets)
        """Where it is."""
        self.most = len(self._octets) - RECORD
        """With how many octets in it there is room for one more record."""

    def take(self, size: int) -> bytes:
        """Return so many of its octets."""
        return bytes(self._octets[:size])


_room = _Room()


def read_by_ssl_read(
    connection: SSL.Connection, data: memoryview
) -> tuple[bytes, SSL.Error | None]:
    """Have OpenSSL itself decipher; a :data:`Decipher`."""
    openssl, read, room, start = connection._ssl, _lib.SSL_read, _room, _room.start
    said: list[bytes] = []
    have = 0
    for at in range(0, len(data) or 1, _PIECE):
        hand_over(connection, data[at : at + _PIECE])
        while (size := read(openssl, start + have, RECORD)) > 0:
            have += size
            if have > room.most:
                said.append(room.take(have))
                have = 0
        if _lib.SSL_get_error(openssl, size) != _lib.SSL_ERROR_WANT_READ:
            said.append(room.take(have))
            # What it is, pyOpenSSL can tell.
            rest, end = read_by_recv(connection, data[at + _PIECE :])
            return b"".join((*said, rest)), end
    said.append(room.take(have))
    return b"".join(said), None


def read_by_recv(
    connection: SSL.Connection, data: memoryview
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
