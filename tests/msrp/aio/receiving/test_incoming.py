from __future__ import annotations

import asyncio
import hashlib
import io
import os
from pathlib import Path

import pytest

import msrp
from msrp.aio.receiving.sinks import FileSink, WriterSink
from msrp.headers import ContinuationFlag
from msrp.policy import Decision, Progress
from tests.msrp.aio.conftest import Board, Log, RawPeer

PICTURE = os.urandom(1_000_000)
MORE = ContinuationFlag.MORE


async def received(log: Log) -> msrp.MessageReceived:
    await Board.until(lambda: log.of(msrp.MessageReceived))
    return log.of(msrp.MessageReceived)[-1]


def record(connection: msrp.MsrpConnection) -> Log:
    log = Log()
    for hook in (
        connection.on_message_received,
        connection.on_attachment_received,
        connection.on_message_refused,
        connection.on_incomplete_message,
        connection.on_closed,
    ):
        hook(log.events.append)
    return log


@pytest.mark.rule("MSRP-68", "CD-2")
@pytest.mark.parametrize("chunk_size", [2048, None])
async def test_a_message_goes_into_a_file_of_its_own(
    board: Board, tmp_path: Path, chunk_size: int | None
) -> None:
    config = msrp.SessionConfig(chunk_size=chunk_size)
    active, passive = await board.pair(
        active=config, start=False, max_message_length=10_000
    )
    steps: list[tuple[int, int | None]] = []
    progress: Progress = lambda done, total: steps.append((done, total))  # noqa: E731
    passive.policy = lambda about: msrp.IntoDirectory(
        tmp_path / "in", progress=progress
    )
    log = record(passive)
    await passive.start()
    await active.start()
    source = tmp_path / "a picture.jpg"
    source.write_bytes(PICTURE)
    for _ in range(2):
        sent = await active.send_file(source, success_report=True)
        await sent.delivered()
    await received(log)
    await passive.shutdown()
    paths = [message.path for message in log.of(msrp.MessageReceived)]
    assert paths == [tmp_path / "in" / n for n in ("a picture.jpg", "a picture-1.jpg")]
    for path in paths:
        assert path is not None
        assert path.read_bytes() == PICTURE
    assert sorted(os.listdir(tmp_path / "in")) == ["a picture-1.jpg", "a picture.jpg"]
    assert steps[-1] == (len(PICTURE), len(PICTURE))
    attachments = log.of(msrp.AttachmentReceived)
    assert [a.path for a in attachments] == paths
    assert isinstance(log.events[-1], msrp.ClosedEvent)


async def test_a_message_goes_into_any_object_that_can_write(board: Board) -> None:
    active, passive = await board.pair(start=False)
    digest = hashlib.sha256()

    class Digest:
        def write(self, data: bytes) -> None:
            digest.update(data)

    passive.policy = lambda about: msrp.IntoWriter(Digest())
    log = record(passive)
    await passive.start()
    await active.start()
    sent = await active.send_message("image/jpeg", PICTURE)
    await sent.delivered()
    message = await received(log)
    assert digest.digest() == hashlib.sha256(PICTURE).digest()
    assert (message.size, message.contents, message.path) == (1_000_000, b"", None)


@pytest.mark.rule("MSRP-69", "MSRP-91", "MSRP-93", "MSRP-94")
@pytest.mark.parametrize("code", [403, 413, 415])
async def test_a_policy_can_refuse(board: Board, code: int) -> None:
    active, passive = await board.pair(start=False)
    asked: list[msrp.Announcement] = []

    def policy(about: msrp.Announcement) -> Decision:
        asked.append(about)
        return msrp.Refuse(code) if about.size == 5000 else msrp.InMemory()

    passive.policy = policy
    log = record(passive)
    await passive.start()
    await active.start()
    sent = await active.send_message(
        "image/jpeg", bytes(5000), disposition='attachment; filename="../x.jpg"'
    )
    with pytest.raises(msrp.RequestRefused) as refused:
        await sent.delivered()
    assert refused.value.code == code
    await (await active.send_text("still there")).delivered()
    assert (await received(log)).text == "still there"
    assert [event.status_code for event in log.of(msrp.MessageRefused)] == [code]
    assert asked[0].filename == "x.jpg"
    assert [about.size for about in asked] == [5000, 11]


