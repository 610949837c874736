"""The line at the bottom of the terminal where people type.

What arrives in the meantime is written above it.  Whatever begins with a slash is
a step of a script (:mod:`msrp_chat.script`), all else is said.
"""

from __future__ import annotations

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout

from msrp_chat.line import amount
from msrp_chat.outcome import ChatError, ExitCode
from msrp_chat.screen import RichScreen, Screen
from msrp_chat.script import Quit, SayText, Speaker, Step, check_files, parse_step

__all__ = ["Prompt"]

_HELP = """\
Type what you want to say.  Besides:
  /file PATH               send a file
  /multipart TEXT | PATH   send a text and a file as one message
  /cpim TEXT               say something in a message/cpim envelope
  /quit                    hang up (Ctrl-D does the same)"""


class Prompt:
    """Lets somebody talk.

    Args:
        screen: Where everything else is shown.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
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
        with patch_stdout(raw=True):
            while True:
                try:
                    line = await self._session.prompt_async()
                except EOFError:
                    return
                except KeyboardInterrupt:
                    raise ChatError("interrupted", ExitCode.INTERRUPTED) from None
                if not await self._obey(line.strip(), speaker):
                    return

    async def _obey(self, line: str, speaker: Speaker) -> bool:
        """Do what a line says; return whether there is to be another."""
        if not line:
            return True
        if line == "/help":
            self._screen.note(_HELP)
            return True
        try:
            step = _read(line)
            if isinstance(step, Quit):
                return False
            check_files([step])
            await step.perform(speaker)
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
    return parse_step(line[1:]) if line.startswith("/") else SayText(line)
