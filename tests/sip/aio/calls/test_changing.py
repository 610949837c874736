"""Calls that change while they run, over real sockets on the loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

import sdp
import sip
from sip.aio import IncomingCall
from sip.aio.driver import Driver
from sip.media import Media
from sip.sansio import OfferReceived
from sip.testing import FollowingRecorder, RecordingMedia

# T1 is 50 ms; after offers that cross, the caller waits 2.1 s and the callee 0 s.
QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5, randbelow=lambda n: 0)


@dataclass
class Line:
    """Two user agents with a call."""

    alice: sip.UserAgent
    bob: sip.UserAgent
    ours: sip.Call
    theirs: IncomingCall


class Exchange:
    """Connects calls."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack

    async def agent(self, timers: sip.Timers = QUICK) -> sip.UserAgent:
        return await self._stack.enter_async_context(
            sip.UserAgent(
                "sip:me@127.0.0.1", listen=["udp://127.0.0.1:0"], timers=timers
            )
        )

    async def connect(
        self, ours: list[Media], theirs: list[Media], timers: sip.Timers = QUICK
    ) -> Line:
        alice, bob = await self.agent(timers), await self.agent(timers)
        answered: asyncio.Future[IncomingCall]
        answered = asyncio.get_running_loop().create_future()

        @bob.on_invite
        async def ring(call: IncomingCall) -> None:
            await call.answer(theirs)
            answered.set_result(call)

        call = await alice.invite(uri_of(bob), media=ours, timeout=10)
        return Line(alice, bob, call, await answered)


def uri_of(agent: sip.UserAgent) -> str:
    return f"sip:bob@127.0.0.1:{agent.listening[0].port}"


@pytest_asyncio.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with AsyncExitStack() as stack:
        yield Exchange(stack)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


def direction_of(call: sip.Call) -> str:
    assert call.local_description is not None
    return sdp.direction_of(call.local_description.media[0]).value


def version_of(call: sip.Call) -> int:
    assert call.local_description is not None
    return call.local_description.origin.version


@pytest.mark.rule("SIP-50", "OA-15", "OA-25")
@pytest.mark.parametrize("by", ["caller", "callee"])
async def test_either_side_holds_and_resumes(exchange: Exchange, by: str) -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    line = await exchange.connect([ours], [theirs])
    one, other = line.ours, line.theirs
    if by == "callee":
        one, other = other, one
    await one.hold(timeout=5)
    assert direction_of(one) == "sendonly"
    await until(lambda: direction_of(other) == "recvonly")
    await one.hold()  # Which it is already.
    await one.resume(timeout=5)
    assert direction_of(one) == "sendrecv"
    await until(lambda: direction_of(other) == "sendrecv")
    assert sum("follow" in entry for entry in ours.log) == 2
    assert sum("follow" in entry for entry in theirs.log) == 2
    await one.bye()


@pytest.mark.rule("SIP-50", "OA-29", "OA-18")
async def test_a_refused_change_leaves_everything_as_it_was(
    exchange: Exchange,
) -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    line = await exchange.connect([ours], [theirs])
    before = line.ours.local_description
    theirs.willing = False
    with pytest.raises(sip.CallRefused) as caught:
        await line.ours.renew(timeout=5)
    assert caught.value.status == 488
    assert line.ours.local_description is before
    assert ours.log[-2:] == ["offer", "keep"]
    theirs.willing = True
    await line.ours.renew(timeout=5)
    assert version_of(line.ours) == 2
    await line.ours.bye()


@pytest.mark.rule("SIP-50", "ST-5", "OA-27")
@pytest.mark.usefixtures("time_flies")
async def test_changes_that_cross_both_come_about(exchange: Exchange) -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    line = await exchange.connect([ours], [theirs])
    await asyncio.gather(line.ours.hold(timeout=9), line.theirs.hold(timeout=9))
    # The second saw the hold of the first.
    await until(lambda: {direction_of(line.ours), direction_of(line.theirs)} == {
        "inactive", "sendonly"
    })  # fmt: skip
    await line.ours.bye()


