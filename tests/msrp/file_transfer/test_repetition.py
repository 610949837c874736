from __future__ import annotations

import pytest

from msrp.file_transfer import FileSelector, Repetition, SeenTransfers

PICTURE, OTHER = FileSelector("picture.jpg", 10), FileSelector("other.jpg", 10)


@pytest.mark.rule("FT-6")
@pytest.mark.parametrize(
    ("transfer_id", "selector", "meaning"),
    [
        pytest.param("new", PICTURE, Repetition.NEW, id="changed-same-file"),
        pytest.param("new", OTHER, Repetition.NEW, id="changed-other-file"),
        pytest.param("old", PICTURE, Repetition.EXISTING, id="unchanged-same-file"),
        pytest.param("old", OTHER, Repetition.ERROR, id="unchanged-other-file"),
        pytest.param(
            "old", FileSelector(size=10), Repetition.EXISTING, id="it-says-less"
        ),
    ],
)
def test_the_table_of_the_rfc(
    transfer_id: str, selector: FileSelector, meaning: Repetition
) -> None:
    seen = SeenTransfers()
    seen.note("old", PICTURE)
    assert seen.judge(transfer_id, selector) is meaning


@pytest.mark.rule("FT-5")
def test_all_ids_are_kept_and_no_more_are_taken_than_can_be() -> None:
    seen = SeenTransfers(limit=3)
    for number in range(5):
        assert seen.is_full is (number >= 3)
        seen.note(str(number), PICTURE)
    judged = [seen.judge(str(number), PICTURE) for number in range(5)]
    assert judged == 3 * [Repetition.EXISTING] + 2 * [Repetition.NEW]


def test_a_file_is_the_one_that_was_said_first() -> None:
    seen = SeenTransfers()
    seen.note("a", PICTURE)
    seen.note("a", OTHER)
    assert seen.judge("a", OTHER) is Repetition.ERROR
