"""What is sent: what the peer takes, and how it is answered."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

Certs = tuple[msrp.LocalCertificate, msrp.LocalCertificate]


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
