from __future__ import annotations

import pytest

from sip.errors import LocalError, SipError, SipParseError


def test_a_parse_error_words_its_facts() -> None:
    error = SipParseError("not a number", header="CSeq")
    assert str(error) == "CSeq: not a number"
    assert (error.problem, error.header, error.status) == ("not a number", "CSeq", 400)
    assert error.request is None


def test_a_parse_error_without_a_header_is_its_problem() -> None:
    assert str(SipParseError("the head has no end")) == "the head has no end"


def test_a_local_error_is_its_problem() -> None:
    assert str(LocalError("a body needs a content type")) == (
        "a body needs a content type"
    )


@pytest.mark.parametrize("error", [SipParseError, LocalError])
def test_errors_about_values_are_value_errors(error: type[SipError]) -> None:
    assert issubclass(error, SipError)
    assert issubclass(error, ValueError)
