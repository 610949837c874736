"""What an application gets wrong is said at once, and harms nothing."""

from __future__ import annotations

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
