"""Who taps a session hears each message once, and all that is known of it."""

from __future__ import annotations

import asyncio
import datetime
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import msrp
from msrp.headers import ContinuationFlag
from recording import (
    CallIdentity,
    Direction,
    MessageRecord,
    Outcome,
    Protocol,
    Tap,
    Transport,
    WireRecord,
)

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]
Pair = tuple[msrp.MsrpConnection, msrp.MsrpConnection]

CONFIG = msrp.SessionConfig(chunk_size=2048, max_message_length=100_000)
BOB, ALICE = msrp.Address("im:bob@example.net"), msrp.Address("im:alice@example.org")


class Heard(list[MessageRecord]):
    """What the taps of a test were told."""

    def __init__(self, *tapped: Any) -> None:
        self.taps: list[Tap[MessageRecord]] = [
            each.add_tap(self.append) for each in tapped
        ]

    async def until(self, count: int) -> None:
        """Wait until so many were told."""
        async with asyncio.timeout(10):
            while len(self) < count:  # noqa: ASYNC110  # It is another thread.
                await asyncio.sleep(0.002)

    async def all(self) -> list[MessageRecord]:
        """Wait until all that was put is told."""
        for tap in self.taps:
            assert await tap.drained()
        return self


def in_order(record: MessageRecord, *names: str) -> bool:
    times = [getattr(record, name) for name in names]
    return None not in times and times == sorted(times)


def threads() -> set[str]:
    return {each.name for each in threading.enumerate()}


# The wire.


def kinds(log: list[WireRecord]) -> list[str]:
    """Return which way each went, and the method or the code."""
    return [
        f"{each.direction.value} {each.octets.split(None, 3)[2].decode()}"
        for each in log
    ]


def of(log: list[WireRecord], direction: Direction) -> list[bytes]:
    return [each.octets for each in log if each.direction is direction]


@pytest.mark.rule("NG-13", "NT-6")
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_three_chunks_and_a_report_are_told_once_on_both_sides(
    board: Board, certs: Certs, secure: bool
) -> None:
    logs: tuple[list[WireRecord], list[WireRecord]] = ([], [])
    ports = [
        await board.listener(local_cert=cert if secure else None) for cert in certs
    ]
    taps = [
        port.add_wire_tap(log.append) for port, log in zip(ports, logs, strict=True)
    ]
    caller, called = ports
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
    for tap in taps:
        assert await tap.drained()
    one, other = logs
    assert sorted(kinds(one)) == sorted(
        ["outgoing SEND", "incoming 200"] * 4 + ["incoming REPORT"]
    )
    assert kinds(one)[:2] == ["outgoing SEND", "incoming 200"]
    # What one side has sent, the other has received, in the same order.
    assert of(one, Direction.SENT) == of(other, Direction.RECEIVED)
    assert of(other, Direction.SENT) == of(one, Direction.RECEIVED)
    chunks = of(one, Direction.SENT)[1:]
    assert [chunk[-3:] for chunk in chunks] == [b"+\r\n", b"+\r\n", b"$\r\n"]
    for log, end in ((one, active), (other, passive)):
        session_id = end.negotiated.local_uri.session_id
        assert {each.session_id for each in log} == {session_id}
        assert {each.transport for each in log} == {
            Transport.TLS if secure else Transport.TCP
        }
        assert len({each.connection for each in log}) == 1
        times = [each.time for each in log]
        assert before <= times[0]
        assert times == sorted(times)
        assert all(each.is_complete and not each.is_cut for each in log)
    assert {(each.local, each.peer) for each in one} == {
        (each.peer, each.local) for each in other
    }


@pytest.mark.rule("NG-13")
async def test_connections_without_a_listener_can_be_tapped(board: Board) -> None:
    spare = await board.listener()
    port = spare.port
    await spare.close()
    offered = msrp.offer_media(msrp.MsrpUri("msrp", "127.0.0.1", 9, "active"))
    answered = msrp.answer_media(
        offered, msrp.MsrpUri("msrp", "127.0.0.1", port, "passive")
    )
    assert answered is not None
    active, passive = (
        board.connection(offered, answered, is_incoming=incoming)
        for incoming in (False, True)
    )
    board.log(passive)
    heard = Heard(active, passive)
    wire: list[WireRecord] = []
    taps = [end.add_wire_tap(wire.append) for end in (active, passive)]
    async with passive, active:
        await (await active.send_text("Hello")).delivered()
        await heard.until(2)
        for tap in taps:
            assert await tap.drained()
    assert [each.text for each in heard] == ["Hello", "Hello"]
    assert sorted(kinds(wire)) == sorted(
        ["outgoing SEND", "incoming SEND", "outgoing 200", "incoming 200"] * 2
    )
    await board.until(lambda: "tap" not in threads())


