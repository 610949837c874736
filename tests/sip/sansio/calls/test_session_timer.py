"""Session timers: what is negotiated, who refreshes, and what if nobody does."""

from __future__ import annotations

import pytest

from sip.message import Request, Response, response_to
from sip.sansio.calls.call import CallState
from sip.sansio.calls.client import ClientCall
from sip.sansio.calls.events import OfferReceived
from sip.sansio.calls.session_timer import (
    SessionTimer,
    is_too_short,
    negotiate_interval,
)
from sip.sansio.events import CallEnded, CallReceived, EndReason
from sip.sansio.hop import Hop, Transport
from sip.sansio.timers import Timers
from sip.testing import Network, Peer, Sent
from sip.uri import parse_uri
from tests.sip.sansio.pairs import ALICE, BOB, PLAIN, SDP, Pair, connected

OURS = Timers(session_expires=600)


def invite(*headers: tuple[str, str]) -> Request:
    return Request.build("INVITE", "sip:a", headers)


KNOWS = ("Supported", "timer, 100rel")


@pytest.mark.rule("SIP-58", "ST-11")
@pytest.mark.parametrize(
    ("headers", "answer"),
    [
        # Table 2 of RFC 4028.
        pytest.param([("Session-Expires", "300")], "300;refresher=uas", id="N-none"),
        pytest.param(
            [("Session-Expires", "300;refresher=uac")],
            "300;refresher=uas",
            id="N-uac-which-cannot-be",
        ),
        pytest.param(
            [("Session-Expires", "300;refresher=uas")], "300;refresher=uas", id="N-uas"
        ),
        pytest.param(
            [KNOWS, ("Session-Expires", "300")], "300;refresher=uas", id="Y-none"
        ),
        pytest.param(
            [KNOWS, ("Session-Expires", "300;refresher=uac")],
            "300;refresher=uac",
            id="Y-uac",
        ),
        pytest.param(
            [KNOWS, ("Session-Expires", "300;refresher=uas")],
            "300;refresher=uas",
            id="Y-uas",
        ),
        # Intervals.
        pytest.param([KNOWS], "600;refresher=uas", id="not-asked"),
        pytest.param([], None, id="not-known"),
        pytest.param(
            [KNOWS, ("Session-Expires", "1800")], "600;refresher=uas", id="lowered"
        ),
        pytest.param(
            [KNOWS, ("Session-Expires", "1800"), ("Min-SE", "900")],
            "900;refresher=uas",
            id="not-below-min-se",
        ),
        pytest.param([KNOWS, ("Session-Expires", "60")], None, id="never-raised"),
        pytest.param([KNOWS, ("Min-SE", "900")], "900;refresher=uas", id="min-se-only"),
    ],
)
def test_a_2xx_says_what_the_table_says(
    headers: list[tuple[str, str]], answer: str | None
) -> None:
    agreed = negotiate_interval(invite(*headers), OURS)
    assert (None if agreed is None else str(agreed)) == answer


@pytest.mark.rule("SIP-58")
def test_who_asks_for_no_timer_takes_that_of_the_peer_as_it_is() -> None:
    nothing = Timers(session_expires=None)
    assert negotiate_interval(invite(KNOWS), nothing) is None
    asked = invite(KNOWS, ("Session-Expires", "1800"))
    assert str(negotiate_interval(asked, nothing)) == "1800;refresher=uas"
    assert SessionTimer().request_headers(nothing) == []


@pytest.mark.rule("SIP-58")
@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ([KNOWS, ("Session-Expires", "89")], True),
        ([KNOWS, ("Session-Expires", "90")], False),
        ([("Session-Expires", "30")], False),
        ([KNOWS], False),
    ],
    ids=["too-short", "just-enough", "of-a-proxy", "none"],
)
def test_an_interval_may_be_too_short(
    headers: list[tuple[str, str]], refused: bool
) -> None:
    expected = (("Min-SE", "90"),) if refused else None
    assert is_too_short(invite(*headers), OURS) == expected
    stricter = is_too_short(invite(*headers), Timers(min_session_expires=300))
    assert (stricter == (("Min-SE", "300"),)) == (
        headers[0] == KNOWS and len(headers) > 1
    )


# A call.


def expires_of(sent: Sent) -> str | None:
    return sent.message.headers.get("Session-Expires")


