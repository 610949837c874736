"""Calls with real message sessions, over real sockets, on bad networks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

import msrp
import sip
from msrp.negotiation import MediaDescription
from msrp.testing import Ending, FlakyProxy, Plan
from sip.aio import IncomingCall
from sip.testing import RecordingMedia
from tests.msrp.sections import moved

# T1 is 50 ms, and nobody waits for longer than it takes after a glare.
QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5, randbelow=lambda n: n // 20)


class Behind(msrp.MsrpMedia):
    """A message session that peers reach through a proxy."""

    proxy: FlakyProxy | None = None

    async def offer(self) -> MediaDescription:
        return self._moved(await super().offer())

    async def answer(self, offered: MediaDescription) -> MediaDescription | None:
        answered = await super().answer(offered)
        return None if answered is None else self._moved(answered)

    def _moved(self, media: MediaDescription) -> MediaDescription:
        if self.proxy is None:
            return media
        return moved(media, "127.0.0.1", self.proxy.port)


@dataclass
class Side:
    """One user agent, with a port for messages."""

    agent: sip.UserAgent
    listener: msrp.MsrpListener
    texts: list[tuple[str, int]] = field(default_factory=list)
    connections: list[msrp.MsrpConnection] = field(default_factory=list)
    media: list[Behind] = field(default_factory=list)
    calls: list[sip.Call] = field(default_factory=list)

    def medium(self, proxy: FlakyProxy | None = None) -> Behind:
        """Make a message session that notes what it gets."""

        def watch(connection: msrp.MsrpConnection) -> None:
            connection.max_message_length = 20_000_000
            self.connections.append(connection)
            connection.on_message_received = lambda message: self.texts.append(
                (message.message_id, len(message.contents))
            )

        config = msrp.SessionConfig(recovery_time=20.0, chunk_size=16_384, window=4)
        medium = Behind(self.listener, on_connection=watch, config=config)
        medium.proxy = proxy
        self.media.append(medium)
        return medium

    def answer_with(self, *media: sip.Media) -> None:
        @self.agent.on_invite
        async def ring(call: IncomingCall) -> None:
            self.calls.append(call)
            await call.answer(media)

    @property
    def uri(self) -> str:
        return f"sip:bob@127.0.0.1:{self.agent.listening[0].port};transport=tcp"

    @property
    def connection(self) -> msrp.MsrpConnection:
        return self.media[0].connection

    @property
    def sizes(self) -> list[int]:
        return [size for _, size in self.texts]


class Stage:
    """Makes sides, and clears them away."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def side(self, *, secure: bool = False) -> Side:
        certificate = msrp.LocalCertificate.self_signed() if secure else None
        listener = await self._stack.enter_async_context(
            msrp.MsrpListener("127.0.0.1", 0, local_cert=certificate)
        )
        agent = await self._stack.enter_async_context(
            sip.UserAgent(
                "sip:me@127.0.0.1", listen=["tcp://127.0.0.1:0"], timers=QUICK
            )
        )
        return Side(agent, listener)

    async def proxy(self, listener: msrp.MsrpListener, plan: Plan) -> FlakyProxy:
        return await self._stack.enter_async_context(
            FlakyProxy("127.0.0.1", listener.port, plan=plan)
        )


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        yield Stage(stack)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


async def talking(
    stage: Stage, plan: Plan | None = None, *, secure: bool = False
) -> tuple[Side, Side]:
    """Let Alice call Bob, who is behind a proxy, and wait until they can talk."""
    alice, bob = await stage.side(secure=secure), await stage.side(secure=secure)
    proxy = await stage.proxy(bob.listener, plan or Plan())
    bob.answer_with(bob.medium(proxy))
    alice.calls.append(await alice.agent.invite(bob.uri, media=[alice.medium()]))
    await alice.connection.established()
    await until(lambda: bob.media[0]._connection is not None)
    await bob.connection.established()
    return alice, bob


def stream_of(side: Side) -> object:
    running = side.connection._running
    assert running is not None
    return running.stream


def path_of(side: Side) -> str:
    return str(side.connection.negotiated.local_uri)


