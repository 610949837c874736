"""What went over the wire as a capture that Wireshark opens (pcapng).

Each request and response is a packet of its own, or several if it is long: Wireshark
reads only the first MSRP message of a packet.  What was cut, decrypted or broke off has
a comment that says so.
"""

from __future__ import annotations

import datetime
import struct

from recording.packets import Packets
from recording.records import Direction, Transport, WireRecord

__all__ = ["PcapngEncoder"]

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_RAW_IP = 101
_END_OF_OPTIONS, _COMMENT, _FLAGS = 0, 1, 2
_APPLICATION = 4
_INBOUND, _OUTBOUND = 1, 2
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)

_Option = tuple[int, bytes]


class PcapngEncoder:
    """Makes the blocks of one file.

    Args:
        application: What has made it, for people.
    """

    def __init__(self, application: str = "msrpkit") -> None:
        self._application = application
        self._packets = Packets()

    def head(self) -> bytes:
        """Return what a file begins with; more of it may be added to another file."""
        section = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
        options = [(_APPLICATION, self._application.encode())]
        interface = struct.pack("<HHI", _RAW_IP, 0, 0)
        return _block(_SECTION, section, options) + _block(_INTERFACE, interface, [])

    def packets(self, record: WireRecord) -> bytes:
        """Return the blocks for what went over the wire."""
        inbound = record.direction is Direction.RECEIVED
        flags = struct.pack("<I", _INBOUND if inbound else _OUTBOUND)
        options = [(_FLAGS, flags)]
        comment = _comment(record)
        if comment:
            options.insert(0, (_COMMENT, comment.encode()))
        ticks = (record.time - _EPOCH) // _MICROSECOND
        blocks = []
        for packet in self._packets.of(record):
            size = len(packet)
            head = struct.pack("<IIIII", 0, ticks >> 32, ticks % 2**32, size, size)
            blocks.append(_block(_PACKET, head + _padded(packet), options))
        return b"".join(blocks)


def _comment(record: WireRecord) -> str:
    remarks = []
    if record.lost:
        remarks.append(f"{record.lost} messages before it are missing")
    if record.transport is Transport.TLS:
        remarks.append("decrypted: it went over TLS")
    if record.is_cut:
        remarks.append(f"cut: it had {record.size} octets")
    if not record.is_complete:
        remarks.append("it broke off here")
    return "; ".join(remarks)


def _block(kind: int, body: bytes, options: list[_Option]) -> bytes:
    if options:
        body += b"".join(
            struct.pack("<HH", code, len(value)) + _padded(value)
            for code, value in options
        ) + struct.pack("<HH", _END_OF_OPTIONS, 0)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _padded(octets: bytes) -> bytes:
    return octets + b"\0" * (-len(octets) % 4)
