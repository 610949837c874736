from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from OpenSSL import SSL

from msrp.aio.streams.read_buffer import SIZE
from msrp.aio.tls import deciphering
from msrp.aio.tls.connection import TlsConnection
from msrp.aio.tls.deciphering import decipher, read_by_recv, read_by_ssl_read
from tests.msrp.aio.tls.by_hand import Certs, pair


def test_the_faster_way_is_there() -> None:
    assert decipher is read_by_ssl_read


def test_without_what_it_needs_the_other_one_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciphering, "_lib", SimpleNamespace())
    assert deciphering.best() is read_by_recv
    monkeypatch.undo()
    assert deciphering.best() is read_by_ssl_read
    monkeypatch.setattr(SSL, "Connection", lambda context, socket: object())
    assert deciphering.best() is read_by_recv


def test_a_read_is_one_piece_as_a_rule(certs: Certs) -> None:
    client, server = pair(certs)
    octets = os.urandom(2 * SIZE)
    wire = b"".join(client.write(octets))
    got = [
        server.read(memoryview(wire[at : at + SIZE]))
        for at in range(0, len(wire), SIZE)
    ]
    assert b"".join(got) == octets
    assert max(map(len, got)) > SIZE - 16 * 1024


def test_threads_do_not_mix_what_they_read(certs: Certs) -> None:
    pairs = [pair(certs) for _ in range(4)]

    def talk(number: int, client: TlsConnection, server: TlsConnection) -> bool:
        octets = bytes([number]) * 200_000
        return all(
            server.read(memoryview(b"".join(client.write(octets)))) == octets
            for _ in range(20)
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda each: talk(each[0], *each[1]), enumerate(pairs)))
