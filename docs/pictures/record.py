"""Record ``call.svg``: a real call in a real terminal, as it looks.

The terminal is tmux, in which ``msrp-chat call`` runs and is typed at; a second
``msrp-chat`` is the call taker.  It needs tmux, and the packages of the tests with
Pillow, and is run by hand when the program has come to look different::

    python -m docs.pictures.record
"""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.samples.processes import PICTURE, open_chats
from tests.samples.terminals import Terminal, open_terminal

__all__ = ["record"]

_SVG = Path(__file__).with_name("call.svg")
_WIDTH, _HEIGHT = 90, 29

_CONSOLE = f"""\
expect fire
text 9-1-1. What is the address?
expect Mill Road
text Help is on its way. Can you send us a picture?
expect picture
text Engine 7 has got it. Stay by the water. This is where they come from:
file {PICTURE}
expect see them
typing
wait 60
"""

_CALLER = (
    ("There is a fire behind the hills, on the far side of the lake.", "the address?"),
    ("12 Mill Road. We are all out of the house.", "send us a picture?"),
    (f"/send {PICTURE}", "saved as"),
    ("We can see them!", "is typing"),
)

_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Which rich would fetch from elsewhere."""

_TEXT = re.compile(r"(?<=>)[^<>\n]+(?=</text>)")
"""Of which some programs would else leave out spaces."""


async def record() -> str:
    """Hold a call, and return how its screen looks in the end, with its colours."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        script = directory / "script"
        script.write_text(_CONSOLE)
        async with open_chats() as chats, open_terminal(directory) as terminal:
            _, uri = await chats.listen("--receipts", "--script", script)
            await terminal.run(
                *("call", uri, "--save", "received"),
                width=_WIDTH,
                height=_HEIGHT,
                directory=directory,
            )
            await terminal.shows("Type what you want")
            for said, answer in _CALLER:
                await _say(terminal, said)
                await terminal.shows(answer)
            await terminal.type("They have")
            await asyncio.sleep(1)
            lines = await terminal.lines(colours=True)
    return "\n".join(lines)


async def _say(terminal: Terminal, text: str) -> None:
    await terminal.say(text)
    await asyncio.sleep(1.8)  # So that the clock goes on as when people talk.


def draw(screen: str) -> str:
    """Return a screen as SVG."""
    console = Console(
        record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True
    )
    console.print(Text.from_ansi(screen), soft_wrap=True)
    svg = console.export_svg(title="msrp-chat", unique_id="call")
    svg = _FONTS.sub("", svg)
    return _TEXT.sub(lambda text: text[0].replace(" ", "&#160;"), svg)


if __name__ == "__main__":
    _SVG.write_text(draw(asyncio.run(record())), encoding="utf-8")
