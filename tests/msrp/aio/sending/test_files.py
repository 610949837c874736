from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.sending.files import FileBody, type_of

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board


async def read_all(body: FileBody, wake: asyncio.Event, limit: int = 1000) -> bytes:
    octets = b""
    async with asyncio.timeout(10):
        while len(octets) < body.size:
            piece = body.read(limit)
            if piece is None:
                wake.clear()
                await wake.wait()
            elif not piece:
                break
            else:
                assert len(piece) <= limit
                octets += piece
    return octets


def body_of(
    path: Path,
    wake: asyncio.Event,
    prefix: bytes = b"",
    progress: Callable[[int, int], None] | None = None,
) -> FileBody:
    return FileBody(path, prefix=prefix, wake=wake.set, progress=progress)


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(0, id="empty"),
        pytest.param(1, id="one-octet"),
        pytest.param(256 * 1024, id="one-block"),
        pytest.param(256 * 1024 + 1, id="a-block-and-one"),
        pytest.param(700_001, id="several-blocks"),
    ],
)
@pytest.mark.parametrize("prefix", [b"", b"From: <im:a@b>\r\n\r\n"], ids=["", "cpim"])
async def test_a_body_is_the_prefix_and_the_file(
    tmp_path: Path, size: int, prefix: bytes
) -> None:
    data = os.urandom(size)
    path = tmp_path / "file"
    path.write_bytes(data)
    wake = asyncio.Event()
    body = body_of(path, wake, prefix)
    await body.open()
    assert body.size == len(prefix) + size
    assert await read_all(body, wake) == prefix + data
    await body.close()


async def test_progress_counts_the_octets_of_the_file_only(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5000))
    told: list[tuple[int, int]] = []
    wake = asyncio.Event()
    body = body_of(path, wake, b"head" * 10, lambda *both: told.append(both))
    await body.open()
    while (piece := body.read(1000)) is None or piece:
        await asyncio.sleep(0.001)
        if told and told[-1][0] == 5000:
            break
    assert told == sorted(set(told))
    assert told[-1] == (5000, 5000)
    assert len(told) == 5
    await body.close()


async def test_progress_is_not_called_from_within_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5000))
    told: list[int] = []
    wake = asyncio.Event()
    body = body_of(path, wake, progress=lambda done, total: told.append(done))
    await body.open()
    await wake.wait()
    for _ in range(3):
        body.read(1000)
    assert told == []
    await asyncio.sleep(0)
    assert told == [3000]
    await body.close()


async def test_progress_is_not_called_after_a_file_was_given_up(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5000))
    told: list[int] = []
    wake = asyncio.Event()
    body = body_of(path, wake, progress=lambda done, total: told.append(done))
    await body.open()
    await wake.wait()
    body.read(1000)
    await body.close()
    await asyncio.sleep(0.01)
    assert told == []


async def test_what_a_file_has_is_never_in_memory_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5_000_000))
    wake = asyncio.Event()
    body = body_of(path, wake)
    await body.open()
    await wake.wait()
    await asyncio.sleep(0.05)
    got = 0
    while (piece := body.read(1_000_000)) is not None:
        got += len(piece)
    assert got <= 2 * 256 * 1024
    await body.close()


async def test_a_file_that_shrinks_ends_early(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(2_000_000))
    wake = asyncio.Event()
    body = body_of(path, wake)
    await body.open()
    os.truncate(path, 1_000_000)
    assert len(await read_all(body, wake)) <= 1_000_000
    assert body.read(1) == b""
    await body.close()


def missing(path: Path) -> Path:
    return path / "nothing"


def directory(path: Path) -> Path:
    return path


def pipe(path: Path) -> Path:
    os.mkfifo(path / "pipe")
    return path / "pipe"


def bad_name(path: Path) -> Path:
    return path / "a\0b"


