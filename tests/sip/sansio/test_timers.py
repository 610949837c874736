"""The lengths of time that timers are made of."""

from __future__ import annotations

import pytest

from sip.sansio.timers import Timers


@pytest.mark.rule("SIP-20", "SIP-22", "SIP-23", "SIP-24")
def test_the_defaults_are_those_of_the_rfc() -> None:
    timers = Timers()
    assert (timers.t1, timers.t2, timers.t4) == (0.5, 4.0, 5.0)
    assert timers.timeout == 32.0
    assert timers.absorb_responses == 32.0
    assert timers.trying_after == 0.2


@pytest.mark.rule("SIP-20")
def test_timer_d_is_at_least_32_seconds() -> None:
    assert Timers(t1=0.1).absorb_responses == 32.0
    assert Timers(t1=1.0).absorb_responses == 64.0


@pytest.mark.rule("SIP-26")
def test_the_late_100_comes_when_timer_e_reaches_t2() -> None:
    # 0.5 + 1 + 2: then timer E is set to 4 seconds.
    assert Timers().late_trying == 3.5
    assert Timers(t1=1.0, t2=4.0).late_trying == 3.0
