from __future__ import annotations

import pytest

from sip.status import REASON_PHRASES, reason_phrase


@pytest.mark.parametrize(
    ("status", "phrase"), [(180, "Ringing"), (486, "Busy Here"), (299, "")]
)
def test_a_registered_status_code_has_words(status: int, phrase: str) -> None:
    assert reason_phrase(status) == phrase


def test_status_codes_are_in_order_and_in_range() -> None:
    assert list(REASON_PHRASES) == sorted(REASON_PHRASES)
    assert all(100 <= status <= 699 for status in REASON_PHRASES)
