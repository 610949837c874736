"""What comes of a file, whatever the sender does."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
from msrp.aio.file_transfer import receiving
from msrp.aio.file_transfer.part_file import PartFile, part_path
from msrp.content import Body, body_for, file_disposition
from msrp.file_transfer import Direction, new_transfer_id, push_offer

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board

DATA = b"all that happened that night\n" * 1000
SHA1 = hashlib.sha1(DATA).digest()
TEXT = msrp.ContentType.parse("text/plain")
FILE = msrp.FileSelector("log.txt", len(DATA), TEXT, (msrp.FileHash.sha1(SHA1),))
DISPOSITION = file_disposition("log.txt")


class Sender:
    """A peer that offers a file, and then sends what the test says."""

    def __init__(self, board: Board, directory: Path) -> None:
        self.board = board
        self.directory = directory
        self.transfers: list[msrp.FileTransfer] = []
        self.asked: list[None] = []
        self.go_on = asyncio.Event()
        self.connection: msrp.MsrpConnection

    async def offer(
        self,
        selector: msrp.FileSelector = FILE,
        *,
        save: msrp.SaveFile | None = None,
        stall_timeout: float = 10.0,
        accept: tuple[str, ...] = ("*",),
    ) -> msrp.FileTransfer:
        ours, theirs = await self.board.listener(), await self.board.listener()
        described = msrp.FileDescription(
            selector=selector,
            transfer_id=new_transfer_id(),
            direction=Direction.SENDONLY,
        )
        offered = push_offer(ours.offer(), described)
        answerer = msrp.FileAnswerer(
            theirs,
            lambda _: save or msrp.SaveFile(self.directory),
            on_transfer=self.transfers.append,
            stall_timeout=stall_timeout,
        )
        self.stream = answerer.another()
        self.stream.on_renegotiate = lambda: self.asked.append(None)
        answered = await self.stream.answer(offered)
        assert answered is not None
        assert not answered.is_rejected
        self.connection = self.board.connection(
            offered, answered, is_incoming=False, listener=ours
        )
        self.board._stack.push_async_callback(answerer.stop)
        await self.stream.start(offered, answered, False)
        await self.connection.start()
        return self.transfers[0]

    async def send(
        self,
        data: bytes = DATA,
        content_type: str = "text/plain",
        disposition: str | None = DISPOSITION,
    ) -> msrp.OutgoingMessage:
        return await self.connection.send_message(
            content_type, data, disposition=disposition
        )

    async def send_half(
        self,
        transfer: msrp.FileTransfer,
        failure_report: msrp.FailureReport = msrp.FailureReport.YES,
    ) -> msrp.OutgoingMessage:
        """Send a part of the file, and the rest of it when told to go on."""

        async def octets() -> AsyncIterator[bytes]:
            yield DATA[:10_000]
            await self.go_on.wait()
            yield DATA[10_000:]

        message = await self.connection.send_message(
            "text/plain", octets(), size=len(DATA), failure_report=failure_report
        )
        await self.board.until(lambda: transfer.transferred >= 8192)
        return message

    @property
    def names(self) -> list[str]:
        return sorted(p.name for p in self.directory.iterdir())


@pytest.fixture
def sender(board: Board, tmp_path: Path) -> Sender:
    return Sender(board, tmp_path / "downloads")


def as_it_is(content_type: str, contents: bytes, **more: object) -> Body:
    """Send what nobody should."""
    return Body(content_type, contents)


async def failure(transfer: msrp.FileTransfer) -> msrp.FileTransferFailed:
    with pytest.raises(msrp.FileTransferFailed) as caught:
        async with asyncio.timeout(10):
            await transfer.finished()
    return caught.value


@pytest.mark.rule("FT-11")
async def test_a_file_is_compared_with_what_was_promised(sender: Sender) -> None:
    transfer = await sender.offer()
    assert transfer.is_incoming
    await (await sender.send()).delivered()
    received = await transfer.finished()
    assert received == msrp.FileTransferred(
        sender.directory / "log.txt", len(DATA), SHA1, is_verified=True
    )
    assert received.path.read_bytes() == DATA
    assert sender.names == ["log.txt"]


@pytest.mark.rule("FT-3")
async def test_a_file_lands_where_we_want_it(sender: Sender) -> None:
    evil = msrp.FileSelector.parse(f'name:"..%2Fetc%2Fpasswd" size:{len(DATA)}')
    transfer = await sender.offer(evil)
    await sender.send(disposition=None)
    assert (await transfer.finished()).path == sender.directory / "passwd"
    assert [p.name for p in sender.directory.parent.iterdir()] == ["downloads"]


@pytest.mark.rule("FT-2", "FT-7", "FT-11")
async def test_a_file_may_come_in_an_envelope(sender: Sender) -> None:
    transfer = await sender.offer()
    body = body_for(
        "text/plain",
        DATA,
        accept=msrp.AcceptTypes(("message/cpim",)),
        accept_wrapped=msrp.AcceptTypes(("*",)),
        now=datetime.datetime.now(datetime.UTC),
        disposition=DISPOSITION,
    )
    await sender.send(body.contents, body.content_type, None)
    received = await transfer.finished()
    assert received.is_verified
    assert received.path.read_bytes() == DATA


async def test_an_empty_file_is_a_file(sender: Sender) -> None:
    empty = msrp.FileHash.sha1(hashlib.sha1(b"").digest())
    transfer = await sender.offer(msrp.FileSelector("e", type=TEXT, hashes=(empty,)))
    await sender.send(b"", disposition=None)
    received = await transfer.finished()
    assert received.is_verified
    assert received.path.read_bytes() == b""


@pytest.mark.rule("FT-11")
@pytest.mark.parametrize(
    ("data", "content_type", "disposition", "what"),
    [
        pytest.param(b"?" + DATA[1:], "text/plain", None, "hash", id="hash"),
        pytest.param(DATA[:-1], "text/plain", None, "size", id="too-short"),
        pytest.param(DATA + b"!", "text/plain", None, "size", id="too-long"),
        pytest.param(DATA, "image/jpeg", None, "type", id="type"),
        pytest.param(
            DATA, "text/plain", file_disposition("virus.exe"), "name", id="name"
        ),
    ],
)
async def test_what_isn_t_as_promised_is_kept_under_a_name_that_says_so(
    sender: Sender,
    data: bytes,
    content_type: str,
    disposition: str | None,
    what: str,
) -> None:
    transfer = await sender.offer()
    await sender.send(data, content_type, disposition)
    error = await failure(transfer)
    assert isinstance(error, msrp.FileMismatch)
    assert error.what == what
    assert error.path == sender.directory / f"log.txt.wrong-{what}"
    assert sender.names == [f"log.txt.wrong-{what}"]
    assert str(error) == (
        f"the {what} of the file isn't what was promised; it is kept as {error.path}:"
        " don't trust it, and have it sent again"
    )


async def test_a_file_of_unknown_size_has_a_bound(sender: Sender) -> None:
    save = msrp.SaveFile(sender.directory, max_size=1000)
    transfer = await sender.offer(msrp.FileSelector("log.txt", type=TEXT), save=save)
    message = await sender.send(DATA * 100)
    error = await failure(transfer)
    assert str(error) == "it has more than 1000 octets"
    assert sender.names == []
    with pytest.raises(msrp.RequestRefused) as caught:
        await message.delivered()
    assert caught.value.code == 413


@pytest.mark.parametrize(
    "envelope",
    [
        pytest.param(b"x" * 20_000, id="no-end"),
        pytest.param(b"what\r\n\r\nwhat\r\n\r\nwhat", id="no-headers"),
        pytest.param(
            b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\nContent-Type: text/plain\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nAAAA",
            id="encoded",
        ),
    ],
)
async def test_an_envelope_that_can_t_be_opened_is_told(
    sender: Sender, envelope: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = await sender.offer()
    monkeypatch.setattr("msrp.aio.sending.verbs.body_for", as_it_is)
    await sender.send(envelope, "message/cpim", None)
    error = await failure(transfer)
    assert not isinstance(error, msrp.FileMismatch)
    assert sender.names == []


@pytest.mark.rule("FT-7", "FT-13")
async def test_a_second_message_is_refused(sender: Sender) -> None:
    transfer = await sender.offer()
    first, second = await sender.send(), await sender.send(b"chat")
    with pytest.raises(msrp.RequestRefused):
        await second.delivered()
    await first.delivered()
    assert (await transfer.finished()).is_verified
    assert sender.names == ["log.txt"]


@pytest.mark.rule("FT-12")
async def test_what_came_before_an_abort_is_kept(sender: Sender) -> None:
    transfer = await sender.offer()
    message = await sender.send_half(transfer)
    message.abort()
    error = await failure(transfer)
    assert isinstance(error, msrp.FileTransferAborted)
    assert error.problem == "its sender gave it up"
    assert error.path is not None
    assert error.path.read_bytes() == DATA[: error.transferred]
    assert 8192 <= error.transferred <= 10_000
    # The sender is the one to take the stream out; if he doesn't, we do.
    assert not sender.stream.wants_offer


@pytest.mark.rule("FT-12", "FT-13")
async def test_a_sender_that_doesn_t_end_its_stream_is_helped(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = "msrp.aio.file_transfer.stream"
    monkeypatch.setattr(f"{stream}._PEERS_TURN", 0.01)
    monkeypatch.setattr(f"{stream}._PAUSE", 0.01)
    transfer = await sender.offer()
    await sender.send()
    await transfer.finished()
    # In the end even without the call.
    await sender.board.until(lambda: sender.stream._media.connection.is_over)
    assert len(sender.asked) == 3
    assert sender.stream.wants_offer
    last = await sender.stream.offer()
    assert last.port == 0
    assert last.first("file-transfer-id") is not None
    assert last.has("recvonly")


@pytest.mark.rule("FT-12")
async def test_a_sender_that_sends_nothing_is_not_waited_for(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_PATIENCE", 0.01)
    transfer = await sender.offer(stall_timeout=0.02)
    error = await failure(transfer)
    assert isinstance(error, msrp.FileTransferAborted)
    assert error.problem == "nothing has moved for 0.02 s"
    assert sender.stream.direction is Direction.RECVONLY


@pytest.mark.rule("FT-12")
async def test_cancelling_removes_what_came(sender: Sender) -> None:
    transfer = await sender.offer()
    message = await sender.send_half(transfer)
    transfer.cancel()
    transfer.cancel()
    sender.go_on.set()
    assert isinstance(await failure(transfer), msrp.FileTransferAborted)
    assert sender.names == []
    with pytest.raises(msrp.RequestRefused) as caught:
        await message.delivered()
    assert caught.value.code == 413


@pytest.mark.rule("FT-12")
async def test_a_sender_that_wants_no_answers_gets_only_the_offer(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "_PATIENCE", 0.01)
    transfer = await sender.offer()
    refused: list[msrp.MessageRefused] = []
    inner = sender.stream._media.connection
    inner.on_message_refused(refused.append)
    message = await sender.send_half(transfer, msrp.FailureReport.NO)
    transfer.cancel()
    sender.go_on.set()
    await failure(transfer)
    await sender.board.until(lambda: refused)
    assert not refused[0].peer_told
    await message.sent()
    await sender.board.until(lambda: sender.asked)
    assert (await sender.stream.offer()).port == 0


async def test_a_disk_that_is_full_is_told(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    transfer = await sender.offer(msrp.FileSelector("log.txt", type=TEXT))

    def full(part: object, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PartFile, "write", full)
    message = await sender.send(DATA * 100)
    error = await failure(transfer)
    assert str(error) == f"{sender.directory}: No space left on device"
    with pytest.raises(msrp.RequestRefused):
        await message.delivered()
    await sender.board.until(lambda: sender.asked)


async def test_a_transfer_that_nobody_watches_is_told_of_in_the_log(
    sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    transfer = await sender.offer()
    await sender.send(DATA[1:])
    await sender.board.until(lambda: transfer.is_over)
    assert "a file was not transferred: the size of the file" in caplog.text
    assert isinstance(await failure(transfer), msrp.FileMismatch)


async def test_a_session_that_is_lost_leaves_what_came(sender: Sender) -> None:
    transfer = await sender.offer()

    await sender.send_half(transfer)
    await sender.stream.stop()
    error = await failure(transfer)
    assert isinstance(error, msrp.FileTransferAborted)
    assert error.transferred >= 8192
    assert error.transferred == transfer.transferred
    assert sender.names == [f".{SHA1.hex()}.part"]


@pytest.mark.parametrize("there", ["nothing", "a part", "one in use"])
async def test_what_is_opened_for_who_gave_up_meanwhile_is_put_away(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    path, start = part_path(tmp_path, SHA1), 0
    other = PartFile(tmp_path, SHA1) if there == "one in use" else None
    if there == "a part":
        start = path.write_bytes(DATA[:10])
    may_open, opened = threading.Event(), list[PartFile]()

    def open_late(directory: Path, sha1: bytes | None, start: int) -> PartFile:
        may_open.wait(5)
        opened.append(PartFile(directory, sha1, start))
        return opened[-1]

    monkeypatch.setattr(receiving, "PartFile", open_late)
    transfer = receiving.ReceivingFile(tmp_path)
    described = msrp.FileDescription(
        selector=FILE, transfer_id=new_transfer_id(), direction=Direction.RECVONLY
    )
    preparing = asyncio.create_task(transfer.prepare(described, FILE, start))
    await asyncio.sleep(0)
    preparing.cancel()
    await asyncio.wait([preparing])
    may_open.set()
    await board.until(lambda: bool(opened) and opened[0]._file.closed)
    assert os.listdir(tmp_path) == ([] if there == "nothing" else [path.name])
    if other is not None:
        other.discard()
