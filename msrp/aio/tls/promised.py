"""Octets into OpenSSL and out of it, by nothing but what pyOpenSSL promises.

:mod:`msrp.aio.tls.direct` does the same in less time, as long as it can.
"""

from __future__ import annotations

from OpenSSL import SSL

__all__ = [
    "PIECE_READ",
    "PIECE_WRITTEN",
    "RECORD",
    "Octets",
    "decipher",
    "encipher",
    "take",
    "to_send",
]

RECORD = 16 * 1024
"""Octets of one TLS record; more is never returned by one read."""

PIECE_READ = 8 * RECORD
PIECE_WRITTEN = 4 * RECORD
"""Octets that are handed to OpenSSL at a time.  It keeps for ever the room that it
once needed, so more would be much; less, and to hand them over costs more."""

Octets = bytes | memoryview
"""What the transport takes."""

_OUTPUT = 2 * PIECE_WRITTEN
"""Octets to take from OpenSSL at a time: more than it makes of a piece."""


def take(connection: SSL.Connection, octets: memoryview) -> None:
    """Give OpenSSL octets from the wire, maybe none."""
    if octets:
        written = connection.bio_write(octets)
        assert written == len(octets), "memory takes all that there is room for"


def decipher(
    connection: SSL.Connection, data: memoryview, room: bytearray
) -> tuple[bytes, SSL.Error | None]:
    """Take octets from the wire, maybe none, and return what the peer says.

    Of a record that is damaged nothing is returned, nor of those behind it.

    Args:
        connection: The connection.
        data: The octets.
        room: What may be deciphered in: any, or that which they are in, if
            :data:`~msrp.aio.streams.read_buffer.MARGIN` of it is in front of them.

    Returns:
        That, and why the peer will say no more: a ``ZeroReturnError`` if it has ended
        TLS in good order; ``None`` if it may.
    """
    said: list[bytes] = []
    for start in range(0, len(data) or 1, PIECE_READ):
        take(connection, data[start : start + PIECE_READ])
        try:
            while True:
                said.append(connection.recv(RECORD))
        except SSL.WantReadError:
            pass
        except SSL.Error as error:
            return b"".join(said), error
    return b"".join(said), None


def encipher(connection: SSL.Connection, data: bytes) -> Octets:
    """Return what to put on the wire, so that the peer reads these octets.

    Raises:
        SSL.Error: The connection is broken.
    """
    octets = memoryview(data)
    output: list[bytes] = []
    for start in range(0, len(octets), PIECE_WRITTEN):
        connection.sendall(octets[start : start + PIECE_WRITTEN])
        output.append(to_send(connection))
    return b"".join(output)


def to_send(connection: SSL.Connection) -> bytes:
    """Return what TLS itself has to put on the wire, if anything."""
    output: list[bytes] = []
    try:
        while True:
            output.append(connection.bio_read(_OUTPUT))
            if len(output[-1]) < _OUTPUT:
                break
    except SSL.WantReadError:
        pass
    return b"".join(output)
