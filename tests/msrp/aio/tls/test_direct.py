from __future__ import annotations

import os
from random import Random
from types import ModuleType, SimpleNamespace

import pytest
from OpenSSL import SSL

from msrp.aio.streams.read_buffer import SIZE, ReadBuffer
from msrp.aio.tls import direct, promised
from msrp.aio.tls.connection import way
from tests.msrp.aio.tls.by_hand import Certs, pair, read


def test_it_is_possible_and_used() -> None:
    assert direct.is_possible()
    assert way is direct


def test_it_is_not_without_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_lib", SimpleNamespace())
    assert not direct.is_possible()
    monkeypatch.undo()
    monkeypatch.setattr(SSL, "Connection", lambda context, socket: object())
    assert not direct.is_possible()


@pytest.mark.parametrize("way", [direct, promised])
@pytest.mark.parametrize("room", [18_424, 60_000, 4_000_000])
def test_there_may_be_less_room_than_octets(
    certs: Certs, way: ModuleType, room: int
) -> None:
    client, server = pair(certs)
    octets = os.urandom(2_000_000)
    data = memoryview(bytes(client.write(octets)))
    got = way.decipher(server._connection, data, bytearray(room))
    assert got == (octets, None)


@pytest.mark.parametrize("size", [1, 65_535, 65_536, 65_537, 300_000])
def test_what_tls_has_to_say_itself_goes_first(certs: Certs, size: int) -> None:
    client, server = pair(certs)
    octets = os.urandom(size)
    # As if it had had so much to say that there is no room for it.
    client._connection.sendall(bytes(200_000))
    assert read(server, bytes(client.write(octets))) == bytes(200_000) + octets
    assert client.to_send() == b""


@pytest.mark.parametrize("seed", range(10))
def test_what_is_written_over_has_been_read(certs: Certs, seed: int) -> None:
    # Records of all lengths, and reads that end anywhere in them.
    client, server = pair(certs)
    random = Random(seed)
    octets = random.randbytes(3_000_000)
    wire, at = b"", 0
    while at < len(octets):
        size = random.choice([1, 100, 16_000, 16_384, 500_000])
        wire += bytes(client.write(octets[at : at + size]))
        at += size
    buffer, heard, at = ReadBuffer(), b"", 0
    while at < len(wire):
        piece = wire[at : at + random.choice([1, 5, 16_405, 16_406, SIZE - 1, SIZE])]
        buffer.octets[: len(piece)] = piece
        heard += server.read(buffer, len(piece))
        at += len(piece)
    assert heard == octets
