"""The line at the bottom of the terminal where people type.

What arrives in the meantime is written above it.  Whatever begins with a slash is
a step of a script (:mod:`msrp_chat.conversation.script`), all else is said.  Who waits
for calls reads all the time, so that nothing that was typed before goes to the next
caller.
"""

from __future__ import annotations

import asyncio

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from msrp_chat.conversation.script import (
    STEP_NAMES,
    Quit,
    SayText,
    Speaker,
    Step,
    check_files,
    parse_step,
)
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.terminal.line import amount
from msrp_chat.terminal.screen import RichScreen, Screen

__all__ = ["Prompt"]

_HELP = """\
Type what you want to say.  Besides:
  /file PATH               send a file
  /multipart TEXT | PATH   send a text and a file as one message
  /text TEXT               say something
  /cpim TEXT               say something in a message/cpim envelope
  /wait SECONDS            do nothing for a while
  /expect TEXT             wait until the other side says something with this in it
  //TEXT                   say a text that begins with a slash
  /quit                    hang up (Ctrl-D does the same)"""

_HELP_IDLE = """\
Nobody is on the line.  When somebody calls, you can type what you want to say.
  /quit                    stop waiting for calls (Ctrl-D does the same)"""

_NOT_SAID = "Nobody is on the line, so this was not said."


class Prompt:
    """Lets somebody talk.

    Args:
        screen: Where everything else is shown.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._speaker: Speaker | None = None
        self._attended = False
        self._hang_up = asyncio.Event()
        self._session: PromptSession[str] = PromptSession(
            "> ",
            # What was typed is shown as part of the conversation instead.
            erase_when_done=True,
            bottom_toolbar=self._toolbar,
            refresh_interval=0.2,
        )

    async def __call__(self, speaker: Speaker) -> None:
        """Return when somebody wants to hang up.

        Raises:
            ChatError: Somebody pressed Ctrl-C.
        """
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
        """Read also while there is nobody to talk to; return at the end of it all.

        Raises:
            ChatError: Somebody pressed Ctrl-C.
        """
        self._attended = True
        while True:
            await self._read_until_quit()
            if self._speaker is None:
                return
            self._hang_up.set()
            self._speaker = None

    async def _read_until_quit(self) -> None:
        with patch_stdout(raw=True):
            while True:
                try:
                    line = await self._session.prompt_async()
                except EOFError:
                    return
                except KeyboardInterrupt:
                    raise ChatError("interrupted", ExitCode.INTERRUPTED) from None
                if not await self._obey(line.strip()):
                    return

    async def _obey(self, line: str) -> bool:
        """Do what a line says; return whether there is to be another."""
        if not line:
            return True
        if line == "/help":
            self._screen.note(_HELP_IDLE if self._speaker is None else _HELP)
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

    def _toolbar(self) -> str | None:
        """Say how far files have come."""
        transfers = (
            self._screen.transfers if isinstance(self._screen, RichScreen) else {}
        )
        parts = [
            f"{name} {100 * done // max(1, total)} % of {amount(total)}"
            for name, done, total in transfers.values()
        ]
        return "  ".join(parts) or None


def _read(line: str) -> Step:
    """Read what was typed.

    Raises:
        ValueError: It is no command.
    """
    if not line.startswith("/"):
        return SayText(line)
    if line.startswith("//"):
        return SayText(line[1:])
    if line[1:].partition(" ")[0] not in STEP_NAMES:
        known = ", ".join(f"/{name}" for name in (*STEP_NAMES, "help"))
        raise ValueError(f"{line.partition(' ')[0]} is none of {known}")
    return parse_step(line[1:])
