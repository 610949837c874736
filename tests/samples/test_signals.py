"""Whoever can't wait for good order needn't."""

from __future__ import annotations

import asyncio
import io
import os
import signal

import pytest

from msrp_chat.commands import signals
from msrp_chat.events.for_people import HumanOutput
from msrp_chat.outcome import ExitCode
from msrp_chat.terminal.plain import PlainScreen


@pytest.mark.parametrize("again", [True, False], ids=["second-signal", "no-end"])
async def test_what_never_ends_is_ended(
    again: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    codes: list[int] = []

    def leave(code: int) -> None:
        codes.append(code)
        loop.call_soon_threadsafe(ended.set)

    monkeypatch.setattr("os._exit", leave)
    monkeypatch.setattr(signals, "_ENDING_TIME", 30.0 if again else 0.0)
    shown = io.StringIO()
    watched = signals.Signals(HumanOutput(PlainScreen(shown)))
    task = asyncio.create_task(asyncio.sleep(60))
    watched.attach(task)
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(asyncio.CancelledError):
            await task
        if again:
            os.kill(os.getpid(), signal.SIGINT)
        async with asyncio.timeout(10):
            await ended.wait()
    finally:
        watched.detach()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    assert codes == [ExitCode.TERMINATED]
    assert "terminated: hanging up" in shown.getvalue()
    assert "msrp-chat: terminated" in capsys.readouterr().err
