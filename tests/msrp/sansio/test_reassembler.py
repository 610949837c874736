from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.errors import LimitExceeded, RemoteProtocolError
from msrp.sansio.reassembler import MemoryStore, PartialMessage

BODY = b"abcdefghijklmno"
CHUNKS = [(0, BODY[:3]), (3, BODY[3:6]), (6, BODY[6:9]), (9, BODY[9:12])]
CHUNKS.append((12, BODY[12:]))


class InMemory(PartialMessage):
    def __init__(self, max_length: int, max_ranges: int) -> None:
        self.memory = MemoryStore(max_length, max_ranges)
        super().__init__(self.memory, max_ranges)

    @property
    def held(self) -> int:
        return self.memory.held

    def contents(self) -> bytes:
        if self.complete:
            self.memory.finish(self.size)
        return self.memory.contents()

    def ranges(self) -> tuple[tuple[int, bytes], ...]:
        return self.memory.ranges()


def partial(max_length: int = 1000, max_ranges: int = 100) -> InMemory:
    return InMemory(max_length, max_ranges)


@pytest.mark.rule("MSRP-61")
def test_a_message_in_one_chunk() -> None:
    message = partial()
    message.write(0, BODY)
    assert not message.complete
    message.end_at(len(BODY))
    assert message.complete
    assert message.contents() == BODY


@pytest.mark.rule("MSRP-61", "MSRP-67")
def test_an_empty_message() -> None:
    message = partial()
    message.write(0, b"")
    message.end_at(0)
    assert message.complete
    assert message.contents() == b""
    assert message.ranges() == ()


@pytest.mark.rule("MSRP-63", "MT-4")
@pytest.mark.parametrize("end", [0, 2, 5])
def test_every_order_of_five_chunks_gives_the_message_once(end: int) -> None:
    for order in itertools.permutations(CHUNKS):
        message = partial()
        for number, (offset, data) in enumerate(order):
            if number == end:
                message.end_at(len(BODY))
            assert not message.complete
            message.write(offset, data)
        if end == 5:
            message.end_at(len(BODY))
        assert message.complete
        assert message.contents() == BODY
        assert message.held == len(BODY)


@pytest.mark.rule("MSRP-64", "MT-4")
def test_the_last_octets_received_win() -> None:
    message = partial()
    message.write(0, b"a" * 100)
    message.write(49, b"b" * 101)
    message.end_at(150)
    assert message.contents() == b"a" * 49 + b"b" * 101


@pytest.mark.rule("MSRP-65", "MT-4")
def test_a_chunk_that_comes_twice_changes_nothing() -> None:
    message = partial()
    for offset, data in CHUNKS * 2:
        message.write(offset, data)
    message.end_at(15)
    message.end_at(15)
    assert message.contents() == BODY
    assert message.held == 15


@pytest.mark.rule("MSRP-65", "MT-4")
def test_octets_behind_the_end_are_refused() -> None:
    message = partial()
    message.end_at(5)
    message.write(0, b"abc")
    with pytest.raises(RemoteProtocolError, match="behind the end"):
        message.write(3, b"def")
    message = partial()
    message.write(3, b"def")
    with pytest.raises(RemoteProtocolError, match="behind the end"):
        message.end_at(5)


@pytest.mark.rule("MSRP-65", "MT-4")
def test_a_second_end_is_refused() -> None:
    message = partial()
    message.end_at(5)
    with pytest.raises(RemoteProtocolError, match="ends at two places") as caught:
        message.end_at(6)
    assert caught.value.status == 400


@pytest.mark.rule("MSRP-68")
def test_a_message_that_is_too_long_is_refused() -> None:
    message = partial(max_length=10)
    message.write(0, bytes(10))
    for offset, data in ((10, b"x"), (10**18, b"x"), (0, bytes(11))):
        with pytest.raises(LimitExceeded, match="more than 10 octets") as caught:
            message.write(offset, data)
        assert caught.value.status == 413
    with pytest.raises(LimitExceeded, match="more than 10 octets"):
        partial(max_length=10).end_at(11)
    assert message.held == 10


@pytest.mark.rule("MSRP-68", "MT-10")
def test_a_message_in_too_many_pieces_is_refused() -> None:
    message = partial(max_ranges=3)
    for offset in (0, 2, 4):
        message.write(offset, b"x")
    with pytest.raises(LimitExceeded, match="3 pieces") as caught:
        message.write(6, b"x")
    assert caught.value.status == 413
    message = partial(max_ranges=3)
    for offset in (2, 4, 6):
        message.write(offset, b"x")
    with pytest.raises(LimitExceeded, match="3 pieces"):
        message.write(0, b"x")


def test_what_has_arrived_can_be_had() -> None:
    message = partial()
    message.write(6, b"ghi")
    message.write(0, b"ab")
    message.write(9, b"jkl")
    message.write(4, b"ef")
    assert message.ranges() == ((0, b"ab"), (4, b"efghijkl"))


def test_contents_are_only_there_when_complete() -> None:
    with pytest.raises(AssertionError):
        partial().contents()


writes = st.lists(st.tuples(st.integers(0, 40), st.binary(max_size=15)), max_size=25)


@pytest.mark.rule("MSRP-62", "MSRP-63", "MSRP-64", "MSRP-65", "MT-4")
@given(writes, st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_agrees_with_a_dict_of_octets(
    writes: list[tuple[int, bytes]], end: int
) -> None:
    message, model = partial(), dict[int, int]()
    for offset, data in writes:
        message.write(offset, data)
        model.update(enumerate(data, offset))
        held = b"".join(data for _, data in message.ranges())
        assert message.held == len(held) == len(model)
    got = {
        offset + n: octet
        for offset, data in message.ranges()
        for n, octet in enumerate(data)
    }
    assert got == model
    starts = [offset for offset, _ in message.ranges()]
    assert starts == sorted(n for n in model if n - 1 not in model)
    if max(model, default=-1) < end:
        message.end_at(end)
        assert message.complete == (len(model) == end)
        if message.complete:
            assert message.contents() == bytes(model[n] for n in range(end))


@pytest.mark.rule("MSRP-63")
@pytest.mark.parametrize("order", ["in order", "backwards", "shuffled"])
def test_many_chunks_in_any_order(order: str) -> None:
    # If each were copied again for each that follows, this would take minutes.
    chunks = [(n * 2000, bytes([n % 251]) * 2000) for n in range(8000)]
    if order == "backwards":
        chunks.reverse()
    elif order == "shuffled":
        random.Random(1).shuffle(chunks)
    message = partial(20_000_000, 8192)
    for offset, data in chunks:
        message.write(offset, data)
    message.end_at(16_000_000)
    assert message.complete
    assert message.contents() == b"".join(data for _, data in sorted(chunks))


@pytest.mark.rule("MSRP-65")
def test_octets_behind_the_end_are_that_however_many_they_are() -> None:
    for number in (1, 1000):
        message = partial(max_length=20)
        message.write(5, BODY[5:])
        message.end_at(len(BODY))
        with pytest.raises(RemoteProtocolError, match="behind the end") as caught:
            message.write(len(BODY), bytes(number))
        assert caught.value.status == 400
        message.memory.max_length = 10  # As soon as an envelope says what it is.
        with pytest.raises(LimitExceeded) as refused:
            message.write(len(BODY), bytes(number))
        assert refused.value.status == 413
