from __future__ import annotations

import asyncio

from msrp.aio.streams.read_buffer import buffer_of
from msrp.aio.streams.stream import StreamProtocol


class Taker(StreamProtocol):
    def __init__(self) -> None:
        super().__init__()
        self.taken: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        self.taken.append(data)


async def test_all_connections_of_a_loop_read_into_the_same_buffer() -> None:
    one, two = StreamProtocol(), StreamProtocol()
    assert one.get_buffer(-1) is two.get_buffer(1024)
    assert len(one.get_buffer(-1)) == 1024 * 1024


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
