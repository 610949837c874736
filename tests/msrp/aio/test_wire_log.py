"""Every message on the wire is told to whoever keeps a record."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp import WireDirection, WireMessage

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]

CONFIG = msrp.SessionConfig(chunk_size=2048, max_message_length=100_000)


def of(log: list[WireMessage], direction: WireDirection) -> list[bytes]:
    return [each.octets for each in log if each.direction is direction]


def kinds(log: list[WireMessage]) -> list[str]:
    """Return which way each went, and the method or the code."""
    return [
        f"{each.direction.value} {each.octets.split(None, 3)[2].decode()}"
        for each in log
    ]


@pytest.mark.rule("NG-13", "NT-6")
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_three_chunks_and_a_report_are_told_once_on_both_sides(
    board: Board, certs: Certs, secure: bool
) -> None:
    logs: tuple[list[WireMessage], list[WireMessage]] = ([], [])
    caller, called = [
        await board.listener(local_cert=cert if secure else None, wire_log=log.append)
        for cert, log in zip(certs, logs, strict=True)
    ]
    offered = caller.offer(accept_types=("*",))
    answered = called.answer(offered, accept_types=("*",))
    assert answered is not None
    active, passive = (
        board.connection(
            offered, answered, is_incoming=incoming, listener=listener, config=CONFIG
        )
        for incoming, listener in ((False, caller), (True, called))
    )
    before = datetime.datetime.now(datetime.UTC)
    await passive.start()
    await active.start()
    sent = await active.send_message("x/y", bytes(5000), success_report=True)
    await sent.delivered()
    for end in (active, passive):
        await end.shutdown()
    one, other = logs
    assert sorted(kinds(one)) == sorted(
        ["sent SEND", "received 200"] * 4 + ["received REPORT"]
    )
    assert kinds(one)[:2] == ["sent SEND", "received 200"]
    # What one side has sent, the other has received, in the same order.
    assert of(one, WireDirection.SENT) == of(other, WireDirection.RECEIVED)
    assert of(other, WireDirection.SENT) == of(one, WireDirection.RECEIVED)
    chunks = of(one, WireDirection.SENT)[1:]
    assert [chunk[-3:] for chunk in chunks] == [b"+\r\n", b"+\r\n", b"$\r\n"]
    for log, end in ((one, active), (other, passive)):
        session_id = end.negotiated.local_uri.session_id
        assert {each.session_id for each in log} == {session_id}
        assert {each.peer.partition(":")[0] for each in log} == {"127.0.0.1"}
        times = [each.time for each in log]
        assert before <= times[0]
        assert times == sorted(times)
        assert all(each.is_complete and not each.is_cut for each in log)


@pytest.mark.rule("NG-13")
async def test_a_connection_without_a_listener_has_a_log_of_its_own(
    board: Board,
) -> None:
    logs: tuple[list[WireMessage], list[WireMessage]] = ([], [])
    active, passive = await board.pair(start=False)
    active.wire_log, passive.wire_log = (log.append for log in logs)
    await passive.start()
    await active.start()
    await (await active.send_text("Hello")).delivered()
    assert kinds(logs[0]) == ["sent SEND", "received 200"] * 2
    # A listener's connections are the listener's, whichever session they name.
    assert logs[1] == []


async def test_what_a_log_raises_stays_away_from_the_session(board: Board) -> None:
    def broken(message: WireMessage) -> None:
        raise RuntimeError("the disk is full")

    active, passive = await board.pair(start=False)
    active.wire_log = broken
    await passive.start()
    await active.start()
    await (await active.send_text("Hello")).delivered()
    told = {(each["message"], str(each["exception"])) for each in board.take_problems()}
    assert told == {("the wire log failed", "the disk is full")}


async def test_a_message_that_breaks_off_is_told_as_far_as_it_came(
    board: Board,
) -> None:
    log: list[WireMessage] = []
    listener = await board.listener(wire_log=log.append)
    passive = board.waiting(listener)
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    head, _, _ = log[0].octets.partition(b"-------")
    broken = head + b"Content-Type: a/b\r\n\r\nHe"
    peer.writer.write(broken)
    peer.writer.close()
    await board.until(lambda: not log[-1].is_complete)
    assert log[-1].octets == broken
    assert log[-1].direction is WireDirection.RECEIVED