@pytest.mark.rule("NT-4", "NG-15", "MSRP-40", "MSRP-41", "MSRP-42", "OA-19")
@pytest.mark.parametrize("sender", ["the-active-side", "the-passive-side"])
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
@pytest.mark.usefixtures("time_flies")
async def test_a_message_survives_its_connection(
    stage: Stage, sender: str, secure: bool
) -> None:
    cut = Plan(after=400_000, ending=Ending.RESET)
    alice, bob = await talking(stage, cut, secure=secure)
    one, other = (alice, bob) if sender == "the-active-side" else (bob, alice)
    before = path_of(alice), path_of(bob)
    sent = await one.connection.send_message(
        "application/octet-stream", bytes(600_000), message_id="once-only"
    )
    async with asyncio.timeout(10):
        await sent.delivered()
    assert bob.media[0].proxy is not None
    assert bob.media[0].proxy.connections == 2
    assert other.texts == [("once-only", 600_000)]
    assert one.texts == []
    # Both have new paths, and are the same connections in the same call.
    assert not {path_of(alice), path_of(bob)} & set(before)
    assert [len(side.connections) for side in (alice, bob)] == [1, 1]
    assert all(side.calls[0].answered for side in (alice, bob))
    # And back again.
    await other.connection.send_text("thank you")
    await until(lambda: one.sizes != [])
    await alice.calls[0].bye()
    assert await bob.calls[0].ended() is sip.EndReason.REMOTE_BYE


@pytest.mark.rule("NG-15", "MSRP-40")
@pytest.mark.usefixtures("time_flies")
async def test_a_call_outlives_a_message_session_that_can_t_be_had_back(
    stage: Stage,
) -> None:
    alice, bob = await talking(stage, Plan(after=400_000, ending=Ending.RESET))
    proxy = bob.media[0].proxy
    assert proxy is not None
    assert proxy._server is not None
    proxy._server.close()
    sent = await alice.connection.send_message("text/plain", bytes(600_000))
    await until(lambda: proxy.open_connections == 0)
    await until(lambda: alice.connection.is_lost)
    await asyncio.sleep(1.2)  # A few offers come and go.
    assert alice.calls[0].answered
    assert bob.calls[0].answered
    await alice.calls[0].bye()
    with pytest.raises(msrp.DeliveryError):
        await sent.delivered()


@pytest.mark.rule("MT-15", "SIP-58", "SIP-56")
@pytest.mark.parametrize("by", ["caller", "callee"])
@pytest.mark.usefixtures("time_flies")
async def test_a_refresh_leaves_the_connection_alone(stage: Stage, by: str) -> None:
    alice, bob = await talking(stage)
    streams = stream_of(alice), stream_of(bob)
    call = alice.calls[0] if by == "caller" else bob.calls[0]
    before = call.local_description
    call.refresh()
    # And by INVITE, for a peer that takes no UPDATE.
    assert call._call.changes is not None
    await asyncio.sleep(0.05)
    call._call.changes.own.peer_updates = False
    call.refresh()
    await asyncio.sleep(0.1)
    assert call.local_description == before
    assert (stream_of(alice), stream_of(bob)) == streams
    await alice.connection.send_text("still here")
    await until(lambda: bob.sizes != [])
    assert [len(side.connections) for side in (alice, bob)] == [1, 1]
    await alice.calls[0].bye()


@pytest.mark.rule("MT-15", "OA-19", "SIP-50")
@pytest.mark.parametrize("by", ["caller", "callee"])
async def test_a_session_can_be_moved_to_another_path(stage: Stage, by: str) -> None:
    alice, bob = await talking(stage)
    before = path_of(alice), path_of(bob)
    streams = stream_of(alice), stream_of(bob)
    one, other = (alice, bob) if by == "caller" else (bob, alice)
    await one.calls[0].renew(timeout=5)
    await one.connection.established()
    await other.connection.established()
    assert not {path_of(alice), path_of(bob)} & set(before)
    assert stream_of(alice) is not streams[0]
    for side in (alice, bob):
        await side.connection.send_text("moved")
    await until(lambda: alice.texts != [] and bob.texts != [])
    assert [len(side.connections) for side in (alice, bob)] == [1, 1]
    await alice.calls[0].bye()


@pytest.mark.rule("OA-23", "OA-21", "OA-38", "OA-15")
async def test_a_message_stream_on_hold_keeps_its_connection(stage: Stage) -> None:
    alice, bob = await talking(stage)
    streams = stream_of(alice), stream_of(bob)
    call = alice.calls[0]
    versions = []
    # What is under way when it is held is still reported on.
    sent = await bob.connection.send_text("under way", success_report=True)
    await call.hold(timeout=5)
    await sent.delivered()
    assert call.local_description is not None
    versions.append(call.local_description.origin.version)
    await until(lambda: not bob.connection.negotiated.may_send)
    with pytest.raises(msrp.LocalProtocolError, match="receive now"):
        await bob.connection.send_text("may not")
    await (await alice.connection.send_text("may", success_report=True)).delivered()
    # Hold isn't answered with hold, and a refresh doesn't end it.
    assert bob.calls[0].local_description is not None
    assert bob.calls[0].local_description.media[0].has("recvonly")
    call.refresh()
    await call.resume(timeout=5)
    versions.append(call.local_description.origin.version)
    await until(lambda: bob.connection.negotiated.may_send)
    await (await bob.connection.send_text("again", success_report=True)).delivered()
    assert versions == [2, 3]
    assert (stream_of(alice), stream_of(bob)) == streams
    await call.bye()