@pytest.mark.rule("SIP-58", "ST-11")
def test_the_callee_refreshes_at_half_time_by_an_update_without_an_offer(
    network: Network,
) -> None:
    pair = connected(network, timers=OURS)
    assert expires_of(network.sent("INVITE")[0]) == "600"
    (ok,) = network.sent("200")
    assert expires_of(ok) == "600;refresher=uas"
    assert ok.message.require == ("timer",)
    network.run(1000.0)
    assert network.times("UPDATE") == [300.0, 600.0, 900.0]
    for update in network.sent("UPDATE"):
        assert update.source.host == BOB
        assert update.message.body == b""
        # The roles stay, though who was UAS is UAC in this.
        assert expires_of(update) == "600;refresher=uac"
    assert pair.alice.of(OfferReceived) == pair.bob.of(OfferReceived) == []
    assert network.sent("BYE") == []


@pytest.mark.rule("SIP-58", "ST-11")
def test_the_caller_refreshes_if_it_wants_to(network: Network) -> None:
    wish = (("Session-Expires", "600;refresher=uac"),)
    connected(network, timers=OURS, headers=wish)
    (ok,) = network.sent("200")
    assert ok.message.require == ("timer",)
    network.run(400.0)
    (update,) = network.sent("UPDATE")
    assert (update.time, update.source.host) == (300.0, ALICE)
    assert expires_of(network.sent("200")[-1]) == "600;refresher=uac"


@pytest.mark.rule("SIP-58", "ST-11")
def test_a_callee_without_timers_is_watched_all_the_same(network: Network) -> None:
    pair = connected(network, timers=OURS, bob=PLAIN)
    pair.ours.refresh_body = b"offer"
    network.run(299.0)
    assert len(network.sent("INVITE")) == 1
    network.run(1.0)
    assert network.sent("UPDATE") == []
    (event,) = pair.bob.of(OfferReceived)
    assert event.request.body == b"offer"
    pair.answer(pair.theirs)
    network.run(100.0)
    assert pair.ours.state is CallState.CONFIRMED


@pytest.mark.rule("SIP-58", "ST-11", "SIP-40")
def test_a_caller_without_timers_is_not_watched(network: Network) -> None:
    connected(network, timers=OURS, alice=PLAIN)
    (ok,) = network.sent("200")
    assert "Require" not in ok.message.headers
    network.run(10_000.0)
    assert network.sent("UPDATE") == network.sent("BYE") == []


@pytest.mark.rule("SIP-58", "ST-11")
@pytest.mark.parametrize(
    ("interval", "margin"), [(600, 32.0), (90, 30.0)], ids=["32-s", "a-third"]
)
def test_who_hears_no_refresh_hangs_up_before_the_end(
    network: Network, interval: int, margin: float
) -> None:
    pair = connected(network, timers=Timers(session_expires=interval))
    network.fate = lambda sent: () if sent.what == "UPDATE" else (0.0,)
    pair.theirs.session_timer.refresh_at = None
    network.run(interval)
    assert network.times("BYE") == [interval - margin]
    assert [e.reason for e in pair.alice.of(CallEnded)] == [EndReason.NOT_REFRESHED]


@pytest.mark.rule("SIP-58", "ST-11", "SIP-45")
@pytest.mark.parametrize("status", [481, 408])
def test_a_refresh_that_says_there_is_no_call_ends_it(
    network: Network, status: int
) -> None:
    pair = connected(network, timers=OURS)
    del pair.alice.core._dialogs.users[pair.ours.dialog.key]  # type: ignore[union-attr]
    if status == 408:
        network.fate = lambda sent: () if sent.what == "UPDATE" else (0.0,)
    network.run(400.0)
    assert [e.reason for e in pair.bob.of(CallEnded)] == [EndReason.LOST]
    assert len({sent.message.cseq.number for sent in network.sent("BYE")}) == 1


@pytest.mark.rule("SIP-58")
def test_a_refresh_that_fails_otherwise_is_tried_again_until_the_end(
    network: Network,
) -> None:
    pair = connected(network, timers=OURS)
    pair.alice.core.admission = PLAIN
    pair.alice.core.reception._host = pair.alice.core
    pair.theirs.refresh_body = b"answer"

    def refuse(event: object) -> None:
        if isinstance(event, OfferReceived):
            event.call.answer_offer(event.transaction, 488, network.now)

    pair.alice.on_event = refuse
    network.run(700.0)
    # The UPDATE is refused with 405, each INVITE with 488.
    assert network.times("UPDATE") == [300.0]
    times = network.times("INVITE")[1:]
    assert times[:3] == [300.0, 450.0, 525.0]
    assert times[-1] < 600.0
    # Whoever waits for the refresh hangs up first, shortly before the end.
    assert network.times("BYE") == [568.0]
    assert len(times) < 10


