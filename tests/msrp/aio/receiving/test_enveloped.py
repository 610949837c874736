"""Messages in envelopes that go where a policy says."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
from cpim import CpimMessage
from msrp.aio.receiving.enveloped import MAX_WAITING
from msrp.aio.receiving.sinks import FileSink
from msrp.content import MAX_ENVELOPE
from msrp.headers import ContinuationFlag
from msrp.policy import Decision
from recording import MessageRecord, Outcome
from tests.msrp.aio.conftest import Board, Log, RawPeer

if TYPE_CHECKING:
    from collections.abc import Sequence

MORE, END = ContinuationFlag.MORE, ContinuationFlag.END
CPIM = "message/cpim"
PICTURE = os.urandom(300_000)
ALICE = msrp.Address("im:alice@example.com", "Alice")
BOB = msrp.Address("im:bob@example.com", "Bob")


def in_envelope(
    content: bytes = PICTURE,
    content_type: str = "image/jpeg",
    disposition: str | None = 'attachment; filename="../fire.jpg"',
    require: Sequence[str] = (),
) -> CpimMessage:
    named = () if disposition is None else (("Content-Disposition", disposition),)
    return CpimMessage.build(
        content_type,
        content,
        sender=str(ALICE),
        to=[str(BOB)],
        content_headers=named,
        namespaces=[("N", "urn:n")] if require else (),
        require=require,
    )


def log_of(connection: msrp.MsrpConnection) -> Log:
    log = Log()
    for hook in (
        connection.on_message_received,
        connection.on_attachment_received,
        connection.on_message_refused,
        connection.on_incomplete_message,
    ):
        hook(log.events.append)
    return log


async def received(log: Log) -> msrp.MessageReceived:
    await Board.until(lambda: log.of(msrp.MessageReceived))
    return log.of(msrp.MessageReceived)[-1]


class Policy:
    """Remembers what it was asked, and says what it is told to."""

    def __init__(self, decision: Decision) -> None:
        self.asked: list[msrp.Announcement] = []
        self.decision = decision

    def __call__(self, about: msrp.Announcement) -> Decision:
        self.asked.append(about)
        return self.decision


async def pair(
    board: Board, decision: Decision, chunk_size: int | None = None
) -> tuple[msrp.MsrpConnection, Log, Policy, msrp.MsrpConnection]:
    config = msrp.SessionConfig(chunk_size=chunk_size)
    active, passive = await board.pair(
        active=config, start=False, max_message_length=10_000
    )
    policy = passive.policy = Policy(decision)
    log = log_of(passive)
    await passive.start()
    await active.start()
    return active, log, policy, passive


@pytest.mark.rule("MSRP-68", "MSRP-113", "CPIM-24")
@pytest.mark.parametrize("chunk_size", [100, 2048, None])
async def test_a_picture_goes_into_a_file_without_its_envelope(
    board: Board, tmp_path: Path, chunk_size: int | None
) -> None:
    picture = PICTURE[:20_000] if chunk_size == 100 else PICTURE
    steps: list[tuple[int, int | None]] = []
    into = msrp.IntoDirectory(
        tmp_path, len(picture), progress=lambda *step: steps.append(step)
    )
    active, log, policy, _ = await pair(board, into, chunk_size)
    await (await active.send_cpim(in_envelope(picture))).delivered()
    message = await received(log)
    assert message.path == tmp_path / "fire.jpg"
    assert message.path.read_bytes() == picture
    assert message.content_type == "image/jpeg"
    assert message.size == len(picture)
    assert message.filename == "fire.jpg"
    assert message.sender == ALICE.uri
    assert message.senders == (ALICE,)
    assert message.recipient == BOB.uri
    assert message.problem is None
    assert message.contents == b""
    (picture_event,) = log.of(msrp.AttachmentReceived)
    assert picture_event.path == message.path
    assert picture_event.content_type == "image/jpeg"
    assert picture_event.filename == "fire.jpg"
    assert (picture_event.sender, picture_event.recipient) == (ALICE.uri, BOB.uri)
    (about,) = policy.asked
    assert about.content_type == "image/jpeg"
    assert about.filename == "fire.jpg"
    assert about.size == len(picture)
    assert about.in_envelope
    assert (about.sender, about.recipients) == (ALICE.uri, (BOB.uri,))
    assert steps[-1] == (len(picture), len(picture))


async def test_a_picture_without_a_name_is_called_by_what_it_is(
    board: Board, tmp_path: Path
) -> None:
    active, log, policy, _ = await pair(board, msrp.IntoDirectory(tmp_path))
    sent = await active.send_cpim(in_envelope(disposition=None))
    message = await received(log)
    assert message.path == tmp_path / f"{sent.message_id}.jpg"
    assert (message.filename, policy.asked[0].filename) == (None, None)


async def test_a_writer_gets_the_content_in_order(board: Board) -> None:
    digest = hashlib.sha256()

    class Digest:
        def write(self, data: bytes) -> None:
            digest.update(data)

    active, log, _, _ = await pair(board, msrp.IntoWriter(Digest()), 2048)
    await (await active.send_cpim(in_envelope())).delivered()
    message = await received(log)
    assert digest.digest() == hashlib.sha256(PICTURE).digest()
    assert (message.size, message.path) == (len(PICTURE), None)
    assert message.sender == ALICE.uri


async def test_memory_gets_envelope_and_all(board: Board) -> None:
    steps: list[tuple[int, int | None]] = []
    into = msrp.InMemory(len(PICTURE), progress=lambda *step: steps.append(step))
    active, log, policy, _ = await pair(board, into)
    envelope = in_envelope()
    await (await active.send_cpim(envelope)).delivered()
    message = await received(log)
    assert message.content_type == CPIM
    assert message.contents == bytes(envelope)
    assert message.parts[0].content == PICTURE
    assert policy.asked[0].content_type == "image/jpeg"
    assert steps[-1] == (len(PICTURE), len(PICTURE))


@pytest.mark.rule("MSRP-93")
@pytest.mark.parametrize("kind", ["memory", "file"])
async def test_one_octet_more_than_the_limit_is_too_much(
    board: Board, tmp_path: Path, kind: str
) -> None:
    limit = len(PICTURE) - 1
    memory, file = msrp.InMemory(limit), msrp.IntoDirectory(tmp_path, limit)
    into: Decision = memory if kind == "memory" else file
    active, log, _, passive = await pair(board, into)
    with pytest.raises(msrp.RequestRefused) as refused:
        await (await active.send_cpim(in_envelope())).delivered()
    assert refused.value.code == 413
    await (await active.send_cpim(in_envelope(PICTURE[1:]))).delivered()
    assert (await received(log)).sender == ALICE.uri
    await passive.shutdown()
    assert len(os.listdir(tmp_path)) == (kind == "file")


@pytest.mark.rule("MSRP-69", "MSRP-91", "MSRP-93", "MSRP-94")
@pytest.mark.parametrize("code", [403, 413, 415])
@pytest.mark.parametrize("chunk_size", [50, None])
async def test_a_policy_refuses_by_what_is_in_it(
    board: Board, code: int, chunk_size: int | None
) -> None:
    active, log, policy, _ = await pair(board, msrp.Refuse(code), chunk_size)
    with pytest.raises(msrp.RequestRefused) as refused:
        await (await active.send_cpim(in_envelope(PICTURE[:9000]))).delivered()
    assert refused.value.code == code
    policy.decision = msrp.InMemory()
    await (await active.send_text("still there")).delivered()
    assert (await received(log)).text == "still there"
    assert [event.status_code for event in log.of(msrp.MessageRefused)] == [code]
    assert policy.asked[0].content_type == "image/jpeg"
    assert len(policy.asked) == 2


async def test_pictures_go_to_the_folder_and_texts_to_memory(
    board: Board, tmp_path: Path
) -> None:
    def where(about: msrp.Announcement) -> Decision:
        if about.content_type.startswith("image/"):
            return msrp.IntoDirectory(tmp_path)
        return msrp.InMemory()

    two, other = await board.pair(start=False)
    other.policy = where
    log = log_of(other)
    await other.start()
    await two.start()
    await (await two.send_cpim(in_envelope(b"Fire!", "text/plain", None))).delivered()
    assert (await received(log)).text == "Fire!"
    await (await two.send_cpim(in_envelope())).delivered()
    await board.until(lambda: len(log.of(msrp.MessageReceived)) == 2)
    assert (tmp_path / "fire.jpg").read_bytes() == PICTURE


async def test_a_text_without_headers_of_its_own_is_judged_at_its_end(
    board: Board,
) -> None:
    head = b"From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n"
    peer, log, uri, policy = await raw(board, msrp.InMemory())
    name = peer.request(uri, head + b"hello", content_type=CPIM)
    assert await peer.response_to(name) == 200
    assert (await received(log)).text == "hello"
    assert policy.asked[0].content_type == "text/plain"
    policy.decision = msrp.Refuse(415)
    name = peer.request(
        uri, head + b"hello", content_type=CPIM, message_id="another-one"
    )
    assert await peer.response_to(name) == 415
    await board.until(lambda: log.of(msrp.MessageRefused))


@pytest.mark.rule("NG-12")
async def test_in_the_networks_of_emergency_services_a_picture_is_a_picture(
    board: Board, tmp_path: Path
) -> None:
    emergency = msrp.Profile.EMERGENCY
    source = tmp_path / "crash.jpg"
    source.write_bytes(PICTURE)
    policy = Policy(msrp.IntoDirectory(tmp_path / "in"))
    async with (
        msrp.MsrpListener("127.0.0.1", 0, profile=emergency) as ours,
        msrp.MsrpListener("127.0.0.1", 0, profile=emergency) as theirs,
    ):
        offered = ours.offer()
        answered = theirs.answer(offered)
        assert answered is not None
        one = board.connection(offered, answered, is_incoming=False, listener=ours)
        two = board.connection(offered, answered, is_incoming=True, listener=theirs)
        two.policy = policy
        log = log_of(two)
        await two.start()
        await one.start()
        await (await one.send_file(source)).delivered()
        message = await received(log)
        await one.shutdown()
        await two.shutdown()
    assert message.cpim is not None
    assert message.path == tmp_path / "in" / "crash.jpg"
    assert message.path.read_bytes() == PICTURE
    assert [about.content_type for about in policy.asked] == ["image/jpeg"]


async def test_a_multipart_stays_one_file(board: Board, tmp_path: Path) -> None:
    active, log, _, _ = await pair(board, msrp.IntoDirectory(tmp_path))
    body = b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"
    envelope = in_envelope(body, "multipart/mixed;boundary=b", None)
    await (await active.send_cpim(envelope)).delivered()
    message = await received(log)
    assert message.path is not None
    assert message.path.read_bytes() == body
    assert message.content_type.startswith("multipart/mixed")
    assert message.sender == ALICE.uri


async def test_an_envelope_within_another_is_taken_off_too(
    board: Board, tmp_path: Path
) -> None:
    active, log, _, _ = await pair(board, msrp.IntoDirectory(tmp_path))
    inner = in_envelope()
    outer = CpimMessage.build(CPIM, bytes(inner), sender="im:room@x", to=[str(BOB)])
    await (await active.send_cpim(outer)).delivered()
    message = await received(log)
    assert message.path == tmp_path / "fire.jpg"
    assert message.path.read_bytes() == PICTURE
    assert [each.uri for each in message.senders] == ["im:room@x", ALICE.uri]


async def test_empty_content_is_a_file(board: Board, tmp_path: Path) -> None:
    active, log, _, _ = await pair(board, msrp.IntoDirectory(tmp_path))
    await (await active.send_cpim(in_envelope(b""))).delivered()
    message = await received(log)
    assert message.path is not None
    assert message.path.read_bytes() == b""
    assert [event.path for event in log.of(msrp.AttachmentReceived)] == [message.path]


# Envelopes that can't be opened.


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        pytest.param(
            b"From: <im:a@b>\r\nSubject: " + b"x" * 20_000,
            "the head of an envelope is too long",
            id="too-long",
        ),
        pytest.param(
            b"what\r\n\r\nwhat\r\n\r\nwhat", "message/cpim can't be read", id="no-cpim"
        ),
        pytest.param(
            b"From: <im:a@b>\r\n\r\nContent-Type: image/png\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nAAAA",
            "the content of an envelope is encoded",
            id="encoded",
        ),
        pytest.param(
            bytes(in_envelope(b"secret", require=["N.Seal"])),
            "message/cpim requires something",
            id="required",
        ),
    ],
)
async def test_what_can_t_be_opened_is_stored_as_it_is(
    board: Board, tmp_path: Path, body: bytes, problem: str
) -> None:
    peer, log, uri, policy = await raw(board, msrp.IntoDirectory(tmp_path))
    name = peer.request(uri, body, content_type=CPIM)
    assert await peer.response_to(name) == 200
    message = await received(log)
    assert message.path is not None
    assert message.path.read_bytes() == body
    assert (message.content_type, message.size) == (CPIM, len(body))
    assert message.problem is not None
    assert message.problem.startswith(problem)
    assert [(a.content_type, a.in_envelope) for a in policy.asked] == [(CPIM, False)]
    assert bool(message.cpim) is ("From: " in body.decode() and len(body) < 9_999)


# Octets in another order, as a raw peer may send them.


async def raw(board: Board, decision: Decision) -> tuple[RawPeer, Log, object, Policy]:
    listener = await board.listener()
    waiting = board.waiting(listener, accept_types=("message/cpim",))
    policy = waiting.policy = Policy(decision)
    log = log_of(waiting)
    await waiting.start()
    peer = await board.raw(listener.port)
    uri = waiting.negotiated.local_uri
    await peer.bind(uri)
    return peer, log, uri, policy


async def send(
    peer: RawPeer, uri: object, data: bytes, start: int, stop: int, flag: object
) -> int | None:
    """Send the octets of a message from one place to another."""
    assert isinstance(flag, ContinuationFlag)
    stop = min(stop, len(data))
    name = peer.request(
        uri,
        data[start:stop],
        content_type=CPIM,
        flag=flag,
        fields=(("Byte-Range", f"{start + 1}-{stop}/{len(data)}"),),
    )
    return await peer.response_to(name)


@pytest.mark.rule("MSRP-63", "MSRP-64")
@pytest.mark.parametrize("size", [64, 5000])
@pytest.mark.parametrize("kind", ["file", "writer", "memory"])
async def test_chunks_come_in_any_order_and_overlap(
    board: Board, tmp_path: Path, kind: str, size: int
) -> None:
    writer = io.BytesIO()
    decisions: dict[str, Decision] = {
        "file": msrp.IntoDirectory(tmp_path),
        "writer": msrp.IntoWriter(writer),
        "memory": msrp.InMemory(),
    }
    peer, log, uri, policy = await raw(board, decisions[kind])
    content = PICTURE[: 10 * size]
    data = bytes(in_envelope(content))
    places = list(range(0, len(data), size))
    for at in [*reversed(places), places[1], 0]:
        flag = END if at == places[-1] else MORE
        answer = await send(peer, uri, data, at, at + size + 10, flag)
        assert answer == 200
    message = await received(log)
    stored = message.path.read_bytes() if message.path else writer.getvalue()
    if message.parts:
        stored = message.parts[0].content
    assert stored == content
    assert [about.content_type for about in policy.asked] == ["image/jpeg"]
    assert message.filename == "fire.jpg"


async def test_a_head_that_doesn_t_come_is_not_awaited_for_ever(
    board: Board, tmp_path: Path
) -> None:
    peer, log, uri, policy = await raw(board, msrp.IntoDirectory(tmp_path, name="x"))
    data = bytes(in_envelope(bytes(2 * MAX_WAITING)))
    middle = MAX_ENVELOPE
    while not policy.asked:
        assert middle < len(data)
        assert await send(peer, uri, data, middle, middle + 30_000, MORE) == 200
        middle += 30_000
    assert await send(peer, uri, data, 0, MAX_ENVELOPE, MORE) == 200
    assert await send(peer, uri, data, middle, len(data), END) == 200
    message = await received(log)
    assert message.path is not None
    assert message.path.read_bytes() == data
    assert message.problem == "the head of the envelope came too late"
    assert policy.asked[0].content_type == CPIM


@pytest.mark.rule("MSRP-66")
@pytest.mark.parametrize("kind", ["file", "memory", "head"])
async def test_what_there_was_before_an_abort_is_told(
    board: Board, tmp_path: Path, kind: str
) -> None:
    into: Decision = msrp.IntoDirectory(tmp_path)
    if kind == "memory":
        into = msrp.InMemory()
    peer, log, uri, policy = await raw(board, into)
    data = bytes(in_envelope(PICTURE[:3000]))
    stop = 40 if kind == "head" else 2000
    assert await send(peer, uri, data, 0, stop, MORE) == 200
    assert await send(peer, uri, data, stop, stop, ContinuationFlag.ABORT) == 200
    await board.until(lambda: log.of(msrp.IncompleteMessage))
    (event,) = log.of(msrp.IncompleteMessage)
    if kind != "file":
        assert event.store is None
        assert event.ranges == ((0, data[:stop]),)
        assert event.content_type == CPIM
        assert len(policy.asked) == (kind == "memory")
        return
    assert isinstance(event.store, FileSink)
    assert event.content_type == "image/jpeg"
    await event.store.wait_closed()
    assert event.store.path is not None
    head = len(data) - 3000
    assert event.store.path.read_bytes() == PICTURE[: stop - head]


async def test_what_was_incomplete_at_the_end_is_told_with_it(
    board: Board, tmp_path: Path
) -> None:
    listener = await board.listener()
    waiting = board.waiting(listener, accept_types=("message/cpim",))
    waiting.policy = Policy(msrp.IntoDirectory(tmp_path))
    await waiting.start()
    peer = await board.raw(listener.port)
    uri = waiting.negotiated.local_uri
    await peer.bind(uri)
    assert await send(peer, uri, bytes(in_envelope()), 0, 2000, MORE) == 200
    peer.reset()
    closed = await waiting.closed()
    (event,) = closed.incomplete
    assert isinstance(event.store, FileSink)
    assert event.content_type == "image/jpeg"


# What goes along with a session.


@pytest.mark.rule("IMDN-2", "IMDN-5")
async def test_what_an_envelope_asks_is_answered(board: Board, tmp_path: Path) -> None:
    active, log, _, passive = await pair(board, msrp.IntoDirectory(tmp_path))
    active.local_address = passive.remote_address = ALICE
    passive.local_address = active.remote_address = BOB
    active.request_notifications = {
        msrp.Disposition.POSITIVE_DELIVERY,
        msrp.Disposition.DISPLAY,
    }
    path = tmp_path / "source" / "a.png"
    path.parent.mkdir()
    path.write_bytes(PICTURE)
    sent = await active.send_file(path)
    delivered = await sent.notified()
    assert delivered.status is msrp.DispositionStatus.DELIVERED
    await board.until(lambda: log.of(msrp.AttachmentReceived))
    (picture,) = log.of(msrp.AttachmentReceived)
    assert picture.path is not None
    assert picture.path.read_bytes() == PICTURE
    assert await passive.displayed(picture)
    async with asyncio.timeout(5):
        seen = await sent.notified(msrp.DispositionType.DISPLAY)
    assert seen.status is msrp.DispositionStatus.DISPLAYED


@pytest.mark.parametrize("kind", ["file", "memory"])
async def test_a_record_has_the_octets_that_went_over_the_wire(
    board: Board, tmp_path: Path, kind: str
) -> None:
    into = msrp.IntoDirectory(tmp_path) if kind == "file" else msrp.InMemory(9000)
    active, log, _, passive = await pair(board, into)
    heard: list[MessageRecord] = []
    tap = passive.add_tap(heard.append)
    envelope = in_envelope(PICTURE[:9000])
    await (await active.send_cpim(envelope)).delivered()
    await received(log)
    await board.until(lambda: heard)
    assert await tap.drained()
    (record,) = heard
    assert record.size == len(bytes(envelope))
    assert record.content_type == CPIM
    assert record.sender == ALICE.uri
    assert record.outcome is Outcome.ARRIVED
    assert record.handed_over is not None


@pytest.mark.rule("TYP-1")
async def test_who_types_in_an_envelope_asks_no_policy(
    board: Board, tmp_path: Path
) -> None:
    active, _, policy, passive = await pair(board, msrp.IntoDirectory(tmp_path))
    document = (
        b'<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">'
        b"<state>active</state></isComposing>"
    )
    typing = in_envelope(document, "application/im-iscomposing+xml", None)
    await (await active.send_cpim(typing)).delivered()
    await board.until(lambda: passive.peer_is_composing)
    assert policy.asked == []
    assert os.listdir(tmp_path) == []
