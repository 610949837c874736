from __future__ import annotations

from digest import DigestError


def test_an_error_is_a_value_error_that_says_what_is_wrong() -> None:
    error = DigestError("the algorithm isn't known")
    assert isinstance(error, ValueError)
    assert str(error) == error.problem == "the algorithm isn't known"
