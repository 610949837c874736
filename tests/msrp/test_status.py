from __future__ import annotations

import pytest

from msrp.status import StatusCode, reason_phrase


def test_the_codes_of_the_rfc() -> None:
    assert {200, 400, 403, 408, 413, 415, 423, 481, 501, 506} <= set(StatusCode)


@pytest.mark.rule("MSRP-99")
def test_every_known_code_has_words_and_an_unknown_one_has_none() -> None:
    assert all(reason_phrase(code) for code in StatusCode)
    assert reason_phrase(200) == "OK"
    assert reason_phrase(299) == ""
