"""A message stream on hold: its direction says who may send, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board


def hold(connection: msrp.MsrpConnection, *, may_send: bool) -> None:
    """Do what a re-INVITE does that changes nothing but the direction."""
    told = replace(connection.negotiated, may_send=may_send)
    assert connection.renegotiated(told)


@pytest.mark.rule("OA-23")
async def test_on_hold_contents_are_refused_to_the_sender_and_all_else_flows(
    board: Board,
) -> None:
    active, passive = await board.pair()
    log, stream = board.log(active), active._started().stream
    # A message that is on its way when the stream is put on hold still arrives.
    before = await active.send_message("x/y", bytes(500_000), success_report=True)
    hold(active, may_send=False)
    await before.delivered()
    for _ in range(2):
        with pytest.raises(msrp.LocalProtocolError, match="doesn't want to receive"):
            await active.send_text("Are you there?")
    # The other way, messages, their responses and reports go on as before.
    held = await passive.send_text("You are on hold.", success_report=True)
    await held.delivered()
    await board.until(lambda: log.texts == ["You are on hold."])
    assert active.is_open
    assert active._started().stream is stream
    hold(active, may_send=True)
    await (await active.send_text("Thanks.")).delivered()
    assert not log.of(msrp.ConnectionLost)
    assert not log.of(msrp.ClosedEvent)


@pytest.mark.rule("OA-23")
@pytest.mark.parametrize("direction", ["inactive", "sendonly", "recvonly"])
async def test_a_session_that_begins_on_hold_is_connected_all_the_same(
    board: Board, direction: str
) -> None:
    listener = await board.listener()
    uri = msrp.MsrpUri("msrp", "127.0.0.1", 9, "ann")
    offered = msrp.offer_media(uri, setup="active", direction=direction)
    answered = msrp.answer_media(offered, listener.new_uri())
    assert answered is not None
    ends = [
        board.connection(offered, answered, is_incoming=incoming, listener=at)
        for incoming, at in ((True, listener), (False, None))
    ]
    for end in ends:
        await end.start()
    passive, active = ends
    await passive.established()
    assert active.negotiated.may_send is (direction == "sendonly")
    assert passive.negotiated.may_send is (direction == "recvonly")
    for end in ends:
        if end.negotiated.may_send:
            await (await end.send_text("Hello")).delivered()
        else:
            with pytest.raises(msrp.LocalProtocolError):
                await end.send_text("Hello")