@pytest.mark.parametrize("make", [missing, directory, pipe, bad_name])
async def test_what_is_no_file_is_refused_in_one_sentence(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    body = body_of(path, asyncio.Event())
    with pytest.raises(msrp.FileUnreadable) as caught:
        await body.open()
    assert caught.value.path == path
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert "Errno" not in str(caught.value)


@pytest.mark.parametrize("turns", range(4))
async def test_an_opening_that_is_cancelled_leaves_no_file_open(
    tmp_path: Path, turns: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    body = body_of(path, asyncio.Event())
    task = asyncio.create_task(body.open())
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        await asyncio.sleep(0.05)  # The thread may still be at it.
    else:
        await body.close()


async def test_progress_may_abort_the_message(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(3_000_000))
    active, passive = await board.pair()
    log = board.log(passive)
    sent: list[msrp.OutgoingMessage] = []
    told: list[int] = []

    def progress(done: int, total: int) -> None:
        told.append(done)
        if done > 500_000 and sent:
            sent[0].abort()

    sent.append(await active.send_file(path, progress=progress))
    with pytest.raises(msrp.MessageAborted):
        await sent[0].delivered()
    assert told[-1] < 3_000_000
    await (await active.send_text("still here")).delivered()
    await board.until(lambda: log.texts)
    assert [m.message_id for m in log.of(msrp.IncompleteMessage)] == [
        sent[0].message_id
    ]
    assert log.of(msrp.ClosedEvent) == []


async def test_progress_that_raises_harms_nobody(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(100_000))
    active, passive = await board.pair()
    log = board.log(passive)

    def progress(done: int, total: int) -> None:
        raise ValueError("mine")

    await (await active.send_file(path, progress=progress)).delivered()
    await board.until(lambda: log.of(msrp.AttachmentReceived))
    problems = board.take_problems()
    assert problems
    assert {type(p["exception"]) for p in problems} == {ValueError}


async def test_a_file_that_shrinks_fails_alone(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(2_000_000))
    active, passive = await board.pair()
    log = board.log(passive)
    sending = await active.send_file(path)
    os.truncate(path, 300_000)
    with pytest.raises(msrp.MessageAborted, match="fewer octets"):
        await sending.delivered()
    await (await active.send_text("still here")).delivered()
    await board.until(lambda: log.texts)
    assert log.of(msrp.AttachmentReceived) == []


async def test_a_file_is_closed_when_the_session_ends(
    board: Board, tmp_path: Path
) -> None:
    path = tmp_path / "file.bin"
    path.write_bytes(os.urandom(5_000_000))
    active, passive = await board.pair()
    sending = await active.send_file(path)
    await active.shutdown(timeout=0.0)
    with pytest.raises(msrp.DeliveryError):
        await sending.delivered()
    await passive.closed()


async def test_a_message_of_a_missing_file_is_never_begun(
    board: Board, tmp_path: Path
) -> None:
    active, passive = await board.pair()
    log = board.log(passive)
    with pytest.raises(msrp.FileUnreadable):
        await active.send_file(tmp_path / "nothing.jpg")
    await (await active.send_text("still here")).delivered()
    await board.until(lambda: log.texts)
    assert log.of(msrp.IncompleteMessage) == []


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("photo.jpg", "image/jpeg"),
        ("notes.txt", "text/plain"),
        ("notes.txt.gz", "application/gzip"),
        ("all.tar.gz", "application/gzip"),
        ("notes.txt.xz", "application/octet-stream"),
        ("notes", "application/octet-stream"),
    ],
)
def test_what_is_compressed_is_no_text(name: str, content_type: str) -> None:
    assert type_of(Path(name)) == content_type


async def test_a_file_goes_by_its_name_and_type(board: Board, tmp_path: Path) -> None:
    path = tmp_path / "a picture.png"
    path.write_bytes(b"\x89PNG")
    active, passive = await board.pair()
    log = board.log(passive)
    await (await active.send_file(path)).delivered()
    await (await active.send_file(path, content_type="image/x-other")).delivered()
    await board.until(lambda: len(log.of(msrp.AttachmentReceived)) == 2)
    first, second = log.of(msrp.AttachmentReceived)
    assert (first.content_type, first.filename) == ("image/png", "a picture.png")
    assert (first.contents, second.content_type) == (b"\x89PNG", "image/x-other")


