"""What an application gets wrong is said at once, and harms nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import cpim
import mime
import msrp
from tests.msrp.aio.conftest import Board

SENDS: list[Callable[[msrp.MsrpConnection], Coroutine[Any, Any, object]]] = [
    lambda c: c.send_message("text/plain", "a str"),  # type: ignore[arg-type]
    lambda c: c.send_message("text/plain", None),  # type: ignore[arg-type]
    lambda c: c.send_text(b"octets"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("send", SENDS, ids=["str", "none", "bytes"])
async def test_contents_of_the_wrong_type_are_refused_and_the_session_lives(
    board: Board, send: Callable[[msrp.MsrpConnection], Coroutine[Any, Any, object]]
) -> None:
    active, passive = await board.pair()
    with pytest.raises(TypeError, match=r"must be (str|bytes), not"):
        await send(active)
    await (await active.send_text("still there")).delivered()
    assert (await anext(passive)).text == "still there"


def test_what_needs_octets_says_so() -> None:
    with pytest.raises(TypeError, match="content must be bytes, not str"):
        mime.Part.build("text/plain", "text")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="data must be bytes, not str"):
        cpim.CpimMessage.parse("text")  # type: ignore[arg-type]


def test_descriptions_have_to_be_read_first() -> None:
    with pytest.raises(TypeError, match=r"str is no description: .*parse"):
        msrp.MsrpConnection.create_from_sdp(
            "v=0",  # type: ignore[arg-type]
            "v=0",  # type: ignore[arg-type]
            is_incoming=True,
        )


async def test_parts_have_to_be_parts(board: Board) -> None:
    active, passive = await board.pair()
    with pytest.raises(TypeError, match=r"made with Part\.build, not of str"):
        await active.send_multipart(["text"])  # type: ignore[list-item]
    await (await active.send_text("still there")).delivered()
    assert (await anext(passive)).text == "still there"


async def test_a_limit_that_is_no_number_is_noticed_at_once(board: Board) -> None:
    waiting = board.waiting(await board.listener())
    with pytest.raises(TypeError, match="a number of octets, not str"):
        waiting.max_message_length = "20000"  # type: ignore[assignment]
    waiting.max_message_length = 20_000
    await waiting.start()


async def test_a_hook_that_there_isnt_cant_be_set(board: Board) -> None:
    waiting = board.waiting(await board.listener())
    with pytest.raises(AttributeError, match="no hook on_text_message_recieved"):
        waiting.on_text_message_recieved = print  # type: ignore[attr-defined]
    waiting.on_text_message_received = print
    await waiting.start()


async def test_what_is_too_large_is_in_the_log_of_whoever_refused_it(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "msrp")
    active, passive = await board.pair(max_message_length=10_000)
    sent = await active.send_message("image/jpeg", bytes(20_000))
    with pytest.raises(msrp.RequestRefused):
        await sent.delivered()
    assert "refused with 413: it is larger than max_message_length" in caplog.text
    assert passive.is_over is False


async def test_a_session_that_can_not_begin_by_mistake_is_told_of_at_once(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def start(connection: msrp.MsrpConnection) -> None:
        raise RuntimeError("a bug")

    told = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: told.set_result(context["exception"])
    )
    monkeypatch.setattr(msrp.MsrpConnection, "start", start)
    ours, theirs = await board.listener(), await board.listener()
    medium = msrp.MsrpMedia(ours)
    offered = await medium.offer()
    answered = theirs.answer(offered)
    assert answered is not None
    await medium.start(offered, answered, True)
    assert str(await told) == "a bug"
    await medium.stop()
