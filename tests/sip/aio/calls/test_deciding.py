"""Somebody is asked before the peer changes a call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import sdp
import sip
from sip import ChangeDecision, ProposedChange
from sip.aio.calls.deciding import Decider
from sip.testing import FollowingRecorder

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5, randbelow=lambda n: 0)
UDP = ["udp://127.0.0.1:0"]

Reports = list[BaseException]


@dataclass
class Line:
    """A call: the caller wants changes, and the callee decides."""

    caller: sip.Call
    callee: sip.IncomingCall
    text: FollowingRecorder
    theirs: FollowingRecorder

    async def add_video(self) -> FollowingRecorder:
        video = FollowingRecorder("a", kind="video")
        await self.caller.change([*self.caller.media, video], timeout=5)
        return video


@asynccontextmanager
async def connected(**limits: float) -> AsyncIterator[Line]:
    answered: asyncio.Future[sip.IncomingCall]
    answered = asyncio.get_running_loop().create_future()
    text, theirs = FollowingRecorder("a"), FollowingRecorder("b")
    async with (
        sip.UserAgent(
            "sip:b@127.0.0.1",
            listen=UDP,
            timers=QUICK,
            limits=sip.Limits(**limits),  # type: ignore[arg-type]
        ) as bob,
        sip.UserAgent("sip:a@127.0.0.1", listen=UDP, timers=QUICK) as alice,
    ):

        @bob.on_invite
        async def ring(call: sip.IncomingCall) -> None:
            await call.answer([theirs])
            answered.set_result(call)

        uri = f"sip:b@127.0.0.1:{bob.listening[0].port}"
        async with await alice.invite(uri, media=[text], timeout=5) as call:
            yield Line(call, await answered, text, theirs)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.005)


class Person:
    """Decides when told to, as people do."""

    def __init__(self) -> None:
        self.asked: list[ProposedChange] = []
        self.gave_up = False
        self._decision: asyncio.Future[ChangeDecision]
        self._decision = asyncio.get_running_loop().create_future()

    async def __call__(self, change: ProposedChange) -> ChangeDecision:
        self.asked.append(change)
        try:
            return await asyncio.shield(self._decision)
        except asyncio.CancelledError:
            self.gave_up = True
            raise

    def decide(self, decision: ChangeDecision) -> None:
        self._decision.set_result(decision)


@pytest.mark.rule("SIP-50", "OA-17")
async def test_a_stream_is_added_when_somebody_has_agreed() -> None:
    async with connected() as line:
        video = FollowingRecorder("b", kind="video")
        line.callee.candidates.append(video)
        person = line.callee.change_policy = Person()
        assert line.callee.change_policy is person
        adding = asyncio.create_task(line.add_video())
        await until(lambda: person.asked != [])
        (change,) = person.asked
        assert [media.media for media in change.added] == ["video"]
        assert (change.ended, change.altered) == ((), ())
        assert change.may_take_time
        assert video.log == []  # Nothing has happened yet.
        person.decide(ChangeDecision.ACCEPT)
        await adding
        assert len(line.caller.media) == 2
        await until(lambda: video in line.callee.media)


@pytest.mark.rule("SIP-50", "NG-11")
async def test_new_streams_can_be_declined_while_others_go_on() -> None:
    async with connected() as line:
        video = FollowingRecorder("b", kind="video")
        line.callee.candidates.append(video)
        line.callee.change_policy = lambda change: ChangeDecision.WITHOUT_NEW_STREAMS
        await line.add_video()
        assert line.caller.media == [line.text]
        assert line.caller.remote_description is not None
        assert [m.is_rejected for m in line.caller.remote_description.media] == [
            False,
            True,
        ]
        assert video.log == []
        # What runs may still change.
        await line.caller.hold(timeout=5)
        assert "reanswer" in line.theirs.log


@pytest.mark.rule("SIP-50")
async def test_a_stream_isnt_taken_away_against_somebodys_will() -> None:
    async with connected() as line:
        line.callee.change_policy = lambda change: (
            ChangeDecision.REFUSE if change.ended else ChangeDecision.ACCEPT
        )
        await line.add_video()
        audio = FollowingRecorder("a", kind="audio")
        with pytest.raises(sip.CallRefused) as caught:
            await line.caller.change([audio], timeout=5)
        assert caught.value.status == 488
        assert line.caller.media == [line.text]
        assert line.callee.media == [line.theirs]
        assert "stop" not in line.theirs.log


@pytest.mark.rule("SIP-50", "SIP-58")
async def test_nobody_is_asked_about_a_refresh() -> None:
    async with connected() as line:
        person = line.callee.change_policy = Person()
        line.caller.refresh()
        await line.caller.send_request("OPTIONS")  # Which comes after it.
        assert person.asked == []


@pytest.mark.rule("SIP-50", "SIP-68")
async def test_without_a_decision_in_time_everything_stays_as_it_is() -> None:
    async with connected(decision_time=0.05) as line:
        person = line.callee.change_policy = Person()
        with pytest.raises(sip.CallRefused) as caught:
            await line.add_video()
        assert caught.value.status == 488
        assert person.gave_up
        assert line.callee.media == [line.theirs]


@pytest.mark.rule("SIP-50", "SIP-51")
@pytest.mark.usefixtures("time_flies")
async def test_nobody_is_asked_any_more_about_what_the_peer_has_taken_back() -> None:
    async with connected() as line:
        person = line.callee.change_policy = Person()
        adding = asyncio.create_task(line.add_video())
        await until(lambda: person.asked != [])
        adding.cancel()
        await until(lambda: person.gave_up)
        with pytest.raises(asyncio.CancelledError):
            await adding
        line.callee.change_policy = None
        await line.add_video()


async def test_nobody_is_asked_any_more_when_the_call_is_over() -> None:
    async with connected() as line:
        person = line.callee.change_policy = Person()
        adding = asyncio.create_task(line.add_video())
        await until(lambda: person.asked != [])
        await line.caller.bye()
        await until(lambda: person.gave_up)
        with pytest.raises(sip.CallOver):
            await adding


async def test_a_policy_that_fails_is_reported_and_changes_nothing() -> None:
    reports: Reports = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, what: reports.append(what["exception"]))
    async with connected() as line:

        def fail(change: ProposedChange) -> ChangeDecision:
            raise RuntimeError("no")

        line.callee.change_policy = fail
        with pytest.raises(sip.CallRefused) as caught:
            await line.add_video()
        assert caught.value.status == 500
        assert line.callee.media == [line.theirs]
    assert [str(error) for error in reports] == ["no"]


def change_of(method: str) -> ProposedChange:
    offered = sdp.SessionDescription.parse(
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=video 9 RTP/AVP 99\r\n"
    )
    request = sip.Request.build(method, "sip:b@c")
    return ProposedChange(request, offered, tuple(offered.media), (), ())


@pytest.mark.rule("SIP-56")
@pytest.mark.parametrize(("method", "status"), [("UPDATE", 504), ("PRACK", 488)])
async def test_what_must_be_answered_at_once_isnt_for_people(
    method: str, status: int
) -> None:
    limits = sip.Limits(decision_time=60.0, quick_decision_time=0.01)
    decider = Decider(limits, lambda *_: None)
    decider.policy = person = Person()
    verdict = await decider.decide(change_of(method))
    assert not person.asked[0].may_take_time
    assert person.gave_up
    assert verdict is not None
    assert (verdict.decision, verdict.status) == (ChangeDecision.REFUSE, status)


async def test_a_policy_that_is_cancelled_refuses() -> None:
    """Else the peer would wait for an answer that never comes."""
    decider = Decider(sip.Limits(), lambda *_: None)

    async def give_up(change: ProposedChange) -> ChangeDecision:
        raise asyncio.CancelledError

    decider.policy = give_up
    verdict = await decider.decide(change_of("INVITE"))
    assert verdict is not None
    assert (verdict.decision, verdict.status) == (ChangeDecision.REFUSE, 500)


@pytest.mark.rule("SIP-56")
async def test_a_program_may_decide_about_an_update() -> None:
    decider = Decider(sip.Limits(), lambda *_: None)

    def later(decision: ChangeDecision) -> Coroutine[object, object, ChangeDecision]:
        return asyncio.sleep(0, decision)

    decider.policy = lambda change: later(ChangeDecision.WITHOUT_NEW_STREAMS)
    verdict = await decider.decide(change_of("UPDATE"))
    assert verdict is not None
    assert verdict.decision is ChangeDecision.WITHOUT_NEW_STREAMS


@pytest.mark.rule("SIP-50", "NG-11")
async def test_the_policy_of_the_guide_works_as_it_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    guide = Path(__file__).parents[4] / "docs" / "sip.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
    (text,) = [block for block in blocks if "\ndef ask_first(" in block]
    namespace: dict[str, Any] = {}
    exec(compile(text, str(guide), "exec"), namespace)
    async with connected() as line:
        line.callee.candidates.append(FollowingRecorder("b", kind="video"))
        wanted: asyncio.Queue[bool] = asyncio.Queue()
        namespace["ask_first"](line.callee, wanted)
        wanted.put_nowait(False)
        await line.add_video()
        assert len(line.caller.media) == 1
        wanted.put_nowait(True)
        video = await line.add_video()
        assert line.caller.media == [line.text, video]
        with pytest.raises(sip.CallRefused):
            await line.caller.change([video], timeout=5)
    assert "wants to add ['video']" in capsys.readouterr().out
