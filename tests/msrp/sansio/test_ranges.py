from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.sansio.ranges import RangeSet

pairs = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted)


@pytest.mark.rule("MSRP-63", "MSRP-88")
@given(st.lists(pairs), st.integers(0, 60))
@settings(max_examples=200, deadline=None)
def test_agrees_with_a_set_of_offsets(ranges: list[list[int]], total: int) -> None:
    received, model = RangeSet(), set[int]()
    for start, stop in ranges:
        received.add(start, stop)
        model.update(range(start, stop))
    assert received.covers(total) == model.issuperset(range(total))
    assert {n for start, stop in received for n in range(start, stop)} == model
    assert len(received) == sum(1 for n in model if n + 1 not in model)
    assert received.octets == len(model)
    assert received.stop == max(model, default=-1) + 1


@pytest.mark.rule("MSRP-41", "MSRP-87")
@given(st.lists(st.tuples(pairs, st.booleans())))
@settings(max_examples=200, deadline=None)
def test_what_is_taken_out_is_not_there(steps: list[tuple[list[int], bool]]) -> None:
    received, model = RangeSet(), set[int]()
    for (start, stop), add in steps:
        if add:
            received.add(start, stop)
            model.update(range(start, stop))
        else:
            received.remove(start, stop)
            model.difference_update(range(start, stop))
    assert {n for start, stop in received for n in range(start, stop)} == model
    assert len(received) == sum(1 for n in model if n + 1 not in model)
    assert received.prefix == next(n for n in range(62) if n not in model)


@pytest.mark.parametrize(
    ("start", "stop"), [pytest.param(-1, 3, id="negative"), (3, 2)]
)
def test_what_is_no_range_is_refused(start: int, stop: int) -> None:
    with pytest.raises(ValueError, match="not a range"):
        RangeSet().add(start, stop)
    with pytest.raises(ValueError, match="not a range"):
        RangeSet().remove(start, stop)


def test_ranges_that_touch_become_one() -> None:
    received = RangeSet()
    received.add(6, 9)
    received.add(0, 3)
    assert list(received) == [(0, 3), (6, 9)]
    assert repr(received) == "<RangeSet 0..3 6..9>"
    received.add(3, 6)
    assert list(received) == [(0, 9)]
