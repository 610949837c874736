"""TLS without a network: what one side gives is carried to the other by hand."""

from __future__ import annotations

import msrp
from msrp.aio.tls.connection import TlsConnection
from msrp.aio.tls.context import TlsContext

__all__ = ["Certs", "carry", "pair", "said"]

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


def said(source: TlsConnection, target: TlsConnection, data: bytes) -> bytes:
    return target.read(memoryview(b"".join(source.write(data))))
