"""Packets that are made up, and still such as a network would carry."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recording import Direction, Endpoint, Transport
from recording.packets import MAX_SEGMENT, Packets
from tests.recording.records import chunk


@dataclass
class Segment:
    """What a packet of IP says, read by other lines than have written it."""

    hosts: tuple[bytes, bytes]
    ports: tuple[int, int]
    sequence: int
    acknowledged: int
    payload: bytes


def read(packet: bytes) -> Segment:
    if packet[0] >> 4 == 4:
        assert struct.unpack(">H", packet[2:4]) == (len(packet),)
        assert checksum(packet[:20]) == 0
        hosts, tcp, protocol = (packet[12:16], packet[16:20]), packet[20:], packet[9]
    else:
        assert struct.unpack(">H", packet[4:6]) == (len(packet) - 40,)
        hosts, tcp, protocol = (packet[8:24], packet[24:40]), packet[40:], packet[6]
    pseudo = b"".join(hosts) + struct.pack(">II", len(tcp), protocol)
    assert checksum(pseudo + tcp) == 0
    source, target, sequence, acknowledged = struct.unpack(">HHII", tcp[:12])
    if protocol == 17:
        assert struct.unpack(">H", tcp[4:6]) == (len(tcp),)
        return Segment(hosts, (source, target), 0, 0, tcp[8:])
    return Segment(hosts, (source, target), sequence, acknowledged, tcp[20:])


def checksum(octets: bytes) -> int:
    total = 0
    for (word,) in struct.iter_unpack(">H", octets + b"\0" * (len(octets) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def test_both_directions_go_on_where_they_were() -> None:
    packets = Packets()
    [one] = map(read, packets.of(chunk(b"four")))
    [two] = map(read, packets.of(chunk(b"answer", direction=Direction.SENT)))
    [three] = map(read, packets.of(chunk(b"again")))
    assert one.ports == (40000, 2855)
    assert two.ports == (2855, 40000)
    assert two.hosts == (one.hosts[1], one.hosts[0])
    assert (two.sequence, two.acknowledged) == (one.acknowledged, one.sequence + 4)
    assert (three.sequence, three.acknowledged) == (one.sequence + 4, two.sequence + 6)


def test_each_connection_has_numbers_of_its_own() -> None:
    packets = Packets()
    list(packets.of(chunk(b"x" * 1000)))
    [other] = map(read, packets.of(chunk(b"y", peer=Endpoint("192.0.2.7", 40001))))
    assert other.sequence == 1


@pytest.mark.parametrize("size", [0, 1, MAX_SEGMENT, MAX_SEGMENT + 1, 200_000])
@pytest.mark.parametrize("hosts", [("10.0.0.1", "10.0.0.2"), ("::1", "fe80::1%eth0")])
def test_what_is_long_is_split(size: int, hosts: tuple[str, str]) -> None:
    local, peer = (Endpoint(host, 5000) for host in hosts)
    record = chunk(bytes(range(256)) * (size // 256 + 1), local=local, peer=peer)
    record = chunk(record.octets[:size], local=local, peer=peer)
    segments = [read(packet) for packet in Packets().of(record)]
    assert b"".join(each.payload for each in segments) == record.octets
    for before, after in itertools.pairwise(segments):
        assert after.sequence == before.sequence + len(before.payload)


@pytest.mark.parametrize(
    ("local", "peer", "version"),
    [
        ("10.0.0.1", "::1", 6),
        ("somewhere", "10.0.0.1", 4),
        ("::ffff:10.0.0.1", "10.0.0.2", 6),
    ],
)
def test_any_two_addresses_make_a_packet(local: str, peer: str, version: int) -> None:
    record = chunk(b"x", local=Endpoint(local, 1), peer=Endpoint(peer, 2))
    [packet] = Packets().of(record)
    assert packet[0] >> 4 == version
    assert read(packet).payload == b"x"


def test_a_datagram_is_one() -> None:
    [packet] = Packets().of(chunk(b"OPTIONS", transport=Transport.UDP))
    assert packet[9] == 17
    assert read(packet).payload == b"OPTIONS"


@given(st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=50))))
@settings(deadline=None, max_examples=50)
def test_the_streams_have_no_gaps(pieces: list[tuple[bool, bytes]]) -> None:
    packets, sent, received = Packets(), b"", b""
    for is_sent, piece in pieces:
        direction = Direction.SENT if is_sent else Direction.RECEIVED
        [segment] = map(read, packets.of(chunk(piece, direction=direction)))
        own, other = (sent, received) if is_sent else (received, sent)
        assert segment.sequence == 1 + len(own)
        assert segment.acknowledged == 1 + len(other)
        if is_sent:
            sent += piece
        else:
            received += piece