async def test_a_policy_sets_a_limit_for_one_message(board: Board) -> None:
    active, passive = await board.pair(start=False, max_message_length=100)
    steps: list[int] = []
    passive.policy = lambda about: msrp.InMemory(
        3000, progress=lambda done, total: steps.append(done)
    )
    log = record(passive)
    await passive.start()
    await active.start()
    await (await active.send_message("image/png", bytes(3000))).delivered()
    assert (await received(log)).contents == bytes(3000)
    assert steps[-1] == 3000
    with pytest.raises(msrp.RequestRefused):
        await (await active.send_message("image/png", bytes(3001))).delivered()


async def test_a_policy_that_fails_costs_no_message(board: Board) -> None:
    active, passive = await board.pair(start=False)

    def policy(about: msrp.Announcement) -> Decision:
        raise RuntimeError("a bug")

    passive.policy = policy
    log = record(passive)
    await passive.start()
    await active.start()
    await (await active.send_text("hello")).delivered()
    assert (await received(log)).text == "hello"
    assert [str(p["exception"]) for p in board.take_problems()] == ["a bug"]


async def test_a_directory_that_cannot_be_is_told_to_both_sides(
    board: Board, tmp_path: Path
) -> None:
    active, passive = await board.pair(start=False)
    (tmp_path / "file").write_bytes(b"")
    passive.policy = lambda about: msrp.IntoDirectory(tmp_path / "file")
    log = record(passive)
    await passive.start()
    await active.start()
    with pytest.raises(msrp.RequestRefused) as refused:
        await (await active.send_message("image/png", bytes(4_000_000))).delivered()
    assert refused.value.code == 413
    await passive.shutdown()
    assert log.of(msrp.MessageRefused)
    assert not log.of(msrp.MessageReceived)


async def bound(board: Board, policy: msrp.Policy) -> tuple[RawPeer, Log, object]:
    """Return a raw peer, and what its session's hooks hear."""
    listener = await board.listener()
    waiting = board.waiting(listener)
    waiting.policy = policy
    log = record(waiting)
    await waiting.start()
    peer = await board.raw(listener.port)
    uri = waiting.negotiated.local_uri
    await peer.bind(uri)
    return peer, log, uri


def octets_in(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in directory.iterdir()]


def part(start: int, data: bytes, total: int) -> tuple[tuple[str, str], ...]:
    return (("Byte-Range", f"{start}-{start + len(data) - 1}/{total}"),)


@pytest.mark.rule("MSRP-63", "MSRP-64")
@pytest.mark.parametrize("kind", ["file", "writer"])
async def test_chunks_in_any_order_are_put_where_they_belong(
    board: Board, tmp_path: Path, kind: str
) -> None:
    writer = io.BytesIO()
    decision: Decision = msrp.IntoWriter(writer)
    if kind == "file":
        decision = msrp.IntoDirectory(tmp_path, name="x.bin")
    peer, log, uri = await bound(board, lambda about: decision)
    data = bytes(range(256)) * 4
    for start, flag in ((513, MORE), (257, MORE), (769, None), (1, MORE)):
        body = data[start - 1 : start + 255]
        name = peer.request(
            uri,
            body,
            content_type="image/png",
            flag=flag or ContinuationFlag.END,
            fields=part(start, body, 1024),
        )
        assert await peer.response_to(name) == 200
    message = await received(log)
    stored = message.path.read_bytes() if message.path else writer.getvalue()
    assert stored == data


