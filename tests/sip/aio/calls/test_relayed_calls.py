"""Calls whose messages go through relays, and who keeps the relays happy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

import msrp
import sip
from sip.aio import IncomingCall
from tests.msrp.aio.relays.test_relay import Trust, make_trust
from tests.msrp.aio.small_relay import SmallRelay

QUICK = sip.Timers(t1=0.05, t2=0.4, t4=0.5, randbelow=lambda n: n // 20)


@dataclass
class Talk:
    """A call between two who have each a relay."""

    call: sip.Call
    media: tuple[msrp.MsrpMedia, msrp.MsrpMedia]
    texts: list[str] = field(default_factory=list)

    def note(self, connection: msrp.MsrpConnection) -> None:
        connection.on_message_received = lambda message: self.texts.append(
            message.text or ""
        )

    @property
    def paths(self) -> tuple[object, object]:
        one, two = (medium.connection.negotiated.local_path for medium in self.media)
        return one, two


@dataclass
class Parties:
    stack: AsyncExitStack
    relay: SmallRelay
    trust: Trust

    async def user(self, name: str, expires: int = 900) -> msrp.MsrpRelay:
        user = msrp.MsrpRelay(
            self.relay.uri,
            username=name,
            password={"Alice": "secret", "Bob": "hidden"}[name],
            expires=expires,
            tls=self.trust.policy,
            response_timeout=0.5,
        )
        return await self.stack.enter_async_context(user)

    async def agent(self, name: str) -> sip.UserAgent:
        agent = sip.UserAgent(
            f"sip:{name}@127.0.0.1", listen=["tcp://127.0.0.1:0"], timers=QUICK
        )
        return await self.stack.enter_async_context(agent)

    async def talk(self, *, caller_expires: int = 900) -> Talk:
        """Have Alice call Bob."""
        alice, bob = await self.agent("alice"), await self.agent("bob")
        media = (
            msrp.MsrpMedia(await self.user("Alice", caller_expires)),
            msrp.MsrpMedia(await self.user("Bob")),
        )

        @bob.on_invite
        async def ring(call: IncomingCall) -> None:
            await call.answer([media[1]])

        call = await alice.invite(uri_of(bob), media=[media[0]])
        talk = Talk(call, media)
        for medium in media:
            await medium.connection.established()
            talk.note(medium.connection)
        return talk


def uri_of(agent: sip.UserAgent) -> str:
    return f"sip:bob@127.0.0.1:{agent.listening[0].port};transport=tcp"


@pytest_asyncio.fixture
async def parties(tmp_path: Path) -> AsyncIterator[Parties]:
    trust = make_trust(tmp_path, "localhost")
    async with (
        asyncio.timeout(30),
        SmallRelay(trust.server, trust.client) as relay,
        AsyncExitStack() as stack,
    ):
        yield Parties(stack, relay, trust)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # It may be anything.
            await asyncio.sleep(0.01)


@pytest.mark.rule("RLY-8", "RLY-13")
async def test_a_call_through_relays(parties: Parties) -> None:
    talk = await parties.talk()
    await talk.media[0].connection.send_text("from Alice")
    await talk.media[1].connection.send_text("from Bob")
    await until(lambda: len(talk.texts) == 2)
    assert sorted(talk.texts) == ["from Alice", "from Bob"]
    talk.call.hang_up()


@pytest.mark.rule("RLY-9", "RLY-11")
@pytest.mark.usefixtures("time_flies")
async def test_before_the_relay_forgets_us_the_call_agrees_on_another_path(
    parties: Parties,
) -> None:
    talk = await parties.talk(caller_expires=1)
    before = talk.paths
    connection = talk.media[0].connection
    for number in range(100):
        await connection.send_text(str(number))
        await asyncio.sleep(0.01)
    await until(lambda: talk.paths[0] != before[0])
    await connection.send_text("100")
    await until(lambda: "100" in talk.texts)
    assert talk.texts == [str(number) for number in range(101)]
    assert talk.media[0].connection is connection
    talk.call.hang_up()


async def test_a_call_survives_the_loss_of_its_relay(parties: Parties) -> None:
    talk = await parties.talk()
    before = talk.paths
    connection = talk.media[0].connection
    await connection.send_text("before")
    await until(lambda: talk.texts)
    parties.relay.cut()
    message = await connection.send_text("after", success_report=True)
    await message.delivered()
    await until(lambda: talk.texts == ["before", "after"])
    assert talk.paths[0] != before[0]
    assert talk.paths[1] != before[1]
    talk.call.hang_up()


@pytest.mark.usefixtures("time_flies")
async def test_who_has_no_relay_any_more_refuses_the_messages(parties: Parties) -> None:
    alice, bob = await parties.agent("alice"), await parties.agent("bob")
    ours = msrp.MsrpMedia(await parties.user("Alice"))
    theirs = msrp.MsrpMedia(await parties.user("Bob"))
    await theirs.offer()  # What was given at the start.
    await theirs.stop()

    @bob.on_invite
    async def ring(call: IncomingCall) -> None:
        parties.relay.mute = True
        await call.answer([theirs])

    with pytest.raises(sip.CallRefused) as error:
        await alice.invite(uri_of(bob), media=[ours])
    assert error.value.response.status == 488
    assert theirs.refusal == "no relay serves us: the relay has not answered in time"


@pytest.mark.usefixtures("time_flies")
async def test_a_call_without_its_relay_lives_on(
    parties: Parties, caplog: pytest.LogCaptureFixture
) -> None:
    problems: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: problems.append(context)
    )
    talk = await parties.talk()
    parties.relay.mute = True
    parties.relay.cut()
    caplog.set_level("INFO", "sip")
    await until(lambda: "could not be renewed" in caplog.text)
    parties.relay.mute = False
    message = await talk.media[0].connection.send_text("late", success_report=True)
    await message.delivered()
    await until(lambda: talk.texts == ["late"])
    assert problems == []
    talk.call.hang_up()
