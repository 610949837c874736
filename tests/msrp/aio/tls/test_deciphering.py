from __future__ import annotations

import os
from random import Random
from types import SimpleNamespace

import pytest
from OpenSSL import SSL

from msrp.aio.streams.read_buffer import SIZE, ReadBuffer
from msrp.aio.tls import deciphering
from msrp.aio.tls.deciphering import Decipher, decipher, read_by_recv, read_by_ssl_read
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


@pytest.mark.parametrize("way", [read_by_ssl_read, read_by_recv])
@pytest.mark.parametrize("room", [18_424, 60_000, 4_000_000])
def test_there_may_be_less_room_than_octets(
    certs: Certs, way: Decipher, room: int
) -> None:
    client, server = pair(certs)
    octets = os.urandom(2_000_000)
    data = memoryview(b"".join(client.write(octets)))
    got = way(server._connection, data, bytearray(room))
    assert got == (octets, None)


@pytest.mark.parametrize("seed", range(10))
def test_what_is_written_over_has_been_read(certs: Certs, seed: int) -> None:
    # Records of all lengths, and reads that end anywhere in them.
    client, server = pair(certs)
    random = Random(seed)
    octets = random.randbytes(3_000_000)
    wire, at = b"", 0
    while at < len(octets):
        size = random.choice([1, 100, 16_000, 16_384, 500_000])
        wire += b"".join(client.write(octets[at : at + size]))
        at += size
    buffer, heard, at = ReadBuffer(), b"", 0
    while at < len(wire):
        piece = wire[at : at + random.choice([1, 5, 16_405, 16_406, SIZE - 1, SIZE])]
        buffer.octets[: len(piece)] = piece
        heard += server.read(buffer, len(piece))
        at += len(piece)
    assert heard == octets
