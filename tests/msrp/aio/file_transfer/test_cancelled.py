"""The coroutines of file transfers, cancelled at each of their awaits.

Whatever was cancelled, the media of the call can be stopped, whoever waits for the file
is told, no file stays open, and the next transfer of the same file succeeds.
"""

from __future__ import annotations

import os
from collections.abc import Coroutine
from pathlib import Path
from typing import TypeVar

import pytest

import msrp
from msrp.aio.file_transfer.part_file import part_path
from tests.msrp.aio.conftest import Board
from tests.msrp.aio.file_transfer.test_streams import DATA, SHA1, Scene, soon
from tests.msrp.aio.test_cancellation import Run, cancel_at_each

T = TypeVar("T")

WHAT = [
    "offer",
    "answer",
    "start-of-the-receiver",
    "start-of-the-sender",
    "stop-of-the-receiver",
    "stop-of-the-sender",
    "stop-of-all",
]


def open_files() -> set[str]:
    """Return which of the files of this test are open."""
    found = set()
    for number in Path("/proc/self/fd").iterdir():
        try:
            found.add(os.readlink(number))
        except OSError:
            continue
    return {path for path in found if path.endswith((".part", ".bin"))}


class Stopped(Exception):
    """It was cancelled."""


class Steps:
    """Takes the steps of a transfer, and has one of them cancelled."""

    def __init__(self, what: str, run: Run) -> None:
        self._what = what
        self._run = run

    async def take(self, name: str, coroutine: Coroutine[object, None, T]) -> T:
        if name != self._what:
            return await coroutine
        result: list[T] = []

        async def note() -> None:
            result.append(await coroutine)

        if await self._run(note()):
            raise Stopped
        return result[0]


def check_what_is_there(downloads: Path) -> None:
    """Only whole files have names, and of others there is one to go on with."""
    names = {path.name for path in downloads.iterdir()}
    parts = {name for name in names if name.endswith(".part")}
    assert parts <= {part_path(downloads, SHA1).name}
    for name in names - parts:
        assert (downloads / name).read_bytes() == DATA


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="asks Linux")
@pytest.mark.parametrize("way", ["push", "pull"])
@pytest.mark.parametrize("what", WHAT)
async def test_a_transfer(board: Board, tmp_path: Path, way: str, what: str) -> None:
    scene = await Scene(board, tmp_path).set_up()
    if way == "pull":
        scene.decision = msrp.ServeFile(scene.path)

    async def once(nth: int, run: Run) -> None:
        medium = scene.push() if way == "push" else scene.pull()
        stream = scene.answerer.another()
        receiver, sender = (stream, medium) if way == "push" else (medium, stream)

        step = Steps(what, run).take
        try:
            offered = await step("offer", medium.offer())
            answered = await step("answer", stream.answer(offered))
            assert answered is not None
            for name, side in (("receiver", receiver), ("sender", sender)):
                is_offerer = side is medium
                await step(
                    f"start-of-the-{name}", side.start(offered, answered, is_offerer)
                )
            await step("stop-of-the-receiver", receiver.stop())
            await step("stop-of-the-sender", sender.stop())
            await step("stop-of-all", scene.answerer.stop())
        except Stopped:
            pass
        await medium.stop()
        await stream.stop()
        await scene.answerer.stop()
        assert medium.transfer.is_over
        assert all(transfer.is_over for transfer in scene.transfers)
        await board.until(lambda: not open_files())
        assert scene.answerer._streams == {}

    await cancel_at_each(once)
    again = scene.push() if way == "push" else scene.pull()
    await scene.agree(again)
    assert (await soon(again)).size == len(DATA)
    await again.stop()
    await scene.answerer.stop()
    check_what_is_there(scene.downloads)
