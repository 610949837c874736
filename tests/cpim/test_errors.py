from __future__ import annotations

from cpim import CpimError


def test_an_error_says_where_it_is() -> None:
    error = CpimError("no space between the name and the value", 3)
    assert str(error) == "line 3: no space between the name and the value"
    assert (error.problem, error.line) == ("no space between the name and the value", 3)
    assert isinstance(error, ValueError)


def test_an_error_that_is_nowhere_says_so_by_silence() -> None:
    error = CpimError("there is no From header")
    assert str(error) == error.problem == "there is no From header"
    assert error.line is None