@pytest.mark.rule("OA-37", "OA-16", "MT-15", "SIP-50")
async def test_streams_come_and_go_beside_a_session(stage: Stage) -> None:
    alice, bob = await talking(stage)
    call, theirs = alice.calls[0], bob.calls[0]
    streams = stream_of(alice), stream_of(bob)
    ours, heard = RecordingMedia("a", "audio"), RecordingMedia("b", "audio")
    theirs.candidates.append(heard)
    changes: list[int] = []
    theirs.on_change = lambda: changes.append(len(theirs.media))
    await call.change([*call.media, ours], timeout=5)
    assert [type(m) for m in call.media] == [Behind, RecordingMedia]
    await until(lambda: heard.log == ["answer", "start as answerer"])
    assert (stream_of(alice), stream_of(bob)) == streams
    await call.change([alice.media[0]], timeout=5)
    assert ours.log == ["offer", "start as offerer", "stop"]
    await until(lambda: heard.log[-1] == "stop")
    assert changes == [2, 1]
    assert call.local_description is not None
    assert [m.port for m in call.local_description.media][1] == 0
    assert call.local_description.origin.version == 3
    # The slot is used again.
    another = RecordingMedia("c", "audio")
    await call.change([*call.media, another], timeout=5)
    assert len(call.local_description.media) == 2
    assert (stream_of(alice), stream_of(bob)) == streams
    await alice.connection.send_text("all the while")
    await until(lambda: bob.sizes != [])
    await call.bye()


@pytest.mark.rule("MT-15", "OA-16", "OA-17")
async def test_a_message_stream_is_added_removed_and_added_again(
    stage: Stage,
) -> None:
    alice, bob = await stage.side(), await stage.side()
    audio = RecordingMedia("b", "audio")
    bob.answer_with(audio, bob.medium())
    ours = RecordingMedia("a", "audio")
    call = await alice.agent.invite(bob.uri, media=[ours])
    await call.change([ours, alice.medium()], timeout=5)
    await alice.connection.send_text("hello")
    await until(lambda: len(bob.texts) == 1)
    first = alice.connection
    await call.change([ours], timeout=5)
    assert (await first.closed()).error is None
    await until(lambda: bob.connections[0].is_over)
    assert (await bob.connections[0].closed()).error is None
    await call.change([ours, alice.medium()], timeout=5)
    assert len(call.media) == 2
    await alice.media[1].connection.send_text("hello again")
    await until(lambda: len(bob.texts) == 2)
    paths = [c.negotiated.local_uri for c in alice.connections + bob.connections]
    assert len(set(paths)) == 4
    assert ours.log == ["offer", "start as offerer"]
    await call.bye()


@pytest.mark.rule("NT-4", "SIP-50", "ST-5")
async def test_both_may_notice_the_loss_at_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("msrp.aio.session.lost._PASSIVE_PATIENCE", 0.0)
    alice, bob = await talking(stage, Plan(after=400_000, ending=Ending.RESET))
    sent = await alice.connection.send_message(
        "application/octet-stream", bytes(600_000), message_id="once-only"
    )
    async with asyncio.timeout(10):
        await sent.delivered()
    assert bob.texts == [("once-only", 600_000)]
    await alice.calls[0].bye()


@pytest.mark.rule("SIP-49", "OA-8")
async def test_a_refused_message_stream_says_why(stage: Stage) -> None:
    alice, bob = await stage.side(), await stage.side()
    problems: list[str] = []
    certificate = msrp.LocalCertificate.self_signed()

    async with msrp.MsrpListener("127.0.0.1", 0, local_cert=certificate) as secure:

        @bob.agent.on_invite
        async def ring(call: IncomingCall) -> None:
            try:
                await call.answer([msrp.MsrpMedia(secure)])
            except sip.NegotiationFailed as exc:
                problems.append(str(exc))

        with pytest.raises(sip.CallRefused) as caught:
            await alice.agent.invite(bob.uri, media=[alice.medium()])
    assert caught.value.status == 488
    await until(lambda: problems != [])
    assert problems == [
        "none of the streams offered can be used (message over TCP/MSRP): "
        "TLS is wanted here"
    ]