async def test_changes_of_one_side_come_one_after_the_other(
    exchange: Exchange,
) -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    line = await exchange.connect([ours], [theirs])
    await asyncio.gather(*(line.ours.renew(timeout=9) for _ in range(4)))
    assert version_of(line.ours) == 5
    assert sum(entry == "follow as offerer" for entry in ours.log) == 4
    await line.ours.bye()


@pytest.mark.rule("SIP-50", "SIP-51")
@pytest.mark.usefixtures("time_flies")
async def test_a_change_that_nobody_decides_on_is_taken_back(
    exchange: Exchange,
) -> None:
    class Thinking(FollowingRecorder):
        async def reanswer(self, offered: sdp.MediaDescription) -> None:
            await asyncio.sleep(100)

    ours, theirs = FollowingRecorder("a"), Thinking("b")
    line = await exchange.connect([ours], [theirs])
    with pytest.raises(sip.CallTimeout, match="doesn't decide"):
        await line.ours.renew(timeout=0.3)
    await until(lambda: ours.log[-1] == "keep")
    assert line.ours.answered
    assert version_of(line.ours) == 1
    task = asyncio.create_task(line.ours.hold())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert line.ours.answered
    await line.ours.bye()


@pytest.mark.usefixtures("time_flies")
async def test_who_waits_for_a_change_hears_of_the_end(exchange: Exchange) -> None:
    class Thinking(FollowingRecorder):
        async def reanswer(self, offered: sdp.MediaDescription) -> None:
            await asyncio.sleep(100)

    line = await exchange.connect([FollowingRecorder("a")], [Thinking("b")])
    changes = [asyncio.create_task(line.ours.renew()) for _ in range(2)]
    await asyncio.sleep(0.1)
    await line.theirs.bye()
    for change in changes:
        with pytest.raises((sip.CallOver, sip.CallRefused)):
            await change
    assert await line.ours.ended() is sip.EndReason.REMOTE_BYE
    with pytest.raises(sip.CallOver):
        await line.ours.hold()
    with pytest.raises(sip.LocalError):
        line.ours.refresh()


@pytest.mark.parametrize(
    "moment", [pytest.param(n, id=f"{n}-steps") for n in range(0, 40, 4)]
)
async def test_a_change_may_be_cancelled_at_any_moment(
    exchange: Exchange, moment: int
) -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    line = await exchange.connect([ours], [theirs])
    task = asyncio.create_task(line.ours.renew())
    for _ in range(moment):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    # Both agree on what there is, and can change it again.
    await line.theirs.hold(timeout=5)
    await until(lambda: direction_of(line.ours) == "recvonly")
    assert line.ours.local_description == line.theirs.remote_description
    assert line.theirs.local_description == line.ours.remote_description
    await line.ours.bye()


@pytest.mark.rule("SIP-50", "OA-16", "OA-28")
async def test_media_that_fail_are_reported_and_the_call_lives(
    exchange: Exchange,
) -> None:
    class Broken(FollowingRecorder):
        async def reanswer(self, offered: sdp.MediaDescription) -> None:
            raise RuntimeError("a bug")

        async def follow(
            self,
            offered: sdp.MediaDescription,
            answered: sdp.MediaDescription,
            is_offerer: bool,
        ) -> None:
            raise RuntimeError("another bug")

    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: reports.append(str(context["exception"]))
    )
    line = await exchange.connect([FollowingRecorder("a")], [Broken("b")])
    with pytest.raises(sip.CallRefused) as caught:
        await line.ours.renew(timeout=5)
    assert caught.value.status == 500
    with pytest.raises(RuntimeError, match="another bug"):
        await line.theirs.hold(timeout=5)
    assert reports == ["a bug"]
    assert line.ours.answered
    await line.ours.bye()


async def test_what_fails_after_a_change_is_reported(exchange: Exchange) -> None:
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda loop, context: reports.append(str(context["exception"]))
    )
    line = await exchange.connect([FollowingRecorder("a")], [FollowingRecorder("b")])

    def fail() -> None:
        raise RuntimeError("a bug")

    line.ours.on_change = fail
    await line.ours.hold(timeout=5)
    assert reports == ["a bug"]
    await line.ours.bye()


