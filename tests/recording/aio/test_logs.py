"""What the log gets of whole messages."""

from __future__ import annotations

import logging

import pytest

import msrp
import sip
from recording import Taps, log_wire


class Owner:
    def taps_changed(self) -> None:
        pass


def test_nothing_is_listened_to_unless_somebody_reads_it() -> None:
    taps = Taps(Owner())
    logger = logging.getLogger("tests.wire")
    logger.setLevel(logging.INFO)
    assert log_wire(taps, logger) is None
    assert not taps.hears_anything


async def test_agents_and_listeners_log_if_somebody_reads_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "msrp.wire")
    caplog.set_level(logging.DEBUG, "sip.wire")
    agent = sip.UserAgent("sip:a@example.net", listen=["udp://127.0.0.1:0"])
    async with agent, msrp.MsrpListener("127.0.0.1", 0) as listener:
        assert agent.taps.hears_wire
        assert listener.taps.hears_wire
        assert not listener.taps.hears_messages


async def test_messages_are_logged_whole_and_bodies_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "tests.wire")
    async with (
        msrp.MsrpListener("127.0.0.1", 0) as ours,
        msrp.MsrpListener("127.0.0.1", 0) as theirs,
    ):
        tap = log_wire(ours.taps, logging.getLogger("tests.wire"))
        assert tap is not None
        offered = ours.offer()
        answered = theirs.answer(offered)
        assert answered is not None
        create = msrp.MsrpConnection.create_from_sdp
        async with (
            create(offered, answered, is_incoming=True, listener=theirs) as called,
            create(offered, answered, is_incoming=False, listener=ours) as calling,
        ):
            await (await calling.send_text("hello")).delivered()
            await (await calling.send_text("long" * 400)).delivered()
            for _ in range(2):
                await anext(called)
            assert await tap.drained()
    said = [record.getMessage() for record in caplog.records]
    [first] = [each for each in said if "hello" in each]
    assert first.startswith("to 127.0.0.1:")
    assert "\nMSRP " in first
    [cut] = [each for each in said if "longlong" in each]
    assert len(cut) < 1500
    assert cut.endswith("octets more")
    assert any(each.startswith("from 127.0.0.1:") for each in said)