async def test_a_port_of_its_own_goes_with_a_connection(board: Board) -> None:
    calling = board.calling(9, config=msrp.SessionConfig())
    heard: list[WireRecord] = []
    tap = calling.port_taps.taps.add_wire(heard.append, 10)
    with pytest.raises(msrp.ConnectionFailed):
        await calling.start()
    await board.until(lambda: tap.is_removed)
    never = board.calling(9)
    tap = never.port_taps.taps.add_wire(heard.append, 10)
    await never.shutdown()
    assert tap.is_removed


async def test_a_message_that_breaks_off_is_told_as_far_as_it_came(
    board: Board,
) -> None:
    listener = await board.listener()
    log: list[WireRecord] = []
    tap = listener.add_wire_tap(log.append)
    passive = board.waiting(listener)
    heard = Heard(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    await tap.drained()
    head, _, _ = log[0].octets.partition(b"-------")
    broken = head + b"Content-Type: a/b\r\n\r\nHe"
    peer.writer.write(broken)
    peer.writer.close()
    await passive.closed()
    await board.until(lambda: not log[-1].is_complete)
    assert log[-1].octets == broken
    assert log[-1].direction is Direction.RECEIVED
    await heard.until(1)
    assert (heard[0].outcome, heard[0].code) == (Outcome.REFUSED, 415)


# Messages.


@pytest.mark.rule("NG-13")
async def test_a_text_is_told_once_on_each_side_with_all_that_is_known(
    board: Board, either: Certs | None
) -> None:
    active, passive = await board.pair(certs=either, start=False)
    ours, theirs = Heard(active), Heard(passive)
    board.log(passive)
    active.local_address, active.remote_address = BOB, ALICE
    active.call_identity = CallIdentity(
        call_id="urn:emergency:uid:callid:1234567890:psap.example", sip_call_id="x@y"
    )
    await passive.start()
    await active.start()
    sent = await active.send_text("Hello ☎", success_report=True)
    await sent.delivered()
    await ours.until(1)
    await theirs.until(1)
    [one], [other] = await ours.all(), await theirs.all()
    for record in (one, other):
        assert record.protocol is Protocol.MSRP
        assert (record.method, record.outcome, record.code) == (
            "SEND",
            Outcome.ARRIVED,
            200,
        )
        assert record.message_id == sent.message_id
        assert record.text == "Hello ☎"
        assert (record.size, record.contents) == (9, "Hello ☎".encode())
        assert record.raw.startswith(b"MSRP " + (record.transaction_id or "").encode())
        assert record.raw.endswith(b"$\r\n")
        assert not record.is_cut
        assert record.lost == 0
    assert one.raw == other.raw
    assert (one.direction, other.direction) == (Direction.SENT, Direction.RECEIVED)
    assert in_order(one, "first_octet", "last_octet", "answered")
    assert in_order(other, "first_octet", "last_octet", "handed_over")
    assert in_order(other, "last_octet", "answered")
    assert one.handed_over is None
    assert (one.sender, one.recipient) == (BOB.uri, ALICE.uri)
    assert other.sender == str(active.negotiated.local_uri)
    assert one.call is active.call_identity
    assert one.session_id == active.negotiated.local_uri.session_id
    assert other.session_id == passive.negotiated.local_uri.session_id


async def test_whom_it_is_from_and_for_is_what_the_envelope_says(
    board: Board,
) -> None:
    active, passive = await board.pair(accept_types=("message/cpim", "text/plain"))
    theirs = Heard(passive)
    board.log(passive)
    await active.send_cpim(
        msrp.CpimMessage.build(
            "text/plain",
            b"Hello",
            sender=msrp.Address("im:agent7@psap.example", "Agent 7"),
            to=[ALICE],
        )
    )
    await theirs.until(1)
    assert theirs[0].sender == "im:agent7@psap.example"
    assert theirs[0].recipient == ALICE.uri
    assert theirs[0].text == "Hello"
    assert theirs[0].content_type == "message/cpim"


async def test_of_many_chunks_it_is_one_message(board: Board) -> None:
    active, passive = await board.pair(active=CONFIG, passive=CONFIG)
    ours, theirs = Heard(active), Heard(passive)
    board.log(passive)
    text = "0123456789" * 900
    await (await active.send_text(text)).delivered()
    await ours.until(1)
    await theirs.until(1)
    for record in (ours[0], theirs[0]):
        assert (record.text, record.size) == (text, 9000)
        assert record.raw.count(b"SEND") == 5
    assert (len(ours), len(theirs)) == (1, 1)


@pytest.mark.parametrize("direction", Direction, ids=str)
async def test_of_a_large_one_the_raw_octets_are_bounded(
    board: Board, direction: Direction
) -> None:
    limits = msrp.Limits(max_recorded_octets=10_000)
    active, passive = await board.pair(active=CONFIG, passive=CONFIG, limits=limits)
    active.max_message_length = 100_000
    board.log(active, passive)
    heard = Heard(passive)
    sender = passive if direction is Direction.SENT else active
    await (await sender.send_message("x/y", b"z" * 100_000)).delivered()
    await heard.until(1)
    [record] = heard
    assert record.direction is direction
    assert record.size == 100_000
    assert record.is_cut
    assert 6000 < len(record.raw) <= 10_000
    assert record.contents == b"z" * len(record.contents)


async def test_what_an_application_iterates_over_is_handed_over_then(
    board: Board,
) -> None:
    active, passive = await board.pair()
    theirs = Heard(passive)
    await (await active.send_text("Hello")).delivered()
    await (await active.send_text("again")).delivered()
    assert await theirs.all() == []
    before = datetime.datetime.now(datetime.UTC)
    assert (await anext(passive)).text == "Hello"
    await theirs.until(1)
    handed_over = theirs[0].handed_over
    assert handed_over is not None
    assert handed_over >= before - datetime.timedelta(milliseconds=500)
    assert in_order(theirs[0], "first_octet", "last_octet", "handed_over")
    # What nobody takes is told when the session is over.
    await passive.shutdown()
    [_, second] = await theirs.all()
    assert (second.text, second.handed_over) == ("again", None)
    assert second.outcome is Outcome.ARRIVED


async def test_what_is_none_for_the_application_is_told_without_waiting_for_it(
    board: Board,
) -> None:
    active, passive = await board.pair(accept_types=("*",))
    board.log(passive)
    theirs = Heard(passive)
    active.composing()
    await theirs.until(1)
    assert theirs[0].content_type == "application/im-iscomposing+xml"
    assert (theirs[0].text, theirs[0].handed_over) == (None, None)
    assert b"<state>active</state>" in theirs[0].contents
    assert theirs[0].outcome is Outcome.ARRIVED


async def test_what_is_refused_is_told_with_the_code(board: Board) -> None:
    active, passive = await board.pair(max_message_length=10)
    ours, theirs = Heard(active), Heard(passive)
    sent = await active.send_text("much more than ten octets")
    with pytest.raises(msrp.RequestRefused):
        await sent.delivered()
    await ours.until(1)
    await theirs.until(1)
    for record in (ours[0], theirs[0]):
        assert (record.outcome, record.code) == (Outcome.REFUSED, 413)
        assert record.problem
        assert "413" in record.problem
        assert record.answered is not None
        assert record.message_id == sent.message_id


async def test_what_its_sender_gives_up_is_told_as_far_as_it_came(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    theirs = Heard(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    name = peer.request(uri, b"Half a mess", flag=ContinuationFlag.ABORT)
    assert await peer.response_to(name) == 200
    await theirs.until(1)
    assert theirs[0].outcome is Outcome.ABORTED
    assert theirs[0].text == "Half a mess"
    # And one of which the rest never comes.
    peer.request(
        uri,
        b"Half",
        message_id="abcdefgh",
        flag=ContinuationFlag.MORE,
        fields=(("Byte-Range", "1-4/9"),),
    )
    peer.request(uri, b"Ha", message_id="hgfedcba", end=False)
    await peer.writer.drain()
    await board.until(lambda: len(passive.session.incoming._open) == 2)
    peer.reset()
    await passive.closed()
    await theirs.until(3)
    told = {each.message_id: each for each in theirs[1:]}
    assert {each.outcome for each in told.values()} == {Outcome.INCOMPLETE}
    assert (told["abcdefgh"].text, told["abcdefgh"].size) == ("Half", 4)
    assert all(each.problem for each in told.values())


async def test_what_fails_is_told_also_if_nothing_of_it_went_out(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener, connect_timeout=0.05)
    ours = Heard(passive)
    await passive.start()
    sent = await passive.send_text("Is anybody there?")
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    await ours.until(1)
    assert ours[0].outcome is Outcome.FAILED
    assert ours[0].message_id == sent.message_id
    assert ours[0].first_octet is None


async def test_a_message_to_nobody_is_told_by_the_listener(board: Board) -> None:
    listener = await board.listener()
    heard = Heard(listener)
    peer = await board.raw(listener.port)
    name = peer.request(f"msrp://127.0.0.1:{listener.port}/nobody;tcp", b"Hello?")
    assert await peer.response_to(name) == 481
    await heard.until(1)
    assert (heard[0].outcome, heard[0].code) == (Outcome.REFUSED, 481)
    assert (heard[0].text, heard[0].session_id) == ("Hello?", "nobody")


async def test_a_listener_hears_all_its_sessions_and_nobody_hears_twice(
    board: Board,
) -> None:
    listener, other = await board.listener(), await board.listener()
    heard, alone = Heard(listener), Heard()
    pairs: list[Pair] = []
    for number in range(6):
        caller, called = (listener, other) if number % 2 else (other, listener)
        offered = caller.offer()
        answered = called.answer(offered)
        assert answered is not None
        one, two = (
            board.connection(offered, answered, is_incoming=incoming, listener=port)
            for incoming, port in ((False, caller), (True, called))
        )
        board.log(one, two)
        if number == 3:
            alone.taps.append(one.add_tap(alone.append))
        await two.start()
        await one.start()
        pairs.append((one, two))
    for number, (one, two) in enumerate(pairs):
        await (await one.send_text(f"to {number}")).delivered()
        await (await two.send_text(f"from {number}")).delivered()
    await heard.until(12)
    assert sorted(str(each.text) for each in await heard.all()) == sorted(
        f"{word} {number}" for word in ("to", "from") for number in range(6)
    )
    assert {each.text for each in await alone.all()} == {"to 3", "from 3"}
    assert len(alone) == 2


async def test_a_tap_may_come_late_and_leave_early(board: Board) -> None:
    active, passive = await board.pair(active=CONFIG, passive=CONFIG)
    board.log(passive)
    await (await active.send_text("before")).delivered()
    ours, theirs = Heard(active), Heard(passive)
    await (await active.send_text("now " * 2000)).delivered()
    await ours.until(1)
    await theirs.until(1)
    for heard in (ours, theirs):
        heard.taps[0].remove()
        heard.taps[0].remove()
    assert active.session.stream is not None
    await (await active.send_text("after")).delivered()
    for heard in (ours, theirs):
        assert [each.text for each in await heard.all()] == ["now " * 2000]
    assert "tap" not in threads()


async def test_who_comes_in_the_middle_of_a_chunk_hears_the_next_message(
    board: Board,
) -> None:
    active, passive = await board.pair(
        active=msrp.SessionConfig(chunk_size=None), max_message_length=10_000_000
    )
    board.log(passive)
    await passive.established()
    large = await active.send_message("x/y", bytes(8_000_000))
    await asyncio.sleep(0)
    ours, theirs = Heard(active), Heard(passive)
    await large.delivered()
    await (await active.send_text("Hello")).delivered()
    for heard in (ours, theirs):
        async with asyncio.timeout(10):
            while not any(each.text == "Hello" for each in heard):  # noqa: ASYNC110
                await asyncio.sleep(0.002)


async def test_what_is_sent_again_elsewhere_is_told_once(board: Board) -> None:
    config = msrp.SessionConfig(recovery_time=20.0, chunk_size=2048)
    active, passive = await board.pair(active=config, passive=config)
    board.log(passive)
    ours, theirs = Heard(active), Heard(passive)
    sent = await active.send_message("text/plain", b"x" * 3_000_000)
    await board.until(lambda: passive.session.incoming.unfinished)
    caller, called = active._listener, passive._listener
    assert caller is not None
    assert called is not None
    offered = caller.offer(accept_types=("text/plain", "*"))
    answered = called.answer(offered, accept_types=("text/plain", "*"))
    assert answered is not None
    running = active._running
    assert running is not None
    assert running.stream is not None
    assert running.stream._transport is not None
    running.stream._transport.abort()
    assert all(await asyncio.gather(active.lost(), passive.lost()))
    await passive.reestablish(offered, answered, is_incoming=True)
    await active.reestablish(offered, answered, is_incoming=False)
    await sent.delivered()
    await (await active.send_text("Hello")).delivered()
    await ours.until(2)
    await theirs.until(2)
    for heard in (ours, theirs):
        large, small = await heard.all()
        assert (large.message_id, large.size) == (sent.message_id, 3_000_000)
        assert large.outcome is Outcome.ARRIVED
        assert in_order(large, "first_octet", "last_octet", "answered")
        assert small.text == "Hello"


# What a tap can't do.


async def test_what_a_tap_raises_stays_away_from_the_session(board: Board) -> None:
    def broken(record: MessageRecord) -> None:
        raise RuntimeError("the disk is full")

    active, passive = await board.pair()
    board.log(passive)
    tap = active.add_tap(broken)
    for _ in range(3):
        await (await active.send_text("Hello")).delivered()
    assert await tap.drained()
    assert tap.lost == 3
    await board.turns()
    told = [(each["message"], str(each["exception"])) for each in board.take_problems()]
    assert told == [("a tap has raised", "the disk is full")]


async def test_a_tap_that_blocks_holds_nobody_up_and_loses_what_has_no_room(
    board: Board,
) -> None:
    listener = await board.listener()
    go_on = threading.Event()
    seen: list[MessageRecord] = []

    def slow(record: MessageRecord) -> None:
        assert go_on.wait(10)
        seen.append(record)

    passive = board.waiting(listener)
    log = board.log(passive)
    tap = passive.add_tap(slow, max_waiting=5)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    names = [peer.request(uri, b"x", message_id=f"{n:08}") for n in range(200)]
    for name in names:
        assert await peer.response_to(name) == 200
    await board.until(lambda: len(log.texts) == 200)
    await passive.shutdown()  # It doesn't wait either.
    go_on.set()
    assert await tap.drained()
    assert len(seen) + tap.lost == 200
    assert tap.lost >= 190
    assert sum(each.lost for each in seen) <= tap.lost


async def test_the_loss_is_told_with_the_next_message(board: Board) -> None:
    active, passive = await board.pair()
    board.log(passive)
    go_on, seen = threading.Event(), list[MessageRecord]()

    def slow(record: MessageRecord) -> None:
        assert go_on.wait(10)
        seen.append(record)

    tap = active.add_tap(slow, max_waiting=2)
    for number in range(7):
        await (await active.send_text(str(number))).delivered()
    go_on.set()
    assert await tap.drained()
    await (await active.send_text("last")).delivered()
    assert await tap.drained()
    assert [(each.text, each.lost) for each in seen[:-1]] == [("0", 0), ("1", 0)]
    assert (seen[-1].text, seen[-1].lost) == ("last", 5)
    assert tap.lost == 5


async def test_nobody_listens_where_nobody_taps(board: Board) -> None:
    active, passive = await board.pair()
    for end in (active, passive):
        assert end._running is not None
        assert end._running.tap is None
        assert end._running.stream is not None
        assert end._running.stream.tap is None
    assert "tap" not in threads()


async def test_of_a_session_that_is_over_there_is_nothing_to_hear(board: Board) -> None:
    active, passive = await board.pair()
    await active.shutdown()
    await passive.closed()
    passive.add_tap(lambda record: None)
    assert passive._running is not None
    assert passive._running.session_tap() is None
    assert not passive.port_taps._awaits_streams  # Nobody comes on its account.
    await passive.shutdown()


async def test_a_coroutine_function_is_run_in_the_loop(board: Board) -> None:
    active, passive = await board.pair()
    board.log(passive)
    seen: list[str] = []

    async def listen(record: MessageRecord) -> None:
        await asyncio.sleep(0)
        assert threading.current_thread() is threading.main_thread()
        seen.append(record.text or "")

    tap = active.add_tap(listen)
    await (await active.send_text("Hello")).delivered()
    assert await tap.drained()
    assert seen == ["Hello"]


async def test_taps_go_when_there_is_nothing_more_to_hear(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    taps = [Heard(passive).taps[0], Heard(listener).taps[0]]
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    peer.request(passive.negotiated.local_uri, b"Hello")
    assert (await anext(passive)).text == "Hello"
    await peer.close()
    await passive.closed()
    await board.until(lambda: taps[0].is_removed)
    assert not taps[1].is_removed
    await listener.close()
    await board.until(lambda: taps[1].is_removed)
    await board.until(lambda: "tap" not in threads())


async def test_a_message_into_a_file_is_told_too(board: Board, tmp_path: Path) -> None:
    active, passive = await board.pair(start=False)
    passive.policy = lambda _: msrp.IntoDirectory(tmp_path, max_length=100_000)
    board.log(passive)
    theirs = Heard(passive)
    await passive.start()
    await active.start()
    await (await active.send_message("image/png", bytes(50_000))).delivered()
    await theirs.until(1)
    assert (theirs[0].size, theirs[0].text) == (50_000, None)
    assert theirs[0].handed_over is not None
