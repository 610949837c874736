"""The examples of docs/testing.md work as they stand."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[3] / "docs" / "testing.md"

EXAMPLES = re.findall(r"```python\n([^`]*)```", GUIDE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("example", "printed"),
    [
        pytest.param(EXAMPLES[0], "", id="cores"),
        pytest.param(
            EXAMPLES[1], "the network is gone, and we know it\n", id="network"
        ),
    ],
)
def test_an_example_runs(example: str, printed: str) -> None:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(example, str(GUIDE), "exec"), {"__name__": "example"})
    assert output.getvalue() == printed


def test_there_are_no_other_examples() -> None:
    assert len(EXAMPLES) == 2
