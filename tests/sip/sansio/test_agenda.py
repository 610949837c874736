"""Many deadlines behind one timer."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sip.sansio.agenda import Agenda

MOVES = st.lists(
    st.tuples(st.integers(0, 5), st.none() | st.integers(0, 20)), max_size=60
)


@settings(max_examples=200, deadline=None)
@given(MOVES, st.integers(0, 20))
def test_agrees_with_a_dictionary(
    moves: list[tuple[int, int | None]], now: int
) -> None:
    agenda: Agenda[int] = Agenda()
    model: dict[int, int] = {}
    for key, when in moves:
        agenda.set(key, when)
        if when is None:
            model.pop(key, None)
        else:
            model[key] = when
        assert agenda.next() == min(model.values(), default=None)
        assert len(agenda) == len(model)
    due = agenda.pop_due(now)
    assert sorted(due) == sorted(key for key, when in model.items() if when <= now)
    assert [model[key] for key in due] == sorted(model[key] for key in due)
    left = [when for when in model.values() if when > now]
    assert agenda.next() == min(left, default=None)


def test_deadlines_that_move_are_not_kept() -> None:
    agenda: Agenda[str] = Agenda()
    for when in range(10_000):
        agenda.set("call", float(when))
    assert len(agenda._heap) < 200
    assert agenda.pop_due(9_998.0) == []
    assert agenda.pop_due(9_999.0) == ["call"]


def test_setting_the_same_time_again_costs_nothing() -> None:
    agenda: Agenda[str] = Agenda()
    for _ in range(100):
        agenda.set("call", 1.0)
    assert len(agenda._heap) == 1