@pytest.mark.rule("SIP-57", "OA-25")
async def test_messages_flow_before_the_call_is_answered(stage: Stage) -> None:
    alice, bob = await stage.side(), await stage.side()
    medium = bob.medium()
    go_on = asyncio.Event()

    @bob.agent.on_invite
    async def ring(call: IncomingCall) -> None:
        bob.calls.append(call)
        assert call.takes_early_media
        await call.ringing(183, media=[medium])
        await medium.connection.send_text("all our people are busy")
        await go_on.wait()
        await call.answer()

    call = await alice.agent.call(bob.uri, media=[alice.medium()])
    await until(lambda: len(alice.texts) == 1)
    streams = stream_of(alice)
    assert call.end_reason is None
    go_on.set()
    await call.complete(10)
    assert call.answered
    assert stream_of(alice) is streams
    await alice.connection.send_text("at last")
    await until(lambda: len(bob.texts) == 1)
    await call.bye()


@pytest.mark.rule("NG-15", "SIP-48")
async def test_what_a_caller_has_said_before_hanging_up_is_kept(stage: Stage) -> None:
    alice, bob = await talking(stage)
    heard, go_on = asyncio.Event(), asyncio.Event()

    async def speak() -> AsyncIterator[bytes]:
        yield b"Somebody is at the door and I am"
        heard.set()
        await go_on.wait()

    await alice.connection.send_message("text/plain", speak(), message_id="cut-off")
    await heard.wait()
    await asyncio.sleep(0.1)
    leaving = asyncio.create_task(alice.calls[0].bye())
    end = await bob.connection.closed()
    assert await bob.calls[0].ended() is sip.EndReason.REMOTE_BYE
    go_on.set()
    await leaving
    (partial,) = end.incomplete
    assert partial.message_id == "cut-off"
    assert b"Somebody is at the door" in b"".join(
        octets for _, octets in partial.ranges
    )


# What a type checker knows of the media of a call, which mypy reads these lines for.


async def test_the_media_of_a_call_are_of_the_kind_that_it_was_made_with(
    stage: Stage,
) -> None:
    alice, bob = await stage.side(), await stage.side()
    bob.answer_with(bob.medium())
    agent, listener = alice.agent, alice.listener
    call = await agent.invite(bob.uri, media=[msrp.MsrpMedia(listener)])
    sent = await call.media[0].connection.send_text("hello")
    await sent.delivered()
    await call.bye()
    assert len(bob.sizes) == 1


async def test_media_of_several_kinds_are_just_media(stage: Stage) -> None:
    alice, bob = await stage.side(), await stage.side()
    bob.answer_with(bob.medium(), RecordingMedia(kind="audio"))
    async with await alice.agent.invite(
        bob.uri, media=[RecordingMedia(kind="audio"), alice.medium()]
    ) as call:
        first, second = call.media
        assert isinstance(first, RecordingMedia)
        assert isinstance(second, msrp.MsrpMedia)
    calling = await alice.agent.call(
        bob.uri, media=[RecordingMedia(kind="audio"), alice.medium()]
    )
    async with calling:
        await calling.complete()
        several: list[sip.Media] = calling.media
        assert len(several) == 2


# The guide.


def program(name: str) -> Callable[..., Awaitable[None]]:
    """Return a function of docs/sip.md."""
    guide = Path(__file__).parents[4] / "docs" / "sip.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.S)
    (text,) = [block for block in blocks if f"\nasync def {name}(" in block]
    namespace: dict[str, Callable[..., Awaitable[None]]] = {}
    exec(compile(text, str(guide), "exec"), namespace)
    return namespace[name]


async def test_the_guide_tells_how_to_change_a_call(stage: Stage) -> None:
    alice, bob = await talking(stage)
    bob.calls[0].candidates.append(bob.medium())
    before = path_of(bob)
    async with asyncio.timeout(10):
        await program("change")(alice.calls[0], alice.listener)
    await alice.connection.established()
    assert path_of(bob) != before
    assert len(bob.connections) == 2
    await alice.connection.send_text("after all that")
    await until(lambda: len(bob.texts) == 1)
    await alice.calls[0].bye()


async def test_the_guide_tells_how_to_watch_a_call(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    alice, bob = await stage.side(), await stage.side()
    theirs = bob.medium()

    @bob.agent.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.ringing()
        await call.answer([theirs])

    class Agent:
        """Knows where Bob is."""

        async def call(self, uri: str, *, media: list[sip.Media]) -> sip.OutgoingCall:
            assert uri == "sip:bob@example.net"
            return await alice.agent.call(bob.uri, media=media)

    await program("watch")(Agent(), alice.medium())
    assert capsys.readouterr().out.startswith("180 ")
