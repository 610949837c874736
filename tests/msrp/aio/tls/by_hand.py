"""TLS without a network: what one side gives is carried to the other by hand."""

from __future__ import annotations

import msrp
from msrp.aio.streams.read_buffer import SIZE, ReadBuffer
from msrp.aio.tls.connection import TlsConnection
from msrp.aio.tls.context import TlsContext

__all__ = ["Certs", "carry", "pair", "read", "said"]

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


def carry(source: TlsConnection, target: TlsConnection) -> None:
    target.take(memoryview(source.to_send()))


def pair(certs: Certs) -> tuple[TlsConnection, TlsConnection]:
    client = TlsContext(certs[0]).client("localhost")
    server = TlsContext(certs[1]).server()
    assert not client.do_handshake()
    carry(client, server)
    assert not server.do_handshake()
    carry(server, client)
    assert client.do_handshake()
    carry(client, server)
    assert server.do_handshake()
    return client, server


def read(target: TlsConnection, octets: bytes) -> bytes:
    """Have it read octets, as many at a time as a loop reads."""
    buffer = ReadBuffer()
    heard = b""
    for at in range(0, len(octets) or 1, SIZE):
        piece = octets[at : at + SIZE]
        buffer.octets[: len(piece)] = piece
        heard += target.read(buffer, len(piece))
    return heard


def said(source: TlsConnection, target: TlsConnection, data: bytes) -> bytes:
    return read(target, bytes(source.write(data)))