@pytest.mark.rule("MSRP-41")
@pytest.mark.parametrize("offset", [0, 3, 20, 21, 1_000, 599_999, 600_020])
@pytest.mark.parametrize("closed", [False, True])
async def test_it_can_go_to_any_place_even_after_it_was_closed(
    tmp_path: Path, offset: int, closed: bool
) -> None:
    prefix, data = b"From: <im:a@b.c>\r\n\r\n", os.urandom(600_000)
    path = tmp_path / "file"
    path.write_bytes(data)
    wake = asyncio.Event()
    told: list[int] = []
    body = body_of(path, wake, prefix, lambda done, _: told.append(done))
    await body.open()
    await wake.wait()
    body.read(100_000)
    if closed:
        await body.close()
        assert body.is_closed
    body.seek(offset)
    whole, octets = prefix + data, b""
    async with asyncio.timeout(10):
        while len(octets) < len(whole) - offset:
            piece = body.read(100_000)
            if piece is None:
                wake.clear()
                await wake.wait()
            else:
                assert piece
                octets += piece
    assert octets == whole[offset:]
    await asyncio.sleep(0)
    assert told == sorted(set(told))
    await body.close()


@pytest.mark.rule("MSRP-41")
@pytest.mark.parametrize("how", ["gone", "longer", "another", "a-directory"])
async def test_a_file_that_is_not_as_it_was_gives_no_more(
    tmp_path: Path, how: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5000))
    wake = asyncio.Event()
    body = body_of(path, wake)
    await body.open()
    await body.close()
    path.rename(tmp_path / "old")
    match how:
        case "longer":
            (tmp_path / "old").write_bytes(bytes(5001))
            (tmp_path / "old").rename(path)
        case "another":
            path.write_bytes(bytes(5000))
        case "a-directory":
            path.mkdir()
    body.seek(1000)
    async with asyncio.timeout(10):
        while (piece := body.read(100)) is None:
            wake.clear()
            await wake.wait()
    assert piece == b""
    await body.close()
    assert body.is_closed


@pytest.mark.rule("MSRP-41")
async def test_going_to_and_fro_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(600_000))
    before = len(os.listdir("/proc/self/fd"))
    wake = asyncio.Event()
    body = body_of(path, wake)
    await body.open()
    for turn in range(20):
        body.seek(turn)
        for _ in range(turn % 4):
            await asyncio.sleep(0)
    await body.close()
    assert body.is_closed
    # A thread that was opening it when nobody wanted it any more may come last.
    async with asyncio.timeout(10):
        while len(os.listdir("/proc/self/fd")) > before:  # noqa: ASYNC110
            await asyncio.sleep(0.002)


@pytest.mark.rule("FT-14")
@pytest.mark.parametrize(
    ("start", "stop"), [(0, None), (1, None), (300_000, 300_001), (5, 600_000), (7, 7)]
)
async def test_a_part_of_a_file_is_a_body_by_itself(
    tmp_path: Path, start: int, stop: int | None
) -> None:
    data = os.urandom(700_001)
    path = tmp_path / "file"
    path.write_bytes(data)
    wake = asyncio.Event()
    body = FileBody(
        path, prefix=b"head", wake=wake.set, progress=None, start=start, stop=stop
    )
    await body.open()
    wanted = b"head" + data[start:stop]
    assert body.size == len(wanted)
    assert (await read_all(body, wake))[: body.size] == wanted
    # And to go back is to go back within the part.
    at = min(6, len(wanted))
    body.seek(at)
    again = b""
    async with asyncio.timeout(10):
        while len(again) < body.size - at:
            piece = body.read(body.size - at - len(again))
            if piece is None:
                wake.clear()
                await wake.wait()
            else:
                again += piece
    assert again == wanted[at:]
    await body.close()


@pytest.mark.parametrize(("start", "stop"), [(11, None), (0, 11), (5, 4)])
async def test_a_part_that_isn_t_there_can_t_be_sent(
    tmp_path: Path, start: int, stop: int | None
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(10))
    body = FileBody(
        path, prefix=b"", wake=lambda: None, progress=None, start=start, stop=stop
    )
    with pytest.raises(msrp.FileUnreadable, match="fewer octets"):
        await body.open()
    assert body.is_closed
