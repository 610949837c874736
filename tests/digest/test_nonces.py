from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.nonces import Nonces, NonceState, ServerLimits

GOOD, STALE, REPLAYED = NonceState.GOOD, NonceState.STALE, NonceState.REPLAYED


def make(lifetime: float = 100.0, counted: int = 1000) -> Nonces:
    limits = ServerLimits(nonce_lifetime=lifetime, counted_nonces=counted)
    return Nonces("realm", b"secret", limits)


@pytest.mark.rule("SIP-62")
def test_counts_must_rise() -> None:
    nonces = make()
    nonce = nonces.new(0.0)
    counts = (1, 1, 3, 2, 3, 4)
    states = [nonces.use(nonce, count, 1.0) for count in counts]
    assert states == [GOOD, REPLAYED, GOOD, REPLAYED, REPLAYED, GOOD]
    assert nonces.use(nonces.new(0.0), 0, 1.0) is REPLAYED


@pytest.mark.rule("SIP-62")
def test_a_nonce_is_good_for_its_lifetime() -> None:
    nonces = make(lifetime=100.0)
    nonce = nonces.new(1000.0)
    assert nonces.use(nonce, 1, 1100.0) is GOOD
    assert len(nonces) == 1
    assert nonces.use(nonce, 2, 1100.1) is STALE
    assert len(nonces) == 0


def test_a_nonce_of_the_future_is_not_ours() -> None:
    nonces = make()
    assert nonces.use(nonces.new(10.0), 1, 5.0) is STALE


def test_nonces_differ_even_at_the_same_time() -> None:
    nonces = make()
    assert len({nonces.new(0.0) for _ in range(100)}) == 100


def test_servers_that_share_a_secret_take_each_others_nonces() -> None:
    assert make().use(make().new(0.0), 1, 1.0) is GOOD
    other = Nonces("realm", b"another", ServerLimits())
    assert make().use(other.new(0.0), 1, 1.0) is STALE
    elsewhere = Nonces("elsewhere", b"secret", ServerLimits())
    assert make().use(elsewhere.new(0.0), 1, 1.0) is STALE
    own = Nonces("realm", None, ServerLimits())
    assert own.use(own.new(0.0), 1, 1.0) is GOOD


def test_a_nonce_has_one_spelling() -> None:
    nonces = make()
    nonce = nonces.new(0.0)
    assert nonces.use(nonce, 1, 1.0) is GOOD
    assert base64.urlsafe_b64decode(nonce)
    for at in range(len(nonce)):
        for character in "A_-+/=\n x":
            other = nonce[:at] + character + nonce[at + 1 :]
            if other != nonce:
                assert nonces.use(other, 1, 1.0) is STALE
    assert len(nonces) == 1


def test_only_so_many_are_counted_and_none_can_be_used_twice_for_that() -> None:
    nonces = make(counted=3)
    made = [nonces.new(float(n)) for n in range(5)]
    assert [nonces.use(nonce, 1, 10.0) for nonce in made] == [GOOD] * 5
    assert len(nonces) == 3
    states = [nonces.use(nonce, 1, 11.0) for nonce in made]
    assert states == [STALE, STALE, REPLAYED, REPLAYED, REPLAYED]
    # One as old as the forgotten, which nobody has used yet, is stale too.
    assert nonces.use(nonces.new(1.0), 1, 11.0) is STALE
    assert nonces.use(nonces.new(1.5), 1, 11.0) is GOOD


@given(st.text(max_size=50) | st.binary(min_size=32, max_size=32).map(str))
@settings(deadline=None)
def test_whatever_comes_is_stale(text: str) -> None:
    assert make().use(text, 1, 1.0) is STALE


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4), st.integers(0, 30))),
    st.integers(1, 4),
)
@settings(deadline=None)
def test_nothing_is_ever_accepted_twice(
    uses: list[tuple[int, int, int]], counted: int
) -> None:
    nonces = make(lifetime=15.0, counted=counted)
    made = [nonces.new(float(n)) for n in range(10)]
    accepted: set[tuple[int, int]] = set()
    now = 0.0
    for which, count, later in uses:
        now = max(now, float(later))
        if nonces.use(made[which], count, now) is GOOD:
            assert (which, count) not in accepted
            accepted.add((which, count))
        assert len(nonces) <= counted
