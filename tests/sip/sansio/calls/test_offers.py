"""The table of offers and answers, and what counts as one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mime
from sip.message import Request
from sip.sansio.calls.offers import (
    ANSWERED_IN,
    Carrier,
    Offers,
    Party,
    Role,
    glare_delay,
    has_sdp,
)

C = Carrier
PAIRS = [
    pytest.param(offer, answer, id=f"{offer.name}-{answer.name}")
    for offer, answers in ANSWERED_IN.items()
    for answer in answers
]


def opened(carrier: Carrier, by: Party) -> Offers:
    """Give the state after an offer in a message of one of the two."""
    offers = Offers()
    if carrier in (C.RELIABLE, C.SUCCESS):
        assert offers.passes(by.other, C.INVITE, has_sdp=False) is Role.ASKED
    assert offers.passes(by, carrier, has_sdp=True) is Role.OFFER
    assert offers.open == (by, carrier)
    return offers


@pytest.mark.rule("OA-25")
@pytest.mark.parametrize("by", list(Party))
@pytest.mark.parametrize(("offer", "answer"), PAIRS)
def test_the_pairs_of_the_rfc_are_offer_and_answer(
    offer: Carrier, answer: Carrier, by: Party
) -> None:
    offers = opened(offer, by)
    assert offers.passes(by.other, answer, has_sdp=True) is Role.ANSWER
    assert offers.may_offer


@pytest.mark.rule("OA-25")
@pytest.mark.parametrize("offer", list(ANSWERED_IN))
@pytest.mark.parametrize("answer", list(C))
def test_no_other_pair_is(offer: Carrier, answer: Carrier) -> None:
    offers = opened(offer, Party.WE)
    role = offers.passes(Party.PEER, answer, has_sdp=True)
    assert (role is Role.ANSWER) == (answer in ANSWERED_IN[offer])
    assert offers.may_offer == (role is Role.ANSWER)


@pytest.mark.rule("OA-26")
def test_what_comes_after_the_answer_of_an_invite_does_not_count() -> None:
    offers = opened(C.INVITE, Party.WE)
    assert offers.passes(Party.PEER, C.RELIABLE, has_sdp=True) is Role.ANSWER
    for carrier in (C.RELIABLE, C.SUCCESS):
        assert offers.passes(Party.PEER, carrier, has_sdp=True) is Role.NOTHING
    assert offers.passes(Party.WE, C.ACK, has_sdp=True) is Role.NOTHING
    assert offers.may_offer


@pytest.mark.rule("OA-28")
@pytest.mark.parametrize("offer", list(ANSWERED_IN))
def test_an_answer_is_missed_in_the_last_message_that_could_have_it(
    offer: Carrier,
) -> None:
    offers = opened(offer, Party.WE)
    *early, last = ANSWERED_IN[offer]
    for carrier in early:
        assert offers.passes(Party.PEER, carrier, has_sdp=False) is Role.NOTHING
    assert offers.passes(Party.PEER, last, has_sdp=False) is Role.MISSING
    assert offers.may_offer


@pytest.mark.rule("OA-28")
def test_who_is_asked_has_to_offer() -> None:
    offers = Offers.of_invite(Party.PEER, has_sdp=False)
    assert offers.asked is Party.WE
    assert not offers.may_offer
    assert offers.passes(Party.WE, C.RELIABLE, has_sdp=False) is Role.NOTHING
    assert offers.passes(Party.WE, C.SUCCESS, has_sdp=False) is Role.MISSING


@pytest.mark.rule("OA-27")
@pytest.mark.parametrize("second", [C.INVITE, C.UPDATE, C.PRACK])
def test_there_is_one_offer_at_a_time(second: Carrier) -> None:
    offers = opened(C.UPDATE, Party.PEER)
    assert offers.passes(Party.WE, second, has_sdp=True) is Role.NOTHING
    assert offers.open == (Party.PEER, C.UPDATE)


@pytest.mark.rule("OA-18")
@pytest.mark.parametrize("carrier", [C.INVITE, C.UPDATE, C.PRACK])
def test_what_is_refused_was_never_offered(carrier: Carrier) -> None:
    offers = opened(carrier, Party.WE)
    offers.failed(carrier)
    assert offers.may_offer
    asked = Offers.of_invite(Party.WE, has_sdp=False)
    asked.failed(C.INVITE)
    assert asked.may_offer


@pytest.mark.rule("OA-31")
def test_each_branch_has_its_own() -> None:
    one, two = (Offers.of_invite(Party.WE, has_sdp=True) for _ in range(2))
    assert one.passes(Party.PEER, C.RELIABLE, has_sdp=True) is Role.ANSWER
    assert two.open == (Party.WE, C.INVITE)
    assert two.passes(Party.PEER, C.SUCCESS, has_sdp=True) is Role.ANSWER


@given(st.lists(st.tuples(st.sampled_from(Party), st.sampled_from(C), st.booleans())))
def test_no_order_of_messages_breaks_it(
    said: list[tuple[Party, Carrier, bool]],
) -> None:
    offers = Offers()
    balance = 0
    for by, carrier, described in said:
        role = offers.passes(by, carrier, has_sdp=described)
        balance += (role is Role.OFFER) - (role in (Role.ANSWER, Role.MISSING))
        # A missing offer counts as well as a missing answer.
        balance = max(balance, 0)
        assert balance == (offers.open is not None)
        assert offers.open is None or offers.asked is None


@pytest.mark.rule("SIP-50", "OA-27")
def test_the_windows_after_a_glare_do_not_overlap() -> None:
    def span(*, owns: bool) -> tuple[float, float]:
        extremes = (lambda n: 0, lambda n: n - 1)
        least, most = (
            glare_delay(owns_call_id=owns, randbelow=pick) for pick in extremes
        )
        return round(least, 3), round(most, 3)

    assert span(owns=True) == (2.1, 4.0)
    assert span(owns=False) == (0.0, 2.0)
    low = glare_delay(owns_call_id=True, randbelow=lambda n: 0)
    high = glare_delay(owns_call_id=True, randbelow=lambda n: 1)
    assert round(high - low, 6) == 0.01


# What is a session description.


def carrying(body: bytes, kind: str | None, disposition: str | None = None) -> Request:
    headers = [("Content-Disposition", disposition)] if disposition else []
    return Request.build("INVITE", "sip:b", headers, body, kind)


def multipart(kind: str, disposition: str | None = None) -> Request:
    wanted = mime.ContentDisposition.build(disposition) if disposition else None
    part = mime.Part.build(kind, b"v=0", disposition=wanted)
    content_type, body = mime.build_multipart(
        [mime.Part.build("application/pidf+xml", b"<presence/>"), part]
    )
    return carrying(body, str(content_type))


@pytest.mark.rule("OA-30")
@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        pytest.param(carrying(b"", None), False, id="none"),
        pytest.param(carrying(b"v=0", "application/sdp"), True, id="plain"),
        pytest.param(carrying(b"v=0", "Application/SDP ; x=y"), True, id="spelt"),
        pytest.param(carrying(b"v=0", "text/plain"), False, id="text"),
        pytest.param(
            carrying(b"v=0", "application/sdp", "early-session"), False, id="aside"
        ),
        pytest.param(carrying(b"v=0", "nonsense"), False, id="no-type"),
        pytest.param(carrying(b"v=0", "multipart/mixed"), False, id="no-boundary"),
        pytest.param(multipart("application/sdp"), True, id="part"),
        pytest.param(multipart("application/sdp", "render"), False, id="other-part"),
        pytest.param(multipart("text/plain"), False, id="no-part"),
    ],
)
def test_a_session_description_is_known_by_its_type_and_purpose(
    request_: Request, expected: bool
) -> None:
    assert has_sdp(request_) is expected


def test_the_table_is_closed() -> None:
    carriers = {*ANSWERED_IN, *itertools.chain(*ANSWERED_IN.values())}
    assert carriers == set(Carrier)
