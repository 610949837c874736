"""The line at the bottom of the terminal where people type.

What arrives in the meantime is written above it; between the two stands what is on its
way.  Whatever begins with a slash is a command, mostly a step as scripts have them
(:mod:`msrp_chat.conversation.script`); all else is said.  Who waits for calls reads all
the time, so that nothing that was typed before goes to the next caller.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import (
    ANSI,
    StyleAndTextTuples,
    to_formatted_text,
)
from prompt_toolkit.patch_stdout import StdoutProxy
from prompt_toolkit.styles import Style

from msrp_chat.conversation.script import LANGUAGE, check_files, parse_step
from msrp_chat.conversation.steps import Quit, SayText, Speaker, Step
from msrp_chat.outcome import ChatError
from msrp_chat.terminal.screen import Screen

__all__ = ["Prompt", "help_text"]

_ALIASES = {"send": "file", "bye": "quit"}
"""Other words for the same, as people know them from other programs."""

_HELP_IDLE = """\
Nobody is on the line.  When somebody calls, you can type what you want to say.
  /quit                    stop waiting for calls (Ctrl-D does the same)"""

_NOT_SAID = "Nobody is on the line, so this was not said."

_REFRESH = 0.5
"""Seconds after which the line with the status is drawn again."""

_GATHERING = 0.02
"""Seconds to gather what is to be written above, which costs drawing all anew."""

_STYLE = Style.from_dict({"bottom-toolbar": "noreverse bg:#262626 #9e9e9e"})


class Prompt:
    """Lets somebody talk.

    Args:
        screen: Where everything else is shown.
        interrupt: Called when somebody presses Ctrl-C; it cancels us.
    """

    def __init__(self, screen: Screen, interrupt: Callable[[], None]) -> None:
        self._screen = screen
        self._interrupt = interrupt
        self._speaker: Speaker | None = None
        self._attended = False
        self._hang_up = asyncio.Event()
        self._above: StyleAndTextTuples = [("", "> ")]
        self._session: PromptSession[str] = PromptSession(
            lambda: self._above,
            # What was typed is shown as part of the conversation instead.
            erase_when_done=True,
            bottom_toolbar=self._toolbar,
            refresh_interval=_REFRESH,
            style=_STYLE,
        )
        # Once each time, as it is asked for again for each row.
        self._session.app.before_render += self._look_above
        self._session.default_buffer.on_text_changed += self._typed
        screen.watch(self._draw_again)

    async def __call__(self, speaker: Speaker) -> None:
        """Return when somebody wants to hang up."""
        self._screen.note("Type what you want to say, or /help.")
        self._speaker = speaker
        try:
            if self._attended:
                self._hang_up = asyncio.Event()
                await self._hang_up.wait()
            else:
                await self._read_until_quit()
        finally:
            self._speaker = None

    async def attend(self) -> None:
        """Read also while there is nobody to talk to; return at the end of it all."""
        self._attended = True
        while True:
            await self._read_until_quit()
            if self._speaker is None:
                return
            self._hang_up.set()
            self._speaker = None

    async def _read_until_quit(self) -> None:
        with _written_above():
            while True:
                try:
                    # Ctrl-C is a key here; the signal stays with those who have it.
                    line = await self._session.prompt_async(handle_sigint=False)
                except EOFError:
                    return
                except KeyboardInterrupt:
                    self._interrupt()
                    await asyncio.Event().wait()
                    raise
                if not await self._obey(line.strip()):
                    return

    async def _obey(self, line: str) -> bool:
        """Do what a line says; return whether there is to be another."""
        if not line:
            return True
        if line == "/help":
            self._screen.note(_HELP_IDLE if self._speaker is None else help_text())
            return True
        try:
            step = _read(line)
            if isinstance(step, Quit):
                return False
            if self._speaker is None:
                self._screen.note(_NOT_SAID)
                return True
            check_files([step])
            await step.perform(self._speaker)
        except (ChatError, ValueError) as exc:
            self._screen.note(f"{exc}")
        return True

    def _look_above(self, _: object) -> None:
        """Take note of what has only begun, and so stands above the line."""
        self._above = to_formatted_text(ANSI(f"{self._screen.pending_lines()}> "))

    def _typed(self, buffer: Buffer) -> None:
        """Let the other side know that somebody is typing what is no command."""
        text = buffer.text
        if self._speaker is not None and text and not text.startswith("/"):
            self._speaker.composing()

    def _draw_again(self) -> None:
        if self._session.app.is_running:
            self._session.app.invalidate()

    def _toolbar(self) -> str | None:
        said = [each for each in (self._screen.status, self._screen.typing) if each]
        return f" {'  ·  '.join([*said, '/help'])}" if said else None


def help_text() -> str:
    """Return what can be typed."""
    rows = [
        (f"/{name} {word.argument}", word.meaning) for name, word in LANGUAGE.items()
    ]
    rows.append(("//TEXT", "say a text that begins with a slash"))
    lines = [f"  {typed:<24} {meaning}" for typed, meaning in rows]
    also = ", ".join(f"/{alias} is /{name}" for alias, name in _ALIASES.items())
    return "\n".join(
        [
            "Type what you want to say.  Besides:",
            *lines,
            f"{also}; Ctrl-D hangs up too.",
        ]
    )


@contextlib.contextmanager
def _written_above() -> Iterator[None]:
    """Have everything that is written to stdout appear above the prompt."""
    stdout = sys.stdout
    with StdoutProxy(sleep_between_writes=_GATHERING, raw=True) as above:
        sys.stdout = above
        try:
            yield
        finally:
            sys.stdout = stdout


def _read(line: str) -> Step:
    """Read what was typed.

    Raises:
        ValueError: It is no command.
    """
    if not line.startswith("/"):
        return SayText(line)
    if line.startswith("//"):
        return SayText(line[1:])
    name, _, rest = line[1:].partition(" ")
    name = _ALIASES.get(name, name)
    if name not in LANGUAGE:
        known = ", ".join(f"/{each}" for each in (*LANGUAGE, "help"))
        raise ValueError(f"/{name} is none of {known}")
    return parse_step(f"{name} {rest}")
