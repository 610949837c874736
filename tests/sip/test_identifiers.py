from __future__ import annotations

from collections.abc import Callable

import pytest

from sip.grammar import is_token
from sip.identifiers import new_branch, new_call_id, new_tag
from sip.via import BRANCH_COOKIE

MAKERS = [new_branch, new_call_id, new_tag]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.rule("SIP-9")
def test_no_two_are_alike_and_each_is_a_token(make: Callable[[], str]) -> None:
    made = {make() for _ in range(200)}
    assert len(made) == 200
    assert all(map(is_token, made))


@pytest.mark.parametrize(
    ("make", "octets"), [(new_branch, 12), (new_call_id, 16), (new_tag, 8)]
)
@pytest.mark.rule("SIP-9")
def test_each_asks_its_source_for_more_than_32_bits(
    make: Callable[[Callable[[int], str]], str], octets: int
) -> None:
    asked: list[int] = []

    def source(count: int) -> str:
        asked.append(count)
        return "00"

    assert make(source).endswith("00")
    assert asked == [octets]


@pytest.mark.rule("SIP-9")
def test_a_branch_starts_with_the_cookie() -> None:
    assert new_branch(lambda _: "1") == BRANCH_COOKIE + "1"
