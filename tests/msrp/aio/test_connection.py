from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.headers import ContinuationFlag

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


# Its life.


async def test_both_sides_are_established_and_end_in_good_order(
    board: Board, either: Certs | None
) -> None:
    active, passive = await board.pair(certs=either, start=False)
    logs = board.log(active), board.log(passive)
    await passive.start()
    assert not passive.is_open
    await active.start()
    await passive.established()
    assert active.is_open
    assert passive.is_open
    await active.shutdown()
    end = await passive.closed()
    assert (end.reason, end.error) == (msrp.CloseReason.BY_THEM, None)
    await passive.shutdown()
    ours = await active.closed()
    assert (ours.reason, ours.error) == (msrp.CloseReason.BY_US, None)
    for log, is_passive in zip(logs, (False, True), strict=True):
        first, last = log.events
        assert isinstance(first, msrp.ConnectionEstablished)
        assert first.is_passive is is_passive
        assert isinstance(last, msrp.ClosedEvent)


async def test_async_with_starts_and_shuts_down(board: Board) -> None:
    active, passive = await board.pair(start=False)
    async with passive, active:
        await passive.established()
        assert active.is_open
    assert not active.is_open
    assert (await active.closed()).reason is msrp.CloseReason.BY_US


async def test_a_passive_side_without_a_listener_listens_at_its_uri(
    board: Board, either: Certs | None
) -> None:
    spare = await board.listener()
    port = spare.port
    await spare.close()
    caller = await board.listener(local_cert=either[0] if either else None)
    offered = caller.offer()
    scheme = "msrps" if either else "msrp"
    answered = msrp.answer_media(
        offered,
        msrp.MsrpUri(scheme, "127.0.0.1", port, "passive"),
        fingerprints=[either[1].fingerprint] if either else (),
    )
    assert answered is not None
    passive = board.connection(
        offered,
        answered,
        is_incoming=True,
        local_cert=either[1] if either else None,
    )
    active = board.connection(offered, answered, is_incoming=False, listener=caller)
    async with passive, active:
        await (await active.send_text("hello")).delivered()
        assert (await anext(passive)).text == "hello"
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_port_that_is_taken_is_said_in_one_sentence(board: Board) -> None:
    taken = await board.listener()
    caller = await board.listener()
    offered = caller.offer()
    uri = msrp.MsrpUri("msrp", "127.0.0.1", taken.port, "passive")
    answered = msrp.answer_media(offered, uri)
    assert answered is not None
    passive = board.connection(offered, answered, is_incoming=True)
    log = board.log(passive)
    with pytest.raises(msrp.ConnectionFailed, match="can't listen there") as caught:
        await passive.start()
    assert "\n" not in str(caught.value)
    assert (await passive.closed()).error is caught.value
    await passive.shutdown()
    failed, closed = log.events
    assert isinstance(failed, msrp.ConnectionFailedEvent)
    assert isinstance(closed, msrp.ClosedEvent)


async def test_a_passive_side_without_a_certificate_cant_do_tls(board: Board) -> None:
    caller = await board.listener(local_cert=msrp.LocalCertificate.self_signed())
    offered = caller.offer()
    uri = msrp.MsrpUri("msrps", "127.0.0.1", 2855, "passive")
    answered = msrp.answer_media(offered, uri)
    assert answered is not None
    passive = board.connection(offered, answered, is_incoming=True)
    with pytest.raises(msrp.LocalProtocolError, match="local_cert"):
        await passive.start()
    assert (await passive.closed()).error is not None


async def test_it_is_started_once(board: Board) -> None:
    active, passive = await board.pair()
    with pytest.raises(msrp.LocalProtocolError):
        await active.start()
    assert active.is_open
    await passive.shutdown()
    with pytest.raises(msrp.LocalProtocolError):
        await passive.start()


async def test_one_that_was_never_started_can_be_shut_down(board: Board) -> None:
    active, passive = await board.pair(start=False)
    await passive.shutdown()
    assert await passive.closed() == msrp.ClosedEvent(msrp.CloseReason.BY_US, None)
    with pytest.raises(msrp.LocalProtocolError):
        await passive.start()
    # Its listener expects nobody any more, so that the peer is told at once.
    with pytest.raises(msrp.ConnectionFailed, match="481"):
        await active.start()


async def test_before_the_start_nothing_can_be_sent_or_read(board: Board) -> None:
    active, _ = await board.pair(start=False)
    with pytest.raises(msrp.LocalProtocolError, match="start"):
        await active.send_text("too early")
    with pytest.raises(msrp.LocalProtocolError, match="start"):
        await anext(active)