@pytest.mark.rule("SIP-58")
def test_any_change_of_the_session_refreshes_it(network: Network) -> None:
    pair = connected(network, timers=OURS)
    network.run(200.0)
    pair.offer(pair.ours)
    assert expires_of(network.sent("INVITE")[-1]) == "600;refresher=uas"
    pair.answer(pair.theirs)
    network.run(299.0)
    assert network.sent("UPDATE") == []
    network.run(1.0)
    assert network.times("UPDATE") == [500.0]


@pytest.mark.rule("SIP-58", "ST-11", "SIP-31")
def test_a_callee_that_wants_longer_intervals_is_asked_again(
    network: Network,
) -> None:
    alice = network.node(ALICE, timers=Timers(session_expires=100))
    bob = network.node(BOB, timers=Timers(min_session_expires=300))
    alice.core.invite(parse_uri(f"sip:{BOB}"), network.now, body=b"o", content_type=SDP)
    network.run()
    assert len(network.sent("422")) == 1
    assert network.sent("422")[0].message.headers.get("Min-SE") == "300"
    again = network.sent("INVITE")[-1].message
    assert again.headers.get("Session-Expires") == "300"
    assert again.headers.get("Min-SE") == "300"
    assert len(bob.of(CallReceived)) == 1


# Peers that say what they like.


def answered_with(
    network: Network, *headers: tuple[str, str]
) -> tuple[ClientCall, Peer]:
    alice, bob = network.node(ALICE, timers=OURS), network.peer(BOB)
    call = alice.core.invite(
        parse_uri(f"sip:{BOB}"), network.now, body=b"o", content_type=SDP
    )
    network.run()
    contact = ("Contact", f"<sip:b@{BOB}>")
    allow = ("Allow", "INVITE, UPDATE")
    response: Response = response_to(
        bob.requests("INVITE")[0],
        200,
        to_tag="b",
        headers=[contact, allow, *headers],
        body=b"a",
        content_type=SDP,
    )
    bob.send(response, Hop(Transport.UDP, ALICE, 5060))
    network.run()
    if call.state is CallState.ANSWERED:
        call.acknowledge(network.now)
    network.run()
    return call, bob


@pytest.mark.rule("SIP-58")
@pytest.mark.parametrize(
    ("headers", "interval", "we_refresh"),
    [
        pytest.param([("Session-Expires", "900;refresher=uac")], 900, True, id="uac"),
        pytest.param([("Session-Expires", "900;refresher=uas")], 900, False, id="uas"),
        pytest.param([("x", "900")], 900, True, id="nobody-said-who"),
        pytest.param([], 600, True, id="no-timer-there"),
        pytest.param([("Supported", "timer")], None, False, id="timer-turned-off"),
    ],
)
def test_a_2xx_decides(
    network: Network,
    headers: list[tuple[str, str]],
    interval: int | None,
    we_refresh: bool,
) -> None:
    call, _ = answered_with(network, *headers)
    timer = call.session_timer
    assert (timer.interval, timer.we_refresh) == (interval, we_refresh)


@pytest.mark.rule("SIP-58", "SIP-68")
@pytest.mark.parametrize("value", ["soon", "", "0", "90;;;", "-7"])
def test_an_interval_that_is_none_is_no_reason_to_lose_the_call(
    network: Network, value: str
) -> None:
    call, bob = answered_with(network, ("Session-Expires", value))
    assert call.state is CallState.CONFIRMED
    assert len(bob.requests("ACK")) == 1
    answer = negotiate_interval(
        invite(KNOWS, ("Session-Expires", value), ("Min-SE", value)), OURS
    )
    assert answer is None or answer.interval >= 90


def test_refreshing_pairs_end_in_good_order(network: Network) -> None:
    pair: Pair = connected(network, timers=Timers(session_expires=90))
    network.run(1000.0)
    pair.theirs.bye(network.now)
    network.run(100.0)
    assert pair.alice.core.next_timeout() is None
    assert pair.bob.core.next_timeout() is None
