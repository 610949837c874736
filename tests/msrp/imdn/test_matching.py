from __future__ import annotations

import pytest

from cpim import Address
from msrp.imdn import (
    Disposition,
    DispositionStatus,
    DispositionType,
    Imdn,
    NotificationRequest,
    ReceivedRequests,
    SentRequests,
)
from msrp.imdn.matching import MAX_RECEIVED, MAX_RECEIVED_OCTETS, MAX_SENT

DELIVERY, PROCESSING, DISPLAY = DispositionType


def request(
    message_id: str, sender: str = "im:alice@example.com"
) -> NotificationRequest:
    wanted = frozenset({Disposition.POSITIVE_DELIVERY, Disposition.DISPLAY})
    return NotificationRequest(
        message_id=message_id, wanted=wanted, sender=Address(sender)
    )


def delivered(message_id: str) -> Imdn:
    return Imdn(
        message_id=message_id,
        date_time="",
        type=DELIVERY,
        status=DispositionStatus.DELIVERED,
    )


@pytest.mark.rule("IMDN-5")
def test_an_answer_finds_its_message_by_the_id_and_may_come_again() -> None:
    sent = SentRequests[str]()
    sent.add("imdn1", "msrp1")
    sent.add("imdn2", "msrp2")
    assert sent.match(delivered("imdn2")) == "msrp2"
    assert sent.match(delivered("imdn2")) == "msrp2"
    assert sent.match(delivered("msrp2")) is None
    assert sent.values() == ["msrp1", "msrp2"]


def test_what_we_have_asked_is_remembered_within_bounds() -> None:
    sent = SentRequests[int]()
    for number in range(MAX_SENT + 1):
        sent.add(f"imdn{number}", number)
    assert sent.match(delivered("imdn0")) is None
    assert sent.match(delivered("imdn1")) == 1
    assert sent.match(delivered(f"imdn{MAX_SENT}")) == MAX_SENT


@pytest.mark.rule("IMDN-3")
def test_each_type_is_answered_once() -> None:
    received = ReceivedRequests()
    received.add("msrp1", request("imdn1"))
    assert received.answer("msrp1", DELIVERY) == request("imdn1")
    assert received.answer("msrp1", DELIVERY) is None
    assert received.answer("msrp1", DISPLAY) == request("imdn1")
    assert received.answer("msrp1", DISPLAY) is None
    assert received.answer("msrp2", DELIVERY) is None


@pytest.mark.rule("IMDN-3")
def test_also_if_the_same_message_comes_twice() -> None:
    received = ReceivedRequests()
    received.add("msrp1", request("imdn1"))
    received.add("msrp2", request("imdn1"))
    assert received.answer("msrp1", DELIVERY)
    assert received.answer("msrp2", DELIVERY) is None
    assert received.answer("msrp2", DISPLAY)
    assert received.answer("msrp1", DISPLAY) is None


def test_what_is_asked_of_us_is_remembered_within_bounds() -> None:
    received = ReceivedRequests()
    for number in range(MAX_RECEIVED + 1):
        received.add(f"msrp{number}", request(f"imdn{number}"))
    assert received.answer("msrp0", DISPLAY) is None
    assert received.answer("msrp1", DISPLAY)
    assert received.answer(f"msrp{MAX_RECEIVED}", DISPLAY)


def test_long_requests_are_fewer() -> None:
    received, sender = ReceivedRequests(), "im:" + "x" * 10_000
    for number in range(100):
        received.add(f"msrp{number}", request(f"imdn{number}", sender))
    kept = [n for n in range(100) if received.answer(f"msrp{n}", DISPLAY)]
    assert kept == list(range(100 - MAX_RECEIVED_OCTETS // 10_020, 100))


def test_one_that_is_told_again_and_again_takes_no_more_room() -> None:
    received, sender = ReceivedRequests(), "im:" + "x" * 10_000
    for number in range(100):
        received.add("msrp1", request(f"imdn{number}", sender))
    received.add("msrp2", request("imdn"))
    assert received.answer("msrp1", DISPLAY) == request("imdn99", sender)
    assert received.answer("msrp2", DISPLAY)
