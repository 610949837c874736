"""Packets around octets of which only the contents are known.

At the level of a program there are no packets: what a TLS connection carried was never
in one that could be read.  So headers of IP, TCP and UDP are made up, such that
whoever reads them finds streams without gaps, in both directions.
"""

from __future__ import annotations

import ipaddress
import struct
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from recording.records import Direction, Endpoint, Transport, WireRecord

__all__ = ["MAX_SEGMENT", "Packets"]

MAX_SEGMENT = 65_000
"""Octets in one segment: an IP packet has 65,535 at most, with its headers."""

MAX_STREAMS = 65_536
"""Connections whose sequence numbers are known; a busy port has no more at a time."""

_TCP, _UDP = 6, 17
_ACK, _PSH = 0x10, 0x08
_WINDOW = 65_535
_HOPS = 64

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Key = tuple[Endpoint, Endpoint, int]


@dataclass(slots=True)
class _Stream:
    """The next sequence number of each side."""

    ours: int = 1
    theirs: int = 1


class Packets:
    """Makes packets of records, and remembers where their streams have come to."""

    def __init__(self) -> None:
        self._streams: OrderedDict[_Key, _Stream] = OrderedDict()

    def of(self, record: WireRecord) -> Iterator[bytes]:
        """Return the IP packets for what went over the wire; one, unless it is long."""
        sent = record.direction is Direction.SENT
        source, target = record.local, record.peer
        if not sent:
            source, target = target, source
        if record.transport is Transport.UDP:
            yield _udp_packet(source, target, record.octets)
            return
        stream = self._stream(record)
        for start in range(0, len(record.octets), MAX_SEGMENT):
            piece = record.octets[start : start + MAX_SEGMENT]
            last = start + MAX_SEGMENT >= len(record.octets)
            flags = _ACK | _PSH if last else _ACK
            numbers = (stream.ours, stream.theirs)
            if not sent:
                numbers = (stream.theirs, stream.ours)
            yield _tcp_packet(source, target, numbers, flags, piece)
            if sent:
                stream.ours = (stream.ours + len(piece)) % 2**32
            else:
                stream.theirs = (stream.theirs + len(piece)) % 2**32

    def _stream(self, record: WireRecord) -> _Stream:
        # Who reads packets tells streams apart by addresses: should another connection
        # have the same two, the first one seems to go on.
        key = record.local, record.peer, _TCP
        stream = self._streams.setdefault(key, _Stream())
        self._streams.move_to_end(key)
        if len(self._streams) > MAX_STREAMS:
            self._streams.popitem(last=False)
        return stream


def _tcp_packet(
    source: Endpoint,
    target: Endpoint,
    numbers: tuple[int, int],
    flags: int,
    payload: bytes,
) -> bytes:
    ports = source.port, target.port
    head = struct.pack(">HHIIBBHHH", *ports, *numbers, 0x50, flags, _WINDOW, 0, 0)
    return _ip_packet(source, target, _TCP, head, 16, payload)


def _udp_packet(source: Endpoint, target: Endpoint, payload: bytes) -> bytes:
    payload = payload[:MAX_SEGMENT]
    head = struct.pack(">HHHH", source.port, target.port, 8 + len(payload), 0)
    return _ip_packet(source, target, _UDP, head, 6, payload)


def _ip_packet(
    source: Endpoint,
    target: Endpoint,
    protocol: int,
    head: bytes,
    checksum_at: int,
    payload: bytes,
) -> bytes:
    """Put an IP header before the header of TCP or UDP, and fill in its checksum."""
    one, other = _addresses(source, target)
    size = len(head) + len(payload)
    pseudo = one.packed + other.packed + struct.pack(">II", size, protocol)
    checksum = _checksum(pseudo + head + payload) or 0xFFFF
    head = head[:checksum_at] + struct.pack(">H", checksum) + head[checksum_at + 2 :]
    if one.version == 6:
        ip = struct.pack(">IHBB", 6 << 28, size, protocol, _HOPS)
        return ip + one.packed + other.packed + head + payload
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 0, 0x4000, _HOPS, protocol, 0)
    ip += one.packed + other.packed
    return ip[:10] + struct.pack(">H", _checksum(ip)) + ip[12:] + head + payload


def _addresses(source: Endpoint, target: Endpoint) -> tuple[_Address, _Address]:
    one, other = _address(source.host), _address(target.host)
    if one.version != other.version:
        return _as_ipv6(one), _as_ipv6(other)
    return one, other


def _address(host: str) -> _Address:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return ipaddress.IPv4Address(0)  # A name, of which nobody knows the address.


def _as_ipv6(address: _Address) -> ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address
    return ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _checksum(octets: bytes) -> int:
    """Return the checksum of the Internet (:rfc:`1071`)."""
    if len(octets) % 2:
        octets += b"\0"
    # 65,536 leaves 1 when it is divided by 65,535, so this adds all carries at once.
    total = int.from_bytes(octets) % 0xFFFF
    return 0xFFFF - total
