"""Files that are pushed and pulled in calls, over real sockets (XT-6)."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import pytest_asyncio

import msrp
import sdp
import sip
from msrp.aio.file_transfer.answering import AnsweringStream
from msrp.testing import Ending, FlakyProxy, Plan
from sip.aio import IncomingCall
from tests.msrp.sections import moved

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5, randbelow=lambda n: n // 20)
PICTURE = random.Random(5547).randbytes(300_000)


@dataclass
class Side:
    """One user agent, with a port for messages and what it does with files."""

    agent: sip.UserAgent
    listener: msrp.MsrpListener
    directory: Path
    calls: list[sip.Call] = field(default_factory=list)
    offers: list[msrp.FileDescription] = field(default_factory=list)
    transfers: list[msrp.FileTransfer] = field(default_factory=list)
    chats: list[msrp.MsrpMedia] = field(default_factory=list)
    wire: list[bytes] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"sip:bob@127.0.0.1:{self.agent.listening[0].port};transport=tcp"

    @property
    def shared(self) -> Path:
        return self.directory / "shared"

    @property
    def downloads(self) -> Path:
        return self.directory / "downloads"

    def file(self, name: str = "picture.jpg", data: bytes = PICTURE) -> Path:
        self.shared.mkdir(exist_ok=True)
        path = self.shared / name
        path.write_bytes(data)
        return path

    def push(self, path: Path, **more: object) -> msrp.FilePush:
        return msrp.FilePush(self.listener, path, **more)  # type: ignore[arg-type]

    async def decide(self, offer: msrp.FileDescription) -> msrp.FileDecision:
        self.offers.append(offer)
        if offer.is_push:
            return msrp.SaveFile(self.downloads)
        found = await msrp.SharedFiles(self.shared).find(offer.selector)
        return msrp.ServeFile(found[0]) if len(found) == 1 else msrp.RefuseFile()

    def answerer(self) -> msrp.FileAnswerer:
        return msrp.FileAnswerer(
            self.listener, self.decide, on_transfer=self.transfers.append
        )

    def chat(self) -> msrp.MsrpMedia:
        self.chats.append(msrp.MsrpMedia(self.listener))
        return self.chats[-1]

    def answer_with(self, *media: sip.Media) -> None:
        @self.agent.on_invite
        async def ring(call: IncomingCall) -> None:
            self.calls.append(call)
            await call.answer(media)

    def saved(self) -> list[str]:
        return sorted(p.name for p in self.downloads.iterdir())


@pytest_asyncio.fixture
async def sides(tmp_path: Path) -> AsyncIterator[tuple[Side, Side]]:
    """Give Alice, who calls, and Bob, who answers with files and messages."""
    async with AsyncExitStack() as stack:

        async def side(name: str) -> Side:
            wire: list[bytes] = []
            listener = await stack.enter_async_context(
                msrp.MsrpListener("127.0.0.1", 0)
            )
            listener.add_wire_tap(
                lambda record: wire.append(record.octets), max_waiting=100_000
            )
            agent = await stack.enter_async_context(
                sip.UserAgent(
                    f"sip:{name}@127.0.0.1", listen=["tcp://127.0.0.1:0"], timers=QUICK
                )
            )
            (tmp_path / name).mkdir()
            return Side(agent, listener, tmp_path / name, wire=wire)

        alice, bob = await side("alice"), await side("bob")
        bob.answer_with(bob.answerer(), bob.chat())
        yield alice, bob


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


@pytest.mark.rule("XT-6", "FT-7", "FT-8", "FT-13")
async def test_a_file_is_pushed(sides: tuple[Side, Side]) -> None:
    alice, bob = sides
    push = alice.push(alice.file())
    call = await alice.agent.invite(bob.uri, media=[push])
    sent = await asyncio.wait_for(push.finished(), 10)
    assert sent.size == len(PICTURE)
    await until(lambda: bob.transfers)
    received = await asyncio.wait_for(bob.transfers[0].finished(), 10)
    assert received.is_verified
    assert received.path == bob.downloads / "picture.jpg"
    assert received.path.read_bytes() == PICTURE
    await until(lambda: not call.media)
    await call.bye()


def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data).digest()


def by_hash(data: bytes = PICTURE) -> msrp.FileSelector:
    return msrp.FileSelector(hashes=(msrp.FileHash.sha1(sha1(data)),))


async def soon(finished: Awaitable[msrp.FileTransferred]) -> msrp.FileTransferred:
    async with asyncio.timeout(10):
        return await finished


async def failure(finished: Awaitable[object]) -> msrp.FileTransferFailed:
    with pytest.raises(msrp.FileTransferFailed) as caught:
        async with asyncio.timeout(10):
            await finished
    return caught.value


def last_lines(side: Side) -> list[bytes]:
    return [octets.rstrip().rpartition(b"\r\n")[2] for octets in side.wire]


def is_aborted(side: Side) -> bool:
    return any(line.endswith(b"#") for line in last_lines(side))


def is_refused(side: Side) -> bool:
    return any(octets.split(b" ", 3)[2:3] == [b"413"] for octets in side.wire)


def ids(description: sdp.SessionDescription | None) -> list[tuple[int, str | None]]:
    assert description is not None
    return [(m.port, m.first("file-transfer-id")) for m in description.media]


@pytest.mark.rule("XT-6", "FT-9", "FT-11")
async def test_a_file_is_pulled_by_its_hash_beside_a_chat(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    bob.file("other.jpg", b"something else")
    bob.file()
    call = await alice.agent.invite(bob.uri, media=[alice.chat()])
    pull = msrp.FilePull(alice.listener, by_hash(), alice.downloads)
    await call.change([*call.media, pull], timeout=5)
    received = await soon(pull.finished())
    assert received.is_verified
    assert received.path.read_bytes() == PICTURE
    assert received.path.name == "picture.jpg"
    assert (await soon(bob.transfers[0].finished())).path == bob.shared / "picture.jpg"
    # The file has its own line, which is taken out, and the messages go on.
    await until(lambda: len(call.media) == 1)
    assert ids(call.local_description)[1][0] == 0
    await (await alice.chats[0].connection.send_text("thanks")).delivered()
    await call.bye()


@pytest.mark.rule("FT-9", "FT-10")
@pytest.mark.parametrize("matching", [0, 2], ids=["no-file", "two-files"])
async def test_a_pull_that_means_no_single_file_is_refused(
    sides: tuple[Side, Side], matching: int
) -> None:
    alice, bob = sides
    for number in range(matching):
        bob.file(f"{number}.jpg")
    call = await alice.agent.invite(bob.uri, media=[alice.chat()])
    selector = msrp.FileSelector(type=msrp.ContentType.parse("image/jpeg"))
    pull = msrp.FilePull(alice.listener, selector, alice.downloads)
    await call.change([*call.media, pull], timeout=5)
    error = await failure(pull.finished())
    assert isinstance(error, msrp.FileRefused)
    # The refusal says which file and which transfer it is about.
    assert call.remote_description is not None
    refused, offered = call.remote_description.media[1], bob.offers[0]
    assert refused.port == 0
    assert refused.first("file-transfer-id") == offered.transfer_id
    assert refused.first("file-selector") == "type:image/jpeg"
    await call.bye()


@pytest.mark.rule("FT-10")
async def test_a_sole_stream_that_is_refused_refuses_the_call(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    bob.answer_with(
        msrp.FileAnswerer(bob.listener, lambda offer: msrp.RefuseFile("no room")),
        bob.chat(),
    )
    push = alice.push(alice.file())
    with pytest.raises(sip.CallRefused) as caught:
        await alice.agent.invite(bob.uri, media=[push])
    assert caught.value.status == 488
    assert isinstance(await failure(push.finished()), msrp.FileRefused)


@pytest.mark.rule("FT-7", "FT-10")
async def test_several_files_have_a_line_each_and_are_decided_one_by_one(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides

    def decide(offer: msrp.FileDescription) -> msrp.FileDecision:
        if offer.filename == "b.txt":
            return msrp.RefuseFile()
        return msrp.SaveFile(bob.downloads)

    bob.answer_with(msrp.FileAnswerer(bob.listener, decide), bob.chat())
    pushes = [alice.push(alice.file(f"{n}.txt", n.encode() * 9)) for n in "abc"]
    call = await alice.agent.invite(bob.uri, media=[alice.chat(), *pushes])
    for push in (pushes[0], pushes[2]):
        await soon(push.finished())
    assert isinstance(await failure(pushes[1].finished()), msrp.FileRefused)
    await until(lambda: bob.saved() == ["a.txt", "c.txt"])
    await call.bye()


@pytest.mark.rule("XT-6", "FT-4", "FT-5", "FT-14")
@pytest.mark.parametrize("way", ["pull", "push"])
@pytest.mark.usefixtures("time_flies")
async def test_a_transfer_that_broke_off_goes_on_where_it_was(
    sides: tuple[Side, Side], way: str
) -> None:
    alice, bob = sides
    sender, receiver = (bob, alice) if way == "pull" else (alice, bob)
    path = sender.file(data=PICTURE * 5)
    whole = path.read_bytes()

    async def transfer(
        start: int, on_progress: Callable[[int, int | None], None] | None
    ) -> tuple[sip.Call, msrp.FilePull | msrp.FilePush]:
        medium: msrp.FilePull | msrp.FilePush
        if way == "pull":
            selector = by_hash(whole)
            medium = msrp.FilePull(
                alice.listener, selector, alice.downloads, progress=on_progress
            )
        else:
            medium = alice.push(path, start=start, progress=on_progress)
        return await alice.agent.invite(bob.uri, media=[medium]), medium

    def hang_up(octets: int, size: int | None) -> None:
        if octets > 100_000 and bob.calls:
            bob.calls[0].hang_up()

    _, broken = await transfer(0, hang_up)
    error = await failure(broken.finished())
    assert isinstance(error, msrp.FileTransferAborted)
    theirs = await failure(bob.transfers[0].finished())
    assert isinstance(theirs, msrp.FileTransferAborted)
    assert 0 < error.transferred < len(whole)
    (part,) = [p for p in receiver.downloads.iterdir() if p.suffix == ".part"]
    assert part.stat().st_size >= error.transferred
    receiver.wire.clear()
    call, again = await transfer(error.transferred, None)
    await soon(again.finished())
    result = await soon(
        again.finished() if way == "pull" else bob.transfers[1].finished()
    )
    assert result.is_verified
    assert result.path.read_bytes() == whole
    assert receiver.saved() == ["picture.jpg"] if way == "push" else True
    # Another transfer of the same file, whose message begins with its first octet.
    first, second = bob.offers
    assert first.transfer_id != second.transfer_id
    assert first.range.is_whole
    assert second.range.start >= error.transferred
    size = len(whole) - second.range.start
    first_chunk = b"Byte-Range: 1-2048/%d" % size
    await until(lambda: any(first_chunk in octets for octets in receiver.wire))
    await call.bye()


@pytest.mark.rule("XT-6", "FT-6")
@pytest.mark.parametrize("method", ["UPDATE", "INVITE"])
@pytest.mark.parametrize("by", ["caller", "callee"])
@pytest.mark.usefixtures("time_flies")
async def test_a_refresh_restarts_nothing(
    sides: tuple[Side, Side], by: str, method: str
) -> None:
    alice, bob = sides
    refreshed: list[int] = []

    def refresh(octets: int, size: int | None) -> None:
        if octets < 100_000 or refreshed or not bob.calls:
            return
        own = bob.calls[0] if by == "callee" else alice.calls[0]
        refreshed.append(octets)
        assert own._call.changes is not None
        own._call.changes.own.peer_updates = method == "UPDATE"
        own.refresh()

    push = alice.push(alice.file(data=PICTURE * 3), progress=refresh)
    call = await alice.agent.call(bob.uri, media=[push])
    alice.calls.append(call)
    await call.complete(5)
    await soon(push.finished())
    assert refreshed
    received = await soon(bob.transfers[0].finished())
    assert received.path.read_bytes() == PICTURE * 3
    # Nor does one that comes when the file has long been there.
    await until(lambda: not call.media and not bob.calls[0].media)
    call.refresh()
    await asyncio.sleep(0.1)
    assert len(bob.transfers) == len(bob.offers) == 1
    assert bob.saved() == ["picture.jpg"]
    await call.bye()


@pytest.mark.rule("XT-6", "FT-6", "FT-12")
async def test_an_id_that_is_used_for_another_file_is_refused(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    push = alice.push(alice.file(data=PICTURE * 20))
    call = await alice.agent.invite(bob.uri, media=[push, alice.chat()])
    await until(lambda: push.transfer.transferred > 100_000)
    assert push._words is not None
    other = replace(push._words.selector, name="another.jpg", hashes=())
    push._words = replace(push._words, selector=other)
    with contextlib.suppress(sip.CallError):
        await call.renew([push], timeout=5)
    assert call.remote_description is not None
    answered = call.remote_description.media[0]
    assert answered.is_rejected
    assert answered.first("file-transfer-id") == push._words.transfer_id
    assert isinstance(await failure(push.finished()), msrp.FileTransferAborted)
    await failure(bob.transfers[0].finished())
    assert len(bob.offers) == 1
    # The messages aren't concerned.
    await (await alice.chats[0].connection.send_text("so what")).delivered()
    await call.bye()


@pytest.mark.rule("XT-6", "FT-11")
async def test_a_file_with_one_bit_flipped_is_kept_as_what_it_is(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = sides
    path = alice.file()

    async def flip(file: object) -> None:
        path.write_bytes(PICTURE[:7] + bytes([PICTURE[7] ^ 1]) + PICTURE[8:])

    monkeypatch.setattr("msrp.aio.file_transfer.sending.FileToSend.check", flip)
    call = await alice.agent.invite(bob.uri, media=[alice.push(path)])
    await until(lambda: bob.transfers)
    error = await failure(bob.transfers[0].finished())
    assert isinstance(error, msrp.FileMismatch)
    assert error.what == "hash"
    assert error.path == bob.downloads / "picture.jpg.wrong-hash"
    assert str(error.path) in str(error)
    assert bob.saved() == ["picture.jpg.wrong-hash"]
    await call.bye()


@pytest.mark.rule("XT-6", "FT-12", "FT-13")
async def test_a_sender_gives_up_with_an_abort_and_then_port_0(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides

    def cancel(octets: int, size: int | None) -> None:
        if octets > 100_000:
            push.cancel()

    push = alice.push(alice.file(data=PICTURE * 20), progress=cancel)
    call = await alice.agent.invite(bob.uri, media=[push, alice.chat()])
    error = await failure(push.finished())
    assert isinstance(error, msrp.FileTransferAborted)
    theirs = await failure(bob.transfers[0].finished())
    assert isinstance(theirs, msrp.FileTransferAborted)
    assert theirs.problem == "its sender gave it up"
    await until(lambda: is_aborted(bob))
    await until(lambda: len(call.media) == 1)
    # The last offer was ours, with the id of the transfer.
    (description,) = bob.offers
    for said in (call.local_description, call.remote_description):
        assert ids(said)[0] == (0, description.transfer_id)
    assert call.local_description is not None
    assert call.local_description.media[0].has("sendonly")
    assert bob.transfers[0].is_over
    await (await alice.chats[0].connection.send_text("sorry")).delivered()
    await call.bye()


@pytest.mark.rule("XT-6", "FT-12")
async def test_a_receiver_gives_up_with_413_and_then_port_0(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    answerer = msrp.FileAnswerer(
        bob.listener,
        lambda offer: msrp.SaveFile(bob.downloads, progress=progressed),
        on_transfer=bob.transfers.append,
    )

    def progressed(octets: int, size: int | None) -> None:
        if octets > 100_000:
            bob.transfers[0].cancel()

    bob.answer_with(answerer, bob.chat())
    push = alice.push(alice.file(data=PICTURE * 20))
    call = await alice.agent.invite(bob.uri, media=[push, alice.chat()])
    error = await failure(push.finished())
    assert isinstance(error, msrp.FileTransferAborted)
    assert error.problem == "the peer has given it up"
    await until(lambda: is_refused(alice))
    await until(lambda: is_aborted(bob))
    await failure(bob.transfers[0].finished())
    assert list(bob.downloads.iterdir()) == []
    await until(lambda: len(call.media) == 1)
    assert push._words is not None
    assert ids(call.local_description)[0] == (0, push._words.transfer_id)
    await call.bye()


@pytest.mark.rule("FT-12")
async def test_hanging_up_gives_a_file_up(sides: tuple[Side, Side]) -> None:
    alice, bob = sides
    push = alice.push(alice.file(data=PICTURE * 20))
    call = await alice.agent.invite(bob.uri, media=[push])
    await until(lambda: push.transfer.transferred > 100_000)
    await call.bye()
    assert isinstance(await failure(push.finished()), msrp.FileTransferAborted)
    await failure(bob.transfers[0].finished())


@pytest.mark.rule("FT-16")
async def test_a_peer_that_knows_only_messages_gets_a_pushed_file(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    got: list[msrp.AttachmentReceived] = []

    def watch(connection: msrp.MsrpConnection) -> None:
        connection.max_message_length = 20_000_000
        connection.on_attachment_received(got.append)

    bob.answer_with(msrp.MsrpMedia(bob.listener, on_connection=watch))
    push = alice.push(alice.file())
    call = await alice.agent.invite(bob.uri, media=[push])
    assert call.remote_description is not None
    assert not call.remote_description.media[0].has("file-selector")
    await soon(push.finished())
    await until(lambda: got)
    assert (got[0].filename, got[0].contents) == ("picture.jpg", PICTURE)
    await call.bye()


@pytest.mark.rule("FT-16")
async def test_a_file_without_any_offer_arrives_as_a_message(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    call = await alice.agent.invite(bob.uri, media=[alice.chat()])
    await alice.chats[0].connection.send_file(alice.file(data=b"small"))
    await until(lambda: bob.chats[0]._connection is not None)
    async with asyncio.timeout(5):
        message = await anext(bob.chats[0].connection)
    assert (message.filename, message.contents) == ("picture.jpg", b"small")
    assert bob.offers == []
    await call.bye()


@pytest.mark.rule("FT-16")
async def test_a_pull_from_a_peer_that_knows_only_messages_fails(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    bob.answer_with(bob.chat())
    pull = msrp.FilePull(alice.listener, by_hash(), alice.downloads)
    call = await alice.agent.invite(bob.uri, media=[pull, alice.chat()])
    error = await failure(pull.finished())
    assert isinstance(error, msrp.FileRefused)
    assert str(error) == "it knows nothing of file transfers"
    await call.bye()


ICON = msrp.Part.build("image/png", b"a very small picture")


@pytest.mark.rule("FT-15")
@pytest.mark.parametrize("when", ["with-the-call", "later"])
async def test_an_icon_goes_along_with_the_offer(
    sides: tuple[Side, Side], when: str
) -> None:
    alice, bob = sides
    push = alice.push(alice.file(), icon=ICON, information="my latest picture")
    call: sip.Call
    if when == "later":
        call = await alice.agent.invite(bob.uri, media=[alice.chat()])
        requests: list[sip.Request] = []

        def watch(change: sip.ProposedChange) -> sip.ChangeDecision:
            requests.append(change.request)
            return sip.ChangeDecision.ACCEPT

        bob.calls[0].change_policy = watch
        await call.change([*call.media, push], timeout=5)
    else:
        call = await alice.agent.invite(bob.uri, media=[push])
        requests = [bob.calls[0].request]
    await soon(push.finished())
    (offer,) = bob.offers
    assert offer.icon is not None
    assert offer.information == "my latest picture"
    found = sip.resolve_cid(requests[0], offer.icon)
    assert found is not None
    assert found.content == ICON.content
    assert found.disposition is not None
    assert found.disposition.kind == "icon"
    content_type = requests[0].content_type or ""
    assert content_type.startswith("multipart/related")
    # The answer says nothing of it (§8.3.1).
    assert bob.calls[0].local_description is not None
    answered = bob.calls[0].local_description.media[-1]
    for name in ("file-icon", "file-disposition", "file-date"):
        assert not answered.has(name)
    await call.bye()


@pytest.mark.rule("FT-15")
@pytest.mark.parametrize("accept", ["application/sdp", None], ids=["told", "untold"])
@pytest.mark.usefixtures("time_flies")
async def test_a_peer_without_multipart_is_offered_the_file_without_its_icon(
    sides: tuple[Side, Side], accept: str | None
) -> None:
    alice, bob = sides
    types: list[str | None] = []
    answerer = bob.answerer()

    @bob.agent.on_invite
    async def ring(call: IncomingCall) -> None:
        types.append(call.request.content_type)
        if len(types) == 1:
            headers = [("Accept", accept)] if accept else []
            await call.reject(415, headers=headers)
            return
        bob.calls.append(call)
        await call.answer([answerer])

    push = alice.push(alice.file(), icon=ICON)
    call = await alice.agent.invite(bob.uri, media=[push])
    await soon(push.finished())
    assert types[1] == "application/sdp"
    assert str(types[0]).startswith("multipart/related")
    await call.bye()


class Behind(AnsweringStream):
    """A stream that the peer reaches through a proxy."""

    proxy: FlakyProxy

    async def answer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        return self._moved(await super().answer(offered))

    async def reanswer(
        self, offered: sdp.MediaDescription
    ) -> sdp.MediaDescription | None:
        return self._moved(await super().reanswer(offered))

    def _moved(self, media: sdp.MediaDescription | None) -> sdp.MediaDescription | None:
        return None if media is None else moved(media, "127.0.0.1", self.proxy.port)


@pytest.mark.rule("FT-6", "NT-4")
@pytest.mark.usefixtures("time_flies")
async def test_a_file_survives_the_loss_of_its_connection(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = sides
    plan = Plan(after=200_000, ending=Ending.RESET)
    async with FlakyProxy("127.0.0.1", bob.listener.port, plan=plan) as proxy:
        Behind.proxy = proxy
        monkeypatch.setattr("msrp.aio.file_transfer.answerer.AnsweringStream", Behind)
        push = alice.push(alice.file(data=PICTURE * 2))
        call = await alice.agent.invite(bob.uri, media=[push])
        await soon(push.finished())
        received = await soon(bob.transfers[0].finished())
        assert received.is_verified
        assert received.path.read_bytes() == PICTURE * 2
        assert proxy.connections == 2
        assert len(bob.offers) == len(bob.transfers) == 1
        await call.bye()


@pytest.mark.rule("FT-13")
async def test_who_makes_a_call_takes_files_in_it_too(
    sides: tuple[Side, Side],
) -> None:
    alice, bob = sides
    media: list[sip.Media] = [alice.answerer(), alice.chat()]
    call = await alice.agent.invite(bob.uri, media=media)
    # To take part in a change of the media isn't to be among those that run.
    push = alice.push(alice.file("to-bob.txt", b"to bob"))
    await call.change([*call.media, push], timeout=5)
    await soon(push.finished())
    await until(lambda: len(call.media) == 1)
    for name in ("one.txt", "two.txt"):
        theirs = bob.push(bob.file(name, name.encode()))
        running = bob.calls[0].media
        await bob.calls[0].change([*running, theirs], timeout=5)
        await soon(theirs.finished())
        await until(lambda: len(call.media) == len(bob.calls[0].media) == 1)
    both = ["one.txt", "two.txt"]
    await until(lambda: alice.downloads.exists() and alice.saved() == both)
    # All three had the same line, one after the other.
    assert call.local_description is not None
    assert len(call.local_description.media) == 2
    await call.bye()


async def test_a_call_offers_something(sides: tuple[Side, Side]) -> None:
    alice, bob = sides
    with pytest.raises(sip.LocalError, match="needs media"):
        await alice.agent.invite(bob.uri, media=[alice.answerer()])