@pytest.mark.rule("MSRP-66", "MSRP-93")
@pytest.mark.parametrize("end", ["abort", "loss", "too-long"])
async def test_what_there_is_of_a_file_is_kept_unless_it_was_refused(
    board: Board, tmp_path: Path, end: str
) -> None:
    peer, log, uri = await bound(
        board, lambda about: msrp.IntoDirectory(tmp_path, 3000, "x.bin")
    )
    body = b"a" * 1000
    fields = (("Byte-Range", "1-*/*"),)
    name = peer.request(uri, body, content_type="image/png", flag=MORE, fields=fields)
    assert await peer.response_to(name) == 200
    if end == "abort":
        flag = ContinuationFlag.ABORT
        fields = (("Byte-Range", "1001-*/*"),)
        peer.request(uri, b"b", content_type="image/png", flag=flag, fields=fields)
    elif end == "loss":
        peer.reset()
    else:
        fields = (("Byte-Range", "1001-*/*"),)
        name = peer.request(uri, bytes(2001), content_type="image/png", fields=fields)
        assert await peer.response_to(name) == 413
    kept = b"" if end == "too-long" else body + (b"b" if end == "abort" else b"")
    await Board.until(lambda: octets_in(tmp_path) == [kept] * bool(kept))
    if kept:
        await Board.until(lambda: log.of(msrp.IncompleteMessage))
        (incomplete,) = log.of(msrp.IncompleteMessage)
        assert isinstance(incomplete.store, FileSink)
        path = incomplete.store.path
        assert path is not None
        assert (path.parent, path.suffix) == (tmp_path, ".part")


async def test_a_slow_writer_holds_the_peer_back(board: Board) -> None:
    gate = asyncio.Event()
    taken = 0

    class Slow:
        async def write(self, data: bytes) -> None:
            nonlocal taken
            await gate.wait()
            taken += len(data)

    active, passive = await board.pair(start=False)
    passive.policy = lambda about: msrp.IntoWriter(Slow())
    await passive.start()
    await active.start()
    sent = await active.send_message("image/png", bytes(8_000_000))
    await Board.until(lambda: not passive._started().reading_wanted)
    gate.set()
    await sent.delivered()
    await passive.shutdown()
    assert taken == 8_000_000


async def test_a_writer_that_raises_ends_its_message_only(board: Board) -> None:
    class Full:
        def write(self, data: bytes) -> None:
            raise OSError("no space left")

    active, passive = await board.pair(start=False)
    passive.policy = lambda about: (
        msrp.IntoWriter(Full()) if about.size == len(PICTURE) else msrp.InMemory()
    )
    log = record(passive)
    await passive.start()
    await active.start()
    with pytest.raises(msrp.RequestRefused):
        await (await active.send_message("image/png", PICTURE)).delivered()
    await (await active.send_text("still there")).delivered()
    assert (await received(log)).text == "still there"


async def test_a_writer_may_have_had_enough(board: Board) -> None:
    class Sated(io.BytesIO):
        takes_no_more = False

    writer = Sated()
    active, passive = await board.pair(start=False)
    passive.policy = lambda about: msrp.IntoWriter(writer)
    await passive.start()
    await active.start()
    await (await active.send_message("image/png", b"some")).delivered()
    writer.takes_no_more = True
    with pytest.raises(msrp.RequestRefused) as caught:
        await (await active.send_message("image/png", b"more")).delivered()
    assert caught.value.code == 413
    assert writer.getvalue() == b"some"


async def test_too_much_that_comes_too_early_is_refused() -> None:
    sink = WriterSink(io.BytesIO(), None, lambda: None)
    for number in range(20):
        sink.write(1 + number * 200_000, bytes(100_000))
    sink.give_up(keep=True)
    await sink.wait_closed()
    assert sink.error is not None
    assert str(sink.error) == "the writer: too much came before what it follows"
    with pytest.raises(msrp.LimitExceeded):
        sink.write(0, b"a")
