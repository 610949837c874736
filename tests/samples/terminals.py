"""A real terminal, which is tmux: what a person would see and type."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.samples.processes import ROOT, TIMEOUT

__all__ = ["Terminal", "needs_tmux", "open_terminal"]

needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="tmux isn't installed"
)

_LOOKS = 0.05
"""Seconds between two looks at the screen."""

_SHELL = """
trap : INT  # It is for the program alone.
"$@"
echo "ended with $?"
stty -a
sleep 60
"""


class Terminal:
    """A window of a tmux server of its own, in which one program runs.

    Args:
        socket: Where the server listens.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def run(
        self,
        *arguments: str | Path,
        width: int = 80,
        height: int = 24,
        directory: Path | None = None,
    ) -> None:
        """Start ``msrp-chat``, somewhere; when it has ended the screen says so."""
        path = os.pathsep.join([str(ROOT), str(ROOT / "samples")])
        command = [sys.executable, "-m", "msrp_chat", *map(str, arguments)]
        await self._tmux(
            "-f", os.devnull, "new-session", "-d",
            "-x", str(width), "-y", str(height), "-c", str(directory or ROOT),
            "-e", f"PYTHONPATH={path}", "-e", "PYTHONDEVMODE=",
            "-e", "COLORTERM=truecolor", "-e", "NO_COLOR=",
            "sh", "-c", _SHELL, "sh", *command,
        )  # fmt: skip

    async def type(self, text: str) -> None:
        """Type a text, and nothing after it."""
        await self._tmux("send-keys", "-l", "--", text)

    async def paste(self, text: str) -> None:
        """Put in a text at once, as from a clipboard."""
        await self._tmux("set-buffer", "--", text)
        await self._tmux("paste-buffer", "-p")

    async def press(self, *keys: str) -> None:
        """Press keys, by the names that tmux has for them."""
        await self._tmux("send-keys", *keys)

    async def say(self, text: str) -> None:
        """Type a text and press Enter."""
        await self._tmux("send-keys", "-l", "--", text, ";", "send-keys", "Enter")

    async def resize(self, width: int, height: int) -> None:
        """Give the window another size."""
        await self._tmux("resize-window", "-x", str(width), "-y", str(height))

    async def lines(
        self, *, colours: bool = False, all_of_it: bool = False
    ) -> list[str]:
        """Return what is on the screen, line by line, without empty ones at the end.

        Args:
            colours: Whether to keep escape sequences.
            all_of_it: Whether to begin with what has left it at the top, lines being
                joined that are one.
        """
        options = ["-e"] * colours + ["-S", "-", "-J"] * all_of_it
        shown = await self._tmux("capture-pane", "-p", *options)
        return shown.rstrip("\n").split("\n")

    async def until(
        self, holds: Callable[[list[str]], bool], *, all_of_it: bool = False
    ) -> list[str]:
        """Wait until something is true of the screen, and return it."""
        lines: list[str] = []
        try:
            async with asyncio.timeout(TIMEOUT):
                while True:
                    lines = await self.lines(all_of_it=all_of_it)
                    if holds(lines):
                        return lines
                    await asyncio.sleep(_LOOKS)
        except TimeoutError:
            shown = "\n".join(lines)
            raise AssertionError(f"it didn't come; there is:\n{shown}") from None

    async def shows(self, *texts: str) -> list[str]:
        """Wait until all of some texts are on the screen, and return it."""
        return await self.until(lambda lines: all(t in "\n".join(lines) for t in texts))

    async def close(self) -> None:
        """End the server, and with it the program."""
        with contextlib.suppress(AssertionError):
            await self._tmux("kill-server")

    async def _tmux(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "tmux", "-u", "-S", str(self._socket), *arguments,
            stdin=DEVNULL, stdout=PIPE, stderr=PIPE,
            env={**os.environ, "TERM": "xterm-256color"},
        )  # fmt: skip
        try:
            shown, problem = await process.communicate()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0, problem.decode()
        return shown.decode()


@contextlib.asynccontextmanager
async def open_terminal(directory: Path) -> AsyncIterator[Terminal]:
    """Give out a terminal, and take it away at the end."""
    terminal = Terminal(directory / "tmux")
    try:
        yield terminal
    finally:
        await terminal.close()
