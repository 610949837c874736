from __future__ import annotations

import asyncio

import msrp
from msrp.aio.streams.read_buffer import buffer_of
from msrp.aio.streams.stream import StreamProtocol
from tests.msrp.aio.streams.scripted import PEER, Owner, lose, opened


class Taker(StreamProtocol):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self.taken.append(data)


async def test_all_connections_of_a_loop_read_into_the_same_buffer() -> None:
    one, two = StreamProtocol(), StreamProtocol()
    assert one.get_buffer(-1) is two.get_buffer(1024)
    assert len(one.get_buffer(-1)) == 256 * 1024


async def test_more_is_read_at_a_time_in_the_midst_of_a_long_message() -> None:
    owner = Owner(msrp.SessionConfig(max_message_length=1_000_000))
    stream, _ = opened(owner)
    usual = stream.get_buffer(-1)
    head = (
        f"MSRP long SEND\r\nTo-Path: {owner.session.local_uri}\r\nFrom-Path: {PEER}\r\n"
        "Message-ID: long\r\nByte-Range: 1-*/*\r\nContent-Type: text/plain\r\n\r\n"
    ).encode()
    stream.data_received(head + bytes(60_000))
    assert stream.get_buffer(-1) is usual
    stream.data_received(bytes(10_000))
    long = stream.get_buffer(-1)
    assert len(long) == 1024 * 1024
    long[:1] = b"x"
    assert bytes(usual[:1]) == b"x"
    stream.data_received(b"\r\n-------long$\r\n")
    assert stream.get_buffer(-1) is usual
    lose(stream)


def test_each_loop_has_a_buffer_of_its_own() -> None:
    one, two = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        assert buffer_of(one) is not buffer_of(two)
        assert buffer_of(one) is buffer_of(one)
    finally:
        one.close()
        two.close()


async def test_what_was_read_stays_when_the_buffer_is_used_again() -> None:
    stream = Taker()
    for octets in (b"hello", b"you"):
        stream.get_buffer(-1)[: len(octets)] = octets
        stream.buffer_updated(len(octets))
    assert stream.taken == [b"hello", b"you"]
