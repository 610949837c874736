"""What holds the octets of an envelope until it is open, by itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import msrp
from msrp.aio.receiving.enveloped import EnvelopedStore

HEAD = (
    b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n"
    b"Content-Type: image/jpeg\r\nContent-ID: <a@b>\r\n\r\n"
)


class Kept:
    """A store that remembers what it is told."""

    def __init__(self, max_length: int | None) -> None:
        self.max_length = max_length
        self.octets = bytearray()
        self.size: int | None = None
        self.kept: bool | None = None

    @property
    def held(self) -> int:
        return len(self.octets)

    def write(self, offset: int, data: bytes) -> None:
        assert data
        self.octets += bytes(max(0, offset + len(data) - len(self.octets)))
        self.octets[offset : offset + len(data)] = data

    def finish(self, size: int) -> None:
        self.size = size

    def give_up(self, *, keep: bool) -> None:
        self.kept = keep


def enveloped(
    store: Kept | int, total: int | None
) -> tuple[EnvelopedStore, list[tuple[msrp.Announcement, int]]]:
    asked: list[tuple[msrp.Announcement, int]] = []

    def decide(about: msrp.Announcement, head: int) -> Kept | int:
        asked.append((about, head))
        return store

    about = msrp.Announcement("12345678", "message/cpim", total)
    return EnvelopedStore(about, decide, 1000), asked


@settings(deadline=None)
@given(
    st.binary(max_size=50),
    st.lists(st.tuples(st.integers(0, 150), st.integers(0, 80)), max_size=30),
    st.booleans(),
)
def test_any_pieces_in_any_order_make_the_content(
    content: bytes, pieces: list[tuple[int, int]], known: bool
) -> None:
    data = HEAD + content
    inner = Kept(None)
    store, asked = enveloped(inner, len(data) if known else None)
    covered: set[int] = set()
    for at, size in [*pieces, *((at, 50) for at in range(0, len(data), 50))]:
        store.write(at, data[at : at + size])
        covered |= set(range(at, min(at + size, len(data))))
        waits = not asked
        assert waits is (store.inner is None)
        assert waits or set(range(len(HEAD))) <= covered
    store.finish(len(data))
    ((about, size_of_head),) = asked
    assert size_of_head == len(HEAD)
    assert about.size == (len(content) if known else None)
    assert inner.octets == content
    assert inner.size == len(content)
    assert store.max_length is None


@pytest.mark.parametrize("status", [403, 413, 415])
def test_a_refusal_is_said_as_often_as_it_is_asked_for(status: int) -> None:
    store, asked = enveloped(status, None)
    for _ in range(2):
        with pytest.raises(msrp.RemoteProtocolError) as refused:
            store.write(0, HEAD + b"secret")
        assert refused.value.status == status
    assert len(asked) == 1
    assert store.held == 0


def test_what_claims_to_be_too_long_is_refused_as_soon_as_it_is_open() -> None:
    inner = Kept(1000)
    data = HEAD + bytes(2000)
    store, _ = enveloped(inner, len(data))
    with pytest.raises(msrp.LimitExceeded) as refused:
        store.write(0, data[:500])
    assert refused.value.status == 413
    assert inner.kept is False


def test_the_limit_of_the_store_counts_the_content() -> None:
    data = HEAD + bytes(1000)
    store, _ = enveloped(Kept(1000), len(data))
    assert store.max_length is None
    store.write(0, data)
    assert store.max_length == len(data)
