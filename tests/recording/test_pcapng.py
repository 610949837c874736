"""Blocks of a capture, read by other lines than have written them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recording import Direction, PcapngEncoder, Transport
from tests.recording.records import CHUNK, NOON, chunk

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6


def blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    while data:
        kind, size = struct.unpack("<II", data[:8])
        assert size % 4 == 0
        assert data[size - 4 : size] == data[4:8]
        yield kind, data[8 : size - 4]
        data = data[size:]


def options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while True:
        code, size = struct.unpack("<HH", data[:4])
        if code == 0:
            assert len(data) == 4
            return found
        found[code] = data[4 : 4 + size]
        data = data[4 + size + -size % 4 :]


def packet(data: bytes) -> tuple[int, bytes, dict[int, bytes]]:
    """Return the time, the octets and the options of the only packet."""
    [(kind, body)] = blocks(data)
    assert kind == PACKET
    interface, high, low, kept, size = struct.unpack("<IIIII", body[:20])
    assert interface == 0
    assert kept == size
    rest = body[20 + kept + -kept % 4 :]
    return (high << 32) + low, body[20 : 20 + kept], options(rest)


def test_a_file_begins_with_a_section_and_its_interface() -> None:
    (section, about), (interface, how) = blocks(PcapngEncoder().head())
    assert (section, interface) == (SECTION, INTERFACE)
    assert struct.unpack("<IHHq", about[:16]) == (0x1A2B3C4D, 1, 0, -1)
    assert options(about[16:]) == {4: b"msrpkit"}
    assert struct.unpack("<HHI", how) == (101, 0, 0)


def test_a_packet_has_its_time_and_its_direction() -> None:
    encoder = PcapngEncoder()
    time, octets, told = packet(encoder.packets(CHUNK))
    assert time == int(NOON.timestamp()) * 1_000_000 + 123_456
    assert octets.endswith(CHUNK.octets)
    assert told == {2: b"\1\0\0\0"}
    sent = replace(CHUNK, direction=Direction.SENT)
    assert packet(encoder.packets(sent))[2] == {2: b"\2\0\0\0"}


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (replace(CHUNK, transport=Transport.TLS), b"decrypted"),
        (replace(CHUNK, size=1_000_000), b"cut: it had 1000000 octets"),
        (replace(CHUNK, is_complete=False), b"broke off"),
        (replace(CHUNK, lost=3), b"3 messages before it are missing"),
    ],
    ids=["tls", "cut", "incomplete", "lost"],
)
def test_what_is_odd_has_a_comment(record: object, words: bytes) -> None:
    assert isinstance(record, type(CHUNK))
    assert words in packet(PcapngEncoder().packets(record))[2][1]


def test_what_is_long_is_several_packets() -> None:
    found = list(blocks(PcapngEncoder().packets(chunk(bytes(150_000)))))
    assert [kind for kind, _ in found] == [PACKET] * 3
