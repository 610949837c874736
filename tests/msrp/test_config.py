from __future__ import annotations

import dataclasses

import pytest

from msrp.accept_types import AcceptTypes
from msrp.config import Limits, SessionConfig


@pytest.mark.rule("MSRP-22", "MSRP-71")
def test_every_bound_is_finite_and_positive() -> None:
    bounds = dataclasses.asdict(Limits())
    assert all(0 < bound < float("inf") for bound in bounds.values())
    assert bounds["max_message_age"] >= 540  # RFC 7701: minutes, never seconds.


@pytest.mark.rule("FIELD-4", "MSRP-51", "MSRP-59")
def test_defaults_are_those_that_every_stack_understands() -> None:
    config = SessionConfig()
    assert config.chunk_size == 2048
    assert config.response_timeout == 30
    assert config.max_message_length == 10_000
    assert config.accept_types == AcceptTypes.parse("*")


@pytest.mark.rule("FIELD-5")
@pytest.mark.parametrize("window", [0, -1])
def test_a_window_through_which_nothing_fits_is_refused(window: int) -> None:
    with pytest.raises(ValueError, match="window"):
        SessionConfig(window=window)
    with pytest.raises(ValueError, match="relayed_window"):
        SessionConfig(relayed_window=window)


@pytest.mark.parametrize("chunk_size", [0, -1])
def test_chunks_of_nothing_are_refused(chunk_size: int) -> None:
    with pytest.raises(ValueError, match="chunk_size"):
        SessionConfig(chunk_size=chunk_size)
