"""A file goes from one process to another, and what is between them breaks."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

import sdp
from benchmarks.big import MIB, Peer, generate
from msrp.testing import Ending, FlakyProxy, Plan
from tests.msrp.sections import moved

SIZE = 100 * MIB

LOOPBACK = "127.0.0.1"

AT_ONCE = 10.0
"""Seconds; far less than until the first response would be missed."""

ResumingPeer = partial(Peer, module="tests.msrp.aio.resuming_peer")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "source.bin"
    generate(path, SIZE)
    return path


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def negotiate(sender: Peer, receiver: Peer, proxy: FlakyProxy) -> None:
    """Carry an offer and its answer, so that the sender goes through the proxy."""
    await receiver.tell(await sender.hear())
    answered = sdp.MediaDescription.parse(await receiver.hear())
    proxy.target_port = answered.port
    await sender.tell(str(moved(answered, LOOPBACK, proxy.port)))


@pytest.mark.rule("MSRP-40", "MSRP-41", "MT-8")
async def test_a_file_goes_on_where_the_network_broke(
    source: Path, tmp_path: Path
) -> None:
    async with asyncio.timeout(50), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        cut = Plan(after=SIZE // 2, ending=Ending.RESET)
        proxy = await enter(FlakyProxy(LOOPBACK, 0, plan=cut, backward=Plan()))
        receiver = await enter(ResumingPeer("receive", str(tmp_path), "1"))
        sender = await enter(ResumingPeer("send", str(source), "30"))
        await negotiate(sender, receiver, proxy)
        for peer in (sender, receiver):
            assert await peer.hear() == "lost"
        carried = proxy.forward.statistics.carried
        assert carried == SIZE // 2
        proxy.forward.plan = Plan()
        await negotiate(sender, receiver, proxy)
        await sender.tell("")
        assert await sender.hear() == "delivered"
        path = Path(await receiver.hear())
        await sender.tell("done")
        assert await receiver.hear() == "over"
    # It went on, and did not begin again.
    assert proxy.forward.statistics.carried - carried < SIZE * 3 // 4
    assert path.name == "source.bin"
    assert digest(path) == digest(source)


@pytest.mark.rule("MSRP-40", "MSRP-41", "MSRP-59")
@pytest.mark.parametrize("how", ["in the middle", "from the start"])
async def test_a_receiver_that_was_killed_and_has_forgotten_all(
    source: Path, tmp_path: Path, how: str
) -> None:
    async with asyncio.timeout(50), AsyncExitStack() as stack:
        enter = stack.enter_async_context
        proxy = await enter(FlakyProxy(LOOPBACK, 0))
        killed = await enter(ResumingPeer("receive", str(tmp_path / "killed"), "0"))
        sender = await enter(ResumingPeer("send", str(source), "1"))
        await negotiate(sender, killed, proxy)
        while proxy.forward.statistics.carried < SIZE // 4:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        killed.kill()
        async with asyncio.timeout(AT_ONCE):
            assert await sender.hear() == "lost"
        [part] = (tmp_path / "killed").iterdir()
        assert part.suffix == ".part"
        receiver = await enter(ResumingPeer("receive", str(tmp_path / "new"), "0"))
        await negotiate(sender, receiver, proxy)
        await sender.tell(how)
        outcome = await sender.hear()
        if how == "from the start":
            assert outcome == "delivered"
            path = Path(await receiver.hear())
            assert digest(path) == digest(source)
        else:
            # All that was sent now was answered with 200, which isn't the file; the
            # receiver is told that there will be no more.
            assert outcome == "ResponseTimeout"
            assert await receiver.hear() == "given up"
        await sender.tell("done")
        assert await receiver.hear() == "over"
    names = [path.name for path in (tmp_path / "new").iterdir()]
    assert ("source.bin" in names) is (how == "from the start")
