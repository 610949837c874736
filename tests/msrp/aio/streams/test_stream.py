from __future__ import annotations

import asyncio

import pytest

import msrp
from msrp.aio.streams.stream import StreamProtocol
from msrp.events import SessionOver
from tests.msrp.aio.streams.scripted import (
    FakeTransport,
    Owner,
    lose,
    opened,
)


async def test_reading_pauses_and_resumes_with_its_owners_wish() -> None:
    owner = Owner()
    stream, transport = opened(owner)
    owner.reading_wanted = False
    stream.update_reading()
    stream.update_reading()
    owner.reading_wanted = True
    stream.update_reading()
    stream.update_reading()
    assert transport.calls == ["pause_reading", "resume_reading"]
    lose(stream)
    stream.update_reading()
    assert transport.calls == ["pause_reading", "resume_reading"]


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize(
    ("error", "reason"),
    [(None, msrp.CloseReason.BY_THEM), (OSError("x"), msrp.CloseReason.LOST)],
)
async def test_a_connection_that_is_lost_ends_its_sessions(
    error: Exception | None, reason: msrp.CloseReason
) -> None:
    owner = Owner()
    stream, _ = opened(owner)
    stream.connection_lost(error)
    over = owner.events[-1]
    assert isinstance(over, SessionOver)
    assert over.reason is reason
    assert stream.owners == {}
    await stream.wait_closed()


async def test_a_session_can_be_attached_to_a_stream_that_is_gone() -> None:
    owner = Owner()
    stream = StreamProtocol()
    stream.connection_made(FakeTransport())
    stream.eof_received()
    lose(stream)
    stream.attach(owner.session, owner)
    over = owner.events[-1]
    assert isinstance(over, SessionOver)
    assert not over.was_open


async def test_nothing_is_called_after_the_end() -> None:
    owner = Owner()
    stream, transport = opened(owner, limits=msrp.Limits(stall_time=0.01))
    stream.data_received(b"MSRP abcd SEND\r\n")  # Which sets a timer.
    lose(stream)
    events, calls = list(owner.events), list(transport.calls)
    stream.flush()
    stream.close()
    stream.update_reading()
    await asyncio.sleep(0.03)
    assert (owner.events, transport.calls) == (events, calls)
    assert stream.certificate is None
    assert stream.peer == "somewhere"
