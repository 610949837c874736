"""Octets into OpenSSL and out of it, past pyOpenSSL.

A long message comes in records of 16 KiB, and for each of them pyOpenSSL makes room,
asks three helpers what went wrong, and copies: half as much work again as to decipher
it.  OpenSSL itself puts one record behind the other into room that is there.

To call it takes what pyOpenSSL keeps to itself, and doesn't promise to keep.  Beside a
version that no longer has it, :mod:`msrp.aio.tls.promised` is used instead, where it is
also said what the functions here do, argument by argument.
"""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

from msrp.aio.streams.read_buffer import MARGIN
from msrp.aio.tls import promised
from msrp.aio.tls.promised import PIECE_READ, PIECE_WRITTEN, RECORD, Octets

__all__ = ["decipher", "encipher", "is_possible"]

_OVERHEAD = 128
"""Octets that a record has beside those that are in it, at most."""

_FIRST = 2040
"""Where in the room to begin.  The room begins at the start of a page, and so may what
OpenSSL copies from.  To copy to a place that is up to 31 octets further in its page
than the source is in its own, AMD's Zen 3 takes twelve times as long as elsewhere."""

# Nothing is written where OpenSSL hasn't taken the octets from yet: it holds less than
# one record from before, and none gets longer by being deciphered.
assert MARGIN - _FIRST >= RECORD + 2048

_lib: Any = Binding.lib
_ffi: Any = Binding.ffi
_new_room: Any = _ffi.new_allocator(should_clear_after_alloc=False)

_NEEDED = "BIO_read", "SSL_ERROR_WANT_READ", "SSL_get_error", "SSL_read", "SSL_write"
_KEPT_BY_PYOPENSSL = "_from_ssl", "_ssl"


def is_possible() -> bool:
    """Tell whether all is there that this needs."""
    connection = SSL.Connection(SSL.Context(SSL.TLS_METHOD), None)
    return all(hasattr(_lib, name) for name in _NEEDED) and all(
        hasattr(connection, name) for name in _KEPT_BY_PYOPENSSL
    )


# Whatever cffi gets is bytes or a bytearray: the collector of garbage, which may come
# across it by the traceback of an error, would crash on that of a memoryview.


def decipher(
    connection: SSL.Connection, data: memoryview, room: bytearray
) -> tuple[bytes, SSL.Error | None]:
    """Take octets from the wire, maybe none, and return what the peer says."""
    openssl, read = connection._ssl, _lib.SSL_read
    start = _ffi.from_buffer(room) + _FIRST
    octets = memoryview(room)[_FIRST:]  # And while it is there, the room stays.
    most = len(octets) - RECORD  # With more in it, another record has no room.
    assert most >= 0
    said: list[bytes] = []
    have = 0
    for at in range(0, len(data) or 1, PIECE_READ):
        promised.take(connection, data[at : at + PIECE_READ])
        while (size := read(openssl, start + have, RECORD)) > 0:
            have += size
            if have > most:
                said.append(bytes(octets[:have]))
                have = 0
        if _lib.SSL_get_error(openssl, size) != _lib.SSL_ERROR_WANT_READ:
            said.append(bytes(octets[:have]))
            # What it is, pyOpenSSL can tell.
            rest, end = promised.decipher(connection, data[at + PIECE_READ :], room)
            return b"".join((*said, rest)), end
    said.append(bytes(octets[:have]))
    return b"".join(said), None


def encipher(connection: SSL.Connection, data: bytes) -> Octets:
    """Return what to put on the wire, so that the peer reads these octets."""
    openssl, bio, size = connection._ssl, connection._from_ssl, len(data)
    start = _ffi.from_buffer(data)
    most = size + (size // RECORD + 4) * _OVERHEAD
    room = _new_room("char[]", most)
    at = have = 0
    while at < size:
        written = _lib.SSL_write(openssl, start + at, min(PIECE_WRITTEN, size - at))
        if written <= 0:
            break
        at += written
        have += max(_lib.BIO_read(bio, room + have, most - have), 0)
    output = memoryview(_ffi.buffer(room, have))
    if at == size and have < most:
        return output
    # pyOpenSSL can tell what is wrong; or TLS has more to say itself than has room.
    rest = promised.encipher(connection, data[at:]), promised.to_send(connection)
    return b"".join((output, *rest))