async def test_media_of_a_call_are_a_list() -> None:
    async with sip.UserAgent("sip:a@127.0.0.1", listen=["udp://127.0.0.1:0"]) as agent:
        with pytest.raises(TypeError, match="a list of what to offer, not Recording"):
            await agent.invite(  # type: ignore[call-overload]
                "sip:b@127.0.0.1",
                media=RecordingMedia("a"),
            )


async def test_what_can_t_be_changed_is_an_error(exchange: Exchange) -> None:
    ours = RecordingMedia("a")
    line = await exchange.connect([ours], [RecordingMedia("b")])
    with pytest.raises(sip.LocalError, match="needs media"):
        await line.ours.change([])
    with pytest.raises(sip.LocalError, match="can't be held"):
        await line.ours.hold()
    with pytest.raises(sip.LocalError, match="can't change"):
        await line.ours.renew()
    assert line.ours.answered
    assert ours.log == ["offer", "start as offerer"]
    await line.ours.bye()


@pytest.mark.rule("OA-13", "OA-16", "OA-17")
async def test_what_the_peer_does_not_take_is_stopped_again(
    exchange: Exchange,
) -> None:
    ours, more = RecordingMedia("a"), RecordingMedia("c", "audio")
    line = await exchange.connect([ours], [RecordingMedia("b")])
    await line.ours.change([ours, more], timeout=5)
    assert line.ours.media == [ours]
    assert more.log == ["offer", "stop"]
    await line.ours.bye()
    assert ours.log == ["offer", "start as offerer", "stop"]


@pytest.mark.rule("SIP-58", "SIP-49")
async def test_a_call_is_kept_alive_by_its_timers(exchange: Exchange) -> None:
    ours, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    line = await exchange.connect([ours], [theirs])
    timer = line.theirs._call.session_timer
    assert timer.interval == 1800
    assert timer.we_refresh
    # Half an hour later.
    assert timer.expire_at is not None
    before, timer.refresh_at = timer.expire_at, line.theirs._owner.now()
    line.theirs._owner.flush()
    line.theirs._call.handle_timeout(line.theirs._owner.now())
    line.theirs._owner.flush()
    await until(lambda: timer.expire_at is not None and timer.expire_at > before)
    assert "follow" not in " ".join(ours.log + theirs.log)
    await line.ours.bye()


# A media stream that asks to be renewed.


