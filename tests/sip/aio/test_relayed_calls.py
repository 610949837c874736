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
from tests.msrp.aio.small_relay import SmallRelay
from tests.msrp.aio.test_relay import Trust, make_trust

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

    async def talk(self, *, caller_expires: int = 900) -> Talk:
        """Have Alice call Bob."""
        users = []
        for name, password, expires in (
            ("Alice", "secret", caller_expires),
            ("Bob", "hidden", 900),
        ):
            user = msrp.MsrpRelay(
                self.relay.uri,
                username=name,
                password=password,
                expires=expires,
                tls=self.trust.policy,
            )
            users.append(await self.stack.enter_async_context(user))
        agents = []
        for name in ("alice", "bob"):
            agent = sip.UserAgent(
                f"sip:{name}@127.0.0.1", listen=["tcp://127.0.0.1:0"], timers=QUICK
            )
            agents.append(await self.stack.enter_async_context(agent))
        media = msrp.MsrpMedia(users[0]), msrp.MsrpMedia(users[1])

        @agents[1].on_invite
        async def ring(call: IncomingCall) -> None:
            await call.answer([media[1]])

        port = agents[1].listening[0].port
        uri = f"sip:bob@127.0.0.1:{port};transport=tcp"
        call = await agents[0].invite(uri, media=[media[0]])
        talk = Talk(call, media)
        for medium in media:
            await medium.connection.established()
            talk.note(medium.connection)
        return talk


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
