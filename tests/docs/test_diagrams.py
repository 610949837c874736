"""The diagrams are those of the tables that the code runs by."""

from __future__ import annotations

import pytest

from docs.building.diagrams import FOLDER, describe_all, mark_of


@pytest.mark.parametrize("name", describe_all())
def test_a_diagram_is_drawn_from_its_table(name: str) -> None:
    drawn = (FOLDER / f"{name}.svg").read_text()
    assert drawn.startswith(mark_of(describe_all()[name])), "draw the diagrams again"


def test_each_diagram_is_on_the_page() -> None:
    page = (FOLDER.parent / "state-machines.md").read_text()
    assert {f"diagrams/{name}.svg" in page for name in describe_all()} == {True}
    assert {path.stem for path in FOLDER.iterdir()} == set(describe_all())
