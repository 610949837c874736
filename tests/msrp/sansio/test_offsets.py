from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from msrp.sansio import offsets
from msrp.sansio.offsets import OffsetMap

steps = st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=120)


@given(steps)
@settings(max_examples=200, deadline=None)
def test_agrees_with_a_dict(steps: list[tuple[int, bool]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offsets, "_BLOCK", 4)  # Blocks that come and go.
        there, model = OffsetMap[str](), dict[int, str]()
        for number, (offset, put) in enumerate(steps):
            if put:
                there.set(offset, f"{number}")
                model[offset] = f"{number}"
            elif offset in model:
                there.delete(offset)
                del model[offset]
            else:
                with pytest.raises(KeyError):
                    there.delete(offset)
            check(there, model)


def check(there: OffsetMap[str], model: dict[int, str]) -> None:
    in_order = sorted(model)
    assert list(there) == [model[one] for one in in_order]
    assert list(there.items()) == [(one, model[one]) for one in in_order]
    assert there.length == len(model)
    assert there.first == (model[in_order[0]] if model else None)
    assert there.last == (model[in_order[-1]] if model else None)
    for offset in range(-1, 42):
        before = [one for one in in_order if one <= offset]
        behind = [one for one in in_order if one > offset]
        last = (before[-1], model[before[-1]]) if before else None
        first = (behind[0], model[behind[0]]) if behind else None
        assert there.around(offset) == (last, first)


def test_no_insertion_moves_more_than_a_block() -> None:
    there = OffsetMap[int]()
    every = list(range(50_000))
    random.Random(1).shuffle(every)
    for offset in every:
        there.set(offset, offset)
    assert list(there) == list(range(50_000))
    sizes = [len(block) for block in there._blocks]
    assert max(sizes) <= offsets._BLOCK
    assert len(sizes) <= 2 * 50_000 / offsets._BLOCK
