from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.sending.terms import check, takes
from msrp.content import Body
from msrp.negotiation import Negotiated
from msrp.sansio.session import Session

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

LINE = Body("text/plain", b"hello")


async def terms_of(board: Board, **said: object) -> tuple[Session, Negotiated]:
    """Return a session, and what its peer takes."""
    waiting = board.waiting(await board.listener())
    await waiting.start()
    return waiting.session, replace(waiting.negotiated, **said)  # type: ignore[arg-type]  # Known to the test.


async def test_what_the_peer_takes_may_be_sent_both_ways(board: Board) -> None:
    session, negotiated = await terms_of(board, remote_max_size=5)
    check(session, negotiated, LINE, size=5, message_id="abcd")
    assert takes(session, negotiated, LINE)


async def test_what_is_too_large_may_be_sent_in_neither_way(board: Board) -> None:
    session, negotiated = await terms_of(board, remote_max_size=4)
    with pytest.raises(msrp.LocalProtocolError, match="more than 4 octets"):
        check(session, negotiated, LINE, size=5, message_id=None)
    assert not takes(session, negotiated, LINE)


async def test_what_was_refused_before_may_be_sent_in_neither_way(
    board: Board,
) -> None:
    session, negotiated = await terms_of(board)
    session.underway.refused_types = frozenset({"text/plain"})
    with pytest.raises(msrp.LocalProtocolError, match="refused text/plain before"):
        check(session, negotiated, LINE, size=5, message_id=None)
    assert not takes(session, negotiated, LINE)


async def test_who_is_on_hold_gets_only_what_is_sent_beside_messages(
    board: Board,
) -> None:
    session, negotiated = await terms_of(board, may_send=False)
    with pytest.raises(msrp.LocalProtocolError, match="doesn't want to receive"):
        check(session, negotiated, LINE, size=5, message_id=None)
    assert takes(session, negotiated, LINE)
