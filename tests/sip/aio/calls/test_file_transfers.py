"""Files that are pushed and pulled in calls, over real sockets (XT-6)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

import msrp
import sip
from sip.aio import IncomingCall

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
                msrp.MsrpListener(
                    "127.0.0.1", 0, wire_log=lambda message: wire.append(message.octets)
                )
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
