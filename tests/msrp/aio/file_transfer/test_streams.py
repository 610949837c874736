"""The streams of files, as a call drives them."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import msrp
import sip
from msrp.aio.file_transfer.answering import AnsweringStream
from msrp.file_transfer import Direction, new_transfer_id, push_offer, refusal_of
from msrp.negotiation import MediaDescription
from sdp import with_direction
from tests.msrp.sections import plain, without

if TYPE_CHECKING:
    from tests.msrp.aio.conftest import Board, RawPeer

DATA = bytes(range(256)) * 400
SHA1 = hashlib.sha1(DATA).digest()
BY_HASH = msrp.FileSelector(hashes=(msrp.FileHash.sha1(SHA1),))


class Scene:
    """Two sides; the second one answers."""

    def __init__(self, board: Board, directory: Path) -> None:
        self.board = board
        self.downloads = directory / "downloads"
        self.path = directory / "data.bin"
        self.path.write_bytes(DATA)
        self.decision: msrp.FileDecision = msrp.SaveFile(self.downloads)
        self.offers: list[msrp.FileDescription] = []
        self.transfers: list[msrp.FileTransfer] = []
        self.ours: msrp.MsrpListener
        self.theirs: msrp.MsrpListener
        self.answerer: msrp.FileAnswerer

    async def set_up(self) -> Scene:
        self.ours = await self.board.listener()
        self.theirs = await self.board.listener()
        self.answerer = msrp.FileAnswerer(
            self.theirs, self.decide, on_transfer=self.transfers.append
        )
        self.board._stack.push_async_callback(self.answerer.stop)
        return self

    def decide(self, offer: msrp.FileDescription) -> msrp.FileDecision:
        self.offers.append(offer)
        return self.decision

    def push(
        self,
        *,
        start: int = 0,
        with_hash: bool = True,
        stall_timeout: float = 10.0,
        progress: Callable[[int, int | None], None] | None = None,
    ) -> msrp.FilePush:
        push = msrp.FilePush(
            self.ours,
            self.path,
            start=start,
            with_hash=with_hash,
            stall_timeout=stall_timeout,
            progress=progress,
        )
        self.board._stack.push_async_callback(push.stop)
        return push

    def pull(self, selector: msrp.FileSelector = BY_HASH) -> msrp.FilePull:
        pull = msrp.FilePull(self.ours, selector, self.downloads)
        self.board._stack.push_async_callback(pull.stop)
        return pull

    async def agree(
        self,
        medium: msrp.FilePush | msrp.FilePull,
        change: Callable[[MediaDescription], MediaDescription] = lambda m: m,
    ) -> AnsweringStream:
        """Do what a call does with its media; ``change`` the answer on its way."""
        offered = await medium.offer()
        stream = self.answerer.another()
        answered = await stream.answer(offered)
        assert answered is not None
        assert not answered.is_rejected, stream.refusal
        await stream.start(offered, answered, False)
        await medium.start(offered, change(answered), True)
        return stream

    async def refusal(self, offered: MediaDescription) -> str:
        """Return why an offer was refused."""
        stream = self.answerer.another()
        assert await stream.answer(offered) == refusal_of(offered)
        assert stream.refusal == self.answerer.refusal
        return str(self.answerer.refusal)


@pytest.fixture
async def scene(board: Board, tmp_path: Path) -> Scene:
    return await Scene(board, tmp_path).set_up()


async def soon(medium: msrp.FilePush | msrp.FilePull) -> msrp.FileTransferred:
    async with asyncio.timeout(10):
        return await medium.finished()


async def failure(
    medium: msrp.FilePush | msrp.FilePull | msrp.FileTransfer,
) -> msrp.FileTransferFailed:
    with pytest.raises(msrp.FileTransferFailed) as caught:
        async with asyncio.timeout(10):
            await medium.finished()
    return caught.value


async def test_they_are_what_sip_asks_for(scene: Scene) -> None:
    for medium in (scene.push(), scene.pull(), scene.answerer.another()):
        assert isinstance(medium, sip.RenegotiatingMedia)
        assert isinstance(medium, sip.ExplainingMedia)
        assert isinstance(medium, sip.IntroducedMedia)
        assert isinstance(medium, sip.DirectedMedia)
        assert isinstance(medium, sip.LeavingMedia)
        assert isinstance(medium, sip.AccompaniedMedia)
    assert isinstance(scene.answerer, sip.MultipleMedia)
    with pytest.raises(msrp.LocalProtocolError):
        await scene.answerer.offer()
    assert await scene.answerer.answer(plain()) is None
    assert await scene.push().answer(plain()) is None


@pytest.mark.rule("FT-8", "FT-9")
@pytest.mark.parametrize("way", ["push", "pull"])
async def test_a_file_goes_one_way(scene: Scene, way: str) -> None:
    progress: list[tuple[int, int | None]] = []
    medium: msrp.FilePush | msrp.FilePull
    if way == "push":
        medium = scene.push(progress=lambda *args: progress.append(args))
    else:
        scene.decision = msrp.ServeFile(
            scene.path, progress=lambda *args: progress.append(args)
        )
        medium = scene.pull()
    stream = await scene.agree(medium)
    sent = await soon(medium)
    (transfer,) = scene.transfers
    received = await transfer.finished()
    for side in (sent, received):
        assert (side.size, side.sha1) == (len(DATA), SHA1)
    assert medium.direction is stream.direction.reversed
    assert (scene.downloads / "data.bin").read_bytes() == DATA
    await scene.board.until(lambda: progress and progress[-1][0] == len(DATA))
    await scene.board.until(lambda: medium.wants_offer or stream.wants_offer)


@pytest.mark.rule("FT-9")
async def test_the_rest_of_a_file_that_is_all_there_is_nothing(scene: Scene) -> None:
    scene.downloads.mkdir()
    (scene.downloads / f".{SHA1.hex()}.part").write_bytes(DATA)
    scene.decision = msrp.ServeFile(scene.path)
    pull = scene.pull()
    await scene.agree(pull)
    assert (await soon(pull)).is_verified
    assert scene.offers[0].range == msrp.FileRange(len(DATA))


@pytest.mark.rule("FT-9")
async def test_a_peer_that_ignores_the_range_sends_the_whole(scene: Scene) -> None:
    scene.downloads.mkdir()
    (scene.downloads / f".{SHA1.hex()}.part").write_bytes(b"nothing of that file")
    scene.decision = msrp.ServeFile(scene.path)
    pull = scene.pull()
    offered = await pull.offer()
    plainly = without(offered, "file-range")
    stream = scene.answerer.another()
    answered = await stream.answer(plainly)
    assert answered is not None
    await stream.start(plainly, answered, False)
    await pull.start(offered, answered, True)
    assert (await soon(pull)).is_verified


@pytest.mark.rule("FT-9", "FT-14")
async def test_a_part_in_the_middle_is_given_to_who_asks_for_it(scene: Scene) -> None:
    scene.decision = msrp.ServeFile(scene.path)
    pull = scene.pull()
    await pull.offer()
    assert pull._words is not None
    pull._words = replace(pull._words, range=msrp.FileRange(10, 100))
    offered = await pull.offer()
    stream = scene.answerer.another()
    answered = await stream.answer(offered)
    assert answered is not None
    assert answered.first("file-range") == "11-100"
    plainly = scene.board.connection(
        offered, answered, is_incoming=False, listener=scene.ours
    )
    await stream.start(offered, answered, False)
    await plainly.start()
    message = await anext(plainly)
    assert message.contents == DATA[10:100]
    assert message.filename == "data.bin"
    await scene.transfers[0].finished()


@pytest.mark.rule("FT-8")
async def test_a_part_whose_beginning_isn_t_here_is_refused(scene: Scene) -> None:
    offered = await scene.push(start=10).offer()
    assert "goes before" in await scene.refusal(offered)


@pytest.mark.rule("FT-8")
async def test_a_part_that_doesn_t_reach_the_end_is_refused(scene: Scene) -> None:
    push = scene.push()
    await push.offer()
    assert push._words is not None
    push._words = replace(push._words, range=msrp.FileRange(0, 10))
    assert "missing" in await scene.refusal(await push.offer())


async def test_a_file_without_a_hash_is_sent_but_not_verified(scene: Scene) -> None:
    push = scene.push(with_hash=False)
    await scene.agree(push)
    assert (await soon(push)).sha1 is None
    received = await scene.transfers[0].finished()
    assert received.sha1 == SHA1
    assert not received.is_verified


@pytest.mark.rule("FT-10")
@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (msrp.RefuseFile("no room"), "no room"),
        (msrp.ServeFile("x"), "what was decided is for the other direction"),
        (msrp.SaveFile("x", max_size=10), "it has more than 10 octets"),
    ],
)
async def test_a_push_is_refused(
    scene: Scene, decision: msrp.FileDecision, why: str
) -> None:
    scene.decision = decision
    assert await scene.refusal(await scene.push().offer()) == why


@pytest.mark.rule("FT-10", "FT-9")
@pytest.mark.parametrize(
    ("decision", "why"),
    [
        (msrp.RefuseFile(), "it isn't wanted"),
        (msrp.SaveFile("x"), "what was decided is for the other direction"),
        (msrp.ServeFile("/nowhere"), "No such file or directory"),
        (msrp.ServeFile(__file__), "the file has another hash than is asked for"),
    ],
)
async def test_a_pull_is_refused(
    scene: Scene, decision: msrp.FileDecision, why: str
) -> None:
    scene.decision = decision
    assert await scene.refusal(await scene.pull().offer()) == why


@pytest.mark.rule("FT-10")
async def test_a_decision_that_fails_is_a_refusal(scene: Scene) -> None:
    def fail(offer: msrp.FileDescription) -> msrp.FileDecision:
        raise RuntimeError("a bug")

    scene.answerer.decide = fail
    offered = await scene.push().offer()
    assert await scene.refusal(offered) == "nobody could decide about it"
    (problem,) = scene.board.take_problems()
    assert isinstance(problem["exception"], RuntimeError)


async def test_a_decision_may_take_its_time(scene: Scene) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def ask(offer: msrp.FileDescription) -> msrp.FileDecision:
        asked.set()
        await go_on.wait()
        return scene.decision

    scene.answerer.decide = ask
    push = scene.push()
    agreeing = asyncio.create_task(scene.agree(push))
    await asked.wait()
    go_on.set()
    await agreeing
    await soon(push)


@pytest.mark.rule("FT-1", "FT-10")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda m: without(m, "file-transfer-id"), "no file-transfer-id"),
        (lambda m: with_direction(m, Direction.INACTIVE), "neither that it sends"),
    ],
)
async def test_an_offer_that_says_too_little_is_refused(
    scene: Scene, change: Callable[[MediaDescription], MediaDescription], why: str
) -> None:
    assert why in await scene.refusal(change(await scene.push().offer()))


@pytest.mark.rule("FT-16")
async def test_what_is_about_no_file_is_left_to_others(scene: Scene) -> None:
    offered = without(await scene.push().offer(), "file-selector")
    assert await scene.answerer.another().answer(offered) is None


@pytest.mark.rule("FT-5", "FT-6")
async def test_a_transfer_that_was_before_is_not_begun_again(scene: Scene) -> None:
    push = scene.push()
    await scene.agree(push)
    await soon(push)
    assert push._said is not None
    assert await scene.refusal(push._said) == "this transfer was before"
    assert len(scene.offers) == 1


@pytest.mark.rule("FT-5")
async def test_there_is_an_end_to_transfers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene.answerer._seen, "_limit", 1)
    await scene.agree(scene.push())
    offered = await scene.push().offer()
    assert "too many" in await scene.refusal(offered)


# Later offers in the same line.


@pytest.mark.rule("FT-6")
@pytest.mark.parametrize("same_file", [True, False], ids=["same-file", "other-file"])
async def test_another_id_aborts_and_begins_again(
    scene: Scene, same_file: bool
) -> None:
    first = scene.push(progress=None)
    scene.path.write_bytes(DATA * 100)
    stream = await scene.agree(first)
    await scene.board.until(lambda: scene.transfers[0].transferred)
    if not same_file:
        scene.path = scene.path.with_name("other.bin")
        scene.path.write_bytes(DATA[::-1])
    second = scene.push()
    offered = await second.offer()
    answered = await stream.reanswer(offered)
    assert answered is not None
    await stream.follow(offered, answered, False)
    await second.start(offered, answered, True)
    error = await failure(scene.transfers[0])
    assert isinstance(error, msrp.FileTransferAborted)
    await soon(second)
    received = await scene.transfers[1].finished()
    assert received.path.name == scene.path.name
    assert received.path.read_bytes() == scene.path.read_bytes()
    assert isinstance(await failure(first), msrp.FileTransferAborted)
    await stream.stop()
    assert scene.answerer._streams == {}


@pytest.mark.rule("FT-6")
async def test_an_offer_that_comes_to_nothing_leaves_the_transfer(scene: Scene) -> None:
    first = scene.push()
    stream = await scene.agree(first)
    answered = await stream.reanswer(await scene.push().offer())
    assert answered is not None
    stream.keep()
    assert first._said is not None
    again = await stream.reanswer(first._said)
    assert again is not None
    await stream.follow(first._said, again, False)
    await soon(first)
    assert (await scene.transfers[0].finished()).is_verified
    assert len(scene.transfers) == 1


@pytest.mark.rule("FT-6")
async def test_the_same_again_changes_nothing_and_another_file_is_an_error(
    scene: Scene,
) -> None:
    push = scene.push()
    stream = await scene.agree(push)
    said, words = push._said, push._words
    assert said is not None
    assert words is not None
    again = await stream.reanswer(said)
    assert again is not None
    assert again.port != 0
    assert again.has("recvonly")
    held = with_direction(said, Direction.INACTIVE)
    answered = await stream.reanswer(held)
    assert answered is not None
    assert answered.has("inactive")
    other = replace(words, selector=msrp.FileSelector("other", 1)).write(said)
    refused = await stream.reanswer(other)
    assert refused == refusal_of(other)
    assert stream.refusal == "it is another file in the same transfer"
    # Whoever knows nothing of files says nothing of them.
    plainly = without(said, "file-selector")
    answered = await stream.reanswer(plainly)
    assert answered is not None
    assert answered.first("file-transfer-id") == words.transfer_id
    broken = without(said, "file-transfer-id")
    assert await stream.reanswer(broken) == refusal_of(broken)
    await soon(push)


@pytest.mark.rule("FT-6", "FT-13")
async def test_the_peer_may_not_send_a_file_in_the_line_of_ours(scene: Scene) -> None:
    push = scene.push()
    await scene.agree(push)
    described = msrp.FileDescription(
        selector=BY_HASH,
        transfer_id=new_transfer_id(),
        direction=Direction.SENDONLY,
    )
    offered = push_offer(scene.theirs.offer(), described)
    assert await push.reanswer(offered) == refusal_of(offered)
    assert push.refusal == "the peer may not send another file here"
    await soon(push)


# What can go wrong with what is ours.


async def test_a_file_that_isn_t_there_can_t_be_offered(scene: Scene) -> None:
    scene.path.unlink()
    with pytest.raises(msrp.FileUnreadable):
        await scene.push().offer()


async def test_there_must_be_something_to_go_on_with(scene: Scene) -> None:
    with pytest.raises(msrp.FileTransferFailed, match="no such octets"):
        await scene.push(start=len(DATA) + 1).offer()


async def test_a_file_that_has_changed_since_is_not_sent(scene: Scene) -> None:
    push = scene.push()
    await push.offer()
    scene.path.write_bytes(b"changed")
    await scene.agree(push)
    assert "has changed" in str(await failure(push))


@pytest.mark.rule("FT-14")
async def test_what_is_larger_than_the_peer_takes_is_not_sent(scene: Scene) -> None:
    push = scene.push()
    await scene.agree(
        push,
        lambda answered: replace(
            answered,
            attributes=(*answered.attributes, *plain("max-size:100").attributes[-1:]),
        ),
    )
    error = await failure(push)
    assert "takes no message of more than 100 octets" in str(error)
    assert error.path == scene.path


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda w: replace(w, transfer_id="x"), "it answers to another transfer"),
        (lambda w: replace(w, selector=msrp.FileSelector(size=1)), "it wants another"),
        (lambda w: replace(w, range=msrp.FileRange(5)), "another part of the file"),
    ],
)
@pytest.mark.parametrize("way", ["push", "pull"])
async def test_an_answer_about_something_else_is_none(
    scene: Scene,
    change: Callable[[msrp.FileDescription], msrp.FileDescription],
    why: str,
    way: str,
) -> None:
    medium: msrp.FilePush | msrp.FilePull
    if way == "push":
        medium = scene.push()
    else:
        scene.decision = msrp.ServeFile(scene.path)
        medium = scene.pull(replace(BY_HASH, size=len(DATA)))

    def changed(answered: MediaDescription) -> MediaDescription:
        return change(msrp.FileDescription.read(answered)).write(answered)

    if "part" in why and way == "push":
        return  # Nothing was said of a range, and so nothing of it counts.
    await scene.agree(medium, changed)
    error = await failure(medium)
    assert isinstance(error, msrp.FileRefused)
    await scene.board.until(lambda: medium.wants_offer)


async def test_an_answer_that_can_t_be_understood_is_none(scene: Scene) -> None:
    push = scene.push()
    await scene.agree(push, lambda answered: without(answered, "file-transfer-id"))
    assert "can't be understood" in str(await failure(push))


@pytest.mark.parametrize("when", ["before-the-offer", "after-the-offer"])
async def test_what_nobody_takes_is_told(scene: Scene, when: str) -> None:
    push = scene.push()
    waiting = asyncio.create_task(push.finished())
    await asyncio.sleep(0)
    if when == "after-the-offer":
        await push.offer()
    await push.stop()
    with pytest.raises(msrp.FileRefused, match="did not take it"):
        await waiting


async def test_what_is_cancelled_early_never_begins(scene: Scene) -> None:
    push = scene.push()
    push.cancel()
    assert isinstance(await failure(push), msrp.FileTransferAborted)
    await scene.agree(push)
    await scene.board.until(lambda: push.wants_offer)


async def test_a_directory_that_can_t_be_written_is_told(scene: Scene) -> None:
    scene.downloads.write_text("a file")
    scene.decision = msrp.ServeFile(scene.path)
    pull = scene.pull()
    await scene.agree(pull)
    assert "File exists" in str(await failure(pull))


async def test_a_session_that_can_t_begin_leaves_no_file_open(scene: Scene) -> None:
    scene.decision = msrp.ServeFile(scene.path)
    pull = scene.pull()
    with pytest.raises(msrp.NegotiationError):
        await scene.agree(pull, lambda answered: without(answered, "path"))
    await pull.stop()
    assert isinstance(await failure(pull), msrp.FileRefused)
    assert list(scene.downloads.iterdir()) == []


async def test_a_file_is_larger_than_any_that_is_taken(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msrp.aio.file_transfer.answering.MAX_SIZE", 100)
    offered = await scene.push().offer()
    assert await scene.refusal(offered) == "it has more than 100 octets"


async def test_waiting_may_be_cancelled_and_the_file_still_comes(scene: Scene) -> None:
    push = scene.push()
    waiting = asyncio.create_task(push.finished())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await scene.agree(push)
    await soon(push)


@pytest.mark.rule("FT-12")
async def test_a_receiver_that_takes_nothing_is_not_waited_for(scene: Scene) -> None:
    silent = asyncio.Event()

    async def say_nothing(peer: RawPeer) -> None:
        await silent.wait()

    port = await scene.board.raw_server(say_nothing)
    push = scene.push(stall_timeout=0.05)
    offered = await push.offer()
    uri = msrp.MsrpUri("msrp", "127.0.0.1", port, "rawpeer")
    answered = msrp.answer_media(offered, uri, direction="recvonly")
    assert answered is not None
    await push.start(offered, answered, True)
    error = await failure(push)
    assert isinstance(error, msrp.FileTransferAborted)
    assert error.problem == "nothing has moved for 0.05 s"
    silent.set()
