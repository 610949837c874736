"""Subscriptions and transfers between user agents on loopback."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import msrp
import sip
from sip.aio import Call, IncomingCall, IncomingRefer, Watcher
from sip.sansio import EventPackage
from sip.testing import RecordingMedia

PIDF = "application/pidf+xml"


class Party:
    """A user agent that answers, follows REFERs and tells its presence."""

    def __init__(self, name: str) -> None:
        self.agent = sip.UserAgent(
            f"sip:{name}@127.0.0.1", listen=["udp://127.0.0.1:0"]
        )
        self.calls: asyncio.Queue[IncomingCall] = asyncio.Queue()
        self.followed: asyncio.Queue[Call] = asyncio.Queue()
        self.watchers: asyncio.Queue[Watcher] = asyncio.Queue()
        self.refuses_with: int | None = None
        self.agent.on_invite(self.ring)
        self.agent.on_refer(self.follow)
        self.agent.on_subscribe(EventPackage(name="presence"))(self.watch)

    @property
    def uri(self) -> str:
        return f"sip:x@127.0.0.1:{self.agent.listening[0].port}"

    async def ring(self, call: IncomingCall) -> None:
        if self.refuses_with is not None:
            await call.reject(self.refuses_with)
            return
        await call.answer([RecordingMedia()])
        self.calls.put_nowait(call)

    async def follow(self, refer: IncomingRefer) -> None:
        self.followed.put_nowait(await refer.follow([RecordingMedia()]))

    async def watch(self, watcher: Watcher) -> None:
        watcher.accept()
        watcher.notify(b"<open/>", PIDF)
        self.watchers.put_nowait(watcher)

    async def call(self, other: Party) -> Call:
        return await self.agent.invite(other.uri, media=[RecordingMedia()], timeout=5)


@pytest.fixture
async def parties() -> AsyncIterator[tuple[Party, Party, Party]]:
    alice, bob, carol = Party("alice"), Party("bob"), Party("carol")
    async with alice.agent, bob.agent, carol.agent:
        yield alice, bob, carol


@pytest.mark.rule("SIP-55", "ST-15")
async def test_a_call_is_transferred(parties: tuple[Party, Party, Party]) -> None:
    alice, bob, carol = parties
    call = await alice.call(bob)
    headers = [("Referred-By", "<sip:alice@127.0.0.1>")]
    await alice.agent.transfer(call, carol.uri, headers=headers)
    followed = await bob.followed.get()
    arrived = await carol.calls.get()
    assert arrived.request.headers.get("Referred-By") == "<sip:alice@127.0.0.1>"
    assert followed.answered
    assert await call.ended() is sip.EndReason.LOCAL_BYE
    theirs = await bob.calls.get()
    assert await theirs.ended() is sip.EndReason.REMOTE_BYE
    await followed.bye()


@pytest.mark.rule("SIP-55")
async def test_a_transfer_that_fails_leaves_the_call(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, carol = parties
    carol.refuses_with = 486
    call = await alice.call(bob)
    with pytest.raises(sip.TransferFailed, match=r"486 \(Busy Here\)") as failed:
        await alice.agent.transfer(call, carol.uri)
    assert failed.value.status == 486
    assert call.answered
    await call.bye()
    with pytest.raises(sip.LocalError):
        await alice.agent.transfer(call, carol.uri)


@pytest.mark.rule("SIP-55", "ST-15")
async def test_an_announced_transfer_joins_two_calls(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, carol = parties
    to_bob, to_carol = await alice.call(bob), await alice.call(carol)
    await alice.agent.transfer(to_bob, to_carol)
    first, second = await carol.calls.get(), await carol.calls.get()
    assert second.replaces is first
    assert await first.ended() is sip.EndReason.LOCAL_BYE
    assert await to_carol.ended() is sip.EndReason.REMOTE_BYE
    joined = await bob.followed.get()
    assert joined.answered
    assert second.answered
    await joined.bye()


async def test_a_refer_is_told_of_as_it_goes(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, carol = parties
    referral = alice.agent.refer(bob.uri, carol.uri)
    told = [status async for status, _ in referral]
    assert told[0] == 100
    assert told[-1] == 200
    await referral.completed()
    followed = await bob.followed.get()
    await followed.bye()


async def test_a_refer_to_what_can_not_be_called_is_refused(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties
    with pytest.raises(sip.CallRefused, match="416"):
        await alice.agent.refer(bob.uri, "tel:911").completed()


async def test_a_refer_that_nobody_handles_is_refused() -> None:
    plain = sip.UserAgent("sip:x@127.0.0.1", listen=["udp://127.0.0.1:0"])
    alice = Party("alice")
    async with plain, alice.agent:
        uri = f"sip:x@127.0.0.1:{plain.listening[0].port}"
        with pytest.raises(sip.CallRefused, match="405"):
            await alice.agent.refer(uri, alice.uri).completed()


@pytest.mark.parametrize(("fails", "status"), [(False, "603"), (True, "500")])
@pytest.mark.usefixtures("time_flies")
async def test_a_handler_that_does_not_decide_declines(
    parties: tuple[Party, Party, Party], fails: bool, status: str
) -> None:
    alice, bob, carol = parties
    loop = asyncio.get_running_loop()
    reported: list[object] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))

    @bob.agent.on_refer
    async def nothing(refer: IncomingRefer) -> None:
        if fails:
            raise RuntimeError("a bug of the application")

    with pytest.raises(sip.CallRefused, match=status):
        await alice.agent.refer(bob.uri, carol.uri).completed()
    assert bool(reported) is fails


async def test_an_accepted_refer_may_be_told_of_by_hand(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, carol = parties

    @bob.agent.on_refer
    async def by_hand(refer: IncomingRefer) -> None:
        assert refer.call is None
        assert refer.request.method == "REFER"
        assert str(refer.target.uri) == carol.uri
        refer.accept()
        refer.tell(180)
        refer.tell(480, "Nobody home")

    told = [told async for told in alice.agent.refer(bob.uri, carol.uri)]
    assert told == [(100, "Trying"), (180, "Ringing"), (480, "Nobody home")]


# Subscriptions.


@pytest.mark.rule("SIP-59")
async def test_presence_is_told_until_somebody_ends_it(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties
    async with await alice.agent.subscribe(bob.uri, "presence") as subscription:
        watcher = await bob.watchers.get()
        assert watcher.is_alive
        watcher.notify(b"<closed/>", PIDF)
        heard = []
        async for notification in subscription:
            heard.append((notification.body, notification.content_type))
            if notification.body == b"<closed/>":
                break
    assert heard[-2:] == [(b"<open/>", PIDF), (b"<closed/>", PIDF)]
    await watcher.ended()
    assert not watcher.is_alive
    assert await subscription.ended() is None


async def test_a_notifier_that_has_no_more_to_tell_ends_the_loop(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties
    subscription = await alice.agent.subscribe(bob.uri, "presence")
    watcher = await bob.watchers.get()
    watcher.terminate()
    states = [notification.state async for notification in subscription]
    assert states[-1] == "terminated"
    assert subscription.state.value == "it is over"


async def test_a_notifier_that_ends_it_says_when_to_come_back(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties
    subscription = await alice.agent.subscribe(bob.uri, "presence")
    watcher = await bob.watchers.get()
    watcher.terminate("probation", retry_after=30)
    with pytest.raises(sip.SubscriptionOver, match="try again in 30 s") as over:
        async for _ in subscription:
            pass
    assert over.value.retry_after == 30
    assert isinstance(await subscription.ended(), sip.SubscriptionOver)


async def test_the_state_can_be_fetched_once(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties

    @bob.agent.on_subscribe("presence")
    async def watch(watcher: Watcher) -> None:
        watcher.accept()
        watcher.notify(b"<open/>", PIDF)

    subscription = await alice.agent.subscribe(bob.uri, "presence", expires=0)
    heard = [(n.state, n.body) async for n in subscription]
    assert heard == [("terminated", b"<open/>")]


async def test_what_nobody_tells_of_is_refused(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties
    with pytest.raises(sip.CallRefused, match="489"):
        await alice.agent.subscribe(bob.uri, "dialog")


@pytest.mark.parametrize(("fails", "status"), [(False, "403"), (True, "500")])
async def test_a_handler_that_does_not_answer_refuses(
    parties: tuple[Party, Party, Party], fails: bool, status: str
) -> None:
    alice, bob, _ = parties
    loop = asyncio.get_running_loop()
    reported: list[object] = []
    loop.set_exception_handler(lambda _, context: reported.append(context))

    @bob.agent.on_subscribe("presence")
    async def watch(watcher: Watcher) -> None:
        assert watcher.event.package == "presence"
        assert watcher.remote.uri == alice.agent.address.uri
        assert watcher.request.method == "SUBSCRIBE"
        if fails:
            raise RuntimeError("a bug of the application")

    with pytest.raises(sip.CallRefused, match=status):
        await alice.agent.subscribe(bob.uri, "presence")
    assert bool(reported) is fails


async def test_closing_an_agent_ends_its_subscriptions() -> None:
    alice, bob = Party("alice"), Party("bob")
    async with bob.agent:
        async with alice.agent:
            subscription = await alice.agent.subscribe(bob.uri, "presence")
            watcher = await bob.watchers.get()
        assert await subscription.ended() is None
        await watcher.ended()


async def test_closing_an_agent_tells_those_who_watch_it() -> None:
    alice, bob = Party("alice"), Party("bob")
    async with alice.agent:
        async with bob.agent:
            subscription = await alice.agent.subscribe(bob.uri, "presence")
        error = await subscription.ended()
        assert isinstance(error, sip.SubscriptionOver)
        assert "made anew" in str(error)


async def test_who_stops_waiting_for_a_subscription_leaves_nothing(
    parties: tuple[Party, Party, Party],
) -> None:
    alice, bob, _ = parties
    waiting, enough = asyncio.Event(), asyncio.Event()

    @bob.agent.on_subscribe("presence")
    async def watch(watcher: Watcher) -> None:
        waiting.set()
        await enough.wait()

    task = asyncio.create_task(alice.agent.subscribe(bob.uri, "presence"))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(alice.agent._core.subscriptions) == 0
    enough.set()


# What the guide shows.


def example(name: str, **uris: str) -> Any:
    """Return a function of the guide, with addresses that are ours."""
    guide = Path(__file__).parents[4] / "docs" / "sip.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.S)
    (text,) = [block for block in blocks if f"def {name}(" in block]
    for user, uri in uris.items():
        text = text.replace(f"sip:{user}@example.net", uri)
    namespace: dict[str, Any] = {"__name__": "guide"}
    exec(compile(text, str(guide), "exec"), namespace)
    return namespace[name]


async def test_the_guide_hands_a_call_over(
    parties: tuple[Party, Party, Party], capsys: pytest.CaptureFixture[str]
) -> None:
    alice, bob, carol = parties
    busy = Party("busy")
    busy.refuses_with = 486
    async with busy.agent:
        to_bob, to_carol = await alice.call(bob), await alice.call(carol)
        await example("hand_over", dispatch=busy.uri)(alice.agent, to_bob, to_carol)
        followed = await bob.followed.get()
        assert "486 (Busy Here)" in capsys.readouterr().out
        assert followed.answered
        await followed.bye()


async def test_the_guide_follows_a_transfer(
    parties: tuple[Party, Party, Party], capsys: pytest.CaptureFixture[str]
) -> None:
    alice, bob, carol = parties
    async with msrp.MsrpListener("127.0.0.1", 0) as listener:
        example("follow")(bob.agent, listener)
        with pytest.raises(sip.CallRefused, match="603"):
            await alice.agent.refer(bob.uri, carol.uri).completed()
        call = await alice.call(bob)
        await alice.agent.transfer(call, carol.uri)
        await carol.calls.get()
        assert "now with sip:x@127.0.0.1" in capsys.readouterr().out
        for left in bob.agent.calls:
            await left.bye()


async def test_the_guide_tells_presence_and_hears_it(
    parties: tuple[Party, Party, Party], capsys: pytest.CaptureFixture[str]
) -> None:
    alice, bob, _ = parties
    example("tell_presence")(bob.agent)
    watching = asyncio.create_task(example("watch_presence", bob=bob.uri)(alice.agent))
    told = ""
    async with asyncio.timeout(5):
        while "<presence/>" not in told:
            await asyncio.sleep(0.01)
            told += capsys.readouterr().out
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
