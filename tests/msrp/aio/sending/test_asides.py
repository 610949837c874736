from __future__ import annotations

import pytest

from msrp.aio.sending.asides import MAX_ON_THEIR_WAY, MAX_REMEMBERED, Asides
from msrp.errors import RequestRefused
from msrp.events import MessageDeliveryFailed, ReportReceived
from msrp.headers import FailureReport, Status


def failed(message_id: str, code: int | None = 415) -> MessageDeliveryFailed:
    error = RequestRefused(message_id, code or 0, "")
    return MessageDeliveryFailed(message_id, code, "", error)


def report(message_id: str, status: str) -> ReportReceived:
    return ReportReceived(message_id, None, Status.parse(status))


class Refusals(list[int | None]):
    """The codes with which something was refused."""

    def put(
        self, asides: Asides, message_id: str, wish: FailureReport = FailureReport.YES
    ) -> None:
        asides.add(message_id, self.append, wish)


def test_messages_of_the_application_are_none_of_them() -> None:
    asides = Asides()
    assert not asides.delivered("m123")
    assert not asides.failed(failed("m123"))
    assert not asides.reported(report("m123", "000 415"))
    Refusals().put(asides, "a123")
    assert not asides.delivered("m123")
    assert not asides.failed(failed("m123"))
    assert not asides.reported(report("m123", "000 415"))


@pytest.mark.parametrize("code", [415, 408, None])
def test_only_who_has_made_it_hears_that_it_failed(code: int | None) -> None:
    asides, refusals = Asides(), Refusals()
    refusals.put(asides, "a123")
    assert asides.failed(failed("a123", code))
    assert refusals == [code]
    assert not asides.failed(failed("a123", code))


def test_one_that_has_arrived_is_forgotten() -> None:
    asides, refusals = Asides(), Refusals()
    refusals.put(asides, "a123")
    assert asides.delivered("a123")
    assert not asides.failed(failed("a123"))
    assert refusals == []


@pytest.mark.parametrize("how", ["response", "report"])
def test_one_that_is_answered_with_silence_may_still_be_refused(how: str) -> None:
    asides, refusals = Asides(), Refusals()
    refusals.put(asides, "a123", FailureReport.PARTIAL)
    assert asides.reported(report("a123", "000 415"))  # That is for the core.
    assert refusals == []
    assert asides.delivered("a123")
    if how == "response":
        assert asides.failed(failed("a123"))
    else:
        assert asides.reported(report("a123", "000 415"))
    assert refusals == [415]


@pytest.mark.parametrize("status", ["000 200", "001 415"])
def test_what_is_no_failure_refuses_nothing(status: str) -> None:
    asides, refusals = Asides(), Refusals()
    refusals.put(asides, "a123", FailureReport.PARTIAL)
    asides.delivered("a123")
    assert asides.reported(report("a123", status))
    assert refusals == []


def test_no_more_are_on_their_way_than_may_be() -> None:
    asides, refusals = Asides(), Refusals()
    for number in range(MAX_ON_THEIR_WAY):
        assert not asides.are_too_many
        refusals.put(asides, f"a{number}")
    assert asides.are_too_many
    asides.delivered("a0")
    assert not asides.are_too_many


def test_of_those_that_are_out_the_newest_are_remembered() -> None:
    asides, refusals = Asides(), Refusals()
    for number in range(MAX_REMEMBERED + 1):
        refusals.put(asides, f"a{number}", FailureReport.PARTIAL)
        asides.delivered(f"a{number}")
    assert not asides.failed(failed("a0"))
    assert asides.failed(failed("a1"))
