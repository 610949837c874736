from __future__ import annotations

from sdp import SdpError


def test_words_the_problem_and_the_line() -> None:
    assert str(SdpError("the port is out of range", 3)) == (
        "line 3: the port is out of range"
    )
    assert str(SdpError("there is no c= line")) == "there is no c= line"


def test_carries_the_facts() -> None:
    error = SdpError("a problem", 7)
    assert (error.problem, error.line) == ("a problem", 7)
    assert isinstance(error, ValueError)