class Losing(FollowingRecorder):
    """A stream that loses its way when told to."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.on_renegotiate: Callable[[], None] | None = None
        self.wants_offer = False

    def lose(self) -> None:
        self.wants_offer = True
        assert self.on_renegotiate is not None
        self.on_renegotiate()

    async def follow(
        self,
        offered: sdp.MediaDescription,
        answered: sdp.MediaDescription,
        is_offerer: bool,
    ) -> None:
        self.wants_offer = False
        await super().follow(offered, answered, is_offerer)


@pytest.mark.rule("NG-15", "SIP-50")
@pytest.mark.usefixtures("time_flies")
async def test_a_stream_that_has_lost_its_way_is_offered_anew(
    exchange: Exchange,
) -> None:
    ours, theirs = Losing("a"), Losing("b")
    assert isinstance(ours, sip.RenegotiatingMedia)
    line = await exchange.connect([ours], [theirs])
    ours.lose()
    ours.lose()
    await until(lambda: not ours.wants_offer)
    assert ours.log.count("follow as offerer") == 1
    # Both at once: the second finds that it has been helped.
    ours.lose()
    theirs.lose()
    await until(lambda: not (ours.wants_offer or theirs.wants_offer))
    follows = [e for e in ours.log if e.startswith("follow")]
    assert len(follows) == 2
    # A peer that doesn't want to follow is no reason to hang up.
    theirs.willing = False
    ours.lose()
    await until(lambda: ours.log[-1] == "keep")
    assert line.ours.answered
    await line.ours.bye()
    ours.lose()
    assert ours.log[-1] == "stop"


@pytest.mark.rule("SIP-50")
@pytest.mark.usefixtures("time_flies")
async def test_a_change_at_once_waits_until_media_run(exchange: Exchange) -> None:
    class Slow(FollowingRecorder):
        async def start(
            self,
            offered: sdp.MediaDescription,
            answered: sdp.MediaDescription,
            is_offerer: bool,
        ) -> None:
            await asyncio.sleep(0.2)
            await super().start(offered, answered, is_offerer)

    alice, bob = await exchange.agent(), await exchange.agent()
    theirs = Slow("b")

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        await call.answer([theirs])

    call = await alice.invite(uri_of(bob), media=[FollowingRecorder("a")])
    await call.hold(timeout=5)
    await until(lambda: len(theirs.log) == 4)
    assert theirs.log == [
        "answer", "start as answerer", "reanswer", "follow as answerer"
    ]  # fmt: skip
    await call.bye()


# Peers that answer otherwise.


def answer_changes_with(call: sip.Call, body: bytes) -> None:
    """Let a side accept each change with these words."""

    def told(event: object) -> None:
        if isinstance(event, OfferReceived):
            call._call.answer_offer(
                event.transaction,
                200,
                call._owner.now(),
                body=body,
                content_type="application/sdp" if body else None,
            )
            call._owner.flush()

    call.told = told  # type: ignore[method-assign]


@pytest.mark.rule("OA-14", "OA-18", "OA-28")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="none"),
        pytest.param(b"nonsense", id="not-sdp"),
        pytest.param(
            b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", id="no-slots"
        ),
    ],
)
async def test_a_useless_answer_to_a_change_is_an_error(
    exchange: Exchange, body: bytes
) -> None:
    ours = FollowingRecorder("a")
    line = await exchange.connect([ours], [FollowingRecorder("b")])
    before = line.ours.local_description
    answer_changes_with(line.theirs, body)
    with pytest.raises(sip.NegotiationFailed):
        await line.ours.renew(timeout=5)
    assert ours.log[-1] == "keep"
    assert line.ours.local_description is before
    assert line.ours.answered
    await line.ours.bye()


@pytest.mark.rule("OA-28", "OA-21", "SIP-50")
async def test_who_asks_for_an_offer_may_answer_with_another_path(
    exchange: Exchange,
) -> None:
    theirs = FollowingRecorder("b")
    line = await exchange.connect([FollowingRecorder("a")], [theirs])
    owner, dialog = line.ours._owner, line.ours._call.dialog
    assert isinstance(owner, Driver)
    assert dialog is not None
    assert line.ours.local_description is not None
    answers: list[sip.Response] = []

    class User:
        def request_answered(
            self, sent: object, response: sip.Response, now: float
        ) -> None:
            if response.status >= 200:
                answers.append(response)

        def request_failed(self, sent: object, failure: object, now: float) -> None:
            raise AssertionError(failure)

    asking, next_hop = dialog.request("INVITE")
    owner.core.sender.send(asking, next_hop, User())
    owner.flush()
    await until(lambda: answers != [])
    offer = sdp.SessionDescription.parse(answers[0].body)
    elsewhere = await FollowingRecorder("c").answer(offer.effective_media(0))
    answer = sdp.build_answer(
        offer,
        [elsewhere],
        address="127.0.0.1",
        previous=line.ours.local_description,
    )
    ack, next_hop = dialog.ack(
        dialog.local_cseq, body=bytes(answer), content_type="application/sdp"
    )
    owner.core.sender.send_ack(ack, next_hop)
    owner.flush()
    await until(lambda: theirs.log[-1] == "follow as offerer")
    assert theirs.answered is not None
    assert theirs.answered.first("path") == "msrp://127.0.0.1:2855/c0;tcp"
    await line.theirs.bye()


@pytest.mark.rule("SIP-45", "SIP-50")
async def test_a_peer_that_has_forgotten_the_call_ends_it(exchange: Exchange) -> None:
    line = await exchange.connect([FollowingRecorder("a")], [FollowingRecorder("b")])
    line.theirs._owner.core._dialogs.users.clear()  # type: ignore[attr-defined]
    with pytest.raises((sip.CallRefused, sip.CallOver)):
        await line.ours.hold(timeout=5)
    assert await line.ours.ended() is sip.EndReason.LOST