async def test_after_the_end_nothing_can_be_sent(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    active, passive = await board.pair()
    await active.shutdown()
    await passive.closed()
    for connection in (active, passive):
        with pytest.raises(msrp.SessionClosed):
            await connection.send_text("too late")
        with pytest.raises(msrp.SessionClosed):
            await connection.send_file(path)


async def test_shutting_down_waits_for_what_is_on_its_way(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log(passive)
    data = os.urandom(1_000_000)
    sent = await active.send_message("image/png", data)
    await active.shutdown()
    await sent.delivered()
    await passive.shutdown()
    assert [event.contents for event in log.of(msrp.AttachmentReceived)] == [data]


async def test_shutting_down_waits_no_longer_than_told(board: Board) -> None:
    silent = asyncio.Event()

    async def serve(peer: RawPeer) -> None:
        binding = await peer.next()
        peer.respond(binding)
        await silent.wait()

    active = board.calling(await board.raw_server(serve))
    log = board.log(active)
    await active.start()
    sent = await active.send_text("nobody answers this")
    await active.shutdown(timeout=0.05)
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    failed = log.of(msrp.MessageDeliveryFailed)
    assert [(event.message_id, event.status_code) for event in failed] == [
        (sent.message_id, None)
    ]
    assert isinstance(log.events[-1], msrp.ClosedEvent)
    silent.set()


@pytest.mark.parametrize("hook", ["text", "closed"])
async def test_a_handler_may_shut_down(board: Board, hook: str) -> None:
    active, passive = await board.pair()
    done: list[object] = []

    async def handler(event: object) -> None:
        await passive.shutdown()
        done.append(event)

    if hook == "text":
        passive.on_text_message_received = handler
    else:
        passive.on_closed = handler
    await active.send_text("go away")
    if hook == "closed":
        await active.shutdown()
    await board.until(lambda: done)
    await passive.shutdown()
    assert len(done) == 1


async def test_shutting_down_interrupts_a_start(board: Board) -> None:
    accepted, over = asyncio.Event(), asyncio.Event()

    async def serve(peer: RawPeer) -> None:
        accepted.set()
        await over.wait()

    # A peer that never begins with TLS keeps the handshake waiting.
    active = board.calling(
        await board.raw_server(serve),
        secure=True,
        fingerprints=(msrp.LocalCertificate.self_signed(),),
    )
    log = board.log(active)
    starting = asyncio.create_task(active.start())
    await accepted.wait()
    await active.shutdown()
    with pytest.raises(msrp.SessionClosed) as caught:
        await starting
    assert caught.value.reason is msrp.CloseReason.BY_US
    (closed,) = log.events
    assert closed == msrp.ClosedEvent(msrp.CloseReason.BY_US, None)
    over.set()


async def test_two_may_shut_down_at_once(board: Board) -> None:
    active, passive = await board.pair()
    await asyncio.gather(active.shutdown(), active.shutdown(), passive.shutdown())
    assert not active.is_open
    await active.shutdown()


# Receiving.


async def test_messages_come_in_wire_order_one_at_a_time(board: Board) -> None:
    active, passive = await board.pair()
    seen: list[str] = []

    @passive.on_message_received
    async def slowly(event: msrp.MessageReceived) -> None:
        seen.append(f"begin {event.text}")
        await asyncio.sleep(0.001)
        seen.append(f"end {event.text}")

    sent = [await active.send_text(str(number)) for number in range(20)]
    for message in sent:
        await message.delivered()
    await active.shutdown()
    await passive.shutdown()
    assert seen == [f"{word} {n}" for n in range(20) for word in ("begin", "end")]


async def test_async_for_gets_what_no_hook_takes_and_ends_with_the_session(
    board: Board,
) -> None:
    active, passive = await board.pair()
    for word in ("one", "two", "three"):
        await active.send_text(word)
    await active.shutdown()
    assert [message.text async for message in passive] == ["one", "two", "three"]
    with pytest.raises(StopAsyncIteration):
        await anext(passive)


async def test_async_for_tells_that_the_session_was_lost(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    peer.request(passive.negotiated.local_uri, b"one")
    assert (await anext(passive)).text == "one"
    peer.reset()
    with pytest.raises(msrp.SessionClosed) as caught:
        await anext(passive)
    assert caught.value.reason is msrp.CloseReason.LOST
    assert caught.value.__cause__ is (await passive.closed()).error


async def test_two_readers_are_one_too_many(board: Board) -> None:
    active, passive = await board.pair()
    reading = asyncio.create_task(passive.__anext__())
    await asyncio.sleep(0)
    with pytest.raises(msrp.ConcurrencyError):
        await anext(passive)
    await active.send_text("one")
    assert (await reading).text == "one"


async def test_a_hook_that_is_set_late_gets_what_has_waited(board: Board) -> None:
    active, passive = await board.pair()
    await (await active.send_text("one")).delivered()
    await (await active.send_text("two")).delivered()
    await board.turns()
    log = board.log(passive)
    await board.until(lambda: log.texts == ["one", "two"])


async def test_on_closed_comes_last_and_once(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log(passive)

    @passive.on_text_message_received
    async def slow(event: msrp.TextMessageReceived) -> None:
        await asyncio.sleep(0.01)

    for number in range(5):
        await active.send_text(str(number))
    await active.shutdown()
    await passive.shutdown()
    assert len(log.texts) == 5
    assert len(log.of(msrp.ClosedEvent)) == 1
    assert isinstance(log.events[-1], msrp.ClosedEvent)


async def test_a_handler_that_raises_leaves_the_session_alive(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log()

    @passive.on_text_message_received
    async def fails(event: msrp.TextMessageReceived) -> None:
        log.events.append(event)
        raise ValueError("mine")

    await (await active.send_text("one")).delivered()
    await (await active.send_text("two")).delivered()
    await board.until(lambda: log.texts == ["one", "two"])
    assert [p["message"] for p in board.take_problems()] == [
        "handler of TextMessageReceived failed"
    ] * 2
    assert passive.is_open


@pytest.mark.usefixtures("time_flies")
async def test_a_slow_handler_pauses_reading_and_the_clock_of_responses(
    board: Board,
) -> None:
    limits = msrp.Limits(max_undelivered_octets=50_000)
    impatient = msrp.SessionConfig(response_timeout=0.4, limits=limits)
    active, passive = await board.pair(passive=impatient)
    gate, got = asyncio.Event(), []

    @passive.on_message_received
    async def blocked(event: msrp.MessageReceived) -> None:
        got.append(len(event.contents))
        await gate.wait()

    async def flood() -> None:
        sent = [await active.send_message("x/y", bytes(500_000)) for _ in range(10)]
        await sent[-1].delivered()

    flooding = asyncio.create_task(flood())
    await board.until(lambda: not passive._started().reading_wanted)
    sent = await passive.send_text("its 200 is behind the flood")
    await asyncio.sleep(1.0)
    assert sent.error is None
    assert not flooding.done()
    assert got == [500_000]
    gate.set()
    await sent.delivered()
    await flooding
    assert passive._started().reading_wanted


@pytest.mark.parametrize("what", ["delivered", "sent", "room"])
async def test_a_handler_may_wait_for_the_peer_whatever_waits_behind_it(
    board: Board, what: str
) -> None:
    limits = msrp.Limits(max_undelivered_octets=50_000)
    config = msrp.SessionConfig(limits=limits, send_high_water=10_000)
    active, passive = await board.pair(passive=config)
    answered: list[int] = []

    @passive.on_message_received
    async def answer(event: msrp.MessageReceived) -> None:
        await asyncio.sleep(0.01)  # So that the next ones are here.
        sent = await passive.send_message("x/y", event.contents)
        if what == "delivered":
            await sent.delivered()
        elif what == "sent":
            await sent.sent()
        answered.append(len(event.contents))

    for _ in range(5):
        await active.send_message("x/y", bytes(40_000))
    await board.until(lambda: len(answered) == 5)


async def test_what_is_too_much_while_a_handler_waits_is_refused(board: Board) -> None:
    limits = msrp.Limits(max_undelivered_octets=50_000)
    config = msrp.SessionConfig(limits=limits)
    active, passive = await board.pair(passive=config)
    answered: list[int] = []
    begun, gate = asyncio.Event(), asyncio.Event()

    @passive.on_message_received
    async def answer(event: msrp.MessageReceived) -> None:
        begun.set()
        # Behind the 413 to what comes after it: somebody has to read on.
        await gate.wait()
        await (await passive.send_text("thanks")).delivered()
        answered.append(len(event.contents))

    waiting = asyncio.create_task(_until_refused(active, begun, gate))
    await board.until(lambda: begun.is_set())
    hold = await passive.send_message("x/y", bytes(3_000_000))
    holding = asyncio.create_task(hold.delivered())
    accepted = await waiting
    await holding
    await board.until(lambda: len(answered) == accepted)
    await (await active.send_text("and on it goes")).delivered()


async def _until_refused(
    connection: msrp.MsrpConnection, begun: asyncio.Event, gate: asyncio.Event
) -> int:
    """Send until a message is refused, and return how many were not."""
    refused: tuple[int, int] | None = None
    for number in range(100):
        sent = await connection.send_message("x/y", bytes(40_000))
        await begun.wait()
        try:
            await sent.delivered()
        except msrp.RequestRefused as error:
            refused = number, error.code
            break
    gate.set()
    assert refused is not None
    assert refused[0] >= 5
    assert refused[1] == 413
    return refused[0]


async def test_messages_of_the_peer_come_as_texts_and_attachments(
    board: Board,
) -> None:
    active, passive = await board.pair(accept_types=("message/cpim",))
    log = board.log(passive)
    await active.send_multipart(
        [
            msrp.Part.build("text/plain", b"look"),
            msrp.Part.build("image/png", b"\x89PNG", disposition="attachment"),
        ]
    )
    await board.until(lambda: log.of(msrp.AttachmentReceived))
    [text], [picture] = (
        log.of(msrp.TextMessageReceived),
        log.of(msrp.AttachmentReceived),
    )
    assert log.events.index(text) < log.events.index(picture)
    assert (text.text, picture.contents) == ("look", b"\x89PNG")
    assert text.sender == "sip:anonymous@anonymous.invalid"


async def test_a_message_is_kept_until_hooks_have_had_all_of_it(board: Board) -> None:
    active, passive = await board.pair()
    texts: list[str] = []
    passive.on_text_message_received = lambda event: texts.append(event.text)
    await active.send_multipart(
        [
            msrp.Part.build("text/plain", b"look"),
            msrp.Part.build("image/png", b"\x89PNG"),
        ]
    )
    await board.until(lambda: texts)
    message = await anext(passive)
    assert [part.content for part in message.parts] == [b"look", b"\x89PNG"]
    assert texts == ["look"]


@pytest.mark.rule("MSRP-45")
async def test_a_send_without_a_body_keeps_alive_and_is_not_shown(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    assert await peer.response_to(peer.request(uri, message_id="keepalive")) == 200
    assert [type(event) for event in log.events] == [msrp.ConnectionEstablished]


# Sending.


async def test_a_message_id_asks_for_a_report(board: Board) -> None:
    active, passive = await board.pair()
    log = board.log(active)
    sent = await active.send_message("text/plain", b"hello", message_id="abcdefgh")
    await sent.delivered()
    assert sent.message_id == "abcdefgh"
    await board.until(lambda: log.of(msrp.ReportReceived))
    (report,) = log.of(msrp.ReportReceived)
    assert (report.message_id, report.status_code) == ("abcdefgh", 200)
    assert report.byte_range == msrp.ByteRange(1, 5, 5)
    assert (await anext(passive)).message_id == "abcdefgh"
    quiet = await active.send_text(
        "no report", message_id="ijklmnop", success_report=False
    )
    await quiet.delivered()
    await (await active.send_text("report", success_report=True)).delivered()
    await board.until(lambda: len(log.of(msrp.ReportReceived)) == 2)


async def test_text_is_wrapped_where_the_peer_prefers_it(board: Board) -> None:
    active, passive = await board.pair(accept_types=("message/cpim", "text/plain"))
    active.local_address = msrp.Address("sip:alice@example.com", "Alice")
    await active.send_text("hello")
    message = await anext(passive)
    assert message.content_type == "message/cpim"
    assert (message.text, message.sender) == ("hello", "sip:alice@example.com")


async def test_an_envelope_of_ones_own_is_sent_as_it_is(board: Board) -> None:
    active, passive = await board.pair(accept_types=("message/cpim", "*"))
    envelope = msrp.CpimMessage.build(
        msrp.ContentType.parse("text/plain"),
        b"hello",
        sender=msrp.Address("im:a@example.com"),
        to=msrp.Address("im:b@example.com"),
    )
    await active.send_cpim(envelope)
    message = await anext(passive)
    assert message.contents == bytes(envelope)
    assert message.cpim == envelope


@pytest.mark.rule("MT-3")
async def test_files_both_ways_while_texts_pass(
    board: Board, either: Certs | None, tmp_path: Path
) -> None:
    ends = await board.pair(certs=either)
    logs = [board.log(end) for end in ends]
    digests: list[str] = []
    progress: list[list[int]] = [[], []]
    files = []
    for number, end in enumerate(ends):
        data = os.urandom(1_000_000 + number)
        path = tmp_path / f"{number}.bin"
        path.write_bytes(data)
        digests.append(hashlib.sha256(data).hexdigest())
        files.append(await end.send_file(path, progress=note(progress[number])))
    lines = []
    for number in range(20):
        for end in ends:
            lines.append(await end.send_text(f"line {number}"))
            await lines[-1].delivered()
    for file in files:
        await file.delivered()
    await board.until(lambda: all(log.of(msrp.AttachmentReceived) for log in logs))
    for log, digest in zip(logs, reversed(digests), strict=True):
        assert log.texts == [f"line {number}" for number in range(20)]
        (file_received,) = log.of(msrp.AttachmentReceived)
        assert hashlib.sha256(file_received.contents).hexdigest() == digest
    for number in (0, 1):
        assert progress[number] == sorted(set(progress[number]))
        assert progress[number][-1] == 1_000_000 + number


def note(progress: list[int]) -> Callable[[int, int], None]:
    return lambda done, total: progress.append(done)


async def test_a_message_above_the_limit_gets_413_and_the_session_lives(
    board: Board,
) -> None:
    active, passive = await board.pair(max_message_length=1000)
    logs = board.log(active), board.log(passive)
    sent = await active.send_text("x" * 1001)
    with pytest.raises(msrp.RequestRefused) as caught:
        await sent.delivered()
    assert caught.value.code == 413
    await (await active.send_text("x" * 1000)).delivered()
    await board.until(lambda: logs[1].texts == ["x" * 1000])
    (refused,) = logs[1].of(msrp.MessageRefused)
    assert (refused.status_code, refused.peer_told) == (413, True)
    (failed,) = logs[0].of(msrp.MessageDeliveryFailed)
    assert (failed.message_id, failed.status_code) == (sent.message_id, 413)


async def test_a_limit_that_isnt_set_is_10_000_octets(board: Board) -> None:
    listener = await board.listener()
    offered, answered = _offer_and_answer(listener)
    connection = msrp.MsrpConnection.create_from_sdp(
        offered, answered, is_incoming=True, listener=listener
    )
    assert connection.max_message_length == 10_000
    await connection.shutdown()


@pytest.mark.rule("MSRP-58", "MSRP-107")
async def test_the_size_that_the_peer_announced_is_kept(
    board: Board, tmp_path: Path
) -> None:
    path = tmp_path / "file.txt"
    path.write_bytes(bytes(101))
    active, passive = await board.pair(max_size=100)
    with pytest.raises(msrp.LocalProtocolError, match="100 octets"):
        await active.send_text("x" * 101)
    with pytest.raises(msrp.LocalProtocolError, match="100 octets"):
        await active.send_file(path)
    await (await active.send_text("x" * 100)).delivered()
    await (await passive.send_text("x" * 101)).delivered()


async def test_a_type_that_the_peer_doesnt_take_is_refused_here(
    board: Board, tmp_path: Path
) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(b"x")
    listener = await board.listener()
    offered, answered = _offer_and_answer(listener, accept_types=("text/plain",))
    passive = board.connection(offered, answered, is_incoming=True, listener=listener)
    await passive.start()
    with pytest.raises(msrp.LocalProtocolError) as caught:
        await passive.send_message("image/png", b"x")
    assert caught.value.status == 415
    with pytest.raises(msrp.LocalProtocolError):
        await passive.send_file(path)


async def test_a_type_that_was_refused_is_not_sent_again(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    sent = await passive.send_message("image/x-odd", b"x")
    peer.respond(await peer.next(), 415)
    with pytest.raises(msrp.RequestRefused, match="415"):
        await sent.delivered()
    with pytest.raises(msrp.LocalProtocolError, match="refused image/x-odd before"):
        await passive.send_message("image/x-odd", b"x")
    other = await passive.send_text("this is fine")
    peer.respond(await peer.next())
    await other.delivered()


async def test_a_type_that_wasnt_announced_gets_415(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    assert await peer.response_to(peer.request(uri, b"x", content_type="a/b")) == 415
    (refused,) = log.of(msrp.MessageRefused)
    assert (refused.content_type, refused.status_code) == ("a/b", 415)
    name = peer.request(uri, b"x", message_id="another1")
    assert await peer.response_to(name) == 200


async def test_a_type_that_wasnt_announced_gets_415_whatever_is_configured(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener, config=msrp.SessionConfig(window=1))
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    assert await peer.response_to(peer.request(uri, b"x", content_type="a/b")) == 415


async def test_a_peer_that_only_sends_is_not_sent_to(board: Board) -> None:
    listener = await board.listener()
    offered, answered = _offer_and_answer(listener, direction="sendonly")
    passive = board.connection(offered, answered, is_incoming=True, listener=listener)
    await passive.start()
    with pytest.raises(msrp.LocalProtocolError, match="receive"):
        await passive.send_text("hello")


async def test_ids_that_no_message_may_have_are_refused(
    board: Board, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    active, _ = await board.pair()
    for bad in ("", "abc", "a" * 33, "a b c d", "abcd\r\nX: y", "ünïcode"):
        with pytest.raises(msrp.LocalProtocolError, match="Message-ID"):
            await active.send_text("hello", message_id=bad)
        with pytest.raises(msrp.LocalProtocolError, match="Message-ID"):
            await active.send_file(path, message_id=bad)
    await (await active.send_text("hello", message_id="good")).delivered()


@pytest.mark.rule("MSRP-33", "MSRP-35", "MSRP-36", "FIELD-1", "MT-1")
async def test_a_passive_side_sends_nothing_before_the_session_is_bound(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    await passive.start()
    await passive.send_text("first")
    await passive.send_text("second")
    peer = await board.raw(listener.port)
    await board.turns()
    assert peer.octets == b""
    binding = peer.request(passive.negotiated.local_uri)
    answer = await peer.next()
    assert (answer.transaction_id, answer.code) == (binding, 200)
    assert (await peer.next()).body == b"first"
    assert (await peer.next()).body == b"second"


@pytest.mark.rule("MSRP-33", "FIELD-1")
async def test_an_active_side_sends_one_empty_send_and_waits(board: Board) -> None:
    heard: list[object] = []

    async def serve(peer: RawPeer) -> None:
        binding = await peer.next()
        heard.append(binding)
        await asyncio.sleep(0.05)
        heard.append(len(peer.heard))
        peer.respond(binding)
        while True:
            message = await peer.next()
            heard.append(message.body)
            peer.respond(message)

    active = board.calling(await board.raw_server(serve))
    starting = asyncio.create_task(active.start())
    await board.turns(3)
    sent = await active.send_text("hello")
    await starting
    await sent.delivered()
    binding, more, body = heard
    assert getattr(binding, "body", None) == b""
    headers = getattr(binding, "headers", {})
    assert headers["byte-range"] == "1-0/0"
    assert "message-id" in headers
    assert "content-type" not in headers
    assert (more, body) == (0, b"hello")


@pytest.mark.rule("FIELD-1")
@pytest.mark.usefixtures("time_flies")
async def test_an_active_side_has_patience_with_a_binding_that_is_not_answered(
    board: Board, quick: msrp.SessionConfig
) -> None:
    async def serve(peer: RawPeer) -> None:
        await peer.next()
        peer.respond(await peer.next())
        await peer.rest()

    active = board.calling(await board.raw_server(serve), config=quick)
    await active.start()
    await (await active.send_text("hello")).delivered()


@pytest.mark.rule("MSRP-59")
@pytest.mark.usefixtures("time_flies")
async def test_a_passive_side_notices_a_missing_response_as_soon_as_configured(
    board: Board, quick: msrp.SessionConfig
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener, config=quick)
    await passive.start()
    peer = await board.raw(listener.port)
    await peer.bind(passive.negotiated.local_uri)
    sent = await passive.send_text("hello")
    with pytest.raises(msrp.ResponseTimeout):
        await sent.delivered()


@pytest.mark.rule("MSRP-59")
@pytest.mark.usefixtures("time_flies")
async def test_a_response_that_never_comes_is_a_failure(
    board: Board, quick: msrp.SessionConfig
) -> None:
    async def serve(peer: RawPeer) -> None:
        peer.respond(await peer.next())
        await peer.rest()

    active = board.calling(await board.raw_server(serve), config=quick)
    log = board.log(active)
    await active.start()
    sent = await active.send_text("hello")
    with pytest.raises(msrp.ResponseTimeout):
        await sent.delivered()
    await board.until(lambda: log.of(msrp.MessageDeliveryFailed))
    (failed,) = log.of(msrp.MessageDeliveryFailed)
    assert failed.status_code == 408
    assert active.is_open


@pytest.mark.rule("FIELD-12")
async def test_a_report_may_come_before_the_response(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    sent = await passive.send_text("hello", message_id="abcdefgh")
    request = await peer.next()
    fields = ("Byte-Range", "1-5/5"), ("Status", "000 200 OK")
    peer.request(uri, method="REPORT", message_id="abcdefgh", fields=fields)
    peer.respond(request)
    await sent.delivered()
    await board.until(lambda: log.of(msrp.ReportReceived))
    assert log.of(msrp.MessageDeliveryFailed) == []


@pytest.mark.rule("FIELD-13")
async def test_481_to_the_first_send_means_that_there_is_no_session(
    board: Board,
) -> None:
    async def serve(peer: RawPeer) -> None:
        peer.respond(await peer.next(), 481)

    active = board.calling(await board.raw_server(serve))
    log = board.log(active)
    with pytest.raises(msrp.ConnectionFailed, match="481"):
        await active.start()
    with pytest.raises(msrp.ConnectionFailed, match="481"):
        await active.established()
    await active.shutdown()
    failed, closed = log.events
    assert isinstance(failed, msrp.ConnectionFailedEvent)
    assert isinstance(closed, msrp.ClosedEvent)
    assert closed.error is failed.error


# What can go wrong.


@pytest.mark.rule("MSRP-40")
@pytest.mark.parametrize("how", ["reset", "eof"])
async def test_a_peer_that_is_gone_in_the_middle_of_a_message(
    board: Board, how: str
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    waiting = await passive.send_text("will anybody answer?")
    await peer.next()
    peer.request(uri, b"half of it", end=False)
    await peer.writer.drain()
    if how == "reset":
        await board.turns()
        peer.reset()
    else:
        await peer.close()
    end = await passive.closed()
    assert end.reason is msrp.CloseReason.LOST
    assert end.error is not None
    with pytest.raises(msrp.SessionEnded):
        await waiting.delivered()
    with pytest.raises(msrp.SessionClosed):
        await passive.send_text("too late")
    await passive.shutdown()
    assert log.events[-1] == end
    assert log.of(msrp.TextMessageReceived) == []


async def test_what_was_still_arriving_is_with_the_end_and_nothing_else(
    board: Board,
) -> None:
    listener = await board.listener()
    passive = board.waiting(listener)
    log = board.log(passive)
    await passive.start()
    peer = await board.raw(listener.port)
    uri = passive.negotiated.local_uri
    await peer.bind(uri)
    for number in range(3):
        fields = (("Byte-Range", "1-*/8"),)
        name = f"given-up{number}"
        flag = ContinuationFlag.ABORT
        peer.request(uri, b"half", message_id=name, fields=fields, flag=flag)
    await board.until(lambda: len(log.of(msrp.IncompleteMessage)) == 3)
    more = ContinuationFlag.MORE
    fields = (("Byte-Range", "3-*/8"),)
    peer.request(uri, b"half", message_id="arriving", fields=fields, flag=more)
    for _ in range(4):
        await peer.next()
    await peer.close()
    end = await passive.closed()
    assert end.error is None
    (left,) = end.incomplete
    assert (left.message_id, left.ranges) == ("arriving", ((2, b"half"),))


@pytest.mark.rule("FIELD-15")
async def test_nonsense_closes_the_stream_with_a_logged_reason(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    listener = await board.listener()
    victim, other = board.waiting(listener), board.waiting(listener)
    await victim.start()
    await other.start()
    bad, good = await board.raw(listener.port), await board.raw(listener.port)
    await bad.bind(victim.negotiated.local_uri)
    await good.bind(other.negotiated.local_uri)
    caplog.set_level("INFO", logger="msrp")
    bad.writer.write(b"\r\n\r\nGET / HTTP/1.1\r\nX-Secret: 1\r\n\r\n")
    end = await victim.closed()
    assert end.reason is msrp.CloseReason.LOST
    assert isinstance(end.error, msrp.RemoteProtocolError)
    assert await bad.rest() == bad.octets
    assert "not an MSRP start line" in caplog.text
    assert "Secret" not in caplog.text
    assert "GET" not in caplog.text
    name = good.request(other.negotiated.local_uri, b"hello")
    assert await good.response_to(name) == 200


async def test_a_passive_side_whose_peer_never_comes(board: Board) -> None:
    listener = await board.listener()
    passive = board.waiting(listener, connect_timeout=0.05)
    log = board.log(passive)
    await passive.start()
    sent = await passive.send_text("is anybody there?")
    with pytest.raises(msrp.ConnectionFailed, match=r"did not connect within 0\.05 s"):
        await passive.established()
    with pytest.raises(msrp.SessionEnded):
        await sent.delivered()
    await passive.shutdown()
    assert [type(event) for event in log.events] == [
        msrp.MessageDeliveryFailed,
        msrp.ConnectionFailedEvent,
        msrp.ClosedEvent,
    ]
    peer = await board.raw(listener.port)
    late = peer.request(passive.negotiated.local_uri)
    assert await peer.response_to(late) == 481


async def closed_port(board: Board) -> int:
    listener = await board.listener()
    await listener.close()
    return listener.port


async def hanging_up(peer: RawPeer) -> None:
    return


async def speaking_smtp(peer: RawPeer) -> None:
    peer.writer.write(b"220 mail.example.net ESMTP\r\n")
    await peer.rest()


async def speaking_http(peer: RawPeer) -> None:
    await peer.reader.read(100)
    peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")


async def resetting(peer: RawPeer) -> None:
    await peer.reader.read(100)
    peer.reset()


@pytest.mark.rule("MSRP-121", "MSRP-120")
@pytest.mark.parametrize(
    "kind",
    ["closed", "hangs-up", "smtp", "http", "resets", "tls-listener", "no-such-host"],
)
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_what_is_no_peer_is_said_in_one_sentence(
    board: Board, certs: Certs, kind: str, secure: bool
) -> None:
    host = "127.0.0.1"
    match kind:
        case "closed":
            port = await closed_port(board)
        case "tls-listener":
            # TCP to a TLS port, or TLS to a TCP port.
            cert = None if secure else certs[1]
            port = (await board.listener(local_cert=cert)).port
        case "no-such-host":
            port, host = 9, "a..b"
        case _:
            serve = {
                "hangs-up": hanging_up,
                "smtp": speaking_smtp,
                "http": speaking_http,
                "resets": resetting,
            }[kind]
            port = await board.raw_server(serve)
    active = board.calling(
        port, host=host, secure=secure, fingerprints=(certs[1],) if secure else ()
    )
    log = board.log(active)
    with pytest.raises(msrp.ConnectionFailed) as caught:
        await active.start()
    words = str(caught.value)
    assert words.startswith(f"no MSRP connection to {host}:{port}: ")
    assert "\n" not in words
    assert "Errno" not in words
    assert "[" not in words
    assert not words.endswith((": ", "None", "()"))
    with pytest.raises(msrp.ConnectionFailed):
        await active.established()
    await active.shutdown()
    failed, closed = log.events
    assert isinstance(failed, msrp.ConnectionFailedEvent)
    assert isinstance(closed, msrp.ClosedEvent)
    assert closed.error is failed.error is caught.value


async def test_a_peer_that_accepts_and_says_nothing_is_given_up_in_time(
    board: Board, certs: Certs
) -> None:
    async def serve(peer: RawPeer) -> None:
        await peer.rest()

    port = await board.raw_server(serve)
    active = board.calling(
        port, secure=True, fingerprints=(certs[1],), connect_timeout=0.1
    )
    with pytest.raises(msrp.ConnectionFailed, match=r"no answer within 0\.1 s"):
        await active.start()


@pytest.mark.rule("MSRP-30")
async def test_the_next_address_of_a_name_is_tried(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    active, passive = await board.pair(start=False)
    port = active.negotiated.connect_to[1]
    loop = asyncio.get_running_loop()
    genuine = loop.getaddrinfo

    async def getaddrinfo(host: str, *args: object, **options: object) -> object:
        if host != "peer.example.com":
            return await genuine(host, *args, **options)  # type: ignore[arg-type]
        found = await genuine("127.0.0.1", port, type=1)
        family, kind, proto, name, _ = found[0]
        refusing = (family, kind, proto, name, ("127.0.0.2", port))
        return [refusing, (family, kind, proto, name, ("127.0.0.1", port))]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    named = replace(active.negotiated, connect_to=("peer.example.com", port))
    caller = msrp.MsrpConnection(named)
    await passive.start()
    await caller.start()
    await passive.established()
    await caller.shutdown()
    await active.shutdown()


def _offer_and_answer(
    listener: msrp.MsrpListener,
    *,
    accept_types: tuple[str, ...] = ("text/plain", "*"),
    direction: str | None = None,
) -> tuple[msrp.negotiation.MediaDescription, msrp.negotiation.MediaDescription]:
    offered = msrp.offer_media(
        msrp.MsrpUri("msrp", "127.0.0.1", 9, "rawpeer"),
        setup="active",
        accept_types=accept_types,
        accept_wrapped_types=(),
        direction=direction,
    )
    answered = listener.answer(offered)
    assert answered is not None
    return offered, answered


async def test_a_session_is_told_in_lines_that_give_nothing_away(
    board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    active, passive = await board.pair()
    await (await active.send_text("my secret")).delivered()
    session_id = active.negotiated.local_uri.session_id
    assert session_id is not None
    await active.shutdown()
    await passive.closed()
    lines = [record.getMessage() for record in caplog.records]
    opened = [line for line in lines if "a session is open with" in line]
    assert {line.rpartition(" ")[2] for line in opened} == {"us", "them"}
    over = {line for line in lines if "a session is over" in line}
    assert over == {"a session is over, by us", "a session is over, by them"}
    assert not [line for line in lines if session_id in line or "secret" in line]
